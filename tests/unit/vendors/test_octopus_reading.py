"""Bookings as Octopus tells them: kinds by their signs, numbers where they stand, looks that go on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal

import httpx
import pytest

from boekbrug.domain.documents import DocumentKind
from boekbrug.domain.errors import NumberTaken, UnexpectedAnswer, VendorDown
from boekbrug.domain.ledger import Booking, Cursor, Page
from boekbrug.domain.money import Money
from boekbrug.vendors.octopus import mapping, wire
from boekbrug.vendors.octopus.times import stamp

from .octopus_desk import CREATED, KEY, NOTHING, Desk, a_line, a_row, an_entry, bookyear, eur, no, query_of, read

CREDIT_NOTE = DocumentKind.CREDIT_NOTE


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_booking_reads_back_as_it_was_answered(desk):
    desk.books()
    desk.booked(CREATED)
    booked = desk.book().value
    desk.get("/buysellbookings", a_row())
    assert desk.ledger.booking(booked) == booked


def test_a_booking_that_is_not_there_any_more_is_gone(desk):
    desk.books()
    desk.booked(CREATED)
    booked = desk.book().value
    desk.get("/buysellbookings", NOTHING)
    assert desk.ledger.booking(booked) is None


def lines_of(*amounts: tuple[float, float]) -> list[dict]:
    return [{"baseAmount": net, "vatAmount": vat, "vatCodeKey": "21", "accountKey": 700300} for net, vat in amounts]


@pytest.mark.parametrize(
    ("amount", "lines", "kind", "gross", "vat"),
    [
        (121.0, [(100.0, 21.0)], DocumentKind.INVOICE, "121.00", "21.00"),
        (-121.0, [(-100.0, -21.0)], DocumentKind.INVOICE, "-121.00", "-21.00"),
        (-121.0, [(100.0, 21.0)], CREDIT_NOTE, "121.00", "21.00"),
        (121.0, [(-100.0, -21.0)], CREDIT_NOTE, "-121.00", "-21.00"),
        (-121.0, [], CREDIT_NOTE, "121.00", "0.00"),
        (0.0, [(10.0, 2.1), (-10.0, -2.1)], DocumentKind.INVOICE, "0.00", "0.00"),
    ],
)
def test_the_sign_of_the_total_against_its_lines_tells_the_kind(desk, amount, lines, kind, gross, vat):
    desk.get("/buysellbookings", a_row(amount=amount, bookingLines=lines_of(*lines)))
    found = desk.ledger.booking(mapping.sent(a_prepared(), "70001"))
    assert (found.kind, found.gross, found.vat) == (kind, eur(gross), eur(vat))


@pytest.mark.parametrize("kind", DocumentKind)
def test_rule_13_a_document_below_zero_has_its_lines_turned_and_says_its_kind(desk, kind):
    """To Octopus an invoice of -121 is a credit note of 121, and the other way round."""
    desk.books()
    entry = an_entry(a_line("-300.00", "-63.00"), a_line("200.00", "42.00"), kind=kind)
    sign, mark = ("-", "INV") if kind is DocumentKind.INVOICE else ("", "CN")
    prepared = desk.prepared(entry)
    assert f'"amount":{sign}121.00' in prepared.payload
    assert '"baseAmount":300.00,"vatCodeKey":"21","vatAmount":63.00' in prepared.payload
    assert '"baseAmount":-200.00,"vatCodeKey":"21","vatAmount":-42.00' in prepared.payload
    amount, comment = float(f"{sign}121"), f"2026/145 {KEY} {mark}"
    assert f'"comment":"{comment}"' in prepared.payload
    _, journal, number = prepared.ref.split(".")
    row = a_row(int(number), journalKey=journal, amount=amount, comment=comment)
    desk.get("/buysellbookings", {**row, "bookingLines": lines_of((300, 63), (-200, -42))})
    found = desk.ledger.booking(mapping.sent(prepared, "70001"))
    assert (found.kind, found.gross, found.vat, found.key) == (kind, eur("-121.00"), eur("-21.00"), KEY)


def a_prepared():
    desk = Desk()
    desk.books()
    return desk.prepared()


def test_rules_13_a_credit_note_of_zero_takes_back_what_its_invoice_of_zero_booked(desk):
    """An advance settled in full: nothing is due, and each account gets back what it had, VAT with it."""
    desk.books()
    lines = (a_line("100.00", "21.00", account="700000"), a_line("-121.00", "0.00", code="00", account="701000"))
    invoice, credit_note = desk.prepared(an_entry(*lines)), desk.prepared(an_entry(*lines, kind=CREDIT_NOTE))
    sides = []
    for prepared in (invoice, credit_note):
        sent = json.loads(prepared.payload)["buySellBookingServiceData"]
        assert sent["amount"] == 0
        sides.append([(line["accountKey"], line["baseAmount"], line["vatAmount"]) for line in sent["bookingLines"]])
    assert sides == [[(700000, 100.0, 21.0), (701000, -121.0, 0.0)], [(700000, -100.0, -21.0), (701000, 121.0, 0.0)]]
    row = a_row(1, amount=0.0, bookingLines=lines_of((-100.0, -21.0), (121.0, 0.0)))
    desk.get("/buysellbookings", {**row, "journalKey": "V2", "comment": mapping.comment_of(credit_note.entry)})
    found = desk.ledger.booking(mapping.sent(credit_note, "70001"))
    assert (found.kind, found.gross, found.vat) == (CREDIT_NOTE, eur("0.00"), eur("21.00"))


def test_many_bookings_are_read_again_with_one_list_until_the_next_look(desk):
    """Whoever connects with books that hold everything already has them all compared."""
    rows = [a_row(number) for number in range(1, 41)]
    _, cursor = read(first_look(desk))
    ten = desk.get("/buysellbookings", no(None, 429))
    route = desk.get("/buysellbookings/modified", rows)
    for row in rows:
        ref = mapping.booking(wire.Booking.model_validate(row), "70001")
        assert desk.ledger.booking(ref) == ref
    assert (ten.call_count, route.call_count) == (1, 2)
    desk.clock.advance(3600)
    desk.get("/bookyears/-1/bookings/modified", NOTHING)
    read(desk.ledger.bookings(["V1"], date(2026, 1, 1), cursor))
    assert desk.ledger.booking(ref) is not None
    assert route.call_count == 4


def first_look(desk: Desk) -> Iterator[Page[Booking]]:
    desk.get("/bookyears", [bookyear(4, 2026)])
    desk.get("/buysellbookings/modified", NOTHING)
    return desk.ledger.bookings(["V1"], date(2026, 1, 1), None)


def test_a_credit_note_of_zero_says_so_in_its_comment(desk):
    desk.books()
    entry = an_entry(a_line("10.00", "2.10"), a_line("-10.00", "-2.10"), kind=CREDIT_NOTE)
    desk.booked(CREATED)
    booked = desk.book(entry).value
    comment = mapping.comment_of(entry)
    row = a_row(1, journalKey="V2", amount=0.0, bookingLines=lines_of((-10.0, -2.1), (10.0, 2.1)), comment=comment)
    desk.get("/buysellbookings", {**row, "reference": "2026/145"})
    assert desk.ledger.booking(booked) == booked


@pytest.mark.parametrize(
    ("comment", "reference", "order", "expected"),
    [
        (f"2026/145 {KEY}", "+++090/9337/55493+++", "", ("2026/145", KEY, ("+++090/9337/55493+++",))),
        (f"2026/145 {KEY} Studio Noord", "2026/145", "PO-7", ("2026/145", KEY, ("PO-7",))),
        ("Studio Noord", "2026/145", "", ("2026/145", "", ("Studio Noord",))),
        ("2026/145", "+++090/9337/55493+++", "", ("2026/145", "", ("+++090/9337/55493+++",))),
        ("", "***090/9337/55493***", "2026/145", ("***090/9337/55493***", "", ("2026/145",))),
        ("", "", "", ("", "", ())),
    ],
)
def test_the_documents_number_is_found_where_it_stands(desk, comment, reference, order, expected):
    desk.get("/buysellbookings", a_row(comment=comment, reference=reference, orderReference=order))
    found = desk.ledger.booking(mapping.sent(a_prepared(), "70001"))
    assert (found.reference, found.key, found.other_references) == expected


def test_the_first_look_reads_each_bookyear_and_journal_and_the_next_ones_what_changed(desk):
    """octopus.md 10.14."""
    desk.get("/bookyears", [bookyear(2, 2024), bookyear(3, 2025), bookyear(4, 2026)])
    route = desk.get(
        "/buysellbookings/modified",
        NOTHING,
        [a_row(7, bookyearKey={"id": 3}, journalKey="V2", documentDate="2025-05-01")],
        [a_row(42), a_row(43, journalKey="A1")],
        NOTHING,
    )
    rows, cursor = read(desk.ledger.bookings(["V1", "V2"], date(2025, 5, 1), None))
    assert [row.ref for row in rows] == ["3.V2.7", "4.V1.42"]
    asked = [(query_of(route, n)["bookyearId"], query_of(route, n)["journalKey"]) for n in range(4)]
    assert asked == [("3", "V1"), ("3", "V2"), ("4", "V1"), ("4", "V2")]
    assert list(desk.ledger.bookings(["V1", "V2"], date(2025, 5, 1), cursor)) == []

    desk.clock.advance(3600)
    report = desk.get("/bookyears/-1/bookings/modified", NOTHING)
    rows, _ = read(desk.ledger.bookings(["V1", "V2"], date(2025, 5, 1), cursor))
    assert rows == []
    assert query_of(route) == {"bookyearId": "-1", "modifiedTimeStamp": "2025-03-03 06:00:00.000"}
    assert query_of(report) == {"journalTypeId": "-1", "modifiedTimeStamp": "2025-03-03 06:00:00.000"}


def test_a_first_look_that_is_broken_off_goes_on_with_what_is_left(desk):
    """octopus.md 10.16."""
    desk.get("/bookyears", [bookyear(3, 2025), bookyear(4, 2026)])
    route = desk.get("/buysellbookings/modified", [a_row(7, bookyearKey={"id": 3})], httpx.Response(500), [a_row(42)])
    pages = desk.ledger.bookings(["V1"], date(2025, 1, 1), None)
    page = next(pages)
    with pytest.raises(VendorDown):
        next(pages)
    rows, cursor = read(desk.another_ledger().bookings(["V1"], date(2025, 1, 1), page.cursor))
    assert [row.ref for row in rows] == ["4.V1.42"]
    assert query_of(route)["bookyearId"] == "4"
    assert list(desk.ledger.bookings(["V1"], date(2025, 1, 1), cursor)) == []


def test_other_journals_and_earlier_days_are_left_out(desk):
    desk.get("/bookyears", [bookyear(4, 2026)])
    desk.get("/buysellbookings/modified", [a_row(41, documentDate="2026-03-31"), a_row(42, journalKey="V2"), a_row(43)])
    rows, _ = read(desk.ledger.bookings(["V1"], date(2026, 4, 1), None))
    assert [row.ref for row in rows] == ["4.V1.43"]


def deleted(number: int, type: object = 2) -> dict:
    return {"bookyearKey": {"id": 4}, "journalType": type, "journalSequenceNr": 1, "documentSequenceNr": number}


def a_later_look(desk: Desk) -> Cursor:
    desk.get("/bookyears", [bookyear(4, 2026)])
    desk.get("/buysellbookings/modified", NOTHING)
    _, cursor = read(desk.ledger.bookings(["V1"], date(2026, 1, 1), None))
    desk.clock.advance(3600)
    return cursor


def test_deleted_bookings_are_gone_unless_their_number_stands_again(desk):
    cursor = a_later_look(desk)
    desk.get("/buysellbookings/modified", [a_row(43)])
    desk.get(
        "/bookyears/-1/bookings/modified",
        {"modifiedBookings": [], "deletedBookings": [deleted(42), deleted(43), deleted(44, "V")]},
    )
    (page,) = desk.ledger.bookings(["V1"], date(2026, 1, 1), cursor)
    assert ([row.ref for row in page.rows], page.gone) == (["4.V1.43"], ("4.V1.42", "4.V1.44"))


@pytest.mark.parametrize(("comment", "key"), [(f"2026/145 {KEY}", KEY), ("Studio Noord", "")])
def test_a_booking_made_anew_under_another_number_is_told_beside_the_one_that_is_gone(desk, comment, key):
    """octopus.md 10.19."""
    cursor = a_later_look(desk)
    desk.get("/buysellbookings/modified", [a_row(57, comment=comment, reference="2026/145")])
    desk.get("/bookyears/-1/bookings/modified", {"modifiedBookings": [], "deletedBookings": [deleted(42)]})
    (page,) = desk.ledger.bookings(["V1"], date(2026, 1, 1), cursor)
    (anew,) = page.rows
    assert (anew.ref, anew.reference, anew.key, page.gone) == ("4.V1.57", "2026/145", key, ("4.V1.42",))


@pytest.mark.parametrize(("hours", "back"), [(1, 3), (24 * 400, 2)])  # what is days behind is no clock
def test_a_server_whose_clock_is_wrong_is_not_asked_more_often(desk, hours, back):
    """Its time tells from when to ask, ours how long ago that was: or a day's looks are spent in a second."""
    desk.books()
    behind = (desk.clock.now() - timedelta(hours=hours)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    nothing = httpx.Response(404, headers={"Date": behind}, json={"technicalInfo": "nothing"})
    listed = desk.get("/buysellbookings/modified", nothing)
    desk.get("/bookyears/-1/bookings/modified", nothing)
    _, cursor = read(desk.ledger.bookings(["V1"], date(2026, 1, 1), None))
    assert len(listed.calls) == 1
    assert list(desk.ledger.bookings(["V1"], date(2026, 1, 1), cursor)) == []
    desk.clock.advance(36 * 60)
    list(desk.ledger.bookings(["V1"], date(2026, 1, 1), cursor))
    assert len(listed.calls) == 2
    asked = datetime.fromisoformat(query_of(listed)["modifiedTimeStamp"])
    assert desk.clock.now().replace(tzinfo=None) - asked >= timedelta(hours=back)


def test_after_a_taken_number_the_journals_are_looked_at_however_young_the_last_look_is(desk):
    cursor = a_later_look(desk)
    report = desk.get("/bookyears/-1/bookings/modified", NOTHING)
    _, cursor = read(desk.ledger.bookings(["V1"], date(2026, 1, 1), cursor))
    desk.books()
    desk.booked(no(-13))
    assert isinstance(desk.book().cause, NumberTaken)
    _, cursor = read(desk.ledger.bookings(["V1"], date(2026, 1, 1), cursor))
    assert report.call_count == 2
    assert list(desk.ledger.bookings(["V1"], date(2026, 1, 1), cursor)) == []


def test_a_cursor_nobody_here_wrote_is_not_guessed_at(desk):
    with pytest.raises(UnexpectedAnswer):
        list(desk.ledger.bookings(["V1"], date(2026, 1, 1), Cursor("42")))


def test_a_probe_finds_by_reference_or_key_in_any_journal_of_the_bookyear(desk):
    """octopus.md 10.19."""
    desk.books()
    route = desk.get(
        "/buysellbookings/modified",
        [
            a_row(42),
            a_row(1, journalKey="V2", comment="", reference="2026/145"),
            a_row(43, comment="2026/146", reference=""),
            a_row(9, journalKey="A1"),
        ],
    )
    (found,) = desk.ledger.find_bookings([desk.prepared()])
    assert [row.ref for row in found] == ["4.V1.42", "4.V2.1"]
    assert query_of(route) == {"bookyearId": "4", "modifiedTimeStamp": "1980-01-01 00:00:00.000"}


def ledger_line(**changes: object) -> dict:
    row = {
        "bookyearKey": {"id": 4},
        "journalType": 2,
        "journalNr": 1,
        "documentSequenceNr": 42,
        "lineSequenceNr": -1,
        "accountKey": 400000,
        "bookingAmount": 80.0,
        "documentAmount": 100.0,
    }
    return {**row, **changes}


def test_rules_16_a_foreign_booking_is_read_in_euros_from_the_ledger_report(desk):
    row = a_row(amount=100.0, currencyCode="USD", exchangeRate=0.8, bookingLines=lines_of((100.0, 0.0)))
    desk.get("/buysellbookings", row)
    revenue = ledger_line(accountKey=700300, lineSequenceNr=1, bookingAmount=-80.0, documentAmount=-100.0)
    other = ledger_line(documentSequenceNr=41, bookingAmount=90.0)
    report = desk.get("/bookyears/4/bookings/modified", NOTHING, {"modifiedBookings": [revenue, other, ledger_line()]})
    found = desk.ledger.booking(mapping.sent(a_prepared(), "70001"))
    assert (found.gross, found.base_gross) == (Money.of("100.00", "USD"), Decimal("80.0"))
    assert query_of(report, 0)["modifiedTimeStamp"] == stamp(desk.clock.now() - timedelta(hours=24))
    assert query_of(report, 1)["modifiedTimeStamp"] == "1980-01-01 00:00:00.000"


def test_a_foreign_booking_the_report_does_not_hold_has_no_total_in_euros(desk):
    desk.get("/buysellbookings", a_row(amount=100.0, currencyCode="USD", exchangeRate=0.8))
    desk.get("/bookyears/4/bookings/modified", {"modifiedBookings": [ledger_line(documentSequenceNr=41)]})
    assert desk.ledger.booking(mapping.sent(a_prepared(), "70001")).base_gross is None
