"""The connections of an account: their settings, and whether they are ready."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import date, datetime
from typing import Any

from ..domain.clearing import clearing_accounts, various_journals
from ..domain.connections import Connection, JobKind, Outward
from ..domain.documents import Entity, FileFormat
from ..domain.entries import sales_journal
from ..domain.errors import RequestInvalid
from ..domain.ledger import Books, JournalKind
from ..domain.readiness import Load, Weight, findings
from ..ports import DocumentState, House, JobKey
from ..sync.snapshots import load_counted, load_focus, scope_of
from ..texts import finding
from .app import Route, Visit
from .choices import check_files, check_free, check_journals, check_neighbours, check_outward, check_vat_number
from .http import Answer, Answered, Asked
from .jobs import go_on, wake, wake_all
from .lookup import connection_of, ground_of, needed_ground


class OutwardView(Answered):
    journal: str
    account: str


class ConnectionView(Answered):
    id: str
    entity: str
    entity_name: str
    package: str
    administration: str
    administration_name: str
    login: str
    start: date
    invoice_journal: str  # "" until chosen
    credit_note_journal: str
    attach: tuple[FileFormat, ...]  # what goes into the books with each booking
    outward: OutwardView | None  # where payments go that only Teamleader has; null: they do not
    automatic: bool
    active: bool
    mapping_accepted_at: datetime | None
    created_at: datetime | None


class Connections(Answered):
    connections: list[ConnectionView]


class JournalView(Answered):
    code: str
    name: str


class ClearingAccountView(Answered):
    id: str
    code: str
    name: str


class ConnectionPage(ConnectionView):
    """What there is to choose from is empty until the books have been read."""

    journals: list[JournalView]  # for sales
    outward_journals: list[JournalView]  # for various entries; empty too where the package takes no payments from us
    outward_accounts: list[ClearingAccountView]


class OutwardChoice(Asked):
    journal: str
    account: str  # its id


class Changes(Asked):
    """What is to change; what is left out stays."""

    start: date | None = None
    invoice_journal: str | None = None
    credit_note_journal: str | None = None
    attach: tuple[FileFormat, ...] | None = None
    outward: OutwardChoice | None = None  # null: off
    automatic: bool | None = None
    active: bool | None = None


class FindingView(Answered):
    code: str
    weight: Weight
    facts: dict[str, str]
    sentence: str


class Readiness(Answered):
    ready: bool  # nothing blocks; documents may still wait for a finding of another weight
    read_at: datetime | None  # null: the books were not read yet, so nothing could be checked
    findings: list[FindingView]


def fields_of(connection: Connection) -> dict[str, Any]:
    return {
        "id": connection.id,
        "entity": connection.entity,
        "entity_name": connection.entity_name,
        "package": connection.package,
        "administration": connection.administration,
        "administration_name": connection.administration_name,
        "login": connection.login,
        "start": connection.start,
        "invoice_journal": connection.invoice_journal,
        "credit_note_journal": connection.credit_note_journal,
        "attach": connection.attach,
        "outward": connection.outward and OutwardView(**asdict(connection.outward)),
        "automatic": connection.automatic,
        "active": connection.active,
        "mapping_accepted_at": connection.mapping.accepted_at,
        "created_at": connection.created_at,
    }


def view_of(connection: Connection) -> ConnectionView:
    return ConnectionView(**fields_of(connection))


def list_connections(visit: Visit) -> Answer:
    """Every connection of the account, those switched off too."""
    found = visit.house.connections.of_account(visit.session.account)
    return Answer(body=Connections(connections=[view_of(connection) for connection in found]))


def show_connection(visit: Visit) -> Answer:
    """One connection, and the sales journals it can choose from."""
    return Answer(body=_page(connection_of(visit), visit.house))


def change_connection(visit: Visit) -> Answer:
    """Changes settings; after a change of start or journals, documents that were held are looked at again."""
    before, house = connection_of(visit), visit.house
    changes = visit.request.read(Changes).model_dump(exclude_unset=True)
    for name, value in changes.items():
        if value is None and name != "outward":
            raise RequestInvalid(field=name, reason="missing")
    if "attach" in changes:
        changes["attach"] = tuple(dict.fromkeys(changes["attach"]))
    if changes.get("outward") is not None:
        changes["outward"] = Outward(**changes["outward"])
    after = replace(before, **changes)
    package = house.facts(after.package)
    check_journals(package, after.invoice_journal, after.credit_note_journal)
    check_neighbours(package, after, house.connections.of_administration(after.account, after.administration))
    check_files(package, after.attach)
    if changes.get("outward") is not None:
        check_outward(package, changes["outward"], needed_ground(after, house).books)
    _check_journals_exist(after, changes, house)
    if after.active and not before.active:
        _check_place(after, house)
    house.connections.save(after)
    facts = {
        "connection": after.id,
        "user": visit.session.user,
        **{name: _told(value) for name, value in changes.items()},
    }
    house.audit(after.account).append(after.administration, "settings_changed", facts, house.clock.now())
    if after.active and after.automatic and not (before.active and before.automatic):
        wake_all(house, after)
    if changes.keys() & {"start", "invoice_journal", "credit_note_journal"}:
        go_on(house, after)
    if "start" in changes and after.active and load_counted(house.snapshots(after.account), after.administration):
        wake(house, after, JobKind.ACCOUNTS)  # counts again what it would begin with
    return Answer(body=_page(after, house))


def show_readiness(visit: Visit) -> Answer:
    """Whether the administration can take our documents, and what is missing."""
    connection, house = connection_of(visit), visit.house
    ground = ground_of(connection, house)
    if ground is None:
        return Answer(body=Readiness(ready=False, read_at=None, findings=[]))
    found = findings(
        connection,
        ground.books,
        ground.rates,
        ground.categories,
        house.clock.now().date(),
        shared_journal=house.facts(connection.package).ABILITIES.shared_journal,
        load=_load(connection, house),
    )
    accounts = (*ground.books.accounts, *ground.books.clearing_accounts)
    names = {account.id: f"{account.code} {account.name}" for account in accounts}
    views = []
    for one in found:
        facts = {k: names.get(v, v) if k == "account" else v for k, v in one.facts.items()}  # people know no GUIDs
        sentence = finding(one.code, facts, visit.session.language)
        views.append(FindingView(code=one.code, weight=one.weight, facts=facts, sentence=sentence))
    ready = all(one.weight is not Weight.BLOCKS for one in found)
    return Answer(body=Readiness(ready=ready, read_at=ground.read_at, findings=views))


def _told(value: Any) -> str:
    """A setting as the audit keeps it."""
    if isinstance(value, Outward):
        return f"{value.journal}, {value.account}"
    return ", ".join(value) if isinstance(value, tuple) else "off" if value is None else str(value)


def _load(connection: Connection, house: House) -> Load | None:
    """What waits for a package with a daily limit: counted beforehand, then as it stands in line."""
    account, administration = connection.account, connection.administration
    counted = load_counted(house.snapshots(account), administration)
    if counted is None:
        return None
    job = house.jobs.get(JobKey(account, administration, JobKind.DOCUMENTS))
    in_line = job.cursor if job else {}
    documents, waiting = house.documents(account, administration), 0
    for one in house.connections.of_administration(account, administration):
        if one.active and scope_of(one) in in_line:
            waiting += documents.counts(one.id).get(DocumentState.WAITING, 0)
        elif one.active:
            waiting += counted.documents.get(scope_of(one), 0)
    return Load(connection.package, waiting, counted.bookings_a_day)


def _page(connection: Connection, house: House) -> ConnectionPage:
    ground = ground_of(connection, house)
    books = ground.books if ground else Books()
    journals = [
        JournalView(code=journal.code, name=journal.name)
        for journal in books.journals
        if journal.kind is JournalKind.SALES and not journal.blocked
    ]
    outward = house.facts(connection.package).ABILITIES.outward
    various = various_journals(books) if outward else ()
    return ConnectionPage(
        **fields_of(connection),
        journals=journals,
        outward_journals=[JournalView(code=journal.code, name=journal.name) for journal in various],
        outward_accounts=[ClearingAccountView(id=a.id, code=a.code, name=a.name) for a in clearing_accounts(books)],
    )


def _check_journals_exist(connection: Connection, changes: dict[str, Any], house: House) -> None:
    """A journal chosen now must be one of the books, once those have been read.

    Raises: JournalMissing, JournalNotSales.
    """
    ground = ground_of(connection, house)
    for name in ("invoice_journal", "credit_note_journal"):
        if ground and changes.get(name):
            sales_journal(changes[name], ground.books.journals)


def _check_place(connection: Connection, house: House) -> None:
    """Switched on again: its place must not have been taken meanwhile. Raises EntityTaken, WrongVatNumber."""
    others = [one for one in house.connections.of_account(connection.account) if one.id != connection.id]
    lists = load_focus(house.snapshots(connection.account))
    entities = lists.entities if lists else ()
    unknown = Entity(connection.entity, connection.entity_name, "", "")
    entity = next((one for one in entities if one.id == connection.entity), unknown)
    check_free(entity, connection.administration, others)
    check_vat_number(entity, connection.administration, others, entities)


ROUTES = (
    Route("GET", "/api/connections", list_connections, Connections),
    Route("GET", "/api/connections/{id}", show_connection, ConnectionPage),
    Route("PATCH", "/api/connections/{id}", change_connection, ConnectionPage, asks=Changes),
    Route("GET", "/api/connections/{id}/readiness", show_readiness, Readiness),
)
