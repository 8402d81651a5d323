"""What the rooms in memory stand on: records that workers share, and the one door every step goes through."""

from __future__ import annotations

import base64
import hashlib
import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Literal, TypeVar, cast

T = TypeVar("T")
Phase = Literal["before", "after"]
OnIo = Callable[[str, Phase], None]

BATCH = 25
"""Rows in one batch write, as DynamoDB takes them."""


def unwatched(name: str, phase: Phase) -> None:
    """What happens at a step nobody listens to: nothing."""


class MemoryTable:
    """One table in one process, shared by the stores of any number of workers.

    `lock` is held while a step is taken. A scheduler that runs one worker at a time hands in its own, or a
    `nullcontext()`; no step waits for anything else or calls anybody while it holds it.
    """

    def __init__(self, lock: AbstractContextManager[Any] | None = None) -> None:
        self.lock = lock or threading.RLock()
        self._parts: dict[tuple[str, ...], Any] = {}
        self._tokens = itertools.count(1)

    def part(self, empty: Callable[[], T], *name: str) -> T:
        """What is kept under that name; what `empty` makes, the first time."""
        return cast(T, self._parts.setdefault(name, empty()))

    def new_token(self) -> str:
        """As long as 256 random bits, never the same twice in one table, and the same in every run."""
        digest = hashlib.sha256(f"token {next(self._tokens)}".encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class Worker:
    """One worker at the table.

    Each step stands for what one request to DynamoDB changes, with the reads that belong to it: it happens as a whole
    or not at all, and a deed of several requests can die between any two. `on_io(name, "before")` is called before
    the step is taken and `on_io(name, "after")` when its answer is on the way, also when the answer is a refusal;
    what it raises is what the caller gets. So an exception "before" is a request never sent, or refused by the store
    itself, and "after" one whose answer was lost. It is called without the lock: a scheduler may switch there.

    `batch`: rows a batch write takes at once. Fewer stands for answers that leave rows unprocessed.
    """

    def __init__(self, table: MemoryTable, on_io: OnIo = unwatched, batch: int = BATCH) -> None:
        self.table = table
        self._on_io = on_io
        self._batch = batch

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        self._on_io(name, "before")
        try:
            with self.table.lock:
                yield
        finally:
            self._on_io(name, "after")

    def batches(self, rows: Sequence[T]) -> Iterator[Sequence[T]]:
        """The rows as batch writes take them: a step each."""
        for start in range(0, len(rows), self._batch):
            yield rows[start : start + self._batch]


def copied(value: T) -> T:
    """A JSON value nobody else holds."""
    if isinstance(value, dict):
        return cast(T, {name: copied(inner) for name, inner in value.items()})
    if isinstance(value, list):
        return cast(T, [copied(inner) for inner in value])
    return value
