"""Octopus in the demo."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from fakes.octopus import seed as octopus_seed
from fakes.teamleader import seed as teamleader_seed

from ..person import Person
from ..worlds import Entity, World
from .side import Booked, Books, Side, for_both

INVOICES, CREDIT_NOTES = "V1", "V2"
BY_PASSWORD, PASSWORD = "U70002", "blokkendoos-en-tol"  # who types his password; the other user consents by OAuth
DOSSIERS = {"be": octopus_seed.MONTHLY, "nl": octopus_seed.QUARTERLY}
UBL_USER = "U80001"
UBL_DOSSIER = 80001

# Which zero is which, a person says: nothing tells from a percentage why it is none (rules.md 18). The dossier in
# quarters has codes of their own for credit notes.
_ZERO_RATES = {
    "0 %": "00",
    "0 % medecontractant": "MC",
    "0 % intracommunautaire goederen": "ICL",
    "0 % intracommunautaire diensten": "ICD",
    "0 % export buiten de EU": "EXP",
    "0% btw": "00",
    "btw verlegd": "MC",
    "0% leveringen goederen binnen de EU": "ICL",
    "0% diensten binnen de EU": "ICD",
    "0% export buiten de EU": "EXP",
}
ZEROS = {
    "be": {rate: for_both(code) for rate, code in _ZERO_RATES.items()},
    "nl": {rate: {"invoice": code, "credit_note": f"C{code}"} for rate, code in _ZERO_RATES.items()},
}

API = "/octopus-rest-api/v1"
SORTS = (
    (r"/octopus-oauth/|/authentication$", "tokens"),
    (r"/dossiers/\d+/(buysellbookings|bookyears/[^/]+/bookings/)", "documents"),
    (r"/dossiers/\d+/relations", "relations"),
    (r"/dossiers/\d+/(balancings|financialdiversbookings|reports/|rappels|bank/)", "payments"),
)
"""fakes/README.md, in order; everything else is set-up, but for connecting with a dossier."""
OUR_KEY = re.compile(r"\s*\bBB[A-Z2-7]{10}\b.*", re.DOTALL)  # behind the document's number, in a comment of ours
A_DAY = 400
COUNTED = ("POST buysellbookings", "PUT relations", "GET relations?search")
"""The operations of which a day has so many, and a person notices when they are spent."""


class OctopusSide(Side):
    name = "octopus"
    title = "Octopus"
    between_looks = timedelta(minutes=37)

    def fill(self, world: World) -> Mapping[str, Books]:
        self.control.post("reset", seed="empty")
        if world.ubl is not None:
            return self._fill_for_ubl(world)
        self.control.post("seed", **_demo_books(world.package_customers))
        keys = {department: key for key, department in teamleader_seed.DEPARTMENTS.items()}
        users = {"be": BY_PASSWORD, "nl": octopus_seed.USER}
        return {
            entity.department: Books(str(DOSSIERS[key]), users[key], INVOICES, CREDIT_NOTES, ZEROS[key])
            for entity in world.entities
            for key in [keys[entity.department]]
        }

    def _fill_for_ubl(self, world: World) -> Mapping[str, Books]:
        """A dossier per supplier, with a VAT code for each rate its documents use (rules.md 36)."""
        books, body = {}, defaultdict(list)
        for number, entity in enumerate(world.entities, UBL_DOSSIER):
            codes = {rate["description"]: f"{position:02}" for position, rate in enumerate(entity.rates, 1)}
            books[entity.department] = Books(
                str(number), UBL_USER, INVOICES, CREDIT_NOTES, {text: for_both(code) for text, code in codes.items()}
            )
            body["dossiers"].append(
                {
                    "dossierKey": {"id": number},
                    "dossierDescription": entity.name[:50],
                    "vatNr": entity.vat_number,
                    "country": entity.country,
                    "languageCode": "nl",
                    "currencies": sorted({"EUR", "GBP", "USD", entity.currency}),
                }
            )
            body["bookyears"] += [_bookyear(number, place, year) for place, year in enumerate(entity.years, 1)]
            body["journals"] += [
                {"tenant": number, "journalKey": key, "name": name}
                for key, name in (
                    ("D1", "Diverse verrichtingen"),
                    ("F1", "Bank"),
                    (INVOICES, "Verkopen"),
                    (CREDIT_NOTES, "Creditnota's verkopen"),
                )
            ]
            body["accounts"] += [
                {"tenant": number, "accountKey": {"id": account}, "description": {"description_NL": name}}
                for account, name in (
                    (550000, "Bank"),
                    (642000, "Minderwaarden op handelsvorderingen"),
                    (700000, "Omzet"),
                    (708000, "Toegekende kortingen"),
                )
            ]
            body["vat_codes"] += [
                {
                    "tenant": number,
                    "code": codes[rate["description"]],
                    "description": rate["description"],
                    "type": 2,
                    "basePercentage": rate["percent"],
                }
                for rate in entity.rates
            ]
        dossiers = [row["dossierKey"]["id"] for row in body["dossiers"]]
        body["users"].append({"user": UBL_USER, "password": PASSWORD, "dossiers": dossiers})
        self.control.post("seed", **body)
        return books

    def consent(self, person: Person, entity: Entity, books: Books) -> str:
        if books.user == octopus_seed.USER:
            return person.connect("octopus")
        return person.log_in("octopus", books.user, PASSWORD)

    def bookings(self) -> Sequence[Booked]:
        percentages = {
            (row["tenant"], row["code"]): Decimal(str(row["basePercentage"])) / 100
            for row in self.control.state("vat_codes")
        }
        rows = self.control.state("bookings")
        return [_booked(row, percentages) for row in rows if row["journalKey"] in (INVOICES, CREDIT_NOTES)]

    def relations(self) -> set[str]:
        return {_relation_of(row) for row in self.control.state("relations")}

    def open_amounts(self) -> Mapping[str, Decimal]:
        found: dict[str, Decimal] = defaultdict(Decimal)
        for row in self.control.state("open_items"):
            found[row["booking"]] += abs(Decimal(str(row["openDocAmount"])))
        return found

    def sort_of(self, call: Mapping[str, Any]) -> str:
        path = call["path"]
        if path == f"{API}/dossiers" and call["method"] == "POST":
            return "tokens"
        return next((sort for part, sort in SORTS if re.search(part, path)), "setup")

    def quotas(self) -> Mapping[str, Mapping[str, str]]:
        """Of the dossier that used most."""
        used: dict[str, dict[str, int]] = defaultdict(dict)
        for days in self.control.counters()["calls"].values():
            for day, counts in days.items():
                for operation in COUNTED:
                    used[day][operation] = max(used[day].get(operation, 0), counts.get(operation, 0))
        return {
            day: {operation: f"{count} of {A_DAY}" for operation, count in used[day].items() if count}
            for day in sorted(used)
        }


# --- filling ---


def _demo_books(customers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The fake's demo with these customers, a user per dossier, and VAT codes for what the two companies charge."""
    body = octopus_seed.demo_seed([_relation(row) for row in customers])
    services = ("ICD", "Intracommunautaire diensten", 0)
    dutch = ("09", "Verkoop 9%", 9)
    extra = [_code(DOSSIERS["be"], *services), _code(DOSSIERS["nl"], *services), _code(DOSSIERS["nl"], *dutch)]
    for code, text, percentage in (services, dutch):
        extra.append(_code(DOSSIERS["nl"], f"C{code}", f"Creditnota {text.lower()}", percentage, type=4))
    return {
        **body,
        "dossiers": [{**row, "currencies": ["EUR", "GBP", "USD"]} for row in body["dossiers"]],
        "users": [
            {"user": octopus_seed.USER, "dossiers": [DOSSIERS["nl"]]},
            {"user": BY_PASSWORD, "password": PASSWORD, "dossiers": [DOSSIERS["be"]]},
        ],
        "vat_codes": [*body["vat_codes"], *extra],
    }


def _code(tenant: int, code: str, text: str, percentage: int, type: int = 2) -> dict[str, Any]:
    return {"tenant": tenant, "code": code, "description": text, "type": type, "basePercentage": percentage}


def _relation(row: Mapping[str, Any]) -> dict[str, Any]:
    """A customer in the books, told in the spelling of Exact's crm/Accounts (fakes/teamleader/seed.py)."""
    keys = {division: key for key, division in teamleader_seed.DIVISIONS.items()}
    return {
        "tenant": DOSSIERS[keys[row["tenant"]]],
        "name": row["Name"],
        "client": True,
        "vatNr": _dotted(row["VATNumber"] or ""),
        "streetAndNr": row["AddressLine1"],
        "postalCode": row["Postcode"],
        "city": row["City"],
        "country": row["Country"],
        "email": row["Email"] or "",
    }


def _dotted(vat_number: str) -> str:
    """As Octopus writes Belgian and Dutch numbers.

    >>> _dotted("BE0123456749"), _dotted("NL123456789B01")
    ('BE0123.456.749', 'NL1234.56.789 B01')
    """
    if vat_number.startswith("BE"):
        return f"{vat_number[:6]}.{vat_number[6:9]}.{vat_number[9:]}"
    if vat_number.startswith("NL"):
        return f"{vat_number[:6]}.{vat_number[6:8]}.{vat_number[8:11]} {vat_number[11:]}"
    return vat_number


def _bookyear(dossier: int, place: int, year: int) -> dict[str, Any]:
    return {
        "tenant": dossier,
        "bookyearKey": {"id": place},
        "startDate": f"{year}-01-01",
        "endDate": f"{year}-12-31",
        "bookingPeriodType": "MONTH",
    }


# --- reading ---


def number_of(row: Mapping[str, Any]) -> str:
    """The document's number: what stands before our key in the comment; without a key, what somebody typed.

    >>> number_of({"comment": "2026 / 145 BB23456ABCDE", "reference": "+++090/9337/55493+++"})
    '2026 / 145'
    """
    comment = row.get("comment", "")
    before, found = OUR_KEY.subn("", comment)
    return before if found else row.get("reference", "")


def _relation_of(row: Mapping[str, Any]) -> str:
    return f"{row['tenant']}/{row['relationIdentificationServiceData']['relationKey']['id']}"


def _booked(row: Mapping[str, Any], percentages: Mapping[tuple[str, str], Decimal]) -> Booked:
    side = -1 if row["journalKey"] == CREDIT_NOTES else 1
    vat: dict[Decimal, Decimal] = defaultdict(Decimal)
    for code, amount in row["vat_per_code"].items():
        vat[percentages[row["tenant"], code].normalize()] += side * Decimal(str(amount))
    return Booked(
        id=row["id"],
        tenant=row["tenant"],
        kind="credit_note" if side < 0 else "invoice",
        reference=number_of(row),
        day=date.fromisoformat(row["documentDate"]),
        currency=row["currencyCode"],
        relation=_relation_of(row),
        gross=side * Decimal(str(row["amount"])),
        vat_by_rate=vat,
        files=row["attachments"],
    )
