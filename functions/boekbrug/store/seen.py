"""What stands in the package's journals, found by the reference people typed (rules.md 1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..domain.documents import AccountId
from ..domain.ledger import AdministrationId, Booking
from ..records import as_json, from_json
from .keys import Table
from .table import Items, Write, delete, put


def normal_reference(reference: str) -> str:
    """A reference as it is compared: case and blanks say nothing.

    >>> normal_reference(" INV 2026 / 9")
    'inv2026/9'
    """
    return "".join(reference.casefold().split())


class DynamoSeen:
    """Bookings of one administration of one account, under their reference.

    Beside each stands under which reference it was filed, so that a corrected reference leaves no ghost behind.
    """

    def __init__(self, items: Items, account: AccountId, administration: AdministrationId) -> None:
        self._items = items
        self._table = Table(account)
        self._administration = administration

    def remember(self, bookings: Sequence[Booking]) -> None:
        latest = {booking.ref: booking for booking in bookings}
        keys = {ref: self._table.seen_booking(self._administration, ref) for ref in latest}
        filed = {item["ref"]: item["reference"] for item in self._items.get_all(keys.values())}
        writes: list[Write] = []
        for ref, booking in latest.items():
            reference, before = normal_reference(booking.reference), filed.get(ref)
            if before != reference:
                if before is not None:
                    writes.append(delete(self._table.seen_reference(self._administration, before, ref)))
                writes.append(put(keys[ref], {"ref": ref, "reference": reference}))
            at = self._table.seen_reference(self._administration, reference, ref)
            writes.append(put(at, {"record": as_json(booking)}))
        self._items.write_each(writes)

    def by_reference(self, references: Sequence[str]) -> Mapping[str, Sequence[Booking]]:
        """Under each reference as asked, the bookings that carry it; one that nobody carries is left out."""
        result: dict[str, Sequence[Booking]] = {}
        for reference in dict.fromkeys(references):
            span = self._table.seen_references(self._administration, normal_reference(reference))
            if found := [from_json(Booking, item["record"]) for item in self._items.query(span)]:
                result[reference] = found
        return result
