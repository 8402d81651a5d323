"""Relations, ledger accounts, documents and the other records around an entry: what may be created, changed, deleted.

Sources: reference, sections 5.1 to 5.5, 5.7, 5.9, 5.10, 5.14 and 5.17.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from fakes.exact import ledger, receivables
from fakes.exact.entities import Entity, words
from fakes.exact.errors import BusinessRefusal, Complaint, Refused, complaint, refuse
from fakes.exact.state import Division, Row
from fakes.kit.consent import is_safe_url

MAX_ATTACHMENT = 25 * 1024 * 1024
NAME_LENGTH = 50
CODE_WIDTH = 18
RIGHT_PADDED = {"Country": 3, "Language": 10, "VATCode": 3, "SalesVATCode": 3, "PurchaseVATCode": 3}
TOPICS = words(
    "Accounts BankAccounts Contacts GLAccounts Documents DocumentAttachments SalesEntries PurchaseEntries BankEntries "
    "CashEntries GeneralJournalEntries FinancialTransactions SalesInvoices SalesOrders PurchaseOrders Quotations Items "
    "StockPositions GoodsDeliveries TimeTransactions CostTransactions Subscriptions ProjectPlanning"
)
# id: (description, may the API create one). Source: section 5.9
DOCUMENT_TYPES = {
    10: ("Verkoopfactuur", True),
    20: ("Inkoopfactuur", True),
    55: ("Diversen", True),
    183: ("Bankafschrift", False),
}
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")

# Which field points at which table: by GUID, or by code.
_REFERENCES: dict[str, dict[str, str]] = {
    "Accounts": {
        "GLAR": "GLAccounts",
        "GLAP": "GLAccounts",
        "GLAccountSales": "GLAccounts",
        "InvoiceAccount": "Accounts",
    }
    | {"MainContact": "Contacts", "Parent": "Accounts"},
    "Contacts": {"Account": "Accounts"},
    "BankAccounts": {"Account": "Accounts"},
    "Journals": {"GLAccount": "GLAccounts"},
    "VATCodes": {"GLToPay": "GLAccounts", "GLToClaim": "GLAccounts", "Account": "Accounts"},
    "Documents": {"Account": "Accounts", "Contact": "Contacts"},
    "DocumentAttachments": {"Document": "Documents"},
}
_CODE_REFERENCES: dict[str, dict[str, str]] = {
    "Accounts": {"PaymentConditionSales": "PaymentConditions", "SalesVATCode": "VATCodes"},
    "GLAccounts": {"VATCode": "VATCodes"},
}
_NAMES = {
    "PaymentConditionSales": "PaymentCondition",
    "SalesVATCode": "VATCode",
    "GLAR": "GLAccount",
    "GLAccountSales": "GLAccount",
}
_MANDATORY: dict[str, tuple[str, ...]] = {
    "Accounts": ("Name",),
    "Contacts": ("Account",),
    "BankAccounts": ("Account", "BankAccount"),
    "GLAccounts": ("Code", "Description"),
    "Journals": ("Code", "Description", "Type"),
    "VATCodes": ("Code", "Description"),
    "PaymentConditions": ("Code", "Description"),
    "Documents": ("Subject", "Type"),
    "DocumentAttachments": ("Attachment", "Document", "FileName"),
    "BankEntries": ("JournalCode", "BankEntryLines"),
    "WebhookSubscriptions": ("CallbackURL", "Topic"),
}
_DEFAULTS: dict[str, Row] = {
    "GLAccounts": {"Type": 90, "BalanceType": "B", "BalanceSide": "D"},
    "VATCodes": {"Type": "E", "VATTransactionType": "B", "EUSalesListing": "N", "Charged": False},
    "PaymentConditions": {"PaymentDays": 0, "PaymentEndOfMonths": 0, "PaymentMethod": "B"},
}
# Who uses a record, so that it cannot be deleted: (table, field, compared with this field of the record).
_USERS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "Accounts": (("SalesEntries", "Customer", "ID"), ("TransactionLines", "Account", "ID")),
    "GLAccounts": (("TransactionLines", "GLAccount", "ID"), ("Journals", "GLAccount", "ID")),
    "Journals": (("SalesEntries", "Journal", "Code"),),
    "VATCodes": (("SalesEntryLines", "VATCode", "Code"),),
    "Documents": (("SalesEntries", "Document", "ID"),),
}
# What goes along when a record is deleted: (table, field that points at the record).
_OWNED: dict[str, tuple[tuple[str, str], ...]] = {
    "Accounts": (("Contacts", "Account"), ("BankAccounts", "Account")),
    "Documents": (("DocumentAttachments", "Document"),),
    "BankEntries": (("BankEntryLines", "EntryID"),),
}


def padded(table: str, row: Row) -> Row:
    """A record with its fixed-width texts as the vendor stores them: account codes right-aligned, short codes left."""
    row = {**row}
    if table == "Accounts" and row.get("Code"):
        row["Code"] = row["Code"].strip().rjust(CODE_WIDTH)
    widths = {**RIGHT_PADDED, "Code": 3} if table == "VATCodes" else RIGHT_PADDED
    for name, width in widths.items():
        if isinstance(row.get(name), str):
            row[name] = row[name].strip().ljust(width)
    return row


def create(division: Division, kind: Entity, posted: Row) -> Row:
    """Add a record. BusinessRefusal for what is missing, unknown or taken; one stage after the other."""
    table = kind.table
    refuse([complaint("mandatory", name) for name in _MANDATORY[table] if posted.get(name) in (None, "", [], b"")])
    row = padded(table, {**_DEFAULTS.get(table, {}), **posted})
    refuse(_unknown_references(division, table, row))
    refuse(_RULES.get(table, _no_rule)(division, row, None))
    if table == "BankEntries":
        return _bank_entry(division, row)
    row |= {"ID": division.state.new_guid(), **_COMPLETED.get(table, _nothing)(division, row)}
    if table == "DocumentAttachments":
        division.contents[row["ID"]] = row.pop("Attachment")
        row["Url"] = f"{division.state.host_url}docs/SysAttachment.aspx?ID={row['ID']}&_Division_={division.number}"
    return division[table].put(row)


def update(division: Division, kind: Entity, key: str, changes: Row) -> Row:
    """Change some fields of a record; the others stay."""
    table = kind.table
    old = division[table][key]
    if table == "Terms":
        return division[table].change(key, **changes)
    emptied = [name for name in _MANDATORY[table] if name in changes and changes[name] in (None, "")]
    refuse([complaint("mandatory", name) for name in emptied])
    row = padded(table, {**old, **changes})
    changed = {name: row[name] for name in changes}
    refuse(_unknown_references(division, table, changed))
    refuse(_RULES.get(table, _no_rule)(division, row, old))
    return division[table].put(row)


def delete(division: Division, kind: Entity, key: str) -> None:
    """Remove a record nobody uses."""
    table = kind.table
    row = division[table][key]
    for users, name, own in _USERS.get(table, ()):
        rows = division[users].where(name, row[own]) if name in division[users].indexed else division[users]
        if any(user.get(name) == row[own] for user in rows):
            raise BusinessRefusal(complaint("in_use", table.removesuffix("s")))
    if table == "BankEntries":
        if row["Status"] == ledger.PROCESSED:
            raise BusinessRefusal(complaint("processed"))
        ledger.erase(division, key)
    for child, name in _OWNED.get(table, ()):
        for owned in division[child].where(name, key):
            division.contents.pop(owned["ID"], None)
            division[child].drop(owned["ID"])
    division.contents.pop(key, None)
    division[table].drop(key)


def _unknown_references(division: Division, table: str, row: Row) -> list[Complaint]:
    complaints = []
    for name, target in _REFERENCES.get(table, {}).items():
        if row.get(name) and division[target].get(row[name]) is None:
            others = (d for d in division.state.divisions.values() if d is not division)
            elsewhere = any(other[target].get(row[name]) for other in others)
            complaints.append(
                complaint("wrong_division") if elsewhere else complaint("bad_reference", _NAMES.get(name, name))
            )
    for name, target in _CODE_REFERENCES.get(table, {}).items():
        if (row.get(name) or "").strip() and division[target].first("Code", row[name]) is None:
            complaints.append(complaint("bad_reference", _NAMES.get(name, name)))
    return complaints


# --- rules per table: (division, the row as it would be, the row as it is or None) -> complaints ---


def _no_rule(division: Division, row: Row, old: Row | None) -> list[Complaint]:
    return []


def _unique_code(division: Division, table: str, row: Row) -> bool:
    return all(other["ID"] == row.get("ID") for other in division[table].where("Code", row["Code"]))


def _account(division: Division, row: Row, old: Row | None) -> list[Complaint]:
    complaints = []
    if len(row["Name"]) > NAME_LENGTH:
        complaints.append(complaint("too_long", "Name"))
    if row.get("Status") not in (None, "A", "S", "P", "C"):
        complaints.append(complaint("invalid", "Status"))
    if row.get("Email") and not _EMAIL.fullmatch(row["Email"]):
        complaints.append(complaint("email"))
    if row.get("Country") and not re.fullmatch(r"[A-Z]{2}", row["Country"].strip()):
        complaints.append(complaint("bad_reference", "Country"))
    code = (row.get("Code") or "").strip()
    if code and not (code.isdigit() and len(code) <= CODE_WIDTH):
        complaints.append(complaint("invalid", "Code"))
    elif code and not _unique_code(division, "Accounts", row):
        complaints.append(complaint("exists", "Code"))
    return complaints


def _contact(division: Division, row: Row, old: Row | None) -> list[Complaint]:
    return [] if row.get("FirstName") or row.get("LastName") else [complaint("mandatory", "LastName")]


def _coded(table: str) -> Callable[[Division, Row, Row | None], list[Complaint]]:
    return lambda division, row, old: [] if _unique_code(division, table, row) else [complaint("exists", "Code")]


def _document(division: Division, row: Row, old: Row | None) -> list[Complaint]:
    creatable = DOCUMENT_TYPES.get(row["Type"], ("", False))[1]
    return [] if creatable else [complaint("document_type")]


def _attachment(division: Division, row: Row, old: Row | None) -> list[Complaint]:
    if len(row["Attachment"]) > MAX_ATTACHMENT:
        raise Refused(413)
    return [] if "." in row["FileName"] else [complaint("invalid", "FileName")]


def _bank_rules(division: Division, row: Row, old: Row | None) -> list[Complaint]:
    journal = division["Journals"].first("Code", row["JournalCode"])
    if journal is None:
        return [complaint("bad_reference", "Journals")]
    if journal["Type"] not in (12, 16):
        return [complaint("journal_type")]
    for line in row["BankEntryLines"]:
        if not line.get("GLAccount"):
            return [complaint("gl_account_missing")]
        if line.get("AmountFC") is None:
            return [complaint("mandatory", "AmountFC")]
        if division["GLAccounts"].get(line["GLAccount"]) is None:
            return [complaint("bad_reference", "GLAccount")]
        if line.get("Account") and division["Accounts"].get(line["Account"]) is None:
            return [complaint("bad_reference", "Account")]
    day = _bank_day(division, row)
    period = division.period_of(day)
    if period is None:
        return [complaint("no_year")]
    if division.is_closed(*period, journal["Code"]):
        return [complaint("period_closed", *period)]
    total = sum(line["AmountFC"] for line in row["BankEntryLines"])
    if row.get("ClosingBalanceFC") is not None:
        difference = row["ClosingBalanceFC"] - (row.get("OpeningBalanceFC") or 0) - total
        if difference:
            return [complaint("unbalanced", *period, "Bank", f"{difference:.2f}")]
    return []


def _bank_day(division: Division, row: Row) -> datetime:
    return next((line["Date"] for line in row["BankEntryLines"] if line.get("Date")), division.state.today())


def _bank_entry(division: Division, row: Row) -> Row:
    return receivables.book_bank(division, row, row["BankEntryLines"], _bank_day(division, row))


def add_bank_line(division: Division, posted: Row) -> Row:
    """Add a line to an open bank entry; its closing balance moves along."""
    entry = division["BankEntries"].get(posted.get("EntryID"))
    if entry is None:
        refuse([complaint("mandatory" if not posted.get("EntryID") else "bad_reference", "EntryID")])
    if entry["Status"] == ledger.PROCESSED:
        raise BusinessRefusal(complaint("processed"))
    before = division["BankEntryLines"].where("EntryID", entry["EntryID"])
    lines = [{name: row.get(name) for name in _BANK_LINE} for row in before] + [posted]
    row = {"JournalCode": entry["JournalCode"], "BankEntryLines": lines}
    refuse(_bank_rules(division, row, entry))
    receivables.book_bank(division, entry, lines, _bank_day(division, row), into=entry)
    return division["BankEntryLines"].where("EntryID", entry["EntryID"])[-1]


_BANK_LINE = ("GLAccount", "Account", "AmountFC", "Date", "Description", "OurRef", "Document", "Notes", "Quantity")


def _subscription(division: Division, row: Row, old: Row | None) -> list[Complaint]:
    if row["Topic"] not in TOPICS:
        return [complaint("bad_reference", "Topic")]
    if not is_safe_url(row["CallbackURL"]):
        return [complaint("invalid", "CallbackURL")]
    taken = any(other["Topic"] == row["Topic"] for other in division["WebhookSubscriptions"])
    return [complaint("exists_data")] if taken else []


_RULES: dict[str, Callable[[Division, Row, Row | None], list[Complaint]]] = {
    "Accounts": _account,
    "Contacts": _contact,
    "GLAccounts": _coded("GLAccounts"),
    "Journals": _coded("Journals"),
    "VATCodes": _coded("VATCodes"),
    "PaymentConditions": _coded("PaymentConditions"),
    "Documents": _document,
    "DocumentAttachments": _attachment,
    "BankEntries": _bank_rules,
    "WebhookSubscriptions": _subscription,
}


# --- what the vendor fills in on a new record ---


def _nothing(division: Division, row: Row) -> Row:
    return {}


def complete_account(division: Division, row: Row) -> Row:
    """Next free code, the company's country and default payment condition, status "none"."""
    filled = {"Type": "A", "Status": row.get("Status") or "A", "IsSales": row.get("Status") == "C"}
    if not (row.get("Code") or "").strip():
        taken = [int(other["Code"]) for other in division["Accounts"] if (other.get("Code") or "").strip().isdigit()]
        filled["Code"] = str(max(taken, default=0) + 1).rjust(CODE_WIDTH)
    if not row.get("Country"):
        filled["Country"] = (division.row.get("Country") or "NL").strip().ljust(3)
    if not row.get("PaymentConditionSales") and division["PaymentConditions"].first("Code", "30"):
        filled["PaymentConditionSales"] = "30"
    if row.get("Status") == "C":
        filled["CustomerSince"] = division.state.today()
    return filled


def _complete_contact(division: Division, row: Row) -> Row:
    account = division["Accounts"][row["Account"]]
    names = (row.get("FirstName"), row.get("MiddleName"), row.get("LastName"))
    return {
        "FullName": " ".join(name for name in names if name),
        "AccountName": account["Name"],
        "AccountIsCustomer": account.get("Status") == "C",
        "IsMainContact": False,
    }


def _complete_bank_account(division: Division, row: Row) -> Row:
    account = division["Accounts"][row["Account"]]
    iban = re.sub(r"\s", "", row["BankAccount"]).upper()
    first = not division["BankAccounts"].where("Account", row["Account"])
    return {
        "AccountName": account["Name"],
        "IBAN": iban if re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]{8,30}", iban) else None,
        "Main": row.get("Main", first),
    }


def complete_journal(division: Division, row: Row) -> Row:
    account = division["GLAccounts"].get(row.get("GLAccount")) or {}
    return {
        "GLAccountCode": account.get("Code"),
        "GLAccountDescription": account.get("Description"),
        "GLAccountType": account.get("Type"),
        "Currency": row.get("Currency") or division.currency,
    }


def _complete_document(division: Division, row: Row) -> Row:
    account = division["Accounts"].get(row.get("Account")) or {}
    return {
        "HID": division.next_human_id("Documents"),
        "AccountCode": account.get("Code"),
        "AccountName": account.get("Name"),
        "DocumentDate": row.get("DocumentDate") or division.state.today(),
        "TypeDescription": DOCUMENT_TYPES[row["Type"]][0],
        "HasEmptyBody": not row.get("Body"),
    }


def _complete_attachment(division: Division, row: Row) -> Row:
    return {"FileSize": len(row["Attachment"])}


def _complete_subscription(division: Division, row: Row) -> Row:
    return {"UserID": division.state.actor[0], "Description": row["Topic"]}


_COMPLETED: dict[str, Callable[[Division, Row], Row]] = {
    "Accounts": complete_account,
    "Contacts": _complete_contact,
    "BankAccounts": _complete_bank_account,
    "Journals": complete_journal,
    "Documents": _complete_document,
    "DocumentAttachments": _complete_attachment,
    "WebhookSubscriptions": _complete_subscription,
}
