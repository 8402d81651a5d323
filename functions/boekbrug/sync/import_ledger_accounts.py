"""What an administration holds is read again: accounts, journals, VAT codes, years, terms; and Teamleader's lists."""

from __future__ import annotations

from ..domain.connections import JobKind
from ..domain.errors import CustomerGone, CustomerIncomplete, NeedsSetup, RelationAmbiguous, RelationGone
from ..domain.ledger import Books
from ..ports import Deadline, House, Job, JobKey
from .slices import Slice, active_connections, next_run
from .snapshots import save_books, save_focus

ELSEWHERE = [
    leaf.__name__
    for leaf in (*NeedsSetup.__subclasses__(), CustomerIncomplete, CustomerGone, RelationAmbiguous, RelationGone)
]
"""Causes that go away without the document changing: by the set-up, or by the customer's record on either side."""


def import_ledger_accounts(house: House, job: Job, deadline: Deadline) -> Slice:
    """One slice: read both sides' lists, and let documents that waited for a change of set-up try again."""
    connections = active_connections(house, job)
    if not connections:
        return Slice({"connections": 0})
    key = job.key
    now = house.clock.now()
    snapshots = house.snapshots(key.account)
    focus = house.focus(key.account)
    save_focus(snapshots, focus.tax_rates(), focus.categories(), focus.entities(), now)
    ledger = house.ledger(key.account, key.administration)
    books = Books(
        journals=tuple(ledger.journals()),
        accounts=tuple(ledger.revenue_accounts()),
        vat_codes=tuple(ledger.vat_codes()),
        years=tuple(ledger.fiscal_years()),
        terms=tuple(ledger.payment_terms()),
        currency=ledger.administration().currency,
    )
    save_books(snapshots, key.administration, books, now)
    released = release(house, job.key)
    result = {"accounts": len(books.accounts), "vat_codes": len(books.vat_codes), "released": released}
    return Slice(result, next_run(JobKind.ACCOUNTS, connections, now))


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
