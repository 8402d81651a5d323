"""Sales documents as Teamleader Focus issued them: what was printed is the truth (rules.md 9)."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import NewType

from .errors import NotPossible, TotalsDiffer
from .money import Money

AccountId = NewType("AccountId", str)
"""One Teamleader account: the tenant."""
EntityId = NewType("EntityId", str)
"""A Teamleader department: a legal entity that invoices."""
DocumentId = NewType("DocumentId", str)
TaxRateId = NewType("TaxRateId", str)
"""A rate of one entity. Several ids share a percentage, so codes are mapped per id (rules.md 18)."""
CategoryId = NewType("CategoryId", str)
"""A product category, which is Teamleader's word for a ledger account on a line."""


class DocumentKind(StrEnum):
    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


class FileFormat(StrEnum):
    """In what shape Teamleader gives the document itself."""

    PDF = "pdf"
    UBL = "ubl"


@dataclass(frozen=True, slots=True)
class File:
    """A document as people keep it. Its content passes through our hands and is never stored."""

    name: str  # with its extension
    content: bytes = field(repr=False)

    @property
    def hash(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


class CustomerKind(StrEnum):
    COMPANY = "company"
    CONTACT = "contact"


@dataclass(frozen=True, slots=True)
class CustomerRef:
    kind: CustomerKind
    id: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"

    @classmethod
    def parse(cls, text: str) -> CustomerRef:
        """The reference that prints like this. Raises ValueError."""
        kind, _, identity = text.partition(":")
        return cls(CustomerKind(kind), identity)


@dataclass(frozen=True, slots=True)
class Entity:
    """A legal entity of the account."""

    id: EntityId
    name: str
    vat_number: str  # as typed, "" when none
    currency: str


@dataclass(frozen=True, slots=True)
class TaxRate:
    """A VAT rate of one entity."""

    id: TaxRateId
    entity: EntityId
    description: str
    rate: Decimal  # a fraction: 0.21


@dataclass(frozen=True, slots=True)
class Category:
    """A product category with the ledger account number it stands for in each entity."""

    id: CategoryId
    name: str
    accounts: tuple[tuple[EntityId, str], ...]

    def account_in(self, entity: EntityId) -> str | None:
        return dict(self.accounts).get(entity)


@dataclass(frozen=True, slots=True)
class DocumentHeader:
    """One row of the list of issued documents: enough to plan, not enough to book."""

    id: DocumentId
    kind: DocumentKind
    entity: EntityId
    number: str
    day: date
    gross: Money
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """One printed line."""

    description: str
    quantity: Decimal
    net: Money  # after the line's own discount, before the document's
    vat: Money  # printed: inclusive minus exclusive
    tax_rate: TaxRateId
    category: CategoryId | None  # None: Teamleader names no ledger account
    withheld: bool = False  # a withholding tax stands on the line


@dataclass(frozen=True, slots=True)
class VatTotal:
    """What was printed for one percentage."""

    rate: Decimal  # a fraction
    net: Money
    vat: Money


@dataclass(frozen=True, slots=True)
class SalesDocument:
    """An issued invoice or credit note, whole. Amounts stand as printed, whatever the kind."""

    id: DocumentId
    kind: DocumentKind
    entity: EntityId
    number: str
    day: date
    due_on: date | None  # None on credit notes
    customer: CustomerRef
    customer_name: str
    currency: str
    exchange_rate: Decimal  # from the document's currency to the entity's; 1 when they are the same
    entity_currency: str
    lines: tuple[DocumentLine, ...]
    net: Money
    vat: Money
    gross: Money
    by_rate: tuple[VatTotal, ...]
    discounts: tuple[Decimal, ...]  # document discounts, percentages 0-100
    payment_reference: str  # "" when none
    credits: DocumentId | None  # the invoice a credit note credits; None when it stands alone
    updated_at: datetime

    @property
    def key(self) -> str:
        """The short key the booking carries, so that it is known as ours whoever asks (rules.md 2)."""
        return document_key(self.id)


def document_key(document: DocumentId) -> str:
    """Ten characters that name a document in a description field: 50 bits of a hash, never reused."""
    digest = hashlib.sha256(document.encode()).digest()
    return "BB" + base64.b32encode(digest)[:10].decode()


def check(document: SalesDocument, rates: dict[TaxRateId, TaxRate]) -> None:
    """Refuse a document whose own figures do not fit, before anything is written.

    Lines and totals must agree within one cent a line (rules.md 10); withheld tax cannot be booked (rules.md 15).
    Raises: TotalsDiffer, NotPossible.
    """
    if any(line.withheld for line in document.lines):
        raise NotPossible(vendor="", feature="withheld_tax")
    if document.net + document.vat != document.gross:
        raise TotalsDiffer(printed=str(document.gross), computed=str(document.net + document.vat))
    zero = Money.zero(document.currency)
    net = Money.total((total.net for total in document.by_rate), document.currency)
    vat = Money.total((total.vat for total in document.by_rate), document.currency)
    if (net, vat) != (document.net, document.vat):
        raise TotalsDiffer(printed=str(document.gross), computed=str(net + vat))
    cent = Decimal("0.01")
    for total in document.by_rate:
        lines = [line for line in document.lines if rates[line.tax_rate].rate == total.rate]
        allowed = cent * len(lines)
        lines_net = sum((line.net for line in lines), zero)
        lines_vat = sum((line.vat for line in lines), zero)
        if document.discounts:
            continue  # the discount's own lines take up the difference (rules.md 12)
        if abs(lines_net - total.net).amount > allowed or abs(lines_vat - total.vat).amount > allowed:
            raise TotalsDiffer(printed=str(total.net + total.vat), computed=str(lines_net + lines_vat))
