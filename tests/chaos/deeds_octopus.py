"""Everything the bridge asks of Octopus."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from boekbrug.domain.documents import CustomerKind, CustomerRef
from boekbrug.domain.errors import NumberTaken
from boekbrug.domain.ledger import Booking, BookingRef, Done, EntryLine, Prepared, SalesEntry
from boekbrug.domain.money import Money
from boekbrug.domain.relations import RelationQuery
from boekbrug.vendors.oauth import Room
from boekbrug.vendors.octopus.looks import Look
from boekbrug.vendors.registry import door_of
from fakes.octopus.seed import USER
from infra.local.fake_control import FakeControl

from .deed_room import NOW, KnownToken, Run, a_draft, an_entry

DOSSIER = "70001"
ADMINISTRATION = f"octopus.-.{DOSSIER}"
JOURNALS, START = ["V1", "V2"], date(2026, 1, 1)
A_NEW_ONE = CustomerRef(CustomerKind.COMPANY, "22222222-2222-3333-4444-555555555555")
PLENTY = {"GET accounts": 100, "GET vatcodes": 100, "GET buysellbookings": 100}


def octopus_deeds(clean: Room, control: FakeControl) -> dict[str, Run]:
    door = door_of("octopus")

    def ledger(room: Room) -> Any:
        return door.open_ledger(room, ADMINISTRATION)

    control.post("switches", quota=PLENTY)
    books = ledger(clean)
    (saved,) = books.save_relations([a_draft("Drukkerij Vondel BV")])
    entry = an_entry(books, saved.value.ref)
    ours = _booked(clean, books, entry, 1)
    foreign = _booked(clean, books, _in_dollars(entry), 2)
    _what_happens_there(control, ours.ref, entry)
    known = _password_of(control)
    query = RelationQuery("Drukkerij Vondel BV", "BE0123456749", "0123456749", saved.value.ref)
    a_while_ago = Look(last=NOW - timedelta(hours=1)).cursor
    new = a_draft("Een nieuwe klant BV", A_NEW_ONE)

    def connect(room: Room) -> Any:
        bought: list[Any] = []

        def buying(scope: str, buy: Any) -> KnownToken:
            bought.append(buy())
            return KnownToken(bought[0].access)

        ledger(replace(room, token_for=buying))
        return bought[0]

    def prepared(room: Room, number: int, entry: SalesEntry = entry) -> Any:
        return _prepared(room, ledger(room), entry, number)

    def reads_its_number(room: Room) -> None:
        """Which is then used only after a look at the journals."""
        (told,) = ledger(room).prepare([entry])
        if not isinstance(told, NumberTaken):
            raise told

    def offers_again(number: int, entry: SalesEntry = entry) -> Run:
        return lambda room: ledger(room).book([replace(prepared(room, number, entry), again=True)])

    return {
        "administrations": lambda room: door.open_package(room).administrations(),
        "administration": lambda room: ledger(room).administration(),
        "connect": connect,
        "journals": lambda room: ledger(room).journals(),
        "revenue_accounts": lambda room: ledger(room).revenue_accounts(),
        "vat_codes": lambda room: ledger(room).vat_codes(),
        "fiscal_years": lambda room: ledger(room).fiscal_years(),
        "relations": lambda room: list(ledger(room).relations(None)),
        "find_relations": lambda room: ledger(room).find_relations([query]),
        "save_relations": lambda room: ledger(room).save_relations([new]),
        "save_relations (there already)": lambda room: ledger(room).save_relations([new]),
        "prepare": reads_its_number,
        "book": lambda room: ledger(room).book([prepared(room, 4)]),
        "book (again, and it stands)": offers_again(1),
        "book (again, and another stands)": offers_again(2),
        "find_bookings": lambda room: ledger(room).find_bookings([prepared(room, 1)]),
        "bookings": lambda room: list(ledger(room).bookings(JOURNALS, START, None)),
        "bookings (what changed)": lambda room: list(ledger(room).bookings(JOURNALS, START, a_while_ago)),
        "booking": lambda room: ledger(room).booking(ours),
        "booking (in dollars)": lambda room: ledger(room).booking(foreign),
        "settlements": lambda room: list(ledger(room).settlements(None)),
        "open_items": lambda room: ledger(room).open_items(),
        "log_in": lambda room: door.log_in(room.app, room.http, *known, NOW),
    }


def as_it_may_also_go(recorded: Sequence[Any]) -> Iterator[Any]:
    """The deeds, and what a fake that knows no other way does not tell.

    A relation may be saved with an empty answer: then it is looked for under our number, and is found. What stands
    under a number is looked for in a list when it cannot be asked for itself. And some answers at the end are done
    without, whatever they are.
    """
    told = {deed.name: deed.told for deed in recorded}
    done_without = {"administrations": 1, "book (again, and another stands)": 2}
    found = told["save_relations (there already)"]
    elsewhere = (*told["find_bookings"], *told["booking (in dollars)"][1:], *told["prepare"])
    for deed in recorded:
        if deed.name == "save_relations":
            free, saved = deed.told
            empty = replace(saved, status=204, headers=(), content=b"")
            yield replace(deed, later=found)
            yield replace(deed, name="save_relations (an empty answer)", told=(free, empty, *found))
        elif deed.name == "save_relations (there already)":
            yield replace(deed, later=told["save_relations"][1:])
        else:
            most = done_without.get(deed.name, len(deed.told))
            later = elsewhere if deed.name.startswith("book") else deed.told[most:]
            yield replace(deed, told=deed.told[:most], later=later)


def _what_happens_there(control: FakeControl, booking: BookingRef, entry: SalesEntry) -> None:
    """Something of everything that a list of changes may hold."""
    tenant, name = {"tenant": int(DOSSIER)}, f"{DOSSIER}/{booking.replace('.', '/')}"
    other = control.post(
        "book_by_hand",
        **tenant,
        journalKey="V1",
        relationName="Diverse klanten",
        documentDate="2026-05-12",
        bookingLines=[{"accountKey": 700000, "baseAmount": 100, "vatCodeKey": "21", "vatAmount": 21}],
    )["id"]
    typed = control.post(
        "book_by_hand",
        **tenant,
        journalKey="V1",
        relationName="Diverse klanten",
        documentDate="2026-05-12",
        bookingLines=[{"accountKey": 700000, "baseAmount": 100, "vatCodeKey": "21", "vatAmount": 21}],
    )["id"]
    control.post("delete_booking", **tenant, booking=typed)
    control.post("pay", **tenant, booking=other, amount="121", date="2026-06-01", kind="bank")
    control.post("unmatch", **tenant, booking=other)
    control.post("pay", **tenant, booking=name, amount=str(entry.gross.amount / 2), date="2026-06-01", kind="bank")
    control.post("delete_relation", **tenant, relation=101)


def _password_of(control: FakeControl) -> tuple[str, str]:
    control.post("edit_user", user=USER, password="knikkers")
    return USER, "knikkers"


def _in_dollars(entry: SalesEntry) -> SalesEntry:
    lines = tuple(
        EntryLine(
            line.account,
            line.vat_code,
            Money.of(str(line.net.amount), "USD"),
            Money.of(str(line.vat.amount), "USD"),
            line.description,
        )
        for line in entry.lines
    )
    return replace(entry, currency="USD", exchange_rate=Decimal("0.92"), key="BBZZZZZZZZZZ", number="D-1", lines=lines)


def _prepared(room: Room, books: Any, entry: SalesEntry, number: int) -> Prepared:
    """Under a number that everybody knows to be the next."""
    bookyear = entry.period.code.partition(":")[0]
    line = f"octopus.{DOSSIER}.{bookyear}.{entry.journal}"
    held = room.numbers.hold(line, room.account, NOW, NOW + timedelta(minutes=1))
    room.numbers.release(held, number)
    (one,) = books.prepare([entry])
    assert isinstance(one, Prepared), one
    return one


def _booked(room: Room, books: Any, entry: SalesEntry, number: int) -> Booking:
    (outcome,) = books.book([_prepared(room, books, entry, number)])
    assert isinstance(outcome, Done), outcome
    return outcome.value
