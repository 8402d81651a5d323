"""The tenants, in memory."""

from __future__ import annotations

from ...domain.documents import AccountId
from ...ports import Account
from .table import Worker


class MemoryAccounts:
    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self.kept: dict[AccountId, Account] = worker.table.part(dict, "accounts")

    def get(self, account: AccountId) -> Account | None:
        with self._worker.step("accounts.get"):
            return self.kept.get(account)

    def found(self, account: Account) -> Account:
        with self._worker.step("accounts.found"):
            return self.kept.setdefault(account.id, account)

    def hand_over(self, account: Account) -> None:
        with self._worker.step("accounts.hand_over"):
            self.kept[account.id] = account
