"""Several entities: in one administration, in two behind one login, and two Teamleader accounts in one set of books."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import replace

import pytest

from boekbrug.domain.connections import JobKind
from fakes.octopus import seed as octopus_seed
from fakes.teamleader.seed import uid
from infra.local.person import Refused
from tests.support.books import Books
from tests.support.company import Company, Document, an_entity, connects, every_package, opens_account
from tests.support.octopus_books import OctopusBooks

TOKEN_LIVES = 11 * 60  # seconds, and a little longer; a dossier token lives no longer either
OTHER_ACCOUNT, OTHER_USER = uid("flow", "zusterbedrijf"), uid("flow", "zusterbedrijf", "user")
NEIGHBOURS = {"exact": ("72", "73"), "octopus": ("V4", "V5")}  # journals for a second entity
IN_OCTOPUS = pytest.mark.parametrize("package", ["octopus"])


@pytest.fixture
def shop(company: Company, package: str) -> Company:
    """A second entity of the same account in the same administration, with journals of its own."""
    return a_neighbour(company, company.books.beside(*NEIGHBOURS[package]))


def a_neighbour(company: Company, books: Books) -> Company:
    """Entities of one account have the same customers."""
    return replace(connects(company.stage, books, an_entity("winkel")), _customers=company._customers)


def with_journals(books: Books, *, invoices: str, credit_notes: str) -> Books:
    """The same administration, these journals chosen."""
    chosen = copy(books)
    chosen.journals = {"invoice": invoices, "credit_note": credit_notes}
    return chosen


def sentence_about(journal: str) -> str:
    return f"Dagboek {journal} kan niet voor facturen én creditnota's dienen"


def equal_invoices(*companies: Company) -> list[Document]:
    """An invoice of each that is in nothing different from the other's: number, day, amount, and who gets it."""
    return [company.invoices(number="2026 / 1") for company in companies]


def places(company: Company, *documents: Document) -> list[str]:
    """The journal of each in the books; every one is booked once."""
    return [booking.journal for document in documents for (booking,) in [company.booked(document)]]


def booking_numbers(company: Company, *documents: Document) -> list[str]:
    """As they are shown to people."""
    return [company.shown(document)["booking_number"] for document in documents]


def in_order(journal: str, many: int) -> list[str]:
    return [f"{journal} {number}" for number in range(1, many + 1)]


@every_package
class TestTwoEntitiesInOneAdministration:
    """rules.md 2, 8, 32."""

    def test_book_equal_numbers_once_each_in_their_own_journals(self, company: Company, shop: Company) -> None:
        ours, theirs = equal_invoices(company, shop)
        notes = [company.credits(ours), shop.credits(theirs)]
        company.exports()
        assert places(company, ours, notes[0]) == list(company.books.journals.values())
        assert places(shop, theirs, notes[1]) == list(shop.books.journals.values())
        assert company.problems() == shop.problems() == {}

    @pytest.mark.parametrize("fault", ["commit_then_drop", "drop_before"])
    def test_and_a_lost_answer_finds_no_booking_of_the_other(self, company: Company, shop: Company, fault: str) -> None:
        ours, theirs = equal_invoices(company, shop)
        company.fault("booking", fault)
        company.fault("booking", fault, nth=2)
        company.exports()
        assert places(company, ours) + places(shop, theirs) == [it.books.journals["invoice"] for it in (company, shop)]
        shown = [booking_numbers(company, ours), booking_numbers(shop, theirs)]
        assert shown == [[it.number for it in company.booked(ours)], [it.number for it in shop.booked(theirs)]]

    def test_get_the_payments_of_their_own_invoices(self, company: Company, shop: Company) -> None:
        ours, theirs = equal_invoices(company, shop)
        company.exports()
        shop.pays(theirs)
        company.imports_payments()
        assert (company.payments(ours), shop.payments(theirs)) == ([], [theirs.gross])
        company.pays(ours)
        company.imports_payments()
        assert (company.payments(ours), shop.payments(theirs)) == ([ours.gross], [theirs.gross])
        assert company.problems() == shop.problems() == {}

    def test_share_one_pair_of_journals_and_each_books_its_own_once(self, company: Company) -> None:
        branch = a_neighbour(company, company.books)
        ours, theirs = equal_invoices(company, branch)
        for _ in range(2):
            company.exports()
        (first, second) = company.booked(ours)
        assert {booking.number for booking in (first, second)} == {
            *booking_numbers(company, ours),
            *booking_numbers(branch, theirs),
        }
        assert len({booking.relation for booking in (first, second)}) == 1

    def test_of_which_the_second_begins_earlier_find_what_was_booked_and_paid_by_hand(self, company: Company) -> None:
        """The books were read from the start of the first on."""
        company.person.patch(f"/api/connections/{company.connection}", start="2026-03-01")
        company.invoices()
        company.exports()
        (relation,) = company.relations()
        shop = a_neighbour(company, company.books.beside(*NEIGHBOURS[company.books.package]))
        earlier = shop.invoices("80.00", day="2026-01-20")
        shop.books_by_hand(earlier, relation=relation, day="2026-01-20")
        shop.pays(earlier, day="2026-01-25")
        for _ in range(2):
            shop.exports()
            shop.imports_payments()
        assert booking_numbers(shop, earlier) == [booking.number for booking in shop.booked(earlier)]
        assert shop.payments(earlier) == [earlier.gross]
        assert company.problems() == shop.problems() == {}

    def test_of_which_one_is_switched_off_leave_the_other_alone(self, company: Company, shop: Company) -> None:
        company.person.patch(f"/api/connections/{company.connection}", active=False)
        ours, theirs = equal_invoices(company, shop)
        shop.exports()
        assert (company.booked(ours), places(shop, theirs)) == ([], [shop.books.journals["invoice"]])
        company.person.patch(f"/api/connections/{company.connection}", active=True)
        shop.person.patch(f"/api/connections/{shop.connection}", active=False)
        company.exports()
        assert places(company, ours) == [company.books.journals["invoice"]]
        assert len(shop.booked(theirs)) == 1

    def test_of_which_one_is_switched_off_get_its_payments_once_it_is_on_again(
        self, company: Company, shop: Company
    ) -> None:
        invoice = company.invoices()
        company.exports()
        company.pays(invoice)
        company.person.patch(f"/api/connections/{company.connection}", active=False)
        shop.imports_payments()
        assert company.payments(invoice) == []
        company.person.patch(f"/api/connections/{company.connection}", active=True)
        company.imports_payments()
        assert company.payments(invoice) == [invoice.gross]

    def test_have_no_journal_for_the_invoices_of_one_and_the_credit_notes_of_the_other(self, company: Company) -> None:
        invoices, credit_notes = company.books.journals.values()
        with pytest.raises(Refused, match=sentence_about(credit_notes)):
            a_neighbour(company, with_journals(company.books, invoices=credit_notes, credit_notes=invoices))

    def test_of_which_the_second_comes_later_find_what_stands_in_its_journals(self, company: Company) -> None:
        company.invoices()
        company.exports()
        (relation,) = company.relations()
        shop = a_neighbour(company, company.books.beside(*NEIGHBOURS[company.books.package]))
        invoice = shop.invoices("80.00", number="W 1")
        shop.books_by_hand(invoice, relation=relation)
        shop.exports()
        assert booking_numbers(shop, invoice) == [booking.number for booking in shop.booked(invoice)]

    def test_have_one_job_of_each_kind_and_one_look_at_each_list(self, company: Company) -> None:
        company.invoices()
        self.rounds(company)
        with looking(company) as alone:
            self.rounds(company)
        a_neighbour(company, company.books.beside(*NEIGHBOURS[company.books.package])).invoices()
        self.rounds(company)
        with looking(company) as together:
            self.rounds(company)
        assert together == alone
        jobs = company.stage.house().jobs.of_account(company.account)
        assert sorted(job.key.kind for job in jobs) == sorted(JobKind)

    @staticmethod
    def rounds(company: Company) -> None:
        company.stage.time.advance(3600)  # past what both vendors list again to be safe
        company.signs_in_again()
        company.exports()
        company.imports_payments()


@contextmanager
def looking(company: Company) -> Iterator[Counter[str]]:
    """What the package is asked for while this lasts; tokens do not count."""
    before, asked = len(company.books.control.journal()), Counter[str]()
    yield asked
    rows = company.books.control.journal()[before:]
    asked.update(f"{row['method']} {row['path']}" for row in rows if "oauth" not in row["path"])


@IN_OCTOPUS
class TestTwoEntitiesInOneDossier:
    def test_number_each_journal_without_a_gap(self, company: Company, shop: Company) -> None:
        days = ["2026-01-05", "2026-02-05", "2026-03-05"]
        ours, theirs = ([it.invoices(day=day, number=day) for day in days] for it in (company, shop))
        company.exports()
        assert booking_numbers(company, *ours) == in_order("V1", 3)
        assert booking_numbers(shop, *theirs) == in_order("V4", 3)

    def test_wait_for_their_own_journal_only(self, company: Company, shop: Company) -> None:
        company.books.is_opened_by("U99999", "V4")
        ours, theirs = equal_invoices(company, shop)
        company.asks_for("documents")
        company.stage.pump()
        assert (len(company.booked(ours)), len(shop.booked(theirs))) == (1, 0)
        company.books.is_opened_by(None, "V4")
        company.stage.settle()
        assert booking_numbers(shop, theirs) == ["V4 1"]


@every_package
def test_one_journal_for_both_kinds_is_refused_with_its_sentence(company: Company) -> None:
    """rules.md 32."""
    journal = company.books.journals["invoice"]
    with pytest.raises(Refused, match=sentence_about(journal)):
        company.person.patch(f"/api/connections/{company.connection}", credit_note_journal=journal)
    with pytest.raises(Refused, match=sentence_about(journal)):
        a_neighbour(company, with_journals(company.books, invoices=journal, credit_notes=journal))


@pytest.fixture
def quarters(company: Company) -> Company:
    """An entity in the other dossier of the same login: its bookyear has quarters, credit notes have VAT codes."""
    assert isinstance(company.books, OctopusBooks)
    return connects(company.stage, company.books.of_dossier(octopus_seed.QUARTERLY), an_entity("atelier"))


def codes_and_period(company: Company, document: Document) -> tuple[list[str], int]:
    (booking,) = company.booked(document)
    return list(booking.row["vat_per_code"]), booking.row["bookyearPeriodeNr"]


@IN_OCTOPUS
class TestTwoDossiersOfOneLogin:
    def test_each_books_in_its_own_periods_and_vat_codes(self, company: Company, quarters: Company) -> None:
        assert quarters.login == company.login
        invoices = [it.invoices(day="2026-02-10", number="1") for it in (company, quarters)]
        notes = [it.credits(invoice, "40.00") for it, invoice in zip((company, quarters), invoices, strict=True)]
        for it in (company, quarters):
            it.exports()
        assert [codes_and_period(company, it) for it in (invoices[0], notes[0])] == [(["21"], 202602), (["21"], 202603)]
        assert [codes_and_period(quarters, it) for it in (invoices[1], notes[1])] == [
            (["21"], 202601),
            (["C21"], 202601),
        ]
        assert company.problems() == quarters.problems() == {}

    def test_a_whole_credit_too_has_the_codes_of_credit_notes(self, quarters: Company) -> None:
        """rules.md 14, 18: it takes the accounts of its invoice, and no code that credit notes may not have."""
        quarters.stage.octopus.post("switches", credit_note_vat="type_4")
        invoice = quarters.invoices()
        quarters.exports()
        note = quarters.credits(invoice)
        quarters.exports()
        assert codes_and_period(quarters, note) == (["C21"], 202601)
        assert quarters.problems() == {}

    def test_payments_of_one_are_not_the_others(self, company: Company, quarters: Company) -> None:
        """Both have a V1 1 of bookyear 2026."""
        invoices = [it.invoices(number="1") for it in (company, quarters)]
        for it in (company, quarters):
            it.exports()
        quarters.pays(invoices[1])
        for it in (company, quarters):
            it.imports_payments()
        assert [company.is_paid(invoices[0]), quarters.is_paid(invoices[1])] == [False, True]

    def test_one_that_is_disabled_does_not_keep_the_other_waiting(self, company: Company, quarters: Company) -> None:
        """octopus.md 10.15."""
        paid = quarters.invoices()
        quarters.exports()
        quarters.pays(paid)
        company.books.disables()
        company.stage.time.advance(TOKEN_LIVES)
        refused, booked = company.invoices(), quarters.invoices("80.00")
        for kind in ("documents", "payments"):
            company.asks_for(kind)
            quarters.presses_sync_now(kind)
            company.stage.settle()
        assert (len(company.booked(refused)), len(quarters.booked(booked))) == (0, 1)
        assert quarters.payments(paid) == [paid.gross]
        assert quarters.problems() == {}
        assert list(company.problems()) == ["AdministrationUnreachable"]
        listed = company.person.get("/api/administrations", login=company.login)["administrations"]
        usable = {row["id"]: row["usable"] for row in listed}
        assert usable == {company.administration: False, quarters.administration: True}


@pytest.fixture
def sister(company: Company) -> Company:
    """The entity of another Teamleader account, in the same dossier and journals."""
    return a_sister(company, company.books)


def a_sister(company: Company, books: Books) -> Company:
    """It has a customer of the same name and VAT number."""
    opens_account(company.stage, OTHER_ACCOUNT, OTHER_USER)
    sister = connects(company.stage, books, an_entity("zusterbedrijf", OTHER_ACCOUNT, OTHER_USER))
    sister.customer(vat_number=company.vat_number(company.customer()))
    return sister


@IN_OCTOPUS
class TestTwoAccountsInOneDossier:
    """rules.md 3, 8: they share the numbers and nothing else."""

    def test_in_the_same_journal_number_on_without_a_double(self, company: Company, sister: Company) -> None:
        ours, theirs = equal_invoices(company, sister)
        later = company.invoices("50.00", day="2026-03-09")
        for it in (company, sister, company):
            it.exports()
        assert sorted(booking.number for booking in company.bookings()) == in_order("V1", 3)
        shown = [*booking_numbers(company, ours, later), *booking_numbers(sister, theirs)]
        assert sorted(shown) == in_order("V1", 3)
        assert len({booking.relation for booking in company.bookings()}) == 1
        assert company.problems() == sister.problems() == {}

    def test_both_at_once_number_on_without_a_double(self, company: Company, sister: Company) -> None:
        """The other one's export begins while ours has sent a booking and waits for the answer."""
        ours = [company.invoices(f"{n}0.00", day=f"2026-03-0{n}") for n in range(1, 4)]
        theirs = [sister.invoices(f"{n}5.00", day=f"2026-03-0{n}") for n in range(1, 4)]
        for skip in range(2):
            company.stage.on_the_line(company.books.sends["booking"], lambda: self.works(sister), skip=skip)
        company.asks_for("documents")
        sister.presses_sync_now("documents")
        company.stage.settle()
        assert sorted(booking.number for booking in company.bookings()) == in_order("V1", 6)
        shown = [*booking_numbers(company, *ours), *booking_numbers(sister, *theirs)]
        assert sorted(shown) == in_order("V1", 6)
        for it, documents in ((company, ours), (sister, theirs)):
            assert booking_numbers(it, *documents) == sorted(booking_numbers(it, *documents))
        assert sum(company.books.calls("POST buysellbookings").values()) == 6  # a number is offered by one of them only
        assert company.problems() == sister.problems() == {}
        assert company.books.refused_calls() == {}

    @staticmethod
    def works(other: Company) -> None:
        with other.stage.another_sandbox():
            other.stage.run(JobKind.DOCUMENTS, other.account, other.administration)

    def test_each_gets_the_payments_of_its_own(self, company: Company, sister: Company) -> None:
        ours, theirs = company.invoices(number="7"), sister.invoices("80.00", number="8")
        for it in (company, sister):
            it.exports()
        sister.pays(theirs)
        for it in (company, sister):
            it.imports_payments()
        assert (company.payments(ours), sister.payments(theirs)) == ([], [theirs.gross])
        assert company.problems() == sister.problems() == {}

    @pytest.mark.parametrize("looks_at", ["documents", "payments"])
    def test_a_number_that_came_free_becomes_the_others(self, company: Company, sister: Company, looks_at: str) -> None:
        """rules.md 4: ours is told to be gone, and what is paid under its number is the other's."""
        ours = company.invoices(number="1")
        company.exports()
        company.books.delete(company.booked(ours)[0].id)
        theirs = sister.invoices(number="2")
        sister.exports()
        assert booking_numbers(sister, theirs) == ["V1 1"]
        sister.pays(theirs)
        for kind in (looks_at, "documents", "payments"):
            company.asks_for(kind)
            company.stage.settle()
        sister.imports_payments()
        assert (company.payments(ours), sister.payments(theirs)) == ([], [theirs.gross])
        assert list(company.problems()) == ["BookingDeleted"]
        assert sister.problems() == {}

    def test_stay_within_the_limits_of_the_day_together(self, company: Company, sister: Company) -> None:
        for it in (company, sister):
            it.exports()
            it.runs_by_itself()
        company.stage.time.advance(24 * 3600)
        company.stage.settle()
        invoices = []
        for hour in range(24):
            invoices += [(company, company.invoices(number=f"A {hour}")), (sister, sister.invoices(number=f"B {hour}"))]
            company.stage.time.advance(3600)
            company.stage.settle()
        company.stage.time.advance(24 * 3600)
        company.stage.settle()
        assert [len(it.booked(invoice)) for it, invoice in invoices] == [1] * len(invoices)
        assert sorted(booking.number for booking in company.bookings()) == sorted(in_order("V1", len(invoices)))
        assert company.books.refused_calls() == {}

    def test_in_journals_of_their_own_neither_waits_for_the_other(self, company: Company) -> None:
        sister = a_sister(company, company.books.beside("V4", "V5"))
        ours, theirs = equal_invoices(company, sister)
        company.stage.on_the_line(company.books.sends["booking"], lambda: self.works(sister))
        company.asks_for("documents")
        company.stage.pump()
        assert (booking_numbers(company, ours), booking_numbers(sister, theirs)) == (["V1 1"], ["V4 1"])
