"""Reports: open items, reminders, the payment list and the ledger lines that changed.

Source: reference, sections 6.2 to 6.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal

from fakes.octopus import balancings, bookings, masters, relations
from fakes.octopus.errors import business, nothing_found
from fakes.octopus.state import JOURNAL_TYPES, Dossier, Row

CLIENTS, SUPPLIERS = "C", "S"


# --- open items ---


def open_items(dossier: Dossier, kind: str, query: Row) -> list[Row]:
    """What customers or suppliers still owe, or are owed, between two periods.

    An int left out is 0. `relationId` -1 makes `externalRelationId` the filter, and that -1 too means everybody.
    """
    lower, upper = _bounds(dossier, query)
    relation, external = query.get("relationId", 0), query.get("externalRelationId", 0)
    rows = []
    for line in _open_lines(dossier, kind):
        booking = dossier["bookings"][line["document"]]
        if not lower <= (booking["bookyearKey"]["id"], booking["bookyearPeriodeNr"]) <= upper:
            continue
        if relation != -1 and line["relation"] != relation:
            continue
        if relation == -1 and external != -1:
            known = dossier.relation_keys(line["relation"])["externalRelationId"]
            if known != external or not external:
                continue
        rows.append(open_row(dossier, line))
    if not rows:
        raise nothing_found(f"open items in dossier {dossier.id}")
    return rows


def _bounds(dossier: Dossier, query: Row) -> tuple[tuple[int, int], tuple[int, int]]:
    """First and last (bookyear, period). A year whose opening balances were carried over begins with all before it."""
    years = []
    for name in ("fromBookyearKey", "toBookyearKey"):
        number = query.get(name, {}).get("id", 0)
        if str(number) not in dossier["bookyears"]:
            raise business(-9, f"dossier {dossier.id}: bookyear {number}")
        years.append(number)
    first = query.get("fromBookyearPeriodNr", 0)
    year = dossier["bookyears"][str(years[0])]
    if year["_carried_over"] and first <= year["periods"][0]["bookyearPeriod"]:
        return (0, 0), (years[1], query.get("toBookyearPeriodNr", 0) or 999999)
    return (years[0], first), (years[1], query.get("toBookyearPeriodNr", 0) or 999999)


def _open_lines(dossier: Dossier, kind: str) -> Iterator[Row]:
    return (row for row in dossier["lines"].values() if row["type"] == kind and balancings.open_booked(row))


def open_row(dossier: Dossier, line: Row) -> Row:
    booking = dossier["bookings"][line["document"]]
    sign = -1 if line["booked"] < 0 and dossier.state.switches.open_credit_sign == "negative" else 1
    return {
        "bookyearKey": booking["bookyearKey"],
        "journalKey": booking["journalKey"],
        "documentSequenceNr": booking["documentSequenceNr"],
        "lineSequenceNr": line["number"],
        "bookyearPeriodNr": booking["bookyearPeriodeNr"],
        "expirationDate": booking.get("expiryDate"),
        **dossier.relation_keys(line["relation"]),
        **balancings.line_facts(dossier, line),
        "openBookingAmount": sign * balancings.open_booked(line),
        "openDocAmount": sign * balancings.open_document(line),
    }


# --- reminders and the payment list ---


def reminders(dossier: Dossier, until: date) -> list[Row]:
    """Customers with invoices that are due by `until`."""
    by_relation: dict[int, list[Row]] = {}
    for line in _open_lines(dossier, CLIENTS):
        booking = dossier["bookings"][line["document"]]
        if line["booked"] <= 0 or "expiryDate" not in booking or booking["expiryDate"] > until:
            continue
        row = open_row(dossier, line)
        shown = "bookyearKey journalKey documentSequenceNr documentDate expirationDate comment currencyCode reference"
        invoice = {name: row[name] for name in shown.split()}
        invoice |= {"openAmount": row["openDocAmount"], "rappelInfoList": []}
        by_relation.setdefault(line["relation"], []).append(invoice)
    if not by_relation:
        raise nothing_found(f"reminders in dossier {dossier.id}")
    return [
        {"relation": relations.show(dossier, dossier["relations"][str(number)]), "invoiceList": rows}
        for number, rows in by_relation.items()
    ]


def to_be_paid(dossier: Dossier) -> list[Row]:
    """Unmatched purchase invoices."""
    rows = []
    for line in _open_lines(dossier, SUPPLIERS):
        booking = dossier["bookings"][line["document"]]
        if "_relation" not in booking or line["matched"]:
            continue
        relation = dossier["relations"].get(str(line["relation"]), {})
        shown = "bookyearKey journalKey documentSequenceNr documentDate expiryDate amount currencyCode"
        rows.append(
            {
                **{name: booking[name] for name in shown.split()},
                "relationKey": {"id": line["relation"]},
                "relationName": relation.get("name", ""),
                "comment": booking.get("comment", ""),
                "reference": booking.get("reference", ""),
                "credit": booking["amount"] < 0,
            }
        )
    if not rows:
        raise nothing_found(f"invoices to be paid in dossier {dossier.id}")
    return rows


# --- the ledger ---


def ledger(dossier: Dossier, changed: Iterable[Row], gone: Iterable[Row]) -> Row:
    """One row for each ledger line of the bookings, and the bookings that are gone."""
    modified = [row for booking in changed for row in _ledger_rows(dossier, booking)]
    deleted = [masters.own(row) for row in gone]
    if not modified and not deleted:
        raise nothing_found(f"modified bookings in dossier {dossier.id}")
    return {"modifiedBookings": modified, "deletedBookings": deleted}


def _ledger_rows(dossier: Dossier, booking: Row) -> Iterator[Row]:
    journal = booking["journalKey"]
    head = {
        "bookyearKey": booking["bookyearKey"],
        "journalType": JOURNAL_TYPES[journal[0]],
        "journalNr": int(journal[1:]),
        "documentSequenceNr": booking["documentSequenceNr"],
        "bookyearPeriodeNr": booking["bookyearPeriodeNr"],
        "documentDate": booking["documentDate"],
        "expiryDate": booking.get("expiryDate"),
        "currencyCode": dossier.currency_of(booking),
        "exchangeRate": booking["exchangeRate"],
        "reference": booking.get("reference"),
    }
    lines = bookings.ledger_lines(dossier, booking)
    drift = -sum((line["bookingAmount"] for line in lines), Decimal())  # cents lost where each line was converted
    first = -1 if journal[0] != "D" else 1
    for place, line in enumerate(lines):
        number = place if first == -1 and place else first + place
        amount = line["bookingAmount"] + (drift if place == len(lines) - 1 else 0)
        yield {**head, **line, "bookingAmount": amount, "lineSequenceNr": number}
