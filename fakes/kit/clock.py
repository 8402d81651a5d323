"""The time as the fakes see it: it can be set, and it can run fast."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class FakeClock:
    """One clock, shared by every fake that runs together.

    Units: `rate` is virtual seconds per real second; 60 makes a minute pass each second, 0 stands still.
    """

    def __init__(
        self, now: datetime | None = None, rate: float = 1.0, real: Callable[[], float] = time.monotonic
    ) -> None:
        self._lock = threading.Lock()
        self._real = real
        self._base = _aware(now) if now else datetime.now(UTC)
        self._mark = real()
        self.rate = rate

    def now(self) -> datetime:
        """The virtual time, aware, in UTC."""
        with self._lock:
            return self._now()

    def set(self, *, now: datetime | None = None, advance_s: float | None = None, rate: float | None = None) -> None:
        """Jump to a moment, jump by a number of virtual seconds, or run at another rate from here on."""
        with self._lock:
            self._base, self._mark = (_aware(now) if now else self._now()), self._real()
            if advance_s is not None:
                self._base += timedelta(seconds=advance_s)
            if rate is not None:
                self.rate = rate

    def _now(self) -> datetime:
        return self._base + timedelta(seconds=(self._real() - self._mark) * self.rate)


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
