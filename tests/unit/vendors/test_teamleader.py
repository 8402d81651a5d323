"""What we say to Teamleader, to the letter, and what we make of its answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from boekbrug.domain.connections import LoginId
from boekbrug.domain.documents import (
    AccountId,
    CustomerKind,
    CustomerRef,
    DocumentHeader,
    DocumentId,
    DocumentKind,
    DocumentLine,
    EntityId,
    FileFormat,
    SalesDocument,
    VatTotal,
    check,
)
from boekbrug.domain.errors import (
    AccessDenied,
    AccessExpired,
    CustomerGone,
    DocumentGone,
    NotPossible,
    RateLimited,
    UnexpectedAnswer,
    VendorDown,
)
from boekbrug.domain.ledger import Cursor, Done, Page, Refused, Unknown
from boekbrug.domain.money import Money
from boekbrug.domain.relations import Address, Customer
from boekbrug.ports import FocusPayment, FocusUser, InvoiceState, Login, Tokens
from boekbrug.vendors.http import Http, new_client
from boekbrug.vendors.oauth import App, TokenKeeper
from boekbrug.vendors.teamleader import client, door
from boekbrug.vendors.teamleader.focus import HINTS, TeamleaderFocus
from tests.support.budgets import MemoryBudgets
from tests.support.clocks import MORNING, StillClock
from tests.support.logins import MemoryLogins
from tests.support.rooms import a_room

API = "https://api.focus.example"
AUTH = "https://focus.example"
APP = App("teamleader", "-", "client-1", "s3cret", "https://us.example/connect/teamleader/callback", AUTH, API)
ACCOUNT = AccountId("9ee1f2d4-1a0b-0c3d-b4e5-6f7a8b9c0d1e")
LOGIN = LoginId("teamleader.-.user-1")
ENTITY = EntityId("2f3a9c10-5e77-0d21-8a44-90b1c2d3e4f5")
INVOICE = DocumentId("5c0d8a11-73be-0b4e-a1c5-30f2b6d91a77")
EXAMPLES = Path(__file__).parents[2] / "examples" / "teamleader"


def example(name: str) -> dict[str, Any]:
    return json.loads((EXAMPLES / f"{name}.json").read_text(), parse_float=Decimal)


def eur(amount: str) -> Money:
    return Money(Decimal(amount), "EUR")


def as_json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> httpx.Response:
    """An answer with its decimals as the vendor prints them."""
    text = json.dumps(value, default=float)
    return httpx.Response(status, text=text, headers={"Content-Type": "application/json", **(headers or {})})


def an_error(status: int, title: str, headers: dict[str, str] | None = None, **meta: str) -> httpx.Response:
    return as_json({"errors": [{"code": 0, "title": title, "status": status, "meta": meta}]}, status, headers)


class Desk:
    """Everything one worker has: a clock, stores in memory, a Focus, and the calls it made."""

    def __init__(self, router: respx.Router) -> None:
        self.router = router
        self.clock = StillClock()
        self.budgets = MemoryBudgets()
        tokens = Tokens("access-1", "refresh-1", MORNING, MORNING + timedelta(hours=1))
        login = Login(id=LOGIN, account=ACCOUNT, vendor="teamleader", realm="-", user="user-1", tokens=tokens)
        self.logins = MemoryLogins(login)
        self.http = Http("teamleader", new_client(), sleep=lambda _: None)
        self.focus = self.open()

    def open(self) -> TeamleaderFocus:
        keeper = TokenKeeper(
            ACCOUNT,
            LOGIN,
            self.logins,
            self.clock,
            self.clock,
            lambda token: door.refresh(APP, self.http, token, self.clock.now()),
            vendor="teamleader",
            not_before_s=door.NOT_BEFORE_S,
        )
        return door.open_focus(a_room(APP, self.http, keeper, self.clock, ACCOUNT, budgets=self.budgets))

    def answers(self, method: str, *answers: httpx.Response | Exception) -> respx.Route:
        return self.router.post(f"{API}/{method}").mock(side_effect=list(answers))

    def asked(self, method: str) -> list[Any]:
        """The bodies of the calls to this method."""
        return [json.loads(call.request.content) for call in self.router.calls if call.request.url.path == f"/{method}"]


@pytest.fixture
def desk() -> Iterator[Desk]:
    with respx.mock(assert_all_called=False) as router:
        yield Desk(router)


def rows(n: int, first: int = 0) -> list[dict[str, Any]]:
    rate = {"description": "21%", "rate": 0.21, "department": {"type": "department", "id": ENTITY}}
    return [{"id": f"rate-{i}", **rate} for i in range(first, first + n)]


# --- how it is asked ----------------------------------------------------------------------------------------------


def test_a_call_is_a_post_with_token_and_dated_version(desk):
    route = desk.answers("users.me", as_json({"data": {"id": "user-1", "account": {"type": "account", "id": ACCOUNT}}}))
    desk.focus.me()
    request = route.calls.last.request
    assert request.headers["Authorization"] == "Bearer access-1"
    assert request.headers["X-Api-Version"] == "2023-09-26"
    assert request.headers["Content-Type"] == "application/json"
    assert request.content == b"{}"


def test_pages_are_read_until_a_short_one(desk):
    desk.answers("taxRates.list", as_json({"data": rows(100)}), as_json({"data": rows(1, 100)}))
    assert len(desk.focus.tax_rates()) == 101
    assert desk.asked("taxRates.list") == [
        {"page": {"size": 100, "number": number}, "includes": "pagination"} for number in (1, 2)
    ]


def test_a_full_last_page_is_followed_by_an_empty_one(desk):
    desk.answers("taxRates.list", as_json({"data": rows(100)}), as_json({"data": [], "meta": []}))
    assert len(desk.focus.tax_rates()) == 100


def test_a_smaller_page_size_than_ours_hides_nothing(desk):
    meta = {"page": {"size": 20, "number": 1}, "matches": 21}
    desk.answers(
        "taxRates.list", as_json({"data": rows(20), "meta": meta}), as_json({"data": rows(1, 20), "meta": meta})
    )
    assert len(desk.focus.tax_rates()) == 21


def test_a_list_that_ignores_pages_is_not_read_for_ever(desk):
    desk.answers("taxRates.list", *[as_json({"data": rows(100)})] * 2)
    with pytest.raises(UnexpectedAnswer):
        desk.focus.tax_rates()


def test_a_401_refreshes_and_asks_again(desk):
    desk.answers("productCategories.list", an_error(401, "Unauthorized"), as_json({"data": []}))
    token = desk.router.post(f"{AUTH}/oauth2/access_token").mock(
        return_value=as_json({"access_token": "access-2", "refresh_token": "refresh-2", "expires_in": 3600})
    )
    assert desk.focus.categories() == []
    assert token.calls.last.request.content == (
        b"client_id=client-1&client_secret=s3cret&grant_type=refresh_token&refresh_token=refresh-1"
    )
    assert desk.router.calls.last.request.headers["Authorization"] == "Bearer access-2"


def test_a_401_for_a_fresh_token_means_log_in_again(desk):
    desk.answers("productCategories.list", *[an_error(401, "Unauthorized")] * 2)
    desk.router.post(f"{AUTH}/oauth2/access_token").mock(
        return_value=as_json({"access_token": "access-2", "refresh_token": "refresh-2", "expires_in": 3600})
    )
    with pytest.raises(AccessExpired):
        desk.focus.categories()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (an_error(403, "Forbidden"), AccessDenied),
        (an_error(400, "bad"), UnexpectedAnswer),
        (an_error(404, "no such method"), UnexpectedAnswer),
        (httpx.Response(302), UnexpectedAnswer),
        (as_json({"rows": []}), UnexpectedAnswer),
        (as_json({"data": [{"id": "c"}]}), UnexpectedAnswer),
    ],
)
def test_other_answers_have_their_meaning(desk, answer, error):
    desk.answers("productCategories.list", answer)
    with pytest.raises(error):
        desk.focus.categories()


@pytest.mark.parametrize("status", [500, 503])
def test_a_read_survives_two_server_errors_and_no_more(desk, status):
    desk.answers("productCategories.list", *[httpx.Response(status)] * 2, as_json({"data": []}))
    assert desk.focus.categories() == []
    desk.answers("productCategories.list", *[httpx.Response(status)] * 3)
    with pytest.raises(VendorDown):
        desk.focus.categories()


@pytest.mark.parametrize(
    "reset", ["2025-03-03T08:00:40+00:00", "2025-03-03T09:00:40.000+0100", "2025-03-03T08:00:40.000+0000"]
)
def test_the_last_call_of_the_minute_stops_everybody_until_the_reset(desk, reset):
    limits = {"X-RateLimit-Limit": "200", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
    desk.answers("productCategories.list", as_json({"data": []}, headers=limits), as_json({"data": []}))
    until = datetime(2025, 3, 3, 8, 0, 40, tzinfo=UTC)

    assert desk.focus.categories() == []

    for focus in (desk.focus, desk.open()):
        with pytest.raises(RateLimited) as limited:
            focus.categories()
        assert limited.value.facts == {"vendor": "teamleader", "until": until}
    assert len(desk.router.calls) == 1
    desk.clock.advance(40)
    assert desk.focus.categories() == []


@pytest.mark.parametrize("headers", [{}, {"X-RateLimit-Reset": "soon"}])
def test_a_429_without_a_reset_waits_a_minute(desk, headers):
    desk.answers("productCategories.list", an_error(429, "Too many", headers))
    with pytest.raises(RateLimited) as limited:
        desk.focus.categories()
    assert limited.value.until == MORNING + timedelta(minutes=1)
    assert desk.budgets.blocked == {f"teamleader:{ACCOUNT}": MORNING + timedelta(minutes=1)}


def test_a_missing_limit_header_is_not_a_zero_and_the_store_is_not_read_for_each_call(desk, monkeypatch):
    desk.answers("productCategories.list", *[as_json({"data": []})] * 3)
    monkeypatch.setattr(desk.budgets, "blocked_until", lambda *_: pytest.fail("read after the opening"))
    for _ in range(3):
        desk.focus.categories()
    assert desk.budgets.blocked == {}


# --- documents ----------------------------------------------------------------------------------------------------


def an_invoice_row(id: str = INVOICE, **changes: Any) -> dict[str, Any]:
    row = {key: value for key, value in example("invoice")["data"].items() if key not in ("grouped_lines", "payments")}
    return {**row, "id": id, **changes}


def test_documents_are_asked_for_per_entity_oldest_first(desk):
    desk.answers("invoices.list", as_json({"data": [an_invoice_row()]}))
    credit_note = example("credit_note")["data"]
    unissued = {**credit_note, "id": "x", "credit_note_number": None, "credit_note_date": None}
    desk.answers("creditNotes.list", as_json({"data": [credit_note, unissued]}))
    given = Cursor("2025-03-01T00:00:00+00:00")

    pages = list(desk.focus.documents([ENTITY], date(2025, 1, 1), given))

    paging = {"page": {"size": 100, "number": 1}, "includes": "pagination"}
    assert desk.asked("invoices.list") == [
        {
            "filter": {
                "department_id": ENTITY,
                "updated_since": given,
                "status": ["outstanding", "matched"],
                "invoice_date_after": "2025-01-01",
            },
            "sort": [{"field": "invoice_date", "order": "asc"}, {"field": "invoice_number", "order": "asc"}],
            **paging,
        }
    ]
    assert desk.asked("creditNotes.list") == [
        {
            "filter": {"department_id": ENTITY, "updated_since": given, "credit_note_date_after": "2025-01-01"},
            **paging,
        }
    ]
    seen = datetime(2025, 3, 3, 8, 5, tzinfo=UTC)
    invoice = DocumentHeader(INVOICE, DocumentKind.INVOICE, ENTITY, "2025 / 7", date(2025, 3, 3), eur("429.79"), seen)
    header = DocumentHeader(
        DocumentId(credit_note["id"]),
        DocumentKind.CREDIT_NOTE,
        ENTITY,
        "2025/5",
        date(2025, 3, 10),
        Money.of("100", "USD"),
        datetime(2025, 3, 10, 9, 0, tzinfo=UTC),
    )
    assert pages == [
        Page((invoice,), Cursor(f"{given}|2025-03-03T07:58:00+00:00|0|2")),
        Page((header,), Cursor(f"{given}|2025-03-03T07:58:00+00:00|1|2")),
        Page((), Cursor("2025-03-03T07:58:00+00:00")),  # two minutes before the first call
    ]


def test_a_first_reading_names_no_date_of_change_and_its_cursor_is_from_before_the_first_call(desk):
    def slow(request: httpx.Request) -> httpx.Response:
        desk.clock.advance(600)
        return as_json({"data": []})

    for method in ("invoices.list", "creditNotes.list"):
        desk.router.post(f"{API}/{method}").mock(side_effect=slow)
    pages = list(desk.focus.documents([ENTITY], date(2025, 1, 1), None))
    assert pages == [Page((), Cursor("2025-03-03T07:58:00+00:00"))]
    for method in ("invoices.list", "creditNotes.list"):
        assert "updated_since" not in desk.asked(method)[0]["filter"]


def test_an_invoice_is_read_whole(desk):
    desk.answers("invoices.info", as_json(example("invoice")))

    document = desk.focus.document(DocumentKind.INVOICE, INVOICE)

    assert desk.asked("invoices.info") == [{"id": INVOICE}]
    assert document == SalesDocument(
        id=INVOICE,
        kind=DocumentKind.INVOICE,
        entity=ENTITY,
        number="2025 / 7",
        day=date(2025, 3, 3),
        due_on=date(2025, 4, 2),
        customer=CustomerRef(CustomerKind.COMPANY, "0b7b3c52-4d1e-0a6f-b2a9-1f6f0d2c9e11"),
        customer_name="Bakkerij Peeters BV",
        currency="EUR",
        exchange_rate=Decimal(1),
        entity_currency="EUR",
        lines=(
            DocumentLine(
                description="Oven onderhoud",
                quantity=Decimal(3),
                net=eur("338.85"),
                vat=eur("71.16"),
                tax_rate="aa21aa21-0000-0a21-8a21-000000000021",
                category="c7000000-0000-0c70-8c70-000000700000",
            ),
            DocumentLine(
                description="Bloem",
                quantity=Decimal("1.5"),
                net=eur("40"),
                vat=eur("2.4"),
                tax_rate="aa06aa06-0000-0a06-8a06-000000000006",
                category=None,
            ),
        ),
        net=eur("359.91"),
        vat=eur("69.88"),
        gross=eur("429.79"),
        by_rate=(
            VatTotal(Decimal("0.21"), eur("321.91"), eur("67.60")),
            VatTotal(Decimal("0.06"), eur("38"), eur("2.28")),
        ),
        discounts=(Decimal(5),),
        payment_reference="+++120/0000/04244+++",
        credits=None,
        updated_at=datetime(2025, 3, 3, 8, 5, tzinfo=UTC),
    )


def test_a_foreign_credit_note_is_read_whole(desk):
    desk.answers("creditNotes.info", as_json(example("credit_note")))

    document = desk.focus.document(DocumentKind.CREDIT_NOTE, DocumentId("9d1e7c22-84cf-0c5f-b2d6-41f3c7ea2b88"))

    assert (document.kind, document.number, document.day) == (DocumentKind.CREDIT_NOTE, "2025/5", date(2025, 3, 10))
    assert (document.due_on, document.payment_reference, document.credits) == (None, "", INVOICE)
    assert document.customer == CustomerRef(CustomerKind.CONTACT, "1c8c4d63-5e2f-0b7f-83ba-2f7f1e3daf22")
    assert (document.currency, document.exchange_rate, document.entity_currency) == ("USD", Decimal("0.9255"), "EUR")
    assert document.gross == Money.of("100", "USD")
    assert document.lines[0].description == ""
    assert document.updated_at == datetime(2025, 3, 10, 9, 0, tzinfo=UTC)


def test_a_credit_note_that_stands_alone_credits_nothing(desk):
    found = example("credit_note")
    found["data"]["invoice"] = None
    desk.answers("creditNotes.info", as_json(found))
    assert desk.focus.document(DocumentKind.CREDIT_NOTE, DocumentId("x")).credits is None


def test_a_document_that_is_not_there_is_gone(desk):
    desk.answers("invoices.info", an_error(404, "not found"))
    with pytest.raises(DocumentGone):
        desk.focus.document(DocumentKind.INVOICE, INVOICE)


MILLS = {"amount": Decimal("1.005"), "currency": "EUR"}


def changed(**changes: Any) -> httpx.Response:
    found = example("invoice")
    found["data"].update(changes)
    return as_json(found)


def changed_line(**changes: Any) -> httpx.Response:
    found = example("invoice")
    found["data"]["grouped_lines"][0]["line_items"][0].update(changes)
    return as_json(found)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (changed(status="draft", invoice_number=None, due_on=None), DocumentGone),
        (changed(invoicee={"name": "Iemand", "customer": None}), CustomerGone),
        (changed_line(tax=None), NotPossible),
        (changed(currency_exchange_rate={"from": "USD", "to": "EUR", "rate": 1.1}), UnexpectedAnswer),
        (changed(invoice_date="3/3/2025"), UnexpectedAnswer),
        (changed(discounts=[{"type": "amount", "value": 5}]), UnexpectedAnswer),
        (changed(payments=[{"paid_at": "2025-03-05", "payment": None}]), UnexpectedAnswer),
        (changed_line(total={"tax_exclusive": MILLS, "tax_inclusive": MILLS}), UnexpectedAnswer),
    ],
)
def test_what_cannot_be_booked_says_why(desk, answer, error):
    desk.answers("invoices.info", answer)
    with pytest.raises(error):
        desk.focus.document(DocumentKind.INVOICE, INVOICE)


@pytest.mark.parametrize("on", ["line", "document"])
def test_withheld_tax_is_seen_wherever_it_stands(desk, on):
    found = example("invoice")
    if on == "line":
        found["data"]["grouped_lines"][0]["line_items"][0]["withheld_tax"] = {"type": "withholdingTaxRate", "id": "w"}
    else:
        found["data"]["total"]["withheld_taxes"] = [{"id": "w", "taxable": {}, "withheld": {}}]
    desk.answers("invoices.info", as_json(found))
    with pytest.raises(NotPossible):
        check(desk.focus.document(DocumentKind.INVOICE, INVOICE), rates={})


# --- payments -----------------------------------------------------------------------------------------------------


def test_states_are_asked_for_a_hundred_at_a_time(desk):
    ids = [DocumentId(f"invoice-{n}") for n in range(101)]
    desk.answers(
        "invoices.list",
        as_json({"data": [an_invoice_row(id=ids[0])]}),
        as_json({"data": [an_invoice_row(id=ids[100], paid=True)]}),
    )
    states = desk.focus.invoice_states(ids)
    assert [len(body["filter"]["ids"]) for body in desk.asked("invoices.list")] == [100, 1]
    assert states == {
        ids[0]: InvoiceState(ids[0], due=eur("329.79"), paid=False, gross=eur("429.79")),
        ids[100]: InvoiceState(ids[100], due=eur("329.79"), paid=True, gross=eur("429.79")),
    }


def test_payments_are_listed(desk):
    desk.answers("invoices.info", as_json(example("invoice")))
    assert desk.focus.payments(INVOICE) == [FocusPayment(datetime(2025, 3, 5, 12, tzinfo=UTC), eur("100"))]


def register(desk: Desk, *answers: httpx.Response | Exception) -> Any:
    desk.answers("invoices.registerPayment", *answers)
    paid_at = datetime(2025, 3, 4, 13, 0, 7, 250_000, tzinfo=UTC)
    return desk.focus.register_payment(INVOICE, eur("60.50"), paid_at)


def test_a_payment_is_registered_in_whole_seconds_and_to_the_cent(desk):
    assert register(desk, httpx.Response(204)) == Done(None)
    assert desk.router.calls.last.request.content == (
        b'{"id":"5c0d8a11-73be-0b4e-a1c5-30f2b6d91a77","payment":{"amount":60.5,"currency":"EUR"},'
        b'"paid_at":"2025-03-04T13:00:07+00:00"}'
    )


@pytest.mark.parametrize("status", [400, 403, 404, 422])
def test_a_refused_payment_says_what_was_said(desk, status):
    outcome = register(desk, an_error(status, "payment cannot be registered"))
    assert isinstance(outcome, Refused)
    if status == 404:
        assert isinstance(outcome.cause, DocumentGone)
    else:
        assert outcome.cause.facts == {"said": "payment cannot be registered"}


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500),
        httpx.Response(502, text="<html>"),
        httpx.Response(408),
        httpx.Response(302),
        httpx.ReadTimeout("lost"),
    ],
)
def test_a_payment_without_a_clear_answer_is_unknown_and_not_sent_again(desk, answer):
    assert isinstance(register(desk, answer), Unknown)
    assert len(desk.router.calls) == 1


def test_a_payment_over_the_limit_was_not_sent(desk):
    with pytest.raises(RateLimited):
        register(desk, an_error(429, "Too many"))


def test_a_payment_with_an_ended_token_is_sent_with_a_new_one(desk):
    desk.router.post(f"{AUTH}/oauth2/access_token").mock(
        return_value=as_json({"access_token": "access-2", "refresh_token": "refresh-2", "expires_in": 3600})
    )
    assert register(desk, an_error(401, "Unauthorized"), httpx.Response(204)) == Done(None)


# --- customers ----------------------------------------------------------------------------------------------------

COMPANY = CustomerRef(CustomerKind.COMPANY, "0b7b3c52-4d1e-0a6f-b2a9-1f6f0d2c9e11")
CONTACT = CustomerRef(CustomerKind.CONTACT, "1c8c4d63-5e2f-0b7f-83ba-2f7f1e3daf22")
PEETERS = Customer(
    ref=COMPANY,
    name="Bakkerij Peeters BV",
    vat_number="BE 0456.789.034",
    enterprise_number="0456.789.034",
    email="info@peeters.example",
    phone="+32 9 000 00 01",
    website="www.peeters.example",
    address=Address("Kerkstraat 1", "9000", "Gent", "BE"),
    language="nl",
    iban="BE68539007547034",
    payment_days=30,
    payment_end_of_month=True,
    tags=("Exact Online Import",),
    updated_at=datetime(2025, 2, 3, 9, 10, 11, tzinfo=UTC),
)
DUPONT = Customer(
    ref=CONTACT,
    name="Dupont",
    vat_number="",
    enterprise_number="",  # a person's national number is nobody's enterprise number
    email="",
    phone="+32 470 00 00 02",
    website="",
    address=Address("", "", "", "BE"),
    language="fr",
    iban="",
    payment_days=0,
    payment_end_of_month=False,
    tags=(),
    updated_at=datetime(2025, 2, 3, 9, 10, 11, tzinfo=UTC),
)


def test_customers_are_companies_and_contacts_and_the_vanished_are_left_out(desk):
    found = example("customers")
    gone = CustomerRef(CustomerKind.COMPANY, "gone")
    desk.answers("companies.list", as_json({"data": [found["company"]]}), as_json({"data": []}))
    desk.answers("contacts.list", as_json({"data": [found["contact"]]}))

    assert desk.focus.customers([COMPANY, gone, CONTACT]) == {COMPANY: PEETERS, CONTACT: DUPONT}

    assert [body["filter"] for body in desk.asked("companies.list")] == [
        {"ids": [COMPANY.id, "gone"]},
        {"ids": ["gone"], "status": "deactivated"},
    ]
    assert [body["filter"] for body in desk.asked("contacts.list")] == [{"ids": [CONTACT.id]}]


def test_a_deactivated_customer_is_found_even_if_the_list_hides_them(desk):
    desk.answers("companies.list", as_json({"data": []}), as_json({"data": [example("customers")["company"]]}))
    assert desk.focus.customers([COMPANY]) == {COMPANY: PEETERS}


def test_no_customers_cost_no_call(desk):
    assert desk.focus.customers([]) == {}


def test_all_customers_are_read_in_the_order_they_were_added(desk):
    found = example("customers")
    desk.answers("companies.list", as_json({"data": [found["company"]]}))
    desk.answers("contacts.list", as_json({"data": [found["contact"]]}))
    given = Cursor("2025-03-01T00:00:00+00:00")

    pages = list(desk.focus.all_customers(given))

    assert [page.rows for page in pages] == [(PEETERS,), (DUPONT,), ()]
    assert pages[-1].cursor == Cursor("2025-03-03T07:58:00+00:00")
    for method in ("companies.list", "contacts.list"):
        [body] = desk.asked(method)
        assert body["filter"] == {"updated_since": given}
        assert body["sort"] == [{"field": "added_at", "order": "asc"}]


# --- hints --------------------------------------------------------------------------------------------------------

URL = "https://us.example/webhooks/teamleader/t0ken"


def test_only_missing_hints_are_registered(desk):
    there = [
        {"url": URL, "types": list(HINTS[:3])},
        {"url": "https://elsewhere.example", "types": list(HINTS)},
    ]
    desk.answers("webhooks.list", as_json({"data": there}))
    desk.answers("webhooks.register", httpx.Response(204))
    desk.focus.register_webhooks(URL)
    assert desk.asked("webhooks.register") == [{"url": URL, "types": list(HINTS[3:])}]


def test_hints_that_are_there_are_left_alone(desk):
    desk.answers("webhooks.list", as_json({"data": [{"url": URL, "types": list(HINTS)}]}))
    desk.focus.register_webhooks(URL)
    assert desk.asked("webhooks.register") == []


# --- consent ------------------------------------------------------------------------------------------------------


def exchanged(desk: Desk, answer: httpx.Response) -> Tokens:
    desk.router.post(f"{AUTH}/oauth2/access_token").mock(return_value=answer)
    return door.exchange(APP, desk.http, "the code", MORNING)


def test_the_consent_page_is_asked_for_in_the_vendors_words():
    assert door.authorize_url(APP, "a state") == (
        "https://focus.example/oauth2/authorize?client_id=client-1&response_type=code"
        "&redirect_uri=https%3A%2F%2Fus.example%2Fconnect%2Fteamleader%2Fcallback&state=a+state"
    )


def test_a_code_is_traded_for_tokens(desk):
    tokens = exchanged(desk, as_json({"access_token": "a", "refresh_token": "r", "expires_in": 3600}))
    assert tokens == Tokens("a", "r", MORNING, MORNING + timedelta(hours=1))
    assert desk.router.calls.last.request.content == (
        b"client_id=client-1&client_secret=s3cret&grant_type=authorization_code&code=the+code"
        b"&redirect_uri=https%3A%2F%2Fus.example%2Fconnect%2Fteamleader%2Fcallback"
    )


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (an_error(400, "invalid", hint="Authorization code has been revoked"), AccessDenied),
        (an_error(401, "Client authentication failed"), UnexpectedAnswer),
        (an_error(429, "Too many"), RateLimited),
        (httpx.Response(503), VendorDown),
        (httpx.Response(200, text="<html>"), VendorDown),
    ],
)
def test_a_code_that_is_not_taken(desk, answer, error):
    with pytest.raises(error):
        exchanged(desk, answer)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (an_error(400, "The refresh token is invalid.", hint="Token has been revoked"), AccessExpired),
        (an_error(401, "The refresh token is invalid.", hint="Token has been revoked"), AccessExpired),
        (as_json({"error": "invalid_grant"}, 400), AccessExpired),
        # Our own set-up is wrong: nobody's tokens may be thrown away for that.
        (an_error(400, "The refresh token is invalid.", hint="Token is not linked to client"), UnexpectedAnswer),
        (an_error(401, "Client authentication failed"), UnexpectedAnswer),
        (httpx.Response(500), VendorDown),
    ],
)
def test_a_refused_refresh_ends_the_chain_only_when_the_vendor_says_so(desk, answer, error):
    desk.router.post(f"{AUTH}/oauth2/access_token").mock(return_value=answer)
    with pytest.raises(error):
        door.refresh(APP, desk.http, "refresh-1", MORNING)


def test_who_consented_is_known(desk):
    person = {"first_name": "An", "last_name": "Peeters", "email": "an@peeters.example", "language": "nl"}
    found = {"id": "u", "account": {"type": "account", "id": "a"}, **person}
    route = desk.answers("users.me", as_json({"data": found}))
    assert door.user_of(APP, desk.http, "token") == FocusUser("u", "a", "An Peeters", "an@peeters.example", "nl")
    assert route.calls.last.request.headers["Authorization"] == "Bearer token"


def test_a_token_that_may_not_ask_who_it_is_is_denied(desk):
    desk.answers("users.me", an_error(403, "Forbidden"))
    with pytest.raises(AccessDenied):
        door.user_of(APP, desk.http, "token")


# --- files --------------------------------------------------------------------------------------------------------

ELSEWHERE = "https://files.example/tmp/1?signature=s"


def offered(desk: Desk) -> None:
    desk.answers(
        "invoices.download", as_json({"data": {"location": ELSEWHERE, "expires": "2026-03-31T09:15:00+00:00"}})
    )


def fetched(desk: Desk) -> bytes:
    return desk.focus.file(DocumentKind.INVOICE, INVOICE, FileFormat.UBL)


def test_a_file_is_fetched_from_where_it_is_told_without_our_token(desk):
    offered(desk)
    route = desk.router.get(ELSEWHERE).mock(return_value=httpx.Response(200, content=b"<Invoice/>"))
    assert fetched(desk) == b"<Invoice/>"
    assert "Authorization" not in route.calls.last.request.headers
    assert desk.asked("invoices.download") == [{"id": INVOICE, "format": "ubl/peppol_bis_3"}]


def test_a_file_is_asked_for_again_when_the_line_fails(desk):
    offered(desk)
    answers = [httpx.ReadError("gone"), httpx.Response(503), httpx.Response(200, content=b"<Invoice/>")]
    desk.router.get(ELSEWHERE).mock(side_effect=answers)
    assert fetched(desk) == b"<Invoice/>"


@pytest.mark.parametrize("answer", [httpx.Response(404), httpx.Response(302), httpx.Response(200, content=b"")])
def test_no_file_where_one_was_promised_is_no_answer(desk, answer):
    offered(desk)
    desk.router.get(ELSEWHERE).mock(return_value=answer)
    with pytest.raises(UnexpectedAnswer):
        fetched(desk)


def test_a_file_larger_than_we_carry_is_left_there(desk, monkeypatch):
    monkeypatch.setattr(client, "MOST_FILE_BYTES", 9)
    offered(desk)
    desk.router.get(ELSEWHERE).mock(return_value=httpx.Response(200, content=b"<Invoice/>"))
    with pytest.raises(NotPossible) as refused:
        fetched(desk)
    assert refused.value.facts["feature"] == "file_too_large"
