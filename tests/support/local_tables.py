"""The store on DynamoDB, and tables in the local AWS: an engine that takes many writers at once, as moto does not."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from boekbrug.store.accounts import DynamoAccounts
from boekbrug.store.audit import DynamoAudit
from boekbrug.store.budgets import DynamoBudgets
from boekbrug.store.connections import DynamoConnections
from boekbrug.store.documents import DynamoDocuments
from boekbrug.store.jobs import DynamoJobs
from boekbrug.store.links import DynamoLinks
from boekbrug.store.logins import DynamoLogins, Seal
from boekbrug.store.numbers import DynamoNumbers
from boekbrug.store.problems import DynamoProblems
from boekbrug.store.seen import DynamoSeen
from boekbrug.store.sessions import DynamoOAuthStates, DynamoSessions, DynamoWebhookTokens
from boekbrug.store.settlements import DynamoSettlements
from boekbrug.store.snapshots import DynamoSnapshots
from boekbrug.store.table import Items
from infra.local import aws

from .tables import create_table


class DynamoStores:
    """Every room on one table, as `MemoryStore` has them."""

    def __init__(self, items: Items, seal: Seal) -> None:
        self.jobs = DynamoJobs(items)
        self.logins = DynamoLogins(items, seal)
        self.budgets = DynamoBudgets(items)
        self.numbers = DynamoNumbers(items)
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


@dataclass(frozen=True)
class LocalTables:
    """A local AWS with a key to seal tokens, and tables as the template describes them."""

    running: aws.LocalAws
    key_id: str
    _clients: list[Any] = field(default_factory=list)  # made once: each takes a while

    def new_table(self) -> str:
        return create_table(self.running.client("dynamodb"))

    def stores(self, table_name: str, workers: int = 1) -> list[DynamoStores]:
        """One for each worker, with a client of its own."""
        while len(self._clients) < workers:
            self._clients.append(self.running.client("dynamodb"))
        kms = self.running.client("kms")
        return [
            DynamoStores(Items(client, table_name), Seal(lambda: kms, self.key_id))
            for client in self._clients[:workers]
        ]


@contextmanager
def local_tables() -> Iterator[LocalTables]:
    with tempfile.TemporaryDirectory() as folder:
        running = aws.start(Path(folder))
        try:
            yield LocalTables(running, running.client("kms").create_key()["KeyMetadata"]["KeyId"])
        finally:
            running.stop()
