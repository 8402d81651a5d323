"""The only step that writes bookings: what is in the books already is adopted or reported, the rest sent once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from ..domain.documents import DocumentId, File
from ..domain.errors import (
    BookedByOthers,
    BookedDifferently,
    DocumentGone,
    ExchangeRateUnproven,
    JournalInUse,
    NotPossible,
    NumberTaken,
    OutcomeUnknown,
    SyncError,
    TryLater,
)
from ..domain.ledger import (
    Abilities,
    AdministrationId,
    Booking,
    Outcome,
    Prepared,
    Refused,
    SalesEntry,
    same_reference,
)
from ..ports import DocumentRecord, Intent, IntentMoved, Ledger, Links, RefTaken, WriteKind, WriteState
from ..records import as_json, as_text, from_json, from_text
from .currencies import check_currency, prove_currency
from .desk import Desk, figures
from .find_documents import learn_journals, take_leave
from .slices import stops_the_slice
from .write_once import How, Protocol, Write, Written, write_once

LOOKS = 2
"""Looks at the journals for one document: its number was news, then somebody took it. More is for the next slice."""


def book(desk: Desk, batch: Sequence[tuple[DocumentRecord, SalesEntry]]) -> bool:
    """Book these entries unless they are in the books; whether the outcome of some is unknown."""
    records = {record.id: record for record, _ in batch}
    ready = []
    for record, entry in batch:
        try:
            check_currency(desk, record, entry)
        except ExchangeRateUnproven as error:
            desk.hold(record, error)
        else:
            ready.append((record, entry))
    free, doubtful = _not_in_the_books(desk, ready)
    if desk.ledger.abilities.caller_numbers:
        outcomes = [_book_in_turn(desk, records[entry.document], entry) for entry in free]
        return doubtful or any(outcomes)
    filed = [_with_files(desk, records[entry.document], entry) for entry in free]
    entries = [entry for entry in filed if entry is not None]
    doubtful |= len(entries) < len(free)
    if not entries:
        return doubtful
    prepared: list[Prepared] = []
    for entry, answer in zip(entries, desk.ledger.prepare(entries), strict=True):
        if isinstance(answer, SyncError):
            doubtful |= give_up(desk, records[entry.document], answer)
        else:
            prepared.append(answer)
    entries = [p.entry for p in prepared]
    writes = [Write(p.entry.document, as_text(p), p.hash) for p in prepared]
    for write, entry in zip(writes, entries, strict=True):
        _audit_intent(desk, write, entry)
    results = write_once(writes, booking_protocol(desk.ledger, desk.links), desk.links, desk.house.real)
    for entry, result in zip(entries, results, strict=True):
        record = records[entry.document]
        doubtful |= _conclude(desk, record, entry, result)
    return doubtful


def _conclude(desk: Desk, record: DocumentRecord, entry: SalesEntry, result: Written[Booking] | SyncError) -> bool:
    """Say of a document what became of its write; whether that is unknown."""
    if isinstance(result, Written):
        _remember(desk, record, entry, result)
    elif isinstance(result, OutcomeUnknown):
        desk.done["unknown"] += 1
        desk.audit("unknown", document=record.id)
        return True
    else:
        desk.audit("refused", document=record.id, cause=result.cause)
        desk.hold(record, result)
    return False


def _audit_intent(desk: Desk, write: Write, entry: SalesEntry) -> None:
    desk.audit("intent", document=write.subject, number=entry.number, gross=str(entry.gross), hash=write.payload_hash)


def _book_in_turn(desk: Desk, record: DocumentRecord, entry: SalesEntry) -> bool:
    """Book one entry under the next number of its journal; whether its outcome is unknown.

    Whoever took that number meanwhile may have booked this very document: the journals are looked at again. What leaves
    a number in doubt stops the journal, so that no later document passes this one (rules.md 7).
    """
    connection = desk.connections[record.connection]
    files = desk.files.fetch(connection, record) if desk.ledger.abilities.files_with_entry else ()
    if files is None:
        return True
    looks = 0
    while True:
        result = _offer(desk, entry, files)
        if files and isinstance(result, NotPossible) and result.facts["feature"] == "file_too_large":
            desk.files.leave_out(connection, record, result)
            files = ()
            continue
        if not isinstance(result, NumberTaken) or looks == LOOKS:
            break
        looks += 1
        if not learn_journals(desk):  # the time is over
            return True
        if not desk.is_on(record):
            return False
        free, doubtful = _not_in_the_books(desk, [(record, entry)])
        if not free:
            return doubtful
    if isinstance(result, NumberTaken | JournalInUse | OutcomeUnknown):
        desk.stopped_journals[entry.journal] = result.until
    if isinstance(result, NumberTaken):  # it waits in line, and people see why until it is booked
        desk.problems.report(f"document:{record.id}", record.connection, result, desk.house.clock.now(), record.number)
    if isinstance(result, NumberTaken | JournalInUse):
        return result.until is None
    return _conclude(desk, record, entry, result)


def _offer(desk: Desk, entry: SalesEntry, files: tuple[File, ...]) -> Written[Booking] | SyncError:
    """Offer an entry under its journal's next number; what was sent before keeps the number it was sent under."""
    intent = desk.links.intent(WriteKind.BOOKING, entry.document)
    if intent is not None and intent.state not in (WriteState.REFUSED, WriteState.GONE):
        write = Write(intent.subject, intent.payload, intent.payload_hash)
    else:
        (prepared,) = desk.ledger.prepare([entry])
        if isinstance(prepared, SyncError):
            return prepared
        if prepared.ref and desk.links.subject_of(WriteKind.BOOKING, prepared.ref) is not None:
            take_leave(desk, [prepared.ref])  # where it still stands, the package refuses the number
        write = Write(entry.document, as_text(prepared), prepared.hash)
    _audit_intent(desk, write, entry)
    (result,) = write_once([write], booking_protocol(desk.ledger, desk.links, files), desk.links, desk.house.real)
    if isinstance(result, NumberTaken | JournalInUse):
        desk.audit("refused", document=entry.document, cause=result.cause)
    return result


def give_up(desk: Desk, record: DocumentRecord, error: SyncError) -> bool:
    """Hold a document that cannot be booked (any more); what was sent of it without an answer is settled first.

    It may be in the books all the same. Nothing is sent here; whether the outcome is still unknown.
    """
    intent = desk.links.intent(WriteKind.BOOKING, record.id)
    in_doubt = intent is not None and intent.state in (WriteState.SENDING, WriteState.UNKNOWN)
    if intent is None or not in_doubt or isinstance(error, TryLater) or stops_the_slice(error):
        desk.hold(record, error)
        return False
    protocol = booking_protocol(desk.ledger, desk.links)
    protocol = replace(protocol, send=lambda writes: [Refused(error) for _ in writes], resend=None)
    write = Write(intent.subject, intent.payload, intent.payload_hash)
    (result,) = write_once([write], protocol, desk.links, desk.house.real)
    if isinstance(result, Written):
        sent = from_text(Prepared, intent.payload).entry
        _show_edit(desk, record, sent, record)
        _remember(desk, record, sent, result)
    elif isinstance(result, OutcomeUnknown):
        desk.done["unknown"] += 1
        if desk.ledger.abilities.caller_numbers:
            desk.stopped_journals[from_text(Prepared, intent.payload).entry.journal] = None
        return True
    else:
        desk.hold(record, result)
    return False


def _with_files(desk: Desk, record: DocumentRecord, entry: SalesEntry) -> SalesEntry | None:
    return desk.files.attach(desk.connections[record.connection], record, entry)


def booking_protocol(ledger: Ledger, links: Links, files: tuple[File, ...] = ()) -> Protocol[Booking]:
    """How a booking is written; `files` go along with it, as no intent holds them."""

    def send(writes: Sequence[Write]) -> Sequence[Outcome[Booking]]:
        return ledger.book([replace(from_text(Prepared, write.payload), files=files) for write in writes])

    def resend(writes: Sequence[Write]) -> Sequence[Outcome[Booking]]:
        return ledger.book([replace(from_text(Prepared, write.payload), files=files, again=True) for write in writes])

    def probe(intents: Sequence[Intent]) -> Sequence[Booking | None]:
        sent = [from_text(Prepared, intent.payload) for intent in intents]
        found = ledger.find_bookings(sent)
        return [_ours(p.entry, bookings, links, ledger.abilities) for p, bookings in zip(sent, found, strict=True)]

    return Protocol(
        kind=WriteKind.BOOKING,
        send=send,
        probe=probe,
        encode=as_json,
        decode=lambda result: from_json(Booking, dict(result)),
        settle=timedelta(seconds=ledger.abilities.settle_s),
        batch=ledger.abilities.batch,
        resend=resend if ledger.abilities.resend_settles else None,
    )


def _ours(entry: SalesEntry, bookings: Sequence[Booking], links: Links, abilities: Abilities) -> Booking | None:
    """The booking our lost write made: it carries our key, or agrees in everything and is nobody else's."""
    keyed = [booking for booking in bookings if booking.key == entry.key]
    agreeing = [booking for booking in bookings if agrees(booking, entry, abilities)]
    for booking in [*keyed, *agreeing]:
        owner = links.subject_of(WriteKind.BOOKING, booking.ref)
        if owner is None or owner == entry.document:
            return booking
    return None


def agrees(booking: Booking, entry: SalesEntry, abilities: Abilities) -> bool:
    """Whether a booking is this document's in every respect that proves something (rules.md 2)."""
    return (
        booking.kind is entry.kind
        and booking.journal == entry.journal
        and booking.day == entry.day
        and booking.relation == entry.relation
        and booking.gross == entry.gross
        and booking.vat in (None, entry.vat)
        and booking.key in ("", entry.key)
        and any(
            same_reference(reference, entry.number, abilities.reference_length)
            for reference in (booking.reference, *booking.other_references)
        )
    )


def as_sent(booking: Booking, sent: SalesEntry, administration: AdministrationId) -> bool:
    """Whether the books hold what we sent, where we sent it (rules.md 9)."""
    return (
        booking.administration == administration
        and booking.kind is sent.kind
        and booking.gross == sent.gross
        and booking.vat in (None, sent.vat)
    )


def _not_in_the_books(desk: Desk, batch: Sequence[tuple[DocumentRecord, SalesEntry]]) -> tuple[list[SalesEntry], bool]:
    """Those that nobody booked yet; what somebody did book is adopted or reported (rules.md 1).

    Also whether the outcome of some is unknown. What we sent without an answer is the write protocol's to find; it is
    not sent again beside what a person booked meanwhile.
    """
    intents = desk.links.intents(WriteKind.BOOKING, [entry.document for _, entry in batch])
    done = {document for document, intent in intents.items() if intent.state is WriteState.DONE}
    # What was refused may be booked by hand since, and so may what somebody deleted.
    not_ours = (WriteState.REFUSED, WriteState.GONE)
    sent = {document for document, intent in intents.items() if intent.state not in not_ours}
    length = desk.ledger.abilities.reference_length
    numbers = [entry.number[:length] for _, entry in batch if entry.document not in done]
    seen = desk.seen.by_reference(numbers) if numbers else {}
    free, doubtful = [], False
    for record, entry in batch:
        found = None
        if entry.document not in done:
            found = _others_booking(desk, entry, seen.get(entry.number[:length], ()))
        agreed = found is not None and agrees(found, entry, desk.ledger.abilities)
        if found is None or (entry.document in sent and (agreed or found.key == entry.key)):
            free.append(entry)
        elif agreed:
            _adopt(desk, record, entry, found)
        else:
            booked = f"{found.gross}, {found.day.isoformat()}, {found.number}"
            error = BookedByOthers(booked=booked, expected=f"{entry.gross}, {entry.day.isoformat()}")
            doubtful |= give_up(desk, record, error)
    return free, doubtful


def _others_booking(desk: Desk, entry: SalesEntry, bookings: Sequence[Booking]) -> Booking | None:
    """The booking that stands in the way of this document; one that agrees goes before one like it.

    Somebody's of the same number, or ours of a document that is gone from Teamleader and whose number came free there.
    """
    here = [booking for booking in bookings if booking.journal == entry.journal]
    # Where signs tell the kinds apart, an invoice below zero that somebody typed in reads as a credit note.
    alike = [booking for booking in here if booking.kind is entry.kind or booking.gross == -entry.gross]
    for booking in sorted(alike, key=lambda booking: not agrees(booking, entry, desk.ledger.abilities)):
        owner = desk.links.subject_of(WriteKind.BOOKING, booking.ref)
        if owner in (None, entry.document):
            in_the_way = booking.key in ("", entry.key) and _looks_like(booking, entry)
        else:
            in_the_way = _is_gone(desk, entry, DocumentId(owner))
        if in_the_way and (now := desk.ledger.booking(booking)) is not None:
            return now
    return None


def _looks_like(booking: Booking, entry: SalesEntry) -> bool:
    """The same number and the same customer or amount: a person must look before we book."""
    return booking.relation == entry.relation or booking.gross == entry.gross


def _is_gone(desk: Desk, entry: SalesEntry, owner: DocumentId) -> bool:
    """Whether the document that owns a booking of this number was deleted in Teamleader, as its last one can be."""
    try:
        desk.focus.document(entry.kind, owner)
    except DocumentGone:
        return True
    return False


def _adopt(desk: Desk, record: DocumentRecord, entry: SalesEntry, booking: Booking) -> None:
    try:
        desk.links.adopt(WriteKind.BOOKING, entry.document, as_json(booking), desk.house.real.now())
    except (IntentMoved, RefTaken):
        return  # somebody else settled it: it stays in line and the next slice reads what stands
    desk.settlements.claim(booking.ref)
    desk.audit("adopted", document=record.id, booking=booking.ref, number=booking.number)
    desk.booked(replace(record, gross=entry.gross), booking)
    desk.done["adopted"] += 1


def _remember(desk: Desk, record: DocumentRecord, entry: SalesEntry, written: Written[Booking]) -> None:
    """Compare what the package answered with what was sent, and only then call it booked (rules.md 9)."""
    booking = written.value
    if written.how is not How.KNOWN:
        desk.audit("booked", document=record.id, booking=booking.ref, number=booking.number, how=written.how)
    if written.intent.adopted:  # also when known: a worker may have died before it came to this
        desk.settlements.claim(booking.ref)
    sent = from_text(Prepared, written.intent.payload).entry if written.intent.payload else entry
    administration = desk.job.key.administration
    compared = desk.ledger.abilities.reads_back  # an answer that tells nothing is compared at the next look
    if compared and written.how is How.KNOWN and not as_sent(booking, sent, administration):
        booking = desk.ledger.booking(booking) or booking  # somebody may have corrected it since
    if compared and not as_sent(booking, sent, administration):
        booked = f"{booking.gross} ({booking.vat}), {booking.kind}, {booking.administration}, {booking.number}"
        desk.hold(record, BookedDifferently(booked=booked, expected=f"{sent.gross} ({sent.vat})"))
        if written.how is not How.KNOWN:  # known: its kind was stopped then, and a person said to go on since
            desk.stop_kind(record)
        return
    if not prove_currency(desk, record, sent, booking):
        booked, expected = f"{booking.base_gross} {desk.books.currency}", f"{sent.gross} × {sent.exchange_rate}"
        desk.hold(record, BookedDifferently(booked=booked, expected=expected))
        return
    _show_edit(desk, record, sent, entry)
    desk.booked(replace(record, gross=sent.gross, day=sent.day, number=sent.number), booking)
    desk.done["booked"] += 1


def _show_edit(desk: Desk, record: DocumentRecord, sent: SalesEntry, now: SalesEntry | DocumentRecord) -> None:
    """Edited while nobody knew what became of its booking: the list told of that then and does not do so again."""
    booked, edited = figures(sent), figures(now)
    if booked != edited:
        desk.show_edit(record, booked, edited)
