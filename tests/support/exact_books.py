"""A division of the fake Exact Online, in the hands of a bookkeeper."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from boekbrug.domain.ledger import AdministrationId
from fakes.exact import seed
from infra.local.fake_control import FakeControl
from infra.local.person import Person

from .books import START, Booked, Typed, next_number

DIVISION = seed.BELGIAN
ADMINISTRATION = AdministrationId(f"exact.be.{DIVISION}")
CREDIT_NOTE = 21  # SalesEntries.Type


class ExactBooks:
    package = "exact"
    administration = ADMINISTRATION
    journals = MappingProxyType({"invoice": "70", "credit_note": "71"})
    between_looks_s = 0
    sends = MappingProxyType({"booking": "POST /api/v1/.*/SalesEntries$", "relation": "POST /api/v1/.*/crm/Accounts$"})

    def __init__(self, control: FakeControl, journals: Mapping[str, str] = journals) -> None:
        self.control = control
        self.journals = journals

    def beside(self, invoices: str, credit_notes: str) -> ExactBooks:
        like = {"tenant": DIVISION, "Type": 20, "GLAccountCode": "400000", "AutoSave": True}
        rows = [{**like, "Code": code, "Description": f"Verkopen {code}"} for code in (invoices, credit_notes)]
        self.control.post("seed", journals=rows)
        return ExactBooks(self.control, {"invoice": invoices, "credit_note": credit_notes})

    def fill(self) -> None:
        self.control.post("seed", **seed.demo_seed(()))

    def consent(self, person: Person) -> str:
        return person.connect_exact("be", "be")

    def relation(self, name: str, vat_number: str = "", *, customer: bool = True) -> str:
        row = {
            "tenant": DIVISION,
            "Code": str(next_number()),
            "Name": name,
            "Status": "C" if customer else "P",
            "Country": "BE",
            **({"VATNumber": vat_number} if vat_number else {}),
        }
        return self.control.post("seed", accounts=[row])["accounts"][0]

    def relations(self, name: str) -> list[str]:
        rows = self.control.state("relations")
        return [row["ID"] for row in rows if row["tenant"] == DIVISION and row["Name"] == name]

    def book(self, typed: Typed) -> str:
        credit = typed.kind == "credit_note"
        side = -1 if credit else 1
        line = {"AmountFC": side * typed.net, "VATAmountFC": side * typed.vat, "GLAccountCode": "700000"}
        row = {
            "tenant": DIVISION,
            "Journal": typed.journal,
            "Customer": typed.relation,
            "EntryDate": typed.day,
            "YourRef": typed.reference,
            "Description": typed.text,
            "Status": 50,
            **({"Type": CREDIT_NOTE} if credit else {}),
            "SalesEntryLines": [{**line, "VATCode": "21E" if typed.vat else "0E"}],
        }
        return self.control.post("seed", sales_entries=[row])["sales_entries"][0]

    def pay(self, booking: str, amount: Decimal | str, day: str, kind: str) -> None:
        self._lever("pay", booking=booking, amount=str(amount), date=day, kind=kind)

    def match(self, invoice: str, credit_note: str, amount: Decimal | str) -> None:
        self._lever("match", a=invoice, b=credit_note, amount=str(amount))

    def unmatch(self, booking: str) -> None:
        self._lever("unmatch", a=booking)

    def delete(self, booking: str) -> None:
        self._lever("delete_booking", booking=booking)

    def close(self, month: int, journal: str) -> Sequence[int]:
        self._lever("close_period", year=2026, period=month, journal=journal)
        return (month,)

    def reopen(self, month: int, journal: str) -> Sequence[int]:
        self._lever("open_period", year=2026, period=month, journal=journal)
        return (month,)

    def _lever(self, name: str, **body: Any) -> None:
        self.control.post(name, tenant=DIVISION, **body)

    def bookings(self) -> Sequence[Booked]:
        booked = booked_this_year(self.control.state("bookings"))
        return [one for one in booked if one.journal in self.journals.values()]


def booked_this_year(rows: Iterable[dict[str, Any]]) -> list[Booked]:
    """`rows`: the bookings of the fake's state."""
    return [booked(row) for row in rows if row["tenant"] == DIVISION and str(row["EntryDate"]) >= START]


def booked(row: dict[str, Any]) -> Booked:
    side = -1 if row["Type"] == CREDIT_NOTE else 1
    vat = sum((Decimal(str(amount)) for amount in row["vat_per_code"].values()), Decimal(0))
    return Booked(
        id=row["id"],
        number=str(row["EntryNumber"]),
        kind="credit_note" if side < 0 else "invoice",
        journal=row["Journal"].strip(),
        reference=row["YourRef"] or "",
        day=str(row["EntryDate"])[:10],
        relation=row["Customer"],
        gross=side * Decimal(str(row["AmountFC"])),
        vat=side * vat,
        files=tuple(row["attachments"]),
        text=row["Description"] or "",
        row=row,
    )
