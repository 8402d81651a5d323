"""A fake vendor in process, whose dropped connections look as they do on a real line."""

from __future__ import annotations

import httpx

from fakes.kit.server import Dropped, Fake


def fake_transport(fake: Fake) -> httpx.BaseTransport:
    """Calls the fake directly; a connection it drops is an `httpx.ReadError`, as after a closed socket."""
    return _FakeTransport(fake)


class _FakeTransport(httpx.BaseTransport):
    def __init__(self, fake: Fake) -> None:
        self._wsgi = httpx.WSGITransport(app=fake)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        try:
            response = self._wsgi.handle_request(request)
            response.read()
        except Dropped as error:
            raise httpx.ReadError("the fake dropped the connection", request=request) from error
        return response
