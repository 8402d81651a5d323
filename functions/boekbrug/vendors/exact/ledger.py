"""A division of Exact Online as a ledger. What each method costs in calls stands in QUIRKS.md."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any

from ...domain.errors import AdministrationUnreachable, UnexpectedAnswer
from ...domain.ledger import (
    Abilities,
    Administration,
    Booking,
    Cursor,
    DailyBudget,
    FiscalYear,
    Journal,
    LedgerAccount,
    Outcome,
    Page,
    PaymentTerm,
    Prepared,
    Refused,
    SalesEntry,
    Settlement,
    VatCode,
)
from ...domain.relations import Relation, RelationDraft, RelationQuery
from ...ports import Clock
from ..http import to_json
from . import mapping, refusals, wire
from .cabinet import ExactCabinet
from .client import VENDOR, Client

ABILITIES = Abilities()  # one entry a call, numbers chosen by Exact, a journal for each kind
MOST_TERMS = 25  # or-ed in one filter: chains of 20 to 40 work in production (exact-online.md 3.3)
FIRST = "1"  # below every row version
REVENUE = 110  # GLAccounts.Type
SALES_JOURNAL, CLOSED = 20, 1  # JournalStatusList


class ExactPackage:
    """One login at Exact Online: the divisions its user gave our app."""

    def __init__(self, client_of: Callable[[str], Client], realm: str) -> None:
        self._client_of = client_of
        self._realm = realm

    def administrations(self) -> Sequence[Administration]:
        users = self._client_of("current").rows("Me", wire.Me)
        if not users:
            raise UnexpectedAnswer(vendor=VENDOR, said="Me without a row")
        division = users[0].CurrentDivision  # every division within reach lists them all
        rows = self._client_of(str(division)).rows("system/Divisions", wire.Division)
        return [mapping.administration(row, self._realm) for row in rows]


class ExactLedger:
    """One division."""

    def __init__(
        self,
        client: Client,
        clock: Clock,
        realm: str,
        division: str,
        switches: mapping.Switches = mapping.Switches(),
    ) -> None:
        self._client = client
        self._clock = clock
        self._realm = realm
        self._division = division
        self._switches = switches
        self._terms: Sequence[PaymentTerm] | None = None

    @property
    def abilities(self) -> Abilities:
        return ABILITIES

    def daily_budget(self) -> DailyBudget | None:
        return self._client.daily

    # --- what a division holds --------------------------------------------------------------------------------------

    def administration(self) -> Administration:
        rows = self._client.rows("system/Divisions", wire.Division, f"Code eq {self._division}")
        if not rows:  # Exact answers with nothing where rights are missing
            raise AdministrationUnreachable(administration=self._division)
        return mapping.administration(rows[0], self._realm)

    def journals(self) -> Sequence[Journal]:
        return [mapping.journal(row) for row in self._client.rows("financial/Journals", wire.Journal)]

    def revenue_accounts(self) -> Sequence[LedgerAccount]:
        rows = self._client.rows("financial/GLAccounts", wire.GLAccount, f"Type eq {REVENUE}")
        return sorted((mapping.ledger_account(row) for row in rows), key=lambda account: account.code)

    def vat_codes(self) -> Sequence[VatCode]:
        return [mapping.vat_code(row) for row in self._client.rows("vat/VATCodes", wire.VATCode)]

    def fiscal_years(self) -> Sequence[FiscalYear]:
        periods = self._client.rows("financial/FinancialPeriods", wire.FinancialPeriod)
        closed = self._client.rows(
            "read/financial/JournalStatusList",
            wire.JournalStatus,
            f"JournalType eq {SALES_JOURNAL} and Status eq {CLOSED}",
        )
        return mapping.fiscal_years(periods, closed)

    def payment_terms(self) -> Sequence[PaymentTerm]:
        rows = self._client.rows("cashflow/PaymentConditions", wire.PaymentCondition)
        return [term for row in rows if (term := mapping.payment_term(row))]

    # --- relations --------------------------------------------------------------------------------------------------

    def relations(self, since: Cursor | None) -> Iterator[Page[Relation]]:
        today = self._today()
        for rows, cursor in self._changes("sync/CRM/Accounts", wire.SyncAccount, since):
            yield Page(tuple(mapping.relation(row, today) for row in rows), cursor)

    def find_relations(self, wanted: Sequence[RelationQuery]) -> Sequence[Sequence[Relation]]:
        terms = [term for query in wanted for term in mapping.search_terms(query)]
        today = self._today()
        found = {
            row.ID: mapping.relation(row, today) for row in self._any_of("crm/Accounts", wire.Account, terms)
        }.values()
        return [[relation for relation in found if mapping.matches(relation, query)] for query in wanted]

    def save_relations(self, drafts: Sequence[RelationDraft]) -> Sequence[Outcome[Relation]]:
        refusals = [mapping.incomplete(draft) for draft in drafts]
        if self._terms is None and any(draft.payment_days is not None for draft in drafts):
            self._terms = self.payment_terms()  # before the first write: reading may raise
        return [
            Refused(refusal) if refusal else self._save_relation(draft)
            for draft, refusal in zip(drafts, refusals, strict=True)
        ]

    def _save_relation(self, draft: RelationDraft) -> Outcome[Relation]:
        body = to_json(mapping.account_payload(draft, mapping.term_code(draft, self._terms or ())))
        return self._client.create(
            "crm/Accounts",
            body,
            lambda row: mapping.relation(wire.Account.model_validate(row), self._today()),
            lambda said: refusals.relation_refused(said, draft),
        )

    # --- documents --------------------------------------------------------------------------------------------------

    def prepare(self, entries: Sequence[SalesEntry]) -> Sequence[Prepared]:
        return [self._prepare(entry) for entry in entries]

    def _prepare(self, entry: SalesEntry) -> Prepared:
        payload = to_json(mapping.entry_payload(entry, self._switches))
        return Prepared(entry=entry, payload=payload, hash=hashlib.sha256(payload.encode()).hexdigest())

    def book(self, prepared: Sequence[Prepared]) -> Sequence[Outcome[Booking]]:
        return [self._book(one) for one in prepared]

    def _book(self, prepared: Prepared) -> Outcome[Booking]:
        return self._client.create(
            "salesentry/SalesEntries",
            prepared.payload,
            lambda row: mapping.booking(wire.SalesEntry.model_validate(row), self._realm),
            lambda said: refusals.entry_refused(said, prepared.entry),
        )

    def find_bookings(self, prepared: Sequence[Prepared]) -> Sequence[Sequence[Booking]]:
        """By `YourRef` only: we always send it, and whether descriptions can be searched is not known.

        Our key is read from the description of what was found.
        """
        references = [mapping.reference_of(one.entry) for one in prepared]
        terms = [f"YourRef eq {mapping.quoted(reference)}" for reference in references]
        rows = {row.EntryID: row for row in self._any_of("salesentry/SalesEntries", wire.SalesEntry, terms)}
        found = [booking for row in rows.values() if (booking := mapping.booking(row, self._realm))]
        return [[booking for booking in found if _same(booking.reference, reference)] for reference in references]

    def bookings(self, journals: Sequence[str], start: date, since: Cursor | None) -> Iterator[Page[Booking]]:
        for rows, cursor in self._changes("sync/Financial/TransactionLines", wire.TransactionLine, since):
            found = (mapping.booking_of_line(row, self._realm) for row in rows)
            wanted = (booking for booking in found if booking and booking.journal in journals and booking.day >= start)
            yield Page(tuple(wanted), cursor)

    def booking(self, ref: Booking) -> Booking | None:
        rows = self._client.rows("salesentry/SalesEntries", wire.SalesEntry, f"EntryID eq guid'{ref.ref}'")
        return mapping.booking(rows[0], self._realm) if rows else None

    def cabinet(self) -> ExactCabinet:
        return ExactCabinet(self._client)

    def receipts(self) -> None:
        """None: payments only come from Exact (rules.md 25)."""

    # --- payments ---------------------------------------------------------------------------------------------------

    def settlements(self, since: Cursor | None, start: date = date.min) -> Iterator[Page[Settlement]]:
        for rows, cursor in self._changes("sync/Cashflow/PaymentTerms", wire.PaymentTerm, since):
            terms = [row for row in rows if mapping.is_sales_term(row)]
            partners = mapping.partners(rows)
            in_doubt = {
                row.TransactionEntryID
                for row in terms
                if mapping.settled_without_money(row) and not partners.get(row.ID)
            }
            counters = self._counters(in_doubt)
            none: frozenset[int] = frozenset()
            found = (
                mapping.settlement(row, partners.get(row.ID) or counters.get(row.TransactionEntryID, none))
                for row in terms
            )
            yield Page(tuple(found), cursor)

    def open_items(self) -> None:
        """None: payment terms tell what is open themselves (exact-online.md 6)."""

    def _counters(self, entries: set[str]) -> dict[str, frozenset[int]]:
        """For each of these entries the types of entries its receivable was matched with, from the ledger itself.

        A match links two lines by `OffsetID`, one way or the other, so both ways are asked.
        """
        path = "financialtransaction/TransactionLines"
        of_entries = [f"EntryID eq guid'{entry}'" for entry in sorted(entries)]
        receivables = self._any_of(path, wire.Receivable, of_entries, also="LineNumber eq 0")
        ends = [f"OffsetID eq guid'{row.ID}'" for row in receivables]
        ends += [f"ID eq guid'{row.OffsetID}'" for row in receivables if row.OffsetID]
        types: dict[str, set[int]] = {}
        for counter in self._any_of(path, wire.CounterLine, ends):
            for row in receivables:
                if counter.OffsetID == row.ID or row.OffsetID == counter.ID:
                    types.setdefault(row.EntryID, set()).add(counter.Type)
        return {entry: frozenset(found) for entry, found in types.items()}

    # --- how Exact is asked -----------------------------------------------------------------------------------------

    def _today(self) -> date:
        return self._clock.now().date()

    def _changes(self, path: str, model: type[Any], since: Cursor | None) -> Iterator[tuple[list[Any], Cursor]]:
        """Rows changed since the cursor, a page of up to 1,000 at a time, with the highest row version so far."""
        highest = int(since or FIRST)
        for rows in self._client.pages(path, model, f"Timestamp gt {highest}L"):
            highest = max([highest, *(row.Timestamp for row in rows)])
            yield rows, Cursor(str(highest))

    def _any_of(self, path: str, model: type[Any], terms: Sequence[str], also: str = "") -> list[Any]:
        """Rows for which one of the terms holds: few calls for many questions. No terms, no call."""
        distinct = list(dict.fromkeys(terms))
        found: list[Any] = []
        for first in range(0, len(distinct), MOST_TERMS):
            chain = " or ".join(distinct[first : first + MOST_TERMS])
            found += self._client.rows(path, model, f"({chain}) and {also}" if also else chain)
        return found


def _same(one: str, other: str) -> bool:
    """Whether two references are one to Exact; its filter may ignore case."""
    return one.strip().casefold() == other.strip().casefold()
