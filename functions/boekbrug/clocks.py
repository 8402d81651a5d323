"""The two clocks: the one documents and vendors live in, and the one leases and deadlines live in."""

from __future__ import annotations

import json
import time
import urllib.request
from datetime import UTC, datetime, timedelta


class SystemClock:
    """Both clocks in AWS: they are one there."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def real_seconds(self, seconds: float) -> float:
        return seconds


class StageClock:
    """The fakes' clock, read once and extrapolated at its rate: how the local stage makes a month pass in a minute."""

    def __init__(self, url: str) -> None:
        """`url`: the health of any fake, which tells the time and the rate."""
        self._url = url
        self.refresh()

    def refresh(self) -> None:
        """Read it again: once per invocation, since a stage may set it."""
        with urllib.request.urlopen(self._url, timeout=5) as answer:
            health = json.load(answer)
        self._read_at = time.monotonic()
        self._then = datetime.fromisoformat(health["now"])
        self._rate = float(health["rate"])

    def now(self) -> datetime:
        return self._then + timedelta(seconds=(time.monotonic() - self._read_at) * self._rate)

    def real_seconds(self, seconds: float) -> float:
        return seconds / self._rate if self._rate else seconds
