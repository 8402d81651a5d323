"""What goes over the line to Octopus: limits, tokens, and answers that are none."""

from __future__ import annotations

from datetime import UTC, datetime

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
from boekbrug.domain.ledger import (
    Done,
)
from boekbrug.domain.relations import RelationQuery
from boekbrug.vendors.octopus.times import belgian, midnight_after

from .octopus_desk import (
    API,
    CREATED,
    NOTHING,
    Desk,
    no,
    ok,
)


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


def test_no_call_leaves_the_dossier(desk):
    desk.books()
    desk.booked(CREATED)
    desk.book()
    assert {call.request.url.path.startswith("/octopus-rest-api/v1/dossiers/70001/") for call in desk.router.calls} == {
        True
    }
    assert API.endswith("70001")
