"""JSON in which a number stays the decimal number it was written as.

The standard encoder knows binary floats only, so amounts of money would pass through them.
Here Decimals go in and come out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from json.encoder import encode_basestring_ascii
from typing import Any


def loads(text: str | bytes) -> Any:
    """Parse JSON; numbers with a point become Decimal, NaN and Infinity are refused (ValueError)."""
    return json.loads(text, parse_float=Decimal, parse_constant=_no_constant)


def dumps(value: Any) -> str:
    """Write JSON; Decimal("4995.00") becomes 4995.0, Decimal("71.16") stays 71.16, dates become ISO text."""
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, str):
        return encode_basestring_ascii(value)
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, float):
        return json.dumps(value, allow_nan=False)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{encode_basestring_ascii(str(k))}:{dumps(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple | set | frozenset):
        return "[" + ",".join(dumps(item) for item in value) + "]"
    if isinstance(value, datetime | date):
        return encode_basestring_ascii(value.isoformat())
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _number(value: Decimal) -> str:
    if not value.is_finite():
        raise ValueError(f"{value} has no JSON form")
    text = format(value, "f")
    if "." not in text:
        return text
    text = text.rstrip("0")
    return text + "0" if text.endswith(".") else text


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")
