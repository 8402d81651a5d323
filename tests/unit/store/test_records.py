"""Records as the table keeps them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from boekbrug.domain.money import Money
from boekbrug.records import as_json, from_json
from boekbrug.store.times import moment, stamp, swept_after


def test_money_keeps_its_places() -> None:
    assert as_json(Money.of("1.10", "EUR")) == {"amount": "1.10", "currency": "EUR"}
    assert from_json(Money, {"amount": "1.10", "currency": "EUR"}) == Money.of("1.10", "EUR")


def test_stamps_sort_as_time_does_whatever_the_zone() -> None:
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    later = datetime(2026, 3, 2, 13, 30, tzinfo=timezone(timedelta(hours=1)))
    much_later = noon + timedelta(seconds=1800, microseconds=1)
    assert stamp(noon) < stamp(later) < stamp(much_later)
    assert len({len(stamp(at)) for at in (noon, later, much_later)}) == 1
    assert (moment(stamp(later)), moment(None)) == (later, None)


def test_what_ends_is_swept_later_and_never_before_a_day_on_the_wall() -> None:
    now = datetime.now(UTC)
    ahead = now + timedelta(days=100)
    assert swept_after(ahead) > ahead.timestamp()
    assert swept_after(now - timedelta(days=100)) > now.timestamp() + 3600
