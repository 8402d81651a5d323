"""Teamleader's face to the registry: consent, tokens, and the account behind them."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlencode

import httpx

from ...domain.errors import AccessDenied, AccessExpired, RateLimited, UnexpectedAnswer
from ...ports import FocusUser, Tokens
from ..http import Http, beginning, parsed
from ..oauth import App, Room, token_call, tokens_of
from . import VENDOR, mapping, wire
from .client import READ_AGAIN, answer_of, request_for, said
from .focus import TeamleaderFocus

NEEDS_SECRET = True
NOT_BEFORE_S = 0  # a refresh is never too early here

# In the hint or title of a refused refresh. Anything else, such as "not linked to client" or a wrong secret, is our own
# set-up: throwing away the tokens of every account for that would be the worse mistake.
_DEAD = ("revoked", "expired", "invalid_grant", "decrypt")


def hosts(realm: str) -> tuple[str, str]:
    return "https://focus.teamleader.eu", "https://api.focus.teamleader.eu"


def authorize_url(app: App, state: str) -> str:
    """Where a person's browser goes to consent. Scopes are ticked at the app's registration, not asked for here."""
    query = {
        "client_id": app.client_id,
        "response_type": "code",
        "redirect_uri": app.redirect_uri,
        "state": state,
    }
    return f"{app.auth_url}/oauth2/authorize?{urlencode(query)}"


def exchange(app: App, http: Http, code: str, now: datetime) -> Tokens:
    """Trade the code of a consent for tokens; it works once, for ten minutes.

    Raises: AccessDenied, RateLimited, VendorDown, UnexpectedAnswer.
    """
    response = _token_call(app, http, now, grant_type="authorization_code", code=code, redirect_uri=app.redirect_uri)
    if response.status_code == 400:
        raise AccessDenied(vendor=VENDOR, reason=said(response))
    return _tokens(response, now)


def refresh(app: App, http: Http, refresh_token: str, now: datetime) -> Tokens:
    """Trade a refresh token for a new pair; the old one is used up by asking.

    Raises: AccessExpired when the vendor says so in as many words, RateLimited, VendorDown, UnexpectedAnswer.
    """
    response = _token_call(app, http, now, grant_type="refresh_token", refresh_token=refresh_token)
    if response.status_code in (400, 401) and _is_dead(response):
        raise AccessExpired(vendor=VENDOR)
    return _tokens(response, now)


def _is_dead(response: httpx.Response) -> bool:
    """Whether its own words say so; a page of whoever stands before it may hold the same words by chance."""
    try:
        envelope = parsed(response)
    except ValueError:
        return False
    return isinstance(envelope, dict) and any(sign in beginning(response, 2000).lower() for sign in _DEAD)


def user_of(app: App, http: Http, access_token: str) -> FocusUser:
    """Who consented, and for which account."""
    response = http.read(request_for(app.api_url, "users.me", None, access_token), again=READ_AGAIN)
    return mapping.understood(wire.User, mapping.user, answer_of(response)["data"])


def open_focus(room: Room) -> TeamleaderFocus:
    return TeamleaderFocus(room)


def _token_call(app: App, http: Http, now: datetime, **fields: str) -> httpx.Response:
    credentials = {"client_id": app.client_id, "client_secret": app.client_secret}
    response = token_call(http, f"{app.auth_url}/oauth2/access_token", {**credentials, **fields})
    if response.status_code == 429:
        raise RateLimited(vendor=VENDOR, until=now + timedelta(minutes=1))
    return response


def _tokens(response: httpx.Response, now: datetime) -> Tokens:
    if response.status_code != 200:
        raise UnexpectedAnswer(vendor=VENDOR, said=f"{response.status_code} {said(response)}")
    return tokens_of(response, VENDOR, now)
