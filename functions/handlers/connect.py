"""Signing in with Teamleader, and connecting an administration."""

from __future__ import annotations

from typing import Any

from boekbrug import wiring
from boekbrug.web import connecting, signing
from boekbrug.web.app import App
from boekbrug.web.http import origin

app = App((*signing.ROUTES, *connecting.ROUTES))


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return app(event, wiring.house(origin(event)))
