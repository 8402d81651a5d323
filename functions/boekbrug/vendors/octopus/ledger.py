"""A dossier of Octopus as a ledger. What each method costs in calls stands in QUIRKS.md."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from ...domain.documents import AccountId
from ...domain.errors import (
    AdministrationUnreachable,
    JournalInUse,
    JournalMissing,
    JournalNotSales,
    NotPossible,
    NumberTaken,
    RateLimited,
    RelationAmbiguous,
    SyncError,
    TokenBusy,
    UnexpectedAnswer,
    VendorDown,
)
from ...domain.ledger import (
    Abilities,
    Administration,
    Booking,
    BookingRef,
    Cursor,
    DailyBudget,
    Done,
    FiscalYear,
    Journal,
    LedgerAccount,
    OpenItem,
    Outcome,
    Page,
    PaymentTerm,
    Prepared,
    Refused,
    SalesEntry,
    Settlement,
    Unknown,
    VatCode,
)
from ...domain.relations import (
    Relation,
    RelationDraft,
    RelationQuery,
    RelationRef,
    compact_vat,
    names_agree,
)
from ...ports import Clock, Numbers, RealClock
from ..http import plain, to_json
from . import limits, mapping, refusals, wire
from .client import LONG, LONGER, Client, Lobby, No
from .limits import VENDOR
from .lines import IN_USE, OFFER, Lines
from .looks import Found, Look, pages
from .receipts import OctopusReceipts
from .times import EVERYTHING, stamp

ABILITIES = Abilities(
    caller_numbers=True,
    credit_note_vat_codes=True,
    reference_length=mapping.NUMBER,
    settle_s=0,
    resend_settles=True,
    reads_back=False,
    files_with_entry=True,
    outward=True,
    bookings_a_day=400,
    revenue_prefixes=(mapping.REVENUE,),
)
RECENT = timedelta(hours=24)
BEFORE = timedelta(days=90)  # an invoice may be dated later than it was booked and paid
MOST_CONNECTS = 30  # dossiers that are tried for one list of a login's dossiers
MOST_YEARS = 3  # bookyears whose journals are read; older ones that nobody closed are taken as open
SALES = 2  # journalTypeId
CHANGES = "changes"  # the one part of a look at what changed


class OctopusPackage:
    """One login at Octopus: the dossiers its user may open."""

    def __init__(self, lobby: Lobby, connect: Callable[[str], object]) -> None:
        self._lobby = lobby
        self._connect = connect

    def administrations(self) -> Sequence[Administration]:
        """One that cannot be opened now is not usable, and does not keep the others from being listed."""
        rows = self._lobby.dossiers()
        return [
            mapping.administration(row, usable=n >= MOST_CONNECTS or self._opens(str(row.dossierKey.id)))
            for n, row in enumerate(rows)
        ]

    def administration(self, dossier: str) -> Administration:
        """One of them. Raises: AdministrationUnreachable."""
        for row in self._lobby.dossiers():
            if str(row.dossierKey.id) == dossier:
                return mapping.administration(row, usable=self._opens(dossier))
        raise AdministrationUnreachable(administration=dossier)

    def _opens(self, dossier: str) -> bool:
        try:
            self._connect(dossier)
        except (AdministrationUnreachable, RateLimited, TokenBusy, UnexpectedAnswer, VendorDown):
            return False
        return True


class OctopusLedger:
    """One dossier."""

    def __init__(
        self,
        client: Client,
        package: OctopusPackage,
        numbers: Numbers,
        account: AccountId,
        clock: Clock,
        real: RealClock,
        dossier: str,
        switches: mapping.Switches = mapping.Switches(),
    ) -> None:
        self._client = client
        self._package = package
        self._lines = Lines(client, numbers, account, real, dossier)
        self._clock = clock
        self._dossier = dossier
        self._switches = switches
        self._look_again = False  # others may have booked: the next look is taken however young the last one is
        self._read: dict[str, int] = {}  # next numbers as Octopus told them, by line; to be used after that look
        self._lists: dict[tuple[int, str], Sequence[Booking]] = {}  # journals read whole since the last look, by year
        self._just_read: tuple[list[wire.Bookyear], dict[int, list[wire.Journal]]] | None = None
        self._accounts: list[wire.Account] | None = None  # two calls a day
        self._vat_codes: list[VatCode] | None = None  # two calls a day

    @property
    def abilities(self) -> Abilities:
        return ABILITIES

    def daily_budget(self) -> DailyBudget:
        return self._client.meter.left()

    # --- what a dossier holds ---------------------------------------------------------------------------------------

    def administration(self) -> Administration:
        return self._package.administration(self._dossier)

    def journals(self) -> Sequence[Journal]:
        """Of the newest open bookyear."""
        years = self._bookyears()
        newest = mapping.newest_open(years)
        rows = self._journals(newest.id) if newest else []
        self._just_read = (years, {newest.id: rows} if newest else {})
        return [mapping.journal(row) for row in rows]

    def revenue_accounts(self) -> Sequence[LedgerAccount]:
        return mapping.accounts_of(self._chart(), mapping.REVENUE)

    def _chart(self) -> list[wire.Account]:
        """Every account of the newest open bookyear, asked once."""
        if self._accounts is None:
            newest = mapping.newest_open(self._just_read[0] if self._just_read else self._bookyears())
            query = {"bookyearId": newest.id if newest else 0}
            data = self._client.get("/accounts", limits.ACCOUNTS, query).data if newest else None
            self._accounts = wire.rows_of(data, wire.Account)
        return self._accounts

    def vat_codes(self) -> Sequence[VatCode]:
        if self._vat_codes is None:
            data = self._client.get("/vatcodes", limits.VAT_CODES).data
            self._vat_codes = mapping.vat_codes(wire.rows_of(data, wire.VatCode), self._switches)
        return self._vat_codes

    def fiscal_years(self) -> Sequence[FiscalYear]:
        """What `journals` has just read is not asked again, once."""
        years, journals = self._just_read or (self._bookyears(), {})
        self._just_read = None
        still_open = sorted((year for year in years if not year.closed), key=lambda year: year.startDate)
        for year in still_open[-MOST_YEARS:]:
            if year.id not in journals:
                journals[year.id] = self._journals(year.id)
        return mapping.fiscal_years(years, journals)

    def payment_terms(self) -> Sequence[PaymentTerm]:
        return mapping.payment_terms()

    def _bookyears(self) -> list[wire.Bookyear]:
        return wire.rows_of(self._client.get("/bookyears", limits.BOOKYEARS).data, wire.Bookyear)

    def _journals(self, bookyear: int) -> list[wire.Journal]:
        return wire.rows_of(self._client.get(f"/bookyears/{bookyear}/journals", limits.JOURNALS).data, wire.Journal)

    # --- relations --------------------------------------------------------------------------------------------------

    def relations(self, since: Cursor | None) -> Iterator[Page[Relation]]:
        look = Look.at(since)
        if look.is_young(self._clock.now()):
            return

        def read(_: str) -> Found[Relation]:
            query = {"modifiedTimeStamp": look.since}
            answer = self._client.get("/relations/modified", limits.RELATIONS_CHANGED, query, timeout=LONGER)
            changed = wire.changes_of(answer.data, wire.ChangedRelations)
            gone = tuple(mapping.relation_ref(row) for row in changed.deleted or ())
            rows = [mapping.relation(row) for row in changed.modified or ()]
            return Found([row for row in rows if row.ref not in gone], answer.at, answer.behind, gone)

        yield from pages(look, [CHANGES], read, lambda row: row.ref)

    def find_relations(self, wanted: Sequence[RelationQuery]) -> Sequence[Sequence[Relation]]:
        return [self._find(query) for query in wanted]

    def _find(self, query: RelationQuery) -> list[Relation]:
        """A question more only where the VAT number was not found as Octopus prints it."""
        found: dict[RelationRef, Relation] = {}
        for question in mapping.searches(query):
            found |= {row.ref: row for row in self._search(question) if mapping.matches(row, query)}
            if any(compact_vat(row.vat_number) == compact_vat(query.vat_number) for row in found.values()):
                break
        return list(found.values())

    def _search(self, question: dict[str, str]) -> list[Relation]:
        answer = self._client.get("/relations", limits.RELATION_SEARCH, question)
        return [mapping.relation(row) for row in wire.rows_of(answer.data, wire.Relation)]

    def save_relations(self, drafts: Sequence[RelationDraft]) -> Sequence[Outcome[Relation]]:
        outcomes: list[Outcome[Relation]] = []
        for draft in drafts:
            try:
                outcomes.append(self._save_relation(draft))
            except SyncError as error:
                if not outcomes:
                    raise
                outcomes.append(Unknown(why=str(error)))  # not sent; whether an earlier offer stands was not asked
        return outcomes

    def _save_relation(self, draft: RelationDraft) -> Outcome[Relation]:
        """Our own number is read as free first: Octopus would change whatever relation carries it (rules.md 3)."""
        if refusal := mapping.incomplete(draft):
            return Refused(refusal)
        if (taken := self._under_our_number(draft)) is not None:
            return taken
        body = to_json(mapping.relation_payload(draft))
        answer = self._client.write("PUT", "/relations", limits.RELATION_PUT, body)
        if isinstance(answer, Unknown):
            return answer
        if isinstance(answer, No):
            return Refused(answer.cause or refusals.of_a_relation(answer.refusal, draft))
        return self._as_created(answer.data, draft)

    def _as_created(self, data: object, draft: RelationDraft) -> Outcome[Relation]:
        """The relation in the answer; where it is empty, the one that carries our number now."""
        try:
            if data is not None:
                return Done(mapping.relation(wire.row_of(data, wire.Relation)))
            found = self._under_our_number(draft)
        except SyncError as error:
            return Unknown(why=str(error))
        return found or Unknown(why="saved, and not found under our number")

    def _under_our_number(self, draft: RelationDraft) -> Done[Relation] | Refused | None:
        """Who carries the number of this customer: ours (it was created before), somebody else's, or nobody's."""
        question = {"extRelationId": str(mapping.external_number(draft.customer))}
        found = self._search(question)
        if not found:
            return None
        for relation in found:
            numbers = {compact_vat(relation.vat_number), compact_vat(draft.vat_number)}
            if names_agree(relation.name, draft.name) and len(numbers) == 1:
                return Done(relation)
        names = ", ".join(f"{relation.name} ({relation.code})" for relation in found)
        return Refused(RelationAmbiguous(customer=draft.name, candidates=plain(names)))

    # --- documents: preparing ---------------------------------------------------------------------------------------

    def prepare(self, entries: Sequence[SalesEntry]) -> Sequence[Prepared | SyncError]:
        return [self._prepare(entry) for entry in entries]

    def _prepare(self, entry: SalesEntry) -> Prepared | SyncError:
        """The payload under the next number of its journal. Raises, when that number cannot be read."""
        if entry.journal[:1] in ("A", "D", "F", "L"):
            return JournalNotSales(journal=entry.journal)
        if not re.fullmatch(r"V\d+", entry.journal):
            return JournalMissing(journal=entry.journal)
        try:
            bookyear, _ = mapping.bookyear_and_period(entry.period)
            mapping.entry_payload(entry, 0, self._switches)  # whatever cannot be said costs no number
        except SyncError as error:
            return error
        number = self._next_number(bookyear, entry.journal)
        if isinstance(number, SyncError):
            return number
        payload = to_json(mapping.entry_payload(entry, number, self._switches))
        return Prepared(
            entry=entry,
            payload=payload,
            hash=hashlib.sha256(payload.encode()).hexdigest(),
            number=mapping.for_people(entry.journal, number),
            ref=mapping.booking_ref(bookyear, entry.journal, number),
        )

    def _next_number(self, bookyear: int, journal: str) -> int | SyncError:
        """The journal's next number, held for us until its outcome is clear.

        One that had to be read tells that others may have booked up to it: until the journals were looked at since,
        it counts as taken. Counted on from ours, it needs no look: a booking of somebody else's makes it refused.
        """
        line = self._lines.name(bookyear, journal)
        if not self._lines.hold(line):
            return JournalInUse(journal=journal, until=self._clock.now() + OFFER)
        if (next := self._lines.next(line)) is not None:
            return next
        if line in self._read and not self._look_again:
            return self._read.pop(line)
        try:
            found = self._read_number(line, bookyear, journal)
        finally:
            self._lines.release(line, None)
        return NumberTaken(journal=journal) if found else JournalMissing(journal=journal)

    def _read_number(self, line: str, bookyear: int, journal: str) -> bool:
        """Ask for the next number, to be used after the next look; whether there is such a journal."""
        number = self._lines.read(bookyear, journal)
        if number is None:
            return False
        self._read[line] = number
        self._look_again = True
        return True

    # --- documents: sending -----------------------------------------------------------------------------------------

    def book(self, prepared: Sequence[Prepared]) -> Sequence[Outcome[Booking]]:
        return [self._book(one) for one in prepared]

    def _book(self, prepared: Prepared) -> Outcome[Booking]:
        """Send one entry; its number is free again, or the next one's turn, once the outcome is clear."""
        bookyear, journal, number = mapping.named(prepared.ref)
        self._lists.pop((bookyear, journal), None)
        line = self._lines.name(bookyear, journal)
        files = tuple(file for file in prepared.files if len(file.content) <= self._switches.largest_file)
        if files != prepared.files and not prepared.again:  # what was offered before must be settled, files or not
            self._lines.release(line, number)
            return Refused(NotPossible(vendor=VENDOR, feature="file_too_large"))
        body = mapping.with_files(prepared.payload, files)
        try:
            answer = self._client.write("POST", "/buysellbookings", limits.BOOK, body)
        except SyncError:
            self._lines.release(line, number)
            raise
        if isinstance(answer, Unknown):
            return answer
        if not isinstance(answer, No):
            self._lines.conclude(line, number + 1)
            return Done(mapping.sent(prepared, self._dossier))
        if prepared.again:
            return self._refused_again(prepared, answer, line, number)
        cause = self._cause(prepared, answer)
        if isinstance(cause, NumberTaken):
            self._lines.conclude(line, None)
            self._read_early(line, bookyear, journal)
        else:
            self._lines.conclude(line, number)
        return Refused(cause)

    def _refused_again(self, prepared: Prepared, no: No, line: str, number: int) -> Outcome[Booking]:
        """What a refusal says about the earlier offer of the same number.

        One that comes before Octopus looks at numbers says nothing. One for what is in the entry says that the number
        was free. Of the others, the number taken among them, only the books tell.
        """
        cause = self._cause(prepared, no)
        bookyear, journal, _ = mapping.named(prepared.ref)
        code = no.refusal.code
        if no.cause is not None or code in refusals.BEFORE_NUMBER:
            return Unknown(why=str(cause))
        if code in refusals.AFTER_NUMBER:
            self._lines.conclude(line, number)
            return Refused(cause)
        try:
            standing = self._standing(prepared.ref)
        except SyncError as error:
            return Unknown(why=str(error))
        if standing is not None and mapping.is_ours(standing, prepared.entry):
            self._lines.conclude(line, number + 1)
            return Done(standing)
        if code != refusals.NUMBER_NOT_NEXT:
            return Refused(cause)
        self._lines.conclude(line, None)
        self._read_early(line, bookyear, journal)
        return Refused(cause)

    def _read_early(self, line: str, bookyear: int, journal: str) -> None:
        """After a number that was taken: asked before the look that follows, so that this look covers it."""
        self._look_again = True
        self._read.pop(line, None)
        with suppress(SyncError):  # asked again when it is needed
            self._read_number(line, bookyear, journal)

    def _cause(self, prepared: Prepared, no: No) -> SyncError:
        until = self._clock.now() + IN_USE
        return no.cause or refusals.of_an_entry(no.refusal, prepared.entry, until, prepared.files)

    # --- documents: reading -----------------------------------------------------------------------------------------

    def find_bookings(self, prepared: Sequence[Prepared]) -> Sequence[Sequence[Booking]]:
        """Among everything booked in the same bookyears: Octopus searches neither references nor comments."""
        years = {mapping.named(one.ref)[0] for one in prepared}
        standing = [row for year in sorted(years) for row in self._listed({"bookyearId": year}, EVERYTHING).rows]
        return [[row for row in standing if _carries(row, one.entry)] for one in prepared]

    def bookings(self, journals: Sequence[str], start: date, since: Cursor | None) -> Iterator[Page[Booking]]:
        """A look that took long, since a limit or a worker's end cut it in two, is followed by one at what changed
        meanwhile: somebody may have booked in what was read first.
        """
        look, empty = Look.at(since), False
        while not empty and (self._look_again or not look.is_young(self._clock.now())):
            empty = True
            for page in self._look(look, journals, start):
                look, empty = Look.at(page.cursor), False
                rows = tuple(row for row in page.rows if row.journal in journals and row.day >= start)
                yield Page(rows, page.cursor, page.gone)
            self._look_again = False

    def _look(self, look: Look, journals: Sequence[str], start: date) -> Iterator[Page[Booking]]:
        first = [CHANGES]
        if look.last is None and not look.parts:
            years = [year for year in self._bookyears() if year.endDate >= start]
            first = [f"{year.id}.{journal}" for year in years for journal in journals]

        def read(part: str) -> Found[Booking]:
            self._lists.clear()  # what the answer tells of is newer
            if part == CHANGES:
                return self._changed(look.since)
            bookyear, _, journal = part.partition(".")
            return self._listed({"bookyearId": bookyear, "journalKey": journal}, EVERYTHING)

        yield from pages(look, first, read, lambda row: row.ref)

    def _changed(self, since: str) -> Found[Booking]:
        """What was booked or changed, and what is gone: deletions stand in the ledger report only.

        A number that was given to another booking since is not gone: that booking reads otherwise.
        """
        listed = self._listed({"bookyearId": -1}, since)
        query = {"journalTypeId": -1, "modifiedTimeStamp": since}
        answer = self._client.get("/bookyears/-1/bookings/modified", limits.LEDGER_CHANGED, query, timeout=LONG)
        deleted = wire.changes_of(answer.data, wire.DeletedLedger).deletedBookings or ()
        standing = {row.ref for row in listed.rows}
        gone = tuple(ref for row in deleted if (ref := mapping.deleted_sale(row)) and ref not in standing)
        return Found(listed.rows, listed.at, listed.behind, gone)

    def _listed(self, query: dict[str, str | int], since: str) -> Found[Booking]:
        """Sales of the list of changes; purchases come mixed with them."""
        asked = {**query, "modifiedTimeStamp": since}
        answer = self._client.get("/buysellbookings/modified", limits.BOOKINGS_CHANGED, asked, timeout=LONG)
        rows = wire.rows_of(answer.data, wire.Booking)
        return Found(
            [mapping.booking(row, self._dossier) for row in rows if row.journalKey.startswith("V")],
            answer.at,
            answer.behind,
        )

    def booking(self, ref: Booking) -> Booking | None:
        standing = self._standing(ref.ref, self._lists)
        if standing is None or standing.base_gross is not None:
            return standing
        return self._in_euros(standing)

    def _standing(
        self, ref: BookingRef | None, lists: dict[tuple[int, str], Sequence[Booking]] | None = None
    ) -> Booking | None:
        """What stands under a number now: asked for itself ten times a day, in its journal's list after that.

        `lists`: those that were read already and will do; one that was not is added. None: only a new one will.
        """
        named = mapping.parts_of(ref or "")
        if named is None:
            return None
        bookyear, journal, number = named
        query = {"bookyearId": bookyear, "journalKey": journal, "documentSeqNr": number}
        try:
            data = self._client.get("/buysellbookings", limits.BOOKING, query).data
        except RateLimited:
            rows = (lists or {}).get((bookyear, journal))
            if rows is None:
                rows = self._listed({"bookyearId": bookyear, "journalKey": journal}, EVERYTHING).rows
                if lists is not None:
                    lists[bookyear, journal] = rows
            return next((row for row in rows if row.ref == ref), None)
        if data is None:
            return None
        standing = mapping.booking(wire.row_of(data, wire.Booking), self._dossier)
        if standing.ref != ref:
            raise UnexpectedAnswer(vendor=VENDOR, said=f"asked for {ref}, told of {standing.ref}")
        return standing

    def _in_euros(self, standing: Booking) -> Booking:
        """A foreign booking with its total in euros, which the ledger report has: first among what changed lately."""
        named = mapping.parts_of(standing.ref)
        bookyear = named[0] if named else 0
        for since in (stamp(self._clock.now() - RECENT), EVERYTHING):
            query = {"journalTypeId": SALES, "modifiedTimeStamp": since}
            path = f"/bookyears/{bookyear}/bookings/modified"
            answer = self._client.get(path, limits.LEDGER_CHANGED, query, timeout=LONG)
            rows = wire.changes_of(answer.data, wire.ChangedLedger).modifiedBookings or ()
            if (euros := mapping.base_gross(rows, standing)) is not None:
                return replace(standing, base_gross=euros)
        return standing

    def cabinet(self) -> None:
        """None: files go along with the booking (`abilities.files_with_entry`)."""

    def receipts(self) -> OctopusReceipts:
        return OctopusReceipts(self._client, self._lines, self._clock, self._chart, self._switches)

    # --- payments ---------------------------------------------------------------------------------------------------

    def settlements(self, since: Cursor | None, start: date = date.min) -> Iterator[Page[Settlement]]:
        """The first list begins a while before `start`: it has no pages, and that of all years may be too long.

        What is dated from then on can hardly have been matched before; the open items tell of one that was.
        """
        look = Look.at(since)
        if look.is_young(self._clock.now()):
            return
        asked_from = look.since
        if look.last is None and start - date.min > BEFORE:
            asked_from = stamp(datetime.combine(start - BEFORE, time(), UTC))

        def read(_: str) -> Found[Settlement]:
            query = {"modifiedTimeStamp": asked_from}
            answer = self._client.get("/balancings/modified", limits.BALANCINGS_CHANGED, query, timeout=LONG)
            changed = wire.changes_of(answer.data, wire.ChangedBalancings)
            return Found(_parts(changed, self._clock.now(), start), answer.at, answer.behind)

        yield from pages(look, [CHANGES], read, lambda row: row.id)

    def open_items(self) -> Sequence[OpenItem]:
        """From the oldest bookyear on: after the turn of a year the newest one alone may hold nothing."""
        years = sorted((year for year in self._bookyears() if year.periods), key=lambda year: year.startDate)
        if not years:
            return []
        body = to_json(mapping.report_payload(years[0], years[-1]))
        answer = self._client.report("/reports/clients/open", limits.OPEN_ITEMS, body)
        found = (mapping.open_item(row) for row in wire.rows_of(answer.data, wire.OpenRow))
        return [item for item in found if item]


def _parts(changed: wire.ChangedBalancings, read_at: datetime, start: date) -> list[Settlement]:
    """The newest word on each pair: one that was matched anew after it was undone is matched."""
    words: dict[str, Settlement] = {}
    for rows, undone in ((changed.deletedBalancings, True), (changed.modifiedBalancings, False)):
        for row in rows or ():
            for part, own in mapping.settlements(row, read_at, undone=undone):
                if own is None or own >= start:
                    words[part.id] = part
    return list(words.values())


def _carries(row: Booking, entry: SalesEntry) -> bool:
    number = mapping.number_of(entry)
    return row.key == entry.key or number in (row.reference, *row.other_references)
