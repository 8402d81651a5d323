"""Two accounts at our doors, and a browser that keeps cookies as browsers do."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from boekbrug.domain.connections import Connection, ConnectionId, JobKind, LoginId
from boekbrug.domain.documents import (
    AccountId,
    Category,
    CategoryId,
    DocumentHeader,
    DocumentId,
    DocumentKind,
    Entity,
    EntityId,
)
from boekbrug.domain.ledger import Administration, AdministrationId
from boekbrug.ports import Account, DocumentRecord, DocumentState, FocusUser, JobKey, Login, Session, Tokens
from boekbrug.sync.snapshots import save_books, save_focus
from boekbrug.web import connecting, connections, documents, hints, jobs, mappings, relations, signing, visitors
from boekbrug.web.app import App
from boekbrug.web.session import SESSION
from tests.support.builders import ENTITY, RATES, a_connection, a_mapping, eur, some_books
from tests.support.clocks import StillClock
from tests.support.house import MemoryHouse, SetPackage

FUNCTIONS = {
    "Connect": (*signing.ROUTES, *connecting.ROUTES),
    "Console": (
        *visitors.ROUTES,
        *connections.ROUTES,
        *mappings.ROUTES,
        *jobs.ROUTES,
        *documents.ROUTES,
        *relations.ROUTES,
    ),
    "ReceiveWebhook": hints.ROUTES,
}
"""Which function of the template serves which routes; test_openapi holds the handlers to it."""
ROUTES = tuple(route for routes in FUNCTIONS.values() for route in routes)
APP = App(ROUTES)

US, THEM = AccountId("account-us"), AccountId("account-them")
DIVISION = AdministrationId("exact.be.3001234")
LOGIN = LoginId("exact.be.user-1")
MORNING = datetime(2026, 3, 31, 9, tzinfo=UTC)
ENTITIES = (
    Entity(ENTITY, "Voorbeeld Holding", "BE 0123.456.749", "EUR"),
    Entity(EntityId("entity-twin"), "Voorbeeld Winkel", "0123456749", "EUR"),
    Entity(EntityId("entity-other"), "Andere Zaak", "BE 0999.999.922", "EUR"),
)
CATEGORIES = (Category(CategoryId("diensten"), "Diensten", ((ENTITY, "701000"),)),)


def tokens(now: datetime) -> Tokens:
    return Tokens("access", "refresh", now, now + timedelta(minutes=10))


def a_login(login: str, account: AccountId, now: datetime = MORNING) -> Login:
    vendor, realm, user = login.split(".")
    return Login(LoginId(login), account, vendor, realm, user, tokens(now))


def a_user(user: str = "anna", account: AccountId = US, language: str = "nl") -> FocusUser:
    return FocusUser(user, account, f"{user.title()} Voorbeeld", f"{user}@voorbeeld.example", language)


def a_record(number: str, state: DocumentState = DocumentState.WAITING, **changes: Any) -> DocumentRecord:
    fields: dict[str, Any] = {
        "id": DocumentId(f"document-{number}"),
        "kind": DocumentKind.INVOICE,
        "connection": ConnectionId("ours"),
        "number": number,
        "day": date(2026, 3, 2),
        "gross": eur("121.00"),
        "updated_at": MORNING,
        "state": state,
    }
    return DocumentRecord(**(fields | changes))


@dataclass
class Browser:
    """Sends requests through one app that holds every route; keeps cookies, sends the CSRF token along."""

    house: MemoryHouse
    cookies: dict[str, str] = field(default_factory=dict)
    csrf: str = ""

    def ask(self, method: str, url: str, body: Any = None, **more: Any) -> Reply:
        return self.send(an_event(method, url, body, cookies=self.cookies, csrf=self.csrf, **more))

    def get(self, url: str, **more: Any) -> Reply:
        return self.ask("GET", url, **more)

    def post(self, url: str, body: Any = None, **more: Any) -> Reply:
        return self.ask("POST", url, body, **more)

    def send(self, event: dict[str, Any]) -> Reply:
        answer = APP(event, self.house)
        for cookie in answer["cookies"]:
            name, _, value = cookie.split(";")[0].partition("=")
            self.cookies[name] = value
            if "Max-Age=0" in cookie:
                del self.cookies[name]
        return Reply(answer)


@dataclass
class Reply:
    event: dict[str, Any]

    @property
    def status(self) -> int:
        return self.event["statusCode"]

    @property
    def body(self) -> Any:
        return json.loads(self.event["body"])

    @property
    def location(self) -> str:
        return self.event["headers"]["Location"]

    def failed(self) -> tuple[int, str]:
        return self.status, self.body["error"]


def an_event(
    method: str,
    url: str,
    body: Any = None,
    *,
    cookies: dict[str, str] | None = None,
    csrf: str = "",
    headers: dict[str, str] | None = None,
    encoded: bool = False,
) -> dict[str, Any]:
    """What an HTTP API hands over, payload format 2.0."""
    parts = urlsplit(url)
    known = next((r for r in ROUTES if r.method == method and _names(r.path, parts.path) is not None), None)
    text = body.decode() if isinstance(body, bytes) else "" if body is None else json.dumps(body)
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": known.key if known else "$default",
        "rawPath": f"/a-prefix{parts.path}" if known else parts.path,
        "rawQueryString": parts.query,
        "headers": {"X-CSRF-Token": csrf, **(headers or {})},
        "cookies": [f"{name}={value}" for name, value in (cookies or {}).items()],
        "queryStringParameters": dict(parse_qsl(parts.query)),
        "pathParameters": _names(known.path, parts.path) if known else None,
        "requestContext": {"http": {"method": method, "path": parts.path}, "domainName": "boekbrug.example"},
        "body": base64.b64encode(text.encode()).decode() if encoded else text,
        "isBase64Encoded": encoded,
    }
    return event


def _names(pattern: str, path: str) -> dict[str, str] | None:
    ours, theirs = pattern.split("/"), path.split("/")
    if len(ours) != len(theirs):
        return None
    named = {}
    for one, other in zip(ours, theirs, strict=True):
        if one.startswith("{"):
            named[one.strip("{}")] = other
        elif one != other:
            return None
    return named


def a_house() -> MemoryHouse:
    """Two accounts, each with an Exact login; ours can reach two divisions, one of them blocked."""
    house = MemoryHouse(StillClock(MORNING))
    for account, user in ((US, "anna"), (THEM, "mallory")):
        login = LoginId(f"teamleader.-.{user}")
        house.accounts.found(Account(account, user, user.title(), "nl", login, MORNING))
        house.focus(account).its_entities = ENTITIES
    house.logins.save_new(a_login(LOGIN, US))
    house.logins.save_new(a_login("exact.be.user-2", THEM))
    house.packages[US, LOGIN] = SetPackage(
        (
            Administration(DIVISION, "3001234", "Voorbeeld Holding", "BE0123456749", "BE", "EUR"),
            Administration(AdministrationId("exact.be.3009999"), "3009999", "Oud", "", "BE", "EUR", usable=False),
        )
    )
    house.grants.secrets["exact", "be"] = "webhook-secret"
    return house


def sign_in(house: MemoryHouse, account: AccountId = US, user: str = "anna", language: str = "en") -> Browser:
    """A browser with a session, without the trip to Teamleader."""
    session = Session(account, user, user.title(), language, f"csrf-{account}", house.clock.now() + timedelta(hours=8))
    return Browser(house, {SESSION: house.sessions.open(session)}, session.csrf)


def our_connection(house: MemoryHouse, **changes: Any) -> Connection:
    """A connection of ours to the division, its books read."""
    connection = replace(
        a_connection(),
        **{
            "id": ConnectionId("ours"),
            "account": US,
            "package": "exact",
            "administration": DIVISION,
            "login": LOGIN,
            "mapping": a_mapping(),
            **changes,
        },
    )
    house.connections.save(connection)
    return connection


def read_books(house: MemoryHouse, **changes: Any) -> None:
    """What the ledger accounts job leaves behind."""
    snapshots = house.snapshots(US)
    save_books(snapshots, DIVISION, some_books(**changes), MORNING)
    rates = [*RATES.values(), replace(RATES["21"], id="21-other", entity="entity-other")]
    save_focus(snapshots, rates, CATEGORIES, ENTITIES, MORNING)


def put_documents(house: MemoryHouse, *records: DocumentRecord) -> None:
    """Documents of ours, as far as they came."""
    documents = house.documents(US, DIVISION)
    for record in records:
        header = DocumentHeader(
            record.id, record.kind, ENTITY, record.number, record.day, record.gross, record.updated_at
        )
        documents.seen(record.connection, [header])
        if record.state is DocumentState.HELD:
            documents.held(record, record.cause)
        if record.state is DocumentState.BOOKED:
            documents.booked(record, record.booking_number)


def key(kind: JobKind) -> JobKey:
    return JobKey(US, DIVISION, kind)
