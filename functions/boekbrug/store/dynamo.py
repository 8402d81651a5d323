"""Every room of the store on DynamoDB, and the queues that wake the workers: what a sandbox keeps between calls."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from ..domain.documents import AccountId
from ..domain.ledger import AdministrationId
from .accounts import DynamoAccounts
from .audit import DynamoAudit
from .budgets import DynamoBudgets
from .connections import DynamoConnections
from .documents import DynamoDocuments
from .jobs import DynamoJobs
from .links import DynamoLinks
from .logins import DynamoLogins, Seal
from .nudges import SqsNudges
from .numbers import DynamoNumbers
from .problems import DynamoProblems
from .seen import DynamoSeen
from .sessions import DynamoOAuthStates, DynamoSessions, DynamoWebhookTokens
from .settlements import DynamoSettlements
from .snapshots import DynamoSnapshots
from .table import Items


class DynamoStore:
    """The rooms on one table. `open_nudges` is asked at the first nudge: few functions hold that right."""

    def __init__(self, items: Items, seal: Seal, open_nudges: Callable[[], SqsNudges]) -> None:
        self._items = items
        self._open_nudges = open_nudges
        self.accounts = DynamoAccounts(items)
        self.sessions = DynamoSessions(items)
        self.states = DynamoOAuthStates(items)
        self.webhook_tokens = DynamoWebhookTokens(items)
        self.connections = DynamoConnections(items)
        self.jobs = DynamoJobs(items)
        self.logins = DynamoLogins(items, seal)
        self.budgets = DynamoBudgets(items)
        self.numbers = DynamoNumbers(items)

    @cached_property
    def nudges(self) -> SqsNudges:
        return self._open_nudges()

    def links(self, account: AccountId, administration: AdministrationId) -> DynamoLinks:
        return DynamoLinks(self._items, account, administration)

    def documents(self, account: AccountId, administration: AdministrationId) -> DynamoDocuments:
        return DynamoDocuments(self._items, account, administration)

    def seen(self, account: AccountId, administration: AdministrationId) -> DynamoSeen:
        return DynamoSeen(self._items, account, administration)

    def settlements(self, account: AccountId, administration: AdministrationId) -> DynamoSettlements:
        return DynamoSettlements(self._items, account, administration)

    def problems(self, account: AccountId, administration: AdministrationId) -> DynamoProblems:
        return DynamoProblems(self._items, account, administration)

    def snapshots(self, account: AccountId) -> DynamoSnapshots:
        return DynamoSnapshots(self._items, account)

    def audit(self, account: AccountId) -> DynamoAudit:
        return DynamoAudit(self._items, account)
