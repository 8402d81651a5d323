"""The numbers we choose ourselves: where each journal stands, for every account that books there."""

from __future__ import annotations

from datetime import datetime

from ..ports import NumberLine
from . import keys
from .table import ConditionFailed, Items, update
from .times import stamp

_FREE = "attribute_not_exists(#holder) OR #holder = :holder OR #until <= :now"


class DynamoNumbers:
    """One item a line, for ever. Its version goes up with every hold, so that a late release finds out."""

    def __init__(self, items: Items) -> None:
        self._items = items

    def hold(self, line: str, holder: str, now: datetime, until: datetime) -> NumberLine | None:
        change = "SET #holder = :holder, #until = :until ADD #version :one"
        values = {"holder": holder, "until": stamp(until), "now": stamp(now), "one": 1}
        try:
            item = self._items.write(update(keys.numbers(line), change, when=_FREE, **values), returns="ALL_NEW")
        except ConditionFailed:
            return None
        return NumberLine(line, item.get("next"), item["version"])

    def release(self, held: NumberLine, next: int | None) -> None:
        change = "SET #next = :next REMOVE #holder, #until"
        release = update(keys.numbers(held.line), change, when="#version = :version", next=next, version=held.version)
        try:
            self._items.write(release)
        except ConditionFailed:
            return
