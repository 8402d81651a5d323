"""What the fake remembers: users and dossiers, each dossier with tables of rows.

A row is a dict in the vendor's spelling with Python values: Decimal for doubles, `date` for dates; members with an
underscore are the fake's own. A row is never changed in place (kit.records). `_modified` is the vendor's wall clock.
A document is known by `bookyear/journal/number`, as text; a line of it by that and its number: -1 is the implicit line
of the relation in a V or A document.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from fakes.kit.clock import FakeClock
from fakes.kit.local_time import local
from fakes.kit.records import Records
from fakes.octopus.switches import Switches

Row = dict[str, Any]
CENT = Decimal("0.01")
TABLES = (
    "bookyears",
    "journals",
    "accounts",
    "vat_codes",
    "cost_centres",
    "relations",
    "bookings",
    "lines",
    "balancings",
    "gone_relations",
    "gone_bookings",
    "gone_balancings",
)
JOURNAL_TYPES = {"A": 1, "V": 2, "F": 3, "D": 4, "L": 7}
BUY_SELL_LETTERS, FINANCIAL_LETTERS = "AV", "FD"


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


def document_id(bookyear: int, journal: str, number: int) -> str:
    return f"{bookyear}/{journal}/{number}"


def id_of(row: Row) -> str:
    """The id of a booking, or of anything else that names one."""
    return document_id(row["bookyearKey"]["id"], row["journalKey"], row["documentSequenceNr"])


class Dossier:
    """One company's books."""

    def __init__(self, state: State, row: Row) -> None:
        self.state = state
        self.row = row  # as GET /dossiers shows it
        self.id: int = row["dossierKey"]["id"]
        self.currencies: list[str] = ["EUR"]
        self.records = Records(*TABLES)
        self.disabled = False

    def __getitem__(self, table: str) -> dict[str, Row]:
        """The rows of a table, oldest first; read only."""
        return self.records[table]

    def put(self, table: str, key: str, row: Row) -> Row:
        """Add or replace a row, modified now."""
        return self.records.put(table, key, {**row, "_modified": self.state.stamp()})

    # --- years, periods, journals ---

    def year_of(self, day: date) -> Row | None:
        return next((row for row in self["bookyears"].values() if row["startDate"] <= day <= row["endDate"]), None)

    def journal(self, bookyear: int, key: str) -> Row | None:
        return self["journals"].get(f"{bookyear}/{key}")

    def journals_of(self, bookyear: int) -> list[Row]:
        return [row for row in self["journals"].values() if row["bookyearKey"]["id"] == bookyear]

    def set_journal(self, journal: Row, **changes: Any) -> Row:
        return self.put("journals", f"{journal['bookyearKey']['id']}/{journal['journalKey']}", {**journal, **changes})

    def account(self, bookyear: int, number: int) -> Row | None:
        return self["accounts"].get(f"{bookyear}/{number}")

    # --- relations ---

    def relation_by(self, keys: Row) -> Row | None:
        """The relation that `relationKey` or else `externalRelationId` names; 0 means not given."""
        if number := keys.get("relationKey", {}).get("id", 0):
            return self["relations"].get(str(number))
        external = keys.get("externalRelationId", 0)
        if not external:
            return None
        return next((row for row in self["relations"].values() if row["_external"] == external), None)

    def relation_keys(self, number: int) -> Row:
        """Both keys of a relation, also of one that was deleted since."""
        row = self["relations"].get(str(number), {})
        return {"relationKey": {"id": number}, "externalRelationId": row.get("_external", 0)}

    # --- documents ---

    def attach(self, key: str, files: list[tuple[str, bytes]]) -> None:
        """Put files with a document; the document itself does not count as modified."""
        self.records.update("bookings", key, _files=[*self["bookings"][key].get("_files", ()), *files])

    def currency_of(self, booking: Row) -> str:
        """Financial documents have the currency of their journal."""
        journal = self.journal(booking["bookyearKey"]["id"], booking["journalKey"]) or {}
        return booking.get("currencyCode") or journal.get("currencyCode") or "EUR"


@dataclass
class User:
    """`web_service` off: the web-service module is not there. `read_only`: may write nothing."""

    name: str
    password: str
    dossiers: list[int] = field(default_factory=list)
    web_service: bool = True
    read_only: bool = False


class State:
    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.switches = Switches()
        self.dossiers: dict[int, Dossier] = {}
        self.users: dict[str, User] = {}
        self.unknown: Counter[str] = Counter()  # members no description knows: "PUT relations DeliveryCity"

    @property
    def version(self) -> int:
        """Moves with each change of the books; tokens and log-ins do not count."""
        return len(self.dossiers) + sum(dossier.records.version for dossier in self.dossiers.values())

    def now(self) -> datetime:
        return self.clock.now()

    def today(self) -> date:
        """The Belgian calendar day."""
        return local(self.now()).date()

    def stamp(self) -> datetime:
        """Now as the vendor's timestamps have it, in milliseconds."""
        now = self.now()
        plain = now.replace(tzinfo=None) if self.switches.timestamp_utc else local(now)
        return plain.replace(microsecond=plain.microsecond // 1000 * 1000)

    def each(self, table: str) -> Iterator[tuple[Dossier, Row]]:
        for dossier in self.dossiers.values():
            for row in dossier[table].values():
                yield dossier, row
