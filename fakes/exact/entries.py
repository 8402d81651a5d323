"""Sales entries: what the vendor checks before it books one, and what booking it does.

The checks run in stages (mandatory, references, customer, journal, ledger accounts, VAT, period, number); the first stage
with complaints ends them, and all its complaints are told together. Source: reference, sections 5.8 and 8.7.
"""

from __future__ import annotations

import calendar
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from fakes.exact import ledger, receivables
from fakes.exact.errors import BusinessRefusal, Complaint, complaint, refuse
from fakes.exact.ledger import CREDIT, OPEN, PROCESSED, SALES, Posting, cents
from fakes.exact.state import Division, Row

CURRENCIES = frozenset(
    "EUR USD GBP CHF SEK DKK NOK PLN CZK HUF RON BGN JPY CAD AUD NZD CNY TRY ISK RSD UAH MAD ZAR INR BRL SGD HKD".split()
)
FREE_TEXT = {"Description": 60, "YourRef": 30}
RECEIVABLE_ACCOUNT, VAT_ACCOUNT, SALES_JOURNAL = 20, 24, 20
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


def create(division: Division, posted: Row) -> Row:
    """Book a sales entry. BusinessRefusal with everything that stands in its way at the first failing stage."""
    draft = _draft(division, posted, posted.get("SalesEntryLines") or [])
    check(draft)
    return _book(draft, division.state.new_guid())


def update(division: Division, entry_id: str, changes: Row) -> Row:
    """Change the header of an entry that is still open."""
    entry = division["SalesEntries"][entry_id]
    attaches_only = set(changes) == {"Document"} and division.state.switches.document_put == "allow"
    if entry["Status"] == PROCESSED and not attaches_only:
        raise BusinessRefusal(complaint("processed"))
    if attaches_only:
        document = division["Documents"].get(changes["Document"])
        if changes["Document"] and document is None:
            raise BusinessRefusal(_missing(division, "Documents", changes["Document"], "Document"))
        return division["SalesEntries"].change(entry_id, **_document_fields(document))
    kept = {name: entry.get(name) for name in entry["_posted"]}
    return _rebook(division, entry, {**kept, **changes}, [line["_posted"] for line in lines_of(division, entry_id)])


def add_line(division: Division, posted: Row) -> Row:
    """Add a line to an open entry; answers with the line."""
    entry = division["SalesEntries"].get(posted.get("EntryID"))
    if entry is None:
        refuse([complaint("mandatory" if not posted.get("EntryID") else "bad_reference", "EntryID")])
    _change_lines(division, entry, [line["_posted"] for line in lines_of(division, entry["EntryID"])] + [posted])
    return lines_of(division, entry["EntryID"])[-1]


def change_line(division: Division, line_id: str, changes: Row) -> None:
    line = division["SalesEntryLines"][line_id]
    entry = division["SalesEntries"][line["EntryID"]]
    posted = {**line["_posted"], **changes}
    if "AmountFC" in changes and "VATAmountFC" not in changes:
        posted.pop("VATAmountFC", None)
    rows = lines_of(division, line["EntryID"])
    _change_lines(division, entry, [posted if row["ID"] == line_id else row["_posted"] for row in rows])


def drop_line(division: Division, line_id: str) -> None:
    """Remove a line; the last one takes the whole entry along."""
    line = division["SalesEntryLines"][line_id]
    entry = division["SalesEntries"][line["EntryID"]]
    rows = [row for row in lines_of(division, line["EntryID"]) if row["ID"] != line_id]
    if not rows:
        delete(division, line["EntryID"])
    else:
        kept = [row["ID"] for row in rows]
        _change_lines(division, entry, [row["_posted"] for row in rows], kept)


def delete(division: Division, entry_id: str, *, by_hand: bool = False) -> None:
    """Remove an entry with its lines, ledger lines and terms. The API deletes open entries only; a bookkeeper any."""
    entry = division["SalesEntries"][entry_id]
    if entry["Status"] == PROCESSED and not by_hand:
        raise BusinessRefusal(complaint("processed"))
    if by_hand:
        receivables.unmatch(division, entry_id)
    for term in division["Terms"].where("TransactionEntryID", entry_id):
        division["Terms"].drop(term["ID"])
    ledger.erase(division, entry_id)
    for line in lines_of(division, entry_id):
        division["SalesEntryLines"].drop(line["ID"])
    division["SalesEntries"].drop(entry_id)
    division.numbers.discard((entry["Journal"], entry["EntryNumber"]))


def process(division: Division, entry_id: str) -> Row:
    """Make an open entry final: only now it shows in the list of receivables."""
    entry = division["SalesEntries"][entry_id]
    if entry["Status"] == PROCESSED:
        return entry
    for line in division["TransactionLines"].where("EntryID", entry_id):
        division["TransactionLines"].change(line["ID"], Status=PROCESSED)
    entry = division["SalesEntries"].change(
        entry_id, Status=PROCESSED, StatusDescription=ledger.STATUS_TEXT[PROCESSED]
    )
    receivables.open_term(division, entry)
    return entry


def lines_of(division: Division, entry_id: str) -> list[Row]:
    return sorted(division["SalesEntryLines"].where("EntryID", entry_id), key=lambda row: row["LineNumber"])


# --- the checks ---


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
            complaint("too_long", name) for row in texts for name, most in FREE_TEXT.items() if len(row.get(name) or "") > most
        ]
    return complaints


def _references(draft: Draft) -> list[Complaint]:
    division, posted, complaints = draft.division, draft.posted, []

    def find(table: str, key: str | None, name: str) -> Row:
        row = division[table].get(key)
        if row is None:
            complaints.append(_missing(division, table, key, name))
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


def _missing(division: Division, table: str, key: str | None, name: str) -> Complaint:
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
    free = [line for line in draft.lines if line.posted.get("VATAmountFC") is None]
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


# --- into the books ---


def _draft(division: Division, posted: Row, lines: list[Row], entry: Row | None = None) -> Draft:
    return Draft(division, posted, [Line(row) for row in lines], entry)


def _change_lines(division: Division, entry: Row, lines: list[Row], kept: list[str] | None = None) -> None:
    if entry["Status"] == PROCESSED:
        raise BusinessRefusal(complaint("processed"))
    header = {name: entry.get(name) for name in entry["_posted"] if name != "VATAmountFC"}
    _rebook(division, entry, header, lines, kept)


def _rebook(division: Division, entry: Row, posted: Row, lines: list[Row], kept: list[str] | None = None) -> Row:
    draft = _draft(division, posted, lines, entry)
    check(draft)
    division.numbers.discard((entry["Journal"], entry["EntryNumber"]))
    if kept is not None:
        for line in lines_of(division, entry["EntryID"]):
            if line["ID"] not in kept:
                division["SalesEntryLines"].drop(line["ID"])
    return _book(draft, entry["EntryID"])


def _book(draft: Draft, entry_id: str) -> Row:
    division = draft.division
    number = draft.number or ledger.next_number(division, draft.journal["Code"], draft.year)
    division.numbers.add((draft.journal["Code"], number))
    _signs(draft)
    entry = division["SalesEntries"].put(_header(draft, entry_id, number))
    _write_lines(draft, entry)
    ledger.write(division, {**entry, "_common": _common(draft, entry), "_relation": draft.customer}, _postings(draft, entry))
    if draft.entry is None and draft.journal.get("AutoSave"):
        return process(division, entry_id)
    return entry


def _signs(draft: Draft) -> None:
    """Positive amounts on a credit note: as posted, or turned round when the switch says so."""
    if draft.posted.get("Type") == CREDIT and draft.division.state.switches.credit_sign == "auto_negate" and draft.total > 0:
        for line in draft.lines:
            line.amount, line.vat = -line.amount, -line.vat


def _header(draft: Draft, entry_id: str, number: int) -> Row:
    posted, division = draft.posted, draft.division
    type_ = posted.get("Type") if posted.get("Type") in (SALES, CREDIT) else CREDIT if draft.total < 0 else SALES
    return {
        **{name: value for name, value in posted.items() if name not in ("SalesEntryLines", "Type")},
        "EntryID": entry_id,
        "EntryNumber": number,
        "InvoiceNumber": number,
        "Type": type_,
        "TypeDescription": ledger.TYPE_TEXT[type_],
        "Status": OPEN,
        "StatusDescription": ledger.STATUS_TEXT[OPEN],
        "Journal": draft.journal["Code"],
        "JournalDescription": draft.journal.get("Description"),
        "Customer": draft.customer["ID"],
        "CustomerName": draft.customer["Name"],
        "EntryDate": draft.day,
        "DueDate": posted.get("DueDate") or due_date(draft.day, draft.condition),
        "ReportingYear": draft.year,
        "ReportingPeriod": draft.period,
        "PaymentCondition": draft.condition.get("Code"),
        "PaymentConditionDescription": draft.condition.get("Description"),
        "PaymentConditionPaymentMethod": draft.condition.get("PaymentMethod"),
        "Currency": draft.currency,
        "Rate": draft.rate,
        "AmountFC": draft.total,
        "AmountDC": draft.to_dc(draft.total),
        "VATAmountFC": draft.vat,
        "VATAmountDC": draft.to_dc(draft.vat),
        **_document_fields(draft.document),
        "_posted": frozenset(posted) - {"SalesEntryLines"},
        "_ar": draft.customer.get("GLAR") or draft.journal.get("GLAccount"),
        "Created": (division["SalesEntries"].get(entry_id) or {}).get("Created") or division.state.local_now(),
    }


def _document_fields(document: Row | None) -> Row:
    document = document or {}
    return {
        "Document": document.get("ID"),
        "DocumentNumber": document.get("HID"),
        "DocumentSubject": document.get("Subject"),
    }


def due_date(day: datetime, condition: Row) -> datetime:
    """Months first (to the end of that month), then days."""
    if months := condition.get("PaymentEndOfMonths") or 0:
        year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
        day = datetime(year, month + 1, calendar.monthrange(year, month + 1)[1])
    return day + timedelta(days=condition.get("PaymentDays") or 0)


def _write_lines(draft: Draft, entry: Row) -> None:
    table = draft.division["SalesEntryLines"]
    before = lines_of(draft.division, entry["EntryID"])
    for number, line in enumerate(draft.lines, 1):
        old = before[number - 1] if number <= len(before) else None
        code = line.code or {}
        table.put(
            {
                **line.posted,
                "ID": old["ID"] if old else draft.division.state.new_guid(),
                "EntryID": entry["EntryID"],
                "LineNumber": number,
                "Type": entry["Type"],
                "AmountFC": line.amount,
                "AmountDC": draft.to_dc(line.amount),
                "VATAmountFC": line.vat,
                "VATAmountDC": draft.to_dc(line.vat),
                "VATBaseAmountFC": line.net,
                "VATBaseAmountDC": draft.to_dc(line.net),
                "VATCode": code.get("Code"),
                "VATCodeDescription": code.get("Description"),
                "VATPercentage": percentage_of(draft.division, line.code, draft.day),
                "GLAccountCode": line.account["Code"],
                "GLAccountDescription": line.account["Description"],
                "_posted": line.posted,
            }
        )


def _common(draft: Draft, entry: Row) -> Row:
    return {
        **ledger.common(
            type_=entry["Type"],
            status=entry["Status"],
            number=entry["EntryNumber"],
            journal=draft.journal,
            year=draft.year,
            period=draft.period,
            day=draft.day,
            currency=draft.currency,
            rate=draft.rate,
        ),
        "InvoiceNumber": entry["EntryNumber"],
        "YourRef": entry.get("YourRef"),
        "Description": entry.get("Description"),
        "PaymentReference": entry.get("PaymentReference"),
        "Document": entry.get("Document"),
        "DueDate": entry["DueDate"],
    }


def _postings(draft: Draft, entry: Row) -> list[Posting]:
    """The customer owes the total; revenue and VAT stand against it. Rounding of a foreign currency is on the customer."""
    division, to_dc = draft.division, draft.to_dc
    postings: list[Posting] = []
    per_code: dict[str, list[Any]] = {}
    for line in draft.lines:
        code = line.code or {}
        extra = {
            "VATCode": code.get("Code"),
            "VATType": code.get("Type"),
            "Description": line.posted.get("Description") or entry.get("Description"),
            "Quantity": line.posted.get("Quantity"),
            "AmountVATFC": -line.vat,
        }
        postings.append(Posting(line.account, -line.net, to_dc(-line.net), extra))
        if line.vat:
            sums = per_code.setdefault(code["Code"], [code, ZERO, ZERO])
            sums[1] += line.vat
            sums[2] += line.net
    for code, vat, base in per_code.values():
        account = division["GLAccounts"].get(code.get("GLToPay")) or ledger.account_of_type(division, VAT_ACCOUNT)
        if account is None:
            raise BusinessRefusal(complaint("bad_reference", "GLAccount"))
        extra = {"VATCode": code["Code"], "VATType": code["Type"], "AmountVATBaseFC": -base}
        postings.append(Posting(account, -vat, to_dc(-vat), extra))
    receivable = division["GLAccounts"].get(entry["_ar"]) or ledger.account_of_type(division, RECEIVABLE_ACCOUNT)
    if receivable is None:
        raise BusinessRefusal(complaint("bad_reference", "GLAccount"))
    owed_dc = -sum((p.amount_dc for p in postings), ZERO)
    return [Posting(receivable, draft.total, owed_dc, {}), *postings]
