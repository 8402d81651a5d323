"""What a refresh leaves behind for the pages: among it, how many documents a connection would begin with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import pytest

from boekbrug.domain.connections import JobKind
from boekbrug.domain.documents import DocumentHeader, DocumentId, DocumentKind, EntityId
from boekbrug.domain.ledger import Abilities, Cursor, Page
from boekbrug.ports import Deadline, Job, JobKey
from boekbrug.sync.import_ledger_accounts import import_ledger_accounts
from boekbrug.sync.snapshots import Counted, load_counted, scope_of
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
        stop = self.real.now() + timedelta(seconds=seconds)
        import_ledger_accounts(self, Job(KEY, None), Deadline(stop, stop + timedelta(seconds=40)))
        return load_counted(self.snapshots(ACCOUNT), ADMINISTRATION)


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
