"""The fakes as servers on this machine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from fakes.kit.server import Fake


class _Handler(WSGIRequestHandler):
    """One connection, kept open between requests.

    Werkzeug's own loop closes after each answer and waits 10 ms for stray bytes, because an application may leave some
    of the body unread. A fake reads every body whole, so neither is needed.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and body leave in two writes; without this the second waits for an ACK

    def run_wsgi(self) -> None:
        begun: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[..., Any]:
            begun[:] = [(status, headers)]
            return self.wfile.write

        try:
            parts = self.server.app(self.make_environ(), start_response)
            self._send_head(*begun[0])
            for part in parts:
                if self.command != "HEAD":
                    self.wfile.write(part)
        except ConnectionError:  # Dropped on purpose, or the client hung up
            self.close_connection = True

    def _send_head(self, status: str, headers: list[tuple[str, str]]) -> None:
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)
        if int(code) not in (204, 304) and not any(name.lower() == "content-length" for name, _ in headers):
            self.send_header("Connection", "close")
        self.end_headers()

    def log_request(self, *_: Any) -> None:
        """Stay quiet: `GET /_fake/journal` knows."""


@contextmanager
def serving(
    fakes: Mapping[str, Fake], host: str = "127.0.0.1", ports: Mapping[str, int] | None = None
) -> Iterator[dict[str, str]]:
    """Run the fakes on their ports (default: free ones) inside the `with`; gives the base URL of each."""
    with ExitStack() as stack:
        servers: dict[str, BaseWSGIServer] = {}
        for name, fake in fakes.items():  # take every port before anything answers
            port = (ports or {}).get(name, 0)
            servers[name] = make_server(host, port, fake, threaded=True, request_handler=_Handler)
            stack.callback(servers[name].server_close)
        for name, server in servers.items():
            threading.Thread(target=server.serve_forever, args=(0.1,), name=f"fake-{name}", daemon=True).start()
            stack.callback(server.shutdown)
        yield {name: f"http://{host}:{server.port}" for name, server in servers.items()}
