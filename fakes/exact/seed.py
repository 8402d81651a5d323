"""The demo books: one Belgian and one Dutch company, each with its own user; always the same.

All people and companies are invented. Shape: what `POST /_fake/seed` takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Row = dict[str, Any]

BELGIAN, DUTCH = 3001234, 2004321
FIRST_YEAR, LAST_YEAR = 2025, 2027


def demo_seed(customers: Sequence[Row] | None = None) -> Row:
    """The demo books. `customers` replaces the invented ones: rows of crm/Accounts with the division as `tenant`."""
    accounts = list(customers) if customers is not None else [*_belgian_customers(), *_dutch_customers()]
    return {
        "divisions": [
            {
                "Code": BELGIAN,
                "Description": "Drukkerij Kanaal NV",
                "Country": "BE",
                "Legislation": "BE",
                "VATNumber": belgian_vat_number(9999001),
                "City": "Gent",
                "Email": "boekhouding@drukkerij-kanaal.example",
                "IsMainDivision": True,
            },
            {
                "Code": DUTCH,
                "Description": "Studio Polderlicht B.V.",
                "Country": "NL",
                "Legislation": "NL",
                "VATNumber": dutch_vat_number(99999001),
                "City": "Utrecht",
                "Email": "administratie@polderlicht.example",
                "IsMainDivision": True,
            },
        ],
        "users": [
            _user("be", "Marieke", "Voorbeeld", "NL-BE", "BE", BELGIAN),
            _user("nl", "Joost", "Voorbeeld", "NL", "NL", DUTCH),
        ],
        "gl_accounts": [*_belgian_accounts(), *_dutch_accounts()],
        "journals": [*_belgian_journals(), *_dutch_journals()],
        "vat_codes": [*_belgian_vat_codes(), *_dutch_vat_codes()],
        "periods": [
            {"tenant": tenant, "FinYear": year}
            for tenant in (BELGIAN, DUTCH)
            for year in range(FIRST_YEAR, LAST_YEAR + 1)
        ],
        "payment_conditions": [row for tenant in (BELGIAN, DUTCH) for row in _payment_conditions(tenant)],
        "accounts": [*accounts, _walk_in(BELGIAN), _walk_in(DUTCH)],
        "sales_entries": [
            _older_invoice(BELGIAN, "700000", "21E"),
            _older_invoice(DUTCH, "8000", "2"),
        ],
        "closed_periods": [
            {"tenant": tenant, "year": FIRST_YEAR, "period": 1, "journal": journal}
            for tenant, journal in ((BELGIAN, "70"), (BELGIAN, "71"), (DUTCH, "70"), (DUTCH, "75"))
        ],
    }


def _user(name: str, first: str, last: str, language: str, country: str, division: int) -> Row:
    return {
        "UserName": name,
        "FirstName": first,
        "LastName": last,
        "FullName": f"{first} {last}",
        "Email": f"{first.lower()}@boekhouding-{name}.example",
        "LanguageCode": language,
        "Country": country,
        "divisions": [division],
        "CurrentDivision": division,
    }


def _account(tenant: int, code: str, description: str, type_: int, balance: str = "W", side: str = "C") -> Row:
    return {
        "tenant": tenant,
        "Code": code,
        "Description": description,
        "Type": type_,
        "BalanceType": balance,
        "BalanceSide": side,
    }


def _belgian_accounts() -> list[Row]:
    return [
        _account(BELGIAN, "400000", "Handelsdebiteuren", 20, "B", "D"),
        _account(BELGIAN, "451000", "Te betalen btw", 24, "B", "C"),
        _account(BELGIAN, "550000", "Kredietinstellingen", 12, "B", "D"),
        _account(BELGIAN, "642000", "Minderwaarden op handelsvorderingen", 120, "W", "D"),
        _account(BELGIAN, "700000", "Verkopen en dienstprestaties", 110),
        _account(BELGIAN, "701000", "Verkopen van goederen", 110),
        _account(BELGIAN, "702000", "Verkopen aan 6 %", 110),
        _account(BELGIAN, "708000", "Toegekende kortingen", 110, "W", "D"),
    ]


def _dutch_accounts() -> list[Row]:
    return [
        _account(DUTCH, "1100", "Bank", 12, "B", "D"),
        _account(DUTCH, "1300", "Debiteuren", 20, "B", "D"),
        _account(DUTCH, "1500", "Af te dragen btw hoog", 24, "B", "C"),
        _account(DUTCH, "4800", "Betalingsverschillen", 120, "W", "D"),
        _account(DUTCH, "8000", "Omzet hoog tarief", 110),
        _account(DUTCH, "8010", "Omzet laag tarief", 110),
        _account(DUTCH, "8020", "Omzet nul en verlegd", 110),
        _account(DUTCH, "8090", "Verleende kortingen", 110, "W", "D"),
    ]


def _journal(tenant: int, code: str, description: str, type_: int, account: str | None, at_once: bool) -> Row:
    own = {"GLAccountCode": account} if account else {}
    return {"tenant": tenant, "Code": code, "Description": description, "Type": type_, "AutoSave": at_once, **own}


def _belgian_journals() -> list[Row]:
    """Its sales journals process entries at once."""
    return [
        _journal(BELGIAN, "12", "Bank", 12, "550000", False),
        _journal(BELGIAN, "70", "Verkopen", 20, "400000", True),
        _journal(BELGIAN, "71", "Creditnota's verkopen", 20, "400000", True),
        _journal(BELGIAN, "90", "Diverse verrichtingen", 90, None, False),
    ]


def _dutch_journals() -> list[Row]:
    """Its sales journals leave entries open until a bookkeeper processes them."""
    return [
        _journal(DUTCH, "20", "Bank", 12, "1100", False),
        _journal(DUTCH, "70", "Verkoopboek", 20, "1300", False),
        _journal(DUTCH, "75", "Creditnota's", 20, "1300", False),
        _journal(DUTCH, "90", "Memoriaal", 90, None, False),
    ]


def _vat(
    tenant: int,
    account: str,
    code: str,
    description: str,
    rate: str,
    type_: str = "E",
    *,
    charged: bool = False,
    eu: str = "N",
) -> Row:
    return {
        "tenant": tenant,
        "Code": code,
        "Description": description,
        "Percentage": rate,
        "Type": type_,
        "VATTransactionType": "B" if type_ == "I" else "S",
        "Charged": charged,
        "EUSalesListing": eu,
        "GLToPayCode": account,
    }


def _belgian_vat_codes() -> list[Row]:
    rows = []
    for rate, text in (("0.21", "21"), ("0.12", "12"), ("0.06", "6"), ("0", "0")):
        rows.append(_vat(BELGIAN, "451000", f"{text}E", f"Btw {text} % exclusief", rate))
        rows.append(_vat(BELGIAN, "451000", f"{text}I", f"Btw {text} % inclusief", rate, "I"))
    return [
        *rows,
        _vat(BELGIAN, "451000", "MC", "Btw verlegd, medecontractant", "0", charged=True),
        _vat(BELGIAN, "451000", "ICG", "Intracommunautaire levering van goederen", "0", charged=True, eu="L"),
        _vat(BELGIAN, "451000", "ICD", "Intracommunautaire diensten", "0", charged=True, eu="S"),
        _vat(BELGIAN, "451000", "EXP", "Uitvoer buiten de EU", "0", "B"),
        {**_vat(BELGIAN, "451000", "A21", "Aankoop 21 %", "0.21"), "VATTransactionType": "P"},
    ]


def _dutch_vat_codes() -> list[Row]:
    return [
        _vat(DUTCH, "1500", "0", "Btw nul", "0"),
        _vat(DUTCH, "1500", "1", "Btw hoog 21 % inclusief", "0.21", "I"),
        _vat(DUTCH, "1500", "2", "Btw hoog 21 % exclusief", "0.21"),
        _vat(DUTCH, "1500", "3", "Btw laag 9 % inclusief", "0.09", "I"),
        _vat(DUTCH, "1500", "4", "Btw laag 9 % exclusief", "0.09"),
        _vat(DUTCH, "1500", "5", "Btw verlegd", "0", charged=True),
        _vat(DUTCH, "1500", "6", "Levering van goederen binnen de EU", "0", charged=True, eu="L"),
        _vat(DUTCH, "1500", "7", "Diensten binnen de EU", "0", charged=True, eu="S"),
        _vat(DUTCH, "1500", "8", "Uitvoer buiten de EU", "0", "B"),
        {**_vat(DUTCH, "1500", "12", "Voorbelasting hoog", "0.21"), "VATTransactionType": "P"},
    ]


def _payment_conditions(tenant: int) -> list[Row]:
    terms = (
        ("00", "Contant", 0, 0),
        ("14", "14 dagen", 14, 0),
        ("30", "30 dagen", 30, 0),
        ("EM", "Einde volgende maand", 0, 1),
        ("60", "60 dagen", 60, 0),
    )
    return [
        {
            "tenant": tenant,
            "Code": code,
            "Description": text,
            "PaymentDays": days,
            "PaymentEndOfMonths": months,
            "PaymentMethod": "K" if code == "00" else "B",
        }
        for code, text, days, months in terms
    ]


def belgian_vat_number(base: int) -> str:
    """A Belgian number from its first eight digits: the last two make it divisible as the law wants.

    >>> belgian_vat_number(9999001)
    'BE0999900150'
    """
    return f"BE{base:08d}{97 - base % 97:02d}"


def dutch_vat_number(base: int) -> str:
    """A Dutch number from eight digits: the ninth passes the eleven-test. ValueError where no digit does."""
    digits = f"{base:08d}"
    check = sum(int(digit) * weight for digit, weight in zip(digits, range(9, 1, -1), strict=True)) % 11
    if check == 10:
        raise ValueError(f"{base} has no check digit")
    return f"NL{digits}{check}B01"


def _customer(tenant: int, name: str, city: str, vat: str | None, code: int) -> Row:
    domain = name.split()[0].lower()
    number = {"VATNumber": vat, "ChamberOfCommerce": vat[2:12]} if vat else {}
    return {
        "tenant": tenant,
        "Code": str(code),
        "Name": name,
        "Status": "C",
        "City": city,
        "Country": "BE" if tenant == BELGIAN else "NL",
        "Email": f"facturen@{domain}.example",
        "PaymentConditionSales": "30",
        **number,
    }


def _belgian_customers() -> list[Row]:
    names = (
        ("Korenmolen Bakkerij BV", "Gent"),
        ("Fietspunt De Keten BV", "Brugge"),
        ("Wasserij Helder NV", "Kortrijk"),
        ("Tuinaanleg Buxus BV", "Aalst"),
        ("Optiek Scherp BV", "Mechelen"),
        ("Meubelmakerij Zwaluw NV", "Roeselare"),
        ("Visgroothandel Garnaal NV", "Oostende"),
        ("Architecten Kubus BV", "Leuven"),
        ("Boekhandel Leesteken BV", "Antwerpen"),
        ("Dakwerken Nok BV", "Hasselt"),
        ("Atelier Zonder Nummer", "Gent"),
        ("Vereniging De Vlieger vzw", "Lier"),
    )
    return [
        _customer(BELGIAN, name, city, belgian_vat_number(9999100 + place) if place < 10 else None, 1001 + place)
        for place, (name, city) in enumerate(names)
    ]


def _dutch_customers() -> list[Row]:
    names = (
        ("Bloemenkas Tulpenrood B.V.", "Lisse"),
        ("Grachtfiets Verhuur B.V.", "Amsterdam"),
        ("Kaasmakerij Wei B.V.", "Gouda"),
        ("Installatiebedrijf Waterpas B.V.", "Zwolle"),
        ("Uitgeverij Kantlijn B.V.", "Haarlem"),
        ("Scheepswerf Spant B.V.", "Harlingen"),
        ("Theehuis Kopje B.V.", "Delft"),
        ("Schildersbedrijf Kwast B.V.", "Breda"),
        ("Muziekschool Maat B.V.", "Arnhem"),
        ("Drogisterij Munt B.V.", "Assen"),
        ("Zzp Zonder Nummer", "Utrecht"),
        ("Stichting Het Windje", "Leiden"),
    )
    numbers = iter(_dutch_numbers())
    return [
        _customer(DUTCH, name, city, next(numbers) if place < 10 else None, 1001 + place)
        for place, (name, city) in enumerate(names)
    ]


def _dutch_numbers() -> list[str]:
    numbers = []
    for base in range(99999100, 99999200):
        try:
            numbers.append(dutch_vat_number(base))
        except ValueError:
            continue
    return numbers


def _walk_in(tenant: int) -> Row:
    return {**_customer(tenant, "Diverse klanten", "", None, 9999), "Email": None}


def _older_invoice(tenant: int, account: str, code: str) -> Row:
    """An invoice somebody typed in before anything was connected."""
    return {
        "tenant": tenant,
        "Journal": "70",
        "CustomerName": "Diverse klanten",
        "EntryDate": "2025-11-17",
        "YourRef": "HAND-1",
        "Description": "Met de hand geboekt",
        "Status": 50,
        "SalesEntryLines": [
            {"AmountFC": 150, "GLAccountCode": account, "VATCode": code, "Description": "Losse verkoop"}
        ],
    }
