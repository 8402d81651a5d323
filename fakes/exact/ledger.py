"""The general ledger: entries whose lines add up to zero, debit positive.

Source: reference, sections 5.13 and 6.2. Line 0 is the header line; for a sales entry that is the customer's side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from fakes.exact.state import Division, Row

CENT = Decimal("0.01")
SALES, CREDIT, CASH_FLOW, PAYMENT_DIFFERENCE = 20, 21, 40, 83
OPEN, PROCESSED = 20, 50
TYPE_TEXT = {SALES: "Verkoopboeking", CREDIT: "Verkoopcreditnota"}
STATUS_TEXT = {OPEN: "Open", PROCESSED: "Verwerkt"}


def cents(amount: Decimal) -> Decimal:
    """Rounded to the cent, half away from zero."""
    return amount.quantize(CENT, ROUND_HALF_UP)


@dataclass(frozen=True)
class Posting:
    """One ledger line: an account and an amount in the entry's and in the company's currency, debit positive."""

    account: Row
    amount_fc: Decimal
    amount_dc: Decimal
    extra: Row


def write(division: Division, entry: Row, postings: Sequence[Posting]) -> list[Row]:
    """Put the lines of an entry in the books, replacing those it had; line for line they keep their ID."""
    difference = sum((p.amount_dc for p in postings), Decimal())
    if difference:
        raise AssertionError(f"entry {entry['EntryID']} is out of balance by {difference}")
    table = division["TransactionLines"]
    before = table.where("EntryID", entry["EntryID"])
    rows = []
    for number, posting in enumerate(postings):
        old: Row = before[number] if number < len(before) else {}
        rows.append(table.put(_line(division, entry, number, posting, old)))
    for row in before[len(postings) :]:
        table.drop(row["ID"])
    return rows


def _line(division: Division, entry: Row, number: int, posting: Posting, old: Row) -> Row:
    account, relation = posting.account, entry.get("_relation") or {}
    line: dict[str, Any] = {
        **entry["_common"],
        "ID": old.get("ID") or division.state.new_guid(),
        "EntryID": entry["EntryID"],
        "LineNumber": number,
        "GLAccount": account["ID"],
        "GLAccountCode": account["Code"],
        "GLAccountDescription": account["Description"],
        "AmountFC": posting.amount_fc,
        "AmountDC": posting.amount_dc,
        "Account": relation.get("ID"),
        "AccountCode": relation.get("Code"),
        "AccountName": relation.get("Name"),
        "OffsetID": old.get("OffsetID"),
        **posting.extra,
    }
    return line


def header_line(division: Division, entry_id: str) -> Row:
    """Line 0 of an entry."""
    return next(row for row in division["TransactionLines"].where("EntryID", entry_id) if row["LineNumber"] == 0)


def erase(division: Division, entry_id: str) -> None:
    """Take all lines of an entry out of the books."""
    for row in division["TransactionLines"].where("EntryID", entry_id):
        division["TransactionLines"].drop(row["ID"])


def common(
    *,
    type_: int,
    status: int,
    number: int,
    journal: Row,
    year: int,
    period: int,
    day: Any,
    currency: str,
    rate: Decimal,
) -> Row:
    """What every line of one entry says."""
    return {
        "Type": type_,
        "Status": status,
        "EntryNumber": number,
        "JournalCode": journal["Code"],
        "JournalDescription": journal.get("Description"),
        "FinancialYear": year,
        "FinancialPeriod": period,
        "Date": day,
        "Currency": currency,
        "ExchangeRate": rate,
    }


def account_of_type(division: Division, type_: int) -> Row | None:
    return next((row for row in division["GLAccounts"] if row.get("Type") == type_), None)


def next_number(division: Division, journal: str, year: int) -> int:
    """The next entry number of a journal: YYJJnnnn, with a fifth place for n after 9,999."""
    sequence = division.sequences.get((journal, year), 0)
    while True:
        sequence += 1
        number = numbered(journal, year, sequence)
        if (journal, number) not in division.numbers:
            division.sequences[journal, year] = sequence
            return number


def numbered(journal: str, year: int, sequence: int) -> int:
    digits = "".join(c for c in journal if c.isdigit())[-2:] or "0"
    base = (year % 100) * 100 + int(digits)
    return base * (10_000 if sequence < 10_000 else 100_000) + sequence
