"""What the matrix runs: for each job, a company with something of everything the job has to deal with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from random import Random
from typing import Any

from boekbrug.domain.connections import JobKind
from fakes.teamleader.seed import belgian_vat
from tests.support.books import DAY
from tests.support.company import Company, Document

from .grounds import Ground
from .packages import Package
from .worlds import World, built

VARIANTS = 6
"""Orders of the documents; each is a world of its own."""


@dataclass(frozen=True)
class Facts:
    """What must be true of a world when its run is over."""

    account: str
    administration: str
    booked: tuple[Document, ...] = ()  # each once
    held: tuple[Document, ...] = ()  # not in the books, and a problem says why
    paid: Mapping[str, Decimal] = field(default_factory=dict)  # what Teamleader must hold in the end, by invoice
    customers: tuple[str, ...] = ()  # in the books, each once
    files: int = 0  # on each booking of `booked` that is ours
    reads: bool = False  # the outcome is what was read: the same as in a calm run


def _facts(company: Company, **more: Any) -> Facts:
    return Facts(company.account, company.administration, **more)


def accounts(company: Company, chance: Random) -> Facts:
    """The set-up is read again, and documents that waited for it are let go."""
    company.closes(1)
    waiting = company.invoices("40.00", day="2026-01-20", number="2026 / 1")
    company.exports()
    company.reopens(1)
    company.asks_for("accounts")
    return _facts(company, booked=(waiting,), customers=("Bakkerij Wolk BV",), reads=True)


def relations(company: Company, chance: Random) -> Facts:
    """Customers on both sides: one to adopt, one to ask about, one to create, one that is linked."""
    linked = company.invoices("10.00", number="2026 / 1")
    company.exports()
    deeds = [
        lambda: company.relation("Drukkerij Regen", belgian_vat(10_000_101)),
        lambda: company.relation("Fietsen Storm"),
        lambda: company.customer("Drukkerij Regen BV", vat_number=belgian_vat(10_000_101)),
        lambda: company.customer("Fietsen Storm BV", vat_number=belgian_vat(10_000_102)),
        lambda: company.customer("Atelier Mist BV", vat_number=belgian_vat(10_000_103)),
    ]
    chance.shuffle(deeds)
    for deed in deeds:
        deed()
    company.asks_for("relations")
    return _facts(company, booked=(linked,), customers=("Bakkerij Wolk BV",), reads=True)


def documents(company: Company, chance: Random) -> Facts:
    """Two customers to create and one to adopt; invoices and credit notes; one booked by hand, one refused."""
    number = belgian_vat(10_000_201)
    wolk = company.relation("Bakkerij Wolk", number)
    adopt = company.customer("Bakkerij Wolk BV", vat_number=number)
    create = [
        company.customer(f"{name} BV", vat_number=belgian_vat(10_000_202 + at))
        for at, name in enumerate(("Drukkerij Regen", "Fietsen Storm"))
    ]
    company.closes(1)
    days = ["2026-02-03", "2026-02-04", "2026-02-05"]
    chance.shuffle(days)
    whole = company.invoices("100.00", customer=create[0], day=days[0], number="2026 / 1")
    partly = company.invoices("80.00", customer=adopt, day=days[1], number="2026 / 2")
    other = company.invoices("49.99", rate="6", customer=create[1], day=days[2], number="2026 / 3")
    notes = [company.credits(whole, day="2026-03-01"), company.credits(partly, "30.00", day="2026-03-01")]
    by_hand = company.invoices("60.00", customer=adopt, day=DAY, number="2026 / 4")
    company.books_by_hand(by_hand, relation=wolk)
    refused = company.invoices("10.00", customer=create[0], day="2026-01-15", number="2026 / 5")
    company.asks_for("documents")
    return _facts(
        company,
        booked=(whole, partly, other, *notes, by_hand),
        held=(refused,),
        customers=("Bakkerij Wolk", "Drukkerij Regen BV", "Fietsen Storm BV"),
    )


def files(company: Company, chance: Random) -> Facts:
    """PDF and UBL go along."""
    company.person.patch(f"/api/connections/{company.connection}", attach=["pdf", "ubl"])
    days = ["2026-02-03", "2026-02-04"]
    chance.shuffle(days)
    invoices = [company.invoices("100.00", day=day, number=f"2026 / {day[-1]}") for day in days]
    company.asks_for("documents")
    return _facts(company, booked=tuple(invoices), customers=("Bakkerij Wolk BV",), files=2)


def payments(company: Company, chance: Random) -> Facts:
    """In full, in part, in two parts, with a credit note, with a rest written off, with a part registered by hand."""
    numbers = [f"2026 / {number}" for number in range(1, 7)]
    chance.shuffle(numbers)
    full, part, two, credited, written_off, by_hand = (company.invoices("100.00", number=number) for number in numbers)
    note = company.credits(credited, "30.00")
    company.exports()
    deeds = [
        lambda: company.pays(full),
        lambda: company.pays(part, "60.50"),
        lambda: (company.pays(two, "60.50"), company.pays(two, "60.50", day="2026-03-25")),
        lambda: (company.matches(credited, note, note.gross), company.pays(credited, credited.gross - note.gross)),
        lambda: (company.pays(written_off, "120.00"), company.pays(written_off, "1.00", kind="write_off")),
        lambda: (company.registers_by_hand(by_hand, "50.00", day="2026-03-10"), company.pays(by_hand)),
    ]
    chance.shuffle(deeds)
    for deed in deeds:
        deed()
    company.asks_for("payments")
    return _facts(
        company,
        booked=(full, part, two, credited, note, written_off, by_hand),
        paid={
            full.id: full.gross,
            part.id: Decimal("60.50"),
            two.id: two.gross,
            credited.id: credited.gross - note.gross,
            written_off.id: written_off.gross,
            by_hand.id: by_hand.gross,
        },
        customers=("Bakkerij Wolk BV",),
    )


@dataclass(frozen=True)
class Job:
    """A kind of job, and a company for whom it has something of everything to do."""

    kind: JobKind
    build: Callable[[Company, Random], Facts]


JOBS = {
    "accounts": Job(JobKind.ACCOUNTS, accounts),
    "relations": Job(JobKind.RELATIONS, relations),
    "documents": Job(JobKind.DOCUMENTS, documents),
    "files": Job(JobKind.DOCUMENTS, files),
    "payments": Job(JobKind.PAYMENTS, payments),
}


@cache
def world(package: Package, ground: Ground, job: str, variant: int) -> World:
    return built(package, ground, lambda company: JOBS[job].build(company, Random(variant)), variant)
