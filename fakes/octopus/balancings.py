"""Balancings: pairs of a debit and a credit line of one relation, and what is still open on each line.

Source: reference, section 6. Amounts of a line are signed, debit positive, once in the books' currency (`booked`) and
once in the document's (`document_amount`); what is matched of it has no sign.
"""

from __future__ import annotations

from decimal import Decimal

from fakes.octopus.errors import Refused, business, nothing_found
from fakes.octopus.state import Dossier, Row, cents, document_id, id_of

ZERO = Decimal()


def in_books(dossier: Dossier, booking: Row, amount: Decimal) -> Decimal:
    """A document's amount in the currency of the books."""
    rate = booking["exchangeRate"]
    return cents(amount * rate if dossier.state.switches.rate_direction == "multiply" else amount / rate)


def debit_sign(dossier: Dossier, booking: Row) -> int:
    """The sign that makes a debit of a positive amount: sales raise what a customer owes, money coming in lowers it."""
    match booking["journalKey"][0]:
        case "V":
            return 1
        case "D":
            return 1 if dossier.state.switches.divers_sign == "debit" else -1
    return -1


# --- lines ---


def line_id(key: str, number: int) -> str:
    return f"{key}/{number}"


def open_lines(dossier: Dossier, booking: Row) -> None:
    """The relation lines of a new document, with nothing matched."""
    if "_relation" in booking:
        kind = "C" if booking["journalKey"][0] == "V" else "S"
        parts = [(-1, kind, booking["_relation"], booking["amount"])]
    else:
        numbered = enumerate(booking["bookingLines"], start=1)
        parts = [(n, row["type"], row["relationId"], row["amount"]) for n, row in numbered if row["type"] in "CS"]
    key, sign = id_of(booking), debit_sign(dossier, booking)
    for number, kind, relation, amount in parts:
        row = {
            "document": key,
            "number": number,
            "type": kind,
            "relation": relation,
            "document_amount": amount * sign,
            "booked": in_books(dossier, booking, amount * sign),
            "matched": ZERO,
            "matched_document": ZERO,
        }
        dossier.records.put("lines", line_id(key, number), row)


def lines_of(dossier: Dossier, key: str) -> list[Row]:
    """The relation lines of a document."""
    booking = dossier["bookings"][key]
    numbers = [-1] if "_relation" in booking else range(1, len(booking["bookingLines"]) + 1)
    ids = (line_id(key, number) for number in numbers)
    return [dossier["lines"][each] for each in ids if each in dossier["lines"]]


def forget_lines(dossier: Dossier, key: str) -> None:
    for line in lines_of(dossier, key):
        dossier.records.drop("lines", line_id(key, line["number"]))


def open_booked(line: Row) -> Decimal:
    """What is open, without sign, in the currency of the books."""
    return abs(line["booked"]) - line["matched"]


def open_document(line: Row) -> Decimal:
    """Likewise in the document's currency."""
    return abs(line["document_amount"]) - line["matched_document"]


# --- pairs ---


def insert(dossier: Dossier, debit: str, credit: str, amount: Decimal) -> None:
    """Match `amount`, in the books' currency, of a debit line with a credit line."""
    where = f"dossier {dossier.id}: {debit} with {credit}"
    a, b = dossier["lines"].get(debit), dossier["lines"].get(credit)
    if a is None or b is None or a["booked"] <= 0 or b["booked"] >= 0:
        raise business(-26, f"{where}: not a debit line and a credit line")
    if (a["type"], a["relation"]) != (b["type"], b["relation"]):
        raise business(-26, f"{where}: lines of two relations")
    if amount <= 0 or amount != cents(amount) or amount > min(open_booked(a), open_booked(b)):
        raise business(-26, f"{where}: {amount} of {open_booked(a)} and {open_booked(b)}")
    pair = pair_id(debit, credit)
    before = dossier["balancings"].get(pair, {"amount": ZERO, "debit_document": ZERO, "credit_document": ZERO})
    with dossier.records.change():
        shares = [_settle(dossier, line, amount) for line in (a, b)]
        row = {
            "debit": debit,
            "credit": credit,
            "amount": before["amount"] + amount,
            "debit_document": before["debit_document"] + shares[0],
            "credit_document": before["credit_document"] + shares[1],
        }
        dossier.put("balancings", pair, row)
        if pair in dossier["gone_balancings"]:
            dossier.records.drop("gone_balancings", pair)


def pair_id(debit: str, credit: str) -> str:
    return f"{debit}|{credit}"


def _settle(dossier: Dossier, line: Row, amount: Decimal) -> Decimal:
    """Match this much of a line; gives the same in the document's currency, all that is open for all that is open."""
    share = open_document(line)
    if amount != open_booked(line):
        share = min(share, cents(amount * abs(line["document_amount"]) / abs(line["booked"])))
    matched = {"matched": line["matched"] + amount, "matched_document": line["matched_document"] + share}
    dossier.records.put("lines", line_id(line["document"], line["number"]), {**line, **matched})
    return share


def undo(dossier: Dossier, pair: str) -> None:
    """Take a pair apart; it appears among the deleted ones, as it was."""
    row = dossier["balancings"][pair]
    with dossier.records.change():
        dossier.put("gone_balancings", pair, {"shown": show(dossier, row)})
        dossier.records.drop("balancings", pair)
        for side in ("debit", "credit"):
            line = dossier["lines"][row[side]]
            left = {
                "matched": line["matched"] - row["amount"],
                "matched_document": line["matched_document"] - row[f"{side}_document"],
            }
            dossier.records.put("lines", row[side], {**line, **left})


def undo_line(dossier: Dossier, line: str) -> int:
    """Take apart every pair of a line; gives how many."""
    pairs = [pair for pair, row in dossier["balancings"].items() if line in (row["debit"], row["credit"])]
    for pair in pairs:
        undo(dossier, pair)
    return len(pairs)


def undo_document(dossier: Dossier, key: str) -> int:
    lines = lines_of(dossier, key)
    return sum(undo_line(dossier, line_id(key, line["number"])) for line in lines)


# --- the vendor's shapes ---


def key_of(given: Row) -> str:
    """The line that a balancing key names."""
    number = given.get("documentSequenceNr", 0)
    key = document_id(given.get("bookyearKey", {}).get("id", 0), given.get("journalKey", ""), number)
    return line_id(key, given.get("lineSequenceNr", 0))


def post(dossier: Dossier, given: Row) -> None:
    if not {"debetKey", "creditKey", "balanceAmount"} <= set(given):
        raise business(-26, f"dossier {dossier.id}: debetKey, creditKey and balanceAmount are needed")
    insert(dossier, key_of(given["debetKey"]), key_of(given["creditKey"]), given["balanceAmount"])


def delete(dossier: Dossier, given: Row) -> None:
    pair = pair_id(key_of(given.get("debetKey", {})), key_of(given.get("creditKey", {})))
    if pair not in dossier["balancings"]:
        raise nothing_found(f"balancing in dossier {dossier.id}")
    undo(dossier, pair)


def delete_line(dossier: Dossier, given: Row) -> None:
    if not undo_line(dossier, key_of(given)):
        raise nothing_found(f"balancing in dossier {dossier.id}")


def delete_document(dossier: Dossier, given: Row) -> None:
    key = document_id(
        given.get("bookyearKey", {}).get("id", 0), given.get("journal", ""), given.get("documentSequenceNr", 0)
    )
    if key not in dossier["bookings"]:
        raise Refused(404, f"No booking {key} in dossier {dossier.id}", -34)
    if not undo_document(dossier, key):
        raise nothing_found(f"balancing in dossier {dossier.id}")


def show(dossier: Dossier, row: Row) -> Row:
    """A pair as `balancings/modified` shows it: whole lines, and the amount matched between them."""
    line = dossier["lines"][row["debit"]]
    return {
        "type": {"type": line["type"], "accountNr": 0, **dossier.relation_keys(line["relation"])},
        "debetDocument": _side(dossier, line),
        "creditDocument": _side(dossier, dossier["lines"][row["credit"]]),
        "creditBalancedBookingAmount": row["amount"],
        "debetBalancedBookingAmount": ZERO,
    }


def _side(dossier: Dossier, line: Row) -> Row:
    booking = dossier["bookings"][line["document"]]
    return {
        "balancingKey": {
            "bookyearKey": booking["bookyearKey"],
            "journalKey": booking["journalKey"],
            "documentSequenceNr": booking["documentSequenceNr"],
            "lineSequenceNr": line["number"],
        },
        **line_facts(dossier, line),
    }


def line_facts(dossier: Dossier, line: Row) -> Row:
    """Date, currency, texts and the whole amounts of a relation line."""
    booking = dossier["bookings"][line["document"]]
    texts = booking if line["number"] == -1 else booking["bookingLines"][line["number"] - 1]
    booked, amount = line["booked"], line["document_amount"]
    told = line["number"] == -1 or dossier.state.switches.money_comments_match
    return {
        "documentDate": booking["documentDate"],
        "currencyCode": dossier.currency_of(booking),
        "exchangeRate": booking["exchangeRate"],
        "comment": texts.get("comment", "") if told else "",
        "reference": texts.get("reference", ""),
        "debetBookingAmount": max(booked, ZERO),
        "creditBookingAmount": max(-booked, ZERO),
        "debetDocumentAmount": max(amount, ZERO),
        "creditDocumentAmount": max(-amount, ZERO),
    }
