"""The address people and vendors use for the local stage: http://127.0.0.1:<port>/ instead of ministack's long paths.

In AWS the HTTP API has a host name of its own. ministack serves it under /_aws/execute-api/<api>/$default/…, known
only after deploying and useless for redirect addresses and cookies. This door is open before the deploy, so its
address can be a parameter of the template (PublicUrl).
"""

from __future__ import annotations

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

# Of the connection and not of the message (RFC 9110, 7.6.1); the length is counted again.
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "host", "content-length"}


class FrontDoor:
    """Listens at once; answers 503 until `open` says where the API is."""

    def __init__(self) -> None:
        door = self
        self._target: str | None = None

        class Request(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # head and body leave in two writes; the second would wait for an ACK

            def forward(self) -> None:
                door._forward(self)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = forward

            def log_message(self, format: str, *words: object) -> None:
                """Quiet: paths of webhooks hold tokens."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Request)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, name="front door", daemon=True).start()

    def open(self, target: str) -> None:
        self._target = target

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _forward(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        if self._target is None:
            status, headers, answer = 503, [("Content-Type", "text/plain")], b"not deployed yet"
        else:
            status, headers, answer = self._ask(self._target, request, body or None)
        request.send_response_only(status)  # date and server come from behind the door
        for name, value in headers:
            if name.lower() not in HOP_BY_HOP:
                request.send_header(name, value)
        request.send_header("Content-Length", str(len(answer)))
        request.end_headers()
        if request.command != "HEAD":
            request.wfile.write(answer)

    def _ask(
        self, target: str, request: BaseHTTPRequestHandler, body: bytes | None
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        there = urlsplit(target)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP}
        connection = http.client.HTTPConnection(there.hostname or "", there.port, timeout=60)
        try:
            connection.request(request.command, there.path + request.path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        except OSError as failed:
            return 502, [("Content-Type", "text/plain")], str(failed).encode()
        finally:
            connection.close()
