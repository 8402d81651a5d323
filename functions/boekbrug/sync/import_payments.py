"""What the bookkeeper matched is paid in Teamleader too: money only, once, and never more than is due."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
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
from ..domain.ledger import BookingRef, Cursor, Done, Outcome, Settlement, SettlementKind
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
    Links,
    Settlements,
    WriteKind,
    WriteState,
)
from ..records import as_json, as_text, from_json, from_text
from .slices import Slice, active_connections, has_time, next_run, on_the_clock, stops_the_slice
from .write_once import FUNCTION_TIMEOUT, How, Protocol, Write, Written, write_once

BATCH = 100
"""Settlements looked at together: Teamleader tells what is due of a hundred invoices in one call."""
MONEY = (SettlementKind.PAYMENT, SettlementKind.WRITE_OFF)
SETTLE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Registration:
    """A payment we register: `paid_at` tells ours from a person's, to the second (design.md 5.5)."""

    document: DocumentId
    amount: Money
    paid_at: datetime


@dataclass(slots=True)
class _Desk:
    house: House
    job: Job
    deadline: Deadline
    focus: Focus
    links: Links
    documents: Documents
    settlements: Settlements
    connections: frozenset[ConnectionId]  # those switched on
    done: Counter[str] = field(default_factory=Counter)

    def problem(self, subject: str, record: DocumentRecord | None, error: SyncError) -> None:
        key = self.job.key
        self.house.problems(key.account, key.administration).report(
            subject,
            record.connection if record else None,
            error,
            self.house.clock.now(),
            record.number if record else "",
        )
        self.done[error.cause] += 1


def import_payments(house: House, job: Job, deadline: Deadline) -> Slice:
    """One slice: what changed among the open items is remembered, then dealt with booking by booking."""
    connections = active_connections(house, job)
    if not connections:
        return Slice({"connections": 0})
    key = job.key
    desk = _Desk(
        house=house,
        job=job,
        deadline=deadline,
        focus=house.focus(key.account),
        links=house.links(key.account, key.administration),
        documents=house.documents(key.account, key.administration),
        settlements=house.settlements(key.account, key.administration),
        connections=frozenset(connection.id for connection in connections),
    )
    if job.manual:
        _look_again(desk)
    look_again = _work_off(desk) if _remember_new(desk) else timedelta(0)
    now = house.clock.now()
    due_at = next_run(JobKind.PAYMENTS, connections, now) if look_again is None else now + look_again
    return Slice(dict(desk.done), due_at)


def _look_again(desk: _Desk) -> None:
    """A person asked for this run: invoices with a problem come in line once more, whether or not the books changed."""
    key = desk.job.key
    problems = desk.house.problems(key.account, key.administration).all()
    told = {problem.subject.split(":")[1] for problem in problems if problem.subject.startswith("payment:")}
    for intent in desk.links.intents(WriteKind.BOOKING, sorted(told)).values():
        if intent.result is not None:
            desk.settlements.claim(BookingRef(intent.result["ref"]))


def _remember_new(desk: _Desk) -> bool:
    """Read what was settled or opened again since the last run, and keep it before anything is done about it.

    False when the time ran out before the last page: what was read is kept, and the next slice reads on.
    """
    key = desk.job.key
    since = desk.job.cursor.get("settlements")
    for page in desk.house.ledger(key.account, key.administration).settlements(Cursor(since) if since else None):
        desk.settlements.remember(page.rows)
        for booking in sorted({settlement.booking for settlement in page.rows}):
            if desk.links.subject_of(WriteKind.BOOKING, booking):
                desk.settlements.claim(booking)
        desk.done["settlements"] += len(page.rows)
        desk.house.jobs.save_cursor(desk.job, {**desk.job.cursor, "settlements": page.cursor})
        if not has_time(desk.house, desk.deadline):
            return False
    return True


def _work_off(desk: _Desk) -> timedelta | None:
    """Deal with what is in line; how long to wait before going on, or None when nothing is left."""
    after: Settlement | None = None
    doubtful = False
    while has_time(desk.house, desk.deadline):
        pending = desk.settlements.pending(BATCH, after)
        if not pending:
            return on_the_clock(FUNCTION_TIMEOUT, desk.house.clock) if doubtful else None
        after = pending[-1]
        by_document = {
            DocumentId(document): list(parts)
            for booking, parts in groupby(pending, key=lambda settlement: settlement.booking)
            if (document := desk.links.subject_of(WriteKind.BOOKING, booking))
        }
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
    everything = desk.settlements.of_booking(parts[0].booking)
    intents = desk.links.intents(WriteKind.PAYMENT, [part.id for part in everything])
    return _register(desk, record, parts, everything, intents, state)


def _stands(intent: Intent | None) -> bool:
    return intent is not None and intent.state is WriteState.DONE


def _in_doubt(intent: Intent | None) -> bool:
    return intent is not None and intent.state in (WriteState.SENDING, WriteState.UNKNOWN)


def _register(
    desk: _Desk,
    record: DocumentRecord,
    parts: Sequence[Settlement],
    everything: Sequence[Settlement],
    intents: Mapping[str, Intent],
    state: InvoiceState,
) -> bool:
    """Register the shortfall of Teamleader against the books, part by part; whether an outcome is unknown."""
    in_books = _sum((part.amount for part in everything if part.kind in MONEY), state)
    ours = _sum((_sent(intent).amount for intent in intents.values() if _stands(intent)), state)
    paid, due = state.gross - state.due, state.due
    there: set[tuple[datetime, Money]] = set()
    if paid != ours or any(_in_doubt(intent) for intent in intents.values()):
        # Somebody else registered, credited or removed something: only the payments themselves tell (rules.md 6).
        payments = desk.focus.payments(record.id)
        paid = _sum((payment.amount for payment in payments), state)
        there = {(payment.paid_at, payment.amount) for payment in payments}
    for part in parts:
        if not has_time(desk.house, desk.deadline):
            return False  # the rest stays in line
        intent = intents.get(part.id)
        if _stands(intent) or (part.kind not in MONEY and not _in_doubt(intent)):
            _say_what_was_undone(desk, record, part, intent, paid, in_books)
            desk.settlements.dealt_with(part)
            continue
        shortfall = min(part.amount, in_books - paid, due)
        registration = Registration(record.id, shortfall, paid_at(part))
        if intent is not None and _in_doubt(intent):
            sent = _sent(intent)
            if (sent.paid_at, sent.amount) in there:
                registration = sent  # it arrived: the write protocol only has to find it
            elif shortfall.amount <= 0 or part.kind not in MONEY:  # not needed, or undone since
                if not _gave_up(desk, intent):
                    return True
                desk.settlements.dealt_with(part)
                continue
        elif shortfall.amount <= 0:
            # Nothing is missing: it was registered by hand, online or by direct debit.
            desk.settlements.dealt_with(part)
            desk.done["already_there"] += 1
            continue
        result = _write(desk, part, registration)
        if isinstance(result, OutcomeUnknown):
            return True  # the next part's shortfall depends on this one
        if isinstance(result, SyncError):
            desk.problem(_subject(record, part), record, result)
        else:
            if result.how is How.SENT:
                paid, due = paid + registration.amount, due - registration.amount
            _registered(desk, record, part, result)
            _say_what_was_undone(desk, record, part, result.intent, paid, in_books)
        desk.settlements.dealt_with(part)
    _say_what_differs(desk, record, everything, state, due)
    return False


def _subject(record: DocumentRecord, part: Settlement) -> str:
    """What a problem about one part of an invoice is filed under; one about the whole has no third word."""
    return f"payment:{record.id}:{part.id}"


def _say_what_was_undone(
    desk: _Desk, record: DocumentRecord, part: Settlement, intent: Intent | None, paid: Money, in_books: Money
) -> None:
    """Teamleader is never set back from paid: a person decides (rules.md 23), and then it is no problem any more.

    A match that was undone may have been made again for less before we looked: then the rest of it is undone.
    """
    if intent is None or not _stands(intent):
        return
    is_open = part.kind is SettlementKind.OPEN
    undone = part.amount if is_open else _sent(intent).amount - part.amount
    if undone.amount > 0 and in_books < paid:
        desk.problem(_subject(record, part), record, MatchUndone(amount=str(undone)))
    else:
        key = desk.job.key
        desk.house.problems(key.account, key.administration).solve(_subject(record, part))


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
    desk.house.problems(key.account, key.administration).solve(_subject(record, part))


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
        key = desk.job.key
        desk.house.problems(key.account, key.administration).solve(subject)


def _write(desk: _Desk, part: Settlement, registration: Registration) -> Written[Registration] | SyncError:
    payload = as_text(registration)
    write = Write(part.id, payload, hashlib.sha256(payload.encode()).hexdigest())
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


def paid_at(settlement: Settlement) -> datetime:
    """The second that marks a registration as ours: noon of the money's day, plus up to an hour by the settlement."""
    second = int.from_bytes(hashlib.sha256(settlement.id.encode()).digest()[:4], "big") % 3600
    return datetime.combine(settlement.day, time(12), UTC) + timedelta(seconds=second)


def _sent(intent: Intent) -> Registration:
    return from_text(Registration, intent.payload)


def _all_dealt_with(desk: _Desk, parts: Sequence[Settlement]) -> bool:
    for part in parts:
        desk.settlements.dealt_with(part)
    return False


def _sum(amounts: Iterable[Money], state: InvoiceState) -> Money:
    return Money.total(amounts, state.gross.currency)
