"""What Teamleader says, in its own words (API version 2023-09-26); only what we use.

`| None` is where the vendor's specification, or a captured answer, has null. Unknown keys are ignored: it adds some
without notice.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from ..http import workable

Id = Annotated[str, Field(min_length=1, max_length=64)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Number = Annotated[Decimal, AfterValidator(workable), Field(gt=-(10**15), lt=10**15)]


class Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Reference(Wire):
    type: str
    id: Id


class Amount(Wire):
    amount: Number
    currency: Currency


# reference data


class Account(Wire):
    id: Id


class User(Wire):
    id: Id
    account: Account
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    language: str | None = None


class Department(Wire):
    id: Id
    name: str
    vat_number: str | None = None
    currency: Currency


class TaxRate(Wire):
    id: Id
    description: str | None = None
    rate: Number
    department: Reference


class CategoryLedger(Wire):
    department: Reference
    ledger_account_number: str | None = None


class ProductCategory(Wire):
    id: Id
    name: str
    ledgers: list[CategoryLedger]


class Webhook(Wire):
    url: str
    types: list[str]


# customers


class Email(Wire):
    type: str
    email: str


class Telephone(Wire):
    type: str
    number: str


class Address(Wire):
    line_1: str | None = None
    postal_code: str | None = None
    city: str | None = None
    country: str | None = None


class PaymentTerm(Wire):
    type: str  # cash, end_of_month, after_invoice_date
    days: int | None = None  # absent, or 0, for cash


class CustomerRow(Wire):
    """What companies.list and contacts.list have in common."""

    id: Id
    emails: list[Email] = []
    telephones: list[Telephone] = []
    website: str | None = None
    primary_address: Address | None = None
    iban: str | None = None
    language: str | None = None
    payment_term: PaymentTerm | None = None
    tags: list[str] = []
    updated_at: AwareDatetime


class Company(CustomerRow):
    name: str
    vat_number: str | None = None
    national_identification_number: str | None = None


class Contact(CustomerRow):
    first_name: str | None = None
    last_name: str


# documents


class Gross(Wire):
    tax_inclusive: Amount


class InvoiceTotals(Gross):
    due: Amount


class InvoiceRow(Wire):
    id: Id
    department: Reference
    invoice_number: str
    invoice_date: date
    paid: bool
    total: InvoiceTotals
    updated_at: AwareDatetime


class CreditNoteRow(Wire):
    id: Id
    department: Reference
    credit_note_number: str | None
    credit_note_date: date | None
    total: Gross
    updated_at: AwareDatetime


class RateTotal(Wire):
    rate: Number
    taxable: Amount
    tax: Amount


class Totals(Wire):
    tax_exclusive: Amount
    tax_inclusive: Amount
    taxes: list[RateTotal]
    withheld_taxes: list[Any] = []


class LineTotals(Wire):
    tax_exclusive: Amount
    tax_inclusive: Amount


class Line(Wire):
    quantity: Number
    description: str | None = None
    tax: Reference | None = None
    total: LineTotals
    product_category: Reference | None = None
    withheld_tax: Any = None


class Section(Wire):
    line_items: list[Line]


class Discount(Wire):
    type: Literal["percentage"]
    value: Number  # 0 to 100


class ExchangeRate(Wire):
    source: Currency = Field(alias="from")
    target: Currency = Field(alias="to")
    rate: Number


class Invoicee(Wire):
    name: str
    customer: Reference | None = None


class Document(Wire):
    """What invoices.info and creditNotes.info have in common."""

    id: Id
    department: Reference
    invoicee: Invoicee
    discounts: list[Discount] = []
    grouped_lines: list[Section]
    total: Totals
    currency: Currency
    currency_exchange_rate: ExchangeRate
    updated_at: AwareDatetime


class Payment(Wire):
    paid_at: AwareDatetime
    payment: Amount


class Invoice(Document):
    invoice_number: str | None = None  # null on drafts
    invoice_date: date | None = None
    status: str
    due_on: date | None = None
    payment_reference: str | None = None
    payments: list[Payment] = []


class CreditNote(Document):
    credit_note_number: str | None = None
    credit_note_date: date | None = None
    invoice: Reference | None = None  # null when it stands alone


class Download(Wire):
    location: str  # temporary


def json_number(amount: Decimal) -> float:
    """An amount as the JSON number Teamleader wants.

    The shortest text of the nearest float is the amount itself for every amount of up to fifteen digits.

    >>> import json
    >>> json.dumps(json_number(Decimal("1234567890123.45")))
    '1234567890123.45'
    """
    return float(amount)
