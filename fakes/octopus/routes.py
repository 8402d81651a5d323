"""Every operation of the REST service: method, path, daily limit, and what it does.

Source: reference, sections 2 to 7. `server` has let the call in by now: token, dossier, limit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from werkzeug import Request
from werkzeug.routing import Map, Rule

from fakes.octopus import balancings, bookings, masters, payload, relations, reports
from fakes.octopus.errors import LANGUAGES, Refused, bad_parameters, nothing_found
from fakes.octopus.state import BUY_SELL_LETTERS, FINANCIAL_LETTERS, JOURNAL_TYPES, Dossier, Row, State, document_id

BASE = "/octopus-rest-api/v1"
Answer = tuple[int, Any]  # status, body; None: no body at all
CREATED: Answer = (201, None)
DONE: Answer = (204, None)


@dataclass
class Call:
    """One call in one dossier."""

    request: Request
    state: State
    dossier: Dossier
    name: str
    values: dict[str, Any]

    def text(self, name: str) -> str:
        """A required query parameter; misspelt is the same as absent."""
        value = self.request.args.get(name)
        if value is None:
            raise bad_parameters()
        return value

    def number(self, name: str) -> int:
        return payload.number(self.text(name))

    def since(self) -> Callable[[Row], bool]:
        """Was a row modified since the `modifiedTimeStamp` of the query?"""
        moment = payload.stamp(self.text("modifiedTimeStamp"))
        if self.state.switches.timestamp_inclusive:
            return lambda row: row["_modified"] >= moment
        return lambda row: row["_modified"] > moment

    def body(self, kind: Any) -> Row:
        return self.read(payload.loads(self.request.get_data(cache=True)), kind)

    def read(self, value: Any, kind: Any) -> Row:
        return payload.read(value, kind, lambda member: self.state.unknown.update([f"{self.name} {member}"]))

    def bookyear(self, number: int) -> Row:
        found = self.dossier["bookyears"].get(str(number))
        if found is None:
            raise nothing_found(f"bookyear {number} in dossier {self.dossier.id}")
        return found


def some(rows: list[Any], what: str) -> Answer:
    """A list, or the 404 that stands for an empty one."""
    if not rows:
        raise nothing_found(what)
    return 200, rows


def modified(call: Call, table: str, show: Callable[[Row], Row], gone: str = "") -> Answer:
    """What changed and what was deleted since the time asked for."""
    changed = call.since()
    rows = [show(row) for row in call.dossier[table].values() if changed(row)]
    deleted = [show(row) for row in call.dossier[gone].values() if changed(row)] if gone else []
    if not rows and not deleted:
        raise nothing_found(f"modified {table} in dossier {call.dossier.id}")
    return 200, {"modified": rows, "deleted": deleted}


# --- dossier data ---


def list_bookyears(call: Call) -> Answer:
    return some([masters.bookyear(row) for row in call.dossier["bookyears"].values()], "bookyears")


def get_bookyear(call: Call) -> Answer:
    return 200, masters.one_bookyear(call.bookyear(call.values["bookyear"]))


def list_journals(call: Call) -> Answer:
    year = call.bookyear(call.values["bookyear"])["bookyearKey"]["id"]
    return some([masters.journal(row) for row in call.dossier.journals_of(year)], "journals")


def get_journal(call: Call) -> Answer:
    return 200, masters.one_journal(_journal(call, f"{call.values['letter']}{call.values['number']}"))


def get_balance(call: Call) -> Answer:
    """What is on the account of a bank journal, by its documents of the bookyear."""
    journal = _journal(call, call.values["journal"])
    if journal["journalKey"][0] != "F":
        raise nothing_found(f"balance of journal {journal['journalKey']}")
    place = {name: journal[name] for name in ("bookyearKey", "journalKey")}
    documents = [row for row in call.dossier["bookings"].values() if place.items() <= row.items()]

    amounts = [line["amount"] for row in documents for line in row["bookingLines"]]
    return 200, {**place, "balance": sum(amounts, Decimal())}


def _journal(call: Call, key: str) -> Row:
    found = call.dossier.journal(call.bookyear(call.values["bookyear"])["bookyearKey"]["id"], key)
    if found is None:
        raise nothing_found(f"journal {key} in dossier {call.dossier.id}")
    return found


def modified_journals(call: Call) -> Answer:
    """The one list of changes that is answered when it is empty."""
    changed = call.since()
    rows = [masters.journal(row) for row in call.dossier["journals"].values() if changed(row)]
    return 200, {"modifiedJournalServiceDataList": rows, "deletedJournalList": []}


def list_accounts(call: Call) -> Answer:
    year = call.bookyear(call.number("bookyearId"))["bookyearKey"]
    rows = [row for row in call.dossier["accounts"].values() if row["accountKey"]["bookyearKey"] == year]
    return some([masters.own(row) for row in rows], "accounts")


def modified_accounts(call: Call) -> Answer:
    return modified(call, "accounts", masters.own)


def list_vat_codes(call: Call) -> Answer:
    return some([masters.own(row) for row in call.dossier["vat_codes"].values()], "VAT codes")


def list_currencies(call: Call) -> Answer:
    return 200, call.dossier.currencies


def list_cost_centres(call: Call) -> Answer:
    return some([masters.own(row) for row in call.dossier["cost_centres"].values()], "cost centres")


def list_active_cost_centres(call: Call) -> Answer:
    rows = [row for row in call.dossier["cost_centres"].values() if not row.get("closed")]
    return some([masters.own(row) for row in rows], "cost centres")


def list_nothing(call: Call) -> Answer:
    """Products, product groups and custom fields: no dossier here has any."""
    raise nothing_found(call.name.removeprefix("GET "))


# --- relations ---


def list_relations(call: Call) -> Answer:
    """All active relations."""
    rows = [row for row in call.dossier["relations"].values() if row["active"]]
    return some([relations.show(call.dossier, row) for row in rows], "relations")


def search_relations(call: Call) -> Answer:
    rows = relations.search(call.dossier, relation_query(call.request))
    if not rows and call.state.switches.empty_relations_list:
        return 200, []
    return some([relations.show(call.dossier, row) for row in rows], "relations")


def relation_query(request: Request) -> Row:
    """The criteria of a search; a parameter that is no criterion is ignored."""
    asked = {
        name: value for name in ("relationId", "extRelationId", "name", "vatNr") if (value := request.args.get(name))
    }
    return {name: payload.number(value) if name.endswith("Id") else value for name, value in asked.items()}


def modified_relations(call: Call) -> Answer:
    return modified(call, "relations", lambda row: relations.show(call.dossier, row), "gone_relations")


def put_relation(call: Call) -> Answer:
    made = relations.save(call.dossier, call.body(payload.RELATION))
    return (201, relations.show(call.dossier, made)) if made else DONE


# --- bookings ---


def get_booking(letters: str) -> Callable[[Call], Answer]:
    def get(call: Call) -> Answer:
        number = call.number("documentSeqNr")
        key = document_id(call.number("bookyearId"), call.text("journalKey"), number)
        found = call.dossier["bookings"].get(key)
        if found is None or found["journalKey"][0] not in letters:
            raise nothing_found(f"booking {key} in dossier {call.dossier.id}")
        return 200, bookings.show(call.dossier, found)

    return get


def modified_bookings(letters: str) -> Callable[[Call], Answer]:
    def get(call: Call) -> Answer:
        year, journal, changed = call.number("bookyearId"), call.request.args.get("journalKey"), call.since()
        rows = [
            bookings.show(call.dossier, row)
            for row in bookings.of_kind(call.dossier, letters)
            if year in (-1, row["bookyearKey"]["id"]) and journal in (None, row["journalKey"]) and changed(row)
        ]
        return some(rows, f"modified bookings in dossier {call.dossier.id}, bookyear {year}, journal {journal}")

    return get


def post_booking(letters: str, wrapper: str, kind: Row) -> Callable[[Call], Answer]:
    whole = {wrapper: kind, "attachments": [payload.ATTACHMENT]}

    def post(call: Call) -> Answer:
        given = call.body(whole)
        if wrapper not in given:
            raise bad_parameters()
        files = bookings.attachments(call.dossier, given.get("attachments", []))
        bookings.insert(call.dossier, given[wrapper], files, letters)
        return CREATED

    return post


def put_booking(letters: str, kind: Row) -> Callable[[Call], Answer]:
    def put(call: Call) -> Answer:
        bookings.replace(call.dossier, call.body(kind), letters)
        return DONE

    return put


def attach(call: Call) -> Answer:
    """A file for a booking that is there; journal and number come in headers, the second misspelt."""
    headers = call.request.headers
    journal, number = headers.get("journalKey"), headers.get("documentSequennceNr")
    if journal is None:
        raise bad_parameters()
    key = document_id(call.values["bookyear"], journal, payload.number(number))
    if key not in call.dossier["bookings"]:
        raise Refused(404, f"No booking {key} in dossier {call.dossier.id}", -34)
    files = bookings.attachments(call.dossier, [call.body(payload.ATTACHMENT)])
    call.dossier.attach(key, files)
    return DONE


def modified_ledger(call: Call) -> Answer:
    year, kind, changed = call.values["bookyear"], call.number("journalTypeId"), call.since()
    if year == -1 and kind != -1:  # over all bookyears there are increments of everything only
        raise bad_parameters()
    until = call.request.args.get("modifiedTimeStampTo")
    end = payload.stamp(until) if until is not None else datetime.max

    def wanted(row: Row, journal_type: int) -> bool:
        fits = year in (-1, row["bookyearKey"]["id"]) and kind in (-1, journal_type)
        return fits and changed(row) and row["_modified"] <= end

    rows = [r for r in call.dossier["bookings"].values() if wanted(r, JOURNAL_TYPES[r["journalKey"][0]])]
    gone = [row for row in call.dossier["gone_bookings"].values() if wanted(row, row["journalType"])]
    return 200, reports.ledger(call.dossier, rows, gone)


# --- balancings and reports ---


def modified_balancings(call: Call) -> Answer:
    changed = call.since()
    rows = [balancings.show(call.dossier, r) for r in call.dossier["balancings"].values() if changed(r)]
    deleted = [row["shown"] for row in call.dossier["gone_balancings"].values() if changed(row)]
    if not rows and not deleted:
        raise nothing_found(f"modified balancings in dossier {call.dossier.id}")
    return 200, {"modifiedBalancings": rows, "deletedBalancings": deleted}


def balance(deed: Callable[[Dossier, Row], None], kind: Row, answer: Answer) -> Callable[[Call], Answer]:
    def carry_out(call: Call) -> Answer:
        deed(call.dossier, call.body(kind))
        return answer

    return carry_out


def open_items(kind: str) -> Callable[[Call], Answer]:
    return lambda call: (200, reports.open_items(call.dossier, kind, call.body(payload.OPEN_QUERY)))


def list_reminders(call: Call) -> Answer:
    until = payload.day(call.text("expirationDate"))
    if until is None:
        raise bad_parameters()
    return 200, reports.reminders(call.dossier, until)


def list_to_be_paid(call: Call) -> Answer:
    return 200, reports.to_be_paid(call.dossier)


# --- the table ---


@dataclass(frozen=True)
class Operation:
    """`name` is how quotas and counters call it; what does not read, a read-only user may not do."""

    method: str
    path: str
    per_day: int
    deed: Callable[[Call], Answer]

    @property
    def name(self) -> str:
        path = re.sub(r"<(?:[^:>]*:)?(\w+)>", r"{\1}", self.path)
        return f"{self.method} {path}"

    @property
    def reads(self) -> bool:
        return self.method == "GET" or self.path.startswith("reports/")


_YEAR = "bookyears/<int(signed=True):bookyear>"
_SALES = (BUY_SELL_LETTERS, "buySellBookingServiceData", payload.BUY_SELL)
_MONEY = (FINANCIAL_LETTERS, "financialDiversBookingServiceData", payload.FINANCIAL_DIVERS)

SEARCH = Operation("GET", "relations?search", 400, search_relations)

OPERATIONS = (
    Operation("GET", "bookyears", 24, list_bookyears),
    Operation("GET", _YEAR, 24, get_bookyear),
    Operation("GET", f"{_YEAR}/journals", 24, list_journals),
    Operation("GET", f"{_YEAR}/journals/<letter>/<int:number>", 24, get_journal),
    Operation("GET", f"{_YEAR}/journals/<journal>", 24, get_balance),
    Operation("GET", "journals/modified", 48, modified_journals),
    Operation("GET", "accounts", 2, list_accounts),
    Operation("GET", "accounts/modified", 48, modified_accounts),
    Operation("GET", "vatcodes", 2, list_vat_codes),
    Operation("GET", "currencies", 2, list_currencies),
    Operation("GET", "costcentres", 2, list_cost_centres),
    Operation("GET", "costcentres/active", 2, list_active_cost_centres),
    Operation("GET", "products", 2, list_nothing),
    Operation("GET", "productgroups", 2, list_nothing),
    Operation("GET", "customfields", 2, list_nothing),
    Operation("GET", "relations", 2, list_relations),
    Operation("GET", "relations/modified", 48, modified_relations),
    Operation("PUT", "relations", 400, put_relation),
    Operation("GET", "buysellbookings", 10, get_booking(BUY_SELL_LETTERS)),
    Operation("POST", "buysellbookings", 400, post_booking(*_SALES)),
    Operation("PUT", "buysellbookings", 10, put_booking(BUY_SELL_LETTERS, payload.BUY_SELL)),
    Operation("GET", "buysellbookings/modified", 48, modified_bookings(BUY_SELL_LETTERS)),
    Operation("GET", "financialdiversbookings", 10, get_booking(FINANCIAL_LETTERS)),
    Operation("POST", "financialdiversbookings", 400, post_booking(*_MONEY)),
    Operation("PUT", "financialdiversbookings", 10, put_booking(FINANCIAL_LETTERS, payload.FINANCIAL_DIVERS)),
    Operation("GET", "financialdiversbookings/modified", 48, modified_bookings(FINANCIAL_LETTERS)),
    Operation("POST", f"{_YEAR}/bookings/attachements", 400, attach),
    Operation("GET", f"{_YEAR}/bookings/modified", 48, modified_ledger),
    Operation("GET", "balancings/modified", 48, modified_balancings),
    Operation("POST", "balancings", 400, balance(balancings.post, payload.PAIR, CREATED)),
    Operation("DELETE", "balancings/delete", 400, balance(balancings.delete, payload.PAIR, DONE)),
    Operation(
        "DELETE", "balancings/bookingline/delete", 400, balance(balancings.delete_line, payload.BALANCING_KEY, DONE)
    ),
    Operation(
        "DELETE", "balancings/document/delete", 400, balance(balancings.delete_document, payload.DOCUMENT_KEY, DONE)
    ),
    Operation("POST", "reports/clients/open", 24, open_items(reports.CLIENTS)),
    Operation("POST", "reports/suppliers/open", 24, open_items(reports.SUPPLIERS)),
    Operation("GET", "rappels", 400, list_reminders),
    Operation("GET", "bank/invoices", 48, list_to_be_paid),
)

# Outside any dossier; `server` answers these by itself.
ENTRANCE = (
    ("POST", "/authentication", "log_in"),
    ("GET", "/authentication", "who_am_i"),
    ("GET", "/dossiers", "list_dossiers"),
    ("POST", "/dossiers", "connect"),
    ("GET", "/about/version", "version"),
    ("GET", "/error", "sample_error"),
)
ENTRANCE_PER_DAY = {
    "list_dossiers": ("GET dossiers", 150),
    "connect": ("POST dossiers", 150),
    "sample_error": ("GET error", 100),
}


def _rules() -> Iterable[Rule]:
    for method, path, name in ENTRANCE:
        yield Rule(BASE + path, methods=[method], endpoint=name)
    for operation in OPERATIONS:
        path = f"{BASE}/dossiers/<int:dossier>/{operation.path}"
        yield Rule(path, methods=[operation.method], endpoint=operation)


RULES = Map(list(_rules()), merge_slashes=False)


def localeid(text: str | None) -> int:
    """0 the dossier's language, 1 Dutch, 2 French, 3 English, 4 German."""
    number = payload.number(text) if text is not None else 0
    if not 0 <= number <= len(LANGUAGES):
        raise bad_parameters()
    return number
