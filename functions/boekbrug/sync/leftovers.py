"""What was sent without an answer, and no document asks about any more: learn what became of it, and send nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..domain.errors import AccessDenied, DocumentGone, OutcomeUnknown
from ..domain.ledger import Outcome, Refused
from .desk import Desk
from .files import file_protocol, folder_protocol
from .relations import relation_protocol
from .write_once import Protocol, Write, Written, write_once


def settle_leftovers(desk: Desk) -> bool:
    """Find the customers and files of documents that were given up meanwhile; whether some cannot be known yet.

    A customer or a document can vanish from Teamleader, or be refused, before the answer about it is known. Asked when
    the line is worked off: until then, whoever asks also sends again. Bookings have `book.give_up`.
    """
    left = desk.links.unsettled()
    doubtful = False
    for protocol in _protocols(desk):
        writes = [Write(i.subject, i.payload, i.payload_hash) for i in left if i.kind is protocol.kind]
        try:
            results = write_once(writes, replace(protocol, send=_nobody_asks, resend=None), desk.links, desk.house.real)
        except AccessDenied:  # without the right to look nobody can tell, and the documents must go on
            continue
        for write, result in zip(writes, results, strict=True):
            if isinstance(result, Written):
                desk.audit("found", kind=protocol.kind, subject=write.subject)
            doubtful |= isinstance(result, OutcomeUnknown)
    return doubtful


def _protocols(desk: Desk) -> list[Protocol[Any]]:
    relations = relation_protocol(desk.ledger, desk.links)
    cabinet, settle = desk.files.cabinet, desk.files.settle
    if cabinet is None:
        return [relations]
    return [relations, folder_protocol(cabinet, settle), file_protocol(cabinet, settle, _refused)]


def _nobody_asks(writes: Sequence[Write]) -> Sequence[Outcome[Any]]:
    return [_refused() for _ in writes]


def _refused() -> Refused:
    return Refused(DocumentGone())
