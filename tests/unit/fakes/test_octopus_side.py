"""The demo's dossiers at Octopus hold what the demo's companies need, and are read back to the cent."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from fakes.kit.clock import FakeClock
from fakes.octopus import OctopusFake
from fakes.octopus.relations import compact
from fakes.teamleader import TeamleaderFake, seed
from infra.local import figures
from infra.local.fake_control import FakeControl
from infra.local.packages.octopus import CREDIT_NOTES, DOSSIERS, INVOICES, OctopusSide
from infra.local.worlds import Entity, World, seeded
from tests.support.transports import fake_transport

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
RATE = {"description": "S 19 %", "percent": Decimal(19), "category": "S"}


@pytest.fixture
def fake() -> OctopusFake:
    return OctopusFake(FakeClock(NOW, rate=0))


@pytest.fixture
def side(fake: OctopusFake) -> OctopusSide:
    return OctopusSide(FakeControl("https://octopus.example", fake_transport(fake)))


@pytest.fixture
def teamleader(fake: OctopusFake) -> FakeControl:
    return FakeControl("https://teamleader.example", fake_transport(TeamleaderFake(fake.clock)))


@pytest.fixture
def world(teamleader: FakeControl) -> World:
    return seeded(teamleader, 40, NOW)


def test_every_rate_has_one_code_of_its_percentage(side, world):
    books = side.fill(world)
    codes = {(row["tenant"], row["code"]): row["basePercentage"] for row in side.control.state("vat_codes")}
    for row in seed.demo_seed(40).body["tax_rates"]:
        own = books[row["department"]["id"]]
        percentage = row["rate"] * 100
        if percentage:
            fits = [c for (tenant, c), p in codes.items() if (tenant, p) == (own.tenant, percentage)]
            sales = [code for code in fits if code[0] not in "CDI"]  # not of credit notes or purchases
            assert len(sales) == 1, row["description"]
        else:
            by_kind = own.vat_codes[row["description"]]
            assert {codes[own.tenant, by_kind[kind]] for kind in ("invoice", "credit_note")} == {0}


def test_the_books_know_some_customers_by_number_and_one_by_its_name_only(side, world):
    side.fill(world)
    known = {compact(row["vatNr"]): row["name"] for row in side.control.state("relations") if row.get("vatNr")}
    companies = seed.demo_seed(40).body["companies"]
    adopted = [row for row in companies if known.get(compact(row["vat_number"] or "")) == row["name"]]
    assert len(adopted) == 12
    namesakes = [row for row in side.control.state("relations") if row["name"] == " ".join(seed.AMBIGUOUS)]
    assert [(row["tenant"], row["vatNr"]) for row in namesakes] == [(str(DOSSIERS["nl"]), "")]


def test_the_period_of_the_document_to_be_refused_is_closed(side, fake, world):
    side.fill(world)
    dossier = fake.state.dossiers[DOSSIERS["be"]]
    year = dossier.year_of(seed.CLOSED_DAY)
    for journal in (INVOICES, CREDIT_NOTES):
        assert dossier.journal(year["bookyearKey"]["id"], journal)["closedPeriod"] == 202501


def test_each_company_has_a_user_of_its_own(side, fake, world):
    books = side.fill(world)
    reached = {own.user: [int(own.tenant)] for own in books.values()}
    assert {name: user.dossiers for name, user in fake.state.users.items()} == reached


def test_a_booking_is_paired_with_its_document_paid_and_matched(side, world):
    side.fill(world)
    for journal, sign, comment in ((INVOICES, 1, "2026 / 7 BB23456ABCDE"), (CREDIT_NOTES, -1, "2026/7 BBABCDE23456")):
        side.control.post(
            "book_by_hand",
            tenant=DOSSIERS["be"],
            journalKey=journal,
            relationName="Diverse klanten",
            documentDate="2026-03-10",
            comment=comment,
            amount=sign * Decimal("121.00"),
            bookingLines=[
                {"accountKey": 700000, "vatCodeKey": "21", "baseAmount": Decimal(100), "vatAmount": Decimal(21)}
            ],
        )
    invoice, note = [one for one in side.bookings() if one.day == date(2026, 3, 10)]
    assert (invoice.kind, invoice.reference, note.kind, note.reference) == (
        "invoice",
        "2026 / 7",
        "credit_note",
        "2026/7",
    )
    assert invoice.gross == note.gross == Decimal("121.00")
    assert invoice.vat_by_rate == note.vat_by_rate == {Decimal("0.21"): Decimal("21.00")}
    assert {invoice.relation, note.relation} <= side.relations()
    side.pay(invoice, Decimal("100.00"), date(2026, 6, 1))
    side.match(invoice, note, Decimal("21.00"))
    assert side.open_amounts().get(invoice.id, 0) == 0
    assert side.open_amounts()[note.id] == Decimal("100.00")


def test_calls_are_sorted_by_the_table_of_the_fakes(side):
    here = "/octopus-rest-api/v1"
    dossier = f"{here}/dossiers/70001"
    told = {
        ("POST", "/octopus-oauth/token"): "tokens",
        ("POST", f"{here}/authentication"): "tokens",
        ("POST", f"{here}/dossiers"): "tokens",
        ("GET", f"{here}/dossiers"): "setup",
        ("POST", f"{dossier}/buysellbookings"): "documents",
        ("GET", f"{dossier}/buysellbookings/modified"): "documents",
        ("GET", f"{dossier}/bookyears/-1/bookings/modified"): "documents",
        ("GET", f"{dossier}/bookyears/4/journals"): "setup",
        ("PUT", f"{dossier}/relations"): "relations",
        ("GET", f"{dossier}/relations/modified"): "relations",
        ("GET", f"{dossier}/balancings/modified"): "payments",
        ("POST", f"{dossier}/reports/clients/open"): "payments",
        ("GET", f"{dossier}/vatcodes"): "setup",
    }
    assert {call: side.sort_of({"method": call[0], "path": call[1]}) for call in told} == told


def test_a_supplier_of_real_documents_gets_a_dossier_with_the_rates_they_use(side, fake):
    entity = Entity("account", "", "department", "Werkstatt Ost", "DE", "DE117700000", "EUR", date(2025, 1, 1))
    entity = replace(entity, rates=[RATE], years=range(2025, 2028))
    books = side.fill(World([entity], ubl={"files": 1}))["department"]
    dossier = fake.state.dossiers[int(books.tenant)]
    assert (books.invoice_journal, books.credit_note_journal) == (INVOICES, CREDIT_NOTES)
    assert dossier["vat_codes"][books.vat_codes["S 19 %"]["invoice"]]["basePercentage"] == 19
    assert len(dossier["bookyears"]) == 3
    assert dossier.account(3, 700000)
    assert fake.state.users[books.user].dossiers == [dossier.id]


def test_limits_used_are_told_by_day(side, fake, world):
    side.fill(world)
    dossier = str(DOSSIERS["be"])
    for _ in range(3):
        fake.limits.spend(dossier, date(2026, 11, 24), "POST buysellbookings", 400)
    fake.limits.spend(dossier, date(2026, 11, 25), "PUT relations", 400)
    assert side.quotas() == {
        "2026-11-24": {"POST buysellbookings": "3 of 400"},
        "2026-11-25": {"PUT relations": "1 of 400"},
    }
    table = figures.table("Octopus", figures.PackageFigures(quotas=side.quotas()))
    assert "limits used on 2026-11-24" in table
    assert "quotas" not in figures.PackageFigures(quotas=side.quotas()).report()
