"""A package that reads as a test tells it, a Teamleader that takes payments, and the house both stand in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from boekbrug.domain.connections import Connection, JobKind
from boekbrug.domain.documents import DocumentHeader, DocumentId, DocumentKind
from boekbrug.domain.ledger import (
    Abilities,
    Booking,
    BookingRef,
    Cursor,
    Done,
    OpenItem,
    Outcome,
    Page,
    Settlement,
    SettlementKind,
    Unknown,
)
from boekbrug.domain.money import Money
from boekbrug.domain.relations import RelationRef
from boekbrug.ports import Deadline, DocumentRecord, FocusPayment, InvoiceState, Job, JobKey, WriteKind
from boekbrug.records import as_json
from boekbrug.sync.import_payments import import_payments
from boekbrug.sync.slices import Slice
from tests.support.builders import ACCOUNT, ADMINISTRATION, ENTITY, NOW, a_connection, eur
from tests.support.clocks import StillClock
from tests.support.house import MemoryHouse


@dataclass
class ToldLedger:
    """Books that hold and tell what a test puts here. The next look yields `pages`, then nothing new."""

    abilities: Abilities = field(default_factory=lambda: Abilities(reads_back=False))
    stand: dict[str, Booking] = field(default_factory=dict)  # what `booking` finds
    pages: list[Page[Any]] = field(default_factory=list)
    all_settlements: list[Settlement] = field(default_factory=list)  # a look from the beginning
    open: list[OpenItem] | None = None
    asked: Counter[str] = field(default_factory=Counter)
    starts: list[date] = field(default_factory=list)

    def bookings(self, journals: Sequence[str], start: date, since: Cursor | None) -> Iterator[Page[Booking]]:
        while self.pages:
            yield self.pages.pop(0)

    def settlements(self, since: Cursor | None, start: date = date.min) -> Iterator[Page[Settlement]]:
        self.asked["settlements" if since else "settlements anew"] += 1
        self.starts.append(start)
        if since is None:
            yield Page(tuple(self.all_settlements), Cursor("read anew"))
        while self.pages:
            yield self.pages.pop(0)

    def open_items(self) -> list[OpenItem] | None:
        self.asked["open_items"] += 1
        return self.open

    def booking(self, ref: Booking) -> Booking | None:
        self.asked["booking"] += 1
        return self.stand.get(ref.ref)


@dataclass
class Till:
    """Teamleader's payments. `says`: what becomes of the next ones: "lost" arrives unanswered, "gone" never does."""

    gross: dict[str, Money] = field(default_factory=dict)
    paid: dict[str, list[FocusPayment]] = field(default_factory=dict)
    says: list[str] = field(default_factory=list)

    def invoice_states(self, documents: Sequence[DocumentId]) -> dict[DocumentId, InvoiceState]:
        return {document: self._state(document) for document in documents if document in self.gross}

    def payments(self, document: DocumentId) -> list[FocusPayment]:
        return list(self.paid.get(document, []))

    def register_payment(self, document: DocumentId, amount: Money, paid_at: datetime) -> Outcome[None]:
        said = self.says.pop(0) if self.says else ""
        if said != "gone":
            self.paid.setdefault(document, []).append(FocusPayment(paid_at, amount))
        return Unknown("no answer") if said else Done(None)

    def amounts(self, document: str) -> list[str]:
        return [str(payment.amount.amount) for payment in self.paid.get(document, [])]

    def _state(self, document: DocumentId) -> InvoiceState:
        due = self.gross[document]
        for payment in self.paid.get(document, []):
            due -= payment.amount
        return InvoiceState(document, due, not due, self.gross[document])


class Scene(MemoryHouse):
    """One connection, its books and its till, and the invoices that were booked."""

    def __init__(self) -> None:
        super().__init__(StillClock(NOW))
        self.books, self.till = ToldLedger(), Till()
        self.connections.save(self.connection())
        self.job = JobKey(ACCOUNT, ADMINISTRATION, JobKind.PAYMENTS)
        self.line = self.documents(ACCOUNT, ADMINISTRATION)
        self.pairs = self.links(ACCOUNT, ADMINISTRATION)
        self.read = self.seen(ACCOUNT, ADMINISTRATION)

    def connection(self, **changes: Any) -> Connection:
        return a_connection(**changes)

    def ledger(self, account: object, administration: object) -> ToldLedger:
        return self.books

    def focus(self, account: object) -> Till:  # type: ignore[override]
        return self.till

    def booked(self, document: str = "doc", gross: str = "121.00", **changes: Any) -> Booking:
        """A document that we sent, and that stands in the books."""
        kind = changes.get("kind", DocumentKind.INVOICE)
        booking = replace(a_booking(f"4.V1.{document}", gross), reference=f"2026 / {document}", **changes)
        header = DocumentHeader(DocumentId(document), kind, ENTITY, booking.reference, booking.day, booking.gross, NOW)
        self.line.seen(self.connection().id, [header])
        record = self.line.record(DocumentId(document))
        self.pairs.done(
            self.pairs.plan(WriteKind.BOOKING, document, "payload", "hash", self.real.now()), as_json(booking)
        )
        self.line.booked(record, booking.number)
        self.books.stand[booking.ref] = booking
        if kind is DocumentKind.INVOICE:
            self.till.gross[document] = booking.gross
        return booking

    def tells(self, *rows: Any, gone: Sequence[str] = ()) -> None:
        self.books.pages.append(Page(tuple(rows), Cursor(f"{self.clock.now().isoformat()}"), tuple(gone)))

    def imports(self, later: timedelta = timedelta(minutes=40), manual: bool = False) -> Slice:
        """A slice of the payments job, as one worker runs it."""
        self.clock.advance(later.total_seconds())
        self.jobs.make_due(self.job, self.clock.now(), manual=manual)
        job = self.jobs.claim(self.job, self.real.now(), self.real.now() + timedelta(seconds=150))
        assert job is not None
        try:
            return import_payments(self, job, self.deadline())
        finally:
            self.jobs.release(self.kept_job(), due_at=None, result={}, ran_at=self.clock.now())

    def deadline(self) -> Deadline:
        return Deadline(self.real.now() + timedelta(seconds=40), self.real.now() + timedelta(seconds=80))

    def kept_job(self) -> Job:
        job = self.jobs.get(self.job)
        assert job is not None
        return job

    def record(self, document: str = "doc") -> DocumentRecord:
        record = self.line.record(DocumentId(document))
        assert record is not None
        return record

    def told(self) -> dict[str, dict[str, str]]:
        """The problems people see, by subject."""
        return {p.subject: {"cause": p.cause, **p.facts} for p in self.problems(ACCOUNT, ADMINISTRATION).all()}


def a_booking(ref: str = "4.V1.42", gross: str = "121.00") -> Booking:
    return Booking(
        ref=BookingRef(ref),
        administration=ADMINISTRATION,
        kind=DocumentKind.INVOICE,
        journal="V1",
        number=ref.removeprefix("4.").replace(".", " "),
        reference="2026 / 7",
        key="",
        day=date(2026, 3, 2),
        relation=RelationRef("100"),
        gross=eur(gross),
        vat=None,
    )


def a_part(
    booking: Booking,
    amount: str = "121.00",
    *,
    id: str = "pair-1",
    version: int = 1,
    kind: SettlementKind = SettlementKind.PAYMENT,
    says: Booking | None = None,
) -> Settlement:
    """`says`: the booking as the row describes it; without it the row tells nothing of it."""
    references = (says.reference,) if says else ()
    gross = says.gross if says else None
    return Settlement(id, booking.ref, kind, eur(amount), date(2026, 3, 20), version, references, gross)
