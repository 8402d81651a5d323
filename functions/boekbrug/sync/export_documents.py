"""Invoices and credit notes go to the books, their customers first, each exactly once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from ..domain.connections import JobKind
from ..domain.documents import (
    CustomerRef,
    DocumentId,
    SalesDocument,
    TaxRate,
    TaxRateId,
    check,
)
from ..domain.entries import plan_entry
from ..domain.errors import (
    CustomerGone,
    NotPossible,
    NotReady,
    OutcomeUnknown,
    OutOfTime,
    SyncError,
    UnexpectedAnswer,
    VatCodeUnmapped,
)
from ..domain.ledger import Prepared, SalesEntry
from ..domain.relations import Customer, RelationRef
from ..ports import (
    Deadline,
    DocumentRecord,
    House,
    Job,
    WriteKind,
    WriteState,
)
from ..records import from_text
from .book import book, give_up
from .currencies import in_parts
from .desk import Desk
from .files import Files
from .find_documents import find_documents
from .leftovers import settle_leftovers
from .relations import Ensured, decides_otherwise, ensure_relations
from .slices import Slice, active_connections, has_time, next_run, on_the_clock
from .snapshots import load_books, load_decisions, load_focus
from .write_once import FUNCTION_TIMEOUT

BATCH = 20
"""Documents looked at together: their customers are one call, and little is lost when the time runs out."""
BACKLOG = timedelta(days=7)
"""Older documents are backlog: they leave the last fifth of a daily budget to daily work (design.md 6)."""
RESERVE = 0.2


def export_documents(house: House, job: Job, deadline: Deadline) -> Slice:
    """One slice: what changed in Teamleader is put in line, and what is in line is booked in order.

    A document that cannot be booked becomes a problem and does not stop the next (design.md 3).
    """
    key = job.key
    connections = active_connections(house, job)
    if not connections:
        return Slice({"connections": 0})
    snapshots = house.snapshots(key.account)
    books = load_books(snapshots, key.administration)
    known = load_focus(snapshots)
    ready = [connection for connection in connections if connection.mapping.accepted_at is not None]
    if books is None or known is None or not ready:
        raise NotReady()
    focus, ledger = house.focus(key.account), house.ledger(key.account, key.administration)
    links = house.links(key.account, key.administration)
    settle = timedelta(seconds=ledger.abilities.settle_s)
    desk = Desk(
        house=house,
        job=job,
        deadline=deadline,
        focus=focus,
        ledger=ledger,
        links=links,
        documents=house.documents(key.account, key.administration),
        books=books[0],
        rates={rate.id: rate for rate in known.rates},
        connections={connection.id: connection for connection in ready},
        decisions=load_decisions(snapshots, key.administration),
        files=Files(house, key, deadline, focus, ledger.cabinet(), links, settle),
    )
    look_again = _work_off(desk) if find_documents(desk) else timedelta(0)
    now = house.clock.now()
    if look_again is None:
        return Slice(dict(desk.done), next_run(JobKind.DOCUMENTS, ready, now))
    return Slice(dict(desk.done), now + look_again)


def _work_off(desk: Desk) -> timedelta | None:
    """Book what is in line; how long to wait before going on, or None when the line was worked off."""
    after, doubtful = "", False
    while has_time(desk.house, desk.deadline):
        records = desk.documents.waiting(BATCH, after)
        if not records:
            return _look_again(desk, doubtful or settle_leftovers(desk))
        if (pause := _budget_pause(desk, records)) is not None:
            return pause
        records = _as_many_as_fit(desk, records)
        after = records[-1].order
        doubtful |= _export(desk, [record for record in records if desk.is_on(record)])
    return timedelta(0)


def _look_again(desk: Desk, doubtful: bool) -> timedelta | None:
    """How long until something may be known, or somebody may have left a journal; None when all is done."""
    now = desk.house.clock.now()
    waits = [until - now for until in desk.stopped_journals.values() if until is not None]
    if doubtful:
        waits.append(on_the_clock(FUNCTION_TIMEOUT, desk.house.clock))
    return max(min(waits), timedelta(0)) if waits else None


def _budget_pause(desk: Desk, records: Sequence[DocumentRecord]) -> timedelta | None:
    """Leave the last fifth of the day's calls to daily work."""
    budget = desk.ledger.daily_budget()
    if budget is None or budget.left > RESERVE or not _is_backlog(desk, records):
        return None
    return max(budget.resets_at - desk.house.clock.now(), timedelta(0))


def _as_many_as_fit(desk: Desk, records: Sequence[DocumentRecord]) -> Sequence[DocumentRecord]:
    """Of backlog no more than the budget has room for, where it is told in documents."""
    budget, a_day = desk.ledger.daily_budget(), desk.ledger.abilities.bookings_a_day
    if budget is None or a_day is None or not _is_backlog(desk, records):
        return records
    return records[: max(1, round((budget.left - RESERVE) * a_day))]


def _is_backlog(desk: Desk, records: Sequence[DocumentRecord]) -> bool:
    return records[-1].day <= (desk.house.clock.now() - BACKLOG).date()


def _export(desk: Desk, records: Sequence[DocumentRecord]) -> bool:
    """Book a batch in its order; whether the outcome of some is unknown."""
    documents: dict[DocumentId, SalesDocument] = {}
    doubtful = False
    for record in records:
        if not has_time(desk.house, desk.deadline):
            break
        try:
            document = desk.focus.document(record.kind, record.id)
            check(document, _rates(desk, document))
        except SyncError as error:
            doubtful |= give_up(desk, record, error)
        else:
            documents[record.id] = document
    relations = _relations(desk, [documents[record.id] for record in records if record.id in documents])
    batch: list[tuple[DocumentRecord, SalesEntry]] = []
    for record in records:
        if record.id not in documents:
            continue
        document = documents[record.id]
        try:
            relation = relations[document.customer]
            if isinstance(relation, OutcomeUnknown | OutOfTime):
                doubtful = True
                continue
            if isinstance(relation, SyncError):
                raise relation
            entry = _plan(desk, record, document, relation)
        except SyncError as error:
            doubtful |= give_up(desk, record, error)
        else:
            batch.append((record, entry))
    for part in in_parts(desk, batch):
        if not has_time(desk.house, desk.deadline):
            break
        # The part before may have stopped a kind.
        doubtful |= book(desk, [(record, entry) for record, entry in part if desk.is_on(record)])
    return doubtful


def _rates(desk: Desk, document: SalesDocument) -> dict[TaxRateId, TaxRate]:
    """The rates of a document's lines. A rate made since the last refresh of the ledger accounts needs a refresh."""
    missing = {line.tax_rate for line in document.lines} - set(desk.rates)
    if missing:
        desk.rates = {**desk.rates, **{rate.id: rate for rate in desk.focus.tax_rates()}}
    if gone := missing - set(desk.rates):
        raise VatCodeUnmapped(rate=", ".join(sorted(gone)))
    return {line.tax_rate: desk.rates[line.tax_rate] for line in document.lines}


def _relations(desk: Desk, documents: Sequence[SalesDocument]) -> dict[CustomerRef, Ensured | SyncError]:
    """A relation, or why there is none, for the customer of each document."""
    refs = list(dict.fromkeys(document.customer for document in documents))
    known = desk.links.intents(WriteKind.RELATION, [str(ref) for ref in refs])
    answers: dict[CustomerRef, Ensured | SyncError] = {}
    for ref in refs:
        intent = known.get(str(ref))
        if intent and intent.state is WriteState.DONE and intent.result:
            linked = RelationRef(intent.result["ref"])
            if not decides_otherwise(desk.decisions.get(ref), linked):
                answers[ref] = Ensured(linked)
    unknown = [ref for ref in refs if ref not in answers]
    customers, unreadable = _customers(desk, unknown)
    answers |= unreadable
    names = {document.customer: document.customer_name for document in documents}
    for ref in unknown:
        if ref not in customers and ref not in unreadable:
            answers[ref] = CustomerGone(customer=names[ref])
    ensured = ensure_relations(
        list(customers.values()),
        desk.decisions,
        desk.ledger,
        desk.links,
        desk.house.real,
        lambda: has_time(desk.house, desk.deadline),
    )
    for ref, answer in ensured.items():
        if isinstance(answer, Ensured) and (answer.created or answer.adopted):
            desk.done["relations_created" if answer.created else "relations_adopted"] += 1
            desk.audit("relation", customer=str(ref), relation=answer.ref, how="created" if answer.created else "found")
    return answers | ensured


def _customers(
    desk: Desk, refs: Sequence[CustomerRef]
) -> tuple[Mapping[CustomerRef, Customer], dict[CustomerRef, SyncError]]:
    """The customers, and those that cannot be read: one odd record must not keep the documents of the others."""
    if not refs:
        return {}, {}
    try:
        return desk.focus.customers(refs), {}
    except UnexpectedAnswer as odd:
        if len(refs) == 1:
            return {}, {refs[0]: odd}
    found: dict[CustomerRef, Customer] = {}
    unreadable: dict[CustomerRef, SyncError] = {}
    for ref in refs:
        one, wrong = _customers(desk, [ref])
        found |= one
        unreadable |= wrong
    return found, unreadable


def _plan(desk: Desk, record: DocumentRecord, document: SalesDocument, relation: Ensured) -> SalesEntry:
    if document.entity_currency != desk.books.currency:
        # Its rate leads to the entity's currency: no figure for these books can be made of it.
        raise NotPossible(vendor="", feature="other_base_currency")
    credited = None
    if document.credits:
        invoice = desk.links.intent(WriteKind.BOOKING, document.credits)
        if invoice and invoice.state is WriteState.DONE and invoice.payload:
            credited = from_text(Prepared, invoice.payload).entry
    connection = desk.connections[record.connection]
    return plan_entry(document, relation.ref, connection, desk.books, desk.rates, credited)
