"""What people see and change once connected: settings, mappings, problems, "sync now". Talks to no vendor."""

from __future__ import annotations

from typing import Any

from boekbrug import wiring
from boekbrug.web import connections, documents, jobs, mappings, relations, visitors
from boekbrug.web.app import App
from boekbrug.web.http import origin

app = App(
    (
        *visitors.ROUTES,
        *connections.ROUTES,
        *mappings.ROUTES,
        *jobs.ROUTES,
        *documents.ROUTES,
        *relations.ROUTES,
    )
)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return app(event, wiring.house(origin(event)))
