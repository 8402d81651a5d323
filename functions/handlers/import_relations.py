"""Reads the customers of the package and proposes who is who."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from boekbrug.sync.import_relations import import_relations

from .jobs import work

TIMEOUT = timedelta(seconds=300)  # as in template.yaml


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return work(event, context, import_relations, TIMEOUT)
