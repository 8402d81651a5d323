"""Writes infra/openapi.yaml from the routes, and a test holds the two equal.

Run it as `infra/run python -m tests.unit.web.openapi`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from boekbrug.web.app import Failure, Route
from boekbrug.web.session import CSRF_HEADER, SESSION

from .scene import FUNCTIONS

FILE = Path(__file__).parents[3] / "infra" / "openapi.yaml"
HEAD = "# Written from the routes in functions/boekbrug/web by `infra/run python -m tests.unit.web.openapi`.\n"


def document() -> dict[str, Any]:
    """The description of our HTTP API, as OpenAPI 3.1."""
    routes = [(function, route) for function, routes in FUNCTIONS.items() for route in routes]
    models = [(model, "validation") for _, route in routes if (model := route.asks)]
    models += [(model, "serialization") for _, route in routes if (model := route.answers)]
    _, schemas = models_json_schema([*models, (Failure, "serialization")], ref_template="#/components/schemas/{model}")
    paths: dict[str, dict[str, Any]] = {}
    for function, route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(function, route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Boekbrug",
            "version": "1",
            "description": "Connects Teamleader Focus with the books. Signing in starts at /connect/teamleader.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": SESSION},
                "csrf": {
                    "type": "apiKey",
                    "in": "header",
                    "name": CSRF_HEADER.title().replace("Csrf", "CSRF"),
                    "description": "The `csrf` of GET /api/session, with everything that changes something.",
                },
            },
        },
    }


def _operation(function: str, route: Route) -> dict[str, Any]:
    summary = (route.deed.__doc__ or "").split("\n")[0].rstrip(".")
    operation: dict[str, Any] = {"operationId": route.deed.__name__, "summary": summary, "tags": [function]}
    named = re.findall(r"\{(\w+)\}", route.path)
    parameters = [{"name": n, "in": "path", "required": True, "schema": {"type": "string"}} for n in named]
    parameters += [{"name": n, "in": "query", "schema": {"type": "string"}} for n in route.query]
    if parameters:
        operation["parameters"] = parameters
    if route.asks:
        operation["requestBody"] = {"required": True, "content": _content(route.asks)}
    done: dict[str, Any] = {"description": "Done"}
    if route.answers:
        done["content"] = _content(route.answers)
    operation["responses"] = {
        str(route.status): done,
        "default": {"description": "Not done, and why", "content": _content(Failure)},
    }
    if route.signed_in:
        operation["security"] = [{"session": []} if route.method == "GET" else {"session": [], "csrf": []}]
    return operation


def _content(model: type[BaseModel]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}}


if __name__ == "__main__":
    FILE.write_text(HEAD + yaml.safe_dump(document(), sort_keys=False, allow_unicode=True, width=120))
