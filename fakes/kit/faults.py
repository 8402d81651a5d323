"""What can go wrong between a client and a vendor, on command."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fakes.kit.errors import BadCommand

WORDS = frozenset(
    {"drop_before", "commit_then_drop", "half_body", "html_page", "twice", "stale_read", "rate_limit", "revoke_token"}
)
WITH_NUMBER = frozenset({"status", "slow"})


@dataclass(frozen=True)
class Fault:
    """One thing to do to a request: `value` is the status to answer, or the seconds of real time to wait."""

    kind: str
    value: float = 0

    @classmethod
    def parse(cls, do: Any) -> Fault:
        if isinstance(do, str) and do in WORDS:
            return cls(do)
        if isinstance(do, dict) and len(do) == 1:
            ((kind, value),) = do.items()
            if kind in WITH_NUMBER and isinstance(value, int | Decimal) and not isinstance(value, bool):
                return cls(kind, float(value))
        raise BadCommand(f"do: expected one of {sorted(WORDS)}, {{'status': 503}} or {{'slow': 5}}, not {do!r}")


@dataclass
class FaultRule:
    """Which requests a fault hits, and how often it still does."""

    fault: Fault
    do: Any  # as it was given, for listing
    method: str | None = None
    path: str | None = None  # part of the path, or a regular expression found in it
    tenant: str | None = None
    nth: int = 1  # the first of the matching requests to be hit, counted from 1
    times: int = 1  # hits left
    seen: int = 0  # matching requests so far

    @classmethod
    def parse(cls, row: Any) -> FaultRule:
        if not isinstance(row, dict) or (extra := set(row) - {"match", "do", "times"}):
            raise BadCommand(
                f"a fault is {{match, do, times}}, not {row!r}" if not isinstance(row, dict) else f"{extra}?"
            )
        match = row.get("match") or {}
        if not isinstance(match, dict) or set(match) - {"method", "path", "nth", "tenant"}:
            raise BadCommand(f"match: expected method, path, nth, tenant, not {match!r}")
        nth, times = match.get("nth", 1), row.get("times", 1)
        if not all(isinstance(number, int) and number > 0 for number in (nth, times)):
            raise BadCommand("nth and times count from 1")
        method = match.get("method")
        return cls(
            fault=Fault.parse(row.get("do")),
            do=row.get("do"),
            method=method.upper() if method else None,
            path=match.get("path"),
            tenant=match.get("tenant"),
            nth=nth,
            times=times,
        )

    def matches(self, method: str, path: str, tenant: str) -> bool:
        return (
            self.method in (None, method)
            and self.tenant in (None, tenant)
            and (self.path is None or self.path in path or _found(self.path, path))
        )

    def as_row(self) -> dict[str, Any]:
        match = {"method": self.method, "path": self.path, "tenant": self.tenant, "nth": self.nth}
        return {"match": {k: v for k, v in match.items() if v is not None}, "do": self.do, "times": self.times}


class FaultRules:
    """The armed faults, in the order they were given. One request suffers one fault at most."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[FaultRule] = []

    def add(self, rows: list[Any]) -> None:
        rules = [FaultRule.parse(row) for row in rows]
        with self._lock:
            self._rules += rules

    def clear(self) -> None:
        with self._lock:
            self._rules = []

    def left(self) -> list[dict[str, Any]]:
        with self._lock:
            return [rule.as_row() for rule in self._rules]

    def take(self, method: str, path: str, tenant: str) -> Fault | None:
        """The fault this request suffers, if any. Every matching rule counts the request."""
        with self._lock:
            hit = None
            for rule in self._rules:
                if not rule.matches(method, path, tenant):
                    continue
                rule.seen += 1
                if hit is None and rule.seen >= rule.nth:
                    rule.times -= 1
                    hit = rule.fault
            self._rules = [rule for rule in self._rules if rule.times > 0]
            return hit


def _found(pattern: str, path: str) -> bool:
    try:
        return re.search(pattern, path) is not None
    except re.error:  # plain text that happens to hold a bracket
        return False
