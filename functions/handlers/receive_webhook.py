"""A hint from a vendor makes a job due, and is answered at once."""

from __future__ import annotations

from typing import Any

from boekbrug import wiring
from boekbrug.web import hints
from boekbrug.web.app import App
from boekbrug.web.http import origin

app = App(hints.ROUTES)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return app(event, wiring.house(origin(event)))
