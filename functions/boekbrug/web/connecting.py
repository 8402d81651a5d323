"""Connecting an entity with an administration: what there is to choose from, and the choice."""

from __future__ import annotations

import hashlib
from datetime import date

from aws_lambda_powertools import Logger

from ..domain.connections import Connection, ConnectionId, JobKind, LoginId
from ..domain.documents import AccountId, Entity
from ..domain.errors import AdministrationUnreachable, NotFound, SyncError
from ..domain.ledger import Administration, AdministrationId
from ..ports import House, JobKey, Login
from .app import Route, Visit
from .choices import check_free, check_journals, check_neighbours, check_vat_number
from .connections import ConnectionView, view_of
from .http import Answer, Answered, Asked
from .jobs import wake

log = Logger(child=True)


class EntityView(Answered):
    id: str
    name: str
    vat_number: str
    currency: str
    connection: str | None  # the active connection of this entity, null when it has none


class Entities(Answered):
    entities: list[EntityView]


class AdministrationView(Answered):
    id: str
    code: str  # as people know it in the package
    name: str
    vat_number: str
    country: str
    currency: str
    usable: bool  # false: archived or blocked for now


class Administrations(Answered):
    administrations: list[AdministrationView]


class NewConnection(Asked):
    """What is chosen. Journals may stay empty until the books have been read, and be chosen then."""

    entity: str
    login: str
    administration: str
    start: date  # documents dated from then on
    invoice_journal: str = ""
    credit_note_journal: str = ""
    automatic: bool = False


class WebhooksRegistered(Answered):
    registered: bool


def list_entities(visit: Visit) -> Answer:
    """The legal entities of the account in Teamleader, and which of them are connected."""
    account = visit.session.account
    connected = {c.entity: c.id for c in visit.house.connections.of_account(account) if c.active}
    entities = [
        EntityView(
            id=entity.id,
            name=entity.name,
            vat_number=entity.vat_number,
            currency=entity.currency,
            connection=connected.get(entity.id),
        )
        for entity in visit.house.focus(account).entities()
    ]
    return Answer(body=Entities(entities=entities))


def list_administrations(visit: Visit) -> Answer:
    """The administrations a login can reach: divisions in Exact Online, dossiers in Octopus."""
    account = visit.session.account
    login = _login(visit.house, account, visit.request.query.get("login", ""))
    administrations = [
        AdministrationView(
            id=one.id,
            code=one.code,
            name=one.name,
            vat_number=one.vat_number,
            country=one.country,
            currency=one.currency,
            usable=one.usable,
        )
        for one in visit.house.package(account, login.id).administrations()
    ]
    return Answer(body=Administrations(administrations=administrations))


def connect(visit: Visit) -> Answer:
    """Joins an entity with an administration, and starts reading its ledger accounts."""
    house, account = visit.house, visit.session.account
    asked = visit.request.read(NewConnection)
    login = _login(house, account, asked.login)
    entities = house.focus(account).entities()
    entity = next((one for one in entities if one.id == asked.entity), None)
    if entity is None:
        raise NotFound(what="entity")
    administration = _administration(house, account, login, asked.administration)
    existing = house.connections.of_account(account)
    check_free(entity, administration.id, existing)
    check_vat_number(entity, administration.id, existing, entities)
    package = house.facts(login.vendor)
    check_journals(package, asked.invoice_journal, asked.credit_note_journal)

    connection = Connection(
        id=connection_id(account, entity, administration.id),
        account=account,
        entity=entity.id,
        entity_name=entity.name,
        package=login.vendor,
        administration=administration.id,
        administration_name=administration.name,
        login=login.id,
        start=asked.start,
        invoice_journal=asked.invoice_journal,
        credit_note_journal=asked.credit_note_journal,
        automatic=asked.automatic,
        created_at=house.clock.now(),
    )
    check_neighbours(package, connection, existing)
    house.connections.save(connection)
    for kind in JobKind:
        house.jobs.ensure(JobKey(account, administration.id, kind))
    wake(house, connection, JobKind.ACCOUNTS)
    facts = {"connection": connection.id, "entity": entity.id, "user": visit.session.user}
    for chain in ("account", administration.id):
        house.audit(account).append(chain, "connected", facts, house.clock.now())
    _register_first_webhooks(house, account)
    return Answer(201, view_of(connection))


def rotate_webhook_token(visit: Visit) -> Answer:
    """Gives the account's webhooks a new secret address; the old one stops working at once."""
    house, account = visit.house, visit.session.account
    register_webhooks(house, account)
    facts = {"user": visit.session.user}
    house.audit(account).append("account", "webhook_token_rotated", facts, house.clock.now())
    return Answer(body=WebhooksRegistered(registered=True))


def register_webhooks(house: House, account: AccountId) -> None:
    """Ask Teamleader for hints at a fresh address. Raises what Teamleader's door raises."""
    token = house.webhook_tokens.rotate(account, "teamleader")
    house.focus(account).register_webhooks(f"{house.public_url}/webhooks/teamleader/{token}")
    house.snapshots(account).put("webhooks", {"registered_at": house.clock.now().isoformat()})


def _register_first_webhooks(house: House, account: AccountId) -> None:
    """Once an account: each address we register stays in Teamleader's list, and a dead one costs them calls."""
    if house.snapshots(account).get("webhooks"):
        return
    try:
        register_webhooks(house, account)
    except SyncError as error:  # the sweep finds everything by itself, only later
        log.warning("webhooks not registered", extra={"cause": error.cause})


def connection_id(account: AccountId, entity: Entity, administration: AdministrationId) -> ConnectionId:
    """The same pair has the same id, so that a second click makes no second connection."""
    pair = f"{account} {entity.id} {administration}"
    return ConnectionId(hashlib.sha256(pair.encode()).hexdigest()[:20])


def _login(house: House, account: AccountId, login: str) -> Login:
    """A login of this account at a package. Raises NotFound."""
    found = house.logins.get(account, LoginId(login)) if login else None
    if found is None or found.vendor == "teamleader":
        raise NotFound(what="login")
    return found


def _administration(house: House, account: AccountId, login: Login, wanted: str) -> Administration:
    """Raises AdministrationUnreachable."""
    for administration in house.package(account, login.id).administrations():
        if administration.id == wanted and administration.usable:
            return administration
    raise AdministrationUnreachable(administration=wanted)


ROUTES = (
    Route("GET", "/api/entities", list_entities, Entities),
    Route("GET", "/api/administrations", list_administrations, Administrations, query=("login",)),
    Route("POST", "/api/connections", connect, ConnectionView, asks=NewConnection, status=201),
    Route("POST", "/api/webhook-token", rotate_webhook_token, WebhooksRegistered),
)
