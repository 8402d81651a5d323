"""What a Teamleader account keeps, however it is reached: the contract of the port `Focus`.

Subclass it with a fixture `bench`. Everything a person does in Teamleader's own screens is done through its API, with
that person's own token; so the contract knows nothing of how a fake is filled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, timedelta
from decimal import Decimal
from typing import Any, Protocol

import pytest

from boekbrug.domain.documents import (
    CustomerKind,
    CustomerRef,
    DocumentHeader,
    DocumentId,
    DocumentKind,
    Entity,
    FileFormat,
    TaxRate,
    check,
)
from boekbrug.domain.errors import AccessExpired, DocumentGone, RateLimited, VendorDown
from boekbrug.domain.ledger import Cursor, Done, Page, Refused, Unknown
from boekbrug.domain.money import Money
from boekbrug.ports import Clock, Focus, FocusPayment, FocusUser
from boekbrug.vendors.teamleader.focus import HINTS

NOBODY = "00000000-0000-0000-8000-00000000dead"
HOUR = 3600


class Bench(Protocol):
    focus: Focus
    user: FocusUser  # as the consent told
    clock: Clock

    def by_hand(self, method: str, body: dict[str, Any]) -> Any:
        """A person's own call, which must succeed: its data."""
        ...

    def advance(self, seconds: float) -> None: ...
    def fault(self, do: str | dict[str, Any], path: str, times: int = 1) -> None: ...
    def reopened(self) -> Focus:
        """The same account in another worker: other memory, same stores."""
        ...


def collected(pages: Iterator[Page]) -> tuple[list[Any], Cursor]:
    """All rows of a reading, and its last cursor."""
    rows: list[Any] = []
    for page in pages:
        rows += page.rows
    return rows, page.cursor


class FocusContract:
    START = date(2026, 1, 1)

    @pytest.fixture
    def focus(self, bench: Bench) -> Focus:
        return bench.focus

    @pytest.fixture
    def entity(self, focus: Focus) -> Entity:
        return next(entity for entity in focus.entities() if entity.currency == "EUR")

    @pytest.fixture
    def rates(self, focus: Focus, entity: Entity) -> dict[str, TaxRate]:
        """The plain rates of the entity by percentage: the first of each."""
        own = [rate for rate in focus.tax_rates() if rate.entity == entity.id]
        return {f"{rate.rate * 100:.0f}": rate for rate in reversed(own)}

    @pytest.fixture
    def company(self, bench: Bench) -> str:
        body = {
            "name": "Timmerwerken Van Acker BV",
            "vat_number": "BE 0456.789.034",
            "emails": [{"type": "primary", "email": "info@vanacker.example"}],
            "addresses": [
                {
                    "type": "primary",
                    "address": {"line_1": "Dorp 7", "postal_code": "9000", "city": "Gent", "country": "BE"},
                }
            ],
        }
        return bench.by_hand("companies.add", body)["id"]

    @pytest.fixture
    def draft(self, bench: Bench, entity: Entity, rates: dict[str, TaxRate], company: str) -> Any:
        """Draft an invoice of (quantity, unit price, percentage) lines for the company."""

        def drafted(*lines: tuple[Any, float, str], **more: Any) -> DocumentId:
            items = [
                {
                    "quantity": quantity,
                    "description": "Werk",
                    "unit_price": {"amount": price, "tax": "excluding"},
                    "tax_rate_id": rates[percentage].id,
                }
                for quantity, price, percentage in lines or ((1, 100, "21"),)
            ]
            body = {
                "invoicee": {"customer": {"type": "company", "id": company}},
                "department_id": entity.id,
                "payment_term": {"type": "after_invoice_date", "days": 30},
                "grouped_lines": [{"section": {"title": ""}, "line_items": items}],
                **more,
            }
            return DocumentId(bench.by_hand("invoices.draft", body)["id"])

        return drafted

    @pytest.fixture
    def issue(self, bench: Bench, draft: Any) -> Any:
        """Draft an invoice and book it, dated today."""

        def issued(*lines: tuple[Any, float, str], **more: Any) -> DocumentId:
            invoice = draft(*lines, **more)
            bench.by_hand("invoices.book", {"id": invoice, "on": bench.clock.now().date().isoformat()})
            return invoice

        return issued

    def headers(
        self, focus: Focus, entities: Sequence[Entity], since: Cursor | None = None, start: date = START
    ) -> tuple[list[DocumentHeader], Cursor]:
        return collected(focus.documents([entity.id for entity in entities], start, since))

    # --- reference data ---

    def test_who_consented_is_who_we_are(self, bench, focus):
        assert focus.me() == bench.user
        assert bench.user.account
        assert len(bench.user.language) == 2

    def test_every_rate_is_an_entitys_and_rates_may_share_a_percentage(self, focus):
        entities = {entity.id for entity in focus.entities()}
        rates = focus.tax_rates()
        assert {rate.entity for rate in rates} <= entities
        assert len({rate.id for rate in rates}) == len(rates)
        assert all(0 <= rate.rate < 1 for rate in rates)
        assert len([rate for rate in rates if rate.rate == 0]) > 1

    def test_a_category_names_an_account_per_entity(self, focus, entity):
        accounts = [category.account_in(entity.id) for category in focus.categories()]
        assert any(account and account.isdigit() for account in accounts)

    # --- documents ---

    def test_an_issued_invoice_is_listed_once_and_a_draft_never(self, bench, focus, entity, issue, draft):
        invoice, unissued = issue((1, 100, "21")), draft()
        rows, _ = self.headers(focus, [entity])
        [row] = [row for row in rows if row.id == invoice]
        assert (row.kind, row.entity) == (DocumentKind.INVOICE, entity.id)
        assert row.day == bench.clock.now().date()
        assert row.gross == Money.of("121", "EUR")
        assert row.number
        assert row.updated_at.tzinfo == UTC
        assert unissued not in [row.id for row in rows]

    def test_a_paid_invoice_is_listed_too(self, bench, focus, entity, issue):
        invoice = issue((1, 100, "21"))
        assert focus.register_payment(invoice, Money.of("121", "EUR"), bench.clock.now()) == Done(None)
        assert invoice in [row.id for row in self.headers(focus, [entity])[0]]

    def test_a_credit_note_is_listed_with_its_kind(self, bench, focus, entity, issue):
        invoice = issue((1, 100, "21"))
        credit_note = bench.by_hand("invoices.credit", {"id": invoice})["id"]
        rows, _ = self.headers(focus, [entity])
        [row] = [row for row in rows if row.id == credit_note]
        assert row.kind is DocumentKind.CREDIT_NOTE
        assert row.gross == Money.of("121", "EUR")

    def test_only_the_entities_asked_for_are_read(self, bench, focus, entity, issue):
        others = [other for other in focus.entities() if other != entity]
        invoice = issue()
        assert invoice not in [row.id for row in self.headers(focus, others)[0]]
        assert self.headers(focus, [])[0] == []

    def test_the_start_day_counts(self, bench, focus, entity, issue):
        today = bench.clock.now().date()
        documents = {issue(), DocumentId(bench.by_hand("invoices.credit", {"id": issue()})["id"])}
        assert documents <= {row.id for row in self.headers(focus, [entity], start=today)[0]}
        later, _ = self.headers(focus, [entity], start=today + timedelta(days=1))
        assert not documents & {row.id for row in later}

    def test_invoices_come_in_order_of_their_day(self, bench, focus, entity, issue):
        for _ in range(3):
            issue()
            bench.advance(24 * HOUR)
        rows, _ = self.headers(focus, [entity])
        days = [row.day for row in rows if row.kind is DocumentKind.INVOICE]
        assert days == sorted(days)

    def test_more_than_a_page_is_read_whole(self, bench, focus, entity, issue):
        invoices = []
        for _ in range(205):
            invoices.append(issue())
            bench.advance(1)  # a person does not type 400 calls a minute
        bench.advance(60)
        listed = [row.id for row in self.headers(focus, [entity])[0]]
        assert sorted(id for id in listed if id in set(invoices)) == sorted(invoices)

    def test_a_cursor_brings_what_changed_since_and_nothing_older(self, bench, focus, entity, issue):
        paid, quiet = issue(), issue()
        bench.advance(HOUR)
        _, cursor = self.headers(focus, [entity])
        bench.advance(HOUR)
        assert self.headers(focus, [entity], cursor)[0] == []

        new = issue()
        payment = {"amount": 1, "currency": "EUR"}
        now = bench.clock.now().replace(microsecond=0).isoformat()
        bench.by_hand("invoices.registerPayment", {"id": paid, "payment": payment, "paid_at": now})

        changed = {row.id for row in self.headers(focus, [entity], cursor)[0]}
        assert {new, paid} <= changed
        assert quiet not in changed

    def test_a_reading_broken_off_goes_on_where_it_was(self, bench, focus, entity, issue):
        invoices = []
        for _ in range(205):
            invoices.append(issue())
            bench.advance(1)
        bench.advance(60)
        reading = focus.documents([entity.id], self.START, None)
        first = list(next(reading).rows)
        second = next(reading)
        rest = list(bench.reopened().documents([entity.id], self.START, second.cursor))
        assert {row.id for row in [*first, *second.rows]} | {row.id for page in rest for row in page.rows} >= set(
            invoices
        )
        whole = list(focus.documents([entity.id], self.START, None))
        assert sum(len(page.rows) for page in rest) < sum(len(page.rows) for page in whole)

    def test_what_is_issued_while_we_read_is_read_next_time(self, bench, focus, entity, issue):
        issue()
        reading = focus.documents([entity.id], self.START, None)
        rows = list(next(reading).rows)
        meanwhile = issue()
        more, cursor = collected(reading)
        next_time, _ = self.headers(focus, [entity], cursor)
        assert meanwhile in {row.id for row in [*rows, *more, *next_time]}

    def test_an_invoice_is_whole_and_its_figures_fit(self, bench, focus, entity, rates, company, issue):
        invoice = issue((3, 125.5, "21"), (2222, 0.001, "21"), (1, 40, "6"), (-1, 10, "6"))
        document = focus.document(DocumentKind.INVOICE, invoice)
        check(document, {rate.id: rate for rate in focus.tax_rates()})
        assert [str(line.net.amount) for line in document.lines] == ["376.50", "2.22", "40.00", "-10.00"]
        assert [line.tax_rate for line in document.lines] == [rates[p].id for p in ("21", "21", "6", "6")]
        assert document.customer == CustomerRef(CustomerKind.COMPANY, company)
        assert document.due_on == bench.clock.now().date() + timedelta(days=30)
        assert (document.currency, document.entity_currency, document.exchange_rate) == ("EUR", "EUR", 1)
        assert document.payment_reference.startswith("+++")
        assert document.credits is None

    def test_a_document_discount_is_told(self, focus, issue):
        discount = [{"type": "percentage", "value": 5, "description": "Trouwe klant"}]
        document = focus.document(DocumentKind.INVOICE, issue((1, 100, "21"), discounts=discount))
        assert document.discounts == (Decimal(5),)
        assert document.net == Money.of("95", "EUR")
        assert document.gross == Money.of("114.95", "EUR")

    def test_a_foreign_invoice_has_its_own_rate(self, focus, entity, issue):
        currency = {"code": "USD", "exchange_rate": 0.9255}
        document = focus.document(DocumentKind.INVOICE, issue((1, 100, "0"), currency=currency))
        assert document.gross == Money.of("100", "USD")
        assert (document.exchange_rate, document.entity_currency) == (Decimal("0.9255"), "EUR")

    def test_a_credit_note_knows_its_invoice_and_its_amounts_are_as_printed(self, bench, focus, issue):
        invoice = issue((1, 100, "21"), (2, 10, "6"))
        credit_note = DocumentId(bench.by_hand("invoices.credit", {"id": invoice})["id"])
        document = focus.document(DocumentKind.CREDIT_NOTE, credit_note)
        original = focus.document(DocumentKind.INVOICE, invoice)
        assert document.kind is DocumentKind.CREDIT_NOTE
        assert document.credits == invoice
        assert document.due_on is None
        assert (document.net, document.gross, document.by_rate) == (original.net, original.gross, original.by_rate)

    @pytest.mark.parametrize("kind", list(DocumentKind))
    def test_an_unknown_document_is_gone(self, focus, kind):
        with pytest.raises(DocumentGone):
            focus.document(kind, DocumentId(NOBODY))

    def test_a_draft_is_not_a_document(self, focus, draft):
        with pytest.raises(DocumentGone):
            focus.document(DocumentKind.INVOICE, draft())

    @pytest.mark.parametrize(("format", "begins"), [(FileFormat.PDF, b"%PDF"), (FileFormat.UBL, b"<?xml")])
    def test_invoice_and_credit_note_come_as_files(self, bench, focus, issue, format, begins):
        invoice = issue((1, 100, "21"))
        credit_note = DocumentId(bench.by_hand("invoices.credit", {"id": invoice})["id"])
        files = {
            focus.file(DocumentKind.INVOICE, invoice, format),
            focus.file(DocumentKind.CREDIT_NOTE, credit_note, format),
        }
        assert len(files) == 2
        assert all(content.startswith(begins) for content in files)

    @pytest.mark.parametrize("kind", list(DocumentKind))
    def test_an_unknown_document_has_no_file(self, focus, kind):
        with pytest.raises(DocumentGone):
            focus.file(kind, DocumentId(NOBODY), FileFormat.PDF)

    # --- customers ---

    def test_customers_are_found_by_reference_and_the_vanished_left_out(self, bench, focus, company):
        person = {"first_name": "An", "last_name": "Dupont", "language": "fr"}
        refs = [
            CustomerRef(CustomerKind.COMPANY, company),
            CustomerRef(CustomerKind.CONTACT, bench.by_hand("contacts.add", person)["id"]),
            CustomerRef(CustomerKind.COMPANY, NOBODY),
        ]
        found = focus.customers(refs)
        assert set(found) == set(refs[:2])
        firm, contact = found[refs[0]], found[refs[1]]
        assert (firm.name, firm.vat_number) == ("Timmerwerken Van Acker BV", "BE 0456.789.034")
        assert (firm.email, firm.address.city, firm.address.country) == ("info@vanacker.example", "Gent", "BE")
        assert (contact.name, contact.language, contact.is_person) == ("An Dupont", "fr", True)

    def test_all_customers_and_then_only_the_changed_ones(self, bench, focus, company):
        ref = CustomerRef(CustomerKind.COMPANY, company)
        bench.advance(HOUR)
        everybody, cursor = collected(focus.all_customers(None))
        assert ref in [customer.ref for customer in everybody]
        assert {customer.is_person for customer in everybody} == {True, False}
        bench.advance(HOUR)
        assert collected(focus.all_customers(cursor))[0] == []
        bench.by_hand("companies.update", {"id": company, "name": "Van Acker en dochters BV"})
        [changed] = collected(focus.all_customers(cursor))[0]
        assert (changed.ref, changed.name) == (ref, "Van Acker en dochters BV")

    # --- payments ---

    def state(self, focus: Focus, invoice: DocumentId) -> tuple[Money, bool]:
        state = focus.invoice_states([invoice])[invoice]
        return state.due, state.paid

    def test_an_invoice_is_due_until_it_is_paid(self, bench, focus, issue):
        invoice = issue((1, 100, "21"))
        paid_at = bench.clock.now().replace(microsecond=0)
        assert self.state(focus, invoice) == (Money.of("121", "EUR"), False)

        assert focus.register_payment(invoice, Money.of("60.50", "EUR"), paid_at) == Done(None)
        assert self.state(focus, invoice) == (Money.of("60.50", "EUR"), False)
        assert focus.payments(invoice) == [FocusPayment(paid_at, Money.of("60.50", "EUR"))]

        rest = paid_at + timedelta(seconds=7)
        assert focus.register_payment(invoice, Money.of("60.50", "EUR"), rest) == Done(None)
        assert self.state(focus, invoice) == (Money.zero("EUR"), True)
        assert sorted(payment.paid_at for payment in focus.payments(invoice)) == [paid_at, rest]

    def test_unknown_invoices_have_no_state(self, focus, issue):
        invoice = issue()
        assert set(focus.invoice_states([invoice, DocumentId(NOBODY)])) == {invoice}

    def test_payments_of_an_unknown_invoice_are_gone(self, focus):
        with pytest.raises(DocumentGone):
            focus.payments(DocumentId(NOBODY))

    def test_a_payment_nobody_takes_is_refused(self, bench, focus, issue, draft):
        now = bench.clock.now()
        for invoice, currency in ((issue(), "USD"), (draft(), "EUR"), (DocumentId(NOBODY), "EUR")):
            assert isinstance(focus.register_payment(invoice, Money.of("1", currency), now), Refused)

    @pytest.mark.parametrize(("do", "registered"), [("commit_then_drop", 1), ("drop_before", 0)])
    def test_a_payment_whose_answer_is_lost_is_unknown_and_not_sent_again(self, bench, focus, issue, do, registered):
        invoice = issue()
        bench.fault(do, "/invoices.registerPayment")
        outcome = focus.register_payment(invoice, Money.of("1", "EUR"), bench.clock.now())
        assert isinstance(outcome, Unknown)
        assert len(focus.payments(invoice)) == registered

    def test_a_server_error_says_nothing_about_a_payment(self, bench, focus, issue):
        invoice = issue()
        bench.fault({"status": 500}, "/invoices.registerPayment")
        assert isinstance(focus.register_payment(invoice, Money.of("1", "EUR"), bench.clock.now()), Unknown)

    def test_a_payment_is_registered_though_the_token_ended(self, bench, focus, issue):
        invoice = issue()
        bench.advance(2 * HOUR)
        now = bench.clock.now().replace(microsecond=0)
        assert focus.register_payment(invoice, Money.of("1", "EUR"), now) == Done(None)
        assert len(focus.payments(invoice)) == 1

    # --- the line, the limits, the grant ---

    @pytest.mark.parametrize("do", ["drop_before", "commit_then_drop", "half_body", {"status": 503}, {"status": 500}])
    def test_a_read_survives_one_fault(self, bench, focus, do):
        bench.fault(do, "/users.me")
        assert focus.me() == bench.user

    def test_a_maintenance_page_is_a_vendor_that_is_down(self, bench, focus):
        bench.fault("html_page", "/users.me", times=3)
        with pytest.raises(VendorDown):
            focus.me()

    def test_the_minutes_calls_are_not_exceeded_and_every_worker_hears_of_it(self, bench, focus):
        answered = 0
        with pytest.raises(RateLimited) as limited:
            while True:
                focus.me()
                answered += 1
        assert 100 < answered <= 200
        wait = (limited.value.until - bench.clock.now()).total_seconds()
        assert 0 < wait <= 60
        with pytest.raises(RateLimited):
            bench.reopened().me()
        bench.advance(wait + 1)
        assert focus.me() == bench.user

    def test_a_refused_call_tells_until_when(self, bench, focus):
        bench.fault("rate_limit", "/users.me")
        with pytest.raises(RateLimited) as limited:
            focus.me()
        assert limited.value.until > bench.clock.now()

    def test_two_workers_share_one_grant_through_many_hours(self, bench, focus):
        for worker in (focus, bench.reopened(), focus, bench.reopened()):
            bench.advance(2 * HOUR)
            assert worker.me() == bench.user

    def test_a_revoked_grant_asks_for_a_person(self, bench, focus):
        bench.fault("revoke_token", "/users.me")
        with pytest.raises(AccessExpired):
            for _ in range(2):  # the call that revokes may still be answered
                focus.me()

    # --- hints ---

    def test_hints_are_registered_once(self, bench, focus):
        url = "https://boekbrug.example/webhooks/teamleader/t0ken"
        focus.register_webhooks(url)
        focus.register_webhooks(url)
        [hook] = [hook for hook in bench.by_hand("webhooks.list", {}) if hook["url"] == url]
        assert sorted(hook["types"]) == sorted(HINTS)
