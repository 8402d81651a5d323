"""Every ledger keeps the contract; the fakes are reached in process, and over a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import httpx
import pytest

from boekbrug.domain.documents import AccountId
from boekbrug.domain.errors import AccessExpired, RateLimited
from boekbrug.domain.ledger import Refused, SettlementKind
from boekbrug.vendors.http import new_client
from fakes.exact import ExactFake
from fakes.kit.clock import FakeClock
from fakes.kit.running import serving
from fakes.octopus import OctopusFake
from tests.support.transports import fake_transport

from .benches import Bench, ExactBench, MemoryBench, MemoryNumberedBench, OctopusBench
from .ledger_contract import CREDIT_NOTE, LedgerContract, eur, read

SUMMER = datetime(2026, 7, 10, 9, 0, tzinfo=UTC)
JOURNAL_LISTS = "GET bookyears/<int(signed=True):bookyear>/journals"  # as the fake counts them


class TestMemory(LedgerContract):
    @pytest.fixture
    def bench(self) -> Bench:
        return MemoryBench()


class TestMemoryWithNumbers(LedgerContract):
    @pytest.fixture
    def bench(self) -> Bench:
        return MemoryNumberedBench()


class TestExact(LedgerContract):
    @pytest.fixture
    def bench(self) -> Iterator[Bench]:
        fake = ExactFake(FakeClock(SUMMER, rate=0), seed="demo")
        with new_client(fake_transport(fake)) as client:
            yield ExactBench(fake, client, "https://exact.example")

    def test_a_login_outlives_its_access_token(self, bench):
        for _ in range(3):
            bench.room.clock.set(advance_s=580)
            assert bench.ledger.journals()

    def test_a_spent_minute_ends_and_work_goes_on(self, bench):
        with pytest.raises(RateLimited) as limited:
            for _ in range(61):
                bench.ledger.journals()
        bench.room.clock.set(now=limited.value.until)
        assert bench.ledger.journals()
        assert bench.ledger.daily_budget().left < 1

    def test_what_is_not_processed_yet_is_not_final_and_has_no_open_item(self, bench, an_entry):
        bench.add_patient_journal("77")
        booked = self.book(bench, an_entry(journal="77"))
        assert not booked.final
        (seen,), _ = read(bench.ledger.bookings(["77"], booked.day, None))
        assert (seen.ref, seen.final) == (booked.ref, False)
        assert self.left_open(bench, booked) == []
        bench.process(booked.ref)
        assert bench.ledger.booking(booked).final
        assert self.left_open(bench, booked) == ["1210.00 EUR"]

    def test_collection_is_not_payment(self, bench, an_entry):
        booked = self.book(bench, an_entry())
        bench.select_for_collection(booked.ref)
        assert self.left_open(bench, booked) == ["1210.00 EUR"]
        assert self.money_of(bench, booked, SettlementKind.PAYMENT) == []


class TestOctopus(LedgerContract):
    @pytest.fixture
    def fake(self) -> OctopusFake:
        return OctopusFake(FakeClock(SUMMER, rate=0), seed="demo")

    @pytest.fixture
    def client(self, fake: OctopusFake) -> Iterator[httpx.Client]:
        with new_client(fake_transport(fake)) as client:
            yield client

    @pytest.fixture
    def bench(self, fake: OctopusFake, client: httpx.Client) -> Bench:
        return OctopusBench(fake, client, "https://octopus.example")

    def test_a_relation_that_is_no_customer_refuses(self, bench, an_entry):
        """Octopus itself takes any relation: the booking stands, as nobody refuses it."""
        supplier = bench.add_relation("Firma Misschien", customer=False)
        assert self.book(bench, an_entry(relation=supplier)).relation == supplier

    def test_the_journals_are_read_once_for_many_bookings(self, bench, an_entry):
        self.book(bench, an_entry("0"))
        before = bench.used_today(JOURNAL_LISTS)
        for n in range(1, 6):
            self.book(bench, an_entry(str(n)))
        assert bench.used_today(JOURNAL_LISTS) == before

    def test_the_look_after_a_taken_number_is_always_taken(self, bench, an_entry):
        """However young the last one is: somebody may have booked this very document."""
        entry = an_entry("1")
        _, cursor = read(bench.ledger.bookings([entry.journal], entry.day, None))
        (prepared,) = self.prepared(bench, entry)
        bench.book_by_hand(entry)
        bench.ledger.book([prepared])
        rows, _ = read(bench.ledger.bookings([entry.journal], entry.day, cursor), cursor)
        assert "1" in {row.reference for row in rows}

    def test_a_settlement_says_what_its_invoice_reads_like(self, bench, an_entry):
        """A freed number may come to mean another document (rules.md 4)."""
        booked = self.book(bench, an_entry())
        bench.pay(booked.ref, eur("60.50"), date(2026, 6, 2))
        (row,) = self.settled(bench).values()
        assert (row.amount, row.gross) == (eur("60.50"), booked.gross)
        assert booked.reference in row.references

    def test_a_pair_that_grew_is_the_same_part_with_a_newer_word(self, bench, an_entry):
        invoice = self.book(bench, an_entry("1"))
        credit_note = self.book(bench, an_entry("C1", CREDIT_NOTE))
        bench.match(invoice.ref, credit_note.ref, eur("100.00"), date(2026, 6, 2))
        before = self.settled(bench)
        bench.let_time_pass()
        bench.match(invoice.ref, credit_note.ref, eur("21.00"), date(2026, 6, 3))
        after = self.settled(bench)
        assert before.keys() == after.keys()
        assert {str(row.amount) for row in after.values()} == {"121.00 EUR"}
        assert all(after[id].version > before[id].version for id in after)

    @pytest.mark.parametrize("rotates", [True, False], ids=["refresh_token_rotates", "refresh_token_stays"])
    def test_consent_outlives_its_access_token(self, fake, client, bench, an_entry, rotates):
        bench.switch(refresh_rotates=rotates)
        consented = OctopusBench(fake, client, bench.url, AccountId("consented"), consent=True)
        assert consented.package.administrations() == bench.package.administrations()
        for n in range(3):
            fake.clock.set(advance_s=11 * 60)
            assert self.book(consented, an_entry(str(n))).reference == str(n)

    def test_a_password_that_changed_ends_the_login_at_once(self, bench, fake):
        bench.change_password("anders")
        bench.room.clock.set(advance_s=11 * 60)
        attempts = sum(row["path"].endswith("/authentication") for row in fake.journal)
        with pytest.raises(AccessExpired):
            bench.ledger.journals()
        assert sum(row["path"].endswith("/authentication") for row in fake.journal) == attempts + 1

    def test_a_spent_day_ends_and_work_goes_on(self, bench, an_entry):
        bench.switch(quota={"POST buysellbookings": 1})
        self.book(bench, an_entry("1"))
        (outcome,) = bench.ledger.book(self.prepared(bench, an_entry("2")))
        assert isinstance(outcome, Refused)
        assert isinstance(outcome.cause, RateLimited)
        assert outcome.cause.until == datetime(2026, 7, 10, 22, 0, tzinfo=UTC)  # midnight in Belgium
        with pytest.raises(RateLimited):  # no second call that day
            bench.ledger.book(self.prepared(bench, an_entry("2")))
        bench.room.clock.set(now=outcome.cause.until)
        assert self.book(bench, an_entry("2")).reference == "2"

    def test_so_many_journal_lists_a_day_are_left_for_people(self, bench):
        with pytest.raises(RateLimited):
            for _ in range(25):
                bench.ledger.journals()
        assert bench.used_today(JOURNAL_LISTS) <= 24


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[ExactFake, str, httpx.Client]]:
    fake = ExactFake(FakeClock(SUMMER, rate=0), seed="demo")
    with serving({"exact": fake}) as urls, new_client() as client:
        yield fake, urls["exact"], client


class TestExactOverLoopback(LedgerContract):
    @pytest.fixture
    def bench(self, served: tuple[ExactFake, str, httpx.Client]) -> Bench:
        fake, url, client = served
        client.post(f"{url}/_fake/reset", json={"seed": "demo"})
        return ExactBench(fake, client, url)


@pytest.fixture(scope="module")
def served_octopus() -> Iterator[tuple[OctopusFake, str, httpx.Client]]:
    fake = OctopusFake(FakeClock(SUMMER, rate=0), seed="demo")
    with serving({"octopus": fake}) as urls, new_client() as client:
        yield fake, urls["octopus"], client


class TestOctopusOverLoopback(TestOctopus):
    @pytest.fixture
    def fake(self, served_octopus: tuple[OctopusFake, str, httpx.Client]) -> OctopusFake:
        return served_octopus[0]

    @pytest.fixture
    def client(self, served_octopus: tuple[OctopusFake, str, httpx.Client]) -> httpx.Client:
        return served_octopus[2]

    @pytest.fixture
    def bench(self, served_octopus: tuple[OctopusFake, str, httpx.Client]) -> Bench:
        fake, url, client = served_octopus
        fake.clock.set(now=SUMMER)
        client.post(f"{url}/_fake/reset", json={"seed": "demo"})
        return OctopusBench(fake, client, url)
