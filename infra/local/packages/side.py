"""What a demo asks of a package's fake, whichever package it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from ..fake_control import FakeControl
from ..person import Person
from ..worlds import Entity, World


@dataclass(frozen=True)
class Books:
    """The administration an entity is connected with, and how a person of that company would set it up."""

    tenant: str  # as the fake names it
    user: str
    invoice_journal: str
    credit_note_journal: str
    # Description of a Teamleader rate → codes of "invoice" and "credit_note"; what is not here is as proposed.
    vat_codes: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Booked:
    """A booking in the fake, in nobody's spelling. Amounts as printed: positive on an ordinary credit note too."""

    id: str
    tenant: str
    kind: str  # "invoice" or "credit_note"
    reference: str
    day: date
    currency: str
    relation: str
    gross: Decimal
    vat_by_rate: Mapping[Decimal, Decimal]  # percentage as a fraction → VAT
    files: Sequence[str] = ()  # names of what hangs on it


def for_both(code: str) -> dict[str, str]:
    """The same VAT code for invoices and credit notes."""
    return dict.fromkeys(("invoice", "credit_note"), code)


class Side(ABC):
    """One package in the demo."""

    name: str
    title: str
    between_looks = timedelta(0)  # how long the bridge makes do with its last look at the books

    def __init__(self, control: FakeControl) -> None:
        self.control = control

    @abstractmethod
    def fill(self, world: World) -> Mapping[str, Books]:
        """Seed the fake with an administration per entity; by department id."""

    @abstractmethod
    def consent(self, person: Person, entity: Entity, books: Books) -> str:
        """Connect the package; the login."""

    @abstractmethod
    def bookings(self) -> Sequence[Booked]:
        """Every sales entry in the journals the demo uses."""

    @abstractmethod
    def relations(self) -> set[str]:
        """Who is in the books, customers and others; as `Booked.relation` names them."""

    @abstractmethod
    def open_amounts(self) -> Mapping[str, Decimal]:
        """What is open of each booking that has something open, positive."""

    @abstractmethod
    def sort_of(self, call: Mapping[str, Any]) -> str:
        """Which figure of the report a journalled call counts for: documents, relations, setup, payments, tokens."""

    def quotas(self) -> Mapping[str, Mapping[str, str]]:
        """What was used of the limits that are counted by day: "180 of 400", by operation, by day."""
        return {}

    def pay(self, booking: Booked, amount: Decimal, day: date, kind: str = "bank") -> None:
        self.control.post(
            "pay", tenant=booking.tenant, booking=booking.id, amount=str(amount), date=day.isoformat(), kind=kind
        )

    def match(self, invoice: Booked, credit_note: Booked, amount: Decimal) -> None:
        self.control.post("match", tenant=invoice.tenant, a=invoice.id, b=credit_note.id, amount=str(amount))
