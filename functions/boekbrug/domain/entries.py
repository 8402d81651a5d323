"""From a document to a sales entry: accounts, VAT codes, period, and every cent in its place."""

from __future__ import annotations

from collections.abc import Mapping as Map
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from .connections import Connection
from .documents import DocumentKind, SalesDocument, TaxRate, TaxRateId, VatTotal
from .errors import (
    AccountBlocked,
    AccountMissing,
    DiscountAccountMissing,
    FiscalYearMissing,
    JournalMissing,
    JournalNotSales,
    PeriodClosed,
    TotalsDiffer,
    VatCodeRefused,
    VatCodeUnmapped,
)
from .ledger import Books, EntryLine, FiscalYear, Journal, JournalKind, Period, SalesEntry
from .money import CENT, Money
from .relations import RelationRef


def period_for(day: date, years: Sequence[FiscalYear], journal: str) -> Period:
    """The open period that holds `day`.

    Shape: exactly one period. Units: whole days in the administration's calendar.
    Raises: FiscalYearMissing if no year holds the day, PeriodClosed if the books are shut for this journal then.
    Source: help article, part A; Exact FinancialPeriods and JournalStatusList; Octopus bookyears.
    """
    for year in years:
        for period in year.periods:
            if period.first <= day <= period.last:
                if period.is_closed(journal):
                    raise PeriodClosed(period=period.name)
                return period
    raise FiscalYearMissing(day=day.isoformat())


def sales_journal(code: str, journals: Sequence[Journal]) -> Journal:
    """The journal of that code, if documents can be booked in it.

    Raises: JournalMissing, JournalNotSales.
    """
    for journal in journals:
        if journal.code == code:
            if journal.kind is not JournalKind.SALES:
                raise JournalNotSales(journal=code)
            if journal.blocked:
                raise JournalMissing(journal=code)
            return journal
    raise JournalMissing(journal=code)


def plan_entry(
    document: SalesDocument,
    relation: RelationRef,
    connection: Connection,
    books: Books,
    rates: Map[TaxRateId, TaxRate],
    credited: SalesEntry | None = None,
) -> SalesEntry:
    """What will be booked for a document. Pure: the same document, mapping and books give the same entry.

    `credited`: the booked entry of the invoice a credit note credits, when we booked it. A whole credit is booked
    on the same accounts and codes, so that the two net to zero even if mappings changed since (rules.md 14); where
    credit notes have VAT codes of their own, on those (rules.md 18).
    Per VAT code the entry equals Teamleader's printed totals to the cent (rules.md 9-12).
    Raises: NeedsSetup leaves for journal, period, accounts and codes; TotalsDiffer.
    """
    journal = sales_journal(connection.journal(document.kind), books.journals)
    period = period_for(document.day, books.years, journal.code)
    if credited is not None and _credits_whole(document, credited):
        lines = _taken_back(credited, document, connection, books, rates)
    else:
        lines = _lines(document, connection, books, rates)
    entry = SalesEntry(
        document=document.id,
        key=document.key,
        kind=document.kind,
        number=document.number,
        journal=journal.code,
        day=document.day,
        due_on=document.due_on if document.kind is DocumentKind.INVOICE else None,  # rules.md 17
        period=period,
        relation=relation,
        currency=document.currency,
        exchange_rate=document.exchange_rate,
        lines=tuple(lines),
        payment_reference=document.payment_reference,
    )
    if (entry.net, entry.vat) != (document.net, document.vat):
        raise TotalsDiffer(printed=str(document.gross), computed=str(entry.gross))
    return entry


def _credits_whole(document: SalesDocument, credited: SalesEntry) -> bool:
    """Whether this credit note takes back everything of that invoice, to the cent."""
    return (
        document.kind is DocumentKind.CREDIT_NOTE
        and document.credits == credited.document
        and document.currency == credited.currency
        and (document.net, document.vat) == (credited.net, credited.vat)
    )


def _taken_back(
    invoice: SalesEntry,
    document: SalesDocument,
    connection: Connection,
    books: Books,
    rates: Map[TaxRateId, TaxRate],
) -> Sequence[EntryLine]:
    """The lines of the invoice; a code that is for invoices only becomes the credit note's code of the same rate."""
    invoices_only = {code.code for code in books.vat_codes if document.kind not in code.kinds}
    barred = {line.vat_code for line in invoice.lines} & invoices_only
    if not barred:
        return invoice.lines
    codes: dict[str, set[str]] = {code: set() for code in barred}
    for rate in {line.tax_rate for line in document.lines}:
        if (code := connection.mapping.vat_code(rate, invoice.kind)) in barred:
            codes[code].add(_vat_code(rate, document.kind, connection, books, rates))
    if any(len(own) != 1 for own in codes.values()):  # the mapping changed since, or joins two rates
        return _lines(document, connection, books, rates)
    own_code = {code: own.pop() for code, own in codes.items()}
    return [replace(line, vat_code=own_code.get(line.vat_code, line.vat_code)) for line in invoice.lines]


LONGEST_DESCRIPTION = 100
"""Characters of a line's text that go along; what a package keeps of them is less (Exact: 60)."""
MOST_LINES = 300
"""Of a longer entry neighbours are taken together: what we remember of it must fit in one item of the store."""


@dataclass(slots=True)
class _Line:
    """A line on its way into the entry; the residuals still move."""

    account: str
    code: str
    net: Money
    vat: Money
    description: str
    quantity: Decimal

    def done(self) -> EntryLine:
        text = self.description[:LONGEST_DESCRIPTION]
        return EntryLine(self.account, self.code, self.net, self.vat, text, self.quantity)


def _lines(
    document: SalesDocument, connection: Connection, books: Books, rates: Map[TaxRateId, TaxRate]
) -> list[EntryLine]:
    result: list[EntryLine] = []
    for total in document.by_rate:
        drafts = [
            _Line(
                account=_account(document, number, connection, books),
                code=_vat_code(line.tax_rate, document.kind, connection, books, rates),
                net=line.net,
                vat=line.vat,
                description=line.description,
                quantity=line.quantity,
            )
            for number, line in enumerate(document.lines)
            if rates[line.tax_rate].rate == total.rate
        ]
        if document.discounts:
            drafts += _discount_lines(drafts, total, connection, books)
        _settle_residuals(drafts, total, document)
        result += [draft.done() for draft in drafts]
    return result if len(result) <= MOST_LINES else _taken_together(result)


def _taken_together(lines: Sequence[EntryLine]) -> list[EntryLine]:
    """As few neighbours of one account and VAT code to a line as will do, with the text of the first.

    To the cent the same in the books. Few, because a package computes the VAT of a line itself and bears no more than
    some cents of rounding between the two.
    """
    few = -(-len(lines) // MOST_LINES)
    alike: dict[tuple[str, str], list[EntryLine]] = {}
    for line in lines:
        alike.setdefault((line.account, line.vat_code), []).append(line)
    return [_sum_of(group[at : at + few]) for group in alike.values() for at in range(0, len(group), few)]


def _sum_of(lines: Sequence[EntryLine]) -> EntryLine:
    first = lines[0]
    net = Money.total((line.net for line in lines), first.net.currency)
    vat = Money.total((line.vat for line in lines), first.net.currency)
    return replace(first, net=net, vat=vat, quantity=first.quantity if len(lines) == 1 else Decimal(1))


def _account(document: SalesDocument, number: int, connection: Connection, books: Books) -> str:
    line = document.lines[number]
    wanted = connection.mapping.account(line.category, line.tax_rate)
    if not wanted:
        raise AccountMissing(line=line.description or str(number + 1))
    return _usable_account(wanted, books)


def _usable_account(wanted: str, books: Books) -> str:
    for account in books.accounts:
        if account.id == wanted:
            if account.blocked:
                raise AccountBlocked(account=account.code)
            return account.id
    raise AccountBlocked(account=wanted)


def _vat_code(
    rate: TaxRateId, kind: DocumentKind, connection: Connection, books: Books, rates: Map[TaxRateId, TaxRate]
) -> str:
    wanted = connection.mapping.vat_code(rate, kind)
    if not wanted:
        raise VatCodeUnmapped(rate=rates[rate].description)
    for code in books.vat_codes:
        if code.code == wanted and code.usable and kind in code.kinds and code.percentage == rates[rate].rate:
            return wanted
    raise VatCodeRefused(code=wanted)


def _discount_lines(drafts: list[_Line], total: VatTotal, connection: Connection, books: Books) -> list[_Line]:
    """One line per VAT code that takes the document's discount off its net and VAT (rules.md 12).

    Two codes of one percentage share the printed totals by their nets; the last takes what rounding leaves.
    """
    codes = list(dict.fromkeys(draft.code for draft in drafts))
    nets = {code: sum((d.net for d in drafts if d.code == code), Money.zero(total.net.currency)) for code in codes}
    whole = sum(nets.values(), Money.zero(total.net.currency))
    if whole == total.net:
        return []  # Teamleader printed the lines after the discount already
    if not connection.mapping.discount_account:
        raise DiscountAccountMissing()
    account = _usable_account(connection.mapping.discount_account, books)
    left_net, left_vat = total.net, total.vat
    lines = []
    for code in codes:
        last = code == codes[-1]
        share = nets[code].amount / whole.amount if whole else Decimal(0)
        net = left_net if last else Money.rounded(total.net.amount * share, total.net.currency)
        vat = left_vat if last else Money.rounded(total.vat.amount * share, total.net.currency)
        left_net, left_vat = left_net - net, left_vat - vat
        vats = sum((d.vat for d in drafts if d.code == code), Money.zero(total.net.currency))
        line = _Line(account, code, net - nets[code], vat - vats, "Korting", Decimal(1))
        if line.net or line.vat:
            lines.append(line)
    return lines


def _settle_residuals(drafts: list[_Line], total: VatTotal, document: SalesDocument) -> None:
    """Put the cents that rounding left on the largest line of the rate (rules.md 10).

    Raises: TotalsDiffer for more than one cent per line.
    """
    zero = Money.zero(total.net.currency)
    net = total.net - sum((draft.net for draft in drafts), zero)
    vat = total.vat - sum((draft.vat for draft in drafts), zero)
    allowed = CENT * len(drafts)
    if abs(net).amount > allowed or abs(vat).amount > allowed:
        raise TotalsDiffer(printed=str(document.gross), computed=str(document.gross - net - vat))
    if net:
        largest = max(drafts, key=lambda draft: abs(draft.net.amount))
        largest.net += net
    if vat:
        largest = max(drafts, key=lambda draft: (abs(draft.vat.amount), abs(draft.net.amount)))
        largest.vat += vat
