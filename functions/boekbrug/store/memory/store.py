"""Every room of the store, as one worker opens them."""

from __future__ import annotations

from ...domain.documents import AccountId
from ...domain.ledger import AdministrationId
from .accounts import MemoryAccounts
from .audit import MemoryAudit
from .budgets import MemoryBudgets
from .connections import MemoryConnections
from .documents import MemoryDocuments
from .jobs import MemoryJobs
from .links import MemoryLinks
from .logins import MemoryLogins
from .nudges import MemoryNudges
from .numbers import MemoryNumbers
from .problems import MemoryProblems
from .seen import MemorySeen
from .sessions import MemoryOAuthStates, MemorySessions, MemoryWebhookTokens
from .settlements import MemorySettlements
from .snapshots import MemorySnapshots
from .table import BATCH, MemoryTable, OnIo, Worker, unwatched


class MemoryStore:
    """The rooms of one worker. Workers that share a `table` see each other's records; each has its own `on_io`."""

    def __init__(self, table: MemoryTable, on_io: OnIo = unwatched, *, batch: int = BATCH) -> None:
        self.table = table
        self._worker = worker = Worker(table, on_io, batch)
        self.accounts = MemoryAccounts(worker)
        self.sessions = MemorySessions(worker)
        self.states = MemoryOAuthStates(worker)
        self.webhook_tokens = MemoryWebhookTokens(worker)
        self.connections = MemoryConnections(worker)
        self.jobs = MemoryJobs(worker)
        self.nudges = MemoryNudges(worker)
        self.logins = MemoryLogins(worker)
        self.budgets = MemoryBudgets(worker)
        self.numbers = MemoryNumbers(worker)

    def links(self, account: AccountId, administration: AdministrationId) -> MemoryLinks:
        return MemoryLinks(self._worker, account, administration)

    def documents(self, account: AccountId, administration: AdministrationId) -> MemoryDocuments:
        return MemoryDocuments(self._worker, account, administration)

    def seen(self, account: AccountId, administration: AdministrationId) -> MemorySeen:
        return MemorySeen(self._worker, account, administration)

    def settlements(self, account: AccountId, administration: AdministrationId) -> MemorySettlements:
        return MemorySettlements(self._worker, account, administration)

    def problems(self, account: AccountId, administration: AdministrationId) -> MemoryProblems:
        return MemoryProblems(self._worker, account, administration)

    def snapshots(self, account: AccountId) -> MemorySnapshots:
        return MemorySnapshots(self._worker, account)

    def audit(self, account: AccountId) -> MemoryAudit:
        return MemoryAudit(self._worker, account)
