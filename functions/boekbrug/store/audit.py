"""What was done, in chains nobody can change a link of unseen (design.md 5.6)."""

from __future__ import annotations

import hashlib
import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from ..domain.documents import AccountId
from ..domain.errors import VendorDown
from ..records import as_json
from .keys import Table, entry_order
from .table import ConditionFailed, Item, Items, put
from .times import stamp

START = "0" * 64
"""What the first entry of a chain follows."""
RACES = 20


class DynamoAudit:
    """The chains of one account.

    The last entry is the head: it is read before each append, and the next place can be taken only once.
    """

    def __init__(self, items: Items, account: AccountId, sleep: Callable[[float], None] = time.sleep) -> None:
        self._items = items
        self._table = Table(account)
        self._sleep = sleep

    def append(self, chain: str, what: str, facts: Mapping[str, Any], at: datetime) -> None:
        plain = as_json(dict(facts))
        for race in range(RACES):
            last = self._last(chain)
            entry = {
                "sequence": last["sequence"] + 1 if last else 1,
                "at": stamp(at),
                "what": what,
                "facts": plain,
                "previous": last["hash"] if last else START,
            }
            entry["hash"] = entry_hash(entry)
            try:
                key = self._table.entry(chain, entry["sequence"])
                self._items.write(put(key, {"entry": entry}, when="attribute_not_exists(pk)"))
            except ConditionFailed:
                self._sleep(random.uniform(0, min(1.0, 0.05 * 2**race)))
            else:
                return
        raise VendorDown(vendor="store")

    def entries(self, chain: str, after: int = 0, limit: int = 100) -> Sequence[Mapping[str, Any]]:
        """`{"sequence", "at", "what", "facts", "previous", "hash"}` each, oldest first, after that sequence number."""
        found = self._items.query(self._table.chain(chain), after=entry_order(after) if after else "", limit=limit)
        return [item["entry"] for item in found]

    def _last(self, chain: str) -> Item | None:
        for item in self._items.query(self._table.chain(chain), limit=1, backwards=True):
            return item["entry"]
        return None


def entry_hash(entry: Mapping[str, Any]) -> str:
    """The hash an entry must carry: of the one before and of everything it says itself."""
    said = {name: value for name, value in entry.items() if name not in ("hash", "previous")}
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256((entry["previous"] + canonical).encode()).hexdigest()
