"""What the DynamoDB way of keeping documents promises beyond the contract: cost, and races."""

from __future__ import annotations

from typing import Any

import pytest

from boekbrug.store.documents import DynamoDocuments
from tests.contract.store_contract import BOOKS, CONNECTION, MINUTE, NOON, US, a_header
from tests.support.clients import Detour
from tests.support.tables import items_of


@pytest.fixture
def detour(dynamodb: Any) -> Detour:
    return Detour(dynamodb)


@pytest.fixture
def documents(detour: Detour, table_name: str) -> DynamoDocuments:
    return DynamoDocuments(items_of(detour, table_name), US, BOOKS)


def test_an_idle_look_costs_the_same_whatever_was_booked_before(documents: DynamoDocuments, detour: Detour) -> None:
    documents.seen(CONNECTION, [a_header(f"d{n}", number=str(n)) for n in range(30)])
    for record in documents.waiting(30):
        documents.booked(record, "1")
    detour.calls.clear()
    assert (documents.waiting(10), documents.release(), documents.release(causes=["PeriodClosed"])) == ([], 0, 0)
    assert detour.names() == ["query"] * 3
    for _, arguments in detour.calls:
        assert "RECORD#" not in arguments["ExpressionAttributeValues"][":prefix"]["S"]


def test_unchanged_documents_are_read_together_and_not_written(documents: DynamoDocuments, detour: Detour) -> None:
    headers = [a_header(f"d{n}", number=str(n)) for n in range(30)]
    documents.seen(CONNECTION, headers)
    detour.calls.clear()
    assert documents.seen(CONNECTION, headers) == 0
    assert detour.names() == ["batch_get_item"]


def test_of_two_who_see_a_new_document_one_puts_it_in_line(
    documents: DynamoDocuments, detour: Detour, dynamodb: Any, table_name: str
) -> None:
    other = DynamoDocuments(items_of(dynamodb, table_name), US, BOOKS)
    detour.on("transact_write_items", lambda: other.seen(CONNECTION, [a_header()]))
    assert documents.seen(CONNECTION, [a_header()]) == 0
    assert [record.id for record in documents.waiting(10)] == ["doc"]


def test_a_document_booked_while_we_look_stays_out_of_line(
    documents: DynamoDocuments, detour: Detour, dynamodb: Any, table_name: str
) -> None:
    documents.seen(CONNECTION, [a_header()])
    other = DynamoDocuments(items_of(dynamodb, table_name), US, BOOKS)
    detour.on("transact_write_items", lambda: other.booked(other.waiting(1)[0], "1"))
    assert documents.seen(CONNECTION, [a_header(updated_at=NOON + MINUTE)]) == 0
    assert documents.waiting(10) == []


def test_a_long_line_is_read_no_further_than_asked(documents: DynamoDocuments, detour: Detour) -> None:
    documents.seen(CONNECTION, [a_header(f"d{n}", number=str(n)) for n in range(30)])
    detour.calls.clear()
    assert [record.number for record in documents.waiting(3)] == ["0", "1", "2"]
    assert [arguments.get("Limit") for name, arguments in detour.calls if name == "query"] == [3]
