"""An export against books in memory that take only the next number: every step of it can be struck.

scene = Scene(invoices("1", "2"))
scene.settles()
assert scene.booked() == ["2026.V1.1", "2026.V1.2"]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from boekbrug.domain.connections import Connection, JobKind
from boekbrug.domain.documents import (
    CustomerRef,
    DocumentHeader,
    DocumentId,
    DocumentKind,
    EntityId,
    FileFormat,
    SalesDocument,
)
from boekbrug.domain.entries import plan_entry
from boekbrug.domain.errors import DocumentGone, NotPossible, SyncError
from boekbrug.domain.ledger import Booking, BookingRef, Cursor, Page, SalesEntry
from boekbrug.domain.money import Money
from boekbrug.domain.relations import Customer, RelationRef
from boekbrug.messages import RunJob
from boekbrug.ports import DocumentState, JobKey, Ledger
from boekbrug.store.memory import MemoryStore, MemoryTable
from boekbrug.store.memory.table import OnIo, unwatched
from boekbrug.sync.export_documents import export_documents
from boekbrug.sync.relations import draft_of
from boekbrug.sync.slices import LEASE_MARGIN, Slice, run_job
from boekbrug.sync.snapshots import save_books, save_focus
from boekbrug.sync.write_once import FUNCTION_TIMEOUT
from boekbrug.vendors.memory import MemoryLedger, NumberedAdministration, NumberedLedger
from tests.support.builders import (
    ACCOUNT,
    ADMINISTRATION,
    NOW,
    RATES,
    a_connection,
    a_customer,
    a_document,
    some_books,
)
from tests.support.clocks import StillClock

KEY = JobKey(ACCOUNT, ADMINISTRATION, JobKind.DOCUMENTS)
LEASE = FUNCTION_TIMEOUT + LEASE_MARGIN


def invoices(*numbers: str, **changes: Any) -> list[SalesDocument]:
    return [a_document(number=number, **changes) for number in numbers]


def a_credit_note(number: str = "C1") -> SalesDocument:
    return a_document(number=number, kind=DocumentKind.CREDIT_NOTE)


class SetFocus:
    """Teamleader as a test describes it."""

    def __init__(self, documents: Sequence[SalesDocument]) -> None:
        self.kept = {document.id: document for document in documents}
        self.files: dict[FileFormat, bytes | SyncError] = {}

    def documents(
        self, entities: Sequence[EntityId], start: date, since: Cursor | None
    ) -> Iterator[Page[DocumentHeader]]:
        headers = [DocumentHeader(d.id, d.kind, d.entity, d.number, d.day, d.gross, NOW) for d in self.kept.values()]
        yield Page(tuple(headers), Cursor("-"))

    def document(self, kind: DocumentKind, document: DocumentId) -> SalesDocument:
        if document not in self.kept:
            raise DocumentGone
        return self.kept[document]

    def customers(self, refs: Sequence[CustomerRef]) -> Mapping[CustomerRef, Customer]:
        return {ref: a_customer(ref.id) for ref in refs}

    def file(self, kind: DocumentKind, document: DocumentId, format: FileFormat) -> bytes:
        content = self.files.get(format, f"{document} {format}".encode())
        if isinstance(content, SyncError):
            raise content
        return content


class Watched:
    """A ledger whose calls are steps too."""

    def __init__(self, ledger: Ledger, on_io: OnIo) -> None:
        self._ledger = ledger
        self._on_io = on_io

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._ledger, name)
        if name not in ("prepare", "book", "booking", "save_relations", "find_bookings"):
            return found

        def call(*words: Any) -> Any:
            self._on_io(f"ledger.{name}", "before")
            answer = found(*words)
            self._on_io(f"ledger.{name}", "after")
            return answer

        return call


class SceneHouse(MemoryStore):
    """A worker's house."""

    def __init__(self, scene: Scene, on_io: OnIo) -> None:
        super().__init__(scene.table, on_io)
        self._scene = scene
        self._on_io = on_io
        self.clock = self.real = scene.clock

    def focus(self, account: str) -> SetFocus:
        return self._scene.focus

    def ledger(self, account: str, administration: str) -> Any:
        return Watched(self._scene.open_ledger(self, account), self._on_io)


class Scene:
    """One account, one administration, and the documents to book."""

    def __init__(self, documents: Sequence[SalesDocument], **connection: Any) -> None:
        self.table = MemoryTable()
        self.clock = StillClock(NOW)
        known = some_books()
        self.books = NumberedAdministration(
            id=ADMINISTRATION,
            journals=list(known.journals),
            accounts=list(known.accounts),
            vat_codes=list(known.vat_codes),
            years=list(known.years),
            terms=list(known.terms),
        )
        self.focus = SetFocus(documents)
        self.calls: list[str] = []
        self.open_ledger: Callable[[SceneHouse, str], Ledger] = lambda house, account: NumberedLedger(
            self.books, house.numbers, house.clock, house.real, account
        )
        self.house = self.a_house()
        self.connection: Connection = a_connection(**connection)
        self.house.connections.save(self.connection)
        save_books(self.house.snapshots(ACCOUNT), ADMINISTRATION, known, NOW)
        save_focus(self.house.snapshots(ACCOUNT), list(RATES.values()), [], [], NOW)
        self.house.jobs.make_due(KEY, NOW)
        for journal in ("V1", "V2"):  # somebody booked there before, so that the first number is no news
            held = self.house.numbers.hold(f"memory.{ADMINISTRATION}.2026.{journal}", ACCOUNT, NOW, NOW)
            self.house.numbers.release(held, 1)

    def a_house(self, on_io: OnIo = unwatched) -> SceneHouse:
        def noted(name: str, phase: str) -> None:
            if phase == "before":
                self.calls.append(name)
            on_io(name, phase)

        return SceneHouse(self, noted)

    # --- work ---

    def works(self, on_io: OnIo = unwatched) -> Slice | None:
        """One slice by a worker of its own."""
        hard = self.clock.now() + FUNCTION_TIMEOUT
        nudge = RunJob(account=ACCOUNT, administration=ADMINISTRATION, kind=JobKind.DOCUMENTS)
        return run_job(self.a_house(on_io), nudge, export_documents, hard=hard, timeout=FUNCTION_TIMEOUT)

    def settles(self, on_io: OnIo = unwatched, slices: int = 20) -> None:
        """Slices, each at its time, until nothing is due."""
        for _ in range(slices):
            job = self.house.jobs.get(KEY)
            if job.due_at is None:
                return
            wake = max(filter(None, (job.due_at, job.leased_until, self.clock.now())))
            self.clock.advance((wake - self.clock.now()).total_seconds())
            self.works(on_io)
        raise AssertionError("there is still work")

    def is_asked_again(self) -> None:
        self.house.jobs.make_due(KEY, self.clock.now())

    # --- what stands ---

    def booked(self, number: str | None = None) -> list[str]:
        """The refs in the books of a document (of all), in the order they went there."""
        rows = [booking for booking, _ in self.books.bookings.values()]
        return [row.ref for row in rows if number in (None, row.reference)]

    def references(self, journal: str = "V1") -> list[str]:
        rows = [booking for booking, _ in self.books.bookings.values() if booking.journal == journal]
        return [row.reference for row in sorted(rows, key=lambda row: int(row.ref.rpartition(".")[2]))]

    def state(self, number: str, kind: DocumentKind = DocumentKind.INVOICE) -> tuple[DocumentState, str]:
        record = self.house.documents(ACCOUNT, ADMINISTRATION).record(DocumentId(f"{kind}-{number}"))
        return record.state, record.cause

    def problems(self) -> dict[str, str]:
        return {one.subject: one.cause for one in self.house.problems(ACCOUNT, ADMINISTRATION).all()}

    def said(self, document: str) -> list[str]:
        """What the audit tells of a document."""
        entries = self.house.audit(ACCOUNT).entries(ADMINISTRATION)
        return [entry["what"] for entry in entries if entry["facts"].get("document") == document]

    @property
    def links(self) -> Any:
        return self.house.links(ACCOUNT, ADMINISTRATION)

    def plans(self, document: SalesDocument) -> SalesEntry:
        """What is to be booked for a document; its customer is in the books."""
        known = next((ref for ref in self.books.relations), None) or self._relation()
        return plan_entry(document, known, self.connection, some_books(), RATES, None)

    def types(self, document: SalesDocument) -> Booking:
        """The bookkeeper books a document by hand."""
        return self.books.add_booking(self.plans(document), by_hand=True)

    def spoils(self, ref: str, gross: Money) -> None:
        """The books hold another amount than what they were sent."""
        booking, _ = self.books.bookings[BookingRef(ref)]
        self.books.version += 1
        self.books.bookings[booking.ref] = (replace(booking, gross=gross), self.books.version)

    def _relation(self) -> RelationRef:
        customer = a_customer()
        ledger = MemoryLedger(self.books)
        (made,) = ledger.save_relations([draft_of(customer)])
        return made.value.ref


def once(name: str, phase: str, deed: Callable[[], None], skip: int = 0) -> OnIo:
    """Do something at the first such step (or after `skip` of them)."""
    left = [skip]

    def on_io(its: str, at: str) -> None:
        if (its, at) == (name, phase):
            left[0] -= 1
            if left[0] == -1:
                deed()

    return on_io


def too_large() -> NotPossible:
    return NotPossible(vendor="teamleader", feature="file_too_large")
