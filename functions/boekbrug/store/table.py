"""The one table: plain dictionaries in and out, conditions that fail with one exception, conflicts tried again."""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from botocore.exceptions import ClientError

from ..domain.errors import VendorDown
from .keys import Key

Item = dict[str, Any]

ITEM_LIMIT = 300 * 1024
"""Bytes (design.md 4). DynamoDB refuses at 400 KB; below that, a grown item still has room for its bookkeeping."""
ATTEMPTS = 6
CONFLICTS = {
    "TransactionConflict",
    "TransactionConflictException",
    "TransactionInProgressException",
    "ThrottlingError",
    "ThrottlingException",
    "ProvisionedThroughputExceeded",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
}
_LAST = "\U0010ffff"  # sorts after every character there is


class ConditionFailed(Exception):
    """Somebody was first. `failed` are the positions of the writes whose condition did not hold."""

    def __init__(self, failed: Sequence[int] = (0,)) -> None:
        self.failed = tuple(failed)
        super().__init__(f"condition of write {', '.join(map(str, self.failed))} does not hold")


class ItemTooLarge(ValueError):
    """More than an item may hold."""


@dataclass(frozen=True, slots=True)
class Write:
    """One put, update, delete or check: alone by `Items.write` (no check), together by `Items.write_all`."""

    verb: str  # as transactions name it: Put, Update, Delete, ConditionCheck
    arguments: Mapping[str, Any]


def put(key: Key, item: Mapping[str, Any], *, when: str = "", **values: Any) -> Write:
    """Put an item if the condition `when` holds. `#name` stands for an attribute, `:name` for a value given here."""
    encoded = {"pk": {"S": key.pk}, "sk": {"S": key.sk}} | {name: encode(value) for name, value in item.items()}
    return Write("Put", {"Item": _within_limit(encoded)} | _expressions({"ConditionExpression": when}, values))


def update(key: Key, change: str, *, when: str = "", **values: Any) -> Write:
    """Change attributes if `when` holds; without a condition it also creates the item."""
    expressions = {"UpdateExpression": change, "ConditionExpression": when}
    return Write("Update", {"Key": _key(key)} | _expressions(expressions, values))


def check(key: Key, *, when: str, **values: Any) -> Write:
    """Nothing but a condition, for a transaction that changes something else."""
    return Write("ConditionCheck", {"Key": _key(key)} | _expressions({"ConditionExpression": when}, values))


def delete(key: Key, *, when: str = "", **values: Any) -> Write:
    return Write("Delete", {"Key": _key(key)} | _expressions({"ConditionExpression": when}, values))


class Items:
    """The table through a DynamoDB client. Reads are consistent: what a worker decides must be the latest.

    Throttling and conflicts between transactions are tried again for a moment, then raise VendorDown.
    """

    def __init__(self, client: Any, table_name: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._name = table_name
        self._sleep = sleep

    def get(self, key: Key) -> Item | None:
        answer = self._call(self._client.get_item, TableName=self._name, Key=_key(key), ConsistentRead=True)
        return _decoded(answer["Item"]) if "Item" in answer else None

    def get_all(self, keys: Iterable[Key]) -> list[Item]:
        """The items of these keys that exist, in any order."""
        unique = list(dict.fromkeys(keys))
        found: list[Item] = []
        for start in range(0, len(unique), 100):
            wanted = {self._name: {"Keys": [_key(key) for key in unique[start : start + 100]], "ConsistentRead": True}}
            for attempt in range(ATTEMPTS):
                answer = self._call(self._client.batch_get_item, RequestItems=wanted)
                found += [_decoded(item) for item in answer["Responses"].get(self._name, ())]
                wanted = answer.get("UnprocessedKeys")
                if not wanted:
                    break
                self.pause(attempt)
            else:
                raise VendorDown(vendor="store")
        return found

    def query(
        self, span: Key, *, after: str = "", limit: int = 0, page: int = 0, backwards: bool = False
    ) -> Iterator[Item]:
        """The items of a span in order of their sort keys, read page by page as they are asked for.

        `after`: only what comes after this end of a sort key (without the span's own beginning). `limit`: at most so
        many; 0: all. `page`: how many are read at a time, for who will probably stop early; 0: as many as fit.
        """
        values = {":pk": {"S": span.pk}}
        condition = "pk = :pk"
        if after:
            condition += " AND sk BETWEEN :first AND :last"
            values |= {":first": {"S": f"{span.sk}{after}\0"}, ":last": {"S": span.sk + _LAST}}
        elif span.sk:
            condition += " AND begins_with(sk, :prefix)"
            values[":prefix"] = {"S": span.sk}
        query = {
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": values,
            "ConsistentRead": True,
            "ScanIndexForward": not backwards,
        }
        return self._pages(query, limit, page)

    def due(self, shard: str, until: str) -> Iterator[Key]:
        """The keys of one shard of the due index, up to a moment. An index is never consistent: a moment late."""
        query = {
            "IndexName": "due",
            "KeyConditionExpression": "due_shard = :shard AND due_at <= :until",
            "ExpressionAttributeValues": {":shard": {"S": shard}, ":until": {"S": until}},
        }
        for item in self._pages(query, limit=0, page=0):
            yield Key(item["pk"], item["sk"])

    def write(self, write: Write, returns: str = "NONE") -> Item:
        """One write; the item before (`ALL_OLD`) or after (`ALL_NEW`), else {}. Raises ConditionFailed."""
        send = {
            "Put": self._client.put_item,
            "Update": self._client.update_item,
            "Delete": self._client.delete_item,
        }[write.verb]
        answer = self._call(send, TableName=self._name, ReturnValues=returns, **write.arguments)
        return _decoded(answer.get("Attributes", {}))

    def write_all(self, writes: Sequence[Write]) -> None:
        """All of these or none. Raises ConditionFailed, which tells whose condition did not hold."""
        items = [{write.verb: {"TableName": self._name, **write.arguments}} for write in writes]
        self._call(self._client.transact_write_items, TransactItems=items)

    def write_each(self, writes: Sequence[Write]) -> None:
        """Puts and deletes without conditions, many in one call; one key at most once."""
        requests = [_request(write) for write in writes]
        for start in range(0, len(requests), 25):
            left = {self._name: requests[start : start + 25]}
            for attempt in range(ATTEMPTS):
                left = self._call(self._client.batch_write_item, RequestItems=left).get("UnprocessedItems")
                if not left:
                    break
                self.pause(attempt)
            else:
                raise VendorDown(vendor="store")

    def _pages(self, query: Item, limit: int, page: int) -> Iterator[Item]:
        left = limit
        start: Item = {}
        while True:
            size = {"Limit": left or page} if limit or page else {}
            answer = self._call(self._client.query, TableName=self._name, **query, **size, **start)
            yield from map(_decoded, answer["Items"])
            if limit:
                left -= len(answer["Items"])
            if "LastEvaluatedKey" not in answer or (limit and not left):
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def _call(self, operation: Callable[..., Item], **arguments: Any) -> Item:
        for attempt in range(ATTEMPTS):
            try:
                return operation(**arguments)
            except ClientError as error:
                reasons = [reason.get("Code") for reason in error.response.get("CancellationReasons", ())]
                code = error.response["Error"]["Code"]
                if code == "ConditionalCheckFailedException":
                    raise ConditionFailed from None
                if "ConditionalCheckFailed" in reasons:
                    failed = [n for n, reason in enumerate(reasons) if reason == "ConditionalCheckFailed"]
                    raise ConditionFailed(failed) from None
                if not CONFLICTS & {code, *reasons}:
                    raise
            self.pause(attempt)
        raise VendorDown(vendor="store")

    def pause(self, attempt: int) -> None:
        """Full jitter: workers that collided once should not collide again."""
        self._sleep(random.uniform(0, min(1.0, 0.05 * 2**attempt)))


def encode(value: Any) -> dict[str, Any]:
    """A JSON value in DynamoDB's words. A Decimal becomes a string: its places are part of what it says."""
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": str(value)}
        case bytes():
            return {"B": value}
        case Decimal():
            return {"S": str(value)}
        case int() | float():
            return {"N": repr(value)}
        case Mapping():
            return {"M": {name: encode(inner) for name, inner in value.items()}}
        case list() | tuple():
            return {"L": [encode(inner) for inner in value]}
    raise TypeError(f"{type(value).__name__} is no JSON value")


def decode(value: Mapping[str, Any]) -> Any:
    ((kind, inner),) = value.items()
    match kind:
        case "NULL":
            return None
        case "N":
            return int(inner) if re.fullmatch(r"-?\d+", inner) else float(inner)
        case "M":
            return _decoded(inner)
        case "L":
            return [decode(element) for element in inner]
    return inner


def _decoded(item: Mapping[str, Any]) -> Item:
    return {name: decode(value) for name, value in item.items()}


def _key(key: Key) -> Item:
    return {"pk": {"S": key.pk}, "sk": {"S": key.sk}}


def _expressions(expressions: Mapping[str, str], values: Mapping[str, Any]) -> Item:
    """Expressions with their names and values, so that no word is ever DynamoDB's own."""
    result: Item = {name: text for name, text in expressions.items() if text}
    names = sorted(set(re.findall(r"#(\w+)", " ".join(result.values()))))
    if names:
        result["ExpressionAttributeNames"] = {f"#{name}": name for name in names}
    if values:
        result["ExpressionAttributeValues"] = _within_limit({f":{name}": encode(v) for name, v in values.items()})
    return result


def _within_limit(encoded: Item) -> Item:
    size = len(json.dumps(encoded, ensure_ascii=False, default=lambda raw: "." * len(raw)).encode())
    if size > ITEM_LIMIT:
        raise ItemTooLarge(f"{size} bytes are more than the {ITEM_LIMIT} an item may hold")
    return encoded


def _request(write: Write) -> Item:
    return {f"{write.verb}Request": dict(write.arguments)}
