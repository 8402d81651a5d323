"""What changed in Teamleader comes in line, and what stands in the journals is learned, whoever booked it."""

from __future__ import annotations

from collections.abc import Sequence

from ..domain.documents import DocumentHeader, DocumentId, DocumentKind
from ..domain.ledger import Cursor
from ..ports import WriteKind
from .desk import Desk, figures
from .slices import has_time


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
        scope = f"focus:{connection.id}:{connection.start}"  # an earlier start is read from the beginning
        for page in desk.focus.documents([connection.entity], connection.start, _cursor(desk, scope)):
            desk.done["seen"] += desk.documents.seen(connection.id, page.rows)
            _show_changes(desk, page.rows)
            desk.save_cursor(**{scope: page.cursor})
            if not has_time(desk.house, desk.deadline):
                return False
    journals = sorted({c.journal(kind) for c in desk.connections.values() for kind in DocumentKind})
    start = min(connection.start for connection in desk.connections.values())
    scope = f"books:{','.join(journals)}:{start}"  # another journal, or an earlier start, is read from the beginning
    for page in desk.ledger.bookings(journals, start, _cursor(desk, scope)):
        desk.seen.remember(page.rows)
        desk.save_cursor(**{scope: page.cursor})
        if not has_time(desk.house, desk.deadline):
            return False
    return True


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
