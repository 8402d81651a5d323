"""Documents, connections and books in one line each, for tests that read like sentences."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from boekbrug.domain.connections import Connection, ConnectionId, LoginId, Mapping
from boekbrug.domain.documents import (
    AccountId,
    CategoryId,
    CustomerKind,
    CustomerRef,
    DocumentId,
    DocumentKind,
    DocumentLine,
    EntityId,
    SalesDocument,
    TaxRate,
    TaxRateId,
    VatTotal,
)
from boekbrug.domain.ledger import (
    AdministrationId,
    Books,
    FiscalYear,
    Journal,
    JournalKind,
    LedgerAccount,
    PaymentTerm,
    Period,
    Regime,
    VatCode,
)
from boekbrug.domain.money import Money
from boekbrug.domain.relations import Address, Customer

ENTITY = EntityId("entity-be")
ACCOUNT = AccountId("account-be")
ADMINISTRATION = AdministrationId("memory.be.1")
NOW = datetime(2026, 3, 31, 9, tzinfo=UTC)

RATES = {
    TaxRateId(name): TaxRate(TaxRateId(name), ENTITY, description, Decimal(rate))
    for name, description, rate in (
        ("21", "21 %", "0.21"),
        ("12", "12 %", "0.12"),
        ("6", "6 %", "0.06"),
        ("0", "0 %", "0"),
        ("mc", "0 % medecontractant", "0"),
        ("eu", "0 % intracommunautaire levering", "0"),
    )
}


def eur(amount: str | int) -> Money:
    return Money.of(amount, "EUR")


def a_line(
    net: str = "100.00",
    rate: str = "21",
    *,
    vat: str | None = None,
    category: str | None = None,
    currency: str = "EUR",
    withheld: bool = False,
) -> DocumentLine:
    """A line whose VAT is computed as Teamleader does, unless it is given."""
    money = Money.of(net, currency)
    tax = Money.of(vat, currency) if vat else Money.rounded(money.amount * RATES[TaxRateId(rate)].rate, currency)
    return DocumentLine(
        description=f"Werk {rate}",
        quantity=Decimal(1),
        net=money,
        vat=tax,
        tax_rate=TaxRateId(rate),
        category=CategoryId(category) if category else None,
        withheld=withheld,
    )


def a_document(
    *lines: DocumentLine,
    kind: DocumentKind = DocumentKind.INVOICE,
    number: str = "2026 / 7",
    day: date = date(2026, 3, 2),
    totals: Sequence[VatTotal] | None = None,
    discounts: Sequence[str] = (),
    credits: str | None = None,
    customer: str = "company:customer-1",
    currency: str = "EUR",
    identity: str | None = None,
) -> SalesDocument:
    """An issued document; its totals are the lines' sums per percentage unless `totals` says what was printed."""
    lines = lines or (a_line(),)
    if totals is None:
        by_rate: dict[Decimal, VatTotal] = {}
        zero = Money.zero(currency)
        for line in lines:
            rate = RATES[line.tax_rate].rate
            before = by_rate.get(rate, VatTotal(rate, zero, zero))
            by_rate[rate] = VatTotal(rate, before.net + line.net, before.vat + line.vat)
        totals = tuple(by_rate.values())
    net = Money.total((total.net for total in totals), currency)
    vat = Money.total((total.vat for total in totals), currency)
    return SalesDocument(
        id=DocumentId(identity or f"{kind}-{number}"),
        kind=kind,
        entity=ENTITY,
        number=number,
        day=day,
        due_on=day + timedelta(days=30) if kind is DocumentKind.INVOICE else None,
        customer=CustomerRef.parse(customer),
        customer_name="Bakkerij Voorbeeld BV",
        currency=currency,
        exchange_rate=Decimal(1),
        entity_currency="EUR",
        lines=tuple(lines),
        net=net,
        vat=vat,
        gross=net + vat,
        by_rate=tuple(totals),
        discounts=tuple(Decimal(discount) for discount in discounts),
        payment_reference="",
        credits=DocumentId(credits) if credits else None,
        updated_at=NOW,
    )


def a_customer(
    identity: str = "customer-1", name: str = "Bakkerij Voorbeeld BV", vat: str = "BE 0123.456.749"
) -> Customer:
    return Customer(
        ref=CustomerRef(CustomerKind.COMPANY, identity),
        name=name,
        vat_number=vat,
        enterprise_number="",
        email="boekhouding@voorbeeld.example",
        phone="+32 9 000 00 01",
        website="",
        address=Address("Kerkstraat 1", "9000", "Gent", "BE"),
        language="nl",
        iban="",
        payment_days=30,
        payment_end_of_month=False,
        tags=(),
        updated_at=NOW,
    )


def months(year: int, closed: Sequence[int] = (), journals: Sequence[str] = ("*",)) -> FiscalYear:
    """A calendar year of twelve periods, some of them shut."""
    periods = []
    for month in range(1, 13):
        first = date(year, month, 1)
        last = (date(year + month // 12, month % 12 + 1, 1)) - timedelta(days=1)
        shut = tuple(journals) if month in closed else ()
        periods.append(Period(f"{year} - {month:02}", first, last, shut))
    return FiscalYear(str(year), tuple(periods))


def some_books(**changes: object) -> Books:
    """Two sales journals, a bank journal, three accounts, VAT codes for every rate of RATES, 2025 to 2027."""
    fields: dict = {
        "journals": (
            Journal("V1", "Verkopen", JournalKind.SALES),
            Journal("V2", "Creditnota's", JournalKind.SALES),
            Journal("B1", "Bank", JournalKind.BANK),
        ),
        "accounts": (
            LedgerAccount("id-700000", "700000", "Omzet"),
            LedgerAccount("id-701000", "701000", "Diensten"),
            LedgerAccount("id-708000", "708000", "Toegekende kortingen"),
        ),
        "vat_codes": (
            VatCode("21", "21 %", Decimal("0.21"), Regime.DOMESTIC),
            VatCode("12", "12 %", Decimal("0.12"), Regime.DOMESTIC),
            VatCode("6", "6 %", Decimal("0.06"), Regime.DOMESTIC),
            VatCode("0", "0 %", Decimal(0), Regime.DOMESTIC),
            VatCode("MC", "Medecontractant", Decimal(0), Regime.REVERSE_CHARGE),
            VatCode("ICL", "IC levering", Decimal(0), Regime.EU_GOODS),
        ),
        "years": (months(2025), months(2026), months(2027)),
        "terms": (PaymentTerm("30", "30 dagen", 30),),
    }
    return Books(**(fields | changes))


def a_mapping(**changes: object) -> Mapping:
    codes = {"21": "21", "12": "12", "6": "6", "0": "0", "mc": "MC", "eu": "ICL"}
    fields: dict = {
        "vat_codes": {TaxRateId(rate): dict.fromkeys(DocumentKind, code) for rate, code in codes.items()},
        "category_accounts": {CategoryId("diensten"): "id-701000"},
        "default_account": "id-700000",
        "discount_account": "id-708000",
        "accepted_at": NOW,
    }
    return Mapping(**(fields | changes))


def a_connection(**changes: object) -> Connection:
    fields: dict = {
        "id": ConnectionId("connection-1"),
        "account": ACCOUNT,
        "entity": ENTITY,
        "entity_name": "Voorbeeld Holding",
        "package": "memory",
        "administration": ADMINISTRATION,
        "administration_name": "Voorbeeld Holding",
        "login": LoginId("memory.be.user"),
        "start": date(2026, 1, 1),
        "invoice_journal": "V1",
        "credit_note_journal": "V2",
        "mapping": a_mapping(),
    }
    return Connection(**(fields | changes))
