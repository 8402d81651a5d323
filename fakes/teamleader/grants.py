"""Who may come in: authorization codes, access tokens, refresh tokens that work once, and 200 calls a minute."""

from __future__ import annotations

import secrets
from collections import defaultdict, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from fakes.teamleader.checks import refuse

CODE_LIVES = timedelta(minutes=10)
ACCESS_LIVES = timedelta(seconds=3600)
WINDOW = timedelta(minutes=1)
LIMIT = 200  # calls per window, per integration and account


@dataclass
class Grant:
    """One consent: an integration may act as this user of this account."""

    client: str
    tenant: str
    user: str
    revoked: bool = False


@dataclass
class Pair:
    """The tokens of one answer of the token endpoint."""

    grant: Grant
    access: str
    refresh: str
    expires_at: datetime  # of the access token
    refreshed: bool = False


@dataclass
class Code:
    grant: Grant
    redirect_uri: str
    expires_at: datetime


@dataclass
class Grants:
    """Codes and tokens of all accounts. `version` counts what was given out or taken back."""

    codes: dict[str, Code] = field(default_factory=dict)
    by_access: dict[str, Pair] = field(default_factory=dict)
    by_refresh: dict[str, Pair] = field(default_factory=dict)
    calls: dict[tuple[str, str], deque[datetime]] = field(default_factory=lambda: defaultdict(deque))
    version: int = 0

    def consent(self, client: str, tenant: str, user: str, redirect_uri: str, now: datetime) -> str:
        """A code for a user who just said yes; 10 minutes, once."""
        code = "def50200" + secrets.token_hex(40)
        self.codes[code] = Code(Grant(client, tenant, user), redirect_uri, now + CODE_LIVES)
        self.version += 1
        return code

    def redeem(self, code: str, client: str, redirect_uri: str, now: datetime) -> dict[str, Any]:
        found = self.codes.pop(code, None)
        if found is None:
            raise bad_grant("Authorization code has been revoked")
        if found.grant.client != client:
            raise bad_grant("Authorization code was not issued to this client")
        if found.redirect_uri != redirect_uri:
            raise bad_grant("Invalid redirect URI")
        if found.expires_at <= now:
            raise bad_grant("Authorization code has expired")
        return self._issue(found.grant, now)

    def refresh(
        self, token: str, client: str, now: datetime, *, reuse_kills_family: bool, revokes_access: bool
    ) -> dict[str, Any]:
        pair = self.by_refresh.get(token)
        if pair is None:
            raise bad_refresh("Cannot decrypt the refresh token")
        if pair.grant.client != client:
            raise bad_refresh("Token is not linked to client")
        if pair.refreshed and reuse_kills_family:
            self.revoke(pair.grant)
        if pair.refreshed or pair.grant.revoked:
            raise bad_refresh("Token has been revoked")
        pair.refreshed = True
        if revokes_access:
            pair.expires_at = now
        return self._issue(pair.grant, now)

    def session(self, access: str, now: datetime) -> Grant | None:
        """Whose call it is, if the access token is alive."""
        pair = self.by_access.get(access)
        return pair.grant if pair and not pair.grant.revoked and now < pair.expires_at else None

    def revoke(self, grant: Grant) -> None:
        grant.revoked = True
        self.version += 1

    def revoke_account(self, tenant: str) -> int:
        """The account uninstalls the integration."""
        grants = {id(pair.grant): pair.grant for pair in self.by_refresh.values() if pair.grant.tenant == tenant}
        for grant in grants.values():
            self.revoke(grant)
        return len(grants)

    def count(self, grant: Grant, now: datetime) -> bool:
        """Count one call; False when the minute is full. Calls refused for that do not count."""
        calls = self._recent(grant, now)
        if len(calls) >= LIMIT:
            return False
        calls.append(now)
        return True

    def headers(self, grant: Grant | None, now: datetime) -> dict[str, str]:
        calls = self._recent(grant, now) if grant else deque()
        reset = (calls[0] if calls else now) + WINDOW
        return {
            "X-RateLimit-Limit": str(LIMIT),
            "X-RateLimit-Remaining": str(LIMIT - len(calls)),
            "X-RateLimit-Reset": reset.replace(microsecond=0).isoformat(),
        }

    def alive(self, now: datetime) -> list[dict[str, Any]]:
        """The tokens that still work, for `/_fake/state`: pairs whose refresh token has not been used."""
        return [
            {
                "tenant": pair.grant.tenant,
                "client": pair.grant.client,
                "user": pair.grant.user,
                "access_token": pair.access if now < pair.expires_at else None,
                "refresh_token": pair.refresh,
                "expires_at": pair.expires_at.isoformat(),
            }
            for pair in self.by_refresh.values()
            if not pair.refreshed and not pair.grant.revoked
        ]

    def usage(self, now: datetime) -> list[dict[str, Any]]:
        return [
            {"client": client, "tenant": tenant, "used": len(self._recent(Grant(client, tenant, ""), now))}
            for client, tenant in self.calls
        ]

    def _recent(self, grant: Grant, now: datetime) -> deque[datetime]:
        calls = self.calls[grant.client, grant.tenant]
        while calls and calls[0] + WINDOW <= now:
            calls.popleft()
        return calls

    def _issue(self, grant: Grant, now: datetime) -> dict[str, Any]:
        access, refresh = "eyJ0eXAi." + secrets.token_urlsafe(48), "def50200" + secrets.token_hex(60)
        pair = Pair(grant, access, refresh, now + ACCESS_LIVES)
        self.by_access[access] = self.by_refresh[refresh] = pair
        self.version += 1
        return {
            "token_type": "Bearer",
            "expires_in": int(ACCESS_LIVES.total_seconds()),
            "access_token": access,
            "refresh_token": refresh,
        }


def bad_grant(hint: str) -> Exception:
    return refuse("The provided authorization grant (e.g., authorization code) is invalid.", hint=hint)


def bad_refresh(hint: str) -> Exception:
    return refuse("The refresh token is invalid.", hint=hint)
