"""Money that only Teamleader has, on its way to a various journal of Octopus, and its match (rules.md 25)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import httpx
import pytest

from boekbrug.domain.errors import (
    AccountBlocked,
    FiscalYearMissing,
    JournalInUse,
    JournalMissing,
    NumberTaken,
    PeriodClosed,
    RateLimited,
    RefusedByPackage,
    RelationGone,
    SyncError,
)
from boekbrug.domain.ledger import BookingRef, Done, Entered, Match, Period, PreparedReceipt, Receipt, Refused, Unknown
from boekbrug.domain.relations import RelationRef
from boekbrug.vendors.octopus.mapping import Switches

from .octopus_desk import CREATED, KEY, NOTHING, Desk, body_of, bookyear, eur, no, query_of
from .test_octopus_settlements import INVOICE_END, end, pair, settled

LINE = "octopus.70001.4.D1"
PATH = "/financialdiversbookings"
MATCH = Match(BookingRef("4.V1.42"), BookingRef("4.D1.7"), eur("500.00"))
IN_USE = no(-12, 403)


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.line.next[LINE] = 7
    return desk


def a_receipt(**changes: object) -> Receipt:
    receipt = Receipt(
        invoice=BookingRef("4.V1.42"),
        number="2026/145",
        references=("2026/145", "+++090/9337/55493+++"),
        key=KEY,
        journal="D1",
        account="580000",
        day=date(2026, 9, 2),
        period=Period("2026 - 03", date(2026, 7, 1), date(2026, 9, 30), code="4:202603"),
        relation=RelationRef("28"),
        amount=eur("500.00"),
    )
    return replace(receipt, **changes)


def prepared(desk: Desk, receipt: Receipt | None = None) -> PreparedReceipt:
    ready = desk.ledger.receipts().prepare(receipt or a_receipt())
    assert isinstance(ready, PreparedReceipt), ready
    return ready


def entered(desk: Desk, *answers: httpx.Response | Exception):
    desk.post(PATH, *answers)
    return desk.ledger.receipts().enter(prepared(desk))


def offered_again(desk: Desk, answer: httpx.Response):
    """As another worker does, who has nothing but the stored intent."""
    sent = prepared(desk)
    desk.post(PATH, answer)
    desk.ledger = desk.another_ledger()
    return desk.ledger.receipts().enter(replace(sent, again=True))


def standing(key: str = KEY, *, comment: str = "", number: int = 7) -> dict:
    line = {"type": "A", "accountKey": 580000, "amount": 500.0, "reference": f"2026/145 {key}", "comment": comment}
    return {
        "bookyearKey": {"id": 4},
        "journalKey": "D1",
        "documentSequenceNr": number,
        "bookingLines": [{"type": "C", "relationId": 28, "amount": -500.0, "reference": ""}, line],
    }


# --- what is told -----------------------------------------------------------------------------------------------------


def test_a_receipt_as_octopus_is_told(desk):
    """octopus.md 5.7, 10.17."""
    ready = prepared(desk)
    assert (ready.ref, ready.number) == ("4.D1.7", "D1 7")
    route = desk.post(PATH, CREATED)
    assert desk.ledger.receipts().enter(ready) == Done(Entered(BookingRef("4.D1.7"), "D1 7"))
    assert route.calls[0].request.content.decode() == ready.payload
    text = f"2026/145 {KEY}"
    client = {"type": "C", "relationId": 28, "externalRelationId": 0, "accountKey": 0, "amount": -500}
    clearing = {"type": "A", "relationId": 0, "externalRelationId": 0, "accountKey": 580000, "amount": 500}
    assert body_of(route) == {
        "financialDiversBookingServiceData": {
            "bookyearKey": {"id": 4},
            "journalKey": "D1",
            "documentSequenceNr": 7,
            "bookyearPeriodeNr": 202603,
            "documentDate": "2026-09-02",
            "exchangeRate": 1,
            "bookingLines": [
                {**client, "reference": "+++090/9337/55493+++", "comment": text},
                {**clearing, "reference": text, "comment": text},
            ],
        }
    }


def test_without_a_structured_communication_the_reference_is_the_number(desk):
    ready = prepared(desk, a_receipt(references=("Getypt",)))
    assert '"reference":"2026/145"' in ready.payload


def test_where_credits_are_positive_both_lines_are_turned():
    desk = Desk(Switches(various_debits_are_positive=False))
    desk.line.next[LINE] = 7
    assert [part for part in prepared(desk).payload.split('"') if part.startswith(":-500")] == [":-500.00,"]
    assert '"accountKey":580000,"amount":-500.00' in prepared(desk).payload


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"journal": "F1"}, JournalMissing),
        ({"journal": "V1"}, JournalMissing),
        ({"relation": RelationRef("x")}, RelationGone),
        ({"account": "kas"}, AccountBlocked),
        ({"period": Period("x", date.min, date.max)}, SyncError),
    ],
)
def test_what_cannot_be_said_costs_no_call_and_no_number(desk, changes, cause):
    assert isinstance(desk.ledger.receipts().prepare(a_receipt(**changes)), cause)
    assert desk.line.holders == {}


def test_a_day_is_belgian(desk):
    assert desk.ledger.receipts().day(datetime(2026, 8, 31, 22, 30, tzinfo=UTC)) == date(2026, 9, 1)


def test_clearing_accounts_and_revenue_accounts_are_one_question(desk):
    desk.get("/bookyears", [bookyear(4, 2026)])
    rows = [{"accountKey": {"id": number}} for number in (700000, 580000, 499000, 550000, 656000, 440000)]
    route = desk.get("/accounts", rows)
    assert [account.id for account in desk.ledger.revenue_accounts()] == ["700000"]
    assert [account.id for account in desk.ledger.receipts().accounts()] == ["499000", "550000", "580000"]
    assert route.call_count == 1


# --- numbers ----------------------------------------------------------------------------------------------------------


def test_a_number_that_had_to_be_read_is_used_at_once(desk):
    desk.line.next[LINE] = None
    route = desk.numbers(9, journal="D1")
    assert prepared(desk).ref == "4.D1.9"
    assert route.call_count == 1
    desk.post(PATH, CREATED)
    desk.ledger.receipts().enter(prepared(desk))
    assert desk.line.next[LINE] is not None


def test_a_journal_that_is_not_there_keeps_no_line(desk):
    desk.line.next[LINE] = None
    desk.numbers(NOTHING, journal="D1")
    assert isinstance(desk.ledger.receipts().prepare(a_receipt()), JournalMissing)
    assert desk.line.holders == {}


def test_another_accounts_offer_keeps_the_journal(desk):
    prepared(desk)
    waits = desk.another_ledger("another").receipts().prepare(a_receipt())
    assert isinstance(waits, JournalInUse)
    assert waits.until > desk.clock.now()


@pytest.mark.parametrize(
    ("answer", "cause", "next"),
    [
        (no(-9), FiscalYearMissing, 7),
        (no(-11, 403), JournalMissing, 7),
        (IN_USE, JournalInUse, 7),
        (no(-13), NumberTaken, None),
        (no(-14), FiscalYearMissing, 7),
        (no(-15), PeriodClosed, 7),
        (no(-16), RelationGone, 7),
        (no(-21), AccountBlocked, 7),
        (no(-24), RefusedByPackage, 7),
        (no(None, 403, technical="journal in use"), JournalInUse, 7),
        (no(None, 429), RateLimited, 7),
    ],
)
def test_a_refusal_has_its_cause_and_frees_its_number(desk, answer, cause, next):
    outcome = entered(desk, answer)
    assert isinstance(outcome, Refused)
    assert isinstance(outcome.cause, cause)
    assert (desk.line.next[LINE], desk.line.holders) == (next, {})


def test_an_answer_moves_the_line_on(desk):
    entered(desk, CREATED)
    assert (desk.line.next[LINE], desk.line.holders) == (8, {})


def test_a_limit_found_before_the_call_frees_the_number(desk):
    entered(desk, no(None, 429))
    with pytest.raises(RateLimited):
        entered(desk, CREATED)
    assert (desk.line.next[LINE], desk.line.holders) == (7, {})


# --- doubts -----------------------------------------------------------------------------------------------------------


def test_no_answer_keeps_the_number(desk):
    assert isinstance(entered(desk, httpx.ReadError("lost")), Unknown)
    assert LINE in desk.line.holders


def test_offered_again_an_entry_that_was_lost_goes(desk):
    assert isinstance(offered_again(desk, CREATED), Done)
    assert desk.line.next[LINE] == 8


@pytest.mark.parametrize("where", ["reference", "comment"])
def test_offered_again_a_number_with_our_mark_is_ours(desk, where):
    row = standing() if where == "reference" else standing("-", comment=f"2026/145 {KEY}")
    route = desk.get(PATH, row)
    assert isinstance(offered_again(desk, no(-13)), Done)
    assert query_of(route) == {"bookyearId": "4", "journalKey": "D1", "documentSeqNr": "7"}
    assert desk.line.next[LINE] == 8


@pytest.mark.parametrize("row", [standing("BBZZZZZZZZZZ"), NOTHING], ids=["another's", "nothing"])
def test_offered_again_a_number_without_our_mark_is_taken(desk, row):
    desk.get(PATH, row)
    outcome = offered_again(desk, no(-13))
    assert isinstance(outcome, Refused)
    assert isinstance(outcome.cause, NumberTaken)
    assert desk.line.next[LINE] is None


def test_after_ten_looks_the_list_of_the_journal_tells(desk):
    desk.get(PATH, NOTHING)
    changed = desk.get(f"{PATH}/modified", [standing(number=6), standing()])
    ready = prepared(desk)
    assert [desk.ledger.receipts().stands(ready) for _ in range(10)] == [False] * 10
    assert desk.ledger.receipts().stands(ready)
    assert query_of(changed)["journalKey"] == "D1"


@pytest.mark.parametrize("answer", [IN_USE, no(-10), no(None, 429)], ids=["in use", "no journal", "limit"])
def test_offered_again_a_refusal_before_the_number_tells_nothing(desk, answer):
    assert isinstance(offered_again(desk, answer), Unknown)


def test_offered_again_a_refusal_after_the_number_says_that_it_was_free(desk):
    outcome = offered_again(desk, no(-15))
    assert isinstance(outcome, Refused)
    assert isinstance(outcome.cause, PeriodClosed)
    assert desk.line.next[LINE] == 7


# --- matching ---------------------------------------------------------------------------------------------------------


def test_a_match_as_octopus_is_told(desk):
    """octopus.md 6.1."""
    route = desk.post("/balancings", CREATED)
    assert desk.ledger.receipts().match(MATCH) == Done(MATCH)
    assert body_of(route) == {
        "debetKey": {"bookyearKey": {"id": 4}, "journalKey": "V1", "documentSequenceNr": 42, "lineSequenceNr": -1},
        "creditKey": {"bookyearKey": {"id": 4}, "journalKey": "D1", "documentSequenceNr": 7, "lineSequenceNr": 1},
        "balanceAmount": 500,
    }


OURS = pair(INVOICE_END, end("D1", 7, 1, credit=500.0), 500.0)
OTHERS = pair(INVOICE_END, end("D1", 8, 1, credit=500.0), 500.0)


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize(("stands", "outcome"), [(OURS, Done), (OTHERS, Refused)], ids=["matched", "not"])
def test_a_refused_match_is_looked_up(desk, again, stands, outcome):
    desk.post("/balancings", no(-26))
    desk.get("/balancings/modified", {"modifiedBalancings": [stands], "deletedBalancings": [OURS]})
    assert isinstance(desk.ledger.receipts().match(MATCH, again=again), outcome)


@pytest.mark.parametrize("answer", [IN_USE, no(None, 429)], ids=["in use", "limit"])
@pytest.mark.parametrize(("again", "outcome"), [(False, Refused), (True, Unknown)])
def test_a_match_that_was_not_tried_there_settles_no_doubt(desk, answer, again, outcome):
    desk.post("/balancings", answer)
    assert isinstance(desk.ledger.receipts().match(MATCH, again=again), outcome)


@pytest.mark.parametrize(("again", "outcome"), [(False, Refused), (True, Unknown)])
def test_a_refused_match_that_cannot_be_looked_up_settles_no_doubt(desk, again, outcome):
    desk.post("/balancings", no(-26))
    desk.get("/balancings/modified", httpx.Response(500))
    assert isinstance(desk.ledger.receipts().match(MATCH, again=again), outcome)


def test_our_receipt_comes_back_as_what_it_is(desk):
    (row,) = settled(desk, pair(INVOICE_END, end("D1", 7, 1, credit=500.0, comment=f"2026/145 {KEY}"), 500.0))
    assert (row.kind, row.amount, row.id) == ("receipt", eur("500.00"), "4.V1.42~4.D1.7.1")
