"""What an administration holds is read again: accounts, journals, VAT codes, years, terms; and Teamleader's lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import TypeVar

from ..domain.connections import Connection, JobKind
from ..domain.documents import DocumentId
from ..domain.errors import CustomerGone, CustomerIncomplete, NeedsSetup, RateLimited, RelationAmbiguous, RelationGone
from ..domain.ledger import Books
from ..ports import Deadline, Focus, House, Job, JobKey, Ledger
from .slices import Slice, active_connections, has_time, next_run
from .snapshots import Counted, load_books, save_books, save_counted, save_focus, scope_of

T = TypeVar("T")

ELSEWHERE = [
    leaf.__name__
    for leaf in (*NeedsSetup.__subclasses__(), CustomerIncomplete, CustomerGone, RelationAmbiguous, RelationGone)
]
"""Causes that go away without the document changing: by the set-up, or by the customer's record on either side."""
SOON = timedelta(hours=1)
"""A limit that ends within this time is waited for; with one that ends later, we make do with the list we have."""


def import_ledger_accounts(house: House, job: Job, deadline: Deadline) -> Slice:
    """One slice: read both sides' lists, and let documents that waited for a change of set-up try again.

    Where a package takes only so many bookings a day, the documents to begin with are counted, so that a person knows
    before the start how long it takes.
    """
    connections = active_connections(house, job)
    if not connections:
        return Slice({"connections": 0})
    key = job.key
    now = house.clock.now()
    snapshots = house.snapshots(key.account)
    focus = house.focus(key.account)
    save_focus(snapshots, focus.tax_rates(), focus.categories(), focus.entities(), now)
    ledger = house.ledger(key.account, key.administration)
    before = load_books(snapshots, key.administration)
    books, not_read = _read(ledger, before[0] if before else None, now)
    save_books(snapshots, key.administration, books, now)
    released = release(house, job.key)
    if ledger.abilities.bookings_a_day is not None:
        documents = {
            scope_of(c): _to_begin_with(house, c, focus, deadline) for c in connections if not _is_in_line(house, c)
        }
        save_counted(snapshots, key.administration, Counted(ledger.abilities.bookings_a_day, documents))
    result = {"accounts": len(books.accounts), "vat_codes": len(books.vat_codes), "released": released}
    result |= {"not_read": not_read} if not_read else {}
    return Slice(result, next_run(JobKind.ACCOUNTS, connections, now))


def _read(ledger: Ledger, before: Books | None, now: datetime) -> tuple[Books, int]:
    """What the administration holds, and how many of its lists stay as they were: spent for today (octopus.md 7)."""
    not_read = 0

    def still(read: Callable[[], Iterable[T]], name: str) -> tuple[T, ...]:
        nonlocal not_read
        try:
            return tuple(read())
        except RateLimited as limit:
            if before is None or limit.until is None or limit.until - now < SOON:
                raise
            not_read += 1
            return getattr(before, name)

    receipts = ledger.receipts()
    books = Books(
        journals=still(ledger.journals, "journals"),
        accounts=still(ledger.revenue_accounts, "accounts"),
        vat_codes=still(ledger.vat_codes, "vat_codes"),
        years=still(ledger.fiscal_years, "years"),
        terms=still(ledger.payment_terms, "terms"),
        currency=ledger.administration().currency,
        clearing_accounts=still(receipts.accounts, "clearing_accounts") if receipts else (),
    )
    return books, not_read


def _is_in_line(house: House, connection: Connection) -> bool:
    """Whether the export has begun to put the documents of this connection in line, from this start on."""
    job = house.jobs.get(JobKey(connection.account, connection.administration, JobKind.DOCUMENTS))
    return job is not None and scope_of(connection) in job.cursor


def _to_begin_with(house: House, connection: Connection, focus: Focus, deadline: Deadline) -> int:
    """How many documents a connection would begin with: as many as one slice can count.

    Counted here and not in line yet: nothing moves before a person starts it (rules.md 27).
    """
    documents = house.documents(connection.account, connection.administration)
    found: set[DocumentId] = set()
    for page in focus.documents([connection.entity], connection.start, None):
        ids = [header.id for header in page.rows]
        found |= set(ids) - {record.id for record in documents.booked_among(ids)}
        if not has_time(house, deadline):
            break
    return len(found)


def release(house: House, key: JobKey) -> int:
    """Put documents that wait for something elsewhere back in line and have them looked at; how many.

    Whether or not what we read has changed: a period can be closed and opened again between two looks, and who
    completed a customer tells nobody.
    """
    line = house.documents(key.account, key.administration)
    released = line.release(ELSEWHERE)
    if line.waiting(1):  # also what was let go before by a worker that died here
        documents = JobKey(key.account, key.administration, JobKind.DOCUMENTS)
        house.jobs.make_due(documents, house.clock.now())
        house.nudges.send(documents)
    return released
