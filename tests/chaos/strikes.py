"""Where a run is struck, and how.

A boundary is a step of the store, a request to a vendor or the deletion of a queue's message, as a worker meets it.
The four points at which a worker can be lost are these, whatever the boundary is:

    BEFORE     before sending (and so, at the next boundary, after the answer and before saving it)
    AFTER      committed, and the worker dies with the answer: nothing of it is saved; at the last boundaries, after
               saving and before acknowledging
    UNSENT     not done, and the worker lives to see an error of the line, or a store that refuses
    LOST       done by the vendor, and the worker lives to see an error of the line

A fifth is no crash: STALLED, the worker sleeps there until its lease is over and another one works, then goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class How(StrEnum):
    BEFORE = "before"
    AFTER = "after"
    UNSENT = "unsent"
    LOST = "lost"
    STALLED = "stalled"


@dataclass(frozen=True, slots=True)
class Boundary:
    """The `nth` time that an attempt (a delivery that took the lease, counted from 1) comes to this name."""

    attempt: int
    name: str
    nth: int

    def __str__(self) -> str:
        return f"attempt {self.attempt}, {self.name} #{self.nth}"

    @property
    def is_request(self) -> bool:
        return " " in self.name


@dataclass(frozen=True, slots=True)
class Strike:
    at: Boundary
    how: How

    def __str__(self) -> str:
        return f"{self.how} at {self.at}"


@dataclass(frozen=True, slots=True)
class Trouble:
    """A fault of a vendor: what the `nth` request of the run meets. Words of the fakes' control API."""

    nth: int
    do: object


class Killed(BaseException):
    """A sandbox dies: no `except Exception`, no answer; whoever catches it finds every port dead."""


def ways(boundary: Boundary) -> list[How]:
    """Every point at which this boundary is struck."""
    if boundary.is_request:
        return [*How]
    of_the_store = [] if boundary.name.startswith("queue.") else [How.UNSENT]
    return [How.BEFORE, How.AFTER, How.STALLED, *of_the_store]
