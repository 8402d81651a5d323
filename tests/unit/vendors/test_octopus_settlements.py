"""What is paid in Octopus: matches, undone ones, and what is still open."""

from __future__ import annotations

from datetime import date

import pytest

from boekbrug.domain.documents import DocumentKind
from boekbrug.domain.ledger import SettlementKind
from boekbrug.domain.money import Money

from .octopus_desk import KEY, NOTHING, Desk, body_of, eur, query_of, read

CREDIT_NOTE = DocumentKind.CREDIT_NOTE


@pytest.fixture
def desk() -> Desk:
    return Desk()


def end(
    journal: str, number: int, line: int = -1, *, debet: float = 0.0, credit: float = 0.0, **changes: object
) -> dict:
    row = {
        "balancingKey": {
            "bookyearKey": {"id": 4},
            "journalKey": journal,
            "documentSequenceNr": number,
            "lineSequenceNr": line,
        },
        "documentDate": "2026-09-02",
        "currencyCode": "EUR",
        "exchangeRate": 1.0,
        "comment": f"2026/145 {KEY}" if journal == "V1" else "",
        "reference": "",
        "debetBookingAmount": debet,
        "creditBookingAmount": credit,
        "debetDocumentAmount": debet,
        "creditDocumentAmount": credit,
    }
    return {**row, **changes}


def pair(debet: dict, credit: dict, amount: float, type: str = "C") -> dict:
    return {
        "type": {"type": type, "relationKey": {"id": 28}, "externalRelationId": 0, "accountNr": 0},
        "debetDocument": debet,
        "creditDocument": credit,
        "creditBalancedBookingAmount": amount,
        "debetBalancedBookingAmount": 0.0,
    }


def settled(desk: Desk, *modified: dict, deleted: tuple = (), start: date = date.min) -> list:
    desk.get("/balancings/modified", {"modifiedBalancings": list(modified), "deletedBalancings": list(deleted)})
    rows, _ = read(desk.ledger.settlements(None, start))
    return rows


INVOICE_END = end("V1", 42, debet=1331.0, documentDate="2026-08-14")


@pytest.mark.parametrize(
    ("journal", "kind"),
    [("F1", SettlementKind.PAYMENT), ("D1", SettlementKind.WRITE_OFF), ("A1", SettlementKind.WRITE_OFF)],
)
def test_the_other_end_of_a_match_tells_what_settled_an_invoice(desk, journal, kind):
    (row,) = settled(desk, pair(INVOICE_END, end(journal, 13, 1, credit=500.0), 321.0))
    assert (row.id, row.booking, row.kind) == (f"4.V1.42~4.{journal}.13.1", "4.V1.42", kind)
    assert (row.amount, row.day) == (eur("321.00"), date(2026, 9, 2))
    assert (row.references, row.gross) == (("2026/145",), eur("1331.00"))


def test_a_credit_note_settles_both_ends_and_is_no_money(desk):
    """octopus.md 10.11."""
    credit = end("V2", 3, credit=121.0, comment="C1", documentDate="2026-09-01")
    invoice, credit_note = settled(desk, pair(INVOICE_END, credit, 121.0))
    assert (invoice.booking, invoice.kind, invoice.day) == ("4.V1.42", SettlementKind.CREDIT_NOTE, date(2026, 9, 1))
    assert (credit_note.booking, credit_note.kind) == ("4.V2.3", SettlementKind.CREDIT_NOTE)
    assert invoice.amount == credit_note.amount == eur("121.00")
    assert invoice.id != credit_note.id


def test_money_paid_back_on_a_credit_note_is_a_payment_of_it(desk):
    (row,) = settled(desk, pair(end("F1", 14, 2, debet=121.0), end("V2", 3, credit=121.0), 121.0))
    assert (row.booking, row.kind, row.gross) == ("4.V2.3", SettlementKind.PAYMENT, eur("121.00"))


def test_matches_of_suppliers_and_accounts_say_nothing_about_sales(desk):
    other = pair(INVOICE_END, end("F1", 13, 1, credit=10.0), 10.0, type="S")
    bank = pair(end("D1", 1, 1, debet=10.0), end("F1", 13, 1, credit=10.0), 10.0)
    assert settled(desk, other, bank) == []


def test_an_undone_match_opens_the_same_part_again(desk):
    match = pair(INVOICE_END, end("F1", 13, 1, credit=500.0), 500.0)
    (before,) = settled(desk, match)
    desk.clock.advance(3600)
    (after,) = settled(desk, deleted=(match,))
    assert (after.id, after.kind, after.amount) == (before.id, SettlementKind.OPEN, eur("500.00"))
    assert after.version > before.version


def test_a_match_undone_and_made_again_stands(desk):
    match = pair(INVOICE_END, end("F1", 13, 1, credit=500.0), 500.0)
    (row,) = settled(desk, match, deleted=(match,))
    assert row.kind is SettlementKind.PAYMENT


def test_a_match_that_grew_keeps_its_id_with_a_newer_version(desk):
    (before,) = settled(desk, pair(INVOICE_END, end("F1", 13, 1, credit=500.0), 300.0))
    desk.clock.advance(3600)
    (after,) = settled(desk, pair(INVOICE_END, end("F1", 13, 1, credit=500.0), 500.0))
    assert (after.id, after.amount) == (before.id, eur("500.00"))
    assert after.version > before.version


def test_sales_from_before_the_start_are_of_no_interest(desk):
    match = pair(INVOICE_END, end("F1", 13, 1, credit=500.0), 500.0)
    assert settled(desk, match, start=date(2026, 8, 15)) == []


def foreign(document: str, books: float, **changes: object) -> dict:
    amount = float(document)
    return {"currencyCode": "USD", "debetBookingAmount": books, "debetDocumentAmount": amount, **changes}


@pytest.mark.parametrize(
    ("matched", "counter", "expected"),
    [
        (80.0, {}, "100.00"),  # all of the invoice
        (
            32.0,
            {"currencyCode": "USD", "creditBookingAmount": 32.0, "creditDocumentAmount": 40.01},
            "40.01",
        ),  # all of the payment
        (32.0, {"creditBookingAmount": 50.0, "creditDocumentAmount": 50.0}, "40.00"),  # a share of the invoice
        (32.0, {"currencyCode": "USD", "creditBookingAmount": 64.0, "creditDocumentAmount": 80.0}, "40.00"),
    ],
)
def test_rules_16_a_match_counts_in_the_documents_own_currency(desk, matched, counter, expected):
    invoice = {**end("V1", 42), **foreign("100.00", 80.0)}
    (row,) = settled(desk, pair(invoice, {**end("F1", 13, 1), **counter}, matched))
    assert (row.amount, row.gross) == (Money.of(expected, "USD"), Money.of("100.00", "USD"))


def test_one_number_in_two_bookyears_is_two_invoices(desk):
    """octopus.md 10.9: numbers begin anew in every bookyear."""
    last_year = {**INVOICE_END, "balancingKey": {**INVOICE_END["balancingKey"], "bookyearKey": {"id": 3}}}
    paid, other = settled(
        desk,
        pair(last_year, end("F1", 13, 1, credit=1331.0), 1331.0),
        pair(INVOICE_END, end("F1", 13, 1, credit=500.0), 500.0),
    )
    assert (paid.booking, other.booking) == ("3.V1.42", "4.V1.42")
    assert paid.id != other.id
    desk.books()
    desk.post("/reports/clients/open", [open_row(), open_row(left=10.0, bookyearKey={"id": 3})])
    assert [item.booking for item in desk.ledger.open_items()] == ["4.V1.42", "3.V1.42"]


def test_what_settles_an_invoice_under_another_number_still_says_which_it_is(desk):
    """octopus.md 10.19: somebody took the booking out and typed it in anew, in words of their own."""
    anew = end("V1", 57, debet=1331.0, documentDate="2026-08-14", comment="Studio Noord", reference="2026/145")
    (row,) = settled(desk, pair(anew, end("F1", 13, 1, credit=1331.0), 1331.0))
    assert (row.booking, row.references, row.gross) == ("4.V1.57", ("2026/145", "Studio Noord"), eur("1331.00"))


def test_the_first_list_begins_a_while_before_what_is_of_interest(desk):
    """It has no pages, and holds the suppliers too: of all the years of a dossier it might never be answered."""
    route = desk.get("/balancings/modified", NOTHING)
    _, cursor = read(desk.ledger.settlements(None, date(2025, 1, 1)))
    assert query_of(route) == {"modifiedTimeStamp": "2024-10-03 02:00:00.000"}
    desk.clock.advance(3600)
    read(desk.ledger.settlements(cursor, date(2025, 1, 1)))
    assert query_of(route) == {"modifiedTimeStamp": "2025-03-03 06:00:00.000"}


def test_settlements_go_on_from_the_last_look(desk):
    route = desk.get("/balancings/modified", NOTHING)
    _, cursor = read(desk.ledger.settlements(None))
    assert query_of(route) == {"modifiedTimeStamp": "1980-01-01 00:00:00.000"}
    assert list(desk.ledger.settlements(cursor)) == []
    desk.clock.advance(3600)
    read(desk.ledger.settlements(cursor))
    assert query_of(route) == {"modifiedTimeStamp": "2025-03-03 06:00:00.000"}


def open_row(journal: str = "V1", left: float = 831.0, **changes: object) -> dict:
    row = {
        "bookyearKey": {"id": 4},
        "journalKey": journal,
        "documentSequenceNr": 42,
        "lineSequenceNr": -1,
        "currencyCode": "EUR",
        "debetDocumentAmount": 1331.0,
        "creditDocumentAmount": 0.0,
        "openDocAmount": left,
        "comment": f"2026/145 {KEY}",
        "reference": "+++090/9337/55493+++",
    }
    return {**row, **changes}


def test_open_items_are_asked_from_the_oldest_bookyear_to_the_newest_for_every_relation(desk):
    """octopus.md 10.8."""
    desk.books()
    credit = open_row("V2", -121.0, debetDocumentAmount=0.0, creditDocumentAmount=121.0, comment="C1", reference="")
    route = desk.post("/reports/clients/open", [open_row(), credit, open_row("F1", -10.0), open_row("V1", 0.0)])
    invoice, credit_note = desk.ledger.open_items()
    assert (invoice.booking, invoice.open, invoice.gross) == ("4.V1.42", eur("831.00"), eur("1331.00"))
    assert invoice.references == ("2026/145", "+++090/9337/55493+++")
    assert (credit_note.booking, credit_note.open, credit_note.gross) == ("4.V2.42", eur("121.00"), eur("121.00"))
    assert body_of(route) == {
        "fromBookyearKey": {"id": 3},
        "toBookyearKey": {"id": 4},
        "fromBookyearPeriodNr": 202501,
        "toBookyearPeriodNr": 202604,
        "relationId": -1,
        "externalRelationId": -1,
    }


def test_nothing_open_is_an_empty_answer(desk):
    desk.books()
    desk.post("/reports/clients/open", NOTHING)
    assert desk.ledger.open_items() == []
