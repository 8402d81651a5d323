"""`ExactFake`: Exact Online as a WSGI application, sign-in included."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from typing import Any

from werkzeug import Request, Response

from fakes.exact import errors, levers, load, matchsets, render, routes, webhooks
from fakes.exact.errors import BusinessRefusal, Refused
from fakes.exact.limits import Limits
from fakes.exact.oauth import Chain, Grants, TokenRefusal
from fakes.exact.seed import demo_seed
from fakes.exact.state import Division, Row, State
from fakes.kit import consent
from fakes.kit.clock import FakeClock
from fakes.kit.faults import BadCommand
from fakes.kit.server import Fake

_AUTH, _TOKEN, _UPLOAD, _DOWNLOAD = (
    "/api/oauth2/auth",
    "/api/oauth2/token",
    "/docs/xmlupload.aspx",
    "/docs/sysattachment.aspx",
)


class ExactFake(Fake):
    """One server for every country; its one application is known by `client_id`, `client_secret`, `webhook_secret`."""

    vendor = "exact"
    state: State

    def __init__(self, clock: FakeClock | None = None, *, seed: str = "empty") -> None:
        self.webhook_secret = secrets.token_hex(16)
        self.redirect_uris: list[str] = []  # registered with the app, so they outlive a reset
        self.outbox = webhooks.Outbox()
        super().__init__(clock, seed=seed)
        self.client_id = str(uuid.uuid4())

    # --- the control API ---

    def reset(self, seed: str) -> None:
        if seed not in ("empty", "demo"):
            raise BadCommand(f"no seed {seed!r}; there are 'empty' and 'demo'")
        self.state = State(self.clock)
        self.grants = Grants(self.state)
        self.limits = Limits(self.state.switches)
        if seed == "demo":
            self.seed(demo_seed())

    def seed(self, body: Row) -> Row:
        return self._by_hand(lambda rows: load.load(self.state, rows, self.redirect_uris), body)

    def sections(self) -> dict[str, Callable[[], list[Any] | dict[str, Any]]]:
        return load.sections(self.state, self.grants, self.limits)

    def levers(self) -> dict[str, Callable[[Row], Row]]:
        def by_hand(lever: levers.Lever) -> Callable[[Row], Row]:
            return lambda body: self._by_hand(lambda rows: lever(self.state, rows), body)

        return {name: by_hand(lever) for name, lever in levers.LEVERS.items()}

    def _by_hand(self, deed: Callable[[Row], Row], body: Row) -> Row:
        """Something a person does in the vendor's screens; webhooks tell of it as of any change."""
        self.state.begin()
        self.state.actor = (None, "Boekhouder")
        try:
            return deed(body)
        except BusinessRefusal as refusal:
            raise BadCommand(refusal.text("EN")) from refusal
        except Refused as refusal:
            raise BadCommand(refusal.message or f"refused with {refusal.status}") from refusal
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            raise BadCommand(f"{type(error).__name__}: {error}") from error
        finally:
            self._announce()

    def described(self, base_url: str) -> dict[str, str]:
        return {**super().described(base_url), "webhook_secret": self.webhook_secret}

    # --- who calls ---

    def caller_of(self, request: Request) -> tuple[str, str]:
        if request.path.lower() == _TOKEN:
            user = self.grants.user_of(request.form)
            return f"{user}@{request.form.get('client_id') or self.client_id}", ""
        chain = self._chain(request)
        division = _division_of(request)
        return (f"{chain.user}@{chain.client}" if chain else ""), ("" if division is None else str(division))

    def _chain(self, request: Request) -> Chain | None:
        found = self.grants.chain_of(request.headers.get("Authorization"))
        return found[0] if found else None

    def revoke_token(self, request: Request) -> None:
        chain = self._chain(request) or self.grants.by_refresh.get(request.form.get("refresh_token", ""))
        if chain:
            self.grants.kill(chain)

    def stale(self, request: Request) -> Response | None:
        if request.method != "GET" or not request.path.lower().startswith("/api/v1/"):
            return None
        with self.state.before_last_change():
            return self._answer(request)

    def rate_limited(self, request: Request) -> Response:
        chain, division = self._chain(request), _division_of(request)
        client = chain.client if chain else self.client_id
        headers = self.limits.minute_headers(client, division or 0, self.state.now())
        return Response(status=429, headers=headers)

    def failure(self, request: Request, status: int) -> Response:
        if status in (401, 429) or status > 500 or request.path.lower() == _TOKEN:
            return Response(status=status)
        return _refusal(status, "")

    # --- the vendor ---

    def respond(self, request: Request) -> Response:
        self.state.begin()
        self.state.host_url = request.host_url
        match request.path.lower():
            case p if p == _AUTH:
                return self._authorise(request)
            case p if p == _TOKEN:
                return self._token(request)
            case p if p.startswith("/api/v1/") or p in (_UPLOAD, _DOWNLOAD):
                response = self._call(request)
                self._announce()
                return response
        return _refusal(404, "Resource not found.")

    def _authorise(self, request: Request) -> Response:
        """The log-in and consent page. Anything wrong with the request itself never reaches the redirect URI."""
        asked = request.args
        redirect_uri = asked.get("redirect_uri", "")
        known = asked.get("client_id", "").strip("{}") == self.client_id and asked.get("response_type") == "code"
        if not known or redirect_uri not in self.redirect_uris or not consent.is_safe_url(redirect_uri):
            return Response("<h1>Ongeldig verzoek</h1>", status=400, content_type="text/html; charset=utf-8")
        users = [(name, f"{row.get('FullName') or name} ({name})") for name, row in self.state.users.items()]
        decision = consent.decision(request, users)
        if decision is None:
            return consent.page("Exact Online", self.client_id, users, {})
        if decision.user is None:
            return consent.back_to(redirect_uri, error="access_denied", state=asked.get("state"))
        code = self.grants.new_code(self.client_id, decision.user, redirect_uri)
        return consent.back_to(redirect_uri, code=code, state=asked.get("state"))

    def _token(self, request: Request) -> Response:
        if request.method != "POST":
            return Response(status=405, headers={"Allow": "POST"})
        form = dict(request.form.items())
        if "client_id" in form:
            form["client_id"] = form["client_id"].strip("{}")
        try:
            clients = {self.client_id: self.client_secret}
            body = self.grants.token(form, request.headers.get("Authorization"), clients)
        except TokenRefusal as refusal:
            text = render.dumps(refusal.body) if refusal.body else b""
            response = Response(text, status=refusal.status, content_type="application/json; charset=utf-8")
            if refusal.reason:
                response.headers["Reason"] = refusal.reason
            return response
        return Response(render.dumps(body), content_type="application/json; charset=utf-8")

    def _call(self, request: Request) -> Response:
        """A call with a token: let it in or not, answer, and count the errors."""
        found = self.grants.chain_of(request.headers.get("Authorization"))
        if found is None:
            return Response(status=401)
        chain, alive = found
        now = self.state.now()
        target = routes.target_of(request.path)
        division = _division_of(request)
        place = (chain.client, chain.user, division or 0, target.endpoint if target else request.path.lower())
        if self.limits.is_blocked(place, now):
            return Response(status=429)
        try:
            response = self._let_in(request, chain, target, division) if alive else Response(status=401)
        except Refused as refusal:
            response = _refusal(refusal.status, refusal.message, refusal.headers)
        except BusinessRefusal as refusal:
            language = self.state.users[chain.user].get("LanguageCode") or "NL"
            response = _refusal(500, refusal.text(language))
        self.limits.note(place, response.status_code, now)
        if division in self.state.divisions and response.status_code != 429:
            response.headers.update(self.limits.headers(chain.client, division, now))
        return response

    def _let_in(self, request: Request, chain: Chain, target: routes.Target | None, number: int | None) -> Response:
        state = self.state
        chain.used = True
        user = state.users[chain.user]
        state.actor = (user["UserID"], user.get("FullName") or chain.user)
        division = self._open(chain, user, target, number)
        upload = request.path.lower()
        if upload in (_UPLOAD, _DOWNLOAD) and division is not None:
            return self._upload(request, division) if upload == _UPLOAD else _download(request, division)
        if target is None:
            raise Refused(404, "Resource not found.")
        response = routes.Api(state, request, division, user).answer(request, target, division)
        if target.kind.table == "WebhookSubscriptions" and request.method == "POST":
            self._test_subscriptions(division)
        return response

    def _open(self, chain: Chain, user: Row, target: routes.Target | None, number: int | None) -> Division | None:
        """The division of the call, with one call taken from its budget. 403 if it is not for this user or this app."""
        switches = self.state.switches
        scope = target.kind.scope if target else None
        if switches.scopes is not None and scope and scope not in switches.scopes:
            raise Refused(403, errors.FORBIDDEN)
        if number is None:
            return None
        if number not in self.state.divisions or number not in user["divisions"]:
            raise Refused(403, errors.FORBIDDEN, {"Reason": "NoDivisionAccess"})
        if switches.division_scope is not None and number not in switches.division_scope:
            raise Refused(403, errors.OUT_OF_SCOPE)
        division = self.state.divisions[number]
        if division.row.get("BlockingStatus"):
            raise Refused(403, errors.FORBIDDEN, {"Reason": "DivisionBlocked"})
        if (headers := self.limits.spend(chain.client, number, self.state.now())) is not None:
            raise Refused(429, None, headers)
        user["_api_division"] = number
        return division

    def _upload(self, request: Request, division: Division) -> Response:
        if request.method != "POST":
            raise Refused(405, None, {"Allow": "POST"})
        if request.args.get("Topic", "").lower() != "matchsets":
            raise Refused(400)
        answer = matchsets.upload(division, request.get_data(cache=True))
        return Response(answer, content_type="text/xml; charset=utf-8")

    # --- webhooks ---

    def _announce(self) -> None:
        """Tell subscribers what this request changed."""
        for (number, topic, key), action in self.state.events.items():
            for subscription in self.state.divisions[number]["WebhookSubscriptions"]:
                if subscription["Topic"] == topic:
                    at = self.state.now().replace(tzinfo=None).isoformat(timespec="milliseconds")
                    base = self.state.host_url.rstrip("/")
                    body = webhooks.message(self.webhook_secret, base, topic, action, number, key, at)
                    self.outbox.put(subscription["CallbackURL"], body)
        self.state.events = {}

    def _test_subscriptions(self, division: Division | None) -> None:
        """Call each new receiver once with nothing; one that does not answer 2xx loses its subscription."""
        for row in list(division["WebhookSubscriptions"]) if division else []:
            if row.get("_tested"):
                continue
            row["_tested"] = True

            def refused(key: str = row["ID"]) -> None:
                with self.lock:
                    if division["WebhookSubscriptions"].get(key):
                        division["WebhookSubscriptions"].drop(key)

            self.outbox.put(row["CallbackURL"], b"", refused)


def _division_of(request: Request) -> int | None:
    """The division number in the address, if it names one."""
    part = request.args.get("_Division_", "")
    if request.path.lower().startswith("/api/v1/"):
        part = request.path.split("/")[3]
    return int(part) if part.isdigit() else None


def _download(request: Request, division: Division) -> Response:
    content = division.contents.get(request.args.get("ID", "").lower())
    if content is None:
        raise Refused(404)
    return Response(content, content_type="application/octet-stream")


def _refusal(status: int, message: str | None, headers: dict[str, str] | None = None) -> Response:
    if message is None:
        return Response(status=status, headers=headers)
    return Response(render.dumps(errors.body(message)), status=status, headers=headers, content_type=routes.JSON_TYPE)
