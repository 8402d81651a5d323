"""Logins at the fake vendors as they are at their worst: a refresh token used twice ends its chain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from types import ModuleType
from typing import Any

import httpx

from boekbrug.domain.connections import LoginId
from boekbrug.domain.documents import AccountId
from boekbrug.ports import Clock, Login, Logins, RealClock, Tokens
from boekbrug.vendors.http import Http, new_client
from boekbrug.vendors.oauth import App, TokenKeeper
from boekbrug.vendors.registry import door_of
from fakes.exact import ExactFake
from fakes.kit.clock import FakeClock
from fakes.teamleader import TeamleaderFake
from infra.local.fake_control import FakeControl
from tests.support.transports import fake_transport

URL = "https://vendor.example"
BACK = "https://boekbrug.example/callback"


def strict_fake(vendor: str, clock: FakeClock) -> Any:
    """A fake that forgives nothing: Teamleader's ends the whole family of a token used twice."""
    fake = TeamleaderFake(clock) if vendor == "teamleader" else ExactFake(clock)
    control = FakeControl(URL, fake_transport(fake))
    control.post("seed", redirect_uris=[BACK])
    if vendor == "teamleader":
        control.post("switches", refresh_reuse_kills_family=True)
    return fake


def app_of(vendor: str, fake: Any, url: str) -> App:
    """Our app as this fake knows it."""
    described = fake.described(url)
    client = described.get("client_id") or described["software_house_uuid"]
    return App(vendor, "be" if vendor == "exact" else "-", client, described.get("client_secret", ""), BACK, url, url)


@dataclass(frozen=True)
class Office:
    """Our app at one vendor, and how its fake sees the tokens we hold."""

    vendor: str
    fake: Any
    url: str = URL

    @property
    def door(self) -> ModuleType:
        return door_of(self.vendor)

    @property
    def app(self) -> App:
        return app_of(self.vendor, self.fake, self.url)

    def consent(self, number: int, transport: httpx.BaseTransport, now: datetime) -> Login:
        """Somebody says yes; each number is an account of its own."""
        grants, client = self.fake.state.grants if self.vendor == "teamleader" else self.fake.grants, self.app.client_id
        if self.vendor == "teamleader":
            code = grants.consent(client, f"account-{number}", f"user-{number}", BACK, now)
        else:
            user = f"00000000-0000-4000-8000-{number:012}"
            self.fake.state.users.setdefault(user, {"UserID": user, "Country": "BE "})
            code = grants.new_code(client, user, BACK)
        tokens = self.door.exchange(self.app, self.http(transport), code, now)
        id = LoginId(f"{self.vendor}.{self.app.realm}.user-{number}")
        return Login(id, AccountId(f"account-{number}"), self.vendor, self.app.realm, f"user-{number}", tokens)

    def http(self, transport: httpx.BaseTransport) -> Http:
        return Http(self.vendor, new_client(transport), sleep=_never)

    def keeper(
        self,
        login: Login,
        logins: Logins,
        clock: Clock,
        real: RealClock,
        transport: httpx.BaseTransport,
        sleep: Callable[[float], None],
    ) -> TokenKeeper:
        """As wiring makes one for each invocation."""
        app, http = self.app, self.http(transport)

        def refresh(token: str) -> Tokens:
            return self.door.refresh(app, http, token, clock.now())

        gate = self.door.NOT_BEFORE_S
        return TokenKeeper(
            login.account, login.id, logins, clock, real, refresh, vendor=self.vendor, not_before_s=gate, sleep=sleep
        )

    def takes(self, access: str) -> bool:
        """Whether this access token would open the vendor's door now."""
        if self.vendor == "teamleader":
            return self.fake.state.grants.session(access, self.fake.clock.now()) is not None
        known = self.fake.grants.chain_of(f"Bearer {access}")
        return known is not None and known[1]

    def newest(self, refresh: str) -> bool:
        """Whether this refresh token still works: it is the last of a chain that is alive."""
        if self.vendor == "teamleader":
            pair = self.fake.state.grants.by_refresh[refresh]
            return not pair.refreshed and not pair.grant.revoked
        chain = self.fake.grants.by_refresh[refresh]
        return chain.refresh == refresh and not chain.dead


def _never(seconds: float) -> None:
    raise AssertionError("a token call is sent once")
