"""What an administration holds is read again: accounts, journals, VAT codes, years, terms; and Teamleader's lists."""

from __future__ import annotations

from ..domain.connections import JobKind
from ..domain.errors import NeedsSetup, NotReady
from ..domain.ledger import Books
from ..ports import Deadline, House, Job, JobKey
from .slices import Slice, active_connections, next_run
from .snapshots import load_books, save_books, save_focus


def import_ledger_accounts(house: House, job: Job, deadline: Deadline) -> Slice:
    """One slice: read both sides' lists, and let documents that waited for a change of set-up try again."""
    connections = active_connections(house, job)
    if not connections:
        return Slice({"connections": 0})
    key = job.key
    now = house.clock.now()
    snapshots = house.snapshots(key.account)
    before = load_books(snapshots, key.administration)
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
    changed = before is None or before[0] != books
    released = release_setup(house, job.key) if changed else 0
    result = {"accounts": len(books.accounts), "vat_codes": len(books.vat_codes), "released": released}
    return Slice(result, next_run(JobKind.ACCOUNTS, connections, now))


def release_setup(house: House, key: JobKey) -> int:
    """Put documents that waited for the set-up back in line and have them looked at; how many."""
    causes = [leaf.__name__ for leaf in NeedsSetup.__subclasses__() if leaf is not NotReady]
    released = house.documents(key.account, key.administration).release(causes)
    if released:
        documents = JobKey(key.account, key.administration, JobKind.DOCUMENTS)
        house.jobs.make_due(documents, house.clock.now())
        house.nudges.send(documents)
    return released
