"""The desk an export works at: its rooms, its cursor, and what is said about each document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from ..domain.connections import Connection, ConnectionId
from ..domain.documents import CustomerRef, DocumentHeader, TaxRate, TaxRateId
from ..domain.errors import ChangedAfterBooking, SyncError, TryLater
from ..domain.ledger import Booking, Books, SalesEntry
from ..domain.matching import Decision
from ..ports import (
    Deadline,
    DocumentRecord,
    Documents,
    Focus,
    House,
    Job,
    Ledger,
    Links,
    Problems,
    Seen,
    Settlements,
)
from .files import Files
from .slices import stops_the_slice

STOPPED = "stopped:"
"""In the cursor: what came back differently and is not booked any more, document kinds (rules.md 9) and currencies
(rules.md 16). A run that a person asks for tries again, and looks again at every document that is held."""


@dataclass(slots=True)
class Desk:
    """What a slice of the export works with, and what every step of it may do."""

    house: House
    job: Job
    deadline: Deadline
    focus: Focus
    ledger: Ledger
    links: Links
    documents: Documents
    books: Books
    rates: Mapping[TaxRateId, TaxRate]
    connections: Mapping[ConnectionId, Connection]
    decisions: Mapping[CustomerRef, Decision]
    files: Files
    done: Counter[str] = field(default_factory=Counter)
    stopped_journals: dict[str, datetime | None] = field(default_factory=dict)
    """Where nothing more goes in this slice, so that order is kept: the number of a booking is in doubt, or somebody
    works there; and until when, by Clock, where that is known."""

    def audit(self, what: str, **facts: str) -> None:
        key = self.job.key
        self.house.audit(key.account).append(key.administration, what, facts, self.house.clock.now())

    @property
    def problems(self) -> Problems:
        return self.house.problems(self.job.key.account, self.job.key.administration)

    @property
    def seen(self) -> Seen:
        return self.house.seen(self.job.key.account, self.job.key.administration)

    @property
    def settlements(self) -> Settlements:
        return self.house.settlements(self.job.key.account, self.job.key.administration)

    def save_cursor(self, **changes: str) -> None:
        """Add these to the job's cursor. Raises LeaseLost."""
        if self.job.cursor != {**self.job.cursor, **changes}:
            self._replace_cursor({**self.job.cursor, **changes})

    def go_on_with_what_was_stopped(self) -> None:
        """A person asked for this run: what was stopped or held is tried again."""
        # Saved even when nothing changes: whoever lost his lease must not put documents back in line.
        self._replace_cursor({name: at for name, at in self.job.cursor.items() if not name.startswith(STOPPED)})
        self.documents.release()

    def _replace_cursor(self, cursor: Mapping[str, str]) -> None:
        self.house.jobs.save_cursor(self.job, cursor)
        self.job = replace(self.job, cursor=cursor)

    def is_on(self, record: DocumentRecord) -> bool:
        """Whether documents of this connection and kind are booked at the moment."""
        connection = self.connections.get(record.connection)
        if connection is None or connection.journal(record.kind) in self.stopped_journals:
            return False
        in_scope = record.day >= connection.start  # its start may have moved since
        return in_scope and _kind_of(record) not in self.job.cursor

    def stop_kind(self, record: DocumentRecord) -> None:
        """Its booking came back differently: no more of this kind until a person looked (rules.md 9)."""
        self.save_cursor(**{_kind_of(record): record.number})

    def booked(self, record: DocumentRecord, booking: Booking) -> None:
        """`record`: with the figures that were booked; it may have been edited since the list told of it."""
        self.documents.booked(record, booking.number)
        self.problems.solve(f"document:{record.id}")

    def hold(self, record: DocumentRecord, error: SyncError) -> None:
        """A problem for a person; an error of the vendor itself goes up and ends the slice."""
        if stops_the_slice(error):
            raise error
        if isinstance(error, TryLater):
            return
        self.problems.report(f"document:{record.id}", record.connection, error, self.house.clock.now(), record.number)
        self.documents.held(record, error.cause)
        self.done["held"] += 1

    def show_edit(self, record: DocumentRecord, booked: str, now: str) -> None:
        """A document edited after it was booked is a difference people see, never a second booking (design.md 5.4)."""
        error = ChangedAfterBooking(booked=booked, now=now)
        self.problems.report(f"changed:{record.id}", record.connection, error, self.house.clock.now(), record.number)


def figures(it: DocumentHeader | DocumentRecord | SalesEntry) -> str:
    """What people compare of a document and its booking: total, day and number."""
    return f"{it.gross}, {it.day.isoformat()}, {it.number}"


def _kind_of(record: DocumentRecord) -> str:
    return f"{STOPPED}{record.connection}:{record.kind}"
