"""Matching by XML upload, the one thing of ours that Exact Online offers no REST for.

`POST /docs/XMLUpload.aspx?Topic=MatchSets&_Division_=…`. Source: reference, section 5.18; one sample only, so this is
as small as that sample: match lines are found by year, period, journal, entry and amount, and set off.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from fakes.exact import receivables
from fakes.exact.errors import Refused
from fakes.exact.state import Division, Row
from fakes.kit.faults import BadCommand

ERROR, DONE = 0, 2


def upload(division: Division, text: bytes) -> bytes:
    """Carry out an upload; answers with one message per match set."""
    try:
        root = fromstring(text)
    except (ParseError, DefusedXmlException):
        raise Refused(400) from None
    if root.tag != "eExact":
        raise Refused(400)
    return _answer([_match(division, node) for node in root.iterfind("MatchSets/MatchSet")])


def _match(division: Division, node: Element) -> tuple[int, str]:
    gl_code, account_code = (_code(node, name) for name in ("GLAccount", "Account"))
    account = division["GLAccounts"].first("Code", gl_code)
    relation = division["Accounts"].first("Code", account_code.rjust(18))
    if account is None or account.get("Type") not in (20, 22):
        return ERROR, f"Ongeldig: Grootboekrekening {gl_code}"
    if relation is None:
        return ERROR, f"Ongeldig: Relatie {account_code}"
    entries: list[Row] = []
    for line in node.iterfind("MatchLines/MatchLine"):
        entry = _entry(division, line, relation)
        if entry is None:
            year, period = line.get("finyear"), line.get("finperiod")
            where = f"GLAccount={gl_code} Account={account_code} finyear={year} finperiod={period}"
            return ERROR, f"Betalingstermijn: {where} Niet gevonden!"
        entries.append(entry)
    invoices = [entry for entry in entries if entry["AmountFC"] > 0]
    credits = [entry for entry in entries if entry["AmountFC"] < 0]
    try:
        for credit in credits:
            for invoice in invoices:
                open_amounts = [receivables.open_amount(division, entry["EntryID"]) for entry in (invoice, credit)]
                if all(open_amounts):
                    receivables.match(division, invoice, credit, None, division.state.today())
        if node.find("WriteOff") is not None:
            for entry in entries:
                if rest := receivables.open_amount(division, entry["EntryID"]):
                    receivables.write_off(division, entry, rest, division.state.today())
    except BadCommand as error:
        return ERROR, str(error)
    return DONE, f"MatchSet: {account_code}"


def _code(node: Element, name: str) -> str:
    found = node.find(name)
    return (found.get("code") or "").strip() if found is not None else ""


def _entry(division: Division, line: Element, relation: Row) -> Row | None:
    """The sales entry with an open term of the amount that a match line names."""
    try:
        number = int(line.get("entry", ""))
        amount = abs(Decimal(line.get("amountdc", "")))
        when = (int(line.get("finyear", "")), int(line.get("finperiod", "")))
    except (ValueError, InvalidOperation):
        return None
    for entry in division["SalesEntries"].where("EntryNumber", number):
        same = entry["Journal"] == line.get("journal") and (entry["ReportingYear"], entry["ReportingPeriod"]) == when
        terms = receivables.open_terms(division, entry["EntryID"])
        if same and entry["Customer"] == relation["ID"] and any(abs(term["AmountDC"]) == amount for term in terms):
            return entry
    return None


def _answer(messages: list[tuple[int, str]]) -> bytes:
    rows = "".join(
        f'<Message type="{type_}"><Topic code="MatchSets" node="MatchSet" />'
        f"<Description>{escape(text)}</Description></Message>"
        for type_, text in messages
    )
    return f'<?xml version="1.0" encoding="utf-8"?><eExact><Messages>{rows}</Messages></eExact>'.encode()
