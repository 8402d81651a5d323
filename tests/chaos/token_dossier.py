"""Many workers in one dossier of Octopus for a whole Belgian day: 150 times in it may be opened (octopus.md 2.3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import Protocol

import httpx

from boekbrug.domain.errors import RateLimited, TokenBusy
from boekbrug.ports import Clock, Login, RealClock
from boekbrug.store.memory import MemoryStore, MemoryTable
from boekbrug.store.memory.table import Phase
from boekbrug.vendors.oauth import BoughtTokenKeeper
from boekbrug.vendors.octopus.client import Lobby
from boekbrug.vendors.octopus.limits import Meter
from fakes.kit.clock import FakeClock
from tests.support.transports import fake_transport

from .grants import Office, an_office
from .token_desk import TokenDesk
from .virtual import Scene

DOSSIER = "70001"
CONNECT = "/octopus-rest-api/v1/dossiers"
SLOWEST = 30.0  # seconds a call may take
STORE = 0.2  # seconds a step of the store may take
BEGIN = datetime(2025, 3, 3, 22, 50, tzinfo=UTC)  # ten minutes before midnight in Belgium
LONG = timedelta(hours=24, minutes=20)


class Time(Clock, RealClock, Protocol):
    """Both clocks in one."""


def dossier_keeper(
    office: Office,
    login: Login,
    store: MemoryStore,
    clock: Time,
    line: httpx.BaseTransport,
    sleep: Callable[[float], None],
) -> BoughtTokenKeeper:
    """As wiring and the door make one for each invocation."""
    own = office.keeper(login, store.logins, clock, clock, line, sleep)
    meter = Meter(store.budgets, clock, DOSSIER)
    lobby = Lobby(office.app, office.http(line), own, meter, clock)
    return BoughtTokenKeeper(
        login.account,
        login.id,
        DOSSIER,
        lambda: lobby.connect(DOSSIER, meter),
        store.logins,
        clock,
        clock,
        sleep=sleep,
    )


class DossierDesk(TokenDesk):
    """A login that never opened its dossier, and whose own token has ended."""

    def buyer(self, on_step: Callable[[str, Phase], None] = lambda name, phase: None) -> BoughtTokenKeeper:
        store = MemoryStore(self._table, on_step)
        return dossier_keeper(self.office, self.login, store, self.clock, self.line(on_step), self.clock.advance)

    @property
    def opened(self) -> int:
        return connects(self.office).total()


def connects(office: Office) -> Counter[str]:
    """How often the dossier was opened, by Belgian day, as the fake counts."""
    calls = office.fake.limits.as_rows()["calls"].get(DOSSIER, {})
    return Counter({day: counted.get("POST dossiers", 0) for day, counted in calls.items()})


class SlowLine(httpx.BaseTransport):
    """The way to Octopus and back, and how many are on it to open a dossier."""

    def __init__(self, day: DossierDay) -> None:
        self._day = day
        self._fake = fake_transport(day.office.fake)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        day, opens = self._day, request.url.path == CONNECT
        there, back = sorted(day.scene.chance.uniform(0, SLOWEST) for _ in range(2))
        if opens:
            day.opening += 1
            day.most_opening = max(day.most_opening, day.opening)
        day.scene.sleep(there)
        answer = self._fake.handle_request(request)
        day.refused += [f"{request.url.path} {answer.status_code}"] if answer.is_error else []
        day.scene.sleep(back - there)
        day.opening -= opens
        return answer


class DossierDay:
    def __init__(self, seed: int, way: str, *, workers: int) -> None:
        self.scene = Scene(seed, BEGIN)
        self.office = an_office(way, FakeClock(BEGIN, rate=1, real=self.scene.seconds))
        self.opening, self.most_opening, self.waits = 0, 0, 0
        self.refused: list[str] = []
        self._table = MemoryTable(lock=nullcontext())
        login = self.office.consent(1, fake_transport(self.office.fake), self.scene.now())
        self.login = MemoryStore(self._table).logins.save_new(login)
        for _ in range(workers):
            self.scene.start(self._work)

    def play(self) -> None:
        self.scene.play()

    def _work(self) -> None:
        """Needs a token all the time, begins anew now and then, and may not be told that the day's are spent."""
        chance, keeper = self.scene.chance, self._keeper()
        while self.scene.now() < BEGIN + LONG:
            try:
                access = keeper.access()
            except TokenBusy:
                self.waits += 1
                self.scene.sleep(chance.uniform(1, 20))
                continue
            except RateLimited as spent:
                raise AssertionError("the day was not long enough") from spent
            assert self.office.takes(access), "given out, and refused by Octopus"
            self.scene.sleep(chance.uniform(5, 600))
            if chance.random() < 0.1:
                keeper = self._keeper()  # a new invocation knows nothing

    def _keeper(self) -> BoughtTokenKeeper:
        def step(name: str, phase: Phase) -> None:
            self.scene.sleep(self.scene.chance.uniform(0, STORE / 2))

        store = MemoryStore(self._table, step)
        return dossier_keeper(self.office, self.login, store, self.scene, SlowLine(self), self.scene.sleep)
