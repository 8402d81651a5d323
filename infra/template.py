"""Reads template.yaml, the one description of what runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

TEMPLATE = Path(__file__).resolve().parent.parent / "template.yaml"


class _Loader(yaml.SafeLoader):
    """Knows CloudFormation's short tags: !Ref x is {"Ref": "x"}, !GetAtt a.b is {"Fn::GetAtt": ["a", "b"]}."""


def _short_tag(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix in ("Ref", "Condition"):
        return {suffix: value}
    return {f"Fn::{suffix}": value.split(".", 1) if suffix == "GetAtt" else value}


_Loader.add_multi_constructor("!", _short_tag)


def load(file: Path = TEMPLATE) -> dict[str, Any]:
    """The whole template as plain dictionaries."""
    return yaml.load(file.read_text(), _Loader)  # a SafeLoader


def resources(kind: str, file: Path = TEMPLATE) -> dict[str, dict[str, Any]]:
    """The properties of every resource of one type, by logical id."""
    return {name: resource.get("Properties", {}) for name, resource in load(file)["Resources"].items()
            if resource["Type"] == kind}  # fmt: skip


def functions(file: Path = TEMPLATE) -> dict[str, dict[str, Any]]:
    """The properties of every function, by logical id."""
    return resources("AWS::Serverless::Function", file)
