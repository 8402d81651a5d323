"""What goes in and out behind the vendor's back: seeding objects, and the whole state as JSON.

Seeded rows are in the vendor's spelling, with the division number as `tenant`. They are not checked by the vendor's
rules, so a test can have any books it needs; sales entries are booked by those rules all the same. GUIDs are optional,
and where one would point at another seeded row its code or name will do: GLAccountCode, GLToPayCode, CustomerName.
"""

from __future__ import annotations

import calendar
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any

from fakes.exact import entries, ledger, masters, payload, receivables, render
from fakes.exact.entities import Entity, entity
from fakes.exact.limits import Limits
from fakes.exact.oauth import Grants
from fakes.exact.state import Division, Row, State
from fakes.kit.faults import BadCommand

_OWN = frozenset({"tenant", "divisions", "UserName", "closed_periods"})


def load(state: State, body: Row, redirect_uris: list[str]) -> Row:
    """Add everything in `body`; answers with the ids made, per key."""
    if unknown := set(body) - set(_LOADERS) - {"redirect_uris"}:
        raise BadCommand(f"cannot seed {sorted(unknown)}; there are {sorted([*_LOADERS, 'redirect_uris'])}")
    made: Row = {}
    for name, loader in _LOADERS.items():
        if name in body:
            made[name] = [loader(state, row) for row in body[name]]
    redirect_uris += [uri for uri in body.get("redirect_uris", []) if uri not in redirect_uris]
    return made


def _values(kind: Entity, row: Row) -> Row:
    """A row's fields as the tables hold them; read-only fields too, for these are the vendor's own records."""
    values: Row = {}
    for name, value in row.items():
        known = kind.fields.get(name)
        if known is None and name not in _OWN:
            raise BadCommand(f"{kind.path} has no field {name}")
        if known is not None:
            values[name] = payload.convert(value, known) if known.type != "nav" else value
    return values


def _division(state: State, row: Row) -> Division:
    found = state.divisions.get(int(row.get("tenant") or 0))
    if found is None:
        raise BadCommand(f"tenant: no division {row.get('tenant')!r}")
    return found


def _user(state: State, row: Row) -> str:
    name = row["UserName"]
    country = row.get("Country")
    values = _values(entity("current/Me"), {key: value for key, value in row.items() if key != "Country"})
    values["divisions"] = [int(number) for number in row.get("divisions", [])]
    values["CurrentDivision"] = values.get("CurrentDivision") or next(iter(values["divisions"]), None)
    values["UserID"] = values.get("UserID") or state.new_guid()
    state.users[name] = {**values, "UserName": name, "Country": country}
    state.version += 1
    return name


def _new_division(state: State, row: Row) -> int:
    values = _values(entity("system/Divisions"), row)
    number = values["Code"]
    defaults = {"Currency": "EUR", "Status": 1, "BlockingStatus": 0, "Hid": len(state.divisions) + 1, "Country": "NL"}
    values = {**defaults, **values}
    if number in state.divisions:
        state.divisions[number].row.update(values)
    else:
        state.divisions[number] = Division(state, masters.padded("Divisions", values))
    state.version += 1
    return number


def _record(path: str, complete: Callable[[Division, Row], Row] | None = None) -> Callable[[State, Row], str]:
    """A loader for plain records of one resource."""
    kind = entity(path)

    def add(state: State, row: Row) -> str:
        division = _division(state, row)
        values = masters.padded(kind.table, _values(kind, row))
        for code_field, field in (("GLAccountCode", "GLAccount"), ("GLToPayCode", "GLToPay")):
            if values.get(code_field) and not values.get(field):
                account = division["GLAccounts"].first("Code", values[code_field])
                if account is None:
                    raise BadCommand(f"no ledger account {values[code_field]} in division {division.number}")
                values[field] = account["ID"]
        values["ID"] = values.get("ID") or state.new_guid()
        if complete:
            values = {**complete(division, values), **values}
        return division[kind.table].put(values)["ID"]

    return add


def _vat_code(state: State, row: Row) -> str:
    """A VAT code with its percentage, valid since long ago."""
    defaults = {"Type": "E", "VATTransactionType": "B", "EUSalesListing": "N", "Charged": False}
    key = _record("vat/VATCodes")(state, {**defaults, **row})
    division = _division(state, row)
    if row.get("Percentage") is not None:
        division["VatPercentages"].put(
            {
                "ID": state.new_guid(),
                "VATCodeID": key,
                "LineNumber": 1,
                "Percentage": Decimal(str(row["Percentage"])),
                "StartDate": datetime(2000, 1, 1),
                "EndDate": None,
                "Type": 0,
            }
        )
    return key


def _year(state: State, row: Row) -> int:
    """A financial year of twelve months, or one period when FinPeriod, StartDate and EndDate say so."""
    division, kind = _division(state, row), entity("financial/FinancialPeriods")
    if "FinPeriod" in row:
        division["FinancialPeriods"].put({"ID": state.new_guid(), **_values(kind, row)})
        return row["FinYear"]
    year = int(row["FinYear"])
    for month in range(1, 13):
        last = calendar.monthrange(year, month)[1]
        period = {"FinYear": year, "FinPeriod": month, "StartDate": datetime(year, month, 1)}
        division["FinancialPeriods"].put({"ID": state.new_guid(), **period, "EndDate": datetime(year, month, last)})
    return year


def _closed(state: State, row: Row) -> str:
    period = (int(row["year"]), int(row["period"]), row.get("journal"))
    _division(state, row).closed.add(period)
    state.version += 1
    return f"{period[0]}-{period[1]}"


def entry_fields(division: Division, row: Row) -> Row:
    """A sales entry as a client would post it, from one that may name its customer and accounts by name and code."""
    fields = {name: value for name, value in row.items() if name not in ("tenant", "CustomerName", "Status")}
    if not fields.get("Customer") and row.get("CustomerName"):
        named = [account["ID"] for account in division["Accounts"] if account["Name"] == row["CustomerName"]]
        if not named:
            raise BadCommand(f"no account named {row['CustomerName']!r}")
        fields["Customer"] = named[0]
    lines = []
    for line in row.get("SalesEntryLines", []):
        line = {**line}
        code = line.pop("GLAccountCode", None)
        if code and not line.get("GLAccount"):
            line["GLAccount"] = (division["GLAccounts"].first("Code", str(code)) or {}).get("ID")
        lines.append(line)
    return payload.read({**fields, "SalesEntryLines": lines}, entity("salesentry/SalesEntries"))


def _sales_entry(state: State, row: Row) -> str:
    division = _division(state, row)
    entry = entries.create(division, entry_fields(division, row))
    if row.get("Status") == ledger.PROCESSED:
        entries.process(division, entry["EntryID"])
    return entry["EntryID"]


_LOADERS: dict[str, Callable[[State, Row], Any]] = {
    "divisions": _new_division,
    "users": _user,
    "gl_accounts": _record("financial/GLAccounts"),
    "journals": _record("financial/Journals", masters.complete_journal),
    "vat_codes": _vat_code,
    "periods": _year,
    "payment_conditions": _record("cashflow/PaymentConditions"),
    "accounts": _record("crm/Accounts", masters.complete_account),
    "sales_entries": _sales_entry,
    "closed_periods": _closed,
}


# --- the state as JSON ---


def sections(state: State, grants: Grants, limits: Limits) -> dict[str, Callable[[], list[Any] | dict[str, Any]]]:
    """Each part of `GET /_fake/state`."""

    def rows(path: str) -> Callable[[], list[Row]]:
        kind = entity(path)
        return lambda: [
            {**render.plain(kind, row), "tenant": division.number} for division, row in state.each(kind.table)
        ]

    return {
        "relations": rows("crm/Accounts"),
        "bookings": lambda: [_booking(division, row) for division, row in state.each("SalesEntries")],
        "open_items": lambda: [row for row in rows("cashflow/Receivables")() if row["Status"] != receivables.MATCHED],
        "payments": lambda: [_payment(division, row) for division, row in state.each("BankEntries")],
        "journals": rows("financial/Journals"),
        "accounts": rows("financial/GLAccounts"),
        "vat_codes": rows("vat/VATCodes"),
        "tokens": grants.alive,
        "counters": lambda: _counters(grants, limits),
    }


def _booking(division: Division, entry: Row) -> Row:
    lines = entries.lines_of(division, entry["EntryID"])
    vat: dict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        vat[(line["VATCode"] or "").strip()] += line["VATAmountFC"]
    kind = entity("salesentry/SalesEntryLines")
    return {
        "id": entry["EntryID"],
        **render.plain(entity("salesentry/SalesEntries"), entry),
        "lines": [render.plain(kind, line) for line in lines],
        "vat_per_code": dict(vat),
        "attachments": _attachments(division, entry),
        "tenant": division.number,
    }


def _attachments(division: Division, entry: Row) -> list[str]:
    """The names of the files in the document an entry refers to."""
    document = entry.get("Document")
    rows = division["DocumentAttachments"].where("Document", document) if document else ()
    return [row["FileName"] for row in rows]


def _payment(division: Division, entry: Row) -> Row:
    lines = division["BankEntryLines"].where("EntryID", entry["EntryID"])
    kind = entity("financialtransaction/BankEntryLines")
    return {
        "id": entry["EntryID"],
        **render.plain(entity("financialtransaction/BankEntries"), entry),
        "lines": [render.plain(kind, line) for line in lines],
        "tenant": division.number,
    }


def _counters(grants: Grants, limits: Limits) -> Row:
    return {
        "calls": {f"{client} {division}": asdict(budget) for (client, division), budget in limits.budgets.items()},
        "errors": {" ".join(map(str, place)): len(times) for place, times in limits.errors.items() if times},
        "blocked_until": {" ".join(map(str, place)): block.until for place, block in limits.blocks.items()},
        "token_calls": {" ".join(key): count for key, count in grants.calls.items()},
    }
