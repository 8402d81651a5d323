"""What the fake remembers: divisions with tables of rows, users, tokens, switches.

A row is a dict in the vendor's spelling with Python values: Decimal for f, naive datetime for dt, int for i16/i32/i64,
lower-case text for g. A row is never changed in place; each change gives it the next row version of its division
(`Timestamp`), and lands in the list of deletions, in the webhook events and in the undo list of the last request.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fakes.exact.odata import comparable
from fakes.kit.clock import FakeClock
from fakes.kit.local_time import local

Row = dict[str, Any]

# Table: (key field, indexed fields, webhook topic, EntityType in sync/Deleted). Source: reference, sections 5.16, 5.17.
TABLES: dict[str, tuple[str, tuple[str, ...], str | None, int | None]] = {
    "Accounts": ("ID", ("Code", "VATNumber", "ChamberOfCommerce"), "Accounts", 2),
    "Contacts": ("ID", ("Account",), "Contacts", 5),
    "BankAccounts": ("ID", ("Account",), "BankAccounts", 48),
    "GLAccounts": ("ID", ("Code",), "GLAccounts", 7),
    "Journals": ("ID", ("Code",), None, None),
    "FinancialPeriods": ("ID", (), None, None),
    "VATCodes": ("ID", ("Code",), None, None),
    "VatPercentages": ("ID", ("VATCodeID",), None, None),
    "PaymentConditions": ("ID", ("Code",), None, None),
    "SalesEntries": ("EntryID", ("YourRef", "EntryNumber", "Customer"), "SalesEntries", None),
    "SalesEntryLines": ("ID", ("EntryID",), None, None),
    "Documents": ("ID", ("Account", "Subject"), "Documents", 6),
    "DocumentAttachments": ("ID", ("Document",), "DocumentAttachments", 4),
    "Terms": ("ID", ("TransactionEntryID", "EntryID", "Account"), None, 10),
    "TransactionLines": ("ID", ("EntryID", "Account", "EntryNumber"), None, 1),
    "BankEntries": ("EntryID", (), "BankEntries", None),
    "BankEntryLines": ("ID", ("EntryID",), None, None),
    "WebhookSubscriptions": ("ID", (), None, None),
    "Deleted": ("ID", (), None, None),
}


@dataclass
class Switches:
    """Where the reference does not know how the vendor behaves, the choice is a switch. COVERAGE.md explains each."""

    refresh_grace: str = "strict"  # strict | until_new_used
    number_policy: str = "refuse"  # refuse | replace
    credit_sign: str = "as_posted"  # as_posted | auto_negate
    receivable_sign: str = "negative"  # negative | positive: AmountDC of an open invoice
    rate_direction: str = "multiply"  # multiply | divide: AmountDC from AmountFC and Rate
    document_put: str = "allow"  # allow | refuse: attach a document to a processed entry
    vat_tolerance: str = (
        "0.01"  # currency units per line of a VAT code that VATAmountFC may differ from the computed VAT
    )
    minute_limit: int = 60
    day_limit: int = 5000
    token_day_limit: int = 200
    error_limit: int = 10
    deleted_right: bool = True  # may the user read sync/Deleted
    mandatory_filter: list[str] = field(default_factory=list)  # resources that insist on a $filter: ["crm/Accounts"]
    max_lengths: bool = False  # refuse over-long Description, YourRef
    division_scope: list[int] | None = None  # divisions the app may see; None: all of the user's
    scopes: list[str] | None = None  # scopes of the app registration; None: all
    rights_missing: list[str] = field(default_factory=list)  # resources that silently show nothing to this app
    rates: dict[str, str] = field(
        default_factory=lambda: {
            "USD": "0.92",
            "GBP": "1.17",
            "CHF": "1.05",
            "SEK": "0.09",
            "DKK": "0.134",
            "NOK": "0.086",
        }
    )


class Table:
    """Rows of one kind in one division, by key, with a few indexes."""

    def __init__(self, state: State, division: int, name: str) -> None:
        self.state, self.division, self.name = state, division, name
        self.key, self.indexed, self.topic, self.deleted_type = TABLES[name]
        self.rows: dict[str, Row] = {}
        self.index: dict[str, dict[Any, dict[str, None]]] = {name: {} for name in self.indexed}
        self.by_version: dict[str, None] = {}  # keys, oldest change first

    def __getitem__(self, key: str) -> Row:
        return self.rows[key]

    def get(self, key: Any) -> Row | None:
        return self.rows.get(key)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows.values())

    def __len__(self) -> int:
        return len(self.rows)

    def where(self, name: str, value: Any) -> list[Row]:
        """The rows whose indexed field has this value."""
        return [self.rows[key] for key in self.index[name].get(comparable(value), ())]

    def first(self, name: str, value: Any) -> Row | None:
        rows = self.where(name, value)
        return rows[0] if rows else None

    def among(self, pins: Mapping[str, Iterable[Any]]) -> Iterable[Row]:
        """The rows that may pass a filter with these pins: by key or index where that helps."""
        if self.key in pins:
            return [row for key in pins[self.key] if (row := self.rows.get(key))]
        name = next((name for name in self.indexed if name in pins), None)
        if name is None:
            return self.rows.values()
        return [self.rows[key] for value in pins[name] for key in self.index[name].get(value, ())]

    def newer_than(self, version: int) -> list[Row]:
        """The rows changed after this row version, oldest change first."""
        if self.state.rewound:
            rows = [row for row in self if row["Timestamp"] > version]
            return sorted(rows, key=lambda row: row["Timestamp"])
        found = []
        for key in reversed(self.by_version):
            row = self.rows[key]
            if row["Timestamp"] <= version:
                break
            found.append(row)
        return found[::-1]

    def put(self, row: Row) -> Row:
        """Add or replace a row; stamps it with who, when and the next row version."""
        state, key = self.state, row[self.key]
        old = self.rows.get(key)
        now = state.local_now()
        row["Timestamp"] = state.next_version(self.division)
        row["Modified"], row["Division"] = now, self.division
        row["Modifier"], row["ModifierFullName"] = state.actor
        if old is None:
            row.setdefault("Created", now)
            row["Creator"], row["CreatorFullName"] = state.actor
        else:
            row["Created"] = old.get("Created")
        state.remember(self, key, old)
        self._set(key, row)
        self.by_version.pop(key, None)
        self.by_version[key] = None
        if self.topic:
            state.happened(self.division, self.topic, "Create" if old is None else "Update", key)
        return row

    def change(self, key: str, **fields: Any) -> Row:
        return self.put({**self.rows[key], **fields})

    def drop(self, key: str) -> None:
        """Delete a row; sync/Deleted remembers it for two months."""
        state = self.state
        state.remember(self, key, self.rows[key])
        self._set(key, None)
        self.by_version.pop(key, None)
        if self.topic:
            state.happened(self.division, self.topic, "Delete", key)
        if self.deleted_type is not None:
            state.divisions[self.division]["Deleted"].put(
                {
                    "ID": state.new_guid(),
                    "EntityKey": key,
                    "EntityType": self.deleted_type,
                    "DeletedBy": state.actor[0],
                    "DeletedDate": state.local_now(),
                }
            )

    def _set(self, key: str, row: Row | None) -> None:
        old = self.rows.get(key)
        for name, values in self.index.items():
            before = comparable(old.get(name)) if old else None
            after = comparable(row.get(name)) if row else None
            if old and (row is None or before != after):
                values[before].pop(key, None)
            if row and (old is None or before != after):
                values.setdefault(after, {})[key] = None
        if row is None:
            del self.rows[key]
        else:
            self.rows[key] = row


class Division:
    """One administration with its books."""

    def __init__(self, state: State, row: Row) -> None:
        self.state, self.row = state, row
        self.number: int = row["Code"]
        self.tables = {name: Table(state, self.number, name) for name in TABLES}
        self.version = 1000  # the last row version given
        self.human_ids: dict[str, int] = {}  # table -> the last HID given
        self.sequences: dict[tuple[str, int], int] = {}  # (journal, year) -> last number
        self.numbers: set[tuple[str, int]] = set()  # (journal, entry number) in use
        self.closed: set[tuple[int, int, str | None]] = set()  # (year, period, journal or None for all)
        self.contents: dict[str, bytes] = {}  # attachment id -> file

    def __getitem__(self, table: str) -> Table:
        return self.tables[table]

    @property
    def currency(self) -> str:
        return self.row.get("Currency") or "EUR"

    def next_human_id(self, table: str) -> int:
        self.human_ids[table] = self.human_ids.get(table, 0) + 1
        return self.human_ids[table]

    def is_closed(self, year: int, period: int, journal: str) -> bool:
        return (year, period, None) in self.closed or (year, period, journal) in self.closed

    def period_of(self, day: datetime) -> tuple[int, int] | None:
        """(year, period) that holds this day, None when the year does not exist."""
        for row in self["FinancialPeriods"]:
            if row["StartDate"] <= day <= row["EndDate"]:
                return row["FinYear"], row["FinPeriod"]
        return None


class State:
    """All of it. `version` moves with each change; `begin` marks the start of a request."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.version = 0
        self.switches = Switches()
        self.divisions: dict[int, Division] = {}
        self.users: dict[str, Row] = {}  # by UserName
        self.actor: tuple[str | None, str] = (None, "Exact")
        self.host_url = "http://127.0.0.1/"  # as the last caller knows this server
        self.rewound = False
        self.events: dict[tuple[int, str, str], str] = {}  # (division, topic, key) -> action, of this request
        self._undo: dict[tuple[int, str, str], tuple[Table, Row | None]] = {}
        self._begun = True
        self._random = random.Random("exact")

    # --- identity and time ---

    def new_guid(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def new_secret(self, length: int = 32) -> str:
        return "".join(
            self._random.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-", k=length)
        )

    def now(self) -> datetime:
        return self.clock.now()

    def local_now(self) -> datetime:
        """Amsterdam wall-clock time, which the vendor writes as though it were UTC."""
        return local(self.now())

    def today(self) -> datetime:
        return self.local_now().replace(hour=0, minute=0, second=0, microsecond=0)

    def next_version(self, division: int) -> int:
        books = self.divisions[division]
        books.version += 1
        return books.version

    # --- changes ---

    def begin(self) -> None:
        """A new request: the next change starts a new undo list."""
        self._begun, self.events = True, {}

    def remember(self, table: Table, key: str, old: Row | None) -> None:
        if self._begun:
            self._undo, self._begun = {}, False
        self.version += 1
        self._undo.setdefault((table.division, table.name, key), (table, old))

    def happened(self, division: int, topic: str, action: str, key: str) -> None:
        """One event per record and request: what is created and then completed was created."""
        place = (division, topic, key)
        if self.events.get(place) == "Create":
            if action == "Delete":
                del self.events[place]
            return
        self.events[place] = action

    @contextmanager
    def before_last_change(self) -> Iterator[None]:
        """Inside, reads see the rows as they were before the last request that changed any. Read only inside."""
        now = {(table, key): table.get(key) for (_, _, key), (table, _) in self._undo.items()}
        self._restore({(table, key): old for (_, _, key), (table, old) in self._undo.items()})
        self.rewound = True
        try:
            yield
        finally:
            self._restore(now)
            self.rewound = False

    def _restore(self, rows: dict[tuple[Table, str], Row | None]) -> None:
        for (table, key), row in rows.items():
            if row is not None or key in table.rows:
                table._set(key, row)

    def each(self, table: str) -> Iterator[tuple[Division, Row]]:
        for division in self.divisions.values():
            for row in division[table]:
                yield division, row
