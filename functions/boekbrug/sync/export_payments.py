"""Money that only Teamleader has is entered in the books, once, and matched to its invoice (rules.md 25).

    open in the books, and Teamleader asks less
        └─ each payment that we did not register, and that the books do not have
               └─ an entry (RECEIPT) ──▶ its match with the invoice (MATCH)

Off unless a person chose a journal and an account. Never in a bank journal: the bank's own file brings that money, and
the bookkeeper finds its counterpart on the clearing account.

What is in doubt is settled before anything else is sent, and an entry that cannot be matched stops the rest: it changes
what its customer seems to owe. Both are looked after until they are clear, whatever becomes of the payment in
Teamleader and of the switch.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from ..domain.clearing import ACCOUNT, JOURNAL, misfit
from ..domain.connections import Connection, ConnectionId
from ..domain.documents import DocumentId, DocumentKind, document_key
from ..domain.entries import period_for
from ..domain.errors import (
    AccountBlocked,
    FiscalYearMissing,
    JournalMissing,
    NeedsLogin,
    NumberTaken,
    OutcomeUnknown,
    PaymentDiffers,
    PaymentNotBooked,
    PaymentNotMatched,
    PeriodClosed,
    RateLimited,
    RefusedByPackage,
    RelationGone,
    SyncError,
    TryLater,
)
from ..domain.ledger import (
    Booking,
    Books,
    Entered,
    Match,
    OpenItem,
    Outcome,
    PreparedReceipt,
    Receipt,
    Refused,
    Settlement,
    SettlementKind,
)
from ..domain.money import Money
from ..ports import (
    Deadline,
    DocumentRecord,
    Documents,
    DocumentState,
    Focus,
    House,
    Intent,
    InvoiceState,
    Job,
    Ledger,
    Links,
    Problems,
    Receipts,
    Settlements,
    WriteKind,
    WriteState,
)
from ..records import as_json, as_text, from_json, from_text
from .import_payments import KNOWN, fits, import_payments, registered_for, remembered
from .slices import LAST_WRITE, Slice, active_connections, has_time, on_the_clock, stops_the_slice
from .snapshots import load_books
from .write_once import FUNCTION_TIMEOUT, Protocol, Write, Written, write_once

BATCH = 100
"""Invoices looked at together: Teamleader tells what is due of a hundred in one call."""
LOOK_EVERY = timedelta(minutes=100)
"""How often open items are asked for: a package gives 24 such lists a day, some of which the check takes."""
OFFERS = 2
"""Of one payment in a slice: its number may have been taken by somebody. More is for the next look."""

_REASONS: Mapping[type[SyncError], str] = {
    PeriodClosed: "period_closed",
    FiscalYearMissing: "no_fiscal_year",
    JournalMissing: JOURNAL,
    AccountBlocked: ACCOUNT,
    RelationGone: "relation_gone",
}
"""What people read of causes whose own sentence speaks of a document that is not booked."""


@dataclass(frozen=True, slots=True)
class _Payment:
    """A payment in Teamleader that we did not register there. It has no id: what it is makes its name."""

    subject: str
    paid_at: datetime
    amount: Money


@dataclass(frozen=True, slots=True)
class _Open:
    """An invoice of ours that is open in the books."""

    document: DocumentId
    item: OpenItem
    booked: Booking


@dataclass(slots=True)
class _Desk:
    house: House
    job: Job
    deadline: Deadline
    focus: Focus
    ledger: Ledger
    receipts: Receipts
    links: Links
    documents: Documents
    settlements: Settlements
    books: Books
    connections: Mapping[ConnectionId, Connection]  # those switched on
    beside: set[str]  # the entries that may stand unmatched, by their payment's name
    reached: str  # the last invoice of a look that broke off
    stopped: bool = False  # nothing more is sent in this slice
    doubtful: bool = False  # whether an outcome is unknown
    waits: bool = False  # whether something goes on at the next look
    done: Counter[str] = field(default_factory=Counter)

    @property
    def problems(self) -> Problems:
        return self.house.problems(self.job.key.account, self.job.key.administration)

    @property
    def now(self) -> datetime:
        return self.house.clock.now()

    def problem(self, record: DocumentRecord, error: SyncError) -> None:
        self.problems.report(_about(record.id), record.connection, error, self.now, record.number)
        self.done[error.cause] += 1

    def audit(self, what: str, **facts: str) -> None:
        key = self.job.key
        self.house.audit(key.account).append(key.administration, what, facts, self.now)

    def save_cursor(self, **changes: str | None) -> None:
        """Add these to the job's cursor, or drop what is None. Raises LeaseLost."""
        cursor = {name: at for name, at in {**self.job.cursor, **changes}.items() if at is not None}
        self.house.jobs.save_cursor(self.job, cursor)
        self.job = replace(self.job, cursor=cursor)

    def save_place(self) -> None:
        """What stands unmatched, and how far the look came. Raises LeaseLost."""
        place = {"outward_at": " ".join(sorted(self.beside)) or None, "outward_after": self.reached or None}
        if any(self.job.cursor.get(name) != at for name, at in place.items()):
            self.save_cursor(**place)

    def brings(self, record: DocumentRecord) -> bool:
        connection = self.connections.get(record.connection)
        return connection is not None and connection.outward is not None


def sync_payments(house: House, job: Job, deadline: Deadline) -> Slice:
    """One slice of the payments job: first what the books settled, then what only Teamleader has."""
    return import_payments(house, job, deadline, export_payments)


def export_payments(house: House, job: Job, deadline: Deadline) -> Slice:
    """Bring the payments that the books lack, where a person wants that; when to come back for what waits."""
    key = job.key
    connections = {one.id: one for one in active_connections(house, job)}
    brings = any(connection.outward for connection in connections.values())
    known = load_books(house.snapshots(key.account), key.administration)
    if known is None or not (brings or "outward" in job.cursor):
        return Slice()
    ledger = house.ledger(key.account, key.administration)
    receipts = ledger.receipts()
    if receipts is None:
        return Slice()
    desk = _Desk(
        house=house,
        job=job,
        deadline=deadline,
        focus=house.focus(key.account),
        ledger=ledger,
        receipts=receipts,
        links=house.links(key.account, key.administration),
        documents=house.documents(key.account, key.administration),
        settlements=house.settlements(key.account, key.administration),
        books=known[0],
        connections=connections,
        beside=set(job.cursor.get("outward_at", "").split()),
        reached=job.cursor.get("outward_after", ""),
    )
    looked = _last_look(job)
    try:
        _settle_doubts(desk)
        due = looked is None or desk.now >= looked + LOOK_EVERY or not (brings or desk.beside)
        if due and not (desk.doubtful or desk.stopped):
            looked = desk.now
            # Kept before the look: a report that fails is not asked for all day.
            desk.save_cursor(outward=looked.isoformat(), outward_waits="yes")
            _look_after(desk)
            if brings:
                _bring_all(desk)
            if not desk.waits and not desk.doubtful:
                over = not (brings or desk.beside)  # switched off, and nothing is left to look after
                desk.save_cursor(outward=None if over else looked.isoformat(), outward_waits=None)
    except RateLimited:
        desk.waits = True
    desk.save_place()
    if desk.doubtful:
        return Slice(desk.done, desk.now + on_the_clock(FUNCTION_TIMEOUT, house.clock))
    if not (desk.waits or "outward_waits" in desk.job.cursor):
        return Slice(desk.done)
    next_look = (looked or desk.now) + LOOK_EVERY
    return Slice(desk.done, next_look if next_look > desk.now else desk.now + LOOK_EVERY)


def _last_look(job: Job) -> datetime | None:
    return datetime.fromisoformat(job.cursor["outward"]) if "outward" in job.cursor else None


def _settle_doubts(desk: _Desk) -> None:
    """What was sent without an answer is offered again, whatever is open now; an entry that stands is matched."""
    for intent in desk.links.unsettled():
        if intent.kind not in (WriteKind.RECEIPT, WriteKind.MATCH):
            continue
        record = desk.documents.record(_document_of(intent.subject))
        receipt = desk.links.intent(WriteKind.RECEIPT, intent.subject)
        if record is None or receipt is None or record.connection not in desk.connections:
            continue
        if not has_time(desk.house, desk.deadline):
            desk.doubtful = True
            return
        desk.beside.add(intent.subject)
        prepared = from_text(PreparedReceipt, receipt.payload)
        if intent.kind is WriteKind.RECEIPT:
            result = _write_receipt(desk, Write(intent.subject, intent.payload, intent.payload_hash))
            desk.doubtful |= isinstance(result, OutcomeUnknown)
            if not isinstance(result, Written):
                continue
            _entered(desk, record, prepared, result)
        if _is_late(desk):
            return
        _match(desk, record, intent.subject, prepared)
    if not desk.doubtful:
        _finish(desk, told=False)


def _look_after(desk: _Desk) -> None:
    """What is left of earlier looks: entries beside their invoice, and problems of what was switched off since."""
    _finish(desk, told=True)
    standing = {_document_of(subject) for subject in desk.beside}
    for record in _told(desk):
        if not desk.brings(record) and record.id not in standing:
            desk.problems.solve(_about(record.id))


def _finish(desk: _Desk, *, told: bool) -> None:
    """Match the entries that stand unmatched, whether or not their invoice is still open: nobody else would look.

    Those people were told of, when `told`: these are tried at each look only.
    """
    matches = desk.links.intents(WriteKind.MATCH, sorted(desk.beside))
    for subject in sorted(desk.beside):
        record = desk.documents.record(_document_of(subject))
        if record is None or record.connection not in desk.connections:
            continue
        match = matches.get(subject)
        if not told and match is not None and match.state is WriteState.REFUSED:
            continue
        if desk.stopped or not _match_all(desk, record, _unmatched(desk, [subject])):
            return
        desk.beside.discard(subject)


def _document_of(subject: str) -> DocumentId:
    return DocumentId(subject.partition("~")[0])


def _bring_all(desk: _Desk) -> None:
    """Compare what is open in the books with what Teamleader asks, invoice by invoice."""
    standing = {_document_of(subject) for subject in desk.beside}
    told = {record.id for record in _told(desk)} - standing
    found = sorted(_ours(desk, desk.ledger.open_items() or ()), key=_place)
    for document in told - {one.document for one in found}:
        desk.problems.solve(_about(document))
    later = [one for one in found if _place(one) > desk.reached]
    found = later + found[: len(found) - len(later)]  # a look that broke off goes on where it was
    for first in range(0, len(found), BATCH):
        part = found[first : first + BATCH]
        states = desk.focus.invoice_states([one.document for one in part])
        for one in part:
            if not has_time(desk.house, desk.deadline):
                desk.waits = True
                return
            state = states.get(one.document)
            if state is not None and _asks_less(state, one.item):
                _bring(desk, one, state)
            elif one.document in told:
                desk.problems.solve(_about(one.document))
            if has_time(desk.house, desk.deadline):
                desk.reached = _place(one)
    desk.reached = ""


def _place(one: _Open) -> str:
    """The order in which invoices are brought: the oldest first."""
    return f"{one.booked.day.isoformat()} {one.document}"


def _ours(desk: _Desk, items: Sequence[OpenItem]) -> Iterator[_Open]:
    """The open items that are invoices of ours, by all the books say of them (rules.md 4)."""
    length = desk.ledger.abilities.reference_length
    owners = desk.links.subjects_of(WriteKind.BOOKING, [item.booking for item in items])
    intents = desk.links.intents(WriteKind.BOOKING, list(owners.values()))
    for item in items:
        booked = remembered(intents.get(owners.get(item.booking, "")))
        if booked is None or booked.ref != item.booking or not fits(item, booked, length):
            continue
        if booked.kind is DocumentKind.INVOICE and booked.gross.amount > 0:
            yield _Open(DocumentId(owners[item.booking]), item, booked)


def _asks_less(state: InvoiceState, item: OpenItem) -> bool:
    return state.due.currency == item.open.currency and state.due.amount < item.open.amount


def _told(desk: _Desk) -> Iterator[DocumentRecord]:
    """The invoices whose payments people were told of."""
    for problem in desk.problems.all():
        kind, _, rest = problem.subject.partition(":")
        if kind != "payment" or not rest.endswith(":outward"):
            continue
        record = desk.documents.record(DocumentId(rest.removesuffix(":outward")))
        if record is not None and record.connection in desk.connections:
            yield record


def _bring(desk: _Desk, one: _Open, state: InvoiceState) -> None:
    """Bring what the books lack of one invoice; what is wrong with it alone is told, and the others go on."""
    record = desk.documents.record(one.document)
    if desk.stopped or record is None or record.state is not DocumentState.BOOKED or not desk.brings(record):
        return
    try:
        _bring_missing(desk, record, one, state)
    except SyncError as error:
        if stops_the_slice(error):
            raise
        desk.problem(record, error)


def _bring_missing(desk: _Desk, record: DocumentRecord, one: _Open, state: InvoiceState) -> None:
    """Never more than is open in the books, and never what they may have."""
    parts = _parts(desk, one.booked)
    standing = [part for part in parts if part.kind is not SettlementKind.OPEN]
    currency = one.item.open.currency
    if one.booked.gross - _sum((p.amount for p in standing), currency) != one.item.open:
        return  # what we know of it is older than the report: the next run tells
    payments, there = _sides(desk, record.id, parts)
    too_little = _sum((payment.amount for payment in payments), currency) - _sum(there.elements(), currency)
    room = min(one.item.open, too_little)
    subjects = [payment.subject for payment in payments]
    if unmatched := _unmatched(desk, subjects):
        desk.beside |= unmatched.keys()
        desk.waits |= _match_all(desk, record, unmatched)  # the report is older than that: the next look goes on
        return
    receipts = desk.links.intents(WriteKind.RECEIPT, subjects)
    undone, missing = False, []
    for payment in sorted(payments, key=lambda payment: not _stands(receipts.get(payment.subject))):
        if there[payment.amount]:  # by our entry, or whoever's
            there[payment.amount] -= 1
        elif _stands(receipts.get(payment.subject)):
            undone = True
        else:
            missing.append(payment)
    wanted = _sum((payment.amount for payment in missing), currency)
    if undone or wanted.amount > room.amount or any(payment.amount.amount <= 0 for payment in missing):
        # Somebody undid an entry of ours, or the two sides mean different payments: a person looks (rules.md 23).
        desk.problem(record, PaymentDiffers(books=str(one.item.open), due=str(state.due)))
        return
    if missing and currency != desk.books.currency:
        desk.problem(record, PaymentNotBooked(amount=str(wanted), reason="foreign_currency"))
        return
    if all(_send(desk, record, one, payment) for payment in missing):
        desk.problems.solve(_about(record.id))


def _parts(desk: _Desk, booked: Booking) -> list[Settlement]:
    """What is known to settle our booking, or settled it once."""
    length, currency = desk.ledger.abilities.reference_length, booked.gross.currency
    parts = desk.settlements.of_booking(booked.ref)
    return [part for part in parts if fits(part, booked, length) and part.amount.currency == currency]


def _sides(desk: _Desk, document: DocumentId, parts: Sequence[Settlement]) -> tuple[list[_Payment], Counter[Money]]:
    """What each side has of an invoice beside the other: payments in Teamleader, and amounts in the books.

    What we registered in Teamleader stands on both. Where somebody changed or removed that, or registered a part
    himself before us, the books have so much that Teamleader has otherwise, if at all.
    """
    payments = Counter((payment.paid_at, payment.amount) for payment in desk.focus.payments(document))
    there: Counter[Money] = Counter()
    registered = registered_for(desk.links, parts)
    for part in parts:
        rest = part.amount if part.kind in KNOWN else Money.zero(part.amount.currency)
        for one in registered[part.id].stand:
            if payments[one.paid_at, one.amount]:
                payments[one.paid_at, one.amount] -= 1
                rest -= one.amount
        if rest.amount > 0:
            there[rest] += 1
    theirs = [
        _Payment(f"{document}~{paid_at.astimezone(UTC).isoformat()}~{amount.amount}~{n}", paid_at, amount)
        for (paid_at, amount), count in sorted(payments.items(), key=lambda pair: pair[0][0])
        for n in range(count)
    ]
    return theirs, there


def _unmatched(desk: _Desk, payments: Sequence[str]) -> dict[str, PreparedReceipt]:
    """Of these payments the entries that stand in the books and are not matched: not those somebody deleted."""
    receipts, matches = (desk.links.intents(kind, payments) for kind in (WriteKind.RECEIPT, WriteKind.MATCH))
    unmatched = {
        subject: from_text(PreparedReceipt, receipt.payload)
        for subject, receipt in receipts.items()
        if _stands(receipt) and not _stands(matches.get(subject))
    }
    return {subject: prepared for subject, prepared in unmatched.items() if desk.receipts.stands(prepared)}


def _match_all(desk: _Desk, record: DocumentRecord, unmatched: Mapping[str, PreparedReceipt]) -> bool:
    """Whether none of them stands unmatched any more."""
    return all(_match(desk, record, subject, prepared) for subject, prepared in unmatched.items())


def _stands(intent: Intent | None) -> bool:
    return intent is not None and intent.state is WriteState.DONE


def _send(desk: _Desk, record: DocumentRecord, one: _Open, payment: _Payment) -> bool:
    """Enter one payment and match it; whether both stand, so that the next one may go."""
    if not has_time(desk.house, desk.deadline):
        desk.waits = True
        return False
    desk.beside.add(payment.subject)
    desk.save_place()  # before it is sent: whoever comes after a crash looks whether it stands
    result = _enter(desk, record, one, payment)
    if isinstance(result, TryLater):
        _stop(desk, result)
        return False
    if isinstance(result, NeedsLogin):
        raise result
    if isinstance(result, SyncError):
        reason = _REASONS.get(type(result)) or result.facts.get("said") or result.cause
        desk.problem(record, PaymentNotBooked(amount=str(payment.amount), reason=reason))
        return False
    prepared = from_text(PreparedReceipt, result.intent.payload)
    _entered(desk, record, prepared, result)
    return not _is_late(desk) and _match(desk, record, payment.subject, prepared)


def _is_late(desk: _Desk) -> bool:
    """Whether no time is left for a match: then the next slice begins with it."""
    late = desk.house.real.now() >= desk.deadline.hard - LAST_WRITE
    desk.doubtful |= late
    desk.stopped |= late
    return late


def _enter(desk: _Desk, record: DocumentRecord, one: _Open, payment: _Payment) -> Written[Entered] | SyncError:
    """Offer the entry under its journal's next number; once more when somebody took that."""
    try:
        receipt = _receipt(desk, record, one, payment)
    except SyncError as error:
        return error
    result: Written[Entered] | SyncError = NumberTaken(journal=receipt.journal)
    for _ in range(OFFERS):
        prepared = desk.receipts.prepare(receipt)
        if isinstance(prepared, SyncError):
            return prepared
        result = _write_receipt(desk, Write(payment.subject, as_text(prepared), prepared.hash))
        if not isinstance(result, NumberTaken) or not has_time(desk.house, desk.deadline):
            break
    return result


def _receipt(desk: _Desk, record: DocumentRecord, one: _Open, payment: _Payment) -> Receipt:
    """What is to be entered. Raises: JournalMissing, AccountBlocked, FiscalYearMissing, PeriodClosed."""
    outward = desk.connections[record.connection].outward
    assert outward is not None  # `brings`
    wrong = misfit(outward, desk.books)
    if wrong:
        raise JournalMissing(journal=outward.journal) if wrong == JOURNAL else AccountBlocked(account=outward.account)
    day = desk.receipts.day(payment.paid_at)
    return Receipt(
        invoice=one.booked.ref,
        number=record.number,
        references=(one.booked.reference, *one.booked.other_references),
        key=document_key(DocumentId(payment.subject)),
        journal=outward.journal,
        account=outward.account,
        day=day,
        period=period_for(day, desk.books.years, outward.journal),
        relation=one.booked.relation,
        amount=payment.amount,
    )


def _entered(desk: _Desk, record: DocumentRecord, prepared: PreparedReceipt, written: Written[Entered]) -> None:
    desk.done["brought"] += 1
    amount = str(prepared.receipt.amount)
    desk.audit("receipt", document=record.id, booking=written.value.ref, amount=amount, how=written.how)


def _match(desk: _Desk, record: DocumentRecord, subject: str, prepared: PreparedReceipt) -> bool:
    """Match an entry that stands with its invoice; whether it is. If not, nothing more is sent."""
    match = Match(prepared.receipt.invoice, prepared.ref, prepared.receipt.amount)
    payload = as_text(match)
    write = Write(subject, payload, hashlib.sha256(payload.encode()).hexdigest())
    (result,) = write_once([write], _match_protocol(desk, prepared), desk.links, desk.house.real)
    if isinstance(result, Written):
        desk.beside.discard(subject)
        desk.audit("receipt_matched", document=record.id, booking=prepared.ref, how=result.how)
        return True
    if isinstance(result, NeedsLogin):
        raise result
    _stop(desk, result)
    if not isinstance(result, TryLater):
        desk.problem(record, PaymentNotMatched(amount=str(match.amount), booking=prepared.number))
    return False


def _stop(desk: _Desk, error: SyncError) -> None:
    desk.stopped = True
    desk.doubtful |= isinstance(error, OutcomeUnknown)
    desk.waits |= isinstance(error, TryLater)


def _write_receipt(desk: _Desk, write: Write) -> Written[Entered] | SyncError:
    return write_once([write], _receipt_protocol(desk), desk.links, desk.house.real)[0]


def _receipt_protocol(desk: _Desk) -> Protocol[Entered]:
    """An entry takes its journal's next number, so that a second one is refused."""

    def send(writes: Sequence[Write]) -> Sequence[Outcome[Entered]]:
        return [desk.receipts.enter(from_text(PreparedReceipt, write.payload)) for write in writes]

    def resend(writes: Sequence[Write]) -> Sequence[Outcome[Entered]]:
        return [desk.receipts.enter(replace(from_text(PreparedReceipt, one.payload), again=True)) for one in writes]

    return Protocol(
        kind=WriteKind.RECEIPT,
        send=send,
        probe=_nobody_looks,
        encode=as_json,
        decode=lambda result: from_json(Entered, dict(result)),
        settle=timedelta(seconds=desk.ledger.abilities.settle_s),
        resend=resend,
    )


def _match_protocol(desk: _Desk, prepared: PreparedReceipt) -> Protocol[Match]:
    """An entry is matched in whole, so that a second match is refused: as long as it is ours (rules.md 4)."""

    def send(writes: Sequence[Write]) -> Sequence[Outcome[Match]]:
        return [desk.receipts.match(from_text(Match, write.payload)) for write in writes]

    def resend(writes: Sequence[Write]) -> Sequence[Outcome[Match]]:
        if not desk.receipts.stands(prepared):
            return [Refused(RefusedByPackage(said=prepared.number)) for _ in writes]
        return [desk.receipts.match(from_text(Match, write.payload), again=True) for write in writes]

    return Protocol(
        kind=WriteKind.MATCH,
        send=send,
        probe=_nobody_looks,
        encode=as_json,
        decode=lambda result: from_json(Match, dict(result)),
        settle=timedelta(seconds=desk.ledger.abilities.settle_s),
        resend=resend,
    )


def _nobody_looks(intents: Sequence[Intent]) -> Sequence[None]:
    raise AssertionError("an offer tells")


def _about(document: DocumentId) -> str:
    """What a problem about payments that the books lack is filed under."""
    return f"payment:{document}:outward"


def _sum(amounts: Iterable[Money], currency: str) -> Money:
    return Money.total(amounts, currency)
