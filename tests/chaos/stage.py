"""The whole bridge in one thread: real handlers, fakes in process, the store in memory, and time that is only a number.

    stage.run(strikes, troubles)
    stage.log

Workers are switched only where they meet the world, at a step of the store, a request to a vendor or a queue, by a
seeded scheduler. Everything that could differ between two runs comes from the seed: the same seed writes the same log.
"""

from __future__ import annotations

import json
import logging
import random
import re
import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from types import SimpleNamespace
from typing import Any

import httpx

from boekbrug import wiring
from boekbrug.domain.connections import JobKind
from boekbrug.domain.documents import AccountId
from boekbrug.domain.errors import LeaseLost, VendorDown
from boekbrug.ports import Intent, Job, JobKey, WriteState
from boekbrug.settings import Settings, read_settings
from boekbrug.sync.write_once import FUNCTION_TIMEOUT
from boekbrug.vendors.http import new_client
from fakes.kit.clock import FakeClock
from fakes.kit.server import Fake
from infra import template
from tests.support.stage import BRIDGE, Template, app_credentials, handler_of
from tests.support.transports import fake_transport

from .grounds import Records
from .queue import Message, Queue
from .scheduler import NotFinished, Scheduler
from .strikes import Boundary, How, Killed, Strike, Trouble

A_REQUEST_TAKES = 0.02
"""Seconds of virtual time."""
SWEEP = timedelta(minutes=1)
LEASE_MARGIN = timedelta(seconds=30)
FIRST_STALL_S = 38.0
"""How long a worker that will be stalled sleeps when it has its lease, so that it may send at the lease's end: nobody
sends later than a function's time-out after the intent (design.md 5.3), which is stored after this sleep."""
SETTLE = timedelta(seconds=60)
"""A vendor's reads may lag behind that long, and no longer."""

CLEAR_NO = (400, 401, 403, 404, 422, 429, 500)


class VirtualTime:
    """The run's clock as both of the bridge's clocks."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        return self._clock.now()

    def real_seconds(self, seconds: float) -> float:
        return seconds


@dataclass(frozen=True)
class Function:
    """A function that lives from a queue, as the template describes it."""

    kind: JobKind
    handler: str
    timeout: timedelta
    visibility: timedelta
    most_receives: int


@dataclass(frozen=True)
class Deployed:
    """What of the template this stage needs."""

    settings: Settings
    functions: tuple[Function, ...]
    routes: tuple[tuple[str, str, str], ...]  # method, path, handler


@cache
def deployed(vendor_hosts: str) -> Deployed:
    """`vendor_hosts`: the template parameter that says where the vendors are."""
    resources = Template({"PublicUrl": BRIDGE, "LocalEndpoint": BRIDGE, "VendorHosts": vendor_hosts})
    for kind in ("AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::KMS::Key", "AWS::SecretsManager::Secret"):
        for name in resources.properties(kind):
            resources.made(name, name, Arn=name, QueueName=name, Id=name)
    settings = read_settings(resources.environment())
    kinds = {queue: kind for kind, queue in settings.queues().items()}
    queues = template.resources("AWS::SQS::Queue")
    functions, routes = [], []
    for function in resources.properties("AWS::Serverless::Function").values():
        for event in function.get("Events", {}).values():
            if event["Type"] == "HttpApi":
                routes.append((event["Properties"]["Method"], event["Properties"]["Path"], function["Handler"]))
            elif event["Type"] == "SQS":
                name = event["Properties"]["Queue"]["Fn::GetAtt"][0]
                functions.append(
                    Function(
                        kind=kinds[name],
                        handler=function["Handler"],
                        timeout=timedelta(seconds=function["Timeout"]),
                        visibility=timedelta(seconds=queues[name]["VisibilityTimeout"]),
                        most_receives=queues[name]["RedrivePolicy"]["maxReceiveCount"],
                    )
                )
    return Deployed(settings, tuple(functions), tuple(routes))


class Worker:
    """One invocation, and all its ports: when it is dead, every one of them is."""

    def __init__(self, stage: Stage, name: str, function: Function | None) -> None:
        self.stage = stage
        self.name = name
        self.function = function
        self.started = stage.clock.now()
        self.attempt = len(stage.claims) + 1  # so far: it counts once the lease is taken
        self.claimed_at: datetime | None = None
        self.version = 0  # of the lease
        self.leased_until: datetime | None = None
        self.early = False  # it came while an outcome could not be known yet
        self.stalled = False
        self.releasing = False  # its lease is on the way back
        self.dead = False
        self.sent_at: datetime | None = None  # of the intent it stored last
        self._met: Counter[str] = Counter()
        self._here: dict[str, Boundary] = {}
        self.sandbox = stage.sandbox(self)

    def at(self, name: str, phase: str, said: str = "") -> None:
        """A port is used: note it, strike here if it is time, and let others go first."""
        self._must_live()
        if phase == "before":
            self._met[name] += 1
            self._here[name] = Boundary(self.attempt, name, self._met[name])
        self.stage.pass_boundary(self, self._here[name], phase, said)
        self._must_live()
        self.stage.scheduler.pause()
        self._must_live()

    def here(self, name: str) -> Boundary:
        return self._here[name]

    def at_store(self, name: str, phase: str) -> None:
        watched = name in ("jobs.release", "jobs.save_cursor") and self.claimed_at is not None
        if watched and phase == "after":
            self.stage.watch_the_lease(self, name, phase)
        self.at(name, phase)
        if watched and phase == "before":
            self.stage.watch_the_lease(self, name, phase)

    def sleep(self, seconds: float) -> None:
        self._must_live()
        self.stage.scheduler.sleep(seconds)
        self._must_live()

    def die(self) -> None:
        self.dead = True
        raise Killed

    def _must_live(self) -> None:
        if self.dead:
            raise Killed
        if self.function and not self.stalled and self.stage.clock.now() >= self.started + self.function.timeout:
            self.stage.say(f"{self.name} timed out")
            self.die()


@dataclass(frozen=True)
class Send:
    """A vendor write that reached the vendor."""

    subject: str
    sent_at: datetime | None  # of its intent
    at: datetime
    refused: bool  # the vendor said no, and the worker heard it


@dataclass
class Stage:
    """One run."""

    clock: FakeClock
    fakes: dict[str, Fake]  # by host
    records: Records
    account: AccountId
    vendor_hosts: str
    subject_of: Callable[[httpx.Request], str | None] = lambda _: None
    seed: str = ""
    offers_again: bool = False  # a booking or relation in doubt may be sent again at once (packages.py)
    limit_ends: Callable[[datetime], datetime] = lambda met: met + timedelta(minutes=1)  # of the package
    longest_run: timedelta = timedelta(hours=3)
    log: list[str] = field(default_factory=list)
    claims: list[tuple[datetime, Worker]] = field(default_factory=list)
    sends: list[Send] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    boundaries: list[Boundary] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)  # names, as troubles count them
    writes: list[tuple[Boundary, str]] = field(default_factory=list)  # those that write, and what

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.scheduler = Scheduler(self.clock, self.random)
        self.time = VirtualTime(self.clock)
        self.deployed = deployed(self.vendor_hosts)
        self.functions = {function.kind: function for function in self.deployed.functions}
        self.queues = {kind: self._queue(function) for kind, function in self.functions.items()}
        self.struck: list[Strike | Trouble] = []
        self.fault_at: datetime | None = None
        self.done_after, self._done = 0, False
        self.is_done: Callable[[], bool] = lambda: True
        self.is_early: Callable[[], bool] = lambda: False
        self.crowded = False
        self._strikes: dict[Boundary, How] = {}
        self._troubles: dict[int, object] = {}
        self._kind: JobKind | None = None
        self._numbers: Counter[str] = Counter()
        self._begun = self.clock.now()
        self._changed_at: dict[str, tuple[int, datetime]] = {}
        self._transports = {host: fake_transport(fake) for host, fake in self.fakes.items()}
        self._at_work: Worker | None = None
        self._client = new_client(_Line(self))
        self.outside = self.records.store(_unseen, self.scheduler.sleep)
        self._jobs_seen: dict[str, Job] = {}
        self._workers: list[Worker] = []

    def _queue(self, function: Function) -> Queue:
        return Queue(
            function.kind,
            self.scheduler,
            lambda message: self._deliver(function, message),
            visibility=function.visibility,
            most_receives=function.most_receives,
        )

    # --- a run ---

    def run(
        self,
        kind: JobKind | None = None,
        strikes: Sequence[Strike] = (),
        troubles: Sequence[Trouble] = (),
        again_after: float | None = None,
        hurry: Sequence[float] = (),
    ) -> None:
        """Until nothing is queued or due.

        `kind`: whose workers are struck. `again_after`: seconds after which the queue delivers its message once more.
        `hurry`: seconds after which somebody nudges the job, whether or not it is time.
        """
        self._kind = kind
        self.crowded = again_after is not None or bool(hurry) or len(strikes) + len(troubles) > 1
        self._strikes = {strike.at: strike.how for strike in strikes}
        self._troubles = {trouble.nth: trouble.do for trouble in troubles}
        if again_after is not None and kind:
            self.scheduler.after(timedelta(0), lambda: self.queues[kind].again(timedelta(seconds=again_after)))
        for seconds in hurry:
            key = next(job.key for job in self._jobs() if job.key.kind is kind)
            self.scheduler.after(timedelta(seconds=seconds), lambda key=key: self.queues[key.kind].send(key))
        with self._quiet(), _seeded(self.seed):
            self.collect_nudges()
            self.scheduler.after(SWEEP, self._sweep)
            try:
                self.scheduler.run(self._idle, self.longest_run)
            except NotFinished as late:
                self.broken.append(str(late))
            finally:
                self._bury()
        self.broken += [f"dead letter {m.id}" for queue in self.queues.values() for m in queue.dead_letters]

    def _bury(self) -> None:
        """Nobody who still sleeps may wake up in another run."""
        for worker in self._workers:
            worker.dead = True
        for task in list(self.scheduler.alive):
            if task:  # has begun
                task.throw(Killed)

    def _idle(self) -> bool:
        if any(queue.kept for queue in self.queues.values()):
            return False
        now = self.clock.now()  # the lease of a dead worker whose job was done is nobody's work
        return not any(job.due_at or (job.leased_until and job.leased_until > now) for job in self._jobs())

    def _jobs(self) -> Sequence[Job]:
        return self.outside.jobs.of_account(self.account)

    def _sweep(self) -> None:
        self.scheduler.after(SWEEP, self._sweep)
        now = self.clock.now()
        if any(job.due_at and job.due_at <= now for job in self._jobs()):
            worker = Worker(self, self._name("sweep"), None)
            self._start(worker, lambda: handler_of("handlers.plan_sync.handler")({}, None))

    def _deliver(self, function: Function, message: Message) -> None:
        worker = Worker(self, self._name(function.kind), function)
        self._start(worker, lambda: self._invoke(worker, message))

    def _start(self, worker: Worker, deed: Callable[[], None]) -> None:
        self._workers.append(worker)

        def life() -> None:
            try:
                deed()
            except Killed:
                worker.dead = True
                self.say(f"{worker.name} is dead")

        def on_resume() -> None:
            self._at_work = worker
            wiring.use(worker.sandbox)

        self.scheduler.start(life, on_resume)

    def _invoke(self, worker: Worker, message: Message) -> None:
        function = worker.function
        assert function is not None
        key = message.key
        body = json.dumps({"account": key.account, "administration": key.administration, "kind": key.kind})
        record = {"messageId": message.id, "receiptHandle": "-", "body": body}
        hard = worker.started + function.timeout
        left = SimpleNamespace(
            get_remaining_time_in_millis=lambda: int((hard - self.clock.now()).total_seconds() * 1000)
        )
        answer = handler_of(function.handler)({"Records": [record]}, left)
        if not answer["batchItemFailures"]:
            worker.at("queue.delete", "before")
            self.queues[function.kind].delete(message)
            worker.at("queue.delete", "after")

    def _name(self, kind: str) -> str:
        self._numbers[kind] += 1
        return f"{kind}-{self._numbers[kind]}"

    # --- sandboxes ---

    def sandbox(self, worker: Worker | None = None) -> wiring.Sandbox:
        sleep = worker.sleep if worker else self.scheduler.sleep
        store = self.records.store(worker.at_store if worker else _unseen, sleep)
        if worker:
            self._listen(worker, store)
        made = wiring.Sandbox(self.deployed.settings, _Secret(self._secret), sleep=sleep, store=store)
        made.real = made.clock = self.time
        made.http_client = self._client
        return made

    def _listen(self, worker: Worker, store: Any) -> None:
        """Learn who takes the lease and what he means to send; the rooms do their work as ever."""
        claim, release, links = store.jobs.claim, store.jobs.release, store.links

        def claimed(key: JobKey, now: datetime, until: datetime) -> Job | None:
            job = claim(key, now, until)
            if job is not None:
                self._has_claimed(worker, job, now)
            return job

        def released(job: Job, **said: Any) -> bool:
            worker.releasing = True
            try:
                return release(job, **said)
            finally:  # also when the worker died of it: what stands in the store counts
                now = self.outside.jobs.get(job.key)
                worker.leased_until = now.leased_until if now and now.version == job.version else None
                worker.releasing = False

        store.jobs.claim, store.jobs.release = claimed, released
        store.links = lambda *whose: _Noted(links(*whose), worker)

    def _has_claimed(self, worker: Worker, job: Job, now: datetime) -> None:
        if worker.function is None or worker.function.kind is not self._kind:
            return
        at_hand = self.clock.now()  # a worker that stalled at its claim tells of it late, and its lease may be over
        taken = self.claims if job.leased_until and job.leased_until > at_hand else []
        for _, other in taken:
            # One that stalls, or is giving its lease back, may have done so without our knowing yet.
            known = not (other.stalled or other.releasing)
            if other.leased_until and other.leased_until > at_hand and known:
                self.broken.append(f"{worker.name} took the lease that {other.name} has")
        worker.leased_until = job.leased_until
        worker.claimed_at, worker.version = self.clock.now(), job.version
        self.claims.append((worker.claimed_at, worker))
        worker.attempt = len(self.claims)
        worker.early = self.is_early()
        self.say(f"{worker.name} has the lease")
        if any(how is How.STALLED and at.attempt == worker.attempt for at, how in self._strikes.items()):
            worker.sleep(FIRST_STALL_S)

    def _secret(self) -> str:
        return app_credentials(self.fakes.values())

    # --- boundaries ---

    def pass_boundary(self, worker: Worker, boundary: Boundary, phase: str, said: str) -> None:
        self.say(f"{worker.name} {phase:6} {boundary.name}{said}")
        if phase == "after" and boundary.name == "nudges.send":
            self.collect_nudges()
        if phase == "before" and boundary.name == "queue.delete":
            self._look_whether_done(worker)
        if worker.function is None or worker.function.kind is not self._kind:
            return
        if phase == "before":
            self.boundaries.append(boundary)
        how = self._strikes.get(boundary)
        if how is not None and (phase == "after") is (how in (How.AFTER, How.LOST)):
            del self._strikes[boundary]
            self._strike(worker, boundary, how)

    def _strike(self, worker: Worker, boundary: Boundary, how: How) -> None:
        self.hit(Strike(boundary, how))
        match how:
            case How.BEFORE | How.AFTER:
                worker.die()
            case How.STALLED:
                self._stall(worker)
            case _ if boundary.is_request:
                raise httpx.ReadError(f"{how} by the stage")
            case _:
                raise VendorDown(vendor="store")

    def _stall(self, worker: Worker) -> None:
        """Until the lease is over and another worker has begun, or nearly."""
        function, since = worker.function, worker.claimed_at or self.clock.now()
        assert function is not None
        worker.stalled = True
        over = since + function.timeout + LEASE_MARGIN + timedelta(seconds=1)
        lease_left = over - self.clock.now()
        key = self._job_of(worker).key
        self.scheduler.after(lease_left, lambda: self.queues[function.kind].send(key))
        worker.sleep(lease_left.total_seconds() + self.random.choice((0.0, 0.01, 0.05, 0.2, 3.0)))
        self._ends(self.clock.now())

    def hit(self, fault: Strike | Trouble) -> None:
        self.struck.append(fault)
        self._ends(self.clock.now())
        self.done_after, self._done = 0, False
        self.say(f"*** {fault}")

    def _ends(self, at: datetime) -> None:
        """Every fault is over by then."""
        self.fault_at = max(at, self.fault_at or at)

    def _look_whether_done(self, worker: Worker) -> None:
        """Count the nudges that were needed after the last fault; those that found the lease held took none.

        Where nudges also come twice, or faults meet faults, those do not count either that come while an outcome
        cannot be known yet: with enough of them any number is too early.
        """
        if self._done or self.fault_at is None:
            return
        took = self.claims[: worker.attempt] if worker.claimed_at else []
        self.done_after = sum(at >= self.fault_at and not (self.crowded and one.early) for at, one in took)
        self._done = self.is_done()

    def watch_the_lease(self, worker: Worker, name: str, phase: str) -> None:
        """Whoever lost his lease to another changes nothing of the job any more."""
        now = self._job_of(worker)
        if now.version == worker.version:
            return
        if phase == "before":
            self._jobs_seen[worker.name] = now
        elif self._jobs_seen.pop(worker.name, now) != now:
            self.broken.append(f"{worker.name} lost its lease and changed the job at {name}")

    def _job_of(self, worker: Worker) -> Job:
        return next(job for job in self._jobs() if worker.function and job.key.kind is worker.function.kind)

    # --- the line ---

    def request(self, request: httpx.Request) -> httpx.Response:
        """What reaches the vendor, and what comes back."""
        worker = self._at_work
        transport = self._transports[request.url.host]
        fake = self.fakes[request.url.host]
        if worker is None:
            return transport.handle_request(request)
        name = _name_of(request, fake)
        worker.at(name, "before", _said(request))
        if not is_about_tokens(name):  # a chain of tokens can be lost: that is proved elsewhere
            self.requests.append(name)
            self._trouble(fake)
        self.clock.set(advance_s=A_REQUEST_TAKES)
        send = self._noted_send(worker, request)
        version = fake.state.version
        try:
            answer = transport.handle_request(request)
        except httpx.ReadError:
            self.say(f"{worker.name} lost   {name}")
            raise
        finally:
            if "oauth2" not in request.url.path:  # no read lags behind a token
                self._note_change(fake, version)
        worker.at(name, "after", f" {answer.status_code}")
        if send is not None and answer.status_code in CLEAR_NO:
            self.sends[send] = replace(self.sends[send], refused=True)
        return answer

    def _noted_send(self, worker: Worker, request: httpx.Request) -> int | None:
        subject = self.subject_of(request)
        if subject is None:
            return None
        name = _name_of(request, self.fakes[request.url.host])
        if worker.function and worker.function.kind is self._kind:
            self.writes.append((worker.here(name), subject))
        self.sends.append(Send(subject, worker.sent_at, self.clock.now(), refused=False))
        return len(self.sends) - 1

    def _trouble(self, fake: Fake) -> None:
        do = self._troubles.pop(len(self.requests), None)
        if do is None:
            return
        if do == "stale_read":  # a vendor that lags longer than it may would break every bridge
            _, changed_at = self._changed_at.get(fake.vendor, (0, datetime.min.replace(tzinfo=UTC)))
            if self.clock.now() - changed_at > SETTLE:
                return
        self.hit(Trouble(len(self.requests), do))
        if do == "rate_limit":
            in_a_minute = self.clock.now() + timedelta(minutes=1)
            self._ends(in_a_minute if fake.vendor == "teamleader" else self.limit_ends(self.clock.now()))
        fake.faults.add([{"match": {}, "do": do}])

    def _note_change(self, fake: Fake, before: int) -> None:
        if fake.state.version != before:
            self._changed_at[fake.vendor] = (fake.state.version, self.clock.now())

    def may_offer_again(self, what: str) -> bool:
        """Whether a second sending settles the doubt about the first: "booking …" and "relation …" of some packages."""
        return self.offers_again and what.split()[0] in ("booking", "relation")

    # --- nudges, log, silence ---

    def collect_nudges(self) -> None:
        for nudge in self.records.take_nudges():
            self.queues[nudge.key.kind].send(nudge.key, timedelta(seconds=nudge.delay_s))

    def say(self, what: str) -> None:
        self.log.append(f"{(self.clock.now() - self._begun).total_seconds():10.2f} {what}")

    @contextmanager
    def _quiet(self) -> Iterator[None]:
        """What the functions log becomes part of the run's log."""
        before_logger, before_sandbox = wiring._logger, wiring._sandbox
        wiring._logger = _Logger(self)
        try:
            yield
        finally:
            wiring._logger = before_logger
            wiring.use(before_sandbox)


class _Logger:
    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def info(self, what: str, extra: dict[str, Any]) -> None:
        self._stage.say(f"  {what} {extra.get('result', '')}")

    def warning(self, what: str, extra: Any = None) -> None:
        self._stage.say(f"  {what}")

    def exception(self, what: str, extra: dict[str, Any]) -> None:
        import sys
        import traceback

        error = sys.exception() if hasattr(sys, "exception") else sys.exc_info()[1]
        self._stage.say(f"  {what}: {error!r}")
        if not isinstance(error, LeaseLost) and not _is_the_store(error):
            where = traceback.format_exception(error)[-2:] if error else []
            self._stage.broken.append(f"{what}: {error!r} {''.join(where)}")


def _unseen(name: str, phase: str) -> None:
    """What is looked at from outside is no worker's step."""


def _is_the_store(error: BaseException | None) -> bool:
    """A store that refuses to lend or take back a job: the queue brings the nudge again."""
    return isinstance(error, VendorDown) and error.facts.get("vendor") == "store"


class _Line(httpx.BaseTransport):
    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._stage.request(request)


class _Noted:
    """Links, and when the worker's latest intent says it was sent.

    Here it is also seen that absence was not concluded too early (design.md 5.3): an earlier sending that never
    reached the vendor is known to nobody else.
    """

    def __init__(self, links: Any, worker: Worker) -> None:
        self._links = links
        self._worker = worker

    def __getattr__(self, name: str) -> Any:
        return getattr(self._links, name)

    def plan(self, *said: Any) -> Intent:
        self._worker.sent_at = said[-1]
        return self._links.plan(*said)

    def again(self, intent: Intent, *said: Any) -> Intent:
        self._worker.sent_at = said[-1]
        waited, stage = said[-1] - intent.sent_at, self._worker.stage
        known = intent.state in (WriteState.REFUSED, WriteState.GONE) or stage.may_offer_again(intent.kind)
        if waited < FUNCTION_TIMEOUT + SETTLE and not known:
            stage.broken.append(f"{intent.kind} {intent.subject} is sent again after {waited}")
        return self._links.again(intent, *said)


class _Secret:
    """The cloud, of which only the secret of our apps is asked."""

    def __init__(self, read: Callable[[], str]) -> None:
        self._read = read

    def client(self, service: str) -> Any:
        return SimpleNamespace(get_secret_value=lambda SecretId: {"SecretString": self._read()})


def _name_of(request: httpx.Request, fake: Fake) -> str:
    """What a boundary is called: the same in every run."""
    path = request.url.path
    return f"{request.method} {fake.vendor} {'/downloads/…' if path.startswith('/downloads/') else path}"


def is_about_tokens(name: str) -> bool:
    """Whether a call that is named so (method and path) gives or renews access."""
    return re.search(r"oauth|/authentication$|POST .*/dossiers$", name) is not None


def _said(request: httpx.Request) -> str:
    body = request.content[:120].decode("utf-8", "replace") if request.method != "GET" else request.url.query.decode()
    return f" {body}" if body and not is_about_tokens(f"{request.method} {request.url.path}") else ""


@contextmanager
def _seeded(seed: str) -> Iterator[None]:
    """Chance, wherever it is asked for, comes from the seed."""
    chance = random.Random(f"chance {seed}")
    before = random.getstate(), secrets.token_hex, secrets.token_urlsafe
    random.seed(f"backoff {seed}")
    secrets.token_hex = lambda n=32: chance.randbytes(n).hex()  # type: ignore[assignment]
    secrets.token_urlsafe = lambda n=32: chance.randbytes(n).hex()[: n + n // 3]  # type: ignore[assignment]
    try:
        yield
    finally:
        random.setstate(before[0])
        secrets.token_hex, secrets.token_urlsafe = before[1:]


seeded = _seeded
logging.getLogger("httpx").setLevel(logging.WARNING)
