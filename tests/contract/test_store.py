"""The store contract, run on the double in memory and on DynamoDB, calm and under pressure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from boekbrug.store.logins import Seal
from boekbrug.store.memory import MemoryStore, MemoryTable
from boekbrug.store.memory.table import BATCH
from tests.contract.store_contract import (
    AuditContract,
    BudgetsContract,
    ConnectionsContract,
    DocumentsContract,
    DoorsContract,
    JobsContract,
    LinksContract,
    LoginsContract,
    NumbersContract,
    ProblemsContract,
    SeenContract,
    SettlementsContract,
    SnapshotsContract,
)
from tests.support.clients import Pressed
from tests.support.local_tables import DynamoStores, LocalTables
from tests.support.tables import client, create_table, items_of, local_aws


@pytest.fixture(scope="module")
def dynamodb() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as monkeypatch, local_aws(monkeypatch):
        yield client("dynamodb")


@pytest.fixture(scope="module")
def key_id(dynamodb: Any) -> str:
    return client("kms").create_key()["KeyMetadata"]["KeyId"]


class InMemory:
    @pytest.fixture(params=[BATCH, 1], ids=["in-memory", "in-memory-row-by-row"])
    def store(self, request: pytest.FixtureRequest) -> MemoryStore:
        return MemoryStore(MemoryTable(), batch=request.param)


class OnDynamo:
    @pytest.fixture
    def store(self, dynamodb: Any, key_id: str) -> DynamoStores:
        items = items_of(dynamodb, create_table(dynamodb))
        return DynamoStores(items, Seal(lambda: client("kms"), key_id))


class UnderPressure:
    """DynamoDB while others are busy in it: conflicts, throttling, batches answered in part."""

    @pytest.fixture(params=[1, 2, 3])
    def store(self, dynamodb: Any, key_id: str, request: pytest.FixtureRequest) -> DynamoStores:
        pressed = Pressed(dynamodb, seed=request.param)
        return DynamoStores(items_of(pressed, create_table(dynamodb)), Seal(lambda: client("kms"), key_id))


@pytest.mark.stack
class OnLocalAws:
    @pytest.fixture
    def store(self, local: LocalTables) -> DynamoStores:
        return local.stores(local.new_table())[0]


class TestLinksInMemory(InMemory, LinksContract): ...


class TestLinksOnDynamo(OnDynamo, LinksContract): ...


class TestLinksUnderPressure(UnderPressure, LinksContract): ...


class TestLinksOnLocalAws(OnLocalAws, LinksContract): ...


class TestDocumentsInMemory(InMemory, DocumentsContract): ...


class TestDocumentsOnDynamo(OnDynamo, DocumentsContract): ...


class TestDocumentsUnderPressure(UnderPressure, DocumentsContract): ...


class TestDocumentsOnLocalAws(OnLocalAws, DocumentsContract): ...


class TestSeenInMemory(InMemory, SeenContract): ...


class TestSeenOnDynamo(OnDynamo, SeenContract): ...


class TestSeenUnderPressure(UnderPressure, SeenContract): ...


class TestSeenOnLocalAws(OnLocalAws, SeenContract): ...


class TestSettlementsInMemory(InMemory, SettlementsContract): ...


class TestSettlementsOnDynamo(OnDynamo, SettlementsContract): ...


class TestSettlementsUnderPressure(UnderPressure, SettlementsContract): ...


class TestSettlementsOnLocalAws(OnLocalAws, SettlementsContract): ...


class TestJobsInMemory(InMemory, JobsContract): ...


class TestJobsOnDynamo(OnDynamo, JobsContract): ...


class TestJobsUnderPressure(UnderPressure, JobsContract): ...


class TestJobsOnLocalAws(OnLocalAws, JobsContract): ...


class TestLoginsInMemory(InMemory, LoginsContract): ...


class TestLoginsOnDynamo(OnDynamo, LoginsContract): ...


class TestLoginsUnderPressure(UnderPressure, LoginsContract): ...


class TestLoginsOnLocalAws(OnLocalAws, LoginsContract): ...


class TestBudgetsInMemory(InMemory, BudgetsContract): ...


class TestBudgetsOnDynamo(OnDynamo, BudgetsContract): ...


class TestBudgetsUnderPressure(UnderPressure, BudgetsContract): ...


class TestBudgetsOnLocalAws(OnLocalAws, BudgetsContract): ...


class TestNumbersInMemory(InMemory, NumbersContract): ...


class TestNumbersOnDynamo(OnDynamo, NumbersContract): ...


class TestNumbersUnderPressure(UnderPressure, NumbersContract): ...


class TestNumbersOnLocalAws(OnLocalAws, NumbersContract): ...


class TestProblemsInMemory(InMemory, ProblemsContract): ...


class TestProblemsOnDynamo(OnDynamo, ProblemsContract): ...


class TestProblemsUnderPressure(UnderPressure, ProblemsContract): ...


class TestProblemsOnLocalAws(OnLocalAws, ProblemsContract): ...


class TestAuditInMemory(InMemory, AuditContract): ...


class TestAuditOnDynamo(OnDynamo, AuditContract): ...


class TestAuditUnderPressure(UnderPressure, AuditContract): ...


class TestAuditOnLocalAws(OnLocalAws, AuditContract): ...


class TestConnectionsInMemory(InMemory, ConnectionsContract): ...


class TestConnectionsOnDynamo(OnDynamo, ConnectionsContract): ...


class TestConnectionsUnderPressure(UnderPressure, ConnectionsContract): ...


class TestConnectionsOnLocalAws(OnLocalAws, ConnectionsContract): ...


class TestSnapshotsInMemory(InMemory, SnapshotsContract): ...


class TestSnapshotsOnDynamo(OnDynamo, SnapshotsContract): ...


class TestSnapshotsUnderPressure(UnderPressure, SnapshotsContract): ...


class TestSnapshotsOnLocalAws(OnLocalAws, SnapshotsContract): ...


class TestDoorsInMemory(InMemory, DoorsContract): ...


class TestDoorsOnDynamo(OnDynamo, DoorsContract): ...


class TestDoorsUnderPressure(UnderPressure, DoorsContract): ...


class TestDoorsOnLocalAws(OnLocalAws, DoorsContract): ...
