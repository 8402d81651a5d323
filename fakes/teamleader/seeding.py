"""Putting records in from outside: `POST /_fake/seed`, rows in the vendor's spelling plus `tenant`, the account."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from fakes.kit.errors import BadCommand, Refusal
from fakes.kit.records import Row
from fakes.teamleader import routes, state, totals
from fakes.teamleader.state import State

# In this order, whatever the order of the body: what comes later refers to what came before.
SECTIONS = (
    "accounts",
    "users",
    "departments",
    "tax_rates",
    "withholding_tax_rates",
    "payment_terms",
    "payment_methods",
    "commercial_discounts",
    "product_categories",
    "products",
    "custom_field_definitions",
    "companies",
    "contacts",
    "invoices",
    "credit_notes",
    "payments",
)


EVENTS = {
    "companies": "company.added",
    "contacts": "contact.added",
    "invoices": "invoice.booked",
    "credit_notes": "creditNote.booked",
}


def seed(store: State, body: Mapping[str, Any]) -> dict[str, list[str]]:
    """Add the rows; answers with the ids per section. BadCommand for a row that cannot be; nothing is added then.

    Defaults: `id` a new one; `tenant` the only account, if there is just one; the rest as an empty record has it.
    """
    if unknown := set(body) - set(SECTIONS):
        raise BadCommand(f"seed: no section {sorted(unknown)}; there are {SECTIONS}")
    ids: dict[str, list[str]] = {}
    try:
        with store.records.change():
            for section in SECTIONS:
                for row in body.get(section, []):
                    ids.setdefault(section, []).append(_add_or_tell_why(store, section, row))
    except BadCommand:
        store.recount()
        raise
    return ids


def _add_or_tell_why(store: State, section: str, row: Any) -> str:
    if not isinstance(row, dict):
        raise BadCommand(f"{section}: expected objects, not {row!r}")
    try:
        return _add(store, section, row)
    except (KeyError, ValueError, TypeError, Refusal) as error:
        where = row.get("id") or row.get("name") or ""
        raise BadCommand(f"{section} {where}: {type(error).__name__} {error}") from error


def _add(store: State, section: str, row: Row) -> str:
    if section == "accounts":
        return _account(store, row)
    tenant = row.get("tenant") or _only_account(store)
    if tenant not in store.records["accounts"]:
        raise ValueError(f"no account {tenant}")
    if section == "payments":
        return _payment(store, tenant, row)
    if row.get("id") in store.records[section]:
        raise ValueError("id in use")
    make = MAKERS.get(section, lambda _store, _tenant, given: {**DEFAULTS[section], **given})
    made = store.add(section, tenant, make(store, tenant, {**row, "tenant": tenant}))
    if section == "credit_notes":
        store.resettle(made)
    if section in EVENTS and made.get("status") != "draft":
        store.tell(EVENTS[section], made)
    return made["id"]


def _only_account(store: State) -> str:
    accounts = list(store.records["accounts"])
    if len(accounts) != 1:
        raise ValueError("tenant is needed: there is not exactly one account")
    return accounts[0]


def _account(store: State, row: Row) -> str:
    """An account, with what every account has from its first day."""
    id_ = row.get("id") or state.new_id()
    if id_ in store.records["accounts"]:
        raise ValueError("id in use")
    store.records.put("accounts", id_, {"name": "Account", **row, "id": id_, "tenant": id_})
    store.add("document_templates", id_, {"name": "Default"})
    store.add("payment_methods", id_, {"name": "Bank", "status": "active"})
    return id_


DEFAULTS: dict[str, Row] = {
    "users": {
        "first_name": "Ann",
        "last_name": "Example",
        "email": "ann@teamleader.example",
        "email_verification_status": "confirmed",
        "telephones": [],
        "language": "nl",
        "function": None,
        "time_zone": "Europe/Brussels",
        "preferences": {"invoiceable": True, "historic_time_tracking_limit": None, "whitelabeling": False},
    },
    "departments": {
        "name": "Example",
        "vat_number": None,
        "currency": "EUR",
        "emails": [],
        "status": "active",
        "address": None,
        "telephones": [],
        "website": None,
        "iban": None,
        "bic": None,
        "fiscal_regime": None,
    },
    "tax_rates": {"description": "VAT"},
    "withholding_tax_rates": {"description": "Withheld"},
    "payment_terms": {"type": "after_invoice_date", "days": 30},
    "payment_methods": {"name": "Bank", "status": "active"},
    "commercial_discounts": {"name": "Discount"},
    "product_categories": {"name": "Sales", "ledgers": []},
    "products": {"name": None, "description": None, "code": None, "unit": None, "product_category": None},
    "custom_field_definitions": {
        "type": "single_line",
        "group": None,
        "required": False,
        "configuration": {"options": [], "extra_option_allowed": False},
    },
}


def _tax_rate(store: State, tenant: str, row: Row) -> Row:
    department = row["department"]["id"]
    if not store.find("departments", department, tenant):
        raise ValueError(f"no department {department}")
    return {"description": f"{row['rate']}", **row, "rate": totals.decimal(row["rate"])}


def _product(store: State, tenant: str, row: Row) -> Row:
    return {**DEFAULTS["products"], "added_at": store.now(), "updated_at": store.now(), **row}


def _relation(context: str) -> Callable[[State, str, Row], Row]:
    def make(store: State, tenant: str, row: Row) -> Row:
        row = {**routes.empty_relation(store, context), **row}
        if not row.get(needed := "name" if context == "company" else "last_name"):
            raise ValueError(f"{needed} is needed")
        if fields := row.pop("custom_fields", None):
            sent = [{"id": field.get("id") or field["definition"]["id"], "value": field["value"]} for field in fields]
            row["_custom"] = store.custom_values(sent, tenant, context)
        return row

    return make


def _lines(groups: list[Row]) -> list[Row]:
    """Lines as invoices.info has them, whichever way they were written: `tax_rate_id` or `tax`."""
    return [
        {
            "section": group.get("section") or {"title": ""},
            "line_items": [_line(line) for line in group["line_items"]],
        }
        for group in groups
    ]


def _line(line: Row) -> Row:
    row = {
        "product": None,
        "extended_description": None,
        "unit": None,
        "discount": None,
        "product_category": None,
        "withheld_tax": None,
        **line,
    }
    for short, name, type_ in (
        ("tax_rate_id", "tax", "taxRate"),
        ("withholding_tax_rate_id", "withheld_tax", "withholdingTaxRate"),
        ("product_category_id", "product_category", "productCategory"),
        ("product_id", "product", "product"),
    ):
        if (id_ := row.pop(short, None)) is not None:
            row[name] = {"type": type_, "id": id_}
    return {**row, "quantity": totals.decimal(row["quantity"])}


def _document(store: State, tenant: str, row: Row) -> Row:
    """What invoices and credit notes share: department, invoicee, currency, lines and totals."""
    row = {**row}
    rounding = row.pop("rounding", None)
    department = store.find("departments", row["department"]["id"], tenant)
    if department is None:
        raise ValueError(f"no department {row['department']['id']}")
    customer = row["invoicee"]["customer"]
    snapshot = store.invoicee({"customer": customer}, tenant)
    currency = row.get("currency", department["currency"])
    template = next(iter(store.of("document_templates", tenant)))
    row = {
        "currency": currency,
        "currency_exchange_rate": {"from": currency, "to": department["currency"], "rate": 1},
        "document_template": {"type": "documentTemplate", "id": template["id"]},
        "created_at": store.now(),
        "updated_at": store.now(),
        **row,
        "invoicee": {**snapshot, **row["invoicee"]},
        "grouped_lines": _lines(row["grouped_lines"]),
        "discounts": [{"description": None, **discount} for discount in row.get("discounts", [])],
        "_rounding": rounding,
    }
    return store.priced(row, tenant)


def _invoice(store: State, tenant: str, row: Row) -> Row:
    """An invoice; issued when it has a number or a status that says so. Totals are computed, `due` follows."""
    payments, status = row.get("payments") or [], row.get("status", "outstanding")
    row = {**state.EMPTY_INVOICE, **_document(store, tenant, row)}
    row["payments"] = [{**payment, "payment": _money(payment["payment"]), "_by": "person"} for payment in payments]
    if status == "draft":
        return {**row, "status": "draft", "invoice_number": None, "due_on": None, "payment_reference": None}
    department, term = row["department"]["id"], row.setdefault("payment_term", {"type": "cash", "days": 0})
    row["invoice_date"] = row["invoice_date"] or store.now()[:10]
    row["invoice_number"] = _number(store, "invoices", department, row["invoice_number"], row["invoice_date"])
    row["due_on"] = row["due_on"] or state.due_on(row["invoice_date"], term)
    return store.settled(row)


def _credit_note(store: State, tenant: str, row: Row) -> Row:
    day = row.get("credit_note_date") or store.now()[:10]
    reference = row.get("invoice")
    if reference and not store.find("invoices", reference["id"], tenant):
        raise ValueError(f"no invoice {reference['id']}")
    defaults = {"status": "booked", "paid": False, "paid_at": None, "peppol_status": None, "invoice": None}
    row = {**defaults, **_document(store, tenant, row), "credit_note_date": day}
    number = _number(store, "credit_notes", row["department"]["id"], row.get("credit_note_number"), day)
    return {**row, "credit_note_number": number}


def _number(store: State, table: str, department: str, given: str | None, day: str) -> str:
    """The given number, unless its department used it; without one the next of its year."""
    if not given:
        return store.take_number(table, department, day[:4])
    store.use_number(table, department, given)
    return given


def _money(money: Row) -> Row:
    return {**money, "amount": totals.decimal(money["amount"])}


def _payment(store: State, tenant: str, row: Row) -> str:
    """`{document, payment: {amount, currency}, paid_at}`: as a person registered it."""
    invoice = store.find("invoices", row["document"], tenant)
    if invoice is None:
        raise ValueError(f"no invoice {row['document']}")
    paid_at = row.get("paid_at") or store.now()
    store.register_payment(invoice, {"payment": _money(row["payment"]), "paid_at": paid_at}, by="person")
    return invoice["id"]


MAKERS: dict[str, Callable[[State, str, Row], Row]] = {
    "tax_rates": _tax_rate,
    "withholding_tax_rates": _tax_rate,
    "products": _product,
    "companies": _relation("company"),
    "contacts": _relation("contact"),
    "invoices": _invoice,
    "credit_notes": _credit_note,
}


def as_decimal(amount: Any) -> Decimal:
    """An amount of a control call, written as text or as a number."""
    try:
        return totals.decimal(amount)
    except (ArithmeticError, ValueError) as error:
        raise BadCommand(f"{amount!r} is no amount") from error
