"""What goes over the line to Octopus: limits, tokens, and answers that are none."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import httpx
import pytest

from boekbrug.domain.errors import (
    AccessDenied,
    AccessExpired,
    AdministrationUnreachable,
    AppMissing,
    RateLimited,
    UnexpectedAnswer,
    VendorDown,
)
from boekbrug.domain.ledger import Done
from boekbrug.domain.relations import RelationQuery
from boekbrug.vendors.octopus.looks import Look
from boekbrug.vendors.octopus.times import belgian, midnight_after
from tests.support.clocks import MORNING

from .octopus_desk import API, CREATED, NOTHING, Desk, a_draft, a_relation, no, ok, read

AN_HOUR_AGO = Look(last=MORNING - timedelta(hours=1)).cursor


@pytest.fixture
def desk() -> Desk:
    return Desk()


# --- time and limits --------------------------------------------------------------------------------------------------


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


# --- tokens and answers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [no(-79, 401), no(None, 401)])
def test_a_refused_dossier_token_is_bought_anew_once(desk, answer):
    """octopus.md 10.1."""
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
    """octopus.md 10.12."""
    for path in ("/vatcodes", "/bookyears", "/relations"):
        desk.get(path, NOTHING)
    assert desk.ledger.vat_codes() == []
    assert desk.ledger.journals() == []
    assert desk.ledger.find_relations([RelationQuery("Firma A")]) == [[]]


@pytest.mark.parametrize(
    "look",
    [
        lambda ledger: ledger.relations(None),
        lambda ledger: ledger.bookings(["V1"], date(2026, 1, 1), None),
        lambda ledger: ledger.settlements(None),
    ],
    ids=["relations", "bookings", "settlements"],
)
def test_no_news_is_no_failure_and_the_next_look_goes_on_from_it(desk, look):
    """octopus.md 10.12."""
    desk.books()
    paths = (
        "/relations/modified",
        "/buysellbookings/modified",
        "/bookyears/-1/bookings/modified",
        "/balancings/modified",
    )
    for path in paths:
        desk.get(path, NOTHING)
    rows, cursor = read(look(desk.ledger))
    assert (rows, cursor is None) == ([], False)


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
        (httpx.Response(200, text="null"), UnexpectedAnswer),
        (no(-8, 200), UnexpectedAnswer),
        (no(None, 200), UnexpectedAnswer),
        (httpx.Response(201, json=[]), UnexpectedAnswer),
        (httpx.Response(204), UnexpectedAnswer),
        (httpx.Response(404), VendorDown),
        (httpx.Response(404, text="null"), VendorDown),
        (httpx.Response(404, json=[]), VendorDown),
        (httpx.Response(404, json={"message": "no Route matched with those values"}), VendorDown),
        (ok({"bookyears": []}), UnexpectedAnswer),
        (ok([{"bookyearKey": {"id": 4}}]), UnexpectedAnswer),
        (httpx.ReadTimeout("late"), VendorDown),
    ],
)
def test_a_question_that_is_not_answered_says_why(desk, answer, error):
    desk.get("/bookyears", answer)
    with pytest.raises(error):
        desk.ledger.fiscal_years()


@pytest.mark.parametrize("body", [{}, [], "", 0, False, {"data": []}, {"errorCode": -65, "modified": []}])
@pytest.mark.parametrize(
    ("path", "look"),
    [
        ("/relations/modified", lambda ledger: ledger.relations(None)),
        ("/bookyears/-1/bookings/modified", lambda ledger: ledger.bookings(["V1"], date(2026, 1, 1), AN_HOUR_AGO)),
        ("/balancings/modified", lambda ledger: ledger.settlements(None)),
    ],
)
def test_an_answer_without_its_lists_is_not_taken_for_no_news(desk, path, look, body):
    """No news is a 404."""
    desk.get("/buysellbookings/modified", NOTHING)
    desk.get(path, body)
    with pytest.raises(UnexpectedAnswer):
        list(look(desk.ledger))


def test_a_list_of_two_a_day_is_asked_once_even_when_the_line_fails(desk):
    route = desk.get("/vatcodes", httpx.ReadTimeout("late"))
    with pytest.raises(VendorDown):
        desk.ledger.vat_codes()
    assert route.call_count == 1


def test_lists_without_pages_get_time(desk):
    """octopus.md 10.14."""
    route = desk.get("/relations/modified", NOTHING)
    list(desk.ledger.relations(None))
    assert route.calls[0].request.extensions["timeout"]["read"] == 180
    route = desk.get("/balancings/modified", NOTHING)
    list(desk.ledger.settlements(None))
    assert sum(route.calls[0].request.extensions["timeout"][part] for part in ("connect", "write", "read")) < 120


def test_nothing_is_written_but_relations_and_bookings_and_all_of_it_in_the_dossier(desk):
    """octopus.md 10.17 and 10.20: bank lines and matches are the bookkeeper's and the bank's."""
    desk.books()
    desk.get("/relations", NOTHING)
    desk.put("/relations", httpx.Response(201, json=a_relation(29)))
    for path in ("/relations/modified", "/buysellbookings/modified", "/balancings/modified", "/accounts", "/vatcodes"):
        desk.get(path, NOTHING)
    desk.post("/reports/clients/open", NOTHING)
    desk.booked(CREATED)
    ledger = desk.ledger
    ledger.save_relations([a_draft()])
    desk.book()
    for rows in (ledger.relations(None), ledger.bookings(["V1"], date(2026, 1, 1), None), ledger.settlements(None)):
        read(rows)
    for ask in (ledger.journals, ledger.fiscal_years, ledger.revenue_accounts, ledger.vat_codes, ledger.open_items):
        ask()
    calls = [(call.request.method, str(call.request.url)) for call in desk.router.calls]
    assert all(url.startswith(f"{API}/") for _, url in calls)
    assert {(method, url.removeprefix(API)) for method, url in calls if method != "GET"} == {
        ("PUT", "/relations"),
        ("POST", "/buysellbookings"),
        ("POST", "/reports/clients/open"),  # a question
    }
