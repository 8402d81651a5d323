"""When the strange answers end, the work comes out right: each document once in the books, each payment once back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from decimal import Decimal

import httpx
import pytest

from tests.support.company import Company, Document, a_connected_company, every_package
from tests.support.stage import EXACT, OCTOPUS, standing

from .strange import ENORMOUS, ERRORS, HTML, PAGE, Bent, Odd

A_DAY = 24 * 3600
SLICE = 31  # one case in so many, each at another place and odd in another way
PARTS = 23  # of --deep, which tries them all: a stage grows slow with what happened on it
HOSTS = {"exact": EXACT, "octopus": OCTOPUS}
LOG_IN = {"octopus": ("POST .*/authentication$", "POST .*/v1/dossiers$"), "exact": ()}
READS = {
    "octopus": ("GET .*/modified$", "GET .*/relations$"),
    "exact": ("GET .*/api/v1/", "GET .*/bulk/|GET .*/sync/"),
}
WRITES = {
    "octopus": ("POST .*/buysellbookings$", "PUT .*/relations$"),
    "exact": ("POST .*/SalesEntries$", "POST .*/crm/Accounts$"),
}
PAYMENTS = {"octopus": "GET .*/balancings/modified$", "exact": "GET .*/sync/"}


def odd_answers(package: str) -> Iterator[Odd]:
    error = json.dumps(ERRORS[package]).encode()
    for status in (200, 201, 500):
        yield Odd(f"HTML with {status}", status, HTML, PAGE)
        yield Odd(f"an error inside a {status}", status, error)
        yield Odd(f"null with {status}", status, b"null")
    for status in (204, 302, 500, 599):
        yield Odd(f"nothing with {status}", status)
    yield Odd("half an answer", 200, b'[{"bookyearKey":{"id":')
    yield Odd("enormous rubbish", 200, b"x" * ENORMOUS)
    yield Odd("no answer", breaks=httpx.ReadTimeout)
    for status in (400, 403, 404, 429):
        yield Odd(f"HTML with {status}", status, HTML, PAGE, says_no=True)


def cases(package: str) -> list[tuple[str, Odd, bool]]:
    """What is bent, and whether what was asked is done all the same; a vendor that says no does nothing."""
    asked = [(path, False) for path in (*LOG_IN[package], *READS[package], PAYMENTS[package])]
    asked += [(path, works) for path in WRITES[package] for works in (False, True)]
    return [(path, odd, works) for path, works in asked for odd in odd_answers(package) if not (works and odd.says_no)]


@every_package
def test_all_comes_out_right(package: str) -> None:
    _strange_days(package, cases(package)[::SLICE])


@pytest.mark.deep
@every_package
@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_was_strange_all_comes_out_right(package: str, part: int) -> None:
    _strange_days(package, cases(package)[part::PARTS])


def _strange_days(package: str, tried: Sequence[tuple[str, Odd, bool]]) -> None:
    with standing() as stage:
        host = httpx.URL(HOSTS[package]).host
        bent = stage.line._hosts[host] = Bent(stage.line._hosts[host])
        company = a_connected_company(stage, package)
        for number, (path, odd, works) in enumerate(tried):
            try:
                _strange_day(company, bent, number, path, odd, works)
            except AssertionError as error:
                at = f"{path}: {odd.name}{' after its work' if works else ''}"
                raise AssertionError(f"{at}: {error}") from error


def _strange_day(company: Company, bent: Bent, number: int, path: str, odd: Odd, works: bool) -> None:
    _next_morning(company)
    invoice = company.invoices("100.10", customer=company.customer(f"Klant {number} BV"))
    if path == PAYMENTS[company.books.package]:
        company.exports()
        company.pays(invoice)
        _meets(company, "payments", bent, path, odd, works)
        company.imports_payments()
        assert company.payments(invoice) == [invoice.gross]
        assert company.is_paid(invoice)
    else:
        _meets(company, "documents", bent, path, odd, works)
        company.exports()
    _is_right(company, invoice, f"Klant {number} BV")


def _meets(company: Company, kind: str, bent: Bent, path: str, odd: Odd, works: bool) -> None:
    """And then it is over; whoever is asked to log in again does, and the limits of the day are forgotten."""
    bent.bend(path, odd, works=works)
    company.asks_for(kind)
    company.stage.pump()
    bent.straighten()
    assert bent.times, "nothing strange was met"
    _next_morning(company)
    if (company.job(kind)["paused"] or {}).get("family") == "NeedsLogin":
        company.consents_again()


def _next_morning(company: Company) -> None:
    company.stage.time.advance(A_DAY)
    company.signs_in_again()


def _is_right(company: Company, invoice: Document, customer: str) -> None:
    assert [one.gross for one in company.booked(invoice)] == [Decimal("121.12")]
    assert len(company.relations(customer)) == 1
    assert company.unsettled() == 0
    assert company.problems() == {}
    assert all(job["paused"] is None for job in map(company.job, ("documents", "payments")))
