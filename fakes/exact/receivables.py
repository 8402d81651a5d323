"""Receivables: what customers still owe, and how that gets settled.

Each processed entry has payment terms. Settling part of one splits it: the settled part and its counterpart (bank line,
credit note, write-off) carry one new set id (`EntryID`), are Status 50 and add up to zero; the rest stays open.
Sign: an open invoice is negative here (to receive), a credit note positive. Source: reference, sections 5.11, 6.2, 6.4.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from fakes.exact import ledger
from fakes.exact.ledger import CASH_FLOW, CREDIT, PAYMENT_DIFFERENCE, PROCESSED, Posting
from fakes.exact.state import Division, Row
from fakes.kit.faults import BadCommand

OPEN, SELECTED, SENT, MATCHED = 20, 30, 40, 50
MANUAL, RECONCILE, MATCH = 1, 2, 3
RECEIPT = 20
ZERO = Decimal()


def open_term(division: Division, entry: Row) -> Row | None:
    """The payment term of a sales entry that just became final; none for an entry of nothing."""
    header = ledger.header_line(division, entry["EntryID"])
    if not header["AmountFC"]:
        return None
    return _new_term(
        division,
        header,
        entry["AmountFC"],
        header["AmountDC"],
        DueDate=entry["DueDate"],
        TransactionDueDate=entry["DueDate"],
        PaymentCondition=entry["PaymentCondition"],
        PaymentConditionDescription=entry["PaymentConditionDescription"],
        PaymentMethod=entry["PaymentConditionPaymentMethod"],
        PaymentReference=entry.get("PaymentReference"),
        Document=entry.get("Document"),
        DocumentNumber=entry.get("DocumentNumber"),
        DocumentSubject=entry.get("DocumentSubject"),
        YourRef=entry.get("YourRef"),
        InvoiceNumber=entry["EntryNumber"],
        InvoiceDate=entry["EntryDate"],
    )


def _new_term(division: Division, line: Row, owed_fc: Decimal, owed_dc: Decimal, **fields: Any) -> Row:
    """A term for the receivable side of a ledger line; `owed` is debit positive."""
    sign = -1 if division.state.switches.receivable_sign == "negative" else 1
    return division["Terms"].put(
        {
            "ID": division.state.new_guid(),
            "HID": division.next_human_id("Terms"),
            "EntryID": division.state.new_guid(),
            "TransactionID": line["ID"],
            "TransactionEntryID": line["EntryID"],
            "TransactionType": line["Type"],
            "TransactionStatus": PROCESSED,
            "TransactionAmountDC": line["AmountDC"] if line["Type"] != CASH_FLOW else owed_dc,
            "TransactionAmountFC": line["AmountFC"] if line["Type"] != CASH_FLOW else owed_fc,
            "TransactionReportingYear": line["FinancialYear"],
            "TransactionReportingPeriod": line["FinancialPeriod"],
            "AmountFC": sign * owed_fc,
            "AmountDC": sign * owed_dc,
            "Currency": line["Currency"],
            "RateFC": line["ExchangeRate"],
            "Account": line["Account"],
            "AccountCode": line["AccountCode"],
            "AccountName": line["AccountName"],
            "GLAccount": line["GLAccount"],
            "GLAccountCode": line["GLAccountCode"],
            "GLAccountDescription": line["GLAccountDescription"],
            "Journal": line["JournalCode"],
            "JournalDescription": line["JournalDescription"],
            "EntryNumber": line["EntryNumber"],
            "EntryDate": line["Date"],
            "Description": line.get("Description"),
            "Status": OPEN,
            "IsFullyPaid": False,
            "Source": MANUAL,
            "LineType": RECEIPT,
            "ApprovalStatus": 0,
            **fields,
        }
    )


def open_terms(division: Division, entry_id: str) -> list[Row]:
    """The terms of an entry that are not settled, oldest due first."""
    rows = [row for row in division["Terms"].where("TransactionEntryID", entry_id) if row["Status"] != MATCHED]
    return sorted(rows, key=lambda row: (row.get("DueDate") or row["EntryDate"], row["HID"]))


def open_amount(division: Division, entry_id: str) -> Decimal:
    """What is still open of an entry in its own currency, as an absolute amount."""
    return abs(sum((row["AmountFC"] for row in open_terms(division, entry_id)), ZERO))


def settle(division: Division, entry_id: str, amount: Decimal, set_id: str, **settled: Any) -> Decimal:
    """Mark `amount` (absolute) of an entry's open terms as settled, splitting the last one. Gives that in DC."""
    left, done_dc = amount, ZERO
    for term in open_terms(division, entry_id):
        if left <= 0:
            break
        part = min(left, abs(term["AmountFC"]))
        done_dc += abs(_settle_term(division, term, part, set_id, settled))
        left -= part
    return done_dc


def _settle_term(division: Division, term: Row, part: Decimal, set_id: str, settled: Row) -> Decimal:
    """The term keeps its ID for the settled part; a new row, with a split id of its own, holds the rest."""
    whole_fc, whole_dc = term["AmountFC"], term["AmountDC"]
    part_fc = part.copy_sign(whole_fc)
    part_dc = whole_dc if part_fc == whole_fc else ledger.cents(whole_dc * part_fc / whole_fc)
    closing = {"Status": MATCHED, "IsFullyPaid": True, "EntryID": set_id, "AmountFC": part_fc, "AmountDC": part_dc}
    division["Terms"].put({**term, **closing, **settled})
    if part_fc != whole_fc:
        rest = {
            "ID": division.state.new_guid(),
            "HID": division.next_human_id("Terms"),
            "EntryID": division.state.new_guid(),
        }
        amounts = {"AmountFC": whole_fc - part_fc, "AmountDC": whole_dc - part_dc}
        fresh = {name: value for name, value in term.items() if name != "Created"}
        division["Terms"].put({**fresh, **rest, **amounts})
    return part_dc


def _ending(division: Division, day: datetime, **fields: Any) -> Row:
    year, period = division.period_of(day) or (day.year, day.month)
    return {"EndDate": day, "EndYear": year, "EndPeriod": period, **fields}


# --- what a bookkeeper does ---


def pay(division: Division, entry: Row, amount: Decimal, day: datetime) -> Row:
    """Money for an invoice arrives in the bank (negative for a refund). Too much stays open as a receipt of its own."""
    journal = next((row for row in division["Journals"] if row.get("Type") == 12), None)
    if journal is None:
        raise BadCommand(f"division {division.number} has no bank journal (type 12)")
    receivable = division["GLAccounts"][ledger.header_line(division, entry["EntryID"])["GLAccount"]]
    line = {
        "GLAccount": receivable["ID"],
        "Account": entry["Customer"],
        "AmountFC": amount,
        "Date": day,
        "Description": f"Betaling {entry.get('YourRef') or entry['EntryNumber']}",
        "OurRef": entry["EntryNumber"],
    }
    header = {"JournalCode": journal["Code"], "Currency": entry["Currency"]}
    bank = book_bank(division, header, [line], day, rate=entry["Rate"], status=PROCESSED)
    money = next(row for row in division["TransactionLines"].where("EntryID", bank["EntryID"]) if row["LineNumber"])
    set_id = division.state.new_guid()
    matched = min(abs(amount), open_amount(division, entry["EntryID"]))
    settled = _ending(division, day, LastPaymentDate=day, Source=RECONCILE)
    settled_dc = settle(division, entry["EntryID"], matched, set_id, **settled)
    sign = 1 if amount > 0 else -1
    texts = {"YourRef": entry.get("YourRef"), "InvoiceNumber": entry["EntryNumber"], "DueDate": day, "InvoiceDate": day}
    if matched:
        counter = _new_term(division, money, -sign * matched, -sign * settled_dc, **texts)
        closing = {"Status": MATCHED, "IsFullyPaid": True, "EntryID": set_id}
        division["Terms"].change(counter["ID"], **closing, **settled)
        _offset(division, entry["EntryID"], money["ID"])
    if rest := abs(amount) - matched:
        rest_dc = abs(money["AmountDC"]) - settled_dc
        _new_term(division, money, -sign * rest, -sign * rest_dc, DueDate=day, InvoiceDate=day, InvoiceNumber=0)
    return bank


def write_off(division: Division, entry: Row, amount: Decimal, day: datetime) -> None:
    """Give up on the rest: a payment difference closes the term without money."""
    journal = next((row for row in division["Journals"] if row.get("Type") == 90), None)
    loss = next((row for row in division["GLAccounts"] if row.get("Type") in (120, 121, 130)), None)
    if journal is None or loss is None:
        raise BadCommand("a write-off needs a general journal (type 90) and a cost account (type 120, 121 or 130)")
    set_id = division.state.new_guid()
    header = ledger.header_line(division, entry["EntryID"])
    settled = _ending(division, day, Source=MATCH)
    done_dc = settle(division, entry["EntryID"], amount, set_id, **settled)
    sign = 1 if header["AmountFC"] > 0 else -1
    receivable = division["GLAccounts"][header["GLAccount"]]
    difference = {
        "EntryID": division.state.new_guid(),
        "_common": {
            **_bank_common(division, journal, day, entry["Currency"], entry["Rate"], PAYMENT_DIFFERENCE, PROCESSED),
            "YourRef": entry.get("YourRef"),
            "InvoiceNumber": entry["EntryNumber"],
            "Description": "Betalingsverschil",
        },
        "_relation": division["Accounts"][entry["Customer"]],
    }
    owed_fc, owed_dc = sign * amount, sign * done_dc
    lines = ledger.write(
        division, difference, [Posting(receivable, -owed_fc, -owed_dc, {}), Posting(loss, owed_fc, owed_dc, {})]
    )
    counter = _new_term(
        division, lines[0], -owed_fc, -owed_dc, YourRef=entry.get("YourRef"), DueDate=day, InvoiceDate=day
    )
    division["Terms"].change(counter["ID"], Status=MATCHED, IsFullyPaid=True, EntryID=set_id, **settled)
    _offset(division, entry["EntryID"], lines[0]["ID"])


def match(division: Division, invoice: Row, credit: Row, amount: Decimal | None, day: datetime) -> Decimal:
    """Set a credit note off against an invoice; no money moves. Gives the amount matched."""
    open_a, open_b = (open_amount(division, e["EntryID"]) for e in (invoice, credit))
    wanted = amount if amount is not None else min(open_a, open_b)
    if not 0 < wanted <= min(open_a, open_b):
        raise BadCommand(f"{wanted} cannot be matched: {open_a} and {open_b} are open")
    if invoice["Customer"] != credit["Customer"] or invoice["Currency"] != credit["Currency"]:
        raise BadCommand("only entries of one customer in one currency can be matched")
    if (invoice["AmountFC"] > 0) == (credit["AmountFC"] > 0):
        raise BadCommand("an invoice is matched with a credit note")
    set_id = division.state.new_guid()
    settled = _ending(division, day, Source=MATCH)
    for entry in (invoice, credit):
        settle(division, entry["EntryID"], wanted, set_id, **settled)
    _offset(division, invoice["EntryID"], ledger.header_line(division, credit["EntryID"])["ID"])
    _offset(division, credit["EntryID"], ledger.header_line(division, invoice["EntryID"])["ID"])
    return wanted


def unmatch(division: Division, entry_id: str, other: str | None = None) -> int:
    """Undo what settled an entry (or only what matched it with `other`): both sides are open again. Gives how many."""
    terms = division["Terms"]
    sets = {row["EntryID"] for row in terms.where("TransactionEntryID", entry_id) if row["Status"] == MATCHED}
    undone = 0
    for set_id in sorted(sets):
        rows = terms.where("EntryID", set_id)
        if other is not None and all(row["TransactionEntryID"] != other for row in rows):
            continue
        undone += 1
        for row in rows:
            if row["TransactionType"] == PAYMENT_DIFFERENCE:
                terms.drop(row["ID"])
                ledger.erase(division, row["TransactionEntryID"])
                continue
            reopened = dict.fromkeys(("EndDate", "EndYear", "EndPeriod", "LastPaymentDate"))
            new_id = division.state.new_guid()
            terms.change(row["ID"], Status=OPEN, IsFullyPaid=False, Source=MANUAL, EntryID=new_id, **reopened)
            _offset(division, row["TransactionEntryID"], None)
    return undone


def select_for_collection(division: Division, entry_id: str, *, sent: bool = False) -> int:
    """Take an entry's open terms into a direct-debit batch; `sent`: the batch is with the bank."""
    rows = open_terms(division, entry_id)
    for row in rows:
        division["Terms"].change(
            row["ID"], Status=SENT if sent else SELECTED, ReceivableSelected=division.state.today()
        )
    return len(rows)


def _offset(division: Division, entry_id: str, line_id: str | None) -> None:
    """The customer's line of a reconciled entry points at the line that settled it."""
    for row in division["TransactionLines"].where("EntryID", entry_id):
        if row["LineNumber"] == 0 and row["Type"] in (ledger.SALES, CREDIT):
            division["TransactionLines"].change(row["ID"], OffsetID=line_id)


# --- bank entries ---


def book_bank(
    division: Division,
    header: Row,
    lines: list[Row],
    day: datetime,
    *,
    rate: Decimal = Decimal(1),
    status: int = OPEN,
    into: Row | None = None,
) -> Row:
    """A bank statement: money in is positive; the bank account takes the sum, each line its own account.

    `into` is an entry whose lines these replace.
    """
    journal = division["Journals"].first("Code", header["JournalCode"])
    bank_account = division["GLAccounts"].get(journal.get("GLAccount"))
    if bank_account is None:
        raise BadCommand(f"journal {journal['Code']} has no bank account")
    currency = header.get("Currency") or division.currency
    entry_id = into["EntryID"] if into else division.state.new_guid()
    for line in division["BankEntryLines"].where("EntryID", entry_id):
        division["BankEntryLines"].drop(line["ID"])
    fields = _bank_common(
        division, journal, day, currency, rate, CASH_FLOW, status, number=into and into["EntryNumber"]
    )
    total = sum((line["AmountFC"] for line in lines), ZERO)
    opening = header.get("OpeningBalanceFC") or ZERO
    entry = division["BankEntries"].put(
        {
            **{name: value for name, value in header.items() if name != "BankEntryLines"},
            "EntryID": entry_id,
            "EntryNumber": fields["EntryNumber"],
            "JournalDescription": journal.get("Description"),
            "Currency": currency,
            "FinancialYear": fields["FinancialYear"],
            "FinancialPeriod": fields["FinancialPeriod"],
            "OpeningBalanceFC": opening,
            "ClosingBalanceFC": opening + total,
            "Status": status,
            "StatusDescription": ledger.STATUS_TEXT[status],
        }
    )
    postings = [Posting(bank_account, total, ledger.cents(total * rate), {})]
    for number, line in enumerate(lines, 1):
        account = division["GLAccounts"][line["GLAccount"]]
        relation = division["Accounts"].get(line.get("Account")) or {}
        texts = {"AccountCode": relation.get("Code"), "AccountName": relation.get("Name")}
        amount_dc = ledger.cents(line["AmountFC"] * rate)
        row = {**line, **texts, "ID": division.state.new_guid(), "EntryID": entry_id, "LineNumber": number}
        row |= {"AmountDC": amount_dc, "EntryNumber": fields["EntryNumber"], "Date": line.get("Date") or day}
        row |= {"GLAccountCode": account["Code"], "GLAccountDescription": account["Description"]}
        division["BankEntryLines"].put(row)
        extra = {"Account": line.get("Account"), **texts, "Description": line.get("Description"), "Date": row["Date"]}
        extra |= {"InvoiceNumber": line.get("OurRef")}
        postings.append(Posting(account, -line["AmountFC"], -amount_dc, extra))
    postings[0] = Posting(bank_account, total, -sum((p.amount_dc for p in postings[1:]), ZERO), {})
    ledger.write(division, {**entry, "_common": fields}, postings)
    return entry


def _bank_common(
    division: Division,
    journal: Row,
    day: datetime,
    currency: str,
    rate: Decimal,
    type_: int,
    status: int,
    number: int | None = None,
) -> Row:
    year, period = division.period_of(day) or (day.year, day.month)
    number = number or ledger.next_number(division, journal["Code"], year)
    division.numbers.add((journal["Code"], number))
    return ledger.common(
        type_=type_,
        status=status,
        number=number,
        journal=journal,
        year=year,
        period=period,
        day=day,
        currency=currency,
        rate=rate,
    )


# --- the list of what is outstanding ---


def outstanding(division: Division) -> list[Row]:
    """Rows of read/financial/ReceivablesList: an open invoice is positive, a credit note or loose receipt negative."""
    sign = -1 if division.state.switches.receivable_sign == "negative" else 1
    rows = []
    for term in division["Terms"]:
        if term["Status"] == MATCHED:
            continue
        cash = term["TransactionType"] == CASH_FLOW
        amount = sign * term["AmountFC"]
        rows.append(
            {
                "HID": term["HID"],
                "Id": term["ID"],
                "AccountId": term["Account"],
                "AccountCode": term["AccountCode"],
                "AccountName": term["AccountName"],
                "Amount": amount,
                "AmountInTransit": amount if term["Status"] == SENT else ZERO,
                "CurrencyCode": term["Currency"],
                "Description": term.get("Description"),
                "DueDate": term.get("DueDate"),
                "InvoiceDate": term.get("InvoiceDate"),
                "EntryNumber": term["EntryNumber"],
                "InvoiceNumber": term.get("InvoiceNumber") or 0,
                "JournalCode": term["Journal"],
                "JournalDescription": term["JournalDescription"],
                "YourRef": None if cash else term.get("YourRef"),
            }
        )
    return rows
