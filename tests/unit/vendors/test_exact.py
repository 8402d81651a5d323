"""Exact Online: the shapes on the wire, the limits it sets, and the words it refuses in."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from boekbrug.domain.documents import CustomerKind, CustomerRef, DocumentId, DocumentKind, File
from boekbrug.domain.errors import (
    AccessDenied,
    AccessExpired,
    AccountBlocked,
    AdministrationUnreachable,
    CustomerIncomplete,
    FiscalYearMissing,
    JournalMissing,
    JournalNotSales,
    PaymentTermRefused,
    PeriodClosed,
    RateLimited,
    RefusedByPackage,
    RelationGone,
    TokenBusy,
    UnexpectedAnswer,
    VatCodeRefused,
    VendorDown,
)
from boekbrug.domain.ledger import (
    AdministrationId,
    Done,
    EntryLine,
    Folder,
    FolderRef,
    Period,
    Refused,
    Regime,
    SalesEntry,
    SettlementKind,
    Unknown,
)
from boekbrug.domain.money import Money
from boekbrug.domain.relations import Address, RelationDraft, RelationQuery, RelationRef
from boekbrug.vendors.exact import door, mapping, wire
from boekbrug.vendors.exact.client import Client
from boekbrug.vendors.exact.ledger import ExactLedger
from boekbrug.vendors.http import Http, new_client
from boekbrug.vendors.oauth import App
from tests.support.budgets import MemoryBudgets
from tests.support.clocks import MORNING, StillClock

URL = "https://exact.example"
API = f"{URL}/api/v1/3001234"
ENTRIES, ACCOUNTS = f"{API}/salesentry/SalesEntries", f"{API}/crm/Accounts"
APP = App("exact", "be", "{client}", "secret", "https://boekbrug.example/exact", URL, URL, "webhook")
EXAMPLES = Path(__file__).parents[2] / "examples" / "exact"
EMPTY = {"d": {"results": []}}


class Tokens:
    """Tokens that never run out; a refused one is followed by the next."""

    def __init__(self) -> None:
        self.number = 1

    def access(self) -> str:
        return f"token-{self.number}"

    def refused(self, token: str) -> None:
        assert token == self.access()
        self.number += 1


class Desk:
    """A ledger on a line of which every answer is written here."""

    def __init__(self) -> None:
        self.router = respx.MockRouter(assert_all_called=False)
        self.clock = StillClock()
        self.budgets = MemoryBudgets()
        self.tokens = Tokens()
        self.http = Http("exact", new_client(httpx.MockTransport(self.router.handler)), sleep=lambda seconds: None)
        self.client = self.another_client()
        self.ledger = ExactLedger(self.client, self.clock, "be", "3001234")

    def another_client(self) -> Client:
        return Client(APP, self.http, self.tokens, self.budgets, self.clock, "3001234")

    def journals(self, *answers: httpx.Response | Exception) -> respx.Route:
        return self.router.get(f"{API}/financial/Journals").mock(side_effect=answers)

    def entries(self, *answers: httpx.Response | Exception) -> respx.Route:
        return self.router.post(ENTRIES).mock(side_effect=answers)

    def book(self, entry: SalesEntry | None = None) -> Any:
        (outcome,) = self.ledger.book(self.ledger.prepare([entry or an_entry()]))
        return outcome

    def refused(self, answer: httpx.Response) -> Exception:
        self.entries(answer)
        outcome = self.book()
        assert isinstance(outcome, Refused), outcome
        return outcome.cause


@pytest.fixture
def desk() -> Desk:
    return Desk()


def said(text: str, status: int = 500, **headers: str) -> httpx.Response:
    body = {"error": {"code": "", "message": {"lang": "", "value": text}}}
    return httpx.Response(status, json=body, headers=headers)


def rows(*found: dict[str, Any], following: str | None = None, **headers: str) -> httpx.Response:
    more = {"__next": following} if following else {}
    return httpx.Response(200, json={"d": {"results": list(found), **more}}, headers=headers)


def limits(day: int, minute: int, reset: datetime = MORNING + timedelta(seconds=20)) -> dict[str, str]:
    tomorrow = datetime(2025, 3, 4, tzinfo=UTC)
    return {
        "X-RateLimit-Limit": "5000",
        "X-RateLimit-Remaining": str(day),
        "X-RateLimit-Reset": str(int(tomorrow.timestamp() * 1000)),
        **minutely(minute, reset),
    }


def minutely(left: int, reset: datetime = MORNING + timedelta(seconds=20)) -> dict[str, str]:
    return {
        "X-RateLimit-Minutely-Limit": "60",
        "X-RateLimit-Minutely-Remaining": str(left),
        "X-RateLimit-Minutely-Reset": str(int(reset.timestamp() * 1000)),
    }


def a_journal(code: str = "70") -> dict[str, Any]:
    return {"Code": code, "Description": "Verkopen", "Type": 20, "IsBlocked": False}


def an_entry(**changes: Any) -> SalesEntry:
    def eur(amount: str) -> Money:
        return Money.of(amount, changes.get("currency", "EUR"))

    entry = SalesEntry(
        document=DocumentId("document-1"),
        key="BBABCDEFGH23",
        kind=DocumentKind.INVOICE,
        number="2026/0117",
        journal="70",
        day=date(2026, 3, 31),
        due_on=date(2026, 4, 30),
        period=Period("2026 - 03", date(2026, 3, 1), date(2026, 3, 31)),
        relation=RelationRef("0d3c6a52-1111-4222-8333-444455556666"),
        currency="EUR",
        exchange_rate=Decimal(1),
        lines=(
            EntryLine("gl-700000", "21E", eur("1000.10"), eur("210.02"), "Advies, maart 2026", Decimal(8)),
            EntryLine("gl-702000", "6E", eur("-20.00"), eur("-1.20"), "Terug", Decimal("0.5")),
        ),
        payment_reference="+++117/2026/00026+++",
    )
    return replace(entry, **changes)


def an_entry_row(**changes: Any) -> dict[str, Any]:
    row = {
        "__metadata": {"uri": f"{ENTRIES}(guid'9e4b')", "type": "Exact.Web.Api.Models.SalesEntry"},
        "EntryID": "9e4b",
        "EntryNumber": 26700118,
        "Division": 3001234,
        "Type": 20,
        "Status": 20,
        "Journal": "70 ",
        "Customer": "0d3c6a52-1111-4222-8333-444455556666",
        "EntryDate": "/Date(1774915200000)/",
        "YourRef": "2026/0117",
        "Description": "2026/0117 BBABCDEFGH23",
        "Currency": "EUR",
        "AmountFC": 1188.92,
        "VATAmountFC": 208.82,
    }
    return {**row, **changes}


def a_draft(**changes: Any) -> RelationDraft:
    draft = RelationDraft(
        customer=CustomerRef(CustomerKind.COMPANY, "customer-1"),
        name="Bakkerij De Korenmolen BV",
        vat_number="BE0123456749",
        enterprise_number="0123456749",
        email="boekhouding@korenmolen.example",
        phone="",
        website="",
        address=Address("Molenstraat 7", "9000", "Gent", "BE"),
        language="nl",
        iban="",
        payment_days=None,
        payment_end_of_month=False,
    )
    return replace(draft, **changes)


# --- reading --------------------------------------------------------------------------------------------------------


def test_every_read_names_its_fields(desk):
    route = desk.journals(rows(a_journal()))
    desk.ledger.journals()
    (call,) = route.calls
    assert call.request.url.params["$select"] == "Code,Description,Type,IsBlocked"
    assert call.request.headers["Accept"] == "application/json"
    assert call.request.headers["Authorization"] == "Bearer token-1"


@pytest.mark.parametrize("body", [{"d": {"results": [a_journal()]}}, {"d": [a_journal()]}])
def test_both_shapes_of_a_collection_are_read(desk, body):
    desk.journals(httpx.Response(200, json=body))
    assert [journal.code for journal in desk.ledger.journals()] == ["70"]


def test_the_next_page_is_asked_for_as_exact_wrote_it(desk):
    following = f"{API}/financial/Journals?$select=Code&$skiptoken=guid'ab%2Bc'&odd"
    route = desk.journals(rows(a_journal("70"), following=following), rows(a_journal("71")))
    assert [journal.code for journal in desk.ledger.journals()] == ["70", "71"]
    assert str(route.calls[1].request.url) == following


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/api/v1/3001234/x",
        f"{URL}/api/v1/999/financial/Journals",
        "http://exact.example/api/v1/3001234/",
    ],
)
def test_a_next_page_elsewhere_never_sees_our_token(desk, elsewhere):
    desk.journals(rows(a_journal(), following=elsewhere))
    with pytest.raises(UnexpectedAnswer):
        desk.ledger.journals()
    assert len(desk.router.calls) == 1


def test_padding_is_trimmed_and_dates_are_days(desk):
    account = dict.fromkeys(wire.Account.model_fields) | {
        "ID": "0d3c", "Code": "              1005", "Name": "Firma", "Country": "BE ", "Status": "C",
        "EndDate": "/Date(1740873600000)/", "Created": "/Date(1735689600123+60)/",
    }  # fmt: skip
    desk.router.get(ACCOUNTS).mock(side_effect=[rows(account)])
    ((found,),) = desk.ledger.find_relations([RelationQuery("Firma")])
    assert (found.code, found.address.country, found.email) == ("1005", "BE", "")
    assert found.blocked  # ended on 2 March 2025, the day before
    assert found.created_at == datetime(2025, 1, 1, 0, 0, 0, 123000, tzinfo=UTC)


def test_quotes_are_doubled_and_everything_is_encoded(desk):
    route = desk.router.get(ENTRIES).mock(side_effect=[rows()])
    desk.ledger.find_bookings(desk.ledger.prepare([an_entry(number="O'N/1+2&3 #4")]))
    assert route.calls[0].request.url.params["$filter"] == "YourRef eq 'O''N/1+2&3 #4'"
    query = route.calls[0].request.url.query
    assert query.endswith(b"YourRef+eq+%27O%27%27N%2F1%2B2%263+%234%27")


def test_many_questions_share_calls_of_25_terms(desk):
    route = desk.router.get(ENTRIES).mock(side_effect=[rows(), rows(an_entry_row(YourRef="30"))])
    found = desk.ledger.find_bookings(desk.ledger.prepare([an_entry(number=str(n)) for n in range(31)]))
    assert [len(call.request.url.params["$filter"].split(" or ")) for call in route.calls] == [25, 6]
    assert [booking.reference for booking in found[30]] == ["30"]
    assert not any(found[:30])


def test_nothing_to_look_for_costs_nothing(desk):
    assert desk.ledger.find_bookings([]) == []
    assert desk.ledger.find_relations([RelationQuery("")]) == [[]]
    assert not desk.router.calls


def test_a_row_without_a_field_we_need_is_unexpected_and_its_values_stay_private(desk):
    desk.journals(rows({**a_journal(), "Type": "secret"}))
    with pytest.raises(UnexpectedAnswer) as unexpected:
        desk.ledger.journals()
    assert unexpected.value.facts["said"] == "Journal: Type"


def test_a_maintenance_page_with_200_is_a_vendor_that_is_down(desk):
    desk.journals(httpx.Response(200, html="<html>Maintenance</html>"))
    with pytest.raises(VendorDown):
        desk.ledger.journals()


# --- tokens and rights ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "refusal", [httpx.Response(401), httpx.Response(302, headers={"Location": "/docs/Login.aspx"})]
)
def test_a_refused_token_is_renewed_once(desk, refusal):
    route = desk.journals(refusal, rows(a_journal()))
    assert desk.ledger.journals()
    assert [call.request.headers["Authorization"] for call in route.calls] == ["Bearer token-1", "Bearer token-2"]


def test_a_second_refused_token_needs_a_person(desk):
    desk.journals(httpx.Response(401), httpx.Response(401))
    with pytest.raises(AccessExpired):
        desk.ledger.journals()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (said("Forbidden", 403), AccessDenied(vendor="exact", reason="Forbidden")),
        (httpx.Response(403), AccessDenied(vendor="exact", reason="403")),
        (said("Forbidden", 403, Reason="LicenseExpired"), AccessDenied(vendor="exact", reason="LicenseExpired")),
        (
            said("Forbidden - User division is not within division scope", 403),
            AdministrationUnreachable(administration="3001234"),
        ),
        (
            httpx.Response(403, headers={"Reason": "NoDivisionAccess"}),
            AdministrationUnreachable(administration="3001234"),
        ),
    ],
)
def test_a_missing_right_is_told_from_a_missing_division(desk, answer, error):
    desk.journals(answer)
    with pytest.raises(type(error)) as raised:
        desk.ledger.journals()
    assert raised.value.facts == error.facts


def test_an_administration_that_is_not_listed_is_out_of_reach(desk):
    desk.router.get(f"{API}/system/Divisions").mock(side_effect=[rows()])
    with pytest.raises(AdministrationUnreachable):
        desk.ledger.administration()


# --- limits ---------------------------------------------------------------------------------------------------------


def test_a_spent_minute_stops_everybody_until_a_second_after_its_end(desk):
    desk.journals(httpx.Response(429, headers=minutely(0)), rows())
    until = MORNING + timedelta(seconds=21)
    for client in (desk.client, desk.client, desk.another_client()):
        with pytest.raises(RateLimited) as limited:
            client.rows("financial/Journals", wire.Journal)
        assert limited.value.until == until
    assert len(desk.router.calls) == 1
    desk.clock.advance(21)
    assert desk.ledger.journals() == []


def test_the_last_call_of_a_minute_is_the_last(desk):
    desk.journals(rows(**limits(day=4000, minute=0)))
    desk.ledger.journals()
    with pytest.raises(RateLimited):
        desk.book()  # another endpoint, the same budget
    assert len(desk.router.calls) == 1


def test_a_spent_day_stops_everybody_until_tomorrow(desk):
    desk.journals(httpx.Response(429, headers=limits(day=0, minute=60)))
    with pytest.raises(RateLimited) as limited:
        desk.ledger.journals()
    assert limited.value.until == datetime(2025, 3, 4, 0, 0, 1, tzinfo=UTC)


def test_a_429_without_headers_waits_the_longest_minute(desk):
    desk.journals(httpx.Response(429))
    with pytest.raises(RateLimited) as limited:
        desk.ledger.journals()
    assert limited.value.until == MORNING + timedelta(seconds=65)


def test_a_429_with_calls_left_shuts_that_endpoint_for_an_hour(desk):
    desk.journals(httpx.Response(429, headers=limits(day=4000, minute=30)))
    with pytest.raises(RateLimited) as limited:
        desk.ledger.journals()
    assert limited.value.until == MORNING + timedelta(hours=1)
    desk.router.get(f"{API}/vat/VATCodes").mock(side_effect=[rows()])
    assert desk.ledger.vat_codes() == []


def test_the_store_is_not_read_for_each_call(desk, monkeypatch):
    desk.journals(rows(), rows())
    desk.ledger.journals()
    monkeypatch.setattr(desk.budgets, "blocked_until", lambda *_: pytest.fail("read again"))
    desk.ledger.journals()


def test_a_missing_header_is_unknown_and_not_zero(desk):
    desk.journals(rows(), rows())
    desk.ledger.journals()
    assert desk.ledger.daily_budget() is None
    desk.ledger.journals()


def test_what_is_left_of_the_day_is_told(desk):
    desk.journals(rows(**limits(day=1000, minute=59)))
    desk.ledger.journals()
    budget = desk.ledger.daily_budget()
    assert (budget.left, budget.resets_at) == (0.2, datetime(2025, 3, 4, tzinfo=UTC))


@pytest.mark.parametrize("status", [400, 404])
def test_five_errors_shut_an_endpoint_until_the_hour_is_over(desk, status):
    desk.clock.advance(600)
    desk.journals(*[said("Bad Request - Error in query syntax.", status)] * 5, rows())
    for _ in range(5):
        with pytest.raises(UnexpectedAnswer):
            desk.ledger.journals()
    with pytest.raises(RateLimited) as limited:
        desk.ledger.journals()
    assert limited.value.until == MORNING + timedelta(hours=1)
    assert len(desk.router.calls) == 5
    desk.clock.advance(3000)
    assert desk.ledger.journals() == []


def test_business_refusals_do_not_count_as_errors(desk):
    desk.entries(*[said("Periode is afgesloten: 2026 - 3")] * 8)
    for _ in range(8):
        assert isinstance(desk.book(), Refused)


# --- writing --------------------------------------------------------------------------------------------------------


def test_what_was_prepared_is_sent_to_the_byte_and_asks_for_the_whole_row(desk):
    route = desk.entries(httpx.Response(201, json={"d": an_entry_row()}))
    (prepared,) = desk.ledger.prepare([an_entry()])
    (outcome,) = desk.ledger.book([prepared])
    request = route.calls[0].request
    assert request.content == prepared.payload.encode()
    assert prepared.hash == hashlib.sha256(request.content).hexdigest()
    assert request.headers["Prefer"] == "return=representation"
    booked = outcome.value
    assert (booked.ref, booked.number, booked.journal, booked.key) == ("9e4b", "26700118", "70", "BBABCDEFGH23")
    assert (booked.gross, booked.vat) == (Money.of("1188.92", "EUR"), Money.of("208.82", "EUR"))
    assert (booked.day, booked.final) == (date(2026, 3, 31), False)


def test_a_booking_that_landed_in_another_division_says_so(desk):
    desk.entries(httpx.Response(201, json={"d": an_entry_row(Division=3009999)}))
    assert desk.book().value.administration == AdministrationId("exact.be.3009999")


@pytest.mark.parametrize(
    ("row", "kind", "gross"),
    [
        ({"Type": 21, "AmountFC": -121, "VATAmountFC": -21}, DocumentKind.CREDIT_NOTE, "121.00"),
        ({"Type": 21, "AmountFC": 121, "VATAmountFC": 21}, DocumentKind.CREDIT_NOTE, "-121.00"),  # the sign went wrong
        ({"Type": 20, "AmountFC": -121, "VATAmountFC": -21}, DocumentKind.INVOICE, "-121.00"),  # the type was ignored
        ({"AmountFC": 0.30000000000000004, "VATAmountFC": 0}, DocumentKind.INVOICE, "0.30"),  # noise of a double
    ],
)
def test_signs_come_back_so_that_a_wrong_one_shows(desk, row, kind, gross):
    desk.entries(httpx.Response(201, json={"d": an_entry_row(**row)}))
    booked = desk.book().value
    assert (booked.kind, booked.gross) == (kind, Money.of(gross, "EUR"))


@pytest.mark.parametrize(
    "answer",
    [
        httpx.ReadTimeout("slow"),
        httpx.ReadError("reset"),
        httpx.RemoteProtocolError("half"),
        httpx.Response(500, html="<html>Server Error</html>"),
        httpx.Response(500),
        httpx.Response(502),
        httpx.Response(503),
        httpx.Response(200, html="<html>Maintenance</html>"),
        httpx.Response(201, json={"d": {"EntryID": "9e4b", "AmountFC": None}}),
        httpx.Response(201, json={"d": an_entry_row(Type=30)}),
        httpx.Response(201, json={}),
    ],
)
def test_an_answer_that_does_not_tell_leaves_the_outcome_unknown(desk, answer):
    desk.entries(answer)
    assert isinstance(desk.book(), Unknown)
    assert len(desk.router.calls) == 1


def test_what_never_left_the_house_raises(desk):
    desk.entries(httpx.ConnectError("no route"))
    with pytest.raises(VendorDown):
        desk.book()


def test_a_write_with_a_refused_token_is_sent_again_with_the_next(desk):
    route = desk.entries(httpx.Response(401), httpx.Response(201, json={"d": an_entry_row()}))
    assert isinstance(desk.book(), Done)
    assert [call.request.headers["Authorization"] for call in route.calls] == ["Bearer token-1", "Bearer token-2"]


def test_a_write_whose_token_cannot_be_renewed_was_not_written(desk, monkeypatch):
    desk.entries(httpx.Response(401))
    refused = desk.tokens.refused

    def and_then_busy(token: str) -> None:
        refused(token)
        monkeypatch.setattr(desk.tokens, "access", _busy)

    monkeypatch.setattr(desk.tokens, "refused", and_then_busy)
    outcome = desk.book()
    assert isinstance(outcome.cause, TokenBusy)


def _busy() -> str:
    raise TokenBusy(vendor="exact")


def test_without_a_token_nothing_is_sent(desk, monkeypatch):
    monkeypatch.setattr(desk.tokens, "access", _busy)
    with pytest.raises(TokenBusy):
        desk.book()
    assert not desk.router.calls


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (said("Error processing request stream.", 400), UnexpectedAnswer),
        (said("Forbidden", 403), AccessDenied),
        (said("not found", 404), UnexpectedAnswer),
        (httpx.Response(429, headers=minutely(0)), RateLimited),
    ],
)
def test_a_clear_no_is_refused_with_its_cause(desk, answer, cause):
    assert isinstance(desk.refused(answer), cause)


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("Periode is afgesloten: 2026 - 3", PeriodClosed(period="2026 - 03")),
        ("Period is closed", PeriodClosed(period="2026 - 03")),
        ("Unknown: Financial year (Period-date table)", FiscalYearMissing(day="2026-03-31")),
        ("Unknown: Fiscal year (Period - date table).", FiscalYearMissing(day="2026-03-31")),
        ("Ongeldig: Dagboek", JournalNotSales(journal="70")),
        ("Invalid: Journal (type)", JournalNotSales(journal="70")),
        ("Invalid journal. The journal must be a cash journal.", JournalNotSales(journal="70")),
        ("Ongeldige referentie: Journals", JournalMissing(journal="70")),
        ("Verplicht: Dagboek", JournalMissing(journal="70")),
        ("Ongeldig: Btw-percentage []", VatCodeRefused(code="21E, 6E")),
        ("Invalid: VAT percentage []", VatCodeRefused(code="21E, 6E")),
        ("Ongeldige referentie: Btw-code", VatCodeRefused(code="21E, 6E")),
        ("Not allowed: VAT code", VatCodeRefused(code="21E, 6E")),
        ("Ongeldig: Grootboekrekeningtype", AccountBlocked(account="gl-700000, gl-702000")),
        ("Invalid: G/L account type", AccountBlocked(account="gl-700000, gl-702000")),
        ("Grootboekrekening is verplicht", AccountBlocked(account="gl-700000, gl-702000")),
        ("Ongeldige referentie: Betalingsconditie", PaymentTermRefused(term="")),
        ("Invalid reference: Payment condition", PaymentTermRefused(term="")),
        ("Ongeldig: Klant (Type)", RelationGone(customer="0d3c6a52-1111-4222-8333-444455556666")),
        ("Invalid: Customer (Type)", RelationGone(customer="0d3c6a52-1111-4222-8333-444455556666")),
        ("Ongeldige referentie: Klant", RelationGone(customer="0d3c6a52-1111-4222-8333-444455556666")),
        ("Niet bekend: Iets\r\nPeriode is afgesloten: 2026 - 3", PeriodClosed(period="2026 - 03")),
        ("In gebruik: Boekstuknummer", RefusedByPackage(said="In gebruik: Boekstuknummer")),
        ("La période est clôturée", RefusedByPackage(said="La période est clôturée")),
    ],
)
def test_exacts_sentences_have_a_cause(desk, text, cause):
    refused = desk.refused(said(text))
    assert (type(refused), refused.facts) == (type(cause), cause.facts)


# --- entries --------------------------------------------------------------------------------------------------------

IN_DOLLARS = an_entry(
    currency="USD",
    exchange_rate=Decimal("0.8"),
    due_on=None,
    payment_reference="",
    number="2026/0118",
    lines=(EntryLine("gl-700000", "EXP", Money.of("99.99", "USD"), Money.of("0", "USD"), "Export", Decimal(1)),),
)


@pytest.mark.parametrize(
    ("example", "entry"),
    [
        ("invoice", an_entry()),
        ("credit_note", an_entry(kind=DocumentKind.CREDIT_NOTE, number="C/9", journal="71", due_on=None)),
        ("foreign_invoice", IN_DOLLARS),
    ],
)
def test_an_entry_in_exacts_words(desk, example, entry):
    (prepared,) = desk.ledger.prepare([entry])
    golden = (EXAMPLES / f"{example}.json").read_text()
    assert _exactly(prepared.payload) == _exactly(golden)


def _exactly(text: str) -> Any:
    """JSON with its order and every digit."""
    return json.loads(text, parse_float=str, object_pairs_hook=list)


def test_the_direction_of_a_rate_is_a_switch():
    payload = mapping.entry_payload(IN_DOLLARS, mapping.Switches(divide_by_rate=True))
    assert payload["Rate"] == Decimal("1.25")


def test_our_key_survives_a_long_number():
    entry = an_entry(number="9" * 80)
    payload = mapping.entry_payload(entry, mapping.Switches())
    assert (len(payload["YourRef"]), len(payload["Description"])) == (30, 60)
    assert mapping.key_in(payload["Description"]) == entry.key


def test_a_long_number_is_found_again_by_what_exact_holds_of_it(desk):
    desk.router.get(ENTRIES).mock(side_effect=[rows(an_entry_row(YourRef="9" * 30))])
    ((found,),) = desk.ledger.find_bookings(desk.ledger.prepare([an_entry(number="9" * 80)]))
    assert found.reference == "9" * 30


def test_a_reference_typed_in_other_capitals_is_found(desk):
    desk.router.get(ENTRIES).mock(side_effect=[rows(an_entry_row(YourRef="f-12 "))])
    ((found,),) = desk.ledger.find_bookings(desk.ledger.prepare([an_entry(number="F-12")]))
    assert found.reference == "f-12"


# --- what a division holds ------------------------------------------------------------------------------------------


def a_vat_code(**changes: Any) -> wire.VATCode:
    row = {
        "Code": "2  ", "Description": "Btw hoog", "Percentage": Decimal("0.21"), "Type": "E", "VATTransactionType": "S",
        "EUSalesListing": "N", "Charged": False, "IsBlocked": False, "OssCountry": None, "Country": "BE ",
    }  # fmt: skip
    return wire.VATCode.model_validate({**row, **changes})


@pytest.mark.parametrize(
    ("changes", "usable"),
    [
        ({}, True),
        ({"VATTransactionType": "B"}, True),
        ({"VATTransactionType": "P"}, False),
        ({"Type": "I"}, False),
        ({"Type": "B"}, False),
        ({"Type": "B", "Percentage": 0}, True),
        ({"Type": "I", "Percentage": 0}, False),
        ({"Type": "N", "Percentage": 0}, False),
        ({"IsBlocked": True}, False),
        ({"OssCountry": "FR"}, False),
        ({"OssCountry": "BE"}, True),
    ],
)
def test_which_vat_codes_may_be_used(changes, usable):
    assert mapping.vat_code(a_vat_code(**changes)).usable is usable


@pytest.mark.parametrize(
    ("changes", "regime"),
    [
        ({}, Regime.DOMESTIC),
        ({"Percentage": 0, "Description": "Btw nul"}, Regime.DOMESTIC),
        ({"Percentage": 0, "EUSalesListing": "L", "Charged": True}, Regime.EU_GOODS),
        ({"Percentage": 0, "EUSalesListing": "T"}, Regime.EU_GOODS),
        ({"Percentage": 0, "EUSalesListing": "S", "Charged": True}, Regime.EU_SERVICES),
        ({"Percentage": 0, "Charged": True, "Description": "Btw verlegd"}, Regime.REVERSE_CHARGE),
        ({"Percentage": 0, "Type": "B", "Description": "Uitvoer buiten de EU"}, Regime.EXPORT),
    ],
)
def test_why_a_rate_is_what_it_is(changes, regime):
    assert mapping.vat_code(a_vat_code(**changes)).regime is regime


def test_periods_carry_the_journals_that_are_shut():
    def period(year: int, number: int) -> wire.FinancialPeriod:
        return wire.FinancialPeriod.model_construct(
            FinYear=year, FinPeriod=number, StartDate=date(year, number, 1), EndDate=date(year, number, 28)
        )

    def status(journal: str, number: int, closed: int) -> wire.JournalStatus:
        return wire.JournalStatus(Journal=journal, Year=2026, Period=number, Status=closed)

    shut = [status("71", 1, 1), status("70", 1, 1), status("70", 2, 0)]
    before, year = mapping.fiscal_years([period(2026, 2), period(2026, 1), period(2025, 12)], shut)
    assert (before.name, [p.name for p in year.periods]) == ("2025", ["2026 - 01", "2026 - 02"])
    assert [p.closed_for for p in year.periods] == [("70", "71"), ()]


@pytest.mark.parametrize(
    ("changes", "offered"),
    [({}, True), ({"DiscountPercentage": Decimal("0.02")}, False), ({"PaymentMethod": "I"}, False)],
)
def test_terms_with_discount_or_collection_are_not_offered(changes, offered):
    row = {
        "Code": "30", "Description": "30 dagen", "PaymentDays": 30, "PaymentEndOfMonths": None, "PaymentMethod": "B",
        "DiscountPercentage": None,
    }  # fmt: skip
    term = mapping.payment_term(wire.PaymentCondition.model_validate({**row, **changes}))
    assert (term is not None) is offered


# --- relations ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"email": "geen adres"}, "email"),
        ({"email": "a@b"}, "email"),
        ({"email": "a@b.example; c@d.example"}, "email"),
        ({"vat_number": "BE2123456749"}, "vat_number"),
        ({"vat_number": "NL123456789B1"}, "vat_number"),
        ({"vat_number": "ES123456789"}, "vat_number"),
        ({"name": " "}, "name"),
    ],
)
def test_what_exact_would_refuse_is_refused_before_it_is_sent(desk, changes, field):
    (outcome,) = desk.ledger.save_relations([a_draft(**changes)])
    assert isinstance(outcome.cause, CustomerIncomplete)
    assert outcome.cause.facts["field"] == field
    assert not desk.router.calls


@pytest.mark.parametrize(
    "number",
    [
        "BE0123456749",
        "BE1123456749",
        "NL123456789B01",
        "FRXX123456789",
        "IT12345678901",
        "ESX1234567X",
        "CHE123456789TVA",
        "XI123",
    ],
)
def test_a_vat_number_that_may_be_right_is_sent(number):
    assert mapping.incomplete(a_draft(vat_number=number)) is None


def test_a_customer_in_exacts_words_with_the_term_of_his_days(desk):
    term = {
        "Code": "14", "Description": "14 dagen", "PaymentDays": 14, "PaymentEndOfMonths": 0, "PaymentMethod": "B",
        "DiscountPercentage": 0,
    }  # fmt: skip
    terms = desk.router.get(f"{API}/cashflow/PaymentConditions").mock(side_effect=[rows(term)])
    made = dict.fromkeys(wire.Account.model_fields) | {"ID": "0d3c", "Code": "1005", "Name": "Firma", "Status": "C"}
    route = desk.router.post(ACCOUNTS).mock(side_effect=[httpx.Response(201, json={"d": made})] * 2)
    outcomes = desk.ledger.save_relations([a_draft(payment_days=14), a_draft(payment_days=60)])
    assert all(isinstance(outcome, Done) for outcome in outcomes)
    sent, other = (json.loads(call.request.content) for call in route.calls)
    assert sent == json.loads((EXAMPLES / "customer.json").read_text())
    assert "PaymentConditionSales" not in other  # Exact's default
    assert terms.call_count == 1


def test_an_email_refused_by_exact_itself_is_the_customers(desk):
    desk.router.post(ACCOUNTS).mock(side_effect=[said("Invalid: Email []")])
    (outcome,) = desk.ledger.save_relations([a_draft()])
    assert outcome.cause.facts == {"customer": "Bakkerij De Korenmolen BV", "field": "email"}


# --- settlements ----------------------------------------------------------------------------------------------------


def a_term(**changes: Any) -> dict[str, Any]:
    row = {
        "Timestamp": "1102", "ID": "term-1", "EntryID": "set-1", "LineType": 20, "TransactionEntryID": "entry-1",
        "TransactionType": 20, "Status": 50, "Currency": "EUR", "AmountFC": -1210, "EntryDate": "/Date(1740787200000)/",
        "EndDate": "/Date(1740873600000)/", "LastPaymentDate": None,
    }  # fmt: skip
    return {**row, **changes}


TERMS, LINES = f"{API}/sync/Cashflow/PaymentTerms", f"{API}/financialtransaction/TransactionLines"


def settled(desk: Desk, *terms: dict[str, Any]) -> list[tuple[str, SettlementKind]]:
    desk.router.get(TERMS).mock(side_effect=[rows(*terms)])
    (page,) = desk.ledger.settlements(None)
    return [(row.id, row.kind) for row in page.rows]


@pytest.mark.parametrize("status", [20, 30, 40])
def test_a_part_in_collection_is_not_paid(desk, status):
    assert settled(desk, a_term(Status=status)) == [("term-1", SettlementKind.OPEN)]


def test_terms_of_payments_and_purchases_are_nobodys_settlement(desk):
    terms = [a_term(TransactionType=40), a_term(LineType=22, TransactionType=30), a_term(TransactionType=None)]
    assert settled(desk, *terms) == []
    assert len(desk.router.calls) == 1


def test_money_needs_no_second_look(desk):
    assert settled(desk, a_term(LastPaymentDate="/Date(1740873600000)/")) == [("term-1", SettlementKind.PAYMENT)]
    assert len(desk.router.calls) == 1


def test_a_partner_in_the_same_set_tells_the_kind(desk):
    partner = a_term(ID="term-2", TransactionEntryID="entry-2", TransactionType=83)
    assert settled(desk, a_term(), partner) == [("term-1", SettlementKind.WRITE_OFF)]
    assert len(desk.router.calls) == 1


@pytest.mark.parametrize(
    ("counter", "kind"),
    [
        ({"ID": "line-9", "OffsetID": None, "Type": 83}, SettlementKind.WRITE_OFF),
        ({"ID": "line-8", "OffsetID": "line-1", "Type": 83}, SettlementKind.WRITE_OFF),
        ({"ID": "line-9", "OffsetID": None, "Type": 21}, SettlementKind.CREDIT_NOTE),
        ({"ID": "line-7", "OffsetID": None, "Type": 83}, SettlementKind.CREDIT_NOTE),  # somebody else's
    ],
)
def test_without_a_partner_the_other_end_of_the_match_tells(desk, counter, kind):
    receivable = {"ID": "line-1", "EntryID": "entry-1", "OffsetID": "line-9"}
    route = desk.router.get(LINES).mock(side_effect=[rows(receivable), rows(counter)])
    assert settled(desk, a_term()) == [("term-1", kind)]
    assert [call.request.url.params["$filter"] for call in route.calls] == [
        "(EntryID eq guid'entry-1') and LineNumber eq 0",
        "OffsetID eq guid'line-1' or ID eq guid'line-9'",
    ]


def test_one_line_may_explain_two_invoices(desk):
    invoices = [{"ID": f"line-{n}", "EntryID": f"entry-{n}", "OffsetID": "line-9"} for n in (1, 2)]
    counter = {"ID": "line-9", "OffsetID": "line-1", "Type": 83}
    desk.router.get(LINES).mock(side_effect=[rows(*invoices), rows(counter)])
    terms = [a_term(ID=f"term-{n}", EntryID=f"set-{n}", TransactionEntryID=f"entry-{n}") for n in (1, 2)]
    assert settled(desk, *terms) == [("term-1", SettlementKind.WRITE_OFF), ("term-2", SettlementKind.WRITE_OFF)]


def test_a_receivable_matched_with_both_is_taken_for_a_credit_note(desk):
    receivable = {"ID": "line-1", "EntryID": "entry-1", "OffsetID": "line-9"}
    ends = [{"ID": "line-9", "OffsetID": None, "Type": 83}, {"ID": "line-8", "OffsetID": "line-1", "Type": 21}]
    desk.router.get(LINES).mock(side_effect=[rows(receivable), rows(*ends)])
    assert settled(desk, a_term()) == [("term-1", SettlementKind.CREDIT_NOTE)]


def test_a_match_nobody_explains_is_taken_for_a_credit_note(desk):
    desk.router.get(LINES).mock(side_effect=[rows()])
    assert settled(desk, a_term()) == [("term-1", SettlementKind.CREDIT_NOTE)]


def test_a_cursor_is_the_highest_row_version_of_all_pages(desk):
    later = f"{TERMS}?$skiptoken=2000L"
    route = desk.router.get(TERMS).mock(
        side_effect=[
            rows(a_term(Status=20, Timestamp="2000"), following=later),
            rows(a_term(Status=20, Timestamp="1999")),
        ]
    )
    assert [page.cursor for page in desk.ledger.settlements("700")] == ["2000", "2000"]
    assert route.calls[0].request.url.params["$filter"] == "Timestamp gt 700L"


# --- the door -------------------------------------------------------------------------------------------------------

TOKEN_URL = f"{URL}/api/oauth2/token"


def test_consent_carries_the_state_and_no_scope():
    url = httpx.URL(door.authorize_url(APP, "state-1"))
    assert str(url).startswith(f"{URL}/api/oauth2/auth?")
    assert dict(url.params) == {
        "client_id": "{client}",
        "redirect_uri": "https://boekbrug.example/exact",
        "response_type": "code",
        "state": "state-1",
        "force_login": "0",
    }


@pytest.mark.parametrize("seconds", ["600", 600])
def test_a_code_becomes_a_pair_that_lasts_ten_minutes(desk, seconds):
    body = {"access_token": "a", "token_type": "bearer", "expires_in": seconds, "refresh_token": "stampBE001.!r"}
    route = desk.router.post(TOKEN_URL).mock(side_effect=[httpx.Response(200, json=body)])
    tokens = door.exchange(APP, desk.http, "stampBE001.x!y", MORNING)
    assert (tokens.access, tokens.refresh) == ("a", "stampBE001.!r")
    assert tokens.expires_at == MORNING + timedelta(seconds=600)
    assert b"code=stampBE001.x%21y" in route.calls[0].request.content
    assert "Authorization" not in route.calls[0].request.headers


def test_a_refused_code_is_no_access(desk):
    desk.router.post(TOKEN_URL).mock(side_effect=[httpx.Response(400, json={"error": "invalid_grant"})])
    with pytest.raises(AccessDenied) as denied:
        door.exchange(APP, desk.http, "used", MORNING)
    assert denied.value.facts["reason"] == "invalid_grant"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (
            httpx.Response(401, json={"error": "unauthorized_client", "error_description": "Old refresh token used."}),
            AccessExpired,
        ),
        (
            httpx.Response(
                400, json={"error": "invalid_request", "error_description": "The refresh token expired at …"}
            ),
            AccessExpired,
        ),
        (httpx.Response(400, json={"error": "invalid_grant"}), AccessExpired),
        (
            httpx.Response(
                400,
                json={
                    "error": "access_denied",
                    "error_description": "Rate limit exceeded: access_token not expired",
                },
            ),
            TokenBusy,
        ),
        (httpx.Response(429), TokenBusy),
        (httpx.Response(200, html="<html>Maintenance</html>"), VendorDown),
        (httpx.Response(503), VendorDown),
        (httpx.Response(404, html="<html/>"), UnexpectedAnswer),
    ],
)
def test_a_refused_refresh_is_dead_early_or_unclear(desk, answer, error):
    desk.router.post(TOKEN_URL).mock(side_effect=[answer])
    with pytest.raises(error):
        door.refresh(APP, desk.http, "r", MORNING)


def test_the_user_behind_a_token(desk):
    me = {"UserID": "6b0e1f7a-0000-4000-8000-000000000001", "CurrentDivision": 3001234}
    desk.router.get(f"{URL}/api/v1/current/Me").mock(side_effect=[rows(me), httpx.Response(401)])
    assert door.user_of(APP, desk.http, "a") == me["UserID"]
    with pytest.raises(AccessDenied):
        door.user_of(APP, desk.http, "a")


# --- files ------------------------------------------------------------------------------------------------------------

DOCUMENTS, ATTACHMENTS = f"{API}/documents/Documents", f"{API}/documents/DocumentAttachments"


def test_a_document_carries_number_and_key_whatever_the_kind(desk):
    route = desk.router.post(DOCUMENTS).mock(return_value=httpx.Response(201, json={"d": {"ID": "document-1"}}))
    entry = an_entry(kind=DocumentKind.CREDIT_NOTE)
    assert desk.ledger.cabinet().open(Folder.of(entry)) == Done("document-1")
    assert json.loads(route.calls.last.request.content) == {
        "Type": 10,
        "Subject": f"{entry.number} {entry.key}",
        "Account": entry.relation,
        "DocumentDate": entry.day.isoformat(),
    }


def test_an_attachment_is_sent_as_base64_under_its_name(desk):
    route = desk.router.post(ATTACHMENTS).mock(return_value=httpx.Response(201, json={"d": {"FileName": "1.pdf"}}))
    assert desk.ledger.cabinet().put(FolderRef("document-1"), File("1.pdf", b"\xffPDF")) == Done("1.pdf")
    sent = json.loads(route.calls.last.request.content)
    assert sent == {"Document": "document-1", "FileName": "1.pdf", "Attachment": "/1BERg=="}


def test_an_entry_names_its_document_and_one_without_files_names_none(desk):
    with_files, without = desk.ledger.prepare([replace(an_entry(), folder=FolderRef("document-1")), an_entry()])
    assert json.loads(with_files.payload)["Document"] == "document-1"
    assert "Document" not in json.loads(without.payload)


def test_a_refused_document_is_told_in_exacts_words(desk):
    desk.router.post(DOCUMENTS).mock(return_value=said("Document Type not allowed"))
    outcome = desk.ledger.cabinet().open(Folder.of(an_entry()))
    assert (type(outcome.cause), outcome.cause.facts) == (RefusedByPackage, {"said": "Document Type not allowed"})
