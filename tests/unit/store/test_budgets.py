"""Counters and blocks are swept when they mean nothing any more."""

from __future__ import annotations

from typing import Any

from boekbrug.store.budgets import DynamoBudgets
from boekbrug.store.table import Items
from tests.contract.store_contract import MINUTE, NOON


def test_every_budget_item_is_swept_after_its_end(items: Items, dynamodb: Any, table_name: str) -> None:
    budgets = DynamoBudgets(items)
    budgets.block("exact:1", NOON + MINUTE)
    budgets.count("exact:1", NOON + MINUTE)
    kept = dynamodb.scan(TableName=table_name)["Items"]
    assert [int(item["expires_at"]["N"]) > (NOON + MINUTE).timestamp() for item in kept] == [True, True]
