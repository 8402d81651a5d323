"""A set of books as plain Python: state to assert on, and what a bookkeeper does by hand."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from ...domain.documents import File
from ...domain.errors import (
    AccountBlocked,
    FiscalYearMissing,
    JournalMissing,
    JournalNotSales,
    PeriodClosed,
    RefusedByPackage,
    RelationGone,
    SyncError,
    VatCodeRefused,
)
from ...domain.ledger import (
    Administration,
    AdministrationId,
    Booking,
    BookingRef,
    FiscalYear,
    Folder,
    FolderRef,
    Journal,
    JournalKind,
    LedgerAccount,
    PaymentTerm,
    Period,
    Regime,
    SalesEntry,
    SettlementKind,
    VatCode,
)
from ...domain.money import Money
from ...domain.relations import Relation, RelationRef

HERE = AdministrationId("memory.-.1")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an open item: open, or settled by something."""

    id: str
    booking: BookingRef
    amount: Money  # positive
    version: int
    kind: SettlementKind = SettlementKind.OPEN
    day: date = date.min
    counter: str = ""  # the part it was matched with, when there is one


@dataclass(slots=True)
class MemoryAdministration:
    """One administration. Every change gets the next `version`, which is what cursors count in."""

    id: AdministrationId = HERE
    name: str = "Voorbeeld BV"
    currency: str = "EUR"
    journals: list[Journal] = field(
        default_factory=lambda: [
            Journal("VF", "Verkopen", JournalKind.SALES),
            Journal("VC", "Creditnota's", JournalKind.SALES),
            Journal("BNK", "Bank", JournalKind.BANK),
        ]
    )
    accounts: list[LedgerAccount] = field(
        default_factory=lambda: [
            LedgerAccount("700000", "700000", "Omzet"),
            LedgerAccount("708000", "708000", "Korting"),
        ]
    )
    vat_codes: list[VatCode] = field(
        default_factory=lambda: [
            VatCode("V21", "21 %", Decimal("0.21"), Regime.DOMESTIC),
            VatCode("V6", "6 %", Decimal("0.06"), Regime.DOMESTIC),
            VatCode("V0", "0 %", Decimal(0), Regime.DOMESTIC),
            VatCode("EUS", "EU services", Decimal(0), Regime.EU_SERVICES),
        ]
    )
    years: list[FiscalYear] = field(default_factory=lambda: [_year(2025), _year(2026)])
    terms: list[PaymentTerm] = field(default_factory=lambda: [PaymentTerm("30", "30 dagen", 30)])
    relations: dict[RelationRef, tuple[Relation, int]] = field(default_factory=dict)
    bookings: dict[BookingRef, tuple[Booking, int]] = field(default_factory=dict)
    entries: dict[BookingRef, SalesEntry] = field(default_factory=dict)
    parts: dict[str, Part] = field(default_factory=dict)
    folders: dict[FolderRef, tuple[Folder, list[File]]] = field(default_factory=dict)
    version: int = 0
    lost_requests: int = 0  # writes that will vanish on the way there
    lost_answers: int = 0  # writes whose answer will vanish on the way back
    refusals: list[SyncError] = field(default_factory=list)  # what the next writes are refused with
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def described(self) -> Administration:
        return Administration(self.id, self.id.rsplit(".", 1)[1], self.name, "BE0123456749", "BE", self.currency)

    # --- what is written --------------------------------------------------------------------------------------------

    def add_relation(self, relation: Relation) -> Relation:
        """Keeps a relation; without a ref it gets one, and a code."""
        if not relation.ref:
            number = f"{next(self._numbers):05}"
            relation = replace(relation, ref=RelationRef(f"R{number}"), code=number, created_at=datetime.now(UTC))
        self.relations[relation.ref] = (relation, self._next())
        return relation

    def add_booking(self, entry: SalesEntry, *, by_hand: bool = False) -> Booking:
        """Books an entry and opens its item; `by_hand`: typed by a person, without our key."""
        ref, number = self._named(entry)
        booking = Booking(
            ref=ref,
            administration=self.id,
            kind=entry.kind,
            journal=entry.journal,
            number=number,
            reference=entry.number,
            key="" if by_hand else entry.key,
            day=entry.day,
            relation=entry.relation,
            gross=entry.gross,
            vat=entry.vat,
        )
        self.bookings[booking.ref] = (booking, self._next())
        self.entries[booking.ref] = entry
        if entry.gross:
            self._put(Part(f"{booking.ref}/1", booking.ref, abs(entry.gross), 0))
        return booking

    def _named(self, entry: SalesEntry) -> tuple[BookingRef, str]:
        """What a booking is called, and its number for people."""
        number = next(self._numbers)
        return BookingRef(f"B{number}"), f"{entry.day.year}{number:05}"

    def add_folder(self, folder: Folder) -> FolderRef:
        ref = FolderRef(f"F{next(self._numbers)}")
        self.folders[ref] = (folder, [])
        return ref

    def add_file(self, folder: FolderRef, file: File) -> str:
        self.folders[folder][1].append(file)
        return file.name

    def refusal_of(self, entry: SalesEntry) -> SyncError | None:
        """The rules of these books, in the order they are checked."""
        journal = next((one for one in self.journals if one.code == entry.journal), None)
        if journal is None or journal.blocked:
            return JournalMissing(journal=entry.journal)
        if journal.kind is not JournalKind.SALES:
            return JournalNotSales(journal=entry.journal)
        if not self._is_customer(entry.relation):
            return RelationGone(customer=entry.relation)
        accounts = {account.id for account in self.accounts if not account.blocked}
        codes = {code.code for code in self.vat_codes if code.usable}
        for line in entry.lines:
            if line.account not in accounts:
                return AccountBlocked(account=line.account)
            if line.vat_code not in codes:
                return VatCodeRefused(code=line.vat_code)
        if entry.folder and entry.folder not in self.folders:
            return RefusedByPackage(said=f"no folder {entry.folder}")
        period = self._period(entry.day)
        if period is None:
            return FiscalYearMissing(day=entry.day.isoformat())
        return PeriodClosed(period=period.name) if period.is_closed(entry.journal) else None

    def _is_customer(self, ref: RelationRef) -> bool:
        found = self.relations.get(ref)
        return found is not None and found[0].is_customer and not found[0].blocked

    def _period(self, day: date) -> Period | None:
        periods = (period for year in self.years for period in year.periods)
        return next((period for period in periods if period.first <= day <= period.last), None)

    # --- what a bookkeeper does by hand -----------------------------------------------------------------------------

    def close_period(self, day: date, journal: str = "*") -> None:
        self.years = [
            replace(
                year,
                periods=tuple(
                    replace(period, closed_for=(*period.closed_for, journal))
                    if period.first <= day <= period.last
                    else period
                    for period in year.periods
                ),
            )
            for year in self.years
        ]

    def pay(self, booking: BookingRef, amount: Money, day: date) -> None:
        self._settle(booking, amount, SettlementKind.PAYMENT, day)

    def write_off(self, booking: BookingRef, amount: Money, day: date) -> None:
        self._settle(booking, amount, SettlementKind.WRITE_OFF, day)

    def match(self, invoice: BookingRef, credit_note: BookingRef, amount: Money, day: date) -> None:
        ours = self._settle(invoice, amount, SettlementKind.CREDIT_NOTE, day)
        theirs = self._settle(credit_note, amount, SettlementKind.CREDIT_NOTE, day)
        self._put(replace(ours, counter=theirs.id))
        self._put(replace(theirs, counter=ours.id))

    def unmatch(self, booking: BookingRef) -> None:
        """Open again what was settled, at both ends."""
        settled = [part for part in self._parts_of(booking) if part.kind is not SettlementKind.OPEN]
        for part in settled + [self.parts[part.counter] for part in settled if part.counter]:
            self._put(replace(part, kind=SettlementKind.OPEN, counter=""))

    def delete(self, booking: BookingRef) -> None:
        del self.bookings[booking], self.entries[booking]
        for part in self._parts_of(booking):
            del self.parts[part.id]

    def files_of(self, booking: BookingRef) -> Sequence[str]:
        folder = self.entries[booking].folder
        return [file.name for file in self.folders[folder][1]] if folder else []

    def open_amount(self, booking: BookingRef) -> Money:
        open_parts = (part.amount for part in self._parts_of(booking) if part.kind is SettlementKind.OPEN)
        return Money.total(open_parts, self.entries[booking].currency)

    def vat_by_code(self, booking: BookingRef) -> Mapping[str, tuple[Money, Money]]:
        return self.entries[booking].vat_by_code()

    def _settle(self, booking: BookingRef, amount: Money, kind: SettlementKind, day: date) -> Part:
        """Settles an amount of an open part; what is left of it stays open under a name of its own."""
        part = next(p for p in self._parts_of(booking) if p.kind is SettlementKind.OPEN and amount <= p.amount)
        if amount < part.amount:
            rest = f"{booking}/{len(self._parts_of(booking)) + 1}"
            self._put(replace(part, id=rest, amount=part.amount - amount))
        return self._put(replace(part, amount=amount, kind=kind, day=day))

    def _parts_of(self, booking: BookingRef) -> Sequence[Part]:
        return [part for part in self.parts.values() if part.booking == booking]

    def _put(self, part: Part) -> Part:
        part = replace(part, version=self._next())
        self.parts[part.id] = part
        return part

    def _next(self) -> int:
        self.version += 1
        return self.version


def _year(year: int) -> FiscalYear:
    firsts = [date(year, month, 1) for month in range(1, 13)] + [date(year + 1, 1, 1)]
    return FiscalYear(
        name=str(year),
        periods=tuple(
            Period(f"{year} - {number:02}", first, following - timedelta(days=1))
            for number, (first, following) in enumerate(itertools.pairwise(firsts), start=1)
        ),
    )
