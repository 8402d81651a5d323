"""The tenants: one record for each Teamleader account that ever signed in."""

from __future__ import annotations

from ..domain.documents import AccountId
from ..ports import Account
from ..records import as_json, from_json
from .keys import Table
from .table import ConditionFailed, Items, put


class DynamoAccounts:
    def __init__(self, items: Items) -> None:
        self._items = items

    def get(self, account: AccountId) -> Account | None:
        item = self._items.get(Table(account).account())
        return from_json(Account, item["record"]) if item else None

    def found(self, account: Account) -> Account:
        new = put(Table(account.id).account(), {"record": as_json(account)}, when="attribute_not_exists(pk)")
        try:
            self._items.write(new)
        except ConditionFailed:
            return self.get(account.id)
        return account

    def hand_over(self, account: Account) -> None:
        self._items.write(put(Table(account.id).account(), {"record": as_json(account)}, when="attribute_exists(pk)"))
