"""What a bookkeeper does by hand in the Octopus program: `POST /_fake/<name>`.

Every lever takes the dossier number as `tenant` and a booking by its id, `<dossier>/<bookyear>/<journal>/<number>`, as
`booking`. Amounts are text or numbers, in the document's currency. None of them minds a journal in use.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from decimal import Decimal

from fakes.kit.errors import BadCommand
from fakes.octopus import balancings, bookings, load, masters, payload
from fakes.octopus.state import Dossier, Row, State, cents, id_of

Lever = Callable[[State, Row], Row]
WRITE_OFF = 642000


def _booking(dossier: Dossier, text: object) -> Row:
    found = dossier["bookings"].get(str(text or "").removeprefix(f"{dossier.id}/"))
    if found is None:
        raise BadCommand(f"no booking {text!r} in dossier {dossier.id}")
    return found


def _day(state: State, body: Row) -> date:
    if "date" not in body:
        return state.today()
    found = payload.day(str(body["date"]))
    if found is None:
        raise BadCommand(f"not a date: {body['date']!r}")
    return found


def _open_line(dossier: Dossier, booking: Row, sign: int = 0) -> Row:
    """The first line of a document with something open (of that sign), else its first line."""
    lines = balancings.lines_of(dossier, id_of(booking))
    fitting = [line for line in lines if balancings.open_booked(line) and line["booked"] * sign >= 0]
    if not lines:
        raise BadCommand(f"booking {id_of(booking)} has no line of a relation")
    return (fitting or lines)[0]


def _match(dossier: Dossier, a: Row, b: Row, amount: Decimal | None) -> Decimal:
    """Balance two lines, for as much as both allow or for `amount` in a's currency; gives that amount."""
    debit, credit = (a, b) if a["booked"] > 0 else (b, a)
    most = min(balancings.open_booked(a), balancings.open_booked(b))
    booked = most
    if amount is not None and amount != balancings.open_document(a):
        booked = cents(amount * abs(a["booked"]) / abs(a["document_amount"]))
    ids = [balancings.line_id(line["document"], line["number"]) for line in (debit, credit)]
    balancings.insert(dossier, *ids, booked)
    return booked


# --- money ---


def pay(state: State, body: Row) -> Row:
    """Settle a booking in full or in part: by bank, by a credit note, or by giving up on the rest."""
    dossier = load.dossier_of(state, body)
    booking, day = _booking(dossier, body.get("booking")), _day(state, body)
    line = _open_line(dossier, booking)
    open_amount = balancings.open_document(line)
    amount = Decimal(str(body.get("amount", open_amount)))
    if amount <= 0 or amount != cents(amount):
        raise BadCommand(f"amount {amount}")
    made: Row = {}
    with dossier.records.change():
        match body.get("kind", "bank"):
            case "bank":
                payment = _money(dossier, "F", line, amount, day)
                made["payment"] = load.public_id(dossier, payment)
                if open_amount:
                    _match(dossier, line, _open_line(dossier, payment), min(amount, open_amount))
            case "credit_note" if amount <= open_amount:
                credit = _credit_for(dossier, booking, amount, day)
                made["credit_note"] = load.public_id(dossier, credit)
                _match(dossier, line, _open_line(dossier, credit), amount)
            case "write_off" if amount <= open_amount:
                written_off = _money(dossier, "D", line, amount, day)
                made["write_off"] = load.public_id(dossier, written_off)
                _match(dossier, line, _open_line(dossier, written_off), amount)
            case "credit_note" | "write_off":
                raise BadCommand(f"amount {amount}: {open_amount} is open")
            case kind:
                raise BadCommand(f"no kind of payment {kind!r}")
    return {**made, "open": str(balancings.open_document(_open_line(dossier, booking)))}


def _money(dossier: Dossier, letter: str, line: Row, amount: Decimal, day: date) -> Row:
    """A bank (F) or various (D) document whose first line takes `amount` off a line."""
    source = dossier["bookings"][line["document"]]
    year = load.year_of(dossier, day)
    currency = dossier.currency_of(source)
    journals = [row for row in dossier.journals_of(year["bookyearKey"]["id"]) if row["journalKey"][0] == letter]
    journals.sort(key=lambda row: row.get("currencyCode", currency) != currency)
    if not journals:
        raise BadCommand(f"dossier {dossier.id} has no {letter} journal")
    draft = {"journalKey": journals[0]["journalKey"]}
    reference = source.get("reference", "")
    sign = balancings.debit_sign(dossier, draft) * (-1 if line["booked"] > 0 else 1)
    external = dossier.relation_keys(line["relation"])["externalRelationId"]
    keys = {"relationId": line["relation"], "externalRelationId": external, "accountKey": 0}
    lines = [{"type": line["type"], **keys, "amount": sign * amount, "reference": reference}]
    if letter == "D":
        keys = {"relationId": 0, "externalRelationId": 0, "accountKey": WRITE_OFF}
        lines.append({"type": "A", **keys, "amount": -sign * amount})
    booking = {
        "bookyearKey": year["bookyearKey"],
        "journalKey": journals[0]["journalKey"],
        "documentSequenceNr": journals[0]["_next"],
        "bookyearPeriodeNr": load.period_of(year, day),
        "documentDate": day,
        "exchangeRate": source["exchangeRate"],
        "bookingLines": lines,
    }
    if (journals[0].get("currencyCode") or "EUR") != currency:  # the program converts; the line keeps its own currency
        booking["currencyCode"] = currency
    return bookings.store(dossier, booking, journals[0])


def _credit_for(dossier: Dossier, booking: Row, amount: Decimal, day: date) -> Row:
    """A credit note of the customer with enough left, or one made now in the last sales journal."""
    for other in bookings.of_kind(dossier, "V"):
        if other["_relation"] == booking["_relation"] and other["amount"] < 0:
            line = balancings.lines_of(dossier, id_of(other))[0]
            same = dossier.currency_of(other) == dossier.currency_of(booking)
            if same and balancings.open_document(line) >= amount:
                return other
    first = booking["bookingLines"][0]
    vat_code = dossier["vat_codes"].get(first["vatCodeKey"], {})
    base = cents(amount / (1 + vat_code.get("basePercentage", Decimal()) / 100))
    journals = [row["journalKey"] for row in dossier.journals_of(load.year_of(dossier, day)["bookyearKey"]["id"])]
    own = [key for key in journals if key[0] == "V" and _mode(dossier, day, key) == 1]
    posted = {
        "journalKey": own[-1],
        "documentDate": day.isoformat(),
        "relationIdentificationServiceData": {"relationKey": {"id": booking["_relation"]}},
        "amount": -amount,
        "currencyCode": booking["currencyCode"],
        "exchangeRate": booking["exchangeRate"],
        "reference": f"CN {booking.get('reference', '')}".strip(),
        "bookingLines": [
            {
                "accountKey": first["accountKey"],
                "vatCodeKey": first["vatCodeKey"],
                "baseAmount": base,
                "vatAmount": amount - base,
            }
        ],
    }
    return load.book(dossier, posted)


def _mode(dossier: Dossier, day: date, key: str) -> int:
    year = load.year_of(dossier, day)["bookyearKey"]["id"]
    return (dossier.journal(year, key) or {}).get("insertionType", 0)


def match(state: State, body: Row) -> Row:
    """Balance two documents, `a` and `b` in either order; without `amount` for as much as both allow."""
    dossier = load.dossier_of(state, body)
    a = _open_line(dossier, _booking(dossier, body.get("a")))
    b = _open_line(dossier, _booking(dossier, body.get("b")), -1 if a["booked"] > 0 else 1)
    amount = Decimal(str(body["amount"])) if body.get("amount") is not None else None
    return {"matched": str(_match(dossier, a, b, amount))}


def unmatch(state: State, body: Row) -> Row:
    """Undo what settled booking `a`; with `b`, only what matched the two."""
    dossier = load.dossier_of(state, body)
    a = id_of(_booking(dossier, body.get("a") or body.get("booking")))
    b = id_of(_booking(dossier, body["b"])) if body.get("b") else None
    pairs = []
    for pair, row in dossier["balancings"].items():
        documents = {dossier["lines"][row[side]]["document"] for side in ("debit", "credit")}
        if a in documents and (b is None or b in documents):
            pairs.append(pair)
    if not pairs:
        raise BadCommand("nothing was matched there")
    with dossier.records.change():
        for pair in pairs:
            balancings.undo(dossier, pair)
    return {"undone": len(pairs)}


# --- periods and journals ---


def _journals(dossier: Dossier, body: Row) -> list[Row]:
    """The journals that `year` and `journal` name; without `journal` all of the bookyear."""
    wanted = [
        row
        for row in dossier["journals"].values()
        if body.get("journal") in (None, row["journalKey"])
        and ("year" not in body or dossier["bookyears"][str(row["bookyearKey"]["id"])] == _year(dossier, body))
    ]
    if not wanted:
        raise BadCommand(f"no journal {body.get('journal')!r}")
    return wanted


def _year(dossier: Dossier, body: Row) -> Row:
    """The bookyear that holds the last day of that calendar year."""
    return load.year_of(dossier, date(int(body["year"]), 12, 31))


def _number(dossier: Dossier, body: Row) -> int:
    """The vendor's number of a period: 3 of 2026 is 202603."""
    period = int(body["period"])
    number = period if period > 99 else int(body["year"]) * 100 + period
    if number not in [row["bookyearPeriod"] for row in _year(dossier, body)["periods"]]:
        raise BadCommand(f"no period {body['period']} in {body['year']}")
    return number


def close_period(state: State, body: Row) -> Row:
    """Close a period and all before it, in one journal or in all; with `protect` protect them instead."""
    dossier = load.dossier_of(state, body)
    field, number = "protectedPeriod" if body.get("protect") else "closedPeriod", _number(dossier, body)
    with dossier.records.change():
        for journal in _journals(dossier, body):
            dossier.set_journal(journal, **{field: max(journal[field], number)})
    return {field: number}


def open_period(state: State, body: Row) -> Row:
    """Open a period and all after it again, closed or protected."""
    dossier = load.dossier_of(state, body)
    number = _number(dossier, body)
    before = number - 1 if number % 100 > 1 else 0
    shut = [row for row in _journals(dossier, body) if masters.closed_up_to(row) >= number]
    if not shut:
        raise BadCommand("that period is not closed")
    with dossier.records.change():
        for row in shut:
            fields = {name: min(row[name], before) for name in ("closedPeriod", "protectedPeriod")}
            dossier.set_journal(row, **fields)
    return {}


def close_bookyear(state: State, body: Row) -> Row:
    """Close a bookyear, or with `closed` false open it again."""
    dossier = load.dossier_of(state, body)
    year = _year(dossier, body)
    dossier.put("bookyears", str(year["bookyearKey"]["id"]), {**year, "closed": bool(body.get("closed", True))})
    return {}


def carry_over(state: State, body: Row) -> Row:
    """Carry the balances into a bookyear: its open-items report then shows what is older too."""
    dossier = load.dossier_of(state, body)
    year = _year(dossier, body)
    dossier.put("bookyears", str(year["bookyearKey"]["id"]), {**year, "_carried_over": True})
    return {}


def close_journal(state: State, body: Row) -> Row:
    """Close a journal, or with `closed` false open it again; with `year` in that bookyear only."""
    dossier = load.dossier_of(state, body)
    with dossier.records.change():
        for row in _journals(dossier, {"journal": body["journal"], **body}):
            dossier.set_journal(row, closed=bool(body.get("closed", True)))
    return {}


def journal_in_use(state: State, body: Row) -> Row:
    """Another user opens a journal in the program; `user` null: closes it again."""
    dossier = load.dossier_of(state, body)
    with dossier.records.change():
        for row in _journals(dossier, {"tenant": body["tenant"], "journal": body["journal"]}):
            dossier.set_journal(row, _in_use_by=body.get("user"))
    return {}


def set_next_number(state: State, body: Row) -> Row:
    """Let a journal jump ahead to `number`."""
    dossier = load.dossier_of(state, body)
    (journal,) = _journals(dossier, {"journal": body["journal"], "year": body["year"]})
    if int(body["number"]) < journal["_next"]:
        raise BadCommand(f"the next number is {journal['_next']} already")
    dossier.set_journal(journal, _next=int(body["number"]))
    return {}


# --- documents, relations, access ---


def delete_booking(state: State, body: Row) -> Row:
    dossier = load.dossier_of(state, body)
    bookings.delete(dossier, id_of(_booking(dossier, body.get("booking"))))
    return {}


def book_by_hand(state: State, body: Row) -> Row:
    """A bookkeeper enters a purchase or sale. Fields as in buysellbookings; most have a default, see `load.book`."""
    dossier = load.dossier_of(state, body)
    made = load.book(dossier, {name: value for name, value in body.items() if name != "tenant"})
    return {"id": load.public_id(dossier, made), "documentSequenceNr": made["documentSequenceNr"]}


def edit_relation(state: State, body: Row) -> Row:
    """A bookkeeper changes a relation: `relation` is its number, all else fields of a relation."""
    dossier = load.dossier_of(state, body)
    found = dossier["relations"].get(str(body.get("relation")))
    if found is None:
        raise BadCommand(f"no relation {body.get('relation')!r}")
    fields = {name: value for name, value in body.items() if name not in ("tenant", "relation")}
    values, external = load.relation_fields(fields, found["_external"])
    dossier.put("relations", str(found["_id"]), {**found, **values, "_external": external})
    return {"relation": found["_id"]}


def delete_relation(state: State, body: Row) -> Row:
    dossier = load.dossier_of(state, body)
    key = str(body.get("relation"))
    if key not in dossier["relations"]:
        raise BadCommand(f"no relation {key}")
    if any(line["relation"] == int(key) for line in dossier["lines"].values()):
        raise BadCommand(f"relation {key} has bookings")
    with dossier.records.change():
        dossier.put("gone_relations", key, dossier["relations"][key])
        dossier.records.drop("relations", key)
    return {}


def disable_dossier(state: State, body: Row) -> Row:
    """Disable a dossier for web services, or with `disabled` false enable it again."""
    load.dossier_of(state, body).disabled = bool(body.get("disabled", True))
    return {}


def edit_user(state: State, body: Row) -> Row:
    """Change a user: `password`, `dossiers`, `web_service`, `read_only`. Tokens already given live on."""
    user = state.users.get(str(body.get("user")))
    if user is None:
        raise BadCommand(f"no user {body.get('user')!r}")
    for name, value in body.items():
        if name not in ("user", "password", "dossiers", "web_service", "read_only"):
            raise BadCommand(f"a user has no {name}")
        if name != "user":
            setattr(user, name, [int(number) for number in value] if name == "dossiers" else value)
    return {"user": user.name}


def switches(state: State, body: Row) -> Row:
    """Set switches by name; answers with all of them."""
    state.switches = state.switches.changed(body)
    return asdict(state.switches)


LEVERS: dict[str, Lever] = {
    lever.__name__: lever
    for lever in (
        pay,
        match,
        unmatch,
        close_period,
        open_period,
        close_bookyear,
        carry_over,
        close_journal,
        journal_in_use,
        set_next_number,
        delete_booking,
        book_by_hand,
        edit_relation,
        delete_relation,
        disable_dossier,
        edit_user,
        switches,
    )
}
