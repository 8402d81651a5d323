"""What people did themselves, in the books or in Teamleader, is found first: adopted or reported, never done twice."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fakes.teamleader.seed import belgian_vat
from tests.support.company import ACCOUNT, Company, Document, every_package

pytestmark = every_package
VAT = belgian_vat(55_555_555)


@pytest.fixture
def known(company: Company) -> tuple[str, str]:
    """A customer of Teamleader, and the same company in the books."""
    return company.customer("Slagerij Zon BV", vat_number=VAT), company.relation("Slagerij Zon BV", vat_number=VAT)


def adopted(company: Company, invoice: Document) -> bool:
    (booking,) = company.booked(invoice)
    shown = company.shown(invoice)
    return (shown["state"], shown["booking_number"]) == ("booked", booking.number)


class TestAnInvoiceBookedByHand:
    """rules.md 1, 2."""

    def test_before_we_came_it_is_adopted_and_its_payments_come_back(
        self, company: Company, known: tuple[str, str]
    ) -> None:
        customer, relation = known
        invoice = company.invoices(customer=customer)
        company.books_by_hand(invoice, relation=relation)
        company.exports()
        assert adopted(company, invoice)
        company.pays(invoice)
        company.imports_payments()
        assert company.payments(invoice) == [invoice.gross]

    def test_and_paid_before_we_adopted_it_is_paid_in_teamleader_all_the_same(
        self, company: Company, known: tuple[str, str]
    ) -> None:
        """The settlement was read when the booking was nobody's; adopting it puts it in line."""
        customer, relation = known
        invoice = company.invoices(customer=customer)
        company.books_by_hand(invoice, relation=relation)
        company.pays(invoice)
        company.imports_payments()
        assert company.payments(invoice) == []
        company.exports()
        company.imports_payments()
        assert company.payments(invoice) == [invoice.gross]

    def test_between_two_runs_of_ours_it_is_adopted_too(self, company: Company, known: tuple[str, str]) -> None:
        """Once per run, only what changed since the last look is read."""
        customer, relation = known
        company.invoices("50.00")
        company.exports()
        invoice = company.invoices(customer=customer)
        company.books_by_hand(invoice, relation=relation)
        company.exports()
        assert adopted(company, invoice)

    def test_with_its_number_typed_a_little_differently_it_is_the_same(
        self, company: Company, known: tuple[str, str]
    ) -> None:
        customer, relation = known
        invoice = company.invoices(customer=customer, number="INV 2026/7")
        company.books_by_hand(invoice, relation=relation, reference="inv2026/7")
        company.exports()
        assert len(company.bookings()) == 1
        assert company.shown(invoice)["state"] == "booked"

    def test_with_another_amount_it_is_reported_and_not_booked_beside_it(
        self, company: Company, known: tuple[str, str]
    ) -> None:
        customer, relation = known
        invoice = company.invoices("100.00", customer=customer)
        company.books_by_hand(invoice, Decimal("60.50"), relation=relation)
        company.exports()
        assert len(company.booked(invoice)) == 1
        assert company.shown(invoice)["cause"] == "BookedByOthers"
        assert "60.50" in company.problems()["BookedByOthers"][0]

    def test_after_the_books_refused_ours_it_is_adopted(self, company: Company, known: tuple[str, str]) -> None:
        customer, relation = known
        company.closes(3)
        invoice = company.invoices(customer=customer)
        company.exports()
        assert company.shown(invoice)["cause"] == "PeriodClosed"
        company.reopens(3)
        company.books_by_hand(invoice, relation=relation)
        company.refreshes()
        assert adopted(company, invoice)

    def test_for_another_customer_and_day_the_number_proves_nothing(
        self, company: Company, known: tuple[str, str]
    ) -> None:
        """Entities that share an administration have equal numbers."""
        customer, _ = known
        invoice = company.invoices("100.00", customer=customer)
        stranger = company.relation("Iemand Anders BV")
        company.books_by_hand(invoice, Decimal("60.50"), relation=stranger, day="2026-02-01")
        company.exports()
        assert len(company.booked(invoice)) == 2
        assert company.shown(invoice)["state"] == "booked"

    @pytest.mark.parametrize("journal_of", ["credit_note", "invoice"])
    def test_a_credit_note_of_that_number_is_another_document(
        self, company: Company, known: tuple[str, str], journal_of: str
    ) -> None:
        customer, relation = known
        invoice = company.invoices("100.00", customer=customer, number="7")
        journal = company.books.journals[journal_of]
        company.books_by_hand(invoice, relation=relation, kind="credit_note", journal=journal)
        company.exports()
        assert len(company.booked(invoice)) == 1
        assert company.shown(invoice)["state"] == "booked"


class TestAPaymentRegisteredByHand:
    """rules.md 6."""

    def test_in_full_is_not_registered_again(self, company: Company) -> None:
        invoice = company.invoices("100.00")
        company.exports()
        company.registers_by_hand(invoice, invoice.gross)
        company.pays(invoice)
        company.imports_payments()
        assert company.payments(invoice) == [invoice.gross]
        assert company.problems() == {}

    def test_in_part_only_the_shortfall_is_registered(self, company: Company) -> None:
        invoice = company.invoices("100.00")
        company.exports()
        company.registers_by_hand(invoice, "100.00")
        company.pays(invoice)
        company.imports_payments()
        assert company.payments(invoice) == [Decimal("100.00"), Decimal("21.00")]
        assert company.is_paid(invoice)

    def test_a_part_that_stands_in_both_is_not_registered_again(self, company: Company) -> None:
        """Half was paid and registered by hand; nothing is missing in Teamleader though it is not fully paid."""
        invoice = company.invoices("100.00")
        company.exports()
        company.registers_by_hand(invoice, "60.50")
        company.pays(invoice, "60.50")
        company.imports_payments()
        assert company.payments(invoice) == [Decimal("60.50")]

    def test_more_than_the_books_know_is_left_alone(self, company: Company) -> None:
        """Teamleader is never set back (rules.md 23)."""
        invoice = company.invoices("100.00")
        company.exports()
        company.registers_by_hand(invoice, "100.00")
        company.pays(invoice, "60.50")
        company.imports_payments()
        assert company.payments(invoice) == [Decimal("100.00")]

    def test_while_ours_had_no_answer_the_sum_is_still_right(self, company: Company) -> None:
        """Ours got lost before it arrived, and a person registered everything meanwhile: nothing is missing."""
        invoice = company.invoices("100.00")
        company.exports()
        company.pays(invoice)
        company.stage.teamleader.post("faults", match={"path": "registerPayment"}, do="drop_before")
        company.asks_for("payments")
        company.stage.pump()
        company.registers_by_hand(invoice, invoice.gross)
        company.stage.settle()
        assert company.payments(invoice) == [invoice.gross]
        assert company.unsettled() == 0


class TestTheSameCompanyTwice:
    """rules.md 5, 21."""

    def test_a_double_in_teamleader_does_not_share_the_relation_silently(
        self, company: Company, known: tuple[str, str]
    ) -> None:
        customer, relation = known
        double = company.customer("Slagerij Zon B.V.", vat_number=VAT)
        first, second = company.invoices(customer=customer, number="1"), company.invoices(customer=double, number="2")
        company.exports()
        assert company.booked(first)[0].relation == relation
        assert company.shown(second)["cause"] == "RelationAmbiguous"
        assert company.booked(second) == []


class TestADocumentThatChanged:
    """design.md 5.4, rules.md 33."""

    def test_after_it_was_booked_is_shown_and_not_booked_again(self, company: Company) -> None:
        invoice = company.invoices("100.00")
        company.exports()
        company.stage.time.advance(600)
        company.edits(invoice, "90.00")
        company.exports()
        assert len(company.booked(invoice)) == 1
        assert company.shown(invoice)["state"] == "booked"
        assert list(company.problems()) == ["ChangedAfterBooking"]

    def test_between_our_look_and_our_booking_is_booked_as_it_is_now(self, company: Company) -> None:
        invoice = company.invoices("100.00")
        company.stage.on_the_line("POST /invoices.info", lambda: company.edits(invoice, "90.00"))
        company.exports()
        company.stage.time.advance(600)
        company.exports()
        (booking,) = company.booked(invoice)
        assert booking.gross == Decimal("108.90")
        assert company.problems() == {}

    def test_and_was_deleted_before_it_was_booked_is_told(self, company: Company) -> None:
        kept, deleted = company.invoices("50.00"), company.invoices("100.00")
        company.stage.on_the_line(
            "POST /invoices.info",
            lambda: company.stage.teamleader.post("delete_booking", tenant=ACCOUNT, booking=deleted.id),
        )
        company.exports()
        assert company.shown(deleted)["cause"] == "DocumentGone"
        assert company.booked(deleted) == []
        assert len(company.booked(kept)) == 1
