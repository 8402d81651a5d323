"""The ledger over books kept in memory. Copy this folder to start a new package."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import date
from typing import TypeVar

from ...domain.documents import File
from ...domain.errors import CustomerIncomplete, NotPossible, RefusedByPackage, SyncError
from ...domain.ledger import (
    Abilities,
    Administration,
    Booking,
    Cursor,
    DailyBudget,
    Done,
    FiscalYear,
    Folder,
    FolderRef,
    Journal,
    LedgerAccount,
    Outcome,
    Page,
    PaymentTerm,
    Prepared,
    Refused,
    SalesEntry,
    Settlement,
    Unknown,
    VatCode,
)
from ...domain.relations import Relation, RelationDraft, RelationQuery, RelationRef, compact_vat
from .administration import MemoryAdministration

PAGE_ROWS = 60
MOST_BYTES = 10_000_000  # of one file

T = TypeVar("T")


class MemoryPackage:
    """A login that reaches these administrations."""

    def __init__(self, *administrations: MemoryAdministration) -> None:
        self._administrations = administrations

    def administrations(self) -> Sequence[Administration]:
        return [administration.described() for administration in self._administrations]


class MemoryLedger:
    """One administration, without any vendor."""

    def __init__(self, books: MemoryAdministration, abilities: Abilities = Abilities()) -> None:
        self.books = books
        self._abilities = abilities

    @property
    def abilities(self) -> Abilities:
        return self._abilities

    def daily_budget(self) -> DailyBudget | None:
        return None

    # --- what an administration holds -------------------------------------------------------------------------------

    def administration(self) -> Administration:
        return self.books.described()

    def journals(self) -> Sequence[Journal]:
        return list(self.books.journals)

    def revenue_accounts(self) -> Sequence[LedgerAccount]:
        return list(self.books.accounts)

    def vat_codes(self) -> Sequence[VatCode]:
        return list(self.books.vat_codes)

    def fiscal_years(self) -> Sequence[FiscalYear]:
        return list(self.books.years)

    def payment_terms(self) -> Sequence[PaymentTerm]:
        return list(self.books.terms)

    # --- relations --------------------------------------------------------------------------------------------------

    def relations(self, since: Cursor | None) -> Iterator[Page[Relation]]:
        return _changes(self.books.relations.values(), since)

    def find_relations(self, wanted: Sequence[RelationQuery]) -> Sequence[Sequence[Relation]]:
        known = [relation for relation, _ in self.books.relations.values()]
        return [[relation for relation in known if _answers(relation, query)] for query in wanted]

    def save_relations(self, drafts: Sequence[RelationDraft]) -> Sequence[Outcome[Relation]]:
        return [_written(self.books, _incomplete(draft), lambda draft=draft: self._created(draft)) for draft in drafts]

    def _created(self, draft: RelationDraft) -> Relation:
        return self.books.add_relation(
            Relation(
                ref=RelationRef(""),
                code="",
                name=draft.name,
                vat_number=draft.vat_number,
                enterprise_number=draft.enterprise_number,
                email=draft.email,
                phone=draft.phone,
                address=draft.address,
                is_customer=True,
                blocked=False,
            )
        )

    # --- documents --------------------------------------------------------------------------------------------------

    def prepare(self, entries: Sequence[SalesEntry]) -> Sequence[Prepared]:
        payloads = [json.dumps(asdict(entry), default=str) for entry in entries]
        return [
            Prepared(entry=entry, payload=payload, hash=hashlib.sha256(payload.encode()).hexdigest())
            for entry, payload in zip(entries, payloads, strict=True)
        ]

    def book(self, prepared: Sequence[Prepared]) -> Sequence[Outcome[Booking]]:
        books = self.books
        return [
            _written(books, books.refusal_of(one.entry), lambda entry=one.entry: books.add_booking(entry))
            for one in prepared
        ]

    def find_bookings(self, prepared: Sequence[Prepared]) -> Sequence[Sequence[Booking]]:
        known = [booking for booking, _ in self.books.bookings.values()]
        return [[b for b in known if b.reference == one.entry.number or b.key == one.entry.key] for one in prepared]

    def bookings(self, journals: Sequence[str], start: date, since: Cursor | None) -> Iterator[Page[Booking]]:
        for page in _changes(self.books.bookings.values(), since):
            rows = (booking for booking in page.rows if booking.journal in journals and booking.day >= start)
            yield Page(tuple(rows), page.cursor)

    def booking(self, ref: Booking) -> Booking | None:
        found = self.books.bookings.get(ref.ref)
        return found[0] if found else None

    def cabinet(self) -> MemoryCabinet:
        return MemoryCabinet(self.books)

    def receipts(self) -> None:
        """None: payments only come from these books."""

    # --- payments ---------------------------------------------------------------------------------------------------

    def settlements(self, since: Cursor | None, start: date = date.min) -> Iterator[Page[Settlement]]:
        parts = self.books.parts.values()
        return _changes(
            ((Settlement(p.id, p.booking, p.kind, p.amount, p.day, p.version), p.version) for p in parts), since
        )

    def open_items(self) -> None:
        """None: these settlements are the open items themselves."""


class MemoryCabinet:
    """The files of one administration."""

    def __init__(self, books: MemoryAdministration) -> None:
        self.books = books

    def open(self, folder: Folder) -> Outcome[FolderRef]:
        return _written(self.books, None, lambda: self.books.add_folder(folder))

    def find(self, folder: Folder) -> FolderRef | None:
        wanted = (folder.key, folder.relation)
        return next((ref for ref, (f, _) in self.books.folders.items() if (f.key, f.relation) == wanted), None)

    def put(self, folder: FolderRef, file: File) -> Outcome[str]:
        return _written(self.books, self._refusal_of(folder, file), lambda: self.books.add_file(folder, file))

    def _refusal_of(self, folder: FolderRef, file: File) -> SyncError | None:
        if len(file.content) > MOST_BYTES:
            return NotPossible(vendor="memory", feature="file_too_large")
        return None if folder in self.books.folders else RefusedByPackage(said=f"no folder {folder}")

    def names(self, folder: FolderRef) -> Sequence[str]:
        return [file.name for file in self.books.folders[folder][1]]


def _written(books: MemoryAdministration, refusal: SyncError | None, commit: Callable[[], T]) -> Outcome[T]:
    """How a write ends: lost on the way there, refused, lost on the way back, or done."""
    if books.lost_requests:
        books.lost_requests -= 1
        return Unknown("the request was lost")
    if refusal is None and books.refusals:
        refusal = books.refusals.pop(0)
    if refusal:
        return Refused(refusal)
    written = commit()
    if books.lost_answers:
        books.lost_answers -= 1
        return Unknown("the answer was lost")
    return Done(written)


def _changes(versioned: Iterable[tuple[T, int]], since: Cursor | None) -> Iterator[Page[T]]:
    """What changed since the cursor, oldest first, page by page; at least one page."""
    after = int(since or 0)
    rows = sorted((row for row in versioned if row[1] > after), key=lambda row: row[1])
    for first in range(0, max(len(rows), 1), PAGE_ROWS):
        page = rows[first : first + PAGE_ROWS]
        yield Page(tuple(row for row, _ in page), Cursor(str(page[-1][1] if page else after)))


def _answers(relation: Relation, query: RelationQuery) -> bool:
    vat, enterprise = compact_vat(query.vat_number), compact_vat(query.enterprise_number)
    return bool(
        (query.ref and relation.ref == query.ref)
        or (vat and compact_vat(relation.vat_number) == vat)
        or (enterprise and compact_vat(relation.enterprise_number) == enterprise)
        or (query.name.strip() and relation.name.strip().lower() == query.name.strip().lower())
    )


def _incomplete(draft: RelationDraft) -> SyncError | None:
    if not draft.name.strip():
        return CustomerIncomplete(customer=str(draft.customer), field="name")
    if draft.email and "@" not in draft.email:
        return CustomerIncomplete(customer=draft.name, field="email")
    return None
