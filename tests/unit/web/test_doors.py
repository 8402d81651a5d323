"""What holds for every route: sessions, CSRF, other accounts' ids, headers, errors in words, nothing secret in logs."""

from __future__ import annotations

import functools
import json
import logging

import pytest

from boekbrug.domain.errors import (
    RateLimited,
    SyncError,
    UnexpectedAnswer,
    VendorDown,
    leaves,
)
from boekbrug.ports import DocumentState
from boekbrug.web.app import in_words
from boekbrug.web.http import MAX_BODY
from boekbrug.web.session import SESSION

from .scene import (
    MORNING,
    ROUTES,
    THEM,
    US,
    Browser,
    a_house,
    a_record,
    an_event,
    our_connection,
    put_documents,
    read_books,
    sign_in,
)

SIGNED_IN = [route for route in ROUTES if route.signed_in]
BODIES = {
    "PATCH /api/connections/{id}": {"automatic": True},
    "PUT /api/connections/{id}/mappings": {},
    "POST /api/connections/{id}/sync": {"kind": "documents"},
    "POST /api/connections/{id}/relations/decisions": {"customer": "company:1", "create": True},
    "POST /connect/{package}": {"country": "be"},
    "POST /connect/{package}/login": {"user": "U12345", "password": "geheim-woord"},
    "POST /api/connections": {
        "entity": "entity-be",
        "login": "exact.be.user-1",
        "administration": "exact.be.3001234",
        "start": "2026-01-01",
    },
}


def url(route):
    blanks = {"{id}": "ours", "{document}": "document-1", "{package}": "exact"}
    return functools.reduce(lambda path, blank: path.replace(blank, blanks[blank]), blanks, route.path)


@pytest.mark.parametrize("route", SIGNED_IN, ids=lambda route: route.key)
def test_without_a_session_nothing_is_shown_or_done(route):
    house = a_house()
    our_connection(house)
    for cookies in ({}, {SESSION: "guessed"}):
        browser = Browser(house, dict(cookies), csrf="anything")
        assert browser.ask(route.method, url(route), BODIES.get(route.key)).failed() == (401, "SessionMissing")


@pytest.mark.parametrize("route", [r for r in SIGNED_IN if r.method != "GET"], ids=lambda route: route.key)
@pytest.mark.parametrize("csrf", ["", "csrf-account-them"])
def test_what_changes_something_needs_the_token_of_its_own_session(route, csrf):
    browser = sign_in(a_house())
    our_connection(browser.house)
    browser.csrf = csrf
    assert browser.ask(route.method, url(route), BODIES.get(route.key)).failed() == (403, "CsrfMissing")
    assert browser.house.jobs.kept == {}
    assert browser.get("/api/session").status == 200


@pytest.mark.parametrize("route", [r for r in SIGNED_IN if "{id}" in r.path], ids=lambda route: route.key)
def test_another_accounts_connection_is_not_there(route):
    house = a_house()
    connection = our_connection(house)
    read_books(house)
    put_documents(house, a_record("1", DocumentState.HELD, cause="BookingDeleted"))
    answer = sign_in(house, THEM, "mallory").ask(route.method, url(route), BODIES.get(route.key))
    assert answer.failed() == (404, "NotFound")
    assert house.connections.of_account(US) == [connection]
    assert house.nudged() == house.documents(US, connection.administration).waiting(10) == []


def test_another_accounts_login_is_not_there():
    mallory = sign_in(a_house(), THEM, "mallory")
    assert mallory.get("/api/administrations?login=exact.be.user-1").failed() == (404, "NotFound")
    assert mallory.post("/api/connections", BODIES["POST /api/connections"]).failed() == (404, "NotFound")


def test_lists_show_only_ones_own():
    house = a_house()
    our_connection(house)
    mallory = sign_in(house, THEM, "mallory")
    assert mallory.get("/api/connections").body == {"connections": []}
    assert [e["connection"] for e in mallory.get("/api/entities").body["entities"]] == [None, None, None]
    assert mallory.get("/api/session").body["account"] == THEM


def test_every_answer_carries_the_headers_that_keep_browsers_out_of_trouble():
    browser = sign_in(a_house())
    for answer in (browser.get("/api/session"), browser.get("/nowhere"), browser.get("/connect/teamleader")):
        headers = answer.event["headers"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_an_unknown_route_and_another_method_are_not_there():
    browser = sign_in(a_house())
    assert browser.get("/nowhere").failed() == (404, "NotFound")
    assert browser.ask("DELETE", "/api/session").failed() == (404, "NotFound")


def test_without_a_route_key_the_path_decides():
    browser = sign_in(a_house())
    our_connection(browser.house)
    event = an_event("GET", "/api/connections/ours", cookies=browser.cookies)
    event |= {"routeKey": "$default", "rawPath": "/api/connections/ours", "pathParameters": None}
    assert browser.send(event).body["id"] == "ours"


def test_cookies_are_read_from_the_header_too():
    browser = sign_in(a_house())
    event = an_event("GET", "/api/session", headers={"Cookie": f"other=1; {SESSION}={browser.cookies[SESSION]}"})
    assert browser.send(event).status == 200


@pytest.mark.parametrize(
    ("body", "field", "reason"),
    [
        (b"{", "body", "json_invalid"),
        (b"", "body", "json_invalid"),
        ({"kind": "documents", "more": 1}, "more", "extra_forbidden"),
        ({}, "kind", "missing"),
        ({"kind": "everything"}, "kind", "enum"),
    ],
)
def test_a_body_that_does_not_fit_is_refused_by_field(body, field, reason):
    browser = sign_in(a_house())
    our_connection(browser.house)
    answer = browser.post("/api/connections/ours/sync", body)
    assert answer.failed() == (400, "RequestInvalid")
    assert answer.body["facts"] == {"field": field, "reason": reason}
    assert browser.house.jobs.kept == {}


@pytest.mark.parametrize("encoded", [False, True])
def test_a_body_too_large_is_refused(encoded):
    browser = sign_in(a_house())
    our_connection(browser.house)
    answer = browser.post("/api/connections/ours/sync", b" " * (MAX_BODY + 1), encoded=encoded)
    assert answer.body["facts"] == {"field": "body", "reason": "too_long"}


def test_an_encoded_body_is_decoded_and_a_broken_one_refused():
    browser = sign_in(a_house())
    our_connection(browser.house)
    assert browser.post("/api/connections/ours/sync", {"kind": "payments"}, encoded=True).status == 202
    event = an_event("POST", "/api/connections/ours/sync", b"x", cookies=browser.cookies, csrf=browser.csrf)
    assert browser.send(event | {"body": "###", "isBase64Encoded": True}).failed() == (400, "RequestInvalid")


def test_errors_come_in_the_language_of_the_session_else_of_the_browser():
    house = a_house()
    french = sign_in(house, language="fr").get("/api/connections/none", headers={"Accept-Language": "nl"})
    assert french.body["sentence"].startswith("Introuvable")
    stranger = Browser(house).get("/api/session", headers={"accept-language": "nl-BE"})
    assert stranger.body["sentence"].startswith("U bent niet aangemeld")


@pytest.mark.parametrize("cause", leaves())
def test_every_error_has_a_status_and_its_words(cause):
    kind = leaves()[cause]
    error = kind(**dict.fromkeys(kind.names, "x"))
    if isinstance(error, RateLimited):
        error = RateLimited(vendor="exact", until=MORNING)
    answer = in_words(error, "nl")
    body = json.loads(answer.event()["body"])
    assert (body["error"], body["family"]) == (cause, error.family)
    assert set(body["facts"]) == set(kind.names)
    assert 400 <= answer.status <= 503
    assert answer.status == {"TryLater": 503, "NeedsSetup": 409, "UnexpectedAnswer": 502}.get(
        error.family, answer.status
    )


def test_a_defect_is_not_hidden():
    house = a_house()
    house.sessions.get = None  # type: ignore[method-assign, assignment]
    with pytest.raises(TypeError):
        Browser(house, {SESSION: "x"}).get("/api/session")


@pytest.mark.parametrize("error", [VendorDown(vendor="teamleader"), UnexpectedAnswer(vendor="exact", said="secret")])
def test_logs_name_the_route_and_the_cause_but_no_secret(error: SyncError, caplog, monkeypatch):
    house = a_house()
    monkeypatch.setattr(house.focus(US), "entities", lambda: (_ for _ in ()).throw(error))
    with caplog.at_level(logging.INFO):
        sign_in(house).get("/api/entities?code=secret")
        Browser(house).post("/webhooks/teamleader/secret-token", {"secret": 1})
    text = " ".join(str(record.__dict__) for record in caplog.records)
    assert error.cause in text
    assert "GET /api/entities" in text
    assert "secret" not in text.replace("POST /webhooks/teamleader/{token}", "")
