"""Foreign amounts go into the books as they are, once the first proved which way a rate goes (rules.md 16)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from tests.support.company import Company

DOLLARS = {"currency": "USD", "currency_exchange_rate": {"from": "USD", "to": "EUR", "rate": Decimal("0.9")}}


@contextmanager
def exact_takes_rates_the_other_way(company: Company) -> Iterator[None]:
    """Whoever reads an entry sees another amount in the books' own currency than we expected."""

    def turned(answer: Any) -> None:
        for entry in answer["d"]["results"]:
            entry["AmountDC"] = round(entry["AmountFC"] / 0.9, 2)

    twist = (r"GET .*/SalesEntries$", turned)
    company.stage.line.twists.append(twist)
    try:
        yield
    finally:
        company.stage.line.twists.remove(twist)


def test_a_foreign_invoice_stands_in_its_own_currency_and_its_payment_too(company: Company) -> None:
    invoice = company.invoices("100.00", **DOLLARS)
    company.exports()
    [booking] = company.booked(invoice)
    assert (booking.gross, booking.row["AmountDC"], booking.row["Currency"]) == (121, Decimal("108.9"), "USD")
    company.pays(invoice, "121.00")
    company.imports_payments()
    assert company.payments(invoice) == [Decimal("121.00")]
    assert company.is_paid(invoice)


def test_when_the_first_comes_back_differently_the_others_wait_and_euros_do_not(company: Company) -> None:
    first, second, euros = company.invoices(**DOLLARS), company.invoices(**DOLLARS), company.invoices()
    with exact_takes_rates_the_other_way(company):
        company.exports()
    assert company.shown(first)["cause"] == "BookedDifferently"
    assert company.shown(second)["cause"] == "ExchangeRateUnproven"
    assert company.booked(second) == []
    assert len(company.booked(euros)) == 1


def test_after_a_person_looked_the_others_follow(company: Company) -> None:
    first, second = company.invoices(**DOLLARS), company.invoices(**DOLLARS)
    with exact_takes_rates_the_other_way(company):
        company.exports()
    company.exports()  # asked for by a person: Exact's own figures agree now
    assert len(company.booked(first)) == len(company.booked(second)) == 1
    assert company.problems() == {}


def test_a_first_that_is_refused_lets_the_next_go_first(company: Company) -> None:
    company.closes(2)
    refused, goes = company.invoices(day="2026-02-10", **DOLLARS), company.invoices(**DOLLARS)
    company.exports()
    assert company.shown(refused)["cause"] == "PeriodClosed"
    assert len(company.booked(goes)) == 1


def test_a_credit_note_in_dollars_takes_back_its_invoice(company: Company) -> None:
    invoice = company.invoices("100.00", **DOLLARS)
    company.exports()
    credit_note = company.credits(invoice)
    company.exports()
    [entry] = company.booked(credit_note)
    assert (entry.gross, entry.row["AmountDC"]) == (121, Decimal("-108.9"))
