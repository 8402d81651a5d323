"""What work costs in calls: counted in process, so that the figures are the same on every machine (design.md 12)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support.company import Company, a_connected_company
from tests.support.stage import Cloud, Stage, standing


@pytest.fixture
def stage() -> Iterator[Stage]:
    with standing() as running:
        yield running


@pytest.fixture
def company(stage: Stage) -> Company:
    return a_connected_company(stage)


@contextmanager
def counting(company: Company) -> Iterator[Counter[str]]:
    """Requests while this lasts: to each vendor, and to DynamoDB."""
    found: Counter[str] = Counter()
    before = len(company.stage.teamleader.journal()), len(company.stage.exact.journal())
    events = Cloud.client("dynamodb").meta.events

    def count(**_: Any) -> None:
        found["dynamodb"] += 1

    events.register("before-call.dynamodb.*", count, unique_id="bench")
    try:
        yield found
    finally:
        events.unregister("before-call.dynamodb.*", unique_id="bench")
        found["teamleader"] = len(company.stage.teamleader.journal()) - before[0]
        found["exact"] = len(company.stage.exact.journal()) - before[1]


def history(company: Company, documents: int) -> None:
    customer = company.customer()
    for _ in range(documents):
        company.invoices(customer=customer)
    company.exports()
    company.imports_payments()


def test_a_document_costs_one_call_at_each_vendor(company: Company, record_property) -> None:
    """For a known customer, besides looking: one list and one look at the ledger a slice."""
    history(company, 1)
    customer = company.customer()
    for _ in range(20):
        company.invoices(customer=customer)
    with counting(company) as calls:
        company.exports()
    record_property("calls", dict(calls))
    assert calls["exact"] <= 20 * 1.05 + 1
    assert calls["teamleader"] <= 20 + 6
    assert calls["dynamodb"] <= 20 * 22


def test_an_idle_run_costs_the_same_whatever_lies_behind() -> None:
    """Nothing an idle run does grows with what was booked before."""
    costs = []
    for documents in (3, 24):
        with standing() as fresh:
            company = a_connected_company(fresh)
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
    assert calls["exact"] <= 3
    assert calls["teamleader"] <= 15 + 2
