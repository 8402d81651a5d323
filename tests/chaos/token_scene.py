"""Two hundred workers, two vendors and a slow line: who refreshes, and what becomes of the pairs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime

import httpx

from boekbrug.domain.errors import RateLimited, TokenBusy
from boekbrug.ports import Login
from boekbrug.store.memory.logins import MemoryLogins
from boekbrug.store.memory.table import MemoryTable, Phase, Worker
from boekbrug.vendors.oauth import TokenKeeper
from fakes.kit.clock import FakeClock
from tests.support.transports import fake_transport

from .grants import Office, an_office
from .virtual import Scene

SLOWEST = 30.0  # seconds a token call may take
STORE = 0.2  # seconds a step of the store may take, there and back


@dataclass
class Chain:
    """One login, what its vendor did and when, and every access token that was ever kept."""

    office: Office
    login: Login
    rotated_at: list[datetime] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)


class SlowLine(httpx.BaseTransport):
    """The way to a token endpoint and back, for one worker."""

    def __init__(self, stage: TokenScene, chain: Chain, worker: int) -> None:
        self._stage, self._chain, self._worker = stage, chain, worker
        self._fake = fake_transport(chain.office.fake)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        scene = self._stage.scene
        there, back = sorted((scene.chance.uniform(0, SLOWEST), scene.chance.uniform(0, SLOWEST)))
        scene.sleep(there)
        answer = self._fake.handle_request(request)
        if answer.status_code == 200:
            self._chain.rotated_at.append(scene.now())
            self._stage.rotations += 1
        else:
            self._chain.refused.append(f"{scene.now()} {answer.status_code} {answer.text}")
        self._stage.note(self._worker, f"token call {answer.status_code}")
        scene.sleep(back - there)
        return answer


class TokenScene:
    """Workers who need tokens all the time, most of all when they run out."""

    def __init__(
        self,
        seed: int,
        *,
        ways: Sequence[str] = ("exact", "teamleader"),
        workers: int = 200,
        chains: int = 8,
        rotations: int = 1000,
    ) -> None:
        self.scene = Scene(seed)
        self.rotations, self.waits = 0, 0
        self.log: list[str] = []
        self._wanted = rotations
        clock = FakeClock(self.scene.now(), rate=1, real=self.scene.seconds)
        offices = [an_office(way, clock) for way in ways]
        self._table = MemoryTable(lock=nullcontext())
        self.chains = [self._begun(offices[number % len(ways)], number) for number in range(chains)]
        for worker in range(workers):
            self.scene.start(lambda worker=worker: self._work(worker, self.chains[worker % chains]))

    def _begun(self, office: Office, number: int) -> Chain:
        login = office.consent(number, fake_transport(office.fake), self.scene.now())
        return Chain(office, MemoryLogins(Worker(self._table)).save_new(login), kept={login.tokens.access})

    def play(self) -> None:
        self.scene.play()

    def stored(self, chain: Chain) -> Login:
        return MemoryLogins(Worker(self._table)).get(chain.login.account, chain.login.id)

    def note(self, worker: int, what: str) -> None:
        self.log.append(f"{self.scene.seconds():.3f} worker {worker}: {what}")

    def _work(self, worker: int, chain: Chain) -> None:
        chance = self.scene.chance
        keeper = self.keeper(worker, chain)
        while self.rotations < self._wanted:
            try:
                access = keeper.access()
            except (TokenBusy, RateLimited) as later:
                self.note(worker, later.cause)
                self.waits += 1
                self.scene.sleep(chance.uniform(1, 20))
                continue
            assert access in chain.kept, "used before it was saved"
            assert chain.office.takes(access), "given out, and refused by the vendor"
            if not chain.office.gate and chance.random() < 0.01:
                keeper.refused(access)  # the vendor changed its mind
                continue
            ends = self.stored(chain).tokens.expires_at - self.scene.now()
            self.scene.sleep(max(1.0, ends.total_seconds() + chance.uniform(-90, 60)))
            if chance.random() < 0.1:
                keeper = self.keeper(worker, chain)  # a new invocation knows nothing

    def keeper(self, worker: int, chain: Chain) -> TokenKeeper:
        def step(name: str, phase: Phase) -> None:
            self.scene.sleep(self.scene.chance.uniform(0, STORE / 2))
            if name == "logins.rotate":
                self.note(worker, f"rotate {phase}")
            if phase == "after":
                kept = self.stored(chain).tokens
                chain.kept |= {kept.access} if kept else set()

        scene, office, line = self.scene, chain.office, SlowLine(self, chain, worker)
        return office.keeper(chain.login, MemoryLogins(Worker(self._table, step)), scene, scene, line, scene.sleep)

    def broken(self) -> list[str]:
        """What must never be, as far as it happened."""
        found = []
        for chain in self.chains:
            name = chain.login.id
            found += [f"{name}: refused {said}" for said in chain.refused]
            gaps = [b - a for a, b in zip(chain.rotated_at, chain.rotated_at[1:], strict=False)]
            found += [f"{name}: refreshed after {gap}" for gap in gaps if gap < chain.office.gate]
            tokens = self.stored(chain).tokens
            if tokens is None or not chain.office.newest(tokens.refresh):
                found.append(f"{name}: the chain is lost")
        return found
