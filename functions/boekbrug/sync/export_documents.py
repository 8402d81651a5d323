"""Invoices and credit notes go to the books, their customers first, each exactly once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from ..domain.connections import Connection, ConnectionId, JobKind
from ..domain.documents import (
    CustomerRef,
    DocumentHeader,
    DocumentId,
    DocumentKind,
    SalesDocument,
    TaxRate,
    TaxRateId,
    check,
)
from ..domain.entries import plan_entry
from ..domain.errors import (
    BookedByOthers,
    BookedDifferently,
    ChangedAfterBooking,
    CustomerGone,
    ExchangeRateUnproven,
    NotPossible,
    NotReady,
    OutcomeUnknown,
    SyncError,
    TryLater,
)
from ..domain.ledger import Booking, Books, Cursor, Outcome, Prepared, SalesEntry
from ..domain.matching import Decision
from ..domain.money import CENT
from ..domain.relations import Customer
from ..ports import (
    Deadline,
    DocumentRecord,
    Documents,
    Focus,
    House,
    Intent,
    IntentMoved,
    Job,
    Ledger,
    Links,
    RefTaken,
    WriteKind,
    WriteState,
)
from ..records import as_json, as_text, from_json, from_text
from .files import Files
from .relations import Ensured, ensure_relations
from .slices import Slice, active_connections, has_time, next_run, on_the_clock, stops_the_slice
from .snapshots import load_books, load_decisions, load_focus
from .write_once import FUNCTION_TIMEOUT, How, Protocol, Write, Written, write_once

PROVED = "proved"

BATCH = 20
"""Documents looked at together: their customers are one call, and little is lost when the time runs out."""
BACKLOG = timedelta(days=7)
"""Older documents are backlog: they leave the last fifth of a daily budget to daily work (design.md 6)."""
RESERVE = 0.2


@dataclass(slots=True)
class _Desk:
    """What a slice works with."""

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

    def audit(self, what: str, **facts: str) -> None:
        key = self.job.key
        self.house.audit(key.account).append(key.administration, what, facts, self.house.clock.now())


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
    desk = _Desk(
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
    look_again = _work_off(desk) if _find_new(desk) else timedelta(0)
    now = house.clock.now()
    if look_again is None:
        return Slice(dict(desk.done), next_run(JobKind.DOCUMENTS, ready, now))
    return Slice(dict(desk.done), now + look_again)


STOPPED = "stopped:"
"""In the cursor: what came back differently and is not booked any more, document kinds (rules.md 9) and currencies
(rules.md 16). A run that a person asks for tries again, and looks again at every document that is held."""


def _find_new(desk: _Desk) -> bool:
    """Put what changed in Teamleader in line, and learn what stands in the journals already (rules.md 1).

    Nothing is booked before both were read to their ends; False when the time ran out first. A page's cursor is saved
    after what it covers is stored: a crash in between reads the same rows again, which is harmless.
    """
    if desk.job.manual:
        kept = {name: value for name, value in desk.job.cursor.items() if not name.startswith(STOPPED)}
        _save_cursor(desk, kept)
        desk.documents.release()
    for connection in desk.connections.values():
        scope = f"focus:{connection.id}:{connection.start}"  # an earlier start is read from the beginning
        for page in desk.focus.documents([connection.entity], connection.start, _cursor(desk, scope)):
            desk.done["seen"] += desk.documents.seen(connection.id, page.rows)
            _show_changes(desk, page.rows)
            _save_cursor(desk, {**desk.job.cursor, scope: page.cursor})
            if not has_time(desk.house, desk.deadline):
                return False
    journals = sorted({c.journal(kind) for c in desk.connections.values() for kind in DocumentKind})
    start = min(connection.start for connection in desk.connections.values())
    scope = f"books:{','.join(journals)}:{start}"  # another journal, or an earlier start, is read from the beginning
    seen = desk.house.seen(desk.job.key.account, desk.job.key.administration)
    for page in desk.ledger.bookings(journals, start, _cursor(desk, scope)):
        seen.remember(page.rows)
        _save_cursor(desk, {**desk.job.cursor, scope: page.cursor})
        if not has_time(desk.house, desk.deadline):
            return False
    return True


def _cursor(desk: _Desk, scope: str) -> Cursor | None:
    saved = desk.job.cursor.get(scope)
    return Cursor(saved) if saved else None


def _show_changes(desk: _Desk, headers: Sequence[DocumentHeader]) -> None:
    """A document edited after it was booked is a difference people see, never a second booking (design.md 5.4)."""
    latest = {header.id: header for header in headers}
    key = desk.job.key
    problems = desk.house.problems(key.account, key.administration)
    for record in desk.documents.booked_among(list(latest)):
        header, subject = latest[record.id], f"changed:{record.id}"
        booked, now = (f"{it.gross}, {it.day.isoformat()}, {it.number}" for it in (record, header))
        if booked == now:
            problems.solve(subject)
        else:
            error = ChangedAfterBooking(booked=booked, now=now)
            problems.report(subject, record.connection, error, desk.house.clock.now(), record.number)


def _save_cursor(desk: _Desk, cursor: Mapping[str, str]) -> None:
    if cursor != desk.job.cursor:
        desk.house.jobs.save_cursor(desk.job, cursor)
        desk.job = replace(desk.job, cursor=cursor)


def _work_off(desk: _Desk) -> timedelta | None:
    """Book what is in line; how long to wait before going on, or None when the line was worked off."""
    after, doubtful = "", False
    while has_time(desk.house, desk.deadline):
        records = desk.documents.waiting(BATCH, after)
        if not records:
            return on_the_clock(FUNCTION_TIMEOUT, desk.house.clock) if doubtful else None
        after = records[-1].order
        if (pause := _budget_pause(desk, records)) is not None:
            return pause
        doubtful |= _export(desk, [record for record in records if _is_on(desk, record)])
    return timedelta(0)


def _is_on(desk: _Desk, record: DocumentRecord) -> bool:
    """Whether documents of this kind are booked at the moment."""
    return record.connection in desk.connections and _pause_key(record) not in desk.job.cursor


def _pause_key(record: DocumentRecord) -> str:
    return f"{STOPPED}{record.connection}:{record.kind}"


def _budget_pause(desk: _Desk, records: Sequence[DocumentRecord]) -> timedelta | None:
    """Leave the last fifth of the day's calls to daily work."""
    budget = desk.ledger.daily_budget()
    now = desk.house.clock.now()
    if budget is None or budget.left > RESERVE or records[-1].day > (now - BACKLOG).date():
        return None
    return max(budget.resets_at - now, timedelta(0))


def _export(desk: _Desk, records: Sequence[DocumentRecord]) -> bool:
    """Book a batch in its order; whether the outcome of some is unknown."""
    documents: dict[DocumentId, SalesDocument] = {}
    for record in records:
        if not has_time(desk.house, desk.deadline):
            break
        try:
            document = desk.focus.document(record.kind, record.id)
            check(document, _rates(desk, document))
        except SyncError as error:
            _hold(desk, record, error)
        else:
            documents[record.id] = document
    relations = _relations(desk, [documents[record.id] for record in records if record.id in documents])
    doubtful = False
    batch: list[tuple[DocumentRecord, SalesEntry]] = []
    for record in records:
        if record.id not in documents:
            continue
        document = documents[record.id]
        try:
            relation = relations[document.customer]
            if isinstance(relation, OutcomeUnknown):
                doubtful = True
                continue
            if isinstance(relation, SyncError):
                raise relation
            entry = _plan(desk, record, document, relation)
        except SyncError as error:
            _hold(desk, record, error)
        else:
            batch.append((record, entry))
    for part in _parts(desk, batch):
        if not has_time(desk.house, desk.deadline):
            break
        # The part before may have stopped a kind.
        doubtful |= _book(desk, [(record, entry) for record, entry in part if _is_on(desk, record)])
    return doubtful


def _parts(
    desk: _Desk, batch: Sequence[tuple[DocumentRecord, SalesEntry]]
) -> Iterator[list[tuple[DocumentRecord, SalesEntry]]]:
    """As many entries at a time as the package takes; the first of a foreign currency goes alone (rules.md 16)."""
    part: list[tuple[DocumentRecord, SalesEntry]] = []
    for record, entry in batch:
        alone = entry.currency != desk.books.currency and not _is_proved(desk, record, entry)
        if part and (alone or len(part) == desk.ledger.abilities.batch):
            yield part
            part = []
        part.append((record, entry))
        if alone:
            yield part
            part = []
    if part:
        yield part


def _rate_key(record: DocumentRecord, entry: SalesEntry) -> str:
    return f"rate:{record.connection}:{entry.currency}"


def _is_proved(desk: _Desk, record: DocumentRecord, entry: SalesEntry) -> bool:
    """Whether a booking in this currency agreed with the books' own currency before."""
    return desk.job.cursor.get(_rate_key(record, entry)) == PROVED


def _check_currency(desk: _Desk, record: DocumentRecord, entry: SalesEntry) -> None:
    """Raises ExchangeRateUnproven while a currency's first booking is on its way, or after it came back differently."""
    if entry.currency == desk.books.currency or _is_proved(desk, record, entry):
        return
    first = desk.job.cursor.get(_rate_key(record, entry), record.id)
    if f"{STOPPED}{_rate_key(record, entry)}" in desk.job.cursor or first != record.id:
        raise ExchangeRateUnproven(currency=entry.currency)
    _save_cursor(desk, {**desk.job.cursor, _rate_key(record, entry): record.id})


def _prove_currency(desk: _Desk, record: DocumentRecord, entry: SalesEntry, booking: Booking) -> bool:
    """Read the first foreign booking back in the books' own currency; False when the rate went in the wrong way round.

    To the cent per line: the package rounds each line into its own currency.
    """
    if entry.currency == desk.books.currency or _is_proved(desk, record, entry):
        return True
    if booking.base_gross is None:
        booking = desk.ledger.booking(booking) or booking
    expected = (entry.gross.amount * entry.exchange_rate).quantize(CENT)
    agrees = booking.base_gross is not None and abs(booking.base_gross - expected) <= CENT * len(entry.lines)
    key = _rate_key(record, entry)
    _save_cursor(desk, {**desk.job.cursor, **({key: PROVED} if agrees else {f"{STOPPED}{key}": record.id})})
    if agrees:
        desk.documents.release([ExchangeRateUnproven.__name__])  # the others follow
    return agrees


def _rates(desk: _Desk, document: SalesDocument) -> dict[TaxRateId, TaxRate]:
    """The rates of a document's lines. A rate made since the last refresh of the ledger accounts needs a refresh."""
    missing = {line.tax_rate for line in document.lines} - set(desk.rates)
    if missing:
        desk.rates = {rate.id: rate for rate in desk.focus.tax_rates()}
    return {line.tax_rate: desk.rates[line.tax_rate] for line in document.lines}


def _relations(desk: _Desk, documents: Sequence[SalesDocument]) -> dict[CustomerRef, Ensured | SyncError]:
    """A relation, or why there is none, for the customer of each document."""
    refs = list(dict.fromkeys(document.customer for document in documents))
    known = desk.links.intents(WriteKind.RELATION, [str(ref) for ref in refs])
    answers: dict[CustomerRef, Ensured | SyncError] = {}
    for ref in refs:
        intent = known.get(str(ref))
        if intent and intent.state is WriteState.DONE and intent.result:
            answers[ref] = Ensured(intent.result["ref"])
    unknown = [ref for ref in refs if ref not in answers]
    customers: Mapping[CustomerRef, Customer] = desk.focus.customers(unknown) if unknown else {}
    names = {document.customer: document.customer_name for document in documents}
    for ref in unknown:
        if ref not in customers:
            answers[ref] = CustomerGone(customer=names[ref])
    ensured = ensure_relations(list(customers.values()), desk.decisions, desk.ledger, desk.links, desk.house.real)
    for ref, answer in ensured.items():
        if isinstance(answer, Ensured) and (answer.created or answer.adopted):
            desk.done["relations_created" if answer.created else "relations_adopted"] += 1
            desk.audit("relation", customer=str(ref), relation=answer.ref, how="created" if answer.created else "found")
    return answers | ensured


def _plan(desk: _Desk, record: DocumentRecord, document: SalesDocument, relation: Ensured) -> SalesEntry:
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


def _book(desk: _Desk, batch: Sequence[tuple[DocumentRecord, SalesEntry]]) -> bool:
    """Book these entries unless they are in the books; whether the outcome of some is unknown."""
    records = {record.id: record for record, _ in batch}
    ready = []
    for record, entry in batch:
        try:
            _check_currency(desk, record, entry)
        except ExchangeRateUnproven as error:
            _hold(desk, record, error)
        else:
            ready.append((record, entry))
    free = _not_in_the_books(desk, ready)
    filed = [_with_files(desk, records[entry.document], entry) for entry in free]
    entries = [entry for entry in filed if entry is not None]
    doubtful = len(entries) < len(free)
    if not entries:
        return doubtful
    prepared = desk.ledger.prepare(entries)
    writes = [Write(p.entry.document, as_text(p), p.hash) for p in prepared]
    for write, entry in zip(writes, entries, strict=True):
        desk.audit(
            "intent", document=write.subject, number=entry.number, gross=str(entry.gross), hash=write.payload_hash
        )
    results = write_once(writes, booking_protocol(desk.ledger, desk.links), desk.links, desk.house.real)
    for entry, result in zip(entries, results, strict=True):
        record = records[entry.document]
        if isinstance(result, Written):
            _remember(desk, record, entry, result)
        elif isinstance(result, OutcomeUnknown):
            desk.done["unknown"] += 1
            desk.audit("unknown", document=record.id)
            doubtful = True
        else:
            desk.audit("refused", document=record.id, cause=result.cause)
            _hold(desk, record, result)
    return doubtful


def _with_files(desk: _Desk, record: DocumentRecord, entry: SalesEntry) -> SalesEntry | None:
    return desk.files.attach(desk.connections[record.connection], record, entry)


def booking_protocol(ledger: Ledger, links: Links) -> Protocol[Booking]:
    def send(writes: Sequence[Write]) -> Sequence[Outcome[Booking]]:
        return ledger.book([from_text(Prepared, write.payload) for write in writes])

    def probe(intents: Sequence[Intent]) -> Sequence[Booking | None]:
        sent = [from_text(Prepared, intent.payload) for intent in intents]
        found = ledger.find_bookings(sent)
        return [_ours(p.entry, bookings, links) for p, bookings in zip(sent, found, strict=True)]

    return Protocol(
        kind=WriteKind.BOOKING,
        send=send,
        probe=probe,
        encode=as_json,
        decode=lambda result: from_json(Booking, dict(result)),
        settle=timedelta(seconds=ledger.abilities.settle_s),
        batch=ledger.abilities.batch,
    )


def _ours(entry: SalesEntry, bookings: Sequence[Booking], links: Links) -> Booking | None:
    """The booking our lost write made: it carries our key, or agrees in everything and is nobody else's."""
    keyed = [booking for booking in bookings if booking.key == entry.key]
    agreeing = [booking for booking in bookings if not booking.key and agrees(booking, entry)]
    for booking in [*keyed, *agreeing]:
        owner = links.subject_of(WriteKind.BOOKING, booking.ref)
        if owner is None or owner == entry.document:
            return booking
    return None


def same_reference(one: str, other: str) -> bool:
    """Whether two people would call it the same number: blanks and capitals aside."""
    return "".join(one.split()).casefold() == "".join(other.split()).casefold()


def agrees(booking: Booking, entry: SalesEntry) -> bool:
    """Whether a booking is this document's in every respect that proves something (rules.md 2)."""
    return (
        booking.kind is entry.kind
        and booking.journal == entry.journal
        and booking.day == entry.day
        and booking.relation == entry.relation
        and booking.gross == entry.gross
        and same_reference(booking.reference, entry.number)
    )


def _not_in_the_books(desk: _Desk, batch: Sequence[tuple[DocumentRecord, SalesEntry]]) -> list[SalesEntry]:
    """Those that nobody booked yet; what somebody did book is adopted or reported (rules.md 1)."""
    key = desk.job.key
    intents = desk.links.intents(WriteKind.BOOKING, [entry.document for _, entry in batch])
    # What we sent and do not know the outcome of is the write protocol's; what was refused may be booked by hand since.
    ours = {document for document, intent in intents.items() if intent.state is not WriteState.REFUSED}
    numbers = [entry.number for _, entry in batch if entry.document not in ours]
    seen = desk.house.seen(key.account, key.administration).by_reference(numbers) if numbers else {}
    free = []
    for record, entry in batch:
        found = _others_booking(desk, entry, seen.get(entry.number, ())) if entry.document not in ours else None
        if found is None:
            free.append(entry)
        elif agrees(found, entry):
            _adopt(desk, record, entry, found)
        else:
            booked = f"{found.gross}, {found.day.isoformat()}, {found.number}"
            _hold(desk, record, BookedByOthers(booked=booked, expected=f"{entry.gross}, {entry.day.isoformat()}"))
    return free


def _others_booking(desk: _Desk, entry: SalesEntry, bookings: Sequence[Booking]) -> Booking | None:
    """The booking somebody else made of this document, if it still stands; one that agrees goes before one like it."""
    alike = [booking for booking in bookings if booking.kind is entry.kind and _looks_like(booking, entry)]
    for booking in sorted(alike, key=lambda booking: not agrees(booking, entry)):
        owner = desk.links.subject_of(WriteKind.BOOKING, booking.ref)
        if owner in (None, entry.document) and (now := desk.ledger.booking(booking)) is not None:
            return now
    return None


def _looks_like(booking: Booking, entry: SalesEntry) -> bool:
    """The same number for the same customer, or of the same day and amount: a person must look before we book."""
    return booking.relation == entry.relation or (booking.day == entry.day and booking.gross == entry.gross)


def _adopt(desk: _Desk, record: DocumentRecord, entry: SalesEntry, booking: Booking) -> None:
    try:
        desk.links.adopt(WriteKind.BOOKING, entry.document, as_json(booking), desk.house.real.now())
    except (IntentMoved, RefTaken):
        return  # somebody else settled it: it stays in line and the next slice reads what stands
    key = desk.job.key
    desk.house.settlements(key.account, key.administration).claim(booking.ref)
    desk.audit("adopted", document=record.id, booking=booking.ref, number=booking.number)
    _booked(desk, replace(record, gross=entry.gross), booking)
    desk.done["adopted"] += 1


def _remember(desk: _Desk, record: DocumentRecord, entry: SalesEntry, written: Written[Booking]) -> None:
    """Compare what the package answered with what was sent, and only then call it booked (rules.md 9)."""
    booking = written.value
    if written.how is not How.KNOWN:
        desk.audit("booked", document=record.id, booking=booking.ref, number=booking.number, how=written.how)
        if written.how is How.FOUND:
            key = desk.job.key
            desk.house.settlements(key.account, key.administration).claim(booking.ref)
    sent = from_text(Prepared, written.intent.payload).entry if written.intent.payload else entry
    right_place = booking.administration == desk.job.key.administration
    vat_agrees = booking.vat is None or booking.vat == sent.vat
    if not (right_place and vat_agrees and booking.kind is sent.kind and booking.gross == sent.gross):
        booked = f"{booking.gross} ({booking.vat}), {booking.kind}, {booking.administration}, {booking.number}"
        _hold(desk, record, BookedDifferently(booked=booked, expected=f"{sent.gross} ({sent.vat})"))
        if written.how is not How.KNOWN:  # known: its kind was stopped then, and a person said to go on since
            _save_cursor(desk, {**desk.job.cursor, _pause_key(record): record.number})
        return
    if not _prove_currency(desk, record, sent, booking):
        booked, expected = f"{booking.base_gross} {desk.books.currency}", f"{sent.gross} × {sent.exchange_rate}"
        _hold(desk, record, BookedDifferently(booked=booked, expected=expected))
        return
    _booked(desk, replace(record, gross=sent.gross), booking)
    desk.done["booked"] += 1


def _booked(desk: _Desk, record: DocumentRecord, booking: Booking) -> None:
    """`record`: with the amount that was booked; it may have been edited since the list told of it."""
    desk.documents.booked(record, booking.number)
    key = desk.job.key
    desk.house.problems(key.account, key.administration).solve(f"document:{record.id}")


def _hold(desk: _Desk, record: DocumentRecord, error: SyncError) -> None:
    """A problem for a person; an error of the vendor itself goes up and ends the slice."""
    if stops_the_slice(error):
        raise error
    if isinstance(error, TryLater):
        return
    key = desk.job.key
    problems = desk.house.problems(key.account, key.administration)
    problems.report(f"document:{record.id}", record.connection, error, desk.house.clock.now(), record.number)
    desk.documents.held(record, error.cause)
    desk.done["held"] += 1
