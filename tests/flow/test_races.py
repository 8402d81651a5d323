"""The same writes by many at once, in the local AWS: real processes, real transactions, real time."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import partial
from threading import Barrier
from typing import Any

import pytest

from boekbrug.clocks import SystemClock
from boekbrug.domain.connections import JobKind
from boekbrug.domain.documents import AccountId
from boekbrug.domain.ledger import AdministrationId
from boekbrug.ports import IntentMoved, JobKey, WriteKind
from boekbrug.store.jobs import DynamoJobs
from boekbrug.store.links import DynamoLinks
from boekbrug.store.table import Items
from infra.local import stage
from infra.local.fake_control import FakeControl
from infra.local.person import Person, wait_until
from tests.support.company import ACCOUNT, Company, a_connected_company
from tests.support.exact_books import ADMINISTRATION

pytestmark = pytest.mark.stack

WORKERS = 8
ROUNDS = 5


@pytest.fixture(scope="module")
def tables(local_stage: stage.Stage) -> list[Items]:
    """The table, for each worker over a connection of its own."""
    return [Items(local_stage.client("dynamodb"), local_stage.table_name) for _ in range(WORKERS)]


def all_at_once(deeds: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each gives; None for one that found somebody else first."""
    gate = Barrier(len(deeds))

    def run(deed: Callable[[], Any]) -> Any:
        gate.wait(30)
        try:
            return deed()
        except IntentMoved:
            return None

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(run, deeds))


def test_one_of_many_workers_takes_each_step_of_a_write(tables: list[Items]) -> None:
    """design.md 5: the attempt number is the lock."""
    account, administration = AccountId(str(uuid.uuid4())), AdministrationId("exact.be.1")
    workers = [DynamoLinks(items, account, administration) for items in tables]
    now = SystemClock().now
    for round in range(ROUNDS):
        subject = f"invoice {round}"
        sends = "payload", "hash", now()
        planned = all_at_once([partial(worker.plan, WriteKind.BOOKING, subject, *sends) for worker in workers])
        (first,) = filter(None, planned)
        again = all_at_once([partial(worker.again, first, *sends) for worker in workers])
        (second,) = filter(None, again)
        assert (first.attempt, second.attempt) == (1, 2)
        done = all_at_once([partial(worker.done, second, {"ref": f"booking {subject}"}) for worker in workers])
        assert len([one for one in done if one]) == 1
        assert workers[0].subject_of(WriteKind.BOOKING, f"booking {subject}") == subject
    assert workers[0].unsettled() == []


def test_one_of_many_workers_gets_the_lease(tables: list[Items]) -> None:
    """The others leave word that there may be more to do."""
    key = JobKey(AccountId(str(uuid.uuid4())), AdministrationId("exact.be.1"), JobKind.DOCUMENTS)
    workers = [DynamoJobs(items) for items in tables]
    workers[0].ensure(key)
    now = SystemClock().now
    for _ in range(ROUNDS):
        begun = now()
        claimed = all_at_once([partial(worker.claim, key, begun, begun + timedelta(minutes=2)) for worker in workers])
        (job,) = filter(None, claimed)
        assert workers[0].release(job, due_at=None, result={}, ran_at=now()) is True


@dataclass
class Deployed:
    """The deployed bridge, as far as a company needs it."""

    running: stage.Stage
    teamleader: FakeControl
    exact: FakeControl
    connection: str = ""

    def person(self, user: str) -> Person:
        self.somebody = Person(self.running.api_url, user)
        return self.somebody

    def settle(self) -> None:
        (connection,) = self.somebody.get("/api/connections")["connections"]
        idle = f"/api/connections/{connection['id']}/jobs"
        wait_until("all is quiet", lambda: self.somebody.get(idle)["idle"], seconds=60)


def test_two_deployed_workers_at_once_book_each_invoice_once(local_stage: stage.Stage) -> None:
    controls = [FakeControl(local_stage.fake_url(vendor)) for vendor in ("teamleader", "exact")]
    for control in controls:
        control.post("reset", seed="empty")
    controls[0].post("clock", now="2026-03-31T09:00:00+00:00")
    company: Company = a_connected_company(Deployed(local_stage, *controls))  # type: ignore[arg-type]
    invoices = [company.invoices(f"{net}.00") for net in (10, 20, 30)]
    body = json.dumps({"account": ACCOUNT, "administration": ADMINISTRATION, "kind": "documents"})
    event = {"Records": [{"messageId": "1", "receiptHandle": "-", "body": body}]}
    name = local_stage.function_names["ExportDocuments"]
    clients = [local_stage.client("lambda") for _ in range(2)]

    def invoke(client: Any) -> dict[str, Any]:
        answer = client.invoke(FunctionName=name, Payload=json.dumps(event))
        return json.loads(answer["Payload"].read())

    answers = all_at_once([partial(invoke, client) for client in clients])
    assert answers == [{"batchItemFailures": []}] * 2
    company.stage.settle()
    assert [len(company.booked(invoice)) for invoice in invoices] == [1, 1, 1]
    assert len(company.relations()) == 1
    assert sum(row.gross for row in company.bookings()) == Decimal("72.60")
