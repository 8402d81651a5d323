"""Waking workers, in memory: what was sent lies ready for whoever plays the queue."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ...ports import JobKey
from .table import Worker

LONGEST_S = 900
"""What a queue keeps a message back at most."""


@dataclass(frozen=True, slots=True)
class Nudge:
    key: JobKey
    delay_s: int  # of real time, 0 … 900


class MemoryNudges:
    """`kept`: the nudges nobody took yet, oldest first."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self.kept: list[Nudge] = worker.table.part(list, "nudges")

    def send(self, key: JobKey, delay_s: float = 0) -> None:
        with self._worker.step("nudges.send"):
            self.kept.append(Nudge(key, min(max(math.ceil(delay_s), 0), LONGEST_S)))
