"""The API itself: a path, a method and a query become rows or changes.

`server` has let the call in by now: token, division, budgets. What is left is the endpoint, its verbs and the deed.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from werkzeug import Request, Response

from fakes.exact import entries, errors, masters, payload, receivables, render
from fakes.exact.entities import ACCOUNT_FILTERS, ENTITIES, Entity, entity
from fakes.exact.errors import Refused
from fakes.exact.odata import Query, bad_syntax, literal, literals, parse_query
from fakes.exact.state import Division, Row, State

JSON_TYPE = "application/json;odata=verbose;charset=utf-8"
ATOM_TYPE = "application/atom+xml;charset=utf-8"
DELETED_KEPT = timedelta(days=61)
_BY_ACCOUNT = "read/financial/receivableslistbyaccount"
_PATH = re.compile(r"/api/v1/(?P<place>current|\d+)/(?P<rest>.+?)/?", re.IGNORECASE)
_RESOURCE = re.compile(r"(?P<path>[\w/]+?)(?:\((?P<key>.*?)\))?(?:/(?P<tail>\$count|\w+))?", re.DOTALL)


@dataclass(frozen=True)
class Target:
    """What a URL points at."""

    kind: Entity
    division: int | None  # None: current/Me
    key: str | None = None
    navigation: str | None = None
    count: bool = False
    by_account: bool = False

    @property
    def endpoint(self) -> str:
        return self.kind.path.lower()


def target_of(path: str) -> Target | None:
    """Read a URL path; None when nothing is there."""
    found = _PATH.fullmatch(path)
    if not found:
        return None
    place, rest = found["place"].lower(), found["rest"]
    division = None if place == "current" else int(place)
    resource = _RESOURCE.fullmatch(rest)
    if not resource:
        return None
    name, tail = resource["path"], resource["tail"]
    if resource["key"] is None and tail not in (None, "$count"):  # the lazy path stopped one segment early
        name, tail = f"{name}/{tail}", None
    by_account = name.lower() == _BY_ACCOUNT
    full = "read/financial/receivableslist" if by_account else name.lower() if division else f"current/{name.lower()}"
    kind = ENTITIES.get(full)
    if kind is None or (kind.path == "current/Me") != (division is None):
        return None
    target = Target(kind, division, resource["key"], by_account=by_account)
    if tail == "$count":
        return replace(target, count=True)
    if tail is not None:
        child = next((child for child in kind.children if child.lower() == tail.lower()), None)
        return replace(target, navigation=child) if child else None
    return target


class Api:
    """The vendor's resources, for one call by one user."""

    def __init__(self, state: State, request: Request, division: Division | None, user: Row) -> None:
        self.state, self.user = state, user
        base = f"{request.host_url.rstrip('/')}/api/v1" + (f"/{division.number}" if division else "")
        self.renderer = render.Renderer(base, self.children, entity)

    def answer(self, request: Request, target: Target, division: Division | None) -> Response:
        """The answer of a call that was let in. Refused or BusinessRefusal if the vendor says no."""
        method, kind = request.method, target.kind
        if method not in kind.verbs or (method != "GET" and (target.key is None) != (method == "POST")):
            allowed = ", ".join(sorted(kind.verbs))
            raise Refused(405, f"Method {method} is not allowed.", {"Allow": allowed})
        match method:
            case "GET":
                return self.get(request, target, division)
            case "POST":
                return self.post(request, kind, division)
            case "PUT":
                return self.put(request, target, division)
            case _:
                return self.delete(target, division)

    # --- reading ---

    def get(self, request: Request, target: Target, division: Division | None) -> Response:
        kind, options = target.kind, request.args
        if target.key is not None and target.navigation:
            parent = self.find(target, division)
            child = entity(kind.children[target.navigation][0])
            rows: Iterable[Row] = self.children(kind, parent, target.navigation)
            return self.collection(request, child, rows, parse_query(options, child))
        if target.key is not None:
            query = parse_query(options, replace_select(kind))
            shown = self.renderer.row(kind, self.find(target, division), query.select, query.expand)
            return self.respond(request, kind, {"d": shown}, [shown])
        query = parse_query(options, kind)
        if kind.path in self.state.switches.mandatory_filter and not self._filtered_enough(query):
            raise Refused(400, errors.MANDATORY_FILTER.format(ACCOUNT_FILTERS))
        rows = self.source(kind, division, query)
        if target.by_account:
            rows = self._of_account(rows, options.get("accountId", ""))
        if kind.path in self.state.switches.rights_missing:
            rows = ()
        if target.count:
            condition = query.condition
            total = sum(1 for row in rows if condition is None or condition.test(row))
            return Response(str(total), content_type="text/plain;charset=utf-8")
        return self.collection(request, kind, rows, query)

    def _filtered_enough(self, query: Query) -> bool:
        return bool(query.condition and query.condition.fields & set(ACCOUNT_FILTERS.split(",")))

    def _of_account(self, rows: Iterable[Row], text: str) -> list[Row]:
        wanted = literals(text)
        if len(wanted) != 1:
            raise bad_syntax()
        return [row for row in rows if row["AccountId"] == wanted[0]]

    def source(self, kind: Entity, division: Division | None, query: Query) -> Iterable[Row]:
        """The rows a collection is made of, narrowed by what the query lets an index do."""
        pins = query.condition.pins if query.condition else {}
        match kind.table:
            case "Me":
                return [self._me()]
            case "Divisions":
                return self._divisions()
            case "LicenceDivisions":
                own = division.row.get("Customer")
                return [_licence_row(row) for row in self._divisions() if row.get("Customer") == own]
            case "JournalStatusList":
                return journal_statuses(division)
            case "ReceivablesList":
                return receivables.outstanding(division)
            case "DocumentTypes":
                return _document_types()
            case "DocumentCategories":
                return []
            case "Deleted":
                if not self.state.switches.deleted_right:
                    return []
                since = self.state.local_now() - DELETED_KEPT
                return [row for row in division["Deleted"] if row["DeletedDate"] >= since]
        if kind.kind == "sync" and query.condition:
            return division[kind.table].newer_than(max(query.condition.above or 0, (query.skiptoken or (0,))[0]))
        return division[kind.table].among(pins)

    def children(self, kind: Entity, row: Row, name: str) -> list[Row]:
        path, field = kind.children[name]
        rows = self.state.divisions[row["Division"]][entity(path).table].where(field, row[kind.key[0]])
        return sorted(rows, key=lambda r: (r.get("LineNumber") or 0, r["ID"]))

    def find(self, target: Target, division: Division | None) -> Row:
        """The row with the key in the URL. 404 when there is none, 400 when the key cannot be read."""
        kind = target.kind
        parts = target.key.split(",")
        if all("=" in part for part in parts):  # named parts of a key may come in any order
            named = dict(part.strip().split("=", 1) for part in parts)
            parts = [named.get(name, "") for name in kind.key]
        key = literals(",".join(parts))
        if len(key) != len(kind.key):
            raise bad_syntax()
        if division is not None and kind.table in division.tables and kind.kind == "rest":
            row = division[kind.table].get(key[0])
        else:
            query = Query(None, frozenset(), None, (), None, 0, None, False)
            rows = self.source(kind, division, query)
            row = next((row for row in rows if tuple(row[name] for name in kind.key) == key), None)
        if row is None:
            raise Refused(404, f"Resource not found for the segment '{kind.path.split('/')[-1]}'.")
        return row

    def collection(self, request: Request, kind: Entity, rows: Iterable[Row], query: Query) -> Response:
        condition = query.condition
        if condition is not None:
            rows = [row for row in rows if condition.test(row)]
        elif query.count:
            rows = list(rows)
        total = len(rows) if query.count else None
        page, more = _page(kind, rows, query)
        shown = [self.renderer.row(kind, row, query.select, query.expand) for row in page]
        next_link = self._next_link(request, kind, page[-1], query) if more else None
        if query.top is not None and query.top <= kind.page and not query.count:
            return self.respond(request, kind, {"d": shown}, shown)
        body: Row = {"results": shown}
        if total is not None:
            body["__count"] = str(total)
        if next_link:
            body["__next"] = next_link
        return self.respond(request, kind, {"d": body}, shown, next_link)

    def _next_link(self, request: Request, kind: Entity, last: Row, query: Query) -> str:
        options = {name: value for name, value in request.args.items() if name not in ("$skip", "$skiptoken", "$top")}
        if query.top is not None:
            options["$top"] = str(query.top - kind.page)
        names = [name for name, _ in query.order] + list(kind.key)
        options["$skiptoken"] = ",".join(literal(last.get(name), kind.fields[name].type) for name in names)
        text = "&".join(f"{quote(name, safe='$')}={quote(value, safe='')}" for name, value in options.items())
        return f"{request.base_url}?{text}"

    def respond(
        self,
        request: Request,
        kind: Entity,
        body: Any,
        rows: list[Row],
        next_link: str | None = None,
        status: int = 200,
    ) -> Response:
        """JSON for who asks for it, Atom for everybody else."""
        if "json" in request.headers.get("Accept", "").lower() or request.args.get("$format") == "json":
            answer = Response(render.dumps(body), status=status, content_type=JSON_TYPE)
        else:
            answer = Response(
                render.atom(self.renderer.base, kind, rows, next_link), status=status, content_type=ATOM_TYPE
            )
        answer.headers["DataServiceVersion"] = "2.0;"
        return answer

    # --- writing ---

    def post(self, request: Request, kind: Entity, division: Division) -> Response:
        posted = payload.read(payload.read_json(request.get_data(cache=True)), kind)
        create: Callable[[Division, Row], Row] = {
            "SalesEntries": entries.create,
            "SalesEntryLines": entries.add_line,
            "BankEntryLines": masters.add_bank_line,
        }.get(kind.table, lambda division, row: masters.create(division, kind, row))
        row = create(division, posted)
        known = None
        if "return=representation" not in request.headers.get("Prefer", "").replace(" ", ""):
            known = {*posted, *kind.key, "EntryID", "EntryNumber"}
        shown = self.renderer.row(kind, row, known=known)
        answer = self.respond(request, kind, {"d": shown}, [shown], status=201)
        answer.headers["Location"] = shown["__metadata"]["uri"]
        return answer

    def put(self, request: Request, target: Target, division: Division) -> Response:
        kind = target.kind
        key = self.find(target, division)[kind.key[0]]
        changes = payload.read(payload.read_json(request.get_data(cache=True)), kind, update=True)
        match kind.table:
            case "SalesEntries":
                entries.update(division, key, changes)
            case "SalesEntryLines":
                entries.change_line(division, key, changes)
            case _:
                masters.update(division, kind, key, changes)
        return Response(status=204)

    def delete(self, target: Target, division: Division) -> Response:
        kind = target.kind
        key = self.find(target, division)[kind.key[0]]
        match kind.table:
            case "SalesEntries":
                entries.delete(division, key)
            case "SalesEntryLines":
                entries.drop_line(division, key)
            case _:
                masters.delete(division, kind, key)
        return Response(status=204)

    # --- rows that are not stored ---

    def _me(self) -> Row:
        utc = self.state.now().replace(tzinfo=None)
        here = self.state.local_now()
        return {
            **self.user,
            "ServerTime": here.isoformat(timespec="milliseconds"),
            "ServerUtcOffset": (here - utc).total_seconds() / 3600,
        }

    def _divisions(self) -> list[Row]:
        """The divisions this user may open and granted to the app."""
        scope = self.state.switches.division_scope
        numbers = [n for n in self.user["divisions"] if n in self.state.divisions and (scope is None or n in scope)]
        last = self.user.get("_api_division")
        return [{**self.state.divisions[n].row, "Current": n == last} for n in sorted(numbers)]


def replace_select(kind: Entity) -> Entity:
    """One row by its key needs no $select, whatever the collection asks."""
    return replace(kind, select_required=False) if kind.select_required else kind


class _Descending:
    """Sorts the other way round."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __lt__(self, other: _Descending) -> bool:
        return other.value < self.value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Descending) and self.value == other.value


def _page(kind: Entity, rows: Iterable[Row], query: Query) -> tuple[list[Row], bool]:
    """One page in order, and whether there is more. Rows without a value come first."""
    directions = [descending for _, descending in query.order] + [False] * len(kind.key)
    names = [name for name, _ in query.order] + list(kind.key)

    def place(values: Iterable[Any]) -> tuple[Any, ...]:
        comparable = ((value is not None, value) for value in values)
        return tuple(_Descending(v) if down else v for v, down in zip(comparable, directions, strict=True))

    if not query.order and len(names) == 1:
        (name,) = names
        key: Callable[[Row], Any] = lambda row: row[name]  # noqa: E731
        start = query.skiptoken[0] if query.skiptoken else None
    else:
        key = lambda row: place(row.get(name) for name in names)  # noqa: E731
        start = place(query.skiptoken) if query.skiptoken else None
    if start is not None:
        rows = [row for row in rows if start < key(row)]
    size = kind.page if query.top is None else min(kind.page, query.top)
    found = heapq.nsmallest(query.skip + size + 1, rows, key=key)[query.skip :]
    more = len(found) > size and (query.top is None or query.top > kind.page)
    return found[:size], more


def _licence_row(row: Row) -> Row:
    """The older list: other status codes (1 is archived), `HID` instead of `Hid`."""
    return {
        **row,
        "HID": row.get("Hid"),
        "Status": 0 if row.get("Status", 1) == 1 else 1,
        "Main": row.get("IsMainDivision"),
    }


def _document_types() -> list[Row]:
    return [
        {
            "ID": number,
            "Description": text,
            "DocumentIsCreatable": creatable,
            "DocumentIsDeletable": creatable,
            "DocumentIsUpdatable": creatable,
            "DocumentIsViewable": True,
            "TypeCategory": 0,
        }
        for number, (text, creatable) in masters.DOCUMENT_TYPES.items()
    ]


def journal_statuses(division: Division) -> list[Row]:
    """Each journal and period with 0 open or 1 closed."""
    rows = []
    for journal in division["Journals"]:
        for period in division["FinancialPeriods"]:
            closed = division.is_closed(period["FinYear"], period["FinPeriod"], journal["Code"])
            rows.append(
                {
                    "Journal": journal["Code"],
                    "Year": period["FinYear"],
                    "Period": period["FinPeriod"],
                    "JournalDescription": journal.get("Description"),
                    "JournalType": journal["Type"],
                    "Status": int(closed),
                    "StatusDescription": "Afgesloten" if closed else "Open",
                }
            )
    return rows
