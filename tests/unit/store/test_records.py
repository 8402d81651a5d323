"""Records as the table keeps them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from boekbrug.domain.connections import Connection, Outward
from boekbrug.domain.ledger import Books
from boekbrug.domain.money import Money
from boekbrug.records import as_json, from_json
from boekbrug.store.times import moment, stamp, swept_after
from tests.support.builders import a_connection, some_books


def test_money_keeps_its_places() -> None:
    assert as_json(Money.of("1.10", "EUR")) == {"amount": "1.10", "currency": "EUR"}
    assert from_json(Money, {"amount": "1.10", "currency": "EUR"}) == Money.of("1.10", "EUR")


def test_connections_and_books_of_before_payments_could_go_out_stay_readable() -> None:
    connection, books = a_connection(outward=Outward("D1", "580000")), some_books(clearing_accounts=())
    assert from_json(Connection, as_json(connection)) == connection
    kept = {name: value for name, value in as_json(connection).items() if name != "outward"}
    assert from_json(Connection, kept) == a_connection()
    assert from_json(Books, {n: value for n, value in as_json(books).items() if n != "clearing_accounts"}) == books


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
