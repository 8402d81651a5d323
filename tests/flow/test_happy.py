"""The main road: customers, invoices and credit notes to the books, payments back, and then nothing more to do."""

from __future__ import annotations

from decimal import Decimal

from fakes.teamleader.seed import belgian_vat
from tests.support.company import Company, every_package

pytestmark = every_package


def test_an_invoice_goes_to_the_books_with_its_customer_first(company: Company) -> None:
    invoice = company.invoices("100.00")
    company.exports()
    (booking,), (relation,) = company.booked(invoice), company.relations()
    assert booking.relation == relation
    assert booking.gross == Decimal("121.00")
    assert company.shown(invoice)["state"] == "booked"
    assert company.shown(invoice)["booking_number"] == booking.number


def test_a_customer_whose_number_and_name_agree_is_adopted(company: Company) -> None:
    """rules.md 5."""
    vat = belgian_vat(44_444_444)
    relation = company.relation("Bakkerij Wolk", vat_number=vat)
    invoice = company.invoices(customer=company.customer("Bakkerij Wolk BV", vat_number=vat))
    company.exports()
    assert company.booked(invoice)[0].relation == relation
    assert company.relations("Bakkerij Wolk BV") == []
    assert company.job("documents")["last_result"]["relations_adopted"] == 1


def test_credit_notes_stand_reversed_in_their_own_journal(company: Company) -> None:
    """rules.md 13, 14."""
    whole, partly = company.invoices("100.00"), company.invoices("80.00", rate="21")
    notes = company.credits(whole), company.credits(partly, "30.00")
    company.exports()
    booked = [company.booked(note)[0] for note in notes]
    assert [booking.journal for booking in booked] == [company.books.journals["credit_note"]] * 2
    assert [booking.gross for booking in booked] == [Decimal("121.00"), Decimal("36.30")]


def test_documents_go_in_the_order_of_date_and_number(company: Company) -> None:
    """rules.md 7."""
    late = company.invoices(day="2026-03-05", number="2026 / 2")
    early = company.invoices(day="2026-02-05", number="Z 1")
    company.exports()
    numbers = [company.booked(invoice)[0].number for invoice in (early, late)]
    assert numbers == sorted(numbers)


def test_payments_come_back_in_parts_each_once(company: Company) -> None:
    """rules.md 22."""
    invoice = company.invoices("100.00")
    company.exports()
    company.pays(invoice, "60.50")
    company.imports_payments()
    assert company.payments(invoice) == [Decimal("60.50")]
    assert not company.is_paid(invoice)
    company.pays(invoice, "60.50", day="2026-03-25")
    company.imports_payments()
    assert company.payments(invoice) == [Decimal("60.50"), Decimal("60.50")]
    assert company.is_paid(invoice)
    assert company.problems() == {}


def test_a_second_run_changes_nothing(company: Company) -> None:
    first, second = company.invoices("100.00"), company.invoices("50.00", rate="6")
    company.credits(second)
    company.exports()
    company.pays(first)
    company.imports_payments()
    with company.counting_changes() as changes:
        for kind in ("accounts", "relations", "documents", "payments"):
            company.asks_for(kind)
            company.stage.settle()
    assert changes == []
    assert len(company.bookings()) == 3


def test_drafts_are_never_exported(company: Company) -> None:
    company.drafts("100.00")
    invoice = company.invoices("50.00")
    company.exports()
    assert [booking.reference for booking in company.bookings()] == [invoice.number]
    assert len(company.person.all_documents(company.connection)) == 1


def test_what_is_older_than_the_start_stays_where_it_is(company: Company) -> None:
    older = company.invoices(day="2025-12-30")
    company.exports()
    assert company.person.all_documents(company.connection) == []
    assert company.booked(older) == []
