"""What may be chosen together when an entity is connected: pure rules."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..domain.connections import Connection
from ..domain.documents import Entity, FileFormat
from ..domain.errors import EntityTaken, JournalShared, RequestInvalid, WrongVatNumber
from ..domain.ledger import AdministrationId
from ..domain.relations import RelationRef, compact_vat

# Packages that take invoices and credit notes in one journal (rules.md 32). `Ledger.abilities` says it too, but a
# ledger opens with a login, and the pages have no right to one.
ONE_JOURNAL = frozenset({"twinfield"})
# Packages that take the document itself (`Ledger.cabinet`), for the same reason.
KEEPS_FILES = frozenset({"exact"})


def check_free(entity: Entity, administration: AdministrationId, others: Sequence[Connection]) -> None:
    """An entity has one active connection; an earlier one to the same books is switched on again, not made anew.

    Raises: EntityTaken.
    """
    for other in others:
        if other.entity == entity.id and (other.active or other.administration == administration):
            raise EntityTaken(entity=entity.name)


def check_vat_number(
    entity: Entity, administration: AdministrationId, others: Sequence[Connection], entities: Sequence[Entity]
) -> None:
    """Entities in one administration must have the same VAT number (rules.md 32).

    Raises: WrongVatNumber.
    """
    numbers = {one.id: one.vat_number for one in entities}
    for other in others:
        neighbour = other.active and other.administration == administration
        if neighbour and _digits(numbers.get(other.entity, "")) != _digits(entity.vat_number):
            raise WrongVatNumber(entity=entity.name)


def _digits(vat_number: str) -> str:
    """Compared without the country in front, which people leave out as often as not."""
    return compact_vat(vat_number).lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def check_journals(package: str, invoices: str, credit_notes: str) -> None:
    """Each kind needs a journal of its own, unless the package takes both in one. Not chosen yet is no conflict.

    Raises: JournalShared.
    """
    if invoices and invoices == credit_notes and package not in ONE_JOURNAL:
        raise JournalShared(journal=invoices)


def check_neighbours(connection: Connection, others: Sequence[Connection]) -> None:
    """No journal holds both kinds either when entities share an administration (rules.md 32).

    Raises: JournalShared.
    """
    if connection.package in ONE_JOURNAL or not connection.active:
        return
    for other in others:
        if other.id == connection.id or not other.active or other.administration != connection.administration:
            continue
        for ours, theirs in (
            (connection.invoice_journal, other.credit_note_journal),
            (connection.credit_note_journal, other.invoice_journal),
        ):
            if ours and ours == theirs:
                raise JournalShared(journal=ours)


_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def relation_ref(package: str, typed: str) -> RelationRef:
    """The external id a person gave, as the package itself writes it (rules.md 21).

    Exact's is the GUID people copy from the address of its pages, often in capitals and between braces; a customer's
    code is none.
    Raises: RequestInvalid.
    """
    if package != "exact":
        return RelationRef(typed.strip())
    guid = typed.strip().strip("{}").lower()
    if not _GUID.fullmatch(guid):
        raise RequestInvalid(field="adopt", reason="no_external_id")
    return RelationRef(guid)


def check_files(package: str, attach: Sequence[FileFormat]) -> None:
    """Raises RequestInvalid where a package keeps no files."""
    if attach and package not in KEEPS_FILES:
        raise RequestInvalid(field="attach", reason="keeps_no_files")
