"""Belgian time, in which Octopus counts its days and marks its changes. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EVERYTHING = "1980-01-01 00:00:00.000"  # the first read of a list of changes (octopus.md 1.4)


def belgian(moment: datetime) -> datetime:
    """The wall clock in Brussels, without a zone: an hour later than UTC, two in summer.

    Worked out here, since a function's image may come without the tables of time zones. Source: Directive 2000/84/EC.

    >>> belgian(datetime(2026, 3, 29, 0, 59, tzinfo=UTC)).hour, belgian(datetime(2026, 3, 29, 1, 0, tzinfo=UTC)).hour
    (1, 3)
    """
    utc = moment.astimezone(UTC)
    summer = _last_sunday(utc.year, 3) <= utc < _last_sunday(utc.year, 10)
    return utc.replace(tzinfo=None) + timedelta(hours=2 if summer else 1)


def _last_sunday(year: int, month: int) -> datetime:
    """01:00 UTC on the last Sunday of a month of 31 days: when the clocks change."""
    last = datetime(year, month, 31, 1, tzinfo=UTC)
    return last - timedelta(days=(last.weekday() + 1) % 7)


def midnight_after(now: datetime) -> datetime:
    """When the Belgian day that holds `now` ends, and every daily limit starts anew."""
    local = belgian(now)
    midnight = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    for hours in (2, 1):  # the clocks change at 01:00 UTC, so midnight has one offset only
        moment = (midnight - timedelta(hours=hours)).replace(tzinfo=UTC)
        if belgian(moment) == midnight:
            return moment
    raise AssertionError("every midnight is in one of the two times")


def stamp(moment: datetime) -> str:
    """`modifiedTimeStamp` as Octopus wants it.

    >>> stamp(datetime(2026, 7, 1, 10, 0, 5, 250000, tzinfo=UTC))
    '2026-07-01 12:00:05.250'
    """
    local = belgian(moment)
    return f"{local:%Y-%m-%d %H:%M:%S}.{local.microsecond // 1000:03}"
