"""Times as the table keeps them: as text that sorts, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

KEPT = timedelta(days=1)


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
