"""Octopus' door: consent, user and password, and the tokens of a dossier."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from boekbrug.domain.errors import AccessDenied, AccessExpired, AppMissing, UnexpectedAnswer, VendorDown
from boekbrug.ports import Tokens
from boekbrug.vendors.oauth import Room
from boekbrug.vendors.octopus import door
from boekbrug.vendors.registry import administration_id
from tests.support.clocks import MORNING

from .octopus_desk import ACCOUNT, APP, HOUSE, REST, URL, Desk, Keeper, no, ok

TOKEN_URL = f"{URL}/octopus-oauth/token"
PAIR = {"access_token": "a.b.c", "refresh_token": "r1", "token_type": "bearer", "expires_in": 600}


@pytest.fixture
def desk() -> Desk:
    return Desk()


def form_of(call: Any) -> dict[str, str]:
    return dict(httpx.QueryParams(call.request.content.decode()))


def refusal(error: str, status: int = 400) -> httpx.Response:
    return httpx.Response(status, json={"error": error})


# --- consent --------------------------------------------------------------------------------------------------------


def test_the_real_octopus_is_one_host_and_its_app_has_no_secret():
    assert door.hosts("-") == ("https://service.inaras.be", "https://service.inaras.be")
    assert not door.NEEDS_SECRET
    assert door.NOT_BEFORE_S == 0


def test_the_browser_goes_where_octopus_asks_for_consent():
    url = httpx.URL(door.authorize_url(APP, "state-1"))
    assert (url.host, url.path) == ("octopus.example", "/octopus-oauth/authorize")
    assert dict(url.params) == {
        "response_type": "code",
        "scope": "webservice",
        "client_id": HOUSE,
        "redirect_uri": "https://boekbrug.example/octopus",
        "state": "state-1",
    }


def test_a_code_is_traded_without_a_secret(desk):
    route = desk.router.post(TOKEN_URL).mock(return_value=ok(PAIR))
    tokens = door.exchange(APP, desk.http, "code-1", MORNING)
    assert (tokens.access, tokens.refresh, tokens.expires_at) == ("a.b.c", "r1", MORNING + timedelta(seconds=600))
    assert form_of(route.calls[0]) == {"grant_type": "authorization_code", "code": "code-1", "client_id": HOUSE}


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refusal("invalid_grant"), AccessDenied),
        (no(-68, 401), AccessDenied),
        (httpx.Response(429), VendorDown),
        (httpx.Response(503), VendorDown),
        (httpx.Response(404), UnexpectedAnswer),
        (ok({"access_token": "a.b.c", "expires_in": 600}), UnexpectedAnswer),
    ],
)
def test_a_code_that_brings_no_tokens_says_why(desk, answer, error):
    desk.router.post(TOKEN_URL).mock(return_value=answer)
    with pytest.raises(error):
        door.exchange(APP, desk.http, "code-1", MORNING)


@pytest.mark.parametrize(("answered", "kept"), [({"refresh_token": "r2"}, "r2"), ({}, "r1")])
def test_the_newest_refresh_token_is_kept_and_the_old_one_where_none_comes(desk, answered, kept):
    body = {"access_token": "d.e.f", "expires_in": 600, **answered}
    route = desk.router.post(TOKEN_URL).mock(return_value=ok(body))
    tokens = door.refresh(APP, desk.http, "r1", MORNING)
    assert (tokens.access, tokens.refresh) == ("d.e.f", kept)
    assert form_of(route.calls[0]) == {"grant_type": "refresh_token", "refresh_token": "r1", "client_id": HOUSE}


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refusal("invalid_grant"), AccessExpired),
        (refusal("invalid_grant", 403), AccessExpired),
        (no(-1, 401), AccessExpired),
        (httpx.Response(401), AccessExpired),
        (httpx.Response(401, html="<h1>Unauthorized</h1>"), UnexpectedAnswer),
        (httpx.Response(401, json="invalid_grant"), UnexpectedAnswer),
        (refusal("invalid_client", 401), AppMissing),
        (refusal("unauthorized_client"), AppMissing),
        (refusal("invalid_request"), UnexpectedAnswer),
        (no(-68, 401), AppMissing),
        (httpx.Response(429), VendorDown),
        (httpx.Response(500, html="<h1>Error</h1>"), VendorDown),
        (refusal("temporarily_unavailable"), UnexpectedAnswer),
        (httpx.Response(404), UnexpectedAnswer),
    ],
)
def test_a_chain_is_given_up_only_for_a_word_that_says_so(desk, answer, error):
    desk.router.post(TOKEN_URL).mock(return_value=answer)
    with pytest.raises(error):
        door.refresh(APP, desk.http, "r1", MORNING)


# --- user and password ----------------------------------------------------------------------------------------------


def log_in(desk: Desk, password: str = "s3cret é") -> Tokens:
    return door.log_in(APP, desk.http, "U12345", password, MORNING)


def test_a_login_is_user_and_password_with_our_software_house(desk):
    route = desk.router.post(f"{REST}/authentication").mock(return_value=ok({"token": "a.b.c"}))
    tokens = log_in(desk)
    assert (tokens.access, tokens.expires_at) == ("a.b.c", MORNING + timedelta(minutes=10))
    request = route.calls[0].request
    assert request.headers["softwareHouseUuid"] == HOUSE
    assert json.loads(request.content) == {"user": "U12345", "password": "s3cret é"}


def test_to_refresh_is_to_log_in_again(desk):
    route = desk.router.post(f"{REST}/authentication").mock(
        side_effect=[ok({"token": "a.b.c"}), ok({"token": "d.e.f"})]
    )
    first = log_in(desk)
    again = door.refresh(APP, desk.http, first.refresh, MORNING + timedelta(minutes=9))
    assert (again.access, again.refresh) == ("d.e.f", first.refresh)
    assert route.calls[0].request.content == route.calls[1].request.content
    assert "s3cret" not in repr(first)


def test_a_refused_login_is_tried_once(desk):
    route = desk.router.post(f"{REST}/authentication").mock(
        return_value=no(None, 401, technical="3 failed logins of U12345 from 10.0.0.1")
    )
    with pytest.raises(AccessDenied) as error:
        log_in(desk)
    assert error.value.facts["reason"] == "log_in"
    assert route.call_count == 1


def test_a_password_that_was_changed_ends_the_login_at_the_first_refusal(desk):
    """octopus.md 10.13."""
    route = desk.router.post(f"{REST}/authentication").mock(side_effect=[ok({"token": "a.b.c"}), no(None, 401)])
    tokens = log_in(desk)
    with pytest.raises(AccessExpired):
        door.refresh(APP, desk.http, tokens.refresh, MORNING)
    assert route.call_count == 2


def test_a_software_house_octopus_does_not_know_is_not_the_users_fault(desk):
    route = desk.router.post(f"{REST}/authentication").mock(side_effect=[ok({"token": "a.b.c"}), no(-68, 401)])
    tokens = log_in(desk)
    with pytest.raises(AppMissing):
        door.refresh(APP, desk.http, tokens.refresh, MORNING)
    assert route.call_count == 2


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(500), VendorDown),
        (httpx.ReadTimeout("late"), VendorDown),
        (httpx.Response(429), VendorDown),
        (ok({}), UnexpectedAnswer),
        (ok({"token": "two words"}), UnexpectedAnswer),
        (httpx.Response(404), UnexpectedAnswer),
        (httpx.Response(401, html="<h1>Unauthorized</h1>"), AccessDenied),
        (httpx.Response(403, html="<h1>Forbidden</h1>"), UnexpectedAnswer),
    ],
)
def test_a_login_that_is_not_answered_says_why(desk, answer, error):
    desk.router.post(f"{REST}/authentication").mock(side_effect=[answer])
    with pytest.raises(error):
        log_in(desk)


@pytest.mark.parametrize(
    ("body", "user"), [({"user": "U12345"}, "U12345"), ({"userName": " U12345 "}, "U12345"), ({"id": 7}, "7")]
)
def test_the_user_behind_a_token_is_asked_for(desk, body, user):
    route = desk.router.get(f"{REST}/authentication").mock(return_value=ok(body))
    assert door.user_of(APP, desk.http, "a.b.c") == user
    assert route.calls[0].request.headers["Token"] == "a.b.c"


def test_an_answer_that_names_nobody_we_know_stands_for_itself(desk):
    desk.router.get(f"{REST}/authentication").mock(side_effect=[ok({"x": 1}), ok({"x": 1}), ok({"x": 2})])
    first, again, other = (door.user_of(APP, desk.http, "a.b.c") for _ in range(3))
    assert first == again != other


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (no(None, 401), AccessDenied),
        (no(-68, 401), AppMissing),
        (no(-51), VendorDown),
        (no(None, 500), VendorDown),
        (httpx.Response(429), VendorDown),
        (httpx.Response(404, html="<h1>Not Found</h1>"), UnexpectedAnswer),
        *((ok(anybody), UnexpectedAnswer) for anybody in ({}, [], True, 7, "", {"errorCode": -2})),
        (httpx.Response(200, text="null"), UnexpectedAnswer),
    ],
)
def test_a_token_that_names_nobody_says_why(desk, answer, error):
    desk.router.get(f"{REST}/authentication").mock(return_value=answer)
    with pytest.raises(error):
        door.user_of(APP, desk.http, "a.b.c")


# --- who opens what -------------------------------------------------------------------------------------------------


class Bought(Keeper):
    """Dossier tokens that are bought when they are asked for."""

    def __init__(self, scope: str, buy: Callable[[], Tokens]) -> None:
        super().__init__(scope)
        self.buy = buy

    def access(self) -> str:
        return self.buy().access


@pytest.fixture
def room(desk) -> Room:
    return Room(
        APP,
        desk.http,
        desk.login,
        desk.budgets,
        desk.clock,
        ACCOUNT,
        numbers=desk.line,
        real=desk.clock,
        token_for=Bought,
    )


def test_a_ledger_buys_the_token_of_its_own_dossier_and_uses_it(desk, room):
    """octopus.md 10.1."""
    connect = desk.router.post(f"{REST}/dossiers").mock(return_value=ok({"Dossiertoken": "d.o.s"}))
    route = desk.get("/vatcodes", [])
    ledger = door.open_ledger(room, administration_id("octopus", "-", "70001"))
    assert ledger.vat_codes() == []
    assert dict(connect.calls[0].request.url.params) == {"dossierId": "70001"}
    assert connect.calls[0].request.headers["Token"] == "login-1"
    assert route.calls[0].request.headers["dossierToken"] == "d.o.s"
    assert "Token" not in route.calls[0].request.headers


def test_a_package_lists_what_its_login_reaches(desk, room):
    row = {"dossierKey": {"id": 70001}, "dossierDescription": "Bakkerij"}
    desk.router.get(f"{REST}/dossiers").mock(return_value=ok([row]))
    desk.router.post(f"{REST}/dossiers").mock(return_value=ok({"Dossiertoken": "d.o.s"}))
    (found,) = door.open_package(room).administrations()
    assert (found.id, found.usable) == ("octopus.-.70001", True)
    assert door.open_ledger(room, found.id).administration() == found
