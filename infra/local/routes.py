"""Gives the local HTTP API its routes.

SAM puts the routes of an HttpApi in an OpenAPI body; ministack 1.5.33 makes the API but does not read that body. So
they are read from the template as CloudFormation processed it, and created one by one.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

METHODS = {"get", "post", "put", "patch", "delete", "head", "options"}


class Route(NamedTuple):
    """One line of the API."""

    method: str
    path: str
    function: str  # logical id

    @property
    def key(self) -> str:
        return f"{self.method} {self.path}"


def routes_of(processed: dict[str, Any]) -> list[Route]:
    """Every route in the OpenAPI body of the processed template, with the function it calls."""
    found = []
    for resource in processed["Resources"].values():
        if resource["Type"] != "AWS::ApiGatewayV2::Api":
            continue
        for path, operations in resource["Properties"]["Body"]["paths"].items():
            for method, operation in operations.items():
                if method in METHODS:
                    uri = str(operation["x-amazon-apigateway-integration"]["uri"])
                    function = re.search(r"\$\{(\w+)\.Arn\}", uri)
                    if not function:
                        raise ValueError(f"{method} {path} calls no function of the template: {uri}")
                    found.append(Route(method.upper(), path, function[1]))
    return found


def create(api: Any, lambdas: Any, api_id: str, routes: list[Route], function_names: dict[str, str]) -> None:
    """Create `routes` on the API `api_id`: one proxy integration per function, payload 2.0."""
    integrations: dict[str, str] = {}
    for route in routes:
        if route.function not in integrations:
            arn = lambdas.get_function(FunctionName=function_names[route.function])["Configuration"]["FunctionArn"]
            integrations[route.function] = api.create_integration(
                ApiId=api_id, IntegrationType="AWS_PROXY", IntegrationUri=arn, PayloadFormatVersion="2.0"
            )["IntegrationId"]
        api.create_route(ApiId=api_id, RouteKey=route.key, Target=f"integrations/{integrations[route.function]}")
