"""The helper over the client: what it translates, tries again and refuses."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError

from boekbrug.domain.errors import VendorDown
from boekbrug.store.keys import Key
from boekbrug.store.table import ATTEMPTS, ConditionFailed, Items, ItemTooLarge, decode, delete, encode, put, update
from tests.support.clients import Detour, refusal
from tests.support.tables import items_of

A, B = Key("p", "a"), Key("p", "b")


@pytest.fixture
def detour(dynamodb: Any) -> Detour:
    return Detour(dynamodb)


@pytest.fixture
def detoured(detour: Detour, table_name: str) -> Items:
    return items_of(detour, table_name)


@pytest.mark.parametrize(
    "value", [None, True, False, "", "é", 0, -12, 1.5, 1e-7, b"\0\1", [], {}, {"a": [1, {"b": None}]}, [True, "1.10"]]
)
def test_json_values_come_back_as_they_went(items: Items, value: Any) -> None:
    items.write(put(A, {"value": value}))
    assert items.get(A) == {"pk": "p", "sk": "a", "value": value}
    assert type(decode(encode(value))) is type(value)


def test_a_decimal_keeps_its_places_as_text() -> None:
    assert encode(Decimal("1.10")) == {"S": "1.10"}


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(TypeError, match="object"):
        encode(object())


def test_words_that_are_dynamodbs_own_are_no_trouble(items: Items) -> None:
    items.write(update(A, "SET #status = :status, #size = :size", status="x", size=1))
    items.write(update(A, "REMOVE #size", when="#status = :status", status="x"))
    assert items.get(A) == {"pk": "p", "sk": "a", "status": "x"}


def test_an_item_over_the_limit_is_refused_before_it_is_sent(items: Items) -> None:
    items.write(put(A, {"body": "x" * 300_000}))
    with pytest.raises(ItemTooLarge):
        put(A, {"body": "x" * 310_000})
    with pytest.raises(ItemTooLarge):
        update(A, "SET #body = :body", body=b"x" * 310_000)


def test_a_failed_condition_is_one_exception_alone_or_together(items: Items) -> None:
    absent = "attribute_not_exists(pk)"
    items.write(put(B, {}, when=absent))
    with pytest.raises(ConditionFailed) as alone:
        items.write(put(B, {}, when=absent))
    assert alone.value.failed == (0,)
    with pytest.raises(ConditionFailed) as together:
        items.write_all([put(A, {}, when=absent), put(B, {}, when=absent)])
    assert together.value.failed == (1,)
    assert items.get(A) is None


def test_a_query_reads_all_pages_and_stops_at_its_limit(detour: Detour, detoured: Items) -> None:
    detoured.write_each([put(Key("p", f"X#{n:02d}"), {"body": "x" * 100_000}) for n in range(25)])
    detoured.write_each([put(Key("p", sk), {}) for sk in ("W#99", "X", "Y#00")])
    detour.calls.clear()
    found = [item["sk"] for item in detoured.query(Key("p", "X#"))]
    assert found == [f"X#{n:02d}" for n in range(25)]
    assert detour.names().count("query") == 3  # 2.5 MB, 1 MB a page
    assert [item["sk"] for item in detoured.query(Key("p", "X#"), limit=12)] == found[:12]
    assert [item["sk"] for item in detoured.query(Key("p", "X#"), after="20")] == found[21:]
    assert [item["sk"] for item in detoured.query(Key("p", "X#"), limit=2, backwards=True)] == ["X#24", "X#23"]


def test_a_batch_reads_what_was_left_over_and_each_key_once(detour: Detour, detoured: Items, table_name: str) -> None:
    keys = [Key("p", f"{n:03d}") for n in range(120)]
    detoured.write_each([put(key, {}) for key in keys])
    left = {table_name: {"Keys": [{"pk": {"S": "p"}, "sk": {"S": "000"}}], "ConsistentRead": True}}
    detour.on("batch_get_item", {"Responses": {table_name: []}, "UnprocessedKeys": left})
    detour.calls.clear()
    assert len(detoured.get_all([*keys, *keys])) == 21  # of the first hundred only what was left over
    assert detour.names() == ["batch_get_item"] * 3


def test_a_batch_writes_what_was_left_over(detour: Detour, detoured: Items, table_name: str) -> None:
    left = {table_name: [{"PutRequest": {"Item": {"pk": {"S": "p"}, "sk": {"S": "b"}}}}]}
    detour.on("batch_write_item", {"UnprocessedItems": left})
    detoured.write_each([put(A, {}), put(B, {})])
    assert detoured.get(B) is not None
    detoured.write_each([delete(B)])
    assert detoured.get(B) is None


def test_a_batch_that_is_never_done_is_the_store_being_down(detour: Detour, detoured: Items, table_name: str) -> None:
    unread = {"Responses": {}, "UnprocessedKeys": {table_name: {"Keys": [{"pk": {"S": "p"}, "sk": {"S": "a"}}]}}}
    unwritten = {"UnprocessedItems": {table_name: [{"PutRequest": {"Item": {"pk": {"S": "p"}, "sk": {"S": "a"}}}}]}}
    detour.on("batch_get_item", *[unread] * ATTEMPTS)
    detour.on("batch_write_item", *[unwritten] * ATTEMPTS)
    with pytest.raises(VendorDown):
        detoured.get_all([A])
    with pytest.raises(VendorDown):
        detoured.write_each([put(A, {})])


CONFLICT = refusal("TransactionCanceledException", ("None", "TransactionConflict"))


@pytest.mark.parametrize("error", [CONFLICT, refusal("ThrottlingException")])
def test_conflicts_and_throttling_pass(detour: Detour, detoured: Items, error: ClientError) -> None:
    detour.on("transact_write_items", *[error] * (ATTEMPTS - 1))
    detoured.write_all([put(A, {}), put(B, {})])
    assert detoured.get(A) is not None


def test_a_conflict_that_stays_is_the_store_being_down(detour: Detour, detoured: Items) -> None:
    detour.on("put_item", *[refusal("TransactionConflictException")] * ATTEMPTS)
    with pytest.raises(VendorDown) as down:
        detoured.write(put(A, {}))
    assert down.value.facts == {"vendor": "store"}


def test_a_failed_condition_counts_more_than_a_conflict(detour: Detour, detoured: Items) -> None:
    reasons = ("TransactionConflict", "ConditionalCheckFailed")
    detour.on("transact_write_items", refusal("TransactionCanceledException", reasons))
    with pytest.raises(ConditionFailed) as failed:
        detoured.write_all([put(A, {}), put(B, {})])
    assert failed.value.failed == (1,)


def test_other_refusals_are_not_hidden_or_tried_again(detour: Detour, detoured: Items) -> None:
    detour.on("get_item", refusal("AccessDeniedException"))
    with pytest.raises(ClientError, match="AccessDenied"):
        detoured.get(A)
    assert detour.names() == ["get_item"]
