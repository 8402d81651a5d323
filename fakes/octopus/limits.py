"""Daily limits per operation, for each dossier (before a dossier is known: for each user), and failed log-ins.

Source: reference, section 7. Days are Belgian calendar days.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, datetime, timedelta

LOCKED_FOR = timedelta(hours=1)


class Limits:
    def __init__(self) -> None:
        self.calls: dict[tuple[str, date], Counter[str]] = defaultdict(Counter)  # (dossier or user, day) -> operation
        self.over: dict[tuple[str, date], Counter[str]] = defaultdict(Counter)  # likewise, the calls refused
        self.failed: dict[tuple[str, str], list[datetime]] = defaultdict(
            list
        )  # (user, address): since the last success

    def spend(self, who: str, day: date, operation: str, per_day: int) -> bool:
        """Take one call; False when the day's are spent."""
        calls = self.calls[who, day]
        if calls[operation] >= per_day:
            self.over[who, day][operation] += 1
            return False
        calls[operation] += 1
        return True

    def locked(self, user: str, address: str, attempts: int, now: datetime) -> bool:
        """Has this user failed too often from there?"""
        failed = self.failed.get((user, address), [])
        return len(failed) >= attempts and now < failed[-1] + LOCKED_FOR

    def log_in_failed(self, user: str, address: str, now: datetime) -> int:
        """Count a failed log-in; gives the number since the last success."""
        failed = self.failed[user, address]
        failed.append(now)
        return len(failed)

    def logged_in(self, user: str, address: str) -> None:
        self.failed.pop((user, address), None)

    def as_rows(self) -> dict[str, object]:
        """Calls by dossier, day and operation, those refused likewise, and failed log-ins."""

        def tree(counts: dict[tuple[str, date], Counter[str]]) -> dict[str, dict[str, dict[str, int]]]:
            result: dict[str, dict[str, dict[str, int]]] = {}
            for (who, day), operations in counts.items():
                result.setdefault(who, {})[day.isoformat()] = dict(operations)
            return result

        failed = {f"{user} {address}": len(times) for (user, address), times in self.failed.items()}
        return {"calls": tree(self.calls), "over_quota": tree(self.over), "failed_logins": failed}
