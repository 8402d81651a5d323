"""A job works in slices: it takes the lease, works until time, budget or work runs out, and says when to go on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ..domain.connections import Connection, JobKind
from ..domain.documents import AccountId
from ..domain.errors import (
    AccessExpired,
    LeaseLost,
    NeedsLogin,
    NeedsSetup,
    OutcomeUnknown,
    OutOfTime,
    SyncError,
    TryLater,
    UnexpectedAnswer,
)
from ..domain.ledger import AdministrationId
from ..messages import RunJob
from ..ports import Clock, Deadline, House, Job, JobKey

WORK = timedelta(seconds=40)
"""How long a slice works at most."""
LAST_WRITE = timedelta(seconds=40)
"""No write starts with less of the function's time left: its HTTP time-out (30 s) and ten seconds to remember it."""
LEASE_MARGIN = timedelta(seconds=30)
SOON = timedelta(seconds=60)
AFTER_FAILURE = timedelta(minutes=45)
"""The queue delivers a failed nudge five times, for which it takes half an hour at most; a sweep that nudged meanwhile
would make it five times as many."""
LONGEST_NUDGE = timedelta(seconds=900)
"""What a queue can delay; whatever is later is the sweep's."""

EVERY: Mapping[JobKind, timedelta] = {
    JobKind.ACCOUNTS: timedelta(hours=24),
    JobKind.RELATIONS: timedelta(hours=24),
    JobKind.DOCUMENTS: timedelta(hours=1),
    JobKind.PAYMENTS: timedelta(hours=2),
}
"""How often an automatic connection runs each job (rules.md 27)."""


@dataclass(frozen=True, slots=True)
class Slice:
    """What a slice did. `due_at` None: nothing left, and nothing planned."""

    result: Mapping[str, Any] = field(default_factory=dict)
    due_at: datetime | None = None  # by Clock


Deed = Callable[[House, Job, Deadline], Slice]


def run_job(house: House, nudge: RunJob, deed: Deed, *, hard: datetime, timeout: timedelta) -> Slice | None:
    """Work one slice of the job a nudge names; None when somebody else is at it or it is paused.

    `hard`: when this function is killed, by RealClock. `timeout`: the function's whole time, for the lease.
    A failure of the whole job becomes its due time (try later), its pause (log in) or, when we do not understand
    what happened or a defect of ours stops it, an exception for the dead-letter queue. What a person must set up first
    is told, and an automatic job tries again at its next time. A killed worker leaves the lease to run out.
    """
    key = JobKey(AccountId(nudge.account), AdministrationId(nudge.administration), nudge.kind)
    started = house.real.now()
    job = house.jobs.claim(key, started, started + timeout + LEASE_MARGIN)
    if job is None:
        return None
    deadline = Deadline(stop=min(started + WORK, hard - LAST_WRITE), hard=hard)
    problems = house.problems(key.account, key.administration)
    subject = f"job:{key.kind}"
    paused: str = ""
    failure: Exception | None = None
    try:
        done = deed(house, job, deadline)
    except TryLater as later:
        done = Slice({"stopped": later.cause}, _when(later, house.clock.now()))
    except NeedsLogin as lost:
        problems.report(subject, None, lost, house.clock.now(), "")
        done, paused = Slice({"stopped": lost.cause}), lost.cause
    except NeedsSetup as missing:
        problems.report(subject, None, missing, house.clock.now(), "")
        due_at = next_run(key.kind, active_connections(house, job), house.clock.now())
        done = Slice({"stopped": missing.cause}, due_at)
    except UnexpectedAnswer as strange:
        problems.report(subject, None, strange, house.clock.now(), "")
        done, failure = Slice({"stopped": strange.cause}, house.clock.now() + AFTER_FAILURE), strange
    except Exception as defect:
        # Ours to repair, but people must see that the work stands still: with the kind of the error, which tells
        # nothing about anybody.
        strange = UnexpectedAnswer(vendor="boekbrug", said=type(defect).__name__)
        problems.report(subject, None, strange, house.clock.now(), "")
        done, failure = Slice({"stopped": strange.cause}, house.clock.now() + AFTER_FAILURE), defect
    else:
        problems.solve(subject)
    now = house.clock.now()
    try:
        asked_again = house.jobs.release(job, due_at=done.due_at, result=done.result, ran_at=now, paused=paused)
    except LeaseLost:
        # Another worker took over, and may have looked before our last steps: somebody looks once more.
        house.jobs.make_due(key, now)
        house.nudges.send(key)
        return None
    if failure:
        raise failure
    if paused and _is_granted_again(house, key, paused):
        house.jobs.resume(key.account, key.administration, now)
    if not paused:
        go_on = now if asked_again else done.due_at
        if go_on is not None and go_on - now <= LONGEST_NUDGE:
            house.nudges.send(key, house.clock.real_seconds(max(0.0, (go_on - now).total_seconds())))
    return done


def _is_granted_again(house: House, key: JobKey, cause: str) -> bool:
    """Whether a person consented between the loss of a grant and our pause: then nothing would wake this job.

    Looked at after the pause is stored: a consent that comes later still finds the job paused, and wakes it itself.
    """
    if cause != AccessExpired.__name__:
        return False
    account = house.accounts.get(key.account)
    grants = {c.login for c in house.connections.of_administration(key.account, key.administration) if c.active}
    logins = [house.logins.get(key.account, login) for login in grants | ({account.focus_login} if account else set())]
    return all(login is not None and login.tokens is not None for login in logins)


def _when(later: TryLater, now: datetime) -> datetime:
    return max(later.until or now + SOON, now)


def has_time(house: House, deadline: Deadline) -> bool:
    return house.real.now() < deadline.stop


def on_the_clock(real: timedelta, clock: Clock) -> timedelta:
    """How far the clock of documents moves while that much real time passes (they differ on the local stage)."""
    return real / clock.real_seconds(1.0)


def next_run(kind: JobKind, connections: list[Connection], now: datetime) -> datetime | None:
    """When an automatic job runs again; None when every connection is run by hand."""
    return now + EVERY[kind] if any(c.automatic for c in connections) else None


def active_connections(house: House, job: Job) -> list[Connection]:
    found = house.connections.of_administration(job.key.account, job.key.administration)
    return [connection for connection in found if connection.active]


def stops_the_slice(error: SyncError) -> bool:
    """Whether an error concerns the vendor and not one document: going on would only meet it again."""
    return isinstance(error, NeedsLogin) or (
        isinstance(error, TryLater) and not isinstance(error, OutcomeUnknown | OutOfTime)
    )
