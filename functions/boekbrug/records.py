"""Records as JSON and back: what the store keeps, and what intents and snapshots remember."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def as_json(value: Any, kind: Any = None) -> Any:
    """Plain JSON values; amounts and times as strings, so that nothing passes through a float."""
    return _adapter(kind or type(value)).dump_python(value, mode="json")


def from_json(kind: type[T], value: Any) -> T:
    return _adapter(kind).validate_python(value)


def as_text(value: Any) -> str:
    """One canonical line: equal records give equal text."""
    return json.dumps(as_json(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def from_text(kind: type[T], text: str) -> T:
    return from_json(kind, json.loads(text))
