"""What a bookkeeper does by hand in Exact Online: `POST /_fake/<name>`.

Every lever takes the division number as `tenant` and an entry by its EntryID as `booking`. Amounts are text or numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from datetime import datetime
from decimal import Decimal

from fakes.exact import entries, ledger, load, masters, payload, receivables
from fakes.exact.entities import entity
from fakes.exact.state import Division, Row, State, Switches
from fakes.kit.faults import BadCommand

Lever = Callable[[State, Row], Row]


def _division(state: State, body: Row) -> Division:
    found = state.divisions.get(int(body.get("tenant") or 0))
    if found is None:
        raise BadCommand(f"no division {body.get('tenant')!r}")
    return found


def _entry(division: Division, entry_id: object) -> Row:
    found = division["SalesEntries"].get(str(entry_id or "").lower())
    if found is None:
        raise BadCommand(f"no sales entry {entry_id!r} in division {division.number}")
    return found


def _day(state: State, body: Row) -> datetime:
    if "date" not in body:
        return state.today()
    found = payload.day(str(body["date"]))
    if found is None:
        raise BadCommand(f"not a date: {body['date']!r}")
    return found


def _final(division: Division, entry_id: object) -> Row:
    """The entry, processed first if it was still open."""
    return entries.process(division, _entry(division, entry_id)["EntryID"])


def pay(state: State, body: Row) -> Row:
    """Settle an entry in full or in part: by bank, by a credit note, or by giving up on the rest."""
    division = _division(state, body)
    entry, day = _final(division, body.get("booking")), _day(state, body)
    open_amount = receivables.open_amount(division, entry["EntryID"])
    amount = Decimal(str(body.get("amount", open_amount)))
    made: Row = {}
    match body.get("kind", "bank"):
        case "bank" if amount > 0:
            signed = amount if entry["AmountFC"] > 0 else -amount
            made["payment"] = receivables.pay(division, entry, signed, day)["EntryID"]
        case "credit_note" if 0 < amount <= open_amount:
            credit = _credit_for(division, entry, amount, day)
            receivables.match(division, entry, credit, amount, day)
            made["credit_note"] = credit["EntryID"]
        case "write_off" if 0 < amount <= open_amount:
            receivables.write_off(division, entry, amount, day)
        case "bank" | "credit_note" | "write_off":
            raise BadCommand(f"amount {amount}: {open_amount} is open")
        case kind:
            raise BadCommand(f"no kind of payment {kind!r}")
    return {**made, "open": str(receivables.open_amount(division, entry["EntryID"]))}


def _credit_for(division: Division, entry: Row, amount: Decimal, day: datetime) -> Row:
    """A credit note of the customer with enough left, or one booked now with the first line's VAT code."""
    for other in division["SalesEntries"].where("Customer", entry["Customer"]):
        if other["AmountFC"] < 0 and receivables.open_amount(division, other["EntryID"]) >= amount:
            return _final(division, other["EntryID"])
    line = entries.lines_of(division, entry["EntryID"])[0]
    code = division["VATCodes"].first("Code", line["VATCode"] or "")
    percentage = entries.percentage_of(division, code, day) or Decimal()
    gross = code is not None and code["Type"] == "I"
    vat = amount - ledger.cents(amount / (1 + percentage))
    posted = {
        "Customer": entry["Customer"],
        "Journal": entry["Journal"],
        "Type": ledger.CREDIT,
        "EntryDate": day,
        "Currency": entry["Currency"],
        "YourRef": f"C {entry.get('YourRef') or entry['EntryNumber']}"[:30],
        "SalesEntryLines": [
            {
                "GLAccount": line["GLAccount"],
                "VATCode": line["VATCode"],
                "AmountFC": -(amount if gross else amount - vat),
                "VATAmountFC": -vat if code else None,
            }
        ],
    }
    return _final(division, entries.create(division, posted)["EntryID"])


def match(state: State, body: Row) -> Row:
    """Set a credit note off against an invoice, `a` and `b` in either order."""
    division = _division(state, body)
    a, b = (_final(division, body.get(side)) for side in ("a", "b"))
    amount = Decimal(str(body["amount"])) if body.get("amount") is not None else None
    invoice, credit = (a, b) if a["AmountFC"] > 0 else (b, a)
    return {"matched": str(receivables.match(division, invoice, credit, amount, _day(state, body)))}


def unmatch(state: State, body: Row) -> Row:
    """Undo what settled entry `a`; with `b`, only what matched the two."""
    division = _division(state, body)
    entry = _entry(division, body.get("a") or body.get("booking"))
    other = _entry(division, body["b"])["EntryID"] if body.get("b") else None
    undone = receivables.unmatch(division, entry["EntryID"], other)
    if not undone:
        raise BadCommand("nothing was matched there")
    return {"undone": undone}


def close_period(state: State, body: Row) -> Row:
    division, period = _division(state, body), (int(body["year"]), int(body["period"]), body.get("journal"))
    division.closed.add(period)
    state.version += 1
    return {}


def open_period(state: State, body: Row) -> Row:
    division, period = _division(state, body), (int(body["year"]), int(body["period"]), body.get("journal"))
    if period not in division.closed:
        raise BadCommand("that period is not closed")
    division.closed.discard(period)
    state.version += 1
    return {}


def delete_booking(state: State, body: Row) -> Row:
    division = _division(state, body)
    entries.delete(division, _entry(division, body.get("booking"))["EntryID"], by_hand=True)
    return {}


def process(state: State, body: Row) -> Row:
    """Make an entry final, or all open ones of the division when none is named."""
    division = _division(state, body)
    wanted = [body["booking"]] if body.get("booking") else list(division["SalesEntries"].rows)
    for entry_id in wanted:
        _final(division, entry_id)
    return {"processed": len(wanted)}


def select_for_collection(state: State, body: Row) -> Row:
    """Take an entry into a direct-debit batch; with `sent` the batch has gone to the bank."""
    division = _division(state, body)
    entry = _final(division, body.get("booking"))
    return {"terms": receivables.select_for_collection(division, entry["EntryID"], sent=bool(body.get("sent")))}


def book_by_hand(state: State, body: Row) -> Row:
    """A bookkeeper enters a sales entry. Fields as in SalesEntries, or by code and name: see `load.entry_fields`."""
    division = _division(state, body)
    entry = entries.create(division, load.entry_fields(division, body))
    return {"id": entry["EntryID"], "EntryNumber": entry["EntryNumber"], "AmountFC": entry["AmountFC"]}


def edit_account(state: State, body: Row) -> Row:
    """A bookkeeper changes a relation: `account` is its ID, all else fields of crm/Accounts."""
    division, kind = _division(state, body), entity("crm/Accounts")
    key = str(body.get("account", "")).lower()
    if division["Accounts"].get(key) is None:
        raise BadCommand(f"no account {key!r}")
    changes = {name: value for name, value in body.items() if name not in ("tenant", "account")}
    masters.update(division, kind, key, payload.read(changes, kind, update=True))
    return {"id": key}


def switch_company(state: State, body: Row) -> Row:
    """A user opens another company in the browser: `current/Me` follows."""
    user = state.users.get(str(body.get("user")))
    if user is None or int(body["tenant"]) not in user["divisions"]:
        raise BadCommand("no such user, or not his division")
    user["CurrentDivision"] = int(body["tenant"])
    state.version += 1
    return {}


def switches(state: State, body: Row) -> Row:
    """Set switches by name; answers with all of them."""
    known = {f.name for f in fields(Switches)}
    if unknown := set(body) - known:
        raise BadCommand(f"no switch {sorted(unknown)}; there are {sorted(known)}")
    for name, value in body.items():
        usual = getattr(Switches(), name)
        if usual is not None and type(value) is not type(usual):
            raise BadCommand(f"switch {name} is a {type(usual).__name__}, such as {usual!r}")
        setattr(state.switches, name, value)
    return {name: getattr(state.switches, name) for name in sorted(known)}


LEVERS: dict[str, Lever] = {
    lever.__name__: lever
    for lever in (
        pay,
        match,
        unmatch,
        close_period,
        open_period,
        delete_booking,
        process,
        select_for_collection,
        book_by_hand,
        edit_account,
        switch_company,
        switches,
    )
}
