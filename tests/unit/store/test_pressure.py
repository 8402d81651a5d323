"""The pressure tests put on a client is real, and a patient caller gets through it."""

from __future__ import annotations

from typing import Any

import pytest

from boekbrug.store.keys import Key
from boekbrug.store.table import ConditionFailed, put, update
from tests.support.clients import Pressed
from tests.support.tables import items_of


def test_every_kind_of_refusal_comes_up_and_nothing_is_lost(dynamodb: Any, table_name: str) -> None:
    pressed = Pressed(dynamodb, seed=7)
    items = items_of(pressed, table_name)
    keys = [Key("p", f"{n:03d}") for n in range(60)]
    for round in range(12):
        items.write_each([put(key, {"round": round}) for key in keys])
        assert {item["round"] for item in items.get_all(keys)} == {round}
        items.write_all([update(Key("q", name), "ADD #count :one", one=1) for name in "ab"])
        items.write(update(Key("q", "c"), "ADD #count :one", one=1))
        with pytest.raises(ConditionFailed):
            items.write(put(keys[0], {}, when="attribute_not_exists(pk)"))
    assert [item["count"] for item in items.query(Key("q", ""))] == [12, 12, 12]
    assert set(pressed.met) == {
        "partial",
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "TransactionCanceledException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }


def test_the_same_seed_presses_the_same_calls(dynamodb: Any, table_name: str) -> None:
    def met(seed: int) -> dict[str, int]:
        pressed = Pressed(dynamodb, seed)
        for n in range(30):
            items_of(pressed, table_name).write(put(Key("p", str(n)), {}))
        return dict(pressed.met)

    assert met(1) == met(1) != met(2)
