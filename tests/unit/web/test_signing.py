"""Signing in, and consent at Exact Online: what must fit, and what is refused."""

from __future__ import annotations

import logging
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from boekbrug.domain.connections import JobKind
from boekbrug.ports import Job
from boekbrug.web.http import request_of
from boekbrug.web.session import BROWSER, SESSION
from boekbrug.web.signing import Credentials
from tests.support.house import SetFacts

from .scene import (
    LOGIN,
    MORNING,
    THEM,
    US,
    Browser,
    a_house,
    a_login,
    a_user,
    an_event,
    key,
    our_connection,
    sign_in,
)


def with_codes(house):
    """Teamleader and Exact know these codes."""
    house.grants.logins = {
        "anna": (a_login("teamleader.-.anna", US), a_user()),
        "bert": (a_login("teamleader.-.bert", US), a_user("bert")),
        "new": (a_login("teamleader.-.nora", "account-new"), a_user("nora", "account-new", "fr")),
        "exact": (a_login(LOGIN, US), None),
    }
    return house


def leave(browser: Browser) -> str:
    """Start signing in; the state Teamleader was given."""
    return parse_qs(urlsplit(browser.get("/connect/teamleader").location).query)["state"][0]


def leave_for_exact(browser: Browser) -> str:
    answer = browser.post("/connect/exact", {"country": "be"})
    return parse_qs(urlsplit(answer.body["authorize_url"]).query)["state"][0]


def test_signing_in_opens_a_session_of_eight_hours():
    browser = Browser(with_codes(a_house()))
    state = leave(browser)
    answer = browser.get(f"/callback/teamleader?code=anna&state={state}")
    assert (answer.status, answer.location) == (303, "https://boekbrug.example/api/session")
    cookie = next(one for one in answer.event["cookies"] if one.startswith(SESSION))
    for promise in ("Max-Age=28800", "Path=/", "HttpOnly", "Secure", "SameSite=Lax"):
        assert promise in cookie
    assert BROWSER not in browser.cookies
    session = browser.get("/api/session").body
    assert (session["account"], session["user"], session["language"]) == (US, "anna", "nl")
    browser.house.clock.advance(8 * 3600)
    assert browser.get("/api/session").failed() == (401, "SessionMissing")


def test_who_connects_first_is_the_admin_and_a_colleague_may_sign_in_too():
    house = with_codes(a_house())
    house.logins.save_new(a_login(house.accounts.get(US).focus_login, US))
    for code in ("new", "bert"):
        browser = Browser(house)
        browser.get(f"/callback/teamleader?code={code}&state={leave(browser)}")
        assert browser.get("/api/session").status == 200
    assert house.accounts.get("account-new").admin == "nora"
    assert house.accounts.get("account-new").language == "fr"
    assert house.accounts.get(US).admin == "anna"
    # The colleague's grant serves nobody: the account works with its admin's.
    assert house.logins.get("account-new", "teamleader.-.nora")
    assert house.logins.get(US, "teamleader.-.bert") is None


def test_a_colleague_takes_over_when_the_grant_of_the_admin_is_lost():
    house = with_codes(a_house())  # anna's grant is gone
    browser = Browser(house)
    browser.get(f"/callback/teamleader?code=bert&state={leave(browser)}")
    account = house.accounts.get(US)
    assert (account.admin, account.focus_login) == ("bert", "teamleader.-.bert")
    assert house.logins.get(US, "teamleader.-.bert").tokens is not None


def test_signing_in_again_wakes_what_a_lost_login_paused():
    house = with_codes(a_house())
    house.put_job(Job(key(JobKind.DOCUMENTS), None, paused="AccessExpired"))
    browser = Browser(house)
    browser.get(f"/callback/teamleader?code=anna&state={leave(browser)}")
    job = house.jobs.get(key(JobKind.DOCUMENTS))
    assert (job.paused, job.due_at) == ("", MORNING)


@pytest.mark.parametrize("state", ["", "wrong", "state-999"])
def test_a_wrong_state_changes_nothing(state):
    browser = Browser(with_codes(a_house()))
    leave(browser)
    answer = browser.get(f"/callback/teamleader?code=anna&state={state}")
    assert answer.failed() == (403, "StateUnknown")
    assert browser.house.grants.exchanged == []
    assert SESSION not in browser.cookies


def test_a_state_serves_once():
    browser = Browser(with_codes(a_house()))
    state = leave(browser)
    cookies = dict(browser.cookies)
    browser.get(f"/callback/teamleader?code=anna&state={state}")
    again = Browser(browser.house, cookies).get(f"/callback/teamleader?code=anna&state={state}")
    assert again.failed() == (403, "StateUnknown")


def test_two_tabs_can_sign_in_side_by_side():
    browser = Browser(with_codes(a_house()))
    first, second = leave(browser), leave(browser)
    assert first != second
    assert browser.get(f"/callback/teamleader?code=anna&state={first}").status == 303


def test_a_state_of_ten_minutes_ago_is_too_old():
    browser = Browser(with_codes(a_house()))
    state = leave(browser)
    browser.house.clock.advance(600)
    assert browser.get(f"/callback/teamleader?code=anna&state={state}").failed() == (403, "StateUnknown")


@pytest.mark.parametrize("cookies", [{}, {BROWSER: "somebody-else"}])
def test_a_state_of_another_browser_signs_nobody_in(cookies):
    house = with_codes(a_house())
    state = leave(Browser(house))
    victim = Browser(house, dict(cookies))
    assert victim.get(f"/callback/teamleader?code=anna&state={state}").failed() == (403, "StateUnknown")
    assert house.grants.exchanged == []


@pytest.mark.parametrize("url", ["/callback/teamleader", "/callback/exact"])
def test_denied_consent_is_said_plainly_and_changes_nothing(url):
    browser = sign_in(a_house())
    answer = browser.get(f"{url}?error=access_denied")
    assert answer.failed() == (403, "ConsentDenied")
    assert "nothing was connected" in answer.body["sentence"]


def test_denied_consent_uses_up_its_state():
    browser = Browser(with_codes(a_house()))
    state = leave(browser)
    browser.get(f"/callback/teamleader?error=access_denied&state={state}")
    assert browser.get(f"/callback/teamleader?code=anna&state={state}").failed() == (403, "StateUnknown")


def test_a_code_the_vendor_refuses_signs_nobody_in():
    browser = Browser(a_house())
    assert browser.get(f"/callback/teamleader?code=old&state={leave(browser)}").failed() == (403, "AccessDenied")
    assert SESSION not in browser.cookies


def test_consent_at_exact_saves_the_login_and_wakes_its_connections():
    house = with_codes(a_house())
    our_connection(house)
    house.put_job(Job(key(JobKind.PAYMENTS), None, paused="AccessExpired"))
    before = house.logins.get(US, LOGIN).version
    browser = sign_in(house)
    answer = browser.get(f"/callback/exact?code=exact&state={leave_for_exact(browser)}")
    assert (answer.status, answer.body) == (200, {"login": LOGIN})
    assert house.logins.get(US, LOGIN).version == before + 1
    assert house.jobs.get(key(JobKind.PAYMENTS)).paused == ""
    assert house.said(US, "account") == ["login_saved"]


def test_consent_for_one_login_leaves_the_jobs_of_another_paused():
    house = with_codes(a_house())
    our_connection(house, login="exact.be.someone-else")
    house.put_job(Job(key(JobKind.PAYMENTS), None, paused="AccessExpired"))
    browser = sign_in(house)
    browser.get(f"/callback/exact?code=exact&state={leave_for_exact(browser)}")
    assert house.jobs.get(key(JobKind.PAYMENTS)).paused == "AccessExpired"


def test_consent_at_exact_is_refused_to_another_session_and_another_account():
    house = with_codes(a_house())
    state = leave_for_exact(sign_in(house))
    assert sign_in(house, THEM, "mallory").get(f"/callback/exact?code=exact&state={state}").failed()[0] == 403
    state = leave_for_exact(sign_in(house))
    assert sign_in(house).get(f"/callback/exact?code=exact&state={state}").failed() == (403, "StateUnknown")
    assert house.grants.exchanged == []


def test_a_state_of_one_vendor_does_not_fit_another():
    house = with_codes(a_house())
    browser = sign_in(house)
    state = leave(browser)
    assert browser.get(f"/callback/exact?code=exact&state={state}").failed() == (403, "StateUnknown")
    # The binding to the account counts by itself, even where the browser is the same.
    state = leave_for_exact(browser)
    house.states.kept[state] = replace(house.states.kept[state], account=THEM)
    assert browser.get(f"/callback/exact?code=exact&state={state}").failed() == (403, "StateUnknown")


@pytest.mark.parametrize(("asked", "reason"), [({"country": "de"}, "not_offered"), ({}, "missing")])
def test_exact_has_no_country_we_do_not_know(asked, reason):
    answer = sign_in(a_house()).post("/connect/exact", asked)
    assert (answer.status, answer.body["facts"]) == (400, {"field": "country", "reason": reason})


@pytest.mark.parametrize("package", ["nobodys", "teamleader", "memory"])
def test_what_is_no_package_is_not_connected(package):
    browser = sign_in(with_codes(a_house()))
    state = leave_for_exact(browser)
    assert browser.post(f"/connect/{package}", {}).failed() == (404, "NotFound")
    assert browser.post(f"/connect/{package}/login", {"user": "u", "password": "p"}).failed() == (404, "NotFound")
    if package != "teamleader":  # whose way back is a route of its own
        assert browser.get(f"/callback/{package}?code=exact&state={state}").failed() == (404, "NotFound")
    assert browser.house.grants.exchanged == browser.house.grants.tried == []


# --- a package with a form ------------------------------------------------------------------------------------------

FORM = {"user": "U12345", "password": "geheim-woord"}
FORM_LOGIN = "paper.-.U12345"


def with_a_form():
    """A package that has no countries and takes passwords."""
    house = a_house()
    house.known_packages["paper"] = SetFacts()
    house.grants.passwords["U12345", "geheim-woord"] = a_login(FORM_LOGIN, US)
    return house


def test_a_package_without_countries_is_asked_for_consent_without_one():
    browser = sign_in(with_a_form())
    answer = browser.post("/connect/paper", {})
    assert answer.body["authorize_url"].startswith("https://paper.example/-/authorize?state=")
    assert browser.post("/connect/paper", {"country": "be"}).body["facts"]["reason"] == "not_offered"


def test_a_log_in_is_kept_and_wakes_its_connections():
    house = with_a_form()
    our_connection(house, login=FORM_LOGIN)
    house.put_job(Job(key(JobKind.PAYMENTS), None, paused="AccessExpired"))
    answer = sign_in(house).post("/connect/paper/login", FORM)
    assert (answer.status, answer.body) == (200, {"login": FORM_LOGIN})
    assert house.logins.get(US, FORM_LOGIN).tokens is not None
    assert house.jobs.get(key(JobKind.PAYMENTS)).paused == ""
    assert house.said(US, "account") == ["login_saved"]


def test_a_log_in_again_replaces_the_one_before():
    house = with_a_form()
    sign_in(house).post("/connect/paper/login", FORM)
    sign_in(house).post("/connect/paper/login", FORM)
    assert house.logins.get(US, FORM_LOGIN).generation == 2
    assert [login.id for login in house.logins.of_account(US)] == [LOGIN, FORM_LOGIN]


def test_a_refused_log_in_is_tried_once_and_keeps_what_there_was():
    house = with_a_form()
    sign_in(house).post("/connect/paper/login", FORM)
    before = house.logins.get(US, FORM_LOGIN)
    answer = sign_in(house).post("/connect/paper/login", FORM | {"password": "verkeerd"})
    assert answer.failed() == (403, "AccessDenied")
    assert "user name or password not accepted" in answer.body["sentence"]
    assert house.grants.tried == ["U12345"] * 2
    assert house.logins.get(US, FORM_LOGIN) == before


def test_a_log_in_belongs_to_the_account_that_made_it():
    house = with_a_form()
    sign_in(house).post("/connect/paper/login", FORM)
    mallory = sign_in(house, THEM, "mallory")
    assert mallory.get(f"/api/administrations?login={FORM_LOGIN}").failed() == (404, "NotFound")
    assert house.logins.get(THEM, FORM_LOGIN) is None


@pytest.mark.parametrize("form", [{}, {"user": "U12345"}, FORM | {"password": ""}, FORM | {"user": "", "more": 1}])
def test_half_a_form_is_not_tried(form):
    house = with_a_form()
    assert sign_in(house).post("/connect/paper/login", form).failed() == (400, "RequestInvalid")
    assert house.grants.tried == []


@pytest.mark.parametrize("form", [FORM, FORM | {"password": "geheim-fout"}, FORM | {"user": 1}, FORM | {"more": 1}])
def test_no_password_is_told_again(form, caplog):
    house = with_a_form()
    with caplog.at_level(logging.DEBUG):
        answer = sign_in(house).post("/connect/paper/login", form)
    told = [
        str(answer.event),
        str(house.audit(US).entries("account")),
        *(str(record.__dict__) for record in caplog.records),
    ]
    assert "geheim" not in " ".join(told)


def test_a_request_and_its_form_do_not_show_the_password():
    request = request_of(an_event("POST", "/connect/paper/login", FORM))
    form = request.read(Credentials)
    assert form.password.get_secret_value() == "geheim-woord"
    assert "geheim" not in f"{request!r} {form!r} {form} {form.model_dump_json()}"


def test_signing_out_ends_the_session_here_and_in_the_browser():
    browser = sign_in(a_house())
    stolen = dict(browser.cookies)
    assert browser.post("/api/sign-out").status == 200
    assert SESSION not in browser.cookies
    assert Browser(browser.house, stolen).get("/api/session").failed() == (401, "SessionMissing")
