"""What the matrix and the stories must know of a package: a package joins by an object here.

Its company comes from tests/support and has the same verbs whatever the package: `invoices`, `pays`, `matches` …
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, time, timedelta
from typing import Any, Protocol

import httpx

from boekbrug.vendors import registry
from fakes.exact import ExactFake
from fakes.kit.clock import FakeClock
from fakes.kit.local_time import local
from fakes.kit.server import Fake
from fakes.octopus import OctopusFake
from tests.support import exact_books, octopus_books
from tests.support.books import Booked
from tests.support.company import Company, a_connected_company
from tests.support.stage import EXACT, OCTOPUS


class Package(Protocol):
    name: str
    url: str
    fake: Callable[[FakeClock], Fake]
    offers_again: bool  # a write in doubt is offered again at once: the vendor takes it once, however often it comes
    longest_run: timedelta  # from the first nudge until all is done, whatever is struck

    def limit_ends(self, met: datetime) -> datetime:
        """When a limit of the vendor that is met at this moment is over."""

    def company(self, stage: Any) -> Company:
        """A company signed in and connected, its mappings accepted."""

    def bookings(self, fake: Any) -> Sequence[Booked]: ...
    def customers(self, fake: Any) -> Counter[str]:
        """How often each name is there."""

    def written(self, request: httpx.Request) -> str | None:
        """What this request writes, the same for every attempt; None for everything else.

        A booking is named by our mark of the document: a number may come free and be another's.
        """

    def renames_an_account(self, fake: Any, name: str) -> None:
        """The ledger account of the bookings is called otherwise from now on."""


class ExactPackage:
    name = "exact"
    url = EXACT
    fake = ExactFake
    offers_again = False
    longest_run = timedelta(hours=3)

    def limit_ends(self, met: datetime) -> datetime:
        return met + timedelta(minutes=1)

    def company(self, stage: Any) -> Company:
        return a_connected_company(stage, self.name)

    def bookings(self, fake: Any) -> Sequence[Booked]:
        return exact_books.booked_this_year(fake.sections()["bookings"]())

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

    def renames_an_account(self, fake: Any, name: str) -> None:
        accounts = fake.state.divisions[exact_books.DIVISION]["GLAccounts"]
        row = next(row for row in accounts.rows.values() if row["Code"] == "700000")
        accounts.change(row["ID"], Description=name)


class OctopusPackage:
    name = "octopus"
    url = OCTOPUS
    fake = OctopusFake
    offers_again = True
    longest_run = timedelta(hours=40)

    def limit_ends(self, met: datetime) -> datetime:
        """At midnight in Belgium."""
        here = local(met)
        return met + (datetime.combine(here + timedelta(days=1), time.min) - here)

    def company(self, stage: Any) -> Company:
        return a_connected_company(stage, self.name)

    def bookings(self, fake: Any) -> Sequence[Booked]:
        return octopus_books.booked_this_year(fake.sections()["bookings"]())

    def customers(self, fake: Any) -> Counter[str]:
        rows = fake.state.dossiers[octopus_books.DOSSIER]["relations"].values()
        return Counter(row.get("name", "") for row in rows)

    def written(self, request: httpx.Request) -> str | None:
        """Neither a booking's number nor how its customer is called need be the same in the next attempt."""
        match request.method, request.url.path.rpartition("/")[2]:
            case "POST", "buysellbookings":
                booking = json.loads(request.content)["buySellBookingServiceData"]
                return f"booking {booking['journalKey']} {OUR_MARK.search(booking['comment'])[0]}"
            case "PUT", "relations":
                return f"relation {json.loads(request.content)['name']}"
        return None

    def renames_an_account(self, fake: Any, name: str) -> None:
        dossier = fake.state.dossiers[octopus_books.DOSSIER]
        for key, row in dossier["accounts"].items():
            if row["accountKey"]["id"] == 700000:
                dossier.put("accounts", key, {**row, "description": {"description_NL": name}})


OUR_MARK = re.compile(r"\bBB[A-Z2-7]{10}\b")
"""In a comment: which document a booking is of."""
ALL: dict[str, Package] = {"exact": ExactPackage(), "octopus": OctopusPackage()}
PACKAGES = {name: package for name, package in ALL.items() if name in registry.PACKAGES}
"""Those that the bridge offers."""
