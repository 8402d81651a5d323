"""The books of a test company, whichever package keeps them: what a bookkeeper does there, and what stands there.

A package joins with a module of its own (exact_books.py, octopus_books.py) and a line in `BOOKS`.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from boekbrug.domain.ledger import AdministrationId
from infra.local.fake_control import FakeControl
from infra.local.person import Person

START, DAY, PAID_ON = "2026-01-01", "2026-03-02", "2026-03-20"

_numbers = itertools.count(10_000_000)  # the crash matrix starts them anew for each world


def next_number() -> int:
    """For whatever must differ from record to record."""
    return next(_numbers)


@dataclass(frozen=True)
class Booked:
    """A sales entry in the books. Amounts as printed: positive on an ordinary credit note too."""

    id: str  # as the fake's control API names it; it may come free with a deleted booking's number
    number: str  # the package's, as people see it
    kind: str  # "invoice" or "credit_note"
    journal: str
    reference: str  # the document's number
    day: str
    relation: str
    gross: Decimal
    vat: Decimal
    files: tuple[str, ...]
    text: str  # where a booking of ours says which document it is of; whatever was typed in one made by hand
    row: Mapping[str, Any] = field(repr=False)  # in the vendor's spelling


@dataclass(frozen=True)
class Typed:
    """An invoice or credit note as somebody typed it into the books."""

    kind: str
    reference: str
    relation: str
    day: str
    net: Decimal
    vat: Decimal
    journal: str
    text: str = "Met de hand"


class Books(Protocol):
    """One administration in a package's fake."""

    package: str  # also the name of its fake's control on a stage
    administration: AdministrationId
    journals: Mapping[str, str]  # by kind of document
    between_looks_s: int  # how long the bridge makes do with its last look there
    sends: Mapping[str, str]  # "booking", "relation": what sending one looks like on the line, a regular expression
    control: FakeControl

    def fill(self) -> None:
        """The demo's books without its customers, and a user who may reach them."""

    def consent(self, person: Person) -> str:
        """The user connects the package; the login. Twice is another consent to the same."""

    def beside(self, invoices: str, credit_notes: str) -> Books:
        """The same administration through the eyes of another entity, for which it gets journals of these names."""

    def relation(self, name: str, vat_number: str = "", *, customer: bool = True) -> str:
        """Somebody typed a relation; its id."""

    def relations(self, name: str) -> list[str]: ...
    def book(self, typed: Typed) -> str:
        """The booking's id."""

    def pay(self, booking: str, amount: Decimal | str, day: str, kind: str) -> None: ...
    def match(self, invoice: str, credit_note: str, amount: Decimal | str) -> None: ...
    def unmatch(self, booking: str) -> None: ...
    def delete(self, booking: str) -> None: ...
    def close(self, month: int, journal: str) -> Sequence[int]:
        """The months of this year that this closed."""

    def reopen(self, month: int, journal: str) -> Sequence[int]:
        """The months of this year that are open after it, closed before or not."""

    def bookings(self) -> Sequence[Booked]:
        """Every sales entry of this year in these journals."""
