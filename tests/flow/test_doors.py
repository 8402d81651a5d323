"""What comes in from outside and is not what it should be: a clear answer, and nothing changes (design.md 4)."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from fakes.teamleader.seed import uid
from tests.support.company import ACCOUNT, USER, Company
from tests.support.exact_books import DIVISION
from tests.support.stage import BRIDGE, Stage

# --- webhooks ---


def address(company: Company) -> str:
    """Where Teamleader was told to send its hints."""
    (hook,) = company.stage.focus.state.of("webhooks", ACCOUNT)
    return urlsplit(hook["url"]).path


def hint(account: str = ACCOUNT, type: str = "invoice.booked") -> dict[str, Any]:
    return {"type": type, "subject": {"type": "invoice", "id": uid("some", "invoice")}, "account": {"id": account}}


@pytest.fixture
def automatic(company: Company) -> Company:
    company.runs_by_itself()
    company.stage.settle()
    return company


def test_a_hint_books_at_once_what_the_schedule_would_book_later(automatic: Company) -> None:
    invoice = automatic.invoices()
    assert automatic.stage.browser().post(address(automatic), json=hint()).status_code == 200
    automatic.stage.pump()
    assert len(automatic.booked(invoice)) == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"\xff\xfe rubbish", 400),
        (b"[1, 2]", 400),
        (b'{"type": "invoice.booked"}', 400),
        (json.dumps(hint(uid("another", "account"))).encode(), 403),
        (b"x" * 400_000, 400),
    ],
)
def test_rubbish_and_hints_for_others_change_nothing(automatic: Company, body: bytes, status: int) -> None:
    automatic.invoices()
    before = automatic.job("documents")
    assert automatic.stage.browser().post(address(automatic), content=body).status_code == status
    assert automatic.stage.pump() == 0
    assert automatic.job("documents") == before


def test_an_address_nobody_gave_out_is_not_found(automatic: Company) -> None:
    before = automatic.job("documents")
    for path in ("/webhooks/teamleader/guessed", "/webhooks/exact/guessed"):
        assert automatic.stage.browser().post(path, json=hint()).status_code == 404
    assert automatic.stage.pump() == 0
    assert automatic.job("documents") == before


def test_the_old_address_is_dead_once_it_was_changed(automatic: Company) -> None:
    old = address(automatic)
    automatic.person.post("/api/webhook-token")
    assert automatic.stage.browser().post(old, json=hint()).status_code == 404
    assert automatic.stage.pump() == 0


def test_a_hint_from_exact_without_its_signature_changes_nothing(automatic: Company) -> None:
    token = automatic.stage.house().webhook_tokens.rotate(automatic.account, "exact")
    content = {"Topic": "BankEntries", "Division": DIVISION}
    body = f'{{"Content":{json.dumps(content)},"HashCode":"{"0" * 64}"}}'
    assert automatic.stage.browser().post(f"/webhooks/exact/{token}", content=body).status_code == 403
    assert automatic.stage.pump() == 0


def test_a_connection_that_runs_by_hand_takes_no_hints(company: Company) -> None:
    """rules.md 27."""
    company.invoices()
    assert company.stage.browser().post(address(company), json=hint()).status_code == 200
    assert company.stage.pump() == 0


# --- OAuth ---


class Trip:
    """A browser that left for consent at Exact Online; it holds the address it is to come back to."""

    def __init__(self, company: Company) -> None:
        self.company = company
        leave = company.person.post("/connect/exact", country="be")["authorize_url"]
        consent = company.stage.browser().get(f"{leave}&auto=1&user=be")
        self.back = consent.headers["location"]

    def comes_back(self, url: str = "", cookies: dict[str, str] | None = None) -> httpx.Response:
        own = self.company.person._cookies if cookies is None else cookies
        cookie = "; ".join(f"{name}={value}" for name, value in own.items())
        return self.company.stage.browser().get(url or self.back, headers={"Cookie": cookie})

    def logins(self) -> list[tuple[str, int]]:
        return [(login.id, login.version) for login in self.company.stage.house().logins.of_account(ACCOUNT)]


def cause(answer: httpx.Response) -> str:
    return answer.json()["error"]


def test_a_state_works_once(company: Company) -> None:
    trip = Trip(company)
    assert trip.comes_back().status_code == 200
    after = trip.logins()
    again = trip.comes_back()
    assert (again.status_code, cause(again)) == (403, "StateUnknown")
    assert trip.logins() == after


def test_a_state_that_was_changed_is_refused(company: Company) -> None:
    trip = Trip(company)
    before = trip.logins()
    state = parse_qs(urlsplit(trip.back).query)["state"][0]
    answer = trip.comes_back(trip.back.replace(state, state[:-1] + ("A" if state[-1] != "A" else "B")))
    assert (answer.status_code, cause(answer)) == (403, "StateUnknown")
    assert trip.comes_back(f"{BRIDGE}/callback/exact?code=guessed").status_code == 403
    assert trip.logins() == before


def test_a_state_is_only_good_for_ten_minutes(company: Company) -> None:
    trip = Trip(company)
    company.stage.time.advance(601)
    assert cause(trip.comes_back()) == "StateUnknown"


def test_a_state_of_another_person_is_refused(company: Company) -> None:
    """Otherwise somebody could tie his books to another's account by sending a link."""
    colleague = uid("flow", "colleague")
    company.stage.teamleader.post("seed", users=[{"id": colleague, "tenant": ACCOUNT}])
    trip = Trip(company)
    before = trip.logins()
    other = company.stage.person(colleague)
    assert cause(trip.comes_back(cookies=other._cookies)) == "StateUnknown"
    assert trip.comes_back(cookies={}).status_code == 401
    assert trip.logins() == before


def test_a_state_for_one_vendor_opens_no_door_of_another(company: Company) -> None:
    trip = Trip(company)
    answer = trip.comes_back(trip.back.replace("/callback/exact", "/callback/teamleader"))
    assert cause(answer) == "StateUnknown"


def test_a_consent_that_is_denied_changes_nothing(company: Company) -> None:
    trip = Trip(company)
    before = trip.logins()
    answer = trip.comes_back(f"{BRIDGE}/callback/exact?error=access_denied")
    assert (answer.status_code, cause(answer)) == (403, "ConsentDenied")
    assert "Exact Online" in answer.json()["sentence"]
    assert trip.logins() == before


def test_a_sign_in_that_is_denied_opens_no_session(stage: Stage) -> None:
    stage.teamleader.post("seed", accounts=[{"id": ACCOUNT}], users=[{"id": USER, "tenant": ACCOUNT}])
    browser = stage.browser()
    leave = browser.get("/connect/teamleader")
    denied = browser.get(f"{leave.headers['location']}&auto=1&user=nobody")
    answer = browser.get(denied.headers["location"])
    assert cause(answer) == "ConsentDenied"
    assert "set-cookie" not in answer.headers
    assert stage.house().accounts.get(ACCOUNT) is None


def test_without_a_session_nothing_is_shown_and_without_its_token_nothing_is_changed(company: Company) -> None:
    stranger = company.stage.browser()
    at = f"/api/connections/{company.connection}"
    for path in ("", "/documents", "/problems", "/jobs", "/mappings", "/relations", "/audit"):
        assert stranger.get(f"{at}{path}").status_code == 401
    cookie = "; ".join(f"{name}={value}" for name, value in company.person._cookies.items())
    forged = stranger.post(f"{at}/sync", json={"kind": "documents"}, headers={"Cookie": cookie})
    assert (forged.status_code, cause(forged)) == (403, "CsrfMissing")
    assert company.stage.pump() == 0
