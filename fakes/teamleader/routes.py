"""The API: one function per method, `resource.action`. Shapes and sections are those of the reference file."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from werkzeug import Request, Response
from werkzeug.datastructures import MultiDict

from fakes.kit import consent, plain_json
from fakes.kit.records import Row
from fakes.teamleader import checks, state
from fakes.teamleader.checks import Check, list_of, nullable, one_of, refuse, shape, text, timestamp, uuid
from fakes.teamleader.state import State, display_name, in_number_order
from fakes.teamleader.webhooks import TYPES

DEFAULT_SIZE, MAX_SIZE = 20, 100
DOWNLOAD_LIVES = timedelta(minutes=15)


@dataclass(frozen=True)
class Call:
    """One authorised call: whose account, and what was sent."""

    state: State
    tenant: str
    user: str
    body: Any
    request: Request

    def read(self, required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> dict[str, Any]:
        return shape(required, optional)(self.body, "")

    def includes(self, wanted: str) -> bool:
        return wanted in _words(self.body.get("includes"))


@dataclass(frozen=True)
class Method:
    run: Callable[[Call], Response]
    get: bool  # GET with a query still works: list, info, me


METHODS: dict[str, Method] = {}


def method(name: str) -> Callable[[Callable[[Call], Response]], Callable[[Call], Response]]:
    def register(run: Callable[[Call], Response]) -> Callable[[Call], Response]:
        METHODS[name] = Method(run, get=name.rpartition(".")[2] in ("list", "info", "me", "exchangeRates"))
        return run

    return register


# --- answers ----------------------------------------------------------------------------------------------------------


def data(value: Any, status: int = 200, **more: Any) -> Response:
    body = plain_json.dumps({"data": value, **more})
    return Response(body, status=status, content_type="application/json")


def created(type_: str, row: Row) -> Response:
    return data({"type": type_, "id": row["id"]}, 201)


def done() -> Response:
    return Response(status=204)


def shown(row: Mapping[str, Any], *keys: str) -> Row:
    """The row without what is private; only these keys when given."""
    return {k: row.get(k) for k in keys} if keys else {k: v for k, v in row.items() if k != "tenant" and k[0] != "_"}


# --- lists ------------------------------------------------------------------------------------------------------------

Filter = tuple[Check, Callable[[Row, Any], bool]]
IDS: Filter = (list_of(uuid), lambda row, ids: row["id"] in ids)
UPDATED_SINCE: Filter = (timestamp, lambda row, since: row["updated_at"] >= since)
TAGS: Filter = (list_of(text), lambda row, tags: set(tags) <= set(row["tags"]))
EMAIL: Filter = (
    shape({"type": one_of("primary"), "email": text}),
    lambda row, email: email in row["emails"],
)
DEPARTMENT: Filter = (uuid, lambda row, id_: row["department"]["id"] == id_)
CUSTOMER: Filter = (
    checks.reference("company", "contact"),
    lambda row, customer: row["invoicee"]["customer"] == customer,
)


def equals(key: str, check: Check = text) -> Filter:
    return check, lambda row, value: row[key] == value


def member(key: str, *values: str) -> Filter:
    return list_of(one_of(*values)), lambda row, wanted: row[key] in wanted


def listing(
    call: Call,
    rows: Iterable[Row],
    show: Callable[[Row], Row] = shown,
    *,
    filters: Mapping[str, Filter] | None = None,
    sort: Mapping[str, Callable[[Row], Any]] | None = None,
    paged: bool = True,
    meta: bool = True,
) -> Response:
    """The rows that pass the filters, sorted, one page of them; `meta` only when `includes` asks for it (2.3)."""
    filters, sort = filters or {}, sort or {}
    wanted = call.read({}, {"filter": nullable(_any_object), "sort": list_of(_sort(sort)), "page": _PAGE})
    sent = wanted.get("filter") or {}
    if call.state.switches.strict_filters and (unknown := set(sent) - set(filters)):
        raise refuse(f"filter.{min(unknown)} is not a filter", field=f"filter.{min(unknown)}")
    for key, (check, keep) in filters.items():
        if key in sent:
            value = check(sent[key], f"filter.{key}")
            rows = [row for row in rows if keep(row, value)]
    rows = list(rows)
    for order in reversed(wanted.get("sort", [])):
        rows.sort(key=sort[order["field"]], reverse=order.get("order") == "desc")
    more: dict[str, Any] = {}
    if paged:
        page = {"size": DEFAULT_SIZE, "number": 1, **wanted.get("page", {})}
        if meta and call.includes("pagination"):
            more["meta"] = {"page": page, "matches": len(rows)}
        start = page["size"] * (page["number"] - 1)
        rows = rows[start : start + page["size"]]
    answer = [show(row) for row in rows]
    if side := _side_loaded(call, answer):
        more["included"] = side
    return data(answer, **more)


def _any_object(value: Any, field: str) -> dict[str, Any]:
    if value == []:  # PHP clients write an empty object so
        return {}
    if not isinstance(value, dict):
        raise refuse(f"{field} must be an object", field=field)
    return value


def _sort(fields: Mapping[str, Any]) -> Check:
    return shape({"field": one_of(*fields)}, {"order": one_of("asc", "desc")})


def _size(value: Any, field: str) -> int:
    if checks.positive(value, field) > MAX_SIZE:
        raise refuse(f"{field} must be at most {MAX_SIZE}", field=field)
    return value


_PAGE = shape({}, {"size": _size, "number": checks.positive})


def _words(value: Any) -> list[str]:
    return [word.strip() for word in value.split(",")] if isinstance(value, str) else []


SIDE_LOADS = {
    "company": "companies",
    "contact": "contacts",
    "department": "departments",
    "invoice": "invoices",
    "product": "products",
    "productCategory": "product_categories",
    "taxRate": "tax_rates",
    "user": "users",
}


def _side_loaded(call: Call, rows: Iterable[Row]) -> dict[str, list[Row]]:
    """What `include` (singular) asks to bring along: the rows that its dotted paths refer to (2.4)."""
    found: dict[str, dict[str, Row]] = {}
    for path in _words(call.body.get("include")):
        for row in rows:
            value: Any = row
            for step in path.split("."):
                value = value.get(step) if isinstance(value, dict) else None
            table = SIDE_LOADS.get(value.get("type", "")) if isinstance(value, dict) else None
            if table and (target := call.state.find(table, value["id"], call.tenant)):
                found.setdefault(value["type"], {})[target["id"]] = shown(target)
    return {type_: list(by_id.values()) for type_, by_id in found.items()}


def info(call: Call, table: str, show: Callable[[Row], Row] = shown) -> Response:
    row = show(target(call, table))
    side = _side_loaded(call, [row])
    return data(row, **({"included": side} if side else {}))


def target(call: Call, table: str) -> Row:
    """The row that the body's `id` names."""
    return call.state.get(table, call.read({"id": uuid})["id"], call.tenant)


def lookup(name: str, table: str, *, paged: bool, filters: Mapping[str, Filter], sort: tuple[str, ...] = ()) -> None:
    """A list method without further ado."""
    keys: dict[str, Callable[[Row], Any]] = {
        field: (lambda row, f=field.removesuffix("_id"): _plain(row[f])) for field in sort
    }

    @method(name)
    def run(call: Call) -> Response:
        return listing(call, call.state.of(table, call.tenant), filters=filters, sort=keys, paged=paged)


def _plain(value: Any) -> Any:
    return value["id"] if isinstance(value, dict) else value


# --- reference data (4) -----------------------------------------------------------------------------------------------

STATUS = member("status", "active", "archived")
lookup("taxRates.list", "tax_rates", paged=True, filters={"department_id": DEPARTMENT},
       sort=("department_id", "rate", "description"))  # fmt: skip
lookup("withholdingTaxRates.list", "withholding_tax_rates", paged=False, filters={"department_id": DEPARTMENT})
lookup("paymentMethods.list", "payment_methods", paged=True, filters={"ids": IDS, "status": STATUS})
lookup("unitsOfMeasure.list", "units_of_measure", paged=False, filters={})


@method("users.me")
def users_me(call: Call) -> Response:
    account = {"type": "account", "id": call.tenant}
    return data({**shown(call.state.records["users"][call.user]), "account": account})


@method("departments.list")
def departments_list(call: Call) -> Response:
    def show(row: Row) -> Row:
        return shown(row, "id", "name", "vat_number", "currency", "emails", "status")

    rows = call.state.of("departments", call.tenant)
    places = {row["id"]: place for place, row in enumerate(rows)}
    return listing(
        call,
        rows,
        show,
        filters={"ids": IDS, "status": STATUS},
        sort={
            "default_department": lambda row: places[row["id"]],
            "name": lambda row: row["name"],
            "created_at": lambda row: places[row["id"]],
        },
        paged=False,
    )


@method("departments.info")
def departments_info(call: Call) -> Response:
    return info(call, "departments")


@method("paymentTerms.list")
def payment_terms_list(call: Call) -> Response:
    rows = [shown(row) for row in call.state.of("payment_terms", call.tenant)]
    return data(rows, meta={"default": rows[0]["id"] if rows else None})


@method("commercialDiscounts.list")
def commercial_discounts_list(call: Call) -> Response:
    return listing(
        call,
        call.state.of("commercial_discounts", call.tenant),
        lambda row: shown(row, "name", "department"),
        filters={"department_id": DEPARTMENT},
        paged=False,
    )


@method("productCategories.list")
def product_categories_list(call: Call) -> Response:
    """The ledger accounts. A category belongs to the departments it has a ledger for, or to all when it has none."""

    def of_department(row: Row, id_: str) -> bool:
        return not row["ledgers"] or any(ledger["department"]["id"] == id_ for ledger in row["ledgers"])

    rows = call.state.of("product_categories", call.tenant)
    return listing(call, rows, filters={"department_id": (uuid, of_department)}, paged=False)


@method("products.list")
def products_list(call: Call) -> Response:
    keys = ("id", "name", "description", "code", "unit", "added_at", "updated_at")
    term: Filter = (text, lambda row, term: _says(term, row["name"], row["description"], row["code"]))
    return listing(
        call,
        call.state.of("products", call.tenant),
        lambda row: shown(row, *keys),
        filters={"ids": IDS, "term": term, "updated_since": UPDATED_SINCE},
    )


@method("products.info")
def products_info(call: Call) -> Response:
    return info(call, "products", lambda row: {**shown(row), "custom_fields": call.state.custom_fields(row, "product")})


@method("tags.list")
def tags_list(call: Call) -> Response:
    rows = [*call.state.of("companies", call.tenant), *call.state.of("contacts", call.tenant)]
    tags = sorted({tag for row in rows for tag in row["tags"]})
    return listing(call, [{"tag": tag, "tenant": call.tenant} for tag in tags])


@method("currencies.exchangeRates")
def currencies_exchange_rates(call: Call) -> Response:
    base = call.read({"base": checks.currency})["base"]
    euro = EURO_PER_UNIT
    return data(
        [
            {
                "code": code,
                "symbol": code,
                "name": code,
                "exchange_rate": round(euro[base] / euro[code], 6),
            }
            for code in sorted(euro)
        ]
    )


# What a unit is worth in euro: round figures, no quote.
EURO_PER_UNIT = {
    code: state.totals.decimal(worth)
    for code, worth in {
        "CHF": "1.06", "CZK": "0.04", "DKK": "0.134", "EUR": "1", "GBP": "1.17", "JPY": "0.0061", "NOK": "0.086",
        "PLN": "0.234", "SEK": "0.088", "TRY": "0.026", "USD": "0.92",
    }.items()
}  # fmt: skip

CONTEXTS = ("contact", "company", "deal", "project", "milestone", "product", "invoice", "subscription", "ticket")
FIELD_TYPES = (
    *("single_line", "multi_line", "single_select", "multi_select", "date", "money", "auto_increment", "integer"),
    *("number", "boolean", "email", "telephone", "url", "company", "contact", "product", "user"),
)
SEARCHABLE = ("single_line", "company", "integer", "number", "auto_increment", "email", "telephone")


@method("customFieldDefinitions.list")
def custom_field_definitions_list(call: Call) -> Response:
    return listing(
        call,
        call.state.of("custom_field_definitions", call.tenant),
        filters={"ids": IDS, "context": equals("context", one_of(*CONTEXTS, "sale"))},
        sort={"label": lambda row: row["label"], "context": lambda row: row["context"]},
    )


@method("customFieldDefinitions.info")
def custom_field_definitions_info(call: Call) -> Response:
    return info(call, "custom_field_definitions")


@method("customFieldDefinitions.create")
def custom_field_definitions_create(call: Call) -> Response:
    sent = call.read(
        {"label": text, "type": one_of(*FIELD_TYPES), "context": one_of(*CONTEXTS)},
        {"configuration": nullable(_any_object)},
    )
    configuration = sent.get("configuration") or {}
    allowed = {
        "options": sent["type"] in ("single_select", "multi_select"),
        "default_value": sent["type"] == "auto_increment",
        "searchable": sent["type"] in SEARCHABLE,
    }
    if any(not allowed.get(key) for key in configuration):
        raise refuse("configuration does not fit the type", field="configuration")
    options = list_of(text)(configuration.get("options", []), "configuration.options")
    row = call.state.add(
        "custom_field_definitions",
        call.tenant,
        {
            "context": sent["context"],
            "type": sent["type"],
            "label": sent["label"],
            "group": None,
            "required": False,
            "configuration": {
                "options": [{"id": state.new_id(), "value": option} for option in options],
                "extra_option_allowed": False,
            },
        },
    )
    return created("customFieldDefinition", row)


# --- companies and contacts (5, 6) ------------------------------------------------------------------------------------


def _says(term: str, *texts: str | None) -> bool:
    return any(term.casefold() in text.casefold() for text in texts if text)


def _relation_term(row: Row, term: str) -> bool:
    emails = (email["email"] for email in row["emails"])
    return _says(term, display_name(row), row["vat_number"], *emails, *(t["number"] for t in row["telephones"]))


RELATION_FILTERS: dict[str, Filter] = {
    "ids": IDS,
    "email": EMAIL,
    "term": (text, _relation_term),
    "updated_since": UPDATED_SINCE,
    "tags": TAGS,
    "status": (one_of("active", "deactivated"), lambda row, status: row["status"] == status),
    "marketing_mails_consent": equals("marketing_mails_consent", checks.boolean),
}
RELATION_SORT: dict[str, Callable[[Row], Any]] = {
    "name": lambda row: display_name(row).casefold(),
    "added_at": lambda row: row["added_at"],
    "updated_at": lambda row: row["updated_at"],
}
INFO_ONLY = ("addresses", "remarks", "custom_fields", "companies")


def _primary_address(row: Row) -> Row | None:
    return next((entry["address"] for entry in row["addresses"] if entry["type"] == "primary"), None)


def _relation_row(call: Call, context: str) -> Callable[[Row], Row]:
    def show(row: Row) -> Row:
        answer = {key: value for key, value in shown(row).items() if key not in INFO_ONLY}
        answer |= {"primary_address": _primary_address(row), "web_url": web_url(context, row)}
        if call.includes("custom_fields"):
            answer["custom_fields"] = call.state.custom_fields(row, context)
        if context == "contact":
            answer.pop("vat_number")
            empty = {"line_1": None, "postal_code": None, "city": None, "country": "BE", "area_level_two": None}
            answer["primary_address"] = answer["primary_address"] or empty
        return answer

    return show


def _whole_relation(call: Call, row: Row, context: str) -> Row:
    return {
        **shown(row),
        "custom_fields": call.state.custom_fields(row, context),
        "web_url": web_url(context, row),
    }


@method("companies.list")
def companies_list(call: Call) -> Response:
    return listing(
        call,
        call.state.of("companies", call.tenant),
        _relation_row(call, "company"),
        filters={
            **RELATION_FILTERS,
            "vat_number": equals("vat_number"),
            "national_identification_number": equals("national_identification_number"),
        },
        sort=RELATION_SORT,
    )


@method("companies.info")
def companies_info(call: Call) -> Response:
    def show(row: Row) -> Row:
        answer = _whole_relation(call, row, "company")
        if call.includes("related_companies"):
            answer["related_companies"] = []
        if call.includes("related_contacts"):
            answer["related_contacts"] = [
                {
                    "type": "contact",
                    "id": contact["id"],
                    "position": link["position"],
                    "secondary_position": None,
                    "division": None,
                    "is_decision_maker": link["decision_maker"],
                }
                for contact in call.state.of("contacts", call.tenant)
                for link in contact["companies"]
                if link["company"]["id"] == row["id"]
            ]
        return answer

    return info(call, "companies", show)


def relation_fields(store: State, sent: Mapping[str, Any], tenant: str, context: str, before: Row | None) -> Row:
    """The sent fields as a company or contact keeps them."""
    fields = dict(sent)
    partial = fields.pop("custom_fields_update_strategy", None) == "partial"
    if "custom_fields" in fields:
        kept = (before or {}).get("_custom") if partial else None
        fields["_custom"] = store.custom_values(fields.pop("custom_fields"), tenant, context, kept)
    if "addresses" in fields:
        fields["addresses"] = [
            {"type": entry["type"], "address": _address(entry["address"])} for entry in fields["addresses"]
        ]
    if "responsible_user_id" in fields:
        user = fields.pop("responsible_user_id")
        store.known("users", user, tenant, "responsible_user_id")
        fields["responsible_user"] = user and {"type": "user", "id": user}
    if "business_type_id" in fields:
        if fields.pop("business_type_id"):  # no business types are faked
            raise refuse("business_type_id references a non-existing resource", field="business_type_id")
        fields["business_type"] = None
    if "tags" in fields:
        fields["tags"] = list(dict.fromkeys(fields["tags"]))
    return fields


def _address(sent: Mapping[str, Any]) -> Row:
    if sent.get("area_level_two_id"):
        raise refuse("area_level_two_id references a non-existing resource", field="area_level_two_id")
    return {**{key: value for key, value in sent.items() if key != "area_level_two_id"}, "area_level_two": None}


_RELATION_METHODS = (
    ("companies", "company", checks.COMPANY, "name"),
    ("contacts", "contact", checks.CONTACT, "last_name"),
)


def _register_relation(table: str, context: str, fields: Mapping[str, Check], required: str) -> None:
    optional = {key: check for key, check in fields.items() if key != required}

    @method(f"{table}.add")
    def add(call: Call) -> Response:
        sent = call.read({required: fields[required]}, optional)
        kept = relation_fields(call.state, sent, call.tenant, context, None)
        row = call.state.add(table, call.tenant, {**empty_relation(call.state, context), **kept})
        call.state.tell(f"{context}.added", row)
        return created(context, row)

    @method(f"{table}.update")
    def update(call: Call) -> Response:
        sent = call.read({"id": uuid}, fields)
        if isinstance(call.body, dict) and "payment_term" in call.body:
            raise refuse("payment_term can not be updated", field="payment_term")
        row = call.state.get(table, sent.pop("id"), call.tenant)
        kept = relation_fields(call.state, sent, call.tenant, context, row)
        call.state.change(table, row, f"{context}.updated", **kept)
        return done()

    @method(f"{table}.tag")
    def tag(call: Call) -> Response:
        sent = call.read({"id": uuid, "tags": checks.TAGS})
        row = call.state.get(table, sent["id"], call.tenant)
        call.state.change(table, row, f"{context}.updated", tags=list(dict.fromkeys([*row["tags"], *sent["tags"]])))
        return done()

    @method(f"{table}.untag")
    def untag(call: Call) -> Response:
        sent = call.read({"id": uuid, "tags": checks.TAGS})
        row = call.state.get(table, sent["id"], call.tenant)
        tags = [tag for tag in row["tags"] if tag not in sent["tags"]]
        call.state.change(table, row, f"{context}.updated", tags=tags)
        return done()

    @method(f"{table}.delete")
    def delete(call: Call) -> Response:
        row = target(call, table)
        if call.state.is_invoiced(context, row):
            raise refuse(f"The {context} has invoices and can not be deleted")
        call.state.records.drop(table, row["id"])
        call.state.tell(f"{context}.deleted", row)
        return done()


def empty_relation(store: State, context: str) -> Row:
    """A company or contact of whom nothing is known yet."""
    now = store.now()
    row: Row = {
        "status": "active",
        "vat_number": None,
        "national_identification_number": None,
        "emails": [],
        "telephones": [],
        "website": None,
        "addresses": [],
        "iban": None,
        "bic": None,
        "language": "nl",
        "payment_term": None,
        "invoicing_preferences": {"electronic_invoicing_address": None},
        "remarks": None,
        "added_at": now,
        "updated_at": now,
        "tags": [],
        "marketing_mails_consent": False,
    }
    if context == "company":
        return {**row, "business_type": None, "preferred_currency": None, "responsible_user": None}
    return {**row, "first_name": None, "salutation": None, "gender": "unknown", "birthdate": None, "companies": []}


for _entry in _RELATION_METHODS:
    _register_relation(*_entry)


@method("contacts.list")
def contacts_list(call: Call) -> Response:
    def of_company(row: Row, id_: str) -> bool:
        return any(link["company"]["id"] == id_ for link in row["companies"])

    return listing(
        call,
        call.state.of("contacts", call.tenant),
        _relation_row(call, "contact"),
        filters={**RELATION_FILTERS, "company_id": (uuid, of_company)},
        sort=RELATION_SORT,
        meta=call.state.switches.contacts_meta,
    )


@method("contacts.info")
def contacts_info(call: Call) -> Response:
    return info(call, "contacts", lambda row: _whole_relation(call, row, "contact"))


_LINK = {"position": nullable(text), "decision_maker": checks.boolean}


def _register_link(action: str, event: str, *, must_exist: bool | None) -> None:
    @method(f"contacts.{action}")
    def run(call: Call) -> Response:
        sent = call.read({"id": uuid, "company_id": uuid}, {} if action == "unlinkFromCompany" else _LINK)
        contact = call.state.get("contacts", sent["id"], call.tenant)
        call.state.known("companies", sent["company_id"], call.tenant, "company_id")
        others = [link for link in contact["companies"] if link["company"]["id"] != sent["company_id"]]
        if must_exist is not None and must_exist == (others == contact["companies"]):
            raise refuse(f"The contact is {'not' if must_exist else 'already'} linked to the company")
        link = {
            "position": sent.get("position"),
            "secondary_position": None,
            "division": None,
            "decision_maker": sent.get("decision_maker", False),
            "company": {"type": "company", "id": sent["company_id"]},
        }
        links = others if action == "unlinkFromCompany" else [*others, link]
        call.state.change("contacts", contact, f"contact.{event}", companies=links)
        return done()


_register_link("linkToCompany", "linkedToCompany", must_exist=False)
_register_link("updateCompanyLink", "updatedLinkToCompany", must_exist=True)
_register_link("unlinkFromCompany", "unlinkedFromCompany", must_exist=True)


# --- invoices (7) -----------------------------------------------------------------------------------------------------

INVOICE_ROW = (
    *("id", "department", "invoice_number", "invoice_date", "status", "due_on", "paid", "paid_at", "sent"),
    *("purchase_order_number", "payment_reference", "currency_exchange_rate", "created_at", "updated_at", "file"),
    *("deal", "project", "delivery_date"),
)
INVOICEE_ROW = ("name", "vat_number", "customer", "for_attention_of")
TOTAL_ROW = ("tax_exclusive", "tax_inclusive", "payable", "taxes")


def invoice_row(call: Call) -> Callable[[Row], Row]:
    def show(row: Row) -> Row:
        return {
            **shown(row, *INVOICE_ROW),
            "invoicee": shown(row["invoicee"], *INVOICEE_ROW),
            "total": {**shown(row["total"], *TOTAL_ROW), "due": due(call.state, row)},
            "web_url": web_url("invoice", row),
        }

    return show


def due(store: State, row: Row) -> Row:
    return {"amount": store.due(row), "currency": row["currency"]}


def web_url(kind: str, row: Row) -> str:
    return f"https://focus.teamleader.eu/{kind}_detail.php?id={row['id']}"


def invoice_info(store: State, row: Row) -> Row:
    """The whole invoice, as invoices.info shows it."""
    return {
        **shown(row),
        "total": {**row["total"], "due": due(store, row)},
        "payments": [{"paid_at": p["paid_at"], "payment": p["payment"]} for p in row["payments"]],
        "custom_fields": store.custom_fields(row, "invoice"),
        "web_url": web_url("invoice", row),
    }


@method("invoices.list")
def invoices_list(call: Call) -> Response:
    rows = sorted(call.state.of("invoices", call.tenant), key=in_number_order, reverse=True)
    return listing(
        call,
        rows,
        invoice_row(call),
        filters={
            "ids": IDS,
            "term": (text, lambda row, term: _says(term, row["invoice_number"], row["invoicee"]["name"])),
            "invoice_number": equals("invoice_number"),
            "department_id": DEPARTMENT,
            "deal_id": (uuid, lambda row, _: False),
            "project_id": (uuid, lambda row, _: False),
            "subscription_id": (uuid, lambda row, _: False),
            "status": member("status", "draft", "outstanding", "matched"),
            "updated_since": UPDATED_SINCE,
            "purchase_order_number": equals("purchase_order_number"),
            "payment_reference": equals("payment_reference"),
            "invoice_date_after": (checks.day, lambda row, day: (row["invoice_date"] or "") >= day),
            "invoice_date_before": (checks.day, lambda row, day: "" < (row["invoice_date"] or "") <= day),
            "customer": CUSTOMER,
        },
        sort={"invoice_number": in_number_order, "invoice_date": lambda row: row["invoice_date"] or ""},
    )


@method("invoices.info")
def invoices_info(call: Call) -> Response:
    def show(row: Row) -> Row:
        answer = invoice_info(call.state, row)
        if call.includes("late_fees"):
            nothing = {"amount": state.ZERO, "currency": row["currency"]}
            fees = {"due_incasso_inclusive": answer["total"]["due"], "fixed_late_fee": nothing, "interest": nothing}
            answer["total"] = {**answer["total"], **fees}
        return answer

    return info(call, "invoices", show)


@method("invoices.draft")
def invoices_draft(call: Call) -> Response:
    sent = call.read(checks.INVOICE_REQUIRED, checks.INVOICE_OPTIONAL)
    return created("invoice", call.state.new_invoice(call.state.invoice_fields(sent, call.tenant), call.tenant))


@method("invoices.update")
def invoices_update(call: Call) -> Response:
    sent = call.read({"id": uuid}, {**checks.INVOICE_REQUIRED, **checks.INVOICE_OPTIONAL})
    row = call.state.get("invoices", sent.pop("id"), call.tenant)
    if row["status"] != "draft":
        raise refuse("A booked invoice can not be updated")
    call.state.change("invoices", row, "invoice.updated", **call.state.invoice_fields(sent, call.tenant, row))
    return done()


@method("invoices.updateBooked")
def invoices_update_booked(call: Call) -> Response:
    fields = {**checks.INVOICE_REQUIRED, **checks.INVOICE_OPTIONAL}
    sent = call.read({"id": uuid}, {key: fields[key] for key in checks.EDITABLE_WHEN_BOOKED})
    row = call.state.get("invoices", sent.pop("id"), call.tenant)
    if not call.state.switches.edit_booked:
        raise refuse("The account does not allow booked invoices to be updated")
    edit_booked(call.state, row, sent)
    return done()


def edit_booked(store: State, row: Row, sent: Mapping[str, Any]) -> Row:
    """Change an issued invoice: its number stays, the rest follows."""
    if row["status"] == "draft":
        raise refuse("The invoice is not booked")
    if sent.get("invoice_date", "") is None:
        raise refuse("invoice_date must not be empty", field="invoice_date")
    row = store.invoice_fields(sent, row["tenant"], row)
    row = {**row, "due_on": state.due_on(row["invoice_date"], row["payment_term"])}
    return store.change("invoices", row, "invoice.updated", **store.settled(row))


@method("invoices.book")
def invoices_book(call: Call) -> Response:
    sent = call.read({"id": uuid, "on": checks.day})
    call.state.book(call.state.get("invoices", sent["id"], call.tenant), sent["on"])
    return done()


@method("invoices.delete")
def invoices_delete(call: Call) -> Response:
    call.state.delete_invoice(target(call, "invoices"))
    return done()


@method("invoices.copy")
def invoices_copy(call: Call) -> Response:
    row = target(call, "invoices")
    kept = (
        *("department", "invoicee", "payment_term", "currency", "currency_exchange_rate", "grouped_lines", "total"),
        *("discounts", "note", "expected_payment_method", "document_template", "_rounding", "_custom"),
    )
    return created("invoice", call.state.new_invoice({k: row[k] for k in kept if k in row}, call.tenant))


@method("invoices.registerPayment")
def invoices_register_payment(call: Call) -> Response:
    sent = shape({"id": uuid})(call.body, "") | checks.PAYMENT(call.body, "")
    call.state.register_payment(call.state.get("invoices", sent["id"], call.tenant), sent, by="api")
    return done()


@method("invoices.removePayments")
def invoices_remove_payments(call: Call) -> Response:
    row = target(call, "invoices")
    if row["status"] == "draft":
        raise refuse("A draft invoice has no payments")
    call.state.remove_payments(row)
    return done()


@method("invoices.credit")
def invoices_credit(call: Call) -> Response:
    sent = call.read({"id": uuid}, {"credit_note_date": nullable(checks.day)})
    row = call.state.get("invoices", sent["id"], call.tenant)
    return created("creditNote", call.state.credit(row, sent.get("credit_note_date")))


@method("invoices.creditPartially")
def invoices_credit_partially(call: Call) -> Response:
    sent = call.read(
        {"id": uuid, "grouped_lines": checks.GROUPED_LINES},
        {"credit_note_date": nullable(checks.day), "discounts": list_of(checks.DISCOUNT)},
    )
    row = call.state.get("invoices", sent["id"], call.tenant)
    return created("creditNote", credit_partially(call.state, row, sent))


def credit_partially(store: State, invoice: Row, sent: Mapping[str, Any]) -> Row:
    lines = {"grouped_lines": sent["grouped_lines"], "discounts": sent.get("discounts", [])}
    fields = store.invoice_fields(lines, invoice["tenant"], invoice)
    kept = {key: fields[key] for key in ("grouped_lines", "discounts")}
    return store.credit(invoice, sent.get("credit_note_date"), kept)


# --- credit notes (8) -------------------------------------------------------------------------------------------------

CREDIT_NOTE_ROW = (
    *("id", "department", "credit_note_number", "credit_note_date", "status", "invoice", "paid", "paid_at"),
    *("created_at", "updated_at"),
)


def credit_note_info(row: Row) -> Row:
    """The whole credit note. Its lines look like an invoice's, without withheld tax."""
    groups = [
        {
            **group,
            "line_items": [{k: v for k, v in line.items() if k != "withheld_tax"} for line in group["line_items"]],
        }
        for group in row["grouped_lines"]
    ]
    return {**shown(row), "grouped_lines": groups, "total": shown(row["total"], *TOTAL_ROW)}


@method("creditNotes.list")
def credit_notes_list(call: Call) -> Response:
    def show(row: Row) -> Row:
        return {
            **shown(row, *CREDIT_NOTE_ROW),
            "invoicee": shown(row["invoicee"], "name", "vat_number", "customer"),
            "total": shown(row["total"], *TOTAL_ROW),
        }

    return listing(
        call,
        call.state.of("credit_notes", call.tenant),
        show,
        filters={
            "ids": IDS,
            "department_id": DEPARTMENT,
            "updated_since": UPDATED_SINCE,
            "invoice_id": (uuid, lambda row, id_: (row["invoice"] or {}).get("id") == id_),
            "project_id": (uuid, lambda row, _: False),
            "customer": CUSTOMER,
            "credit_note_date_after": (checks.day, lambda row, day: row["credit_note_date"] >= day),
            "credit_note_date_before": (checks.day, lambda row, day: row["credit_note_date"] < day),
        },
    )


@method("creditNotes.info")
def credit_notes_info(call: Call) -> Response:
    return info(call, "credit_notes", credit_note_info)


# --- downloads --------------------------------------------------------------------------------------------------------


def _register_download(name: str, table: str) -> None:
    @method(name)
    def run(call: Call) -> Response:
        sent = call.read({"id": uuid, "format": one_of("pdf", "ubl/e-fff", "ubl/peppol_bis_3")})
        row = call.state.get(table, sent["id"], call.tenant)
        if sent["format"] != "pdf" and row["status"] == "draft":
            raise refuse("A draft invoice has no UBL", field="format")
        expires = call.state.clock() + DOWNLOAD_LIVES
        token = secrets.token_urlsafe(24)
        call.state.downloads[token] = (table, row["id"], sent["format"], expires)
        location = f"{call.request.host_url}downloads/{token}"
        return data({"location": location, "expires": expires.replace(microsecond=0).isoformat()})


_register_download("invoices.download", "invoices")
_register_download("creditNotes.download", "credit_notes")


# --- webhooks (3) -----------------------------------------------------------------------------------------------------


def _webhook(call: Call) -> tuple[str, list[str], str]:
    sent = call.read({"url": text, "types": list_of(one_of(*sorted(TYPES)), least=1)})
    if not consent.is_safe_url(sent["url"]):
        raise refuse("url must be an https url", field="url")
    return sent["url"], sent["types"], f"{call.tenant} {sent['url']}"


@method("webhooks.register")
def webhooks_register(call: Call) -> Response:
    url, types, key = _webhook(call)
    known = call.state.records["webhooks"].get(key, {"types": []})
    row = {"tenant": call.tenant, "url": url, "types": list(dict.fromkeys([*known["types"], *types]))}
    call.state.records.put("webhooks", key, row)
    return done()


@method("webhooks.unregister")
def webhooks_unregister(call: Call) -> Response:
    _, types, key = _webhook(call)
    if known := call.state.records["webhooks"].get(key):
        if left := [type_ for type_ in known["types"] if type_ not in types]:
            call.state.records.update("webhooks", key, types=left)
        else:
            call.state.records.drop("webhooks", key)
    return done()


@method("webhooks.list")
def webhooks_list(call: Call) -> Response:
    rows = sorted(call.state.of("webhooks", call.tenant), key=lambda row: row["url"])
    return listing(call, rows, paged=False)


# --- reading a request ------------------------------------------------------------------------------------------------


def body_of(request: Request) -> Any:
    """The body of a call: JSON; for GET the bracket query. Nothing at all and `[]` count as an empty object (2.1)."""
    if request.method == "GET":
        return from_query(request.args)
    raw = request.get_data(cache=True)
    if not raw.strip():
        return {}
    try:
        body = plain_json.loads(raw)
    except ValueError:
        raise refuse("The body is not valid JSON") from None
    if body == []:
        return {}
    if not isinstance(body, dict):
        raise refuse("The body must be an object")
    return body


def from_query(args: MultiDict[str, str]) -> dict[str, Any]:
    """`page[size]=2&filter[ids][]=…` as the object it stands for."""
    tree: dict[str, Any] = {}
    for key, value in args.items(multi=True):
        first, *steps = re.findall(r"[^\[\]]+|(?<=\[)(?=\])", key) or [key]
        node, step = tree, first
        for following in steps:
            node = node.setdefault(step, {})
            if not isinstance(node, dict):
                raise refuse(f"{key} contradicts another parameter")
            step = following or str(len(node))
        node[step] = value
    tree = {key: _lists(value) for key, value in tree.items()}
    if isinstance(page := tree.get("page"), dict):
        tree["page"] = {key: int(value) if value.isdigit() else value for key, value in page.items()}
    return tree


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    items = {key: _lists(item) for key, item in value.items()}
    return list(items.values()) if all(key.isdigit() for key in items) else items
