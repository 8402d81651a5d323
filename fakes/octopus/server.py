"""`OctopusFake`: Octopus as a WSGI application: log-in, OAuth, tokens, and the door to each dossier."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from typing import Any

from werkzeug import Request, Response
from werkzeug.exceptions import HTTPException

from fakes.kit import consent
from fakes.kit.clock import FakeClock
from fakes.kit.errors import BadCommand
from fakes.kit.server import Fake
from fakes.octopus import levers, load, payload, render, routes
from fakes.octopus.errors import LANGUAGES, Refused, business, nothing_found
from fakes.octopus.limits import Limits
from fakes.octopus.routes import Call, Operation
from fakes.octopus.seed import USER, demo_seed
from fakes.octopus.state import Dossier, State, User
from fakes.octopus.tokens import Token, TokenRefusal, Tokens

OAUTH = "/octopus-oauth"
VERSION = "51.9.17"
Row = dict[str, Any]


class OctopusFake(Fake):
    """One server for every dossier. `software_house_uuid` is the OAuth client id too; there is no secret."""

    vendor = "octopus"
    rules = routes.RULES
    state: State

    def __init__(self, clock: FakeClock | None = None, *, seed: str = "empty") -> None:
        self.software_house_uuid = str(uuid.uuid4())
        self.user, self.password = USER, secrets.token_hex(8)
        self.redirect_uris: list[str] = []  # registered with the software house, so they outlive a reset
        super().__init__(clock, seed=seed)

    # --- the control API ---

    def reset(self, seed: str) -> None:
        if seed not in ("empty", "demo"):
            raise BadCommand(f"no seed {seed!r}; there are 'empty' and 'demo'")
        self.state, self.tokens, self.limits = State(self.clock), Tokens(), Limits()
        self.state.users[self.user] = User(self.user, self.password)
        if seed == "demo":
            self.seed(demo_seed())

    def seed(self, body: Row) -> Row:
        return self._by_hand(lambda rows: load.load(self.state, rows, self.redirect_uris, self.password), body)

    def sections(self) -> dict[str, Callable[[], Any]]:
        return load.sections(self.state, self.tokens, self.limits)

    def levers(self) -> dict[str, Callable[[Row], Row]]:
        def by_hand(lever: levers.Lever) -> Callable[[Row], Row]:
            return lambda body: self._by_hand(lambda rows: lever(self.state, rows), body)

        return {name: by_hand(lever) for name, lever in levers.LEVERS.items()}

    def _by_hand(self, deed: Callable[[Row], Row], body: Row) -> Row:
        """Something a person does in Octopus itself."""
        try:
            return deed(body)
        except Refused as refusal:
            raise BadCommand(refusal.body("en")) from refusal
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            raise BadCommand(f"{type(error).__name__}: {error}") from error

    def described(self, base_url: str) -> dict[str, str]:
        return {
            "base_url": base_url + routes.BASE,
            "oauth_url": base_url + OAUTH,
            "software_house_uuid": self.software_house_uuid,
            "user": self.user,
            "password": self.password,
        }

    # --- who calls ---

    def caller_of(self, request: Request) -> tuple[str, str]:
        token = self._any_token(request)
        return (token.grant.user if token else ""), _dossier_in(request)

    def _any_token(self, request: Request) -> Token | None:
        """The token of a request, alive or not."""
        headers = request.headers
        return self.tokens.given.get(headers.get("dossierToken") or headers.get("Token") or "")

    def revoke_token(self, request: Request) -> None:
        if token := self._any_token(request) or self.tokens.refresh.get(request.form.get("refresh_token", "")):
            self.tokens.kill(token.grant)

    def stale(self, request: Request) -> Response | None:
        dossier = self.state.dossiers.get(int(_dossier_in(request) or 0))
        if dossier is None or (request.method != "GET" and "/reports/" not in request.path):
            return None
        with dossier.records.before_last_change():
            return self._answer(request)

    def rate_limited(self, request: Request) -> Response:
        return _refusal(Refused(self.state.switches.quota_status, "Daily limit of this operation reached"), "nl")

    def failure(self, request: Request, status: int) -> Response:
        return _refusal(Refused(status, f"HTTP {status}", page=status >= 500), "nl")

    # --- the vendor ---

    def respond(self, request: Request) -> Response:
        if request.path == f"{OAUTH}/authorize":
            return self._authorise(request)
        if request.path == f"{OAUTH}/token":
            return self._token(request)
        try:
            endpoint, values = self.rules.bind_to_environ(request.environ).match()
        except HTTPException as error:
            return _refusal(Refused(error.code or 404, "no such resource", page=True), "nl")
        language = "nl"
        try:
            if isinstance(endpoint, str):
                return getattr(self, f"_{endpoint}")(request)
            token = self._token_alive(request, "dossierToken")
            language = self._language(token)
            return _answer(*self._in_dossier(request, endpoint, values, token))
        except Refused as refusal:
            return _refusal(refusal, language)

    def _in_dossier(self, request: Request, operation: Operation, values: Row, token: Token) -> routes.Answer:
        """A call with a dossier token: within the day's limit, for this dossier, by someone who may."""
        dossier, number = self.state.dossiers.get(token.dossier or 0), values.pop("dossier")
        if operation.name == "GET relations" and routes.relation_query(request):
            operation = routes.SEARCH
        self._spend(str(number), operation.name, operation.per_day)  # whatever is wrong, but the token
        if dossier is None or token.dossier != number:
            raise business(-3, f"the token is not for dossier {number}")
        if dossier.disabled:
            raise business(-5, f"dossier {number}")
        if not operation.reads and self.state.users[token.grant.user].read_only:
            raise Refused(403, f"user {token.grant.user} may not write in dossier {number}")
        return operation.deed(Call(request, self.state, dossier, operation.name, values))

    def _spend(self, who: str, operation: str, per_day: int) -> None:
        limit = self.state.switches.quota.get(operation, per_day)
        if not self.limits.spend(who, self.state.today(), operation, limit):
            raise Refused(self.state.switches.quota_status, f"Daily limit of {limit} calls reached for {operation}")

    def _language(self, token: Token) -> str:
        """Of error messages: what the connect asked for, or the dossier's own."""
        if token.locale:
            return LANGUAGES[token.locale - 1]
        dossier = self.state.dossiers.get(token.dossier or 0)
        own = dossier.row.get("languageCode", "nl") if dossier else "nl"
        return own if own in LANGUAGES else "nl"

    def _token_alive(self, request: Request, header: str) -> Token:
        text = request.headers.get(header)
        if not text:
            raise Refused(401, "Access token is empty", -79)
        token = self.tokens.alive(text, self.state.now())
        if token is None or token.grant.user not in self.state.users:
            raise business(-2, "Access token is expired or invalid")
        if header == "dossierToken" and token.dossier is None:
            raise business(-2, "Access token is not a dossier token")
        if header == "Token" and token.dossier is not None and not self.state.switches.dossier_token_connects:
            raise business(-2, "Access token is a dossier token")
        return token

    # --- the entrance ---

    def _log_in(self, request: Request) -> Response:
        house = request.headers.get("softwareHouseUuid")
        if not house:
            raise business(-68, "softwareHouseUuid is missing")
        given = payload.read(
            payload.loads(request.get_data(cache=True)), payload.LOGIN, self._unknown("authentication")
        )
        name, address, now = given.get("user", ""), request.remote_addr or "", self.state.now()
        user = self.state.users.get(name)
        locked = self.limits.locked(name, address, self.state.switches.login_attempts, now)
        right = user is not None and user.password == given.get("password")
        if locked or not right or house.lower() != self.software_house_uuid:
            count = self.limits.log_in_failed(name, address, now)
            raise Refused(401, f"Login failed ({count}) for user {name} from {address}")
        self.limits.logged_in(name, address)
        return _answer(200, {"token": self.tokens.log_in(name, now)})

    def _unknown(self, operation: str) -> Callable[[str], None]:
        return lambda member: self.state.unknown.update([f"{operation} {member}"])

    def _who_am_i(self, request: Request) -> Response:
        return _answer(200, {"user": self._token_alive(request, "Token").grant.user})

    def _list_dossiers(self, request: Request) -> Response:
        token = self._token_alive(request, "Token")
        self._spend(token.grant.user, *routes.ENTRANCE_PER_DAY["list_dossiers"])
        mine = [self.state.dossiers[number] for number in self.state.users[token.grant.user].dossiers]
        if not mine:
            raise nothing_found(f"dossiers for user {token.grant.user}")
        return _answer(200, [dossier.row for dossier in mine])

    def _connect(self, request: Request) -> Response:
        """A token for one dossier; whatever stands in the body is ignored."""
        token = self._token_alive(request, "Token")
        number = payload.number(request.args.get("dossierId"))
        self._spend(str(number), *routes.ENTRANCE_PER_DAY["connect"])
        locale, user = routes.localeid(request.args.get("localeId")), self.state.users[token.grant.user]
        dossier = self.state.dossiers.get(number)
        if dossier is None:
            raise nothing_found(f"dossier {number}")
        self._may_connect(user, dossier)
        return _answer(200, {"Dossiertoken": self.tokens.connect(token, number, locale, self.state.now())})

    def _may_connect(self, user: User, dossier: Dossier) -> None:
        if dossier.id not in user.dossiers or not user.web_service:
            raise business(-3, f"user {user.name} is not authorised for dossier {dossier.id}")
        if dossier.disabled:
            raise business(-5, f"dossier {dossier.id}")

    def _version(self, request: Request) -> Response:
        return Response(VERSION, content_type="text/plain")

    def _sample_error(self, request: Request) -> Response:
        """The ErrorResult of any number, for whoever asks."""
        self._spend(request.remote_addr or "", *routes.ENTRANCE_PER_DAY["sample_error"])
        code, locale = payload.number(request.args.get("errorCode")), routes.localeid(request.args.get("localeId"))
        return _refusal(Refused(400, "sample", code), LANGUAGES[max(locale, 1) - 1])

    # --- OAuth ---

    def _authorise(self, request: Request) -> Response:
        """The log-in and consent page. Anything wrong with the request itself never reaches the redirect URI."""
        asked = request.args
        redirect_uri = asked.get("redirect_uri", "")
        fits = asked.get("response_type") == "code" and asked.get("scope") == "webservice"
        known = asked.get("client_id") == self.software_house_uuid and redirect_uri in self.redirect_uris
        if not (fits and known and consent.is_safe_url(redirect_uri)):
            return Response("<h1>Invalid request</h1>", status=400, content_type="text/html; charset=utf-8")
        users = [(name, name) for name in self.state.users]
        decision = consent.decision(request, users)
        if decision is None:
            return consent.page("Octopus", self.software_house_uuid, users, {})
        if decision.user is None:
            return consent.back_to(redirect_uri, error="access_denied", state=asked.get("state"))
        code = self.tokens.consent(decision.user, redirect_uri, self.state.now())
        return consent.back_to(redirect_uri, code=code, state=asked.get("state"))

    def _token(self, request: Request) -> Response:
        if request.method != "POST":
            return _refusal(Refused(405, "POST only", page=True), "nl")
        try:
            return _answer(200, self._token_for(request.form))
        except TokenRefusal as refusal:
            return _answer(refusal.status, {"error": refusal.error})

    def _token_for(self, form: Any) -> Row:
        now = self.state.now()
        if form.get("client_id") != self.software_house_uuid:
            raise TokenRefusal("invalid_client", 401)
        match form.get("grant_type"):
            case "authorization_code":
                return self.tokens.redeem(form.get("code", ""), form.get("redirect_uri"), now)
            case "refresh_token":
                rotate = self.state.switches.refresh_rotates
                return self.tokens.renew(form.get("refresh_token", ""), now, rotate=rotate)
        raise TokenRefusal("unsupported_grant_type")


def _dossier_in(request: Request) -> str:
    """The dossier number in the address, if there is one."""
    parts = request.path.removeprefix(routes.BASE).split("/")
    inside = len(parts) > 2 and parts[1] == "dossiers"
    number = parts[2] if inside else request.args.get("dossierId", "")
    return number if number.isdigit() else ""


def _answer(status: int, body: Any) -> Response:
    """JSON, or really nothing: no body and no content type."""
    if body is None:
        response = Response(status=status)
        response.headers.remove("Content-Type")
        return response
    return Response(render.dumps(body), status=status, content_type="application/json")


def _refusal(refusal: Refused, language: str) -> Response:
    kind = "text/html; charset=utf-8" if refusal.page else "application/json"
    return Response(refusal.body(language), status=refusal.status, content_type=kind)
