"""The document itself goes into the books too: its PDF or UBL, filed before the booking that refers to it.

    folder ── file, file ──▶ SalesEntry.folder ──▶ the booking

Each of these writes happens once, with an intent of its own. Where a package takes files in the very call that books,
they are fetched just before it, and are part of that one write. A file that cannot go along never keeps a booking back:
it is booked without, and a problem says so.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ..domain.connections import Connection
from ..domain.documents import File, FileFormat
from ..domain.errors import AccessDenied, FileNotAttached, OutcomeUnknown, SyncError
from ..domain.ledger import Folder, FolderRef, Outcome, Prepared, Refused, SalesEntry
from ..ports import (
    Cabinet,
    Deadline,
    DocumentRecord,
    Focus,
    House,
    Intent,
    JobKey,
    Links,
    WriteKind,
    WriteState,
)
from ..records import as_text, from_text
from .slices import has_time, stops_the_slice
from .write_once import Protocol, Write, Written, write_once

EXTENSIONS = {FileFormat.PDF: "pdf", FileFormat.UBL: "xml"}


@dataclass(frozen=True, slots=True)
class Filed:
    """What the intent of a file remembers: everything but its content."""

    folder: FolderRef
    name: str
    hash: str
    version: datetime  # when the document was last changed in Teamleader


@dataclass(slots=True)
class Files:
    """What a slice files. One that may not file anything finds out once, not at every document."""

    house: House
    key: JobKey
    deadline: Deadline
    focus: Focus
    cabinet: Cabinet | None
    links: Links
    settle: timedelta
    denied: AccessDenied | None = None

    def attach(self, connection: Connection, record: DocumentRecord, entry: SalesEntry) -> SalesEntry | None:
        """`entry` with the folder its files lie in.

        None: the outcome of a write is unknown, or time ran out; the document stays in line.
        Raises: what stops the slice.
        """
        if self.cabinet is None or not connection.attach:
            return entry
        booking = self.links.intent(WriteKind.BOOKING, entry.document)
        if booking and _may_stand(booking):
            return _as_sent(entry, booking)
        folder = self._open(entry)
        refused: dict[FileFormat, SyncError] = {}
        for format in connection.attach:
            if not has_time(self.house, self.deadline):
                return None
            error = folder if isinstance(folder, SyncError) else self._put(record, folder, format)
            if isinstance(error, OutcomeUnknown):
                return None
            if isinstance(error, AccessDenied):
                self.denied = error
            elif error and stops_the_slice(error):
                raise error
            if error:
                refused[format] = error
        self._tell(record, refused)
        if isinstance(folder, SyncError) or len(refused) == len(connection.attach):
            return entry
        return replace(entry, folder=folder) if has_time(self.house, self.deadline) else None

    def fetch(self, connection: Connection, record: DocumentRecord) -> tuple[File, ...] | None:
        """The document as it reads now, for a package that takes files in the call that books.

        None: time ran out; the document stays in line. Raises: what stops the slice.
        """
        if not connection.attach:
            return ()
        files: list[File] = []
        refused: dict[FileFormat, SyncError] = {}
        for format in connection.attach:
            if not has_time(self.house, self.deadline):
                return None
            content = self._read(record, format)
            if isinstance(content, SyncError):
                refused[format] = content
            else:
                files.append(File(file_name(record.number, format, 1), content))
        booking = self.links.intent(WriteKind.BOOKING, record.id)
        if refused or not (booking and _may_stand(booking)):  # an earlier offer may be the one that stands
            self._tell(record, refused)
        return tuple(files) if has_time(self.house, self.deadline) else None

    def _read(self, record: DocumentRecord, format: FileFormat) -> bytes | SyncError:
        """The content of a file, or why it cannot go along. Raises: what stops the slice."""
        if self.denied:
            return self.denied
        try:
            return self.focus.file(record.kind, record.id, format)
        except AccessDenied as error:
            self.denied = error
            return error
        except SyncError as error:
            if stops_the_slice(error):
                raise
            return error

    def leave_out(self, connection: Connection, record: DocumentRecord, error: SyncError) -> None:
        """The package does not take what was fetched: the booking goes without."""
        self._tell(record, dict.fromkeys(connection.attach, error))

    def _open(self, entry: SalesEntry) -> FolderRef | SyncError:
        if self.denied:
            return self.denied
        payload = as_text(Folder.of(entry))
        write = Write(entry.document, payload, hashlib.sha256(payload.encode()).hexdigest())
        (result,) = write_once([write], folder_protocol(self.cabinet, self.settle), self.links, self.house.real)
        return result.value if isinstance(result, Written) else result

    def _put(self, record: DocumentRecord, folder: FolderRef, format: FileFormat) -> SyncError | None:
        """Put the document as it reads now into its folder; why not, when it is not there afterwards.

        A document that waited and was changed meanwhile has an older file there: the newer one comes beside it.
        """
        number = 1
        while True:
            subject = f"{record.id}/{format}" + (f"/{number}" if number > 1 else "")
            intent = self.links.intent(WriteKind.FILE, subject)
            if intent is None or intent.state is not WriteState.DONE:
                try:
                    content = self.focus.file(record.kind, record.id, format)
                except SyncError as error:
                    return error if stops_the_slice(error) else self._settled(intent, error)
                file = File(file_name(record.number, format, number), content)
                result = self._write(subject, file, Filed(folder, file.name, file.hash, record.updated_at))
                if isinstance(result, SyncError):
                    return result
                intent = result
            if from_text(Filed, intent.payload).version == record.updated_at:
                return None
            number += 1

    def _settled(self, intent: Intent | None, error: SyncError) -> SyncError:
        """Why a file cannot be sent (any more); what was sent before without an answer is settled first."""
        if intent is None or intent.state is WriteState.REFUSED:
            return error
        protocol = file_protocol(self.cabinet, self.settle, lambda: Refused(error))
        write = Write(intent.subject, intent.payload, intent.payload_hash)
        (result,) = write_once([write], protocol, self.links, self.house.real)
        return error if isinstance(result, Written) else result

    def _write(self, subject: str, file: File, filed: Filed) -> Intent | SyncError:
        self._audit("intent", file=subject, name=file.name, hash=file.hash)
        write = Write(subject, as_text(filed), file.hash)
        protocol = file_protocol(self.cabinet, self.settle, lambda: self.cabinet.put(filed.folder, file))
        (result,) = write_once([write], protocol, self.links, self.house.real)
        if isinstance(result, Written):
            self._audit("filed", file=subject, folder=filed.folder, how=result.how)
            return result.intent
        self._audit("unknown" if isinstance(result, OutcomeUnknown) else "refused", file=subject, cause=result.cause)
        return result

    def _tell(self, record: DocumentRecord, refused: Mapping[FileFormat, SyncError]) -> None:
        problems = self.house.problems(self.key.account, self.key.administration)
        subject = f"file:{record.id}"
        if not refused:
            problems.solve(subject)
            return
        names = ", ".join(format.upper() for format in refused)
        error = FileNotAttached(file=names, reason=_reason(next(iter(refused.values()))))
        problems.report(subject, record.connection, error, self.house.clock.now(), record.number)

    def _audit(self, what: str, **facts: str) -> None:
        chain = self.house.audit(self.key.account)
        chain.append(self.key.administration, what, facts, self.house.clock.now())


def _may_stand(booking: Intent) -> bool:
    """Whether something of a booking that was sent before is in the books, or may be."""
    return booking.state not in (WriteState.REFUSED, WriteState.GONE)


def _as_sent(entry: SalesEntry, booking: Intent) -> SalesEntry:
    """A booking that was sent before refers to what it referred to then: nothing more is filed for it."""
    if not booking.payload:  # found in the books, not ours
        return entry
    return replace(entry, folder=from_text(Prepared, booking.payload).entry.folder)


def _reason(error: SyncError) -> str:
    """What the error itself says, in the words it came with."""
    told = (error.facts.get(name) for name in ("feature", "reason", "said"))
    return next((str(one) for one in told if one), error.cause)


def file_name(number: str, format: FileFormat, copy: int) -> str:
    """What people see.

    >>> file_name("2026 / 117", FileFormat.UBL, 2)
    '2026-117 (2).xml'
    """
    safe = re.sub(r"[^\w.]+", "-", number).strip("-.")
    return f"{safe}{f' ({copy})' if copy > 1 else ''}.{EXTENSIONS[format]}"


def folder_protocol(cabinet: Cabinet, settle: timedelta) -> Protocol[FolderRef]:
    def send(writes: Sequence[Write]) -> Sequence[Outcome[FolderRef]]:
        return [cabinet.open(from_text(Folder, write.payload)) for write in writes]

    def probe(intents: Sequence[Intent]) -> Sequence[FolderRef | None]:
        return [cabinet.find(from_text(Folder, intent.payload)) for intent in intents]

    return Protocol(
        kind=WriteKind.FOLDER,
        send=send,
        probe=probe,
        encode=lambda ref: {"ref": ref},
        decode=lambda result: FolderRef(result["ref"]),
        settle=settle,
    )


def file_protocol(cabinet: Cabinet, settle: timedelta, put: Callable[[], Outcome[str]]) -> Protocol[str]:
    """How one file is written: its content is the caller's, since no intent holds it."""

    def send(writes: Sequence[Write]) -> Sequence[Outcome[str]]:
        return [put() for _ in writes]

    def probe(intents: Sequence[Intent]) -> Sequence[str | None]:
        sent = [from_text(Filed, intent.payload) for intent in intents]
        return [filed.name if filed.name in cabinet.names(filed.folder) else None for filed in sent]

    return Protocol(
        kind=WriteKind.FILE,
        send=send,
        probe=probe,
        encode=lambda name: {"name": name},
        decode=lambda result: str(result["name"]),
        settle=settle,
    )
