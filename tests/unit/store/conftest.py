"""A table of its own for every test, in this process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from boekbrug.store.table import Items
from tests.support.tables import client, create_table, items_of, local_aws


@pytest.fixture(scope="module")  # ends before another file sets up its own
def dynamodb() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as monkeypatch, local_aws(monkeypatch):
        yield client("dynamodb")


@pytest.fixture
def table_name(dynamodb: Any) -> str:
    return create_table(dynamodb)


@pytest.fixture
def items(dynamodb: Any, table_name: str) -> Items:
    return items_of(dynamodb, table_name)
