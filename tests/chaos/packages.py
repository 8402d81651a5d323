"""What the matrix and the stories must know of a package: a package joins by an object here.

Its company comes from tests/support and has the same verbs whatever the package: `invoices`, `pays`, `matches` …
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Protocol

import httpx

from fakes.exact import ExactFake
from fakes.kit.clock import FakeClock
from fakes.kit.server import Fake
from tests.support.company import (
    CREDIT_NOTES,
    DIVISION,
    INVOICES,
    START,
    Company,
    Document,
    a_connected_company,
)
from tests.support.stage import EXACT


@dataclass(frozen=True)
class Booked:
    """A booking in the fake. Amounts as printed: positive on a credit note too."""

    kind: str
    reference: str
    gross: Decimal
    vat: Decimal
    files: tuple[str, ...]
    id: str
    text: str  # where a booking of ours says which document it is of; whatever was typed in one made by hand


class Package(Protocol):
    name: str
    url: str
    fake: Callable[[FakeClock], Fake]
    tenant: str  # the administration, as the fake's control calls name it
    journals: Mapping[str, str]  # by kind of document

    def company(self, stage: Any) -> Company:
        """A company signed in and connected, its mappings accepted."""

    def bookings(self, fake: Any) -> Sequence[Booked]: ...
    def customers(self, fake: Any) -> Counter[str]:
        """How often each name is there."""

    def written(self, request: httpx.Request) -> str | None:
        """What this request writes, the same for every attempt; None for everything else.

        A booking is named by our mark of the document: a number may come free and be another's.
        """

    def knows(self, company: Company, name: str) -> None:
        """The books have this customer of Teamleader already, with the same VAT number."""

    def books_by_hand(self, company: Company, document: Document, gross: Decimal, customer: str, day: str) -> str:
        """The bookkeeper types the document in himself, with that total; the booking's id."""

    def renames_an_account(self, fake: Any, name: str) -> None:
        """The ledger account of the bookings is called otherwise from now on."""


class ExactPackage:
    name = "exact"
    url = EXACT
    fake = ExactFake
    tenant = DIVISION
    journals: Mapping[str, str] = MappingProxyType({"invoice": INVOICES, "credit_note": CREDIT_NOTES})

    def company(self, stage: Any) -> Company:
        return a_connected_company(stage)

    def bookings(self, fake: Any) -> Sequence[Booked]:
        found = []
        for row in fake.sections()["bookings"]():
            side = -1 if row["Type"] == 21 else 1
            if row["tenant"] == DIVISION and str(row["EntryDate"]) >= START:
                vat = sum((Decimal(str(amount)) for amount in row["vat_per_code"].values()), Decimal(0))
                found.append(
                    Booked(
                        kind="credit_note" if side < 0 else "invoice",
                        reference=row["YourRef"] or "",
                        gross=side * Decimal(str(row["AmountFC"])),
                        vat=side * vat,
                        files=tuple(row["attachments"]),
                        id=row["id"],
                        text=row["Description"] or "",
                    )
                )
        return found

    def customers(self, fake: Any) -> Counter[str]:
        return Counter(row["Name"] for row in fake.state.divisions[DIVISION]["Accounts"])

    def written(self, request: httpx.Request) -> str | None:
        if request.method != "POST" or "/api/v1/" not in request.url.path:
            return None
        body = json.loads(request.content)
        match request.url.path.rpartition("/")[2]:
            case "SalesEntries":
                return f"booking {body['Journal']} {body['Description']}"
            case "Accounts":
                return f"relation {body['Name']}"
            case "Documents":
                return f"folder {body['Subject']}"
            case "DocumentAttachments":
                return f"file {body['Document']} {body['FileName']}"
        return None

    def knows(self, company: Company, name: str) -> None:
        company.relation(name, VATNumber=company.vat_number(company.customer(name)))

    def books_by_hand(self, company: Company, document: Document, gross: Decimal, customer: str, day: str) -> str:
        (relation,) = company.relations(customer)
        return company.books_by_hand(document, gross, Customer=relation["ID"], EntryDate=day)

    def renames_an_account(self, fake: Any, name: str) -> None:
        accounts = fake.state.divisions[DIVISION]["GLAccounts"]
        row = next(row for row in accounts.rows.values() if row["Code"] == "700000")
        accounts.change(row["ID"], Description=name)


PACKAGES: dict[str, Package] = {"exact": ExactPackage()}
