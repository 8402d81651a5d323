"""What HTTP means to every vendor: a question may be asked again, a booking is sent once.

Reads and writes differ in one thing only. A read is repeated when the line fails; a write never is, because no vendor
takes an idempotency key (design.md 5): without a whole answer its outcome is `Unknown` and somebody looks first.
"""

from __future__ import annotations

import functools
import json
import random
import ssl
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any

import httpx

from ..domain.errors import UnexpectedAnswer, VendorDown
from ..domain.ledger import Unknown

TIMEOUT = httpx.Timeout(30, connect=5)
MOST_BYTES = 8_000_000  # of one answer, unpacked
MOST_DIGITS = 40  # of a number, before and after the point
GATEWAY_FAULTS = frozenset({502, 503, 504})  # said by whoever stands before the vendor, not by the vendor

# Where nothing can have left the house.
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
# The body is kept unpacked and whole, so these say nothing true about it any more.
_OF_THE_LINE = frozenset({"content-encoding", "content-length", "transfer-encoding"})


def new_client(transport: httpx.BaseTransport | None = None) -> httpx.Client:
    """The one client of a process: no redirects and no retries of its own."""
    verify = _ssl_context() if transport is None else True  # another transport brings its own, or needs none
    return httpx.Client(transport=transport, verify=verify, timeout=TIMEOUT, follow_redirects=False)


@functools.cache
def _ssl_context() -> ssl.SSLContext:
    """Loading the certificates is half the price of a client: once a process."""
    return httpx.create_ssl_context()


class Http:
    """One vendor, reached over a shared client."""

    def __init__(self, vendor: str, client: httpx.Client, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self.vendor = vendor
        self._client = client
        self._sleep = sleep

    def read(
        self,
        request: httpx.Request,
        *,
        tries: int = 3,
        again: Collection[int] = GATEWAY_FAULTS,
        most_bytes: int | None = None,
    ) -> httpx.Response:
        """Ask a question, and ask it again when the line fails or the answer is one of the statuses in `again`.

        Raises: VendorDown after the last try, UnexpectedAnswer when the answer is larger than any we expect
        (`most_bytes`: for this question).
        """
        for earlier in range(tries):
            if earlier:
                self._sleep(random.uniform(0.1, 0.5 * 4**earlier))
            try:
                response = self._whole(request, most_bytes)
            except httpx.RequestError:
                continue
            if response.status_code not in again:
                return response
        raise VendorDown(vendor=self.vendor)

    def send_once(self, request: httpx.Request) -> httpx.Response | Unknown:
        """Send a write, once.

        Raises: VendorDown when no connection could be made, so that nothing left the house. Everything else that is
        not a whole answer is `Unknown`. What a status means, 5xx included, is the vendor's business.
        """
        try:
            return self._whole(request)
        except _NEVER_SENT as error:
            raise VendorDown(vendor=self.vendor) from error
        except (httpx.RequestError, UnexpectedAnswer) as error:
            return Unknown(why=f"{type(error).__name__}: {error}")

    def _whole(self, request: httpx.Request, most_bytes: int | None = None) -> httpx.Response:
        """The answer with its body, which must fit and come in time."""
        most_bytes = most_bytes or MOST_BYTES
        started = time.monotonic()
        response = self._client.send(request, stream=True)
        try:
            # httpx counts its time-outs per packet: a dripping body would hold a lease for ever.
            longest = sum(request.extensions["timeout"][phase] for phase in ("connect", "write", "read"))
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > most_bytes:
                    raise UnexpectedAnswer(vendor=self.vendor, said=f"an answer of more than {most_bytes} bytes")
                if time.monotonic() - started > longest:
                    raise httpx.ReadTimeout("the body took too long", request=request)
        finally:
            response.close()
        headers = [(name, value) for name, value in response.headers.multi_items() if name not in _OF_THE_LINE]
        return httpx.Response(response.status_code, headers=headers, content=bytes(body), request=request)


def json_of(response: httpx.Response, vendor: str) -> Any:
    """The JSON of an answer, amounts as Decimal and never through a float; whole numbers stay int.

    Raises: VendorDown when a 2xx or 5xx is not JSON: a maintenance page, so a read comes back later (after a *write*
    it says nothing about what was written; use it there only where that is caught). UnexpectedAnswer for any other
    status, quoting its beginning.
    """
    try:
        return parsed(response)
    except ValueError as error:
        if response.is_success or response.is_server_error:
            raise VendorDown(vendor=vendor) from error
        raise UnexpectedAnswer(vendor=vendor, said=f"{response.status_code} {beginning(response)}") from error


def parsed(response: httpx.Response) -> Any:
    """The JSON of an answer. Raises ValueError for what is none, or could mean two things, or fits in no memory."""
    try:
        found = json.loads(
            response.content,
            parse_float=lambda text: workable(Decimal(text)),
            parse_constant=_no_number,
            object_pairs_hook=_no_twins,
        )
        return _mended(found) if b"\\ud" in response.content.lower() else found
    except (RecursionError, ArithmeticError) as error:
        raise ValueError("deeper or larger than anything we read") from error


def to_json(value: Any) -> str:
    """JSON in which a Decimal is a number to its last digit, keys stay in order and nothing is escaped needlessly.

    >>> to_json({"AmountFC": Decimal("1000.10"), "VATCode": "2"})
    '{"AmountFC":1000.10,"VATCode":"2"}'
    """
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(key)}:{to_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ",".join(map(to_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def workable(number: Decimal) -> Decimal:
    """The number itself, if it can be written out: 1e999999999 is twelve bytes on the line and a gigabyte in full.

    Raises: ValueError.
    """
    _, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int) or abs(exponent) > MOST_DIGITS or len(digits) > MOST_DIGITS:
        raise ValueError("a number nobody can work with")
    return number


def beginning(response: httpx.Response, most: int = 200) -> str:
    """How an answer begins, for people. Always read as UTF-8: a charset named in a header may be no charset at all."""
    return response.content[: 4 * most].decode("utf-8", "replace")[:most]


def plain(text: str, most: int = 500) -> str:
    """A vendor's own words, short enough to keep and free of what cannot be written down (half a surrogate pair)."""
    return text[:most].encode("utf-8", "replace").decode()


def _mended(value: Any) -> Any:
    """Without half surrogate pairs, which nobody can write down: a text that was cut in the middle of an emoji."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()
        case dict():
            return {_mended(name): _mended(inner) for name, inner in value.items()}
        case list():
            return [_mended(inner) for inner in value]
    return value


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no number")


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key that comes twice")
    return found
