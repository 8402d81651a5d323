"""What stands in the package's journals, found by the reference people typed (rules.md 1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..domain.documents import AccountId
from ..domain.ledger import AdministrationId, Booking, BookingRef
from ..records import as_json, from_json
from .keys import Key, Table
from .table import Items, Write, delete, put


def normal_reference(reference: str) -> str:
    """A reference as it is compared: case and blanks say nothing.

    >>> normal_reference(" INV 2026 / 9")
    'inv2026/9'
    """
    return "".join(reference.casefold().split())


def references_of(booking: Booking) -> tuple[str, ...]:
    """Everything a booking is found under, each once; an empty place where a number may stand is no reference."""
    others = (normal_reference(reference) for reference in booking.other_references)
    return tuple(dict.fromkeys((normal_reference(booking.reference), *filter(None, others))))


class DynamoSeen:
    """Bookings of one administration of one account, under each of their references.

    Beside each stands under which references it was filed, so that a corrected reference leaves no ghost behind.
    """

    def __init__(self, items: Items, account: AccountId, administration: AdministrationId) -> None:
        self._items = items
        self._table = Table(account)
        self._administration = administration

    def remember(self, bookings: Sequence[Booking]) -> None:
        latest = {booking.ref: booking for booking in bookings}
        filed = self._filed(latest)
        writes: list[Write] = []
        for ref, booking in latest.items():
            references, before = references_of(booking), filed.get(ref, ())
            writes += [delete(self._under(reference, ref)) for reference in before if reference not in references]
            if before != references:
                writes.append(put(self._at(ref), {"ref": ref, "references": references}))
            writes += [put(self._under(reference, ref), {"record": as_json(booking)}) for reference in references]
        self._items.write_each(writes)

    def forget(self, refs: Sequence[BookingRef]) -> None:
        filed = self._filed(dict.fromkeys(refs))
        # What says where to look goes last: a crash in between forgets the rest the next time.
        self._items.write_each([delete(self._under(r, ref)) for ref, references in filed.items() for r in references])
        self._items.write_each([delete(self._at(ref)) for ref in filed])

    def by_reference(self, references: Sequence[str]) -> Mapping[str, Sequence[Booking]]:
        """Under each reference as asked, the bookings that carry it; one that nobody carries is left out."""
        result: dict[str, Sequence[Booking]] = {}
        for reference in dict.fromkeys(references):
            span = self._table.seen_references(self._administration, normal_reference(reference))
            if found := [from_json(Booking, item["record"]) for item in self._items.query(span)]:
                result[reference] = found
        return result

    def _filed(self, refs: Iterable[BookingRef]) -> dict[BookingRef, tuple[str, ...]]:
        """Under which references each of these is filed; one that was never seen is left out."""
        items = self._items.get_all(self._at(ref) for ref in refs)
        return {item["ref"]: tuple(item["references"]) for item in items}

    def _at(self, ref: BookingRef) -> Key:
        return self._table.seen_booking(self._administration, ref)

    def _under(self, reference: str, ref: BookingRef) -> Key:
        return self._table.seen_reference(self._administration, reference, ref)
