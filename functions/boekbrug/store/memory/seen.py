"""What stands in the package's journals, in memory (rules.md 1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...domain.documents import AccountId
from ...domain.ledger import AdministrationId, Booking, BookingRef
from .table import Worker


class MemorySeen:
    """Bookings of one administration of one account, under each of their references, case and blanks apart."""

    def __init__(self, worker: Worker, account: AccountId, administration: AdministrationId) -> None:
        self._worker = worker
        part, whose = worker.table.part, (account, administration)
        self.kept: dict[BookingRef, Booking] = part(dict, "seen", *whose)
        self._filed: dict[str, set[BookingRef]] = part(dict, "seen", *whose, "references")

    def remember(self, bookings: Sequence[Booking]) -> None:
        latest = {booking.ref: booking for booking in bookings}
        for batch in self._worker.batches(list(latest.values())):
            with self._worker.step("seen.remember"):
                for booking in batch:
                    self._file(booking)

    def forget(self, refs: Sequence[BookingRef]) -> None:
        for batch in self._worker.batches(list(refs)):
            with self._worker.step("seen.forget"):
                for ref in batch:
                    self._take_out(ref)

    def by_reference(self, references: Sequence[str]) -> Mapping[str, Sequence[Booking]]:
        """Under each reference as asked, the bookings that carry it; one that nobody carries is left out."""
        with self._worker.step("seen.by_reference"):
            refs = {reference: self._filed.get(_normal(reference)) for reference in references}
            return {reference: [self.kept[ref] for ref in sorted(found)] for reference, found in refs.items() if found}

    def _file(self, booking: Booking) -> None:
        self._take_out(booking.ref)
        for reference in _references(booking):
            self._filed.setdefault(reference, set()).add(booking.ref)
        self.kept[booking.ref] = booking

    def _take_out(self, ref: BookingRef) -> None:
        if before := self.kept.pop(ref, None):
            for reference in _references(before):
                self._filed[reference].discard(ref)


def _references(booking: Booking) -> set[str]:
    """Everything a booking is found under; an empty place where a number may stand is no reference."""
    return {_normal(booking.reference), *filter(None, map(_normal, booking.other_references))}


def _normal(reference: str) -> str:
    return "".join(reference.casefold().split())
