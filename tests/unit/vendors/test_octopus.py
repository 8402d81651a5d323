"""Octopus: what goes over the line, whose turn a number is, and what a refusal says about it."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import httpx
import pytest

from boekbrug.domain.documents import CustomerKind, CustomerRef, DocumentKind, File
from boekbrug.domain.errors import (
    AccessDenied,
    AccessExpired,
    AccountBlocked,
    AdministrationUnreachable,
    AppMissing,
    CustomerIncomplete,
    JournalInUse,
    JournalMissing,
    JournalNotSales,
    NotPossible,
    NumberTaken,
    RateLimited,
    RefusedByPackage,
    RelationAmbiguous,
    RelationGone,
    UnexpectedAnswer,
    VendorDown,
)
from boekbrug.domain.ledger import (
    Cursor,
    Done,
    JournalKind,
    Refused,
    Regime,
    SettlementKind,
    Unknown,
)
from boekbrug.domain.money import Money
from boekbrug.domain.relations import Address, RelationQuery
from boekbrug.vendors.octopus import mapping
from boekbrug.vendors.octopus.looks import PAGE_ROWS
from boekbrug.vendors.octopus.times import belgian, midnight_after, stamp

from .octopus_desk import (
    API,
    CREATED,
    KEY,
    NOTHING,
    REST,
    Desk,
    a_draft,
    a_journal,
    a_line,
    a_relation,
    a_row,
    an_entry,
    body_of,
    bookyear,
    eur,
    no,
    ok,
    query_of,
)

CREDIT_NOTE = DocumentKind.CREDIT_NOTE
LINE = "octopus.70001.4.V1"


@pytest.fixture
def desk() -> Desk:
    return Desk()


def read(pages) -> tuple[list, Cursor | None]:
    rows, cursor = [], None
    for page in pages:
        rows += page.rows
        cursor = page.cursor
    return rows, cursor


# --- time and limits ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("utc", "local"),
    [
        ("2026-01-15T11:00", "2026-01-15T12:00"),
        ("2026-10-25T00:59", "2026-10-25T02:59"),
        ("2026-10-25T01:00", "2026-10-25T02:00"),
    ],
)
def test_belgium_is_an_hour_ahead_and_two_in_summer(utc, local):
    assert belgian(datetime.fromisoformat(utc).replace(tzinfo=UTC)) == datetime.fromisoformat(local)


@pytest.mark.parametrize(
    ("now", "midnight"),
    [
        ("2026-01-15T11:00", "2026-01-15T23:00"),
        ("2026-07-15T22:30", "2026-07-16T22:00"),
        ("2026-03-29T00:30", "2026-03-29T22:00"),  # the day of 23 hours
        ("2026-10-25T00:30", "2026-10-25T23:00"),
    ],
)
def test_a_day_ends_at_midnight_in_brussels(now, midnight):
    at = midnight_after(datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert at == datetime.fromisoformat(midnight).replace(tzinfo=UTC)


def test_the_third_look_at_a_list_of_two_a_day_is_not_sent(desk):
    route = desk.get("/vatcodes", [])
    for _ in range(2):
        desk.another_ledger().vat_codes()
    with pytest.raises(RateLimited) as error:
        desk.another_ledger().vat_codes()
    assert error.value.until == datetime(2025, 3, 3, 23, tzinfo=UTC)
    assert route.call_count == 2
    desk.clock.advance(24 * 3600)
    desk.another_ledger().vat_codes()
    assert route.call_count == 3


@pytest.mark.parametrize(
    "answer", [no(None, 429), no(None, 403, technical="Daily limit reached"), no(None, 400, technical="quota exceeded")]
)
def test_a_limit_that_octopus_names_stops_that_operation_for_everybody_until_midnight(desk, answer):
    desk.get("/vatcodes", answer)
    desk.get("/bookyears", [])
    for _ in range(2):
        with pytest.raises(RateLimited) as error:
            desk.another_ledger().vat_codes()
        assert error.value.until == datetime(2025, 3, 3, 23, tzinfo=UTC)
    assert len(desk.router.calls) == 1
    assert desk.ledger.fiscal_years() == ()


def test_what_is_left_of_a_day_is_the_least_of_what_a_document_needs(desk):
    assert desk.ledger.daily_budget().left == 1
    desk.get("/relations", NOTHING)
    for _ in range(100):
        desk.ledger.find_relations([RelationQuery("Firma A")])
    budget = desk.ledger.daily_budget()
    assert (budget.left, budget.resets_at) == (0.75, datetime(2025, 3, 3, 23, tzinfo=UTC))


# --- tokens and answers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [no(-79, 401), no(None, 401)])
def test_a_refused_dossier_token_is_bought_anew_once(desk, answer):
    route = desk.get("/bookyears", answer, [])
    assert desk.ledger.fiscal_years() == ()
    assert [call.request.headers["dossierToken"] for call in route.calls] == ["dossier-1", "dossier-2"]


def test_a_token_refused_twice_is_a_login_that_is_over(desk):
    route = desk.get("/bookyears", no(None, 401))
    with pytest.raises(AccessExpired):
        desk.ledger.fiscal_years()
    assert route.call_count == 2


def test_a_booking_refused_for_its_token_is_sent_once_more(desk):
    desk.books()
    route = desk.booked(no(-79, 401), CREATED)
    assert isinstance(desk.book(), Done)
    assert route.call_count == 2
    assert route.calls[0].request.content == route.calls[1].request.content


def test_nothing_found_is_an_empty_list(desk):
    for path in ("/vatcodes", "/bookyears", "/relations"):
        desk.get(path, NOTHING)
    assert desk.ledger.vat_codes() == []
    assert desk.ledger.journals() == []
    assert desk.ledger.find_relations([RelationQuery("Firma A")]) == [[]]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(500, html="<h1>Error</h1>"), VendorDown),
        (httpx.Response(200, html="<h1>Onderhoud</h1>"), VendorDown),
        (httpx.Response(200, content=b""), VendorDown),
        (no(-51, 503), VendorDown),
        (no(-52), VendorDown),
        (no(-3, 403), AdministrationUnreachable),
        (no(-5, 403), AdministrationUnreachable),
        (no(-68, 401), AppMissing),
        (no(None, 403), AccessDenied),
        (no(-8), UnexpectedAnswer),
        (no(-99), UnexpectedAnswer),
        (ok({"bookyears": []}), UnexpectedAnswer),
        (ok([{"bookyearKey": {"id": 4}}]), UnexpectedAnswer),
        (httpx.ReadTimeout("late"), VendorDown),
    ],
)
def test_a_question_that_is_not_answered_says_why(desk, answer, error):
    desk.get("/bookyears", answer)
    with pytest.raises(error):
        desk.ledger.fiscal_years()


def test_a_list_of_two_a_day_is_asked_once_even_when_the_line_fails(desk):
    route = desk.get("/vatcodes", httpx.ReadTimeout("late"))
    with pytest.raises(VendorDown):
        desk.ledger.vat_codes()
    assert route.call_count == 1


def test_lists_without_pages_get_time(desk):
    route = desk.get("/relations/modified", NOTHING)
    list(desk.ledger.relations(None))
    assert route.calls[0].request.extensions["timeout"]["read"] == 180
    route = desk.get("/balancings/modified", NOTHING)
    list(desk.ledger.settlements(None))
    assert sum(route.calls[0].request.extensions["timeout"][part] for part in ("connect", "write", "read")) < 120


# --- what a dossier holds -------------------------------------------------------------------------------------------


def dossier(identity: int, name: str) -> dict:
    return {"dossierKey": {"id": identity}, "dossierDescription": name, "vatNr": "BE0123.456.749", "country": "BE"}


def test_a_disabled_dossier_is_not_usable_and_the_others_are_listed(desk):
    desk.router.get(f"{REST}/dossiers").mock(return_value=ok([dossier(70001, "Bakkerij"), dossier(70002, "Slagerij")]))
    connect = desk.router.post(f"{REST}/dossiers").mock(side_effect=[no(-5, 403), ok({"Dossiertoken": "a.b.c"})])
    first, second = desk.package.administrations()
    assert (first.id, first.code, first.name, first.usable) == ("octopus.-.70001", "70001", "Bakkerij", False)
    assert (second.id, second.usable, second.currency) == ("octopus.-.70002", True, "EUR")
    assert [query["dossierId"] for query in (dict(c.request.url.params) for c in connect.calls)] == ["70001", "70002"]
    assert connect.calls[0].request.headers["Token"] == "login-1"
    assert connect.calls[0].request.content == b""


def test_a_dossier_that_is_not_in_the_list_cannot_be_reached(desk):
    desk.router.get(f"{REST}/dossiers").mock(return_value=ok([dossier(70002, "Slagerij")]))
    with pytest.raises(AdministrationUnreachable):
        desk.ledger.administration()


@pytest.mark.parametrize("answer", [NOTHING, no(None, 403)])
def test_a_dossier_that_does_not_open_cannot_be_reached(desk, answer):
    desk.router.post(f"{REST}/dossiers").mock(return_value=answer)
    with pytest.raises(AdministrationUnreachable):
        desk.connect("70001")


def test_a_login_token_that_ran_out_is_replaced_once_when_connecting(desk):
    route = desk.router.post(f"{REST}/dossiers").mock(side_effect=[no(None, 401), ok({"Dossiertoken": "a.b.c"})])
    tokens = desk.connect("70001")
    assert tokens.access == "a.b.c"
    assert tokens.expires_at - tokens.issued_at == timedelta(minutes=10)
    assert [call.request.headers["Token"] for call in route.calls] == ["login-1", "login-2"]


def test_only_journals_of_bookings_are_sales_journals(desk):
    desk.books(
        a_journal("V1"),
        a_journal("V3", insertion=3),
        a_journal("A1"),
        a_journal("F1", currencyCode="EUR"),
        a_journal("D1", closed=True),
        a_journal("L1", insertion=4),
    )
    found = {journal.code: (journal.kind, journal.blocked) for journal in desk.ledger.journals()}
    assert found == {
        "V1": (JournalKind.SALES, False),
        "V3": (JournalKind.OTHER, False),
        "A1": (JournalKind.PURCHASE, False),
        "F1": (JournalKind.BANK, False),
        "D1": (JournalKind.GENERAL, True),
        "L1": (JournalKind.OTHER, False),
    }


def test_periods_are_those_octopus_lists_and_each_journal_has_its_own_shut(desk):
    desk.books(
        a_journal("V1", closedPeriod=202601, protectedPeriod=202602), a_journal("V2"), a_journal("V4", closed=True)
    )
    closed, now = desk.ledger.fiscal_years()
    assert (closed.name, closed.first, {period.closed_for for period in closed.periods}) == (
        "2025",
        date(2025, 1, 1),
        {("*",)},
    )
    assert [(period.code, period.name, period.closed_for) for period in now.periods] == [
        ("4:202601", "2026 - 01", ("V1", "V4")),
        ("4:202602", "2026 - 02", ("V1", "V4")),
        ("4:202603", "2026 - 03", ("V4",)),
        ("4:202604", "2026 - 04", ("V4",)),
    ]
    assert (now.periods[3].first, now.periods[3].last) == (date(2026, 10, 1), date(2026, 12, 31))


def test_a_refresh_reads_the_journals_once_and_the_next_one_again(desk):
    desk.books()
    for _ in range(2):
        desk.ledger.journals()
        desk.ledger.fiscal_years()
    paths = [call.request.url.path for call in desk.router.calls]
    assert len([path for path in paths if path.endswith("/journals")]) == 2
    assert len([path for path in paths if path.endswith("/bookyears")]) == 2
    desk.ledger.fiscal_years()
    assert len(desk.router.calls) == 6


def test_revenue_accounts_are_those_that_begin_with_70_in_the_newest_open_bookyear(desk):
    desk.books()
    route = desk.get(
        "/accounts",
        [
            {"accountKey": {"bookyearKey": {"id": 4}, "id": 700300}, "description": {"description_NL": "Verkopen 21%"}},
            {"accountKey": {"bookyearKey": {"id": 4}, "id": 700100}, "description": {"description_FR": "Ventes 6%"}},
            {"accountKey": {"bookyearKey": {"id": 4}, "id": 400000}, "description": {"description_NL": "Klanten"}},
        ],
    )
    found = [(account.id, account.code, account.name) for account in desk.ledger.revenue_accounts()]
    assert found == [("700100", "700100", "Ventes 6%"), ("700300", "700300", "Verkopen 21%")]
    assert query_of(route) == {"bookyearId": "4"}
    desk.ledger.revenue_accounts()
    assert route.call_count == 1


def vat(code: str, type: int, percentage: float, description: str = "") -> dict:
    return {"code": code, "description": description, "type": type, "basePercentage": percentage}


def test_vat_codes_are_those_of_sales(desk):
    desk.get(
        "/vatcodes", [vat("21", 2, 21.0, "Verkoop 21%"), vat("D21", 1, 21.0), vat("CD21", 3, 21.0), vat("00", 2, 0.0)]
    )
    found = [(code.code, code.percentage, code.regime, len(code.kinds)) for code in desk.ledger.vat_codes()]
    assert found == [("21", Decimal("0.21"), Regime.DOMESTIC, 2), ("00", Decimal(0), Regime.DOMESTIC, 2)]


def test_a_code_of_credit_notes_takes_them_over_from_the_code_of_its_percentage(desk):
    rows = [vat("21", 2, 21.0), vat("C21", 4, 21.0), vat("06", 2, 6.0)]
    desk.get("/vatcodes", rows)
    assert {code.code: code.kinds for code in desk.ledger.vat_codes()} == {
        "21": (DocumentKind.INVOICE,),
        "C21": (CREDIT_NOTE,),
        "06": tuple(DocumentKind),
    }
    desk = Desk(mapping.Switches(credit_notes_need_type_4=False))
    desk.get("/vatcodes", rows)
    assert next(code for code in desk.ledger.vat_codes() if code.code == "21").kinds == tuple(DocumentKind)


@pytest.mark.parametrize(
    ("code", "description", "regime"),
    [
        ("MC", "", Regime.REVERSE_CHARGE),
        ("X1", "Verkoop medecontractant", Regime.REVERSE_CHARGE),
        ("ICL", "", Regime.EU_GOODS),
        ("X2", "Intracommunautaire diensten", Regime.EU_SERVICES),
        ("EXP", "", Regime.EXPORT),
        ("X3", "Vrijgesteld art. 44", Regime.EXEMPT),
        ("00", "Verkoop 0%", Regime.DOMESTIC),
    ],
)
def test_why_a_code_is_at_zero_is_read_from_its_words(desk, code, description, regime):
    desk.get("/vatcodes", [vat(code, 2, 0.0, description)])
    assert desk.ledger.vat_codes()[0].regime is regime


def test_terms_are_days_from_the_invoice_or_from_the_end_of_its_month(desk):
    terms = {term.code: (term.days, term.end_of_months) for term in desk.ledger.payment_terms()}
    assert terms["2:30"] == (30, 0)
    assert terms["1:30"] == (30, 1)


# --- relations ------------------------------------------------------------------------------------------------------


def test_a_relation_as_octopus_tells_it(desk):
    desk.get("/relations", [a_relation(active=False)])
    ((found,),) = desk.ledger.find_relations([RelationQuery("studio noord bv")])
    assert (found.ref, found.code, found.name) == ("28", "28", "Studio Noord BV")
    assert (found.address.country, found.enterprise_number) == ("", "0987654394")
    assert (found.is_customer, found.blocked) == (True, True)


def test_a_vat_number_is_asked_for_as_octopus_prints_it_and_then_compact(desk):
    route = desk.get("/relations", NOTHING, [a_relation(vatNr="BE 0987654394")])
    ((found,),) = desk.ledger.find_relations([RelationQuery("Heel anders", vat_number="BE0987654394")])
    assert found.ref == "28"
    assert [query_of(route, n) for n in (0, 1)] == [
        {"name": "Heel anders", "vatNr": "BE0987.654.394"},
        {"vatNr": "BE0987654394"},
    ]


def test_an_enterprise_number_is_looked_for_as_the_vat_number_it_is_in_belgium(desk):
    route = desk.get("/relations", [a_relation()])
    ((found,),) = desk.ledger.find_relations([RelationQuery("", enterprise_number="0987654394")])
    assert found.ref == "28"
    assert query_of(route, 0) == {"vatNr": "BE0987.654.394"}


def test_relations_that_only_answer_another_question_are_left_out(desk):
    desk.get("/relations", [a_relation(), a_relation(29, name="Firma A", vatNr="")])
    assert [row.ref for row in desk.ledger.find_relations([RelationQuery("Firma A")])[0]] == ["29"]


def test_nothing_to_look_for_costs_no_call(desk):
    assert desk.ledger.find_relations([RelationQuery("")]) == [[]]
    assert not desk.router.calls


def test_our_number_is_read_as_free_before_a_relation_is_created(desk):
    search = desk.get("/relations", NOTHING)
    route = desk.put("/relations", httpx.Response(201, json=a_relation(29)))
    (outcome,) = desk.ledger.save_relations([a_draft()])
    assert isinstance(outcome, Done)
    assert outcome.value.ref == "29"
    sent = body_of(route)
    number = sent["relationIdentificationServiceData"]["externalRelationId"]
    assert 10**9 <= number < 2**31
    assert query_of(search) == {"extRelationId": str(number)}
    assert sent["vatNr"] == "BE0987.654.394"
    assert (sent["vatType"], sent["factLanguage"], sent["client"], sent["currencyCode"]) == (1, 1, True, "EUR")
    assert (sent["expirationType"], sent["expirationDays"]) == (1, 30)
    assert not {"country", "telephone", "url", "ibanAccountNr"} & sent.keys()


def test_a_relation_of_ours_that_stands_already_is_not_sent_again(desk):
    desk.get("/relations", [a_relation()])
    (outcome,) = desk.ledger.save_relations([a_draft()])
    assert outcome.value.ref == "28"
    assert len(desk.router.calls) == 1


@pytest.mark.parametrize("other", [{"name": "Firma A"}, {"vatNr": "BE0123.456.749"}])
def test_our_number_on_somebody_elses_relation_changes_nothing_there(desk, other):
    desk.get("/relations", [a_relation(**other)])
    (outcome,) = desk.ledger.save_relations([a_draft()])
    assert isinstance(outcome.cause, RelationAmbiguous)
    assert "(28)" in outcome.cause.facts["candidates"]
    assert len(desk.router.calls) == 1


@pytest.mark.parametrize("empty", [httpx.Response(204), httpx.Response(201), httpx.Response(201, text="ok")])
def test_an_empty_answer_is_looked_up_under_our_number(desk, empty):
    desk.get("/relations", NOTHING, [a_relation(30)])
    desk.put("/relations", empty)
    (outcome,) = desk.ledger.save_relations([a_draft()])
    assert outcome.value.ref == "30"


def test_a_lost_answer_to_a_relation_is_unknown(desk):
    desk.get("/relations", NOTHING)
    desk.put("/relations", httpx.ReadTimeout("late"))
    (outcome,) = desk.ledger.save_relations([a_draft()])
    assert isinstance(outcome, Unknown)


def test_a_look_that_fails_after_the_first_draft_raises_nothing_any_more(desk):
    desk.get("/relations", NOTHING, httpx.Response(500))
    desk.put("/relations", httpx.Response(201, json=a_relation(29)))
    first, second = desk.ledger.save_relations([a_draft(), a_draft("Firma A", vat_number="")])
    assert isinstance(first, Done)
    assert isinstance(second, Unknown)


def test_a_look_that_fails_before_anything_was_sent_raises(desk):
    desk.get("/relations", httpx.Response(500))
    with pytest.raises(VendorDown):
        desk.ledger.save_relations([a_draft()])


@pytest.mark.parametrize(
    ("change", "field"),
    [({"email": "geen adres"}, "email"), ({"name": " "}, "name"), ({"vat_number": "BE123"}, "vat_number")],
)
def test_a_customer_nobody_could_use_costs_no_call(desk, change, field):
    (outcome,) = desk.ledger.save_relations([a_draft(**change)])
    assert isinstance(outcome.cause, CustomerIncomplete)
    assert outcome.cause.facts["field"] == field
    assert not desk.router.calls


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (no(-7, message="Relatie niet bewaard."), RefusedByPackage),
        (no(-7, message="Ongeldig e-mailadres"), CustomerIncomplete),
        (no(None, 403, technical="no right"), AccessDenied),
        (no(None, 429), RateLimited),
    ],
)
def test_a_relation_octopus_refuses_says_why(desk, answer, cause):
    desk.get("/relations", NOTHING)
    desk.put("/relations", answer)
    (outcome,) = desk.ledger.save_relations([a_draft()])
    assert isinstance(outcome, Refused)
    assert isinstance(outcome.cause, cause)


@pytest.mark.parametrize(
    ("vat_number", "country", "kind", "expected"),
    [
        ("BE0987654394", "BE", CustomerKind.COMPANY, 1),
        ("NL123456789B01", "NL", CustomerKind.COMPANY, 4),
        ("CHE123456789", "CH", CustomerKind.COMPANY, 6),
        ("", "BE", CustomerKind.COMPANY, 0),
        ("", "BE", CustomerKind.CONTACT, 7),
        ("", "FR", CustomerKind.CONTACT, 8),
        ("", "US", CustomerKind.CONTACT, 9),
        ("", "", CustomerKind.CONTACT, 0),
    ],
)
def test_who_a_customer_is_to_the_vat_is_said_only_where_something_proves_it(vat_number, country, kind, expected):
    draft = a_draft(vat_number=vat_number, address=Address("", "", "", country), customer=CustomerRef(kind, "1"))
    assert mapping.vat_type(draft) == expected


def test_changed_relations_come_with_those_that_are_gone(desk):
    route = desk.get(
        "/relations/modified", {"modified": [a_relation(28), a_relation(29)], "deleted": [a_relation(29)]}, NOTHING
    )
    (page,) = desk.ledger.relations(None)
    assert ([row.ref for row in page.rows], page.gone) == (["28"], ("29",))
    assert query_of(route) == {"modifiedTimeStamp": "1980-01-01 00:00:00.000"}
    assert list(desk.ledger.relations(page.cursor)) == []
    desk.clock.advance(36 * 60)
    (page,) = desk.ledger.relations(page.cursor)
    assert page.rows == ()
    assert query_of(route) == {"modifiedTimeStamp": "2025-03-03 06:00:00.000"}  # 08:00 UTC is 09:00, less three hours


def test_many_relations_come_in_pages_and_the_next_worker_goes_on(desk):
    rows = [a_relation(key) for key in range(1, PAGE_ROWS + 12)]
    desk.get("/relations/modified", {"modified": rows[::-1]})
    pages = list(desk.ledger.relations(None))
    assert [len(page.rows) for page in pages] == [PAGE_ROWS, 11]
    rest, cursor = read(desk.ledger.relations(pages[0].cursor))
    assert [row.ref for row in rest] == [str(key) for key in range(PAGE_ROWS + 1, PAGE_ROWS + 12)]
    assert cursor == pages[1].cursor


def test_a_server_that_is_behind_moves_the_next_look_back(desk):
    date_header = "Mon, 03 Mar 2025 07:30:00 GMT"
    route = desk.get("/relations/modified", ok({}, Date=date_header), NOTHING)
    _, cursor = read(desk.ledger.relations(None))
    desk.clock.advance(10 * 60)
    read(desk.ledger.relations(cursor))
    assert query_of(route) == {"modifiedTimeStamp": "2025-03-03 05:30:00.000"}


# --- preparing ------------------------------------------------------------------------------------------------------


def test_an_invoice_as_octopus_is_told(desk):
    desk.books()
    prepared = desk.prepared()
    assert (prepared.ref, prepared.number) == ("4.V1.42", "V1 42")
    route = desk.booked(CREATED)
    desk.ledger.book([prepared])
    assert route.calls[0].request.content.decode() == prepared.payload
    assert body_of(route) == {
        "buySellBookingServiceData": {
            "bookyearKey": {"id": 4},
            "journalKey": "V1",
            "documentSequenceNr": 42,
            "bookyearPeriodeNr": 202603,
            "documentDate": "2026-08-14",
            "expiryDate": "2026-09-13",
            "relationIdentificationServiceData": {"relationKey": {"id": 28}},
            "reference": "+++090/9337/55493+++",
            "comment": f"2026/145 {KEY}",
            "amount": Decimal("1331.00"),
            "currencyCode": "EUR",
            "exchangeRate": Decimal("1.0"),
            "paymentMethod": 0,
            "bookingLines": [
                {
                    "accountKey": 700300,
                    "baseAmount": Decimal(net),
                    "vatCodeKey": "21",
                    "vatAmount": Decimal(vat),
                    "comment": "Advies",
                }
                for net, vat in (("1000.00", "210.00"), ("100.00", "21.00"))
            ],
        }
    }
    assert '"amount":1331.00,' in prepared.payload


def test_rules_13_and_17_a_credit_note_has_a_negative_total_lines_as_printed_and_its_own_date_as_due(desk):
    desk.books()
    entry = an_entry(a_line("300.00", "63.00"), a_line("-50.00", "-10.50"), kind=CREDIT_NOTE)
    payload = desk.prepared(entry).payload
    assert '"journalKey":"V2","documentSequenceNr":1,' in payload
    assert '"amount":-302.50,' in payload
    assert '"baseAmount":300.00,"vatCodeKey":"21","vatAmount":63.00' in payload
    assert '"baseAmount":-50.00,"vatCodeKey":"21","vatAmount":-10.50' in payload
    assert '"expiryDate":"2026-08-14"' in payload
    assert '"reference":"2026/145"' in payload  # it has no structured communication


def test_a_line_of_two_signs_is_taken_together_with_the_largest_like_it(desk):
    desk.books()
    lines = (a_line("0.01", "-0.01"), a_line("100.00", "21.00"), a_line("5.00", "1.05"), a_line("9.00", "0.54", "06"))
    payload = desk.prepared(an_entry(*lines)).payload
    assert '"baseAmount":100.01,"vatCodeKey":"21","vatAmount":20.99' in payload
    assert payload.count("baseAmount") == 3
    assert '"amount":136.59' in payload


@pytest.mark.parametrize(
    "lines", [(a_line("0.01", "-0.01"),), (a_line("0.01", "-0.01"), a_line("100.00", "6.00", "06"))]
)
def test_a_line_of_two_signs_that_nothing_can_take_is_refused_before_any_call(desk, lines):
    (refusal,) = desk.ledger.prepare([an_entry(*lines)])
    assert isinstance(refusal, NotPossible)
    assert refusal.facts["feature"] == "vat_against_base"
    assert not desk.router.calls


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"journal": "F1"}, JournalNotSales),
        ({"relation": "abc"}, RelationGone),
        ({"lines": (a_line("1.00", "0.21", account="GUID"),)}, AccountBlocked),
    ],
)
def test_what_cannot_be_said_costs_no_number(desk, change, error):
    (refusal,) = desk.ledger.prepare([an_entry(**change)])
    assert isinstance(refusal, error)
    assert not desk.line.holders


def test_a_foreign_document_goes_with_its_rate_and_the_switch_turns_it(desk):
    entry = an_entry(a_line("100.00", "0.00", "00", currency="USD"), currency="USD", exchange_rate=Decimal("0.8"))
    desk.books()
    assert '"currencyCode":"USD","exchangeRate":0.8,' in desk.prepared(entry).payload
    desk = Desk(mapping.Switches(divide_by_rate=True))
    desk.books()
    assert '"exchangeRate":1.25,' in desk.prepared(entry).payload


def test_the_same_entry_is_prepared_the_same_twice(desk):
    desk.books()
    once, again, other = desk.ledger.prepare([an_entry(), an_entry(), an_entry(a_line("1.00", "0.21"))])
    assert once == again
    assert once.hash != other.hash


# --- whose turn a number is -----------------------------------------------------------------------------------------


def test_numbers_are_read_once_and_counted_on(desk):
    desk.books()
    desk.booked(CREATED)
    assert [desk.book().value.ref for _ in range(3)] == ["4.V1.42", "4.V1.43", "4.V1.44"]
    assert desk.line.next == {LINE: 45}
    assert len([call for call in desk.router.calls if call.request.method == "GET"]) == 1


def test_a_journal_that_is_not_there_is_missing_and_held_by_nobody(desk):
    desk.books()
    (refusal,) = desk.ledger.prepare([an_entry(journal="V9")])
    assert isinstance(refusal, JournalMissing)
    assert not desk.line.holders


def test_another_accounts_offer_keeps_the_journal(desk):
    desk.books()
    other = desk.another_ledger("other")
    other.prepare([an_entry()])
    (refusal,) = desk.ledger.prepare([an_entry()])
    assert isinstance(refusal, JournalInUse)
    assert refusal.facts == {"journal": "V1", "until": desk.clock.now() + timedelta(minutes=2)}
    desk.clock.advance(121)
    assert desk.prepared().ref == "4.V1.42"


def test_a_number_that_cannot_be_read_is_held_by_nobody(desk):
    desk.get("/bookyears/4/journals", httpx.Response(500))
    with pytest.raises(VendorDown):
        desk.ledger.prepare([an_entry()])
    assert not desk.line.holders


def test_nineteen_of_the_journal_lists_are_for_numbers_and_the_rest_for_the_books(desk):
    desk.books()
    for _ in range(19):
        desk.prepared()
        desk.line.next.clear()
        desk.line.holders.clear()
    with pytest.raises(RateLimited):
        desk.ledger.prepare([an_entry()])
    assert desk.ledger.journals()


@pytest.mark.parametrize(
    ("answer", "next"),
    [(CREATED, 43), (no(-13), None), (no(-15), 42), (no(-12, 403), 42), (no(None, 429), 42), (no(None, 401), 42)],
)
def test_a_clear_outcome_gives_the_journal_back_with_what_comes_next(desk, answer, next):
    desk.books()
    desk.booked(answer)
    desk.book()
    assert not desk.line.holders
    assert desk.line.next[LINE] == next


@pytest.mark.parametrize(
    "lost", [httpx.ReadTimeout("late"), httpx.Response(500, html="<h1>Error</h1>"), httpx.Response(502), no(-24, 500)]
)
def test_an_unknown_outcome_keeps_the_number_for_this_account(desk, lost):
    desk.books()
    desk.booked(lost)
    assert isinstance(desk.book(), Unknown)
    assert LINE in desk.line.holders
    assert isinstance(desk.another_ledger("other").prepare([an_entry()])[0], JournalInUse)


def test_what_never_left_the_house_uses_no_number(desk):
    desk.books()
    desk.booked(httpx.ConnectError("no line"))
    with pytest.raises(VendorDown):
        desk.book()
    assert desk.line.next == {LINE: 42}
    assert not desk.line.holders


# --- what a refusal means -------------------------------------------------------------------------------------------


def test_a_journal_somebody_has_open_is_tried_again_in_twelve_minutes(desk):
    cause = desk.refused(no(-12, 403))
    assert cause.facts == {"journal": "V1", "until": desk.clock.now() + timedelta(minutes=12)}


# --- what is offered again ------------------------------------------------------------------------------------------


@pytest.fixture
def doubtful(desk):
    desk.books()
    desk.booked(httpx.ReadTimeout("late"))
    prepared = desk.prepared()
    assert isinstance(desk.ledger.book([prepared])[0], Unknown)
    return prepared


def test_an_offer_that_never_arrived_is_booked_now(desk, doubtful):
    route = desk.booked(CREATED)
    outcome = desk.book_again(doubtful)
    assert outcome.value.ref == "4.V1.42"
    assert route.calls[-1].request.content.decode() == doubtful.payload
    assert desk.line.next == {LINE: 43}


def test_an_offer_that_had_arrived_is_read_under_its_number(desk, doubtful):
    desk.booked(no(-13))
    route = desk.get("/buysellbookings", a_row())
    outcome = desk.book_again(doubtful)
    assert isinstance(outcome, Done)
    assert (outcome.value.key, outcome.value.gross) == (KEY, eur("1331.00"))
    assert query_of(route) == {"bookyearId": "4", "journalKey": "V1", "documentSeqNr": "42"}
    assert desk.line.next == {LINE: 43}


def test_an_offer_that_arrived_long_ago_does_not_turn_the_numbers_back(desk, doubtful):
    desk.line.holders.clear()
    desk.line.next[LINE] = 50
    desk.booked(no(-13))
    desk.get("/buysellbookings", a_row())
    desk.book_again(doubtful)
    assert desk.line.next == {LINE: 50}


@pytest.mark.parametrize("standing", [a_row(comment="2026/9 BBZZZZZZZZZZ"), a_row(comment="", reference="99"), NOTHING])
def test_a_number_that_holds_anothers_booking_or_none_is_taken(desk, doubtful, standing):
    desk.booked(no(-13))
    desk.get("/buysellbookings", standing)
    outcome = desk.book_again(doubtful)
    assert isinstance(outcome.cause, NumberTaken)
    assert desk.line.next == {LINE: None}


def test_a_booking_whose_comment_somebody_emptied_is_ours_when_all_else_agrees(desk, doubtful):
    desk.booked(no(-13))
    desk.get("/buysellbookings", a_row(comment="2026/145"))
    assert isinstance(desk.book_again(doubtful), Done)


def test_when_the_ten_looks_are_spent_the_list_of_changes_is_asked(desk, doubtful):
    desk.booked(no(-13))
    desk.get("/buysellbookings", no(None, 429))
    route = desk.get("/buysellbookings/modified", [a_row(41), a_row(42)])
    assert isinstance(desk.book_again(doubtful), Done)
    assert query_of(route) == {"bookyearId": "4", "journalKey": "V1", "modifiedTimeStamp": "1980-01-01 00:00:00.000"}


def test_when_nothing_can_be_looked_at_the_doubt_stays(desk, doubtful):
    desk.booked(no(-13))
    desk.get("/buysellbookings", httpx.Response(500))
    assert isinstance(desk.book_again(doubtful), Unknown)
    assert LINE in desk.line.holders


@pytest.mark.parametrize("answer", [no(None, 429), no(None, 401), no(-3, 403)])
def test_a_refusal_of_the_caller_settles_nothing(desk, doubtful, answer):
    desk.booked(answer)
    assert isinstance(desk.book_again(doubtful), Unknown)


def test_a_refusal_from_after_the_number_says_that_it_was_free(desk, doubtful):
    desk.booked(no(-16))
    outcome = desk.book_again(doubtful)
    assert isinstance(outcome.cause, RelationGone)
    assert desk.line.next == {LINE: 42}
    assert not desk.line.holders


@pytest.mark.parametrize(("standing", "kind"), [(a_row(), Done), (NOTHING, Refused)])
@pytest.mark.parametrize("code", [-24, None, -123])
def test_a_refusal_that_tells_nothing_is_settled_by_looking(desk, doubtful, code, standing, kind):
    desk.booked(no(code))
    desk.get("/buysellbookings", standing)
    assert isinstance(desk.book_again(doubtful), kind)


# --- files ----------------------------------------------------------------------------------------------------------


def test_files_go_along_and_are_no_part_of_the_payload(desk):
    desk.books()
    prepared = replace(desk.prepared(), files=(File("2026-145.pdf", b"%PDF\xff"), File("2026-145.xml", b"<Invoice/>")))
    route = desk.booked(CREATED)
    desk.ledger.book([prepared])
    sent = body_of(route)
    assert sent["attachments"] == [
        {"fileName": "2026-145.pdf", "fileData": base64.b64encode(b"%PDF\xff").decode()},
        {"fileName": "2026-145.xml", "fileData": base64.b64encode(b"<Invoice/>").decode()},
    ]
    assert sent["buySellBookingServiceData"]["documentSequenceNr"] == 42
    assert "attachments" not in prepared.payload


def test_a_file_that_is_too_large_is_refused_unsent(desk):
    desk.books()
    route = desk.booked(CREATED)
    large = (File("film.pdf", bytes(5_000_001)),)
    (outcome,) = desk.ledger.book([replace(desk.prepared(), files=large)])
    assert isinstance(outcome.cause, NotPossible)
    assert outcome.cause.facts["feature"] == "file_too_large"
    assert (route.called, desk.line.next) == (False, {LINE: 42})


def test_a_doubt_is_settled_without_a_file_that_grew_too_large(desk, doubtful):
    route = desk.booked(CREATED)
    outcome = desk.book_again(replace(doubtful, files=(File("film.pdf", bytes(5_000_001)),)))
    assert isinstance(outcome, Done)
    assert route.calls[-1].request.content.decode() == doubtful.payload


def test_files_octopus_finds_too_large_are_named_as_the_cause(desk):
    desk.books()
    desk.booked(httpx.Response(413))
    (outcome,) = desk.ledger.book([replace(desk.prepared(), files=(File("a.pdf", b"x"),))])
    assert outcome.cause.facts["feature"] == "file_too_large"


# --- reading bookings -----------------------------------------------------------------------------------------------


def test_a_booking_reads_back_as_it_was_answered(desk):
    desk.books()
    desk.booked(CREATED)
    booked = desk.book().value
    desk.get("/buysellbookings", a_row())
    assert desk.ledger.booking(booked) == booked


def test_a_booking_that_is_not_there_any_more_is_gone(desk):
    desk.books()
    desk.booked(CREATED)
    booked = desk.book().value
    desk.get("/buysellbookings", NOTHING)
    assert desk.ledger.booking(booked) is None


def lines_of(*amounts: tuple[float, float]) -> list[dict]:
    return [{"baseAmount": net, "vatAmount": vat, "vatCodeKey": "21", "accountKey": 700300} for net, vat in amounts]


@pytest.mark.parametrize(
    ("amount", "lines", "kind", "gross", "vat"),
    [
        (121.0, [(100.0, 21.0)], DocumentKind.INVOICE, "121.00", "21.00"),
        (-121.0, [(-100.0, -21.0)], DocumentKind.INVOICE, "-121.00", "-21.00"),
        (-121.0, [(100.0, 21.0)], CREDIT_NOTE, "121.00", "21.00"),
        (121.0, [(-100.0, -21.0)], CREDIT_NOTE, "-121.00", "-21.00"),
        (-121.0, [], CREDIT_NOTE, "121.00", "0.00"),
        (0.0, [(10.0, 2.1), (-10.0, -2.1)], DocumentKind.INVOICE, "0.00", "0.00"),
    ],
)
def test_the_sign_of_the_total_against_its_lines_tells_the_kind(desk, amount, lines, kind, gross, vat):
    desk.get("/buysellbookings", a_row(amount=amount, bookingLines=lines_of(*lines)))
    found = desk.ledger.booking(mapping.sent(a_prepared(), "70001"))
    assert (found.kind, found.gross, found.vat) == (kind, eur(gross), eur(vat))


@pytest.mark.parametrize("kind", DocumentKind)
def test_rule_13_a_document_below_zero_has_its_lines_turned_and_says_its_kind(desk, kind):
    """To Octopus an invoice of -121 is a credit note of 121, and the other way round."""
    desk.books()
    entry = an_entry(a_line("-300.00", "-63.00"), a_line("200.00", "42.00"), kind=kind)
    sign, mark = ("-", "INV") if kind is DocumentKind.INVOICE else ("", "CN")
    prepared = desk.prepared(entry)
    assert f'"amount":{sign}121.00' in prepared.payload
    assert '"baseAmount":300.00,"vatCodeKey":"21","vatAmount":63.00' in prepared.payload
    assert '"baseAmount":-200.00,"vatCodeKey":"21","vatAmount":-42.00' in prepared.payload
    amount, comment = float(f"{sign}121"), f"2026/145 {KEY} {mark}"
    assert f'"comment":"{comment}"' in prepared.payload
    desk.get("/buysellbookings", a_row(amount=amount, comment=comment, bookingLines=lines_of((300, 63), (-200, -42))))
    found = desk.ledger.booking(mapping.sent(prepared, "70001"))
    assert (found.kind, found.gross, found.vat, found.key) == (kind, eur("-121.00"), eur("-21.00"), KEY)


def a_prepared():
    desk = Desk()
    desk.books()
    return desk.prepared()


def test_a_credit_note_of_zero_says_so_in_its_comment(desk):
    desk.books()
    entry = an_entry(a_line("10.00", "2.10"), a_line("-10.00", "-2.10"), kind=CREDIT_NOTE)
    desk.booked(CREATED)
    booked = desk.book(entry).value
    comment = mapping.comment_of(entry)
    row = a_row(1, journalKey="V2", amount=0.0, bookingLines=lines_of((10.0, 2.1), (-10.0, -2.1)), comment=comment)
    desk.get("/buysellbookings", {**row, "reference": "2026/145"})
    assert desk.ledger.booking(booked) == booked


@pytest.mark.parametrize(
    ("comment", "reference", "order", "expected"),
    [
        (f"2026/145 {KEY}", "+++090/9337/55493+++", "", ("2026/145", KEY, ("+++090/9337/55493+++",))),
        (f"2026/145 {KEY} Studio Noord", "2026/145", "PO-7", ("2026/145", KEY, ("PO-7",))),
        ("Studio Noord", "2026/145", "", ("2026/145", "", ("Studio Noord",))),
        ("2026/145", "+++090/9337/55493+++", "", ("2026/145", "", ("+++090/9337/55493+++",))),
        ("", "***090/9337/55493***", "2026/145", ("***090/9337/55493***", "", ("2026/145",))),
        ("", "", "", ("", "", ())),
    ],
)
def test_the_documents_number_is_found_where_it_stands(desk, comment, reference, order, expected):
    desk.get("/buysellbookings", a_row(comment=comment, reference=reference, orderReference=order))
    found = desk.ledger.booking(mapping.sent(a_prepared(), "70001"))
    assert (found.reference, found.key, found.other_references) == expected


def test_the_first_look_reads_each_bookyear_and_journal_and_the_next_ones_what_changed(desk):
    desk.get("/bookyears", [bookyear(2, 2024), bookyear(3, 2025), bookyear(4, 2026)])
    route = desk.get(
        "/buysellbookings/modified",
        NOTHING,
        [a_row(7, bookyearKey={"id": 3}, journalKey="V2", documentDate="2025-05-01")],
        [a_row(42), a_row(43, journalKey="A1")],
        NOTHING,
    )
    rows, cursor = read(desk.ledger.bookings(["V1", "V2"], date(2025, 5, 1), None))
    assert [row.ref for row in rows] == ["3.V2.7", "4.V1.42"]
    asked = [(query_of(route, n)["bookyearId"], query_of(route, n)["journalKey"]) for n in range(4)]
    assert asked == [("3", "V1"), ("3", "V2"), ("4", "V1"), ("4", "V2")]
    assert list(desk.ledger.bookings(["V1", "V2"], date(2025, 5, 1), cursor)) == []

    desk.clock.advance(3600)
    report = desk.get("/bookyears/-1/bookings/modified", NOTHING)
    rows, _ = read(desk.ledger.bookings(["V1", "V2"], date(2025, 5, 1), cursor))
    assert rows == []
    assert query_of(route) == {"bookyearId": "-1", "modifiedTimeStamp": "2025-03-03 06:00:00.000"}
    assert query_of(report) == {"journalTypeId": "2", "modifiedTimeStamp": "2025-03-03 06:00:00.000"}


def test_a_first_look_that_is_broken_off_goes_on_with_what_is_left(desk):
    desk.get("/bookyears", [bookyear(3, 2025), bookyear(4, 2026)])
    route = desk.get("/buysellbookings/modified", [a_row(7, bookyearKey={"id": 3})], httpx.Response(500), [a_row(42)])
    pages = desk.ledger.bookings(["V1"], date(2025, 1, 1), None)
    page = next(pages)
    with pytest.raises(VendorDown):
        next(pages)
    rows, cursor = read(desk.another_ledger().bookings(["V1"], date(2025, 1, 1), page.cursor))
    assert [row.ref for row in rows] == ["4.V1.42"]
    assert query_of(route)["bookyearId"] == "4"
    assert list(desk.ledger.bookings(["V1"], date(2025, 1, 1), cursor)) == []


def test_other_journals_and_earlier_days_are_left_out(desk):
    desk.get("/bookyears", [bookyear(4, 2026)])
    desk.get("/buysellbookings/modified", [a_row(41, documentDate="2026-03-31"), a_row(42, journalKey="V2"), a_row(43)])
    rows, _ = read(desk.ledger.bookings(["V1"], date(2026, 4, 1), None))
    assert [row.ref for row in rows] == ["4.V1.43"]


def deleted(number: int, type: object = 2) -> dict:
    return {"bookyearKey": {"id": 4}, "journalType": type, "journalSequenceNr": 1, "documentSequenceNr": number}


def a_later_look(desk: Desk) -> Cursor:
    desk.get("/bookyears", [bookyear(4, 2026)])
    desk.get("/buysellbookings/modified", NOTHING)
    _, cursor = read(desk.ledger.bookings(["V1"], date(2026, 1, 1), None))
    desk.clock.advance(3600)
    return cursor


def test_deleted_bookings_are_gone_unless_their_number_stands_again(desk):
    cursor = a_later_look(desk)
    desk.get("/buysellbookings/modified", [a_row(43)])
    desk.get(
        "/bookyears/-1/bookings/modified",
        {"modifiedBookings": [], "deletedBookings": [deleted(42), deleted(43), deleted(44, "V")]},
    )
    (page,) = desk.ledger.bookings(["V1"], date(2026, 1, 1), cursor)
    assert ([row.ref for row in page.rows], page.gone) == (["4.V1.43"], ("4.V1.42", "4.V1.44"))


def test_after_a_taken_number_the_journals_are_looked_at_however_young_the_last_look_is(desk):
    cursor = a_later_look(desk)
    report = desk.get("/bookyears/-1/bookings/modified", NOTHING)
    _, cursor = read(desk.ledger.bookings(["V1"], date(2026, 1, 1), cursor))
    desk.books()
    desk.booked(no(-13))
    assert isinstance(desk.book().cause, NumberTaken)
    _, cursor = read(desk.ledger.bookings(["V1"], date(2026, 1, 1), cursor))
    assert report.call_count == 2
    assert list(desk.ledger.bookings(["V1"], date(2026, 1, 1), cursor)) == []


def test_a_cursor_nobody_here_wrote_is_not_guessed_at(desk):
    with pytest.raises(UnexpectedAnswer):
        list(desk.ledger.bookings(["V1"], date(2026, 1, 1), Cursor("42")))


def test_a_probe_finds_by_reference_or_key_in_any_journal_of_the_bookyear(desk):
    desk.books()
    route = desk.get(
        "/buysellbookings/modified",
        [
            a_row(42),
            a_row(1, journalKey="V2", comment="", reference="2026/145"),
            a_row(43, comment="2026/146", reference=""),
            a_row(9, journalKey="A1"),
        ],
    )
    (found,) = desk.ledger.find_bookings([desk.prepared()])
    assert [row.ref for row in found] == ["4.V1.42", "4.V2.1"]
    assert query_of(route) == {"bookyearId": "4", "modifiedTimeStamp": "1980-01-01 00:00:00.000"}


def ledger_line(**changes: object) -> dict:
    row = {
        "bookyearKey": {"id": 4},
        "journalType": 2,
        "journalNr": 1,
        "documentSequenceNr": 42,
        "lineSequenceNr": -1,
        "accountKey": 400000,
        "bookingAmount": 80.0,
        "documentAmount": 100.0,
    }
    return {**row, **changes}


def test_rules_16_a_foreign_booking_is_read_in_euros_from_the_ledger_report(desk):
    row = a_row(amount=100.0, currencyCode="USD", exchangeRate=0.8, bookingLines=lines_of((100.0, 0.0)))
    desk.get("/buysellbookings", row)
    revenue = ledger_line(accountKey=700300, lineSequenceNr=1, bookingAmount=-80.0, documentAmount=-100.0)
    other = ledger_line(documentSequenceNr=41, bookingAmount=90.0)
    report = desk.get("/bookyears/4/bookings/modified", NOTHING, {"modifiedBookings": [revenue, other, ledger_line()]})
    found = desk.ledger.booking(mapping.sent(a_prepared(), "70001"))
    assert (found.gross, found.base_gross) == (Money.of("100.00", "USD"), Decimal("80.0"))
    assert query_of(report, 0)["modifiedTimeStamp"] == stamp(desk.clock.now() - timedelta(hours=24))
    assert query_of(report, 1)["modifiedTimeStamp"] == "1980-01-01 00:00:00.000"


def test_a_foreign_booking_the_report_does_not_hold_has_no_total_in_euros(desk):
    desk.get("/buysellbookings", a_row(amount=100.0, currencyCode="USD", exchangeRate=0.8))
    desk.get("/bookyears/4/bookings/modified", {"modifiedBookings": [ledger_line(documentSequenceNr=41)]})
    assert desk.ledger.booking(mapping.sent(a_prepared(), "70001")).base_gross is None


# --- settlements ----------------------------------------------------------------------------------------------------


def end(
    journal: str, number: int, line: int = -1, *, debet: float = 0.0, credit: float = 0.0, **changes: object
) -> dict:
    row = {
        "balancingKey": {
            "bookyearKey": {"id": 4},
            "journalKey": journal,
            "documentSequenceNr": number,
            "lineSequenceNr": line,
        },
        "documentDate": "2026-09-02",
        "currencyCode": "EUR",
        "exchangeRate": 1.0,
        "comment": f"2026/145 {KEY}" if journal == "V1" else "",
        "reference": "",
        "debetBookingAmount": debet,
        "creditBookingAmount": credit,
        "debetDocumentAmount": debet,
        "creditDocumentAmount": credit,
    }
    return {**row, **changes}


def pair(debet: dict, credit: dict, amount: float, type: str = "C") -> dict:
    return {
        "type": {"type": type, "relationKey": {"id": 28}, "externalRelationId": 0, "accountNr": 0},
        "debetDocument": debet,
        "creditDocument": credit,
        "creditBalancedBookingAmount": amount,
        "debetBalancedBookingAmount": 0.0,
    }


def settled(desk: Desk, *modified: dict, deleted: tuple = (), start: date = date.min) -> list:
    desk.get("/balancings/modified", {"modifiedBalancings": list(modified), "deletedBalancings": list(deleted)})
    rows, _ = read(desk.ledger.settlements(None, start))
    return rows


INVOICE_END = end("V1", 42, debet=1331.0, documentDate="2026-08-14")


@pytest.mark.parametrize(
    ("journal", "kind"),
    [("F1", SettlementKind.PAYMENT), ("D1", SettlementKind.WRITE_OFF), ("A1", SettlementKind.WRITE_OFF)],
)
def test_the_other_end_of_a_match_tells_what_settled_an_invoice(desk, journal, kind):
    (row,) = settled(desk, pair(INVOICE_END, end(journal, 13, 1, credit=500.0), 321.0))
    assert (row.id, row.booking, row.kind) == (f"4.V1.42~4.{journal}.13.1", "4.V1.42", kind)
    assert (row.amount, row.day) == (eur("321.00"), date(2026, 9, 2))
    assert (row.references, row.gross) == (("2026/145",), eur("1331.00"))


def test_a_credit_note_settles_both_ends_and_is_no_money(desk):
    credit = end("V2", 3, credit=121.0, comment="C1", documentDate="2026-09-01")
    invoice, credit_note = settled(desk, pair(INVOICE_END, credit, 121.0))
    assert (invoice.booking, invoice.kind, invoice.day) == ("4.V1.42", SettlementKind.CREDIT_NOTE, date(2026, 9, 1))
    assert (credit_note.booking, credit_note.kind) == ("4.V2.3", SettlementKind.CREDIT_NOTE)
    assert invoice.amount == credit_note.amount == eur("121.00")
    assert invoice.id != credit_note.id


def test_money_paid_back_on_a_credit_note_is_a_payment_of_it(desk):
    (row,) = settled(desk, pair(end("F1", 14, 2, debet=121.0), end("V2", 3, credit=121.0), 121.0))
    assert (row.booking, row.kind, row.gross) == ("4.V2.3", SettlementKind.PAYMENT, eur("121.00"))


def test_matches_of_suppliers_and_accounts_say_nothing_about_sales(desk):
    other = pair(INVOICE_END, end("F1", 13, 1, credit=10.0), 10.0, type="S")
    bank = pair(end("D1", 1, 1, debet=10.0), end("F1", 13, 1, credit=10.0), 10.0)
    assert settled(desk, other, bank) == []


def test_an_undone_match_opens_the_same_part_again(desk):
    match = pair(INVOICE_END, end("F1", 13, 1, credit=500.0), 500.0)
    (before,) = settled(desk, match)
    desk.clock.advance(3600)
    (after,) = settled(desk, deleted=(match,))
    assert (after.id, after.kind, after.amount) == (before.id, SettlementKind.OPEN, eur("500.00"))
    assert after.version > before.version


def test_a_match_undone_and_made_again_stands(desk):
    match = pair(INVOICE_END, end("F1", 13, 1, credit=500.0), 500.0)
    (row,) = settled(desk, match, deleted=(match,))
    assert row.kind is SettlementKind.PAYMENT


def test_a_match_that_grew_keeps_its_id_with_a_newer_version(desk):
    (before,) = settled(desk, pair(INVOICE_END, end("F1", 13, 1, credit=500.0), 300.0))
    desk.clock.advance(3600)
    (after,) = settled(desk, pair(INVOICE_END, end("F1", 13, 1, credit=500.0), 500.0))
    assert (after.id, after.amount) == (before.id, eur("500.00"))
    assert after.version > before.version


def test_sales_from_before_the_start_are_of_no_interest(desk):
    match = pair(INVOICE_END, end("F1", 13, 1, credit=500.0), 500.0)
    assert settled(desk, match, start=date(2026, 8, 15)) == []


def foreign(document: str, books: float, **changes: object) -> dict:
    amount = float(document)
    return {"currencyCode": "USD", "debetBookingAmount": books, "debetDocumentAmount": amount, **changes}


@pytest.mark.parametrize(
    ("matched", "counter", "expected"),
    [
        (80.0, {}, "100.00"),  # all of the invoice
        (
            32.0,
            {"currencyCode": "USD", "creditBookingAmount": 32.0, "creditDocumentAmount": 40.01},
            "40.01",
        ),  # all of the payment
        (32.0, {"creditBookingAmount": 50.0, "creditDocumentAmount": 50.0}, "40.00"),  # a share of the invoice
        (32.0, {"currencyCode": "USD", "creditBookingAmount": 64.0, "creditDocumentAmount": 80.0}, "40.00"),
    ],
)
def test_rules_16_a_match_counts_in_the_documents_own_currency(desk, matched, counter, expected):
    invoice = {**end("V1", 42), **foreign("100.00", 80.0)}
    (row,) = settled(desk, pair(invoice, {**end("F1", 13, 1), **counter}, matched))
    assert (row.amount, row.gross) == (Money.of(expected, "USD"), Money.of("100.00", "USD"))


def test_settlements_go_on_from_the_last_look(desk):
    route = desk.get("/balancings/modified", NOTHING)
    _, cursor = read(desk.ledger.settlements(None))
    assert query_of(route) == {"modifiedTimeStamp": "1980-01-01 00:00:00.000"}
    assert list(desk.ledger.settlements(cursor)) == []
    desk.clock.advance(3600)
    read(desk.ledger.settlements(cursor))
    assert query_of(route) == {"modifiedTimeStamp": "2025-03-03 06:00:00.000"}


def open_row(journal: str = "V1", left: float = 831.0, **changes: object) -> dict:
    row = {
        "bookyearKey": {"id": 4},
        "journalKey": journal,
        "documentSequenceNr": 42,
        "lineSequenceNr": -1,
        "currencyCode": "EUR",
        "debetDocumentAmount": 1331.0,
        "creditDocumentAmount": 0.0,
        "openDocAmount": left,
        "comment": f"2026/145 {KEY}",
        "reference": "+++090/9337/55493+++",
    }
    return {**row, **changes}


def test_open_items_are_asked_from_the_oldest_bookyear_to_the_newest_for_every_relation(desk):
    desk.books()
    credit = open_row("V2", -121.0, debetDocumentAmount=0.0, creditDocumentAmount=121.0, comment="C1", reference="")
    route = desk.post("/reports/clients/open", [open_row(), credit, open_row("F1", -10.0), open_row("V1", 0.0)])
    invoice, credit_note = desk.ledger.open_items()
    assert (invoice.booking, invoice.open, invoice.gross) == ("4.V1.42", eur("831.00"), eur("1331.00"))
    assert invoice.references == ("2026/145", "+++090/9337/55493+++")
    assert (credit_note.booking, credit_note.open, credit_note.gross) == ("4.V2.42", eur("121.00"), eur("121.00"))
    assert body_of(route) == {
        "fromBookyearKey": {"id": 3},
        "toBookyearKey": {"id": 4},
        "fromBookyearPeriodNr": 202501,
        "toBookyearPeriodNr": 202604,
        "relationId": -1,
        "externalRelationId": -1,
    }


def test_nothing_open_is_an_empty_answer(desk):
    desk.books()
    desk.post("/reports/clients/open", NOTHING)
    assert desk.ledger.open_items() == []


def test_no_call_leaves_the_dossier(desk):
    desk.books()
    desk.booked(CREATED)
    desk.book()
    assert {call.request.url.path.startswith("/octopus-rest-api/v1/dossiers/70001/") for call in desk.router.calls} == {
        True
    }
    assert API.endswith("70001")
