"""What the books settled, in memory."""

from __future__ import annotations

from collections.abc import Sequence

from ...domain.documents import AccountId
from ...domain.ledger import AdministrationId, BookingRef, Settlement
from .table import Worker

Place = tuple[BookingRef, str]


class MemorySettlements:
    """Settlements of one administration of one account: every part, and the places in line."""

    def __init__(self, worker: Worker, account: AccountId, administration: AdministrationId) -> None:
        self._worker = worker
        part, whose = worker.table.part, (account, administration)
        self.kept: dict[Place, Settlement] = part(dict, "settlements", *whose)
        self.line: set[Place] = part(set, "settlements", *whose, "line")

    def remember(self, settlements: Sequence[Settlement]) -> None:
        for one in settlements:
            with self._worker.step("settlements.remember"):
                before = self.kept.get(_place(one))
                if before is None or before.version <= one.version:
                    self.kept[_place(one)] = one

    def claim(self, booking: BookingRef) -> int:
        ready = self.of_booking(booking)
        for batch in self._worker.batches(ready):
            with self._worker.step("settlements.claim"):
                self.line.update(_place(one) for one in batch)
        return len(ready)

    def pending(self, limit: int, after: Settlement | None = None) -> Sequence[Settlement]:
        with self._worker.step("settlements.pending"):
            places = sorted(place for place in self.line if after is None or place > _place(after))
            return [self.kept[place] for place in places[:limit]]

    def dealt_with(self, settlement: Settlement) -> None:
        with self._worker.step("settlements.dealt_with"):
            if self.kept.get(_place(settlement)) == settlement:
                self.line.discard(_place(settlement))

    def of_booking(self, booking: BookingRef) -> Sequence[Settlement]:
        with self._worker.step("settlements.of_booking"):
            return [self.kept[place] for place in sorted(place for place in self.kept if place[0] == booking)]


def _place(settlement: Settlement) -> Place:
    return settlement.booking, settlement.id
