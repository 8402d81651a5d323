"""The documents in scope: a record each, and a marker that keeps them in line or says what holds them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from ..domain.connections import ConnectionId
from ..domain.documents import AccountId, DocumentHeader, DocumentId
from ..domain.errors import VendorDown
from ..domain.ledger import AdministrationId
from ..ports import BY_DECISION, DocumentRecord, DocumentState
from ..records import as_json, from_json
from .keys import Key, Table
from .table import ATTEMPTS, ConditionFailed, Items, Write, delete, put

_UNMOVED = "#record.#state = :state AND #record.#cause = :cause AND #record.#updated_at = :updated_at"


class DynamoDocuments:
    """Documents of one administration of one account.

    WAITING and HELD records have a marker, kept in the same transaction: the line and the held ones are read without
    reading what was booked before.
    """

    def __init__(self, items: Items, account: AccountId, administration: AdministrationId) -> None:
        self._items = items
        self._table = Table(account)
        self._administration = administration

    def seen(self, connection: ConnectionId, headers: Sequence[DocumentHeader]) -> int:
        latest: dict[DocumentId, DocumentHeader] = {}
        for header in headers:
            earlier = latest.get(header.id)
            if earlier is None or earlier.updated_at < header.updated_at:
                latest[header.id] = header
        known = {record.id: record for record in self._records(latest)}
        count = 0
        for header in latest.values():
            before = known.get(header.id)
            moved = self._move(header.id, before, lambda record, header=header: _noticed(record, connection, header))
            count += moved and _comes_in_line(before)
        return count

    def booked_among(self, documents: Sequence[DocumentId]) -> Sequence[DocumentRecord]:
        return [record for record in self._records(documents) if record.state is DocumentState.BOOKED]

    def record(self, document: DocumentId) -> DocumentRecord | None:
        item = self._items.get(self._at(document))
        return from_json(DocumentRecord, item["record"]) if item else None

    def waiting(self, limit: int, after: str = "") -> Sequence[DocumentRecord]:
        """`after`: the `order` of the last record of the page before."""
        result: list[DocumentRecord] = []
        markers = self._items.query(self._table.all_waiting(self._administration), after=after, page=limit)
        while len(result) < limit and (page := [marker["document"] for marker in islice(markers, limit)]):
            records = [record for record in self._records(page) if record.state is DocumentState.WAITING]
            result += sorted(records, key=lambda record: record.order)
        return result[:limit]

    def booked(self, record: DocumentRecord, booking_number: str) -> None:
        def book(_: DocumentRecord | None) -> DocumentRecord:
            # What was booked is what the worker read: a change after that must still look like one.
            return replace(record, state=DocumentState.BOOKED, cause="", booking_number=booking_number)

        self._move(record.id, record, book)

    def held(self, record: DocumentRecord, cause: str) -> None:
        def hold(now: DocumentRecord | None) -> DocumentRecord | None:
            if now is None or now.updated_at != record.updated_at:
                return None  # changed since the worker looked: then it stays in line
            if now.state is DocumentState.BOOKED and record.state is not DocumentState.BOOKED:
                return None  # booked meanwhile
            return replace(now, state=DocumentState.HELD, cause=cause, booking_number="")

        self._move(record.id, record, hold)

    def release(self, causes: Sequence[str] | None = None, documents: Sequence[DocumentId] | None = None) -> int:
        """Both given: those documents, where one of those causes holds them."""

        def let_go(now: DocumentRecord | None) -> DocumentRecord | None:
            if now is None or now.state is not DocumentState.HELD or (causes is not None and now.cause not in causes):
                return None
            if causes is None and documents is None and now.cause in BY_DECISION:
                return None
            return replace(now, state=DocumentState.WAITING, cause="")

        held = self._held(causes) if documents is None else documents
        return sum(self._move(record.id, record, let_go) for record in self._records(held))

    def counts(self, connection: ConnectionId) -> Mapping[str, int]:
        result: dict[str, int] = {}
        for record in self._of(connection):
            name = f"held:{record.cause}" if record.state is DocumentState.HELD else record.state.value
            result[name] = result.get(name, 0) + 1
        return result

    def records(self, connection: ConnectionId, after: str = "", limit: int = 100) -> Sequence[DocumentRecord]:
        """By document id. `after`: the id of the last record of the page before."""
        return list(islice(self._of(connection, after, page=limit), limit))

    def _of(self, connection: ConnectionId, after: str = "", page: int = 0) -> Iterator[DocumentRecord]:
        for item in self._items.query(self._table.documents(self._administration), after=after, page=page):
            record = from_json(DocumentRecord, item["record"])
            if record.connection == connection:
                yield record

    def _held(self, causes: Sequence[str] | None) -> list[DocumentId]:
        if causes is None:
            spans = [self._table.all_held(self._administration)]
        else:
            spans = [self._table.held_by(self._administration, cause) for cause in dict.fromkeys(causes)]
        return [marker["document"] for span in spans for marker in self._items.query(span)]

    def _records(self, documents: Sequence[DocumentId] | Mapping[DocumentId, Any]) -> list[DocumentRecord]:
        items = self._items.get_all(self._at(document) for document in documents)
        return [from_json(DocumentRecord, item["record"]) for item in items]

    def _at(self, document: DocumentId) -> Key:
        return self._table.document(self._administration, document)

    def _move(
        self,
        document: DocumentId,
        now: DocumentRecord | None,
        change: Callable[[DocumentRecord | None], DocumentRecord | None],
    ) -> bool:
        """Take a document from where it stands to what `change` makes of it; False when that is nothing.

        `now` is what we believe stands there; if it does not, we look and ask again.
        """
        for _ in range(ATTEMPTS):
            new = change(now)
            if new is None or new == now:
                return False
            try:
                self._items.write_all(self._writes(now, new))
            except ConditionFailed:
                now = self.record(document)
            else:
                return True
        raise VendorDown(vendor="store")

    def _writes(self, old: DocumentRecord | None, new: DocumentRecord) -> list[Write]:
        if old is None:
            record = put(self._at(new.id), {"record": as_json(new)}, when="attribute_not_exists(pk)")
        else:
            was = as_json(old)
            values = {name: was[name] for name in ("state", "cause", "updated_at")}
            record = put(self._at(new.id), {"record": as_json(new)}, when=_UNMOVED, **values)
        before, after = old and self._marker(old), self._marker(new)
        writes = [record]
        if before and before != after:
            writes.append(delete(before))
        if after and before != after:
            writes.append(put(after, {"document": new.id}))
        return writes

    def _marker(self, record: DocumentRecord) -> Key | None:
        match record.state:
            case DocumentState.WAITING:
                return self._table.waiting(self._administration, record.order)
            case DocumentState.HELD:
                return self._table.held(self._administration, record.cause, record.id)
        return None


def _comes_in_line(before: DocumentRecord | None) -> bool:
    """Whether what is new about a document puts it in line, where it was not."""
    return before is None or (before.state is DocumentState.HELD and before.cause not in BY_DECISION)


def _noticed(record: DocumentRecord | None, connection: ConnectionId, header: DocumentHeader) -> DocumentRecord | None:
    """What a header in Teamleader's list makes of the record; None: nothing new, or booked (the caller compares)."""
    if record and (record.state is DocumentState.BOOKED or header.updated_at <= record.updated_at):
        return None
    stays = record is not None and record.state is DocumentState.HELD and record.cause in BY_DECISION
    return DocumentRecord(
        id=header.id,
        kind=header.kind,
        connection=connection,
        number=header.number,
        day=header.day,
        gross=header.gross,
        updated_at=header.updated_at,
        state=DocumentState.HELD if stays else DocumentState.WAITING,
        cause=record.cause if record and stays else "",
    )
