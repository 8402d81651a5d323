"""Signing in, and consent at Exact Online: what must fit, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from boekbrug.domain.connections import JobKind
from boekbrug.ports import Job
from boekbrug.web.session import BROWSER, SESSION

from .scene import (
    LOGIN,
    MORNING,
    THEM,
    US,
    Browser,
    a_house,
    a_login,
    a_user,
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


def test_exact_has_no_country_we_do_not_know():
    answer = sign_in(a_house()).post("/connect/exact", {"country": "de"})
    assert (answer.status, answer.body["facts"]["field"]) == (400, "country")


def test_signing_out_ends_the_session_here_and_in_the_browser():
    browser = sign_in(a_house())
    stolen = dict(browser.cookies)
    assert browser.post("/api/sign-out").status == 200
    assert SESSION not in browser.cookies
    assert Browser(browser.house, stolen).get("/api/session").failed() == (401, "SessionMissing")
