"""What may be chosen together when an entity is connected: pure rules."""

from __future__ import annotations

from collections.abc import Sequence

from ..domain.clearing import ACCOUNT, JOURNAL, misfit, various_journals
from ..domain.connections import Connection, Outward
from ..domain.documents import Entity, FileFormat
from ..domain.errors import EntityTaken, JournalShared, RequestInvalid, WrongVatNumber
from ..domain.ledger import AdministrationId, Books
from ..domain.relations import compact_vat
from ..ports import PackageFacts


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


def check_journals(package: PackageFacts, invoices: str, credit_notes: str) -> None:
    """Each kind needs a journal of its own, unless the package takes both in one. Not chosen yet is no conflict.

    Raises: JournalShared.
    """
    if invoices and invoices == credit_notes and not package.ABILITIES.shared_journal:
        raise JournalShared(journal=invoices)


def check_neighbours(package: PackageFacts, connection: Connection, others: Sequence[Connection]) -> None:
    """No journal holds both kinds either when entities share an administration (rules.md 32).

    Raises: JournalShared.
    """
    if package.ABILITIES.shared_journal or not connection.active:
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


def check_files(package: PackageFacts, attach: Sequence[FileFormat]) -> None:
    """Raises RequestInvalid where a package keeps no files."""
    if attach and not package.KEEPS_FILES:
        raise RequestInvalid(field="attach", reason="keeps_no_files")


def check_outward(package: PackageFacts, outward: Outward, books: Books) -> None:
    """Raises RequestInvalid where a package takes no payments from us, or these books not in that place."""
    if not package.ABILITIES.outward:
        raise RequestInvalid(field="outward", reason="no_outward")
    if not various_journals(books):
        raise RequestInvalid(field="outward", reason="no_various_journal")
    if wrong := misfit(outward, books):
        raise RequestInvalid(field={JOURNAL: "outward.journal", ACCOUNT: "outward.account"}[wrong], reason=wrong)
