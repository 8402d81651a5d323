"""Races for a job that no schedule of ours may lose."""

from __future__ import annotations

from typing import Any

import pytest

from boekbrug.ports import Job
from boekbrug.store.jobs import DynamoJobs
from tests.contract.store_contract import KEY, LEASE, MINUTE, NOON
from tests.support.clients import Detour
from tests.support.tables import items_of


@pytest.fixture
def detour(dynamodb: Any) -> Detour:
    return Detour(dynamodb)


@pytest.fixture
def jobs(detour: Detour, table_name: str) -> DynamoJobs:
    return DynamoJobs(items_of(detour, table_name))


@pytest.fixture
def others(dynamodb: Any, table_name: str) -> DynamoJobs:
    return DynamoJobs(items_of(dynamodb, table_name))


def release(jobs: DynamoJobs, job: Job) -> bool:
    return jobs.release(job, due_at=None, result={}, ran_at=NOON)


def test_a_nudge_that_meets_the_release_takes_the_job(jobs: DynamoJobs, others: DynamoJobs, detour: Detour) -> None:
    others.ensure(KEY)
    held = others.claim(KEY, NOON, NOON + LEASE)
    # The first update is our claim, which fails; before the second, `again`, the holder lets go.
    detour.on("update_item", lambda: None, lambda: release(others, held))
    assert jobs.claim(KEY, NOON + MINUTE, NOON + LEASE).version == 2


def test_a_nudge_that_comes_between_the_two_looks_of_a_release_is_not_lost(
    jobs: DynamoJobs, others: DynamoJobs, detour: Detour
) -> None:
    others.ensure(KEY)
    job = jobs.claim(KEY, NOON, NOON + LEASE)
    detour.on("update_item", lambda: others.claim(KEY, NOON, NOON + LEASE))
    assert release(jobs, job) is True


def test_a_job_made_due_twice_at_once_keeps_the_earlier_time(
    jobs: DynamoJobs, others: DynamoJobs, detour: Detour
) -> None:
    jobs.ensure(KEY)
    detour.on("update_item", lambda: others.make_due(KEY, NOON))
    jobs.make_due(KEY, NOON + MINUTE)
    assert jobs.get(KEY).due_at == NOON


def test_a_hint_that_changes_nothing_writes_nothing(jobs: DynamoJobs, detour: Detour) -> None:
    jobs.make_due(KEY, NOON)
    detour.calls.clear()
    jobs.make_due(KEY, NOON + MINUTE)
    assert detour.names() == ["get_item"]


def test_two_who_make_a_new_job_due_make_one(jobs: DynamoJobs, others: DynamoJobs, detour: Detour) -> None:
    detour.on("put_item", lambda: others.claim(others.ensure(KEY).key, NOON, NOON + LEASE))
    jobs.make_due(KEY, NOON)
    job = jobs.get(KEY)
    assert (job.version, job.due_at, job.again) == (1, NOON, True)
