"""Which entity keeps its books where, in memory."""

from __future__ import annotations

from collections.abc import Sequence

from ...domain.connections import Connection, ConnectionId
from ...domain.documents import AccountId
from ...domain.ledger import AdministrationId
from ...records import as_json, from_json
from .table import Worker


class MemoryConnections:
    """Kept as JSON: a connection's mapping is made of dictionaries, and nobody may hold ours."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self.kept: dict[tuple[AccountId, ConnectionId], object] = worker.table.part(dict, "connections")

    def get(self, account: AccountId, connection: ConnectionId) -> Connection | None:
        with self._worker.step("connections.get"):
            kept = self.kept.get((account, connection))
            return from_json(Connection, kept) if kept else None

    def of_account(self, account: AccountId) -> Sequence[Connection]:
        """By id."""
        with self._worker.step("connections.of_account"):
            mine = sorted(key for key in self.kept if key[0] == account)
            return [from_json(Connection, self.kept[key]) for key in mine]

    def of_administration(self, account: AccountId, administration: AdministrationId) -> Sequence[Connection]:
        return [each for each in self.of_account(account) if each.administration == administration]

    def save(self, connection: Connection) -> None:
        with self._worker.step("connections.save"):
            self.kept[connection.account, connection.id] = as_json(connection)
