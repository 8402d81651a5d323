"""Exact Online's door: consent, tokens, and who opens what. The registry uses nothing else of this folder."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

import httpx

from ...domain.errors import AccessDenied, AccessExpired, SyncError, TokenBusy, UnexpectedAnswer, VendorDown
from ...domain.ledger import AdministrationId
from ...domain.relations import RelationRef
from ...ports import Ledger, Package, Tokens
from ..http import Http, beginning, json_of
from ..oauth import App, Room, error_of, token_call, tokens_of
from . import wire
from .client import VENDOR, Client, headers, rows_of
from .ledger import ABILITIES as ABILITIES  # the pages ask the door for them
from .ledger import ExactLedger, ExactPackage

# What ends a chain (exact-online.md 1.5). Any other word is one nobody has seen: throwing the tokens away for it would
# be the worse mistake.
_DEAD = ("unauthorized_client", "invalid_request", "invalid_grant")
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SITES = {"be": "https://start.exactonline.be", "nl": "https://start.exactonline.nl"}
REALMS = tuple(SITES)
NEEDS_SECRET = True
KEEPS_FILES = True
NOT_BEFORE_S = 570  # an earlier refresh is refused, and counts as an error (exact-online.md 1.4)


def hosts(realm: str) -> tuple[str, str]:
    """Exact Online has a site per country, for people and programs alike."""
    return SITES[realm], SITES[realm]


def authorize_url(app: App, state: str) -> str:
    """Where the browser goes for consent. Exact takes no scopes: they belong to the registered app."""
    query = {
        "client_id": app.client_id,
        "redirect_uri": app.redirect_uri,
        "response_type": "code",
        "state": state,
        "force_login": "0",
    }
    return str(httpx.URL(f"{app.auth_url}/api/oauth2/auth", params=query))


def exchange(app: App, http: Http, code: str, now: datetime) -> Tokens:
    """Trade a code, three minutes old at most, for the first pair.

    Raises: AccessDenied when Exact refuses the code, VendorDown, UnexpectedAnswer.
    """
    response = _token_call(
        app, http, {"grant_type": "authorization_code", "code": code, "redirect_uri": app.redirect_uri}
    )
    if response.is_success:
        return tokens_of(response, VENDOR, now)
    if response.status_code in (400, 401, 403):
        raise AccessDenied(vendor=VENDOR, reason=error_of(response))
    if response.status_code == 429:
        raise VendorDown(vendor=VENDOR)
    raise UnexpectedAnswer(vendor=VENDOR, said=f"{response.status_code} from the token endpoint")


def refresh(app: App, http: Http, refresh_token: str, now: datetime) -> Tokens:
    """Trade a refresh token for a new pair; Exact kills the old one at once.

    Raises: AccessExpired when Exact calls the chain dead, TokenBusy when it says the access token still works (another
    worker refreshed it), VendorDown, UnexpectedAnswer.
    """
    response = _token_call(app, http, {"grant_type": "refresh_token", "refresh_token": refresh_token})
    if response.is_success:
        return tokens_of(response, VENDOR, now)
    raise _dead_or_early(response)


def _token_call(app: App, http: Http, fields: Mapping[str, str]) -> httpx.Response:
    secrets = {"client_id": app.client_id, "client_secret": app.client_secret}
    return token_call(http, f"{app.api_url}/api/oauth2/token", {**fields, **secrets})


def _dead_or_early(response: httpx.Response) -> SyncError:
    error = error_of(response)
    if response.status_code == 429 or error == "access_denied" or "not expired" in beginning(response, 2000).lower():
        return TokenBusy(vendor=VENDOR)
    if response.status_code in (400, 401) and error in _DEAD:
        return AccessExpired(vendor=VENDOR)
    return UnexpectedAnswer(vendor=VENDOR, said=f"{response.status_code} from the token endpoint")


def user_of(app: App, http: Http, access_token: str) -> str:
    """The Exact user behind a fresh token: one login per app and user, or the two chains kill each other.

    Raises: AccessDenied, VendorDown, UnexpectedAnswer.
    """
    query = {"$select": wire.select(wire.Me)}
    request = httpx.Request("GET", f"{app.api_url}/api/v1/current/Me", params=query, headers=headers(access_token))
    response = http.read(request)
    if response.status_code in (401, 403):
        raise AccessDenied(vendor=VENDOR, reason=response.headers.get("Reason", f"{response.status_code}"))
    users, _ = rows_of(json_of(response, VENDOR), wire.Me)
    if not users:
        raise UnexpectedAnswer(vendor=VENDOR, said="Me without a row")
    return users[0].UserID


def relation_ref(typed: str) -> RelationRef | None:
    """The GUID people copy from the address of Exact's pages, often in capitals and between braces.

    A customer's code is none.
    """
    guid = typed.strip().strip("{}").lower()
    return RelationRef(guid) if _GUID.fullmatch(guid) else None


def open_package(room: Room) -> Package:
    return ExactPackage(lambda division: _client(room, division), room.app.realm)


def open_ledger(room: Room, administration: AdministrationId) -> Ledger:
    division = administration.rsplit(".", 1)[1]
    return ExactLedger(_client(room, division), room.clock, room.app.realm, division)


def _client(room: Room, division: str) -> Client:
    return Client(room.app, room.http, room.tokens, room.budgets, room.clock, division)
