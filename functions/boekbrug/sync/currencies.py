"""Foreign currencies: the first booking proves which way round the package takes a rate (rules.md 16)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..domain.documents import DocumentId
from ..domain.errors import ExchangeRateUnproven
from ..domain.ledger import Booking, SalesEntry
from ..domain.money import CENT
from ..ports import DocumentRecord, DocumentState
from .desk import STOPPED, Desk

PROVED = "proved"


def in_parts(
    desk: Desk, batch: Sequence[tuple[DocumentRecord, SalesEntry]]
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


def _is_proved(desk: Desk, record: DocumentRecord, entry: SalesEntry) -> bool:
    """Whether a booking in this currency agreed with the books' own currency before."""
    return desk.job.cursor.get(_rate_key(record, entry)) == PROVED


def check_currency(desk: Desk, record: DocumentRecord, entry: SalesEntry) -> None:
    """Raises ExchangeRateUnproven while a currency's first booking is on its way, or after it came back differently."""
    if entry.currency == desk.books.currency or _is_proved(desk, record, entry):
        return
    key = _rate_key(record, entry)
    first = desk.job.cursor.get(key, record.id)
    if f"{STOPPED}{key}" in desk.job.cursor or (first != record.id and _is_on_its_way(desk, DocumentId(first))):
        raise ExchangeRateUnproven(currency=entry.currency)
    desk.save_cursor(**{key: record.id})


def _is_on_its_way(desk: Desk, first: DocumentId) -> bool:
    """Whether the first document may still prove it; one that was refused or adopted lets the next go first."""
    record = desk.documents.record(first)
    return record is not None and record.state is DocumentState.WAITING


def prove_currency(desk: Desk, record: DocumentRecord, entry: SalesEntry, booking: Booking) -> bool:
    """Read the first foreign booking back in the books' own currency; False when the rate went in the wrong way round.

    To the cent per line: the package rounds each line into its own currency.
    """
    if entry.currency == desk.books.currency or _is_proved(desk, record, entry):
        return True
    booking = desk.ledger.booking(booking) or booking  # as it stands now: somebody may have corrected it
    expected = (entry.gross.amount * entry.exchange_rate).quantize(CENT)
    agrees = booking.base_gross is not None and abs(booking.base_gross - expected) <= CENT * len(entry.lines)
    key = _rate_key(record, entry)
    desk.save_cursor(**({key: PROVED} if agrees else {f"{STOPPED}{key}": record.id}))
    if agrees:
        desk.documents.release([ExchangeRateUnproven.__name__])  # the others follow
    return agrees
