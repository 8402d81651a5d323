"""A clock that stands still until a test moves it: both `Clock` and `RealClock`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

MORNING = datetime(2025, 3, 3, 8, 0, tzinfo=UTC)


class StillClock:
    def __init__(self, now: datetime = MORNING) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def real_seconds(self, seconds: float) -> float:
        return seconds

    def advance(self, seconds: float) -> None:
        """Also what tests hand out as `sleep`, so that waiting takes time without taking any."""
        self._now += timedelta(seconds=seconds)
