"""Read models: what was last read from a vendor, or proposed to a person."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from ..domain.documents import AccountId
from .keys import Table
from .table import Items, put


class DynamoSnapshots:
    """Snapshots of one account.

    A whole one is kept compressed: thousands of ledger accounts are much alike and must fit in one item.
    """

    def __init__(self, items: Items, account: AccountId) -> None:
        self._items = items
        self._table = Table(account)

    def put(self, name: str, value: Mapping[str, Any]) -> None:
        """Raises ItemTooLarge when even its compressed form does not fit."""
        text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        self._items.write(put(self._table.snapshot(name), {"body": zlib.compress(text.encode())}))

    def get(self, name: str) -> Mapping[str, Any] | None:
        item = self._items.get(self._table.snapshot(name))
        return json.loads(zlib.decompress(item["body"])) if item else None

    def put_rows(self, name: str, rows: Mapping[str, Mapping[str, Any]]) -> None:
        self._items.write_each([put(self._table.row(name, key), {"row": row}) for key, row in rows.items()])

    def rows(self, name: str, after: str = "", limit: int = 200) -> Sequence[tuple[str, Mapping[str, Any]]]:
        """In order of their keys, after that key."""
        found = self._items.query(self._table.rows(name), after=after, limit=limit)
        return [(item["sk"], item["row"]) for item in found]

    def row(self, name: str, key: str) -> Mapping[str, Any] | None:
        item = self._items.get(self._table.row(name, key))
        return item["row"] if item else None
