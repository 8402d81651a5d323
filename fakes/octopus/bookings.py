"""Bookings: what Octopus checks, in its order, and what a booking leaves in the ledger.

Source: reference, sections 5 and 8. There is no id: a booking is bookyear, journal and a number the caller chose.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from decimal import Decimal

from fakes.octopus import balancings, masters
from fakes.octopus.errors import Refused, bad_parameters, business
from fakes.octopus.state import (
    BUY_SELL_LETTERS,
    CENT,
    FINANCIAL_LETTERS,
    JOURNAL_TYPES,
    Dossier,
    Row,
    cents,
    document_id,
    id_of,
)

FILE_LIMIT = 10_000_000  # bytes
PURCHASE_TYPES, SALE_TYPES, SALE_CREDIT = (1, 3), (2, 4), 4  # VAT codes
RECEIVABLE, PAYABLE, VAT_DUE, VAT_DEDUCTIBLE, BANK = 400000, 440000, 451000, 411000, 550000


# --- writing ---


def insert(dossier: Dossier, given: Row, files: list[tuple[str, bytes]], letters: str) -> Row:
    """Book a new document under the journal's next number."""
    checked, journal = _check(dossier, given, letters, exists=False)
    return store(dossier, checked, journal, files)


def replace(dossier: Dossier, given: Row, letters: str) -> None:
    """Change a document that is there; its number stays."""
    checked, _ = _check(dossier, given, letters, exists=True)
    key = id_of(checked)
    if any(line["matched"] for line in balancings.lines_of(dossier, key)):
        raise business(-35, f"dossier {dossier.id}: {key} is balanced")
    with dossier.records.change():
        balancings.forget_lines(dossier, key)
        _write(dossier, {**checked, "_files": dossier["bookings"][key]["_files"]})


def store(dossier: Dossier, booking: Row, journal: Row, files: Iterable[tuple[str, bytes]] = ()) -> Row:
    """Write a document that was checked, or that somebody made in the program."""
    with dossier.records.change():
        masters.take_number(dossier, journal)
        if id_of(booking) in dossier["gone_bookings"]:
            dossier.records.drop("gone_bookings", id_of(booking))
        return _write(dossier, {**booking, "_files": list(files)})


def _write(dossier: Dossier, booking: Row) -> Row:
    made = dossier.put("bookings", id_of(booking), booking)
    balancings.open_lines(dossier, made)
    return made


def delete(dossier: Dossier, key: str) -> None:
    """Take a document out of the books, as only the program can; the last of a journal frees its number."""
    booking = dossier["bookings"][key]
    journal = dossier.journal(booking["bookyearKey"]["id"], booking["journalKey"])
    with dossier.records.change():
        balancings.undo_document(dossier, key)
        balancings.forget_lines(dossier, key)
        dossier.records.drop("bookings", key)
        dossier.put("gone_bookings", key, _gone(booking))
        if journal:
            masters.free_number(dossier, journal, booking["documentSequenceNr"])


def _gone(booking: Row) -> Row:
    journal = booking["journalKey"]
    return {
        "bookyearKey": booking["bookyearKey"],
        "journalType": JOURNAL_TYPES[journal[0]],
        "journalSequenceNr": int(journal[1:]),
        "documentSequenceNr": booking["documentSequenceNr"],
    }


def attachments(dossier: Dossier, rows: list[Row]) -> list[tuple[str, bytes]]:
    """The files that come with a booking."""
    files = []
    for row in rows:
        if not row.get("fileName") or not row.get("fileData"):
            raise bad_parameters()
        try:
            content = base64.b64decode(row["fileData"], validate=True)
        except (binascii.Error, ValueError) as error:
            raise Refused(400, f"dossier {dossier.id}: {row['fileName']} is not base64") from error
        if len(content) > FILE_LIMIT:
            raise Refused(400, f"dossier {dossier.id}: {row['fileName']} is too large")
        files.append((row["fileName"], content))
    return files


# --- checking, in the order of the vendor's error numbers ---


def _check(dossier: Dossier, given: Row, letters: str, *, exists: bool) -> tuple[Row, Row]:
    """The booking, complete, and its journal."""
    journal = _journal(dossier, given, letters)
    number = given.get("documentSequenceNr", 0)
    _number(dossier, journal, number, exists=exists)
    if letters == FINANCIAL_LETTERS and not (given.get("exchangeRate") and given.get("bookyearPeriodeNr")):
        raise business(-15, f"dossier {dossier.id}: period {given.get('bookyearPeriodeNr', 0)} is not accessible")
    _period(dossier, journal, given.get("bookyearPeriodeNr", 0))
    place = {"bookyearKey": journal["bookyearKey"], "journalKey": journal["journalKey"], "documentSequenceNr": number}
    if letters == BUY_SELL_LETTERS:
        return {**_buy_sell(dossier, journal, given), **place}, journal
    return {**_financial(dossier, journal, given), **place}, journal


def _journal(dossier: Dossier, given: Row, letters: str) -> Row:
    year, key = given.get("bookyearKey", {}).get("id", 0), given.get("journalKey", "")
    where = f"dossier {dossier.id}, bookyear {year}, journal {key}"
    if str(year) not in dossier["bookyears"]:
        raise business(-9, f"{where}: no such bookyear")
    journal = dossier.journal(year, key)
    if journal is None:
        raise business(-10, f"{where}: no such journal")
    if journal["closed"]:
        raise business(-11, f"{where}: journal closed")
    if journal["_in_use_by"]:
        raise business(-12, f"{where}: in use by {journal['_in_use_by']}")
    if key[0] not in letters:
        raise business(-38, f"{where}: not for this kind of booking")
    if journal["insertionType"] != 1:
        raise business(-29, f"{where}: insertion type {journal['insertionType']}")
    return journal


def _number(dossier: Dossier, journal: Row, number: int, *, exists: bool) -> None:
    key = document_id(journal["bookyearKey"]["id"], journal["journalKey"], number)
    if exists and key not in dossier["bookings"]:
        raise business(-34, f"dossier {dossier.id}: no booking {key}")
    if not exists and number != journal["_next"]:
        last = journal["_next"] - 1
        raise business(-13, f"dossier {dossier.id}: sequence refused, last {last}, offered {number}")


def _period(dossier: Dossier, journal: Row, period: int) -> None:
    year = dossier["bookyears"][str(journal["bookyearKey"]["id"])]
    if period not in [row["bookyearPeriod"] for row in year["periods"]]:
        raise business(-14, f"dossier {dossier.id}: period {period} is not in bookyear {year['bookyearKey']['id']}")
    if year["closed"] or period <= masters.closed_up_to(journal):
        raise business(-15, f"dossier {dossier.id}: period {period} is protected or closed")


def _buy_sell(dossier: Dossier, journal: Row, given: Row) -> Row:
    relation = dossier.relation_by(given.get("relationIdentificationServiceData", {}))
    if relation is None:
        raise business(-16, f"dossier {dossier.id}: no such relation")
    for name, code in (("documentDate", -17), ("expiryDate", -18)):
        if name not in given:
            raise business(code, f"dossier {dossier.id}: {name} is missing")
    currency, rate = given.get("currencyCode"), given.get("exchangeRate", Decimal())
    if currency not in dossier.currencies:
        raise business(-19, f"dossier {dossier.id}: currency {currency} is not in use")
    if rate <= 0 or (currency == "EUR" and rate != 1):
        raise business(-20, f"dossier {dossier.id}: rate {rate} for {currency}")
    amount, lines = given.get("amount", Decimal()), given.get("bookingLines", [])
    booked = [_line(dossier, journal, line, credit=amount < 0) for line in lines]
    total = sum((line["baseAmount"] + line["vatAmount"] for line in booked), Decimal())
    figures = [amount, *(line[name] for line in booked for name in ("baseAmount", "vatAmount"))]
    if total < 0 or abs(abs(amount) - total) > CENT:
        raise business(-24, f"dossier {dossier.id}: amount {amount}, lines {total}")
    if any(figure != cents(figure) for figure in figures):
        raise business(-24, f"dossier {dossier.id}: amounts have two decimals")
    plain = {name: value for name, value in given.items() if name != "relationIdentificationServiceData"}
    return {**plain, "amount": amount, "bookingLines": booked, "_relation": relation["_id"]}


def _line(dossier: Dossier, journal: Row, line: Row, *, credit: bool) -> Row:
    number, code = line.get("accountKey", 0), line.get("vatCodeKey", "")
    sales = journal["journalKey"][0] == "V"
    _bookable(dossier, journal, number)
    vat_code = dossier["vat_codes"].get(code)
    if vat_code is None:
        raise business(-22, f"dossier {dossier.id}: VAT code '{code}'")
    allowed = SALE_TYPES if sales else PURCHASE_TYPES
    if sales and credit and dossier.state.switches.credit_note_vat == "type_4":
        allowed = (SALE_CREDIT,)
    if vat_code["type"] not in allowed:
        raise business(-75, f"dossier {dossier.id}: VAT code {code} is of type {vat_code['type']}")
    base, vat = line.get("baseAmount", Decimal()), line.get("vatAmount", Decimal())
    if base * vat < 0:
        raise business(-23, f"dossier {dossier.id}: base {base}, VAT {vat}")
    _cost_centre(dossier, journal, number, line.get("costCentreKey", {}).get("id"))
    recovery = line.get("vatRecupPercentage", Decimal(100))
    if not 0 <= recovery <= 100:
        raise business(-30, f"dossier {dossier.id}: {recovery}")
    shown = {name: value for name, value in line.items() if name != "vatRecupPercentage"}
    own = {} if sales else {"vatRecupPercentage": recovery}
    return {**shown, "accountKey": number, "vatCodeKey": code, "baseAmount": base, "vatAmount": vat, **own}


def _bookable(dossier: Dossier, journal: Row, number: int) -> None:
    account = dossier.account(journal["bookyearKey"]["id"], number)
    if account is None:
        raise business(-21, f"dossier {dossier.id}: account {number}")
    if not account["_booking_account"]:
        raise business(-50, f"dossier {dossier.id}: account {number}")


def _cost_centre(dossier: Dossier, journal: Row, number: int, centre: str | None) -> None:
    account = dossier.account(journal["bookyearKey"]["id"], number)
    if centre is None and (account or {}).get("costCentreType") != 1:
        return
    found = dossier["cost_centres"].get(centre or "")
    if found is None:
        raise business(-40, f"dossier {dossier.id}: cost centre '{centre or ''}' on account {number}")
    if found.get("closed"):
        raise business(-41, f"dossier {dossier.id}: cost centre {centre}")


def _financial(dossier: Dossier, journal: Row, given: Row) -> Row:
    if "documentDate" not in given:
        raise business(-17, f"dossier {dossier.id}: documentDate is missing")
    lines = [_money_line(dossier, journal, line) for line in given.get("bookingLines", [])]
    if any(line["amount"] != cents(line["amount"]) for line in lines):
        raise business(-24, f"dossier {dossier.id}: amounts have two decimals")
    if journal["journalKey"][0] == "D" and sum(line["amount"] for line in lines):
        raise business(-24, f"dossier {dossier.id}: lines do not net to zero")
    return {**given, "bookingLines": lines}


def _money_line(dossier: Dossier, journal: Row, line: Row) -> Row:
    kind, amount = line.get("type"), line.get("amount", Decimal())
    if kind not in ("A", "C", "S"):
        raise business(-25, f"dossier {dossier.id}: line type {kind}")
    keys = {"accountKey": 0, "relationId": 0, "externalRelationId": 0}
    if kind == "A":
        _bookable(dossier, journal, line.get("accountKey", 0))
        keys["accountKey"] = line["accountKey"]
    else:
        named = {"relationKey": {"id": line.get("relationId", 0)}, "externalRelationId": line.get("externalRelationId")}
        relation = dossier.relation_by(named)
        if relation is None:
            raise business(-16, f"dossier {dossier.id}: no such relation")
        keys |= {"relationId": relation["_id"], "externalRelationId": relation["_external"]}
    texts = {name: line[name] for name in ("reference", "comment") if name in line}
    return {"type": kind, "amount": amount, **keys, **texts}


# --- reading ---


def show(dossier: Dossier, booking: Row) -> Row:
    """A booking in the shape of the object that was posted."""
    if booking["journalKey"][0] not in BUY_SELL_LETTERS:
        return masters.own(booking)
    return {
        **masters.own(booking),
        "relationIdentificationServiceData": dossier.relation_keys(booking["_relation"]),
    }


def of_kind(dossier: Dossier, letters: str) -> list[Row]:
    return [row for row in dossier["bookings"].values() if row["journalKey"][0] in letters]


def ledger_lines(dossier: Dossier, booking: Row) -> list[Row]:
    """The lines of a booking in the ledger, debit positive; they net to zero."""
    if booking["journalKey"][0] in BUY_SELL_LETTERS:
        return _invoice_ledger(dossier, booking)
    return _money_ledger(dossier, booking)


def _invoice_ledger(dossier: Dossier, booking: Row) -> list[Row]:
    sales = booking["journalKey"][0] == "V"
    central, vat_account = (RECEIVABLE, VAT_DUE) if sales else (PAYABLE, VAT_DEDUCTIBLE)
    side = Decimal(-1 if sales == (booking["amount"] >= 0) else 1)
    parts = [(line["accountKey"], line["baseAmount"] * side, line.get("comment")) for line in booking["bookingLines"]]
    vat = sum((line["vatAmount"] for line in booking["bookingLines"]), Decimal()) * side
    if vat:
        parts.append((vat_account, vat, None))
    lines = [_ledger_line(dossier, booking, *part) for part in parts]
    return _balanced(dossier, booking, lines, central, booking["_relation"])


def _money_ledger(dossier: Dossier, booking: Row) -> list[Row]:
    lines = []
    for line in booking["bookingLines"]:
        account = {"C": RECEIVABLE, "S": PAYABLE}.get(line["type"]) or line["accountKey"]
        signed = line["amount"] * balancings.debit_sign(dossier, booking)
        row = _ledger_line(dossier, booking, account, signed, line.get("comment"))
        lines.append({**row, "relationKey": {"id": line["relationId"]} if line["relationId"] else None})
    return lines if booking["journalKey"][0] == "D" else _balanced(dossier, booking, lines, BANK, None)


def _balanced(dossier: Dossier, booking: Row, lines: list[Row], account: int, relation: int | None) -> list[Row]:
    """With the implicit line that makes the document net to zero, numbered -1, in front."""
    own = {
        **_ledger_line(dossier, booking, account, Decimal(), booking.get("comment")),
        "bookingAmount": -sum((line["bookingAmount"] for line in lines), Decimal()),
        "documentAmount": -sum((line["documentAmount"] for line in lines), Decimal()),
        "relationKey": {"id": relation} if relation else None,
    }
    return [own, *lines]


def _ledger_line(dossier: Dossier, booking: Row, account: int, amount: Decimal, comment: str | None) -> Row:
    return {
        "accountKey": account,
        "documentAmount": amount,
        "bookingAmount": balancings.in_books(dossier, booking, amount),
        "comment": comment,
    }
