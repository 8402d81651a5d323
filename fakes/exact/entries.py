"""Sales entries: booking, changing, deleting and processing them. What is refused first is in `entry_checks`."""

from __future__ import annotations

import calendar
from datetime import datetime, timedelta
from typing import Any

from fakes.exact import ledger, receivables
from fakes.exact.entry_checks import RECEIVABLE_ACCOUNT, VAT_ACCOUNT, ZERO, Draft, Line, check, missing, percentage_of
from fakes.exact.errors import BusinessRefusal, complaint, refuse
from fakes.exact.ledger import CREDIT, OPEN, PROCESSED, SALES, Posting
from fakes.exact.state import Division, Row


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
            raise BusinessRefusal(missing(division, "Documents", changes["Document"], "Document"))
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
    entry = division["SalesEntries"].change(entry_id, Status=PROCESSED, StatusDescription=ledger.STATUS_TEXT[PROCESSED])
    receivables.open_term(division, entry)
    return entry


def lines_of(division: Division, entry_id: str) -> list[Row]:
    return sorted(division["SalesEntryLines"].where("EntryID", entry_id), key=lambda row: row["LineNumber"])


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
    if kept is not None:
        for line in lines_of(division, entry["EntryID"]):
            if line["ID"] not in kept:
                division["SalesEntryLines"].drop(line["ID"])
    return _book(draft, entry["EntryID"])


def _book(draft: Draft, entry_id: str) -> Row:
    division, old = draft.division, draft.entry
    _signs(draft)
    header = _header(draft, entry_id)
    postings = _postings(draft, header)  # the last thing that can be refused
    if old:
        division.numbers.discard((old["Journal"], old["EntryNumber"]))
    journal = draft.journal["Code"]
    number = draft.number or ledger.next_number(division, journal, draft.year)
    division.numbers.add((journal, number))
    entry = division["SalesEntries"].put({**header, "EntryNumber": number, "InvoiceNumber": number})
    _write_lines(draft, entry)
    ledger.write(division, {**entry, "_common": _common(draft, entry), "_relation": draft.customer}, postings)
    if old is None and draft.journal.get("AutoSave"):
        return process(division, entry_id)
    return entry


def _signs(draft: Draft) -> None:
    """Positive amounts on a credit note: as posted, or turned round when the switch says so."""
    if (
        draft.posted.get("Type") == CREDIT
        and draft.division.state.switches.credit_sign == "auto_negate"
        and draft.total > 0
    ):
        for line in draft.lines:
            line.amount, line.vat = -line.amount, -line.vat


def _header(draft: Draft, entry_id: str) -> Row:
    posted = draft.posted
    type_ = posted.get("Type") if posted.get("Type") in (SALES, CREDIT) else CREDIT if draft.total < 0 else SALES
    return {
        **{name: value for name, value in posted.items() if name not in ("SalesEntryLines", "Type")},
        "EntryID": entry_id,
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
    """The customer owes the total; revenue and VAT stand against it. Rounding in a foreign currency is his."""
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
