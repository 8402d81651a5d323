"""Why something is not where it belongs, one record a subject."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ..domain.connections import ConnectionId
from ..domain.documents import AccountId
from ..domain.errors import SyncError
from ..domain.ledger import AdministrationId
from ..ports import Problem
from ..records import as_json, from_json
from .keys import Table
from .table import Items, delete, put


class DynamoProblems:
    """Problems of one administration of one account."""

    def __init__(self, items: Items, account: AccountId, administration: AdministrationId) -> None:
        self._items = items
        self._table = Table(account)
        self._administration = administration

    def report(self, subject: str, connection: ConnectionId | None, error: SyncError, at: datetime, about: str) -> None:
        key = self._table.problem(self._administration, subject)
        item = self._items.get(key)
        before = from_json(Problem, item["record"]) if item else None
        problem = Problem(
            subject=subject,
            connection=connection,
            cause=error.cause,
            family=error.family,
            facts={name: _words(fact) for name, fact in error.facts.items()},
            since=before.since if before and before.cause == error.cause else at,
            about=about,
        )
        if problem != before:
            self._items.write(put(key, {"record": as_json(problem)}))

    def solve(self, subject: str) -> None:
        self._items.write(delete(self._table.problem(self._administration, subject)))

    def all(self) -> Sequence[Problem]:
        """The oldest first."""
        span = self._table.problems(self._administration)
        problems = [from_json(Problem, item["record"]) for item in self._items.query(span)]
        return sorted(problems, key=lambda problem: (problem.since, problem.subject))


def _words(fact: object) -> str:
    return fact.isoformat() if isinstance(fact, datetime) else str(fact)
