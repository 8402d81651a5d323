"""Recurring work: when it is due, who is at it, and how far it came (design.md 3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from ..domain.documents import AccountId
from ..domain.errors import LeaseLost, VendorDown
from ..domain.ledger import AdministrationId
from ..ports import Job, JobKey
from ..records import as_json
from .keys import SHARDS, Key, Table, due_shard, due_shard_of, job_of
from .table import ATTEMPTS, ConditionFailed, Item, Items, put, update
from .times import moment, stamp

_DUE = "#due_at = :due_at, #due_shard = :shard"
_MINE = "#version = :version AND attribute_exists(#leased_until)"


class DynamoJobs:
    """Every job of every account: the sweep looks at all of them, through an index of keys.

    A claimed job stays listed as due: if its worker dies, the sweep finds it again once the lease is over.
    """

    def __init__(self, items: Items) -> None:
        self._items = items

    def get(self, key: JobKey) -> Job | None:
        item = self._items.get(_at(key))
        return _job(item) if item else None

    def of_account(self, account: AccountId) -> Sequence[Job]:
        return [_job(item) for item in self._items.query(Table(account).jobs())]

    def ensure(self, key: JobKey) -> Job:
        if job := self.get(key):
            return job
        new = {"cursor": {}, "version": 0, "again": False, "paused": "", "manual": False, "last_result": None}
        try:
            self._items.write(put(_at(key), new, when="attribute_not_exists(pk)"))
        except ConditionFailed:
            return self.get(key)
        return Job(key, due_at=None)

    def make_due(self, key: JobKey, at: datetime, *, manual: bool = False) -> None:
        """While the job is leased it also sets `again`, so that the wish survives the release that follows.

        A paused job stays where it is: `resume` is what wakes it.
        """
        for attempt in range(ATTEMPTS):
            job = self.ensure(key)
            if job.paused:
                return
            changes = ["#manual = :yes"] * manual + ["#again = :yes"] * bool(job.leased_until)
            values: dict[str, Any] = {"yes": True} if changes else {}
            lease = "attribute_exists" if job.leased_until else "attribute_not_exists"
            same = f"#paused = :none AND #version = :version AND {lease}(#leased_until)"
            if job.due_at is None or at < job.due_at:
                changes.append(_DUE)
                values |= _due(key, at)
                same += " AND (attribute_not_exists(#due_at) OR #due_at > :due_at)"
            if not changes:
                return
            # One write: a release in between would take the due time and not see that somebody came.
            if self._try(key, f"SET {', '.join(changes)}", same, none="", version=job.version, **values):
                return
            self._items.pause(attempt)
        raise VendorDown(vendor="store")

    def due(self, before: datetime) -> Iterator[JobKey]:
        for number in range(SHARDS):
            for key in self._items.due(due_shard(number), stamp(before)):
                yield JobKey(*job_of(key))

    def nudged(self, key: JobKey, *, before: datetime, look_again: datetime, now: datetime) -> bool:
        free = "(attribute_not_exists(#leased_until) OR #leased_until <= :now)"
        when = f"#paused = :none AND #due_at <= :before AND {free}"
        return self._try(
            key, "SET #due_at = :due_at", when, due_at=stamp(look_again), before=stamp(before), now=stamp(now), none=""
        )

    def claim(self, key: JobKey, now: datetime, until: datetime) -> Job | None:
        """A paused job is not claimed either."""
        times = {"now": stamp(now), "none": ""}
        free = "attribute_exists(pk) AND #paused = :none AND "
        free += "(attribute_not_exists(#leased_until) OR #leased_until <= :now)"
        take = "SET #leased_until = :until, #again = :no, #version = #version + :one"
        take = update(_at(key), take, when=free, until=stamp(until), no=False, one=1, **times)
        for _ in range(ATTEMPTS):
            try:
                return _job(self._items.write(take, returns="ALL_NEW"))
            except ConditionFailed:
                job = self.get(key)
            if job is None or job.paused:
                return None
            # Its holder reads `again` when it lets go. Has it just done so, then we would wake nobody: take it.
            if self._try(key, "SET #again = :yes", "#leased_until > :now", yes=True, now=stamp(now)):
                return None
        raise VendorDown(vendor="store")

    def save_cursor(self, job: Job, cursor: Mapping[str, Any]) -> None:
        if not self._try(job.key, "SET #cursor = :cursor", _MINE, cursor=as_json(dict(cursor)), version=job.version):
            raise LeaseLost

    def release(
        self, job: Job, *, due_at: datetime | None, result: Mapping[str, Any], ran_at: datetime, paused: str = ""
    ) -> bool:
        """The wish of a person (`manual`) is fulfilled by this run, unless it may have come meanwhile (`again`)."""
        if self._let_go(job, due_at, result, ran_at, paused, f"{_MINE} AND #again = :no", "#manual = :no"):
            return False
        due_at = min(due_at or ran_at, ran_at)
        if self._let_go(job, due_at, result, ran_at, paused, f"{_MINE} AND #again = :yes"):
            return True
        raise LeaseLost

    def _let_go(
        self,
        job: Job,
        due_at: datetime | None,
        result: Mapping[str, Any],
        ran_at: datetime,
        paused: str,
        when: str,
        *also: str,
    ) -> bool:
        changes = ["#last_result = :result", "#last_run_at = :ran_at", "#paused = :paused", "#again = :no", *also]
        values = {"result": as_json(dict(result)), "ran_at": stamp(ran_at), "paused": paused, "no": False}
        gone = ["#leased_until"]
        if due_at is not None and not paused:
            changes.append(_DUE)
            values |= _due(job.key, due_at)
        else:
            gone += ["#due_at", "#due_shard"]
        if ":yes" in when:
            values["yes"] = True
        change = f"SET {', '.join(changes)} REMOVE {', '.join(gone)}"
        return self._try(job.key, change, when, version=job.version, **values)

    def resume(self, account: AccountId, administration: AdministrationId | None, due_at: datetime) -> None:
        for job in self.of_account(account):
            if job.paused and administration in (None, job.key.administration):
                change = f"SET #paused = :none, {_DUE}"
                self._try(job.key, change, "attribute_exists(pk)", none="", **_due(job.key, due_at))

    def _try(self, key: JobKey, change: str, when: str, **values: Any) -> bool:
        try:
            self._items.write(update(_at(key), change, when=when, **values))
        except ConditionFailed:
            return False
        return True


def _at(key: JobKey) -> Key:
    return Table(key.account).job(key.administration, key.kind)


def _due(key: JobKey, at: datetime) -> dict[str, str]:
    return {"due_at": stamp(at), "shard": due_shard_of(_at(key))}


def _job(item: Item) -> Job:
    return Job(
        key=JobKey(*job_of(Key(item["pk"], item["sk"]))),
        due_at=moment(item.get("due_at")),
        cursor=item["cursor"],
        leased_until=moment(item.get("leased_until")),
        version=item["version"],
        again=item["again"],
        paused=item["paused"],
        last_result=item["last_result"],
        last_run_at=moment(item.get("last_run_at")),
        manual=item["manual"],
    )
