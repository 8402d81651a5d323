"""Registers in Teamleader what was settled in the books."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from boekbrug.sync.import_payments import import_payments

from .jobs import work

TIMEOUT = timedelta(seconds=120)  # as in template.yaml


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return work(event, context, import_payments, TIMEOUT)
