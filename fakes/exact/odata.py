"""The query language of Exact Online: `$filter`, `$select`, `$orderby`, paging.

A filter becomes a `Condition`: a test for one row, plus what an index may use (`pins`) and a row version to start from
(`above`). Strings compare as the vendor's database does: trailing blanks do not count, leading ones do. That is why the
left-padded `Accounts.Code` never equals an unpadded text. Source: reference, sections 3.3 and 3.5.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from fakes.exact import errors
from fakes.exact.entities import Entity
from fakes.exact.errors import Refused

Row = Mapping[str, Any]
NUMBERS = frozenset({"i16", "i32", "i64", "f", "by"})
GUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<guid>guid\s*'(?P<guid_text>[^']*)')
    | (?P<datetime>datetime\s*'(?P<datetime_text>[^']*)')
    | (?P<text>'(?:[^']|'')*')
    | (?P<number>-?\d+(?:\.\d+)?)[LMDdlmf]?(?![\w.])
    | (?P<name>[A-Za-z_][\w/]*)
    | (?P<mark>[(),])
    )""",
    re.VERBOSE,
)


def bad_syntax() -> Refused:
    return Refused(400, errors.QUERY_SYNTAX)


@dataclass(frozen=True, slots=True)
class Condition:
    """Which rows a filter lets through."""

    test: Callable[[Row], bool]
    fields: frozenset[str]
    pins: Mapping[str, frozenset[Any]] = field(default_factory=dict)  # a passing row has one of these values
    pure: bool = False  # the pins say it all
    above: int | None = None  # Timestamp greater than this


@dataclass(frozen=True, slots=True)
class _Operand:
    kind: str  # g s n b dt null
    get: Callable[[Row], Any]
    name: str | None = None  # a bare field
    value: Any = None  # a literal
    fields: frozenset[str] = frozenset()


def guid_of(text: str) -> str:
    text = text.strip().strip("{}")
    if not GUID.fullmatch(text):
        raise bad_syntax()
    return text.lower()


def datetime_of(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.strip().removesuffix("Z")).replace(tzinfo=None)
    except ValueError:
        raise bad_syntax() from None


def comparable(value: Any) -> Any:
    """A stored value as filters and indexes see it."""
    return value.rstrip() if isinstance(value, str) else value


class _Parser:
    """Recursive descent over the tokens: or, and, not, comparison, operand."""

    def __init__(self, text: str, entity: Entity) -> None:
        self.entity = entity
        self.tokens = list(_tokens(text))
        self.at = 0

    def parse(self) -> Condition:
        condition = self._or()
        if self.at != len(self.tokens):
            raise bad_syntax()
        return condition

    def _peek(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")

    def _next(self) -> tuple[str, str]:
        token = self._peek()
        self.at += 1
        return token

    def _take(self, kind: str, text: str) -> bool:
        if self._peek() == (kind, text):
            self.at += 1
            return True
        return False

    def _expect(self, mark: str) -> None:
        if not self._take("mark", mark):
            raise bad_syntax()

    def _or(self) -> Condition:
        terms = [self._and()]
        while self._take("name", "or"):
            terms.append(self._and())
        return terms[0] if len(terms) == 1 else _any_of(terms)

    def _and(self) -> Condition:
        terms = [self._not()]
        while self._take("name", "and"):
            terms.append(self._not())
        return terms[0] if len(terms) == 1 else _all_of(terms)

    def _not(self) -> Condition:
        if self._take("name", "not"):
            inner = self._not()
            return Condition(lambda row: not inner.test(row), inner.fields)
        if self._peek() == ("mark", "("):
            back = self.at
            self.at += 1
            inner = self._or()
            self._expect(")")
            if self._peek()[1] not in _OPERATORS:
                return inner
            self.at = back  # it was a bracketed operand
        return self._comparison()

    def _comparison(self) -> Condition:
        left = self._operand()
        if self._peek()[0] != "name" or self._peek()[1] not in _OPERATORS:
            if left.kind != "b":
                raise bad_syntax()
            return Condition(lambda row: bool(left.get(row)), left.fields)
        operator = self._next()[1]
        return _compare(left, operator, self._operand())

    def _operand(self) -> _Operand:
        kind, text = self._next()
        if kind == "mark" and text == "(":
            inner = self._operand()
            self._expect(")")
            return inner
        if kind == "guid":
            return _literal("g", guid_of(text))
        if kind == "datetime":
            return _literal("dt", datetime_of(text))
        if kind == "text":
            return _literal("s", text[1:-1].replace("''", "'"))
        if kind == "number":
            return _literal("n", Decimal(text) if "." in text else int(text))
        if kind == "name" and text in ("true", "false", "null"):
            return _literal("null", None) if text == "null" else _literal("b", text == "true")
        if kind == "name" and self._peek() == ("mark", "("):
            return self._function(text)
        if kind == "name":
            return self._field(text)
        raise bad_syntax()

    def _field(self, name: str) -> _Operand:
        known = self.entity.fields.get(name)
        if known is None:
            raise Refused(400, errors.QUERY_PROPERTY.format(name, self.entity.type_name))
        if known.type in ("nav", "bin"):
            raise bad_syntax()
        kind = "n" if known.type in NUMBERS else "s" if known.type == "s18" else known.type
        get = (lambda row: comparable(row.get(name))) if kind == "s" else (lambda row: row.get(name))
        if kind == "b":
            get = lambda row: bool(row.get(name))  # noqa: E731
        return _Operand(kind, get, name=name, fields=frozenset({name}))

    def _function(self, name: str) -> _Operand:
        self._expect("(")
        arguments = [self._operand()]
        while self._take("mark", ","):
            arguments.append(self._operand())
        self._expect(")")
        call, count, kind = _FUNCTIONS.get(name, (None, 0, ""))
        if call is None or len(arguments) != count or any(a.kind not in ("s", "null") for a in arguments):
            raise bad_syntax()
        gets = [a.get for a in arguments]
        return _Operand(
            kind,
            lambda row: call(*(get(row) or "" for get in gets)),
            fields=frozenset().union(*(a.fields for a in arguments)),
        )


_FUNCTIONS: dict[str, tuple[Callable[..., Any], int, str]] = {
    "substringof": (lambda part, text: part.lower() in text.lower(), 2, "b"),
    "startswith": (lambda text, part: text.lower().startswith(part.lower()), 2, "b"),
    "endswith": (lambda text, part: text.lower().endswith(part.lower()), 2, "b"),
    "trim": (str.strip, 1, "s"),
    "tolower": (str.lower, 1, "s"),
    "toupper": (str.upper, 1, "s"),
}
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "gt": lambda a, b: a is not None and b is not None and a > b,
    "ge": lambda a, b: a is not None and b is not None and a >= b,
    "lt": lambda a, b: a is not None and b is not None and a < b,
    "le": lambda a, b: a is not None and b is not None and a <= b,
}


def _tokens(text: str) -> Any:
    at = 0
    text = text.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if not found:
            raise bad_syntax()
        at = found.end()
        kind = found.lastgroup or ""
        for name in ("guid", "datetime"):
            if found[name] is not None:
                kind = name
        yield kind, found[f"{kind}_text"] if kind in ("guid", "datetime") else found[kind]


def _literal(kind: str, value: Any) -> _Operand:
    value = comparable(value)
    return _Operand(kind, lambda _: value, value=value)


def _compare(left: _Operand, operator: str, right: _Operand) -> Condition:
    if left.kind != right.kind and "null" not in (left.kind, right.kind):
        raise bad_syntax()
    if left.name is None and right.name is not None and operator in ("eq", "ne"):
        left, right = right, left
    fields = left.fields | right.fields
    if left.name is not None and not right.fields:
        get, name, wanted = left.get, left.name, right.value
        if operator == "eq":
            if left.kind == "b":  # a missing flag is false: no look-up by value
                return Condition(lambda row: get(row) == wanted, fields)
            return Condition(lambda row: get(row) == wanted, fields, {name: frozenset({wanted})}, pure=True)
        above = wanted if name == "Timestamp" and operator == "gt" else None
        test = _OPERATORS[operator]
        return Condition(lambda row: test(get(row), wanted), fields, above=above)
    test = _OPERATORS[operator]
    return Condition(lambda row: test(left.get(row), right.get(row)), fields)


def _all_of(terms: Sequence[Condition]) -> Condition:
    tests = tuple(t.test for t in terms)
    pins: dict[str, frozenset[Any]] = {}
    for term in terms:
        for name, values in term.pins.items():
            pins[name] = pins[name] & values if name in pins else values
    floors = [t.above for t in terms if t.above is not None]
    return Condition(
        lambda row: all(test(row) for test in tests),
        frozenset().union(*(t.fields for t in terms)),
        pins,
        above=max(floors) if floors else None,
    )


def _any_of(terms: Sequence[Condition]) -> Condition:
    """A chain of `x eq 1 or x eq 2 …` is one look-up; anything else is tried term by term."""
    fields = frozenset().union(*(t.fields for t in terms))
    if len(fields) == 1 and all(t.pure for t in terms):
        (name,) = fields
        values = frozenset().union(*(t.pins[name] for t in terms))
        return Condition(lambda row: comparable(row.get(name)) in values, fields, {name: values}, pure=True)
    tests = tuple(t.test for t in terms)
    return Condition(lambda row: any(test(row) for test in tests), fields)


def parse_filter(text: str, entity: Entity) -> Condition:
    """The rows a `$filter` means. Refused (400) if it cannot be read, or asks for what this resource does not offer."""
    condition = _Parser(text, entity).parse()
    if entity.filters is not None and not condition.fields <= entity.filters:
        if entity.kind == "sync":
            raise Refused(400, errors.FILTER_REFUSED)
        raise Refused(400, errors.FILTER_FIELDS.format(",".join(sorted(condition.fields - entity.filters))))
    if entity.path == "sync/Deleted" or entity.kind != "sync":
        return condition
    if condition.above is None:
        raise Refused(400, errors.FILTER_REFUSED)
    return condition


@dataclass(frozen=True, slots=True)
class Query:
    """What a GET asks for, checked against the entity."""

    select: tuple[str, ...] | None  # None: everything
    expand: frozenset[str]
    condition: Condition | None
    order: tuple[tuple[str, bool], ...]  # (field, descending)
    top: int | None
    skip: int
    skiptoken: tuple[Any, ...] | None
    count: bool


_OPTIONS = frozenset(
    {"$select", "$filter", "$orderby", "$top", "$skip", "$skiptoken", "$expand", "$inlinecount", "$format"}
)


def parse_query(options: Mapping[str, str], entity: Entity) -> Query:
    """Read the query string. Refused (400) in the vendor's words for what it does not take."""
    if any(name.startswith("$") and name not in _OPTIONS for name in options):
        raise bad_syntax()
    select = _names(options.get("$select"))
    if entity.select_required and not select and options.get("$top") != "1":
        raise Refused(400, errors.MANDATORY_SELECT)
    if entity.kind != "rest" and "$skip" in options:
        raise bad_syntax()
    for name in select or ():
        if name != "*" and name.split("/")[0] not in entity.fields:
            raise Refused(400, errors.QUERY_PROPERTY.format(name, entity.type_name))
    expand = frozenset(_names(options.get("$expand")) or ())
    if not expand <= set(entity.children):
        raise Refused(
            400, errors.QUERY_PROPERTY.format(",".join(sorted(expand - set(entity.children))), entity.type_name)
        )
    if options.get("$inlinecount", "none") not in ("none", "allpages"):
        raise bad_syntax()
    order = _order(options.get("$orderby"), entity)
    return Query(
        select=None if not select or "*" in select else select,
        expand=expand,
        condition=parse_filter(options["$filter"], entity) if options.get("$filter", "").strip() else None,
        order=order,
        top=_number(options.get("$top")),
        skip=_number(options.get("$skip")) or 0,
        skiptoken=_skiptoken(options.get("$skiptoken"), len(order) + len(entity.key)),
        count=options.get("$inlinecount") == "allpages",
    )


def _names(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(name.strip() for name in text.split(",") if name.strip())


def _number(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.strip().isdigit():
        raise bad_syntax()
    return int(text)


def _order(text: str | None, entity: Entity) -> tuple[tuple[str, bool], ...]:
    order = []
    for part in _names(text) or ():
        name, _, direction = part.partition(" ")
        if direction.strip() not in ("", "asc", "desc"):
            raise bad_syntax()
        if name not in entity.fields:
            raise Refused(400, errors.QUERY_PROPERTY.format(name, entity.type_name))
        order.append((name, direction.strip() == "desc"))
    return tuple(order)


def _skiptoken(text: str | None, length: int) -> tuple[Any, ...] | None:
    if text is None:
        return None
    values = literals(text)
    if len(values) != length:
        raise bad_syntax()
    return values


def literals(text: str) -> tuple[Any, ...]:
    """`guid'…'`, `12345L`, `'text'`, one or several with commas between them."""
    values = []
    for kind, token in _tokens(text):
        if kind == "guid":
            values.append(guid_of(token))
        elif kind == "datetime":
            values.append(datetime_of(token))
        elif kind == "text":
            values.append(token[1:-1].replace("''", "'"))
        elif kind == "number":
            values.append(Decimal(token) if "." in token else int(token))
        elif kind == "name" and token in ("true", "false", "null"):
            values.append({"true": True, "false": False, "null": None}[token])
        elif (kind, token) != ("mark", ","):
            raise bad_syntax()
    return tuple(values)


def literal(value: Any, type_: str) -> str:
    """A value as it stands in a URL."""
    if value is None:
        return "null"
    if type_ == "g":
        return f"guid'{value}'"
    if type_ == "dt":
        return f"datetime'{value.isoformat()}'"
    if type_ == "i64":
        return f"{value}L"
    if type_ == "b":
        return "true" if value else "false"
    if type_ in NUMBERS:
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"
