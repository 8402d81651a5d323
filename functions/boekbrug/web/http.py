"""HTTP as API Gateway hands it over (payload format 2.0), and back."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from ..domain.errors import RequestInvalid

MAX_BODY = 256 * 1024  # bytes; nothing we are sent is larger
HEADERS = {
    "Content-Type": "application/json; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",  # callback addresses hold codes
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
}


class Asked(BaseModel):
    """The body of a request: exactly the fields we know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Answered(BaseModel):
    """The body of an answer."""

    model_config = ConfigDict(frozen=True)


M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Request:
    """One request, its names in lower case where HTTP does not care."""

    method: str
    path: str  # as sent; behind an emulator it may carry a prefix, so routes go by `route` first
    route: str  # "GET /api/connections/{id}" as the gateway matched it, "" when it does not say
    params: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str] = field(repr=False)
    cookies: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)  # may hold a password

    def read(self, model: type[M]) -> M:
        """The body as `model`. Raises RequestInvalid, naming the first field that does not fit."""
        try:
            return model.model_validate_json(self.body)
        except ValidationError as refused:
            first = refused.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "body"
            raise RequestInvalid(field=where, reason=first["type"]) from None


def request_of(event: Mapping[str, Any]) -> Request:
    """What the gateway's event says. Raises RequestInvalid for a body too large or not what it claims to be."""
    http = event["requestContext"]["http"]
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    # The gateway moves cookies to a list of their own; the local stand-in leaves them in the header.
    cookies = event.get("cookies") or [part for part in headers.get("cookie", "").split(";") if part]
    route = event.get("routeKey") or ""
    return Request(
        method=http["method"],
        path=event.get("rawPath") or "/",
        route="" if route == "$default" else route,
        params=event.get("pathParameters") or {},
        query=event.get("queryStringParameters") or {},
        headers=headers,
        cookies={name.strip(): value for name, _, value in (cookie.partition("=") for cookie in cookies)},
        body=_body(event),
    )


def origin(event: Mapping[str, Any]) -> str:
    """The address of our own API as the gateway knows it: not the Host header, which the caller writes."""
    return f"https://{event['requestContext']['domainName']}"


def _body(event: Mapping[str, Any]) -> bytes:
    text = event.get("body") or ""
    if len(text) > MAX_BODY * 4 // 3 + 4:  # not even decoded when it cannot fit
        raise RequestInvalid(field="body", reason="too_long")
    try:
        body = base64.b64decode(text, validate=True) if event.get("isBase64Encoded") else text.encode()
    except (binascii.Error, UnicodeError):
        raise RequestInvalid(field="body", reason="json_invalid") from None
    if len(body) > MAX_BODY:
        raise RequestInvalid(field="body", reason="too_long")
    return body


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back."""

    status: int = 200
    body: Mapping[str, Any] | Answered | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: tuple[str, ...] = ()

    def event(self) -> dict[str, Any]:
        """As API Gateway wants it."""
        body = self.body.model_dump_json() if isinstance(self.body, BaseModel) else json.dumps(self.body or {})
        return {
            "statusCode": self.status,
            "headers": {**HEADERS, **self.headers},
            "cookies": list(self.cookies),
            "body": body,
        }


def redirect(status: int, to: str, *cookies: str) -> Answer:
    return Answer(status, headers={"Location": to}, cookies=cookies)
