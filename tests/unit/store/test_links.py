"""What the DynamoDB way of keeping links promises beyond the contract."""

from __future__ import annotations

from typing import Any

from boekbrug.ports import WriteKind
from boekbrug.store.links import DynamoLinks
from tests.contract.store_contract import BOOKS, NOON, US
from tests.support.clients import Detour
from tests.support.tables import items_of


def test_what_is_unsettled_is_found_without_reading_what_was_settled(dynamodb: Any, table_name: str) -> None:
    detour = Detour(dynamodb)
    links = DynamoLinks(items_of(detour, table_name), US, BOOKS)
    for n in range(30):
        links.done(links.plan(WriteKind.BOOKING, f"doc{n}", "p", "h", NOON), {"ref": f"B{n}"})
        links.refuse(links.plan(WriteKind.BOOKING, f"refused{n}", "p", "h", NOON), "PeriodClosed")
    detour.calls.clear()
    assert links.unsettled() == []
    assert detour.names() == ["query"]


def test_what_is_settled_between_the_two_reads_is_not_in_doubt(dynamodb: Any, table_name: str) -> None:
    detour = Detour(dynamodb)
    links = DynamoLinks(items_of(detour, table_name), US, BOOKS)
    other = DynamoLinks(items_of(dynamodb, table_name), US, BOOKS)
    sending, refused = (links.plan(WriteKind.BOOKING, doc, "p", "h", NOON) for doc in ("open", "refused"))
    detour.on("batch_get_item", lambda: other.refuse(refused, "PeriodClosed"))
    assert links.unsettled() == [sending]


def test_nothing_that_means_this_was_booked_expires(dynamodb: Any, table_name: str) -> None:
    links = DynamoLinks(items_of(dynamodb, table_name), US, BOOKS)
    links.done(links.plan(WriteKind.BOOKING, "doc", "p", "h", NOON), {"ref": "B1"})
    kept = dynamodb.scan(TableName=table_name)["Items"]
    assert len(kept) == 2
    assert not [item for item in kept if "expires_at" in item]


def test_what_is_gone_leaves_its_own_record_and_nothing_else(dynamodb: Any, table_name: str) -> None:
    links = DynamoLinks(items_of(dynamodb, table_name), US, BOOKS)
    links.gone(links.done(links.plan(WriteKind.BOOKING, "doc", "p", "h", NOON), {"ref": "B1"}))
    (kept,) = dynamodb.scan(TableName=table_name)["Items"]
    assert kept["sk"]["S"] == "INTENT#booking#doc"
    assert "expires_at" not in kept
