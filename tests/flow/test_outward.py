"""Money that only Teamleader has goes to Octopus, where a person wants that, and never comes back (rules.md 25)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from boekbrug.domain.connections import Outward
from infra.local.person import Refused
from tests.support.company import ACCOUNT, Company, Document
from tests.support.octopus_books import OctopusBooks

from .test_currencies import DOLLARS

PLACE = {"journal": "D1", "account": "580000"}
ENTRIES, MATCHES = "POST .*/financialdiversbookings$", "POST .*/balancings$"


@pytest.fixture
def package() -> str:
    return "octopus"


def switches_on(company: Company) -> None:
    company.person.patch(f"/api/connections/{company.connection}", outward=PLACE)


def setting(company: Company) -> Outward | None:
    house = company.stage.house()
    return next(one.outward for one in house.connections.of_account(company.account) if one.id == company.connection)


def entries(company: Company, journal: str = "D1") -> list[dict[str, Any]]:
    """What stands in a journal of this year that is not for sales."""
    rows = company.stage.octopus.state("payments")
    here = [row for row in rows if row["tenant"] == str(company.books.dossier)]
    return [row for row in here if row["journalKey"] == journal]


def amounts(company: Company) -> list[Decimal]:
    """What our entries take off what customers owe."""
    return [-Decimal(str(line["amount"])) for row in entries(company) for line in row["bookingLines"][:1]]


def left_open(company: Company, document: Document) -> Decimal:
    """What Octopus still wants for an invoice."""
    (booking,) = company.booked(document)
    return Decimal(str(booking.row["open"]))


def sent(company: Company, path: str) -> int:
    rows = company.stage.octopus.journal()
    return sum(1 for row in rows if row["method"] == "POST" and row["path"].endswith(path))


def an_hour_and_more(company: Company) -> None:
    """Until the open items are looked at again."""
    company.stage.time.advance(101 * 60)
    company.signs_in_again()
    company.imports_payments()


def paid_by_card(company: Company, net: str = "100.00", amount: str = "", day: str = "2026-03-20") -> Document:
    """An invoice in both, of which a payment is in Teamleader only."""
    invoice = company.invoices(net)
    company.exports()
    company.registers_by_hand(invoice, amount or invoice.gross, day)
    return invoice


class TestTheSwitch:
    def test_is_off_and_then_nothing_is_sent(self, company: Company) -> None:
        invoice = paid_by_card(company)
        assert setting(company) is None
        for _ in range(2):
            an_hour_and_more(company)
        assert (entries(company), sent(company, "/financialdiversbookings"), sent(company, "/balancings")) == ([], 0, 0)
        assert left_open(company, invoice) == invoice.gross
        assert company.problems() == {}

    def test_stays_off_without_a_journal_and_says_why(self, company: Company) -> None:
        for journal, reason in (("F1", "dagboek voor diverse"), ("D9", "dagboek voor diverse")):
            with pytest.raises(Refused, match=reason):
                company.person.patch(f"/api/connections/{company.connection}", outward={**PLACE, "journal": journal})
        with pytest.raises(Refused, match="wachtrekening"):
            company.person.patch(f"/api/connections/{company.connection}", outward={**PLACE, "account": "700000"})
        assert setting(company) is None

    def test_stays_off_where_the_dossier_has_no_such_journal(self, company: Company) -> None:
        company.stage.octopus.post("close_journal", tenant=company.books.dossier, journal="D1")
        company.refreshes()
        with pytest.raises(Refused, match="maak er daar een"):
            switches_on(company)

    def test_shows_what_there_is_to_choose_from(self, company: Company) -> None:
        page = company.person.get(f"/api/connections/{company.connection}")
        assert [journal["code"] for journal in page["outward_journals"]] == ["D1"]
        assert [account["code"] for account in page["outward_accounts"]] == ["550000", "580000"]

    def test_turned_off_again_sends_nothing_more(self, company: Company) -> None:
        switches_on(company)
        company.person.patch(f"/api/connections/{company.connection}", outward=None)
        paid_by_card(company)
        company.imports_payments()
        assert entries(company) == []


class TestAPayment:
    def test_in_teamleader_is_entered_and_matched_once(self, company: Company) -> None:
        switches_on(company)
        invoice = paid_by_card(company)
        company.imports_payments()
        (entry,) = entries(company)
        (booking,) = company.booked(invoice)
        client, clearing = entry["bookingLines"]
        assert (entry["documentDate"], entry["documentSequenceNr"]) == ("2026-03-20", 1)
        assert (client["type"], str(client["relationId"]), client["amount"]) == ("C", booking.relation, -121.0)
        assert (clearing["type"], clearing["accountKey"], clearing["amount"]) == ("A", 580000, 121.0)
        assert client["reference"] == booking.row["reference"]
        assert left_open(company, invoice) == 0
        assert company.payments(invoice) == [invoice.gross]
        assert company.problems() == {}

    def test_comes_back_as_a_match_and_is_not_registered_again(self, company: Company) -> None:
        switches_on(company)
        invoice = paid_by_card(company, amount="50.00")
        company.imports_payments()
        with company.counting_changes() as changes:
            for _ in range(3):
                an_hour_and_more(company)
        assert changes == []
        assert (company.payments(invoice), amounts(company)) == ([Decimal("50.00")], [Decimal("50.00")])
        assert left_open(company, invoice) == Decimal("71.00")
        assert company.problems() == {}

    def test_comes_back_without_our_key_and_is_not_registered_again_either(self, company: Company) -> None:
        """Whether a match tells the comment of its line is published nowhere."""
        company.stage.octopus.post("switches", money_comments_match=False)
        switches_on(company)
        invoice, part = paid_by_card(company), paid_by_card(company, "80.00", "30.00")
        for _ in range(3):
            an_hour_and_more(company)
        assert (sorted(amounts(company)), left_open(company, part)) == (
            [Decimal("30.00"), invoice.gross],
            Decimal("66.80"),
        )
        assert (company.payments(invoice), company.payments(part)) == ([invoice.gross], [Decimal("30.00")])
        assert company.problems() == {}

    def test_taken_back_in_teamleader_is_told_and_not_registered_by_us(self, company: Company) -> None:
        """Our own entry is no money: the books know of it by us."""
        switches_on(company)
        invoice = paid_by_card(company)
        company.imports_payments()
        company.stage.teamleader.post("remove_payments", tenant=ACCOUNT, booking=invoice.id)
        for _ in range(2):
            an_hour_and_more(company)
        assert company.payments(invoice) == []
        assert list(company.problems()) == ["PaymentDiffers"]

    def test_of_a_part_and_the_rest_from_the_bank_close_the_invoice_on_both_sides(self, company: Company) -> None:
        switches_on(company)
        invoice = paid_by_card(company, amount="50.00")
        company.imports_payments()
        company.pays(invoice, "71.00", day="2026-03-24")
        for _ in range(2):
            an_hour_and_more(company)
        assert company.payments(invoice) == [Decimal("50.00"), Decimal("71.00")]
        assert amounts(company) == [Decimal("50.00")]
        assert company.is_paid(invoice)
        assert left_open(company, invoice) == 0
        assert company.problems() == {}

    def test_two_alike_on_one_day_are_two(self, company: Company) -> None:
        switches_on(company)
        invoice = paid_by_card(company, amount="60.50")
        company.registers_by_hand(invoice, "60.50")
        company.imports_payments()
        assert amounts(company) == [Decimal("60.50"), Decimal("60.50")]
        assert left_open(company, invoice) == 0
        an_hour_and_more(company)
        assert len(entries(company)) == 2

    def test_from_the_books_never_goes_back(self, company: Company) -> None:
        switches_on(company)
        invoice, part = company.invoices(), company.invoices("80.00")
        company.exports()
        company.pays(invoice)
        company.pays(part, "40.00")
        company.imports_payments()
        company.unmatches(invoice)
        for _ in range(3):
            an_hour_and_more(company)
        assert (entries(company), list(company.problems())) == ([], ["MatchUndone"])

    def test_that_the_books_have_by_themselves_is_not_entered(self, company: Company) -> None:
        """A person registered in Teamleader what the bank brought too."""
        switches_on(company)
        invoice = company.invoices()
        company.exports()
        company.registers_by_hand(invoice, "50.00")
        company.pays(invoice, "50.00")
        for _ in range(2):
            an_hour_and_more(company)
        assert (entries(company), company.payments(invoice)) == ([], [Decimal("50.00")])
        assert company.problems() == {}

    def test_of_more_than_the_books_want_is_a_persons_to_look_at(self, company: Company) -> None:
        switches_on(company)
        invoice = company.invoices()
        company.exports()
        company.pays(invoice, "100.00")
        company.registers_by_hand(invoice, invoice.gross)
        company.imports_payments()
        assert entries(company) == []
        assert "21.00" in company.problems()["PaymentDiffers"][0]

    def test_in_a_period_that_is_closed_waits_for_a_person(self, company: Company) -> None:
        switches_on(company)
        company.closes(3, "D1")
        company.refreshes()
        invoice = paid_by_card(company)
        company.imports_payments()
        assert "afgesloten" in company.problems()["PaymentNotBooked"][0]
        company.reopens(3, "D1")
        company.refreshes()
        an_hour_and_more(company)
        assert left_open(company, invoice) == 0
        assert company.problems() == {}

    def test_that_a_bank_line_brings_later_is_left_to_the_bookkeeper(self, company: Company) -> None:
        switches_on(company)
        invoice = paid_by_card(company)
        company.imports_payments()
        company.pays(invoice)
        assert len(entries(company, "F1")) == 1
        with company.counting_changes() as changes:
            for _ in range(2):
                an_hour_and_more(company)
        assert changes == []
        assert company.payments(invoice) == [invoice.gross]
        assert company.problems() == {}


class TestADoubt:
    @pytest.mark.parametrize("fault", ["commit_then_drop", "drop_before"])
    @pytest.mark.parametrize("path", ["financialdiversbookings$", "/balancings$"])
    def test_is_settled_and_there_is_one_of_each(self, company: Company, path: str, fault: str) -> None:
        switches_on(company)
        invoice = paid_by_card(company)
        company.stage.octopus.post("faults", match={"method": "POST", "path": path}, do=fault)
        company.imports_payments()
        assert company.unsettled() == 0
        assert (amounts(company), left_open(company, invoice)) == ([invoice.gross], 0)
        an_hour_and_more(company)
        assert (amounts(company), company.payments(invoice)) == ([invoice.gross], [invoice.gross])
        assert company.problems() == {}

    def test_about_a_match_keeps_everything_else_back(self, company: Company) -> None:
        switches_on(company)
        first, second = paid_by_card(company), paid_by_card(company, "80.00")
        company.stage.octopus.post("faults", match={"method": "POST", "path": "/balancings$"}, do="drop_before")
        company.asks_for("payments")
        company.stage.pump()
        assert len(entries(company)) == 1
        company.stage.settle()
        an_hour_and_more(company)
        assert [left_open(company, one) for one in (first, second)] == [0, 0]
        assert len(entries(company)) == 2
        assert company.problems() == {}


class TestAJournal:
    def test_that_somebody_works_in_waits_and_goes_on_by_itself(self, company: Company) -> None:
        switches_on(company)
        invoice = paid_by_card(company)
        books(company).is_opened_by("collega", "D1")
        company.asks_for("payments")
        company.stage.pump()
        assert (entries(company), company.problems(), company.unsettled()) == ([], {}, 0)
        books(company).is_opened_by(None, "D1")
        company.stage.time.advance(101 * 60)
        company.stage.settle()
        assert left_open(company, invoice) == 0

    def test_in_which_somebody_booked_meanwhile_gives_the_next_number(self, company: Company) -> None:
        switches_on(company)
        invoice = paid_by_card(company)
        company.stage.on_the_line(ENTRIES, lambda: books(company).lets_numbers_jump(5, "D1"))
        company.imports_payments()
        assert [row["documentSequenceNr"] for row in entries(company)] == [5]
        assert left_open(company, invoice) == 0

    def test_that_vanished_is_a_finding_and_a_problem(self, company: Company) -> None:
        switches_on(company)
        paid_by_card(company)
        company.stage.octopus.post("close_journal", tenant=company.books.dossier, journal="D1")
        company.refreshes()
        company.imports_payments()
        assert entries(company) == []
        assert list(company.problems()) == ["PaymentNotBooked"]
        found = company.person.get(f"/api/connections/{company.connection}/readiness")["findings"]
        assert "clearing_journal_missing" in {one["code"] for one in found}

    def test_whose_signs_are_the_other_way_round_gets_one_entry_and_a_sentence(self, company: Company) -> None:
        """No source tells the sign in D journals: a wrong one cannot be matched, and stops the rest."""
        company.stage.octopus.post("switches", divers_sign="as_bank")
        switches_on(company)
        paid_by_card(company)
        paid_by_card(company, "80.00")
        for _ in range(3):
            an_hour_and_more(company)
        assert len(entries(company)) == 1
        assert list(company.problems()) == ["PaymentNotMatched"]


class TestAnEntryBesideItsInvoice:
    """The bank line was matched between our two writes."""

    @pytest.fixture
    def invoice(self, company: Company) -> Document:
        switches_on(company)
        invoice = paid_by_card(company)
        company.stage.on_the_line(MATCHES, lambda: company.pays(invoice))
        company.imports_payments()
        return invoice

    def test_is_told_and_stops_the_rest(self, company: Company, invoice: Document) -> None:
        assert "D1 1" in company.problems()["PaymentNotMatched"][0]
        paid_by_card(company, "80.00")
        an_hour_and_more(company)
        assert len(entries(company)) == 1
        assert company.payments(invoice) == [invoice.gross]

    def test_is_settled_by_deleting_it(self, company: Company, invoice: Document) -> None:
        books(company).delete(entries(company)[0]["id"])
        other = paid_by_card(company, "80.00")
        an_hour_and_more(company)
        assert company.problems() == {}
        assert [left_open(company, one) for one in (invoice, other)] == [0, 0]

    def test_is_settled_by_matching_it_there(self, company: Company, invoice: Document) -> None:
        company.unmatches(invoice)
        an_hour_and_more(company)
        an_hour_and_more(company)
        assert company.problems() == {}
        assert (left_open(company, invoice), len(entries(company))) == (0, 1)


def test_an_entry_that_somebody_deleted_is_told_and_not_made_again(company: Company) -> None:
    switches_on(company)
    invoice = paid_by_card(company)
    company.imports_payments()
    books(company).delete(entries(company)[0]["id"])
    for _ in range(3):
        an_hour_and_more(company)
    assert (entries(company), left_open(company, invoice)) == ([], invoice.gross)
    assert list(company.problems()) == ["PaymentDiffers"]
    company.pays(invoice)
    for _ in range(2):
        an_hour_and_more(company)
    assert company.problems() == {}
    assert company.payments(invoice) == [invoice.gross]


def test_in_another_currency_a_payment_is_told(company: Company) -> None:
    switches_on(company)
    invoice = company.invoices(**DOLLARS)
    company.exports()
    company.registers_by_hand(invoice, "50.00")
    company.imports_payments()
    assert entries(company) == []
    assert "50.00 USD" in company.problems()["PaymentNotBooked"][0]


def test_a_day_of_it_stays_within_what_octopus_allows(company: Company) -> None:
    switches_on(company)
    paid_by_card(company, amount="50.00")
    company.runs_by_itself()
    for _ in range(24 + 15):  # until the end of the first whole Belgian day
        company.stage.time.advance(3600)
        company.stage.settle()
    assert books(company).refused_calls() == {}
    assert max(books(company).calls("POST reports/clients/open").values()) <= 17
    assert amounts(company) == [Decimal("50.00")]


def books(company: Company) -> OctopusBooks:
    assert isinstance(company.books, OctopusBooks)
    return company.books
