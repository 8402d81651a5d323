"""Budgets: calls per minute and day for each app and division, and errors per endpoint.

Source: reference, sections 4.1 to 4.3. Minutes are clock minutes, the day ends at 00:00 UTC. A blocked endpoint stays
blocked for an hour, twice as long each time it happens again within a day.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass
from datetime import datetime, timedelta

from fakes.exact.state import Switches

HOUR = timedelta(hours=1)
COUNTED_ERRORS = frozenset({400, 401, 403, 404})


@dataclass
class Budget:
    minute: int = 0
    minute_calls: int = 0
    day: int = 0
    day_calls: int = 0


@dataclass
class Block:
    until: datetime
    length: timedelta


class Limits:
    def __init__(self, switches: Switches) -> None:
        self.switches = switches
        self.budgets: dict[tuple[str, int], Budget] = defaultdict(Budget)
        self.errors: dict[tuple[str, str, int, str], deque[datetime]] = defaultdict(deque)
        self.blocks: dict[tuple[str, str, int, str], Block] = {}

    def spend(self, client: str, division: int, now: datetime) -> dict[str, str] | None:
        """Take one call from the budgets. None when there was one; else the headers of the 429."""
        budget = self._budget(client, division, now)
        if budget.day_calls >= self.switches.day_limit:
            return self._day_headers(budget) | self._minute_headers(budget)
        if budget.minute_calls >= self.switches.minute_limit:
            return self._minute_headers(budget)
        budget.minute_calls += 1
        budget.day_calls += 1
        return None

    def headers(self, client: str, division: int, now: datetime) -> dict[str, str]:
        budget = self._budget(client, division, now)
        return self._day_headers(budget) | self._minute_headers(budget)

    def minute_headers(self, client: str, division: int, now: datetime) -> dict[str, str]:
        """What a 429 for the minute carries: these three and no others."""
        return self._minute_headers(self._budget(client, division, now)) | {"X-RateLimit-Minutely-Remaining": "0"}

    def _budget(self, client: str, division: int, now: datetime) -> Budget:
        budget = self.budgets[client, division]
        seconds = int(now.timestamp())
        if budget.minute != (minute := seconds // 60):
            budget.minute, budget.minute_calls = minute, 0
        if budget.day != (day := seconds // 86400):
            budget.day, budget.day_calls = day, 0
        return budget

    def _day_headers(self, budget: Budget) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(self.switches.day_limit),
            "X-RateLimit-Remaining": str(max(0, self.switches.day_limit - budget.day_calls)),
            "X-RateLimit-Reset": str((budget.day + 1) * 86_400_000),
        }

    def _minute_headers(self, budget: Budget) -> dict[str, str]:
        return {
            "X-RateLimit-Minutely-Limit": str(self.switches.minute_limit),
            "X-RateLimit-Minutely-Remaining": str(max(0, self.switches.minute_limit - budget.minute_calls)),
            "X-RateLimit-Minutely-Reset": str((budget.minute + 1) * 60_000),
        }

    # --- errors ---

    def is_blocked(self, place: tuple[str, str, int, str], now: datetime) -> bool:
        """`place` = (client, user, division, endpoint)."""
        block = self.blocks.get(place)
        return block is not None and now < block.until

    def note(self, place: tuple[str, str, int, str], status: int, now: datetime) -> None:
        """Remember an error; more than ten in an hour block the endpoint."""
        if status not in COUNTED_ERRORS:
            return
        errors = self.errors[place]
        errors.append(now)
        while errors[0] <= now - HOUR:
            errors.popleft()
        if len(errors) > self.switches.error_limit:
            before = self.blocks.get(place)
            again = before is not None and now < before.until + timedelta(days=1)
            length = before.length * 2 if before and again else HOUR
            self.blocks[place] = Block(now + length, length)
            errors.clear()
