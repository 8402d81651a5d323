"""Every ledger keeps the contract; the fakes are reached in process, and over a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from boekbrug.domain.errors import RateLimited
from boekbrug.domain.ledger import SettlementKind
from boekbrug.vendors.http import new_client
from fakes.exact import ExactFake
from fakes.kit.clock import FakeClock
from fakes.kit.running import serving
from tests.support.transports import fake_transport

from .benches import Bench, ExactBench, MemoryBench, MemoryNumberedBench
from .ledger_contract import LedgerContract, read

SUMMER = datetime(2026, 7, 10, 9, 0, tzinfo=UTC)


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
        assert self.money_of(bench, booked, SettlementKind.OPEN) == []
        bench.process(booked.ref)
        assert bench.ledger.booking(booked).final
        assert self.money_of(bench, booked, SettlementKind.OPEN) == ["1210.00 EUR"]

    def test_collection_is_not_payment(self, bench, an_entry):
        booked = self.book(bench, an_entry())
        bench.select_for_collection(booked.ref)
        assert self.money_of(bench, booked, SettlementKind.OPEN) == ["1210.00 EUR"]
        assert self.money_of(bench, booked, SettlementKind.PAYMENT) == []


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
