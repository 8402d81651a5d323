"""Rows a fake remembers, which can also be read as they were before the last change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_ABSENT: Any = object()

Row = dict[str, Any]


class Records:
    """Tables of rows by id. A row is never changed in place: `put` a new one.

    Because of that one rule, the last change can be taken back for the length of a `with records.before_last_change()`:
    the vendor's read replica that lags behind (fault `stale_read`).
    `version` counts changes; a request that leaves it alone changed nothing.
    """

    def __init__(self, *tables: str) -> None:
        self.tables: dict[str, dict[str, Row]] = {name: {} for name in tables}
        self.version = 0
        self._undo: dict[tuple[str, str], Row] = {}
        self._open = False

    def __getitem__(self, table: str) -> dict[str, Row]:
        """The rows of a table by id, oldest first; read only."""
        return self.tables[table]

    def put(self, table: str, key: str, row: Row) -> Row:
        """Add a row or replace it whole."""
        with self.change():
            self._undo.setdefault((table, key), self.tables[table].get(key, _ABSENT))
            self.tables[table][key] = row
        return row

    def update(self, table: str, key: str, **fields: Any) -> Row:
        """Replace some fields of a row."""
        return self.put(table, key, {**self.tables[table][key], **fields})

    def drop(self, table: str, key: str) -> None:
        """Remove a row."""
        with self.change():
            self._undo.setdefault((table, key), self.tables[table][key])
            del self.tables[table][key]

    @contextmanager
    def change(self) -> Iterator[None]:
        """Several puts and drops that count as one change."""
        if self._open:
            yield
            return
        self._open, self._undo = True, {}
        self.version += 1
        try:
            yield
        finally:
            self._open = False

    @contextmanager
    def before_last_change(self) -> Iterator[None]:
        """Inside, every read sees the rows as they were before the last change. Read only inside."""
        now = {place: self.tables[place[0]].get(place[1], _ABSENT) for place in self._undo}
        self._restore(self._undo)
        try:
            yield
        finally:
            self._restore(now)

    def _restore(self, rows: dict[tuple[str, str], Row]) -> None:
        for (table, key), row in rows.items():
            if row is _ABSENT:
                self.tables[table].pop(key, None)
            else:
                self.tables[table][key] = row
