"""The local stage's address passes everything through, as the HTTP API's own host name would."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import urlsplit

import pytest

from infra.local.front_door import FrontDoor


class _Echo(BaseHTTPRequestHandler):
    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        told = {"method": self.command, "path": self.path, "cookie": self.headers["Cookie"], "body": body.hex()}
        self.send_response(302)
        self.send_header("Set-Cookie", "session=1; HttpOnly")
        self.send_header("Set-Cookie", "csrf=2")
        self.send_header("Location", "/next")
        self.end_headers()
        self.wfile.write(json.dumps(told).encode())

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

    def log_message(self, format: str, *words: object) -> None:
        """Quiet."""


@pytest.fixture
def door() -> Iterator[FrontDoor]:
    door = FrontDoor()
    yield door
    door.close()


@pytest.fixture
def api() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/_aws/execute-api/abc/$default"
    server.shutdown()
    server.server_close()


def _ask(door: FrontDoor, method: str, path: str, body: bytes | None = None, headers: dict | None = None):
    connection = http.client.HTTPConnection(urlsplit(door.url).netloc, timeout=60)
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer, content


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_a_request_arrives_whole_and_so_does_the_answer(door, api, method):
    door.open(api)
    body = None if method == "GET" else b'{"a": "\xc3\xa9"}\x00'
    answer, content = _ask(door, method, "/callback/exact?code=a%2Fb&state=x", body, {"Cookie": "session=0"})
    assert json.loads(content) == {
        "method": method,
        "path": "/_aws/execute-api/abc/$default/callback/exact?code=a%2Fb&state=x",
        "cookie": "session=0",
        "body": (body or b"").hex(),
    }
    assert answer.status == 302
    assert answer.headers["Location"] == "/next"
    assert answer.headers.get_all("Set-Cookie") == ["session=1; HttpOnly", "csrf=2"]


def test_before_the_deploy_it_says_so(door):
    answer, _ = _ask(door, "GET", "/")
    assert answer.status == 503


def test_an_api_that_is_gone_gives_a_gateway_error(door):
    door.open("http://127.0.0.1:9/x")
    answer, _ = _ask(door, "GET", "/")
    assert answer.status == 502
