"""The double's steps: each happens as a whole or not at all, wherever its worker dies."""

from __future__ import annotations

from contextlib import nullcontext
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest

from boekbrug.domain.connections import JobKind
from boekbrug.domain.documents import AccountId
from boekbrug.domain.errors import PeriodClosed
from boekbrug.ports import Account, IntentMoved, JobKey, OAuthState, RefTaken, Session, WriteKind
from boekbrug.store.memory import MemoryStore, MemoryTable
from boekbrug.store.memory.links import KeptLinks
from boekbrug.store.memory.nudges import LONGEST_S
from tests.contract.store_contract import (
    BOOKS,
    CONNECTION,
    KEY,
    LEASE,
    LOGIN,
    MINUTE,
    NOON,
    US,
    a_booking,
    a_connection,
    a_header,
    a_login,
    a_settlement,
)

BOOKING = WriteKind.BOOKING


class Died(Exception):
    """What the harness throws into a worker."""


class Watch:
    """Notes every step, and from one of them on nothing is answered any more."""

    def __init__(self, deaf_from: int | None = None) -> None:
        self.heard: list[tuple[str, str]] = []
        self._deaf_from = deaf_from

    def __call__(self, name: str, phase: str) -> None:
        if self._deaf_from is not None and len(self.heard) >= self._deaf_from:
            raise Died
        self.heard.append((name, phase))


def a_day(store: MemoryStore) -> None:
    """Every deed of every room, refusals included."""
    store.accounts.found(Account(US, "user", "An", "nl", LOGIN, NOON))
    store.accounts.get(US)
    store.sessions.get(store.sessions.open(Session(US, "user", "An", "nl", "csrf", NOON + MINUTE)), NOON)
    store.sessions.close("nobody's")
    store.states.take(store.states.open(OAuthState("exact", "be", "browser", US, NOON + MINUTE)), NOON)
    store.webhook_tokens.account_of("exact", store.webhook_tokens.rotate(US, "exact"))
    store.connections.save(a_connection())
    store.connections.get(US, CONNECTION)
    store.connections.of_administration(US, BOOKS)
    store.budgets.block("exact:1", NOON)
    store.budgets.blocked_until("exact:1", NOON)
    store.budgets.count("exact:1", NOON)
    store.numbers.release(store.numbers.hold("octopus.70001.4.V1", "us", NOON, NOON + MINUTE), 42)
    store.numbers.hold("octopus.70001.4.V1", "us", NOON, NOON + MINUTE)
    store.numbers.hold("octopus.70001.4.V1", "them", NOON, NOON + MINUTE)

    login = store.logins.save_new(a_login())
    store.logins.get(US, LOGIN)
    store.logins.of_account(US)
    store.logins.give_back(store.logins.lease(login, NOON, NOON))
    leased = store.logins.lease(login, NOON + MINUTE, NOON)
    store.logins.lose(store.logins.rotate(leased, login.tokens))

    jobs = store.jobs
    jobs.make_due(KEY, NOON)
    jobs.make_due(KEY, NOON - MINUTE, manual=True)
    jobs.nudged(next(jobs.due(NOON)), before=NOON, look_again=NOON, now=NOON)
    store.nudges.send(KEY, 5)
    job = jobs.claim(KEY, NOON, NOON + LEASE)
    jobs.make_due(KEY, NOON)
    jobs.save_cursor(job, {"page": 1})
    jobs.release(job, due_at=NOON, result={"booked": 1}, ran_at=NOON, paused="AccessExpired")
    jobs.resume(US, BOOKS, NOON)
    jobs.get(KEY)

    documents = store.documents(US, BOOKS)
    documents.seen(CONNECTION, [a_header(f"d{n}", number=str(n)) for n in range(3)])
    first, second, third = documents.waiting(3)
    documents.booked(first, "70001")
    documents.held(second, "PeriodClosed")
    documents.held(third, "PeriodClosed")
    documents.release()
    documents.booked_among([first.id])
    documents.record(first.id)
    documents.counts(CONNECTION)
    documents.records(CONNECTION)

    links = store.links(US, BOOKS)
    links.adopt(BOOKING, "found", {"ref": "B1"}, NOON)
    sending = links.again(links.refuse(links.plan(BOOKING, "doc", "p", "h", NOON), "PeriodClosed"), "p", "h", NOON)
    with pytest.raises(RefTaken):
        links.done(sending, {"ref": "B1"})
    with pytest.raises(IntentMoved):
        links.plan(BOOKING, "doc", "p", "h", NOON)
    links.done(links.missed(links.unknown(sending), NOON), {"ref": "B2"})
    links.unsettled()
    links.intent(BOOKING, "doc")
    links.intents(BOOKING, ["doc"])
    links.subject_of(BOOKING, "B2")
    links.gone(links.intent(BOOKING, "doc"))

    store.seen(US, BOOKS).remember([a_booking("B1"), a_booking("B2")])
    store.seen(US, BOOKS).remember([a_booking("B1", "another")])
    store.seen(US, BOOKS).by_reference(["2026 / 9"])
    settlements = store.settlements(US, BOOKS)
    settlements.remember([a_settlement("S1"), a_settlement("S2"), a_settlement("S3", "B9")])
    settlements.claim("B1")
    settlements.claim("B9")
    settlements.dealt_with(settlements.pending(1)[0])
    problems = store.problems(US, BOOKS)
    problems.report("document:1", CONNECTION, PeriodClosed(period="1"), NOON, "1")
    problems.all()
    problems.solve("document:1")
    store.audit(US).append("books", "booked", {"document": "doc"}, NOON)
    store.audit(US).entries("books")
    snapshots = store.snapshots(US)
    snapshots.put("books", {"journals": []})
    snapshots.get("books")
    snapshots.put_rows("proposals", {"a": {}, "b": {}})
    snapshots.rows("proposals")
    snapshots.row("proposals", "a")


def state_of(table: MemoryTable) -> Any:
    """What is kept; rooms nobody put anything in do not count."""
    return deepcopy({name: kept for name, kept in table._parts.items() if kept and kept != KeptLinks()})


def state_when_dead_at(boundary: int) -> Any:
    table = MemoryTable()
    with pytest.raises(Died):
        a_day(MemoryStore(table, Watch(deaf_from=boundary), batch=1))
    return state_of(table)


def test_every_room_is_watched_at_every_step() -> None:
    watch = Watch()
    store = MemoryStore(MemoryTable(), watch, batch=1)
    a_day(store)
    assert [phase for _, phase in watch.heard] == ["before", "after"] * (len(watch.heard) // 2)
    assert [name for name, phase in watch.heard if phase == "before"] == [
        name for name, phase in watch.heard if phase == "after"
    ]
    rooms = {name.partition(".")[0] for name, _ in watch.heard}
    assert rooms == {name for name in (*vars(store), *vars(MemoryStore)) if not name.startswith("_")} - {"table"}


def test_a_step_happens_as_a_whole_or_not_at_all_and_the_dead_change_nothing() -> None:
    watch, table = Watch(), MemoryTable()
    a_day(MemoryStore(table, watch, batch=1))
    states = [state_when_dead_at(boundary) for boundary in range(len(watch.heard))]
    # Dying after one step is answered, and dying before the next is sent, leave the same; the end is the whole day.
    between = zip(states[2::2], states[1::2], strict=False)
    assert [n for n, (before, after) in enumerate(between) if before != after] == []
    assert states[-1] == state_of(table)
    assert states[0] == {}


@pytest.mark.parametrize(("dies_at", "left"), [(0, 0), (1, 1), (2, 1), (3, 2)])
def test_a_batch_answered_in_part_leaves_its_first_rows(dies_at: int, left: int) -> None:
    table = MemoryTable()
    with pytest.raises(Died):
        MemoryStore(table, Watch(deaf_from=dies_at), batch=1).snapshots(US).put_rows("rows", {"a": {}, "b": {}})
    assert len(MemoryStore(table).snapshots(US).rows("rows")) == left


def test_workers_share_the_table_and_each_has_its_own_watch() -> None:
    table, mine, theirs = MemoryTable(), Watch(), Watch()
    MemoryStore(table, mine).jobs.ensure(KEY)
    assert MemoryStore(table, theirs).jobs.get(KEY) == MemoryStore(table).jobs.get(KEY) is not None
    assert [name for name, _ in (*mine.heard, *theirs.heard)] == ["jobs.ensure"] * 2 + ["jobs.get"] * 2


def test_a_scheduler_may_let_another_worker_in_at_every_step() -> None:
    """The hook runs outside the step, so who runs there finds the table whole and free."""
    table = MemoryTable()
    other = MemoryStore(table)
    counts: list[int] = []

    def switch(name: str, phase: str) -> None:
        counts.append(len(other.documents(US, BOOKS).waiting(10)))

    headers = [a_header("a"), a_header("b", number="2")]
    assert MemoryStore(table, switch).documents(US, BOOKS).seen(CONNECTION, headers) == 2
    assert counts == [0, 0, 0, 1, 1, 2]  # the look, and a step for each document


def test_the_lock_is_the_schedulers_if_it_brings_one() -> None:
    class Counting(nullcontext):
        taken = 0

        def __enter__(self) -> None:
            Counting.taken += 1

    MemoryStore(MemoryTable(lock=Counting())).jobs.ensure(KEY)
    assert Counting.taken == 1


def test_tokens_are_the_same_in_every_run_and_never_twice() -> None:
    first, second = MemoryTable(), MemoryTable()
    assert [first.new_token() for _ in range(3)] == [second.new_token() for _ in range(3)]
    assert len({first.new_token() for _ in range(100)}) == 100


def test_nudges_lie_ready_with_whole_seconds_a_queue_can_wait() -> None:
    store = MemoryStore(MemoryTable())
    theirs = JobKey(AccountId("them"), BOOKS, JobKind.PAYMENTS)
    store.nudges.send(KEY)
    store.nudges.send(theirs, 0.2)
    store.nudges.send(KEY, timedelta(hours=1).total_seconds())
    assert [(nudge.key, nudge.delay_s) for nudge in store.nudges.kept] == [(KEY, 0), (theirs, 1), (KEY, LONGEST_S)]
