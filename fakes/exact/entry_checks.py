"""What the vendor looks at before it books a sales entry.

The checks run in stages: mandatory, references, customer, journal, ledger accounts, VAT, period, number. The first
stage with complaints ends them, and all its complaints are told together. Source: reference, sections 5.8 and 8.7.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation

from fakes.exact import ledger
from fakes.exact.entities import words
from fakes.exact.errors import Complaint, complaint, refuse
from fakes.exact.ledger import cents
from fakes.exact.state import Division, Row

CURRENCIES = words(
    "EUR USD GBP CHF SEK DKK NOK PLN CZK HUF RON BGN JPY CAD AUD NZD CNY TRY ISK RSD UAH MAD ZAR INR BRL SGD HKD"
)
FREE_TEXT = {"Description": 60, "YourRef": 30}
SALES_JOURNAL = 20
RECEIVABLE_ACCOUNT, VAT_ACCOUNT = 20, 24
ZERO = Decimal()


@dataclass
class Line:
    """One line on its way into the books."""

    posted: Row
    account: Row = field(default_factory=dict)
    code: Row | None = None
    amount: Decimal = ZERO  # as posted: net for code type E, gross for I
    vat: Decimal = ZERO

    @property
    def inclusive(self) -> bool:
        return bool(self.code) and self.code["Type"] == "I"

    @property
    def net(self) -> Decimal:
        return self.amount - self.vat if self.inclusive else self.amount


@dataclass
class Draft:
    """A sales entry that is being checked. `entry` is the one it replaces, if any."""

    division: Division
    posted: Row
    lines: list[Line]
    entry: Row | None = None
    customer: Row = field(default_factory=dict)
    journal: Row = field(default_factory=dict)
    condition: Row = field(default_factory=dict)
    document: Row | None = None
    currency: str = "EUR"
    rate: Decimal = Decimal(1)
    year: int = 0
    period: int = 0
    number: int = 0

    @property
    def day(self) -> datetime:
        return self.posted.get("EntryDate") or self.division.state.today()

    @property
    def net(self) -> Decimal:
        return sum((line.net for line in self.lines), ZERO)

    @property
    def vat(self) -> Decimal:
        return sum((line.vat for line in self.lines), ZERO)

    @property
    def total(self) -> Decimal:
        return self.net + self.vat

    def to_dc(self, amount: Decimal) -> Decimal:
        """In the company's currency."""
        if self.currency == self.division.currency:
            return amount
        multiply = self.division.state.switches.rate_direction == "multiply"
        return cents(amount * self.rate if multiply else amount / self.rate)


def check(draft: Draft) -> None:
    """All stages in the vendor's order; later stages use what earlier ones resolved."""
    for stage in (_mandatory, _references, _customer, _journal, _ledger_accounts, _vat, _period, _number):
        refuse(list(dict.fromkeys(stage(draft))))


def _mandatory(draft: Draft) -> list[Complaint]:
    posted = draft.posted
    complaints = [complaint("mandatory", name) for name in ("Journal", "Customer") if not posted.get(name)]
    if not draft.lines:
        complaints.append(complaint("mandatory", "SalesEntryLines"))
    for line in draft.lines:
        if not line.posted.get("GLAccount"):
            complaints.append(complaint("gl_account_missing"))
        if line.posted.get("AmountFC") is None:
            complaints.append(complaint("mandatory", "AmountFC"))
    if draft.division.state.switches.max_lengths:
        texts = [posted, *(line.posted for line in draft.lines)]
        complaints += [
            complaint("too_long", name)
            for row in texts
            for name, most in FREE_TEXT.items()
            if len(row.get(name) or "") > most
        ]
    return complaints


def _references(draft: Draft) -> list[Complaint]:
    division, posted, complaints = draft.division, draft.posted, []

    def find(table: str, key: str | None, name: str) -> Row:
        row = division[table].get(key)
        if row is None:
            complaints.append(missing(division, table, key, name))
        return row or {}

    def by_code(table: str, code: str, name: str) -> Row:
        row = division[table].first("Code", code)
        if row is None:
            complaints.append(complaint("bad_reference", name))
        return row or {}

    draft.customer = find("Accounts", posted["Customer"], "Customer")
    draft.journal = by_code("Journals", posted["Journal"], "Journals")
    term = posted.get("PaymentCondition") or draft.customer.get("PaymentConditionSales")
    if term:
        draft.condition = by_code("PaymentConditions", term, "PaymentCondition")
    elif draft.customer:
        complaints.append(complaint("mandatory", "PaymentCondition"))
    if posted.get("Document"):
        draft.document = find("Documents", posted["Document"], "Document")
    complaints += _currency(draft)
    for line in draft.lines:
        line.account = find("GLAccounts", line.posted["GLAccount"], "GLAccount")
        code = line.posted.get("VATCode") or line.account.get("VATCode") or draft.customer.get("SalesVATCode")
        line.code = by_code("VATCodes", vat_key(code), "VATCode") if code and code.strip() else None
    return complaints


def vat_key(code: str) -> str:
    return code.strip().ljust(3)


def missing(division: Division, table: str, key: str | None, name: str) -> Complaint:
    elsewhere = any(other[table].get(key) for other in division.state.divisions.values() if other is not division)
    return complaint("wrong_division") if elsewhere else complaint("bad_reference", name)


def _currency(draft: Draft) -> list[Complaint]:
    draft.currency = (draft.posted.get("Currency") or draft.division.currency).strip().upper()
    if draft.currency not in CURRENCIES:
        return [complaint("bad_reference", "Currency")]
    rate = draft.posted.get("Rate") or draft.division.state.switches.rates.get(draft.currency)
    if draft.currency == draft.division.currency:
        draft.rate = Decimal(1)
        return []
    try:
        draft.rate = Decimal(rate) if rate is not None else ZERO
    except InvalidOperation:
        draft.rate = ZERO
    return [] if draft.rate > 0 else [complaint("mandatory", "Rate")]


def _customer(draft: Draft) -> list[Complaint]:
    customer = draft.customer
    if customer.get("Status") != "C":
        return [complaint("customer_type")]
    ended = customer.get("EndDate")
    if customer.get("Blocked") or (ended and ended < draft.day):
        return [complaint("blocked", "Customer")]
    return []


def _journal(draft: Draft) -> list[Complaint]:
    journal = draft.journal
    if journal["Type"] != SALES_JOURNAL:
        return [complaint("journal_type")]
    if journal.get("IsBlocked"):
        return [complaint("blocked", "Journal")]
    own = draft.customer.get("GLAR")
    if own and own != journal.get("GLAccount"):
        return [complaint("customer_account")]
    return []


def _ledger_accounts(draft: Draft) -> list[Complaint]:
    complaints = []
    for line in draft.lines:
        if line.account.get("Type") in (RECEIVABLE_ACCOUNT, VAT_ACCOUNT):
            complaints.append(complaint("gl_account_type"))
        elif line.account.get("IsBlocked"):
            complaints.append(complaint("blocked", "GLAccount"))
    return complaints


def _vat(draft: Draft) -> list[Complaint]:
    """Compute each line's VAT, or take what was sent if it is near enough."""
    division, complaints = draft.division, []
    computed: dict[str, Decimal] = defaultdict(Decimal)
    sent: dict[str, Decimal] = defaultdict(Decimal)
    count: dict[str, int] = defaultdict(int)
    for line in draft.lines:
        line.amount = cents(line.posted["AmountFC"])
        code = line.code
        if code and (code.get("IsBlocked") or code.get("VATTransactionType") == "P"):
            complaints.append(complaint("vat_not_allowed"))
            continue
        percentage = percentage_of(division, code, draft.day)
        if percentage is None:
            complaints.append(complaint("vat_percentage"))
            continue
        own = _vat_of(line, percentage)
        given = line.posted.get("VATAmountFC")
        if code is None and given:
            complaints.append(complaint("vat_amount"))
            continue
        line.vat = own if given is None else cents(given)
        key = code["Code"] if code else ""
        computed[key] += own
        sent[key] += line.vat
        count[key] += 1
    if complaints:
        return complaints
    tolerance = Decimal(division.state.switches.vat_tolerance)
    if any(abs(sent[key] - computed[key]) > tolerance * count[key] for key in sent):
        return [complaint("vat_amount")]
    return _header_vat(draft, tolerance)


def _header_vat(draft: Draft, tolerance: Decimal) -> list[Complaint]:
    """A VAT total on the header: the line with the most VAT takes the difference, unless the lines named their own."""
    given = draft.posted.get("VATAmountFC")
    if given is None or cents(given) == draft.vat:
        return []
    difference = cents(given) - draft.vat
    free = [line for line in draft.lines if line.vat and line.posted.get("VATAmountFC") is None]
    if not free or abs(difference) > tolerance * len(draft.lines):
        return [complaint("vat_amount")]
    max(free, key=lambda line: abs(line.vat)).vat += difference
    return []


def percentage_of(division: Division, code: Row | None, day: datetime) -> Decimal | None:
    """The fraction a VAT code charges on a day; 0 without VAT; None when the code has no percentage then."""
    if code is None or code.get("Type") in ("B", "N") or code.get("Charged"):
        return ZERO
    for row in division["VatPercentages"].where("VATCodeID", code["ID"]):
        if row["StartDate"] <= day and (row.get("EndDate") is None or day <= row["EndDate"]):
            return row["Percentage"]
    return None


def _vat_of(line: Line, percentage: Decimal) -> Decimal:
    if line.inclusive:
        return line.amount - cents(line.amount / (1 + percentage))
    return cents(line.amount * percentage)


def _period(draft: Draft) -> list[Complaint]:
    division, posted = draft.division, draft.posted
    found = division.period_of(draft.day)
    asked = (posted.get("ReportingYear"), posted.get("ReportingPeriod"))
    if found and any(asked):
        wanted = (asked[0] or found[0], asked[1] or found[1])
        known = any((row["FinYear"], row["FinPeriod"]) == wanted for row in division["FinancialPeriods"])
        found = wanted if known else None
    if found is None:
        return [complaint("no_year")]
    draft.year, draft.period = found
    if division.is_closed(draft.year, draft.period, draft.journal["Code"]):
        return [complaint("period_closed", draft.year, draft.period)]
    old = draft.entry
    if old and division.is_closed(old["ReportingYear"], old["ReportingPeriod"], old["Journal"]):
        return [complaint("period_closed", old["ReportingYear"], old["ReportingPeriod"])]
    return []


def _number(draft: Draft) -> list[Complaint]:
    division, journal, old = draft.division, draft.journal["Code"], draft.entry
    wanted = draft.posted.get("EntryNumber") or draft.posted.get("InvoiceNumber")
    if old and old["Journal"] == journal and wanted in (None, old["EntryNumber"]):
        draft.number = old["EntryNumber"]
        return []
    if wanted is None:
        return []
    replace = division.state.switches.number_policy == "replace"
    last = division.sequences.get((journal, draft.year), 0)
    lower = wanted <= ledger.numbered(journal, draft.year, last)
    if (journal, wanted) in division.numbers or (replace and lower):
        return [] if replace else [complaint("number_in_use")]
    draft.number = wanted
    return []
