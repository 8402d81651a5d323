"""Vendor limits, in memory."""

from __future__ import annotations

from datetime import datetime

from .table import Worker


class MemoryBudgets:
    """One block a budget, and one counter a window."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self.blocked: dict[str, datetime] = worker.table.part(dict, "budgets", "blocked")
        self.counted: dict[tuple[str, datetime], int] = worker.table.part(dict, "budgets", "counted")

    def blocked_until(self, key: str, now: datetime) -> datetime | None:
        with self._worker.step("budgets.blocked_until"):
            until = self.blocked.get(key)
            return until if until and until > now else None

    def block(self, key: str, until: datetime) -> None:
        with self._worker.step("budgets.block"):
            self.blocked[key] = max(until, self.blocked.get(key, until))

    def count(self, key: str, window_end: datetime, n: int = 1) -> int:
        with self._worker.step("budgets.count"):
            total = self.counted.get((key, window_end), 0) + n
            self.counted[key, window_end] = total
            return total
