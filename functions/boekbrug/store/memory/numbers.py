"""The numbers we choose ourselves, in memory."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ...ports import NumberLine
from .table import Worker


@dataclass(slots=True)
class KeptLine:
    next: int | None = None
    version: int = 0
    holder: str = ""
    until: datetime | None = None  # None: nobody's


class MemoryNumbers:
    """Lines by name, shared by all accounts."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self.kept: dict[str, KeptLine] = worker.table.part(dict, "numbers")

    def hold(self, line: str, holder: str, now: datetime, until: datetime) -> NumberLine | None:
        with self._worker.step("numbers.hold"):
            kept = self.kept.setdefault(line, KeptLine())
            if kept.until is not None and kept.holder != holder and kept.until > now:
                return None
            kept.holder, kept.until, kept.version = holder, until, kept.version + 1
            return NumberLine(line, kept.next, kept.version)

    def release(self, held: NumberLine, next: int | None) -> None:
        with self._worker.step("numbers.release"):
            kept = self.kept[held.line]
            if kept.version == held.version:
                kept.next, kept.holder, kept.until = next, "", None
