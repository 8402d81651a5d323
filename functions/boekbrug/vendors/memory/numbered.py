"""Books that take only the next number of a journal, chosen by whoever books: the double of such a package.

A booking is its number: there is no other id, its answer is empty, and the last one leaves its number to the next when
it is deleted. Files go along in the call that books.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta

from ...domain.documents import CustomerRef, File
from ...domain.errors import (
    FiscalYearMissing,
    JournalInUse,
    JournalMissing,
    JournalNotSales,
    NotPossible,
    NumberTaken,
    RelationAmbiguous,
    SyncError,
)
from ...domain.ledger import (
    Abilities,
    Booking,
    BookingRef,
    Cursor,
    Done,
    Outcome,
    Page,
    Prepared,
    Refused,
    SalesEntry,
    Unknown,
)
from ...domain.relations import Relation, RelationDraft, RelationRef
from ...ports import Clock, NumberLine, Numbers, RealClock
from .administration import MemoryAdministration
from .ledger import MOST_BYTES, MemoryLedger

OFFER = timedelta(seconds=120)
"""How long a line is ours: as long as a worker lives that was given its number."""
AT_WORK = timedelta(minutes=12)
"""How long to leave a journal alone that somebody works in."""
ABILITIES = Abilities(caller_numbers=True, resend_settles=True, reads_back=False, files_with_entry=True, settle_s=0)
BEFORE_THE_NUMBER = (JournalMissing, JournalNotSales, FiscalYearMissing, JournalInUse)
"""Refusals that come before the number is looked at: they do not tell whether it is free."""


@dataclass
class NumberedAdministration(MemoryAdministration):
    """One administration whose bookings are called by year, journal and number."""

    in_use: set[str] = field(default_factory=set)  # journals that somebody has open
    files: dict[BookingRef, tuple[File, ...]] = field(default_factory=dict)
    deleted: list[tuple[BookingRef, int]] = field(default_factory=list)  # and in which version
    customers: dict[CustomerRef, RelationRef] = field(default_factory=dict)  # relations under numbers of ours

    def next_number(self, year: int, journal: str) -> int:
        """One more than the highest: only the last booking leaves its number when it is deleted."""
        numbers = [int(ref.rsplit(".", 1)[1]) for ref in self.bookings if ref.startswith(f"{year}.{journal}.")]
        return max(numbers, default=0) + 1

    def _named(self, entry: SalesEntry) -> tuple[BookingRef, str]:
        number = self.next_number(entry.day.year, entry.journal)
        return ref_of(entry, number), f"{entry.journal} {number}"

    def delete(self, booking: BookingRef) -> None:
        super().delete(booking)
        self.files.pop(booking, None)
        self.deleted.append((booking, self._next()))

    def files_of(self, booking: BookingRef) -> Sequence[str]:
        return [file.name for file in self.files.get(booking, ())]


class NumberedLedger(MemoryLedger):
    """One administration, for one account. `numbers`: shared by everybody who books there."""

    def __init__(
        self, books: NumberedAdministration, numbers: Numbers, clock: Clock, real: RealClock, account: str
    ) -> None:
        super().__init__(books, ABILITIES)
        self._numbers = numbers
        self._clock = clock
        self._real = real
        self._account = account
        self._held: dict[str, NumberLine] = {}
        self._asked: dict[str, int] = {}  # next numbers, to be used once the journals were looked at since
        self._told: dict[str, int] = {}  # those that were

    def save_relations(self, drafts: Sequence[RelationDraft]) -> Sequence[Outcome[Relation]]:
        """Each under a number of ours, which makes no second one."""
        return [self._known(draft) or self._saved(draft) for draft in drafts]

    def _known(self, draft: RelationDraft) -> Outcome[Relation] | None:
        ref = self.books.customers.get(draft.customer)
        if ref is None:
            return None
        relation, _ = self.books.relations[ref]
        if relation.name == draft.name:
            return Done(relation)
        return Refused(RelationAmbiguous(customer=draft.name, candidates=f"{relation.name} ({relation.code})"))

    def _saved(self, draft: RelationDraft) -> Outcome[Relation]:
        (outcome,) = super().save_relations([draft])
        return outcome

    def _created(self, draft: RelationDraft) -> Relation:
        relation = super()._created(draft)
        self.books.customers[draft.customer] = relation.ref
        return relation

    def prepare(self, entries: Sequence[SalesEntry]) -> Sequence[Prepared | SyncError]:
        (entry,) = entries
        held = self._hold(entry)
        if held is None:
            return [JournalInUse(journal=entry.journal, until=None)]
        if held.next is None and held.line not in self._told:
            self._numbers.release(held, None)
            self._asked[held.line] = self.books.next_number(entry.day.year, entry.journal)
            return [NumberTaken(journal=entry.journal)]
        number = held.next or self._told.pop(held.line)
        (plain,) = super().prepare(entries)
        payload = f"{number} {plain.payload}"
        hash = hashlib.sha256(payload.encode()).hexdigest()
        return [Prepared(entry, payload, hash, f"{entry.journal} {number}", ref_of(entry, number))]

    def book(self, prepared: Sequence[Prepared]) -> Sequence[Outcome[Booking]]:
        return [self._booked(one) for one in prepared]

    def cabinet(self) -> None:
        """None: files go along."""

    def bookings(self, journals: Sequence[str], start: date, since: Cursor | None) -> Iterator[Page[Booking]]:
        *pages, last = super().bookings(journals, start, since)
        yield from pages
        gone = [(ref, version) for ref, version in self.books.deleted if version > int(since or 0)]
        version = max([int(last.cursor), *(version for _, version in gone)])
        self._told |= self._asked
        self._asked.clear()
        yield Page(last.rows, Cursor(str(version)), tuple(ref for ref, _ in gone))

    def _booked(self, one: Prepared) -> Outcome[Booking]:
        outcome = self._answer(one)
        match outcome:
            case Done():
                self._release(one, _number_of(one) + 1)
            case Refused(NumberTaken()):
                self._release(one, None)
                line = _line(self.books, one.entry)
                self._told.pop(line, None)
                self._asked[line] = self.books.next_number(one.entry.day.year, one.entry.journal)
            case Refused():
                self._release(one, _number_of(one))
        return outcome

    def _answer(self, one: Prepared) -> Outcome[Booking]:
        books, entry = self.books, one.entry
        if books.lost_requests:
            books.lost_requests -= 1
            return Unknown("the request was lost")
        refusal = books.refusals.pop(0) if books.refusals else self._refusal_of(one)
        if one.again and isinstance(refusal, BEFORE_THE_NUMBER):
            return Unknown(str(refusal))
        if one.again and isinstance(refusal, NumberTaken):
            stands, _ = books.bookings.get(one.ref, (None, 0))
            refusal = None if stands and stands.key == entry.key else refusal
        elif refusal is None:
            books.add_booking(entry)
            books.files[one.ref] = one.files
        if refusal:
            return Refused(refusal)
        if books.lost_answers:
            books.lost_answers -= 1
            return Unknown("the answer was lost")
        return Done(self._as_sent(one))

    def _refusal_of(self, one: Prepared) -> SyncError | None:
        books, entry = self.books, one.entry
        if entry.journal in books.in_use:
            return JournalInUse(journal=entry.journal, until=self._clock.now() + AT_WORK)
        refusal = books.refusal_of(entry)
        if isinstance(refusal, BEFORE_THE_NUMBER):
            return refusal
        if _number_of(one) != books.next_number(entry.day.year, entry.journal):
            return NumberTaken(journal=entry.journal)
        if any(len(file.content) > MOST_BYTES for file in one.files):
            return NotPossible(vendor="memory", feature="file_too_large")
        return refusal

    def _as_sent(self, one: Prepared) -> Booking:
        """What we sent, called as it must be called: the answer itself is empty."""
        entry = one.entry
        return Booking(
            ref=one.ref,
            administration=self.books.id,
            kind=entry.kind,
            journal=entry.journal,
            number=one.number,
            reference=entry.number,
            key=entry.key,
            day=entry.day,
            relation=entry.relation,
            gross=entry.gross,
            vat=entry.vat,
        )

    def _hold(self, entry: SalesEntry) -> NumberLine | None:
        now = self._real.now()
        held = self._numbers.hold(_line(self.books, entry), self._account, now, now + OFFER)
        if held:
            self._held[held.line] = held
        return held

    def _release(self, one: Prepared, following: int | None) -> None:
        """No trouble with our own record hides what became of the call."""
        with suppress(SyncError):
            held = self._held.pop(_line(self.books, one.entry), None) or self._hold(one.entry)
            if held:
                self._numbers.release(held, following)


def ref_of(entry: SalesEntry, number: int) -> BookingRef:
    return BookingRef(f"{entry.day.year}.{entry.journal}.{number}")


def _line(books: MemoryAdministration, entry: SalesEntry) -> str:
    return f"memory.{books.id}.{entry.day.year}.{entry.journal}"


def _number_of(one: Prepared) -> int:
    return int(one.ref.rsplit(".", 1)[1])
