"""What the house knows of vendors: only what their doors say, and what the settings say of the local stage."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from boekbrug import wiring
from boekbrug.domain.connections import LoginId
from boekbrug.domain.documents import AccountId
from boekbrug.domain.errors import AccessDenied, AccessExpired, AppMissing, NotFound, SyncError, VendorDown
from boekbrug.ports import Tokens
from boekbrug.settings import Settings, read_settings
from boekbrug.store.memory import MemoryStore, MemoryTable
from boekbrug.vendors.oauth import App, Room
from tests.support.clocks import StillClock

ACCOUNT = AccountId("account-1")
ENVIRONMENT = {
    "TABLE_NAME": "table",
    "TOKEN_KEY_ID": "key",
    "APP_CREDENTIALS_ARN": "secret",
    "IMPORT_LEDGER_ACCOUNTS_QUEUE_URL": "https://queue.example/1",
    "IMPORT_RELATIONS_QUEUE_URL": "https://queue.example/2",
    "EXPORT_DOCUMENTS_QUEUE_URL": "https://queue.example/3",
    "IMPORT_PAYMENTS_QUEUE_URL": "https://queue.example/4",
}
LOCAL = {**ENVIRONMENT, "AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}
SECRET = {
    "teamleader": {"client_id": "t", "client_secret": "s"},
    "exact.be": {"client_id": "e", "client_secret": "s", "webhook_secret": "w"},
    "exact.nl": {"client_id": "e", "client_secret": ""},
    "paper": {"client_id": "p"},
}


# --- settings -------------------------------------------------------------------------------------------------------


def test_vendors_are_elsewhere_on_the_local_stage_only():
    hosts = "exact=http://127.0.0.1:1;teamleader=http://127.0.0.1:2,http://127.0.0.1:3"
    assert read_settings({**LOCAL, "VENDOR_HOSTS": hosts}).hosts() == {
        "exact": ("http://127.0.0.1:1", "http://127.0.0.1:1"),
        "teamleader": ("http://127.0.0.1:2", "http://127.0.0.1:3"),
    }
    assert read_settings(ENVIRONMENT).hosts() == {}
    for name, value in (("VENDOR_HOSTS", hosts), ("CLOCK_URL", "http://127.0.0.1:9")):
        with pytest.raises(ValidationError, match=name):
            read_settings({**ENVIRONMENT, name: value})


@pytest.mark.parametrize(
    "hosts", ["exact", "exact=", "=http://127.0.0.1:1", "exact=http://127.0.0.1:1;", "exact=ftp://x"]
)
def test_hosts_that_cannot_be_read_stop_the_function_at_once(hosts):
    with pytest.raises(ValidationError, match="no vendor and its host"):
        read_settings({**LOCAL, "VENDOR_HOSTS": hosts})


# --- apps -----------------------------------------------------------------------------------------------------------


def apps(settings: Settings | None = None) -> wiring.VendorApps:
    return wiring.VendorApps(lambda: json.dumps(SECRET), settings or read_settings(ENVIRONMENT), "https://us.example")


def test_an_app_calls_its_vendor_at_home():
    app = apps().app("exact", "be")
    assert (app.auth_url, app.api_url) == ("https://start.exactonline.be",) * 2
    assert (app.redirect_uri, app.webhook_secret) == ("https://us.example/callback/exact", "w")
    app = apps().app("teamleader", "-")
    assert (app.auth_url, app.api_url) == ("https://focus.teamleader.eu", "https://api.focus.teamleader.eu")


def test_an_app_calls_the_fake_that_the_settings_name():
    elsewhere = read_settings({**LOCAL, "VENDOR_HOSTS": "exact=http://127.0.0.1:1"})
    assert apps(elsewhere).app("exact", "be").api_url == "http://127.0.0.1:1"
    assert apps(elsewhere).app("teamleader", "-").api_url == "https://api.focus.teamleader.eu"


@pytest.mark.parametrize(("vendor", "realm"), [("exact", "nl"), ("exact", "fr")])
def test_an_app_without_its_secret_is_missing(vendor, realm):
    with pytest.raises(AppMissing):
        apps().app(vendor, realm)


# --- a vendor with a form -------------------------------------------------------------------------------------------


@dataclass
class Paper:
    """The door of a vendor that gives no client secret and takes user and password."""

    fails: SyncError | None = None  # of the log-in
    closed: SyncError | None = None  # of the list of administrations
    tried: list[str] = field(default_factory=list)
    rooms: list[Room] = field(default_factory=list)
    NOT_BEFORE_S = 0
    NEEDS_SECRET = False

    def hosts(self, realm: str) -> tuple[str, str]:
        return "https://paper.example", "https://paper.example"

    def log_in(self, app: App, http: Any, user: str, password: str, now: datetime) -> Tokens:
        self.tried.append(user)
        if self.fails:
            raise self.fails
        return Tokens("access", f"{user} {password}", now, now + timedelta(minutes=10))

    def refresh(self, app: App, http: Any, refresh_token: str, now: datetime) -> Tokens:
        return Tokens("access-2", refresh_token, now, now + timedelta(minutes=10))

    def open_package(self, room: Room) -> Any:
        self.rooms.append(room)
        return SimpleNamespace(administrations=self._administrations)

    def _administrations(self) -> list[Any]:
        self.rooms[-1].tokens.access()
        if self.closed:
            raise self.closed
        return []


@pytest.fixture
def paper(monkeypatch: pytest.MonkeyPatch) -> Paper:
    door, real = Paper(), wiring.door_of
    monkeypatch.setattr(wiring, "door_of", lambda vendor: door if vendor == "paper" else real(vendor))
    return door


@pytest.fixture
def house() -> wiring.DeployedHouse:
    aws = SimpleNamespace(
        client=lambda service: SimpleNamespace(get_secret_value=lambda SecretId: {"SecretString": json.dumps(SECRET)})
    )
    nowhere = httpx.MockTransport(lambda request: pytest.fail(f"called {request.url}"))
    sandbox = wiring.Sandbox(read_settings(ENVIRONMENT), aws, nowhere, lambda seconds: None, MemoryStore(MemoryTable()))
    sandbox.clock = sandbox.real = StillClock()
    return sandbox.house("https://us.example")


def test_an_app_without_a_secret_is_whole_where_the_vendor_gives_none(paper):
    assert apps().app("paper", "-").client_secret == ""


def test_a_log_in_is_looked_at_before_anything_is_kept(paper, house):
    login = house.grants.log_in("paper", "-", "u", "p", ACCOUNT)
    assert (login.account, login.vendor, login.realm, login.user) == (ACCOUNT, "paper", "-", "u")
    assert login.tokens.access == "access"
    assert paper.rooms[-1].tokens.access() == "access"
    assert house.logins.of_account(ACCOUNT) == []


def test_a_users_name_with_a_slash_is_no_scope_of_another_login(paper, house):
    login = house.logins.save_new(house.grants.log_in("paper", "-", "Sub/7@U12345", "p", ACCOUNT))
    assert login.id == "paper.-.Sub%2F7@U12345"
    assert house.logins.of_account(ACCOUNT) == [login]


@pytest.mark.parametrize("at", ["fails", "closed"])
@pytest.mark.parametrize(
    ("error", "told"),
    [
        (AccessDenied(vendor="paper", reason="401"), AccessDenied),
        (AccessExpired(vendor="paper"), AccessDenied),
        (VendorDown(vendor="paper"), VendorDown),
    ],
)
def test_a_log_in_that_reaches_nothing_is_refused_and_tried_once(paper, house, at, error, told):
    setattr(paper, at, error)
    with pytest.raises(told) as raised:
        house.grants.log_in("paper", "-", "u", "geheim-woord", ACCOUNT)
    assert "geheim" not in f"{raised.value!r} {raised.value.__cause__!r}"
    assert paper.tried == ["u"]


def test_a_new_token_that_is_refused_is_no_login(paper, house):
    house.grants.log_in("paper", "-", "u", "p", ACCOUNT)
    tokens = paper.rooms[-1].tokens
    tokens.refused(tokens.access())
    with pytest.raises(AccessDenied):
        tokens.access()


def test_where_no_passwords_are_taken_none_is_sent(house):
    with pytest.raises(NotFound):
        house.grants.log_in("exact", "be", "u", "p", ACCOUNT)


def test_a_room_buys_tokens_for_its_own_login(paper, house):
    login = house.logins.save_new(house.grants.log_in("paper", "-", "u", "p", ACCOUNT))
    house.package(ACCOUNT, login.id)
    room, now = paper.rooms[-1], house.clock.now()
    keeper = room.token_for(
        "70001", lambda: Tokens(f"bought with {room.tokens.access()}", "", now, now + timedelta(minutes=10))
    )
    assert keeper.access() == "bought with access"
    assert house.logins.get(ACCOUNT, LoginId(f"{login.id}/70001")).tokens.access == "bought with access"


# --- packages -------------------------------------------------------------------------------------------------------


def test_a_package_tells_what_holds_without_a_login(house):
    exact = house.facts("exact")
    assert (exact.REALMS, exact.KEEPS_FILES, exact.ABILITIES.shared_journal) == (("be", "nl"), True, False)


@pytest.mark.parametrize("name", ["teamleader", "nobodys", "memory"])
def test_what_is_no_package_tells_nothing(house, name):
    with pytest.raises(NotFound):
        house.facts(name)
