"""What a refresh leaves behind for the pages: among it, how many documents a connection would begin with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime, timedelta
from typing import Any, NoReturn

import pytest

from boekbrug.domain.connections import JobKind
from boekbrug.domain.documents import DocumentHeader, DocumentId, DocumentKind, EntityId
from boekbrug.domain.errors import RateLimited
from boekbrug.domain.ledger import Abilities, Books, Cursor, Page
from boekbrug.ports import Deadline, Job, JobKey
from boekbrug.sync.import_ledger_accounts import import_ledger_accounts
from boekbrug.sync.slices import Slice
from boekbrug.sync.snapshots import Counted, load_books, load_counted, scope_of
from boekbrug.vendors.memory import MemoryAdministration, MemoryLedger
from tests.support.builders import ACCOUNT, ADMINISTRATION, ENTITY, NOW, a_connection, eur
from tests.support.clocks import StillClock
from tests.support.house import MemoryHouse, SetFocus

KEY = JobKey(ACCOUNT, ADMINISTRATION, JobKind.ACCOUNTS)
DOCUMENTS = JobKey(ACCOUNT, ADMINISTRATION, JobKind.DOCUMENTS)


@dataclass
class Listing(SetFocus):
    """A Teamleader whose list of documents comes in these pages, for each entity."""

    pages: dict[EntityId, list[list[DocumentHeader]]] = field(default_factory=dict)
    lists: int = 0

    def documents(
        self, entities: Sequence[EntityId], start: date, since: Cursor | None
    ) -> Iterator[Page[DocumentHeader]]:
        self.lists += 1
        (entity,) = entities
        for rows in self.pages.get(entity, []):
            yield Page(tuple(row for row in rows if row.day >= start), Cursor("next"))


class Room(MemoryHouse):
    def __init__(self, limit: int | None) -> None:
        super().__init__(StillClock(NOW))
        self.listing = Listing(pages={ENTITY: [[a_header(n) for n in range(3)], [a_header(2), a_header(3)]]})
        self.books = MemoryLedger(MemoryAdministration(), Abilities(bookings_a_day=limit))
        self.connections.save(a_connection())

    def focus(self, account: object) -> Listing:
        return self.listing

    def ledger(self, account: object, administration: object) -> MemoryLedger:
        return self.books

    def refresh(self, seconds: float = 40) -> Counted | None:
        self.slice(seconds)
        return load_counted(self.snapshots(ACCOUNT), ADMINISTRATION)

    def slice(self, seconds: float = 40) -> Slice:
        stop = self.real.now() + timedelta(seconds=seconds)
        return import_ledger_accounts(self, Job(KEY, None), Deadline(stop, stop + timedelta(seconds=40)))

    def kept(self) -> Books:
        books, _ = load_books(self.snapshots(ACCOUNT), ADMINISTRATION)
        return books


def a_header(number: int) -> DocumentHeader:
    day = date(2026, 1, 1) + timedelta(days=number)
    return DocumentHeader(DocumentId(f"d{number}"), DocumentKind.INVOICE, ENTITY, str(number), day, eur("121.00"), NOW)


def test_documents_to_begin_with_are_counted_each_once_and_nothing_comes_in_line() -> None:
    room = Room(400)
    assert room.refresh() == Counted(400, {scope_of(a_connection()): 4})
    assert room.documents(ACCOUNT, ADMINISTRATION).waiting(10) == []
    assert room.nudged() == []


def test_each_connection_counts_from_its_own_start() -> None:
    room = Room(400)
    twin = a_connection(id="twin", start=date(2026, 1, 3))
    room.connections.save(twin)
    assert room.refresh() == Counted(400, {scope_of(a_connection()): 4, scope_of(twin): 2})


def test_what_is_booked_already_is_not_to_be_booked() -> None:
    room = Room(400)
    line = room.documents(ACCOUNT, ADMINISTRATION)
    line.seen(a_connection().id, [a_header(2)])
    line.booked(line.waiting(1)[0], "42")
    assert room.refresh() == Counted(400, {scope_of(a_connection()): 3})


@pytest.mark.parametrize("limit", [None, 400])
def test_nothing_is_counted_without_a_limit_or_once_the_export_has_begun(limit: int | None) -> None:
    room = Room(limit)
    if limit is not None:
        room.put_job(Job(DOCUMENTS, None, cursor={scope_of(a_connection()): "page"}))
    counted = room.refresh()
    assert room.listing.lists == 0
    assert counted == (None if limit is None else Counted(400, {}))


def test_a_slice_without_time_counts_one_page() -> None:
    room = Room(400)
    assert room.refresh(seconds=0) == Counted(400, {scope_of(a_connection()): 3})


class Spent:
    """A ledger of which one list cannot be read before then."""

    def __init__(self, books: MemoryLedger, spent: str, until: datetime) -> None:
        self._books, self._spent, self._until = books, spent, until

    def __getattr__(self, name: str) -> Any:
        return self._refuse if name == self._spent else getattr(self._books, name)

    def _refuse(self) -> NoReturn:
        raise RateLimited(vendor="memory", until=self._until)


LISTS = ["journals", "revenue_accounts", "vat_codes", "fiscal_years", "payment_terms"]


@pytest.mark.parametrize("spent", LISTS)
def test_a_list_that_is_spent_for_today_stays_as_it_was_and_the_others_are_read(spent: str) -> None:
    """Some lists can be asked for twice a day: a third refresh still sees a period that was closed meanwhile."""
    room = Room(400)
    room.slice()
    before, books = room.kept(), room.books
    room.books = Spent(books, spent, NOW + timedelta(hours=9))
    books.books.close_period(before.years[0].periods[0].first, "70")
    done = room.slice()
    assert done.result["not_read"] == 1
    after = room.kept()
    changed = {
        name for name in ("journals", "accounts", "vat_codes", "years") if vars_of(before)[name] != vars_of(after)[name]
    }
    assert changed == (set() if spent == "fiscal_years" else {"years"})


@pytest.mark.parametrize("spent", LISTS)
def test_a_limit_that_ends_soon_is_waited_for(spent: str) -> None:
    room = Room(400)
    room.slice()
    room.books = Spent(room.books, spent, NOW + timedelta(minutes=1))
    with pytest.raises(RateLimited):
        room.slice()


@pytest.mark.parametrize("spent", LISTS)
def test_without_an_earlier_read_every_list_is_waited_for(spent: str) -> None:
    room = Room(400)
    room.books = Spent(room.books, spent, NOW + timedelta(hours=9))
    with pytest.raises(RateLimited):
        room.slice()


def vars_of(books: Books) -> dict[str, Any]:
    return {one.name: getattr(books, one.name) for one in fields(books)}
