"""Registers in Teamleader what was settled in the books, and brings there what only Teamleader has."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from boekbrug.sync.export_payments import sync_payments

from .jobs import work

TIMEOUT = timedelta(seconds=120)  # as in template.yaml


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return work(event, context, sync_payments, TIMEOUT)
