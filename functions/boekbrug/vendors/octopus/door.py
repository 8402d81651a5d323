"""Octopus' door: consent or a password, tokens, and who opens what. The registry uses nothing else of this folder."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import httpx

from ...domain.errors import AccessDenied, AccessExpired, AppMissing, SyncError, UnexpectedAnswer, VendorDown
from ...domain.ledger import AdministrationId, Unknown
from ...domain.relations import RelationRef
from ...ports import Ledger, Package, Tokens
from ..http import Http, json_of, parsed
from ..oauth import CALL_TIMEOUT, App, Room, error_of, token_call, tokens_of
from . import refusals, wire
from .client import API, TOKEN_LIFE, Client, Lobby
from .ledger import ABILITIES as ABILITIES  # the pages ask the door for them
from .ledger import OctopusLedger, OctopusPackage
from .limits import VENDOR, Meter

REALMS = ("-",)
NOT_BEFORE_S = 0
KEEPS_FILES = True
NEEDS_SECRET = False  # the software-house id is all an app has (octopus.md 2.1)
_DEAD = "invalid_grant"
_OUR_APP = ("invalid_client", "unauthorized_client")
_PASSWORD = "password:"  # how a kept user and password are told from a refresh token
_RELATION = re.compile(r"[1-9]\d{0,9}")
_USER_FIELDS = ("user", "userName", "username", "userId", "login", "id")


def hosts(realm: str) -> tuple[str, str]:
    """The real Octopus: where people log in, and where programs ask."""
    return "https://service.inaras.be", "https://service.inaras.be"


# --- consent --------------------------------------------------------------------------------------------------------


def authorize_url(app: App, state: str) -> str:
    query = {
        "response_type": "code",
        "scope": "webservice",
        "client_id": app.client_id,
        "redirect_uri": app.redirect_uri,
        "state": state,
    }
    return str(httpx.URL(f"{app.auth_url}/octopus-oauth/authorize", params=query))


def exchange(app: App, http: Http, code: str, now: datetime) -> Tokens:
    """Trade a code, five minutes old at most, for the first pair.

    Raises: AccessDenied when Octopus refuses the code, VendorDown, UnexpectedAnswer.
    """
    response = _token_call(app, http, {"grant_type": "authorization_code", "code": code})
    if response.is_success:
        return tokens_of(response, VENDOR, now)
    if response.status_code in (400, 401, 403):
        raise AccessDenied(vendor=VENDOR, reason=error_of(response))
    if response.status_code == 429:
        raise VendorDown(vendor=VENDOR)
    raise UnexpectedAnswer(vendor=VENDOR, said=f"{response.status_code} from the token endpoint")


def refresh(app: App, http: Http, refresh_token: str, now: datetime) -> Tokens:
    """The next access token: by the refresh token, which lives 60 days, or by logging in again.

    Raises: AccessExpired when Octopus refuses either; VendorDown, UnexpectedAnswer. A refused log-in is never tried
    again: failures are counted there, and a user is locked out after some.
    """
    if refresh_token.startswith(_PASSWORD):
        kept = json.loads(base64.b64decode(refresh_token.removeprefix(_PASSWORD)))
        try:
            return log_in(app, http, kept["user"], kept["password"], now)
        except AccessDenied as error:
            raise AccessExpired(vendor=VENDOR) from error
    response = _token_call(app, http, {"grant_type": "refresh_token", "refresh_token": refresh_token})
    if response.is_success:
        return tokens_of(response, VENDOR, now, refresh_token)
    raise _dead_or_down(response)


def _token_call(app: App, http: Http, fields: Mapping[str, str]) -> httpx.Response:
    return token_call(http, f"{app.auth_url}/octopus-oauth/token", {**fields, "client_id": app.client_id})


def _dead_or_down(response: httpx.Response) -> SyncError:
    """A login is given up for Octopus' own word only; that our own app is not known there says nothing about it."""
    error = error_of(response)
    if response.status_code == 429:
        return VendorDown(vendor=VENDOR)
    if error in _OUR_APP or wire.Refusal.of(response).code == -68:
        return AppMissing(vendor=VENDOR)
    if error == _DEAD and response.status_code in (400, 403):
        return AccessExpired(vendor=VENDOR)
    if response.status_code == 401 and not _is_a_page(response):
        return AccessExpired(vendor=VENDOR)
    return UnexpectedAnswer(vendor=VENDOR, said=f"{response.status_code} from the token endpoint")


def _is_a_page(response: httpx.Response) -> bool:
    """Whether somebody before Octopus speaks: Octopus says no in JSON, or without a word."""
    try:
        return bool(response.content) and not isinstance(parsed(response), dict)
    except ValueError:
        return True


# --- user and password ----------------------------------------------------------------------------------------------


def log_in(app: App, http: Http, user: str, password: str, now: datetime) -> Tokens:
    """Log in once; the pair's refresh half is user and password themselves, sealed like any other.

    Raises: AccessDenied when Octopus refuses them, AppMissing when it does not know our software-house id, VendorDown,
    UnexpectedAnswer.
    """
    request = httpx.Request(
        "POST",
        f"{app.api_url}{API}/authentication",
        headers={"softwareHouseUuid": app.client_id, "Accept": "application/json"},
        json={"user": user, "password": password},
        extensions={"timeout": CALL_TIMEOUT.as_dict()},
    )
    response = http.send_once(request)
    if isinstance(response, Unknown):
        raise VendorDown(vendor=VENDOR)
    if not response.is_success:
        raise _not_let_in(response, "log_in")
    token = _field(json_of(response, VENDOR), "token")
    if not token.isascii() or not token.isprintable() or not token or " " in token:
        raise UnexpectedAnswer(vendor=VENDOR, said="a log-in without a token")
    kept = base64.b64encode(json.dumps({"user": user, "password": password}).encode()).decode()
    return Tokens(access=token, refresh=f"{_PASSWORD}{kept}", issued_at=now, expires_at=now + TOKEN_LIFE)


def user_of(app: App, http: Http, access_token: str) -> str:
    """The Octopus user behind a fresh token.

    What `GET /authentication` answers is not described. Without a name we know in it, its whole text stands for the
    user: at worst a second log-in of one user is kept beside the first, which does no harm here.
    Raises: AccessDenied, AppMissing, VendorDown, UnexpectedAnswer.
    """
    response = http.read(
        httpx.Request("GET", f"{app.api_url}{API}/authentication", headers={"Token": access_token}),
    )
    if not response.is_success:
        raise _not_let_in(response, "token_refused")
    answer = json_of(response, VENDOR)
    if not answer or not isinstance(answer, dict | str) or wire.is_refusal(answer):
        raise UnexpectedAnswer(vendor=VENDOR, said="an answer to who somebody is that could be about anybody")
    named = next((name for field in _USER_FIELDS if (name := _field(answer, field))), "")
    return named or hashlib.sha256(response.content).hexdigest()[:20]


def _not_let_in(response: httpx.Response, reason: str) -> SyncError:
    """Why Octopus let nobody in. Its own words are not passed on: they name the user and an address.

    A 401 is a refusal whoever words it: one that was counted there must not be tried again.
    """
    refusal = wire.Refusal.of(response)
    cause = refusals.of_any_call(refusal, "")
    if isinstance(cause, AppMissing | VendorDown):
        return cause
    if refusal.status == 429 or refusal.status >= 500:
        return VendorDown(vendor=VENDOR)
    if refusal.status == 401 or (refusal.status in (400, 403) and not _is_a_page(response)):
        return AccessDenied(vendor=VENDOR, reason=reason)
    return UnexpectedAnswer(vendor=VENDOR, said=f"{refusal.label} from authentication")


def _field(answer: Any, name: str) -> str:
    value = answer.get(name) if isinstance(answer, dict) else None
    return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""


# --- who opens what -------------------------------------------------------------------------------------------------


def relation_ref(typed: str) -> RelationRef | None:
    """The number Octopus shows with a relation."""
    number = typed.strip().lstrip("0")
    return RelationRef(number) if _RELATION.fullmatch(number) else None


def open_package(room: Room) -> Package:
    lobby = _lobby(room)
    return OctopusPackage(lobby, lambda dossier: _tokens(room, lobby, dossier).access())


def open_ledger(room: Room, administration: AdministrationId) -> Ledger:
    dossier = administration.rsplit(".", 1)[1]
    lobby = _lobby(room)
    tokens = _tokens(room, lobby, dossier)
    client = Client(room.app, room.http, tokens, _meter(room, dossier), room.clock, dossier)
    package = OctopusPackage(lobby, lambda dossier: _tokens(room, lobby, dossier).access())
    return OctopusLedger(client, package, room.numbers, room.account, room.clock, room.real, dossier)


def _lobby(room: Room) -> Lobby:
    return Lobby(room.app, room.http, room.tokens, _meter(room, f"account.{room.account}"), room.clock)


def _tokens(room: Room, lobby: Lobby, dossier: str) -> Any:
    return room.token_for(dossier, lambda: lobby.connect(dossier, _meter(room, dossier)))


def _meter(room: Room, whose: str) -> Meter:
    return Meter(room.budgets, room.clock, whose)
