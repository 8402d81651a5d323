"""What the books settle without plain money, and what they take back (rules.md 22-24)."""

from __future__ import annotations

from decimal import Decimal

from tests.support.company import ACCOUNT, Company, every_package

pytestmark = every_package


def test_a_rest_settled_by_a_credit_note_is_never_registered_as_money(company: Company) -> None:
    invoice = company.invoices("100.00")
    note = company.credits(invoice, "40.00")
    company.exports()
    company.matches(invoice, note, "48.40")
    company.pays(invoice, "72.60")
    company.imports_payments()
    assert company.payments(invoice) == [Decimal("72.60")]
    assert company.is_paid(invoice)
    assert company.problems() == {}


def test_an_invoice_credited_in_whole_gets_no_payment(company: Company) -> None:
    invoice = company.invoices("100.00")
    note = company.credits(invoice)
    company.exports()
    company.matches(invoice, note, "121.00")
    company.imports_payments()
    assert company.payments(invoice) == []
    assert company.problems() == {}


def test_what_teamleader_still_asks_after_a_credit_note_is_told(company: Company) -> None:
    company.stage.teamleader.post("switches", credit_reduces_due=False)
    invoice = company.invoices("100.00")
    note = company.credits(invoice)
    company.exports()
    company.matches(invoice, note, "121.00")
    company.imports_payments()
    assert company.payments(invoice) == []
    assert "121.00" in company.problems()["StillDue"][0]


def test_a_rest_that_is_written_off_is_a_payment_of_its_own(company: Company) -> None:
    invoice = company.invoices("100.00")
    company.exports()
    company.pays(invoice, "120.50")
    company.pays(invoice, "0.50", kind="write_off", day="2026-03-28")
    company.imports_payments()
    assert sorted(company.payments(invoice)) == [Decimal("0.50"), Decimal("120.50")]
    assert company.is_paid(invoice)
    assert company.problems() == {}


def test_an_undone_match_is_told_and_teamleader_stays_paid(company: Company) -> None:
    invoice = company.invoices("100.00")
    company.exports()
    company.pays(invoice)
    company.imports_payments()
    company.unmatches(invoice)
    company.imports_payments()
    assert company.is_paid(invoice)
    assert company.payments(invoice) == [invoice.gross]
    assert "121.00" in company.problems()["MatchUndone"][0]


def test_a_match_undone_before_we_looked_never_was_a_payment(company: Company) -> None:
    invoice = company.invoices("100.00")
    company.exports()
    company.pays(invoice)
    company.unmatches(invoice)
    company.imports_payments()
    assert company.payments(invoice) == []
    assert company.problems() == {}


def test_a_match_made_again_is_not_registered_twice(company: Company) -> None:
    invoice = company.invoices("100.00")
    company.exports()
    company.pays(invoice)
    company.imports_payments()
    company.unmatches(invoice)
    company.imports_payments()
    company.pays(invoice)
    company.imports_payments()
    assert company.payments(invoice) == [invoice.gross]


def test_two_equal_payments_of_one_day_are_two_registrations(company: Company) -> None:
    invoice = company.invoices("100.00")
    company.exports()
    company.pays(invoice, "60.50")
    company.pays(invoice, "60.50")
    company.imports_payments()
    assert company.payments(invoice) == [Decimal("60.50"), Decimal("60.50")]


def test_a_payment_of_an_invoice_deleted_in_teamleader_is_told(company: Company) -> None:
    invoice = company.invoices("100.00")
    company.exports()
    company.pays(invoice)
    company.stage.teamleader.post("delete_booking", tenant=ACCOUNT, booking=invoice.id)
    company.imports_payments()
    assert list(company.problems()) == ["DocumentGone"]


def test_never_more_is_registered_than_teamleader_asks(company: Company) -> None:
    """rules.md 6: the customer paid everything and was credited a part besides."""
    invoice = company.invoices("100.00")
    company.credits(invoice, "40.00")
    company.exports()
    company.pays(invoice)
    company.imports_payments()
    assert company.payments(invoice) == [Decimal("72.60")]
    assert company.is_paid(invoice)
