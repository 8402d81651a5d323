"""The access tokens of a login: refreshed when needed, by one worker at a time, and never used before they are saved.

A refresh token works once. Two workers who refresh at a time, or one that dies between the vendor's answer and the
save, lose the account until a person logs in again; hence the lease, and hence nothing here is done early.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import httpx

from ..domain.connections import LoginId
from ..domain.documents import AccountId
from ..domain.errors import (
    AccessDenied,
    AccessExpired,
    LeaseLost,
    RateLimited,
    SyncError,
    TokenBusy,
    UnexpectedAnswer,
    VendorDown,
)
from ..domain.ledger import Unknown
from ..ports import Budgets, Clock, Login, Logins, Numbers, RealClock, Tokens
from .http import Http, json_of, parsed, plain

LEASE = timedelta(seconds=60)
# Together at most the 45 s a token call may take, so that a lease outlives its call (design.md 6).
CALL_TIMEOUT = httpx.Timeout(35, connect=5, write=5)
CALL_AT_MOST = timedelta(seconds=45)
# A purchase may first refresh the login's own token, under that one's lease, and then takes a call of 40 s.
LEASE_TO_BUY = timedelta(seconds=120)
PURCHASE_AT_MOST = timedelta(seconds=110)
BOUGHT_MARGIN_S = 20  # 150 purchases a day (octopus.md 2.3) are one in 576 s, of a token that lives 600
LONGEST_LIFE = 366 * 24 * 3600  # seconds of an access token
WAITS = (0.5, 1.0, 2.0, 4.0)  # seconds, while another worker refreshes; a refresh takes about one
NEVER = datetime(2000, 1, 1, tzinfo=UTC)
NOTHING = Tokens(access="", refresh="", issued_at=NEVER, expires_at=NEVER)
"""What a login holds before its first token is bought: one that ended long ago."""


@dataclass(frozen=True, slots=True)
class App:
    """One app of ours, registered at one vendor."""

    vendor: str
    realm: str  # "be" or "nl" for Exact; "-" where there is one app only
    client_id: str
    client_secret: str = field(repr=False)  # "" where the vendor gives none
    redirect_uri: str
    auth_url: str  # hosts, without a slash at the end
    api_url: str  # the same as auth_url where the vendor has one host
    webhook_secret: str = field(default="", repr=False)


class TokenKeeper:
    """The access token of one login, for everybody in this process who needs it."""

    def __init__(
        self,
        account: AccountId,
        login_id: LoginId,
        logins: Logins,
        clock: Clock,
        real: RealClock,
        refresh: Callable[[str], Tokens],
        *,
        vendor: str,
        not_before_s: int = 0,
        margin_s: int = 60,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`refresh` trades a refresh token for a new pair.

        It raises AccessExpired when the vendor calls the chain dead, VendorDown when nothing is known.
        Units: `not_before_s` counts from `issued_at` (Exact refuses earlier refreshes and counts them as errors);
        `margin_s` is how long before its end a token counts as ended.
        """
        self._account = account
        self._login_id = login_id
        self._logins = logins
        self._clock = clock
        self._real = real
        self._refresh = refresh
        self._vendor = vendor
        self._not_before = timedelta(seconds=not_before_s)
        self._margin = timedelta(seconds=margin_s)
        self._sleep = sleep
        self._known: Tokens | None = None  # decrypted once, kept until they end
        self._refused = ""
        self._lock = threading.Lock()

    def access(self) -> str:
        """A token that works, as far as anybody knows.

        Raises: AccessExpired when a person must log in again, TokenBusy while another worker refreshes, RateLimited
        until a refresh is allowed, VendorDown.
        """
        with self._lock:
            if self._known is None or not self._works(self._known):
                login = self._stored()  # another worker may have refreshed already
                self._known = login.tokens if self._works(login.tokens) else self._renewed(login)
            return self._known.access

    def refused(self, token: str) -> None:
        """The vendor answered 401 to this token: it is not given out again."""
        with self._lock:
            self._refused = token

    def _works(self, tokens: Tokens) -> bool:
        end = max(tokens.expires_at - self._margin, min(self._earliest(tokens), tokens.expires_at))
        return tokens.access != self._refused and self._clock.now() < end

    def _earliest(self, tokens: Tokens) -> datetime:
        return tokens.issued_at + self._not_before

    def _stored(self) -> Login:
        login = self._logins.get(self._account, self._login_id)
        if login is None or login.tokens is None:
            raise AccessExpired(vendor=self._vendor)
        return login

    def _renewed(self, login: Login) -> Tokens:
        """A new pair, by our own call or another worker's."""
        if self._clock.now() < (earliest := self._earliest(login.tokens)):
            raise RateLimited(vendor=self._vendor, until=earliest)
        for wait in WAITS:
            now = self._real.now()
            lease, _ = self._times()
            if leased := self._logins.lease(login, until=now + lease, now=now):
                return self._under_lease(leased, now + lease)
            self._sleep(wait)
            login = self._stored()
            if self._works(login.tokens):
                return login.tokens
        raise TokenBusy(vendor=self._vendor)

    def _under_lease(self, login: Login, until: datetime) -> Tokens:
        if login.tokens is None:
            self._logins.give_back(login)
            raise AccessExpired(vendor=self._vendor)
        if self._works(login.tokens):  # refreshed between our look and our lease
            self._logins.give_back(login)
            return login.tokens
        try:
            fresh = self._asked(login.tokens.refresh, until)
        except AccessExpired as dead:
            return self._after_death(login, dead)
        except SyncError:
            self._logins.give_back(login)
            raise
        return self._saved(login, fresh)

    def _asked(self, refresh_token: str, until: datetime) -> Tokens:
        """The vendor's new pair; a lost answer is asked for once more.

        Nothing is asked when the lease would not outlive the call: whoever takes it over would use the token twice.
        """
        if not self._outlives_a_call(until):
            raise TokenBusy(vendor=self._vendor)
        try:
            fresh = self._refresh(refresh_token)
        except VendorDown:
            if not self._outlives_a_call(until) or self._stored().tokens.refresh != refresh_token:
                raise
            fresh = self._refresh(refresh_token)
        # The vendor counts the wait for the next refresh from its own moment, which may be as late as this one.
        return replace(fresh, issued_at=self._clock.now())

    def _outlives_a_call(self, until: datetime) -> bool:
        _, at_most = self._times()
        return self._real.now() + at_most <= until

    def _times(self) -> tuple[timedelta, timedelta]:
        """How long a lease lasts, and how long what is done under it may take."""
        return LEASE, CALL_AT_MOST

    def _saved(self, login: Login, fresh: Tokens) -> Tokens:
        """The pair, once it is kept. Until then it is nowhere else and the old one is dead: worth some patience."""
        for wait in (*WAITS, None):
            try:
                return self._logins.rotate(login, fresh).tokens
            except LeaseLost:  # there is a newer pair or consent, or this one after all: the answer was lost
                return self._others(login)
            except Exception:
                if wait is None:
                    raise
                self._sleep(wait)
        raise AssertionError("the last wait is None")

    def _after_death(self, login: Login, dead: AccessExpired) -> Tokens:
        """The vendor says this refresh token is dead: believe it only while it is ours to judge and the one we have."""
        if self._stored().generation == login.generation and self._logins.lose(login):
            raise dead
        return self._others(login)

    def _others(self, login: Login) -> Tokens:
        """What another worker, or a new consent, put in place of the pair we began with."""
        self._logins.give_back(login)
        now = self._stored()
        if not self._works(now.tokens):
            raise TokenBusy(vendor=self._vendor)
        return now.tokens


class BoughtTokenKeeper(TokenKeeper):
    """A token that is bought with the token of a login, for one scope of it: an Octopus dossier.

    Shared, leased and saved like the login's own. It needs nobody: one that is not there, or was refused, is bought
    anew, and where that fails it is the login that fails.
    """

    def __init__(
        self,
        account: AccountId,
        login_id: LoginId,
        scope: str,
        buy: Callable[[], Tokens],
        logins: Logins,
        clock: Clock,
        real: RealClock,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`buy` uses the login's token, so it raises what that raises. What it brings needs no refresh token."""
        vendor, realm, user = login_id.split(".", 2)
        self._empty = Login(LoginId(f"{login_id}/{scope}"), account, vendor, realm, user, NOTHING)
        super().__init__(
            account,
            self._empty.id,
            logins,
            clock,
            real,
            lambda refresh_token: buy(),
            vendor=vendor,
            margin_s=BOUGHT_MARGIN_S,
            sleep=sleep,
        )

    def _stored(self) -> Login:
        return self._logins.ensure(self._empty)

    def _times(self) -> tuple[timedelta, timedelta]:
        return LEASE_TO_BUY, PURCHASE_AT_MOST

    def _after_death(self, login: Login, dead: AccessExpired) -> Tokens:
        """The login is dead, which its own keeper has seen to; what was bought with it is no matter."""
        self._logins.give_back(login)
        raise dead


class AccessTokens(Protocol):
    """Where a vendor's client gets the token of its next call."""

    def access(self) -> str: ...
    def refused(self, token: str) -> None: ...


class NewToken:
    """The token of a login that is not kept yet: it works, or there is no login."""

    def __init__(self, vendor: str, token: str) -> None:
        self._vendor = vendor
        self._token = token

    def access(self) -> str:
        """Raises: AccessDenied once it was refused."""
        if not self._token:
            raise AccessDenied(vendor=self._vendor, reason="token_refused")
        return self._token

    def refused(self, token: str) -> None:
        self._token = ""


@dataclass(frozen=True, slots=True)
class Room:
    """What a vendor's door needs to open something for one login."""

    app: App
    http: Http
    tokens: AccessTokens
    budgets: Budgets
    clock: Clock
    account: AccountId
    real: RealClock
    numbers: Numbers
    token_for: Callable[[str, Callable[[], Tokens]], AccessTokens]
    """The token of a scope ("70001"), and how it is bought when there is none that works."""


# What token endpoints have in common.


def token_call(
    http: Http, url: str, fields: Mapping[str, str], headers: Mapping[str, str] | None = None
) -> httpx.Response:
    """One call to a token endpoint, form-encoded and sent once: a repeated one could burn a refresh token.

    Raises: VendorDown when the answer was lost or is a 5xx.
    """
    request = httpx.Request(
        "POST", url, data=dict(fields), headers=headers, extensions={"timeout": CALL_TIMEOUT.as_dict()}
    )
    response = http.send_once(request)
    if isinstance(response, Unknown) or response.is_server_error:
        raise VendorDown(vendor=http.vendor)
    return response


def tokens_of(response: httpx.Response, vendor: str, now: datetime, known_refresh: str = "") -> Tokens:
    """The pair in a token endpoint's 200; `now` is from before the call. `expires_in` may be text (Exact).

    An answer without a refresh token keeps the known one, where there is one (Octopus).
    Raises: UnexpectedAnswer, VendorDown.
    """
    answer = json_of(response, vendor)
    try:
        seconds = int(answer["expires_in"])
        if not 0 < seconds <= LONGEST_LIFE:
            raise ValueError(f"{seconds} seconds are no life")
        return Tokens(
            access=_token(answer["access_token"]),
            refresh=_token(answer.get("refresh_token") or known_refresh),
            issued_at=now,
            expires_at=now + timedelta(seconds=seconds),
        )
    except (KeyError, TypeError, ValueError) as error:
        # Never quoted: half of it may be a secret.
        raise UnexpectedAnswer(vendor=vendor, said="tokens without one of their fields") from error


def error_of(response: httpx.Response) -> str:
    """The OAuth error's name; "" when the body is something else. Never the description: it may quote a token."""
    try:
        error = parsed(response)["error"]
    except (ValueError, LookupError, TypeError):
        return ""
    return plain(error, 100) if isinstance(error, str) else ""


def _token(value: Any) -> str:
    """A token that fits in a header; a pair that does not would be saved, and found useless when the old is dead."""
    if not isinstance(value, str) or not re.fullmatch(r"[!-~]+", value):
        raise ValueError("no token")
    return value
