"""What a run's records stand on: memory, or every hundredth time DynamoDB as moto plays it."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from contextlib import ExitStack, nullcontext
from functools import cached_property
from types import SimpleNamespace
from typing import Any, Protocol
from unittest.mock import patch

from boekbrug.store.dynamo import DynamoStore
from boekbrug.store.logins import Seal
from boekbrug.store.memory import MemoryStore, MemoryTable
from boekbrug.store.memory.nudges import MemoryNudges, Nudge
from boekbrug.store.memory.table import BATCH, Worker
from boekbrug.store.table import Items
from tests.support.tables import client, create_table

OnIo = Callable[[str, str], None]


class Records(Protocol):
    """The records of one run, shared by its workers."""

    def store(self, on_io: OnIo, sleep: Callable[[float], None]) -> Any:
        """Every room, for one worker."""

    def take_nudges(self) -> list[Nudge]:
        """Those nobody took yet."""

    def kept(self) -> Any:
        """All of it, to begin other runs with."""


class Ground(Protocol):
    name: str

    def empty(self) -> Any: ...
    def opened(self, kept: Any) -> Records: ...


class InMemory:
    name = "memory"

    def empty(self) -> bytes:
        return pickle.dumps({})

    def opened(self, kept: bytes) -> MemoryRecords:
        return MemoryRecords(kept)


class MemoryRecords:
    def __init__(self, kept: bytes) -> None:
        self._table = MemoryTable(nullcontext())
        self._table._parts = pickle.loads(kept)

    def store(self, on_io: OnIo, sleep: Callable[[float], None]) -> MemoryStore:
        return MemoryStore(self._table, on_io)

    def take_nudges(self) -> list[Nudge]:
        return _taken(self._table)

    def kept(self) -> bytes:
        return pickle.dumps(self._table._parts, pickle.HIGHEST_PROTOCOL)


class OnMoto:
    """Boundaries are the requests to DynamoDB; queues and nudges stay the stage's own."""

    name = "moto"

    def __init__(self) -> None:
        self._up = ExitStack()

    def stop(self) -> None:
        """Its worlds are gone with it."""
        self._up.close()

    @cached_property
    def clients(self) -> SimpleNamespace:
        from moto import mock_aws  # most runs need none

        stack = self._up
        credentials = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
        stack.enter_context(patch.dict(os.environ, credentials))
        stack.enter_context(mock_aws())
        kms = client("kms")
        return SimpleNamespace(dynamodb=client("dynamodb"), kms=kms, key=kms.create_key()["KeyMetadata"]["KeyId"])

    def empty(self) -> tuple[list[Any], bytes]:
        return [], pickle.dumps({})

    def opened(self, kept: tuple[list[Any], bytes]) -> MotoRecords:
        return MotoRecords(self.clients, *kept)


class MotoRecords:
    def __init__(self, clients: SimpleNamespace, items: list[Any], nudges: bytes) -> None:
        self._clients = clients
        self._name = create_table(clients.dynamodb)
        self._nudges = MemoryTable(nullcontext())
        self._nudges._parts = pickle.loads(nudges)
        for first in range(0, len(items), BATCH):
            puts = [{"PutRequest": {"Item": item}} for item in items[first : first + BATCH]]
            clients.dynamodb.batch_write_item(RequestItems={self._name: puts})

    def store(self, on_io: OnIo, sleep: Callable[[float], None]) -> DynamoStore:
        items = Items(Watched(self._clients.dynamodb, on_io), self._name, sleep)
        nudges = MemoryNudges(Worker(self._nudges, on_io))
        return DynamoStore(items, Seal(lambda: self._clients.kms, self._clients.key), lambda: nudges)

    def take_nudges(self) -> list[Nudge]:
        return _taken(self._nudges)

    def kept(self) -> tuple[list[Any], bytes]:
        items: list[Any] = []
        for page in self._clients.dynamodb.get_paginator("scan").paginate(TableName=self._name):
            items += page["Items"]
        return items, pickle.dumps(self._nudges._parts)


class Watched:
    """A client whose every request passes a boundary before and after."""

    def __init__(self, client: Any, on_io: OnIo) -> None:
        self._client = client
        self._on_io = on_io

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)

        def watched(**arguments: Any) -> Any:
            self._on_io(f"dynamodb.{name}", "before")
            try:
                return call(**arguments)
            finally:
                self._on_io(f"dynamodb.{name}", "after")

        return watched


def _taken(table: MemoryTable) -> list[Nudge]:
    waiting: list[Nudge] = table.part(list, "nudges")
    taken = list(waiting)
    waiting.clear()
    return taken


MEMORY, MOTO = InMemory(), OnMoto()
