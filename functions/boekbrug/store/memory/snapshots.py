"""Read models, in memory."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ...domain.documents import AccountId
from ...records import as_json
from .table import Worker, copied


class MemorySnapshots:
    """Snapshots of one account; a whole one as its text, as DynamoDB keeps it."""

    def __init__(self, worker: Worker, account: AccountId) -> None:
        self._worker = worker
        self.kept: dict[str, str] = worker.table.part(dict, "snapshots", account)
        self.kept_rows: dict[str, dict[str, Any]] = worker.table.part(dict, "rows", account)

    def put(self, name: str, value: Mapping[str, Any]) -> None:
        text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        with self._worker.step("snapshots.put"):
            self.kept[name] = text

    def get(self, name: str) -> Mapping[str, Any] | None:
        with self._worker.step("snapshots.get"):
            text = self.kept.get(name)
        return json.loads(text) if text else None

    def put_rows(self, name: str, rows: Mapping[str, Mapping[str, Any]]) -> None:
        plain = [(key, as_json(dict(row))) for key, row in rows.items()]
        for batch in self._worker.batches(plain):
            with self._worker.step("snapshots.put_rows"):
                self.kept_rows.setdefault(name, {}).update(batch)

    def rows(self, name: str, after: str = "", limit: int = 200) -> Sequence[tuple[str, Mapping[str, Any]]]:
        """In order of their keys, after that key."""
        with self._worker.step("snapshots.rows"):
            kept = self.kept_rows.get(name, {})
            return [(key, copied(kept[key])) for key in sorted(key for key in kept if key > after)[:limit]]

    def row(self, name: str, key: str) -> Mapping[str, Any] | None:
        with self._worker.step("snapshots.row"):
            return copied(self.kept_rows.get(name, {}).get(key))
