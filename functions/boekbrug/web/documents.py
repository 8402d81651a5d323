"""Where the documents of a connection are, what keeps some of them, and what was done: for people to read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from ..domain.connections import Connection, JobKind
from ..domain.documents import DocumentId, DocumentKind
from ..domain.errors import NotFound, NotReady
from ..ports import DocumentRecord, DocumentState, Problem
from ..texts import sentence, word
from .app import Route, Visit
from .http import Answer, Answered
from .jobs import wake
from .lookup import after_of, connection_of, number_after

PAGE = 100


class DocumentView(Answered):
    id: str
    kind: DocumentKind
    number: str
    day: date
    gross: str  # "121.00 EUR"
    state: DocumentState
    booking_number: str  # the package's, for display only; "" until booked
    cause: str  # "" unless held
    sentence: str


class Documents(Answered):
    counts: dict[str, int] | None  # waiting, booked, "held:<cause>"; null after the first page: it reads every document
    documents: list[DocumentView]
    next: str | None  # `after` of the next page


class ProblemView(Answered):
    # "document:<id>", "changed:<id>" and "booking:<id>" (it differs since, here or there), "file:<document>",
    # "customer:<ref>", "payment:<document>[:<settlement>|:open]", "job:<kind>"
    subject: str
    about: str  # what people call it
    facts: dict[str, str]
    since: datetime
    sentence: str


class ProblemGroup(Answered):
    """Problems of one cause: they often have one cure."""

    cause: str
    family: str
    count: int
    problems: list[ProblemView]


class ProblemGroups(Answered):
    groups: list[ProblemGroup]  # largest first


class Retry(Answered):
    """A document that is to be looked at again, and how far it came."""

    document: str
    state: DocumentState  # waiting: it goes with the next run


class AuditPage(Answered):
    entries: list[dict[str, Any]]
    next: int | None  # `after` of the next page


def list_documents(visit: Visit) -> Answer:
    """The documents in scope of a connection, how far each came, and how many there are of each state."""
    connection, house = connection_of(visit), visit.house
    documents = house.documents(connection.account, connection.administration)
    records = documents.records(connection.id, after_of(visit), PAGE)
    problems = {p.subject: p for p in house.problems(connection.account, connection.administration).all()}
    views = [_view(record, problems.get(f"document:{record.id}"), connection, visit) for record in records]
    answer = Documents(
        counts=None if after_of(visit) else dict(documents.counts(connection.id)),
        documents=views,
        next=records[-1].id if len(records) == PAGE else None,
    )
    return Answer(body=answer)


def retry_document(visit: Visit) -> Answer:
    """Has a document looked at again; one that was deleted in the books is booked again.

    One that is not held stays as it is: in line already, or booked.
    """
    connection, house = connection_of(visit), visit.house
    documents = house.documents(connection.account, connection.administration)
    document = DocumentId(visit.request.params["document"])
    record = documents.record(document)
    if record is None or record.connection != connection.id:
        raise NotFound(what="document")
    if not connection.active:
        raise NotReady()
    if record.state is DocumentState.HELD:
        # Told first: what is sent again after it was deleted must not go without a word of who wanted that.
        facts = {"connection": connection.id, "document": document, "cause": record.cause, "user": visit.session.user}
        house.audit(connection.account).append(connection.administration, "retry_asked", facts, house.clock.now())
        documents.release(documents=[document])
        record = replace(record, state=DocumentState.WAITING)
    if record.state is DocumentState.WAITING:
        wake(house, connection, JobKind.DOCUMENTS)
    return Answer(202, Retry(document=document, state=record.state))


def list_problems(visit: Visit) -> Answer:
    """Everything that keeps a document, customer, payment or job of a connection from its place, by cause."""
    connection, house = connection_of(visit), visit.house
    groups: dict[str, list[Problem]] = {}
    for problem in house.problems(connection.account, connection.administration).all():
        if problem.connection in (None, connection.id):  # None: of the whole administration
            groups.setdefault(problem.cause, []).append(problem)
    views = [
        ProblemGroup(
            cause=cause,
            family=problems[0].family,
            count=len(problems),
            problems=[_problem_view(problem, connection, visit) for problem in problems],
        )
        for cause, problems in sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    ]
    return Answer(body=ProblemGroups(groups=views))


def list_audit(visit: Visit) -> Answer:
    """What was done in an administration, oldest first; each entry holds the hash of the one before."""
    connection, after = connection_of(visit), number_after(visit)
    entries = visit.house.audit(connection.account).entries(connection.administration, after, PAGE)
    following = entries[-1]["sequence"] if len(entries) == PAGE else None
    return Answer(body=AuditPage(entries=[dict(entry) for entry in entries], next=following))


def _view(record: DocumentRecord, problem: Problem | None, connection: Connection, visit: Visit) -> DocumentView:
    cause = record.cause if record.state is DocumentState.HELD else ""
    facts = problem.facts if problem and problem.cause == cause else {}
    return DocumentView(
        id=record.id,
        kind=record.kind,
        number=record.number,
        day=record.day,
        gross=str(record.gross),
        state=record.state,
        booking_number=record.booking_number,
        cause=cause,
        sentence=_sentence(cause, facts, record.number, connection, visit) if cause else "",
    )


def _problem_view(problem: Problem, connection: Connection, visit: Visit) -> ProblemView:
    return ProblemView(
        subject=problem.subject,
        about=problem.about,
        facts=dict(problem.facts),
        since=problem.since,
        sentence=_sentence(problem.cause, problem.facts, problem.about, connection, visit),
    )


def _sentence(cause: str, facts: Mapping[str, Any], about: str, connection: Connection, visit: Visit) -> str:
    language = visit.session.language
    return sentence(cause, facts, language, document=about, package=word(connection.package, language))


ROUTES = (
    Route("GET", "/api/connections/{id}/documents", list_documents, Documents, query=("after",)),
    Route("POST", "/api/connections/{id}/documents/{document}/retry", retry_document, Retry, status=202),
    Route("GET", "/api/connections/{id}/problems", list_problems, ProblemGroups),
    Route("GET", "/api/connections/{id}/audit", list_audit, AuditPage, query=("after",)),
)
