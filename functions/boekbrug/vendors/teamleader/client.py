"""How to ask Teamleader something: one POST per method, a page at a time, within its budget of calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from ...domain.errors import AccessDenied, AccessExpired, NotPossible, RateLimited, UnexpectedAnswer, VendorDown
from ...domain.ledger import Unknown
from ..http import GATEWAY_FAULTS, beginning, json_of, parsed, plain
from ..oauth import Room
from . import VENDOR

# Always sent: an app registered before that date is otherwise answered in older shapes (vendor changelog).
API_VERSION = "2023-09-26"
PAGE_SIZE = 100  # the most it gives; 20 when not asked for
WINDOW = timedelta(minutes=1)
MOST_FILE_BYTES = 10_000_000  # of one file: it must fit in a worker's memory several times
# A 500 is the vendor's fault of the moment; its own guide advises to repeat reads.
READ_AGAIN = GATEWAY_FAULTS | {500}


class Client:
    """One account's API. Knows tokens, limits and pages, and nothing of bookkeeping."""

    def __init__(self, room: Room) -> None:
        self._room = room
        # 200 calls per sliding minute and account, shared by everybody who works for it.
        self._budget = f"{VENDOR}:{room.account}"
        self._blocked_until = room.budgets.blocked_until(self._budget, room.clock.now())

    def read(self, method: str, body: Mapping[str, Any] | None = None) -> Any:
        """The data of an answer to a question.

        Raises: VendorDown, RateLimited, AccessExpired, AccessDenied, TokenBusy, UnexpectedAnswer.
        """
        return answer_of(self._asked(method, body))["data"]

    def info(self, method: str, id: str, **more: str) -> Any | None:
        """What it says about one object; None when Teamleader has no such id (any more). Raises as `read`."""
        response = self._asked(method, {"id": id, **more})
        if is_missing(response):
            return None
        if (found := answer_of(response)["data"]) is None:
            raise UnexpectedAnswer(vendor=VENDOR, said=f"{method}: nothing about an id it knows")
        return found

    def tell(self, method: str, body: Mapping[str, Any]) -> None:
        """A call that answers with nothing (204), and may be repeated without harm. Raises as `read`."""
        response = self._asked(method, body)
        if response.status_code != 204:
            answer_of(response)
            raise UnexpectedAnswer(vendor=VENDOR, said=f"{method}: {response.status_code} where nothing was to be said")

    def rows(self, method: str, body: Mapping[str, Any] | None = None) -> list[Any]:
        """The rows of a list that is not paged. Raises as `read`."""
        return _rows(answer_of(self._asked(method, body)), method)

    def pages(self, method: str, body: Mapping[str, Any], first: int = 1) -> Iterator[list[Any]]:
        """The rows of a paged list, a page at a time from the `first` on, empty pages left out. Raises as `read`."""
        number, seen, before = first, (first - 1) * PAGE_SIZE, []
        while True:
            page = {"size": PAGE_SIZE, "number": number}
            answer = answer_of(self._asked(method, {**body, "page": page, "includes": "pagination"}))
            rows = _rows(answer, method)
            if not rows:
                return
            if rows == before:
                raise UnexpectedAnswer(vendor=VENDOR, said=f"{method} gave page {number - 1} again as page {number}")
            yield rows
            number, seen, before = number + 1, seen + len(rows), rows
            # Not every list tells how many there are (contacts.list does not), so a short page ends it; but where it
            # does tell, a smaller page size than ours must not hide the rest.
            meta = answer.get("meta")
            matches = meta.get("matches") if isinstance(meta, dict) else None
            matches = matches if isinstance(matches, int) else 0
            if len(rows) < PAGE_SIZE and seen >= matches:
                return

    def send_once(self, method: str, body: Mapping[str, Any]) -> httpx.Response | Unknown:
        """Send a write, once. The answer's status is the caller's to read; 401 and 429 did nothing and raise.

        Raises: RateLimited, AccessExpired, TokenBusy, VendorDown; in each case nothing was written.
        """
        return self._authorised(self._room.http.send_once, method, body)

    def fetch(self, location: str) -> bytes:
        """The file at a temporary address. Whoever serves it gets no token of ours; it counts for no limit.

        Raises: VendorDown, NotPossible (larger than we carry), UnexpectedAnswer.
        """
        try:
            request = httpx.Request("GET", location)
        except httpx.InvalidURL as error:
            raise UnexpectedAnswer(vendor=VENDOR, said="a file whose address is none") from error
        if request.url.scheme not in ("https", "http") or not request.url.host:
            raise UnexpectedAnswer(vendor=VENDOR, said="a file that is nowhere on the web")
        try:
            response = self._room.http.read(request, again=READ_AGAIN, most_bytes=MOST_FILE_BYTES)
        except UnexpectedAnswer as error:
            raise NotPossible(vendor=VENDOR, feature="file_too_large") from error
        if response.is_success and response.content:
            return response.content
        raise UnexpectedAnswer(vendor=VENDOR, said=f"{response.status_code} instead of a file")

    def _asked(self, method: str, body: Mapping[str, Any] | None) -> httpx.Response:
        return self._authorised(lambda request: self._room.http.read(request, again=READ_AGAIN), method, body)

    def _authorised(self, send: Callable[[httpx.Request], Any], method: str, body: Mapping[str, Any] | None) -> Any:
        """Send with a token that works. A 401 means that nothing was done, so once more is safe for writes too."""
        for _ in range(2):
            self._stop_when_blocked()
            token = self._room.tokens.access()
            response = send(request_for(self._room.app.api_url, method, body, token))
            if isinstance(response, Unknown):
                return response
            self._heed_limit(response)
            if response.status_code != 401:
                return response
            self._room.tokens.refused(token)
        raise AccessExpired(vendor=VENDOR)

    def _stop_when_blocked(self) -> None:
        if self._blocked_until and self._room.clock.now() < self._blocked_until:
            raise RateLimited(vendor=VENDOR, until=self._blocked_until)

    def _heed_limit(self, response: httpx.Response) -> None:
        """Stop everybody when the minute is used up. A missing header means unknown, not zero (design.md 6)."""
        refused = response.status_code == 429
        if not refused and response.headers.get("X-RateLimit-Remaining") != "0":
            return
        longest = self._room.clock.now() + WINDOW
        self._blocked_until = min(_reset_of(response) or longest, longest)
        self._room.budgets.block(self._budget, self._blocked_until)
        if refused:
            raise RateLimited(vendor=VENDOR, until=self._blocked_until)


def request_for(api_url: str, method: str, body: Mapping[str, Any] | None, token: str) -> httpx.Request:
    headers = {"Authorization": f"Bearer {token}", "X-Api-Version": API_VERSION}
    return httpx.Request("POST", f"{api_url}/{method}", json=dict(body or {}), headers=headers)


def answer_of(response: httpx.Response) -> dict[str, Any]:
    """A successful answer with its `data`; what any other one means.

    Raises: AccessDenied for 403 (a scope or module is missing), VendorDown for 5xx, UnexpectedAnswer for the rest.
    """
    if response.is_success:
        answer = json_of(response, VENDOR) if response.content else None
        if isinstance(answer, dict) and "data" in answer and "errors" not in answer:
            return answer
        raise UnexpectedAnswer(vendor=VENDOR, said=f"{response.request.url.path}: an answer without data")
    if response.status_code == 401:
        raise AccessExpired(vendor=VENDOR)
    if response.status_code == 403:
        raise AccessDenied(vendor=VENDOR, reason=said(response))
    if response.is_server_error:
        raise VendorDown(vendor=VENDOR)
    raise UnexpectedAnswer(vendor=VENDOR, said=f"{response.request.url.path}: {response.status_code} {said(response)}")


def is_missing(response: httpx.Response) -> bool:
    """A 404 in its own words: the id is unknown. Anybody's 404 would make us take a document for deleted."""
    if response.status_code != 404:
        return False
    try:
        envelope = parsed(response)
    except ValueError:
        return False
    return isinstance(envelope, dict) and "errors" in envelope


def _rows(answer: Mapping[str, Any], method: str) -> list[Any]:
    if isinstance(answer["data"], list):
        return answer["data"]
    raise UnexpectedAnswer(vendor=VENDOR, said=f"{method}: a list without rows")


def said(response: httpx.Response) -> str:
    """The titles, and the hints, of an error answer: for people and logs; their wording may change any day."""
    try:
        errors = json_of(response, VENDOR)["errors"]
        parts = [part for e in errors for part in (e["title"], (e.get("meta") or {}).get("hint")) if part]
        return plain("; ".join(parts))
    except (UnexpectedAnswer, VendorDown, LookupError, TypeError, AttributeError):
        return beginning(response)


def _reset_of(response: httpx.Response) -> datetime | None:
    """When the oldest counted call leaves the window. Seen as `+00:00` in life, with milliseconds and `+0100` in print.

    None when it does not say.
    """
    try:
        moment = datetime.fromisoformat(response.headers.get("X-RateLimit-Reset", ""))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
