"""Tokens: ten minutes for a log-in, ten for a dossier, sixty days for what refreshes an OAuth grant.

Source: reference, section 2.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

TOKEN_LIFE = timedelta(minutes=10)
CODE_LIFE = timedelta(minutes=5)
REFRESH_LIFE = timedelta(days=60)
KEPT = 1000  # access tokens; beyond that the expired ones are forgotten


@dataclass
class Grant:
    """One log-in of a user, by password or by consent; dead when it was taken back."""

    user: str
    by: str  # "password" or "oauth"
    dead: bool = False


@dataclass(frozen=True)
class Token:
    """`dossier` is None for the token of a log-in; `locale` chooses the language of a dossier's messages."""

    grant: Grant
    expires: datetime
    dossier: int | None = None
    locale: int = 0


@dataclass(frozen=True)
class Code:
    grant: Grant
    redirect_uri: str
    expires: datetime


class TokenRefusal(Exception):
    """The OAuth token endpoint says no, in OAuth's words."""

    def __init__(self, error: str, status: int = 400) -> None:
        super().__init__(error)
        self.error, self.status = error, status


def _jwt(length: int) -> str:
    """Something of that length that looks like a JWT."""
    head, tail = "eyJhbGciOiJIUzI1NiJ9", secrets.token_urlsafe(32)
    return f"{head}.{secrets.token_urlsafe(length)[: length - len(head) - len(tail) - 2]}.{tail}"


class Tokens:
    """Every code and token this server gave out."""

    def __init__(self) -> None:
        self.given: dict[str, Token] = {}
        self.codes: dict[str, Code] = {}
        self.refresh: dict[str, Token] = {}

    def log_in(self, user: str, now: datetime) -> str:
        return self._access(Grant(user, "password"), now)

    def connect(self, token: Token, dossier: int, locale: int, now: datetime) -> str:
        """A token for one dossier."""
        return self._give(_jwt(257), Token(token.grant, now + TOKEN_LIFE, dossier, locale), now)

    def alive(self, text: str | None, now: datetime) -> Token | None:
        """The token, if it was given out, is not older than ten minutes and was not taken back."""
        token = self.given.get(text or "")
        return token if token and now < token.expires and not token.grant.dead else None

    def kill(self, grant: Grant) -> None:
        grant.dead = True

    def _access(self, grant: Grant, now: datetime) -> str:
        return self._give(_jwt(225), Token(grant, now + TOKEN_LIFE), now)

    def _give(self, text: str, token: Token, now: datetime) -> str:
        if len(self.given) > KEPT:
            self.given = {old: kept for old, kept in self.given.items() if now < kept.expires}
        self.given[text] = token
        return text

    # --- OAuth ---

    def consent(self, user: str, redirect_uri: str, now: datetime) -> str:
        code = secrets.token_urlsafe(24)
        self.codes[code] = Code(Grant(user, "oauth"), redirect_uri, now + CODE_LIFE)
        return code

    def redeem(self, code: str, redirect_uri: str | None, now: datetime) -> dict[str, Any]:
        """Access and refresh token for a code, once; a redirect URI is compared when one is sent."""
        found = self.codes.pop(code, None)
        if found is None or now >= found.expires or redirect_uri not in (None, found.redirect_uri):
            raise TokenRefusal("invalid_grant")
        return self._pair(found.grant, now)

    def renew(self, text: str, now: datetime, *, rotate: bool) -> dict[str, Any]:
        """A new access token; a new refresh token too where they rotate, else the old one lasts on."""
        found = self.refresh.get(text)
        if found is None or now >= found.expires or found.grant.dead:
            raise TokenRefusal("invalid_grant")
        if rotate:
            del self.refresh[text]
            return self._pair(found.grant, now)
        self.refresh[text] = Token(found.grant, now + REFRESH_LIFE)
        return self._answer(found.grant, now)

    def _pair(self, grant: Grant, now: datetime) -> dict[str, Any]:
        text = secrets.token_urlsafe(48)
        self.refresh[text] = Token(grant, now + REFRESH_LIFE)
        return {**self._answer(grant, now), "refresh_token": text}

    def _answer(self, grant: Grant, now: datetime) -> dict[str, Any]:
        return {
            "access_token": self._access(grant, now),
            "token_type": "bearer",
            "expires_in": int(TOKEN_LIFE.total_seconds()),
        }

    def rows(self, now: datetime) -> list[dict[str, Any]]:
        """The tokens that are alive."""

        def row(kind: str, token: Token) -> dict[str, Any]:
            tenant = "" if token.dossier is None else str(token.dossier)
            return {"kind": kind, "user": token.grant.user, "tenant": tenant, "expires": token.expires.isoformat()}

        both = [("access" if token.dossier is None else "dossier", token) for token in self.given.values()]
        both += [("refresh", token) for token in self.refresh.values()]
        return [row(kind, token) for kind, token in both if now < token.expires and not token.grant.dead]
