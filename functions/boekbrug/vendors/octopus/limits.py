"""What Octopus allows in a day, counted by ourselves: it says nothing before it is too late (octopus.md 7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ...domain.errors import RateLimited
from ...domain.ledger import DailyBudget
from ...ports import Budgets, Clock
from .times import midnight_after

VENDOR = "octopus"


@dataclass(frozen=True, slots=True)
class Operation:
    """Calls that share a limit, per dossier and Belgian day."""

    name: str
    a_day: int


DOSSIERS = Operation("dossiers", 150)  # per user, as no dossier is known yet
CONNECT = Operation("connect", 150)
BOOKYEARS = Operation("bookyears", 24)
JOURNALS = Operation("journals", 24)
ONE_JOURNAL = Operation("journals.one", 19)  # of 24, for its next number; some are left to whoever else asks there
ACCOUNTS = Operation("accounts", 2)
VAT_CODES = Operation("vatcodes", 2)
RELATION_SEARCH = Operation("relations.search", 400)
RELATIONS_CHANGED = Operation("relations.modified", 48)
RELATION_PUT = Operation("relations.put", 400)
BOOKING = Operation("buysellbookings.one", 10)
BOOKINGS_CHANGED = Operation("buysellbookings.modified", 48)
BOOK = Operation("buysellbookings.post", 400)
LEDGER_CHANGED = Operation("bookings.modified", 48)
BALANCINGS_CHANGED = Operation("balancings.modified", 48)
OPEN_ITEMS = Operation("reports.clients.open", 24)
RECEIPT = Operation("financialdiversbookings.one", 10)
RECEIPTS_CHANGED = Operation("financialdiversbookings.modified", 48)
ENTER = Operation("financialdiversbookings.post", 400)
MATCH = Operation("balancings.post", 400)

OF_A_DOCUMENT = (BOOK, RELATION_PUT, RELATION_SEARCH)  # what decides how many documents still go today


class Meter:
    """The counters of one dossier, or of one account before it is in a dossier."""

    def __init__(self, budgets: Budgets, clock: Clock, whose: str) -> None:
        self._budgets = budgets
        self._clock = clock
        self._whose = f"{VENDOR}.{whose}"
        self._blocked: dict[Operation, datetime | None] = {}

    def count(self, operation: Operation) -> None:
        """One call of this operation. Raises RateLimited when it is spent for today: then none is made."""
        now = self._clock.now()
        midnight = midnight_after(now)
        if operation not in self._blocked:  # what others found out is read once, what we find out known at once
            self._blocked[operation] = self._budgets.blocked_until(self._key(operation), now)
        until = self._blocked[operation]
        if until and until > now:
            raise RateLimited(vendor=VENDOR, until=until)
        if self._budgets.count(self._key(operation), midnight) > operation.a_day:
            raise RateLimited(vendor=VENDOR, until=midnight)

    def spent(self, operation: Operation) -> RateLimited:
        """Octopus says so itself: nobody asks again before midnight."""
        until = midnight_after(self._clock.now())
        self._blocked[operation] = until
        self._budgets.block(self._key(operation), until)
        return RateLimited(vendor=VENDOR, until=until)

    def left(self) -> DailyBudget:
        midnight = midnight_after(self._clock.now())
        shares = [
            1 - self._budgets.count(self._key(operation), midnight, 0) / operation.a_day for operation in OF_A_DOCUMENT
        ]
        return DailyBudget(left=max(0.0, min(shares)), resets_at=midnight)

    def _key(self, operation: Operation) -> str:
        return f"{self._whose}.{operation.name}"
