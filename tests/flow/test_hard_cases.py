"""What is rare and hurts: odd names and numbers, endless invoices, twins and mergers, and the way out of problems."""

from __future__ import annotations

from decimal import Decimal

import pytest

from boekbrug.sync import export_documents
from fakes.exact import seed as exact_seed
from fakes.teamleader.seed import belgian_vat
from infra.local.person import Refused
from tests.support.books import DAY
from tests.support.company import ACCOUNT, Company, a_line, every_package

VAT = belgian_vat(15_555_555)
LONG_NAME = "Vereniging van Mede-eigenaars Residentie Het Gouden Zandstrand Blok C"


@every_package
class TestOddDocuments:
    def test_quotes_signs_and_pictures_in_names_and_numbers_go_through(self, company: Company) -> None:
        name = 'O\'Brien & "Zonen" 🥐 NV # 100%'
        invoice = company.invoices(customer=company.customer(name, vat_number=""), number='F\'26 & "1" 🥐 #%')
        company.exports()
        assert len(company.booked(invoice)) == len(company.relations(name)) == 1

    def test_and_are_found_again_after_a_lost_answer(self, company: Company) -> None:
        name = 'O\'Brien & "Zonen" 🥐 NV # 100%'
        invoice = company.invoices(customer=company.customer(name, vat_number=""), number='F\'26 & "1" 🥐 #%')
        for send in ("relation", "booking"):
            company.fault(send, "commit_then_drop")
        company.exports()
        assert len(company.booked(invoice)) == len(company.relations(name)) == 1
        assert company.shown(invoice)["state"] == "booked"

    @pytest.mark.parametrize(("lines", "text"), [(60, "Werk en materiaal " * 500), (700, "Werk, uur per uur")])
    def test_an_endless_invoice_is_booked_to_the_cent_and_stops_nobody(
        self, company: Company, lines: int, text: str
    ) -> None:
        """What we remember of an entry has to fit in one item of the store (design.md 4)."""
        rows = [{**a_line("1.01", "21"), "description": text} for _ in range(lines)]
        endless = company.invoices(number="1", grouped_lines=[{"line_items": rows}])
        short = company.invoices(number="2")
        company.exports()
        (booking,) = company.booked(endless)
        assert (booking.gross, len(company.booked(short))) == (endless.gross, 1)

    @pytest.mark.parametrize("discount", [None, 100])
    def test_a_total_of_zero_is_booked_and_awaits_nothing(self, company: Company, discount: int | None) -> None:
        """rules.md 13."""
        given = [{"type": "percentage", "value": discount, "description": "Gratis"}] if discount else []
        invoice = company.invoices("100.00" if discount else "0.00", discounts=given)
        company.exports()
        company.imports_payments()
        assert len(company.booked(invoice)) == 1
        assert company.problems() == {}

    def test_an_invoice_below_zero_that_is_settled_in_the_books_only_is_told(self, company: Company) -> None:
        """rules.md 23: both sides agree on paid, or a problem says why not."""
        invoice = company.invoices("-50.00")
        company.exports()
        company.pays(invoice, "60.50")
        company.imports_payments()
        assert company.payments(invoice) == []
        assert list(company.problems()) == ["PaymentDiffers"]


@every_package
class TestCustomersThatLookAlike:
    """rules.md 5, 21."""

    def test_two_that_are_new_together_do_not_become_two_relations(self, company: Company) -> None:
        one, other = (company.customer(f"Slagerij Zon {form}", vat_number=VAT) for form in ("BV", "B.V."))
        first, second = company.invoices(customer=one, number="1"), company.invoices(customer=other, number="2")
        company.exports()
        (relation,) = company.relations("Slagerij Zon BV")
        assert company.relations("Slagerij Zon B.V.") == []
        assert company.shown(second)["cause"] == "RelationAmbiguous"
        company.decides(other, adopt=relation)
        company.stage.settle()
        assert {booking.relation for one in (first, second) for booking in company.booked(one)} == {relation}
        assert company.problems() == {}

    def test_one_that_was_merged_in_teamleader_keeps_the_relation_once_a_person_says_so(self, company: Company) -> None:
        relation = company.relation("Slagerij Zon BV", vat_number=VAT)
        merged, survivor = (company.customer(f"Slagerij Zon {form}", vat_number=VAT) for form in ("BV", "B.V."))
        company.invoices(customer=merged, number="1")
        company.exports()
        company.stage.teamleader.post("delete_company", tenant=ACCOUNT, company=merged, into=survivor)
        later = company.invoices(customer=survivor, number="2")
        company.exports()
        assert company.shown(later)["cause"] == "RelationAmbiguous"
        company.decides(survivor, adopt=relation)
        company.stage.settle()
        assert company.booked(later)[0].relation == relation

    def test_a_name_in_other_letters_is_a_name_too(self, company: Company) -> None:
        company.relation("Μύλος Α.Ε.")
        invoice = company.invoices(customer=company.customer("Μύλος Α.Ε.", vat_number=""))
        company.exports()
        assert company.shown(invoice)["cause"] == "RelationAmbiguous"


@pytest.mark.parametrize("number", ["", VAT])
def test_a_name_that_exact_cut_is_still_that_name(company: Company, number: str) -> None:
    relation = company.relation(LONG_NAME[:50], number)
    invoice = company.invoices(customer=company.customer(LONG_NAME, vat_number=number))
    company.exports()
    if number:
        assert company.booked(invoice)[0].relation == relation
    else:
        assert company.shown(invoice)["cause"] == "RelationAmbiguous"


class TestAnExternalIdThatAPersonGives:
    """rules.md 21: Exact's is the GUID of the relation."""

    def test_may_come_as_the_address_of_exact_shows_it(self, company: Company) -> None:
        relation = company.relation("Bakkerij Wolk BV")
        invoice = company.invoices()
        company.exports()
        company.decides(invoice.customer, adopt=f"{{{relation.upper()}}}")
        company.stage.settle()
        assert company.booked(invoice)[0].relation == relation

    @pytest.mark.parametrize("typed", ["1005", "x' or Name ne '"])
    def test_is_refused_when_it_is_none_and_stops_nobody(self, company: Company, typed: str) -> None:
        invoice = company.invoices()
        with pytest.raises(Refused, match="GUID"):
            company.decides(invoice.customer, adopt=typed)
        company.exports()
        assert len(company.booked(invoice)) == 1


@every_package
class TestAProblemWithAPayment:
    """It goes when it is solved, whoever solved it: at the latest when a person asks again."""

    def test_goes_when_teamleader_was_set_right_by_hand(self, company: Company) -> None:
        company.stage.teamleader.post("switches", credit_reduces_due=False)
        invoice = company.invoices("100.00")
        note = company.credits(invoice)
        company.exports()
        company.matches(invoice, note, "121.00")
        company.imports_payments()
        assert list(company.problems()) == ["StillDue"]
        company.registers_by_hand(invoice, "121.00")
        company.imports_payments()
        assert company.problems() == {}

    @pytest.mark.parametrize("where", ["books", "teamleader"])
    def test_goes_when_an_undone_match_was_set_right_on_either_side(self, company: Company, where: str) -> None:
        """rules.md 23."""
        invoice = company.invoices("100.00")
        company.exports()
        company.pays(invoice)
        company.imports_payments()
        company.unmatches(invoice)
        company.imports_payments()
        assert list(company.problems()) == ["MatchUndone"]
        if where == "books":
            company.pays(invoice)
        else:
            company.stage.teamleader.post("remove_payments", tenant=ACCOUNT, booking=invoice.id)
        company.imports_payments()
        assert company.problems() == {}

    def test_that_teamleader_refused_is_tried_again_when_a_person_asks(self, company: Company) -> None:
        invoice = company.invoices("100.00")
        company.exports()
        company.pays(invoice)
        company.stage.teamleader.post("faults", match={"path": "registerPayment"}, do={"status": 400})
        company.imports_payments()
        assert company.payments(invoice) == []
        assert "RefusedByPackage" in company.problems()
        company.imports_payments()
        assert company.payments(invoice) == [invoice.gross]
        assert company.problems() == {}


class TestAConnectionOverTheYears:
    def test_what_came_while_it_was_off_follows_and_nothing_comes_twice(self, company: Company) -> None:
        """rules.md 28."""
        before = company.invoices()
        company.exports()
        company.person.patch(f"/api/connections/{company.connection}", active=False)
        meanwhile = company.invoices("50.00")
        company.stage.time.advance(3 * 24 * 3600)
        company.signs_in_again()
        company.person.patch(f"/api/connections/{company.connection}", active=True)
        company.exports()
        assert [len(company.booked(invoice)) for invoice in (before, meanwhile)] == [1, 1]

    def test_a_colleague_at_exact_takes_over_when_the_first_one_left(self, company: Company) -> None:
        """A grant belongs to one user; who gave it may be gone for good."""
        (first,) = (user for user in exact_seed.demo_seed(())["users"] if user["UserName"] == "be")
        company.stage.exact.post("seed", users=[{**first, "UserName": "vervanger", "Email": "vervanger@exact.example"}])
        invoice = company.invoices()
        company.stage.exact.post("faults", match={"path": "/api/"}, do="revoke_token")
        company.exports()
        assert company.job("documents")["paused"]["cause"] == "AccessExpired"
        assert company.person.connect_exact("be", "vervanger") != company.login
        company.stage.settle()
        assert len(company.booked(invoice)) == 1

    def test_a_credit_note_does_not_wait_for_an_invoice_in_a_closed_period(self, company: Company) -> None:
        company.closes(2)
        company.refreshes()
        invoice = company.invoices(day="2026-02-02")
        note = company.credits(invoice, day=DAY)
        company.exports()
        assert (len(company.booked(invoice)), len(company.booked(note))) == (0, 1)
        company.reopens(2)
        company.refreshes()
        assert len(company.booked(invoice)) == 1


class TestAJob:
    def test_that_a_defect_of_ours_stops_says_so_and_gives_its_lease_back(
        self, company: Company, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: object) -> bool:
            raise KeyError("a secret of somebody")

        monkeypatch.setattr(export_documents, "find_documents", broken)
        company.asks_for("documents")
        company.stage.pump()
        (sentence,) = company.problems()["UnexpectedAnswer"]
        assert "KeyError" in sentence
        assert "secret" not in sentence
        assert not company.job("documents")["leased"]

    def test_that_reads_many_settlements_stops_in_time_and_goes_on(self, company: Company) -> None:
        invoice = company.invoices()
        company.exports()
        company.pays(invoice)
        company.stage.on_the_line("sync/Cashflow/PaymentTerms", lambda: company.stage.time.advance(45))
        company.asks_for("payments")
        company.stage.pump()
        assert company.job("payments")["last_result"] == {"settlements": 0, "registered": 1}
        assert company.payments(invoice) == [invoice.gross]


@every_package
class TestLookingFirst:
    """rules.md 1, 2 and 4: what stands in the books is ours only when everything agrees."""

    def test_a_number_that_came_free_in_teamleader_is_not_booked_beside_its_old_booking(self, company: Company) -> None:
        first = company.invoices(number="2026 / 9")
        company.exports()
        company.stage.teamleader.post("delete_booking", tenant=ACCOUNT, booking=first.id)
        again = company.invoices("80.00", number="2026 / 9")
        company.exports()
        assert company.shown(again)["cause"] == "BookedByOthers"
        assert len(company.booked(again)) == 1  # the old one
        company.books.delete(company.booked(again)[0].id)
        company.exports()
        assert [booking.gross for booking in company.booked(again)] == [Decimal("96.8")]

    def test_a_booking_of_equal_total_and_other_vat_is_not_adopted(self, company: Company) -> None:
        invoice = company.invoices("100.00", customer=company.customer("Slagerij Zon BV", vat_number=VAT))
        relation = company.relation("Slagerij Zon BV", vat_number=VAT)
        company.books_by_hand(invoice, relation=relation, vat=Decimal(0))
        company.exports()
        assert company.shown(invoice)["cause"] == "BookedByOthers"

    def test_a_booking_on_another_day_for_another_relation_is_shown(self, company: Company) -> None:
        invoice = company.invoices()
        company.books_by_hand(invoice, relation=company.relation("Balie"), day="2026-03-20")
        company.exports()
        assert company.shown(invoice)["cause"] == "BookedByOthers"
        assert len(company.booked(invoice)) == 1

    def test_a_start_that_moved_leaves_earlier_documents_alone(self, company: Company) -> None:
        company.closes(1)
        company.refreshes()
        january = company.invoices(day="2026-01-15")
        company.exports()
        company.person.patch(f"/api/connections/{company.connection}", start="2026-03-01")
        company.reopens(1)
        company.refreshes()
        company.exports()
        assert company.booked(january) == []
