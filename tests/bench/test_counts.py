"""What work costs in calls: counted in process, so that the figures are the same on every machine (design.md 12)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import pytest

from tests.support.company import Company, a_connected_company, every_package
from tests.support.stage import Cloud, Stage, standing


@pytest.fixture
def stage() -> Iterator[Stage]:
    with standing() as running:
        yield running


@pytest.fixture
def package() -> str:
    return "exact"


@pytest.fixture
def company(stage: Stage, package: str) -> Company:
    return a_connected_company(stage, package)


@contextmanager
def counting(company: Company) -> Iterator[Counter[str]]:
    """Requests while this lasts: to each vendor, and to DynamoDB."""
    found: Counter[str] = Counter()
    before = len(company.stage.teamleader.journal()), len(company.books.control.journal())
    events = Cloud.client("dynamodb").meta.events

    def count(**_: Any) -> None:
        found["dynamodb"] += 1

    events.register("before-call.dynamodb.*", count, unique_id="bench")
    try:
        yield found
    finally:
        events.unregister("before-call.dynamodb.*", unique_id="bench")
        found["teamleader"] = len(company.stage.teamleader.journal()) - before[0]
        found["package"] = len(company.books.control.journal()) - before[1]


def history(company: Company, documents: int) -> None:
    customer = company.customer()
    for _ in range(documents):
        company.invoices(customer=customer)
    company.exports()
    company.imports_payments()


# What there is besides the documents themselves: Octopus asks for a token of ten minutes, then for one of the dossier,
# reads the journals for their next number and looks for bookings and for what was deleted.
BESIDES = {"exact": 2, "octopus": 7}


@every_package
def test_a_document_costs_one_call_at_each_vendor(company: Company, package: str, record_property) -> None:
    """For a known customer, besides looking: one list and one look at the ledger a slice."""
    history(company, 1)
    customer = company.customer()
    for _ in range(20):
        company.invoices(customer=customer)
    with counting(company) as calls:
        company.exports()
    record_property("calls", dict(calls))
    assert calls["package"] <= 20 + BESIDES[package]
    assert calls["teamleader"] <= 20 + 6
    assert calls["dynamodb"] <= 20 * 22


@every_package
def test_an_idle_run_costs_the_same_whatever_lies_behind(package: str) -> None:
    """Nothing an idle run does grows with what was booked before."""
    costs = []
    for documents in (3, 24):
        with standing() as fresh:
            company = a_connected_company(fresh, package)
            history(company, documents)
            fresh.time.advance(3600)  # past the overlap in which changed documents are listed again
            company.exports()
            company.imports_payments()
            fresh.time.advance(3600)
            with counting(company) as calls:
                company.exports()
                company.imports_payments()
            costs.append(calls)
    assert costs[0] == costs[1]


def test_a_payment_costs_one_call_and_a_share_of_two(company: Company) -> None:
    customer = company.customer()
    invoices = [company.invoices(customer=customer) for _ in range(15)]
    company.exports()
    company.imports_payments()
    for invoice in invoices:
        company.pays(invoice, invoice.gross)
    with counting(company) as calls:
        company.imports_payments()
    assert calls["package"] <= 3
    assert calls["teamleader"] <= 15 + 2
    assert calls["dynamodb"] <= 15 * 13 + 60


class TestOctopusByTheDay:
    """What of a day's limits the work of a day takes (octopus.md 7)."""

    SCARCE = MappingProxyType(
        {  # operation, as the fake counts it: its limit, and what a day of work may take of it
            "POST buysellbookings": (400, 30),
            "PUT relations": (400, 1),
            "GET relations?search": (400, 4),
            "GET bookyears/<int(signed=True):bookyear>/journals": (24, 12),
            "GET buysellbookings": (10, 2),
            "GET buysellbookings/modified": (48, 40),
            "GET bookyears/<int(signed=True):bookyear>/bookings/modified": (48, 40),
            "GET balancings/modified": (48, 40),
            "POST reports/clients/open": (24, 4),
            "GET accounts": (2, 2),
            "GET vatcodes": (2, 2),
            "GET relations": (2, 1),
            "POST dossiers": (150, 144),
        }
    )

    @pytest.fixture
    def package(self) -> str:
        return "octopus"

    def test_thirty_documents_and_an_automatic_day_leave_room(self, company: Company, record_property) -> None:
        customer = company.customer()
        company.exports()
        company.runs_by_itself()
        company.stage.time.advance(24 * 3600)  # from here on, a day that began at nine and ends at midnight
        company.stage.settle()
        invoices = []
        for hour in range(12):
            company.stage.time.advance(3600)
            invoices += [company.invoices(customer=customer) for _ in range(3 if hour < 10 else 0)]
            company.stage.settle()
        used = {operation: max(company.books.calls(operation).values(), default=0) for operation in self.SCARCE}
        record_property("used", used)
        assert all(len(company.booked(invoice)) == 1 for invoice in invoices)
        assert company.books.refused_calls() == {}
        over = {name: count for name, count in used.items() if count > self.SCARCE[name][1]}
        assert over == {}
