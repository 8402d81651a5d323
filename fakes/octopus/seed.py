"""The demo books: one Belgian login with two dossiers, one in months and one in quarters; always the same.

All people and companies are invented. Shape: what `POST /_fake/seed` takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

Row = dict[str, Any]

USER = "U70001"
MONTHLY, QUARTERLY = 70001, 70002
FIRST_YEAR, LAST_YEAR = 2025, 2027
BOOKYEAR_2025, BOOKYEAR_2026, BOOKYEAR_2027 = 1, 2, 3


def demo_seed(customers: Sequence[Row] | None = None) -> Row:
    """The demo books. `customers` replaces the invented ones: relations with the dossier number as `tenant`."""
    both = (MONTHLY, QUARTERLY)
    return {
        "dossiers": [
            _dossier(MONTHLY, "Drukkerij Kanaal NV", 9999001, "nl", 1, ["EUR", "USD", "GBP"]),
            _dossier(QUARTERLY, "Atelier du Canal SRL", 9999002, "fr", 21, ["EUR"]),
        ],
        "users": [{"user": USER, "dossiers": [MONTHLY, QUARTERLY]}],
        "bookyears": [
            {
                "tenant": tenant,
                "bookyearKey": {"id": place},
                "bookyearDescription": str(year),
                "startDate": f"{year}-01-01",
                "endDate": f"{year}-12-31",
                "bookingPeriodType": "MONTH" if tenant == MONTHLY else "QUARTER",
            }
            for tenant in both
            for place, year in enumerate(range(FIRST_YEAR, LAST_YEAR + 1), start=1)
        ],
        "journals": [row for tenant in both for row in _journals(tenant)],
        "accounts": [row for tenant in both for row in _accounts(tenant)],
        "vat_codes": [*_vat_codes(MONTHLY), *_vat_codes(QUARTERLY), *_credit_codes(QUARTERLY)],
        "cost_centres": [{"tenant": MONTHLY, **_described("costCentreKey", "ATELIER", "Atelier"), "closed": False}],
        "relations": [*(customers if customers is not None else _customers()), *_others(MONTHLY), *_others(QUARTERLY)],
        "bookings": [_older_invoice(tenant) for tenant in both],
    }


def belgian_vat_number(base: int) -> str:
    """A Belgian number from its first eight digits, with the dots Octopus writes.

    >>> belgian_vat_number(9999001)
    'BE0999.900.150'
    """
    digits = f"{base:08d}{97 - base % 97:02d}"
    return f"BE{digits[:4]}.{digits[4:7]}.{digits[7:]}"


def _dossier(number: int, name: str, vat: int, language: str, legal_form: int, currencies: list[str]) -> Row:
    return {
        "dossierKey": {"id": number},
        "dossierDescription": name,
        "vatNr": belgian_vat_number(vat),
        "streetAndNr": "Kanaaldorp 1",
        "postalCode": "9000",
        "city": "Gent",
        "country": "BE",
        "email": "",
        "url": "",
        "languageCode": language,
        "corporationTypeKey": {"id": legal_form},
        "currencies": currencies,
    }


def _journals(tenant: int) -> list[Row]:
    """Sales in V1, credit notes in V2; V3 makes invoices and takes no bookings. January 2025 is shut in all of them."""

    def journal(key: str, name: str, **more: Any) -> Row:
        return {"tenant": tenant, "journalKey": key, "name": name, **more}

    rows = [
        journal("A1", "Aankopen"),
        journal("D1", "Diverse verrichtingen"),
        journal("F1", "Bank", currencyCode="EUR"),
        journal("V1", "Verkopen"),
        journal("V2", "Creditnota's verkopen"),
        journal("V3", "Facturatie", insertionType=2),
    ]
    if tenant == MONTHLY:
        rows.append(journal("F2", "Bank in dollar", currencyCode="USD"))
    shut = {"closedPeriod": 202501, "protectedPeriod": 202501}
    first = [{**row, "bookyearKey": {"id": BOOKYEAR_2025}, **shut} for row in rows]
    later = [{**row, "bookyearKey": {"id": year}} for year in (BOOKYEAR_2026, BOOKYEAR_2027) for row in rows]
    return [*first, *later]


def _described(key: str, code: Any, text: str) -> Row:
    return {key: {"id": code}, "description": {"description_NL": text, "description_FR": "", "description_EN": ""}}


def _accounts(tenant: int) -> list[Row]:
    central = (
        (400000, "Handelsdebiteuren"),
        (411000, "Terug te vorderen btw"),
        (440000, "Leveranciers"),
        (451000, "Te betalen btw"),
    )
    plain = (
        (550000, "Kredietinstellingen"),
        (580000, "Interne overboekingen"),
        (604000, "Aankopen van handelsgoederen"),
        (610000, "Diensten en diverse goederen"),
        (642000, "Minderwaarden op handelsvorderingen"),
        (656000, "Bankkosten"),
    )
    revenue = (
        (700000, "Verkopen en dienstprestaties", "21"),
        (701000, "Verkopen van goederen", "21"),
        (702000, "Verkopen aan 6 %", "06"),
        (708000, "Toegekende kortingen", "21"),
    )
    return [
        *({"tenant": tenant, **_described("accountKey", n, text), "bookable": False} for n, text in central),
        *({"tenant": tenant, **_described("accountKey", n, text)} for n, text in plain),
        *({"tenant": tenant, **_described("accountKey", n, text), "salesVatCode": vat} for n, text, vat in revenue),
    ]


def _vat(tenant: int, code: str, text: str, type_: int, rate: int, account: int | None = None) -> Row:
    row = {"tenant": tenant, "code": code, "description": text, "type": type_, "basePercentage": rate}
    return row | ({"defaultSellBookingAccountNr": account} if account else {})


def _vat_codes(tenant: int) -> list[Row]:
    return [
        _vat(tenant, "00", "Verkoop 0%", 2, 0, 700000),
        _vat(tenant, "06", "Verkoop 6%", 2, 6, 702000),
        _vat(tenant, "12", "Verkoop 12%", 2, 12, 700000),
        _vat(tenant, "21", "Verkoop 21%", 2, 21, 700000),
        _vat(tenant, "ICL", "Intracommunautaire levering", 2, 0, 701000),
        _vat(tenant, "EXP", "Uitvoer", 2, 0, 701000),
        _vat(tenant, "MC", "Medecontractant", 2, 0, 700000),
        _vat(tenant, "D06", "Aankoop diensten 6%", 1, 6),
        _vat(tenant, "D21", "Aankoop diensten 21%", 1, 21),
        _vat(tenant, "I21", "Aankoop investeringen 21%", 1, 21),
    ]


def _credit_codes(tenant: int) -> list[Row]:
    """VAT codes of their own for sales credit notes: type 4."""
    return [
        _vat(tenant, f"C{row['code']}", f"Creditnota {row['description'].lower()}", 4, row["basePercentage"])
        for row in _vat_codes(tenant)
        if row["type"] == 2
    ]


def _relation(tenant: int, number: int, name: str, **more: Any) -> Row:
    return {
        "tenant": tenant,
        "relationIdentificationServiceData": {"relationKey": {"id": number}},
        "name": name,
        "client": True,
        "country": "BE",
        **more,
    }


def _customers() -> list[Row]:
    names = (
        ("Korenmolen Bakkerij BV", "Gent", "9000"),
        ("Fietspunt De Keten BV", "Brugge", "8000"),
        ("Wasserij Helder NV", "Kortrijk", "8500"),
        ("Tuinaanleg Buxus BV", "Aalst", "9300"),
        ("Optiek Scherp BV", "Mechelen", "2800"),
        ("Atelier Zonder Nummer", "Gent", "9000"),
    )
    return [
        _relation(
            tenant,
            place + 1,
            name,
            city=city,
            postalCode=code,
            email=f"facturen@{name.split()[0].lower()}.example",
            **({"vatNr": belgian_vat_number(9999100 + place), "vatType": 1} if place < 5 else {}),
        )
        for tenant in (MONTHLY, QUARTERLY)
        for place, (name, city, code) in enumerate(names)
    ]


def _others(tenant: int) -> list[Row]:
    """What long-lived books hold as well: someone inactive, blanks for a country, one VAT number twice, a supplier."""
    vat = belgian_vat_number(9999200)
    return [
        _relation(tenant, 101, "Stilgelegd Bedrijf BV", active=False, vatNr=belgian_vat_number(9999201)),
        _relation(tenant, 102, "Oude Relatie Zonder Land", country="  "),
        _relation(tenant, 103, "Dubbel Genoteerd BV", vatNr=vat, vatType=1),
        _relation(tenant, 104, "Dubbel Genoteerd", vatNr=vat, vatType=1),
        _relation(tenant, 105, "Papiergroothandel Vezel NV", client=False, supplier=True),
        _relation(tenant, 106, "Diverse klanten"),
    ]


def _older_invoice(tenant: int) -> Row:
    """An invoice somebody typed in before anything was connected."""
    return {
        "tenant": tenant,
        "journalKey": "V1",
        "relationName": "Diverse klanten",
        "documentDate": "2025-11-17",
        "reference": "HAND-1",
        "comment": "Met de hand geboekt",
        "bookingLines": [
            {
                "accountKey": 700000,
                "baseAmount": 150,
                "vatCodeKey": "21",
                "vatAmount": Decimal("31.50"),
                "comment": "Losse verkoop",
            }
        ],
    }
