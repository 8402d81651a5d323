"""Wall-clock time in Belgium and the Netherlands, in which packages keep their timestamps and their days."""

from __future__ import annotations

from datetime import datetime, timedelta


def local(moment: datetime) -> datetime:
    """The time on a wall in Brussels or Amsterdam at this aware UTC moment, without a zone.

    With the summer time of the EU; by the rule, not by a zone database, so that the fakes need none.
    """
    plain = moment.replace(tzinfo=None)
    summer = _last_sunday(plain.year, 3) <= plain < _last_sunday(plain.year, 10)
    return plain + timedelta(hours=2 if summer else 1)


def _last_sunday(year: int, month: int) -> datetime:
    """One o'clock UTC on the last Sunday of March or October, when the clocks change."""
    last = datetime(year, month, 31, 1)
    return last - timedelta(days=(last.weekday() + 1) % 7)
