"""What the books settled: the newest word on each part, and which parts are in line to be dealt with."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import islice

from ..domain.documents import AccountId
from ..domain.ledger import AdministrationId, BookingRef, Settlement
from ..records import as_json, from_json
from .keys import Table
from .table import ConditionFailed, Items, Write, delete, put


class DynamoSettlements:
    """Settlements of one administration of one account. Parts of bookings that are not ours lie ready, out of line."""

    def __init__(self, items: Items, account: AccountId, administration: AdministrationId) -> None:
        self._items = items
        self._table = Table(account)
        self._administration = administration

    def remember(self, settlements: Sequence[Settlement], ours: Collection[str]) -> None:
        newest = {(settlement.booking, settlement.id): settlement for settlement in settlements}
        self._items.write_each([self._part(settlement) for settlement in newest.values()])
        self._items.write_each([self._in_line(one) for one in newest.values() if one.booking in ours])

    def pending(self, limit: int, after: Settlement | None = None) -> Sequence[Settlement]:
        span = self._table.settlements_in_line(self._administration)
        last = self._table.settlement_in_line(self._administration, after.booking, after.id) if after else None
        markers = self._items.query(span, after=last.sk.removeprefix(span.sk) if last else "", page=limit)
        return [from_json(Settlement, marker["settlement"]) for marker in islice(markers, limit)]

    def dealt_with(self, settlement: Settlement) -> None:
        key = self._table.settlement_in_line(self._administration, settlement.booking, settlement.id)
        try:
            self._items.write(delete(key, when="#settlement = :seen", seen=as_json(settlement)))
        except ConditionFailed:
            return  # a newer word came meanwhile, or somebody else dealt with it

    def of_booking(self, booking: BookingRef) -> Sequence[Settlement]:
        found = self._items.query(self._table.settlements_of(self._administration, booking))
        return [from_json(Settlement, item["settlement"]) for item in found]

    def claim(self, booking: BookingRef) -> int:
        ready = self.of_booking(booking)
        self._items.write_each([self._in_line(settlement) for settlement in ready])
        return len(ready)

    def _part(self, settlement: Settlement) -> Write:
        key = self._table.settlement(self._administration, settlement.booking, settlement.id)
        return put(key, {"settlement": as_json(settlement)})

    def _in_line(self, settlement: Settlement) -> Write:
        key = self._table.settlement_in_line(self._administration, settlement.booking, settlement.id)
        return put(key, {"settlement": as_json(settlement)})
