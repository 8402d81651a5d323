"""A dossier of the fake Octopus, in the hands of a bookkeeper."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from boekbrug.domain.ledger import AdministrationId
from fakes.octopus import seed
from infra.local.fake_control import FakeControl
from infra.local.packages.octopus import number_of
from infra.local.person import Person

from .books import START, Booked, Typed

DOSSIER, BOOKYEAR = seed.MONTHLY, seed.BOOKYEAR_2026
USER, PASSWORD = seed.USER, "knikkers-en-tollen"


class OctopusBooks:
    package = "octopus"
    journals = MappingProxyType({"invoice": "V1", "credit_note": "V2"})
    between_looks_s = 37 * 60
    sends = MappingProxyType({"booking": "POST .*/buysellbookings$", "relation": "PUT .*/relations$"})

    def __init__(self, control: FakeControl, dossier: int = DOSSIER, journals: Mapping[str, str] = journals) -> None:
        self.control = control
        self.dossier = dossier
        self.administration = AdministrationId(f"octopus.-.{dossier}")
        self.journals = journals
        self.password = PASSWORD

    def beside(self, invoices: str, credit_notes: str) -> OctopusBooks:
        keys = (invoices, credit_notes)
        self.control.post("seed", journals=[{"tenant": self.dossier, "journalKey": key, "name": key} for key in keys])
        return OctopusBooks(self.control, self.dossier, {"invoice": invoices, "credit_note": credit_notes})

    def of_dossier(self, dossier: int) -> OctopusBooks:
        """Another dossier of the same user."""
        self.control.post("edit_user", user=USER, dossiers=[self.dossier, dossier])
        return OctopusBooks(self.control, dossier, self.journals)

    def fill(self) -> None:
        user = {"user": USER, "password": self.password, "dossiers": [self.dossier]}
        self.control.post("seed", **(seed.demo_seed(()) | {"users": [user]}))

    def consent(self, person: Person) -> str:
        return person.log_in("octopus", USER, self.password)

    def relation(self, name: str, vat_number: str = "", *, customer: bool = True) -> str:
        kind = {"client": customer, "supplier": not customer}
        row = {"tenant": self.dossier, "name": name, "country": "BE", "vatNr": dotted(vat_number), **kind}
        return str(self.control.post("seed", relations=[row])["relations"][0])

    def relations(self, name: str) -> list[str]:
        rows = self.control.state("relations")
        return [relation_of(row) for row in rows if row["tenant"] == str(self.dossier) and row.get("name") == name]

    def book(self, typed: Typed) -> str:
        side = -1 if typed.kind == "credit_note" else 1
        turned = -1 if typed.net + typed.vat < 0 else 1  # lines add up to something positive there
        line = {"accountKey": 700000, "baseAmount": turned * typed.net, "vatAmount": turned * typed.vat}
        made = self._lever(
            "book_by_hand",
            journalKey=typed.journal,
            relationIdentificationServiceData={"relationKey": {"id": int(typed.relation)}},
            documentDate=typed.day,
            reference=typed.reference,
            comment=typed.text,
            amount=side * (typed.net + typed.vat),
            bookingLines=[{**line, "vatCodeKey": "21" if typed.vat else "00"}],
        )
        return made["id"]

    def pay(self, booking: str, amount: Decimal | str, day: str, kind: str) -> None:
        self._lever("pay", booking=booking, amount=str(amount), date=day, kind=kind)

    def match(self, invoice: str, credit_note: str, amount: Decimal | str) -> None:
        self._lever("match", a=invoice, b=credit_note, amount=str(amount))

    def unmatch(self, booking: str) -> None:
        self._lever("unmatch", a=booking)

    def delete(self, booking: str) -> None:
        self._lever("delete_booking", booking=booking)

    def close(self, month: int, journal: str) -> Sequence[int]:
        """And all before it: a journal says up to where it is closed."""
        self._lever("close_period", year=2026, period=month, journal=journal)
        return range(1, month + 1)

    def reopen(self, month: int, journal: str) -> Sequence[int]:
        """And all after it."""
        self._lever("open_period", year=2026, period=month, journal=journal)
        return range(month, 13)

    def bookings(self) -> Sequence[Booked]:
        return booked_this_year(self.control.state("bookings"), self.dossier, self.journals)

    # what only Octopus knows

    def changes_password(self, password: str) -> None:
        self.password = password
        self.control.post("edit_user", user=USER, password=password)

    def is_opened_by(self, user: str | None, journal: str = "V1") -> None:
        """Somebody works in a journal in the program; None: he closed it again."""
        self._lever("journal_in_use", journal=journal, user=user)

    def lets_numbers_jump(self, number: int, journal: str = "V1") -> None:
        """The next of this year is that one."""
        self._lever("set_next_number", journal=journal, year=2026, number=number)

    def disables(self, disabled: bool = True) -> None:
        self._lever("disable_dossier", disabled=disabled)

    def calls(self, operation: str) -> dict[str, int]:
        """How often an operation was asked for, by Belgian day."""
        days = self.control.counters()["calls"].get(str(self.dossier), {})
        return {day: counts.get(operation, 0) for day, counts in days.items()}

    def refused_calls(self) -> dict[str, Any]:
        """What was asked for beyond a day's limit."""
        return self.control.counters()["over_quota"]

    def _lever(self, name: str, **body: Any) -> dict[str, Any]:
        return self.control.post(name, tenant=self.dossier, **body)


def booked_this_year(
    rows: Iterable[dict[str, Any]], dossier: int = DOSSIER, journals: Mapping[str, str] = OctopusBooks.journals
) -> list[Booked]:
    """`rows`: the bookings of the fake's state, purchases too."""
    here = [row for row in rows if row["tenant"] == str(dossier) and str(row["documentDate"]) >= START]
    return [booked(row) for row in here if row["journalKey"] in journals.values()]


def relation_of(row: dict[str, Any]) -> str:
    return str(row["relationIdentificationServiceData"]["relationKey"]["id"])


def dotted(vat_number: str) -> str:
    """A Belgian number with the dots that Octopus writes."""
    return f"{vat_number[:6]}.{vat_number[6:9]}.{vat_number[9:]}" if vat_number.startswith("BE") else vat_number


def is_credit_note(row: dict[str, Any]) -> bool:
    """By the sign of its total, unless our comment says that the sign tells the wrong kind."""
    told = row.get("comment", "").rpartition(" ")[2]
    return told == "CN" or (told != "INV" and row["amount"] < 0)


def booked(row: dict[str, Any]) -> Booked:
    credit = is_credit_note(row)
    side = -1 if credit else 1
    vat = sum((Decimal(str(amount)) for amount in row["vat_per_code"].values()), Decimal(0))
    return Booked(
        id=row["id"],
        number=f"{row['journalKey']} {row['documentSequenceNr']}",
        kind="credit_note" if credit else "invoice",
        journal=row["journalKey"],
        reference=number_of(row),
        day=str(row["documentDate"]),
        relation=relation_of(row),
        gross=side * Decimal(str(row["amount"])),
        vat=side * vat,
        files=tuple(row["attachments"]),
        text=row.get("comment", ""),
        row=row,
    )
