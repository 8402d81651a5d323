"""Octopus' JSON: what is not set is left out, keys in alphabetical order, amounts as doubles with a decimal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any


def dumps(value: Any) -> str:
    """As the vendor writes it: Decimal("121") becomes 121.0, dates are ISO, None members are absent."""
    return json.dumps(_set_only(value), sort_keys=True, ensure_ascii=False, default=_plain, separators=(",", ":"))


def _set_only(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _set_only(member) for name, member in value.items() if member is not None}
    if isinstance(value, list):
        return [_set_only(item) for item in value]
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)  # the vendor's amounts are doubles on the wire, and only there
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def stamp(moment: datetime) -> str:
    """2026-03-01 09:30:00.000"""
    return moment.isoformat(" ", "milliseconds")
