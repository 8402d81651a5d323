"""Every call the adapters make: each port method once, against the demo companies of the fakes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

import httpx

from boekbrug.domain.documents import CustomerKind, CustomerRef, DocumentId, DocumentKind, File, FileFormat
from boekbrug.domain.documents import document_key as key_of
from boekbrug.domain.entries import period_for
from boekbrug.domain.ledger import Booking, Done, EntryLine, Folder, FolderRef, Regime, SalesEntry
from boekbrug.domain.money import Money
from boekbrug.domain.relations import Address, RelationDraft, RelationQuery, RelationRef
from boekbrug.vendors.http import Http, new_client
from boekbrug.vendors.oauth import App, Room
from boekbrug.vendors.registry import door_of
from fakes.exact import ExactFake
from fakes.kit.clock import FakeClock
from fakes.teamleader import TeamleaderFake
from infra.local.fake_control import FakeControl
from tests.support.rooms import a_room
from tests.support.transports import fake_transport

from .grants import BACK, URL
from .strange import Recorder, Told

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
DIVISION = "3001234"
CUSTOMER = CustomerRef(CustomerKind.COMPANY, "11111111-2222-3333-4444-555555555555")
NOWHERE = CustomerRef(CustomerKind.CONTACT, "99999999-2222-3333-4444-555555555555")


class KnownToken:
    """A token that stays, whatever is said of it."""

    def __init__(self, access: str) -> None:
        self._access = access

    def access(self) -> str:
        return self._access

    def refused(self, token: str) -> None:
        """It is the only one."""


@dataclass(frozen=True)
class Deed:
    """One thing asked of a vendor. `told`: how it went when all was well."""

    vendor: str
    name: str
    run: Callable[[Room], Any]
    told: tuple[Told, ...]

    def __str__(self) -> str:
        return f"{self.vendor}-{self.name}"

    def room(self, line: httpx.BaseTransport) -> Room:
        return _room(self.vendor, line, "known")


def _room(vendor: str, line: httpx.BaseTransport, access: str, secrets: tuple[str, str] = ("id", "secret")) -> Room:
    app = App(vendor, "be" if vendor == "exact" else "-", *secrets, BACK, URL, URL)
    http = Http(vendor, new_client(line), sleep=lambda seconds: None)
    return a_room(app, http, KnownToken(access), FakeClock(NOW, rate=0))


@cache
def deeds() -> tuple[Deed, ...]:
    """All of them, each recorded once."""
    return (*_of("exact", ExactFake, _exact_deeds), *_of("teamleader", TeamleaderFake, _teamleader_deeds))


def _of(vendor: str, make: type[Any], named: Callable[[Room], dict[str, Callable[[Room], Any]]]) -> Iterator[Deed]:
    fake = make(FakeClock(NOW, rate=0), seed="demo")
    line = fake_transport(fake)
    FakeControl(URL, line).post("seed", redirect_uris=[BACK])
    described = fake.described(URL)
    secrets = described["client_id"], described["client_secret"]
    app, door = _room(vendor, line, "", secrets).app, door_of(vendor)

    def code() -> str:
        answer = httpx.Client(transport=line).get(door.authorize_url(app, "state") + "&auto=1")
        return httpx.URL(answer.headers["location"]).params["code"]

    tokens = door.exchange(app, _room(vendor, line, "").http, code(), NOW)
    of_door = {
        "exchange": (lambda room, code=code(): door.exchange(room.app, room.http, code, NOW)),
        "user_of": lambda room: door.user_of(room.app, room.http, room.tokens.access()),
    }
    for name, run in {**named(_room(vendor, line, tokens.access, secrets)), **of_door}.items():
        recorder = Recorder(line)
        run(_room(vendor, recorder, tokens.access, secrets))
        if name == "exchange":  # the demo has one user, whose new consent ends the old tokens
            tokens = door.exchange(app, _room(vendor, line, "").http, code(), NOW)
        yield Deed(vendor, name, run, tuple(recorder.told))
    fake.clock.set(advance_s=600)
    recorder = Recorder(line)

    def refresh(room: Room) -> Any:
        return door.refresh(room.app, room.http, tokens.refresh, NOW)

    refresh(_room(vendor, recorder, "", secrets))
    yield Deed(vendor, "refresh", refresh, tuple(recorder.told))


def _exact_deeds(clean: Room) -> dict[str, Callable[[Room], Any]]:
    door = door_of("exact")

    def ledger(room: Room) -> Any:
        return door.open_ledger(room, f"exact.be.{DIVISION}")

    books = ledger(clean)
    (saved,) = books.save_relations([_draft("Drukkerij Vondel BV")])
    entry = _entry(books, saved.value.ref)
    (booked,) = books.book(books.prepare([entry]))
    assert isinstance(booked, Done), booked
    _settle(clean, booked.value)
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
        "save_relations": lambda room: ledger(room).save_relations([_draft("Een nieuwe klant BV")]),
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


def _settle(clean: Room, booking: Booking) -> None:
    """Matched without money, so that the counter lines are asked for too."""
    line = clean.http._client._transport
    amount = str(booking.gross.amount)
    body = {"tenant": int(DIVISION), "booking": booking.ref, "amount": amount, "date": "2026-06-01"}
    FakeControl(URL, line).post("pay", **body, kind="write_off")


def _entry(books: Any, relation: RelationRef) -> SalesEntry:
    journal = next(row.code for row in books.journals() if row.kind == "sales")
    code = next(
        row.code
        for row in books.vat_codes()
        if row.usable and row.regime is Regime.DOMESTIC and row.percentage == Decimal("0.21")
    )
    day, account = date(2026, 5, 11), books.revenue_accounts()[0].id
    document = DocumentId("document-117")
    return SalesEntry(
        document=document,
        key=key_of(document),
        kind=DocumentKind.INVOICE,
        number="2026/0117",
        journal=journal,
        day=day,
        due_on=date(2026, 5, 25),
        period=period_for(day, books.fiscal_years(), journal),
        relation=relation,
        currency="EUR",
        exchange_rate=Decimal(1),
        lines=(EntryLine(account, code, Money.of("1000.00", "EUR"), Money.of("210.00", "EUR"), "Advies"),),
    )


def _draft(name: str) -> RelationDraft:
    return RelationDraft(
        customer=CUSTOMER,
        name=name,
        vat_number="",
        enterprise_number="",
        email="info@voorbeeld.example",
        phone="+32 9 000 00 00",
        website="https://voorbeeld.example",
        address=Address("Molenstraat 7", "9000", "Gent", "BE"),
        language="nl",
        iban="",
        payment_days=30,
        payment_end_of_month=False,
    )


def _teamleader_deeds(clean: Room) -> dict[str, Callable[[Room], Any]]:
    door = door_of("teamleader")
    focus = door.open_focus(clean)
    entities = [entity.id for entity in focus.entities()]
    headers = [row for page in focus.documents(entities, date(2026, 1, 1), None) for row in page.rows]
    invoice = next(row.id for row in headers if row.kind is DocumentKind.INVOICE)
    credit_note = next(row.id for row in headers if row.kind is DocumentKind.CREDIT_NOTE)
    customer = focus.document(DocumentKind.INVOICE, invoice).customer
    unpaid = next(s for s in focus.invoice_states([row.id for row in headers]).values() if not s.paid)

    def opened(room: Room) -> Any:
        return door.open_focus(room)

    def file(kind: DocumentKind, document: DocumentId, format: FileFormat) -> Callable[[Room], Any]:
        return lambda room: opened(room).file(kind, document, format)

    return {
        "me": lambda room: opened(room).me(),
        "entities": lambda room: opened(room).entities(),
        "tax_rates": lambda room: opened(room).tax_rates(),
        "categories": lambda room: opened(room).categories(),
        "documents": lambda room: list(opened(room).documents(entities[:1], date(2026, 11, 1), None)),
        "document": lambda room: opened(room).document(DocumentKind.INVOICE, invoice),
        "document (credit note)": lambda room: opened(room).document(DocumentKind.CREDIT_NOTE, credit_note),
        "file": file(DocumentKind.INVOICE, invoice, FileFormat.PDF),
        "file (UBL)": file(DocumentKind.INVOICE, invoice, FileFormat.UBL),
        "file (credit note)": file(DocumentKind.CREDIT_NOTE, credit_note, FileFormat.PDF),
        "customers": lambda room: opened(room).customers([customer, NOWHERE]),
        "all_customers": lambda room: list(opened(room).all_customers(None)),
        "invoice_states": lambda room: opened(room).invoice_states([invoice]),
        "payments": lambda room: opened(room).payments(invoice),
        "register_payment": lambda room: opened(room).register_payment(unpaid.id, Money.of("1.00", "EUR"), NOW),
        "register_webhooks": lambda room: opened(room).register_webhooks("https://boekbrug.example/hint"),
    }
