"""`Fake`: what every fake vendor is, whatever it sells."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from werkzeug import Request, Response
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map

from fakes.kit import control
from fakes.kit.clock import FakeClock
from fakes.kit.errors import BadCommand, Dropped, Refusal
from fakes.kit.faults import Fault, FaultRules

__all__ = ["BadCommand", "Dropped", "Fake", "Refusal"]

HTML_PAGE = (
    "<!doctype html><html><head><title>Maintenance</title></head><body><h1>We will be back soon</h1></body></html>"
)


class Fake:
    """A vendor's server as a WSGI application, with the control API under `/_fake/`.

    A subclass gives `vendor`, `rules` (or its own `respond`), `reset`, `seed`, and what it wants of the hooks below.
    Each request runs under one lock, so the vendor's code needs none.
    """

    vendor: ClassVar[str]
    rules: Map = Map()  # endpoint: a method's name, or a callable (fake, request, **values)

    def __init__(self, clock: FakeClock | None = None, *, seed: str = "empty") -> None:
        self.clock = clock or FakeClock()
        self.lock = threading.RLock()
        self.faults = FaultRules()
        self.journal: list[dict[str, Any]] = []
        self.client_id = secrets.token_hex(16)
        self.client_secret = secrets.token_hex(16)
        self.state: Any = None  # the vendor's own; has `version`, a number that moves with each change
        self.reset(seed)

    # --- what a vendor overrides -------------------------------------------------------------------------------------

    def respond(self, request: Request) -> Response:
        """The vendor's own answer; default: the method that `rules` names for this path."""
        adapter = self.rules.bind_to_environ(request.environ)
        endpoint, values = adapter.match()
        call = getattr(self, endpoint) if isinstance(endpoint, str) else endpoint.__get__(self)
        return call(request, **values)

    def caller_of(self, request: Request) -> tuple[str, str]:
        """(caller, tenant) for the journal and for faults; empty when unknown."""
        return "", ""

    def reset(self, seed: str) -> None:
        """Fresh state; clients and clock stay. BadCommand for a seed that does not exist."""
        raise NotImplementedError

    def seed(self, body: dict[str, Any]) -> dict[str, Any]:
        """Add objects in the vendor's spelling; answers with what was made."""
        raise BadCommand("nothing can be seeded here")

    def sections(self) -> dict[str, Callable[[], list[Any] | dict[str, Any]]]:
        """The parts of `GET /_fake/state`."""
        return {}

    def levers(self) -> dict[str, Callable[[dict[str, Any]], dict[str, Any]]]:
        """What a person does by hand in the vendor's own screens: `POST /_fake/<name>`."""
        return {}

    def cost_of(self, request: Request, response: Response) -> int:
        """What this request counts for: calls, or credits."""
        return 1

    def stale(self, request: Request) -> Response | None:
        """The answer as it was before the last change (fault stale_read); None: this call cannot be stale."""
        return None

    def rate_limited(self, request: Request) -> Response:
        """The vendor's own 429 (fault rate_limit)."""
        return Response("Too Many Requests", status=429)

    def failure(self, request: Request, status: int) -> Response:
        """How a plain HTTP failure of this vendor looks (fault status)."""
        return Response(f"{status}", status=status, content_type="text/plain")

    def revoke_token(self, request: Request) -> None:
        """Kill every token of the caller's grant (fault revoke_token)."""

    def described(self, base_url: str) -> dict[str, str]:
        """What a client needs to know to talk to this fake, as `serve` prints it."""
        return {"base_url": base_url, "client_id": self.client_id, "client_secret": self.client_secret}

    # --- the machine -------------------------------------------------------------------------------------------------

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        request = Request(environ)
        request.get_data(cache=True, parse_form_data=False)  # read it all: the next request uses the same socket
        if request.path.startswith("/_fake/"):
            return control.answer(self, request)(environ, start_response)
        answer = self._serve(request)
        if isinstance(answer, Response):
            answer.date = self.clock.now()  # the vendor's own time, as on its every answer
        return answer(environ, start_response)

    def _serve(self, request: Request) -> Callable[..., Any]:
        with self.lock:
            _, tenant = self.caller_of(request)
        fault = self.faults.take(request.method, request.path, tenant)
        match fault:
            case None:
                return self._carry_out(request)
            case Fault("drop_before"):
                self._note(request, Response(status=500), changed=False, status=0)
                raise Dropped("drop_before")
            case Fault("commit_then_drop"):
                self._carry_out(request, status=0)
                raise Dropped("commit_then_drop")
            case Fault("half_body"):
                return _half(self._carry_out(request))
            case Fault("twice"):
                self._carry_out(request)
                return self._carry_out(_again(request))
            case Fault("slow", seconds):
                response = self._carry_out(request)
                time.sleep(seconds)
                return response
            case Fault("revoke_token"):
                with self.lock:
                    self.revoke_token(request)
                return self._carry_out(request)
            case Fault("stale_read"):
                return self._carry_out(request, by=lambda r: self.stale(r) or self._answer(r))
            case Fault("html_page"):
                page = Response(HTML_PAGE, content_type="text/html; charset=utf-8")
                return self._carry_out(request, by=lambda _: page)
            case Fault("rate_limit"):
                return self._carry_out(request, by=self.rate_limited)
            case Fault("status", status):
                return self._carry_out(request, by=lambda r: self.failure(r, int(status)))
        raise AssertionError(fault)

    def _carry_out(
        self, request: Request, *, by: Callable[[Request], Response] | None = None, status: int | None = None
    ) -> Response:
        with self.lock:
            before = self.state.version
            response = (by or self._answer)(request)
            self._note(request, response, changed=self.state.version != before, status=status)
            return response

    def _answer(self, request: Request) -> Response:
        try:
            return self.respond(request)
        except Refusal as refusal:
            return refusal.response
        except HTTPException as error:
            return Response.force_type(error.get_response(request.environ))

    def _note(self, request: Request, response: Response, *, changed: bool, status: int | None = None) -> None:
        with self.lock:
            caller, tenant = self.caller_of(request)
            self.journal.append(
                {
                    "at": self.clock.now().isoformat(),
                    "caller": caller,
                    "tenant": tenant,
                    "method": request.method,
                    "path": request.path,
                    "status": response.status_code if status is None else status,
                    "cost": 0 if status == 0 and not changed else self.cost_of(request, response),
                    "changed": changed,
                }
            )


def _again(request: Request) -> Request:
    """The same request as if it had come a second time."""
    environ = {key: value for key, value in request.environ.items() if not key.startswith("werkzeug.")}
    again = Request(environ, populate_request=False)
    again._cached_data = request.get_data(cache=True)
    return again


def _half(response: Response) -> Callable[..., Any]:
    """The answer, of which only the first half of the body arrives."""

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
        body = response.get_data()
        if len(body) < 2:
            raise Dropped("half_body: there was no body")
        start_response(response.status, response.get_wsgi_headers(environ).to_wsgi_list())

        def parts() -> Iterator[bytes]:
            yield body[: len(body) // 2]
            raise Dropped("half_body")

        return parts()

    return application
