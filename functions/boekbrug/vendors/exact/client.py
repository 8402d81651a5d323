"""Exact Online over HTTP: OData, limits and refusals, and no bookkeeping.

Every read names its fields (`$select`), follows `__next` as it stands and takes both shapes a collection comes in.
Nothing is read by key: a row that is gone would be a 404, and errors are the scarcest budget Exact gives (ten an hour
per endpoint, exact-online.md 4.3); a filter on the key answers with an empty list instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import httpx
from pydantic import ValidationError

from ...domain.errors import (
    AccessDenied,
    AccessExpired,
    AdministrationUnreachable,
    RateLimited,
    SyncError,
    UnexpectedAnswer,
    VendorDown,
)
from ...domain.ledger import DailyBudget, Done, Outcome, Refused, Unknown
from ...ports import Budgets, Clock
from ..http import Http, json_of, parsed, plain
from ..oauth import App, TokenKeeper
from .wire import EPOCH, Row, select

VENDOR = "exact"
ERRORS_AN_HOUR = 5  # half of what Exact allows before it shuts the endpoint for an hour
COUNTED = frozenset({400, 401, 403, 404})  # what Exact counts as an error; a 500 is a business answer
CLEAR_NO = COUNTED | {429}  # after these, and after nothing else without Exact's own words, nothing was written
LONGEST_DAY = timedelta(hours=25)  # until a day's budget starts anew
MOST_WORDS = 2000  # of a refusal; several are joined in one
LONGEST_MINUTE = timedelta(seconds=65)
ENDPOINT_SHUT = timedelta(hours=1)  # after Exact's own count of errors ran over

R = TypeVar("R", bound=Row)


@dataclass(frozen=True, slots=True)
class Said:
    """A clear business refusal (HTTP 500): nothing was written, and this is why, in the user's language."""

    text: str


class Client:
    """One division of Exact Online, as one app sees it. `division` is "current" for the only call without one."""

    def __init__(
        self, app: App, http: Http, tokens: TokenKeeper, budgets: Budgets, clock: Clock, division: str
    ) -> None:
        self._http = http
        self._tokens = tokens
        self._budgets = budgets
        self._clock = clock
        self._division = division
        self._base = f"{app.api_url}/api/v1/{division}/"
        self._budget_key = f"{VENDOR}.{app.realm}.{division}"
        self._blocked: dict[str, datetime | None] = {}
        self.daily: DailyBudget | None = None  # as the last answer told it

    # --- reading ----------------------------------------------------------------------------------------------------

    def pages(self, path: str, model: type[R], where: str = "") -> Iterator[list[R]]:
        """The rows of a collection, page by page; at least one page, perhaps an empty one."""
        query = {"$select": select(model), **({"$filter": where} if where else {})}
        url: str | None = str(httpx.URL(self._base + path, params=query))
        been: set[str] = set()
        while url:
            been.add(url)
            rows, url = rows_of(self._read(url, path), model)
            yield rows
            if url and not url.startswith(self._base):  # our token goes to nobody else
                raise UnexpectedAnswer(vendor=VENDOR, said=plain(f"a next page outside this division: {url}"))
            if url in been:
                raise UnexpectedAnswer(vendor=VENDOR, said=f"{path}: a next page that was read before")

    def rows(self, path: str, model: type[R], where: str = "") -> list[R]:
        return [row for page in self.pages(path, model, where) for row in page]

    def _read(self, url: str, path: str) -> Any:
        """One answer; asked again with the next token when the first is refused."""
        for _ in range(2):
            self._mind_the_limits(path)
            token = self._tokens.access()
            response = self._http.read(_question(url, token))
            self._note_the_limits(response)
            if response.is_success:
                return json_of(response, VENDOR)
            error = self._error(response, path)
            if not _token_refused(response):
                raise error
            self._tokens.refused(token)
        raise error

    # --- writing ----------------------------------------------------------------------------------------------------

    def post(self, path: str, body: str) -> Mapping[str, Any] | Said | Refused | Unknown:
        """Create one row; the row as Exact made it, or what became of the write.

        `Said`: refused by a business rule. `Refused`: refused before any rule was asked (rights, limits, a shape Exact
        does not take). `Unknown`: no answer, or one that does not tell. After a refused token the write goes out once
        more with the next: Exact looked no further than the token.
        Raises, before anything was sent: VendorDown, RateLimited, TokenBusy, AccessExpired.
        """
        self._mind_the_limits(path)
        outcome = self._send(path, body, self._tokens.access())
        if isinstance(outcome, Refused) and isinstance(outcome.cause, AccessExpired):
            try:
                self._mind_the_limits(path)
                outcome = self._send(path, body, self._tokens.access())
            except SyncError as cause:
                return Refused(cause)
        return outcome

    def _send(self, path: str, body: str, token: str) -> Mapping[str, Any] | Said | Refused | Unknown:
        about = {**headers(token), "Content-Type": "application/json", "Prefer": "return=representation"}
        response = self._http.send_once(httpx.Request("POST", self._base + path, headers=about, content=body.encode()))
        if isinstance(response, Unknown):
            return response
        self._note_the_limits(response)
        if response.is_success:
            return _created(response)
        if response.status_code == 500 and (said := _message(response)):
            # Only Exact's own error shape is a no; a gateway's 500 knows nothing about what was written.
            return Said(said)
        if response.status_code not in CLEAR_NO and not _token_refused(response):
            return Unknown(why=f"{response.status_code}")
        if _token_refused(response):
            self._tokens.refused(token)
        return Refused(self._error(response, path))

    def create(
        self, path: str, body: str, read: Callable[[Any], Any], refused: Callable[[str], SyncError]
    ) -> Outcome[Any]:
        """One write and what became of it. A row we cannot read was made all the same: a probe will find it."""
        answer = self.post(path, body)
        match answer:
            case Said(text):
                return Refused(refused(text))
            case Refused() | Unknown():
                return answer
        try:
            row = read(answer)
        except ValidationError as error:
            return Unknown(why=f"{path} answered with unreadable {fields_of(error)}")
        return Done(row) if row else Unknown(why=f"{path} answered with a row of another type")

    # --- refusals and limits ----------------------------------------------------------------------------------------

    def _error(self, response: httpx.Response, path: str) -> SyncError:
        """What a refusal means, counted where Exact counts it."""
        status = response.status_code
        said = _message(response) or f"{status}"
        if status in COUNTED:
            self._count_error(path)
        if _token_refused(response):
            return AccessExpired(vendor=VENDOR)
        if status == 403:
            reason = response.headers.get("Reason", "")
            if reason.startswith(("NoDivisionAccess", "DivisionBlocked")) or "division" in said.lower():
                return AdministrationUnreachable(administration=self._division)
            return AccessDenied(vendor=VENDOR, reason=reason or said)
        if status == 429:
            return self._limited(response, path)
        if status > 500 or (status == 500 and not _message(response)):
            return VendorDown(vendor=VENDOR)
        return UnexpectedAnswer(vendor=VENDOR, said=f"{status} {path}: {said}")

    def _count_error(self, path: str) -> None:
        """Shut an endpoint for the rest of the hour before Exact does so for longer."""
        now = self._clock.now()
        hour_end = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        if self._budgets.count(f"{self._budget_key}.errors.{path}", hour_end) >= ERRORS_AN_HOUR:
            self._block(f"{self._budget_key}.{path}", hour_end)

    def _mind_the_limits(self, path: str) -> None:
        """Raises RateLimited while the division's budget is spent or the endpoint is shut.

        What others found out is read once for each endpoint; what we find out ourselves is known at once. Whoever
        misses a block meets a 429, which costs nothing but the call.
        """
        now = self._clock.now()
        for key in (self._budget_key, f"{self._budget_key}.{path}"):
            if key not in self._blocked:
                self._blocked[key] = self._budgets.blocked_until(key, now)
            until = self._blocked[key]
            if until and until > now:
                raise RateLimited(vendor=VENDOR, until=until)

    def _block(self, key: str, until: datetime) -> None:
        self._blocked[key] = until
        self._budgets.block(key, until)

    def _note_the_limits(self, response: httpx.Response) -> None:
        """Remember what is left of the day, and stop everybody when the minute or the day is spent."""
        day = _Limit.of(response, "X-RateLimit-")
        if day:
            self.daily = DailyBudget(left=day.left / day.limit if day.limit else 0.0, resets_at=day.reset)
            if day.left <= 0:
                self._block(self._budget_key, self._day_end(day))
        minute = _Limit.of(response, "X-RateLimit-Minutely-")
        if minute and minute.left <= 0 and response.status_code != 429:
            self._block(self._budget_key, self._minute_end(minute))

    def _limited(self, response: httpx.Response, path: str) -> RateLimited:
        """A 429: of the day, of the minute, or of this endpoint when both have calls left.

        Without headers (older reports) it is taken for the minute's.
        """
        day, minute = _Limit.of(response, "X-RateLimit-"), _Limit.of(response, "X-RateLimit-Minutely-")
        key = self._budget_key
        if day and day.left <= 0:
            until = self._day_end(day)
        elif minute and minute.left > 0:
            key, until = f"{key}.{path}", self._clock.now() + ENDPOINT_SHUT
        else:
            until = self._minute_end(minute)
        self._block(key, until)
        return RateLimited(vendor=VENDOR, until=until)

    def _day_end(self, day: _Limit) -> datetime:
        return min(day.reset, self._clock.now() + LONGEST_DAY) + timedelta(seconds=1)

    def _minute_end(self, minute: _Limit | None) -> datetime:
        longest = self._clock.now() + LONGEST_MINUTE
        return min(minute.reset, longest - timedelta(seconds=1)) + timedelta(seconds=1) if minute else longest


@dataclass(frozen=True, slots=True)
class _Limit:
    """One of the two budgets in an answer's headers."""

    limit: int
    left: int
    reset: datetime

    @classmethod
    def of(cls, response: httpx.Response, prefix: str) -> _Limit | None:
        """None where the headers are missing: that means unknown, not spent."""
        try:
            left = int(response.headers[f"{prefix}Remaining"])
            limit = int(response.headers[f"{prefix}Limit"])
            reset = EPOCH + timedelta(milliseconds=int(response.headers[f"{prefix}Reset"]))
        except (KeyError, ValueError, OverflowError):
            return None
        return cls(limit, left, reset)


def headers(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "Accept": "application/json"}


def _token_refused(response: httpx.Response) -> bool:
    """401, or a detour to the log-in page (seen instead of a 401, exact-online.md 1.7).

    Any other detour tells nothing: a write that was sent on its way to what it made is not sent again.
    """
    detour = response.is_redirect and "login" in response.headers.get("Location", "").lower()
    return response.status_code == 401 or detour


def _message(response: httpx.Response) -> str:
    """The text in Exact's error shape; "" when the body is anything else."""
    try:
        said = parsed(response)["error"]["message"]["value"]
    except (ValueError, KeyError, TypeError):
        return ""
    return plain(said, MOST_WORDS) if isinstance(said, str) else ""


def rows_of(data: Any, model: type[R]) -> tuple[list[R], str | None]:
    """Rows and next address of `{"d":{"results":[…],"__next":…}}` or `{"d":[…]}`. Raises UnexpectedAnswer."""
    inner = data.get("d") if isinstance(data, dict) else None
    if isinstance(inner, list):
        rows, following = inner, None
    elif isinstance(inner, dict) and isinstance(inner.get("results"), list):
        rows, following = inner["results"], inner.get("__next")
    else:
        raise UnexpectedAnswer(vendor=VENDOR, said=f"{model.__name__}: a list without rows")
    if "error" in data:  # an empty list beside it would mean that something is not there
        raise UnexpectedAnswer(vendor=VENDOR, said=f"{model.__name__}: a list and an error")
    if not isinstance(following, str | None):
        raise UnexpectedAnswer(vendor=VENDOR, said=f"{model.__name__}: a next page without an address")
    try:
        return [model.model_validate(row) for row in rows], following
    except ValidationError as error:
        raise UnexpectedAnswer(vendor=VENDOR, said=f"{model.__name__}: {fields_of(error)}") from error


def fields_of(error: ValidationError) -> str:
    """Which fields did not fit; never their values, which are somebody's books."""
    return plain(", ".join(".".join(map(str, problem["loc"])) for problem in error.errors()))


def _question(url: str, token: str) -> httpx.Request:
    """Raises UnexpectedAnswer: only an address that Exact gave us can be none."""
    try:
        return httpx.Request("GET", url, headers=headers(token))
    except httpx.InvalidURL as error:
        raise UnexpectedAnswer(vendor=VENDOR, said="a next page whose address is none") from error


def _created(response: httpx.Response) -> Mapping[str, Any] | Unknown:
    try:
        answer = parsed(response)
        row = None if "error" in answer else answer["d"]
    except (ValueError, KeyError, TypeError):
        row = None
    return row if isinstance(row, dict) else Unknown(why=f"{response.status_code} without the row it made")
