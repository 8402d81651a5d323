"""What the bookkeeper matched is paid in Teamleader too: money only, once, and never more than is due."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby

from ..domain.connections import ConnectionId, JobKind
from ..domain.documents import DocumentId, DocumentKind
from ..domain.errors import (
    DocumentGone,
    MatchUndone,
    OutcomeUnknown,
    PaymentDiffers,
    StillDue,
    SyncError,
)
from ..domain.ledger import (
    Booking,
    BookingRef,
    Cursor,
    Done,
    OpenItem,
    Outcome,
    Settlement,
    SettlementKind,
    same_reference,
)
from ..domain.money import Money
from ..ports import (
    Deadline,
    DocumentRecord,
    Documents,
    Focus,
    House,
    Intent,
    InvoiceState,
    Job,
    Ledger,
    Links,
    Problems,
    Settlements,
    WriteKind,
    WriteState,
)
from ..records import as_json, as_text, from_json, from_text
from .slices import Deed, Slice, active_connections, has_time, next_run, on_the_clock, stops_the_slice
from .write_once import FUNCTION_TIMEOUT, How, Protocol, Write, Written, write_once

BATCH = 100
"""Settlements looked at together: Teamleader tells what is due of a hundred invoices in one call."""
MONEY = (SettlementKind.PAYMENT, SettlementKind.WRITE_OFF)
KNOWN = (*MONEY, SettlementKind.RECEIPT)
"""What counts as paid in the books: money, and what Teamleader had first."""
SETTLE = timedelta(seconds=60)
CHECK_EVERY = timedelta(hours=12)
"""How often open items are compared: a whole list each time, of which a package gives few a day (rules.md 22)."""


@dataclass(frozen=True, slots=True)
class Registration:
    """A payment we register: `paid_at` tells ours from a person's, to the second (design.md 5.5)."""

    document: DocumentId
    amount: Money
    paid_at: datetime
    part: Money | None = None  # how much the books had settled by this part then: what it grows by is registered anew


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent for one part of an open item: once, and once more each time it grew."""

    intents: tuple[Intent, ...]  # in order

    @property
    def last(self) -> Intent | None:
        return self.intents[-1] if self.intents else None

    @property
    def stand(self) -> list[Registration]:
        """What Teamleader has of it by us."""
        return [_sent(intent) for intent in self.intents if _stands(intent)]


@dataclass(slots=True)
class _Desk:
    house: House
    job: Job
    deadline: Deadline
    focus: Focus
    ledger: Ledger
    links: Links
    documents: Documents
    settlements: Settlements
    connections: frozenset[ConnectionId]  # those switched on
    start: date  # the earliest of theirs
    problems: Problems
    told: set[str]  # subjects of the problems about payments that people read now
    looked: bool = False  # the books were read in this slice, so that what they say now can be compared
    done: Counter[str] = field(default_factory=Counter)

    def save_cursor(self, **changes: str | None) -> None:
        """Add these to the job's cursor, or drop what is None. Raises LeaseLost."""
        cursor = {name: at for name, at in {**self.job.cursor, **changes}.items() if at is not None}
        self.house.jobs.save_cursor(self.job, cursor)
        self.job = replace(self.job, cursor=cursor)

    def problem(self, subject: str, record: DocumentRecord | None, error: SyncError) -> None:
        self.problems.report(
            subject,
            record.connection if record else None,
            error,
            self.house.clock.now(),
            record.number if record else "",
        )
        self.told.add(subject)
        self.done[error.cause] += 1

    def solve(self, subject: str) -> None:
        """Nearly every payment is right and was never told of: that costs no write."""
        if subject in self.told:
            self.problems.solve(subject)
            self.told.remove(subject)


def import_payments(house: House, job: Job, deadline: Deadline, then: Deed | None = None) -> Slice:
    """One slice: what changed among the open items is remembered, then dealt with booking by booking.

    `then`: what follows once nothing is left to deal with; it may have the job come back earlier.
    """
    connections = active_connections(house, job)
    if not connections:
        return Slice({"connections": 0})
    key = job.key
    problems = house.problems(key.account, key.administration)
    desk = _Desk(
        house=house,
        job=job,
        deadline=deadline,
        focus=house.focus(key.account),
        ledger=house.ledger(key.account, key.administration),
        links=house.links(key.account, key.administration),
        documents=house.documents(key.account, key.administration),
        settlements=house.settlements(key.account, key.administration),
        connections=frozenset(connection.id for connection in connections),
        start=min(connection.start for connection in connections),
        problems=problems,
        told={problem.subject for problem in problems.all() if problem.subject.startswith("payment:")},
    )
    if job.manual:
        _look_again(desk)
    look_again = _work_off(desk) if _remember_new(desk) and _check_open_items(desk) else timedelta(0)
    if look_again is not None:
        return Slice(dict(desk.done), house.clock.now() + look_again)
    more = then(house, desk.job, deadline) if then else Slice()
    times = (more.due_at, next_run(JobKind.PAYMENTS, connections, house.clock.now()))
    return Slice({**desk.done, **more.result}, min(filter(None, times), default=None))


def _look_again(desk: _Desk) -> None:
    """A person asked for this run: invoices with a problem come in line once more, whether or not the books changed."""
    told = sorted({subject.split(":")[1] for subject in desk.told})
    for intent in desk.links.intents(WriteKind.BOOKING, told).values():
        if intent.result is not None:
            desk.settlements.claim(BookingRef(intent.result["ref"]))


def _remember_new(desk: _Desk) -> bool:
    """Read what was settled or opened again since the last run, and keep it before anything is done about it.

    False when the time ran out before the last page: what was read is kept, and the next slice reads on.
    """
    cursor, start = desk.job.cursor, desk.start.isoformat()
    if start < cursor.get("settlements_from", ""):
        cursor = {}  # an earlier start is read from the beginning
    since = cursor.get("settlements")
    read_from = cursor.get("settlements_from", start)
    for page in desk.ledger.settlements(Cursor(since) if since else None, date.fromisoformat(read_from)):
        desk.settlements.remember(page.rows)
        for booking in sorted(desk.links.subjects_of(WriteKind.BOOKING, [part.booking for part in page.rows])):
            desk.settlements.claim(booking)
        desk.done["settlements"] += len(page.rows)
        desk.save_cursor(settlements=page.cursor, settlements_from=read_from)
        desk.looked = True
        if not has_time(desk.house, desk.deadline):
            return False
    return True


def _check_open_items(desk: _Desk) -> bool:
    """Twice a day, what is open in the books is compared with what we remember; False when the time ran out.

    A difference has every settlement read anew, once: what differs even then is a person's to look at. Only right
    after a look: an older one would differ by what was matched since.
    """
    now, cursor = desk.house.clock.now(), desk.job.cursor
    due_at = datetime.fromisoformat(cursor["open_items"]) + CHECK_EVERY if "open_items" in cursor else now
    if not desk.looked or now < due_at:
        return True
    items = desk.ledger.open_items()
    if items is None:
        return True
    told = {subject for subject in desk.told if subject.endswith(":open")}
    before = [DocumentId(subject.split(":")[1]) for subject in told]
    compared = {_about_what_is_open(document): (document, error) for document, error in _compare(desk, items, before)}
    for subject in told & compared.keys():
        if compared[subject][1] is None:
            desk.solve(subject)
    differing = {subject: found for subject, found in compared.items() if found[1] is not None}
    if differing.keys() - told and "read_anew" not in cursor:
        desk.save_cursor(open_items=now.isoformat(), read_anew=now.isoformat(), settlements=None)
        return _remember_new(desk)
    for subject, (document, error) in differing.items():
        record = desk.documents.record(document)
        if error is not None and record is not None and record.connection in desk.connections:
            desk.problem(subject, record, error)
    desk.save_cursor(open_items=now.isoformat(), read_anew=None)
    return True


def _compare(
    desk: _Desk, items: Sequence[OpenItem], told: Sequence[DocumentId]
) -> Iterator[tuple[DocumentId, PaymentDiffers | None]]:
    """For each open item that is ours how it differs from what we remember, None when it does not.

    And of those told of before that are not open any more, those of which we know that they are settled: by itself,
    a row that is not there proves nothing.
    """
    length = desk.ledger.abilities.reference_length
    owners = desk.links.subjects_of(WriteKind.BOOKING, [item.booking for item in items])
    intents = desk.links.intents(WriteKind.BOOKING, list(owners.values()))
    for item in items:
        intent = intents.get(owners.get(item.booking, ""))
        booked = remembered(intent)
        if intent is None or booked is None or not fits(item, booked, length):
            continue
        rest = _rest(desk, booked, length)
        differs = None if rest == item.open else PaymentDiffers(books=str(item.open), due=str(rest))
        yield DocumentId(intent.subject), differs
    closed = [document for document in told if document not in owners.values()]
    for document, intent in desk.links.intents(WriteKind.BOOKING, closed).items():
        booked = remembered(intent)
        if booked is None or not _rest(desk, booked, length):
            yield DocumentId(document), None


def _rest(desk: _Desk, booked: Booking, length: int) -> Money:
    """What must still be open of a booking by all we know of."""
    parts = [part for part in desk.settlements.of_booking(booked.ref) if part.kind is not SettlementKind.OPEN]
    currency = booked.gross.currency
    amounts = (p.amount for p in parts if fits(p, booked, length) and p.amount.currency == currency)
    settled = Money.total(amounts, currency)
    return booked.gross - settled if booked.gross.amount > 0 else booked.gross + settled


def _about_what_is_open(document: DocumentId) -> str:
    return f"payment:{document}:open"


def _work_off(desk: _Desk) -> timedelta | None:
    """Deal with what is in line; how long to wait before going on, or None when nothing is left."""
    after: Settlement | None = None
    doubtful = False
    while has_time(desk.house, desk.deadline):
        pending = desk.settlements.pending(BATCH, after)
        if not pending:
            return on_the_clock(FUNCTION_TIMEOUT, desk.house.clock) if doubtful else None
        after = pending[-1]
        by_document: dict[DocumentId, list[Settlement]] = {}
        owners = desk.links.subjects_of(WriteKind.BOOKING, [part.booking for part in pending])
        for booking, parts in groupby(pending, key=lambda settlement: settlement.booking):
            if document := owners.get(booking):
                by_document[DocumentId(document)] = list(parts)
            else:
                _all_dealt_with(desk, list(parts))  # the booking is gone, and was ours when these came in line
        states = desk.focus.invoice_states(list(by_document)) if by_document else {}
        for document, parts in by_document.items():
            if not has_time(desk.house, desk.deadline):
                return timedelta(0)
            try:
                doubtful |= _deal_with(desk, document, parts, states.get(document))
            except SyncError as error:
                if stops_the_slice(error):
                    raise
                desk.problem(f"payment:{document}", desk.documents.record(document), error)
    return timedelta(0)


def _deal_with(desk: _Desk, document: DocumentId, parts: Sequence[Settlement], state: InvoiceState | None) -> bool:
    """Bring one invoice in Teamleader up to what the books say; whether an outcome is unknown.

    A credit note has no payments in Teamleader: its settlements are only remembered.
    """
    record = desk.documents.record(document)
    if record is None or record.kind is not DocumentKind.INVOICE:
        return _all_dealt_with(desk, parts)
    if record.connection not in desk.connections:
        return False  # switched off: it waits in line for the day it is switched on again
    if state is None:
        desk.problem(f"payment:{document}", record, DocumentGone())
        return _all_dealt_with(desk, parts)
    if any(part.amount.currency != state.due.currency for part in parts):
        desk.problem(f"payment:{document}", record, PaymentDiffers(books=str(parts[0].amount), due=str(state.due)))
        return _all_dealt_with(desk, parts)
    fitting = _those_that_fit(desk, record, parts[0].booking)
    fit = {part.id for part in fitting}
    for part in parts:
        if part.id not in fit:
            _say_it_does_not_fit(desk, record, part, state)
    return _register(desk, record, [part for part in parts if part.id in fit], fitting, state)


def _those_that_fit(desk: _Desk, record: DocumentRecord, booking: BookingRef) -> list[Settlement]:
    """All that is known to settle our booking: not what another one settled that had its name before (rules.md 4)."""
    everything = list(desk.settlements.of_booking(booking))
    if not any(_tells_its_booking(part) for part in everything):
        return everything
    booked = remembered(desk.links.intent(WriteKind.BOOKING, record.id))
    length = desk.ledger.abilities.reference_length
    return [part for part in everything if booked and fits(part, booked, length)]


def remembered(intent: Intent | None) -> Booking | None:
    """A document's booking as it was booked; None when it is not in the books (any more)."""
    return from_json(Booking, dict(intent.result or {})) if intent and _stands(intent) else None


def _tells_its_booking(part: Settlement) -> bool:
    return part.gross is not None or bool(part.references)


def fits(now: Settlement | OpenItem, booked: Booking, length: int) -> bool:
    """Whether the books still speak of the booking we remember, as far as they tell its amount and its number."""
    if now.gross is not None and now.gross != abs(booked.gross):
        return False
    ours = [one for one in (booked.reference, *booked.other_references) if one]
    theirs = [one for one in now.references if one]
    return not (ours and theirs) or any(same_reference(one, other, length) for one in theirs for other in ours)


def _say_it_does_not_fit(desk: _Desk, record: DocumentRecord, part: Settlement, state: InvoiceState) -> None:
    said = ", ".join(filter(None, (str(part.amount), str(part.gross or ""), *part.references)))
    desk.problem(_subject(record, part), record, PaymentDiffers(books=said, due=str(state.due)))
    desk.settlements.dealt_with(part)


def _stands(intent: Intent | None) -> bool:
    return intent is not None and intent.state is WriteState.DONE


def _in_doubt(intent: Intent | None) -> bool:
    return intent is not None and intent.state in (WriteState.SENDING, WriteState.UNKNOWN)


def registered_for(links: Links, parts: Sequence[Settlement]) -> dict[str, Sent]:
    """What was sent for each of these parts."""
    found: dict[str, list[Intent]] = {part.id: [] for part in parts}
    asked = {part.id: part.id for part in parts}  # by what each is filed under
    while asked:
        intents = links.intents(WriteKind.PAYMENT, list(asked))
        for subject, intent in intents.items():
            found[asked[subject]].append(intent)
        # A part grows only after it was registered: then what it grew by may be there too.
        asked = {_filed_under(asked[s], len(found[asked[s]])): asked[s] for s, i in intents.items() if _stands(i)}
    return {part: Sent(tuple(intents)) for part, intents in found.items()}


def _filed_under(part: str, earlier: int) -> str:
    """The subject of a registration for a part that so many went before."""
    return f"{part}+{earlier}" if earlier else part


def _register(
    desk: _Desk,
    record: DocumentRecord,
    parts: Sequence[Settlement],
    everything: Sequence[Settlement],
    state: InvoiceState,
) -> bool:
    """Register the shortfall of Teamleader against the books, part by part; whether an outcome is unknown."""
    sent_for = registered_for(desk.links, everything)
    in_books = _sum((part.amount for part in everything if part.kind in KNOWN), state)
    ours = _sum((one.amount for sent in sent_for.values() for one in sent.stand), state)
    paid, due = state.gross - state.due, state.due
    there: set[tuple[datetime, Money]] = set()
    if paid != ours or any(_in_doubt(sent.last) for sent in sent_for.values()):
        # Somebody else registered, credited or removed something: only the payments themselves tell (rules.md 6).
        payments = desk.focus.payments(record.id)
        paid = _sum((payment.amount for payment in payments), state)
        there = {(payment.paid_at, payment.amount) for payment in payments}
        for part in everything:
            if not _found(desk, record, part, sent_for, there):
                return True
    for part in parts:
        if not has_time(desk.house, desk.deadline):
            return False  # the rest stays in line
        sent, intent = sent_for[part.id], sent_for[part.id].last
        unsent = _unsent(part, sent)
        wanted = part.kind in MONEY and unsent.amount > 0
        shortfall = min(unsent, in_books - paid, due)
        if intent and _in_doubt(intent) and (not wanted or shortfall.amount <= 0) and not _gave_up(desk, intent):
            return True
        if not wanted:
            _say_what_was_undone(desk, record, part, sent, paid, in_books)
            desk.settlements.dealt_with(part)
            continue
        if shortfall.amount <= 0:
            # Nothing is missing: it was registered by hand, online or by direct debit.
            _say_it_is_right(desk, record, part)
            desk.settlements.dealt_with(part)
            desk.done["already_there"] += 1
            continue
        subject = _filed_under(part.id, len(sent.stand))
        registration = Registration(record.id, shortfall, paid_at(subject, part.day), part.amount)
        result = _write(desk, subject, registration)
        if isinstance(result, OutcomeUnknown):
            return True  # the next part's shortfall depends on this one
        if isinstance(result, SyncError):
            desk.problem(_subject(record, part), record, result)
        else:
            if result.how is How.SENT:
                paid, due = paid + registration.amount, due - registration.amount
            _registered(desk, record, part, result)
            _say_what_was_undone(desk, record, part, Sent((result.intent,)), paid, in_books)
        desk.settlements.dealt_with(part)
    _say_what_differs(desk, record, everything, state, due)
    return False


def _found(
    desk: _Desk,
    record: DocumentRecord,
    part: Settlement,
    sent_for: dict[str, Sent],
    there: Container[tuple[datetime, Money]],
) -> bool:
    """Whether we know about the last registration of a part: one in doubt that arrived is noted as standing."""
    sent = sent_for[part.id]
    if sent.last is None or not _in_doubt(sent.last):
        return True
    arrived = _sent(sent.last)
    if (arrived.paid_at, arrived.amount) not in there:
        return True  # the write protocol waits, and proves that it is not there
    result = _write(desk, sent.last.subject, arrived)
    if not isinstance(result, Written):
        return False
    sent_for[part.id] = Sent((*sent.intents[:-1], result.intent))
    _registered(desk, record, part, result)
    return True


def _unsent(part: Settlement, sent: Sent) -> Money:
    """How much of a part the books settled since we registered it; all of it when we never did.

    Not what was registered, which may be less: the rest was there already.
    """
    if not sent.stand:
        return part.amount
    # Before parts could grow, how much they were was not remembered: such a one has not grown.
    return part.amount - (sent.stand[-1].part or part.amount)


def _subject(record: DocumentRecord, part: Settlement) -> str:
    """What a problem about one part of an invoice is filed under; one about the whole has no third word."""
    return f"payment:{record.id}:{part.id}"


def _say_what_was_undone(
    desk: _Desk, record: DocumentRecord, part: Settlement, sent: Sent, paid: Money, in_books: Money
) -> None:
    """Teamleader is never set back from paid: a person decides (rules.md 23), and then it is no problem any more."""
    if not sent.stand:
        _say_it_is_right(desk, record, part)
        return
    shrunk = -_unsent(part, sent)
    if part.kind is SettlementKind.OPEN and in_books < paid:
        desk.problem(_subject(record, part), record, MatchUndone(amount=str(part.amount)))
    elif shrunk.amount > 0 and in_books < paid:
        desk.problem(_subject(record, part), record, MatchUndone(amount=str(shrunk)))
    else:
        desk.solve(_subject(record, part))


def _say_it_is_right(desk: _Desk, record: DocumentRecord, part: Settlement) -> None:
    """A part that did not fit may have been told of; one that tells nothing of its booking always fitted."""
    if _tells_its_booking(part):
        desk.solve(_subject(record, part))


def _gave_up(desk: _Desk, intent: Intent) -> bool:
    """Drop a registration that got no answer and is not needed any more, once it can be proved not to have arrived."""
    if desk.house.real.now() < intent.sent_at + FUNCTION_TIMEOUT + SETTLE:
        return False
    desk.links.refuse(intent, "NothingDue")
    return True


def _registered(desk: _Desk, record: DocumentRecord, part: Settlement, written: Written[Registration]) -> None:
    desk.done["registered"] += 1
    key = desk.job.key
    facts = {"document": record.id, "settlement": part.id, "amount": str(written.value.amount), "how": written.how}
    desk.house.audit(key.account).append(key.administration, "payment", facts, desk.house.clock.now())
    desk.solve(_subject(record, part))


def _say_what_differs(
    desk: _Desk,
    record: DocumentRecord,
    everything: Sequence[Settlement],
    state: InvoiceState,
    due: Money,
) -> None:
    """Both sides agree on paid, or a problem says why not (rules.md 22, 23)."""
    settled = _sum((part.amount for part in everything if part.kind is not SettlementKind.OPEN), state)
    by_credit_note = any(part.kind is SettlementKind.CREDIT_NOTE for part in everything)
    subject = f"payment:{record.id}"
    still_due = due if state.gross.amount > 0 else -due  # an invoice below zero is settled by paying it out
    if settled == abs(state.gross) and still_due.amount > 0:
        error = StillDue(due=str(due)) if by_credit_note else PaymentDiffers(books=str(settled), due=str(due))
        desk.problem(subject, record, error)
    else:
        desk.solve(subject)


def _write(desk: _Desk, subject: str, registration: Registration) -> Written[Registration] | SyncError:
    payload = as_text(registration)
    write = Write(subject, payload, hashlib.sha256(payload.encode()).hexdigest())
    return write_once([write], payment_protocol(desk.focus), desk.links, desk.house.real)[0]


def payment_protocol(focus: Focus) -> Protocol[Registration]:
    """Registering has no id to look for: the second we chose, and the amount, tell ours (design.md 5.5)."""

    def send(writes: Sequence[Write]) -> Sequence[Outcome[Registration]]:
        sent = [from_text(Registration, write.payload) for write in writes]
        answers: list[Outcome[Registration]] = []
        for one in sent:
            outcome = focus.register_payment(one.document, one.amount, one.paid_at)
            answers.append(Done(one) if isinstance(outcome, Done) else outcome)
        return answers

    def probe(intents: Sequence[Intent]) -> Sequence[Registration | None]:
        answers: list[Registration | None] = []
        for intent in intents:
            sent = from_text(Registration, intent.payload)
            there = {(p.paid_at, p.amount) for p in focus.payments(sent.document)}
            answers.append(sent if (sent.paid_at, sent.amount) in there else None)
        return answers

    return Protocol(
        kind=WriteKind.PAYMENT,
        send=send,
        probe=probe,
        encode=as_json,
        decode=lambda result: from_json(Registration, dict(result)),
        settle=SETTLE,
    )


def paid_at(subject: str, day: date) -> datetime:
    """The second that marks a registration as ours: noon of the money's day, plus up to an hour by its subject."""
    second = int.from_bytes(hashlib.sha256(subject.encode()).digest()[:4], "big") % 3600
    return datetime.combine(day, time(12), UTC) + timedelta(seconds=second)


def _sent(intent: Intent) -> Registration:
    return from_text(Registration, intent.payload)


def _all_dealt_with(desk: _Desk, parts: Sequence[Settlement]) -> bool:
    for part in parts:
        desk.settlements.dealt_with(part)
    return False


def _sum(amounts: Iterable[Money], state: InvoiceState) -> Money:
    return Money.total(amounts, state.gross.currency)
