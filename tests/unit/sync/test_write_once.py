"""Every write happens once, whatever answers get lost and whoever dies (design.md 5; rules.md 1-4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest

from boekbrug.domain.errors import (
    AccessDenied,
    OutcomeUnknown,
    OutOfTime,
    PeriodClosed,
    RateLimited,
    SyncError,
    UnexpectedAnswer,
)
from boekbrug.domain.ledger import Done, Outcome, Refused, Unknown
from boekbrug.ports import Intent, IntentMoved, WriteKind, WriteState
from boekbrug.store.links import DynamoLinks
from boekbrug.sync.write_once import FUNCTION_TIMEOUT, How, Protocol, Write, Written, write_once
from infra.template import functions
from tests.support.builders import ACCOUNT, ADMINISTRATION
from tests.support.clocks import StillClock
from tests.support.tables import client, create_table, items_of, local_aws

SETTLE = timedelta(seconds=60)
WAIT = (FUNCTION_TIMEOUT + SETTLE).total_seconds()


class Vendor:
    """Keeps what it is sent, and answers as it is told."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}  # subject → ref
        self.sent: list[str] = []
        self.says: list[Outcome[str] | Exception | str] = []  # for the next sends; "lost": kept, no answer
        self.calls = 0
        self.probed = 0

    def send(self, writes: Sequence[Write]) -> list[Outcome[str]]:
        self.calls += 1
        return [self._send(write) for write in writes]

    def _send(self, write: Write) -> Outcome[str]:
        said = self.says.pop(0) if self.says else "yes"
        if isinstance(said, Exception):
            raise said
        if isinstance(said, Refused | Unknown):
            self.sent.append(write.subject)
            return said
        self.sent.append(write.subject)
        self.kept[write.subject] = f"ref-{write.subject}-{len(self.sent)}"
        return Unknown("no answer") if said == "lost" else Done(self.kept[write.subject])

    def probe(self, intents: Sequence[Intent]) -> list[str | None]:
        self.probed += 1
        return [self.kept.get(intent.subject) for intent in intents]


@pytest.fixture(scope="module")
def dynamodb() -> Iterator[object]:
    with pytest.MonkeyPatch.context() as patch, local_aws(patch):
        yield client("dynamodb")


@pytest.fixture
def links(dynamodb) -> DynamoLinks:
    return DynamoLinks(items_of(dynamodb, create_table(dynamodb)), ACCOUNT, ADMINISTRATION)


@pytest.fixture
def vendor() -> Vendor:
    return Vendor()


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def write(links, vendor, clock):
    """Write these subjects; the answers."""

    def run(*subjects: str, batch: int = 1, links=links, may_go_on=lambda: True) -> list:
        protocol = Protocol(
            kind=WriteKind.BOOKING,
            send=vendor.send,
            probe=vendor.probe,
            encode=lambda ref: {"ref": ref},
            decode=lambda result: result["ref"],
            settle=SETTLE,
            batch=batch,
        )
        writes = [Write(s, f"payload of {s}", f"hash-{s}") for s in subjects]
        return write_once(writes, protocol, links, clock, may_go_on)

    return run


def test_what_is_answered_is_remembered_and_never_sent_again(write, vendor):
    [first], [second] = write("a"), write("a")
    assert (first.how, second.how) == (How.SENT, How.KNOWN)
    assert first.value == second.value
    assert vendor.sent == ["a"]


def test_an_answer_lost_after_the_commit_is_found_by_the_first_look(write, vendor):
    vendor.says = ["lost"]
    assert isinstance(write("a")[0], OutcomeUnknown)
    [found] = write("a")
    assert (found.how, found.intent.adopted, vendor.sent) == (How.FOUND, True, ["a"])


def test_absence_counts_only_at_the_second_look_and_after_the_wait(write, vendor, clock):
    vendor.says = [Unknown("nothing arrived")]
    write("a")
    assert isinstance(write("a")[0], OutcomeUnknown)  # first look: too soon to know
    clock.advance(WAIT - 1)
    assert isinstance(write("a")[0], OutcomeUnknown)
    assert vendor.sent == ["a"]
    clock.advance(1)
    [sent] = write("a")
    assert (sent.how, sent.intent.attempt, vendor.sent) == (How.SENT, 2, ["a", "a"])


def test_one_look_after_the_wait_is_not_enough(write, vendor, clock):
    vendor.says = [Unknown("nothing arrived")]
    write("a")
    clock.advance(WAIT * 10)
    assert isinstance(write("a")[0], OutcomeUnknown)
    assert vendor.sent == ["a"]


def test_a_worker_that_died_before_its_call_is_treated_as_one_that_may_have_sent(write, vendor, links, clock):
    links.plan(WriteKind.BOOKING, "a", "payload", "hash", clock.now())
    assert isinstance(write("a")[0], OutcomeUnknown)
    assert vendor.sent == []
    clock.advance(WAIT)
    assert write("a")[0].how is How.SENT
    assert vendor.sent == ["a"]


def test_a_paused_sender_that_posts_during_the_wait_is_found(write, vendor, links, clock):
    links.plan(WriteKind.BOOKING, "a", "payload", "hash", clock.now())
    write("a")
    vendor.kept["a"] = "late"  # the paused worker's call arrives
    clock.advance(WAIT)
    [found] = write("a")
    assert (found.value, found.how, vendor.sent) == ("late", How.FOUND, [])


def test_two_workers_with_one_subject_send_once(write, vendor, links):
    class Slower:
        """Sees nothing yet, as a worker that read before the other stored its intent."""

        def intents(self, kind, subjects):
            return {}

        def __getattr__(self, name):
            return getattr(links, name)

    write("a")
    [second] = write("a", links=Slower())
    assert isinstance(second, OutcomeUnknown)
    assert (vendor.sent, vendor.calls) == (["a"], 1)


def test_two_workers_that_proved_absence_send_once(vendor, links, clock):
    intent = links.plan(WriteKind.BOOKING, "a", "p", "h", clock.now())
    intent = links.missed(intent, clock.now())
    links.again(intent, "p", "h", clock.now())
    with pytest.raises(IntentMoved):
        links.again(intent, "p", "h", clock.now())


def test_a_clear_no_may_be_sent_again_at_once(write, vendor, links):
    vendor.says = [Refused(PeriodClosed(period="2026 - 01"))]
    assert isinstance(write("a")[0], PeriodClosed)
    assert links.unsettled() == []
    assert write("a")[0].how is How.SENT


@pytest.mark.parametrize(
    "held_back", [RateLimited(vendor="x", until=None), AccessDenied(vendor="x", reason="no rights")]
)
def test_what_never_left_the_house_leaves_no_doubt(write, vendor, links, held_back: SyncError):
    vendor.says = [held_back]
    with pytest.raises(type(held_back)):
        write("a")
    assert links.intent(WriteKind.BOOKING, "a").state is WriteState.REFUSED
    assert write("a")[0].how is How.SENT
    assert vendor.probed == 0


def test_a_limit_met_at_the_second_does_not_forget_the_first(write, vendor, links):
    vendor.says = ["yes", RateLimited(vendor="x", until=None)]
    with pytest.raises(RateLimited):
        write("a", "b", "c")
    states = {s: i.state for s, i in links.intents(WriteKind.BOOKING, ["a", "b", "c"]).items()}
    assert states == {"a": WriteState.DONE, "b": WriteState.REFUSED}
    assert [answer.how for answer in write("a", "b", "c")] == [How.KNOWN, How.SENT, How.SENT]
    assert vendor.sent == ["a", "b", "c"]


def test_a_batch_has_an_answer_for_each(write, vendor):
    vendor.says = ["yes", Refused(PeriodClosed(period="1")), "lost"]
    done, refused, unknown = write("a", "b", "c", batch=25)
    assert isinstance(done, Written)
    assert isinstance(refused, PeriodClosed)
    assert isinstance(unknown, OutcomeUnknown)


def test_an_answer_that_names_what_another_owns_is_no_booking(write, vendor, links):
    write("a")
    taken = vendor.kept["a"]
    vendor.says = [Done(taken)]
    vendor._send = lambda write: Done(taken)
    assert isinstance(write("b")[0], UnexpectedAnswer)
    assert links.subject_of(WriteKind.BOOKING, taken) == "a"
    assert links.intent(WriteKind.BOOKING, "b").state is WriteState.UNKNOWN


def test_a_worker_that_answers_after_another_settled_it_changes_nothing(write, vendor, links, clock):
    def settle_meanwhile(writes):
        intent = links.intent(WriteKind.BOOKING, "a")
        links.done(intent, {"ref": "found-by-other"}, adopted=True)
        return [Done("mine")]

    vendor.send = settle_meanwhile
    assert isinstance(write("a")[0], OutcomeUnknown)
    assert links.intent(WriteKind.BOOKING, "a").result["ref"] == "found-by-other"


def test_the_intent_stands_before_the_call(write, vendor, links):
    seen = []

    def send(writes):
        seen.append(links.intent(WriteKind.BOOKING, "a"))
        return [Done("ref")]

    vendor.send = send
    write("a")
    [intent] = seen
    assert (intent.state, intent.payload, intent.payload_hash) == (WriteState.SENDING, "payload of a", "hash-a")


def test_what_is_sent_again_is_remembered_as_it_is_now(write, vendor, links, clock):
    """The probe compares with what was sent; the document may have been edited since the first attempt."""
    intent = links.plan(WriteKind.BOOKING, "a", "payload before the edit", "hash before the edit", clock.now())
    links.refuse(intent, "PeriodClosed")
    vendor.says = ["lost"]
    write("a")
    again = links.intent(WriteKind.BOOKING, "a")
    assert (again.payload, again.payload_hash) == ("payload of a", "hash-a")


def test_answers_come_in_the_order_of_the_writes(write):
    write("b")
    assert [answer.intent.subject for answer in write("a", "b", "c")] == ["a", "b", "c"]


def test_what_there_is_no_time_for_is_not_begun(write, vendor, links):
    time_left = iter([True, False])
    first, second = write("a", "b", may_go_on=lambda: next(time_left))
    assert first.how is How.SENT
    assert isinstance(second, OutOfTime)
    assert vendor.sent == ["a"]
    assert links.intent(WriteKind.BOOKING, "b") is None


def test_a_lost_answer_is_remembered_as_unknown(write, vendor, links):
    vendor.says = ["lost"]
    write("a")
    assert links.intent(WriteKind.BOOKING, "a").state is WriteState.UNKNOWN


def test_what_appears_during_a_slow_look_is_not_proved_absent(write, vendor, clock):
    vendor.says = [Unknown("nothing arrived")]
    write("a")
    write("a")
    clock.advance(WAIT - 1)

    def slow(intents):
        clock.advance(10)
        return [None for _ in intents]

    vendor.probe = slow
    assert isinstance(write("a")[0], OutcomeUnknown)
    assert vendor.sent == ["a"]


def test_who_finds_what_another_settled_meanwhile_changes_nothing(write, vendor, links):
    vendor.says = ["lost"]
    write("a")

    def overtaken(intents):
        links.done(intents[0], {"ref": "found-by-other"}, adopted=True)
        return ["mine"]

    vendor.probe = overtaken
    assert isinstance(write("a")[0], OutcomeUnknown)
    assert links.intent(WriteKind.BOOKING, "a").result["ref"] == "found-by-other"


def test_what_is_found_and_another_owns_is_not_ours(write, vendor, links):
    write("a")
    vendor.says = ["lost"]
    write("b")
    vendor.kept["b"] = vendor.kept["a"]
    assert isinstance(write("b")[0], OutcomeUnknown)
    assert links.subject_of(WriteKind.BOOKING, vendor.kept["a"]) == "a"
    assert links.intent(WriteKind.BOOKING, "b").state is WriteState.UNKNOWN


def test_the_wait_outlives_every_function_that_writes():
    for name in ("ExportDocuments", "ImportPayments"):
        assert timedelta(seconds=functions()[name]["Timeout"]) <= FUNCTION_TIMEOUT
