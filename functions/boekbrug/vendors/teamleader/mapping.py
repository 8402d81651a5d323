"""From Teamleader's words to ours. Pure: the same answer is always the same document."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from pydantic import ValidationError

from ...domain.documents import (
    AccountId,
    Category,
    CategoryId,
    CustomerKind,
    CustomerRef,
    DocumentHeader,
    DocumentId,
    DocumentKind,
    DocumentLine,
    Entity,
    EntityId,
    SalesDocument,
    TaxRate,
    TaxRateId,
    VatTotal,
)
from ...domain.errors import CustomerGone, DocumentGone, NotPossible, UnexpectedAnswer
from ...domain.money import Money
from ...domain.relations import Address, Customer
from ...ports import FocusPayment, FocusUser, InvoiceState
from ..http import plain
from . import VENDOR, wire

ISSUED = ("outstanding", "matched")  # its words for unpaid and settled; drafts are nobody's business

W = TypeVar("W", bound=wire.Wire)
T = TypeVar("T")


def understood(model: type[W], translate: Callable[[W], T], row: Any) -> T:
    """A row in our words.

    Raises: UnexpectedAnswer when it does not fit its model or holds no money we know; what `translate` raises.
    """
    try:
        return translate(model.model_validate(row))
    except (ValidationError, ValueError, InvalidOperation, OverflowError) as error:
        about = row.get("id", "") if isinstance(row, dict) else ""
        raise UnexpectedAnswer(vendor=VENDOR, said=plain(f"{model.__name__} {about}: {error}")) from error


def user(row: wire.User) -> FocusUser:
    return FocusUser(
        id=row.id,
        account=AccountId(row.account.id),
        name=" ".join(part for part in (row.first_name, row.last_name) if part),
        email=row.email or "",
        language=(row.language or "")[:2].lower(),
    )


def entity(row: wire.Department) -> Entity:
    return Entity(id=EntityId(row.id), name=row.name, vat_number=row.vat_number or "", currency=row.currency)


def tax_rate(row: wire.TaxRate) -> TaxRate:
    return TaxRate(
        id=TaxRateId(row.id), entity=EntityId(row.department.id), description=row.description or "", rate=row.rate
    )


def category(row: wire.ProductCategory) -> Category:
    accounts = ((EntityId(x.department.id), x.ledger_account_number) for x in row.ledgers if x.ledger_account_number)
    return Category(id=CategoryId(row.id), name=row.name, accounts=tuple(accounts))


# customers


def company(row: wire.Company) -> Customer:
    return _customer(
        row,
        kind=CustomerKind.COMPANY,
        name=row.name,
        vat_number=row.vat_number or "",
        enterprise_number=row.national_identification_number or "",
    )


def contact(row: wire.Contact) -> Customer:
    """A person. Their VAT number is not in the list, and their national number is nobody's enterprise number."""
    name = " ".join(part for part in (row.first_name, row.last_name) if part)
    return _customer(row, kind=CustomerKind.CONTACT, name=name, vat_number="", enterprise_number="")


def _customer(row: wire.CustomerRow, *, kind: CustomerKind, **known: str) -> Customer:
    term = row.payment_term
    address = row.primary_address or wire.Address()
    return Customer(
        ref=CustomerRef(kind, row.id),
        email=_first(("primary", "invoicing"), [(email.type, email.email) for email in row.emails]),
        phone=_first(("phone", "mobile"), [(phone.type, phone.number) for phone in row.telephones]),
        website=row.website or "",
        address=Address(
            line=address.line_1 or "",
            postal_code=address.postal_code or "",
            city=address.city or "",
            country=address.country or "",
        ),
        language=row.language or "",
        iban=row.iban or "",
        payment_days=(term.days or 0) if term else None,  # cash has no days
        payment_end_of_month=bool(term and term.type == "end_of_month"),
        tags=tuple(row.tags),
        updated_at=row.updated_at.astimezone(UTC),
        **known,
    )


def _first(wanted: tuple[str, ...], found: list[tuple[str, str]]) -> str:
    """The first of the kinds we want, in that order; "" when there is none."""
    return next((value for kind in wanted for its_kind, value in found if its_kind == kind), "")


# documents


def money(amount: wire.Amount) -> Money:
    return Money(amount.amount, amount.currency)


def invoice_header(row: wire.InvoiceRow) -> DocumentHeader:
    return DocumentHeader(
        id=DocumentId(row.id),
        kind=DocumentKind.INVOICE,
        entity=EntityId(row.department.id),
        number=row.invoice_number,
        day=row.invoice_date,
        gross=money(row.total.tax_inclusive),
        updated_at=row.updated_at.astimezone(UTC),
    )


def credit_note_header(row: wire.CreditNoteRow) -> DocumentHeader | None:
    """None for one without number or date, which the vendor allows for and nobody has seen: it is not issued."""
    if row.credit_note_number is None or row.credit_note_date is None:
        return None
    return DocumentHeader(
        id=DocumentId(row.id),
        kind=DocumentKind.CREDIT_NOTE,
        entity=EntityId(row.department.id),
        number=row.credit_note_number,
        day=row.credit_note_date,
        gross=money(row.total.tax_inclusive),
        updated_at=row.updated_at.astimezone(UTC),
    )


def invoice_state(row: wire.InvoiceRow) -> InvoiceState:
    return InvoiceState(
        id=DocumentId(row.id), due=money(row.total.due), paid=row.paid, gross=money(row.total.tax_inclusive)
    )


def payment(row: wire.Payment) -> FocusPayment:
    return FocusPayment(paid_at=row.paid_at.astimezone(UTC), amount=money(row.payment))


def invoice(found: wire.Invoice) -> SalesDocument:
    """Raises: DocumentGone for a draft, CustomerGone, NotPossible, UnexpectedAnswer."""
    if found.status not in ISSUED or found.invoice_number is None or found.invoice_date is None:
        raise DocumentGone()
    return _document(
        found,
        kind=DocumentKind.INVOICE,
        number=found.invoice_number,
        day=found.invoice_date,
        due_on=found.due_on,
        payment_reference=found.payment_reference or "",
        credits=None,
    )


def credit_note(found: wire.CreditNote) -> SalesDocument:
    """Amounts stay positive, as printed. Raises as `invoice`."""
    if found.credit_note_number is None or found.credit_note_date is None:
        raise DocumentGone()
    return _document(
        found,
        kind=DocumentKind.CREDIT_NOTE,
        number=found.credit_note_number,
        day=found.credit_note_date,
        due_on=None,
        payment_reference="",
        credits=DocumentId(found.invoice.id) if found.invoice else None,
    )


def _document(found: wire.Document, **known: Any) -> SalesDocument:
    customer = found.invoicee.customer
    if customer is None:
        raise CustomerGone(customer=found.invoicee.name)
    net, gross = money(found.total.tax_exclusive), money(found.total.tax_inclusive)
    withheld = bool(found.total.withheld_taxes)
    return SalesDocument(
        id=DocumentId(found.id),
        entity=EntityId(found.department.id),
        customer=CustomerRef(CustomerKind(customer.type), customer.id),
        customer_name=found.invoicee.name,
        currency=found.currency,
        exchange_rate=_exchange_rate(found),
        entity_currency=found.currency_exchange_rate.target,
        lines=tuple(_line(line, withheld) for section in found.grouped_lines for line in section.line_items),
        net=net,
        vat=gross - net,
        gross=gross,
        by_rate=tuple(VatTotal(row.rate, money(row.taxable), money(row.tax)) for row in found.total.taxes),
        discounts=tuple(discount.value for discount in found.discounts),
        updated_at=found.updated_at.astimezone(UTC),
        **known,
    )


def _line(line: wire.Line, document_withholds: bool) -> DocumentLine:
    """A line as printed; VAT is what its two totals differ. Totals on a line are after the line's own discount."""
    if line.tax is None:
        raise NotPossible(vendor=VENDOR, feature="line_without_tax")
    net = money(line.total.tax_exclusive)
    return DocumentLine(
        description=line.description or "",
        quantity=line.quantity,
        net=net,
        vat=money(line.total.tax_inclusive) - net,
        tax_rate=TaxRateId(line.tax.id),
        category=CategoryId(line.product_category.id) if line.product_category else None,
        withheld=document_withholds or line.withheld_tax is not None,
    )


def _exchange_rate(found: wire.Document) -> Decimal:
    """How much of the entity's currency one of the document's is worth.

    A rate that does not start from the document's currency is refused: turning it round would be a guess (rules.md 16).
    """
    rate = found.currency_exchange_rate
    if rate.source != found.currency:
        raise UnexpectedAnswer(vendor=VENDOR, said=f"a rate from {rate.source} on a document in {found.currency}")
    return Decimal(1) if rate.source == rate.target else rate.rate


def timestamp(moment: datetime) -> str:
    """A moment as Teamleader takes it: with an offset, in whole seconds (fractions are refused in places).

    >>> timestamp(datetime(2025, 3, 3, 8, 0, 0, 999999, tzinfo=UTC))
    '2025-03-03T08:00:00+00:00'
    """
    return moment.astimezone(UTC).replace(microsecond=0).isoformat()
