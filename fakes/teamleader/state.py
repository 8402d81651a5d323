"""The records of all accounts, and the rules Teamleader enforces on them.

Rows are kept as `*.info` answers show them, plus `tenant` (the account) and private keys that start with `_`.
Sections in comments are those of the reference file.
"""

from __future__ import annotations

import calendar
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from fakes.kit.records import Records, Row
from fakes.teamleader import totals
from fakes.teamleader.checks import refuse
from fakes.teamleader.grants import Grants
from fakes.teamleader.switches import Switches

TABLES = (
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
    "units_of_measure",
    "document_templates",
    "custom_field_definitions",
    "companies",
    "contacts",
    "invoices",
    "credit_notes",
    "webhooks",
)
ZERO = Decimal("0.00")


class State:
    """Everything the fake knows. `emit(type, subject_type, id, tenant)` is called for each webhook event."""

    def __init__(self, now: Callable[[], datetime], emit: Callable[[str, str, str, str], None]) -> None:
        self.records = Records(*TABLES)
        self.grants = Grants()
        self.switches = Switches()
        self.downloads: dict[str, tuple[str, str, str, datetime]] = {}  # token -> table, id, format, expiry
        self.clock = now
        self._emit = emit
        self._numbers: dict[tuple[str, str], dict[str, int]] = {}  # (table, department): book year -> highest n
        self._names: dict[tuple[str, str], set[str]] = {}  # (table, department): numbers in use

    @property
    def version(self) -> int:
        return self.records.version + self.grants.version

    def now(self) -> str:
        return self.clock().replace(microsecond=0).isoformat()

    # --- looking up --------------------------------------------------------------------------------------------------

    def of(self, table: str, tenant: str) -> list[Row]:
        return [row for row in self.records[table].values() if row["tenant"] == tenant]

    def find(self, table: str, id_: str, tenant: str) -> Row | None:
        row = self.records[table].get(id_)
        return row if row and row["tenant"] == tenant else None

    def get(self, table: str, id_: str, tenant: str) -> Row:
        """The row an action is about; of another account is as good as unknown: 404."""
        if row := self.find(table, id_, tenant):
            return row
        raise refuse(f"{table.replace('_', ' ')}: {id_} not found", 404)

    def known(self, table: str, id_: str | None, tenant: str, field: str) -> Row | None:
        """The row a body refers to; unknown: 400 (2.7)."""
        if id_ is None:
            return None
        if row := self.find(table, id_, tenant):
            return row
        raise refuse(f"{field} references a non-existing resource", field=field)

    # --- changing ----------------------------------------------------------------------------------------------------

    def add(self, table: str, tenant: str, row: Mapping[str, Any]) -> Row:
        """A new row, with an id unless it brings one."""
        id_ = row.get("id") or new_id()
        return self.records.put(table, id_, {"id": id_, "tenant": tenant, **row})

    def change(self, table: str, row: Row, event: str | None = None, **fields: Any) -> Row:
        """Replace fields, bump updated_at and tell the webhooks."""
        row = self.records.update(table, row["id"], **{**fields, "updated_at": self.now()})
        if event:
            self.tell(event, row)
        return row

    def tell(self, event: str, row: Row) -> None:
        self._emit(event, event.partition(".")[0], row["id"], row["tenant"])

    # --- companies and contacts (5, 6) -------------------------------------------------------------------------------

    def custom_fields(self, row: Row, context: str) -> list[Row]:
        """Every definition of the context, also those without a value."""
        values = row.get("_custom") or {}
        return [
            {
                "definition": {"type": "customFieldDefinition", "id": definition["id"]},
                "value": values.get(definition["id"], [] if definition["type"] == "multi_select" else None),
            }
            for definition in self.of("custom_field_definitions", row["tenant"])
            if definition["context"] == context
        ]

    def custom_values(
        self, sent: Iterable[Mapping[str, Any]], tenant: str, context: str, before: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Values by definition; `before` is what stays under the partial strategy."""
        values = dict(before or {})
        for index, item in enumerate(sent):
            field = f"custom_fields.{index}.id"
            definition = self.known("custom_field_definitions", item["id"], tenant, field)
            if definition is None or definition["context"] != context:
                raise refuse(f"{field} is not a custom field of a {context}", field=field)
            values[item["id"]] = _custom_value(definition, item["value"], f"custom_fields.{index}.value")
        return values

    def is_invoiced(self, kind: str, row: Row) -> bool:
        customer = {"type": kind, "id": row["id"]}
        return any(
            document["invoicee"]["customer"] == customer
            for table in ("invoices", "credit_notes")
            for document in self.of(table, row["tenant"])
        )

    # --- documents (7, 8, 10) ----------------------------------------------------------------------------------------

    def invoice_fields(self, sent: Mapping[str, Any], tenant: str, before: Row | None = None) -> Row:
        """Draft fields as an invoice shows them, with its totals. Refuses references that do not exist (2.7)."""
        row = dict(before or {})
        if "invoicee" in sent:
            row["invoicee"] = self.invoicee(sent["invoicee"], tenant)
        if "department_id" in sent:
            self.known("departments", sent["department_id"], tenant, "department_id")
            row["department"] = {"type": "department", "id": sent["department_id"]}
        department = self.get("departments", row["department"]["id"], tenant)
        if "currency" in sent or not before:
            code = sent.get("currency", {}).get("code", department["currency"])
            rate = sent.get("currency", {}).get("exchange_rate", 1)
            row["currency"] = code
            row["currency_exchange_rate"] = {"from": code, "to": department["currency"], "rate": rate}
        if sent.get("project_id") or sent.get("quotation_id"):
            raise refuse("project_id or quotation_id references a non-existing resource")
        if "document_template_id" in sent:
            id_ = sent["document_template_id"]
            self.known("document_templates", id_, tenant, "document_template_id")
            row["document_template"] = {"type": "documentTemplate", "id": id_}
        if "custom_fields" in sent:
            partial = sent.get("custom_fields_update_strategy") == "partial"
            kept = row.get("_custom") if partial else None
            row["_custom"] = self.custom_values(sent["custom_fields"], tenant, "invoice", kept)
        for key in ("payment_term", "purchase_order_number", "invoice_date", "note", "expected_payment_method"):
            if key in sent:
                row[key] = sent[key]
        if "delivery_date" in sent:
            row["delivery_date"] = sent["delivery_date"]
        if "discounts" in sent:
            row["discounts"] = [{"description": None, **discount} for discount in sent["discounts"]]
        if "grouped_lines" in sent:
            row["grouped_lines"] = [
                {
                    "section": group.get("section") or {"title": ""},
                    "line_items": [self._line(line, row["department"]["id"], tenant) for line in group["line_items"]],
                }
                for group in sent["grouped_lines"]
            ]
        elif "department_id" in sent:
            for group in row["grouped_lines"]:
                for line in group["line_items"]:
                    self._tax_rate("tax_rates", line["tax"]["id"], row["department"]["id"], tenant)
        return self.priced(row, tenant)

    def _line(self, sent: Mapping[str, Any], department: str, tenant: str) -> Row:
        self._tax_rate("tax_rates", sent["tax_rate_id"], department, tenant)
        withheld, category = sent.get("withholding_tax_rate_id"), sent.get("product_category_id")
        product, unit = sent.get("product_id"), sent.get("unit_of_measure_id")
        if withheld:
            self._tax_rate("withholding_tax_rates", withheld, department, tenant)
        self.known("product_categories", category, tenant, "product_category_id")
        self.known("products", product, tenant, "product_id")
        self.known("units_of_measure", unit, tenant, "unit_of_measure_id")
        return {
            "product": _ref("product", product),
            "quantity": sent["quantity"],
            "description": sent["description"],
            "extended_description": sent.get("extended_description"),
            "unit": _ref("unitOfMeasure", unit),
            "unit_price": sent.get("unit_price", {"amount": 0, "tax": "excluding"}),
            "tax": _ref("taxRate", sent["tax_rate_id"]),
            "discount": _without(sent.get("discount"), "description"),
            "product_category": _ref("productCategory", category),
            "withheld_tax": _ref("withholdingTaxRate", withheld),
        }

    def _tax_rate(self, table: str, id_: str, department: str, tenant: str) -> None:
        field = "tax_rate_id" if table == "tax_rates" else "withholding_tax_rate_id"
        rate = self.known(table, id_, tenant, field)
        if rate and rate["department"]["id"] != department:
            raise refuse(f"{field} does not belong to the department", field=field)

    def invoicee(self, sent: Mapping[str, Any], tenant: str) -> Row:
        """The customer as the document will always show it."""
        customer, attention = sent["customer"], sent.get("for_attention_of")
        table = "companies" if customer["type"] == "company" else "contacts"
        row = self.known(table, customer["id"], tenant, "invoicee.customer")
        assert row is not None
        if attention and "contact_id" in attention:
            self.known("contacts", attention["contact_id"], tenant, "invoicee.for_attention_of.contact_id")
            attention = {"contact": _ref("contact", attention["contact_id"])}
        emails = {email["type"]: email["email"] for email in reversed(row["emails"])}
        return {
            "name": display_name(row),
            "vat_number": row["vat_number"],
            "customer": customer,
            "for_attention_of": attention,
            "email": emails.get("invoicing") or emails.get("primary"),
            "national_identification_number": row["national_identification_number"],
        }

    def priced(self, row: Row, tenant: str) -> Row:
        """The document with the totals of its lines (10)."""
        rates = {rate["id"]: rate["rate"] for rate in self.of("tax_rates", tenant)}
        withholding = {rate["id"]: rate["rate"] for rate in self.of("withholding_tax_rates", tenant)}
        mode = row.get("_rounding") or self.switches.rounding
        groups, total = totals.compute(
            row["grouped_lines"], row.get("discounts", []), rates, withholding, mode, row["currency"]
        )
        return {**row, "_rounding": mode, "grouped_lines": groups, "total": total}

    def new_invoice(self, row: Row, tenant: str) -> Row:
        """Keep a draft."""
        now = self.now()
        template = next(iter(self.of("document_templates", tenant)))
        row = self.add(
            "invoices",
            tenant,
            {
                **EMPTY_INVOICE,
                "document_template": _ref("documentTemplate", template["id"]),
                "created_at": now,
                "updated_at": now,
                **row,
            },
        )
        self.tell("invoice.drafted", row)
        return row

    def book(self, row: Row, on: str) -> Row:
        """Number the invoice for good, from 1 in each book year of its department (7.1, 7.5)."""
        if row["status"] != "draft":
            raise refuse("The invoice is already booked")
        department = row["department"]["id"]
        last = max((other["invoice_date"] for other in self._issued(department, row["tenant"])), default="")
        if on < last:
            raise refuse(f"on must not be earlier than the date of the last booked invoice ({last})", field="on")
        row = {
            **row,
            "status": "outstanding",
            "invoice_number": self.take_number("invoices", department, on[:4]),
            "invoice_date": on,
            "due_on": due_on(on, row["payment_term"]),
            "payment_reference": self._payment_reference(row),
            "updated_at": self.now(),
        }
        self.records.put("invoices", row["id"], self.settled(row))
        self.tell("invoice.booked", row)
        self.tell("invoice.updated", row)
        return self.records["invoices"][row["id"]]

    def _issued(self, department: str, tenant: str) -> list[Row]:
        return [
            row
            for row in self.of("invoices", tenant)
            if row["department"]["id"] == department and row["status"] != "draft"
        ]

    def _payment_reference(self, row: Row) -> str | None:
        """The structured reference of Belgian banks; other countries get none."""
        department = self.records["departments"][row["department"]["id"]]
        if (department.get("address") or {}).get("country") != "BE":
            return None
        used = {other["payment_reference"] for other in self.of("invoices", row["tenant"])} - {None}
        serial = 1_200_000_001 + len(used)
        while (reference := structured(serial)) in used:
            serial += 1
        return reference

    def take_number(self, table: str, department: str, year: str) -> str:
        """The next number of the book year: "2025 / 7" for invoices, "2025/7" for credit notes."""
        n = self._numbers.get((table, department), {}).get(year, 0) + 1
        number = f"{year} / {n}" if table == "invoices" else f"{year}/{n}"
        self.use_number(table, department, number)
        return number

    def use_number(self, table: str, department: str, number: str) -> None:
        """Mark a number as given out; ValueError when it was."""
        names = self._names.setdefault((table, department), set())
        if number in names:
            raise ValueError(f"number in use: {number}")
        names.add(number)
        if match := re.fullmatch(r"(.+?) ?/ ?(\d+)", number):
            highest = self._numbers.setdefault((table, department), {})
            highest[match[1]] = max(highest.get(match[1], 0), int(match[2]))

    def recount(self) -> None:
        """Learn the numbers in use from the documents: deleting the last one frees its number."""
        self._numbers, self._names = {}, {}
        for table, key in (("invoices", "invoice_number"), ("credit_notes", "credit_note_number")):
            for row in self.records[table].values():
                if row[key]:
                    self.use_number(table, row["department"]["id"], row[key])

    def delete_invoice(self, row: Row) -> None:
        """A draft, or the last booked invoice of its department (7.5)."""
        if row["status"] != "draft":
            last = max(self._issued(row["department"]["id"], row["tenant"]), key=in_number_order)
            if last["id"] != row["id"]:
                raise refuse("Only the last booked invoice can be deleted")
            if self.credits_of(row):
                raise refuse("The invoice has credit notes")
        self.records.drop("invoices", row["id"])
        self.recount()
        self.tell("invoice.deleted", row)

    def delete_credit_note(self, row: Row) -> None:
        """By hand, in the product's own screens; its invoice is owed again."""
        with self.records.change():
            self.records.drop("credit_notes", row["id"])
            self.resettle(row)
        self.recount()
        self.tell("creditNote.deleted", row)

    def register_payment(self, row: Row, sent: Mapping[str, Any], by: str) -> Row:
        """Money came in (7.5); full: matched and paid. More than is due is taken, with nothing due left."""
        if row["status"] == "draft":
            raise refuse("A payment can not be registered on a draft invoice")
        payment = sent["payment"]
        if payment["currency"] != row["currency"]:
            raise refuse("payment.currency must be the currency of the invoice", field="payment.currency")
        if not payment["amount"]:
            raise refuse("payment.amount must not be zero", field="payment.amount")
        self.known("payment_methods", sent.get("payment_method_id"), row["tenant"], "payment_method_id")
        paid = {
            "paid_at": sent["paid_at"],
            "payment": {"amount": totals.decimal(payment["amount"]), "currency": payment["currency"]},
            "_by": by,
        }
        row = self.settled({**row, "payments": [*row["payments"], paid]})
        row = self.change("invoices", row, "invoice.paymentRegistered", **row)
        self.tell("invoice.updated", row)
        return row

    def remove_payments(self, row: Row) -> Row:
        """All of them; the API knows no single payment."""
        row = self.settled({**row, "payments": []})
        return self.change("invoices", row, "invoice.paymentRemoved", **row)

    def credit(self, invoice: Row, on: str | None, fields: Row | None = None) -> Row:
        """A credit note for the whole invoice, or for the lines and discounts in `fields`. Amounts stay positive."""
        if invoice["status"] == "draft":
            raise refuse("A draft invoice can not be credited")
        if fields is None and invoice.get("_credited") == invoice["total"]["payable"]["amount"] != ZERO:
            raise refuse("The invoice is already credited")
        on = on or self.now()[:10]
        kept = ("department", "invoicee", "currency", "currency_exchange_rate", "document_template", "_rounding")
        row = {key: invoice[key] for key in kept}
        row |= {"discounts": invoice["discounts"], "grouped_lines": invoice["grouped_lines"], **(fields or {})}
        row = self.priced(row, invoice["tenant"])
        covered = self.due(invoice) >= row["total"]["payable"]["amount"] and self.switches.credit_reduces_due
        number = self.take_number("credit_notes", invoice["department"]["id"], on[:4])
        with self.records.change():
            row = self.add_credit_note(
                {
                    **row,
                    "tenant": invoice["tenant"],
                    "credit_note_number": number,
                    "credit_note_date": on,
                    "invoice": _ref("invoice", invoice["id"]),
                    "paid": covered,
                    "paid_at": self.now() if covered else None,
                }
            )
            self.resettle(row)
        self.tell("creditNote.booked", row)
        self.tell("invoice.updated", invoice)
        return row

    def add_credit_note(self, row: Row) -> Row:
        now = self.now()
        defaults = {"status": "booked", "paid": False, "paid_at": None, "peppol_status": None}
        return self.add("credit_notes", row["tenant"], {**defaults, "created_at": now, "updated_at": now, **row})

    def resettle(self, credit_note: Row) -> None:
        """Let the invoice of a credit note that came or went be owed what is left."""
        reference = credit_note["invoice"]
        if reference and (invoice := self.find("invoices", reference["id"], credit_note["tenant"])):
            credited = sum((row["total"]["payable"]["amount"] for row in self.credits_of(invoice)), ZERO)
            self.change("invoices", invoice, **self.settled({**invoice, "_credited": credited}))

    def credits_of(self, invoice: Row) -> list[Row]:
        reference = _ref("invoice", invoice["id"])
        return [row for row in self.of("credit_notes", invoice["tenant"]) if row["invoice"] == reference]

    def due(self, invoice: Row) -> Decimal:
        """What is still to be paid; nothing when more was paid than owed."""
        payable = invoice["total"]["payable"]["amount"]
        left = payable - sum((payment["payment"]["amount"] for payment in invoice["payments"]), ZERO)
        if self.switches.credit_reduces_due:
            left -= invoice.get("_credited", ZERO)
        return max(left, ZERO) if payable >= 0 else min(left, ZERO)

    def settled(self, invoice: Row) -> Row:
        """The invoice with the status, `paid` and `paid_at` that follow from its payments and credit notes (7.1)."""
        done = self.due(invoice) == ZERO
        payments = invoice["payments"]
        paid = done and (bool(payments) or invoice["total"]["payable"]["amount"] == ZERO)
        return {
            **invoice,
            "status": "matched" if done else "outstanding",
            "paid": paid,
            "paid_at": (max(payment["paid_at"] for payment in payments) if payments else self.now()) if paid else None,
        }


EMPTY_INVOICE: Row = {
    "invoice_number": None,
    "invoice_date": None,
    "status": "draft",
    "due_on": None,
    "paid": False,
    "paid_at": None,
    "sent": False,
    "purchase_order_number": None,
    "payment_reference": None,
    "discounts": [],
    "payments": [],
    "note": None,
    "expected_payment_method": None,
    "file": None,
    "deal": None,
    "project": None,
    "on_hold_since": None,
    "delivery_date": None,
    "peppol_status": None,
}


def new_id() -> str:
    """36 characters as the vendor writes them, with its odd version nibble 0."""
    digits = secrets.token_hex(16)
    return f"{digits[:8]}-{digits[8:12]}-0{digits[13:16]}-{digits[16:20]}-{digits[20:]}"


def display_name(relation: Row) -> str:
    if "name" in relation:
        return relation["name"]
    return " ".join(filter(None, (relation["first_name"], relation["last_name"])))


def due_on(invoice_date: str, term: Mapping[str, Any]) -> str:
    """The day by which to pay; end_of_month is the end of the month in which date plus days falls (4.5)."""
    due = date.fromisoformat(invoice_date) + timedelta(days=term["days"])
    if term["type"] == "end_of_month":
        due = due.replace(day=calendar.monthrange(due.year, due.month)[1])
    return due.isoformat()


def structured(serial: int) -> str:
    """Ten digits and their remainder by 97 (97 for none): +++120/0000/04244+++."""
    digits = f"{serial:010d}{serial % 97 or 97:02d}"
    return f"+++{digits[:3]}/{digits[3:7]}/{digits[7:]}+++"


def in_number_order(invoice: Row) -> tuple[Any, ...]:
    """Sort key: 2025 / 9 before 2025 / 10; drafts, which have no number, first."""
    parts = re.findall(r"\d+|\D+", invoice["invoice_number"] or "")
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts)


def _ref(type_: str, id_: str | None) -> Row | None:
    return {"type": type_, "id": id_} if id_ else None


def _without(row: Mapping[str, Any] | None, key: str) -> Row | None:
    return None if row is None else {k: v for k, v in row.items() if k != key}


def _custom_value(definition: Row, value: Any, field: str) -> Any:
    """The value, if it has the shape its type wants (4.10)."""
    kind = definition["type"]
    if value is None:
        return value
    if kind in ("number", "integer", "money", "auto_increment"):
        fits = isinstance(value, int | Decimal) and not isinstance(value, bool)
    elif kind == "boolean":
        fits = isinstance(value, bool)
    elif kind == "multi_select":
        fits = isinstance(value, list) and all(isinstance(item, str) for item in value)
    elif kind in ("company", "contact", "product", "user"):
        fits = isinstance(value, dict | str)
    else:
        fits = isinstance(value, str)
    if not fits:
        raise refuse(f"{field} has the wrong type for a {kind} field", field=field)
    return value
