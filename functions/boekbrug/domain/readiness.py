"""Can this administration take our documents? One list of findings, each with what to do about it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from .clearing import ACCOUNT, JOURNAL, misfit
from .connections import Connection
from .documents import Category, DocumentKind, TaxRate
from .entries import period_for, sales_journal
from .errors import FiscalYearMissing, JournalMissing, JournalNotSales, PeriodClosed
from .ledger import Books


class Weight(StrEnum):
    BLOCKS = "blocks"  # nothing is booked before it is solved
    WAITS = "waits"  # some documents will wait
    ADVICE = "advice"
    NOT_CHECKABLE = "not_checkable"  # no API shows it: a person looks


@dataclass(frozen=True, slots=True)
class Finding:
    """What is missing. `code` has a sentence in every language: what, why it matters, where to look."""

    code: str
    weight: Weight
    facts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Load:
    """Documents that wait for a package that takes only so many a day, of all connections with the administration."""

    package: str
    waiting: int
    bookings_a_day: int

    @property
    def days(self) -> int:
        """How many days they take: a fifth of each is left to daily work (design.md 6)."""
        return -(-self.waiting * 5 // (self.bookings_a_day * 4))


NOTICE = timedelta(days=30)  # a missing next fiscal year is announced this long ahead (rules.md 31)


def findings(
    connection: Connection,
    books: Books,
    rates: Sequence[TaxRate],
    categories: Sequence[Category],
    today: date,
    *,
    shared_journal: bool = False,
    load: Load | None = None,
) -> tuple[Finding, ...]:
    """Everything that stands between this connection and its first, or next, booking.

    `rates` and `categories` are those of the connection's entity. `shared_journal`: the package takes both kinds in
    one journal (rules.md 32). `load`: None where the package has no limit that a person would notice.
    """
    found = [*_journals(connection, books, shared_journal), *_years(connection, books, today)]
    if not books.accounts:
        found.append(Finding("no_revenue_accounts", Weight.BLOCKS))
    if not books.vat_codes:
        found.append(Finding("no_vat_codes", Weight.BLOCKS))
    if connection.mapping.accepted_at is None:
        found.append(Finding("mapping_not_accepted", Weight.BLOCKS))
    found += _vat(connection, books, rates)
    found += _accounts(connection, books, rates, categories)
    found += _outward(connection, books)
    if load is not None and load.days > 1:
        facts = {
            "package": load.package,
            "waiting": str(load.waiting),
            "limit": str(load.bookings_a_day),
            "days": str(load.days),
        }
        found.append(Finding("takes_days", Weight.ADVICE, facts))
    return tuple(found)


def _journals(connection: Connection, books: Books, shared_journal: bool) -> list[Finding]:
    found = []
    if not books.journals:
        return [Finding("journals_not_visible", Weight.BLOCKS)]
    for kind in DocumentKind:
        code = connection.journal(kind)
        try:
            sales_journal(code, books.journals)
        except JournalMissing:
            found.append(Finding("journal_missing", Weight.BLOCKS, {"journal": code}))
        except JournalNotSales:
            found.append(Finding("journal_not_sales", Weight.BLOCKS, {"journal": code}))
    if connection.invoice_journal == connection.credit_note_journal and not shared_journal:
        found.append(Finding("journal_shared", Weight.BLOCKS, {"journal": connection.invoice_journal}))
    return found


def _years(connection: Connection, books: Books, today: date) -> list[Finding]:
    found = []
    years = sorted(books.years, key=lambda year: year.first)
    for before, after in itertools.pairwise(years):
        if after.first != before.last + timedelta(days=1):
            facts = {"first": before.last.isoformat(), "last": after.first.isoformat()}
            found.append(Finding("fiscal_year_gap", Weight.WAITS, facts))
    for day, weight in ((connection.start, Weight.WAITS), (today, Weight.BLOCKS)):
        for kind in DocumentKind:
            try:
                period_for(day, years, connection.journal(kind))
            except FiscalYearMissing:
                found.append(Finding("fiscal_year_missing", weight, {"day": day.isoformat()}))
            except PeriodClosed as closed:
                facts = {"period": closed.facts["period"], "journal": connection.journal(kind)}
                found.append(Finding("period_closed", Weight.WAITS, facts))
    if years and years[-1].last < today + NOTICE:
        found.append(Finding("next_year_missing", Weight.ADVICE, {"last": years[-1].last.isoformat()}))
    return list({(f.code, *f.facts.values()): f for f in found}.values())


def _vat(connection: Connection, books: Books, rates: Sequence[TaxRate]) -> list[Finding]:
    usable = {code.code: code for code in books.vat_codes if code.usable}
    found = []
    for rate in rates:
        for kind in DocumentKind:
            wanted = connection.mapping.vat_code(rate.id, kind)
            code = usable.get(wanted or "")
            facts = {"rate": rate.description, "code": wanted or ""}
            if not wanted:
                found.append(Finding("vat_code_unmapped", Weight.WAITS, facts))
            elif code is None or kind not in code.kinds or code.percentage != rate.rate:
                found.append(Finding("vat_code_unfit", Weight.WAITS, facts))
    return list({(f.code, *f.facts.values()): f for f in found}.values())


def _accounts(
    connection: Connection, books: Books, rates: Sequence[TaxRate], categories: Sequence[Category]
) -> list[Finding]:
    usable = {account.id for account in books.accounts if not account.blocked}
    mapping = connection.mapping
    found = []
    if not mapping.default_account and any(not mapping.rate_accounts.get(rate.id) for rate in rates):
        found.append(Finding("no_default_account", Weight.WAITS))
    if not mapping.discount_account:
        found.append(Finding("no_discount_account", Weight.ADVICE))
    for category in categories:
        if not mapping.category_accounts.get(category.id) and not mapping.default_account:
            found.append(Finding("category_unmapped", Weight.WAITS, {"category": category.name}))
    chosen = {
        mapping.default_account,
        mapping.discount_account,
        *mapping.category_accounts.values(),
        *mapping.rate_accounts.values(),
    }
    for account in sorted(chosen - usable - {""}):
        found.append(Finding("account_unusable", Weight.WAITS, {"account": account}))
    return found


def _outward(connection: Connection, books: Books) -> list[Finding]:
    outward = connection.outward
    if outward is None:
        return []
    facts = {JOURNAL: {"journal": outward.journal}, ACCOUNT: {"account": outward.account}}
    wrong = misfit(outward, books)
    return [Finding(f"{wrong}_missing", Weight.WAITS, facts[wrong])] if wrong else []


FINDINGS = (
    "journals_not_visible",
    "journal_missing",
    "journal_not_sales",
    "journal_shared",
    "fiscal_year_gap",
    "fiscal_year_missing",
    "period_closed",
    "next_year_missing",
    "no_revenue_accounts",
    "no_vat_codes",
    "mapping_not_accepted",
    "vat_code_unmapped",
    "vat_code_unfit",
    "no_default_account",
    "no_discount_account",
    "category_unmapped",
    "account_unusable",
    "clearing_journal_missing",
    "clearing_account_missing",
    "takes_days",
)
"""Every finding there is; each has its sentence in every language."""
