"""What the books settled: the newest word on each part, and which parts are in line to be dealt with."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from itertools import islice

from ..domain.documents import AccountId
from ..domain.ledger import AdministrationId, BookingRef, Settlement
from ..records import as_json, from_json
from .keys import Key, Table
from .table import ConditionFailed, Items, check, delete, put


class DynamoSettlements:
    """Settlements of one administration of one account. Parts of bookings that are not ours lie ready, out of line.

    The line holds keys only: what is dealt with is always the newest word.
    """

    def __init__(self, items: Items, account: AccountId, administration: AdministrationId) -> None:
        self._items = items
        self._table = Table(account)
        self._administration = administration

    def remember(self, settlements: Sequence[Settlement]) -> None:
        newest: dict[tuple[str, str], Settlement] = {}
        for one in settlements:
            before = newest.get((one.booking, one.id))
            if before is None or before.version <= one.version:
                newest[one.booking, one.id] = one
        for one in newest.values():
            record = {"settlement": as_json(one), "version": one.version}
            newer = "attribute_not_exists(pk) OR #version <= :version"
            with suppress(ConditionFailed):  # a newer word is known already
                self._items.write(put(self._part(one), record, when=newer, version=one.version))

    def claim(self, booking: BookingRef) -> int:
        ready = self.of_booking(booking)
        self._items.write_each([put(self._place(one), {"booking": one.booking, "id": one.id}) for one in ready])
        return len(ready)

    def pending(self, limit: int, after: Settlement | None = None) -> Sequence[Settlement]:
        span = self._table.settlements_in_line(self._administration)
        last = self._place(after).sk.removeprefix(span.sk) if after else ""
        markers = islice(self._items.query(span, after=last, limit=limit), limit)
        keys = [self._table.settlement(self._administration, m["booking"], m["id"]) for m in markers]
        parts = [from_json(Settlement, item["settlement"]) for item in self._items.get_all(keys)]
        return sorted(parts, key=lambda one: self._place(one).sk)

    def dealt_with(self, settlement: Settlement) -> None:
        still = check(self._part(settlement), when="#settlement = :seen", seen=as_json(settlement))
        with suppress(ConditionFailed):  # a newer word came meanwhile: it stays in line
            self._items.write_all([still, delete(self._place(settlement))])

    def of_booking(self, booking: BookingRef) -> Sequence[Settlement]:
        found = self._items.query(self._table.settlements_of(self._administration, booking))
        return [from_json(Settlement, item["settlement"]) for item in found]

    def _part(self, settlement: Settlement) -> Key:
        return self._table.settlement(self._administration, settlement.booking, settlement.id)

    def _place(self, settlement: Settlement) -> Key:
        return self._table.settlement_in_line(self._administration, settlement.booking, settlement.id)
