"""Books invoices and credit notes, their customers first."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from boekbrug.sync.export_documents import export_documents

from .jobs import work

TIMEOUT = timedelta(seconds=120)  # as in template.yaml


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return work(event, context, export_documents, TIMEOUT)
