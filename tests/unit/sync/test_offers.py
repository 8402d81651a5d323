"""What is in doubt is offered again where the vendor takes no second one, and its answer settles it (design.md 5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest

from boekbrug.domain.errors import (
    AccessExpired,
    NumberTaken,
    OutcomeUnknown,
    PeriodClosed,
    RateLimited,
    UnexpectedAnswer,
)
from boekbrug.domain.ledger import Done, Outcome, Refused, Unknown
from boekbrug.ports import Intent, WriteKind, WriteState
from boekbrug.store.memory import MemoryStore, MemoryTable
from boekbrug.store.memory.links import MemoryLinks
from boekbrug.sync.write_once import FUNCTION_TIMEOUT, How, Protocol, Write, Written, write_once
from tests.support.builders import ACCOUNT, ADMINISTRATION
from tests.support.clocks import StillClock

WAIT = FUNCTION_TIMEOUT.total_seconds()  # such a vendor shows at once what it has
BOOKING = WriteKind.BOOKING


class NumberedVendor:
    """A journal: it takes its next number only. What is sent says which number it wants, and whose it is."""

    def __init__(self) -> None:
        self.kept: dict[int, str] = {}
        self.sent: list[tuple[str, bool]] = []  # subject, and whether it was offered again
        self.fails: list[Outcome[str] | Exception | str] = []  # "lost": kept, no answer; "gone": never arrived

    def send(self, writes: Sequence[Write]) -> list[Outcome[str]]:
        return [self._take(write, again=False) for write in writes]

    def resend(self, writes: Sequence[Write]) -> list[Outcome[str]]:
        return [self._take(write, again=True) for write in writes]

    def _take(self, write: Write, *, again: bool) -> Outcome[str]:
        fails = self.fails.pop(0) if self.fails else ""
        if isinstance(fails, Exception):
            raise fails
        self.sent.append((write.subject, again))
        if isinstance(fails, Refused | Unknown):
            return fails
        if fails == "gone":
            return Unknown("the request was lost")
        number = int(write.payload)
        outcome: Outcome[str] = Refused(NumberTaken(journal="V1"))
        if number == len(self.kept) + 1:
            self.kept[number] = write.subject
            outcome = Done(f"V1.{number}")
        elif again and self.kept.get(number) == write.subject:
            outcome = Done(f"V1.{number}")
        return Unknown("the answer was lost") if fails == "lost" else outcome

    def is_booked_by_hand(self) -> None:
        self.kept[len(self.kept) + 1] = "somebody"

    def loses_its_last(self) -> None:
        self.kept.pop(len(self.kept))

    def of(self, subject: str) -> list[int]:
        return [number for number, whose in self.kept.items() if whose == subject]


def no_probe(intents: Sequence[Intent]) -> Sequence[str | None]:
    raise AssertionError("nobody looks where an offer tells")


@pytest.fixture
def links() -> MemoryLinks:
    return MemoryStore(MemoryTable()).links(ACCOUNT, ADMINISTRATION)


@pytest.fixture
def vendor() -> NumberedVendor:
    return NumberedVendor()


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def write(links, vendor, clock) -> Callable[..., Written[str] | Exception]:
    """Write one subject under this number; the answer."""

    def run(subject: str, number: int = 1, *, settle: float = 0, may_go_on=lambda: True) -> Written[str] | Exception:
        protocol = Protocol(
            kind=BOOKING,
            send=vendor.send,
            probe=no_probe,
            encode=lambda ref: {"ref": ref},
            decode=lambda result: result["ref"],
            settle=timedelta(seconds=settle),
            resend=vendor.resend,
        )
        [answer] = write_once([Write(subject, str(number), f"hash-{number}")], protocol, links, clock, may_go_on)
        return answer

    return run


def test_a_lost_answer_is_settled_by_the_next_offer_at_once(write, vendor, links):
    vendor.fails = ["lost"]
    assert isinstance(write("a"), OutcomeUnknown)
    found = write("a")
    assert (found.value, found.how, found.intent.adopted, found.intent.attempt) == ("V1.1", How.FOUND, True, 2)
    assert links.unsettled() == []
    assert vendor.of("a") == [1]


def test_a_lost_request_is_settled_by_the_next_offer_at_once(write, vendor):
    vendor.fails = ["gone"]
    write("a")
    assert write("a").value == "V1.1"
    assert vendor.of("a") == [1]


def test_what_is_offered_again_is_what_was_sent_whatever_is_wanted_now(write, vendor, links):
    vendor.fails = ["lost"]
    write("a", 1)
    assert write("a", 2).value == "V1.1"
    assert links.intent(BOOKING, "a").payload == "1"
    assert vendor.sent == [("a", False), ("a", True)]


def test_a_worker_that_died_before_its_call_is_taken_over_at_once(write, vendor, links, clock):
    links.plan(BOOKING, "a", "1", "h", clock.now())
    assert write("a").how is How.FOUND
    assert vendor.sent == [("a", True)]


def test_a_no_counts_only_when_the_attempt_before_can_send_no_more(write, vendor, links, clock):
    links.plan(BOOKING, "a", "1", "h", clock.now())  # its worker sleeps, and may wake
    vendor.is_booked_by_hand()
    assert isinstance(write("a"), OutcomeUnknown)
    intent = links.intent(BOOKING, "a")
    assert (intent.state, intent.missed_at) == (WriteState.UNKNOWN, clock.now())
    clock.advance(WAIT)
    assert isinstance(write("a"), NumberTaken)
    assert (links.intent(BOOKING, "a").state, links.intent(BOOKING, "a").cause) == (WriteState.REFUSED, "NumberTaken")
    assert write("a", 2).value == "V1.2"


def test_it_counts_after_the_settle_time_too(write, vendor, links, clock):
    links.plan(BOOKING, "a", "1", "h", clock.now())
    vendor.is_booked_by_hand()
    clock.advance(WAIT + 59)
    assert isinstance(write("a", settle=60), OutcomeUnknown)
    assert links.intent(BOOKING, "a").state is WriteState.UNKNOWN
    clock.advance(WAIT + 60)
    assert isinstance(write("a", settle=60), NumberTaken)


def test_offers_that_come_too_often_do_not_put_the_settlement_off(write, vendor, links, clock):
    links.plan(BOOKING, "a", "1", "h", clock.now())
    vendor.is_booked_by_hand()
    for _ in range(int(WAIT // 10)):  # somebody presses the button every ten seconds
        assert isinstance(write("a"), OutcomeUnknown)
        clock.advance(10)
    assert len(vendor.sent) == 1
    assert isinstance(write("a"), NumberTaken)


def test_a_no_that_arrives_late_was_said_early(write, vendor, links, clock):
    """The vendor may have said it before the sleeping worker sent: what counts is when it was asked."""
    links.plan(BOOKING, "a", "1", "h", clock.now())
    clock.advance(WAIT - 1)

    def slow(writes):
        clock.advance(10)
        return [Refused(NumberTaken(journal="V1"))]

    vendor.resend = slow
    assert isinstance(write("a"), OutcomeUnknown)
    assert links.intent(BOOKING, "a").state is WriteState.UNKNOWN


def test_a_sender_that_sends_after_the_offer_is_no_second_booking(write, vendor, links, clock):
    links.plan(BOOKING, "a", "1", "h", clock.now())
    assert write("a").value == "V1.1"
    [late] = vendor.send([Write("a", "1", "h")])
    assert isinstance(late, Refused)
    assert vendor.of("a") == [1]
    assert links.intent(BOOKING, "a").state is WriteState.DONE


def test_a_sender_that_sends_between_two_offers_is_found_by_the_second(write, vendor, links, clock):
    links.plan(BOOKING, "a", "1", "h", clock.now())
    vendor.is_booked_by_hand()
    write("a")
    vendor.loses_its_last()  # the number comes free while the sleeper wakes
    vendor.send([Write("a", "1", "h")])
    clock.advance(WAIT)
    assert write("a").value == "V1.1"
    assert vendor.of("a") == [1]


def test_a_number_that_another_document_got_meanwhile_is_not_ours(write, vendor, links, clock):
    vendor.fails = ["lost"]
    write("a")
    vendor.loses_its_last()
    write("b")
    assert isinstance(write("a"), OutcomeUnknown)
    clock.advance(WAIT)
    assert isinstance(write("a"), NumberTaken)
    assert write("a", 2).value == "V1.2"
    assert vendor.kept == {1: "b", 2: "a"}


def test_the_vendors_own_reason_is_the_answer_once_it_counts(write, vendor, links, clock):
    vendor.fails = ["gone"]
    write("a")
    clock.advance(WAIT)
    vendor.fails = [Refused(PeriodClosed(period="2026 - 01"))]
    assert isinstance(write("a"), PeriodClosed)
    assert links.unsettled() == []


@pytest.mark.parametrize("held_back", [RateLimited(vendor="x", until=None), AccessExpired(vendor="x")])
def test_an_offer_that_never_left_leaves_the_doubt(write, vendor, links, held_back):
    vendor.fails = ["lost", held_back]
    write("a")
    with pytest.raises(type(held_back)):
        write("a")
    assert links.intent(BOOKING, "a").state is WriteState.UNKNOWN
    assert write("a").value == "V1.1"
    assert vendor.of("a") == [1]


def test_an_offer_without_an_answer_may_be_made_again_at_once(write, vendor, links, clock):
    vendor.fails = ["lost", "gone", Unknown("the journal is open at somebody's desk")]
    for wanted in (1, 2, 2):
        assert isinstance(write("a", wanted), OutcomeUnknown)
        intent = links.intent(BOOKING, "a")
        assert (intent.state, intent.missed_at) == (WriteState.UNKNOWN, None)
    assert write("a", 2).value == "V1.1"
    assert vendor.of("a") == [1]


def test_what_there_is_no_time_for_is_not_offered(write, vendor):
    vendor.fails = ["lost"]
    write("a")
    assert isinstance(write("a", may_go_on=lambda: False), OutcomeUnknown)
    assert vendor.sent == [("a", False)]


def test_the_offer_is_stored_before_the_call(write, vendor, links, clock):
    links.plan(BOOKING, "a", "1", "h", clock.now())
    clock.advance(5)
    seen = []

    def resend(writes):
        seen.append(links.intent(BOOKING, "a"))
        return [Unknown("")]

    vendor.resend = resend
    write("a")
    assert [(intent.state, intent.attempt, intent.sent_at) for intent in seen] == [(WriteState.SENDING, 2, clock.now())]


def test_whoever_is_overtaken_changes_nothing(write, vendor, links):
    vendor.fails = ["lost"]
    write("a")

    def overtaken(writes):
        links.done(links.intent(BOOKING, "a"), {"ref": "settled-by-other"}, adopted=True)
        return [Done("mine")]

    vendor.resend = overtaken
    assert isinstance(write("a"), OutcomeUnknown)
    assert links.intent(BOOKING, "a").result["ref"] == "settled-by-other"


def test_an_offer_that_another_overtook_does_not_hide_why_it_failed(write, vendor, links):
    vendor.fails = ["lost"]
    write("a")

    def overtaken(writes):
        links.done(links.intent(BOOKING, "a"), {"ref": "settled-by-other"}, adopted=True)
        raise RateLimited(vendor="x", until=None)

    vendor.resend = overtaken
    with pytest.raises(RateLimited):
        write("a")
    assert links.intent(BOOKING, "a").state is WriteState.DONE


def test_an_answer_that_names_what_another_owns_is_no_booking(write, vendor, links):
    write("a")
    vendor.fails = ["gone"]
    write("b", 2)
    vendor.resend = lambda writes: [Done("V1.1")]
    assert isinstance(write("b", 2), UnexpectedAnswer)
    assert links.subject_of(BOOKING, "V1.1") == "a"
    assert links.intent(BOOKING, "b").state is WriteState.UNKNOWN
