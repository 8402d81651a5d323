"""Reads accounts, journals, VAT codes and fiscal years again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from boekbrug.sync.import_ledger_accounts import import_ledger_accounts

from .jobs import work

TIMEOUT = timedelta(seconds=300)  # as in template.yaml


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return work(event, context, import_ledger_accounts, TIMEOUT)
