"""Numbers of ours, struck at every step: a dead worker, a lost answer, a sleeper that wakes when another took over.

Always: each document once in the books, in order where nobody typed between, and nothing in doubt (design.md 5).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import cache

import pytest
from greenlet import getcurrent, greenlet

from boekbrug.domain.documents import DocumentKind
from boekbrug.ports import DocumentState
from boekbrug.sync.slices import LEASE_MARGIN
from boekbrug.sync.write_once import FUNCTION_TIMEOUT
from tests.support.builders import a_document

from .scene import Scene, a_credit_note, invoices

Step = tuple[str, str, int]  # name, phase, and which of that name
SLEPT = 38.0
"""Seconds a worker that will be stalled has behind it when it stores its first intent: so it may still send when its
lease is over, and no later than a function's life after that intent."""
OVERSLEPT = (FUNCTION_TIMEOUT + LEASE_MARGIN).total_seconds() + 1 - SLEPT


class Died(BaseException):
    """As a sandbox dies: no `except Exception` stops it."""


def a_scene() -> Scene:
    return Scene([*invoices("1", "2"), a_credit_note()])


class Walk:
    """Counts the steps, and does something at one of them."""

    def __init__(self, at: Step | None = None, deed: Callable[[], None] = lambda: None) -> None:
        self.steps: list[Step] = []
        self._at, self._deed = at, deed

    def __call__(self, name: str, phase: str) -> None:
        met = sum(1 for step in self.steps if step[:2] == (name, phase))
        self.steps.append((name, phase, met))
        if self.steps[-1] == self._at:
            self._deed()


@cache
def steps() -> list[Step]:
    """Of a run that nothing befalls."""
    walk = Walk()
    a_scene().works(walk)
    return walk.steps


def writes() -> list[Step]:
    return [step for step in steps() if step[0] in ("ledger.book", "ledger.save_relations") and step[1] == "before"]


def broken(scene: Scene, by_hand: Sequence[str] = ()) -> list[str]:
    """The laws that do not hold."""
    found = []
    for number, kind in (("1", DocumentKind.INVOICE), ("2", DocumentKind.INVOICE), ("C1", DocumentKind.CREDIT_NOTE)):
        if len(scene.booked(number)) != 1:
            found.append(f"{number} is {scene.booked(number)}")
        if scene.state(number, kind)[0] is not DocumentState.BOOKED:
            found.append(f"{number} is {scene.state(number, kind)}")
    if [one for one in scene.references() if one not in by_hand] != ["1", "2"] and not by_hand:
        found.append(f"the order is {scene.references()}")
    if scene.links.unsettled():
        found.append("something is in doubt")
    if len(scene.books.relations) != 1:
        found.append(f"{len(scene.books.relations)} relations")
    if scene.problems():
        found.append(f"{scene.problems()}")
    if "ledger.find_bookings" in scene.calls:
        found.append("somebody looked where an offer tells")
    return found


def die() -> None:
    raise Died


def test_a_worker_that_dies_at_any_step() -> None:
    for step in steps():
        scene = a_scene()
        with pytest.raises(Died):
            scene.works(Walk(step, die))
        scene.settles()
        assert broken(scene) == [], step


@pytest.mark.parametrize("lost", ["lost_answers", "lost_requests"])
def test_two_that_die_or_hear_nothing_one_after_the_other(lost: str) -> None:
    for write, again in itertools.product(writes(), ["before", "after"]):
        scene = a_scene()
        scene.works(Walk(write, lambda scene=scene: setattr(scene.books, lost, 1)))
        scene.clock.advance(10)
        scene.is_asked_again()
        second = Walk((write[0], again, 0), die)
        with pytest.raises(Died):
            scene.works(second)
        scene.settles()
        assert broken(scene) == [], (write, again)


def stalled(scene: Scene, step: Step, meanwhile: Callable[[], None]) -> bool:
    """A worker falls asleep at that step and wakes after the lease is over and `meanwhile` happened; whether it did."""
    hub, reached = getcurrent(), []

    def sleep() -> None:
        reached.append(step)
        hub.switch()

    def first(name: str, phase: str) -> None:
        if not walk.steps:
            scene.clock.advance(SLEPT)
        walk(name, phase)

    walk = Walk(step, sleep)
    sleeper = greenlet(lambda: scene.works(first))
    sleeper.switch()
    scene.clock.advance(OVERSLEPT)
    meanwhile()
    while not sleeper.dead:
        sleeper.switch()
    return bool(reached)


def from_the_first_intent() -> list[Step]:
    first = next(n for n, step in enumerate(steps()) if step[0] == "links.plan")
    return steps()[first:]


@pytest.mark.parametrize("looks", [1, 2])
def test_a_sleeper_that_wakes_when_another_took_over(looks: int) -> None:
    for step in from_the_first_intent():
        scene = a_scene()

        def others(scene: Scene = scene) -> None:
            for _ in range(looks):
                scene.works()
                scene.clock.advance(3)
                scene.is_asked_again()

        assert stalled(scene, step, others)
        scene.settles()
        assert broken(scene) == [], step


@pytest.mark.parametrize("frees", [False, True])
@pytest.mark.parametrize("first", ["types", "works"])
def test_a_sleeper_and_a_bookkeeper_who_takes_its_number(first: str, frees: bool) -> None:
    """He types before or after another worker of ours offers, and may delete that before the sleeper wakes."""
    hand = a_document(number="hand 1")
    for step in from_the_first_intent():
        scene = a_scene()

        def meanwhile(scene: Scene = scene) -> None:
            if not scene.books.relations:
                return
            if first == "types":
                typed = scene.types(hand)
                scene.works()
            else:
                scene.works()
                typed = scene.types(hand)
            is_last = typed.ref == f"2026.V1.{scene.books.next_number(2026, 'V1') - 1}"
            if frees and is_last:
                scene.books.delete(typed.ref)

        assert stalled(scene, step, meanwhile)
        scene.settles()
        assert broken(scene, by_hand=["hand 1"]) == [], step
