"""What the last refresh read, kept for the pages: the books of an administration, and Teamleader's own lists.

The ledger accounts job writes them; planning, readiness and mappings read them. Each is replaced as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ..domain.connections import Connection
from ..domain.documents import Category, CustomerRef, Entity, EntityId, TaxRate
from ..domain.ledger import AdministrationId, Books
from ..domain.matching import Decision
from ..domain.relations import RelationRef
from ..ports import Snapshots
from ..records import as_text, from_text


@dataclass(frozen=True, slots=True)
class FocusLists:
    """Teamleader's rates, product categories and entities, as last read."""

    rates: tuple[TaxRate, ...]
    categories: tuple[Category, ...]
    entities: tuple[Entity, ...]
    read_at: datetime

    def rates_of(self, entity: EntityId) -> tuple[TaxRate, ...]:
        """The rates of one entity: those its documents can carry."""
        return tuple(rate for rate in self.rates if rate.entity == entity)


@dataclass(frozen=True, slots=True)
class _Books:
    books: Books
    read_at: datetime


def save_books(snapshots: Snapshots, administration: AdministrationId, books: Books, at: datetime) -> None:
    """Shape: one text, so that amounts, days and order come back exactly as they were."""
    snapshots.put(f"books:{administration}", {"json": as_text(_Books(books, at))})


def load_books(snapshots: Snapshots, administration: AdministrationId) -> tuple[Books, datetime] | None:
    """The books and when they were read; None before the first refresh."""
    kept = snapshots.get(f"books:{administration}")
    if kept is None:
        return None
    read = from_text(_Books, kept["json"])
    return read.books, read.read_at


@dataclass(frozen=True, slots=True)
class Counted:
    """What a package with a daily limit takes, and how many documents its connections would begin with."""

    bookings_a_day: int
    documents: dict[str, int]  # by what `scope_of` calls them; without those that were put in line since


def scope_of(connection: Connection) -> str:
    """What is read from Teamleader for a connection: an earlier start is read from the beginning."""
    return f"focus:{connection.id}:{connection.start}"


def save_counted(snapshots: Snapshots, administration: AdministrationId, counted: Counted) -> None:
    snapshots.put(f"counted:{administration}", {"json": as_text(counted)})


def load_counted(snapshots: Snapshots, administration: AdministrationId) -> Counted | None:
    """None where the package has no daily limit, and before the first refresh."""
    kept = snapshots.get(f"counted:{administration}")
    return None if kept is None else from_text(Counted, kept["json"])


def save_focus(
    snapshots: Snapshots,
    rates: Sequence[TaxRate],
    categories: Sequence[Category],
    entities: Sequence[Entity],
    at: datetime,
) -> None:
    lists = FocusLists(tuple(rates), tuple(categories), tuple(entities), at)
    snapshots.put("focus", {"json": as_text(lists)})


def load_focus(snapshots: Snapshots) -> FocusLists | None:
    """None before the first refresh."""
    kept = snapshots.get("focus")
    return None if kept is None else from_text(FocusLists, kept["json"])


def load_decisions(snapshots: Snapshots, administration: AdministrationId) -> dict[CustomerRef, Decision]:
    """What people decided about customers that look like more than one relation, or like one by name only."""
    decisions: dict[CustomerRef, Decision] = {}
    after = ""
    while rows := snapshots.rows(f"decisions:{administration}", after):
        for customer, row in rows:
            adopt = RelationRef(row["adopt"]) if row.get("adopt") else None
            decisions[CustomerRef.parse(customer)] = Decision(adopt=adopt, create=bool(row.get("create")))
        after = rows[-1][0]
    return decisions
