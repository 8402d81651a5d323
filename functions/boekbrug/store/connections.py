"""Which entity keeps its books where, and what the user chose for it."""

from __future__ import annotations

from collections.abc import Sequence

from ..domain.connections import Connection, ConnectionId
from ..domain.documents import AccountId
from ..domain.ledger import AdministrationId
from ..records import as_json, from_json
from .keys import Table
from .table import Items, put


class DynamoConnections:
    """An account has a handful of connections, so they are read together."""

    def __init__(self, items: Items) -> None:
        self._items = items

    def get(self, account: AccountId, connection: ConnectionId) -> Connection | None:
        item = self._items.get(Table(account).connection(connection))
        return from_json(Connection, item["record"]) if item else None

    def of_account(self, account: AccountId) -> Sequence[Connection]:
        return [from_json(Connection, item["record"]) for item in self._items.query(Table(account).connections())]

    def of_administration(self, account: AccountId, administration: AdministrationId) -> Sequence[Connection]:
        return [each for each in self.of_account(account) if each.administration == administration]

    def save(self, connection: Connection) -> None:
        key = Table(connection.account).connection(connection.id)
        self._items.write(put(key, {"record": as_json(connection)}))
