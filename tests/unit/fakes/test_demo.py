"""The demo knows when all is quiet, skips what is idle, and says beforehand how many days it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from fakes.kit.clock import FakeClock
from fakes.teamleader import TeamleaderFake
from infra.local import demo
from infra.local.fake_control import FakeControl
from tests.support.transports import fake_transport

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)


@dataclass
class Bridge:
    """A bridge with one connection; its jobs are due at `due_at`."""

    due_at: datetime | None = None
    idle: bool = True
    paused: Mapping[str, str] | None = None
    sweeps: list[str] = field(default_factory=list)

    def get(self, path: str) -> Mapping[str, Any]:
        due = self.due_at.isoformat() if self.due_at else None
        return {"idle": self.idle, "jobs": [{"due_at": due, "paused": self.paused}, {"due_at": None, "paused": None}]}

    def invoke(self, FunctionName: str, Payload: bytes) -> None:
        self.sweeps.append(FunctionName)


def a_run(bridge: Bridge) -> demo.Run:
    teamleader = FakeControl("https://teamleader.example", fake_transport(TeamleaderFake(FakeClock(NOW, rate=0))))
    stage = SimpleNamespace(
        client=lambda service: bridge, queue_urls={}, function_names={"PlanSync": "sweep"}, api_url="https://b.example"
    )
    one = SimpleNamespace(id="1", person=bridge, entity=SimpleNamespace(account="a", focus_user="u"))
    return demo.Run(SimpleNamespace(), SimpleNamespace(), teamleader, stage, "none", NOW, connected=[one])


def now(run: Any) -> datetime:
    return datetime.fromisoformat(run.teamleader.health()["now"])


def test_all_is_quiet_when_nothing_is_due_some_day() -> None:
    bridge = Bridge()
    run = a_run(bridge)
    assert demo._quiet(run)
    assert (now(run), bridge.sweeps) == (NOW, [])


def test_what_is_busy_is_awaited_without_moving_the_clock() -> None:
    bridge = Bridge(idle=False, due_at=NOW)
    run = a_run(bridge)
    assert not demo._quiet(run)
    assert (now(run), bridge.sweeps) == (NOW, [])


@pytest.mark.parametrize("wait", [timedelta(minutes=20), timedelta(hours=15)])
def test_work_that_waits_for_its_time_gets_it_at_once(monkeypatch: pytest.MonkeyPatch, wait: timedelta) -> None:
    bridge = Bridge(due_at=NOW + wait)
    monkeypatch.setattr(demo, "Person", lambda *signed_in: bridge)
    run = a_run(bridge)
    assert not demo._quiet(run)
    assert (now(run), bridge.sweeps) == (NOW + wait, ["sweep"])


def test_a_job_that_waits_for_a_person_is_not_awaited() -> None:
    assert demo._quiet(a_run(Bridge(due_at=NOW, paused={"cause": "AccessExpired"})))


def test_nor_is_the_next_run_of_what_runs_by_itself() -> None:
    run = a_run(Bridge(due_at=NOW + timedelta(hours=1)))
    run.automatic = True
    assert demo._quiet(run)
    assert now(run) == NOW


@pytest.mark.parametrize(
    ("said", "took", "wrong"),
    [
        (0, timedelta(days=9), []),
        (7, timedelta(days=6, hours=15), []),
        (7, timedelta(days=7, hours=1), ["the documents took 8 days, and 7 were said beforehand"]),
    ],
)
def test_documents_take_no_more_days_than_were_said(said: int, took: timedelta, wrong: list[str]) -> None:
    run = a_run(Bridge())
    run.days_said = said
    demo._hold_to_what_was_said(run, took)
    assert run.wrong == wrong
