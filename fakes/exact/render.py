"""Rows as Exact Online shows them: verbose JSON, or Atom for who does not ask for JSON.

Source: reference, sections 3.2 and 3.5: whole numbers of 64 bits as text, dates as `/Date(ms)/`, no trailing zeros,
child rows deferred unless expanded.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

from fakes.exact.entities import Entity
from fakes.exact.odata import literal
from fakes.exact.state import Row

_EPOCH = datetime(1970, 1, 1)
_MS = timedelta(milliseconds=1)


def number(value: Any) -> int | float | None:
    """A JSON number without trailing zeros; two decimals survive a binary float unharmed."""
    if not isinstance(value, Decimal):
        return value
    return int(value) if value == value.to_integral_value() else float(value)


def date(value: datetime | None) -> str | None:
    return None if value is None else f"/Date({(value - _EPOCH) // _MS})/"


def _same(value: Any) -> Any:
    return value


_RENDER: dict[str, Callable[[Any], Any]] = {
    "g": _same,
    "s": _same,
    "s18": _same,
    "i16": _same,
    "i32": _same,
    "by": _same,
    "i64": lambda value: None if value is None else str(value),
    "f": number,
    "b": bool,
    "dt": date,
    "bin": lambda value: None,
}


class Renderer:
    """Shows rows of one division to one request: `base` is where its URLs start."""

    def __init__(
        self, base: str, children: Callable[[Entity, Row, str], list[Row]], entity: Callable[[str], Entity]
    ) -> None:
        self.base, self.children, self.entity = base, children, entity

    def uri(self, kind: Entity, row: Row) -> str:
        if kind.path == "current/Me":
            return f"{self.base}/{kind.path}(guid'{row['UserID']}')"
        keys = [literal(row.get(name), kind.fields[name].type) for name in kind.key]
        if len(keys) > 1:
            keys = [f"{name}={key}" for name, key in zip(kind.key, keys, strict=True)]
        return f"{self.base}/{kind.path}({','.join(keys)})"

    def row(
        self,
        kind: Entity,
        row: Row,
        select: Collection[str] | None = None,
        expand: Collection[str] = (),
        known: Collection[str] | None = None,
    ) -> Row:
        """One row. `known`: show only these fields with their value, the others as null (a create without Prefer)."""
        uri = self.uri(kind, row)
        shown: Row = {"__metadata": {"uri": uri, "type": kind.type_name}}
        heads = None if select is None else {name.split("/")[0] for name in select}
        for name, field in kind.fields.items():
            if heads is not None and name not in heads:
                continue
            if field.type == "nav":
                shown[name] = self._navigation(kind, row, name, uri, select, expand)
            elif known is not None and name not in known:
                shown[name] = None
            else:
                shown[name] = _RENDER[field.type](row.get(name))
        return shown

    def _navigation(
        self, kind: Entity, row: Row, name: str, uri: str, select: Collection[str] | None, expand: Collection[str]
    ) -> Row:
        if name not in expand or name not in kind.children:
            return {"__deferred": {"uri": f"{uri}/{name}"}}
        inner = None if select is None else [part.split("/", 1)[1] for part in select if part.startswith(f"{name}/")]
        child = self.entity(kind.children[name][0])
        return {"results": [self.row(child, found, inner or None) for found in self.children(kind, row, name)]}


def dumps(body: Any) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


def plain(kind: Entity, row: Row) -> Row:
    """A row for the control API: the vendor's names, but dates in ISO and texts without padding."""
    shown: Row = {}
    for name, field in kind.fields.items():
        value = row.get(name)
        if field.type in ("nav", "bin"):
            continue
        shown[name] = value.strip() if isinstance(value, str) else bool(value) if field.type == "b" else value
    return shown


def atom(base: str, kind: Entity, rows: Iterable[Row], next_link: str | None = None) -> bytes:
    """A feed with the same content, as minimal as can be."""
    entries = "".join(
        f"<entry><id>{escape(row['__metadata']['uri'])}</id>"
        f'<category term="{escape(kind.type_name)}" '
        'scheme="http://schemas.microsoft.com/ado/2007/08/dataservices/scheme" />'
        f'<content type="application/xml"><m:properties>{_properties(row)}</m:properties></content></entry>'
        for row in rows
    )
    more = f'<link rel="next" href="{escape(next_link)}" />' if next_link else ""
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        f'<feed xml:base="{escape(base)}/" xmlns="http://www.w3.org/2005/Atom" '
        'xmlns:d="http://schemas.microsoft.com/ado/2007/08/dataservices" '
        'xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata">'
        f'<title type="text">{escape(kind.path.split("/")[-1])}</title>{entries}{more}</feed>'
    ).encode()


def _properties(row: Row) -> str:
    parts = []
    for name, value in row.items():
        if isinstance(value, dict):
            continue
        text = str(value).lower() if isinstance(value, bool) else str(value)
        parts.append(f'<d:{name} m:null="true" />' if value is None else f"<d:{name}>{escape(text)}</d:{name}>")
    return "".join(parts)
