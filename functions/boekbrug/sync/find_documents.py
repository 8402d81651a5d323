"""What changed in Teamleader comes in line, and what stands in the journals is learned, whoever booked it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from ..domain.documents import DocumentHeader, DocumentId, DocumentKind
from ..domain.errors import BookedDifferently, BookingDeleted, PaymentDiffers
from ..domain.ledger import Booking, BookingRef, Cursor, same_reference
from ..ports import IntentMoved, WriteKind, WriteState
from ..records import from_json
from .desk import Desk, figures
from .slices import has_time
from .snapshots import scope_of


def find_documents(desk: Desk) -> bool:
    """Put what changed in Teamleader in line, and learn what stands in the journals already (rules.md 1).

    Nothing is booked before both were read to their ends; False when the time ran out first. A page's cursor is saved
    after what it covers is stored: a crash in between reads the same rows again, which is harmless.
    """
    if desk.job.manual:
        desk.go_on_with_what_was_stopped()
    # A worker that outlived its lease may have held a document whose outcome another one is still waiting for.
    in_doubt = [intent.subject for intent in desk.links.unsettled() if intent.kind is WriteKind.BOOKING]
    desk.documents.release(documents=[DocumentId(subject) for subject in in_doubt])
    for connection in desk.connections.values():
        scope = scope_of(connection)
        for page in desk.focus.documents([connection.entity], connection.start, _cursor(desk, scope)):
            desk.done["seen"] += desk.documents.seen(connection.id, page.rows)
            _show_changes(desk, page.rows)
            desk.save_cursor(**{scope: page.cursor})
            if not has_time(desk.house, desk.deadline):
                return False
    return learn_journals(desk)


def learn_journals(desk: Desk) -> bool:
    """Learn what changed in the journals since the last look; False when the time ran out first.

    Where the vendor is asked so seldom that the last look must do, there is nothing new. What is gone is dealt with
    before its page is called read: a crash in between does it once more, which is harmless.
    """
    journals = sorted({c.journal(kind) for c in desk.connections.values() for kind in DocumentKind})
    start = min(connection.start for connection in desk.connections.values())
    scope = f"books:{','.join(journals)}:{start}"  # another journal, or an earlier start, is read from the beginning
    for page in desk.ledger.bookings(journals, start, _cursor(desk, scope)):
        others = [] if desk.ledger.abilities.reads_back else _compare(desk, page.rows)
        # A number that came free may have been given again: what the same page shows standing is not gone.
        standing = {row.ref for row in page.rows} - set(others)
        take_leave(desk, sorted({*page.gone, *others} - standing))
        desk.seen.remember(page.rows)
        desk.save_cursor(**{scope: page.cursor})
        if not has_time(desk.house, desk.deadline):
            return False
    return True


def _compare(desk: Desk, rows: Sequence[Booking]) -> list[str]:
    """The package's answer told nothing: what it booked is compared now that it shows (rules.md 9).

    Told and stopped once, however often the row is read; told no more when it agrees. Answers with the refs of ours
    under which another booking stands by now: ours is not among the books any more (rules.md 4).
    """
    owners = desk.links.subjects_of(WriteKind.BOOKING, [row.ref for row in rows])
    others: list[str] = []
    if not owners:
        return others
    intents = desk.links.intents(WriteKind.BOOKING, list(owners.values()))
    told = {problem.subject for problem in desk.problems.all() if problem.cause == BookedDifferently.__name__}
    for row in rows:
        intent = intents.get(owners.get(row.ref, ""))
        if intent is None or intent.state is not WriteState.DONE:
            continue
        subject, booked = f"booking:{intent.subject}", from_json(Booking, dict(intent.result or {}))
        if _is_another(row, booked, desk.ledger.abilities.reference_length):
            others.append(row.ref)
        elif (row.gross, row.kind, row.journal) == (booked.gross, booked.kind, booked.journal):
            if subject in told:
                desk.problems.solve(subject)
        elif subject not in told and (record := desk.documents.record(DocumentId(intent.subject))):
            error = BookedDifferently(booked=_in_words(row), expected=_in_words(booked))
            desk.stop_kind(record)
            desk.problems.report(subject, record.connection, error, desk.house.clock.now(), record.number)
            desk.audit("differs", document=record.id, booking=row.ref, booked=_in_words(row))
    return others


def _is_another(row: Booking, booked: Booking, length: int) -> bool:
    """Whether what stands under a number of ours is another booking: it was deleted, and its number given again.

    Ours carries our key. Where somebody took that away, its number or everything else about it still tells.
    """
    if row.key:
        return row.key != booked.key
    theirs, ours = ([one.reference, *one.other_references] for one in (row, booked))
    if any(same_reference(one, other, length) for one in theirs for other in ours if one and other):
        return False
    return (row.gross, row.day, row.relation) != (booked.gross, booked.day, booked.relation)


def _in_words(booking: Booking) -> str:
    return f"{booking.gross}, {booking.kind}, {booking.journal}, {booking.number}"


def take_leave(desk: Desk, refs: Sequence[str]) -> None:
    """Bookings that somebody deleted: forgotten, and a document of ours waits for a person's word (rules.md 4).

    The vendor's list says that a booking of this name was deleted, perhaps one before ours: ours is proved gone first.
    """
    owners = desk.links.subjects_of(WriteKind.BOOKING, refs)
    intents = desk.links.intents(WriteKind.BOOKING, list(owners.values()))
    gone = [BookingRef(ref) for ref in refs if ref not in owners]
    for ref, subject in owners.items():
        intent = intents[subject]
        if intent.state is not WriteState.DONE:
            continue  # another worker found it gone, and it was sent again since
        booked = from_json(Booking, dict(intent.result or {}))
        if booked.ref != ref:
            continue
        standing = desk.ledger.booking(booked)
        if standing is not None and not _is_another(standing, booked, desk.ledger.abilities.reference_length):
            continue
        record = desk.documents.record(DocumentId(subject))
        if record is not None:
            desk.hold(record, BookingDeleted(booking=booked.number))
        desk.problems.solve(f"booking:{subject}")
        _solve_what_differed(desk, subject)
        desk.audit("gone", document=subject, booking=ref, number=booked.number)
        with suppress(IntentMoved):  # another worker found it gone too
            desk.links.gone(intent)  # last: from here on nothing leads from the ref to the document
        gone.append(booked.ref)
    desk.seen.forget(gone)


def _solve_what_differed(desk: Desk, document: str) -> None:
    """Payments that did not fit our booking settled another one of its number: there is nothing to look at any more."""
    for problem in desk.problems.all():
        about = problem.subject.split(":")[:2]
        if problem.cause == PaymentDiffers.__name__ and about == ["payment", document]:
            desk.problems.solve(problem.subject)


def _cursor(desk: Desk, scope: str) -> Cursor | None:
    saved = desk.job.cursor.get(scope)
    return Cursor(saved) if saved else None


def _show_changes(desk: Desk, headers: Sequence[DocumentHeader]) -> None:
    """What was edited after it was booked, and what was set right again."""
    latest = {header.id: header for header in headers}
    for record in desk.documents.booked_among(list(latest)):
        booked, now = figures(record), figures(latest[record.id])
        if booked == now:
            desk.problems.solve(f"changed:{record.id}")
        else:
            desk.show_edit(record, booked, now)
