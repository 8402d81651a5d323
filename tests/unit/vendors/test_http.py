"""Reads are repeated, writes are not, and a number never becomes a float."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from decimal import Decimal

import httpx
import pytest

from boekbrug.domain.errors import UnexpectedAnswer, VendorDown
from boekbrug.domain.ledger import Unknown
from boekbrug.vendors import http as house
from boekbrug.vendors.http import Http, json_of, new_client


class Line:
    """A line on which each call meets the next of `events`: a response, or an error to raise."""

    def __init__(self, *events: httpx.Response | Callable[[httpx.Request], Exception]) -> None:
        self.events = list(events)
        self.calls = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.calls += 1
        event = self.events.pop(0)
        if isinstance(event, httpx.Response):
            return event
        raise event(request)


def fails(kind: type[httpx.RequestError]) -> Callable[[httpx.Request], Exception]:
    return lambda request: kind("the line", request=request)


class Broken(httpx.SyncByteStream):
    """A body that ends in the middle."""

    def __iter__(self) -> Iterator[bytes]:
        yield b'{"data": ['
        raise httpx.RemoteProtocolError("half a body")


class Dripping(httpx.SyncByteStream):
    def __iter__(self) -> Iterator[bytes]:
        while True:
            yield b" "


def an_http(line: Line, sleeps: list[float] | None = None) -> Http:
    return Http("exact", new_client(httpx.MockTransport(line)), sleep=(sleeps if sleeps is not None else []).append)


def a_request() -> httpx.Request:
    return httpx.Request("GET", "https://vendor.example/thing")


@pytest.mark.parametrize(
    "trouble",
    [
        fails(httpx.ConnectError),
        fails(httpx.ReadTimeout),
        fails(httpx.ReadError),
        httpx.Response(200, stream=Broken()),
        httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(b"no gzip")),
        httpx.Response(502),
        httpx.Response(503),
        httpx.Response(504),
    ],
)
def test_a_read_is_asked_again_after_trouble_on_the_line(trouble):
    sleeps: list[float] = []
    line = Line(trouble, httpx.Response(200, json={"data": 1}))

    answer = an_http(line, sleeps).read(a_request())

    assert json_of(answer, "exact") == {"data": 1}
    assert len(sleeps) == 1


def test_a_read_gives_up_after_three_tries():
    line = Line(*[httpx.Response(503)] * 4)
    with pytest.raises(VendorDown) as down:
        an_http(line).read(a_request())
    assert down.value.facts == {"vendor": "exact"}
    assert line.calls == 3


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500])
def test_an_answer_of_the_vendor_itself_is_the_callers_business(status):
    line = Line(httpx.Response(status, text="no"))
    answer = an_http(line).read(a_request())
    assert (answer.status_code, answer.text, line.calls) == (status, "no", 1)


def test_a_caller_may_name_more_statuses_to_ask_again():
    line = Line(httpx.Response(500), httpx.Response(200))
    assert an_http(line).read(a_request(), again={500}).status_code == 200


@pytest.mark.parametrize("kind", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout])
def test_a_write_that_never_left_the_house_was_not_sent(kind):
    line = Line(fails(kind))
    with pytest.raises(VendorDown):
        an_http(line).send_once(a_request())
    assert line.calls == 1


@pytest.mark.parametrize(
    "trouble",
    [
        fails(httpx.ReadTimeout),
        fails(httpx.ReadError),
        fails(httpx.WriteError),
        fails(httpx.RemoteProtocolError),
        httpx.Response(201, stream=Broken()),
    ],
)
def test_a_write_without_a_whole_answer_is_unknown_and_never_repeated(trouble):
    line = Line(trouble, httpx.Response(201))
    assert isinstance(an_http(line).send_once(a_request()), Unknown)
    assert line.calls == 1


@pytest.mark.parametrize("status", [201, 400, 429, 500, 503])
def test_a_write_answered_whole_is_handed_over_whatever_it_says(status):
    line = Line(httpx.Response(status))
    answer = an_http(line).send_once(a_request())
    assert isinstance(answer, httpx.Response)
    assert (answer.status_code, line.calls) == (status, 1)


@pytest.mark.parametrize("text", ["1e99999999999999999999", "-1e-99999999999999999999", "1e999999999", "NaN"])
def test_a_number_nobody_can_hold_is_no_answer(text):
    """Not to be told from a decimal by anybody who reads it: as unreadable as a page."""
    with pytest.raises(ValueError):
        house.parsed(httpx.Response(200, content=f'{{"total": {text}}}'))


def test_an_answer_too_large_is_not_parsed(monkeypatch):
    monkeypatch.setattr(house, "MOST_BYTES", 1000)
    bomb = gzip.compress(b"0" * 100_000)
    packed = {"Content-Encoding": "gzip"}
    line = Line(httpx.Response(200, headers=packed, content=bomb), httpx.Response(200, headers=packed, content=bomb))

    with pytest.raises(UnexpectedAnswer):
        an_http(line).read(a_request())
    assert isinstance(an_http(line).send_once(a_request()), Unknown)


def test_a_dripping_body_does_not_hold_a_lease_for_ever(monkeypatch):
    ticks = iter(range(0, 10_000, 20))
    monkeypatch.setattr(house.time, "monotonic", lambda: next(ticks))
    line = Line(httpx.Response(200, stream=Dripping()))
    assert "ReadTimeout" in an_http(line).send_once(a_request()).why


def test_a_packed_answer_arrives_unpacked():
    packed = gzip.compress(b'{"amount": 0.10}')
    line = Line(httpx.Response(200, headers={"Content-Encoding": "gzip"}, content=packed))
    assert json_of(an_http(line).read(a_request()), "exact") == {"amount": Decimal("0.10")}


def test_a_redirect_is_not_followed():
    line = Line(httpx.Response(302, headers={"Location": "https://elsewhere.example"}))
    assert an_http(line).read(a_request()).status_code == 302
    assert line.calls == 1


def test_amounts_keep_every_decimal_and_whole_numbers_stay_whole():
    answer = httpx.Response(200, text='{"amount": 4995.10, "quantity": 3, "rate": 1e-2}')
    assert str(json_of(answer, "exact")) == "{'amount': Decimal('4995.10'), 'quantity': 3, 'rate': Decimal('0.01')}"


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize("body", ["<html>Maintenance</html>", '{"data": [', '{"amount": NaN}', "[" * 100_000, ""])
def test_no_json_where_json_was_due_means_the_vendor_is_down(status, body):
    with pytest.raises(VendorDown):
        json_of(httpx.Response(status, text=body), "exact")


def test_a_refusal_that_is_no_json_is_quoted():
    with pytest.raises(UnexpectedAnswer) as raised:
        json_of(httpx.Response(403, text="<html>Forbidden</html>"), "exact")
    assert raised.value.facts["said"] == "403 <html>Forbidden</html>"
