"""A journal's numbers belong to no account, and are kept for ever."""

from __future__ import annotations

from typing import Any

from boekbrug.store.numbers import DynamoNumbers
from boekbrug.store.table import Items
from tests.contract.store_contract import MINUTE, NOON


def test_a_line_is_nobodys_and_never_swept(items: Items, dynamodb: Any, table_name: str) -> None:
    numbers = DynamoNumbers(items)
    numbers.release(numbers.hold("octopus.70001.4.V#1", "account", NOON, NOON + MINUTE), 42)
    (kept,) = dynamodb.scan(TableName=table_name)["Items"]
    assert kept["pk"]["S"] == "GLOBAL#NUMBERS#octopus.70001.4.V%231"
    assert "expires_at" not in kept
