"""One login and the steps of its refresh, each of which a test can stop, slow down or look into."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext

import httpx

from boekbrug.ports import Login, Tokens
from boekbrug.store.memory.logins import MemoryLogins
from boekbrug.store.memory.table import MemoryTable, Phase, Worker
from boekbrug.vendors.oauth import TokenKeeper
from fakes.kit.clock import FakeClock
from tests.support.clocks import MORNING, StillClock
from tests.support.transports import fake_transport

from .grants import an_office

TOKEN_CALL = "token call"
Step = tuple[str, Phase]


class Killed(BaseException):
    """A sandbox dies: no `except Exception` sees it, and nothing works any more that it touches afterwards."""


class Line(httpx.BaseTransport):
    """A token endpoint as a step like those of the store; its answers are counted at the vendor."""

    def __init__(self, fake: httpx.BaseTransport, on_step: Callable[[str, Phase], None]) -> None:
        self._fake = fake
        self._on_step = on_step
        self.answered: list[int] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._on_step(TOKEN_CALL, "before")
        answer = self._fake.handle_request(request)
        self.answered.append(answer.status_code)
        self._on_step(TOKEN_CALL, "after")
        return answer


class TokenDesk:
    """A login whose access token has just ended, and as many workers as a test asks for."""

    def __init__(self, way: str) -> None:
        self.clock = StillClock()
        fakes_clock = FakeClock(MORNING, rate=1, real=lambda: (self.clock.now() - MORNING).total_seconds())
        self.office = an_office(way, fakes_clock)
        self._transport = fake_transport(self.office.fake)
        self._table = MemoryTable(lock=nullcontext())
        self.logins = MemoryLogins(Worker(self._table))
        self.login = self.consents()
        self.clock.advance(3600)
        self.answered: list[int] = []

    def consents(self) -> Login:
        return self.logins.save_new(self.office.consent(1, self._transport, self.clock.now()))

    @property
    def stored(self) -> Tokens | None:
        return self.logins.get(self.login.account, self.login.id).tokens

    def worker(self, on_step: Callable[[str, Phase], None] = lambda name, phase: None) -> TokenKeeper:
        """A worker of its own sandbox; `on_step` is called at every step it takes to the world."""
        logins = MemoryLogins(Worker(self._table, on_step))
        return self.office.keeper(self.login, logins, self.clock, self.clock, self.line(on_step), self.clock.advance)

    def line(self, on_step: Callable[[str, Phase], None]) -> Line:
        line = Line(self._transport, on_step)
        line.answered = self.answered
        return line


class Fuse:
    """Counts the steps and kills at the one that is chosen; the dead take no further step."""

    def __init__(self, at: int | None = None) -> None:
        self.steps: list[Step] = []
        self._at = at

    def __call__(self, name: str, phase: Phase) -> None:
        self.steps.append((name, phase))
        if self._at is not None and len(self.steps) > self._at:
            raise Killed


def at_step(wanted: Step, deed: Callable[[], None]) -> Callable[[str, Phase], None]:
    """`deed`, once, when that step is reached."""
    todo = [deed]

    def on_step(name: str, phase: Phase) -> None:
        if (name, phase) == wanted and todo:
            todo.pop()()

    return on_step
