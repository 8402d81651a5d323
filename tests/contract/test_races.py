"""Sixteen writers at once, on the double and on the local AWS. Not on moto: it loses updates under threads."""

from __future__ import annotations

import pytest

from boekbrug.store.memory import MemoryStore, MemoryTable
from tests.contract.races import WRITERS, RacesContract
from tests.support.local_tables import DynamoStores, LocalTables


class TestInMemory(RacesContract):
    @pytest.fixture
    def writers(self) -> list[MemoryStore]:
        table = MemoryTable()
        return [MemoryStore(table) for _ in range(WRITERS)]


@pytest.mark.stack
class TestOnLocalAws(RacesContract):
    @pytest.fixture
    def writers(self, local: LocalTables) -> list[DynamoStores]:
        return local.stores(local.new_table(), WRITERS)
