"""Answers nobody documented: a vendor's true answer, bent in every way we can think of.

An `Odd` is one such answer. `stories` bends what was recorded; `Retold` plays a recording with one answer replaced.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import httpx

MOST_REQUESTS = 40
ENORMOUS = 9_000_000
HTML = b"<!doctype html><html><head><title>Onderhoud</title></head><body>expired, revoked, ongeldig</body></html>"
JSON = (("content-type", "application/json"),)
PAGE = (("content-type", "text/html; charset=utf-8"),)


@dataclass(frozen=True)
class Told:
    """One request of ours and its answer."""

    method: str
    path: str
    status: int
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    content: bytes = field(repr=False)

    @property
    def vendor(self) -> str:
        """Who was asked, by how its addresses begin."""
        begins = {"/api/": "exact", "/octopus-": "octopus"}
        return next((vendor for start, vendor in begins.items() if self.path.startswith(start)), "teamleader")

    @property
    def writes(self) -> bool:
        """Exact creates with POST; Octopus saves relations with PUT; Teamleader posts everything, and names it."""
        match self.vendor:
            case "exact":
                return self.method == "POST" and "/api/v1/" in self.path
            case "octopus":
                return self.method == "PUT" or (self.method == "POST" and self.path.endswith("/buysellbookings"))
        return self.path.endswith("registerPayment")

    @property
    def is_a_file(self) -> bool:
        return self.vendor == "teamleader" and self.method == "GET"

    def may_say(self, odd: Odd) -> bool:
        """Whether this answer is none to wonder at."""
        if odd.breaks:
            return False
        as_told = (odd.status, odd.content) == (self.status, self.content) or odd.status == self.status == 204
        return as_told or (self.vendor == "octopus" and self._octopus_may_say(odd))

    def _octopus_may_say(self, odd: Odd) -> bool:
        """It finds nothing in silence (octopus.md 4.1), takes a booking without a word (5.3), and tells in words nobody
        has described who somebody is (2.2).
        """
        if self.method == "GET" and self.path.endswith("/authentication"):
            in_words = odd.content[:1] in (b"{", b'"') and odd.content not in (b"{}", b'""')
            return in_words and b"errorCode" not in odd.content
        if self.writes and (odd.status, odd.content) == (201, b""):
            return True
        return (self.content[:1] == b"[" or self.status == 404) and (odd.status, odd.content) == (200, b"[]")

    @property
    def is_long(self) -> bool:
        """A list without pages, for which there is room."""
        return self.vendor == "octopus" and self.path.endswith(("/modified", "/clients/open"))


@dataclass(frozen=True)
class Odd:
    """A bent answer.

    `says_no`: a write may take it for a no, because the vendor documents it as one. `says_little`: one field differs
    and the rest is true, so a reader may be content. `breaks`: no answer at all, but this on the line.
    """

    name: str
    status: int = 200
    content: bytes = field(default=b"", repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=JSON, repr=False)
    says_no: bool = False
    says_little: bool = False
    breaks: type[httpx.RequestError] | None = None


class Recorder(httpx.BaseTransport):
    """Whoever asks gets the true answer, and it is kept."""

    def __init__(self, line: httpx.BaseTransport) -> None:
        self._line = line
        self.told: list[Told] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._line.handle_request(request)
        headers = tuple((name, value) for name, value in answer.headers.items() if name.lower() != "content-length")
        self.told.append(Told(request.method, request.url.path, answer.status_code, headers, answer.read()))
        return answer


class Retold(httpx.BaseTransport):
    """A recording in which one answer is odd, however often it is asked for."""

    def __init__(self, told: Sequence[Told], at: int, odd: Odd) -> None:
        self._told, self._at, self._odd = told, at, odd
        self._next = 0
        self.asked: list[tuple[str, str]] = []

    @property
    def went_on(self) -> bool:
        """Whether a true answer came after the odd one."""
        return self._next > self._at + 1

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append((request.method, request.url.path))
        if len(self.asked) > MOST_REQUESTS:
            raise AssertionError(f"{MOST_REQUESTS} requests, and no end")
        place = self._place(request.method, request.url.path)
        if place is None:
            raise AssertionError(f"{request.method} {request.url} was never asked for before")
        if place == self._at:
            if self._odd.breaks:
                raise self._odd.breaks("odd", request=request)
            return httpx.Response(self._odd.status, headers=list(self._odd.headers), content=self._odd.content)
        self._next = place + 1
        told = self._told[place]
        return httpx.Response(told.status, headers=list(told.headers), content=told.content)

    def _place(self, method: str, path: str) -> int | None:
        """Where in the recording this was asked; whoever is content with the odd answer may leave some of it out."""
        later = range(self._next, len(self._told))
        same = (place for place in later if (self._told[place].method, self._told[place].path) == (method, path))
        following = self._next + (self._next == self._at)  # asked of another place: one that the odd answer named
        return next(same, following if following in later else None)


def stories(told: Told) -> Iterator[Odd]:
    """Every odd answer to this request."""
    yield from broken_lines()
    of_its_own = of_octopus(told) if told.vendor == "octopus" else ()
    odd = (*statuses(told.vendor), *of_its_own, *bent_bytes(told))
    yield from (one for one in odd if not told.may_say(one))
    if told.content[:1] in b"{[" and told.content and told.status == 200:
        yield from (one for one in bent_json(told) if not told.may_say(one))


def broken_lines() -> Iterator[Odd]:
    for kind in (httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError, httpx.WriteError, httpx.DecodingError):
        yield Odd(kind.__name__, breaks=kind)


def statuses(vendor: str) -> Iterator[Odd]:
    """Answers that say something else than the truth, or nothing."""
    for status in (200, 201, 500, 502, 503):
        yield Odd(f"HTML with {status}", status, HTML, PAGE)
    for status in (400, 401, 403, 404, 429):
        yield Odd(f"HTML with {status}", status, HTML, PAGE, says_no=True)
    for status in (200, 201, 202, 204, 206, 304, 303, 307, 408, 409, 418, 500, 503, 599, 600, 999):
        yield Odd(f"nothing with {status}", status)
    yield Odd("somewhere else", 302, headers=(("location", "https://elsewhere.example/"),))
    yield Odd("something made elsewhere", 303, headers=(("location", "https://vendor.example/SalesEntries(1)"),))
    for body in (b"[]", b"{}", b"null", b"1", b'"ok"', b"true", b'{"d":null}', b'{"data":null}', b'{"d":7,"data":7}'):
        for status in (200, 201, 500):
            yield Odd(f"{body.decode()} with {status}", status, body)
    for name, error in ERRORS.items():
        body = json.dumps(error).encode()
        yield Odd(f"{name}'s error with 200", 200, body)
        yield Odd(f"{name}'s error with 201", 201, body)
        yield Odd(f"{name}'s error with 503", 503, body)
        if name == vendor:
            yield Odd("an error beside an empty list", 200, json.dumps({**error, **EMPTY_LISTS}).encode())
    for value in (None, 7, {}, [], "", {"value": None}):
        odd_error = json.dumps({"error": {"message": {"value": value}}}).encode()
        yield Odd(f"an error that says {value!r}", 500, odd_error)
    yield Odd("an error as text", 500, b'{"error":"no"}')
    yield Odd("a deep error", 500, b'{"error":' * 100_000)
    yield Odd("a deep refusal", 400, b'{"error":' * 100_000, says_no=True)
    yield Odd("a refusal in a strange code", 400, HTML, (("content-type", "text/html; charset=hex"),), says_no=True)
    endless = json.dumps({"error": {"message": {"value": "ongeldig " * 800_000}}}).encode()
    yield Odd("an endless refusal", 500, endless, says_no=True)


ERRORS: dict[str, dict[str, Any]] = {
    "exact": {"error": {"code": "", "message": {"lang": "", "value": "Verplicht: Dagboek"}}},
    "teamleader": {"errors": [{"code": 0, "title": "Something went wrong", "status": 500}]},
    "octopus": {"errorCode": -24, "errorMessage": "De boeking werd niet bewaard.", "technicalInfo": "dossier 70001"},
}
EMPTY_LISTS: dict[str, Any] = {
    "d": {"results": []},
    "data": [],
    **{name: [] for name in ("modified", "deleted", "modifiedBookings", "modifiedBalancings", "deletedBalancings")},
}


def of_octopus(told: Told) -> Iterator[Odd]:
    """What only Octopus can say wrongly: "nothing found" is a 404 there, and a number tells why it says no."""
    for body in (b"", b"null", b"[]", b'"ok"', b'{"message":"no Route matched with those values"}'):
        yield Odd(f"{body.decode() or 'nothing'} with 404", 404, body, says_no=True)
    for code in (-24, -8, 0, 7, 10**30, "-13", None, 1.5, [], {}):
        body = json.dumps({"errorCode": code, "errorMessage": "Ongeldig.", "technicalInfo": "dossier 70001"}).encode()
        yield Odd(f"code {code!r} with 400", 400, body, says_no=True)
        yield Odd(f"code {code!r} with 500", 500, body)
    for texts in (
        {"errorMessage": 7},
        {"technicalInfo": ["x"]},
        {"errorMessage": "\ud800" * 50},
        {"errorMessage": None},
    ):
        yield Odd(f"{texts!r:.40} with 400", 400, json.dumps(texts).encode(), says_no=True)
    endless = json.dumps({"errorMessage": "ongeldig " * 800_000, "technicalInfo": "x"}).encode()
    yield Odd("an endless refusal of its own", 400, endless, says_no=True)
    if told.status == 404:
        for empty in (b"{}", b'{"data":[]}', json.dumps(EMPTY_LISTS).encode()):
            yield Odd(f"{empty.decode():.20} where there is nothing", 200, empty)


def bent_bytes(told: Told) -> Iterator[Odd]:
    """The true answer, hurt on its way. Of a file nobody can tell, as long as its beginning is right."""
    for odd in _bent_bytes(told):
        kept = told.is_a_file and odd.content[:4] == told.content[:4]
        kept = kept or (told.is_long and odd.name == "enormous")
        yield dataclasses.replace(odd, says_little=kept, says_no=told.status == 400)


def _bent_bytes(told: Told) -> Iterator[Odd]:
    body, status = told.content, told.status
    if len(body) > 2:
        yield Odd("cut in half", status, body[: len(body) // 2])
        yield Odd("without its end", status, body[:-1])
        yield Odd("twice", status, body + body)
        yield Odd("with bytes that are no text", status, body[:-2] + b'\xff\xfe"' + body[-2:])
        yield Odd("in UTF-16 with a byte missing", status, body.decode("utf-8", "replace").encode("utf-16")[:-1])
    yield Odd("called gzip", status, body or b"{}", (*JSON, ("content-encoding", "gzip")))
    yield Odd("enormous", status, body + b" " * ENORMOUS)
    yield Odd("enormous rubbish", status, b"x" * ENORMOUS)
    yield Odd("endlessly deep", status, b"[" * 200_000)
    yield Odd("endlessly deep inside", status, b'{"d":{"results":[' + b'{"a":' * 100_000)


def bent_json(told: Told) -> Iterator[Odd]:
    """The true answer with one thing changed: everything of its first row, and what holds it."""
    whole = json.loads(told.content)
    for path in paths(whole):
        name = ".".join(map(str, path)) or "everything"
        if path:
            yield Odd(f"{name} missing", told.status, json.dumps(without(whole, path)).encode(), says_little=True)
        for value in STRANGE_VALUES:
            body = json.dumps(changed(whole, path, value)).encode()
            yield Odd(f"{name} = {value!r:.30}", told.status, body, says_little=bool(path))
        if path:
            for text in STRANGE_NUMBERS:
                body = json.dumps(changed(whole, path, "@@")).replace('"@@"', text).encode()
                yield Odd(f"{name} = {text:.30}", told.status, body, says_little=True)
    for path in paths(whole):
        if path and isinstance(path[-1], str):
            name, key = ".".join(map(str, path)), json.dumps(path[-1])
            twice = json.dumps(changed(whole, path, "@@")).replace(f'{key}: "@@"', f"{key}: 1, {key}: 2")
            yield Odd(f"{name} twice", told.status, twice.encode())


STRANGE_VALUES: tuple[Any, ...] = (
    *(None, True, 0, 7, -1, 10**30, 1.5, "", "x", " ", "-1", "\ud800", "\x00", "x" * 100_000, [], {}, [None], [[]]),
    *({"__deferred": {"uri": "x"}}, "1e999999999", "0e-999999999", "NaN", "/Date(99999999999999999)/", "/Date(-1)/"),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "https://elsewhere.example/x", "http://[", "9" * 4000),
)
STRANGE_NUMBERS = ("NaN", "-Infinity", "1e999999999", "-1e-999999999", "0e-999999999", "1" * 5000, "1e400")


def paths(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where everything stands: all keys, and of a list its first element."""
    yield at
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in ("__metadata", "included"):
                yield from paths(inner, (*at, key))
    elif isinstance(value, list) and value:
        yield from paths(value[0], (*at, 0))


def changed(value: Any, path: Sequence[Any], new: Any) -> Any:
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = changed(value[path[0]], path[1:], new)
    return copy


def without(value: Any, path: Sequence[Any]) -> Any:
    copy = value.copy()
    if len(path) == 1:
        del copy[path[0]]
    else:
        copy[path[0]] = without(value[path[0]], path[1:])
    return copy


def insane(value: Any, no_names: Collection[str] = ("",)) -> str:
    """What in a result would hurt whoever uses it next; "" when nothing does. `no_names`: what names nothing there."""
    match value:
        case str() if len(value) > 2 * ENORMOUS:
            return "an enormous text"
        case str():
            try:
                value.encode()
            except UnicodeEncodeError:
                return "a text that cannot be written down"
        case Decimal():
            if not value.is_finite() or abs(value.as_tuple().exponent) > 40 or len(value.as_tuple().digits) > 60:
                return f"a number nobody can work with: {value}"
        case bool() | int() | bytes() | date() | datetime() | Enum() | None:
            return ""
        case Mapping():
            return next((found for pair in value.items() if (found := insane(list(pair), no_names))), "")
        case list() | tuple() | set() | frozenset():
            return next((found for one in value if (found := insane(one, no_names))), "")
        case _ if dataclasses.is_dataclass(value):
            for each in dataclasses.fields(value):
                inner = getattr(value, each.name)
                if each.name in ("id", "ref", "booking") and inner in no_names:
                    return f"a {type(value).__name__} without its {each.name}"
                if found := insane(inner, no_names):
                    return f"{each.name}: {found}"
        case _:
            return f"a {type(value).__name__}"
    return ""


class Bent(httpx.BaseTransport):
    """A vendor some of whose answers are odd for a while; what was asked is done all the same, where it `works`."""

    def __init__(self, line: httpx.BaseTransport) -> None:
        self._line = line
        self._path, self._works = "", False
        self._odd: Odd | None = None
        self.times = 0

    def bend(self, path: str, odd: Odd, *, works: bool) -> None:
        """`path`: a regular expression found in method and path."""
        self._path, self._odd, self._works, self.times = path, odd, works, 0

    def straighten(self) -> None:
        self._odd = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        odd = self._odd
        if odd is None or not re.search(self._path, f"{request.method} {request.url.path}"):
            return self._line.handle_request(request)
        self.times += 1
        if self._works:
            self._line.handle_request(request).read()
        if odd.breaks:
            raise odd.breaks("odd", request=request)
        return httpx.Response(odd.status, headers=list(odd.headers), content=odd.content)
