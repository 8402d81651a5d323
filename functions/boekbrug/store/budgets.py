"""Vendor limits, shared by every account that works under them."""

from __future__ import annotations

from datetime import datetime

from . import keys
from .table import ConditionFailed, Items, update
from .times import moment, stamp, swept_after


class DynamoBudgets:
    """One block and one counter a window for each budget; windows that ended are swept away."""

    def __init__(self, items: Items) -> None:
        self._items = items

    def blocked_until(self, key: str, now: datetime) -> datetime | None:
        item = self._items.get(keys.budget_block(key))
        until = moment(item["until"]) if item else None
        return until if until and until > now else None

    def block(self, key: str, until: datetime) -> None:
        """The longest block stands: a late answer does not shorten it."""
        longer = "attribute_not_exists(#until) OR #until < :until"
        change = "SET #until = :until, #expires_at = :expires_at"
        values = {"until": stamp(until), "expires_at": swept_after(until)}
        try:
            self._items.write(update(keys.budget_block(key), change, when=longer, **values))
        except ConditionFailed:
            return

    def count(self, key: str, window_end: datetime, n: int = 1) -> int:
        change = "SET #expires_at = :expires_at ADD #count :n"
        add = update(keys.budget_count(key, stamp(window_end)), change, expires_at=swept_after(window_end), n=n)
        return self._items.write(add, returns="ALL_NEW")["count"]
