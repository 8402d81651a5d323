"""Files beside the books: a document for each booking, with the PDF or UBL attached to it."""

from __future__ import annotations

from collections.abc import Sequence

from ...domain.documents import File
from ...domain.errors import NotPossible, RefusedByPackage
from ...domain.ledger import Folder, FolderRef, Outcome, Refused
from ..http import to_json
from . import mapping, wire
from .client import VENDOR, Client

MOST_BYTES = 10_000_000  # of one file; what Exact takes is published nowhere (exact-online.md 5.9)


class ExactCabinet:
    """The documents of one division."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def open(self, folder: Folder) -> Outcome[FolderRef]:
        return self._client.create(
            "documents/Documents",
            to_json(mapping.document_payload(folder)),
            lambda row: FolderRef(wire.Document.model_validate(row).ID),
            _refused,
        )

    def find(self, folder: Folder) -> FolderRef | None:
        subject = mapping.quoted(mapping.subject_of(folder))
        where = f"Subject eq {subject} and Account eq guid'{folder.relation}'"
        rows = self._client.rows("documents/Documents", wire.Document, where)
        return FolderRef(rows[0].ID) if rows else None

    def put(self, folder: FolderRef, file: File) -> Outcome[str]:
        if len(file.content) > MOST_BYTES:
            return Refused(NotPossible(vendor=VENDOR, feature="file_too_large"))
        return self._client.create(
            "documents/DocumentAttachments",
            to_json(mapping.attachment_payload(folder, file)),
            lambda row: wire.DocumentAttachment.model_validate(row).FileName,
            _refused,
        )

    def names(self, folder: FolderRef) -> Sequence[str]:
        where = f"Document eq guid'{folder}'"
        rows = self._client.rows("documents/DocumentAttachments", wire.DocumentAttachment, where)
        return [row.FileName for row in rows]


def _refused(said: str) -> RefusedByPackage:
    return RefusedByPackage(said=said)
