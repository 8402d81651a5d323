"""The fakes' control API, as a tool drives it from outside (fakes/README.md)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import httpx

from fakes.kit.plain_json import dumps


class FakeControl:
    """One running fake. Amounts are read and written as Decimals."""

    def __init__(self, url: str, transport: httpx.BaseTransport | None = None) -> None:
        self._http = httpx.Client(base_url=f"{url}/_fake", timeout=60, trust_env=False, transport=transport)

    def post(self, call: str, **body: Any) -> dict[str, Any]:
        answer = self._http.post(f"/{call}", content=dumps(body), headers={"Content-Type": "application/json"})
        if answer.is_error:
            raise RuntimeError(f"the fake refused {call}: {answer.text}")
        return answer.json(parse_float=Decimal) if answer.content else {}

    def state(self, section: str) -> list[dict[str, Any]]:
        """All rows of one section."""
        rows: list[dict[str, Any]] = []
        page: int | None = 1
        while page:
            answer = self._http.get("/state", params={"only": section, "page": page})
            answer.raise_for_status()
            found = answer.json(parse_float=Decimal)
            rows += found.get(section, [])
            page = found["next_page"]
        return rows

    def counters(self) -> dict[str, Any]:
        """What the fake counts: calls against limits, and the like."""
        return self._http.get("/state", params={"only": "counters"}).raise_for_status().json()["counters"]

    def journal(self) -> list[dict[str, Any]]:
        """Every request so far, oldest first."""
        return self._http.get("/journal").raise_for_status().json()

    def forget_faults(self) -> None:
        self._http.delete("/faults").raise_for_status()

    def health(self) -> Mapping[str, Any]:
        return self._http.get("/health").raise_for_status().json()
