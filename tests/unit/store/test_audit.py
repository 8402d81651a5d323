"""A chain shows who changed it, and loses nothing when two write at once."""

from __future__ import annotations

from typing import Any

import pytest

from boekbrug.domain.errors import VendorDown
from boekbrug.store.audit import RACES, START, DynamoAudit, entry_hash
from boekbrug.store.table import Items
from tests.contract.store_contract import NOON, US
from tests.support.clients import Detour, refusal
from tests.support.tables import items_of


def no_sleep(seconds: float) -> None:
    pass


def test_an_entry_answers_for_itself_and_for_the_one_before(items: Items) -> None:
    audit = DynamoAudit(items, US)
    audit.append("books", "sent", {"document": "1", "gross": "121.10"}, NOON)
    audit.append("books", "booked", {"document": "1"}, NOON)
    first, second = audit.entries("books")
    assert first["previous"] == START
    assert [entry_hash(entry) for entry in (first, second)] == [first["hash"], second["hash"]]
    for changed in ({"what": "booked"}, {"facts": {}}, {"at": "2026"}, {"sequence": 7}, {"previous": second["hash"]}):
        assert entry_hash({**first, **changed}) != first["hash"]


def test_two_who_append_at_once_follow_each_other(items: Items, dynamodb: Any, table_name: str) -> None:
    detour = Detour(dynamodb)
    audit = DynamoAudit(items_of(detour, table_name), US, sleep=no_sleep)
    detour.on("put_item", lambda: DynamoAudit(items, US).append("books", "theirs", {}, NOON))
    audit.append("books", "ours", {}, NOON)
    first, second = audit.entries("books")
    assert (first["what"], second["what"], second["previous"]) == ("theirs", "ours", first["hash"])


def test_a_race_that_is_never_won_is_said(dynamodb: Any, table_name: str) -> None:
    detour = Detour(dynamodb)
    detour.on("put_item", *[refusal("ConditionalCheckFailedException")] * RACES)
    with pytest.raises(VendorDown):
        DynamoAudit(items_of(detour, table_name), US, sleep=no_sleep).append("books", "ours", {}, NOON)
