"""The books: what an administration holds, and what we write into it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Generic, NewType, TypeVar

from .documents import DocumentId, DocumentKind, File
from .errors import SyncError
from .money import Money
from .relations import RelationRef

AdministrationId = NewType("AdministrationId", str)
"""`package.realm.code`: "exact.be.3001234", "octopus.-.70001". Only the registry looks inside."""
BookingRef = NewType("BookingRef", str)
"""The vendor's id of a booking, made by the adapter where there is none; never a number for people (rules.md 7)."""
FolderRef = NewType("FolderRef", str)
"""The vendor's id of what holds the files of a booking, where files do not hang on the booking itself."""
Cursor = NewType("Cursor", str)
"""Where a reader left off; only its vendor knows what it says."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows, and the cursor to save once they are dealt with."""

    rows: tuple[T, ...]
    cursor: Cursor
    gone: tuple[str, ...] = ()  # refs that are no more, where the vendor tells


@dataclass(frozen=True, slots=True)
class Administration:
    """One set of books a login can reach: a division, a dossier, an office."""

    id: AdministrationId
    code: str  # as people know it there
    name: str
    vat_number: str
    country: str
    currency: str
    usable: bool = True  # False: archived or blocked for now


class JournalKind(StrEnum):
    SALES = "sales"
    PURCHASE = "purchase"
    BANK = "bank"
    GENERAL = "general"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Journal:
    code: str
    name: str
    kind: JournalKind
    blocked: bool = False


@dataclass(frozen=True, slots=True)
class LedgerAccount:
    """An account we may book on: lines on one for revenue (rules.md 20), receipts on one for clearing (rules.md 25)."""

    id: str  # what the package wants to be told: a GUID, a number, a dim1 code
    code: str
    name: str
    blocked: bool = False


class Regime(StrEnum):
    """Why a rate is what it is; zero per cent has many reasons (rules.md 18)."""

    DOMESTIC = "domestic"
    REVERSE_CHARGE = "reverse_charge"
    EU_GOODS = "eu_goods"
    EU_SERVICES = "eu_services"
    EXPORT = "export"
    EXEMPT = "exempt"


@dataclass(frozen=True, slots=True)
class VatCode:
    code: str
    name: str
    percentage: Decimal  # a fraction: 0.21
    regime: Regime
    kinds: tuple[DocumentKind, ...] = (DocumentKind.INVOICE, DocumentKind.CREDIT_NOTE)
    usable: bool = True  # False: blocked, for purchases, VAT-inclusive or for another country (OSS)


@dataclass(frozen=True, slots=True)
class Period:
    name: str  # as the package prints it: "2026 - 03"
    first: date
    last: date
    closed_for: tuple[str, ...] = ()  # codes of the journals that are shut; ("*",) for all
    code: str = ""  # what the package wants to be told, where a date is not enough: "4:202603"

    def is_closed(self, journal: str) -> bool:
        return "*" in self.closed_for or journal in self.closed_for


@dataclass(frozen=True, slots=True)
class FiscalYear:
    name: str
    periods: tuple[Period, ...]  # in order, never empty

    @property
    def first(self) -> date:
        return self.periods[0].first

    @property
    def last(self) -> date:
        return self.periods[-1].last


@dataclass(frozen=True, slots=True)
class PaymentTerm:
    code: str
    name: str
    days: int
    end_of_months: int = 0  # months that are completed first


@dataclass(frozen=True, slots=True)
class Books:
    """What the last refresh read in an administration: the ground every plan stands on."""

    journals: tuple[Journal, ...] = ()
    accounts: tuple[LedgerAccount, ...] = ()
    vat_codes: tuple[VatCode, ...] = ()
    years: tuple[FiscalYear, ...] = ()
    terms: tuple[PaymentTerm, ...] = ()
    currency: str = "EUR"
    clearing_accounts: tuple[LedgerAccount, ...] = ()  # where money from Teamleader may go (rules.md 25)


@dataclass(frozen=True, slots=True)
class EntryLine:
    account: str  # LedgerAccount.id
    vat_code: str
    net: Money
    vat: Money
    description: str
    quantity: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class SalesEntry:
    """One document in the package's words but nobody's spelling: what we want booked.

    Amounts stand as printed; the side, or the sign, is the mapping's business (rules.md 13).
    """

    document: DocumentId
    key: str  # our short key, carried by the booking
    kind: DocumentKind
    number: str  # the document's own number, the reference in the books
    journal: str
    day: date
    due_on: date | None
    period: Period
    relation: RelationRef
    currency: str
    exchange_rate: Decimal
    lines: tuple[EntryLine, ...]
    payment_reference: str = ""
    payment_term: str = ""  # "" leaves the relation's own
    folder: FolderRef = FolderRef("")  # where its files lie; "" when it has none

    @property
    def net(self) -> Money:
        return Money.total((line.net for line in self.lines), self.currency)

    @property
    def vat(self) -> Money:
        return Money.total((line.vat for line in self.lines), self.currency)

    @property
    def gross(self) -> Money:
        return self.net + self.vat

    def vat_by_code(self) -> dict[str, tuple[Money, Money]]:
        """Net and VAT per VAT code."""
        result: dict[str, tuple[Money, Money]] = {}
        zero = Money.zero(self.currency)
        for line in self.lines:
            net, vat = result.get(line.vat_code, (zero, zero))
            result[line.vat_code] = (net + line.net, vat + line.vat)
        return result


@dataclass(frozen=True, slots=True)
class Folder:
    """What holds the files of one document in the books, made before its entry. Found again by key and relation."""

    kind: DocumentKind
    number: str
    key: str  # our short key, as the booking carries it
    day: date
    relation: RelationRef

    @classmethod
    def of(cls, entry: SalesEntry) -> Folder:
        return cls(entry.kind, entry.number, entry.key, entry.day, entry.relation)


@dataclass(frozen=True, slots=True)
class Prepared:
    """An entry ready to be sent: the vendor's payload and what must be remembered before the call."""

    entry: SalesEntry
    payload: str  # exactly what will be sent
    hash: str  # of the payload
    number: str = ""  # the package's number where the caller chooses it (Octopus)
    ref: BookingRef | None = None  # what the booking will be called, where that number makes it
    again: bool = False  # offered before, outcome unknown (`Abilities.resend_settles`); never stored
    files: tuple[File, ...] = ()  # what goes along (`Abilities.files_with_entry`); put in before sending, never stored


@dataclass(frozen=True, slots=True)
class Booking:
    """A sales entry as it stands in the books, whoever made it."""

    ref: BookingRef
    administration: AdministrationId
    kind: DocumentKind
    journal: str
    number: str  # the package's, for people
    reference: str  # the customer's reference: our document number, or what somebody typed
    key: str  # our short key when the booking carries one, else ""
    day: date
    relation: RelationRef
    gross: Money  # signed as printed on a document of this kind
    vat: Money | None  # None where a list does not tell
    final: bool = True  # False: provisional or not processed yet
    base_gross: Decimal | None = None  # `gross` in the books' own currency; None where an answer does not tell
    other_references: tuple[str, ...] = ()  # where else a document's number may stand: a comment, an order reference


def same_reference(one: str, other: str, length: int) -> bool:
    """Whether two people would call it the same number: blanks and capitals aside, as far as the package keeps it."""
    return _plain(one[:length]) == _plain(other[:length])


def _plain(reference: str) -> str:
    return "".join(reference.split()).casefold()


class SettlementKind(StrEnum):
    PAYMENT = "payment"
    CREDIT_NOTE = "credit_note"
    WRITE_OFF = "write_off"
    RECEIPT = "receipt"  # our own entry of money Teamleader has: never registered there again
    OPEN = "open"  # nothing settled (any more): undoes a settlement of the same id


@dataclass(frozen=True, slots=True)
class Settlement:
    """One part of an open item that the bookkeeper matched, or opened again."""

    id: str  # stable for this part, unique in the administration
    booking: BookingRef
    kind: SettlementKind
    amount: Money  # of this part, positive
    day: date  # of the money, or of the match
    version: int = 0  # grows with every word on the same part: a late reader never undoes a newer one
    # Of the settled booking as it reads now, where its ref may come to mean another one (rules.md 4).
    references: tuple[str, ...] = ()
    gross: Money | None = None  # positive, whatever the kind


@dataclass(frozen=True, slots=True)
class OpenItem:
    """A booking that is not settled, as the package's own report of open items has it."""

    booking: BookingRef
    open: Money  # of the document's currency, positive when the customer owes on an invoice, or we on a credit note
    references: tuple[str, ...] = ()
    gross: Money | None = None  # positive, whatever the kind


@dataclass(frozen=True, slots=True)
class Receipt:
    """Money of a customer that Teamleader has and the books lack: an entry on a clearing account (rules.md 25)."""

    invoice: BookingRef  # what it pays
    number: str  # the invoice's own, for people
    references: tuple[str, ...]  # what the invoice carries in the books
    key: str  # our short key of this payment, carried by the entry
    journal: str  # one for various entries
    account: str  # LedgerAccount.id
    day: date
    period: Period
    relation: RelationRef
    amount: Money


@dataclass(frozen=True, slots=True)
class PreparedReceipt:
    """A receipt ready to be sent, as `Prepared` is for a sales entry."""

    receipt: Receipt
    payload: str  # exactly what will be sent
    hash: str  # of the payload
    number: str  # the package's, chosen by us
    ref: BookingRef
    again: bool = False  # offered before, outcome unknown; never stored


@dataclass(frozen=True, slots=True)
class Entered:
    """A receipt as it stands in the books."""

    ref: BookingRef
    number: str  # the package's, for people


@dataclass(frozen=True, slots=True)
class Match:
    """An invoice and our receipt, to be matched with each other in whole."""

    invoice: BookingRef
    receipt: BookingRef
    amount: Money


# What became of a write.


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    value: T


@dataclass(frozen=True, slots=True)
class Refused:
    """A clear no: nothing was written."""

    cause: SyncError


@dataclass(frozen=True, slots=True)
class Unknown:
    """No answer, or one that says nothing about whether it was written."""

    why: str


Outcome = Done[T] | Refused | Unknown


@dataclass(frozen=True, slots=True)
class DailyBudget:
    """How much of a day's calls is left, as the vendor last told us."""

    left: float  # 0 to 1
    resets_at: datetime


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a package can do. The contract suite reads it too."""

    batch: int = 1  # most entries in one `book`
    caller_numbers: bool = False  # we choose the package's number (Octopus)
    provisional: bool = False  # entries arrive as provisional (Twinfield)
    shared_journal: bool = False  # one journal may hold both kinds (rules.md 32)
    credit_note_vat_codes: bool = False  # codes of their own for credit notes (Octopus)
    reference_length: int = 30  # how much of a document's number the package keeps
    settle_s: int = 60  # how long after a lost answer the write may still appear
    resend_settles: bool = False  # the same write a second time is refused or changes nothing: offering settles a doubt
    reads_back: bool = True  # False: an answer to a booking is empty, so the next look at the journals compares it
    files_with_entry: bool = False  # files go along in the call that books (Octopus)
    outward: bool = False  # takes money that only Teamleader has, matched to its invoice (Octopus; rules.md 25)
    bookings_a_day: int | None = None  # the vendor's limit, None where there is none that a person would notice
    revenue_prefixes: tuple[str, ...] = field(default=())
