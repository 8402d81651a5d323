"""What only Octopus does: numbers of ours, journals in use, passwords, and limits that last a day."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest

from boekbrug.ports import WriteKind
from boekbrug.settings import read_settings
from boekbrug.store.keys import Table
from boekbrug.store.table import Items, delete
from fakes.teamleader.seed import belgian_vat
from infra.local.person import Refused
from tests.support.books import DAY, Typed
from tests.support.company import Company, Document
from tests.support.octopus_books import USER
from tests.support.stage import Cloud

DOLLARS = {"currency": "USD", "currency_exchange_rate": {"from": "USD", "to": "EUR", "rate": Decimal("0.9")}}
TOKEN_LIVES = 11 * 60  # seconds, and a little longer
VAT = belgian_vat(15_555_555)
YEAR = "GET bookyears/<int(signed=True):bookyear>"
NEXT_NUMBERS = (f"{YEAR}/journals", f"{YEAR}/journals/<letter>/<int:number>")
LOOKS = "GET buysellbookings/modified"
CHANGES = (LOOKS, f"{YEAR}/bookings/modified", "GET balancings/modified", "GET relations/modified")
ONCE = ("GET accounts", "GET vatcodes")


@pytest.fixture
def package() -> str:
    return "octopus"


def numbers(company: Company, *documents: Document) -> list[str]:
    """The package's number of each; every one is booked once."""
    return [booking.number for document in documents for (booking,) in [company.booked(document)]]


def somebody_elses(company: Company, net: str = "50.00") -> Typed:
    """An invoice a bookkeeper types for whoever comes by."""
    (relation,) = company.relations("Diverse klanten")
    vat = Decimal(net) * Decimal("0.21")
    return Typed("invoice", "HAND 7", relation, DAY, Decimal(net), vat, company.books.journals["invoice"])


def a_day(company: Company, operation: str) -> int:
    """How often it was asked for on the day on which that was most often."""
    return max(company.books.calls(operation).values(), default=0)


def sent(company: Company) -> int:
    rows = company.stage.octopus.journal()
    return sum(1 for row in rows if row["method"] == "POST" and row["path"].endswith("/buysellbookings"))


class TestNumbers:
    def test_follow_in_the_order_of_the_documents(self, company: Company) -> None:
        late, early = company.invoices(day="2026-03-05"), company.invoices(day="2026-02-05")
        company.exports()
        assert numbers(company, early, late) == ["V1 1", "V1 2"]
        assert [company.shown(one)["booking_number"] for one in (early, late)] == ["V1 1", "V1 2"]

    def test_that_a_bookkeeper_took_meanwhile_are_left_to_him(self, company: Company) -> None:
        """octopus.md 10.2."""
        by_hand = somebody_elses(company)
        company.stage.on_the_line(company.books.sends["booking"], lambda: company.books.book(by_hand))
        first, second = company.invoices(day="2026-02-05"), company.invoices(day="2026-03-05")
        company.exports()
        assert numbers(company, first, second) == ["V1 2", "V1 3"]
        assert company.problems() == {}

    def test_taken_before_each_of_our_offers_cost_one_more_offer_and_nothing_else(self, company: Company) -> None:
        """octopus.md 10.2: a document is offered twice in a slice, and anew in the next."""
        by_hand = somebody_elses(company)
        days = ("2026-02-05", "2026-02-06", "2026-02-07")
        invoices = [company.invoices(day=day) for day in days]
        for nth in range(3):
            company.stage.on_the_line(company.books.sends["booking"], lambda: company.books.book(by_hand), skip=nth)
        company.asks_for("documents")
        company.stage.pump()
        assert (sent(company), list(company.problems())) == (2, ["NumberTaken"])  # until it is booked
        company.stage.settle()
        assert numbers(company, *invoices) == ["V1 4", "V1 5", "V1 6"]
        assert sent(company) == 3 + len(invoices)
        assert company.problems() == company.books.refused_calls() == {}
        assert max(a_day(company, operation) for operation in NEXT_NUMBERS) <= 19

    def test_taken_by_this_very_document_mean_that_it_is_booked(self, company: Company) -> None:
        """The look after a taken number is always taken (rules.md 1)."""
        known = company.invoices("10.00", day="2026-01-05")
        company.exports()
        invoice = company.invoices(customer=known.customer)
        (relation,) = company.relations()
        by_hand = partial(company.books_by_hand, invoice, relation=relation)
        company.stage.on_the_line(company.books.sends["booking"], by_hand)
        company.exports()
        assert numbers(company, invoice) == ["V1 2"]
        assert company.shown(invoice)["state"] == "booked"
        assert company.problems() == {}

    def test_that_came_free_are_used_again_once_the_old_booking_is_proved_gone(self, company: Company) -> None:
        """rules.md 4."""
        deleted = company.invoices(day="2026-02-05")
        company.exports()
        company.books.delete(company.booked(deleted)[0].id)
        later = company.invoices("80.00", day="2026-03-05")
        company.exports()
        assert numbers(company, later) == ["V1 1"]
        assert company.booked(deleted) == []
        assert company.shown(deleted)["cause"] == "BookingDeleted"
        company.pays(later)
        company.imports_payments()
        assert company.payments(later) == [later.gross]
        assert company.payments(deleted) == []

    def test_that_came_free_and_were_taken_by_hand_are_the_other_documents(self, company: Company) -> None:
        """Octopus tells of no deletion whose number is in use again."""
        deleted = company.invoices("10.00")
        company.exports()
        company.books.delete(company.booked(deleted)[0].id)
        invoice = company.invoices("80.00")
        (relation,) = company.relations()
        company.books_by_hand(invoice, relation=relation)
        company.exports()
        assert numbers(company, invoice) == ["V1 1"]
        assert company.shown(invoice)["state"] == "booked"
        assert company.shown(deleted)["cause"] == "BookingDeleted"

    def test_that_somebody_let_jump_ahead_go_on_there(self, company: Company) -> None:
        """octopus.md 5.4: the program can."""
        company.books.lets_numbers_jump(100)
        first, second = company.invoices(day="2026-02-05"), company.invoices(day="2026-03-05")
        company.exports()
        assert numbers(company, first, second) == ["V1 100", "V1 101"]
        assert company.problems() == {}


class TestADocumentBelowZero:
    """Signs tell the kinds apart there: an invoice of -60.50 is what a credit note of 60.50 is."""

    @pytest.mark.parametrize("kind", ["invoice", "credit_note"])
    def test_is_booked_read_and_settled_as_what_it_is(self, company: Company, kind: str) -> None:
        document = company.invoices("-50.00")
        if kind == "credit_note":
            document = company.credits(document)
        company.exports()
        for _ in range(2):  # the second look compares
            company.exports()
        (booking,) = company.booked(document)
        assert (booking.kind, booking.gross, booking.vat) == (kind, document.gross, document.vat)
        assert company.problems() == {}

    def test_that_somebody_typed_in_is_shown_and_not_booked_beside(self, company: Company) -> None:
        customer = company.customer()
        relation = company.relation("Bakkerij Wolk BV", company.vat_number(customer))
        invoice = company.invoices("-50.00", customer=customer)
        company.books_by_hand(invoice, relation=relation)
        company.exports()
        assert len(company.bookings()) == 1
        assert company.shown(invoice)["cause"] == "BookedByOthers"


class TestAFirstLook:
    def test_that_a_limit_cut_in_two_sees_what_was_booked_meanwhile(self, company: Company) -> None:
        """It goes on where it stopped, hours later, and what it read by then is old."""
        customer = company.customer()
        relation = company.relation("Bakkerij Wolk BV", company.vat_number(customer))
        the_third = {"method": "GET", "path": "/buysellbookings/modified", "nth": 3}
        company.stage.octopus.post("faults", match=the_third, do="rate_limit")
        invoice = company.invoices()
        company.asks_for("documents")
        company.stage.pump()
        company.stage.time.advance(3600)
        company.books_by_hand(invoice, relation=relation)
        company.stage.time.advance(24 * 3600)
        company.stage.settle()
        company.signs_in_again()
        assert numbers(company, invoice) == ["V1 1"]
        assert company.shown(invoice)["state"] == "booked"


class TestABookingThatWasDeleted:
    def test_is_told_and_never_sent_again_by_itself(self, company: Company) -> None:
        invoice, other = company.invoices(day="2026-02-05"), company.invoices(day="2026-03-05")
        company.exports()
        company.books.delete(company.booked(invoice)[0].id)
        for _ in range(2):
            company.exports()
        assert company.booked(invoice) == []
        assert "V1 1" in company.problems()["BookingDeleted"][0]
        assert len(company.booked(other)) == 1

    def test_goes_there_again_when_a_person_says_so(self, company: Company) -> None:
        invoice = company.invoices()
        company.exports()
        company.books.delete(company.booked(invoice)[0].id)
        company.exports()
        company.stage.house().documents(company.account, company.administration).release(documents=[invoice.id])
        company.exports()
        assert len(company.booked(invoice)) == 1
        assert company.problems() == {}


class TestAJournalInUse:
    def test_waits_while_others_go_on_and_then_follows(self, company: Company) -> None:
        """octopus.md 10.3."""
        before = company.invoices(day="2026-02-05")
        company.exports()
        company.books.is_opened_by("U99999")
        note, invoice = company.credits(before), company.invoices(day="2026-03-05")
        company.asks_for("documents")
        company.stage.pump()
        assert (len(company.booked(invoice)), len(company.booked(note))) == (0, 1)
        company.books.is_opened_by(None)
        company.stage.settle()
        assert numbers(company, invoice) == ["V1 2"]
        assert company.problems() == {}


class TestALostAnswer:
    @pytest.mark.parametrize("fault", ["commit_then_drop", "drop_before", "html_page"])
    def test_is_settled_by_offering_the_same_number_again(self, company: Company, fault: str) -> None:
        company.fault("booking", fault)
        invoice = company.invoices()
        company.exports()
        assert numbers(company, invoice) == ["V1 1"]
        assert sent(company) == 2
        assert company.unsettled() == 0
        assert company.problems() == {}

    def test_of_a_customer_makes_no_second_one(self, company: Company) -> None:
        company.fault("relation", "commit_then_drop")
        invoice = company.invoices()
        company.exports()
        (relation,) = company.relations()
        assert company.booked(invoice)[0].relation == relation

    def test_of_a_booking_with_its_file_leaves_one_file(self, company: Company) -> None:
        company.person.patch(f"/api/connections/{company.connection}", attach=["pdf"])
        company.fault("booking", "commit_then_drop")
        invoice = company.invoices()
        company.exports()
        (booking,) = company.booked(invoice)
        assert len(booking.files) == 1


class TestAccess:
    def test_a_password_that_changed_pauses_with_one_sentence_until_it_is_given(self, company: Company) -> None:
        """octopus.md 10.13."""
        invoice = company.invoices()
        company.books.changes_password("een-ander")
        company.stage.time.advance(TOKEN_LIVES)
        logins_before = self.attempts(company)
        company.exports()
        assert self.attempts(company) == logins_before + 1  # they are counted there, and too many shut the door
        paused = company.job("documents")["paused"]
        assert (paused["cause"], "Octopus" in paused["sentence"]) == ("AccessExpired", True)
        assert len(company.problems()["AccessExpired"]) == 1
        assert company.bookings() == []
        company.consents_again()
        company.stage.settle()
        assert len(company.booked(invoice)) == 1
        assert company.job("documents")["paused"] is None
        assert company.problems() == {}

    @staticmethod
    def attempts(company: Company) -> int:
        rows = company.stage.octopus.journal()
        return sum(1 for row in rows if (row["method"], row["path"][-15:]) == ("POST", "/authentication"))

    def test_a_wrong_password_is_refused_in_words_and_tried_once(self, company: Company) -> None:
        before = self.attempts(company)
        with pytest.raises(Refused, match="Octopus"):
            company.person.log_in("octopus", USER, "mis")
        assert self.attempts(company) == before + 1

    def test_by_consent_works_as_by_password_and_is_renewed(self, company: Company) -> None:
        assert company.person.connect("octopus") == company.login
        company.stage.time.advance(TOKEN_LIVES)
        invoice = company.invoices()
        company.exports()
        assert len(company.booked(invoice)) == 1
        tokens = [row for row in company.stage.octopus.journal() if row["path"] == "/octopus-oauth/token"]
        assert len(tokens) >= 2

    def test_to_a_disabled_dossier_ends_and_comes_back(self, company: Company) -> None:
        invoice = company.invoices()
        company.books.disables()
        company.stage.time.advance(TOKEN_LIVES)
        company.exports()
        assert company.bookings() == []
        (sentences,) = company.problems().values()
        assert len(sentences) == 1
        company.books.disables(False)
        company.exports()
        assert len(company.booked(invoice)) == 1
        assert company.problems() == {}


class TestALimitOfADay:
    def test_that_is_spent_lets_the_rest_go_on_the_next_belgian_day(self, company: Company) -> None:
        company.stage.octopus.post("switches", quota={"POST buysellbookings": 2})
        invoices = [company.invoices(f"{n}.00", day=f"2026-03-0{n}") for n in range(1, 5)]
        company.exports()
        assert [len(company.booked(invoice)) for invoice in invoices] == [1, 1, 0, 0]
        assert company.problems() == {}
        midnight = company.stage.time.now().replace(hour=22, minute=0)  # in Belgium, in summer
        for wait in (midnight - timedelta(minutes=5), midnight + timedelta(minutes=1)):
            assert sent(company) == 3  # the one that was refused, and none after it
            company.stage.time.advance((wait - company.stage.time.now()).total_seconds())
            company.stage.settle()
        assert [len(company.booked(invoice)) for invoice in invoices] == [1, 1, 1, 1]

    def test_is_hardly_touched_on_a_day_without_news(self, company: Company) -> None:
        company.exports()
        company.runs_by_itself()
        hours = 24 + 15  # until the end of the first whole Belgian day
        for _ in range(hours):
            company.stage.time.advance(3600)
            company.stage.settle()
        day = (company.stage.time.now() - timedelta(hours=3)).date().isoformat()
        used = {
            operation: calls.get(day, 0) for operation in ONCE + CHANGES for calls in [company.books.calls(operation)]
        }
        assert {operation: used[operation] for operation in ONCE} == dict.fromkeys(ONCE, 1)
        assert max(used[operation] for operation in CHANGES) <= 40
        assert company.books.refused_calls() == {}

    def test_is_never_reached_by_looking(self, company: Company) -> None:
        """Six hours of somebody who presses "sync now" every quarter of an hour."""
        company.invoices()
        company.exports()
        for _ in range(4 * 6):
            company.stage.time.advance(15 * 60)
            for kind in ("documents", "payments"):
                company.person.sync(company.connection, kind)
            company.stage.settle()
        assert company.books.refused_calls() == {}


class TestWhatOnlyOctopusKnows:
    """The reference is silent on these; a switch of the fake is the other reading (fakes/octopus/COVERAGE.md)."""

    @pytest.mark.parametrize(
        "otherwise",
        [
            {"dossier_token_connects": False},
            {"quota_status": 403},
            {"quota_status": 400},
            {"empty_relations_list": True},
            {"timestamp_inclusive": False},
            {"timestamp_utc": True},
            {"divers_sign": "as_bank"},
            {"open_credit_sign": "positive"},
            {"money_comments_match": False},
        ],
        ids=lambda otherwise: "-".join(map(str, *otherwise.items())),
    )
    def test_costs_no_document_and_no_payment_whatever_it_is(self, company: Company, otherwise: dict) -> None:
        company.stage.octopus.post("switches", quota={"POST buysellbookings": 4}, **otherwise)
        full, part, credited, by_hand = (company.invoices(f"{n}00.00", day=f"2026-02-0{n}") for n in range(1, 5))
        note = company.credits(credited, "30.00", day="2026-03-01")
        relation = company.relation("Bakkerij Wolk BV", company.vat_number(full.customer))
        company.books_by_hand(by_hand, relation=relation, day="2026-02-04")
        company.exports()
        last = company.invoices("500.00", day="2026-03-05")
        company.exports()
        assert numbers(company, by_hand, full, part, credited, note) == ["V1 1", "V1 2", "V1 3", "V1 4", "V2 1"]
        assert company.booked(last) == []
        company.stage.time.advance(24 * 3600)
        company.signs_in_again()
        company.exports()
        assert numbers(company, last) == ["V1 5"]
        company.pays(full)
        company.pays(part, "42.00")
        company.matches(credited, note, note.gross)
        company.pays(credited, "326.70")
        company.pays(by_hand, "480.00")
        company.pays(by_hand, "4.00", kind="write_off")
        for _ in range(2):
            company.imports_payments()
        assert [sorted(company.payments(one)) for one in (full, part, credited, by_hand, last)] == [
            [full.gross],
            [Decimal("42.00")],
            [Decimal("326.70")],
            [Decimal("4.00"), Decimal("480.00")],
            [],
        ]
        assert company.problems() == {}


class TestForeignMoney:
    """rules.md 16: which way a rate goes shows in the books' own currency; until it does, one invoice goes ahead."""

    def test_stands_in_its_own_currency_and_so_does_its_payment(self, company: Company) -> None:
        invoice, euros = company.invoices("100.00", **DOLLARS), company.invoices("70.00")
        company.exports()
        (booking,) = company.booked(invoice)
        assert (booking.gross, booking.row["currencyCode"]) == (121, "USD")
        assert len(company.booked(euros)) == 1
        company.pays(invoice, "100.00")
        company.imports_payments()
        assert company.payments(invoice) == [Decimal("100.00")]
        assert company.problems() == {}

    def test_is_told_when_octopus_counts_the_other_way(self, company: Company) -> None:
        company.stage.octopus.post("switches", rate_direction="divide")
        invoices = [company.invoices(**DOLLARS) for _ in range(3)]
        euros = company.invoices("70.00")
        company.exports()
        company.exports()
        assert len(company.booked(euros)) == 1
        assert sum(len(company.booked(invoice)) for invoice in invoices) <= 2
        assert "BookedDifferently" in company.problems()


class TestPayments:
    def test_an_empty_report_at_the_change_of_the_year_pays_nothing(self, company: Company) -> None:
        """octopus.md 10.8: the open items of the old year show in the new one only once they were carried over."""
        invoice = company.invoices("100.00", day="2026-12-20")
        self.goes_on_at(company, "2026-12-28T09:00:00+00:00")
        company.exports()
        company.imports_payments()
        self.goes_on_at(company, "2027-01-02T09:00:00+00:00")
        company.imports_payments()
        assert company.payments(invoice) == []
        assert not company.is_paid(invoice)
        company.pays(invoice, day="2027-01-04")
        self.goes_on_at(company, "2027-01-05T09:00:00+00:00")
        company.imports_payments()
        assert company.payments(invoice) == [invoice.gross]
        assert company.problems() == {}

    def test_a_report_that_is_suddenly_empty_pays_nothing(self, company: Company) -> None:
        """octopus.md 10.8."""
        invoice = company.invoices()
        company.exports()
        for path in ("reports/clients/open", "balancings/modified"):
            company.stage.octopus.post("faults", match={"path": path}, do={"status": 404}, times=9)
        company.imports_payments()
        self.goes_on_at(company, "2026-04-02T09:00:00+00:00")
        company.imports_payments()
        assert company.payments(invoice) == []

    def test_of_one_number_in_two_bookyears_go_to_the_right_one(self, company: Company) -> None:
        """octopus.md 10.9."""
        self.goes_on_at(company, "2027-01-06T09:00:00+00:00")
        before, after = company.invoices(day="2026-12-20"), company.invoices(day="2027-01-04")
        company.exports()
        assert numbers(company, before, after) == ["V1 1", "V1 1"]
        company.pays(after, day="2027-01-06")
        company.imports_payments()
        assert [company.payments(invoice) for invoice in (before, after)] == [[], [after.gross]]
        company.pays(before, day="2027-01-06")
        company.imports_payments()
        assert [company.payments(invoice) for invoice in (before, after)] == [[before.gross], [after.gross]]
        assert company.problems() == {}

    def test_are_read_and_nothing_is_written_beside_sales_and_customers(self, company: Company) -> None:
        """octopus.md 10.17, 10.20: what the bank file matches is never ours to book or to match."""
        company.runs_by_itself()
        invoice, part, credited = company.invoices(), company.invoices("80.00"), company.invoices("60.00")
        note = company.credits(credited)
        company.exports()
        company.pays(invoice)
        company.pays(part, "40.00")
        company.matches(credited, note, credited.gross)
        company.imports_payments()
        self.goes_on_at(company, "2026-04-02T09:00:00+00:00")
        company.stage.settle()
        assert [company.payments(one) for one in (invoice, part, credited)] == [[invoice.gross], [Decimal("40.00")], []]
        rows = company.stage.octopus.journal()
        written = {
            f"{row['method']} {row['path'].removeprefix('/octopus-rest-api/v1')}"
            for row in rows
            if row["method"] != "GET"
        }
        ours = r"POST /authentication|POST /dossiers|PUT {0}/relations|POST {0}/(buysellbookings|reports/clients/open)"
        assert {one for one in written if not re.fullmatch(ours.format(r"/dossiers/\d+"), one)} == set()

    @staticmethod
    def goes_on_at(company: Company, moment: str) -> None:
        company.stage.octopus.post("clock", now=moment)
        company.signs_in_again()


class TestACustomer:
    """octopus.md 10.10."""

    def test_of_two_runs_is_one_relation(self, company: Company) -> None:
        invoices = [company.invoices(day="2026-02-05")]
        company.exports()
        company.stage.time.advance(TOKEN_LIVES)
        invoices += [company.invoices(day=day) for day in ("2026-02-06", "2026-02-07")]
        company.exports()
        (relation,) = company.relations()
        assert {booking.relation for one in invoices for booking in company.booked(one)} == {relation}

    @pytest.mark.parametrize("vat_number", [VAT, ""])
    def test_that_we_forgot_and_somebody_renamed_there_waits_for_a_person(
        self, company: Company, vat_number: str
    ) -> None:
        """rules.md 3, 5: our number is there already, and what carries it is not overwritten."""
        customer = company.customer("Slagerij Zon BV", vat_number=vat_number)
        company.invoices(customer=customer, day="2026-02-05")
        company.exports()
        (relation,) = company.relations("Slagerij Zon BV")
        tenant = company.books.dossier
        company.stage.octopus.post("edit_relation", tenant=tenant, relation=relation, name="Zon & Zonen")
        forgets(company, customer, relation)
        invoice = company.invoices(customer=customer)
        company.exports()
        assert company.shown(invoice)["cause"] == "RelationAmbiguous"
        assert (company.relations("Zon & Zonen"), company.relations("Slagerij Zon BV")) == ([relation], [])
        company.decides(customer, adopt=relation)
        company.stage.settle()
        assert [booking.relation for booking in company.booked(invoice)] == [relation]
        assert company.problems() == {}

    def test_that_we_forgot_is_found_again(self, company: Company) -> None:
        company.invoices(day="2026-02-05")
        company.exports()
        (relation,) = company.relations()
        forgets(company, company.customer(), relation)
        invoice = company.invoices()
        company.exports()
        assert company.relations() == [company.booked(invoice)[0].relation] == [relation]


def forgets(company: Company, customer: str, relation: str) -> None:
    """The bridge's table was put back to a time before it knew this customer."""
    table, kind = Table(company.account), WriteKind.RELATION
    intent = table.intent(company.administration, kind, f"company:{customer}")
    name = read_settings(company.stage.resources.environment()).table_name
    way_back = table.ref(company.administration, kind, relation)
    Items(Cloud.client("dynamodb"), name).write_all([delete(intent), delete(way_back)])


class TestAFirstLookThatBreaksOff:
    """octopus.md 10.16, rules.md 1."""

    def test_books_nothing_and_goes_on_with_the_part_that_is_missing(self, company: Company) -> None:
        customer, relation = company.customer(vat_number=VAT), company.relation("Bakkerij Wolk BV", VAT)
        invoice = company.invoices(customer=customer, day="2026-02-05")
        note, ours = company.credits(invoice), company.invoices("80.00", customer=customer)
        company.books_by_hand(invoice, relation=relation, day="2026-02-05")
        company.books_by_hand(note, relation=relation)
        look = {"path": "buysellbookings/modified", "nth": 2}
        company.stage.octopus.post("faults", match=look, do={"status": 500})
        company.asks_for("documents")
        company.stage.pump()
        assert (sent(company), a_day(company, LOOKS)) == (0, 1)
        company.stage.settle()
        assert numbers(company, invoice, note, ours) == ["V1 1", "V2 1", "V1 2"]
        # Two journals in two bookyears, each read once; and what changed since, before a number that was news is used.
        assert (sent(company), a_day(company, LOOKS)) == (1, 4 + 1)
        assert {company.shown(one)["state"] for one in (invoice, note, ours)} == {"booked"}
        assert company.problems() == {}


class TestABookingThatWasTypedAgain:
    """octopus.md 10.19: the bookkeeper deletes ours and books the document himself, under another number."""

    @pytest.fixture
    def ours(self, company: Company) -> Document:
        """Exported as V1 1, with another one behind it so that its number does not come free."""
        invoice = company.invoices(customer=company.customer(vat_number=VAT), day="2026-02-05")
        company.invoices("80.00", customer=invoice.customer)
        company.exports()
        return invoice

    @pytest.mark.parametrize("keeps_our_key", [False, True])
    def test_is_taken_over_when_a_person_says_so(self, company: Company, ours: Document, keeps_our_key: bool) -> None:
        self.types_again(company, ours, keeps_our_key=keeps_our_key)
        company.pays(ours)
        for _ in range(2):
            company.exports()
            company.imports_payments()
        assert numbers(company, ours) == ["V1 3"]
        assert company.shown(ours)["cause"] == "BookingDeleted"
        assert company.payments(ours) == []
        company.books_again(ours)
        company.stage.settle()
        assert numbers(company, ours) == ["V1 3"]
        assert (company.shown(ours)["state"], company.shown(ours)["booking_number"]) == ("booked", "V1 3")
        for _ in range(2):
            company.imports_payments()
        assert company.payments(ours) == [ours.gross]
        assert company.problems() == {}
        assert sent(company) == 2

    def test_for_another_amount_is_told(self, company: Company, ours: Document) -> None:
        self.types_again(company, ours, gross=Decimal("60.50"))
        company.exports()
        company.books_again(ours)
        company.stage.settle()
        assert company.shown(ours)["cause"] == "BookedByOthers"
        assert (numbers(company, ours), sent(company)) == (["V1 3"], 2)

    def test_under_its_old_number_is_ours_as_before(self, company: Company) -> None:
        """The last booking of a journal frees its number."""
        invoice = company.invoices()
        company.exports()
        self.types_again(company, invoice)
        company.exports()
        company.pays(invoice)
        company.imports_payments()
        assert (numbers(company, invoice), sent(company)) == (["V1 1"], 1)
        assert company.payments(invoice) == [invoice.gross]
        assert company.problems() == {}

    @pytest.mark.parametrize("net", ["50.00", "100.00"])
    def test_behind_somebody_elses_that_got_its_number_is_ours_when_a_person_says_so(
        self, company: Company, net: str
    ) -> None:
        """Also where the two have one amount."""
        invoice = company.invoices("100.00")
        company.exports()
        (booking,) = company.booked(invoice)
        company.books.delete(booking.id)
        company.books.book(somebody_elses(company, net))
        company.books_by_hand(invoice, relation=booking.relation)
        company.pays(invoice)
        company.exports()
        company.imports_payments()
        assert (company.shown(invoice)["cause"], company.payments(invoice)) == ("BookingDeleted", [])
        company.books_again(invoice)
        company.stage.settle()
        company.imports_payments()
        assert (numbers(company, invoice), sent(company)) == (["V1 2"], 1)
        assert company.shown(invoice)["booking_number"] == "V1 2"
        assert company.payments(invoice) == [invoice.gross]
        assert company.problems() == {}

    @staticmethod
    def types_again(
        company: Company, document: Document, *, gross: Decimal | None = None, keeps_our_key: bool = False
    ) -> None:
        (booking,) = company.booked(document)
        company.books.delete(booking.id)
        text = booking.text if keeps_our_key else "Opnieuw ingegeven"
        relation, day = booking.relation, booking.day
        company.books_by_hand(document, gross, relation=relation, day=day, text=text)
