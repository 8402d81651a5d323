"""Everything the bridge asks of Exact."""

from __future__ import annotations

from datetime import date
from typing import Any

from boekbrug.domain.documents import File
from boekbrug.domain.ledger import Booking, Done, Folder, FolderRef
from boekbrug.domain.relations import RelationQuery
from boekbrug.vendors.oauth import Room
from boekbrug.vendors.registry import door_of
from infra.local.fake_control import FakeControl

from .deed_room import Run, a_draft, an_entry

DIVISION = "3001234"


def exact_deeds(clean: Room, control: FakeControl) -> dict[str, Run]:
    door = door_of("exact")

    def ledger(room: Room) -> Any:
        return door.open_ledger(room, f"exact.be.{DIVISION}")

    books = ledger(clean)
    (saved,) = books.save_relations([a_draft("Drukkerij Vondel BV")])
    entry = an_entry(books, saved.value.ref)
    (booked,) = books.book(books.prepare([entry]))
    assert isinstance(booked, Done), booked
    _settle(control, booked.value)
    folder, file = Folder.of(entry), File("2026-117.pdf", b"%PDF-1.4 x %%EOF")
    opened = books.cabinet().open(folder).value
    books.cabinet().put(opened, file)
    query = RelationQuery("Drukkerij Vondel BV", "BE0123456749", "0123456749", saved.value.ref)
    journals = [entry.journal]
    return {
        "administrations": lambda room: door.open_package(room).administrations(),
        "administration": lambda room: ledger(room).administration(),
        "journals": lambda room: ledger(room).journals(),
        "revenue_accounts": lambda room: ledger(room).revenue_accounts(),
        "vat_codes": lambda room: ledger(room).vat_codes(),
        "fiscal_years": lambda room: ledger(room).fiscal_years(),
        "payment_terms": lambda room: ledger(room).payment_terms(),
        "relations": lambda room: list(ledger(room).relations(None)),
        "find_relations": lambda room: ledger(room).find_relations([query]),
        "save_relations": lambda room: ledger(room).save_relations([a_draft("Een nieuwe klant BV")]),
        "book": lambda room: ledger(room).book(ledger(room).prepare([entry])),
        "find_bookings": lambda room: ledger(room).find_bookings(ledger(room).prepare([entry])),
        "bookings": lambda room: list(ledger(room).bookings(journals, date(2026, 1, 1), None)),
        "booking": lambda room: ledger(room).booking(booked.value),
        "settlements": lambda room: list(ledger(room).settlements(None)),
        "settlements (without partners)": lambda room: ledger(room)._counters({booked.value.ref}),
        "cabinet.open": lambda room: ledger(room).cabinet().open(folder),
        "cabinet.find": lambda room: ledger(room).cabinet().find(folder),
        "cabinet.put": lambda room: ledger(room).cabinet().put(FolderRef(opened), file),
        "cabinet.names": lambda room: ledger(room).cabinet().names(FolderRef(opened)),
    }


def _settle(control: FakeControl, booking: Booking) -> None:
    """Matched without money, so that the counter lines are asked for too."""
    amount = str(booking.gross.amount)
    body = {"tenant": int(DIVISION), "booking": booking.ref, "amount": amount, "date": "2026-06-01"}
    control.post("pay", **body, kind="write_off")
