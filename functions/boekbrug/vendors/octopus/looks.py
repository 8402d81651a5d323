"""Looks at lists that have no pages and no row versions: what is asked again, what is passed on, where it stopped."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from ...domain.errors import UnexpectedAnswer
from ...domain.ledger import Cursor, Page
from .limits import VENDOR
from .times import EVERYTHING, stamp

YOUNG = timedelta(minutes=36)  # 40 looks a day of the 48 Octopus allows
OVERLAP = timedelta(hours=3)  # its time zone, and whether the bound counts, are not known for sure (octopus.md 1.4)
PAGE_ROWS = 500

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Look:
    """How far the reader of a list came: the last whole look, and the one under way."""

    last: datetime | None = None  # when the last whole one began, by our clock; None: there was none
    began: datetime | None = None  # of the one under way
    parts: tuple[str, ...] = ()  # that it still has to read, the one it is in first
    after: str = ""  # the last row of that part that was passed on
    behind: timedelta = timedelta(0)  # how far Octopus' clock was behind ours then

    @classmethod
    def at(cls, cursor: Cursor | None) -> Look:
        if cursor is None:
            return cls()
        try:
            kept = json.loads(cursor)
            last, began = (datetime.fromisoformat(kept[name]) if kept[name] else None for name in ("last", "began"))
            return cls(last, began, tuple(kept["parts"]), kept["after"], timedelta(seconds=kept["behind"]))
        except (ValueError, KeyError, TypeError) as error:
            raise UnexpectedAnswer(vendor=VENDOR, said="a cursor that is not ours") from error

    @property
    def cursor(self) -> Cursor:
        last, began = (moment.isoformat() if moment else "" for moment in (self.last, self.began))
        parts, behind = list(self.parts), self.behind.total_seconds()
        return Cursor(json.dumps({"last": last, "began": began, "parts": parts, "after": self.after, "behind": behind}))

    def is_young(self, now: datetime) -> bool:
        """Whether the last look must do; never while one is under way."""
        return self.began is None and self.last is not None and now - self.last < YOUNG

    @property
    def since(self) -> str:
        """The `modifiedTimeStamp` to ask from."""
        return stamp(self.last - self.behind - OVERLAP) if self.last else EVERYTHING


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """One list as it was answered."""

    rows: Sequence[T]
    at: datetime  # when it was asked, by our clock
    behind: timedelta  # how far Octopus' clock is behind ours
    gone: tuple[str, ...] = ()


def pages(
    look: Look, parts: Sequence[str], read: Callable[[str], Found[T]], name_of: Callable[[T], str]
) -> Iterator[Page[T]]:
    """The parts of a look one after the other, in pages; a look that was broken off goes on where it stopped.

    Each part is one call and at least one page. What goes on is the order of the rows' names, since Octopus sorts
    nothing: a row that changes while we are at it comes again in the next look.
    """
    todo, after, began = tuple(look.parts or parts), look.after, look.began
    behind = look.behind if began else timedelta(0)
    for part in todo:
        found = read(part)
        began, behind = began or found.at, max(behind, found.behind)
        named = sorted(((in_order(name_of(row)), row) for row in found.rows), key=lambda pair: pair[0])
        named = [pair for pair in named if pair[0] > after]
        chunks = [named[first : first + PAGE_ROWS] for first in range(0, len(named), PAGE_ROWS)] or [[]]
        todo, after, gone = todo[1:], "", found.gone
        for chunk in chunks[:-1]:
            here = replace(look, began=began, parts=(part, *todo), after=chunk[-1][0], behind=max(look.behind, behind))
            yield Page(tuple(row for _, row in chunk), here.cursor, gone)
            gone = ()
        under_way = replace(look, began=began, parts=todo, after="", behind=max(look.behind, behind))
        end = under_way if todo else Look(last=began, behind=behind)
        yield Page(tuple(row for _, row in chunks[-1]), end.cursor, gone)


def in_order(name: str) -> str:
    """A name whose digits count as numbers.

    >>> in_order("4.V1.9") < in_order("4.V1.10")
    True
    """
    return re.sub(r"\d+", lambda digits: digits[0].zfill(12), name)
