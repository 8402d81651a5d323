"""What the matrix and the stories must know of a package: a package joins by an object here.

Its company comes from tests/support and has the same verbs whatever the package: `invoices`, `pays`, `matches` …
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Protocol

import httpx

from boekbrug.vendors import registry
from fakes.exact import ExactFake
from fakes.kit.clock import FakeClock
from fakes.kit.server import Fake
from fakes.octopus import OctopusFake
from infra.local.packages.octopus import number_of
from tests.support import exact_books, octopus_books
from tests.support.books import START
from tests.support.company import Company, Document, a_connected_company
from tests.support.stage import EXACT, OCTOPUS


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
    offers_again: bool  # a write in doubt is offered again at once: the vendor refuses a second one
    longest_run: timedelta  # from the first nudge until all is done, whatever is struck

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
    tenant = exact_books.DIVISION
    journals: Mapping[str, str] = MappingProxyType(
        {"invoice": exact_books.INVOICES, "credit_note": exact_books.CREDIT_NOTES}
    )
    offers_again = False
    longest_run = timedelta(hours=3)

    def company(self, stage: Any) -> Company:
        return a_connected_company(stage, self.name)

    def bookings(self, fake: Any) -> Sequence[Booked]:
        rows = [row for row in fake.sections()["bookings"]() if row["tenant"] == exact_books.DIVISION]
        return [_seen(exact_books.booked(row)) for row in rows if str(row["EntryDate"]) >= START]

    def customers(self, fake: Any) -> Counter[str]:
        return Counter(row["Name"] for row in fake.state.divisions[exact_books.DIVISION]["Accounts"])

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


class OctopusPackage:
    name = "octopus"
    url = OCTOPUS
    parameters: Mapping[str, str] = MappingProxyType({"OctopusBaseUrl": OCTOPUS})
    fake = OctopusFake
    offers_again = True
    longest_run = timedelta(hours=40)  # a limit that is spent comes back at midnight

    def company(self, stage: Any) -> Company:
        return a_connected_company(stage, self.name)

    def bookings(self, fake: Any) -> Sequence[Booked]:
        journals = octopus_books.OctopusBooks.invoices, octopus_books.OctopusBooks.credit_notes
        rows = [row for row in fake.sections()["bookings"]() if row["tenant"] == str(octopus_books.DOSSIER)]
        ours = [row for row in rows if row["journalKey"] in journals and str(row["documentDate"]) >= START]
        return [_seen(octopus_books.booked(row)) for row in ours]

    def customers(self, fake: Any) -> Counter[str]:
        rows = fake.state.dossiers[octopus_books.DOSSIER]["relations"].values()
        return Counter(row.get("name", "") for row in rows)

    def written(self, request: httpx.Request) -> str | None:
        """A booking is its document in its journal: the number it is offered under may differ between attempts."""
        match request.method, request.url.path.rpartition("/")[2]:
            case "POST", "buysellbookings":
                booking = json.loads(request.content)["buySellBookingServiceData"]
                return f"booking {booking['journalKey']} {number_of(booking)}"
            case "PUT", "relations":
                return f"relation {json.loads(request.content)['name']}"
        return None


def _seen(booking: Any) -> Booked:
    return Booked(booking.kind, booking.reference, booking.gross, booking.vat, booking.files)


ALL: dict[str, Package] = {"exact": ExactPackage(), "octopus": OctopusPackage()}
PACKAGES = {name: package for name, package in ALL.items() if name in registry.PACKAGES}
