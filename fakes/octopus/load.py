"""What goes in and out behind the vendor's back: seeding objects, and the whole state as JSON.

Seeded rows are in the vendor's spelling, with the dossier number as `tenant`. Journals and accounts without a
`bookyearKey` are made in every bookyear. Bookings are booked as by hand: see `book`.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, overload

from fakes.kit.errors import BadCommand
from fakes.octopus import balancings, bookings, masters, payload, relations, reports
from fakes.octopus.limits import Limits
from fakes.octopus.state import BUY_SELL_LETTERS, FINANCIAL_LETTERS, Dossier, Row, State, User, document_id, id_of
from fakes.octopus.tokens import Tokens

_PERIOD_MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}


def load(state: State, body: Row, redirect_uris: list[str], password: str) -> Row:
    """Add everything in `body`; answers with the ids made, per key. `password` is for users that come without."""
    loaders: dict[str, Callable[[State, Row], Any]] = {
        "dossiers": _dossier,
        "users": lambda state, row: _user(state, row, password),
        "bookyears": _bookyear,
        "journals": _journal,
        "accounts": _account,
        "vat_codes": _vat_code,
        "cost_centres": _cost_centre,
        "relations": _relation,
        "bookings": lambda state, row: public_id(dossier_of(state, row), book(dossier_of(state, row), _own(row))),
    }
    if unknown := set(body) - set(loaders) - {"redirect_uris"}:
        raise BadCommand(f"cannot seed {sorted(unknown)}; there are {sorted([*loaders, 'redirect_uris'])}")
    made = {name: [loader(state, row) for row in body[name]] for name, loader in loaders.items() if name in body}
    redirect_uris += [uri for uri in body.get("redirect_uris", []) if uri not in redirect_uris]
    return made


def dossier_of(state: State, row: Row) -> Dossier:
    found = state.dossiers.get(int(row.get("tenant") or 0))
    if found is None:
        raise BadCommand(f"tenant: no dossier {row.get('tenant')!r}")
    return found


def _own(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "tenant"}


def _dossier(state: State, row: Row) -> int:
    number = row["dossierKey"]["id"]
    shown = {name: value for name, value in row.items() if name != "currencies"}
    state.dossiers[number] = Dossier(state, shown)
    state.dossiers[number].currencies = list(row.get("currencies", ["EUR"]))
    return number


def _user(state: State, row: Row, password: str) -> str:
    dossiers = [int(number) for number in row.get("dossiers", [])]
    state.users[row["user"]] = User(row["user"], row.get("password", password), dossiers)
    return row["user"]


def _bookyear(state: State, row: Row) -> int:
    """A bookyear from `startDate` to `endDate` in periods of `bookingPeriodType` MONTH, QUARTER or YEAR."""
    dossier, kind = dossier_of(state, row), row.get("bookingPeriodType", "MONTH")
    start, end = date.fromisoformat(row["startDate"]), date.fromisoformat(row["endDate"])
    number = row.get("bookyearKey", {}).get("id") or len(dossier["bookyears"]) + 1
    made = {
        "bookyearKey": {"id": number},
        "bookyearDescription": row.get("bookyearDescription", str(end.year)),
        "closed": bool(row.get("closed", False)),
        "startDate": start,
        "endDate": end,
        "periods": _periods(start, end, _PERIOD_MONTHS[kind]),
        "_period_type": kind,
        "_carried_over": False,
    }
    dossier.put("bookyears", str(number), made)
    return number


def _periods(start: date, end: date, months: int) -> list[Row]:
    rows, first = [], start
    while first <= end:
        year, month = divmod(first.year * 12 + first.month - 1 + months - 1, 12)
        last = min(end, date(year, month + 1, calendar.monthrange(year, month + 1)[1]))
        rows.append({"bookyearPeriod": end.year * 100 + len(rows) + 1, "startDate": first, "endDate": last})
        first = date.fromordinal(last.toordinal() + 1)
    return rows


def _years(dossier: Dossier, row: Row) -> list[int]:
    own = row.get("bookyearKey", {}).get("id")
    return [own] if own else [year["bookyearKey"]["id"] for year in dossier["bookyears"].values()]


def _journal(state: State, row: Row) -> str:
    dossier = dossier_of(state, row)
    for year in _years(dossier, row):
        made = {
            "name": row["journalKey"],
            "closed": False,
            "closedPeriod": 0,
            "protectedPeriod": 0,
            "insertionType": 1,
            **_own(row),
            "bookyearKey": {"id": year},
            "_last": row.get("lastBookedDocumentNr", 0),
            "_next": row.get("lastBookedDocumentNr", 0) + 1,
            "_in_use_by": None,
        }
        made.pop("lastBookedDocumentNr", None)
        dossier.put("journals", f"{year}/{row['journalKey']}", made)
    return row["journalKey"]


def _account(state: State, row: Row) -> int:
    """`bookable` false: nothing can be booked on it by name, such as the central account of the customers."""
    dossier, number = dossier_of(state, row), int(row["accountKey"]["id"])
    usual = {"vatRecupPercentage": Decimal(100), "fiscProfessionalPercentage": Decimal(100), "costCentreType": 0}
    for year in _years(dossier, row.get("accountKey", {})):
        made = {**usual, "fiscRecupPercentage": Decimal(100), **_own(row)}
        made |= {"accountKey": {"bookyearKey": {"id": year}, "id": number}}
        dossier.put("accounts", f"{year}/{number}", {**made, "_booking_account": made.pop("bookable", True)})
    return number


def _vat_code(state: State, row: Row) -> str:
    made = {**_own(row), "basePercentage": Decimal(str(row["basePercentage"]))}
    dossier_of(state, row).put("vat_codes", row["code"], made)
    return row["code"]


def _cost_centre(state: State, row: Row) -> str:
    key = row["costCentreKey"]["id"]
    dossier_of(state, row).put("cost_centres", key, _own(row))
    return key


def _relation(state: State, row: Row) -> int:
    dossier = dossier_of(state, row)
    fields, external = relation_fields(_own(row), 0)
    number = row.get("relationIdentificationServiceData", {}).get("relationKey", {}).get("id")
    return relations.add(dossier, {"currencyCode": "EUR", **fields}, external, number)["_id"]


def relation_fields(row: Row, external: int) -> tuple[Row, int]:
    """The fields of a relation and its external number, unchecked but for their kinds."""
    read = payload.read(row, payload.RELATION, _no_such)
    identification = read.pop("relationIdentificationServiceData", {})
    return read, identification.get("externalRelationId", external)


def _no_such(member: str) -> None:
    raise BadCommand(f"there is no {member}")


# --- bookings made in the program ---


def year_of(dossier: Dossier, day: date) -> Row:
    found = dossier.year_of(day)
    if found is None:
        raise BadCommand(f"dossier {dossier.id} has no bookyear for {day}")
    return found


def period_of(year: Row, day: date) -> int:
    return next(row["bookyearPeriod"] for row in year["periods"] if row["startDate"] <= day <= row["endDate"])


def book(dossier: Dossier, row: Row) -> Row:
    """Book a purchase or sale as a person does in the program.

    Fields as in buysellbookings. `relationName` will do for a key; bookyear, period and number follow from journal and
    date, the due date is the document's, currency EUR at 1, and `amount` the sum of the lines.
    The program writes the customer's name behind the comment of each line.
    """
    named = [r for r in dossier["relations"].values() if r.get("name") == row.get("relationName")]
    given = payload.read({k: v for k, v in row.items() if k != "relationName"}, payload.BUY_SELL, _no_such)
    day = given["documentDate"]
    year = year_of(dossier, day)
    journal = dossier.journal(year["bookyearKey"]["id"], given["journalKey"])
    relation = named[0] if named else dossier.relation_by(given.get("relationIdentificationServiceData", {}))
    if journal is None or relation is None or journal["journalKey"][0] not in BUY_SELL_LETTERS:
        raise BadCommand("book: no such journal or relation")
    blank = {"accountKey": 0, "vatCodeKey": "", "baseAmount": Decimal(), "vatAmount": Decimal()}
    lines = [{**blank, **line} for line in given.get("bookingLines", [])]
    for line in lines:
        line["comment"] = f"{line.get('comment', '')} {relation.get('name', '')}".strip()
    total = sum((line["baseAmount"] + line["vatAmount"] for line in lines), Decimal())
    booking = {
        "documentSequenceNr": journal["_next"],
        "bookyearPeriodeNr": period_of(year, day),
        "expiryDate": day,
        "amount": total,
        "currencyCode": "EUR",
        "exchangeRate": Decimal(1),
        **{name: value for name, value in given.items() if name != "relationIdentificationServiceData"},
        "bookyearKey": year["bookyearKey"],
        "bookingLines": lines,
        "_relation": relation["_id"],
    }
    if (
        document_id(year["bookyearKey"]["id"], journal["journalKey"], booking["documentSequenceNr"])
        in dossier["bookings"]
    ):
        raise BadCommand(f"number {booking['documentSequenceNr']} is taken")
    return bookings.store(dossier, booking, journal)


# --- the state as JSON ---


class Shown(Sequence[Row]):
    """Rows that are worked out when they are looked at, so that a page of a large table costs a page."""

    def __init__(self, state: State, table: str, show: Callable[[Dossier, Row], Row], wanted: Callable[[Row], bool]):
        self._rows = [(dossier, row) for dossier, row in state.each(table) if wanted(row)]
        self._show = show

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> list[Row]: ...
    def __getitem__(self, place: int | slice) -> Row | list[Row]:
        if isinstance(place, slice):
            return [self._one(*each) for each in self._rows[place]]
        return self._one(*self._rows[place])

    def _one(self, dossier: Dossier, row: Row) -> Row:
        return {**self._show(dossier, row), "tenant": str(dossier.id)}


def sections(state: State, tokens: Tokens, limits: Limits) -> dict[str, Callable[[], Any]]:
    """Each part of `GET /_fake/state`."""

    def table(name: str, show: Callable[[Dossier, Row], Row], wanted: Callable[[Row], bool] = lambda _: True) -> Any:
        return lambda: Shown(state, name, show, wanted)

    return {
        "relations": table("relations", relations.show),
        "bookings": table("bookings", _booking, lambda row: row["journalKey"][0] in BUY_SELL_LETTERS),
        "open_items": table("lines", _open_item, lambda row: balancings.open_booked(row) != 0),
        "payments": table("bookings", _payment, lambda row: row["journalKey"][0] in FINANCIAL_LETTERS),
        "journals": table("journals", _journal_row),
        "accounts": table("accounts", _row),
        "vat_codes": table("vat_codes", _row),
        "tokens": lambda: tokens.rows(state.now()),
        "counters": lambda: {**limits.as_rows(), "unknown_members": dict(state.unknown)},
    }


def public_id(dossier: Dossier, booking: Row) -> str:
    """How the control API names a booking."""
    return f"{dossier.id}/{id_of(booking)}"


def _row(dossier: Dossier, row: Row) -> Row:
    return masters.own(row)


def _journal_row(dossier: Dossier, row: Row) -> Row:
    return {
        **masters.journal(row),
        "nextDocumentNumber": row["_next"],
        "in_use_by": row["_in_use_by"],
    }


def _booking(dossier: Dossier, row: Row) -> Row:
    """A booking with its VAT per code, signed like its total, and the names of its files."""
    vat: dict[str, Decimal] = {}
    for line in row["bookingLines"]:
        signed = line["vatAmount"] if row["amount"] >= 0 else -line["vatAmount"]
        vat[line["vatCodeKey"]] = vat.get(line["vatCodeKey"], Decimal()) + signed
    (line,) = balancings.lines_of(dossier, id_of(row))
    return {
        "id": public_id(dossier, row),
        **bookings.show(dossier, row),
        "vat_per_code": vat,
        "open": balancings.open_document(line),
        "attachments": [name for name, _ in row["_files"]],
    }


def _payment(dossier: Dossier, row: Row) -> Row:
    return {
        "id": public_id(dossier, row),
        **bookings.show(dossier, row),
        "currencyCode": dossier.currency_of(row),
        "attachments": [name for name, _ in row["_files"]],
    }


def _open_item(dossier: Dossier, line: Row) -> Row:
    booking = dossier["bookings"][line["document"]]
    return {**reports.open_row(dossier, line), "type": line["type"], "booking": public_id(dossier, booking)}
