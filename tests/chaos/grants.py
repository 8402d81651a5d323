"""Logins at the fake vendors as they are at their worst: a refresh token used twice ends its chain, or is refused.

A way to log in joins by an `Office` here and a line in `OFFICES`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import ModuleType
from typing import Any, ClassVar

import httpx

from boekbrug.domain.connections import LoginId
from boekbrug.domain.documents import AccountId
from boekbrug.ports import Clock, Login, Logins, RealClock, Tokens
from boekbrug.vendors.http import Http, new_client
from boekbrug.vendors.oauth import App, TokenKeeper
from boekbrug.vendors.registry import door_of
from fakes.exact import ExactFake
from fakes.kit.clock import FakeClock
from fakes.octopus import OctopusFake
from fakes.octopus.state import User
from fakes.teamleader import TeamleaderFake
from infra.local.fake_control import FakeControl
from tests.support.transports import fake_transport

URL = "https://vendor.example"
BACK = "https://boekbrug.example/callback"


def app_of(vendor: str, fake: Any, url: str) -> App:
    """Our app as this fake knows it."""
    described = fake.described(url)
    client = described.get("client_id") or described["software_house_uuid"]
    return App(vendor, "be" if vendor == "exact" else "-", client, described.get("client_secret", ""), BACK, url, url)


@dataclass(frozen=True)
class Office:
    """Our app at one vendor, and how its fake sees the tokens we hold."""

    fake: Any
    url: str = URL

    vendor: ClassVar[str]
    token_path: ClassVar[str]
    gate: ClassVar[timedelta] = timedelta(0)  # how long a pair cannot be refreshed
    lasts: ClassVar[bool] = False  # what refreshes works more than once

    @property
    def door(self) -> ModuleType:
        return door_of(self.vendor)

    @property
    def app(self) -> App:
        return app_of(self.vendor, self.fake, self.url)

    def consent(self, number: int, transport: httpx.BaseTransport, now: datetime) -> Login:
        """Somebody says yes; each number is an account of its own."""
        tokens = self.first_tokens(number, transport, now)
        id = LoginId(f"{self.vendor}.{self.app.realm}.user-{number}")
        return Login(id, AccountId(f"account-{number}"), self.vendor, self.app.realm, f"user-{number}", tokens)

    def first_tokens(self, number: int, transport: httpx.BaseTransport, now: datetime) -> Tokens:
        return self.door.exchange(self.app, self.http(transport), self.code(number, now), now)

    def code(self, number: int, now: datetime) -> str:
        raise NotImplementedError

    def takes(self, access: str) -> bool:
        """Whether this access token would open the vendor's door now."""
        raise NotImplementedError

    def newest(self, refresh: str) -> bool:
        """Whether this refresh token still works: it is the last of a chain that is alive."""
        raise NotImplementedError

    def revoke(self) -> None:
        """Everybody's logins are ended at the vendor."""
        raise NotImplementedError

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


class AtExact(Office):
    vendor = "exact"
    token_path = "/api/oauth2/token"
    gate = timedelta(seconds=570)

    def code(self, number: int, now: datetime) -> str:
        user = f"00000000-0000-4000-8000-{number:012}"
        self.fake.state.users.setdefault(user, {"UserID": user, "Country": "BE "})
        return self.fake.grants.new_code(self.app.client_id, user, BACK)

    def takes(self, access: str) -> bool:
        known = self.fake.grants.chain_of(f"Bearer {access}")
        return known is not None and known[1]

    def newest(self, refresh: str) -> bool:
        chain = self.fake.grants.by_refresh[refresh]
        return chain.refresh == refresh and not chain.dead

    def revoke(self) -> None:
        for chain in self.fake.grants.chains.values():
            self.fake.grants.kill(chain)


class AtTeamleader(Office):
    vendor = "teamleader"
    token_path = "/oauth2/access_token"

    def code(self, number: int, now: datetime) -> str:
        grants = self.fake.state.grants
        return grants.consent(self.app.client_id, f"account-{number}", f"user-{number}", BACK, now)

    def takes(self, access: str) -> bool:
        return self.fake.state.grants.session(access, self.fake.clock.now()) is not None

    def newest(self, refresh: str) -> bool:
        pair = self.fake.state.grants.by_refresh[refresh]
        return not pair.refreshed and not pair.grant.revoked

    def revoke(self) -> None:
        for pair in list(self.fake.state.grants.by_refresh.values()):
            pair.grant.revoked = True


class AtOctopus(Office):
    vendor = "octopus"
    token_path = "/octopus-oauth/token"

    def user(self, number: int) -> User:
        name = f"user-{number}"
        return self.fake.state.users.setdefault(name, User(name, "knikkers-en-tollen", [*self.fake.state.dossiers]))

    def code(self, number: int, now: datetime) -> str:
        return self.fake.tokens.consent(self.user(number).name, BACK, now)

    def takes(self, access: str) -> bool:
        return self.fake.tokens.alive(access, self.fake.clock.now()) is not None

    def newest(self, refresh: str) -> bool:
        found = self.fake.tokens.refresh.get(refresh)
        return found is not None and not found.grant.dead

    def revoke(self) -> None:
        for token in (*self.fake.tokens.given.values(), *self.fake.tokens.refresh.values()):
            self.fake.tokens.kill(token.grant)


class AtOctopusForLong(AtOctopus):
    """The same refresh token refreshes for sixty days."""

    lasts = True


class AtOctopusByPassword(AtOctopus):
    """User and password: to refresh is to log in again."""

    token_path = "/octopus-rest-api/v1/authentication"
    lasts = True

    def first_tokens(self, number: int, transport: httpx.BaseTransport, now: datetime) -> Tokens:
        user = self.user(number)
        return self.door.log_in(self.app, self.http(transport), user.name, user.password, now)

    def newest(self, refresh: str) -> bool:
        kept = json.loads(base64.b64decode(refresh.partition(":")[2]))
        return self.fake.state.users[kept["user"]].password == kept["password"]

    def revoke(self) -> None:
        """The password is changed, and what was opened with the old one is shut."""
        super().revoke()
        for user in self.fake.state.users.values():
            user.password += "-2"

    @property
    def refused(self) -> int:
        """Log-ins that failed since the last one that did not; after some a user is locked out."""
        return sum(map(len, self.fake.limits.failed.values()))


OFFICES: dict[str, type[Office]] = {
    "exact": AtExact,
    "teamleader": AtTeamleader,
    "octopus": AtOctopus,
    "octopus for long": AtOctopusForLong,
    "octopus by password": AtOctopusByPassword,
}
_FAKES: dict[str, Callable[..., Any]] = {"exact": ExactFake, "teamleader": TeamleaderFake, "octopus": OctopusFake}
_STRICT = {
    "teamleader": {"refresh_reuse_kills_family": True},
    "octopus for long": {"refresh_rotates": False},
}


def an_office(way: str, clock: FakeClock) -> Office:
    """With a fake that forgives nothing: Teamleader's ends the whole family of a token used twice."""
    kind = OFFICES[way]
    fake = _FAKES[kind.vendor](clock, seed="demo") if kind.vendor == "octopus" else _FAKES[kind.vendor](clock)
    control = FakeControl(URL, fake_transport(fake))
    control.post("seed", redirect_uris=[BACK])
    control.post("switches", **_STRICT.get(way, {}))
    return kind(fake)


def _never(seconds: float) -> None:
    raise AssertionError("a token call is sent once")
