"""The companies of the demo: one Belgian and one Dutch, always the same.

Two Teamleader accounts with one entity each, some 25 customers, and documents of the last nine months such as a small
company writes them. Everything is invented: names from a toy box, addresses at `.example`, numbers that merely have
valid check digits. `demo_seed` makes the same world for the same arguments; all ids are fixed.

A few documents are there to be refused by whoever books them, see `REFUSED`; a few customers are in the books of the
package already, see `DemoSeed.package_customers`.
"""

import calendar
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from fakes.teamleader import totals

DEFAULT_TODAY = date(2026, 11, 24)
WINDOW = timedelta(days=270)  # documents are dated in the nine months up to today
CLOSED_DAY = date(2025, 1, 15)  # in a period that the packages' seed has closed: month 1 of 2025
DRAFTS = 3  # per account; must never be exported
MANY, FEW = 400, 40  # documents
ODD_ONES = 2_521_000  # invoices are told apart by a number; those that are planted count from here
CREDITED_SHARE = Decimal("0.15")  # of an account's documents that are credit notes

NAMESPACE = uuid.UUID("6b0c5f6e-5d7d-5a53-9f0b-3f2f6d1c7a10")


def uid(*parts: object) -> str:
    """The id of a thing of the demo, by what it is."""
    return str(uuid.uuid5(NAMESPACE, " ".join(map(str, parts))))


ACCOUNTS = {"be": uid("account", "be"), "nl": uid("account", "nl")}
DEPARTMENTS = {"be": uid("department", "be"), "nl": uid("department", "nl")}
DIVISIONS = {"be": 3001234, "nl": 2004321}  # the Exact administration of each

# Why a document of the demo must be refused. The first two are in the Belgian account, the others in the Dutch one.
REFUSED = {
    "PeriodClosed": "be",  # dated CLOSED_DAY, the first number of its year
    "NotPossible": "be",  # a line with withheld tax
    "RelationAmbiguous": "nl",  # a person with the name of a relation in the books; a name alone proves nothing
    "CustomerIncomplete": "nl",  # a company whose e-mail address is not an e-mail address
}


SECTIONS = (
    "accounts",
    "users",
    "departments",
    "tax_rates",
    "withholding_tax_rates",
    "payment_terms",
    "product_categories",
    "companies",
    "contacts",
    "invoices",
    "credit_notes",
)


@dataclass(frozen=True)
class DemoSeed:
    """What the demo starts from.

    `body` goes to the Teamleader fake (`/_fake/seed`); numbers in it are Decimals. The rest stays with the demo:
    which documents must be refused and why, and the customers that the package's books have from the start: six
    per account with the VAT number and name of a customer here (to be adopted), in the Dutch books one with the
    name of a person here and nothing else, and a few that have nothing to do with anybody here.
    """

    body: dict[str, list[dict]]
    expected_refusals: dict[str, str]  # document id -> cause
    package_customers: list[dict]  # Exact crm/Accounts rows plus `tenant`, the division


@dataclass(frozen=True)
class Country:
    """How one of the two companies invoices."""

    key: str
    company: str
    legal_form: str
    vat_number: str
    iban: str
    address: tuple[str, str, str]  # street, postal code, city
    domestic_rates: tuple[str, ...]
    rates: dict[str, tuple[str, str]]  # key -> percentage, description
    ledgers: dict[str, tuple[str, str]]  # key -> number, name
    neighbours: tuple[str, ...]  # countries of the EU customers


@dataclass(frozen=True)
class Customer:
    """A customer, and the regime under which it is invoiced."""

    id: str
    kind: str  # company or contact
    name: str
    country: str
    vat_number: str | None
    term: dict
    regime: str  # domestic, goods, services, export
    row: dict = field(repr=False)


@dataclass
class Issued:
    """An invoice or credit note on its way to a number."""

    row: dict
    day: date
    customer: Customer


# --- numbers with valid check digits ----------------------------------------------------------------------------------


def belgian_vat(base: int) -> str:
    """BE and ten digits; the last two are 97 less the rest modulo 97."""
    return f"BE{base:08d}{97 - base % 97:02d}"


def dutch_vat(base: int) -> str:
    """NL, nine digits that pass the eleven test, B01; takes the next base whose check digit is a digit."""
    while True:
        digits = f"{base:08d}"
        check = sum(int(d) * w for d, w in zip(digits, range(9, 1, -1), strict=True)) % 11
        if check < 10:
            return f"NL{digits}{check}B01"
        base += 1


def german_vat(base: int) -> str:
    """DE and nine digits, the last by ISO 7064 mod 11, 10."""
    product = 10
    for digit in f"{base:08d}":
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    return f"DE{base:08d}{(11 - product) % 10}"


def french_vat(base: int) -> str:
    """FR, two check digits and a SIREN whose last digit makes it pass the Luhn test."""
    doubled = (sum(divmod(int(d) * 2, 10)) if i % 2 else int(d) for i, d in enumerate(f"{base:08d}"))
    siren = f"{base:08d}{-sum(doubled) % 10}"
    return f"FR{int(siren + '12') % 97:02d}{siren}"


VAT_NUMBERS = {"BE": belgian_vat, "NL": dutch_vat, "DE": german_vat, "FR": french_vat}


def iban(country: str, account: str) -> str:
    """An account number with its two check digits."""
    digits = "".join(str(int(c, 36)) for c in f"{account}{country}00")
    return f"{country}{98 - int(digits) % 97:02d}{account}"


def belgian_account(number: int) -> str:
    """Ten digits of bank and account and their remainder modulo 97, 97 for none."""
    return f"{number:010d}{number % 97 or 97:02d}"


def structured_reference(number: int) -> str:
    """A Belgian payment reference: made like an account number, printed in three groups."""
    digits = belgian_account(number)
    return f"+++{digits[:3]}/{digits[3:7]}/{digits[7:]}+++"


# --- the two companies ------------------------------------------------------------------------------------------------

COUNTRIES = (
    Country(
        key="be",
        company="Speelgoedfabriek De Tinnen Soldaat",
        legal_form="BV",
        vat_number=belgian_vat(4_560_123),
        iban=iban("BE", belgian_account(10_000_001)),
        address=("Blokkendoosstraat 1", "9000", "Gent"),
        domestic_rates=("21", "12", "6", "0"),
        rates={
            "21": ("21", "21 %"),
            "12": ("12", "12 %"),
            "6": ("6", "6 %"),
            "0": ("0", "0 %"),
            "reverse": ("0", "0 % medecontractant"),
            "goods": ("0", "0 % intracommunautaire goederen"),
            "services": ("0", "0 % intracommunautaire diensten"),
            "export": ("0", "0 % export buiten de EU"),
        },
        ledgers={
            "goods": ("700000", "700000 Verkoop goederen"),
            "services": ("701000", "701000 Diensten"),
            "other": ("702000", "702000 Transport en diversen"),
        },
        neighbours=("NL", "FR", "DE", "NL", "FR", "DE"),
    ),
    Country(
        key="nl",
        company="Houten Paard Werkplaats",
        legal_form="B.V.",
        vat_number=dutch_vat(81_234_560),
        iban=iban("NL", "DEMO0000000102"),
        address=("Hobbelpaardlaan 2", "3511 AA", "Utrecht"),
        domestic_rates=("21", "9", "0"),
        rates={
            "21": ("21", "21% btw"),
            "9": ("9", "9% btw"),
            "0": ("0", "0% btw"),
            "reverse": ("0", "btw verlegd"),
            "goods": ("0", "0% leveringen goederen binnen de EU"),
            "services": ("0", "0% diensten binnen de EU"),
            "export": ("0", "0% export buiten de EU"),
        },
        ledgers={
            "goods": ("8000", "8000 Omzet goederen"),
            "services": ("8010", "8010 Omzet diensten"),
            "other": ("8020", "8020 Omzet overig"),
        },
        neighbours=("BE", "DE", "FR", "BE", "DE", "FR"),
    ),
)

TRADES = (
    "Bakkerij",
    "Drukkerij",
    "Garage",
    "Schrijnwerkerij",
    "Tuincentrum",
    "Brouwerij",
    "Studio",
    "Slagerij",
    "Atelier",
    "Boekhandel",
    "Kwekerij",
    "Smederij",
)
FANTASIES = {
    "be": (
        "Papieren Maan",
        "Blikken Trommel",
        "Zeven Kabouters",
        "Slapende Draak",
        "Gouden Knikker",
        "Vliegende Teckel",
        "Regenboogvis",
        "Houten Lepel",
        "Verloren Sok",
        "Vrolijke Egel",
        "Glazen Muiltje",
        "Zilveren Fluit",
    ),
    "nl": (
        "Kartonnen Kasteel",
        "Bonte Tol",
        "Grote Kastanje",
        "Luie Kater",
        "Blauwe Ballon",
        "Dansende Beer",
        "Warme Want",
        "Stille Uil",
        "Rode Laars",
        "Dikke Pompoen",
        "Kromme Toren",
        "Zachte Landing",
    ),
}
PERSONS = {
    "be": (
        ("Fien", "Fabel"),
        ("Jef", "Sprookje"),
        ("Lotte", "Verzinsel"),
        ("Wout", "Luchtkasteel"),
        ("An", "Fantasie"),
    ),
    "nl": (("Sanne", "Verhaal"), ("Daan", "Droom"), ("Fleur", "Legende"), ("Bram", "Mythe"), ("Joris", "Goedbedacht")),
}
AMBIGUOUS = ("Tess", "Tweeling")  # the Dutch books know a relation of this name, and nothing else of it
ABROAD = {
    "BE": ("Maison de la Lune", ("Rue du Jouet 5", "1000", "Brussel"), "BV"),
    "NL": ("Speeltuin Overzee", ("Kaatsbaan 7", "1012 AB", "Amsterdam"), "B.V."),
    "FR": ("Atelier du Petit Cheval", ("Rue des Billes 12", "59000", "Lille"), "SARL"),
    "DE": ("Spielzeughaus Zinnsoldat", ("Murmelweg 3", "50667", "Köln"), "GmbH"),
}
OVERSEAS = (  # outside the EU: no VAT number the bridge could use
    ("Tin Drum Toys Ltd", "GB", ("1 Marble Lane", "LS1 1AA", "Leeds"), "GBP"),
    ("Holzpferd Handels AG", "CH", ("Kreiselgasse 4", "8001", "Zürich"), "USD"),
)
CITIES = {
    "be": (("9000", "Gent"), ("2000", "Antwerpen"), ("3000", "Leuven"), ("8000", "Brugge")),
    "nl": (("3511 AB", "Utrecht"), ("9711 AC", "Groningen"), ("6211 AD", "Maastricht"), ("2511 AE", "Den Haag")),
}
PHONES = {"be": "+32 9", "nl": "+31 30"}
STREETS = ("Knikkerstraat", "Tolplein", "Vliegerlaan", "Poppenkaststraat", "Bouwblokweg")
TERMS = (
    {"type": "after_invoice_date", "days": 30},
    {"type": "end_of_month", "days": 30},
    {"type": "cash", "days": 0},
    {"type": "after_invoice_date", "days": 14},
    {"type": "after_invoice_date", "days": 60},
)
RATES_TO_EURO = {"USD": Decimal("0.9215"), "GBP": Decimal("1.1642")}  # as entered by hand when drafting

# description, ledger key, unit price; what a line may be about under each regime
GOODS = (
    ("Houten blokken, doos van 48", "goods", "18.95"),
    ("Tinnen soldaten, set", "goods", "42.5"),
    ("Verf, per liter", "goods", "7.4525"),
    ("Beukenhout, per meter", "goods", "3.3333"),
    ("Knikkers, per 100", "goods", "1.125"),
)
SERVICES = (
    ("Herstelling in het atelier, per uur", "services", "62.5"),
    ("Ontwerp op maat, per uur", "services", "84.75"),
    ("Opleiding poppenspel, per dag", "services", "495"),
    ("Onderhoud draaimolen", "services", "137.2"),
)
OTHER = (
    ("Transport", "other", "24.9"),
    ("Administratiekosten", None, "5"),
    ("Geschenkverpakking", None, "2.35"),
)
QUANTITIES = ("1", "2", "3", "5", "10", "0.5", "1.25", "2.75", "7.5", "12", "24")


# --- building the world -----------------------------------------------------------------------------------------------


def demo_seed(documents: int = 200, today: date | None = None) -> DemoSeed:
    """The demo's world with so many issued documents, split over the two accounts: evenly, or, when there are many,
    all but `FEW` in the first, as a first load is mostly one company's.

    Shape: `documents` counts invoices and credit notes, at least 20; drafts come on top. Dates run up to `today`.
    """
    if documents < 20:
        raise ValueError("the demo needs at least 20 documents to show every kind")
    today = today or DEFAULT_TODAY
    seed = DemoSeed(body={section: [] for section in SECTIONS}, expected_refusals={}, package_customers=[])
    second = FEW if documents > MANY else documents // 2
    for country, count in zip(COUNTRIES, (documents - second, second), strict=True):
        random = Random(f"boekbrug demo {country.key}")
        _account(seed.body, country)
        customers = list(_customers(country))
        for customer in customers:
            seed.body["companies" if customer.kind == "company" else "contacts"].append(customer.row)
        _documents(seed, country, customers, count, today, random)
        seed.package_customers.extend(_package_customers(country, customers))
    return seed


def _account(body: dict[str, list[dict]], country: Country) -> None:
    """The account with its administrator, entity, tax rates, terms and ledger accounts."""
    key, tenant = country.key, ACCOUNTS[country.key]
    department = {"type": "department", "id": DEPARTMENTS[key]}
    name = f"{country.company} {country.legal_form}"
    body["accounts"].append({"id": tenant, "name": name})
    body["users"].append(
        {
            "id": uid("user", key),
            "tenant": tenant,
            "first_name": {"be": "Bea", "nl": "Nel"}[key],
            "last_name": "Beheer",
            "email": f"beheer@{_slug(country.company)}.example",
            "email_verification_status": "confirmed",
            "language": "nl",
            "function": "Zaakvoerder",
            "time_zone": {"be": "Europe/Brussels", "nl": "Europe/Amsterdam"}[key],
        }
    )
    body["departments"].append(
        {
            "id": DEPARTMENTS[key],
            "tenant": tenant,
            "name": name,
            "vat_number": country.vat_number,
            "currency": "EUR",
            "emails": [{"type": "primary", "email": f"info@{_slug(country.company)}.example"}],
            "status": "active",
            "address": _address(*country.address, key.upper()),
            "iban": country.iban,
        }
    )
    for rate, (percent, description) in country.rates.items():
        body["tax_rates"].append(
            {
                "id": uid("tax rate", key, rate),
                "tenant": tenant,
                "description": description,
                "rate": Decimal(percent) / 100,
                "department": department,
            }
        )
    if key == REFUSED["NotPossible"]:
        body["withholding_tax_rates"].append(
            {
                "id": uid("withholding tax rate", key),
                "tenant": tenant,
                "description": "Inhouding 15 %",
                "rate": Decimal("0.15"),
                "department": department,
            }
        )
    for term in TERMS:
        body["payment_terms"].append({"id": uid("term", key, *term.values()), "tenant": tenant, **term})
    for ledger, (number, description) in country.ledgers.items():
        body["product_categories"].append(
            {
                "id": uid("product category", key, ledger),
                "tenant": tenant,
                "name": description,
                "ledgers": [{"department": department, "ledger_account_number": number}],
            }
        )


def _customers(country: Country) -> Iterator[Customer]:
    """Twelve companies and five persons at home, six companies elsewhere in the EU, two outside; and the odd ones."""
    key, home = country.key, country.key.upper()
    for n, (trade, fantasy) in enumerate(zip(TRADES, FANTASIES[key], strict=True)):
        postal_code, city = CITIES[key][n % 4]
        address = _address(f"{STREETS[n % 5]} {n + 3}", postal_code, city, home)
        vat = VAT_NUMBERS[home](_base(home, n))
        name = f"{trade} {fantasy} {country.legal_form}"
        yield _company(country, n, name, "domestic", vat, address, iban=_bank_account(home, n) if n < 2 else None)
    for n, (first_name, last_name) in enumerate(PERSONS[key]):
        postal_code, city = CITIES[key][n % 4]
        yield _person(country, n, first_name, last_name, _address(f"{STREETS[n]} {n + 40}", postal_code, city, home))
    for n, abroad in enumerate(country.neighbours):
        name, (street, postal_code, city), form = ABROAD[abroad]
        regime = "goods" if n < 3 else "services"
        name = f"{name} {'Noord' if n < 3 else 'Zuid'} {form}"
        vat = VAT_NUMBERS[abroad](_base(abroad, 50 + n))
        yield _company(country, 20 + n, name, regime, vat, _address(street, postal_code, city, abroad))
    for n, (name, abroad, (street, postal_code, city), _) in enumerate(OVERSEAS):
        yield _company(country, 30 + n, name, "export", None, _address(street, postal_code, city, abroad))
    if key == REFUSED["RelationAmbiguous"]:
        yield _person(country, 9, *AMBIGUOUS, _address("Spiegelgracht 2", "1017 AA", "Amsterdam", home))
    if key == REFUSED["CustomerIncomplete"]:
        address = _address("Naamloosweg 1", "1017 AB", "Amsterdam", home)
        vat = VAT_NUMBERS[home](_base(home, 40))
        name = f"Zaak Zonder Adres {country.legal_form}"
        yield _company(country, 40, name, "domestic", vat, address, email="vraag het aan de balie")


def _bank_account(country: str, n: int) -> str:
    return iban(country, belgian_account(10_000_020 + n) if country == "BE" else f"DEMO00000002{n:02d}")


def _base(country: str, n: int) -> int:
    """Digits to make a VAT number of, in a range the country gives out."""
    return {"BE": 4_770_000, "NL": 80_070_000, "DE": 11_770_000, "FR": 40_770_000}[country] + 37 * n


def _company(
    country: Country,
    n: int,
    name: str,
    regime: str,
    vat: str | None,
    address: dict,
    *,
    iban: str | None = None,
    email: str | None = None,
) -> Customer:
    """A company as companies.info shows it; every third Belgian VAT number is written with blanks and dots."""
    id_ = uid("company", country.key, n)
    term = TERMS[n % len(TERMS)]
    shown_vat = f"{vat[:2]} {vat[2:6]}.{vat[6:9]}.{vat[9:]}" if vat and vat.startswith("BE") and n % 3 == 0 else vat
    row = {
        "id": id_,
        "tenant": ACCOUNTS[country.key],
        "name": name,
        "status": "active",
        "vat_number": shown_vat,
        "national_identification_number": vat[2:] if vat and vat.startswith("BE") else None,
        "emails": [{"type": "primary", "email": email or f"boekhouding@{_slug(name)}.example"}],
        "telephones": [{"type": "phone", "number": f"{PHONES[country.key]} 000 {n:04d}"}],
        "website": None,
        "addresses": [{"type": "primary", "address": address}],
        "iban": iban,
        "bic": None,
        "language": {"FR": "fr", "DE": "de", "CH": "de", "GB": "en"}.get(address["country"], "nl"),
        "payment_term": term,
        "tags": [],
    }
    return Customer(id_, "company", name, address["country"], shown_vat, term, regime, row)


def _person(country: Country, n: int, first_name: str, last_name: str, address: dict) -> Customer:
    """A private customer as contacts.info shows one."""
    id_ = uid("contact", country.key, n)
    term = TERMS[2] if n % 2 else TERMS[3]
    name = f"{first_name} {last_name}"
    row = {
        "id": id_,
        "tenant": ACCOUNTS[country.key],
        "first_name": first_name,
        "last_name": last_name,
        "status": "active",
        "emails": [{"type": "primary", "email": f"{_slug(name)}@post.example"}],
        "telephones": [{"type": "mobile", "number": f"{PHONES[country.key]} 001 {n:04d}"}],
        "addresses": [{"type": "primary", "address": address}],
        "language": "nl",
        "payment_term": term,
        "vat_number": None,
        "national_identification_number": None,
        "website": None,
        "iban": None,
        "bic": None,
        "tags": [],
    }
    return Customer(id_, "contact", name, address["country"], None, term, "domestic", row)


def _address(line_1: str, postal_code: str, city: str, country: str) -> dict:
    return {"line_1": line_1, "postal_code": postal_code, "city": city, "country": country, "area_level_two": None}


def _slug(name: str) -> str:
    plain = name.casefold().replace("ö", "oe").replace("ü", "ue")
    return "-".join("".join(c if c.isascii() and c.isalnum() else " " for c in plain).split())


# --- documents --------------------------------------------------------------------------------------------------------


def _documents(
    seed: DemoSeed, country: Country, customers: Sequence[Customer], count: int, today: date, random: Random
) -> None:
    """Issued documents in date and number order, and the drafts."""
    key = country.key
    credits = int((count * CREDITED_SHARE).to_integral_value())
    planned = [cause for cause, where in REFUSED.items() if where == key]
    ordinary = [c for c in customers if c.id not in _ids_of_odd_customers(key)]
    days = _days(count - credits - ("PeriodClosed" in planned), today, random)
    invoices = [_invoice(country, n, _whose(ordinary, n), day, random) for n, day in enumerate(days)]
    _plant_refusals(seed, country, customers, invoices, planned, random)
    odd = set(seed.expected_refusals)
    creditable = [i for i in invoices if i.row["id"] not in odd and i.day < today - timedelta(days=5)]
    chosen = random.sample(creditable, credits)
    notes = [_credit_note(country, invoice, n, today, random) for n, invoice in enumerate(chosen)]
    _number(invoices, "invoice", country)
    _number(notes, "credit_note", country)
    seed.body["invoices"].extend(i.row for i in invoices)
    seed.body["credit_notes"].extend(n.row for n in notes)
    for n in range(DRAFTS):
        draft = _invoice(country, count + n, _whose(ordinary, n), today, random).row
        draft |= {"status": "draft", "due_on": None, "sent": False}
        seed.body["invoices"].append({**draft, "invoice_number": None, "payment_reference": None})


def _ids_of_odd_customers(key: str) -> set[str]:
    return {uid("contact", key, 9), uid("company", key, 40)}


def _days(count: int, today: date, random: Random) -> list[date]:
    """Days spread over the window, in order, never a Sunday."""
    days = []
    for n in range(count):
        day = today - WINDOW + WINDOW * (n + 1) / count - timedelta(days=random.randrange(2))
        days.append(day - timedelta(days=1) if day.weekday() == 6 else day)
    return sorted(days)


def _whose(customers: Sequence[Customer], n: int) -> Customer:
    """Each customer in turn, with a stride that mixes companies, persons and foreigners."""
    return customers[n * 7 % len(customers)]


def _plant_refusals(
    seed: DemoSeed,
    country: Country,
    customers: Sequence[Customer],
    invoices: list[Issued],
    planned: Sequence[str],
    random: Random,
) -> None:
    """Replace or add the documents that must be refused, and write down why."""
    by_id = {customer.id: customer for customer in customers}
    for place, cause in enumerate(planned):
        n = ODD_ONES + place
        if cause == "PeriodClosed":
            bad = _invoice(country, n, customers[1], CLOSED_DAY, random)
            invoices.insert(0, bad)
        else:
            odd = {
                "RelationAmbiguous": uid("contact", country.key, 9),
                "CustomerIncomplete": uid("company", country.key, 40),
                "NotPossible": customers[0].id,
            }[cause]
            at = len(invoices) * (place + 1) // 4
            bad = _invoice(country, n, by_id[odd], invoices[at].day, random)
            invoices[at] = bad
        if cause == "NotPossible":
            withheld = {"type": "withholdingTaxRate", "id": uid("withholding tax rate", country.key)}
            bad.row["grouped_lines"][0]["line_items"][0]["withheld_tax"] = withheld
        seed.expected_refusals[bad.row["id"]] = cause


def _invoice(country: Country, n: int, customer: Customer, day: date, random: Random) -> Issued:
    """An invoice without number; which peculiarities it has follows from `n`, so that every kind occurs."""
    key = country.key
    foreign = next((currency for name, *_, currency in OVERSEAS if name == customer.name), None) if n % 2 else None
    currency = foreign or "EUR"
    discounts = {3: ["5"], 6: ["10", "2.5"]}.get(n % 9, [])
    row = {
        "id": uid("invoice", key, n),
        "tenant": ACCOUNTS[key],
        "department": {"type": "department", "id": DEPARTMENTS[key]},
        "status": "outstanding",
        "invoice_number": None,
        "invoice_date": day.isoformat(),
        "due_on": _due(day, customer.term).isoformat(),
        "sent": True,
        "purchase_order_number": f"PO-{n + 100}" if n % 4 == 0 else None,
        "invoicee": _invoicee(customer),
        "payment_term": customer.term,
        "payment_reference": None,
        "note": None,
        "currency": currency,
        "currency_exchange_rate": _exchange(currency),
        "discounts": [_percentage(value, description="Korting") for value in discounts],
        "grouped_lines": [{"section": {"title": ""}, "line_items": _lines(country, n, customer, random)}],
        "rounding": _rounding(n),
    }
    return Issued(row, day, customer)


def _rounding(n: int) -> str:
    """Most documents round per line, as the product does; some per rate, which a bridge must survive too."""
    return totals.PER_RATE if n % 8 == 7 else totals.PER_LINE


def _exchange(currency: str) -> dict:
    return {"from": currency, "to": "EUR", "rate": RATES_TO_EURO.get(currency, Decimal(1))}


def _percentage(value: str, **more: str) -> dict:
    return {"type": "percentage", "value": Decimal(value), **more}


def _lines(country: Country, n: int, customer: Customer, random: Random) -> list[dict]:
    """One to six lines under the customer's regime; now and then a correction below zero."""
    whole_reverse_charge = customer.regime == "domestic" and customer.kind == "company" and n % 5 == 4
    lines = []
    for position in range(1 + random.randrange(6)):
        if customer.regime == "domestic":
            domestic = country.domestic_rates if customer.kind == "company" else country.domestic_rates[:-1]
            rate = "reverse" if whole_reverse_charge else domestic[(n + position) % len(domestic)]
            about = random.choice(GOODS + SERVICES + OTHER)
        else:
            rate = customer.regime
            about = random.choice({"goods": GOODS, "services": SERVICES, "export": GOODS + OTHER}[rate])
        discount = _percentage(("10", "33.33", "2.5")[position % 3]) if (n + position) % 5 == 0 else None
        lines.append(_line(country, about, random.choice(QUANTITIES), rate, discount))
    if n % 11 == 5:  # worth less than any other line
        lines.append(_line(country, ("Correctie vorige levering", "goods", "0.3125"), "-1", rate, None))
    return lines


def _line(
    country: Country, about: tuple[str, str | None, str], quantity: str, rate: str, discount: dict | None
) -> dict:
    description, ledger, price = about
    category = ledger and {"type": "productCategory", "id": uid("product category", country.key, ledger)}
    return {
        "product": None,
        "quantity": Decimal(quantity),
        "description": description,
        "extended_description": None,
        "unit": None,
        "unit_price": {"amount": Decimal(price), "tax": "excluding"},
        "tax": {"type": "taxRate", "id": uid("tax rate", country.key, rate)},
        "discount": discount,
        "product_category": category,
        "withheld_tax": None,
    }


def _invoicee(customer: Customer) -> dict:
    return {
        "name": customer.name,
        "vat_number": customer.vat_number,
        "customer": {"type": customer.kind, "id": customer.id},
        "for_attention_of": None,
        "email": customer.row["emails"][0]["email"],
        "national_identification_number": customer.row.get("national_identification_number"),
    }


def _due(day: date, term: dict) -> date:
    """The due date; end_of_month is the end of the month in which day plus the days falls."""
    due = day + timedelta(days=term["days"])
    if term["type"] == "end_of_month":
        due = due.replace(day=calendar.monthrange(due.year, due.month)[1])
    return due


def _credit_note(country: Country, invoice: Issued, n: int, today: date, random: Random) -> Issued:
    """The whole invoice credited, or for every second one half the quantity of its first line."""
    day = min(today, invoice.day + timedelta(days=random.randrange(1, 40)))
    groups = invoice.row["grouped_lines"]
    if n % 2:
        first = groups[0]["line_items"][0]
        groups = [{**groups[0], "line_items": [{**first, "quantity": first["quantity"] / 2}]}]
    kept = ("tenant", "department", "invoicee", "currency", "currency_exchange_rate", "discounts", "rounding")
    row = {
        "id": uid("credit note", invoice.row["id"]),
        **{name: invoice.row[name] for name in kept},
        "status": "booked",
        "credit_note_number": None,
        "credit_note_date": day.isoformat(),
        "invoice": {"type": "invoice", "id": invoice.row["id"]},
        "grouped_lines": groups,
    }
    return Issued(row, day, invoice.customer)


def _number(documents: list[Issued], kind: str, country: Country) -> None:
    """Number in date order, from 1 in each year; a Belgian invoice gets its payment reference with its number."""
    documents.sort(key=lambda document: document.day)
    last: dict[int, int] = {}
    for document in documents:
        year = document.day.year
        last[year] = last.get(year, 0) + 1
        shown = f"{year} / {last[year]}" if kind == "invoice" else f"{year}/{last[year]}"
        document.row[f"{kind}_number"] = shown
        if kind == "invoice" and country.key == "be":
            document.row["payment_reference"] = structured_reference(year * 1_000_000 + last[year])


# --- the package's side -----------------------------------------------------------------------------------------------


def _package_customers(country: Country, customers: Sequence[Customer]) -> Iterator[dict[str, Any]]:
    """The customers the books have from the start, in the spelling of Exact's crm/Accounts.

    First six with VAT number and name of a customer of the demo (to be adopted), then in the Dutch books the
    person's namesake (a person must decide), then three who are nobody's customer.
    """
    home = country.key.upper()
    known = [
        c
        for c in customers
        if c.vat_number and c.regime == "domestic" and c.id not in _ids_of_odd_customers(country.key)
    ]
    code = 1001
    for customer in known[:6]:
        address = customer.row["addresses"][0]["address"]
        vat = customer.vat_number.replace(" ", "").replace(".", "")
        email = customer.row["emails"][0]["email"]
        yield _package_row(country, code, customer.name, vat, address, email)
        code += 1
    if country.key == REFUSED["RelationAmbiguous"]:
        address = _address("Dubbelganger 22", "5611 AA", "Eindhoven", home)
        yield _package_row(country, code, " ".join(AMBIGUOUS), None, address, None)
        code += 1
    for n, name in enumerate(("Verhuurbedrijf De Springkussens", "Wasserij Zeepbel", "Taxi Trapauto")):
        postal_code, city = CITIES[country.key][n]
        vat = VAT_NUMBERS[home](_base(home, 900 + n))
        address = _address(f"Buitenweg {n + 1}", postal_code, city, home)
        yield _package_row(country, code, f"{name} {country.legal_form}", vat, address, f"info@{_slug(name)}.example")
        code += 1


def _package_row(
    country: Country, code: int, name: str, vat: str | None, address: dict, email: str | None
) -> dict[str, Any]:
    return {
        "tenant": DIVISIONS[country.key],
        "ID": uid("package customer", country.key, code),
        "Code": str(code),
        "Name": name,
        "Status": "C",
        "VATNumber": vat,
        "AddressLine1": address["line_1"],
        "Postcode": address["postal_code"],
        "City": address["city"],
        "Country": address["country"],
        "Email": email,
    }
