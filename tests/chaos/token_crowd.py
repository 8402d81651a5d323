"""Processes that share logins in a real table: each needs tokens all the time and never works on with an old one."""

from __future__ import annotations

import multiprocessing
import random
import time
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import httpx

from boekbrug.domain.errors import TokenBusy
from boekbrug.ports import Login, Logins
from boekbrug.vendors import oauth
from fakes.kit.clock import FakeClock
from fakes.kit.running import serving
from tests.support.local_tables import LocalTables
from tests.support.transports import fake_transport

from .grants import an_office

SCALE = 20  # one second here stands for so many
SLOWEST = 30 / SCALE
PATIENCE = 600  # seconds, for the whole crowd


class SystemTime:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def real_seconds(self, seconds: float) -> float:
        return seconds


class SlowLine(httpx.BaseTransport):
    """A socket to the fake with a seeded delay there and back: short mostly, up to the slowest."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._line = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        delay = SLOWEST * self._chance.random() ** 4
        there = self._chance.uniform(0, delay)
        time.sleep(there)
        answer = self._line.handle_request(request)
        answer.read()
        time.sleep(delay - there)
        return answer


@dataclass
class Told:
    """What one process has to tell."""

    worker: int
    used: int = 0
    waits: int = 0
    broken: list[str] = field(default_factory=list)


class Confirmed:
    """The logins of a store, and every access token it has said it holds."""

    def __init__(self, logins: Logins) -> None:
        self._logins = logins
        self.kept: set[str] = set()
        self.generation = 0

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            answer = getattr(self._logins, name)(*given, **named)
            if isinstance(answer, Login):
                self.generation = answer.generation
                self.kept |= {answer.tokens.access} if answer.tokens else set()
            return answer

        return call


class Crowd:
    """Logins whose tokens may be refreshed at once: Teamleader's die as families when one is used twice."""

    def __init__(self, local: LocalTables, way: str, *, processes: int, chains: int, rotations: int) -> None:
        self._local, self._table = local, local.new_table()
        self._processes, self._wanted = processes, rotations
        self._office = an_office(way, FakeClock())
        (store,) = local.stores(self._table)
        now, line = datetime.now(UTC), fake_transport(self._office.fake)
        self._logins = [store.logins.save_new(self._office.consent(n, line, now)) for n in range(chains)]
        self._store = store
        self._fork = multiprocessing.get_context("fork")

    def play(self) -> list[Told]:
        where, answers = self._fork.Queue(), self._fork.Queue()
        crowd = [
            self._fork.Process(target=self._worker, args=(worker, where, answers), daemon=True)
            for worker in range(self._processes)
        ]
        for process in crowd:  # before the fake has threads, which a fork would leave behind
            process.start()
        with serving({self._office.vendor: self._office.fake}) as urls:
            for _ in crowd:
                where.put(urls[self._office.vendor])
            told = [answers.get(timeout=PATIENCE) for _ in crowd]
            for process in crowd:
                process.join(5)
        return told

    def _worker(self, worker: int, where: multiprocessing.Queue[str], answers: multiprocessing.Queue[Told]) -> None:
        told = Told(worker)
        try:
            with ExitStack() as scaled:
                scaled.enter_context(patch.object(oauth, "LEASE", oauth.LEASE / SCALE))
                scaled.enter_context(patch.object(oauth, "CALL_AT_MOST", oauth.CALL_AT_MOST / SCALE))
                scaled.enter_context(patch.object(oauth, "WAITS", tuple(wait / SCALE for wait in oauth.WAITS)))
                self._work(told, where.get())
        except BaseException:
            told.broken.append(traceback.format_exc())
        answers.put(told)

    def _work(self, told: Told, url: str) -> None:
        """Ask for a token and call it refused, so that the next must be another one."""
        login = self._logins[told.worker % len(self._logins)]
        store = LocalTables(self._local.running, self._local.key_id).stores(self._table)[0]
        logins, clock, chance = Confirmed(store.logins), SystemTime(), random.Random(told.worker)
        office = replace(self._office, url=url)
        keeper = office.keeper(login, logins, clock, clock, SlowLine(told.worker), time.sleep)
        while logins.generation <= self._wanted / len(self._logins):
            try:
                access = keeper.access()
            except TokenBusy:
                told.waits += 1
                time.sleep(chance.uniform(0, 0.2))
                continue
            told.used += 1
            if access not in logins.kept:
                told.broken.append("used before it was saved")
            keeper.refused(access)

    def rotations(self) -> int:
        return sum(row["status"] == 200 for row in self._calls())

    def _calls(self) -> list[dict[str, Any]]:
        calls = [row for row in self._office.fake.journal if row["path"] == self._office.token_path]
        return calls[len(self._logins) :]  # without the consents

    def broken(self, told: list[Told]) -> list[str]:
        found = [sentence for one in told for sentence in one.broken]
        found += [f"refused: {row}" for row in self._calls() if row["status"] != 200]
        for login in self._logins:
            tokens = self._store.logins.get(login.account, login.id).tokens
            if tokens is None or not self._office.newest(tokens.refresh):
                found.append(f"{login.id}: the chain is lost")
        return found
