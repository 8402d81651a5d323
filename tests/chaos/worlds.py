"""Worlds to begin runs in: built once by people who click, kept as bytes, and opened for each run."""

from __future__ import annotations

import copyreg
import io
import itertools
import json
import pickle
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from unittest.mock import patch

import httpx

from boekbrug import wiring
from boekbrug.domain.documents import AccountId
from fakes.kit.clock import FakeClock
from fakes.kit.server import Fake
from fakes.teamleader import TeamleaderFake
from infra.local.fake_control import FakeControl
from infra.local.person import Person
from tests.support import books
from tests.support.company import ACCOUNT, Company
from tests.support.stage import BRIDGE, TEAMLEADER, Line, gateway, vendor_hosts
from tests.support.transports import fake_transport

from .grounds import Ground, Records
from .packages import Package
from .stage import Stage, seeded

S = TypeVar("S", bound=Stage)

BEGIN = datetime(2026, 3, 31, 9, tzinfo=UTC)


@dataclass(frozen=True)
class World:
    """A company on the morning of a run. `facts`: what the case expects of it."""

    package: Package
    ground: Ground
    fakes: bytes
    store: Any  # as the ground keeps it
    now: datetime
    shared: dict[str, Any]  # what no run changes: senders of webhooks
    facts: Any

    def opened(self, seed: str, kind: type[S] = Stage) -> S:  # type: ignore[assignment]
        clock = _StillClock(self.now)
        fakes = _Unpickler(io.BytesIO(self.fakes), {**self.shared, "clock": clock}).load()
        return _stage(self.package, clock, fakes, self.ground.opened(self.store), seed, kind)


class Studio:
    """The bridge as a company uses it before a run begins (tests/support/company.py)."""

    def __init__(self, package: Package, ground: Ground) -> None:
        self.clock = _StillClock(BEGIN)
        self.fakes = {"teamleader": TeamleaderFake(self.clock), package.name: package.fake(self.clock)}
        hosts = {"teamleader": TEAMLEADER, package.name: package.url}
        self.line = Line(
            {BRIDGE: _Api(self), **{hosts[name]: fake_transport(fake) for name, fake in self.fakes.items()}}
        )
        self.controls = {name: FakeControl(hosts[name], self.line) for name in self.fakes}
        self.teamleader = self.controls["teamleader"]
        self.teamleader.post("seed", redirect_uris=[f"{BRIDGE}/callback/teamleader"])
        self.teamleader.post("switches", webhooks_drop=True)
        self.controls[package.name].post("seed", redirect_uris=[f"{BRIDGE}/callback/{package.name}"])
        self._package = package
        self._ground = ground
        self._store = ground.opened(ground.empty())

    def __getattr__(self, name: str) -> Any:
        """`studio.exact`: the control of that fake."""
        try:
            return self.__dict__["controls"][name]
        except KeyError as error:
            raise AttributeError(name) from error

    def person(self, user: str) -> Person:
        return Person(BRIDGE, user, self.line)

    def stage(self) -> Stage:
        return _stage(self._package, self.clock, list(self.fakes.values()), self._store, "studio")

    def house(self) -> wiring.DeployedHouse:
        return self.stage().sandbox().house(BRIDGE)

    def settle(self) -> None:
        """Let the workers do what there is to do."""
        stage = self.stage()
        stage.run()
        assert not stage.broken, "\n".join([*dict.fromkeys(stage.broken), *stage.log[-20:]])

    def answer(self, request: httpx.Request) -> httpx.Response:
        stage = self.stage()
        wiring.use(stage.sandbox())
        try:
            return gateway(stage.deployed.routes, request)
        finally:
            wiring.use(None)

    def kept(self, facts: Any) -> World:
        shared: dict[str, Any] = {}
        buffer = io.BytesIO()
        _Pickler(buffer, shared, self.clock).dump(list(self.fakes.values()))
        store = self._store.kept()
        return World(self._package, self._ground, buffer.getvalue(), store, self.clock.now(), shared, facts)


def built(package: Package, ground: Ground, deed: Callable[[Company], Any], variant: int) -> World:
    """A world in which the company has done this; what `deed` returns are its facts."""
    with seeded(f"world {variant}"), patch.object(books, "_numbers", itertools.count(11_000_000)):
        studio = Studio(package, ground)
        return studio.kept(deed(package.company(studio)))


def _stage(
    package: Package,
    clock: FakeClock,
    fakes: Sequence[Fake],
    records: Records,
    seed: str,
    kind: type[S] = Stage,  # type: ignore[assignment]
) -> S:
    teamleader, other = fakes
    return kind(
        clock=clock,
        fakes={httpx.URL(TEAMLEADER).host: teamleader, httpx.URL(package.url).host: other},
        records=records,
        account=AccountId(ACCOUNT),
        vendor_hosts=vendor_hosts({"teamleader": TEAMLEADER, package.name: package.url}),
        subject_of=lambda request: _registered(request) or package.written(request),
        seed=seed,
        offers_again=package.offers_again,
        limit_ends=package.limit_ends,
        longest_run=package.longest_run,
    )


def _registered(request: httpx.Request) -> str | None:
    """What a registration in Teamleader writes; None for every other request."""
    if request.url.path != "/invoices.registerPayment":
        return None
    body = json.loads(request.content)
    return f"payment {body['id']} {body['paid_at']}"


class _StillClock(FakeClock):
    """Moves only when it is set: then it need not look at the machine's, thousands of times a run."""

    def __init__(self, now: datetime) -> None:
        super().__init__(now, rate=0, real=lambda: 0.0)

    def now(self) -> datetime:
        return self._base


class _Api(httpx.BaseTransport):
    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._studio.answer(request)


# --- keeping fakes ----------------------------------------------------------------------------------------------------

_LOCK = type(threading.RLock())


class _Pickler(pickle.Pickler):
    """Fakes hold a clock, which each run has of its own, and senders of webhooks, which no run uses."""

    def __init__(self, file: io.BytesIO, shared: dict[str, Any], clock: FakeClock) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self._shared = shared
        self._clock = clock
        self.dispatch_table = copyreg.dispatch_table.copy()
        self.dispatch_table[_LOCK] = lambda _: (threading.RLock, ())
        self.dispatch_table[type(threading.Lock())] = lambda _: (threading.Lock, ())

    def persistent_id(self, obj: Any) -> str | None:
        if obj is self._clock:
            return "clock"
        if type(obj).__name__ in ("Dispatcher", "Outbox"):
            name = type(obj).__module__
            self._shared[name] = obj
            return name
        return None


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, known: dict[str, Any]) -> None:
        super().__init__(file)
        self._known = known

    def persistent_load(self, pid: str) -> Any:
        return self._known[pid]
