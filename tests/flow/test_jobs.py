"""Slices, nudges, the sweep and the dead-letter queue (design.md 3)."""

from __future__ import annotations

from datetime import timedelta

from boekbrug.domain.connections import JobKind
from tests.support.company import ACCOUNT, Company, every_package

pytestmark = every_package


def test_a_slice_ends_in_time_and_the_next_goes_on(company: Company) -> None:
    invoices = [company.invoices(f"{n}.00") for n in range(10, 16)]
    for skip in range(len(invoices)):  # each booking takes a quarter of a minute
        company.stage.on_the_line(company.books.sends["booking"], lambda: company.stage.time.advance(15), skip=skip)
    company.asks_for("documents")
    begun = company.stage.time.now()
    slices = company.stage.pump()
    assert slices == 3  # three bookings, three bookings, and a look that finds nothing left
    assert [len(company.booked(invoice)) for invoice in invoices] == [1] * len(invoices)
    assert company.stage.time.now() - begun <= timedelta(seconds=6 * 15)


def test_no_write_begins_when_the_function_could_be_killed_under_it(company: Company) -> None:
    """Thirty seconds for the call and ten to remember it must be left of the function's time."""
    first, second = company.invoices("10.00"), company.invoices("20.00")
    company.stage.on_the_line("POST /invoices.list", lambda: company.stage.time.advance(85))
    company.asks_for("documents")
    worker = company.stage.worker(JobKind.DOCUMENTS)
    company.stage.run(JobKind.DOCUMENTS, ACCOUNT, company.administration)
    assert worker.timeout == timedelta(seconds=120)
    assert company.bookings() == []
    company.stage.settle()
    assert len(company.booked(first)) == len(company.booked(second)) == 1


def test_a_lost_nudge_is_healed_by_the_sweep(company: Company) -> None:
    invoice = company.invoices()
    company.asks_for("documents")
    company.stage.lose_nudges()
    assert company.stage.pump() == 0
    company.stage.sweep()
    company.stage.pump()
    assert len(company.booked(invoice)) == 1


def test_one_sweep_after_another_nudges_a_job_once(company: Company) -> None:
    company.asks_for("documents")
    company.stage.lose_nudges()
    company.stage.sweep()
    company.stage.sweep()
    assert company.stage.pump() == 1


def test_a_connection_runs_when_asked_until_it_is_made_automatic(company: Company) -> None:
    """rules.md 27."""
    company.exports()
    by_hand = company.invoices("10.00")
    company.stage.time.advance(3 * 3600)
    company.stage.settle()
    assert company.booked(by_hand) == []
    company.runs_by_itself()
    company.stage.settle()
    assert len(company.booked(by_hand)) == 1
    later = company.invoices("20.00")
    company.stage.time.advance(3600)
    company.stage.settle()
    assert len(company.booked(later)) == 1
    company.pays(later)
    company.stage.time.advance(2 * 3600)
    company.stage.settle()
    assert company.payments(later) == [later.gross]


def test_what_nobody_understands_is_told_and_ends_in_the_dead_letters(company: Company) -> None:
    invoice = company.invoices()
    company.stage.teamleader.post("faults", match={"path": "invoices.list"}, do={"status": 418}, times=1000)
    company.asks_for("documents")
    company.stage.pump()
    company.stage.pass_time(timedelta(minutes=25))
    (dead,) = company.stage.dead_letters()
    assert dead["kind"] == "documents"
    rows = company.stage.teamleader.journal()
    assert [row["status"] for row in rows if row["path"] == "/invoices.list"].count(418) == 5
    assert "418" in company.problems()["UnexpectedAnswer"][0]
    company.stage.teamleader.forget_faults()
    company.stage.time.advance(3600)
    company.stage.settle()
    assert len(company.booked(invoice)) == 1
    assert company.problems() == {}


def test_a_vendor_that_is_down_only_takes_time(company: Company) -> None:
    invoice = company.invoices()
    company.books.control.post("faults", match={"method": "GET"}, do={"status": 503}, times=10)
    company.exports()
    assert len(company.booked(invoice)) == 1
    assert company.stage.dead_letters() == []
    assert company.problems() == {}


def test_jobs_of_different_kinds_do_not_wait_for_each_other(company: Company) -> None:
    """The lease is of one kind of work."""
    first, second = company.invoices("10.00"), company.invoices("20.00")
    company.exports()
    company.pays(first)
    company.invoices("30.00")

    def meanwhile() -> None:
        with company.stage.another_sandbox():
            company.stage.run(JobKind.PAYMENTS, ACCOUNT, company.administration)

    company.stage.on_the_line(company.books.sends["booking"], meanwhile)
    company.exports()
    assert company.payments(first) == [first.gross]
    assert company.payments(second) == []
    assert len(company.bookings()) == 3
