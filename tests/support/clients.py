"""A client that does something else on the way: what no local engine does by itself (conflicts, throttling, races)."""

from __future__ import annotations

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


def refusal(code: str, reasons: tuple[str, ...] = ()) -> ClientError:
    """An error as botocore raises it, with the reasons of a cancelled transaction."""
    response: dict[str, Any] = {"Error": {"Code": code, "Message": code}}
    if reasons:
        response["CancellationReasons"] = [{"Code": reason} for reason in reasons]
    return ClientError(response, "Operation")
