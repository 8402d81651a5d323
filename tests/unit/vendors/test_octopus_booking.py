"""A booking on its way to Octopus: what is told, whose turn a number is, what is offered again, files."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import httpx
import pytest

from boekbrug.domain.documents import DocumentKind, File
from boekbrug.domain.entries import period_for
from boekbrug.domain.errors import (
    AccountBlocked,
    JournalInUse,
    JournalMissing,
    JournalNotSales,
    NotPossible,
    NumberTaken,
    RateLimited,
    RelationGone,
    UnexpectedAnswer,
    VendorDown,
)
from boekbrug.domain.ledger import Done, Refused, Unknown
from boekbrug.vendors.octopus import mapping

from .octopus_desk import CREATED, KEY, NOTHING, Desk, a_journal, a_line, a_row, an_entry, body_of, eur, no, query_of

CREDIT_NOTE = DocumentKind.CREDIT_NOTE
LINE = "octopus.70001.4.V1"


@pytest.fixture
def desk() -> Desk:
    return Desk()


# --- preparing --------------------------------------------------------------------------------------------------------


def test_an_invoice_as_octopus_is_told(desk):
    """octopus.md 10.17."""
    desk.books()
    prepared = desk.prepared()
    assert (prepared.ref, prepared.number) == ("4.V1.42", "V1 42")
    route = desk.booked(CREATED)
    desk.ledger.book([prepared])
    assert route.calls[0].request.content.decode() == prepared.payload
    assert body_of(route) == {
        "buySellBookingServiceData": {
            "bookyearKey": {"id": 4},
            "journalKey": "V1",
            "documentSequenceNr": 42,
            "bookyearPeriodeNr": 202603,
            "documentDate": "2026-08-14",
            "expiryDate": "2026-09-13",
            "relationIdentificationServiceData": {"relationKey": {"id": 28}},
            "reference": "+++090/9337/55493+++",
            "comment": f"2026/145 {KEY}",
            "amount": Decimal("1331.00"),
            "currencyCode": "EUR",
            "exchangeRate": Decimal("1.0"),
            "paymentMethod": 0,
            "bookingLines": [
                {
                    "accountKey": 700300,
                    "baseAmount": Decimal(net),
                    "vatCodeKey": "21",
                    "vatAmount": Decimal(vat),
                    "comment": "Advies",
                }
                for net, vat in (("1000.00", "210.00"), ("100.00", "21.00"))
            ],
        }
    }
    assert '"amount":1331.00,' in prepared.payload


@pytest.mark.parametrize(("day", "period"), [("2026-03-31", 202601), ("2026-08-14", 202603), ("2026-12-31", 202604)])
def test_a_booking_names_the_period_octopus_lists_for_its_day(desk, day, period):
    """octopus.md 10.4: in a bookyear of quarters August lies in the third, which nobody computes."""
    desk.books()
    its_day = date.fromisoformat(day)
    its_period = period_for(its_day, desk.ledger.fiscal_years(), "V1")
    payload = desk.prepared(an_entry(day=its_day, period=its_period)).payload
    assert f'"bookyearPeriodeNr":{period},' in payload


def test_rules_13_and_17_a_credit_note_has_a_negative_total_lines_as_printed_and_its_own_date_as_due(desk):
    desk.books()
    entry = an_entry(a_line("300.00", "63.00"), a_line("-50.00", "-10.50"), kind=CREDIT_NOTE)
    payload = desk.prepared(entry).payload
    assert '"journalKey":"V2","documentSequenceNr":1,' in payload
    assert '"amount":-302.50,' in payload
    assert '"baseAmount":300.00,"vatCodeKey":"21","vatAmount":63.00' in payload
    assert '"baseAmount":-50.00,"vatCodeKey":"21","vatAmount":-10.50' in payload
    assert '"expiryDate":"2026-08-14"' in payload
    assert '"reference":"2026/145"' in payload  # it has no structured communication


def test_a_line_of_two_signs_is_taken_together_with_the_largest_like_it(desk):
    desk.books()
    lines = (a_line("0.01", "-0.01"), a_line("100.00", "21.00"), a_line("5.00", "1.05"), a_line("9.00", "0.54", "06"))
    payload = desk.prepared(an_entry(*lines)).payload
    assert '"baseAmount":100.01,"vatCodeKey":"21","vatAmount":20.99' in payload
    assert payload.count("baseAmount") == 3
    assert '"amount":136.59' in payload


@pytest.mark.parametrize(
    "lines", [(a_line("0.01", "-0.01"),), (a_line("0.01", "-0.01"), a_line("100.00", "6.00", "06"))]
)
def test_a_line_of_two_signs_that_nothing_can_take_is_refused_before_any_call(desk, lines):
    (refusal,) = desk.ledger.prepare([an_entry(*lines)])
    assert isinstance(refusal, NotPossible)
    assert refusal.facts["feature"] == "vat_against_base"
    assert not desk.router.calls


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"journal": "F1"}, JournalNotSales),
        ({"relation": "abc"}, RelationGone),
        ({"lines": (a_line("1.00", "0.21", account="GUID"),)}, AccountBlocked),
    ],
)
def test_what_cannot_be_said_costs_no_number(desk, change, error):
    (refusal,) = desk.ledger.prepare([an_entry(**change)])
    assert isinstance(refusal, error)
    assert not desk.line.holders


def test_a_foreign_document_goes_with_its_rate_and_the_switch_turns_it(desk):
    entry = an_entry(a_line("100.00", "0.00", "00", currency="USD"), currency="USD", exchange_rate=Decimal("0.8"))
    desk.books()
    assert '"currencyCode":"USD","exchangeRate":0.8,' in desk.prepared(entry).payload
    desk = Desk(mapping.Switches(divide_by_rate=True))
    desk.books()
    assert '"exchangeRate":1.25,' in desk.prepared(entry).payload


def test_the_same_entry_is_prepared_the_same_twice(desk):
    desk.books()
    once, again, other = desk.ledger.prepare([an_entry(), an_entry(), an_entry(a_line("1.00", "0.21"))])
    assert once == again
    assert once.hash != other.hash


# --- whose turn a number is -------------------------------------------------------------------------------------------


def test_numbers_are_read_once_and_counted_on(desk):
    asked = desk.numbers(42)
    (news,) = desk.ledger.prepare([an_entry()])
    assert isinstance(news, NumberTaken)
    assert not desk.line.holders
    desk.looks()
    desk.booked(CREATED)
    assert [desk.book().value.ref for _ in range(3)] == ["4.V1.42", "4.V1.43", "4.V1.44"]
    assert desk.line.next[LINE] == 45
    assert len(asked.calls) == 1


def test_a_number_that_was_read_is_not_used_before_the_journals_are_looked_at(desk):
    """Somebody may have booked this very document since the last look, and taken the number before it."""
    asked = desk.numbers(42, 43)
    for _ in range(2):
        (news,) = desk.ledger.prepare([an_entry()])
        assert isinstance(news, NumberTaken)
    desk.looks()
    assert desk.prepared().ref == "4.V1.43"
    assert len(asked.calls) == 2


def test_a_journal_that_jumped_ahead_goes_on_there(desk):
    """octopus.md 5.4: only the journal by itself tells, the list knows the last number."""
    desk.get("/bookyears/4/journals", [a_journal("V1", last=41)])
    desk.numbers(100)
    desk.ledger.prepare([an_entry()])
    desk.looks()
    assert desk.prepared().ref == "4.V1.100"


@pytest.mark.parametrize("journal", ["V9", "ZZ9", "V"])
def test_a_journal_that_is_not_there_is_missing_and_held_by_nobody(desk, journal):
    desk.get("/bookyears/4/journals/V/9", NOTHING)
    (refusal,) = desk.ledger.prepare([an_entry(journal=journal)])
    assert isinstance(refusal, JournalMissing)
    assert not desk.line.holders


def test_a_booking_by_hand_costs_one_refusal_and_one_question_for_the_number(desk):
    """octopus.md 10.2."""
    desk.books()
    asked = desk.numbers(43)
    route = desk.booked(no(-13), CREATED)
    assert isinstance(desk.book().cause, NumberTaken)
    desk.looks()
    assert [desk.book().value.ref for _ in range(2)] == ["4.V1.43", "4.V1.44"]
    assert [body_of(route, n)["buySellBookingServiceData"]["documentSequenceNr"] for n in range(3)] == [42, 43, 44]
    assert len(asked.calls) == 1


def test_a_journal_octopus_does_not_show_yet_is_missing_until_it_does(desk):
    """octopus.md 10.7: one made in the program is shown once the program was synchronised."""
    desk.get("/bookyears/4/journals/V/2", NOTHING, {"commonJournalServiceData": {"nextDocumentNumber": 7}})
    entry = an_entry(journal="V2")
    assert isinstance(desk.ledger.prepare([entry])[0], JournalMissing)
    desk.ledger.prepare([entry])
    desk.looks()
    assert desk.prepared(entry).ref == "4.V2.7"


def test_another_accounts_offer_keeps_the_journal(desk):
    desk.books()
    other = desk.another_ledger("other")
    other.prepare([an_entry()])
    (refusal,) = desk.ledger.prepare([an_entry()])
    assert isinstance(refusal, JournalInUse)
    assert refusal.facts == {"journal": "V1", "until": desk.clock.now() + timedelta(minutes=2)}
    desk.clock.advance(121)
    assert desk.prepared().ref == "4.V1.42"


def test_a_number_that_cannot_be_read_is_held_by_nobody(desk):
    desk.numbers(httpx.Response(500))
    with pytest.raises(VendorDown):
        desk.ledger.prepare([an_entry()])
    assert not desk.line.holders


def test_a_number_is_asked_for_nineteen_times_a_day(desk):
    asked = desk.numbers(42)
    for _ in range(19):
        desk.ledger.prepare([an_entry()])
    with pytest.raises(RateLimited):
        desk.ledger.prepare([an_entry()])
    assert len(asked.calls) == 19


@pytest.mark.parametrize(
    ("answer", "next"),
    [(CREATED, 43), (no(-13), None), (no(-15), 42), (no(-12, 403), 42), (no(None, 429), 42), (no(None, 401), 42)],
)
def test_a_clear_outcome_gives_the_journal_back_with_what_comes_next(desk, answer, next):
    desk.books()
    desk.booked(answer)
    desk.book()
    assert not desk.line.holders
    assert desk.line.next[LINE] == next


@pytest.mark.parametrize(
    "lost", [httpx.ReadTimeout("late"), httpx.Response(500, html="<h1>Error</h1>"), httpx.Response(502), no(-24, 500)]
)
def test_an_unknown_outcome_keeps_the_number_for_this_account(desk, lost):
    desk.books()
    desk.booked(lost)
    assert isinstance(desk.book(), Unknown)
    assert LINE in desk.line.holders
    assert isinstance(desk.another_ledger("other").prepare([an_entry()])[0], JournalInUse)


def test_what_never_left_the_house_uses_no_number(desk):
    desk.books()
    desk.booked(httpx.ConnectError("no line"))
    with pytest.raises(VendorDown):
        desk.book()
    assert desk.line.next[LINE] == 42
    assert not desk.line.holders


@pytest.mark.parametrize("room", ["release", "hold"])
@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("answer", [CREATED, no(-22), no(-13)], ids=["booked", "refused", "taken"])
def test_a_record_of_numbers_that_fails_hides_no_outcome(desk, monkeypatch, answer, again, room):
    """Taken for a call that was never made, it would be made once more, under the next number."""
    desk.books()
    desk.get("/buysellbookings", NOTHING)
    desk.booked(answer)
    prepared = desk.prepared()

    def fails(*_: object) -> None:
        raise VendorDown(vendor="store")

    monkeypatch.setattr(desk.line, room, fails)
    if again:
        desk.ledger = desk.another_ledger()
    (outcome,) = desk.ledger.book([replace(prepared, again=again)])
    assert isinstance(outcome, Done if answer is CREATED else Refused)


@pytest.mark.parametrize("status", [200, 202, 204])
def test_only_created_says_that_a_booking_stands(desk, status):
    """A proxy's page comes with 200, and nobody knows what lies behind it."""
    desk.books()
    desk.booked(httpx.Response(status, html="<h1>Onderhoud</h1>"))
    assert isinstance(desk.book(), Unknown)


@pytest.mark.parametrize("body", ["<h1>Onderhoud</h1>", '{"errorCode":-24}', "{}", "null", '"ok"'])
def test_created_with_something_in_it_is_looked_up(desk, body):
    """Octopus says it with nothing at all (octopus.md 5.3); offered again, the number tells."""
    desk.books()
    prepared = desk.prepared()
    desk.booked(httpx.Response(201, text=body), no(-13))
    (outcome,) = desk.ledger.book([prepared])
    assert isinstance(outcome, Unknown)
    desk.get("/buysellbookings", a_row(42))
    assert isinstance(desk.book_again(prepared), Done)


def test_another_booking_than_was_asked_for_settles_nothing(desk):
    desk.books()
    prepared = desk.prepared()
    desk.booked(no(-13))
    desk.get("/buysellbookings", a_row(41))
    assert isinstance(desk.book_again(prepared), Unknown)


@pytest.mark.parametrize("next", [0, -1, 2**31, None, "x", 1.5])
def test_a_next_number_that_is_none_is_not_offered(desk, next):
    desk.books()
    desk.line.next.clear()
    desk.numbers(httpx.Response(200, json={"commonJournalServiceData": {"nextDocumentNumber": next}}))
    with pytest.raises(UnexpectedAnswer):
        desk.ledger.prepare([an_entry()])


# --- what a refusal means ---------------------------------------------------------------------------------------------


def test_a_journal_somebody_has_open_is_tried_again_in_twelve_minutes(desk):
    """octopus.md 10.3."""
    cause = desk.refused(no(-12, 403))
    assert cause.facts == {"journal": "V1", "until": desk.clock.now() + timedelta(minutes=12)}


# --- what is offered again --------------------------------------------------------------------------------------------


@pytest.fixture
def doubtful(desk):
    desk.books()
    desk.booked(httpx.ReadTimeout("late"))
    prepared = desk.prepared()
    assert isinstance(desk.ledger.book([prepared])[0], Unknown)
    return prepared


def test_an_offer_that_never_arrived_is_booked_now(desk, doubtful):
    route = desk.booked(CREATED)
    outcome = desk.book_again(doubtful)
    assert outcome.value.ref == "4.V1.42"
    assert route.calls[-1].request.content.decode() == doubtful.payload
    assert desk.line.next[LINE] == 43


def test_an_offer_that_had_arrived_is_read_under_its_number(desk, doubtful):
    desk.booked(no(-13))
    route = desk.get("/buysellbookings", a_row())
    outcome = desk.book_again(doubtful)
    assert isinstance(outcome, Done)
    assert (outcome.value.key, outcome.value.gross) == (KEY, eur("1331.00"))
    assert query_of(route) == {"bookyearId": "4", "journalKey": "V1", "documentSeqNr": "42"}
    assert desk.line.next[LINE] == 43


def test_an_offer_that_arrived_long_ago_does_not_turn_the_numbers_back(desk, doubtful):
    desk.line.holders.clear()
    desk.line.next[LINE] = 50
    desk.booked(no(-13))
    desk.get("/buysellbookings", a_row())
    desk.book_again(doubtful)
    assert desk.line.next[LINE] == 50


@pytest.mark.parametrize("standing", [a_row(comment="2026/9 BBZZZZZZZZZZ"), a_row(comment="", reference="99"), NOTHING])
def test_a_number_that_holds_anothers_booking_or_none_is_taken(desk, doubtful, standing):
    desk.booked(no(-13))
    desk.get("/buysellbookings", standing)
    outcome = desk.book_again(doubtful)
    assert isinstance(outcome.cause, NumberTaken)
    assert desk.line.next[LINE] is None


def test_a_booking_whose_comment_somebody_emptied_is_ours_when_all_else_agrees(desk, doubtful):
    desk.booked(no(-13))
    desk.get("/buysellbookings", a_row(comment="2026/145"))
    assert isinstance(desk.book_again(doubtful), Done)


def test_when_the_ten_looks_are_spent_the_list_of_changes_is_asked(desk, doubtful):
    desk.booked(no(-13))
    desk.get("/buysellbookings", no(None, 429))
    route = desk.get("/buysellbookings/modified", [a_row(41), a_row(42)])
    assert isinstance(desk.book_again(doubtful), Done)
    assert query_of(route) == {"bookyearId": "4", "journalKey": "V1", "modifiedTimeStamp": "1980-01-01 00:00:00.000"}


def test_when_nothing_can_be_looked_at_the_doubt_stays(desk, doubtful):
    desk.booked(no(-13))
    desk.get("/buysellbookings", httpx.Response(500))
    assert isinstance(desk.book_again(doubtful), Unknown)
    assert LINE in desk.line.holders


@pytest.mark.parametrize("answer", [no(None, 429), no(None, 401), no(-3, 403)])
def test_a_refusal_of_the_caller_settles_nothing(desk, doubtful, answer):
    desk.booked(answer)
    assert isinstance(desk.book_again(doubtful), Unknown)


def test_a_refusal_from_after_the_number_says_that_it_was_free(desk, doubtful):
    desk.booked(no(-16))
    outcome = desk.book_again(doubtful)
    assert isinstance(outcome.cause, RelationGone)
    assert desk.line.next[LINE] == 42
    assert not desk.line.holders


@pytest.mark.parametrize(("standing", "kind"), [(a_row(), Done), (NOTHING, Refused)])
@pytest.mark.parametrize("code", [-24, None, -123])
def test_a_refusal_that_tells_nothing_is_settled_by_looking(desk, doubtful, code, standing, kind):
    desk.booked(no(code))
    desk.get("/buysellbookings", standing)
    assert isinstance(desk.book_again(doubtful), kind)


# --- files ------------------------------------------------------------------------------------------------------------


def test_files_go_along_and_are_no_part_of_the_payload(desk):
    desk.books()
    prepared = replace(desk.prepared(), files=(File("2026-145.pdf", b"%PDF\xff"), File("2026-145.xml", b"<Invoice/>")))
    route = desk.booked(CREATED)
    desk.ledger.book([prepared])
    sent = body_of(route)
    assert sent["attachments"] == [
        {"fileName": "2026-145.pdf", "fileData": base64.b64encode(b"%PDF\xff").decode()},
        {"fileName": "2026-145.xml", "fileData": base64.b64encode(b"<Invoice/>").decode()},
    ]
    assert sent["buySellBookingServiceData"]["documentSequenceNr"] == 42
    assert "attachments" not in prepared.payload


def test_a_file_that_is_too_large_is_refused_unsent(desk):
    desk.books()
    route = desk.booked(CREATED)
    large = (File("film.pdf", bytes(5_000_001)),)
    (outcome,) = desk.ledger.book([replace(desk.prepared(), files=large)])
    assert isinstance(outcome.cause, NotPossible)
    assert outcome.cause.facts["feature"] == "file_too_large"
    assert (route.called, desk.line.next[LINE]) == (False, 42)


def test_a_doubt_is_settled_without_a_file_that_grew_too_large(desk, doubtful):
    route = desk.booked(CREATED)
    outcome = desk.book_again(replace(doubtful, files=(File("film.pdf", bytes(5_000_001)),)))
    assert isinstance(outcome, Done)
    assert route.calls[-1].request.content.decode() == doubtful.payload


def test_files_octopus_finds_too_large_are_named_as_the_cause(desk):
    desk.books()
    desk.booked(httpx.Response(413))
    (outcome,) = desk.ledger.book([replace(desk.prepared(), files=(File("a.pdf", b"x"),))])
    assert outcome.cause.facts["feature"] == "file_too_large"
