"""A token that is bought with a login's: once for everybody, anew when it ends, and nobody's worry when it dies."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from boekbrug.domain.connections import LoginId
from boekbrug.domain.documents import AccountId
from boekbrug.domain.errors import AccessExpired, RateLimited, TokenBusy, VendorDown
from boekbrug.ports import Tokens
from boekbrug.store.memory import MemoryStore, MemoryTable
from boekbrug.store.memory.table import OnIo, unwatched
from boekbrug.vendors.oauth import BoughtTokenKeeper
from tests.support.clocks import StillClock

ACCOUNT = AccountId("account-1")
LOGIN = LoginId("octopus.-.user-1")
DOSSIER = LoginId(f"{LOGIN}/70001")


class Counter:
    """Where dossier tokens are bought. `fails` is raised instead, once for each."""

    def __init__(self) -> None:
        self.clock = StillClock()
        self.table = MemoryTable()
        self.logins = MemoryStore(self.table).logins
        self.sold = 0
        self.fails: list[Exception] = []
        self.meanwhile: Callable[[], None] = lambda: None
        self._one_by_one = threading.Lock()

    def buy(self) -> Tokens:
        self.meanwhile()
        if self.fails:
            raise self.fails.pop(0)
        with self._one_by_one:
            self.sold += 1
        now = self.clock.now()
        return Tokens(f"dossier-{self.sold}", "", now, now + timedelta(minutes=10))

    def worker(
        self, on_io: OnIo = unwatched, scope: str = "70001", sleep: Callable[[float], None] = lambda seconds: None
    ) -> BoughtTokenKeeper:
        logins = MemoryStore(self.table, on_io).logins
        return BoughtTokenKeeper(ACCOUNT, LOGIN, scope, self.buy, logins, self.clock, self.clock, sleep=sleep)

    @property
    def kept(self) -> Tokens | None:
        login = self.logins.get(ACCOUNT, DOSSIER)
        return login and login.tokens


def test_the_first_one_is_bought_and_kept_for_everybody():
    counter = Counter()
    assert [counter.worker().access() for _ in range(3)] == ["dossier-1"] * 3
    assert counter.kept.access == "dossier-1"
    assert counter.logins.of_account(ACCOUNT) == []


def test_a_token_lasts_nearly_all_of_its_ten_minutes():
    """150 purchases a day are one in 576 seconds."""
    counter = Counter()
    counter.worker().access()
    counter.clock.advance(576)
    assert counter.worker().access() == "dossier-1"
    counter.clock.advance(23)
    assert counter.worker().access() == "dossier-2"


def test_each_scope_has_a_token_of_its_own():
    counter = Counter()
    assert counter.worker(scope="70001").access() != counter.worker(scope="70002").access()


def test_many_workers_at_a_time_make_one_purchase():
    counter = Counter()
    counter.meanwhile = lambda: time.sleep(0.05)
    begin = threading.Barrier(8)
    got: list[str] = []

    def work() -> None:
        begin.wait(5)
        got.append(counter.worker(sleep=lambda seconds: time.sleep(seconds / 10)).access())

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(10)

    assert (got, counter.sold) == (["dossier-1"] * 8, 1)


@pytest.mark.parametrize("step", ["logins.ensure", "logins.lease", "logins.rotate"])
@pytest.mark.parametrize("phase", ["before", "after"])
def test_a_second_worker_in_the_middle_of_a_purchase_makes_no_second_one(step, phase):
    counter = Counter()
    todo = [counter.worker()]
    outcomes: list[str] = []

    def on_io(name: str, when: str) -> None:
        if (name, when) == (step, phase) and todo:
            try:
                outcomes.append(todo.pop().access())
            except TokenBusy:
                outcomes.append("busy")

    assert counter.worker(on_io).access() == "dossier-1"
    assert counter.sold == 1
    assert outcomes in (["dossier-1"], ["busy"])
    assert counter.worker().access() == "dossier-1"


def test_a_refused_token_is_bought_anew():
    counter = Counter()
    keeper = counter.worker()
    keeper.refused(keeper.access())
    assert keeper.access() == "dossier-2"
    assert counter.worker().access() == "dossier-2"


def test_a_refused_token_that_another_worker_replaced_costs_no_purchase():
    counter = Counter()
    mine, other = counter.worker(), counter.worker()
    token = mine.access()
    other.refused(other.access())
    other.access()
    mine.refused(token)
    assert (mine.access(), counter.sold) == ("dossier-2", 2)


def test_one_that_was_lost_needs_no_person():
    counter = Counter()
    counter.worker().access()
    login = counter.logins.get(ACCOUNT, DOSSIER)
    now = counter.clock.now()
    counter.logins.lose(counter.logins.lease(login, now + timedelta(minutes=1), now))
    assert counter.kept is None
    assert counter.worker().access() == "dossier-2"


def test_a_dead_login_is_the_logins_trouble():
    """What was bought stays as it was: once somebody logged in again, the next purchase goes by itself."""
    counter = Counter()
    counter.worker().access()
    counter.clock.advance(600)
    counter.fails = [AccessExpired(vendor="octopus")]
    with pytest.raises(AccessExpired):
        counter.worker().access()
    assert counter.kept.access == "dossier-1"
    assert counter.worker().access() == "dossier-2"


@pytest.mark.parametrize("failure", [RateLimited(vendor="octopus", until=None), TokenBusy(vendor="octopus")])
def test_what_keeps_the_login_from_buying_goes_up_and_leaves_the_lease(failure):
    counter = Counter()
    counter.fails = [failure]
    with pytest.raises(type(failure)):
        counter.worker().access()
    assert counter.worker().access() == "dossier-1"


def test_a_lost_answer_is_asked_for_once_more():
    counter = Counter()
    counter.fails = [VendorDown(vendor="octopus")]
    assert counter.worker().access() == "dossier-1"
    counter.clock.advance(600)
    counter.fails = [VendorDown(vendor="octopus")] * 2
    with pytest.raises(VendorDown):
        counter.worker().access()


def test_who_died_with_the_lease_is_waited_for_and_then_forgotten():
    counter = Counter()
    counter.fails = [MemoryError("the sandbox is gone")]
    with pytest.raises(MemoryError):
        counter.worker().access()
    with pytest.raises(TokenBusy):
        counter.worker().access()
    counter.clock.advance(121)
    assert counter.worker().access() == "dossier-1"


def test_a_purchase_that_refreshes_the_login_first_is_waited_for():
    """Both slow: the lease outlives them, or two would buy at a time."""
    counter = Counter()
    others: list[str] = []

    def takes_long() -> None:
        counter.meanwhile = lambda: None
        for _ in range(2):
            counter.clock.advance(42)
            with pytest.raises(TokenBusy):
                others.append(counter.worker().access())

    counter.meanwhile = takes_long
    assert counter.worker().access() == "dossier-1"
    assert (others, counter.sold) == ([], 1)


def test_a_new_consent_for_the_login_leaves_what_it_bought():
    counter = Counter()
    counter.worker().access()
    bought = counter.logins.get(ACCOUNT, DOSSIER)
    counter.logins.save_new(replace(bought, id=LOGIN))
    assert counter.worker().access() == "dossier-1"
