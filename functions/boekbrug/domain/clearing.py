"""Where money that only Teamleader has may go in the books (rules.md 25)."""

from __future__ import annotations

from collections.abc import Sequence

from .connections import Outward
from .ledger import Books, Journal, JournalKind, LedgerAccount

JOURNAL, ACCOUNT = "clearing_journal", "clearing_account"


def various_journals(books: Books) -> Sequence[Journal]:
    """The journals to choose from: never a bank journal, which the bank's own file fills."""
    return [one for one in books.journals if one.kind is JournalKind.GENERAL and not one.blocked]


def clearing_accounts(books: Books) -> Sequence[LedgerAccount]:
    return [one for one in books.clearing_accounts if not one.blocked]


def misfit(outward: Outward, books: Books) -> str:
    """What is wrong with this choice, JOURNAL or ACCOUNT; "" when it fits these books."""
    if outward.journal not in {one.code for one in various_journals(books)}:
        return JOURNAL
    return "" if outward.account in {one.id for one in clearing_accounts(books)} else ACCOUNT
