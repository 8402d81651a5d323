"""Recurring work, in memory (design.md 3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from ...domain.documents import AccountId
from ...domain.errors import LeaseLost
from ...domain.ledger import AdministrationId
from ...ports import Job, JobKey
from ...records import as_json
from .table import Worker, copied


class MemoryJobs:
    """Every job of every account. A claimed job stays listed as due, so that a dead worker's job is found again."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self.kept: dict[JobKey, Job] = worker.table.part(dict, "jobs")

    def get(self, key: JobKey) -> Job | None:
        with self._worker.step("jobs.get"):
            job = self.kept.get(key)
            return _lent(job) if job else None

    def of_account(self, account: AccountId) -> Sequence[Job]:
        """By administration and kind."""
        with self._worker.step("jobs.of_account"):
            keys = sorted((key for key in self.kept if key.account == account), key=_order)
            return [_lent(self.kept[key]) for key in keys]

    def ensure(self, key: JobKey) -> Job:
        with self._worker.step("jobs.ensure"):
            return _lent(self.kept.setdefault(key, Job(key, due_at=None)))

    def make_due(self, key: JobKey, at: datetime, *, manual: bool = False) -> None:
        """While the job is leased it also sets `again`, so that the wish survives the release that follows.

        A paused job stays where it is: `resume` is what wakes it.
        """
        self.ensure(key)
        with self._worker.step("jobs.make_due"):
            job = self.kept[key]
            if not job.paused:
                self._change(
                    key,
                    due_at=min(at, job.due_at or at),
                    manual=manual or job.manual,
                    again=job.again or job.leased_until is not None,
                )

    def due(self, before: datetime) -> Iterator[JobKey]:
        with self._worker.step("jobs.due"):
            listed = [(job.due_at, _order(key), key) for key, job in self.kept.items() if job.due_at]
            return iter([key for at, _, key in sorted(listed) if at <= before])

    def nudged(self, key: JobKey, *, before: datetime, look_again: datetime, now: datetime) -> bool:
        with self._worker.step("jobs.nudged"):
            job = self.kept.get(key)
            if job is None or job.paused or job.due_at is None or job.due_at > before or _leased(job, now):
                return False
            self._change(key, due_at=look_again)
            return True

    def claim(self, key: JobKey, now: datetime, until: datetime) -> Job | None:
        """A paused job is not claimed either."""
        with self._worker.step("jobs.claim"):
            job = self.kept.get(key)
            if job is None or job.paused:
                return None
            if _leased(job, now):
                self._change(key, again=True)
                return None
            return self._change(key, leased_until=until, again=False, version=job.version + 1)

    def save_cursor(self, job: Job, cursor: Mapping[str, Any]) -> None:
        with self._worker.step("jobs.save_cursor"):
            self._mine(job)
            self._change(job.key, cursor=as_json(dict(cursor)))

    def release(
        self, job: Job, *, due_at: datetime | None, result: Mapping[str, Any], ran_at: datetime, paused: str = ""
    ) -> bool:
        """The wish of a person (`manual`) is fulfilled by this run, unless it may have come meanwhile (`again`)."""
        with self._worker.step("jobs.release"):
            now = self._mine(job)
            if now.again:
                due_at = min(due_at or ran_at, ran_at)
            self._change(
                job.key,
                due_at=None if paused else due_at,
                leased_until=None,
                again=False,
                paused=paused,
                last_result=as_json(dict(result)),
                last_run_at=ran_at,
                manual=now.manual and now.again,
            )
            return now.again

    def resume(self, account: AccountId, administration: AdministrationId | None, due_at: datetime) -> None:
        for job in self.of_account(account):
            if job.paused and administration in (None, job.key.administration):
                with self._worker.step("jobs.resume"):
                    self._change(job.key, paused="", due_at=due_at)

    def _mine(self, job: Job) -> Job:
        """The record, if this worker's lease is the last one taken and not given back. Raises LeaseLost."""
        now = self.kept.get(job.key)
        if now is None or now.version != job.version or now.leased_until is None:
            raise LeaseLost
        return now

    def _change(self, key: JobKey, **changes: Any) -> Job:
        self.kept[key] = replace(self.kept[key], **changes)
        return _lent(self.kept[key])


def _leased(job: Job, now: datetime) -> bool:
    return job.leased_until is not None and job.leased_until > now


def _order(key: JobKey) -> tuple[str, str, str]:
    return key.account, key.administration, key.kind


def _lent(job: Job) -> Job:
    """Cursor and result are dictionaries: nobody gets ours."""
    return replace(job, cursor=copied(job.cursor), last_result=copied(job.last_result))
