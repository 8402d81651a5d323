"""What keeps a document from the books, who is told, and how it gets there by itself once that is solved."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.support.company import Company, a_connected_company, every_package
from tests.support.exact_books import CREDIT_NOTE
from tests.support.stage import Stage


@every_package
def test_a_closed_period_keeps_its_documents_and_no_others(company: Company) -> None:
    company.closes(2)
    company.refreshes()
    february, march = company.invoices(day="2026-02-10"), company.invoices(day="2026-03-10")
    company.exports()
    assert company.shown(february)["cause"] == "PeriodClosed"
    assert "2026" in company.shown(february)["sentence"]
    assert company.booked(february) == []
    assert len(company.booked(march)) == 1


@every_package
@pytest.mark.parametrize("we_knew", [True, False])
def test_a_reopened_period_is_seen_by_the_next_refresh(company: Company, we_knew: bool) -> None:
    """rules.md 30. `we_knew` False: only the package's refusal told us that it was closed."""
    company.closes(3)
    if we_knew:
        company.refreshes()
    invoice = company.invoices()
    company.exports()
    assert company.shown(invoice)["cause"] == "PeriodClosed"
    company.reopens(3)
    company.refreshes()
    assert len(company.booked(invoice)) == 1
    assert company.problems() == {}


@every_package
def test_a_rate_without_a_vat_code_waits_for_its_mapping(stage: Stage, package: str) -> None:
    """rules.md 18."""
    company = a_connected_company(stage, package, mappings=False)
    company.accepts_mappings(without=("6",))
    waits, goes = company.invoices(rate="6"), company.invoices(rate="21")
    company.exports()
    assert company.shown(waits)["cause"] == "VatCodeUnmapped"
    assert company.booked(waits) == []
    assert len(company.booked(goes)) == 1
    company.accepts_mappings()
    company.stage.settle()
    assert len(company.booked(waits)) == 1
    assert company.problems() == {}


@every_package
def test_nothing_goes_before_the_mappings_were_accepted(stage: Stage, package: str) -> None:
    company = a_connected_company(stage, package, mappings=False)
    invoice = company.invoices()
    company.exports()
    assert company.bookings() == []
    assert "NotReady" in company.problems()
    company.accepts_mappings()
    company.exports()
    assert len(company.booked(invoice)) == 1
    assert company.problems() == {}


@every_package
@pytest.mark.parametrize("asked", [True, False])
def test_a_customer_without_a_valid_address_is_told_and_booked_once_corrected(company: Company, asked: bool) -> None:
    customer = company.customer("Kapsalon Mist", email="geen adres")
    invoice = company.invoices(customer=customer)
    company.exports()
    assert company.shown(invoice)["cause"] == "CustomerIncomplete"
    assert company.relations("Kapsalon Mist") == []
    company.corrects_customer(customer, emails=[{"type": "primary", "email": "kapsalon@mist.example"}])
    if asked:
        company.exports()
    else:
        company.runs_by_itself()
        company.stage.settle()
        company.stage.time.advance(24 * 3600)  # the nightly refresh
        company.stage.settle()
        company.signs_in_again()
    assert len(company.booked(invoice)) == 1
    assert company.problems() == {}


@every_package
class TestANameAlone:
    """rules.md 5: a proposal, and the document waits."""

    def test_waits_and_is_adopted_when_a_person_says_so(self, company: Company) -> None:
        relation = company.relation("Bakkerij Wolk BV")
        invoice = company.invoices()
        company.exports()
        assert company.shown(invoice)["cause"] == "RelationAmbiguous"
        assert company.bookings() == []
        company.decides(invoice.customer, adopt=relation)
        company.stage.settle()
        assert company.booked(invoice)[0].relation == relation
        assert len(company.relations()) == 1
        assert company.problems() == {}

    def test_waits_and_is_created_when_a_person_says_so(self, company: Company) -> None:
        relation = company.relation("Bakkerij Wolk BV")
        invoice = company.invoices()
        company.exports()
        company.decides(invoice.customer, create=True)
        company.stage.settle()
        assert company.booked(invoice)[0].relation != relation
        assert len(company.relations()) == 2

    def test_does_not_stop_the_documents_of_others(self, company: Company) -> None:
        company.relation("Bakkerij Wolk BV")
        company.invoices()
        other = company.invoices(customer=company.customer("Fietsen Regen BV"))
        company.exports()
        assert len(company.booked(other)) == 1


class TestAnAnswerThatDiffers:
    """rules.md 9: the kind is stopped until a person looked."""

    def test_stops_credit_notes_and_not_invoices(self, company: Company) -> None:
        invoice = company.invoices("100.00", number="1")
        first, second = company.credits(invoice, "10.00"), company.credits(invoice, "20.00", day="2026-03-03")
        later = company.invoices("50.00", number="2", day="2026-03-05")
        with company.exact_counts_differently(CREDIT_NOTE):
            company.exports()
        assert company.shown(first)["cause"] == "BookedDifferently"
        assert company.shown(second)["state"] == "waiting"
        assert len(company.booked(first)) == len(company.booked(invoice)) == len(company.booked(later)) == 1
        assert company.booked(second) == []

    def test_a_run_by_hand_goes_on_with_the_others(self, company: Company) -> None:
        invoice = company.invoices("100.00")
        first, second = company.credits(invoice, "10.00"), company.credits(invoice, "20.00", day="2026-03-03")
        with company.exact_counts_differently(CREDIT_NOTE):
            company.exports()
        company.exports()
        assert len(company.booked(first)) == len(company.booked(second)) == 1
        assert company.shown(second)["state"] == "booked"
        assert company.shown(first)["state"] == "booked"  # read again: the books hold what we sent
        assert company.problems() == {}

    def test_that_a_person_knows_of_does_not_stop_the_others_again(self, company: Company) -> None:
        """The books go on telling something else of the first."""
        invoice = company.invoices("100.00")
        first, second = company.credits(invoice, "10.00"), company.credits(invoice, "20.00", day="2026-03-03")
        with company.exact_counts_differently(CREDIT_NOTE):
            company.exports()

        def a_cent_more(answer: Any) -> None:
            for entry in answer["d"]["results"]:
                if entry["YourRef"] == first.number and entry["Type"] == CREDIT_NOTE:
                    entry["VATAmountFC"] = round(entry["VATAmountFC"] + 0.01, 2)

        company.stage.line.twists.append((r"GET .*/SalesEntries$", a_cent_more))
        company.exports()
        assert company.shown(first)["cause"] == "BookedDifferently"
        assert company.shown(second)["state"] == "booked"

    def test_a_run_by_itself_does_not(self, company: Company) -> None:
        invoice = company.invoices("100.00")
        company.credits(invoice, "10.00")
        second = company.credits(invoice, "20.00", day="2026-03-03")
        with company.exact_counts_differently(CREDIT_NOTE):
            company.exports()
        company.runs_by_itself()
        company.stage.settle()
        assert company.shown(second)["state"] == "waiting"


@every_package
def test_a_differing_booking_by_hand_that_the_bookkeeper_removed_is_booked_by_us(company: Company) -> None:
    customer = company.customer("Slagerij Zon BV")
    relation = company.relation("Slagerij Zon BV", vat_number=company.vat_number(customer))
    invoice = company.invoices("100.00", customer=customer)
    wrong = company.books_by_hand(invoice, Decimal("60.50"), relation=relation)
    company.exports()
    assert company.shown(invoice)["cause"] == "BookedByOthers"
    company.books.delete(wrong)
    company.exports()
    (booking,) = company.booked(invoice)
    assert booking.gross == invoice.gross
    assert company.problems() == {}


@every_package
def test_a_customer_gone_from_teamleader_is_told(company: Company) -> None:
    gone = company.customer("Vertrokken BV")
    invoice, other = company.invoices(customer=gone), company.invoices()
    company.stage.teamleader.post("delete_company", tenant=company.account, company=gone)
    company.exports()
    assert company.shown(invoice)["cause"] == "CustomerGone"
    assert len(company.booked(other)) == 1
