"""What a demo starts from: who invoices, which books they keep, and what must come out."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from fakes.teamleader import seed as teamleader_seed

from .fake_control import FakeControl


@dataclass(frozen=True)
class Entity:
    """One legal entity of a Teamleader account, and the books it is to be connected with."""

    account: str
    focus_user: str  # who signs in; empty for the only user there is
    department: str
    name: str
    country: str
    vat_number: str
    currency: str
    start: date
    rates: Sequence[Mapping[str, Any]] = ()  # what its documents use; empty: the package's demo books have it all
    years: Sequence[int] = ()


@dataclass
class World:
    """Entities, and what is known beforehand."""

    entities: list[Entity]
    package_customers: list[dict[str, Any]] = field(default_factory=list)
    expected_refusals: dict[str, str] = field(default_factory=dict)  # document id → cause
    ubl: dict[str, Any] | None = None  # the report's section

    @property
    def accounts(self) -> list[str]:
        return list(dict.fromkeys(entity.account for entity in self.entities))


def seeded(teamleader: FakeControl, documents: int, today: datetime) -> World:
    """The invented companies: one Belgian, one Dutch, each an account of its own."""
    demo = teamleader_seed.demo_seed(documents, today.date())
    teamleader.post("reset", seed="empty")
    teamleader.post("seed", **demo.body)
    users = {row["tenant"]: row["id"] for row in demo.body["users"]}
    entities = []
    for key, account in teamleader_seed.ACCOUNTS.items():
        department = next(row for row in demo.body["departments"] if row["tenant"] == account)
        entities.append(
            Entity(
                account=account,
                focus_user=users[account],
                department=department["id"],
                name=department["name"],
                country=key.upper(),
                vat_number=department["vat_number"],
                currency=department["currency"],
                start=date(2025, 1, 1),
            )
        )
    return World(entities, demo.package_customers, demo.expected_refusals)


def from_ubl(teamleader: FakeControl, folder: Path, today: datetime) -> World:
    """Real documents: every UBL file of a folder, one entity per supplier."""
    files = sorted(folder.rglob("*.xml"))
    names = {str(file.relative_to(folder)): file for file in files}
    teamleader.post("reset", seed="empty")
    encoded = {name: base64.b64encode(file.read_bytes()).decode() for name, file in names.items()}
    answer = teamleader.post("ubl", files=encoded)
    entities = [
        Entity(
            account=row["tenant"],
            focus_user="",
            department=row["id"],
            name=row["name"],
            country=row["country"] or "BE",
            vat_number=row["vat_number"] or "",
            currency=row["currency"],
            start=date(min(row["years"]), 1, 1),
            rates=row["rates"],
            years=range(min(row["years"]), today.year + 2),
        )
        for row in answer["departments"]
    ]
    ubl = {"files": len(files), "loaded": answer["loaded"], "refused": answer["refused"]}
    return World(entities, ubl=ubl)
