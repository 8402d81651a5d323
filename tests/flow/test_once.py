"""A booking, a customer and a payment happen once, whatever breaks in between (design.md 5, rules.md 1-3, 6)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from boekbrug.domain.connections import JobKind
from boekbrug.domain.errors import LeaseLost
from tests.support.company import ACCOUNT, Company, Document
from tests.support.exact_books import ADMINISTRATION, ExactBooks
from tests.support.stage import Killed

SEND_PAYMENT = "POST /invoices.registerPayment$"
LOOK = "GET /api/v1/.*/SalesEntries$"
SENDS = {**ExactBooks.sends, "payment": SEND_PAYMENT}
WAIT = timedelta(seconds=120 + 60)  # the function's longest life, and the time a lost write may take to show


def die() -> None:
    raise Killed


def a_paid_invoice(company: Company) -> Document:
    """Booked by us and paid in the books; Teamleader does not know yet."""
    invoice = company.invoices("100.00")
    company.exports()
    company.pays(invoice)
    return invoice


def sent(company: Company, path: str) -> list[datetime]:
    """When each such write arrived at the vendor (whatever it answered)."""
    rows = company.stage.exact.journal() + company.stage.teamleader.journal()
    wanted = [row for row in rows if row["method"] == "POST" and row["path"].lower().endswith(path.lower())]
    return [datetime.fromisoformat(row["at"]) for row in wanted]


def vanishes(company: Company, invoice: Document, what: str) -> None:
    """Somebody deletes an invoice, or its customer, in Teamleader."""
    if what == "customer":
        company.stage.teamleader.post("delete_company", tenant=ACCOUNT, company=invoice.customer)
    else:
        company.stage.teamleader.post("delete_booking", tenant=ACCOUNT, booking=invoice.id)


def looked(company: Company, path: str) -> list[datetime]:
    """When Exact was asked for such rows."""
    rows = company.stage.exact.journal()
    return [datetime.fromisoformat(r["at"]) for r in rows if r["method"] == "GET" and r["path"].endswith(path)]


class TestAnAnswerLostAfterTheWorkWasDone:
    """Time-out, reset, 5xx after sending: looked for, found, adopted."""

    @pytest.mark.parametrize("fault", ["commit_then_drop", "half_body"])
    def test_a_booking_is_found_and_not_sent_again(self, company: Company, fault: str) -> None:
        company.fault("booking", fault)
        invoice = company.invoices("100.00")
        company.exports()
        assert len(company.booked(invoice)) == 1
        assert len(sent(company, "SalesEntries")) == 1
        assert company.shown(invoice)["booking_number"] == company.booked(invoice)[0].number
        assert company.unsettled() == 0

    def a_lost_booking(self, company: Company) -> Document:
        """It stands in the books, and nobody has looked yet."""
        company.stage.exact.post("faults", match={"method": "POST", "path": "SalesEntries"}, do="commit_then_drop")
        invoice = company.invoices("100.00")
        company.asks_for("documents")
        company.stage.pump()
        assert company.unsettled() == 1
        return invoice

    def test_a_booking_is_found_though_its_period_was_closed_meanwhile(self, company: Company) -> None:
        invoice = self.a_lost_booking(company)
        company.closes(3)
        company.refreshes()
        assert company.unsettled() == 0
        assert company.shown(invoice)["state"] == "booked"

    def test_a_booking_is_compared_with_what_was_sent_and_not_with_a_later_edit(self, company: Company) -> None:
        """design.md 5.4: the edit is a difference people see."""
        invoice = self.a_lost_booking(company)
        company.edits(invoice, "90.00")
        company.stage.settle()
        assert company.shown(invoice)["state"] == "booked"
        company.exports()
        assert list(company.problems()) == ["ChangedAfterBooking"]

    def test_a_booking_that_was_paid_before_it_was_found_is_paid_in_teamleader_too(self, company: Company) -> None:
        """The settlement was read when the booking was nobody's; finding it puts it in line."""
        invoice = self.a_lost_booking(company)
        company.pays(invoice)
        company.stage.run(JobKind.PAYMENTS, ACCOUNT, ADMINISTRATION)
        assert company.payments(invoice) == []
        company.stage.settle()
        company.imports_payments()
        assert company.payments(invoice) == [invoice.gross]

    def test_a_customer_is_found_and_its_invoice_follows(self, company: Company) -> None:
        company.fault("relation", "commit_then_drop")
        invoice = company.invoices("100.00")
        company.exports()
        (relation,) = company.relations()
        assert company.booked(invoice)[0].relation == relation
        assert len(sent(company, "crm/Accounts")) == 1

    def test_a_payment_is_found_by_its_second_and_amount(self, company: Company) -> None:
        """design.md 5.5."""
        invoice = a_paid_invoice(company)
        company.stage.teamleader.post("faults", match={"path": "registerPayment"}, do="commit_then_drop")
        company.imports_payments()
        assert company.payments(invoice) == [Decimal("121.00")]
        assert len(sent(company, "registerPayment")) == 1
        assert company.unsettled() == 0
        assert company.problems() == {}

    def test_a_maintenance_page_instead_of_an_answer_proves_nothing(self, company: Company) -> None:
        """The page came from before the vendor: nothing was done, which only looking can tell."""
        company.fault("booking", "html_page")
        invoice = company.invoices("100.00")
        company.exports()
        assert len(company.booked(invoice)) == 1


class TestAConnectionLostBeforeTheWorkWasDone:
    """The bridge cannot tell this from the other: it looks twice, waits, and only then sends again."""

    def test_a_booking_is_sent_again_after_the_wait(self, company: Company) -> None:
        company.fault("booking", "drop_before")
        invoice = company.invoices("100.00")
        company.exports()
        assert len(company.booked(invoice)) == 1
        first, second = sent(company, "SalesEntries")
        assert second - first >= WAIT

    def test_a_booking_whose_document_is_gone_is_not_sent_again(self, company: Company) -> None:
        company.stage.exact.post("faults", match={"method": "POST", "path": "SalesEntries"}, do="drop_before")
        invoice = company.invoices("100.00")
        company.asks_for("documents")
        company.stage.pump()
        company.stage.teamleader.post("delete_booking", tenant=ACCOUNT, booking=invoice.id)
        company.stage.settle()
        assert company.booked(invoice) == []
        assert company.unsettled() == 0
        assert list(company.problems()) == ["DocumentGone"]

    def test_a_customer_is_sent_again_after_the_wait(self, company: Company) -> None:
        company.fault("relation", "drop_before")
        invoice = company.invoices("100.00")
        company.exports()
        assert len(company.relations()) == 1
        assert len(company.booked(invoice)) == 1
        first, second = sent(company, "crm/Accounts")
        assert second - first >= WAIT

    def test_a_payment_is_sent_again_after_the_wait(self, company: Company) -> None:
        invoice = a_paid_invoice(company)
        company.stage.teamleader.post("faults", match={"path": "registerPayment"}, do="drop_before")
        company.imports_payments()
        assert company.payments(invoice) == [Decimal("121.00")]
        first, second = sent(company, "registerPayment")
        assert second - first >= WAIT


class TestNobodyAsksAnyMoreForWhatWasSent:
    """Whether it arrived is learned all the same, and nothing is sent again."""

    @pytest.mark.parametrize("gone", ["customer", "document"])
    @pytest.mark.parametrize("fault", ["commit_then_drop", "drop_before"])
    def test_a_customer(self, company: Company, fault: str, gone: str) -> None:
        """Gone from Teamleader before the answer was known, or its only invoice is: the doubt stood for ever."""
        company.stage.exact.post("faults", match={"method": "POST", "path": "crm/Accounts"}, do=fault)
        invoice = company.invoices("100.00")
        company.asks_for("documents")
        company.stage.pump()
        assert company.unsettled() == 1
        vanishes(company, invoice, gone)
        company.stage.settle()
        assert company.unsettled() == 0
        assert len(company.relations()) == (fault == "commit_then_drop")
        assert len(sent(company, "crm/Accounts")) == 1
        assert list(company.problems()) == [{"customer": "CustomerGone", "document": "DocumentGone"}[gone]]


class TestAWorkerThatDies:
    """Nothing tidies up: no release, no answer to the queue."""

    @pytest.mark.parametrize("write", ["booking", "relation"])
    def test_after_the_vendor_did_the_work_and_before_we_saved_it(self, company: Company, write: str) -> None:
        company.stage.on_the_line(SENDS[write], die, arrived=True)
        invoice = company.invoices("100.00")
        company.exports()
        assert company.stage.dead_sandboxes == 1
        assert len(company.booked(invoice)) == len(company.relations()) == 1
        assert company.shown(invoice)["state"] == "booked"

    @pytest.mark.parametrize("write", ["booking", "relation"])
    def test_after_the_intent_was_stored_and_before_it_was_sent(self, company: Company, write: str) -> None:
        company.stage.on_the_line(SENDS[write], die)
        invoice = company.invoices("100.00")
        begun = company.stage.time.now()
        company.exports()
        assert company.stage.dead_sandboxes == 1
        assert len(company.booked(invoice)) == len(company.relations()) == 1
        path, looks_before = ("SalesEntries", 0) if write == "booking" else ("crm/Accounts", 1)
        (only,) = sent(company, path)
        assert only - begun >= WAIT
        assert len(looked(company, path)) == looks_before + 2  # absence is concluded by the second look only

    @pytest.mark.parametrize("arrived", [True, False])
    def test_while_it_registers_a_payment(self, company: Company, arrived: bool) -> None:
        invoice = a_paid_invoice(company)
        company.stage.on_the_line(SEND_PAYMENT, die, arrived=arrived)
        company.imports_payments()
        assert company.stage.dead_sandboxes == 1
        assert company.payments(invoice) == [Decimal("121.00")]

    def test_after_it_booked_and_before_it_called_the_document_booked(
        self, company: Company, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from boekbrug.store.documents import DynamoDocuments

        real = DynamoDocuments.booked

        def once(*words: object) -> None:
            monkeypatch.setattr(DynamoDocuments, "booked", real)
            die()

        monkeypatch.setattr(DynamoDocuments, "booked", once)
        invoice = company.invoices("100.00")
        company.exports()
        assert company.stage.dead_sandboxes == 1
        assert len(sent(company, "SalesEntries")) == 1
        assert company.shown(invoice)["state"] == "booked"


class TestNudges:
    def test_a_nudge_that_comes_twice_books_once(self, company: Company) -> None:
        invoice = company.invoices("100.00")
        company.asks_for("documents")
        company.asks_for("documents")
        company.stage.settle()
        with company.counting_changes() as changes:
            assert company.stage.run(JobKind.DOCUMENTS, ACCOUNT, ADMINISTRATION)
        assert changes == []
        assert len(company.booked(invoice)) == 1

    def test_a_nudge_that_finds_the_lease_held_asks_for_another_run(self, company: Company) -> None:
        """The second worker leaves `again` behind: what came meanwhile is not forgotten."""
        stage, seen = company.stage, []

        def second_worker() -> None:
            company.invoices("50.00", number="LATE 1")
            with stage.another_sandbox(), company.counting_changes() as changes:
                assert stage.run(JobKind.DOCUMENTS, ACCOUNT, ADMINISTRATION)
            seen.append((changes, company.job("documents")["again"]))

        stage.on_the_line(SENDS["booking"], second_worker)
        company.invoices("100.00", number="EARLY 1")
        company.asks_for("documents")
        stage.pump()
        assert seen == [([], True)]
        assert sorted(row.reference for row in company.bookings()) == ["EARLY 1", "LATE 1"]


class TestAWorkerThatWasThoughtDead:
    """It was paused for longer than its lease; another one took over; then it goes on where it was."""

    def wakes_late(self, company: Company, meanwhile: Callable[[], None], path: str) -> None:
        def pause() -> None:
            company.stage.time.advance(151)  # its lease is over
            with company.stage.another_sandbox():
                meanwhile()

        company.stage.on_the_line(path, pause)

    def test_it_posts_late_and_the_other_one_had_waited(self, company: Company) -> None:
        looks = []

        def the_other_looks_twice() -> None:
            for seconds in (0, 20):
                company.stage.time.advance(seconds)
                company.stage.run(JobKind.DOCUMENTS, ACCOUNT, ADMINISTRATION)
                looks.append(company.unsettled())

        self.wakes_late(company, the_other_looks_twice, SENDS["booking"])
        invoice = company.invoices("100.00")
        company.exports()
        assert looks == [1, 1]
        assert len(company.booked(invoice)) == 1
        assert len(sent(company, "SalesEntries")) == 1
        assert company.shown(invoice)["state"] == "booked"

    def test_it_registers_late_and_the_other_one_had_waited(self, company: Company) -> None:
        invoice = a_paid_invoice(company)

        def the_other_looks_twice() -> None:
            for seconds in (0, 20):
                company.stage.time.advance(seconds)
                company.stage.run(JobKind.PAYMENTS, ACCOUNT, ADMINISTRATION)

        self.wakes_late(company, the_other_looks_twice, SEND_PAYMENT)
        company.imports_payments()
        assert company.payments(invoice) == [Decimal("121.00")]

    def test_two_that_both_proved_absence_send_once(self, company: Company) -> None:
        """The attempt number is the lock: the slower one finds that the step was taken."""
        company.fault("booking", "drop_before")

        absence_counts_from = company.stage.time.now() + WAIT

        def the_other_is_faster() -> None:
            if company.stage.time.now() < absence_counts_from:  # not this look, the next
                company.stage.on_the_line(LOOK, the_other_is_faster, arrived=True)
                return
            company.stage.time.advance(151)
            with company.stage.another_sandbox():
                company.stage.run(JobKind.DOCUMENTS, ACCOUNT, ADMINISTRATION)

        company.stage.on_the_line(LOOK, the_other_is_faster, arrived=True)
        invoice = company.invoices("100.00")
        company.exports()
        assert company.stage.line.hooks == []
        assert len(company.booked(invoice)) == 1
        assert len(sent(company, "SalesEntries")) == 2  # the lost one, and one after the wait

    def test_it_cannot_save_how_far_it_came(self, company: Company) -> None:
        """The version of the job fences it: the one that took over decides."""
        stage = company.stage
        jobs, key = stage.house().jobs, company.job_key("documents")
        now = stage.time.now()
        slow = jobs.claim(key, now, now + timedelta(seconds=150))
        assert slow is not None
        later = now + timedelta(seconds=151)
        assert jobs.claim(key, later, later + timedelta(seconds=150)) is not None
        with pytest.raises(LeaseLost):
            jobs.save_cursor(slow, {"books": "1"})
        with pytest.raises(LeaseLost):
            jobs.release(slow, due_at=None, result={}, ran_at=later)

    def test_its_answer_still_counts(self, company: Company) -> None:
        """It was called UNKNOWN meanwhile; the answer it brings settles that."""
        self.wakes_late(
            company, lambda: company.stage.run(JobKind.DOCUMENTS, ACCOUNT, ADMINISTRATION), SENDS["booking"]
        )
        invoice = company.invoices("100.00")
        company.asks_for("documents")
        company.stage.pump()
        assert company.unsettled() == 0
        company.stage.settle()
        assert len(company.booked(invoice)) == 1
