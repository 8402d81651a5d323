"""Octopus over HTTP: two kinds of tokens, daily limits and refusals, and no bookkeeping.

    login token (user) ──connect──▶ dossier token ──▶ every call of a dossier

"Nothing found" is a 404 here, and a booking is answered with an empty 201 (octopus.md 0).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from ...domain.errors import (
    AccessExpired,
    AdministrationUnreachable,
    SyncError,
    UnexpectedAnswer,
    VendorDown,
)
from ...domain.ledger import Unknown
from ...ports import Clock, Tokens
from ..http import Http, json_of, parsed
from ..oauth import App, TokenKeeper
from . import refusals, wire
from .limits import CONNECT, DOSSIERS, VENDOR, Meter, Operation

API = "/octopus-rest-api/v1"
TOKEN_LIFE = timedelta(minutes=10)  # of both kinds, from issue (octopus.md 2)
CLOCKS_AGREE = timedelta(days=1)
SCARCE = 48  # operations of fewer calls a day are asked once only: a call that failed may have been counted

OK = 200
YES = {"POST": (201,), "PUT": (201, 204)}
"""The statuses of a write that was done; of a POST without a body (octopus.md 1.3)."""

SHORT = httpx.Timeout(30, connect=5)
LONG = httpx.Timeout(90, connect=5, write=5)  # lists without pages, asked by workers that live 120 s
LONGER = httpx.Timeout(180, connect=5, write=5)  # the same, asked by workers that live 300 s
LONGEST_LIST = 32_000_000  # bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What Octopus said, and when it was asked: the moment a reader of changes goes on from."""

    data: Any  # None: nothing found, or an empty answer
    at: datetime  # by our clock
    behind: timedelta = timedelta(0)  # how far its clock is behind ours, which its marks of changes go by


@dataclass(frozen=True, slots=True)
class No:
    """A clear refusal of a write: nothing was written."""

    refusal: wire.Refusal
    cause: SyncError | None  # None: depends on what was asked


class Lobby:
    """What a login reaches before a dossier is opened."""

    def __init__(self, app: App, http: Http, tokens: TokenKeeper, meter: Meter, clock: Clock) -> None:
        self._http = http
        self._tokens = tokens
        self._meter = meter  # of the account: limits of a user
        self._clock = clock
        self._url = f"{app.api_url}{API}/dossiers"

    def dossiers(self) -> list[wire.Dossier]:
        self._meter.count(DOSSIERS)
        response = self._ask("GET", {}, tries=3)
        if _is_nothing(response):
            return []
        self._complain(response, "", self._meter, DOSSIERS)
        return wire.rows_of(_said(response), wire.Dossier)

    def connect(self, dossier: str, meter: Meter) -> Tokens:
        """Buy the token of one dossier. There are 150 a day for 144 times ten minutes: never one per call.

        Raises: AdministrationUnreachable when it is disabled, unknown or not this user's; AccessExpired, RateLimited.
        """
        meter.count(CONNECT)
        before = self._clock.now()
        response = self._ask("POST", {"dossierId": dossier}, tries=1)
        if _is_nothing(response):
            raise AdministrationUnreachable(administration=dossier)
        self._complain(response, dossier, meter, CONNECT)
        answer = _said(response)
        bought = answer.get("Dossiertoken") if isinstance(answer, dict) else None
        if not isinstance(bought, str) or not re.fullmatch(r"[!-~]+", bought):
            raise UnexpectedAnswer(vendor=VENDOR, said="a dossier without a token")
        return Tokens(access=bought, refresh="", issued_at=before, expires_at=before + TOKEN_LIFE)

    def _ask(self, method: str, query: Mapping[str, str], tries: int) -> httpx.Response:
        """The answer; where the token was refused once more, with the login's next one."""
        for last in (False, True):
            token = self._tokens.access()
            response = self._http.read(
                httpx.Request(method, self._url, params=query, headers={"Token": token}), tries=tries
            )
            if response.is_success or last or not _refuses_the_token(response):
                return response
            self._tokens.refused(token)
        raise AssertionError("the second answer is returned whatever it is")

    def _complain(self, response: httpx.Response, dossier: str, meter: Meter, operation: Operation) -> None:
        if response.status_code == OK:
            return
        refusal = wire.Refusal.of(response)
        if refusals.speaks_of_a_limit(refusal):
            raise meter.spent(operation)
        if cause := refusals.of_any_call(refusal, dossier):
            raise cause
        if refusal.status == 403 and dossier:
            raise AdministrationUnreachable(administration=dossier)
        raise refusals.of_reading(refusal, "dossiers")


class Client:
    """One dossier, as one login sees it."""

    def __init__(self, app: App, http: Http, tokens: TokenKeeper, meter: Meter, clock: Clock, dossier: str) -> None:
        """`tokens` keeps the dossier token; a refused one makes it log in and connect again."""
        self._http = http
        self._tokens = tokens
        self._clock = clock
        self._dossier = dossier
        self._base = f"{app.api_url}{API}/dossiers/{dossier}"
        self.meter = meter

    # --- reading ----------------------------------------------------------------------------------------------------

    def get(
        self,
        path: str,
        operation: Operation,
        query: Mapping[str, str | int] | None = None,
        *,
        timeout: httpx.Timeout = SHORT,
    ) -> Answer:
        """One question; a longer `timeout` is for lists that have no pages."""
        return self._read("GET", path, operation, query or {}, None, timeout)

    def report(self, path: str, operation: Operation, body: str) -> Answer:
        """A question asked with a POST, which changes nothing there."""
        return self._read("POST", path, operation, {}, body, LONG)

    def _read(
        self,
        method: str,
        path: str,
        operation: Operation,
        query: Mapping[str, str | int],
        body: str | None,
        timeout: httpx.Timeout,
    ) -> Answer:
        tries = 1 if operation.a_day <= SCARCE else 3
        self.meter.count(operation)
        for last in (False, True):
            token = self._tokens.access()
            before = self._clock.now()
            request = self._request(method, path, token, query, body, timeout)
            response = self._http.read(request, tries=tries, most_bytes=None if timeout is SHORT else LONGEST_LIST)
            if _is_nothing(response):
                return Answer(None, before, _behind(response, before))
            if response.status_code == OK:
                return Answer(_said(response), before, _behind(response, before))
            no = self._no(response, operation)
            if last or not isinstance(no.cause, AccessExpired):
                raise no.cause or refusals.of_reading(no.refusal, path)
            self._tokens.refused(token)
        raise AssertionError("the second answer is dealt with whatever it is")

    # --- writing ----------------------------------------------------------------------------------------------------

    def write(self, method: str, path: str, operation: Operation, body: str) -> Answer | No | Unknown:
        """Send one write; what Octopus answered, a clear no, or nothing that tells.

        After a refused token it goes out once more with the next: Octopus looked no further than the token.
        Raises, before anything was sent: VendorDown, RateLimited, TokenBusy, AccessExpired.
        """
        self.meter.count(operation)
        answer, token = self._send(method, path, operation, body)
        if isinstance(answer, No) and isinstance(answer.cause, AccessExpired):
            self._tokens.refused(token)
            try:
                answer, token = self._send(method, path, operation, body)
            except SyncError as cause:
                return No(answer.refusal, cause)
            if isinstance(answer, No) and isinstance(answer.cause, AccessExpired):
                self._tokens.refused(token)
        return answer

    def _send(self, method: str, path: str, operation: Operation, body: str) -> tuple[Answer | No | Unknown, str]:
        token = self._tokens.access()
        before = self._clock.now()
        response = self._http.send_once(self._request(method, path, token, {}, body, SHORT))
        if isinstance(response, Unknown):
            return response, token
        if response.status_code in YES[method] and (method == "PUT" or not response.content):
            return Answer(_json_or_none(response), before), token
        if response.is_success:  # a page of a proxy between us, for one
            return Unknown(why=f"{response.status_code}"), token
        no = self._no(response, operation)
        known = response.status_code in refusals.CLEAR_NO or no.refusal.code in refusals.CHECKED
        return (no if known else Unknown(why=f"{response.status_code}")), token

    def _request(
        self,
        method: str,
        path: str,
        token: str,
        query: Mapping[str, str | int],
        body: str | None,
        timeout: httpx.Timeout,
    ) -> httpx.Request:
        headers = {"dossierToken": token, "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        return httpx.Request(
            method,
            f"{self._base}{path}",
            params=query or None,
            headers=headers,
            content=None if body is None else body.encode(),
            extensions={"timeout": timeout.as_dict()},
        )

    def _no(self, response: httpx.Response, operation: Operation) -> No:
        refusal = wire.Refusal.of(response)
        if refusals.speaks_of_a_limit(refusal):
            return No(refusal, self.meter.spent(operation))
        return No(refusal, refusals.of_any_call(refusal, self._dossier))


def _refuses_the_token(response: httpx.Response) -> bool:
    return isinstance(refusals.of_any_call(wire.Refusal.of(response), ""), AccessExpired)


def _is_nothing(response: httpx.Response) -> bool:
    """Whether the answer to a question is that there is nothing, which Octopus says in words of its own.

    Raises: VendorDown for any other 404, which whoever stands before Octopus answers while it is not there: taken for
    nothing, it would make a booking that stands look deleted.
    """
    if response.status_code != 404:
        return False
    try:
        body = parsed(response)
    except ValueError:
        body = None
    if not isinstance(body, dict) or not (wire.is_refusal(body) or body == {}):
        raise VendorDown(vendor=VENDOR)
    return True


def _said(response: httpx.Response) -> Any:
    """What a 200 holds. Raises: VendorDown for a page, UnexpectedAnswer for nothing at all and for a refusal."""
    body = json_of(response, VENDOR)
    if body is None or wire.is_refusal(body):
        raise UnexpectedAnswer(vendor=VENDOR, said=f"200 and no answer: {wire.Refusal.of(response).said}")
    return body


def _behind(response: httpx.Response, before: datetime) -> timedelta:
    """How far Octopus' clock is behind ours, by the time of its answer; never ahead.

    A clock that is days behind is none: a look would go on from there.
    """
    try:
        theirs = parsedate_to_datetime(response.headers["Date"])
        theirs = theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)
        behind = before - theirs.astimezone(UTC)
    except (KeyError, ValueError, OverflowError):
        return timedelta(0)
    return behind if timedelta(0) < behind < CLOCKS_AGREE else timedelta(0)


def _json_or_none(response: httpx.Response) -> Any:
    """The body of an answer to a write, which is usually empty; unreadable ones are too."""
    try:
        return json_of(response, VENDOR) if response.content else None
    except SyncError:
        return None
