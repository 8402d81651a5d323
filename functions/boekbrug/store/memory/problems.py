"""Why something is not where it belongs, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from ...domain.connections import ConnectionId
from ...domain.documents import AccountId
from ...domain.errors import SyncError
from ...domain.ledger import AdministrationId
from ...ports import Problem
from .table import Worker


class MemoryProblems:
    """Problems of one administration of one account."""

    def __init__(self, worker: Worker, account: AccountId, administration: AdministrationId) -> None:
        self._worker = worker
        self.kept: dict[str, Problem] = worker.table.part(dict, "problems", account, administration)

    def report(self, subject: str, connection: ConnectionId | None, error: SyncError, at: datetime, about: str) -> None:
        with self._worker.step("problems.report"):
            before = self.kept.get(subject)
            self.kept[subject] = Problem(
                subject=subject,
                connection=connection,
                cause=error.cause,
                family=error.family,
                facts={name: _words(fact) for name, fact in error.facts.items()},
                since=before.since if before and before.cause == error.cause else at,
                about=about,
            )

    def solve(self, subject: str) -> None:
        with self._worker.step("problems.solve"):
            self.kept.pop(subject, None)

    def all(self) -> Sequence[Problem]:
        """The oldest first."""
        with self._worker.step("problems.all"):
            problems = sorted(self.kept.values(), key=lambda problem: (problem.since, problem.subject))
            return [replace(problem, facts=dict(problem.facts)) for problem in problems]


def _words(fact: object) -> str:
    return fact.isoformat() if isinstance(fact, datetime) else str(fact)
