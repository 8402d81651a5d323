"""Domain records as the table keeps them: plain JSON, amounts and days as strings, times in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")

KEPT = timedelta(days=1)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def dump(record: Any) -> Any:
    """A record, or plain values with records in them, as JSON values."""
    return _adapter(type(record)).dump_python(record, mode="json")


def load(kind: type[T], value: Any) -> T:
    return _adapter(kind).validate_python(value)


def stamp(at: datetime) -> str:
    """A moment as text that sorts as time does: UTC, always 27 characters."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def swept_after(at: datetime) -> int:
    """When DynamoDB may sweep away what ended at `at`, in epoch seconds.

    Whoever reads checks the end himself. The sweeper lives in wall time, `at` in the clock of the documents, which on
    the local stage may lie far behind: so never before a day has passed on the wall too.
    """
    return int((max(at, datetime.now(UTC)) + KEPT).timestamp())
