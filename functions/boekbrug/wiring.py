"""The only file that knows every room: it builds the house a function works in.

Clients are made when they are first needed, so a function pays at its cold start for what it uses and holds no right
it does not need. Tests install a house of their own with `use`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import botocore.config
import botocore.session
import httpx
from aws_lambda_powertools import Logger

from .clocks import StageClock, SystemClock
from .domain.connections import LoginId
from .domain.documents import AccountId
from .domain.errors import AccessDenied, AccessExpired, AppMissing, NotFound
from .domain.ledger import AdministrationId
from .ports import Clock, Focus, FocusUser, Ledger, Login, Nudges, Package, PackageFacts, RealClock, Tokens
from .settings import Settings, settings
from .store.dynamo import DynamoStore
from .store.logins import Seal
from .store.nudges import SqsNudges
from .store.table import Items
from .vendors.http import Http, new_client
from .vendors.oauth import AccessTokens, App, BoughtTokenKeeper, NewToken, Room, TokenKeeper
from .vendors.registry import PACKAGES, door_of, login_id

if TYPE_CHECKING:
    from .store.memory import MemoryStore

    Store = DynamoStore | MemoryStore

RoomOf = Callable[[AccountId, LoginId, AccessTokens], Room]

CLIENT = botocore.config.Config(
    retries={"mode": "standard", "max_attempts": 4}, connect_timeout=3, read_timeout=10, tcp_keepalive=True
)


class Aws:
    """Clients of the cloud, each made when first asked for. Plain botocore: boto3's resources cost a cold start."""

    def __init__(self) -> None:
        self._session = botocore.session.get_session()
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = self._session.create_client(service, config=CLIENT)
        return self._clients[service]


class VendorApps:
    """Our registrations at the vendors, read from the secret once a sandbox."""

    def __init__(self, read_secret: Callable[[], str], at: Settings, public_url: str) -> None:
        self._read_secret = read_secret
        self._settings = at
        self._public_url = public_url

    @cached_property
    def _registered(self) -> Mapping[str, Mapping[str, str]]:
        return json.loads(self._read_secret())

    def app(self, vendor: str, realm: str) -> App:
        """`realm` is a country for Exact, whose apps are registered per country, and "-" elsewhere."""
        door = door_of(vendor)
        registered = self._registered.get(vendor if realm == "-" else f"{vendor}.{realm}", {})
        if not registered.get("client_id") or (door.NEEDS_SECRET and not registered.get("client_secret")):
            raise AppMissing(vendor=vendor)
        auth_url, api_url = self._settings.hosts().get(vendor) or door.hosts(realm)
        return App(
            vendor=vendor,
            realm=realm,
            client_id=registered["client_id"],
            client_secret=registered.get("client_secret", ""),
            redirect_uri=f"{self._public_url}/callback/{vendor}",
            auth_url=auth_url,
            api_url=api_url,
            webhook_secret=registered.get("webhook_secret", ""),
        )


class VendorGrants:
    """Consent and log-in at any vendor, through its door."""

    def __init__(self, apps: VendorApps, http_of: Callable[[str], Http], clock: Clock, room_of: RoomOf) -> None:
        """`room_of`: what a login that is not kept yet opens with its new token."""
        self._apps = apps
        self._http_of = http_of
        self._clock = clock
        self._room_of = room_of

    def authorize_url(self, vendor: str, realm: str, state: str) -> str:
        return door_of(vendor).authorize_url(self._apps.app(vendor, realm), state)

    def exchange(self, vendor: str, realm: str, code: str, account: AccountId | None) -> tuple[Login, FocusUser | None]:
        door, app, http = door_of(vendor), self._apps.app(vendor, realm), self._http_of(vendor)
        tokens = self._new(door.exchange(app, http, code, self._clock.now()))
        user = door.user_of(app, http, tokens.access)
        if isinstance(user, FocusUser):
            return _login(app, user.account, user.id, tokens), user
        if account is None:
            raise ValueError(f"nobody is signed in to connect {vendor}")
        return _login(app, account, user, tokens), None

    def log_in(self, vendor: str, realm: str, user: str, password: str, account: AccountId) -> Login:
        door = door_of(vendor)
        if not hasattr(door, "log_in"):
            raise NotFound(what="address")
        app, http = self._apps.app(vendor, realm), self._http_of(vendor)
        try:
            tokens = self._new(door.log_in(app, http, user, password, self._clock.now()))
            login = _login(app, account, user, tokens)
            door.open_package(self._room_of(account, login.id, NewToken(vendor, tokens.access))).administrations()
        except AccessExpired:  # nothing is kept yet that could have expired
            raise AccessDenied(vendor=vendor, reason="log_in") from None
        return login

    def _new(self, tokens: Tokens) -> Tokens:
        """A gate counts from the answer, not from the call."""
        return replace(tokens, issued_at=self._clock.now())

    def webhook_secret(self, vendor: str, realm: str) -> str:
        return self._apps.app(vendor, realm).webhook_secret


def _login(app: App, account: AccountId, user: str, tokens: Tokens) -> Login:
    return Login(login_id(app.vendor, app.realm, user), account, app.vendor, app.realm, user, tokens)


class DeployedHouse:
    """`ports.House` as it is deployed: the rooms of a store, the vendors, and two clocks. One per invocation."""

    def __init__(self, sandbox: Sandbox, public_url: str) -> None:
        self._sandbox = sandbox
        self.clock: Clock = sandbox.clock
        self.real: RealClock = sandbox.real
        self.public_url = public_url
        self._apps = VendorApps(sandbox.read_secret, sandbox.settings, public_url)
        self.grants = VendorGrants(self._apps, sandbox.http, self.clock, self._room)
        self._store = store = sandbox.store
        self.accounts = store.accounts
        self.sessions = store.sessions
        self.states = store.states
        self.webhook_tokens = store.webhook_tokens
        self.connections = store.connections
        self.jobs = store.jobs
        self.logins = store.logins
        self.budgets = store.budgets
        self.links = store.links
        self.documents = store.documents
        self.seen = store.seen
        self.settlements = store.settlements
        self.problems = store.problems
        self.snapshots = store.snapshots
        self.audit = store.audit

    @property
    def nudges(self) -> Nudges:
        return self._store.nudges

    def focus(self, account: AccountId) -> Focus:
        known = self.accounts.get(account)
        if known is None:
            raise AccessExpired(vendor="teamleader")
        return door_of("teamleader").open_focus(self._room(account, known.focus_login))

    def package(self, account: AccountId, login: LoginId) -> Package:
        return door_of(login.split(".")[0]).open_package(self._room(account, login))

    def facts(self, package: str) -> PackageFacts:
        if package not in PACKAGES:
            raise NotFound(what="package")
        return door_of(package)

    def ledger(self, account: AccountId, administration: AdministrationId) -> Ledger:
        # One that is switched off may have a login that is dead.
        connections = self.connections.of_administration(account, administration)
        connection = max(connections, key=lambda each: each.active)
        return door_of(connection.package).open_ledger(self._room(account, connection.login), administration)

    def _room(self, account: AccountId, login: LoginId, tokens: AccessTokens | None = None) -> Room:
        """Where a vendor's door works for one login; `tokens` of one that is not kept yet."""
        vendor, realm, _ = login.split(".", 2)
        app, http = self._apps.app(vendor, realm), self._sandbox.http(vendor)
        return Room(
            app=app,
            http=http,
            tokens=tokens or self._keeper(account, login, app, http),
            budgets=self.budgets,
            clock=self.clock,
            account=account,
            real=self.real,
            numbers=self._store.numbers,
            token_for=partial(self._bought, account, login),
        )

    def _keeper(self, account: AccountId, login: LoginId, app: App, http: Http) -> TokenKeeper:
        door = door_of(app.vendor)

        def refresh(refresh_token: str) -> Tokens:
            return door.refresh(app, http, refresh_token, self.clock.now())

        return TokenKeeper(
            account,
            login,
            self.logins,
            self.clock,
            self.real,
            refresh,
            vendor=app.vendor,
            not_before_s=door.NOT_BEFORE_S,
            sleep=self._sandbox.sleep,
        )

    def _bought(self, account: AccountId, login: LoginId, scope: str, buy: Callable[[], Tokens]) -> BoughtTokenKeeper:
        return BoughtTokenKeeper(
            account, login, scope, buy, self.logins, self.clock, self.real, sleep=self._sandbox.sleep
        )


class Sandbox:
    """What one Lambda sandbox keeps between invocations. Tests bring their own cloud, line and way of waiting."""

    def __init__(
        self,
        at: Settings,
        aws: Any = None,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        store: Store | None = None,
    ) -> None:
        """`store`: where everything is kept, when it is not the table of `at`."""
        self.settings = at
        self.aws = aws or Aws()
        self.sleep = sleep
        self.store = store or self._on_dynamo()
        self.real: RealClock = SystemClock()
        self._transport = transport
        self._secret = ""

    @cached_property
    def clock(self) -> Clock:
        return StageClock(self.settings.clock_url) if self.settings.clock_url else SystemClock()

    @cached_property
    def http_client(self) -> httpx.Client:
        return new_client(self._transport)

    def http(self, vendor: str) -> Http:
        return Http(vendor, self.http_client, sleep=self.sleep)

    def _on_dynamo(self) -> DynamoStore:
        at, client = self.settings, self.aws.client
        items = Items(client("dynamodb"), at.table_name, self.sleep)
        seal = Seal(lambda: client("kms"), at.token_key_id)
        return DynamoStore(items, seal, lambda: SqsNudges(client("sqs"), at.queues()))

    def read_secret(self) -> str:
        if not self._secret:
            answer = self.aws.client("secretsmanager").get_secret_value(SecretId=self.settings.app_credentials_arn)
            self._secret = answer["SecretString"]
        return self._secret

    def house(self, public_url: str = "") -> DeployedHouse:
        """`public_url`: where the request came in; the settings' own goes before it."""
        if isinstance(self.clock, StageClock):
            self.clock.refresh()  # once per invocation
        return DeployedHouse(self, self.settings.public_url or public_url)


_sandbox: Sandbox | None = None


def house(public_url: str = "") -> DeployedHouse:
    """The house this function works in."""
    global _sandbox
    if _sandbox is None:
        _sandbox = Sandbox(settings())
    return _sandbox.house(public_url)


def use(sandbox: Sandbox | None) -> None:
    """Work in this sandbox from now on; None: make one from the environment at the next call."""
    global _sandbox
    _sandbox = sandbox


_logger = Logger()


def logger() -> Logger:
    """Structured logs; never tokens, bodies or people's data."""
    return _logger
