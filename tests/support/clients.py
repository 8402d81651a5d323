"""A client that does something else on the way: what no local engine does by itself (conflicts, throttling, races)."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError


class Detour:
    """A client whose calls are noted; `on(name, *answers)` answers the next ones of that name itself.

    An answer is what to return, an exception to raise, or a function to run before the real call.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._answers: dict[str, list[Any]] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def on(self, name: str, *answers: Any) -> None:
        self._answers.setdefault(name, []).extend(answers)

    def names(self) -> list[str]:
        return [name for name, _ in self.calls]

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**arguments: Any) -> Any:
            self.calls.append((name, arguments))
            if waiting := self._answers.get(name):
                answer = waiting.pop(0)
                if isinstance(answer, Exception):
                    raise answer
                if not callable(answer):
                    return answer
                answer()
            return getattr(self._client, name)(**arguments)

        return call


class Pressed:
    """A client of a busy table: a seeded sprinkling of conflicts, throttling and batches answered in part.

    It refuses the same operation at most `IN_A_ROW` times, so that a caller with some patience always gets through.
    `met` counts what came up.
    """

    IN_A_ROW = 3
    SHARE = 0.4  # of the calls that could be refused

    def __init__(self, client: Any, seed: int) -> None:
        self._client = client
        self._chance = random.Random(seed)
        self._refused: Counter[str] = Counter()  # in a row, by operation
        self.met: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**arguments: Any) -> Any:
            if self._refused[name] == self.IN_A_ROW or self._chance.random() >= self.SHARE:
                self._refused[name] = 0
                return getattr(self._client, name)(**arguments)
            self._refused[name] += 1
            return self._pressed(name, arguments)

        return call

    def _pressed(self, name: str, arguments: dict[str, Any]) -> Any:
        kinds = ["ThrottlingException", "ProvisionedThroughputExceededException"]
        match name:
            case "batch_get_item" | "batch_write_item":
                kinds = [*kinds, "partial", "partial", "partial"]
            case "transact_write_items":
                kinds = [*kinds, "TransactionInProgressException", "TransactionCanceledException"]
            case "put_item" | "update_item" | "delete_item":
                kinds = [*kinds, "TransactionConflictException"]
        kind = self._chance.choice(kinds)
        self.met[kind] += 1
        if kind == "partial":
            return self._in_part(name, arguments["RequestItems"])
        if kind == "TransactionCanceledException":
            reasons = ["None"] * len(arguments["TransactItems"])
            reasons[self._chance.randrange(len(reasons))] = "TransactionConflict"
            raise refusal(kind, tuple(reasons))
        raise refusal(kind)

    def _in_part(self, name: str, wanted: dict[str, Any]) -> Any:
        """Do some of a batch and hand the rest back, as DynamoDB does."""
        ((table, asked),) = wanted.items()
        if name == "batch_write_item":
            now, later = self._split(asked)
            answer = self._client.batch_write_item(RequestItems={table: now}) if now else {}
            return answer | {"UnprocessedItems": {table: later} if later else {}}
        now, later = self._split(asked["Keys"])
        answer = {"Responses": {}}
        if now:
            answer = self._client.batch_get_item(RequestItems={table: asked | {"Keys": now}})
        return answer | {"UnprocessedKeys": {table: asked | {"Keys": later}} if later else {}}

    def _split(self, rows: list[Any]) -> tuple[list[Any], list[Any]]:
        shuffled = self._chance.sample(rows, len(rows))
        cut = self._chance.randrange(len(rows) + 1)
        return shuffled[:cut], shuffled[cut:]


def refusal(code: str, reasons: tuple[str, ...] = ()) -> ClientError:
    """An error as botocore raises it, with the reasons of a cancelled transaction."""
    response: dict[str, Any] = {"Error": {"Code": code, "Message": code}}
    if reasons:
        response["CancellationReasons"] = [{"Code": reason} for reason in reasons]
    return ClientError(response, "Operation")
