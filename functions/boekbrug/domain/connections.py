"""A connection joins one legal entity in Teamleader with one administration, and holds the user's choices."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import NewType

from .documents import AccountId, CategoryId, DocumentKind, EntityId, FileFormat, TaxRateId
from .ledger import AdministrationId

LoginId = NewType("LoginId", str)
"""`vendor.realm.user`: the grant of one vendor user to one of our apps; `vendor.realm.user/scope`: what it bought."""
ConnectionId = NewType("ConnectionId", str)


class JobKind(StrEnum):
    ACCOUNTS = "accounts"  # import_ledger_accounts
    RELATIONS = "relations"  # import_relations
    DOCUMENTS = "documents"  # export_documents
    PAYMENTS = "payments"  # import_payments


@dataclass(frozen=True, slots=True)
class Mapping:
    """Which VAT code and ledger account the user wants for what. Nothing is booked before it was accepted."""

    vat_codes: dict[TaxRateId, dict[DocumentKind, str]] = field(default_factory=dict)
    category_accounts: dict[CategoryId, str] = field(default_factory=dict)
    rate_accounts: dict[TaxRateId, str] = field(default_factory=dict)
    default_account: str = ""
    discount_account: str = ""
    accepted_at: datetime | None = None

    def vat_code(self, rate: TaxRateId, kind: DocumentKind) -> str | None:
        return self.vat_codes.get(rate, {}).get(kind)

    def account(self, category: CategoryId | None, rate: TaxRateId) -> str:
        """The account of a line: its category's, else its rate's, else the default; "" when there is none."""
        by_category = self.category_accounts.get(category, "") if category else ""
        return by_category or self.rate_accounts.get(rate, "") or self.default_account


@dataclass(frozen=True, slots=True)
class Outward:
    """Where money that only Teamleader has goes in the books (rules.md 25)."""

    journal: str  # one for various entries, never a bank journal: the bank's own file brings the money
    account: str  # LedgerAccount.id of a clearing account


@dataclass(frozen=True, slots=True)
class Connection:
    """One entity ↔ one administration."""

    id: ConnectionId
    account: AccountId
    entity: EntityId
    entity_name: str
    package: str
    administration: AdministrationId
    administration_name: str
    login: LoginId
    start: date  # documents dated from then on
    invoice_journal: str
    credit_note_journal: str
    automatic: bool = False  # switched on after a first run by hand (rules.md 27)
    active: bool = True
    mapping: Mapping = field(default_factory=Mapping)
    created_at: datetime | None = None
    attach: tuple[FileFormat, ...] = ()  # what goes into the books with each booking
    outward: Outward | None = None  # None: payments only come from the books

    def journal(self, kind: DocumentKind) -> str:
        return self.invoice_journal if kind is DocumentKind.INVOICE else self.credit_note_journal

    def accepted(self, mapping: Mapping, at: datetime) -> Connection:
        return replace(self, mapping=replace(mapping, accepted_at=at))
