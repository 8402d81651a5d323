"""Every write to a vendor happens once: the protocol all deeds share (design.md 5).

    (nothing) ── plan ──▶ SENDING ── answer ──▶ DONE or REFUSED
                             │ no answer, crash
                             ▼
                          UNKNOWN ── probe finds it ──▶ DONE (adopted)
                             │ probed twice in vain, the second time after the wait
                             ▼
                          SENDING, next attempt

Where the vendor itself refuses a second one, nobody probes: what is in doubt is offered again, with its own payload.

                          UNKNOWN ── offered again ──▶ SENDING, next attempt ──▶ DONE (adopted)
                             ▲                            │ a no, after the wait ──▶ REFUSED
                             └── a no too early, no answer┘

The intent is stored before the call; its attempt number is the lock. A worker that was paused between storing and
sending can still send after somebody's probe or offer: hence the wait, counted from `sent_at`, before absence counts,
or a no to an offer. Every offer has a `sent_at` of its own, so after a no that came too early there is none until that
wait is over: offers without end would put the settlement off for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Generic, TypeVar

from ..domain.errors import NeedsLogin, OutcomeUnknown, OutOfTime, SyncError, TryLater, UnexpectedAnswer
from ..domain.ledger import Done, Outcome, Refused
from ..ports import Intent, IntentMoved, Links, RealClock, RefTaken, WriteKind, WriteState

T = TypeVar("T")

FUNCTION_TIMEOUT = timedelta(seconds=120)
"""The longest a worker that stored an intent can live, and so send (template.yaml; a test holds the two together)."""


class How(StrEnum):
    KNOWN = "known"  # done in an earlier run
    SENT = "sent"  # done now, and answered
    FOUND = "found"  # sent earlier without an answer; found by the probe, or settled by offering it again


@dataclass(frozen=True, slots=True)
class Write:
    """Something to be written once. `payload` is remembered before the call and handed to the probe."""

    subject: str
    payload: str
    payload_hash: str


@dataclass(frozen=True, slots=True)
class Written(Generic[T]):
    value: T
    how: How
    intent: Intent


@dataclass(frozen=True, slots=True)
class Protocol(Generic[T]):
    """How one kind of write is sent, looked for and remembered."""

    kind: WriteKind
    send: Callable[[Sequence[Write]], Sequence[Outcome[T]]]
    """Send once, one outcome each. Raises TryLater or NeedsLogin only when nothing left the house."""
    probe: Callable[[Sequence[Intent]], Sequence[T | None]]
    """What is there of each. A found one that differs from what was sent is the caller's to judge afterwards."""
    encode: Callable[[T], Mapping[str, Any]]
    decode: Callable[[Mapping[str, Any]], T]
    settle: timedelta
    """How long after a lost answer the write may still appear at the vendor."""
    batch: int = 1
    """How many are sent together. What a vendor takes one at a time is also remembered one at a time: a limit met at
    the second must not make us forget the first."""
    resend: Callable[[Sequence[Write]], Sequence[Outcome[T]]] | None = None
    """Offer what is in doubt a second time, where that makes no second one. Done: it stands, by this offer or an
    earlier one. Refused: nothing of ours is there. Raises as `send` does."""


def write_once(
    writes: Sequence[Write],
    protocol: Protocol[T],
    links: Links,
    real: RealClock,
    may_go_on: Callable[[], bool] = lambda: True,
) -> list[Written[T] | SyncError]:
    """Write each of these unless it was written before, and remember where.

    Shape: one answer per write, in order; a SyncError where it could not be (refused, unknown for now, or OutOfTime:
    `may_go_on` is asked before each part).
    Raises: TryLater and NeedsLogin when a part could not be sent; nothing of it is in doubt then, and what was written
    before it is remembered.
    """
    known = links.intents(protocol.kind, [write.subject for write in writes])
    answers: dict[str, Written[T] | SyncError] = {}

    for subject, intent in known.items():
        if intent.state is WriteState.DONE:
            answers[subject] = Written(protocol.decode(intent.result or {}), How.KNOWN, intent)
    doubtful = [i for i in known.values() if i.state in (WriteState.SENDING, WriteState.UNKNOWN)]
    if protocol.resend is not None:
        _offer_again(doubtful, protocol.resend, protocol, links, real, may_go_on, answers)
        doubtful = []
    _look(doubtful, protocol, links, real, answers)

    left = [write for write in writes if write.subject not in answers]
    for first in range(0, len(left), protocol.batch):
        part = left[first : first + protocol.batch]
        if not may_go_on():
            answers |= {write.subject: OutOfTime() for write in part}
            continue
        intents = _intend(part, known, protocol, links, real, answers)
        _send(intents, {write.subject: write for write in part}, protocol, links, answers)
    return [answers[write.subject] for write in writes]


def _intend(
    writes: Sequence[Write],
    known: Mapping[str, Intent],
    protocol: Protocol[T],
    links: Links,
    real: RealClock,
    answers: dict[str, Written[T] | SyncError],
) -> list[Intent]:
    """Store the intents to send now; another worker who was first keeps his."""
    intents = []
    for write in writes:
        earlier = known.get(write.subject)
        try:
            if earlier is None:
                intent = links.plan(protocol.kind, write.subject, write.payload, write.payload_hash, real.now())
            else:
                intent = links.again(earlier, write.payload, write.payload_hash, real.now())
        except IntentMoved:  # another worker is at it: its outcome is not ours to guess
            answers[write.subject] = OutcomeUnknown(subject=write.subject)
        else:
            intents.append(intent)
    return intents


def _look(
    doubtful: Sequence[Intent],
    protocol: Protocol[T],
    links: Links,
    real: RealClock,
    answers: dict[str, Written[T] | SyncError],
) -> None:
    """Settle what was sent without an answer, where that can be known; those proved absent are left to be sent."""
    if not doubtful:
        return
    looked_at = real.now()  # before the call: what appears while we look is not proved absent
    for intent, found in zip(doubtful, protocol.probe(doubtful), strict=True):
        try:
            if found is not None:
                done = links.done(intent, protocol.encode(found), adopted=True)
                answers[intent.subject] = Written(found, How.FOUND, done)
            elif intent.missed_at is None:
                links.missed(intent, looked_at)
                answers[intent.subject] = OutcomeUnknown(subject=intent.subject)
            elif looked_at < intent.sent_at + FUNCTION_TIMEOUT + protocol.settle:
                answers[intent.subject] = OutcomeUnknown(subject=intent.subject)
        except (IntentMoved, RefTaken):  # settled by somebody else, or what was found became another's meanwhile
            answers[intent.subject] = OutcomeUnknown(subject=intent.subject)


def _offer_again(
    doubtful: Sequence[Intent],
    resend: Callable[[Sequence[Write]], Sequence[Outcome[T]]],
    protocol: Protocol[T],
    links: Links,
    real: RealClock,
    may_go_on: Callable[[], bool],
    answers: dict[str, Written[T] | SyncError],
) -> None:
    """Settle what was sent without an answer by sending the same again, one at a time.

    Raises: what `resend` raises; the attempts before are in doubt all the same.
    """
    for intent in doubtful:
        answers[intent.subject] = OutcomeUnknown(subject=intent.subject)
        over = intent.sent_at + FUNCTION_TIMEOUT + protocol.settle  # whoever made that attempt is dead by then
        too_often = intent.missed_at is not None and real.now() < over
        if too_often or not may_go_on():
            continue
        with suppress(IntentMoved):  # another worker is at it, or settled it while we waited for the answer
            offer = links.again(intent, intent.payload, intent.payload_hash, real.now())
            try:
                (outcome,) = resend([Write(offer.subject, offer.payload, offer.payload_hash)])
            except (TryLater, NeedsLogin):
                with suppress(IntentMoved):
                    links.unknown(offer)
                raise
            match outcome:
                case Done(value):
                    answers[offer.subject] = _stands(offer, value, protocol, links)
                case Refused(cause) if offer.sent_at >= over:
                    links.refuse(offer, cause.cause)
                    answers[offer.subject] = cause
                case Refused():
                    links.unknown(links.missed(offer, offer.sent_at))
                case _:
                    links.unknown(offer)


def _stands(offer: Intent, value: T, protocol: Protocol[T], links: Links) -> Written[T] | SyncError:
    try:
        return Written(value, How.FOUND, links.done(offer, protocol.encode(value), adopted=True))
    except RefTaken:
        return _anothers(offer, links)


def _anothers(intent: Intent, links: Links) -> UnexpectedAnswer:
    """The vendor answered with what another subject owns: a person must see this."""
    links.unknown(intent)
    return UnexpectedAnswer(vendor="", said=f"{intent.subject} answered with another's booking")


def _send(
    intents: Sequence[Intent],
    writes: Mapping[str, Write],
    protocol: Protocol[T],
    links: Links,
    answers: dict[str, Written[T] | SyncError],
) -> None:
    if not intents:
        return
    try:
        outcomes = protocol.send([writes[intent.subject] for intent in intents])
    except (TryLater, NeedsLogin) as held_back:
        for intent in intents:  # nothing left the house: no doubt, and no wait, for these
            links.refuse(intent, held_back.cause)
        raise
    for intent, outcome in zip(intents, outcomes, strict=True):
        try:
            match outcome:
                case Done(value):
                    done = links.done(intent, protocol.encode(value))
                    answers[intent.subject] = Written(value, How.SENT, done)
                case Refused(cause):
                    links.refuse(intent, cause.cause)
                    answers[intent.subject] = cause
                case _:
                    links.unknown(intent)
                    answers[intent.subject] = OutcomeUnknown(subject=intent.subject)
        except IntentMoved:  # somebody settled it while we waited for the answer: the next run reads what stands
            answers[intent.subject] = OutcomeUnknown(subject=intent.subject)
        except RefTaken:
            answers[intent.subject] = _anothers(intent, links)
