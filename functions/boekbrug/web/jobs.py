"""The work of a connection: what runs when, what waits, and "sync now"."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ..domain.connections import Connection, JobKind
from ..domain.errors import NeedsSetup, NotReady
from ..ports import House, Job, JobKey
from ..texts import sentence, word
from .app import Route, Visit
from .http import Answer, Answered, Asked
from .lookup import connection_of


class SyncNow(Asked):
    kind: JobKind


class SyncStarted(Answered):
    kind: JobKind


class Pause(Answered):
    """Why a job does not run, and what a person can do."""

    cause: str
    sentence: str


class JobState(Answered):
    kind: JobKind
    due_at: datetime | None  # null: only when asked
    leased: bool  # a worker is busy with it
    again: bool  # asked for once more while busy
    paused: Pause | None
    last_result: dict[str, Any] | None
    last_run_at: datetime | None
    idle: bool  # nothing due now, nobody busy


class JobStates(Answered):
    jobs: list[JobState]
    waiting: int  # documents in line
    unsettled: int  # writes without a known outcome
    idle: bool  # every job is, and no outcome is unknown


def wake(house: House, connection: Connection, kind: JobKind, *, manual: bool = False) -> None:
    """Make a job due now and tell a worker; twice is harmless."""
    key = JobKey(connection.account, connection.administration, kind)
    house.jobs.make_due(key, house.clock.now(), manual=manual)
    house.nudges.send(key)


def wake_all(house: House, connection: Connection) -> None:
    """A connection starts to run by itself: everything is due once, then each job says when to go on."""
    for kind in JobKind:
        wake(house, connection, kind)


def go_on(house: House, connection: Connection) -> None:
    """After a change of set-up or a decision: the worker looks again at what was held, however much that is.

    A connection that never ran stays still until a person starts it (rules.md 27).
    """
    job = house.jobs.get(JobKey(connection.account, connection.administration, JobKind.DOCUMENTS))
    if connection.active and (connection.automatic or (job and job.last_run_at)):
        wake(house, connection, JobKind.DOCUMENTS, manual=True)


def sync_now(visit: Visit) -> Answer:
    """Runs one kind of work of a connection at once; the worker reports in the list of jobs."""
    connection, kind = connection_of(visit), visit.request.read(SyncNow).kind
    house = visit.house
    if not connection.active:
        raise NotReady()
    job = house.jobs.get(JobKey(connection.account, connection.administration, kind))
    if job and job.paused:  # a person thinks it can go on: let it try
        house.jobs.resume(connection.account, connection.administration, house.clock.now())
    wake(house, connection, kind, manual=True)
    problems = house.problems(connection.account, connection.administration).all()
    if kind is JobKind.DOCUMENTS and any(problem.family == NeedsSetup.__name__ for problem in problems):
        wake(house, connection, JobKind.ACCOUNTS)  # what was wrong with the set-up last night may be right by now
    facts = {"connection": connection.id, "kind": kind.value, "user": visit.session.user}
    house.audit(connection.account).append(connection.administration, "sync_asked", facts, house.clock.now())
    return Answer(202, SyncStarted(kind=kind))


def list_jobs(visit: Visit) -> Answer:
    """What the four jobs of a connection do, and whether all is quiet."""
    connection, house = connection_of(visit), visit.house
    account, administration = connection.account, connection.administration
    found = [house.jobs.get(JobKey(account, administration, kind)) for kind in JobKind]
    states = [_state(job, connection, visit) for job in found if job]
    unsettled = len(house.links(account, administration).unsettled())
    answer = JobStates(
        jobs=states,
        waiting=house.documents(account, administration).counts(connection.id).get("waiting", 0),
        unsettled=unsettled,
        idle=unsettled == 0 and all(state.idle for state in states),
    )
    return Answer(body=answer)


def _state(job: Job, connection: Connection, visit: Visit) -> JobState:
    now, language = visit.house.clock.now(), visit.session.language
    leased = job.leased_until is not None and job.leased_until > visit.house.real.now()
    due = job.due_at is not None and job.due_at <= now and not job.paused
    package = word(connection.package, language)
    facts = {"vendor": connection.package, "package": package}  # what a pause is most often about
    return JobState(
        kind=job.key.kind,
        due_at=job.due_at,
        leased=leased,
        again=job.again,
        paused=Pause(cause=job.paused, sentence=sentence(job.paused, facts, language)) if job.paused else None,
        last_result=dict(job.last_result) if job.last_result is not None else None,
        last_run_at=job.last_run_at,
        idle=not (due or leased or job.again),
    )


ROUTES = (
    Route("POST", "/api/connections/{id}/sync", sync_now, SyncStarted, asks=SyncNow, status=202),
    Route("GET", "/api/connections/{id}/jobs", list_jobs, JobStates),
)
