"""The doors between our deeds and the world: what `sync` asks of vendors and stores, and nothing else.

Everything here is a Protocol. Vendors implement `Focus`, `Package` and `Ledger`; the store implements the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Protocol

from .domain.connections import Connection, ConnectionId, JobKind, LoginId
from .domain.documents import (
    AccountId,
    Category,
    CustomerRef,
    DocumentHeader,
    DocumentId,
    DocumentKind,
    Entity,
    EntityId,
    File,
    FileFormat,
    SalesDocument,
    TaxRate,
)
from .domain.errors import BookingDeleted, SyncError
from .domain.ledger import (
    Abilities,
    Administration,
    AdministrationId,
    Booking,
    BookingRef,
    Cursor,
    DailyBudget,
    Entered,
    FiscalYear,
    Folder,
    FolderRef,
    Journal,
    LedgerAccount,
    Match,
    OpenItem,
    Outcome,
    Page,
    PaymentTerm,
    Prepared,
    PreparedReceipt,
    Receipt,
    SalesEntry,
    Settlement,
    VatCode,
)
from .domain.money import Money
from .domain.relations import Customer, Relation, RelationDraft, RelationQuery, RelationRef
from .messages import RunJob

# --- time -----------------------------------------------------------------------------------------------------------


class Clock(Protocol):
    """The time documents, due dates and vendors live in. On AWS the system's, on the local stage the fakes'."""

    def now(self) -> datetime: ...
    def real_seconds(self, seconds: float) -> float:
        """How long that much of this clock's time takes on the wall (a nudge's delay)."""
        ...


class RealClock(Protocol):
    """The time leases, deadlines and `sent_at` live in: what other processes experience."""

    def now(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Deadline:
    """Until when a slice may work. `stop` ends picking up work; `hard` is when the function is killed."""

    stop: datetime
    hard: datetime


# --- Teamleader Focus -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FocusUser:
    id: str
    account: AccountId
    name: str
    email: str
    language: str  # "nl", "fr", "en", …


@dataclass(frozen=True, slots=True)
class FocusPayment:
    """A payment as Teamleader lists it: no id, no method (rules.md 6)."""

    paid_at: datetime
    amount: Money


@dataclass(frozen=True, slots=True)
class InvoiceState:
    """What Teamleader thinks is still to be paid."""

    id: DocumentId
    due: Money
    paid: bool
    gross: Money


class Focus(Protocol):
    """One Teamleader account.

    Every method may raise VendorDown, RateLimited, AccessExpired, AccessDenied, TokenBusy, UnexpectedAnswer.
    """

    def me(self) -> FocusUser: ...
    def entities(self) -> Sequence[Entity]: ...
    def tax_rates(self) -> Sequence[TaxRate]: ...
    def categories(self) -> Sequence[Category]: ...

    def documents(
        self, entities: Sequence[EntityId], start: date, since: Cursor | None
    ) -> Iterator[Page[DocumentHeader]]:
        """Issued documents dated from `start`, changed since the cursor, invoices and credit notes.

        Never drafts. A page's cursor goes on after it; the last one's is where the next run starts. Rows may come
        twice.
        """
        ...

    def document(self, kind: DocumentKind, document: DocumentId) -> SalesDocument:
        """One document, whole. Raises DocumentGone when Teamleader no longer has it."""
        ...

    def file(self, kind: DocumentKind, document: DocumentId, format: FileFormat) -> bytes:
        """The document as a file. Raises DocumentGone, and NotPossible when it is larger than we carry."""
        ...

    def customers(self, refs: Sequence[CustomerRef]) -> Mapping[CustomerRef, Customer]:
        """The customers of these references; one that vanished is left out."""
        ...

    def all_customers(self, since: Cursor | None) -> Iterator[Page[Customer]]: ...
    def invoice_states(self, documents: Sequence[DocumentId]) -> Mapping[DocumentId, InvoiceState]: ...
    def payments(self, document: DocumentId) -> Sequence[FocusPayment]: ...
    def register_payment(self, document: DocumentId, amount: Money, paid_at: datetime) -> Outcome[None]:
        """Sent once. `paid_at` is aware, whole seconds."""
        ...

    def register_webhooks(self, url: str) -> None:
        """Ask for hints about documents and customers at that address; twice is harmless."""
        ...


# --- the packages ---------------------------------------------------------------------------------------------------


class Package(Protocol):
    """One login at a bookkeeping package: what it may reach."""

    def administrations(self) -> Sequence[Administration]: ...


class PackageFacts(Protocol):
    """What holds for a package whoever logs in: the pages have no login to ask it with."""

    REALMS: tuple[str, ...]  # ("be", "nl") where our app is registered per country, else ("-",)
    ABILITIES: Abilities
    KEEPS_FILES: bool  # takes the document itself, beside its booking or in a cabinet

    def relation_ref(self, typed: str) -> RelationRef | None:
        """The relation a person means, as the package itself writes it (rules.md 21); None when it cannot be one."""
        ...


class Cabinet(Protocol):
    """Where a package keeps files that do not hang on a booking itself: a folder for each, made before its entry.

    Reads and writes keep the promises of `Ledger`.
    """

    def open(self, folder: Folder) -> Outcome[FolderRef]: ...
    def find(self, folder: Folder) -> FolderRef | None:
        """The probe of `open`: a folder with our key, of that relation."""
        ...

    def put(self, folder: FolderRef, file: File) -> Outcome[str]:
        """Add a file; its name. One larger than the package takes is `Refused` (NotPossible), unsent."""
        ...

    def names(self, folder: FolderRef) -> Sequence[str]:
        """What lies in a folder: the probe of `put`."""
        ...


class Receipts(Protocol):
    """Where a package takes money that only Teamleader has: an entry, and its match with the invoice (rules.md 25).

    Reads and writes keep the promises of `Ledger`. Offering a write a second time makes no second one.
    """

    def accounts(self) -> Sequence[LedgerAccount]:
        """The clearing accounts there are to choose from."""
        ...

    def day(self, moment: datetime) -> date:
        """The day of a payment, where the books are kept."""
        ...

    def prepare(self, receipt: Receipt) -> PreparedReceipt | SyncError:
        """The payload under the journal's next number, held until its outcome is clear, or why there is none.

        Unlike a sales entry's, a number that had to be read is used at once: nobody else enters this payment for us,
        and whether its invoice is still open was asked before.
        """
        ...

    def enter(self, prepared: PreparedReceipt) -> Outcome[Entered]:
        """Send this entry. Of one that is offered `again` the outcome says the same as that of `Ledger.book`."""
        ...

    def stands(self, prepared: PreparedReceipt) -> bool:
        """Whether our entry is under its number now."""
        ...

    def match(self, match: Match, *, again: bool = False) -> Outcome[Match]:
        """Match a receipt with its invoice. Done also where they are, whoever did it.

        `again`: offered before; then Refused says that they are not matched, and Unknown everything that does not tell.
        """
        ...


class Ledger(Protocol):
    """One administration: a division in Exact, a dossier in Octopus, an office in Twinfield.

    Reads may raise VendorDown, RateLimited, AccessExpired, AccessDenied, TokenBusy, UnexpectedAnswer.
    Writes never raise for what became of the write: one outcome each, in order. A write is sent once; what could not
    be sent at all (no token, no budget) raises before anything leaves the house.
    """

    @property
    def abilities(self) -> Abilities: ...
    def daily_budget(self) -> DailyBudget | None:
        """None when the vendor has not told yet, or has no daily limit."""
        ...

    # what an administration holds
    def administration(self) -> Administration: ...
    def journals(self) -> Sequence[Journal]: ...
    def revenue_accounts(self) -> Sequence[LedgerAccount]: ...
    def vat_codes(self) -> Sequence[VatCode]: ...
    def fiscal_years(self) -> Sequence[FiscalYear]: ...
    def payment_terms(self) -> Sequence[PaymentTerm]: ...

    # relations
    def relations(self, since: Cursor | None) -> Iterator[Page[Relation]]:
        """Relations changed since the cursor, customers and others, deleted ones left out."""
        ...

    def find_relations(self, wanted: Sequence[RelationQuery]) -> Sequence[Sequence[Relation]]:
        """For each query the relations that match any of its filled fields, customers or not; as few calls as it takes.

        A name matches whole, case apart; numbers match in their compact form. Order: as asked.
        """
        ...

    def save_relations(self, drafts: Sequence[RelationDraft]) -> Sequence[Outcome[Relation]]:
        """Create these relations as customers. Looking first is the caller's business."""
        ...

    # documents
    def prepare(self, entries: Sequence[SalesEntry]) -> Sequence[Prepared | SyncError]:
        """The payloads, exactly as they will be sent, or why there is none: a refusal found here costs no call.

        No call, except for a number where the caller chooses it (`abilities.caller_numbers`): then one entry at a time,
        and the next only after the outcome of this one. JournalInUse while another account's offer is open. NumberTaken
        for a number that had to be read, until `bookings` was read since: others may have booked up to it.
        """
        ...

    def book(self, prepared: Sequence[Prepared]) -> Sequence[Outcome[Booking]]:
        """Send these entries, at most `abilities.batch` at a time: one outcome each.

        Of one that is offered `again`, Done says that it stands, by this offer or an earlier one; Refused that nothing
        of ours stands under its number; Unknown everything else, a refusal that does not tell included.
        """
        ...

    def find_bookings(self, prepared: Sequence[Prepared]) -> Sequence[Sequence[Booking]]:
        """For each prepared entry the bookings that carry its reference or our key, in any journal: the probe."""
        ...

    def bookings(self, journals: Sequence[str], start: date, since: Cursor | None) -> Iterator[Page[Booking]]:
        """Sales entries of these journals dated from `start`, whoever made them; after the first read only changes.

        No page at all where the vendor is asked so seldom that the last look must do; the look after NumberTaken is
        always taken, and one that took long is followed by what changed meanwhile.
        """
        ...

    def booking(self, ref: Booking) -> Booking | None:
        """The booking as it stands now, `vat` filled in; None when it is gone."""
        ...

    def cabinet(self) -> Cabinet | None:
        """None where the package takes no files apart from bookings."""
        ...

    def receipts(self) -> Receipts | None:
        """None where the package takes no money from us (`abilities.outward`)."""
        ...

    # payments
    def settlements(self, since: Cursor | None, start: date = date.min) -> Iterator[Page[Settlement]]:
        """What was matched, or opened again, since the cursor: a row per part of an open item.

        Nothing before `start` is of interest. No page at all where the last look must do, as in `bookings`.
        """
        ...

    def open_items(self) -> Sequence[OpenItem] | None:
        """Every open item of the customers, to check the settlements with; None where those need no check.

        An empty answer never says that all is paid: the matches do (rules.md 22).
        """
        ...


# --- remembered pairs -----------------------------------------------------------------------------------------------


class WriteKind(StrEnum):
    BOOKING = "booking"
    RELATION = "relation"
    PAYMENT = "payment"
    FOLDER = "folder"
    FILE = "file"
    RECEIPT = "receipt"  # an entry of money that only Teamleader has
    MATCH = "match"  # of such an entry with its invoice


class WriteState(StrEnum):
    SENDING = "sending"  # the intent stands; the call may be under way, or its worker may be dead
    UNKNOWN = "unknown"  # sent, no usable answer
    REFUSED = "refused"  # a clear no; may be sent again
    DONE = "done"
    GONE = "gone"  # it stood in the books, and somebody deleted it there; a person may have it sent again


@dataclass(frozen=True, slots=True)
class Intent:
    """What we know about one write: the record the whole protocol stands on (design.md 5)."""

    kind: WriteKind
    subject: str  # document id, customer ref or settlement id; of a file, a receipt or a match more than that
    state: WriteState
    attempt: int
    sent_at: datetime  # by RealClock, written before the call
    payload: str  # exactly what is sent in this attempt, so that a probe can compare
    payload_hash: str
    missed_at: datetime | None = None  # a first probe that found nothing
    result: Mapping[str, Any] | None = None  # JSON of what was written, when DONE
    cause: str = ""  # when REFUSED
    adopted: bool = False  # DONE by finding it, not by our answer


class Links(Protocol):
    """The remembered pairs of one administration of one account. Nothing here ever expires.

    Each step is one conditional write; where it fails because somebody else was first, it raises IntentMoved and the
    caller reads again.
    """

    def intent(self, kind: WriteKind, subject: str) -> Intent | None: ...
    def intents(self, kind: WriteKind, subjects: Sequence[str]) -> Mapping[str, Intent]: ...
    def unsettled(self) -> Sequence[Intent]:
        """Writes in SENDING or UNKNOWN: the demo and the console show them."""
        ...

    def plan(self, kind: WriteKind, subject: str, payload: str, payload_hash: str, sent_at: datetime) -> Intent:
        """The first intent, attempt 1, SENDING. Raises IntentMoved when there is one already."""
        ...

    def again(self, intent: Intent, payload: str, payload_hash: str, sent_at: datetime) -> Intent:
        """From REFUSED or GONE, or from UNKNOWN/SENDING, to SENDING with the next attempt.

        From UNKNOWN/SENDING only what is proved absent, or is offered again with its own payload.
        """
        ...

    def missed(self, intent: Intent, at: datetime) -> Intent: ...
    def unknown(self, intent: Intent) -> Intent: ...
    def refuse(self, intent: Intent, cause: str) -> Intent: ...
    def done(self, intent: Intent, result: Mapping[str, Any], *, adopted: bool = False) -> Intent: ...
    def adopt(self, kind: WriteKind, subject: str, result: Mapping[str, Any], at: datetime) -> Intent:
        """Remember what was found before anything of ours was sent: straight to DONE. Raises IntentMoved."""
        ...

    def gone(self, intent: Intent) -> Intent:
        """From DONE to GONE: the books do not hold it any more. Its ref is free. Raises IntentMoved."""
        ...

    def subject_of(self, kind: WriteKind, ref: str) -> str | None:
        """Which document (or customer) this booking (or relation) is linked to; None when it is nobody's of ours.

        Written in the same step as `done` and `adopt`: a second subject for one ref raises RefTaken.
        """
        ...

    def subjects_of(self, kind: WriteKind, refs: Sequence[str]) -> Mapping[str, str]:
        """The same for many at once, by ref; those that are nobody's of ours are left out."""
        ...


class IntentMoved(Exception):
    """Another worker took this step first."""


class RefTaken(Exception):
    """This booking or relation is linked to another subject already."""


# --- documents in scope ----------------------------------------------------------------------------------------------


class DocumentState(StrEnum):
    WAITING = "waiting"  # to be looked at by the next slice, in order
    HELD = "held"  # a problem keeps it until set-up, document or decision change
    BOOKED = "booked"


BY_DECISION = frozenset({BookingDeleted.__name__})
"""Causes that end by a person's word about that very document: no change and no "sync now" sends it again."""


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """A document of a connection and how far it came."""

    id: DocumentId
    kind: DocumentKind
    connection: ConnectionId
    number: str
    day: date
    gross: Money
    updated_at: datetime
    state: DocumentState
    cause: str = ""  # of the problem, when HELD
    booking_number: str = ""  # when BOOKED: for display only (rules.md 7)

    @property
    def order(self) -> str:
        """Where it stands in line: by day, invoices first, then number, whose digits count as numbers (9 before 10)."""
        number = re.sub(r"\d+", lambda digits: digits[0].zfill(12), self.number)
        return f"{self.day.isoformat()}#{int(self.kind is not DocumentKind.INVOICE)}#{number}#{self.id}"


class Documents(Protocol):
    """The documents in scope of one administration of one account."""

    def seen(self, connection: ConnectionId, headers: Sequence[DocumentHeader]) -> int:
        """Put new or changed documents in line; how many were. One already in line, or unchanged, stays as it is.

        A booked document stays BOOKED whatever the header says (see `booked_among`), and one that only a decision puts
        back (`BY_DECISION`) stays HELD.
        """
        ...

    def booked_among(self, documents: Sequence[DocumentId]) -> Sequence[DocumentRecord]:
        """The records of those that are BOOKED, as they were booked: what a later edit is compared with."""
        ...

    def record(self, document: DocumentId) -> DocumentRecord | None: ...
    def waiting(self, limit: int, after: str = "") -> Sequence[DocumentRecord]:
        """The next documents in line, by day, then kind (invoices first), then number (rules.md 7)."""
        ...

    def booked(self, record: DocumentRecord, booking_number: str) -> None: ...
    def held(self, record: DocumentRecord, cause: str) -> None:
        """Out of the line. No effect when it changed since `record` was read, or was booked unless read as booked."""
        ...

    def release(self, causes: Sequence[str] | None = None, documents: Sequence[DocumentId] | None = None) -> int:
        """Put held documents back in line: those with one of these causes, or these documents, or all.

        "All" leaves out what only a decision about that very document puts back (`BY_DECISION`).
        """
        ...

    def counts(self, connection: ConnectionId) -> Mapping[str, int]:
        """`{"waiting": n, "booked": n, "held:<cause>": n, …}` by reading the records: exact, not cheap."""
        ...

    def records(self, connection: ConnectionId, after: str = "", limit: int = 100) -> Sequence[DocumentRecord]: ...


class Seen(Protocol):
    """What stands in the package's journals, whoever booked it: looked at before the first booking (rules.md 1)."""

    def remember(self, bookings: Sequence[Booking]) -> None:
        """Found under `reference` and each of `other_references` from then on."""
        ...

    def forget(self, refs: Sequence[BookingRef]) -> None:
        """These are no more: neither adopted nor reported."""
        ...

    def by_reference(self, references: Sequence[str]) -> Mapping[str, Sequence[Booking]]: ...


class Settlements(Protocol):
    """What the books settled, remembered before anything is done about it (design.md 5.5)."""

    def remember(self, settlements: Sequence[Settlement]) -> None:
        """Keep the newest word on each part. Nothing comes in line by this: see `claim`."""
        ...

    def claim(self, booking: BookingRef) -> int:
        """This booking is ours: put all that is known of it in line; how many parts.

        Asked for after the parts were kept, or after the booking became ours, whichever was later: so none is lost
        between the two.
        """
        ...

    def pending(self, limit: int, after: Settlement | None = None) -> Sequence[Settlement]:
        """In line, by booking, then id; `after`: the last one of the page before."""
        ...

    def dealt_with(self, settlement: Settlement) -> None:
        """Out of the line, unless a newer word on it came meanwhile."""
        ...

    def of_booking(self, booking: BookingRef) -> Sequence[Settlement]: ...


# --- jobs -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class JobKey:
    account: AccountId
    administration: AdministrationId
    kind: JobKind

    def nudge(self) -> RunJob:
        return RunJob(account=self.account, administration=self.administration, kind=self.kind)


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of recurring work. The lease is the lock; `version` fences a worker whose lease ran out."""

    key: JobKey
    due_at: datetime | None  # by Clock; None: only when asked
    cursor: Mapping[str, Any] = field(default_factory=dict)
    leased_until: datetime | None = None  # by RealClock
    version: int = 0
    again: bool = False  # a nudge came while the lease was held
    paused: str = ""  # cause that keeps it from running
    last_result: Mapping[str, Any] | None = None
    last_run_at: datetime | None = None
    manual: bool = False  # the next run was asked for by a person (rules.md 27)


class Jobs(Protocol):
    def get(self, key: JobKey) -> Job | None: ...
    def of_account(self, account: AccountId) -> Sequence[Job]: ...
    def ensure(self, key: JobKey) -> Job: ...
    def make_due(self, key: JobKey, at: datetime, *, manual: bool = False) -> None:
        """Due at that time or earlier; creates the job when there is none."""
        ...

    def due(self, before: datetime) -> Iterator[JobKey]:
        """Jobs whose time has come, over all shards; may show one a moment too long."""
        ...

    def nudged(self, key: JobKey, *, before: datetime, look_again: datetime, now: datetime) -> bool:
        """A sweep takes a job that was due `before`: its due time moves on, so that one sweep nudges it once.

        False: not due any more, paused, or (at `now`, by RealClock) somebody is at it.
        """
        ...

    def claim(self, key: JobKey, now: datetime, until: datetime) -> Job | None:
        """Take the lease. None when it is held (then `again` is set), paused, or there is no such job."""
        ...

    def save_cursor(self, job: Job, cursor: Mapping[str, Any]) -> None:
        """Raises LeaseLost when the version moved."""
        ...

    def release(
        self, job: Job, *, due_at: datetime | None, result: Mapping[str, Any], ran_at: datetime, paused: str = ""
    ) -> bool:
        """Give the lease back and say when to go on. Raises LeaseLost.

        True when a nudge came meanwhile: then the job is due at once, in case the next nudge does not arrive.
        """
        ...

    def resume(self, account: AccountId, administration: AdministrationId | None, due_at: datetime) -> None:
        """Unpause what a new consent, or a changed set-up, makes possible again."""
        ...


class Nudges(Protocol):
    def send(self, key: JobKey, delay_s: float = 0) -> None:
        """Wake a worker, at most 900 s from now in real time. Twice is harmless."""
        ...


# --- logins and budgets ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tokens:
    access: str = field(repr=False)
    refresh: str = field(repr=False)
    issued_at: datetime  # by Clock, no earlier than the vendor's own moment: when the answer was here
    expires_at: datetime  # by Clock, no later than the vendor's own: counted from before the call


@dataclass(frozen=True, slots=True)
class Login:
    id: LoginId
    account: AccountId
    vendor: str
    realm: str  # "be" or "nl" for Exact, else "-"
    user: str
    tokens: Tokens | None  # None: lost, a person must log in again
    version: int = 0  # whose turn it is: up with every lease, rotation, loss and consent
    generation: int = 0  # which pair it is: up with every rotation and consent, not with a lease or a loss


class Logins(Protocol):
    """Grants, sealed. One app and user linked twice would kill the chain at Exact, so the id is app and user."""

    def get(self, account: AccountId, login: LoginId) -> Login | None: ...
    def of_account(self, account: AccountId) -> Sequence[Login]:
        """What people gave; nothing that was bought with it, whose id is "<login>/<scope>"."""
        ...

    def save_new(self, login: Login) -> Login:
        """After a consent: replaces whatever was there, next version."""
        ...

    def ensure(self, login: Login) -> Login:
        """Keep it unless there is one that has tokens; as it stands then, whoever was first."""
        ...

    def lease(self, login: Login, until: datetime, now: datetime) -> Login | None:
        """Take the right to refresh; None when somebody else has it. Returns the login as it stands under the lease."""
        ...

    def rotate(self, login: Login, tokens: Tokens) -> Login:
        """Save the new pair before its first use, give the lease back.

        Who overslept the lease still saves, as long as nobody brought another pair: the refresh token is used up, and
        this pair is all that is left of the chain. The lease of whoever took over stays as it is, and what its holder
        brings later counts. Raises LeaseLost when there was another pair or consent meanwhile.
        """
        ...

    def lose(self, login: Login) -> bool:
        """The chain is dead: drop the tokens. False, and no effect, without the lease or with another pair there."""
        ...

    def give_back(self, login: Login) -> None: ...


class Budgets(Protocol):
    """Vendor limits, shared by everyone who works in an administration."""

    def blocked_until(self, key: str, now: datetime) -> datetime | None: ...
    def block(self, key: str, until: datetime) -> None: ...
    def count(self, key: str, window_end: datetime, n: int = 1) -> int:
        """Add to a counter that starts again after `window_end`; the count so far."""
        ...


@dataclass(frozen=True, slots=True)
class NumberLine:
    """Where the numbers of one journal stand, for everybody who books there."""

    line: str  # "octopus.70001.4.V1"
    next: int | None  # None: must be read from the package
    version: int


class Numbers(Protocol):
    """Numbers we choose ourselves, in a record shared by all accounts. Never expires.

    The package refuses a number that is not the next one, so this record saves calls and keeps order; it is not what
    keeps a booking single.
    """

    def hold(self, line: str, holder: str, now: datetime, until: datetime) -> NumberLine | None:
        """The line, ours until then (by RealClock) or until `release`; None while another holder's offer is open.

        A holder who comes again gets it again.
        """
        ...

    def release(self, held: NumberLine, next: int | None) -> None:
        """After a clear outcome. No effect when somebody else holds it by now."""
        ...


# --- people ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something is not where it belongs, in words a person can act on."""

    subject: str  # "document:<id>", "file:<document>", "customer:<ref>", "payment:<settlement>", "job:<kind>"
    connection: ConnectionId | None
    cause: str
    family: str
    facts: Mapping[str, str]
    since: datetime
    about: str = ""  # what people call it: the document's number


class Problems(Protocol):
    """Of one administration of one account."""

    def report(self, subject: str, connection: ConnectionId | None, error: SyncError, at: datetime, about: str) -> None:
        """Keeps `since` when the same cause stands already."""
        ...

    def solve(self, subject: str) -> None: ...
    def all(self) -> Sequence[Problem]: ...


class Audit(Protocol):
    """Append-only hash chains, one per administration and one per Teamleader account."""

    def append(self, chain: str, what: str, facts: Mapping[str, Any], at: datetime) -> None:
        """Adds an entry that carries the hash of the one before; retries when two append at once."""
        ...

    def entries(self, chain: str, after: int = 0, limit: int = 100) -> Sequence[Mapping[str, Any]]: ...


class Connections(Protocol):
    def get(self, account: AccountId, connection: ConnectionId) -> Connection | None: ...
    def of_account(self, account: AccountId) -> Sequence[Connection]: ...
    def of_administration(self, account: AccountId, administration: AdministrationId) -> Sequence[Connection]: ...
    def save(self, connection: Connection) -> None: ...


class Snapshots(Protocol):
    """Read models of one account, each replaced as a whole: the books, Teamleader's rates, readiness, proposals."""

    def put(self, name: str, value: Mapping[str, Any]) -> None: ...
    def get(self, name: str) -> Mapping[str, Any] | None: ...
    def put_rows(self, name: str, rows: Mapping[str, Mapping[str, Any]]) -> None:
        """One item a row (previews: one item per proposal), added or replaced."""
        ...

    def rows(self, name: str, after: str = "", limit: int = 200) -> Sequence[tuple[str, Mapping[str, Any]]]: ...
    def row(self, name: str, key: str) -> Mapping[str, Any] | None: ...


# --- who is in the house ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Account:
    """A Teamleader account: the tenant."""

    id: AccountId
    admin: str  # Teamleader user id of whoever connected first
    admin_name: str
    language: str
    focus_login: LoginId
    created_at: datetime


class Accounts(Protocol):
    def get(self, account: AccountId) -> Account | None: ...
    def found(self, account: Account) -> Account:
        """Create it unless it exists; as it stands then (who came first stays the admin)."""
        ...

    def hand_over(self, account: Account) -> None:
        """Its admin's grant is lost: somebody else of the account takes his place."""
        ...


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser. The cookie holds a token; only its hash is stored. Eight hours by Clock."""

    account: AccountId
    user: str
    name: str
    language: str
    csrf: str
    expires_at: datetime


class Sessions(Protocol):
    def open(self, session: Session) -> str:
        """Store it; the token for the cookie (256 bit)."""
        ...

    def get(self, token: str, now: datetime) -> Session | None: ...
    def close(self, token: str) -> None: ...


@dataclass(frozen=True, slots=True)
class OAuthState:
    """An OAuth trip under way: what its answer must fit. Ten minutes, used once."""

    vendor: str
    realm: str
    browser: str  # hash of the cookie of the browser that left
    account: AccountId | None  # None: signing in
    expires_at: datetime


class OAuthStates(Protocol):
    def open(self, state: OAuthState) -> str:
        """Store it; the 256-bit `state` parameter."""
        ...

    def take(self, state: str, now: datetime) -> OAuthState | None:
        """The record, once: a second taker, or a late one, gets None."""
        ...


class WebhookTokens(Protocol):
    def rotate(self, account: AccountId, vendor: str) -> str:
        """A new 256-bit token for this account's webhook URLs; the old one dies. Stored hashed."""
        ...

    def account_of(self, vendor: str, token: str) -> AccountId | None: ...


class Grants(Protocol):
    """Consent at the vendors."""

    def authorize_url(self, vendor: str, realm: str, state: str) -> str: ...
    def exchange(self, vendor: str, realm: str, code: str, account: AccountId | None) -> tuple[Login, FocusUser | None]:
        """Trade the code for tokens and learn whose they are; the Teamleader user when that is the vendor.

        The login is not saved yet. Raises AccessDenied, VendorDown, UnexpectedAnswer.
        """
        ...

    def log_in(self, vendor: str, realm: str, user: str, password: str, account: AccountId) -> Login:
        """A login by user and password, where a vendor takes them: tried once, as attempts are counted there.

        What it reaches was looked at, but it is not saved yet. Raises AccessDenied, VendorDown, UnexpectedAnswer;
        NotFound where the vendor takes none.
        """
        ...

    def webhook_secret(self, vendor: str, realm: str) -> str: ...


class House(Protocol):
    """Every room, opened for one account: what deeds and doors are handed. `wiring` builds it."""

    clock: Clock
    real: RealClock
    accounts: Accounts
    sessions: Sessions
    states: OAuthStates
    webhook_tokens: WebhookTokens
    connections: Connections
    jobs: Jobs
    nudges: Nudges
    logins: Logins
    grants: Grants
    public_url: str  # of our own HTTP API, without a slash at the end

    def focus(self, account: AccountId) -> Focus: ...
    def package(self, account: AccountId, login: LoginId) -> Package: ...
    def facts(self, package: str) -> PackageFacts:
        """Raises NotFound for what is no package."""
        ...

    def ledger(self, account: AccountId, administration: AdministrationId) -> Ledger: ...
    def links(self, account: AccountId, administration: AdministrationId) -> Links: ...
    def documents(self, account: AccountId, administration: AdministrationId) -> Documents: ...
    def seen(self, account: AccountId, administration: AdministrationId) -> Seen: ...
    def settlements(self, account: AccountId, administration: AdministrationId) -> Settlements: ...
    def problems(self, account: AccountId, administration: AdministrationId) -> Problems: ...
    def snapshots(self, account: AccountId) -> Snapshots: ...
    def audit(self, account: AccountId) -> Audit: ...
