"""What was done, in chains, in memory."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ...domain.documents import AccountId
from ...records import as_json
from .table import Worker, copied

START = "0" * 64


class MemoryAudit:
    """The chains of one account. The contract says how an entry is hashed."""

    def __init__(self, worker: Worker, account: AccountId) -> None:
        self._worker = worker
        self.kept: dict[str, list[dict[str, Any]]] = worker.table.part(dict, "audit", account)

    def append(self, chain: str, what: str, facts: Mapping[str, Any], at: datetime) -> None:
        plain = as_json(dict(facts))
        with self._worker.step("audit.append"):
            entries = self.kept.setdefault(chain, [])
            previous = entries[-1]["hash"] if entries else START
            said = {
                "sequence": len(entries) + 1,
                "at": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
                "what": what,
                "facts": plain,
            }
            canonical = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            digest = hashlib.sha256((previous + canonical).encode()).hexdigest()
            entries.append({**said, "previous": previous, "hash": digest})

    def entries(self, chain: str, after: int = 0, limit: int = 100) -> Sequence[Mapping[str, Any]]:
        with self._worker.step("audit.entries"):
            return copied(self.kept.get(chain, [])[after : after + limit])
