"""The stage of a story: it is played on for days, and vendors fail and workers are lost wherever its seed says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from random import Random
from typing import Any

import httpx

from boekbrug import wiring
from boekbrug.domain.errors import VendorDown
from boekbrug.ports import Job, JobKey

from .matrix import FAULTS
from .queue import Queue
from .scheduler import NotFinished
from .stage import SWEEP, Stage, Worker
from .strikes import Boundary, How, Strike, Trouble

A_FAULT, A_LOST_WRITE, A_STRIKE = 0.03, 0.2, 0.004
"""How likely a request meets a fault of its vendor, one that writes a line that breaks, and a step of a worker its end,
while times are bad. Writes are few, and what becomes of them is what the laws are about."""
STORMS = (*FAULTS, *("stale_read",) * 5)
"""Mostly nothing changed of late that a read could lag behind."""
BROKEN_LINES = ("commit_then_drop", "drop_before", "half_body")
NAPS = (1.0, 20.0, 60.0, 110.0)
"""Seconds for which a worker is slow: at some step the last of them is too long for its function."""
SOON = timedelta(minutes=15)
"""What is due later than this is the next chapter's."""
A_CHAPTER = timedelta(hours=6)

CRASH, SLOW, STORE_DOWN = "a worker dies", "a worker is slow", "the store refuses"
TWO_AT_ONCE, TWICE = "two workers work at once", "a message is delivered twice"
EVENTS = (CRASH, SLOW, STORE_DOWN, TWO_AT_ONCE, TWICE, *(f"fault {fault}" for fault in FAULTS))
"""What happens without anybody doing it."""


class StoryStage(Stage):
    """People act on it at any moment, also while workers are in the middle of their work."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.bad = False  # vendors fail and workers die
        self.happened: Counter[str] = Counter()  # names of deeds and events that took effect
        self._planned = 0  # deeds that are still to come
        self._writing: dict[Worker, bool] = {}  # whether its latest request writes
        self._weather = Random(f"weather {self.seed}")
        self.scheduler.after(SWEEP, self._sweep)

    def goes_on(self) -> None:
        """Until nobody works, and nothing is due soon."""
        with self._quiet():
            self.collect_nudges()
            try:
                self.scheduler.run(self._idle, A_CHAPTER)
            except NotFinished as late:
                self.broken.append(str(late))
                self._bury()

    def later(self, seconds: float, deed: Callable[[], object]) -> None:
        """Somebody does something when this chapter is so old."""
        self._planned += 1

        def now() -> None:
            self._planned -= 1
            deed()

        self.scheduler.after(timedelta(seconds=seconds), now)

    @contextmanager
    def by_people(self) -> Iterator[None]:
        """What is asked of a vendor now is no worker's request."""
        self._at_work = None
        with self._quiet():
            yield
        wiring.use(None)
        self.collect_nudges()

    def redeploys(self) -> bool:
        """Every sandbox is replaced: who worked is gone. Whether anybody was."""
        for worker in self._workers:
            worker.dead = True
        return bool(self.scheduler.alive)

    def delivers_again(self, key: JobKey, times: int, delays: Callable[[], float]) -> None:
        """The queue brings a message more than once, in any order."""
        queue: Queue = self.queues[key.kind]
        for _ in range(times):
            queue.send(key, timedelta(seconds=delays()))
        queue.again(timedelta(seconds=delays()))
        self.happened[TWICE] += 1

    # --- what differs from the stage of one run ---

    def _idle(self) -> bool:
        if self._planned or any(queue.kept for queue in self.queues.values()):
            return False
        now = self.clock.now()
        leased = any(job.leased_until and job.leased_until > now for job in self._jobs())
        return not leased and not any(job.due_at and job.due_at <= now + SOON for job in self._jobs())

    def _has_claimed(self, worker: Worker, job: Job, now: datetime) -> None:
        """Every kind of worker is watched: nobody takes a lease that another has."""
        holding = [(at, one) for at, one in self.claims if _holds(one, now)]
        for at, other in holding:
            if other.function is worker.function:
                self.broken.append(f"{worker.name} took the lease that {other.name} has since {at}")
        self.happened[TWO_AT_ONCE] += bool(holding)
        worker.leased_until, worker.version = job.leased_until, job.version
        worker.claimed_at = self.clock.now()
        self.claims.append((worker.claimed_at, worker))
        self.say(f"{worker.name} has the lease")

    def pass_boundary(self, worker: Worker, boundary: Boundary, phase: str, said: str) -> None:
        if (boundary.name, phase) == ("jobs.release", "after"):
            worker.leased_until = None  # given back, though the worker may be slow to hear it
        super().pass_boundary(worker, boundary, phase, said)
        if not self.bad or worker.function is None or self._weather.random() >= A_STRIKE:
            return
        chance = self._weather.random()
        if chance < 0.3:
            self._happens(SLOW, worker.name)
            worker.sleep(self._weather.choice(NAPS))
        elif chance < 0.4 and phase == "before" and not boundary.is_request and not boundary.name.startswith("queue."):
            self._happens(STORE_DOWN, str(boundary))
            raise VendorDown(vendor="store")
        else:
            self._happens(CRASH, str(Strike(boundary, How.BEFORE if phase == "before" else How.AFTER)))
            worker.die()

    def request(self, request: httpx.Request) -> httpx.Response:
        worker = self._at_work
        if worker is not None:
            self._writing[worker] = self.subject_of(request) is not None
        return super().request(request)

    def _trouble(self, fake: Any) -> None:
        assert self._at_work is not None
        writes = self._writing[self._at_work]
        if self.bad and self._weather.random() < (A_LOST_WRITE if writes else A_FAULT):
            self._troubles[len(self.requests)] = self._weather.choice(BROKEN_LINES if writes else STORMS)
        super()._trouble(fake)

    def hit(self, fault: Strike | Trouble) -> None:
        super().hit(fault)
        if isinstance(fault, Trouble):
            self.happened[f"fault {fault.do}"] += 1

    def _happens(self, event: str, to: str) -> None:
        self.happened[event] += 1
        self.say(f"*** {event}: {to}")


def _holds(worker: Worker, now: datetime) -> bool:
    return not worker.dead and worker.leased_until is not None and worker.leased_until > now
