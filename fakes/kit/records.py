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
        self._before: dict[tuple[str, str], Row] = {}  # rows the last change touched, as they were
        self._open: dict[tuple[str, str], Row] | None = None  # likewise for the change that is going on

    def __getitem__(self, table: str) -> dict[str, Row]:
        """The rows of a table by id, oldest first; read only."""
        return self.tables[table]

    def put(self, table: str, key: str, row: Row) -> Row:
        """Add a row or replace it whole."""
        with self.change() as before:
            before.setdefault((table, key), self.tables[table].get(key, _ABSENT))
            self.tables[table][key] = row
        return row

    def update(self, table: str, key: str, **fields: Any) -> Row:
        """Replace some fields of a row."""
        return self.put(table, key, {**self.tables[table][key], **fields})

    def drop(self, table: str, key: str) -> None:
        """Remove a row."""
        with self.change() as before:
            before.setdefault((table, key), self.tables[table][key])
            del self.tables[table][key]

    @contextmanager
    def change(self) -> Iterator[dict[tuple[str, str], Row]]:
        """Several puts and drops that count as one change, and all happen or, on an exception, none."""
        if self._open is not None:
            yield self._open
            return
        self._open = {}
        try:
            yield self._open
            if self._open:
                self.version += 1
                self._before = self._open
        except BaseException:
            self._restore(self._open)
            raise
        finally:
            self._open = None

    @contextmanager
    def before_last_change(self) -> Iterator[None]:
        """Inside, every read sees the rows as they were before the last change. Read only inside."""
        now = {(table, key): self.tables[table].get(key, _ABSENT) for table, key in self._before}
        self._restore(self._before)
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
