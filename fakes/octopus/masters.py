"""Bookyears, journals, accounts, VAT codes and cost centres, as Octopus shows them.

Source: reference, section 3.
"""

from __future__ import annotations

from fakes.octopus.state import Dossier, Row

_LANGUAGES = ("NL", "FR", "EN", "DE")


def bookyear(row: Row) -> Row:
    """In the list."""
    return {name: row[name] for name in ("bookyearKey", "bookyearDescription", "closed", "startDate", "endDate")} | {
        "periods": row["periods"]
    }


def one_bookyear(row: Row) -> Row:
    """By itself: other names for the same."""
    yearly = {"MONTH": "MONTHLY", "QUARTER": "QUARTERLY", "YEAR": "YEARLY"}
    return {
        "bookyearKey": row["bookyearKey"],
        "names": names(row["bookyearDescription"]),
        "fromDate": row["startDate"],
        "toDate": row["endDate"],
        "bookingPeriodType": row["_period_type"],
        "declarantType": yearly[row["_period_type"]],
        "closed": row["closed"],
    }


def names(text: str) -> list[Row]:
    return [{"language": language, "value": text} for language in _LANGUAGES]


def journal(row: Row) -> Row:
    """In the list; `currencyCode` for bank journals only."""
    return {**own(row), "lastBookedDocumentNr": row["_last"]}


def one_journal(row: Row) -> Row:
    """By itself, under `journals/V/1`."""
    modes = {1: "BOOKING", 2: "VAT_EXCLUSIVE", 3: "VAT_INCLUSIVE"}
    return {
        "commonJournalServiceData": {
            "journalKeyServiceData": {
                "bookyearKey": row["bookyearKey"],
                "journalTypeCode": row["journalKey"][0],
                "sequenceNumber": int(row["journalKey"][1:]),
            },
            "names": names(row["name"]),
            "nextDocumentNumber": row["_next"],
            "protectedPeriod": row["protectedPeriod"],
            "closed": row["closed"],
            "closedPeriod": row["closedPeriod"],
        },
        "insertionType": modes.get(row["insertionType"]) if row["journalKey"][0] == "V" else None,
    }


def own(row: Row) -> Row:
    """The vendor's members of a row, without the fake's."""
    return {name: value for name, value in row.items() if not name.startswith("_")}


def closed_up_to(journal_row: Row) -> int:
    """Bookings go into later periods only."""
    return max(journal_row["closedPeriod"], journal_row["protectedPeriod"])


def take_number(dossier: Dossier, journal_row: Row) -> None:
    """A document got the journal's next number."""
    number = journal_row["_next"]
    _move(dossier, journal_row, last=number, following=number + 1)


def free_number(dossier: Dossier, journal_row: Row, number: int) -> None:
    """A document is gone: if it was the last, its number is the next one again."""
    if number != journal_row["_last"]:
        return
    place = (journal_row["bookyearKey"]["id"], journal_row["journalKey"])
    left = [
        row["documentSequenceNr"]
        for row in dossier["bookings"].values()
        if (row["bookyearKey"]["id"], row["journalKey"]) == place
    ]
    _move(dossier, journal_row, last=max(left, default=0), following=number)


def _move(dossier: Dossier, journal_row: Row, *, last: int, following: int) -> None:
    """A journal's counters move without the journal itself counting as modified."""
    key = f"{journal_row['bookyearKey']['id']}/{journal_row['journalKey']}"
    dossier.records.put("journals", key, {**journal_row, "_last": last, "_next": following})
