"""Between our words and Octopus': pure, both ways."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from ...domain.documents import CustomerKind, CustomerRef, DocumentKind, File
from ...domain.errors import AccountBlocked, CustomerIncomplete, NotPossible, RelationGone, UnexpectedAnswer
from ...domain.ledger import (
    Administration,
    AdministrationId,
    Booking,
    BookingRef,
    EntryLine,
    FiscalYear,
    Journal,
    JournalKind,
    LedgerAccount,
    Match,
    OpenItem,
    PaymentTerm,
    Period,
    Prepared,
    Receipt,
    Regime,
    SalesEntry,
    Settlement,
    SettlementKind,
    VatCode,
)
from ...domain.money import Money
from ...domain.proposals import regime_of
from ...domain.relations import Address, Relation, RelationDraft, RelationQuery, RelationRef, compact_vat
from ..http import to_json
from . import wire
from .limits import VENDOR

BASE = "EUR"  # of every dossier: the API names no currency of its own, and Belgian books are kept in euros
NUMBER = 40  # characters of a document's number that go into comment and reference; text lengths are published nowhere
REVENUE = "70"
CLEARING = ("49", "55", "58")  # accruals and suspense, credit institutions, internal transfers
BOOKINGS = 1  # Journal.insertionType
SALE, SALES_CREDIT_NOTE = 2, 4  # VatCode.type
CLIENT = "C"  # of a balancing
KIND_OF_LETTER = {"A": JournalKind.PURCHASE, "F": JournalKind.BANK, "D": JournalKind.GENERAL}
LETTER_OF_TYPE = {"1": "A", "2": "V", "3": "F", "4": "D", "7": "L"}  # journalTypeId
TERM_DAYS = (0, 7, 8, 10, 14, 15, 20, 21, 30, 45, 60, 90)

_KEY = re.compile(r"\b(BB[A-Z2-7]{10})\b(?: (INV|CN)\b)?")
_MARKS = {DocumentKind.INVOICE: "INV", DocumentKind.CREDIT_NOTE: "CN"}
_STRUCTURED = re.compile(r"[+*]{3}\s*\d{3}/?\d{4}/?\d{5}\s*[+*]{3}")


@dataclass(frozen=True, slots=True)
class Switches:
    """What no source settles, with the value that loses nothing; see QUIRKS.md."""

    divide_by_rate: bool = False  # False: amount in the books = amount of the document × exchangeRate
    credit_notes_need_type_4: bool = True  # where a dossier has such a code of that percentage
    largest_file: int = 5_000_000  # bytes
    various_debits_are_positive: bool = True  # in a D journal; in an F journal money in is


# --- what a dossier holds -------------------------------------------------------------------------------------------


def administration_of(dossier: int | str) -> AdministrationId:
    return AdministrationId(f"{VENDOR}.-.{dossier}")


def administration(row: wire.Dossier, *, usable: bool) -> Administration:
    return Administration(
        id=administration_of(row.dossierKey.id),
        code=str(row.dossierKey.id),
        name=row.dossierDescription,
        vat_number=row.vatNr,
        country=row.country or "BE",
        currency=BASE,
        usable=usable,
    )


def newest_open(years: Iterable[wire.Bookyear]) -> wire.Bookyear | None:
    return max((year for year in years if not year.closed), key=lambda year: year.startDate, default=None)


def journal(row: wire.Journal) -> Journal:
    """A sales journal takes our bookings only when it is kept for bookings, not for invoices made in Octopus."""
    letter = row.journalKey[0]
    kind = KIND_OF_LETTER.get(letter, JournalKind.OTHER)
    if letter == "V" and row.insertionType == BOOKINGS:
        kind = JournalKind.SALES
    return Journal(row.journalKey, row.name, kind, bool(row.closed))


def accounts_of(rows: Iterable[wire.Account], *prefixes: str) -> list[LedgerAccount]:
    """Those of the chart that begin so, by number."""
    found = [_account(row) for row in rows if str(row.accountKey.id).startswith(prefixes)]
    return sorted(found, key=lambda account: account.code)


def _account(row: wire.Account) -> LedgerAccount:
    number = str(row.accountKey.id)
    texts = row.description or wire.Description()
    return LedgerAccount(number, number, texts.description_NL or texts.description_FR or texts.description_EN)


def vat_codes(rows: Iterable[wire.VatCode], switches: Switches) -> list[VatCode]:
    """The codes of sales. Type 4 is for credit notes; type 2 for both, unless a type 4 says the same.

    The same percentage is not enough: at zero there are exports, other countries and co-contractors (rules.md 18).
    """
    of_sales = [row for row in rows if row.type in (SALE, SALES_CREDIT_NOTE)]
    replaced = {(row.basePercentage, _regime(row)) for row in of_sales if row.type == SALES_CREDIT_NOTE}
    invoice, credit_note = DocumentKind.INVOICE, DocumentKind.CREDIT_NOTE
    found = []
    for row in of_sales:
        kinds: tuple[DocumentKind, ...] = (invoice, credit_note)
        if row.type == SALES_CREDIT_NOTE:
            kinds = (credit_note,)
        elif (row.basePercentage, _regime(row)) in replaced and switches.credit_notes_need_type_4:
            kinds = (invoice,)
        percentage = (row.basePercentage / 100).normalize() + 0
        found.append(VatCode(row.code, row.description, percentage, _regime(row), kinds))
    return found


_CODES = (  # what the code itself may say, where its description says nothing
    (Regime.EU_SERVICES, r"ICD|ICS"),
    (Regime.EU_GOODS, r"IC"),
    (Regime.REVERSE_CHARGE, r"MC|CC"),
    (Regime.EXPORT, r"EX(P|$)"),
)


def _regime(row: wire.VatCode) -> Regime:
    """Why a code is at zero, as far as its words tell.

    One that tells nothing is called domestic: that is proposed for a rate that tells nothing either, and a person
    confirms it; "exempt" would claim to know a reason.
    """
    zero = row.basePercentage == 0
    found = regime_of(row.description, zero)
    if zero and found is Regime.DOMESTIC:
        found = next((regime for regime, signs in _CODES if re.match(signs, row.code, re.IGNORECASE)), found)
    return found


def fiscal_years(
    years: Iterable[wire.Bookyear], journals: Mapping[int, Sequence[wire.Journal]]
) -> tuple[FiscalYear, ...]:
    """Bookyears with their periods as Octopus lists them, and for each the journals that are shut.

    `journals`: of the bookyears that were asked for. In a closed bookyear everything is shut.
    """
    return tuple(
        FiscalYear(
            name=year.bookyearDescription or str(year.startDate.year),
            periods=tuple(
                Period(
                    name=f"{one.bookyearPeriod // 100} - {one.bookyearPeriod % 100:02}",
                    first=one.startDate,
                    last=one.endDate,
                    closed_for=_shut(year, one.bookyearPeriod, journals.get(year.id, ())),
                    code=f"{year.id}:{one.bookyearPeriod}",
                )
                for one in sorted(year.periods, key=lambda one: one.startDate)
            ),
        )
        for year in sorted(years, key=lambda year: year.startDate)
        if year.periods
    )


def _shut(year: wire.Bookyear, period: int, journals: Sequence[wire.Journal]) -> tuple[str, ...]:
    if year.closed:
        return ("*",)
    return tuple(
        row.journalKey for row in journals if row.closed or period <= max(row.closedPeriod, row.protectedPeriod)
    )


def payment_terms() -> tuple[PaymentTerm, ...]:
    """Octopus keeps no list: a relation has any number of days, from the invoice or from the end of its month."""
    days = [PaymentTerm(f"2:{n}", f"{n} d", n) for n in TERM_DAYS]
    return (*days, *(PaymentTerm(f"1:{n}", f"{n} d EOM", n, 1) for n in TERM_DAYS))


# --- relations ------------------------------------------------------------------------------------------------------


def relation_ref(row: wire.Relation) -> RelationRef:
    return RelationRef(str(row.relationIdentificationServiceData.relationKey.id))


def relation(row: wire.Relation) -> Relation:
    vat = compact_vat(row.vatNr)
    return Relation(
        ref=relation_ref(row),
        code=relation_ref(row),
        name=" ".join(part for part in (row.firstName, row.name) if part),
        vat_number=row.vatNr,
        enterprise_number=vat[2:] if re.fullmatch(r"BE[01]\d{9}", vat) else "",  # in Belgium they are one
        email=row.email,
        phone=row.telephone or row.mobile,
        address=Address(row.streetAndNr, row.postalCode, row.city, row.country),
        is_customer=bool(row.client),
        blocked=row.active is False,
    )


def external_number(customer: CustomerRef) -> int:
    """Our number for a customer, for ever: it fits in 32 bits and stays above what people type.

    A hash may meet another's number: that is read first, and the name tells (rules.md 3).
    """
    digest = hashlib.sha256(str(customer).encode()).digest()
    return 10**9 + int.from_bytes(digest[:8]) % (2**31 - 10**9)


_EMAIL = re.compile(r"[^@\s;,]+@[^@\s;,]+\.[^@\s;,.]+")
_LANGUAGES = {"nl": 0, "fr": 1, "en": 2, "de": 3}  # factLanguage; localeId counts otherwise
_EU = frozenset("AT BE BG CY CZ DE DK EE EL ES FI FR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK XI".split())  # noqa: SIM905


def incomplete(draft: RelationDraft) -> CustomerIncomplete | None:
    """What would be a useless relation: found here, it costs no call."""
    if not draft.name.strip():
        return CustomerIncomplete(customer=str(draft.customer), field="name")
    if draft.email and not _EMAIL.fullmatch(draft.email):
        return CustomerIncomplete(customer=draft.name, field="email")
    number = compact_vat(draft.vat_number)
    if number.startswith("BE") and not re.fullmatch(r"BE[01]\d{9}", number):
        return CustomerIncomplete(customer=draft.name, field="vat_number")
    return None


def relation_payload(draft: RelationDraft) -> dict[str, Any]:
    """A customer in Octopus' words. Empty members are left out: an empty country is refused (octopus.md 4.2)."""
    texts = {
        "streetAndNr": draft.address.line,
        "postalCode": draft.address.postal_code,
        "city": draft.address.city,
        "country": draft.address.country,
        "telephone": draft.phone,
        "email": draft.email,
        "url": draft.website,
        "ibanAccountNr": draft.iban,
        "vatNr": dotted_vat(compact_vat(draft.vat_number)),
    }
    payload = {
        "relationIdentificationServiceData": {"externalRelationId": external_number(draft.customer)},
        "name": draft.name.strip(),
        "client": True,
        "supplier": False,
        "currencyCode": BASE,
        **{name: text for name, text in texts.items() if text.strip()},
        "vatType": vat_type(draft),
        "active": True,
    }
    if (language := _LANGUAGES.get(draft.language[:2].lower())) is not None:
        payload["factLanguage"] = language
    if draft.payment_days is not None:
        payload["expirationType"] = 1 if draft.payment_end_of_month else 2
        payload["expirationDays"] = draft.payment_days
    return payload


def vat_type(draft: RelationDraft) -> int:
    """Who the customer is to the VAT; 0, unknown, where nothing proves it."""
    number, country = compact_vat(draft.vat_number), draft.address.country.upper()
    if number:
        prefix = number[:2]
        return 1 if prefix == "BE" else 4 if prefix in _EU else 6
    if draft.customer.kind is CustomerKind.CONTACT and country:
        return 7 if country == "BE" else 8 if country in _EU or country == "GR" else 9
    return 0


def dotted_vat(number: str) -> str:
    """As Octopus prints it.

    >>> dotted_vat("BE0123456749"), dotted_vat("NL123456789B01")
    ('BE0123.456.749', 'NL123456789B01')
    """
    if re.fullmatch(r"BE\d{10}", number):
        return f"{number[:6]}.{number[6:9]}.{number[9:]}"
    return number


def searches(query: RelationQuery) -> list[dict[str, str]]:
    """The questions that find this relation, each a call: fields of one question are or-ed there.

    How Octopus compares VAT numbers is not known: first as it prints them, then compact.
    """
    number = compact_vat(query.vat_number)
    if not number and (enterprise := compact_vat(query.enterprise_number)):
        number = f"BE{enterprise}" if re.fullmatch(r"[01]\d{9}", enterprise) else ""
    first = {
        "relationId": str(query.ref or ""),
        "name": query.name.strip(),
        "vatNr": dotted_vat(number),
    }
    first = {name: value for name, value in first.items() if value}
    second = {"vatNr": number} if number != dotted_vat(number) else {}
    return [question for question in (first, second) if question]


def matches(found: Relation, query: RelationQuery) -> bool:
    """Whether this relation answers the query by any filled field."""
    vat, enterprise = compact_vat(query.vat_number), compact_vat(query.enterprise_number)
    name = query.name.strip().casefold()
    return bool(
        (query.ref and found.ref == query.ref)
        or (vat and compact_vat(found.vat_number) == vat)
        or (enterprise and found.enterprise_number == enterprise)
        or (name and found.name.strip().casefold() == name)
    )


# --- entries --------------------------------------------------------------------------------------------------------


def bookyear_and_period(period: Period) -> tuple[int, int]:
    """`4:202603`: the bookyear's id and the period as Octopus counts it.

    Raises: UnexpectedAnswer for a period that was not read here.
    """
    found = re.fullmatch(r"(\d+):(\d+)", period.code)
    if not found:
        raise UnexpectedAnswer(vendor=VENDOR, said=f"a period without a code: {period.name}")
    return int(found[1]), int(found[2])


def booking_ref(bookyear: int, journal: str, number: int) -> BookingRef:
    return BookingRef(f"{bookyear}.{journal}.{number}")


def parts_of(ref: str) -> tuple[int, str, int] | None:
    """Bookyear, journal and number of a booking; None for what is no ref of ours."""
    found = re.fullmatch(r"(\d+)\.([0-9A-Za-z]+)\.(\d+)", ref)
    return (int(found[1]), found[2], int(found[3])) if found else None


def named(ref: str | None) -> tuple[int, str, int]:
    """The same of what is ours. Raises: UnexpectedAnswer."""
    parts = parts_of(ref or "")
    if parts is None:
        raise UnexpectedAnswer(vendor=VENDOR, said=f"an entry without a number: {ref}")
    return parts


def for_people(journal: str, number: int) -> str:
    return f"{journal} {number}"


def number_of(entry: SalesEntry) -> str:
    """The document's number as far as a booking keeps it."""
    return entry.number[:NUMBER].strip()


def comment_of(entry: SalesEntry) -> str:
    """The document's number and our short key, which is never cut.

    The sign of a total tells its kind, but for documents of zero and below: those say it here.
    """
    told_by_sign = entry.gross.amount > 0 or (not entry.gross and entry.kind is DocumentKind.INVOICE)
    mark = "" if told_by_sign else f" {_MARKS[entry.kind]}"
    return f"{number_of(entry)} {entry.key}{mark}"


def entry_payload(entry: SalesEntry, number: int, switches: Switches) -> dict[str, Any]:
    """Our entry in Octopus' words (octopus.md 5.3): the total's sign is what it does to what the customer owes.

    Lines add up to something positive, whatever that sign: those of a document below zero are turned.
    Raises: NotPossible, RelationGone, AccountBlocked, for what Octopus cannot be told.
    """
    bookyear, period = bookyear_and_period(entry.period)
    credit_note = entry.kind is DocumentKind.CREDIT_NOTE
    due = entry.day if credit_note else entry.due_on or entry.day
    if not entry.relation.isdecimal():
        raise RelationGone(customer=entry.relation)
    return {
        "buySellBookingServiceData": {
            "bookyearKey": {"id": bookyear},
            "journalKey": entry.journal,
            "documentSequenceNr": number,
            "bookyearPeriodeNr": period,
            "documentDate": entry.day.isoformat(),
            "expiryDate": due.isoformat(),
            "relationIdentificationServiceData": {"relationKey": {"id": int(entry.relation)}},
            "reference": entry.payment_reference or number_of(entry),
            "comment": comment_of(entry),
            "amount": _signed(entry.gross, entry.kind).amount,
            "currencyCode": entry.currency,
            "exchangeRate": _rate(entry, switches),
            "paymentMethod": 0,
            "bookingLines": [_line_payload(line, _is_turned(entry)) for line in of_one_sign(entry.lines)],
        }
    }


def _rate(entry: SalesEntry, switches: Switches) -> Decimal:
    if entry.currency == BASE:
        return Decimal("1.0")
    return round(1 / entry.exchange_rate, 10).normalize() if switches.divide_by_rate else entry.exchange_rate


def _is_turned(entry: SalesEntry) -> bool:
    """Whether lines have the other sign than they are printed with: they are what the total's sign makes of them.

    A total of zero makes nothing of them: then those of a credit note say themselves that they take back.
    """
    return entry.gross.amount < 0 or (not entry.gross and entry.kind is DocumentKind.CREDIT_NOTE)


def _line_payload(line: EntryLine, turned: bool) -> dict[str, Any]:
    net, vat = (-line.net, -line.vat) if turned else (line.net, line.vat)
    if not re.fullmatch(r"[0-9]{1,9}", line.account):
        raise AccountBlocked(account=line.account)
    return {
        "accountKey": int(line.account),
        "baseAmount": net.amount,
        "vatCodeKey": line.vat_code,
        "vatAmount": vat.amount,
        "comment": line.description,
    }


def of_one_sign(lines: Sequence[EntryLine]) -> tuple[EntryLine, ...]:
    """The lines, none of which has a base of one sign and VAT of the other: Octopus refuses those (-23).

    Rounding makes such lines of a cent or two. One is taken together with the largest of its account and VAT code, so
    that both book to the cent what they did. Raises: NotPossible where there is none that can take it.
    """
    kept = [line for line in lines if not _opposed(line)]
    for odd in (line for line in lines if _opposed(line)):
        alike = [n for n, line in enumerate(kept) if (line.account, line.vat_code) == (odd.account, odd.vat_code)]
        largest = max(alike, key=lambda n: abs(kept[n].net.amount), default=None)
        if largest is None:
            raise NotPossible(vendor=VENDOR, feature="vat_against_base")
        together = replace(
            kept[largest], net=kept[largest].net + odd.net, vat=kept[largest].vat + odd.vat, quantity=Decimal(1)
        )
        if _opposed(together):
            raise NotPossible(vendor=VENDOR, feature="vat_against_base")
        kept[largest] = together
    return tuple(kept)


def _opposed(line: EntryLine) -> bool:
    return line.net.amount * line.vat.amount < 0


def with_files(payload: str, files: Sequence[File]) -> str:
    """The body that is sent: the payload as it was stored, with what goes along."""
    if not files:
        return payload
    attachments = [{"fileName": file.name, "fileData": base64.b64encode(file.content).decode()} for file in files]
    return f'{payload[:-1]},"attachments":{to_json(attachments)}}}'


def _signed(amount: Money, kind: DocumentKind) -> Money:
    """Printed amounts to Octopus' total and back."""
    return -amount if kind is DocumentKind.CREDIT_NOTE else amount


def sent(prepared: Prepared, dossier: str) -> Booking:
    """The booking as we sent it: Octopus answers with nothing."""
    entry = prepared.entry
    return Booking(
        ref=prepared.ref or BookingRef(""),
        administration=administration_of(dossier),
        kind=entry.kind,
        journal=entry.journal,
        number=prepared.number,
        reference=number_of(entry),
        key=entry.key,
        day=entry.day,
        relation=entry.relation,
        gross=entry.gross,
        vat=entry.vat,
        base_gross=entry.gross.amount if entry.currency == BASE else None,
        other_references=(entry.payment_reference,) if entry.payment_reference else (),
    )


def booking(row: wire.Booking, dossier: str) -> Booking:
    """A sale as it stands, whoever booked it."""
    lines = row.bookingLines or []
    vat = Money.rounded(sum((line.vatAmount for line in lines), Decimal(0)), row.currencyCode)
    total = sum((line.baseAmount + line.vatAmount for line in lines), Decimal(0))
    kind = _kind(row, total)
    gross = _signed(Money.rounded(row.amount, row.currencyCode), kind)
    if total * gross.amount < 0 or (not gross and kind is DocumentKind.CREDIT_NOTE):
        vat = -vat
    identification = row.relationIdentificationServiceData
    relation_key = identification.relationKey if identification else None
    reference, others = references(row.comment, row.reference, row.orderReference)
    return Booking(
        ref=booking_ref(row.bookyearKey.id, row.journalKey, row.documentSequenceNr),
        administration=administration_of(dossier),
        kind=kind,
        journal=row.journalKey,
        number=for_people(row.journalKey, row.documentSequenceNr),
        reference=reference,
        key=key_in(row.comment),
        day=row.documentDate,
        relation=RelationRef(str(relation_key.id if relation_key else 0)),
        gross=gross,
        vat=vat,
        base_gross=gross.amount if row.currencyCode == BASE else None,
        other_references=others,
    )


def _kind(row: wire.Booking, lines: Decimal) -> DocumentKind:
    """What our comment says, or else the signs: a total against its lines is a credit note's.

    Zero has no sign: others' are taken for invoices.
    """
    found = _KEY.search(row.comment)
    if found and found[2]:
        return next(kind for kind, mark in _MARKS.items() if mark == found[2])
    opposed = row.amount * lines < 0 or (lines == 0 and row.amount < 0)
    return DocumentKind.CREDIT_NOTE if opposed else DocumentKind.INVOICE


def key_in(comment: str) -> str:
    found = _KEY.search(comment)
    return found[1] if found else ""


def references(comment: str, reference: str, order: str = "") -> tuple[str, tuple[str, ...]]:
    """The document's number as it stands in a booking, and where else a number may stand.

    Ours is what the comment says before our key. Others' is what somebody typed as reference, unless that is a
    structured communication.

    >>> references("2026/145 BBABCDEFGHIJ", "+++090/9337/55493+++")
    ('2026/145', ('+++090/9337/55493+++',))
    >>> references("2026/145", "+++090/9337/55493+++")
    ('2026/145', ('+++090/9337/55493+++',))
    """
    found = _KEY.search(comment)
    if found:
        told = [comment[: found.start()].strip(), reference, order]
    elif _STRUCTURED.fullmatch(reference):
        told = [comment, reference, order]
    else:
        told = [reference, comment, order]
    distinct = list(dict.fromkeys(text for text in told if text))
    return (distinct[0], tuple(distinct[1:])) if distinct else ("", ())


def is_ours(found: Booking, entry: SalesEntry) -> bool:
    """Whether a booking is this document's: it carries our key, or agrees in everything that proves something."""
    if found.key:
        return found.key == entry.key
    return (
        (found.kind, found.day, found.relation, found.gross) == (entry.kind, entry.day, entry.relation, entry.gross)
        and found.vat in (None, entry.vat)
        and number_of(entry) in (found.reference, *found.other_references)
    )


def base_gross(rows: Iterable[wire.LedgerLine], wanted: Booking) -> Decimal | None:
    """The total in euros, from the line of the ledger that holds what the customer owes; None when it is not there."""
    owed = [
        row for row in rows if _ref_of_line(row) == wanted.ref and abs(row.documentAmount) == abs(wanted.gross.amount)
    ]
    receivable = [row for row in owed if row.lineSequenceNr == -1 or str(row.accountKey).startswith("40")] or owed
    if not receivable:
        return None
    amount = abs(receivable[0].bookingAmount)
    return -amount if wanted.gross.amount < 0 else amount


def _ref_of_line(row: wire.LedgerLine) -> BookingRef:
    journal = f"{_letter(row.journalType)}{row.journalNr}"
    return booking_ref(row.bookyearKey.id, journal, row.documentSequenceNr)


def deleted_sale(row: wire.DeletedBooking) -> BookingRef | None:
    """Its name, if it was one."""
    journal = f"{_letter(row.journalType)}{row.journalSequenceNr}"
    return booking_ref(row.bookyearKey.id, journal, row.documentSequenceNr) if journal[0] == "V" else None


def _letter(journal_type: str) -> str:
    return LETTER_OF_TYPE.get(journal_type, journal_type)


# --- receipts -------------------------------------------------------------------------------------------------------

CLIENT_LINE = 1  # of a receipt: lines of D journals count from one


def receipt_payload(receipt: Receipt, number: int, switches: Switches) -> dict[str, Any]:
    """Money of a customer on a clearing account, in Octopus' words (octopus.md 5.7): lines of a D journal net to zero.

    Our key stands in a comment and a reference: of the two only the reference is written down for these lines.
    Raises: RelationGone, AccountBlocked, for what Octopus cannot be told.
    """
    bookyear, period = bookyear_and_period(receipt.period)
    if not receipt.relation.isdecimal():
        raise RelationGone(customer=receipt.relation)
    if not re.fullmatch(r"[0-9]{1,9}", receipt.account):
        raise AccountBlocked(account=receipt.account)
    debit = receipt.amount.amount if switches.various_debits_are_positive else -receipt.amount.amount
    text = f"{receipt.number[:NUMBER].strip()} {receipt.key}"
    structured = (one for one in receipt.references if _STRUCTURED.fullmatch(one))
    client = {"type": CLIENT, "relationId": int(receipt.relation), "externalRelationId": 0, "accountKey": 0}
    clearing = {"type": "A", "relationId": 0, "externalRelationId": 0, "accountKey": int(receipt.account)}
    return {
        "financialDiversBookingServiceData": {
            "bookyearKey": {"id": bookyear},
            "journalKey": receipt.journal,
            "documentSequenceNr": number,
            "bookyearPeriodeNr": period,
            "documentDate": receipt.day.isoformat(),
            "exchangeRate": Decimal("1.0"),
            "bookingLines": [
                {**client, "amount": -debit, "reference": next(structured, receipt.number[:NUMBER]), "comment": text},
                {**clearing, "amount": debit, "reference": text, "comment": text},
            ],
        }
    }


def is_our_receipt(row: wire.MoneyBooking, receipt: Receipt) -> bool:
    texts = [text for line in row.bookingLines or () for text in (line.reference, line.comment)]
    return receipt.key in map(key_in, texts)


def match_payload(match: Match) -> dict[str, Any]:
    """What the customer owes on an invoice with the customer's line of a receipt (octopus.md 6.1)."""
    return {
        "debetKey": _balancing_key(match.invoice, -1),
        "creditKey": _balancing_key(match.receipt, CLIENT_LINE),
        "balanceAmount": match.amount.amount,
    }


def _balancing_key(ref: BookingRef, line: int) -> dict[str, Any]:
    bookyear, journal, number = named(ref)
    return {
        "bookyearKey": {"id": bookyear},
        "journalKey": journal,
        "documentSequenceNr": number,
        "lineSequenceNr": line,
    }


def is_match(row: wire.Balancing, match: Match) -> bool:
    ends = (row.debetDocument.balancingKey, row.creditDocument.balancingKey)
    lines = [(_ref_of(key), key.lineSequenceNr) for key in ends]
    return lines == [(match.invoice, -1), (match.receipt, CLIENT_LINE)]


# --- settlements ----------------------------------------------------------------------------------------------------


def settlements(row: wire.Balancing, read_at: datetime, *, undone: bool) -> list[tuple[Settlement, date | None]]:
    """What one match says about the sales at its two ends: about none, one, or an invoice and its credit note.

    Each with the date of the sale itself.
    """
    if row.type.type != CLIENT:
        return []
    ends = ((row.debetDocument, row.creditDocument), (row.creditDocument, row.debetDocument))
    return [
        (_settlement(row, own, counter, read_at, undone), own.documentDate)
        for own, counter in ends
        if own.balancingKey.journalKey[0] == "V"
    ]


def _settlement(
    row: wire.Balancing, own: wire.BalancingDocument, counter: wire.BalancingDocument, read_at: datetime, undone: bool
) -> Settlement:
    kind = SettlementKind.WRITE_OFF
    if undone:
        kind = SettlementKind.OPEN
    elif counter.balancingKey.journalKey[0] == "F":
        kind = SettlementKind.PAYMENT
    elif counter.balancingKey.journalKey[0] == "V":
        kind = SettlementKind.CREDIT_NOTE
    elif key_in(counter.comment):
        kind = SettlementKind.RECEIPT
    reference, others = references(own.comment, own.reference)
    return Settlement(
        id=f"{_line_name(own.balancingKey)}~{_line_name(counter.balancingKey)}",
        booking=_ref_of(own.balancingKey),
        kind=kind,
        amount=matched(row, own, counter),
        day=counter.documentDate or own.documentDate or date.min,
        version=int(read_at.timestamp() * 1000),
        references=tuple(text for text in (reference, *others) if text),
        gross=_whole(own),
    )


def matched(row: wire.Balancing, own: wire.BalancingDocument, counter: wire.BalancingDocument) -> Money:
    """The matched part in the sale's own currency.

    Octopus tells it in euros. Where either end is matched whole, that end's own amount is exact; else it is a share.
    """
    euros = max(abs(row.creditBalancedBookingAmount), abs(row.debetBalancedBookingAmount))
    whole = _in_books(own)
    if own.currencyCode == BASE or not whole:
        return Money.rounded(euros, own.currencyCode)
    if euros >= whole:
        return _whole(own)
    if counter.currencyCode == own.currencyCode and euros == _in_books(counter):
        return _whole(counter)
    return Money.rounded(euros * _whole(own).amount / whole, own.currencyCode)


def _in_books(end: wire.BalancingDocument) -> Decimal:
    return max(abs(end.debetBookingAmount), abs(end.creditBookingAmount))


def _whole(end: wire.BalancingDocument) -> Money:
    return Money.rounded(max(abs(end.debetDocumentAmount), abs(end.creditDocumentAmount)), end.currencyCode)


def _ref_of(key: wire.BalancingKey) -> BookingRef:
    return booking_ref(key.bookyearKey.id, key.journalKey, key.documentSequenceNr)


def _line_name(key: wire.BalancingKey) -> str:
    return _ref_of(key) if key.lineSequenceNr == -1 else f"{_ref_of(key)}.{key.lineSequenceNr}"


def report_payload(oldest: wire.Bookyear, newest: wire.Bookyear) -> dict[str, Any]:
    """All open items of all customers: an id that is left out would be relation 0 (octopus.md 6.2)."""
    return {
        "fromBookyearKey": {"id": oldest.id},
        "toBookyearKey": {"id": newest.id},
        "fromBookyearPeriodNr": min(one.bookyearPeriod for one in oldest.periods),
        "toBookyearPeriodNr": max(one.bookyearPeriod for one in newest.periods),
        "relationId": -1,
        "externalRelationId": -1,
    }


def open_item(row: wire.OpenRow) -> OpenItem | None:
    """What is open of a sale; None for payments without a match and other rows of a customer's account."""
    left = Money.rounded(abs(row.openDocAmount), row.currencyCode)
    if row.journalKey[0] != "V" or not left:
        return None
    reference, others = references(row.comment, row.reference)
    gross = max(abs(row.debetDocumentAmount), abs(row.creditDocumentAmount))
    return OpenItem(
        booking=booking_ref(row.bookyearKey.id, row.journalKey, row.documentSequenceNr),
        open=left,
        references=tuple(text for text in (reference, *others) if text),
        gross=Money.rounded(gross, row.currencyCode),
    )
