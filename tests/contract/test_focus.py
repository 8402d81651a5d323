"""The Focus contract against the fake Teamleader, in process and over a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from boekbrug.domain.connections import LoginId
from boekbrug.ports import Focus, Login
from boekbrug.vendors.http import Http, new_client
from boekbrug.vendors.oauth import App, TokenKeeper
from boekbrug.vendors.teamleader import door
from fakes.kit.clock import FakeClock
from fakes.kit.running import serving
from fakes.teamleader import TeamleaderFake
from tests.support.budgets import MemoryBudgets
from tests.support.logins import MemoryLogins
from tests.support.rooms import a_room
from tests.support.transports import fake_transport

from .focus_contract import FocusContract

# After the last invoice of the demo: the vendor books in order of date.
WINTER = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)


class FakeBench:
    """An account of the fake Teamleader, entered through the vendor's own door."""

    def __init__(self, fake: TeamleaderFake, client: httpx.Client, url: str) -> None:
        self._web = client
        self._url = url
        self._clock = self.clock = fake.clock
        described = fake.described(url)
        self._app = App(
            vendor="teamleader",
            realm="-",
            client_id=described["client_id"],
            client_secret=described["client_secret"],
            redirect_uri="https://boekbrug.example/connect/teamleader/callback",
            auth_url=described["auth_url"],
            api_url=described["api_url"],
        )
        self._control("seed", {"redirect_uris": [self._app.redirect_uri]})
        self._http = Http("teamleader", client, sleep=lambda seconds: None)
        self._budgets = MemoryBudgets()
        self._by_hand = self._consent()
        tokens = self._consent()
        self.user = door.user_of(self._app, self._http, tokens.access)
        self._login = Login(
            LoginId(f"teamleader.-.{self.user.id}"), self.user.account, "teamleader", "-", self.user.id, tokens
        )
        self._logins = MemoryLogins(self._login)
        self.focus = self.reopened()

    def _consent(self) -> Any:
        answer = self._web.get(door.authorize_url(self._app, "state") + "&auto=1")
        code = httpx.URL(answer.headers["location"]).params["code"]
        return door.exchange(self._app, self._http, code, self.clock.now())

    def reopened(self) -> Focus:
        keeper = TokenKeeper(
            self._login.account,
            self._login.id,
            self._logins,
            self.clock,
            self.clock,
            lambda token: door.refresh(self._app, self._http, token, self.clock.now()),
            vendor="teamleader",
            not_before_s=door.NOT_BEFORE_S,
        )
        account, budgets = self.user.account, self._budgets
        return door.open_focus(a_room(self._app, self._http, keeper, self.clock, account, budgets=budgets))

    def by_hand(self, method: str, body: dict[str, Any]) -> Any:
        if self._by_hand.expires_at <= self.clock.now():
            self._by_hand = door.refresh(self._app, self._http, self._by_hand.refresh, self.clock.now())
        headers = {"Authorization": f"Bearer {self._by_hand.access}", "X-Api-Version": "2023-09-26"}
        answer = self._web.post(f"{self._url}/{method}", json=body, headers=headers)
        assert answer.is_success, f"{method}: {answer.text}"
        return answer.json()["data"] if answer.content else None

    def advance(self, seconds: float) -> None:
        self._control("clock", {"advance_s": seconds})

    def fault(self, do: str | dict[str, Any], path: str, times: int = 1) -> None:
        self._control("faults", [{"match": {"method": "POST", "path": path}, "do": do, "times": times}])

    def _control(self, name: str, body: Any) -> None:
        answer = self._web.post(f"{self._url}/_fake/{name}", json=body)
        assert answer.is_success, f"{name}: {answer.text}"


class TestInProcess(FocusContract):
    @pytest.fixture
    def bench(self) -> Iterator[FakeBench]:
        fake = TeamleaderFake(FakeClock(WINTER, rate=0), seed="demo")
        with new_client(fake_transport(fake)) as client:
            yield FakeBench(fake, client, "https://focus.example")


class TestOverLoopback(FocusContract):
    @pytest.fixture
    def bench(self) -> Iterator[FakeBench]:
        fake = TeamleaderFake(FakeClock(WINTER, rate=0), seed="demo")
        with serving({"teamleader": fake}) as urls, new_client() as client:
            yield FakeBench(fake, client, urls["teamleader"])
