"""Reading what a client posts: unknown names and wrong types are refused (400), read-only fields ignored.

Source: reference, sections 3.5 (input formats), 3.6 and 3.8.
"""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from fakes.exact import errors
from fakes.exact.entities import Entity, Field, entity
from fakes.exact.errors import BusinessRefusal, Refused, complaint
from fakes.exact.odata import GUID
from fakes.kit import plain_json

Row = dict[str, Any]

_TYPE_NAMES = {
    "g": "Guid",
    "s": "String",
    "s18": "String",
    "i16": "Int16",
    "i32": "Int32",
    "i64": "Int64",
    "f": "Double",
    "b": "Boolean",
    "by": "Byte",
    "dt": "DateTime",
    "bin": "Byte[]",
    "nav": "Collection",
}
_RANGES = {"i16": 1 << 15, "i32": 1 << 31, "i64": 1 << 63}
_JSON_DATE = re.compile(r"/Date\((-?\d+)(?:[+-]\d+)?\)/")
_TOLERATED = frozenset({"Type"})  # scraped as read-only, yet clients post it and it is looked at: SalesEntries only


def read_json(text: bytes) -> Any:
    try:
        return plain_json.loads(text)
    except (ValueError, UnicodeDecodeError):
        raise Refused(400, errors.NOT_AN_OBJECT) from None


def read(body: Any, kind: Entity, *, update: bool = False) -> Row:
    """The writable fields of a posted object, as Python values; child rows as a list under their navigation name."""
    if not isinstance(body, dict):
        raise Refused(400, errors.NOT_AN_OBJECT)
    row: Row = {}
    for name, value in body.items():
        if name == "__metadata":
            continue
        known = kind.fields.get(name)
        if known is None:
            raise Refused(400, errors.UNKNOWN_PROPERTY.format(name, kind.type_name))
        if known.type == "nav":
            if not (isinstance(value, dict) and "__deferred" in value) and value is not None:
                if update:
                    raise Refused(400, errors.NEW_ENTITIES)
                row[name] = _children(value, known, kind)
            continue
        converted = convert(value, known)
        if known.writable or (name in _TOLERATED and kind.path == "salesentry/SalesEntries"):
            row[name] = converted
    return row


def _children(value: Any, known: Field, kind: Entity) -> list[Row]:
    rows = value.get("results") if isinstance(value, dict) else value
    if not isinstance(rows, list) or known.name not in kind.children:
        raise _bad_value(known)
    return [read(row, entity(kind.children[known.name][0])) for row in rows]


def _bad_value(known: Field) -> Refused:
    return Refused(400, errors.BAD_VALUE.format(known.name, _TYPE_NAMES[known.type]))


def convert(value: Any, known: Field) -> Any:
    """One JSON value as its type's Python value. Refused (400) for another type, 500 for text that is no GUID."""
    if value is None:
        return None
    match known.type:
        case "g" if isinstance(value, str):
            if not GUID.fullmatch(value.strip("{}")):
                raise BusinessRefusal(complaint("guid"))
            return value.strip("{}").lower()
        case "s" | "s18" if isinstance(value, str):
            return value
        case "b" if isinstance(value, bool):
            return value
        case "f" if not isinstance(value, bool) and isinstance(value, int | Decimal | str):
            try:
                number = Decimal(value)
            except InvalidOperation:
                raise _bad_value(known) from None
            if number.is_finite():
                return number
        case "i16" | "i32" if type(value) is int and abs(value) < _RANGES[known.type]:
            return value
        case "i64" if type(value) is int or (isinstance(value, str) and value.lstrip("-").isdigit()):
            return int(value)
        case "by" if type(value) is int and 0 <= value <= 255:
            return value
        case "dt" if isinstance(value, str) and (moment := day(value)) is not None:
            return moment
        case "bin" if isinstance(value, str):
            try:
                return base64.b64decode(value, validate=True)
            except (binascii.Error, ValueError):
                raise _bad_value(known) from None
    raise _bad_value(known)


def day(text: str) -> datetime | None:
    """A business date. A moment with a zone counts in UTC, so a shifted midnight lands on the day before."""
    if found := _JSON_DATE.fullmatch(text):
        moment = datetime.fromtimestamp(int(found[1]) / 1000, UTC)
    else:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return None
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
