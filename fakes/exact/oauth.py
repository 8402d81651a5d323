"""Grants and tokens: codes that work once, refresh tokens that rotate, and the gate that refuses to refresh too early.

Source: reference, section 1. A chain is what one user granted to the app: its tokens replace each other
until it is dead.
"""

from __future__ import annotations

import base64
import binascii
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fakes.exact.state import State

CODE_LIFE = timedelta(seconds=180)
ACCESS_LIFE = timedelta(seconds=600)
EARLIEST_REFRESH = timedelta(seconds=570)
REFRESH_LIFE = timedelta(days=30)


class TokenRefusal(Exception):
    """The token endpoint says no: status, OAuth error, its description and the vendor's own `Reason` header."""

    def __init__(
        self, status: int, error: str | None, description: str | None = None, reason: str | None = None
    ) -> None:
        super().__init__(f"{status} {error}: {description}")
        self.status, self.reason = status, reason
        texts = {"error": error, "error_description": description}
        self.body = {name: text for name, text in texts.items() if text is not None}


@dataclass
class Code:
    client: str
    user: str
    redirect_uri: str
    issued: datetime


@dataclass
class Chain:
    """The tokens of one grant. `previous` is the refresh token before, `used` whether the new pair has been used."""

    client: str
    user: str
    issued: datetime
    access: str
    refresh: str
    previous: str | None = None
    used: bool = False
    dead: bool = False

    @property
    def access_ends(self) -> datetime:
        return self.issued + ACCESS_LIFE

    @property
    def refresh_ends(self) -> datetime:
        return self.issued + REFRESH_LIFE


class Grants:
    """Every code and token this server gave out."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.codes: dict[str, Code] = {}
        self.chains: dict[tuple[str, str], Chain] = {}  # (client, user): the newest chain kills the one before
        self.by_access: dict[str, tuple[Chain, datetime]] = {}  # access token -> chain, end
        self.by_refresh: dict[str, Chain] = {}  # every refresh token ever given
        self.calls: dict[tuple[str, str, str], int] = defaultdict(int)  # (client, user, UTC day) -> token calls
        self.errors: dict[tuple[str, str], list[datetime]] = defaultdict(list)

    # --- authorisation ---

    def new_code(self, client: str, user: str, redirect_uri: str) -> str:
        """A code for the browser to carry back; it has an exclamation mark in it, as the vendor's have."""
        code = f"{self._stamp(user)}.{self.state.new_secret(24)}!IAAA{self.state.new_secret(40)}"
        self.codes[code] = Code(client, user, redirect_uri, self.state.now())
        self.state.version += 1
        return code

    def _stamp(self, user: str) -> str:
        return f"stamp{(self.state.users[user].get('Country') or 'NL').strip()}001"

    # --- tokens ---

    def token(self, form: Mapping[str, str], authorization: str | None, clients: Mapping[str, str]) -> dict[str, Any]:
        """Answer a call of the token endpoint. TokenRefusal in the vendor's words."""
        if authorization and authorization.lower().startswith("bearer"):
            raise TokenRefusal(401, None)
        client, secret = _client_of(form, authorization)
        user = self.user_of(form)
        self._count(client, user)
        try:
            if not client or clients.get(client) != secret:
                raise TokenRefusal(400, "invalid_request")
            if form.get("grant_type") == "authorization_code":
                chain = self._exchange(form, client)
            elif form.get("grant_type") == "refresh_token":
                chain = self._refresh(form, client)
            else:
                raise TokenRefusal(400, "invalid_request")
        except TokenRefusal:
            self.errors[client, user].append(self.state.now())
            raise
        self.state.version += 1
        return {
            "access_token": chain.access,
            "token_type": "bearer",
            "expires_in": str(int(ACCESS_LIFE.total_seconds())),
            "refresh_token": chain.refresh,
        }

    def user_of(self, form: Mapping[str, str]) -> str:
        if chain := self.by_refresh.get(form.get("refresh_token", "")):
            return chain.user
        code = self.codes.get(form.get("code", ""))
        return code.user if code else ""

    def _count(self, client: str, user: str) -> None:
        """200 token calls a day per app and user; failed ones also count as errors of this endpoint."""
        now = self.state.now()
        key = (client, user, now.date().isoformat())
        hour_ago = now - timedelta(hours=1)
        self.errors[client, user] = recent = [at for at in self.errors[client, user] if at > hour_ago]
        if self.calls[key] >= self.state.switches.token_day_limit or len(recent) > self.state.switches.error_limit:
            raise TokenRefusal(429, None)
        self.calls[key] += 1

    def _exchange(self, form: Mapping[str, str], client: str) -> Chain:
        code = self.codes.pop(form.get("code", ""), None)
        now = self.state.now()
        fits = code and code.client == client and code.redirect_uri == form.get("redirect_uri")
        if not fits or now - code.issued >= CODE_LIFE:
            raise TokenRefusal(400, "invalid_grant")
        if old := self.chains.get((client, code.user)):
            self.kill(old)
        chain = Chain(client, code.user, now, "", "")
        self.chains[client, code.user] = chain
        self._renew(chain)
        return chain

    def _refresh(self, form: Mapping[str, str], client: str) -> Chain:
        token = form.get("refresh_token", "")
        chain = self.by_refresh.get(token)
        now = self.state.now()
        if chain is None or chain.dead or chain.client != client:
            text = "Token is not allowed, because of invalid or empty chainId"
            raise TokenRefusal(400, "invalid_grant", text, f"Unknown: {text}")
        grace = self.state.switches.refresh_grace == "until_new_used" and token == chain.previous and not chain.used
        if token != chain.refresh and not grace:
            raise TokenRefusal(401, "unauthorized_client", "Old refresh token used.")
        if now >= chain.refresh_ends:
            ended, current = _american(chain.refresh_ends), _american(now)
            text = f"The refresh token expired at {ended} and it is now {current}."
            raise TokenRefusal(400, "invalid_request", text)
        if now < chain.issued + EARLIEST_REFRESH:
            text = "Rate limit exceeded: access_token not expired"
            raise TokenRefusal(400, "access_denied", text, f"TooEarlyToRefreshTokens: {text}")
        chain.used = True
        self._renew(chain)
        return chain

    def _renew(self, chain: Chain) -> None:
        stamp, secret = self._stamp(chain.user), self.state.new_secret
        chain.previous = chain.refresh or None
        chain.issued, chain.used = self.state.now(), False
        chain.access, chain.refresh = f"{stamp}.gAAA{secret(120)}", f"{stamp}.!IAAA{secret(100)}"
        self.by_access[chain.access] = (chain, chain.access_ends)
        self.by_refresh[chain.refresh] = chain

    def kill(self, chain: Chain) -> None:
        """End a grant: a new consent of the same user, a changed password, a revoked app."""
        chain.dead = True
        self.state.version += 1

    # --- use ---

    def chain_of(self, authorization: str | None) -> tuple[Chain, bool] | None:
        """The grant behind a bearer header and whether its token is still good; None: never heard of it."""
        scheme, _, token = (authorization or "").partition(" ")
        found = self.by_access.get(token.strip()) if scheme.lower() == "bearer" else None
        if found is None:
            return None
        chain, ends = found
        return chain, not chain.dead and self.state.now() < ends

    def alive(self) -> list[dict[str, Any]]:
        now = self.state.now()
        return [
            {
                "user": chain.user,
                "client_id": chain.client,
                "issued_at": chain.issued,
                "access_ends_at": chain.access_ends,
                "refresh_ends_at": chain.refresh_ends,
            }
            for chain in self.chains.values()
            if not chain.dead and now < chain.refresh_ends
        ]


def _client_of(form: Mapping[str, str], authorization: str | None) -> tuple[str, str]:
    if authorization and authorization.lower().startswith("basic "):
        try:
            text = base64.b64decode(authorization[6:], validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        client, _, secret = text.partition(":")
        return client, secret
    return form.get("client_id", ""), form.get("client_secret", "")


def _american(moment: datetime) -> str:
    """10/11/2022 9:18:20 PM"""
    hour = moment.hour % 12 or 12
    half = "AM" if moment.hour < 12 else "PM"
    return f"{moment.month}/{moment.day}/{moment.year} {hour}:{moment:%M:%S} {half}"
