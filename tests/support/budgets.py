"""`Budgets` in memory."""

from __future__ import annotations

from datetime import datetime


class MemoryBudgets:
    """Vendor limits as everybody in one process sees them."""

    def __init__(self) -> None:
        self.blocked: dict[str, datetime] = {}
        self.counted: dict[str, tuple[datetime, int]] = {}

    def blocked_until(self, key: str, now: datetime) -> datetime | None:
        until = self.blocked.get(key)
        return until if until and until > now else None

    def block(self, key: str, until: datetime) -> None:
        self.blocked[key] = until

    def count(self, key: str, window_end: datetime, n: int = 1) -> int:
        end, so_far = self.counted.get(key, (window_end, 0))
        total = n + (so_far if end == window_end else 0)
        self.counted[key] = (window_end, total)
        return total
