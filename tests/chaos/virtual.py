"""Many workers in one thread: each runs until it waits, and time jumps to whoever waits shortest.

Nothing is drawn but from the scene's own seed, so one seed is one story.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable
from datetime import datetime, timedelta

from greenlet import getcurrent, greenlet

from tests.support.clocks import MORNING


class Scene:
    """Workers and their time, which is also both of the bridge's clocks."""

    def __init__(self, seed: int, begin: datetime = MORNING) -> None:
        self.chance = random.Random(seed)
        self._begin = begin
        self._passed = 0.0
        self._waiting: list[tuple[float, int, greenlet]] = []
        self._numbers = itertools.count()
        self._hub = getcurrent()

    def seconds(self) -> float:
        return self._passed

    def now(self) -> datetime:
        return self._begin + timedelta(seconds=self._passed)

    def real_seconds(self, seconds: float) -> float:
        return seconds

    def sleep(self, seconds: float) -> None:
        """Called by a worker: let the others work meanwhile."""
        self._queue(seconds, getcurrent())
        self._hub.switch()

    def start(self, work: Callable[[], None]) -> None:
        self._queue(0, greenlet(work, parent=self._hub))

    def play(self) -> None:
        """Until everybody is done. What a worker raises ends the scene."""
        while self._waiting:
            self._passed, _, worker = heapq.heappop(self._waiting)
            worker.switch()

    def _queue(self, seconds: float, worker: greenlet) -> None:
        heapq.heappush(self._waiting, (self._passed + seconds, next(self._numbers), worker))
