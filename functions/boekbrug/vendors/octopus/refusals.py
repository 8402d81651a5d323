"""Why Octopus refused: its error codes to our causes. Pure. Codes: octopus.md 8."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from ...domain.documents import File
from ...domain.errors import (
    AccessDenied,
    AccessExpired,
    AccountBlocked,
    AdministrationUnreachable,
    AppMissing,
    CustomerIncomplete,
    FiscalYearMissing,
    JournalInUse,
    JournalMissing,
    JournalNotSales,
    NotPossible,
    NumberTaken,
    PeriodClosed,
    RefusedByPackage,
    RelationGone,
    SyncError,
    UnexpectedAnswer,
    VatCodeRefused,
    VendorDown,
)
from ...domain.ledger import Receipt, SalesEntry
from ...domain.relations import RelationDraft
from .limits import VENDOR
from .wire import Refusal

NUMBER_NOT_NEXT = -13
IN_USE = -12
TOO_MANY_CONNECTIONS = -51

CLEAR_NO = frozenset({400, 401, 403, 404, 413, 429})
"""After these nothing was written; after a 5xx, or a status nobody describes, nobody knows."""

BEFORE_NUMBER = frozenset({-1, -2, -3, -4, -5, -6, -8, -9, -10, -11, -12, -29, -36, -38, -51, -52, -68, -79})
"""Refused before the number was looked at: they say nothing about what stands under it (octopus.md 8, last part)."""
AFTER_NUMBER = frozenset({-14, -15, -16, -17, -18, -19, -20, -21, -22, -23, -30, -31, -32, -39, -40, -41, -50, -75})
"""Refused for its own contents: the number was looked at first, and was free."""
CHECKED = BEFORE_NUMBER - {-8, -36} | AFTER_NUMBER | {NUMBER_NOT_NEXT}
"""Refused by a check, so that nothing was written whatever the status says; -8 and -36 are faults of its own."""

_LIMIT = re.compile(r"\blimit|\bquota|daglimiet|too many (call|request)|par jour|per (day|dag)\b", re.I)
_IN_USE = re.compile(
    r"in use|used by|opened by|another user|in gebruik|andere gebruiker|utilis|autre utilisateur", re.I
)
_CLOSED = re.compile(r"closed|protected|afgesloten|gesloten|beveiligd|cl[oô]tur|ferm[ée]|prot[ée]g", re.I)
_PERIOD = re.compile(r"period|p[ée]riode", re.I)


def speaks_of_a_limit(refusal: Refusal) -> bool:
    """How Octopus says that a day's calls are spent is not known: 429, or words without a code (octopus.md 7)."""
    return refusal.status == 429 or (
        refusal.code is None and refusal.status in (400, 403) and bool(_LIMIT.search(refusal.words))
    )


def of_any_call(refusal: Refusal, dossier: str) -> SyncError | None:
    """What a refusal means whatever was asked; None where that depends on the question.

    A code says more than a status: only those of 401, 403 and 429 are described (octopus.md 8).
    """
    if refusal.code == -68:
        return AppMissing(vendor=VENDOR)
    if refusal.code in (-3, -5):
        return AdministrationUnreachable(administration=dossier)
    if refusal.code in (-4, TOO_MANY_CONNECTIONS, -52):
        return VendorDown(vendor=VENDOR)
    if refusal.status == 401 or refusal.code in (-1, -2, -6):
        return AccessExpired(vendor=VENDOR)
    if refusal.status >= 500 and refusal.code not in CHECKED:
        return VendorDown(vendor=VENDOR)
    return None


def of_reading(refusal: Refusal, path: str) -> SyncError:
    if refusal.status == 403:
        return AccessDenied(vendor=VENDOR, reason=refusal.said)
    told = refusal.label + (f": {refusal.words}" if refusal.words else "")
    return UnexpectedAnswer(vendor=VENDOR, said=f"{path} {told}")


_Cause = Callable[[SalesEntry], SyncError]


def _period_closed(entry: SalesEntry | Receipt) -> SyncError:
    return PeriodClosed(period=entry.period.name)


_OF_AN_ENTRY: dict[int, _Cause] = {
    -9: lambda entry: FiscalYearMissing(day=entry.day.isoformat()),
    -10: lambda entry: JournalMissing(journal=entry.journal),
    -11: lambda entry: JournalMissing(journal=entry.journal),
    -13: lambda entry: NumberTaken(journal=entry.journal),
    -14: lambda entry: FiscalYearMissing(day=entry.day.isoformat()),
    -15: _period_closed,
    -16: lambda entry: RelationGone(customer=entry.relation),
    -21: lambda entry: AccountBlocked(account=_accounts(entry)),
    -22: lambda entry: VatCodeRefused(code=_codes(entry)),
    -29: lambda entry: JournalNotSales(journal=entry.journal),
    -38: lambda entry: JournalNotSales(journal=entry.journal),
    -50: lambda entry: AccountBlocked(account=_accounts(entry)),
    -75: lambda entry: VatCodeRefused(code=_codes(entry)),
}


def of_an_entry(refusal: Refusal, entry: SalesEntry, until: datetime, files: tuple[File, ...] = ()) -> SyncError:
    """Why Octopus refused an entry; in its own words where we have no better ones.

    `until`: when a journal that somebody holds open is worth another try. A 403 without a code is told apart by its
    words: closed, in use, or a right that is missing; without words it is taken for in use, which comes back by itself.
    """
    if refusal.code == IN_USE:
        return JournalInUse(journal=entry.journal, until=until)
    if refusal.code in _OF_AN_ENTRY:
        return _OF_AN_ENTRY[refusal.code](entry)
    if refusal.status == 413 and files:
        return NotPossible(vendor=VENDOR, feature="file_too_large")
    if refusal.status == 403 and refusal.code is None:
        return _forbidden(refusal, entry, until)
    return RefusedByPackage(said=refusal.said)


def of_a_receipt(refusal: Refusal, receipt: Receipt, until: datetime) -> SyncError:
    """Why Octopus refused an entry of money; as for a sales entry."""
    if refusal.code == IN_USE:
        return JournalInUse(journal=receipt.journal, until=until)
    match refusal.code:
        case -9 | -14:
            return FiscalYearMissing(day=receipt.day.isoformat())
        case -10 | -11 | -29 | -38:
            return JournalMissing(journal=receipt.journal)
        case -13:
            return NumberTaken(journal=receipt.journal)
        case -15:
            return _period_closed(receipt)
        case -16:
            return RelationGone(customer=receipt.relation)
        case -21 | -50:
            return AccountBlocked(account=receipt.account)
        case None if refusal.status == 403:
            return _forbidden(refusal, receipt, until)
    return RefusedByPackage(said=refusal.said)


def of_a_match(refusal: Refusal, journal: str, until: datetime) -> SyncError:
    """Why a match was refused: -26 says no more than that, a journal somebody has open waits."""
    in_use = refusal.code == IN_USE or (refusal.status == 403 and refusal.code is None)
    return JournalInUse(journal=journal, until=until) if in_use else RefusedByPackage(said=refusal.said)


def _forbidden(refusal: Refusal, entry: SalesEntry | Receipt, until: datetime) -> SyncError:
    if _IN_USE.search(refusal.words) or not refusal.words:
        return JournalInUse(journal=entry.journal, until=until)
    if _CLOSED.search(refusal.words):
        return _period_closed(entry) if _PERIOD.search(refusal.words) else JournalMissing(journal=entry.journal)
    return AccessDenied(vendor=VENDOR, reason=refusal.said)


def of_a_relation(refusal: Refusal, draft: RelationDraft) -> SyncError:
    """-7 says no more than that it failed; a field it names is the customer's to complete."""
    if refusal.status == 403:
        return AccessDenied(vendor=VENDOR, reason=refusal.said)
    for field, words in (("email", r"e-?mail"), ("vat_number", r"vat|btw|tva"), ("country", r"country|land|pays")):
        if re.search(rf"\b({words})", refusal.words, re.IGNORECASE):
            return CustomerIncomplete(customer=draft.name, field=field)
    return RefusedByPackage(said=refusal.said)


def _codes(entry: SalesEntry) -> str:
    return ", ".join(dict.fromkeys(line.vat_code for line in entry.lines))


def _accounts(entry: SalesEntry) -> str:
    return ", ".join(dict.fromkeys(line.account for line in entry.lines))
