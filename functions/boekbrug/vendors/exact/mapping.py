"""Between our words and Exact's: pure, both ways."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Any

from ...domain.documents import DocumentKind, File
from ...domain.errors import CustomerIncomplete
from ...domain.ledger import (
    Administration,
    AdministrationId,
    Booking,
    BookingRef,
    EntryLine,
    FiscalYear,
    Folder,
    FolderRef,
    Journal,
    JournalKind,
    LedgerAccount,
    PaymentTerm,
    Period,
    Regime,
    SalesEntry,
    Settlement,
    SettlementKind,
    VatCode,
)
from ...domain.money import Money
from ...domain.proposals import regime_of
from ...domain.relations import Address, Relation, RelationDraft, RelationQuery, RelationRef, compact_vat
from . import wire

# Lengths Exact does not publish; where we cut is in QUIRKS.md.
REFERENCE = 30  # SalesEntries.YourRef
TEXT = 60  # Description of an entry and of a line
NAME = 50  # Accounts.Name

ENTRY_TYPE = {DocumentKind.INVOICE: 20, DocumentKind.CREDIT_NOTE: 21}
KIND_OF_TYPE = {number: kind for kind, number in ENTRY_TYPE.items()}
JOURNAL_KIND = {
    12: JournalKind.BANK,
    16: JournalKind.BANK,
    20: JournalKind.SALES,
    22: JournalKind.PURCHASE,
    90: JournalKind.GENERAL,
}
LISTINGS = {"L": Regime.EU_GOODS, "T": Regime.EU_GOODS, "S": Regime.EU_SERVICES}
LANGUAGES = frozenset({"nl", "fr", "en", "de"})

SALES_DOCUMENT = 10  # Documents.Type, of invoices and credit notes alike
PROCESSED = 50  # SalesEntries.Status
MATCHED = 50  # PaymentTerms.Status
RECEIPT = 20  # PaymentTerms.LineType
WRITTEN_OFF = 83  # TransactionLines.Type of a payment difference

_KEY = re.compile(r"\bBB[A-Z2-7]{10}\b")


@dataclass(frozen=True, slots=True)
class Switches:
    """What no source settles, with the value we believe; see QUIRKS.md."""

    divide_by_rate: bool = False  # False: amount in the books = amount of the document × Rate


# --- what a division holds ------------------------------------------------------------------------------------------


def administration(row: wire.Division, realm: str) -> Administration:
    return Administration(
        id=administration_of(realm, row.Code),
        code=row.Hid or str(row.Code),
        name=row.Description,
        vat_number=row.VATNumber,
        country=row.Country,
        currency=row.Currency,
        usable=row.Status == 1 and not row.BlockingStatus,
    )


def administration_of(realm: str, division: int | str) -> AdministrationId:
    return AdministrationId(f"exact.{realm}.{division}")


def journal(row: wire.Journal) -> Journal:
    return Journal(row.Code, row.Description, JOURNAL_KIND.get(row.Type, JournalKind.OTHER), bool(row.IsBlocked))


def ledger_account(row: wire.GLAccount) -> LedgerAccount:
    return LedgerAccount(row.ID, row.Code, row.Description, bool(row.IsBlocked))


def vat_code(row: wire.VATCode) -> VatCode:
    """A VAT code; usable when amounts are sent without VAT and it is meant for sales (rules.md 18)."""
    percentage = row.Percentage or Decimal(0)
    excluding = row.Type == "E" or (row.Type == "B" and not percentage)
    foreign = row.OssCountry not in ("", row.Country)
    return VatCode(
        code=row.Code,
        name=row.Description,
        percentage=percentage,
        regime=_regime(row, percentage),
        usable=excluding and row.VATTransactionType in ("S", "B") and not row.IsBlocked and not foreign,
    )


def _regime(row: wire.VATCode, percentage: Decimal) -> Regime:
    """The listing and the reverse charge say it themselves; of the other zero rates only the name tells."""
    if listed := LISTINGS.get(row.EUSalesListing):
        return listed
    if row.Charged:
        return Regime.REVERSE_CHARGE
    return regime_of(row.Description, percentage == 0)


def fiscal_years(
    periods: Iterable[wire.FinancialPeriod], closed: Iterable[wire.JournalStatus]
) -> tuple[FiscalYear, ...]:
    """The period table with, for each period, the journals that are shut. A journal without a row is open."""
    shut: dict[tuple[int, int], list[str]] = {}
    for row in closed:
        if row.Status == 1:
            shut.setdefault((row.Year, row.Period), []).append(row.Journal)
    ordered = sorted(periods, key=lambda row: row.StartDate)
    return tuple(
        FiscalYear(
            name=str(year),
            periods=tuple(
                Period(
                    name=f"{year} - {row.FinPeriod:02}",
                    first=row.StartDate,
                    last=row.EndDate,
                    closed_for=tuple(sorted(shut.get((year, row.FinPeriod), ()))),
                )
                for row in rows
            ),
        )
        for year, rows in groupby(ordered, key=lambda row: row.FinYear)
    )


def payment_term(row: wire.PaymentCondition) -> PaymentTerm | None:
    """A plain term on credit; None for collection and for terms with a discount, which no document of ours has."""
    if row.DiscountPercentage or row.PaymentMethod not in ("", "B"):
        return None
    return PaymentTerm(row.Code, row.Description, row.PaymentDays or 0, row.PaymentEndOfMonths or 0)


# --- relations ------------------------------------------------------------------------------------------------------


def relation(row: wire.Account, today: date) -> Relation:
    return Relation(
        ref=RelationRef(row.ID),
        code=row.Code,
        name=row.Name,
        vat_number=row.VATNumber,
        enterprise_number=row.ChamberOfCommerce,
        email=row.Email,
        phone=row.Phone,
        address=Address(row.AddressLine1, row.Postcode, row.City, row.Country),
        is_customer=row.Status == "C",
        blocked=bool(row.Blocked) or (row.EndDate is not None and row.EndDate < today),
        created_at=row.Created,
    )


def account_payload(draft: RelationDraft, term: str) -> dict[str, Any]:
    """A customer in Exact's words. Empty fields are left out: Exact fills in its own defaults."""
    language = draft.language[:2].lower()
    fields = {
        "Name": draft.name[:NAME],
        "Status": "C",
        "VATNumber": draft.vat_number,
        "ChamberOfCommerce": draft.enterprise_number,
        "AddressLine1": draft.address.line,
        "Postcode": draft.address.postal_code,
        "City": draft.address.city,
        "Country": draft.address.country,
        "Email": draft.email,
        "Phone": draft.phone,
        "Website": draft.website,
        "Language": language.upper() if language in LANGUAGES else "",
        "PaymentConditionSales": term,
    }
    return {name: value for name, value in fields.items() if value}


def term_code(draft: RelationDraft, terms: Sequence[PaymentTerm]) -> str:
    """The condition with these days; "" leaves Exact's default (product-behaviour.md 6)."""
    wanted = (draft.payment_days, 1 if draft.payment_end_of_month else 0)
    return next((term.code for term in terms if (term.days, term.end_of_months) == wanted), "")


_EMAIL = re.compile(r"[^@\s;,]+@[^@\s;,]+\.[^@\s;,.]+")
_VAT_SHAPES = {  # product-behaviour.md 6; a country not listed is not judged
    "BE": r"[01]\d{9}",
    "NL": r"\d{9}B\d{2}",
    "FR": r"[0-9A-Z]{2}\d{9}",
    "IT": r"\d{11}",
    "ES": r"(?!\d{9})[A-Z0-9]\d{7}[A-Z0-9]",
    "CH": r"E\d{9}(TVA|MWST|IVA)",
}


def incomplete(draft: RelationDraft) -> CustomerIncomplete | None:
    """What Exact would refuse in this customer: found here, it costs no error there."""
    number = compact_vat(draft.vat_number)
    shape = _VAT_SHAPES.get(number[:2])
    if not draft.name.strip():
        return CustomerIncomplete(customer=str(draft.customer), field="name")
    if draft.email and not _EMAIL.fullmatch(draft.email):
        return CustomerIncomplete(customer=draft.name, field="email")
    if shape and not re.fullmatch(shape, number[2:]):
        return CustomerIncomplete(customer=draft.name, field="vat_number")
    return None


def quoted(text: str) -> str:
    """A string in a filter: O'Brien is 'O''Brien'."""
    return "'" + text.replace("'", "''") + "'"


def search_terms(query: RelationQuery) -> list[str]:
    """The filter terms that find this relation, or-ed together.

    Exact compares text as it was typed, and bookkeepers type numbers with blanks and dots; so each usual way of
    writing is asked for. Names are compared in lower case, cut where Exact cuts them.
    """
    terms = [f"ID eq guid'{query.ref}'"] if query.ref else []
    terms += [f"VATNumber eq {quoted(form)}" for form in vat_forms(compact_vat(query.vat_number))]
    terms += [f"ChamberOfCommerce eq {quoted(form)}" for form in enterprise_forms(query.enterprise_number)]
    if query.name.strip():
        terms.append(f"tolower(Name) eq {quoted(_short_name(query.name))}")
    return terms


def vat_forms(number: str) -> list[str]:
    """The ways a compact VAT number is usually typed.

    >>> vat_forms("BE0123456749")
    ['BE0123456749', 'BE 0123456749', 'BE0123.456.749', 'BE 0123.456.749', 'BE 0123 456 749']
    """
    if not number:
        return []
    country, rest = number[:2], number[2:]
    forms = [number, f"{country} {rest}"]
    if country == "BE" and len(rest) == 10:
        dotted = f"{rest[:4]}.{rest[4:7]}.{rest[7:]}"
        forms += [f"BE{dotted}", f"BE {dotted}", f"BE {dotted.replace('.', ' ')}"]
    if country == "NL" and len(rest) == 12:
        forms += [f"NL{rest[:9]}.{rest[9:]}", f"NL{rest[:4]}.{rest[4:6]}.{rest[6:9]}.{rest[9:]}"]
        forms += [f"NL {rest[:4]}.{rest[4:6]}.{rest[6:9]}.{rest[9:]}"]
    return forms


def enterprise_forms(number: str) -> list[str]:
    """The ways an enterprise number is usually typed.

    >>> enterprise_forms("0123456749")
    ['0123456749', '0123.456.749', '0123 456 749']
    """
    compact = compact_vat(number)
    if len(compact) != 10:
        return [compact] if compact else []
    return [compact, f"{compact[:4]}.{compact[4:7]}.{compact[7:]}", f"{compact[:4]} {compact[4:7]} {compact[7:]}"]


def matches(found: Relation, query: RelationQuery) -> bool:
    """Whether this relation answers the query by any filled field."""
    vat = compact_vat(query.vat_number)
    enterprise = compact_vat(query.enterprise_number)
    return bool(
        (query.ref and found.ref == query.ref)
        or (vat and compact_vat(found.vat_number) == vat)
        or (enterprise and compact_vat(found.enterprise_number) == enterprise)
        or (query.name.strip() and _short_name(found.name) == _short_name(query.name))
    )


def _short_name(name: str) -> str:
    return name.strip()[:NAME].strip().lower()


# --- entries --------------------------------------------------------------------------------------------------------


def reference_of(entry: SalesEntry) -> str:
    """What the booking carries as `YourRef`, and is looked for by."""
    return entry.number[:REFERENCE]


def entry_payload(entry: SalesEntry, switches: Switches) -> dict[str, Any]:
    """Our entry in Exact's words: a credit note is type 21 with every amount negative (exact-online.md 5.8)."""
    rate = 1 / entry.exchange_rate if switches.divide_by_rate else entry.exchange_rate
    fields = {
        "Customer": entry.relation,
        "Journal": entry.journal,
        "Type": ENTRY_TYPE[entry.kind],
        "EntryDate": entry.day.isoformat(),
        "DueDate": entry.due_on.isoformat() if entry.due_on else None,
        "YourRef": reference_of(entry),
        "Description": _description(entry.number, entry.key),
        "PaymentReference": entry.payment_reference or None,
        "PaymentCondition": entry.payment_term or None,
        "Currency": entry.currency,
        "Rate": rate,
        "Document": entry.folder or None,
        "SalesEntryLines": [_line_payload(line, entry.kind) for line in entry.lines],
    }
    return {name: value for name, value in fields.items() if value is not None}


def _line_payload(line: EntryLine, kind: DocumentKind) -> dict[str, Any]:
    return {
        "GLAccount": line.account,
        "AmountFC": _signed(line.net, kind).amount,
        "VATCode": line.vat_code,
        "VATAmountFC": _signed(line.vat, kind).amount,
        "Description": line.description[:TEXT],
        "Quantity": line.quantity,
    }


def _signed(amount: Money, kind: DocumentKind) -> Money:
    """Printed amounts to Exact's side and back: a credit note stands negative in the books."""
    return -amount if kind is DocumentKind.CREDIT_NOTE else amount


def _money(amount: Decimal | None, currency: str) -> Money:
    """Exact keeps cents but answers in doubles, so a sum may come with noise in its fifteenth digit."""
    return Money.rounded(amount or Decimal(0), currency)


def _description(number: str, key: str) -> str:
    """The number and our short key, which must survive whatever the number's length."""
    return f"{number[: TEXT - len(key) - 1]} {key}"


def key_in(text: str) -> str:
    found = _KEY.search(text)
    return found[0] if found else ""


def booking(row: wire.SalesEntry, realm: str) -> Booking | None:
    """A sales entry as it stands; None for a type that is neither an invoice nor a credit note."""
    kind = KIND_OF_TYPE.get(row.Type)
    if kind is None:
        return None
    return Booking(
        ref=BookingRef(row.EntryID),
        administration=administration_of(realm, row.Division),
        kind=kind,
        journal=row.Journal,
        number=str(row.EntryNumber),
        reference=row.YourRef,
        key=key_in(row.Description),
        day=row.EntryDate,
        relation=RelationRef(row.Customer),
        gross=_signed(_money(row.AmountFC, row.Currency), kind),
        vat=_signed(_money(row.VATAmountFC, row.Currency), kind),
        final=row.Status == PROCESSED,
        base_gross=None
        if row.AmountDC is None
        else -row.AmountDC
        if kind is DocumentKind.CREDIT_NOTE
        else row.AmountDC,
    )


def booking_of_line(row: wire.TransactionLine, realm: str) -> Booking | None:
    """The booking behind a receivable line; None for every other line of the ledger."""
    kind = KIND_OF_TYPE.get(row.Type)
    if kind is None or row.LineNumber != 0:
        return None
    return Booking(
        ref=BookingRef(row.EntryID),
        administration=administration_of(realm, row.Division),
        kind=kind,
        journal=row.JournalCode,
        number=str(row.EntryNumber),
        reference=row.YourRef,
        key=key_in(row.Description),
        day=row.Date,
        relation=RelationRef(row.Account),
        gross=_signed(_money(row.AmountFC, row.Currency), kind),
        vat=None,
        final=row.Status == PROCESSED,
    )


# --- files ----------------------------------------------------------------------------------------------------------


def subject_of(folder: Folder) -> str:
    """What a document is called, and looked for by: the description of the entry that will refer to it."""
    return _description(folder.number, folder.key)


def document_payload(folder: Folder) -> dict[str, Any]:
    return {
        "Type": SALES_DOCUMENT,
        "Subject": subject_of(folder),
        "Account": folder.relation,
        "DocumentDate": folder.day.isoformat(),
    }


def attachment_payload(folder: FolderRef, file: File) -> dict[str, Any]:
    return {
        "Document": folder,
        "FileName": file.name,
        "Attachment": base64.b64encode(file.content).decode(),
    }


# --- settlements ----------------------------------------------------------------------------------------------------


def is_sales_term(row: wire.PaymentTerm) -> bool:
    return row.LineType == RECEIPT and row.TransactionType in KIND_OF_TYPE and bool(row.TransactionEntryID)


def settled_without_money(row: wire.PaymentTerm) -> bool:
    """Whether this part was matched and no payment date tells why."""
    return row.Status == MATCHED and row.LastPaymentDate is None


def partners(rows: Sequence[wire.PaymentTerm]) -> dict[str, frozenset[int]]:
    """For each matched term the types of entries that share its set: its partners in the match.

    `EntryID` names the set of a split or match. Parts of the same entry say nothing and are left out.
    """
    sets: dict[str, list[wire.PaymentTerm]] = {}
    for row in rows:
        if row.Status == MATCHED and row.EntryID:
            sets.setdefault(row.EntryID, []).append(row)
    return {
        row.ID: frozenset(
            other.TransactionType
            for other in together
            if other.TransactionType and other.TransactionEntryID != row.TransactionEntryID
        )
        for together in sets.values()
        for row in together
    }


def settlement(row: wire.PaymentTerm, matched_with: frozenset[int]) -> Settlement:
    """A part of an open item.

    `matched_with`: the types of entries at the other end of the match, read only where no money tells. A doubt is
    taken for a credit note: that never registers a payment, and a person is told (rules.md 22).
    """
    if row.Status != MATCHED:
        kind = SettlementKind.OPEN
    elif row.LastPaymentDate:
        kind = SettlementKind.PAYMENT
    elif WRITTEN_OFF in matched_with and not matched_with & KIND_OF_TYPE.keys():
        kind = SettlementKind.WRITE_OFF
    else:
        kind = SettlementKind.CREDIT_NOTE
    return Settlement(
        id=row.ID,
        booking=BookingRef(row.TransactionEntryID),
        kind=kind,
        amount=abs(_money(row.AmountFC, row.Currency)),
        day=row.LastPaymentDate or row.EndDate or row.EntryDate or date.min,
        version=row.Timestamp,
    )
