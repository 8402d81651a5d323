"""The store contract, run on DynamoDB."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from boekbrug.store.accounts import DynamoAccounts
from boekbrug.store.audit import DynamoAudit
from boekbrug.store.budgets import DynamoBudgets
from boekbrug.store.connections import DynamoConnections
from boekbrug.store.documents import DynamoDocuments
from boekbrug.store.jobs import DynamoJobs
from boekbrug.store.links import DynamoLinks
from boekbrug.store.logins import DynamoLogins, Seal
from boekbrug.store.problems import DynamoProblems
from boekbrug.store.seen import DynamoSeen
from boekbrug.store.sessions import DynamoOAuthStates, DynamoSessions, DynamoWebhookTokens
from boekbrug.store.settlements import DynamoSettlements
from boekbrug.store.snapshots import DynamoSnapshots
from boekbrug.store.table import Items
from tests.contract.store_contract import (
    AuditContract,
    BudgetsContract,
    ConnectionsContract,
    DocumentsContract,
    DoorsContract,
    JobsContract,
    LinksContract,
    LoginsContract,
    ProblemsContract,
    SeenContract,
    SettlementsContract,
    SnapshotsContract,
)
from tests.support.tables import client, create_table, items_of, local_aws


class DynamoStores:
    def __init__(self, items: Items, seal: Seal) -> None:
        self.jobs = DynamoJobs(items)
        self.logins = DynamoLogins(items, seal)
        self.budgets = DynamoBudgets(items)
        self.connections = DynamoConnections(items)
        self.accounts = DynamoAccounts(items)
        self.sessions = DynamoSessions(items)
        self.states = DynamoOAuthStates(items)
        self.webhook_tokens = DynamoWebhookTokens(items)
        self.links = partial(DynamoLinks, items)
        self.documents = partial(DynamoDocuments, items)
        self.seen = partial(DynamoSeen, items)
        self.settlements = partial(DynamoSettlements, items)
        self.problems = partial(DynamoProblems, items)
        self.snapshots = partial(DynamoSnapshots, items)
        self.audit = partial(DynamoAudit, items)


@pytest.fixture(scope="module")
def dynamodb() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as monkeypatch, local_aws(monkeypatch):
        yield client("dynamodb")


@pytest.fixture(scope="module")
def key_id(dynamodb: Any) -> str:
    return client("kms").create_key()["KeyMetadata"]["KeyId"]


class OnDynamo:
    @pytest.fixture
    def store(self, dynamodb: Any, key_id: str) -> DynamoStores:
        items = items_of(dynamodb, create_table(dynamodb))
        return DynamoStores(items, Seal(lambda: client("kms"), key_id))


class TestLinks(OnDynamo, LinksContract): ...


class TestDocuments(OnDynamo, DocumentsContract): ...


class TestSeen(OnDynamo, SeenContract): ...


class TestSettlements(OnDynamo, SettlementsContract): ...


class TestJobs(OnDynamo, JobsContract): ...


class TestLogins(OnDynamo, LoginsContract): ...


class TestBudgets(OnDynamo, BudgetsContract): ...


class TestProblems(OnDynamo, ProblemsContract): ...


class TestAudit(OnDynamo, AuditContract): ...


class TestConnections(OnDynamo, ConnectionsContract): ...


class TestSnapshots(OnDynamo, SnapshotsContract): ...


class TestDoors(OnDynamo, DoorsContract): ...
