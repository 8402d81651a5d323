"""What the matrix must know of a package: a package joins by an object here.

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
from tests.support.company import DIVISION, START, Company, a_connected_company
from tests.support.stage import EXACT


@dataclass(frozen=True)
class Booked:
    """A booking in the fake. Amounts as printed: positive on a credit note too."""

    kind: str
    reference: str
    gross: Decimal
    vat: Decimal
    files: tuple[str, ...]


class Package(Protocol):
    name: str
    url: str
    parameters: Mapping[str, str]  # of the template: where the vendor is
    fake: Callable[[FakeClock], Fake]

    def company(self, stage: Any) -> Company:
        """A company signed in and connected, its mappings accepted."""

    def bookings(self, fake: Any) -> Sequence[Booked]: ...
    def customers(self, fake: Any) -> Counter[str]:
        """How often each name is there."""

    def written(self, request: httpx.Request) -> str | None:
        """What this request writes, the same for every attempt; None for everything else."""


class ExactPackage:
    name = "exact"
    url = EXACT
    parameters: Mapping[str, str] = MappingProxyType({"ExactBaseUrl": EXACT})
    fake = ExactFake

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
                return f"booking {body['Journal']} {body['YourRef']}"
            case "Accounts":
                return f"relation {body['Name']}"
            case "Documents":
                return f"folder {body['Subject']}"
            case "DocumentAttachments":
                return f"file {body['Document']} {body['FileName']}"
        return None


PACKAGES: dict[str, Package] = {"exact": ExactPackage()}
