"""One worker at a time, chosen by a seed, on a clock that nobody's machine drives."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

from greenlet import getcurrent, greenlet

from fakes.kit.clock import FakeClock


class NotFinished(AssertionError):
    """There is still work after the time a run may take."""


class Task(greenlet):
    """Something that works and may be interrupted wherever it calls `Scheduler.pause` or `Scheduler.sleep`."""

    on_resume: Callable[[], None] = staticmethod(lambda: None)


class Scheduler:
    """Runs tasks in turns. Time moves when somebody moves it, or when everybody sleeps."""

    def __init__(self, clock: FakeClock, random: Random) -> None:
        self.clock = clock
        self.random = random
        self._hub = getcurrent()
        self._ready: list[Task] = []
        self._timers: list[tuple[datetime, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self.alive: dict[Task, None] = {}

    def start(self, deed: Callable[[], None], on_resume: Callable[[], None]) -> None:
        task = Task(deed, self._hub)
        task.on_resume = on_resume
        self.alive[task] = None
        self._ready.append(task)

    def after(self, wait: timedelta, deed: Callable[[], None]) -> None:
        """Call `deed` from outside all tasks when that time has passed."""
        heapq.heappush(self._timers, (self.clock.now() + wait, next(self._numbers), deed))

    def pause(self) -> None:
        """Where a worker may be interrupted: somebody else may go on first, if anybody can."""
        task = getcurrent()
        if isinstance(task, Task) and (self._ready or self._is_time()):
            self._ready.append(task)
            self._hub.switch()

    def sleep(self, seconds: float) -> None:
        task = getcurrent()
        if not isinstance(task, Task):  # the company at work before a run begins
            self.clock.set(advance_s=seconds)
            return
        self.after(timedelta(seconds=seconds), lambda: self._ready.append(task))
        self._hub.switch()

    def run(self, idle: Callable[[], bool], within: timedelta) -> None:
        """Until nobody works and `idle` says that nothing is waiting. Raises NotFinished."""
        end = self.clock.now() + within
        while True:
            while self._is_time():
                heapq.heappop(self._timers)[2]()
            if self._ready:
                self._go_on(self._ready.pop(self.random.randrange(len(self._ready))))
            elif not self.alive and idle():
                return
            elif not self._timers or self._timers[0][0] > end:
                raise NotFinished(f"after {within} there is still work")
            else:
                self.clock.set(now=self._timers[0][0])

    def _is_time(self) -> bool:
        return bool(self._timers) and self._timers[0][0] <= self.clock.now()

    def _go_on(self, task: Task) -> None:
        task.on_resume()
        task.switch()
        if task.dead:
            del self.alive[task]
