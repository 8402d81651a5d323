"""What every vendor's deeds are done with: a room in its house, an entry, a customer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import httpx

from boekbrug.domain.documents import CustomerKind, CustomerRef, DocumentId, DocumentKind
from boekbrug.domain.documents import document_key as key_of
from boekbrug.domain.entries import period_for
from boekbrug.domain.ledger import EntryLine, Regime, SalesEntry
from boekbrug.domain.money import Money
from boekbrug.domain.relations import Address, RelationDraft, RelationRef
from boekbrug.ports import Tokens
from boekbrug.vendors.http import Http, new_client
from boekbrug.vendors.oauth import App, Room
from fakes.kit.clock import FakeClock
from tests.support.rooms import a_room

Run = Callable[[Room], Any]

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
CUSTOMER = CustomerRef(CustomerKind.COMPANY, "11111111-2222-3333-4444-555555555555")


class KnownToken:
    """A token that stays, whatever is said of it."""

    def __init__(self, access: str) -> None:
        self._access = access

    def access(self) -> str:
        return self._access

    def refused(self, token: str) -> None:
        """It is the only one."""


class BoughtOnce:
    """The token of each scope, bought by whoever needs it first, for all rooms that share this."""

    def __init__(self) -> None:
        self._kept: dict[str, KnownToken] = {}

    def __call__(self, scope: str, buy: Callable[[], Tokens]) -> KnownToken:
        if scope not in self._kept:
            self._kept[scope] = KnownToken(buy().access)
        return self._kept[scope]


def room_of(app: App, line: httpx.BaseTransport, access: str, token_for: Any) -> Room:
    http = Http(app.vendor, new_client(line), sleep=lambda seconds: None)
    return replace(a_room(app, http, KnownToken(access), FakeClock(NOW, rate=0)), token_for=token_for)


def an_entry(books: Any, relation: RelationRef) -> SalesEntry:
    journal = next(row.code for row in books.journals() if row.kind == "sales")
    code = next(
        row.code
        for row in books.vat_codes()
        if row.usable and row.regime is Regime.DOMESTIC and row.percentage == Decimal("0.21")
    )
    day, account = date(2026, 5, 11), books.revenue_accounts()[0].id
    document = DocumentId("document-117")
    return SalesEntry(
        document=document,
        key=key_of(document),
        kind=DocumentKind.INVOICE,
        number="2026/0117",
        journal=journal,
        day=day,
        due_on=date(2026, 5, 25),
        period=period_for(day, books.fiscal_years(), journal),
        relation=relation,
        currency="EUR",
        exchange_rate=Decimal(1),
        lines=(EntryLine(account, code, Money.of("1000.00", "EUR"), Money.of("210.00", "EUR"), "Advies"),),
    )


def a_draft(name: str, customer: CustomerRef = CUSTOMER) -> RelationDraft:
    return RelationDraft(
        customer=customer,
        name=name,
        vat_number="",
        enterprise_number="",
        email="info@voorbeeld.example",
        phone="+32 9 000 00 00",
        website="https://voorbeeld.example",
        address=Address("Molenstraat 7", "9000", "Gent", "BE"),
        language="nl",
        iban="",
        payment_days=30,
        payment_end_of_month=False,
    )
