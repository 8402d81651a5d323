"""Why Exact refused: its sentences, in the user's language, to our causes. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable

from ...domain.errors import (
    AccountBlocked,
    CustomerIncomplete,
    FiscalYearMissing,
    JournalMissing,
    JournalNotSales,
    PaymentTermRefused,
    PeriodClosed,
    RefusedByPackage,
    RelationGone,
    SyncError,
    VatCodeRefused,
)
from ...domain.ledger import SalesEntry
from ...domain.relations import RelationDraft

_Cause = Callable[[SalesEntry], SyncError]

# Exact's sentences in Dutch and English (exact-online.md 7.1); in French it says the same in words nobody published.
_ENTRY_REFUSALS: tuple[tuple[str, _Cause], ...] = (
    (r"periode is afgesloten|period is closed", lambda entry: PeriodClosed(period=entry.period.name)),
    (r"boekjaar|financial year|fiscal year", lambda entry: FiscalYearMissing(day=entry.day.isoformat())),
    (
        r"(ongeldige referentie|invalid reference): *(dagboek|journal)|(verplicht|mandatory): *(dagboek|journal)",
        lambda entry: JournalMissing(journal=entry.journal),
    ),
    (r"(ongeldig|invalid):? *(dagboek|journal)", lambda entry: JournalNotSales(journal=entry.journal)),
    (r"btw-code|btw-percentage|vat code|vat percentage", lambda entry: VatCodeRefused(code=_codes(entry))),
    (r"grootboekrekening|g/l account|gl account", lambda entry: AccountBlocked(account=_accounts(entry))),
    (r"betalingsconditie|payment condition", lambda entry: PaymentTermRefused(term=entry.payment_term)),
    (
        r"(ongeldige? *(referentie)?|invalid *(reference)?|verplicht|mandatory): *(klant|customer|relatie)\b",
        lambda entry: RelationGone(customer=entry.relation),
    ),
)
_EMAIL_REFUSED = re.compile(r"(ongeldig|invalid): *e-?mail", re.IGNORECASE)


def entry_refused(said: str, entry: SalesEntry) -> SyncError:
    """Why Exact refused an entry: of several joined sentences the first we know."""
    for sentence in said.splitlines():
        for pattern, cause in _ENTRY_REFUSALS:
            if re.search(pattern, sentence, re.IGNORECASE):
                return cause(entry)
    return RefusedByPackage(said=said)


def relation_refused(said: str, draft: RelationDraft) -> SyncError:
    if _EMAIL_REFUSED.search(said):
        return CustomerIncomplete(customer=draft.name, field="email")
    if re.search(r"betalingsconditie|payment condition", said, re.IGNORECASE):
        return PaymentTermRefused(term=f"{draft.payment_days}")
    return RefusedByPackage(said=said)


def _codes(entry: SalesEntry) -> str:
    return ", ".join(dict.fromkeys(line.vat_code for line in entry.lines))


def _accounts(entry: SalesEntry) -> str:
    return ", ".join(dict.fromkeys(line.account for line in entry.lines))
