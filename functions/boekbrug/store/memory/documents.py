"""The documents in scope, in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from ...domain.connections import ConnectionId
from ...domain.documents import AccountId, DocumentHeader, DocumentId
from ...domain.ledger import AdministrationId
from ...ports import BY_DECISION, DocumentRecord, DocumentState
from .table import Worker

Change = Callable[[DocumentRecord | None], DocumentRecord | None]


class MemoryDocuments:
    """Documents of one administration of one account. A deed on many moves them one by one, a step each."""

    def __init__(self, worker: Worker, account: AccountId, administration: AdministrationId) -> None:
        self._worker = worker
        part, whose = worker.table.part, (account, administration)
        self.kept: dict[DocumentId, DocumentRecord] = part(dict, "documents", *whose)
        self.line: dict[str, DocumentId] = part(dict, "documents", *whose, "line")

    def seen(self, connection: ConnectionId, headers: Sequence[DocumentHeader]) -> int:
        latest: dict[DocumentId, DocumentHeader] = {}
        for header in headers:
            earlier = latest.get(header.id)
            if earlier is None or earlier.updated_at < header.updated_at:
                latest[header.id] = header
        with self._worker.step("documents.seen"):
            news = [header for header in latest.values() if _noticed(self.kept.get(header.id), connection, header)]
        count = 0
        for header in news:
            moved, before = self._move(
                "documents.seen.move", header.id, lambda record, header=header: _noticed(record, connection, header)
            )
            count += moved and _comes_in_line(before)
        return count

    def booked_among(self, documents: Sequence[DocumentId]) -> Sequence[DocumentRecord]:
        with self._worker.step("documents.booked_among"):
            found = [self.kept[document] for document in dict.fromkeys(documents) if document in self.kept]
            return [record for record in found if record.state is DocumentState.BOOKED]

    def record(self, document: DocumentId) -> DocumentRecord | None:
        with self._worker.step("documents.record"):
            return self.kept.get(document)

    def waiting(self, limit: int, after: str = "") -> Sequence[DocumentRecord]:
        """`after`: the `order` of the last record of the page before."""
        with self._worker.step("documents.waiting"):
            orders = sorted(order for order in self.line if order > after)[:limit]
            return [self.kept[self.line[order]] for order in orders]

    def booked(self, record: DocumentRecord, booking_number: str) -> None:
        # What was booked is what the worker read: a change after that must still look like one.
        new = replace(record, state=DocumentState.BOOKED, cause="", booking_number=booking_number)
        self._move("documents.booked", record.id, lambda _: new)

    def held(self, record: DocumentRecord, cause: str) -> None:
        def hold(now: DocumentRecord | None) -> DocumentRecord | None:
            if now is None or now.updated_at != record.updated_at:
                return None  # changed since the worker looked: then it stays in line
            if now.state is DocumentState.BOOKED and record.state is not DocumentState.BOOKED:
                return None  # booked meanwhile
            return replace(now, state=DocumentState.HELD, cause=cause, booking_number="")

        self._move("documents.held", record.id, hold)

    def release(self, causes: Sequence[str] | None = None, documents: Sequence[DocumentId] | None = None) -> int:
        """Both given: those documents, where one of those causes holds them."""

        def let_go(now: DocumentRecord | None) -> DocumentRecord | None:
            if now is None or now.state is not DocumentState.HELD or (causes is not None and now.cause not in causes):
                return None
            if causes is None and documents is None and now.cause in BY_DECISION:
                return None
            return replace(now, state=DocumentState.WAITING, cause="")

        with self._worker.step("documents.release"):
            asked = sorted(self.kept) if documents is None else dict.fromkeys(documents)
            held = [document for document in asked if let_go(self.kept.get(document))]
        return sum(self._move("documents.release.move", document, let_go)[0] for document in held)

    def counts(self, connection: ConnectionId) -> Mapping[str, int]:
        result: dict[str, int] = {}
        with self._worker.step("documents.counts"):
            for record in self.kept.values():
                if record.connection == connection:
                    name = f"held:{record.cause}" if record.state is DocumentState.HELD else record.state.value
                    result[name] = result.get(name, 0) + 1
        return result

    def records(self, connection: ConnectionId, after: str = "", limit: int = 100) -> Sequence[DocumentRecord]:
        """By document id. `after`: the id of the last record of the page before."""
        with self._worker.step("documents.records"):
            following = (self.kept[document] for document in sorted(self.kept) if document > after)
            return [record for record in following if record.connection == connection][:limit]

    def _move(self, name: str, document: DocumentId, change: Change) -> tuple[bool, DocumentRecord | None]:
        """Take a document from where it stands to what `change` makes of it; whether it moved, and from where."""
        with self._worker.step(name):
            before = self.kept.get(document)
            new = change(before)
            if new is None or new == before:
                return False, before
            if before and before.state is DocumentState.WAITING:
                del self.line[before.order]
            if new.state is DocumentState.WAITING:
                self.line[new.order] = new.id
            self.kept[document] = new
            return True, before


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
