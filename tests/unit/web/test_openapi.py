"""The description, the code and the template name the same routes."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest
import yaml

from . import openapi
from .scene import FUNCTIONS, ROUTES

TEMPLATE = Path(__file__).parents[3] / "template.yaml"
HANDLERS = {"Connect": "connect", "Console": "console", "ReceiveWebhook": "receive_webhook"}


class Loader(yaml.SafeLoader):
    """Reads a template without resolving what !Ref and its like refer to."""


Loader.add_multi_constructor("!", lambda loader, tag, node: None)


def test_the_description_says_what_the_code_does():
    written = yaml.safe_load(openapi.FILE.read_text())
    assert written == openapi.document(), "write it again: infra/run python -m tests.unit.web.openapi"


def test_every_route_has_a_summary_and_every_name_in_its_description_exists():
    text = openapi.FILE.read_text()
    described = openapi.document()
    names = set(re.findall(r"#/components/schemas/(\w+)", text))
    assert names == set(described["components"]["schemas"])
    operations = [operation for path in described["paths"].values() for operation in path.values()]
    assert len(operations) == len(ROUTES) == len({o["operationId"] for o in operations})
    assert [o["operationId"] for o in operations if not o["summary"]] == []


@pytest.mark.parametrize("function", HANDLERS)
def test_a_handler_serves_its_own_routes(function):
    handler = importlib.import_module(f"handlers.{HANDLERS[function]}")
    assert [route.key for route in handler.app.routes] == [route.key for route in FUNCTIONS[function]]


@pytest.mark.parametrize("function", HANDLERS)
def test_the_template_leads_each_route_to_the_function_that_serves_it(function):
    resources = yaml.load(TEMPLATE.read_text(), Loader)["Resources"]
    events = resources[function]["Properties"]["Events"].values()
    led = {f"{e['Properties']['Method']} {e['Properties']['Path']}" for e in events if e["Type"] == "HttpApi"}
    assert led == {route.key for route in FUNCTIONS[function]}
