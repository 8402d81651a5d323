"""Exact Online in the demo."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from fakes.exact import seed as exact_seed
from fakes.teamleader import seed as teamleader_seed

from ..person import Person
from ..worlds import Entity, World
from .side import Booked, Books, Side, for_both

JOURNALS = {"BE": ("70", "71"), "NL": ("70", "75")}
CREDIT_NOTE = 21  # SalesEntries.Type
UBL_USER = "ubl"
UBL_DIVISION = 4000001

SORTS = (
    ("/oauth2/", "tokens"),
    ("/crm/", "relations"),
    ("/cashflow/receivables", "payments"),
    ("/cashflow/paymentterms", "payments"),
    ("/read/financial/receivables", "payments"),
    ("/financialtransaction/bankentr", "payments"),
    ("/docs/xml", "payments"),
    ("/salesentry/", "documents"),
    ("/documents/", "documents"),
    ("/transactionlines", "documents"),
    ("/sync/deleted", "documents"),
)
"""fakes/README.md, in order; everything else is set-up."""


class ExactSide(Side):
    name = "exact"
    title = "Exact Online"

    def fill(self, world: World) -> Mapping[str, Books]:
        self.control.post("reset", seed="empty")
        if world.ubl is not None:
            return self._fill_for_ubl(world)
        self.control.post("seed", **exact_seed.demo_seed(world.package_customers))
        divisions = {
            teamleader_seed.DEPARTMENTS[key]: (key, str(division))
            for key, division in teamleader_seed.DIVISIONS.items()
        }
        return {
            entity.department: Books(tenant, key, *JOURNALS[entity.country], vat_codes={})
            for entity in world.entities
            for key, tenant in [divisions[entity.department]]
        }

    def _fill_for_ubl(self, world: World) -> Mapping[str, Books]:
        """A division per supplier, with a VAT code for each rate its documents use (rules.md 36)."""
        books, body = {}, defaultdict(list)
        for number, entity in enumerate(world.entities, UBL_DIVISION):
            codes = {rate["description"]: f"{position:02}" for position, rate in enumerate(entity.rates, 1)}
            books[entity.department] = Books(
                str(number), UBL_USER, "70", "71", {text: for_both(code) for text, code in codes.items()}
            )
            body["divisions"].append(
                {
                    "Code": number,
                    "Description": entity.name[:50],
                    "Country": entity.country,
                    "Currency": entity.currency,
                    "VATNumber": entity.vat_number,
                }
            )
            body["gl_accounts"] += [
                {"tenant": number, "Code": code, "Description": name, "Type": type_, "BalanceType": side}
                for code, name, type_, side in (
                    ("400000", "Klanten", 20, "B"),
                    ("451000", "Te betalen btw", 24, "B"),
                    ("550000", "Bank", 12, "B"),
                    ("650000", "Betalingsverschillen", 121, "W"),
                    ("700000", "Omzet", 110, "W"),
                    ("708000", "Toegekende kortingen", 110, "W"),
                )
            ]
            body["journals"] += [
                {"tenant": number, "Code": code, "Description": name, "Type": type_, "GLAccountCode": account}
                for code, name, type_, account in (
                    ("70", "Verkopen", 20, "400000"),
                    ("71", "Creditnota's", 20, "400000"),
                    ("12", "Bank", 12, "550000"),
                    ("90", "Diversen", 90, None),
                )
            ]
            body["vat_codes"] += [_vat_code(number, codes[rate["description"]], rate) for rate in entity.rates]
            body["periods"] += [{"tenant": number, "FinYear": year} for year in entity.years]
            body["payment_conditions"].append(
                {"tenant": number, "Code": "30", "Description": "30 dagen", "PaymentDays": 30, "PaymentMethod": "B"}
            )
        divisions = [row["Code"] for row in body["divisions"]]
        user = {"UserName": UBL_USER, "FirstName": "Ubbe", "LastName": "Lader", "FullName": "Ubbe Lader"}
        body["users"].append({**user, "Language": "NL-BE", "Country": "BE", "divisions": divisions})
        self.control.post("seed", **body)
        return books

    def consent(self, person: Person, entity: Entity, books: Books) -> str:
        country = entity.country.lower() if entity.country in JOURNALS else "be"
        return person.connect_exact(country, books.user)

    def bookings(self) -> Sequence[Booked]:
        percentages = {
            (row["tenant"], row["Code"].strip()): Decimal(str(row["Percentage"] or 0))
            for row in self.control.state("vat_codes")
        }
        return [_booked(row, percentages) for row in self.control.state("bookings")]

    def relations(self) -> set[str]:
        return {row["ID"] for row in self.control.state("relations")}

    def open_amounts(self) -> Mapping[str, Decimal]:
        found: dict[str, Decimal] = defaultdict(Decimal)
        for row in self.control.state("open_items"):
            found[row["TransactionEntryID"]] += abs(Decimal(str(row["AmountFC"])))
        return found

    def sort_of(self, call: Mapping[str, Any]) -> str:
        path = call["path"].casefold()
        return next((sort for part, sort in SORTS if part in path), "setup")


def _vat_code(division: int, code: str, rate: Mapping[str, Any]) -> dict[str, Any]:
    """What an accountant would have for a rate: E with a percentage, B without; charged where the customer pays it."""
    percentage = Decimal(str(rate["percent"])) / 100
    return {
        "tenant": division,
        "Code": code,
        "Description": rate["description"],
        "Percentage": percentage,
        "Type": "E" if percentage else "B",
        "VATTransactionType": "S",
        "Charged": rate["category"] in ("AE", "K"),
        "EUSalesListing": "L" if rate["category"] == "K" else "N",
        "GLToPayCode": "451000",
    }


def _booked(row: Mapping[str, Any], percentages: Mapping[tuple[int, str], Decimal]) -> Booked:
    side = -1 if row["Type"] == CREDIT_NOTE else 1
    vat: dict[Decimal, Decimal] = defaultdict(Decimal)
    for code, amount in row["vat_per_code"].items():
        vat[percentages[row["tenant"], code].normalize()] += side * Decimal(str(amount))
    return Booked(
        id=row["id"],
        tenant=str(row["tenant"]),
        kind="credit_note" if side < 0 else "invoice",
        reference=row["YourRef"] or "",
        day=_date(row["EntryDate"]),
        currency=(row["Currency"] or "").strip(),
        relation=row["Customer"],
        gross=side * Decimal(str(row["AmountFC"])),
        vat_by_rate=vat,
        files=row["attachments"],
    )


def _date(value: str) -> Any:
    if value.startswith("/Date("):
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(value[6:-2]))).date()
    return datetime.fromisoformat(value).date()
