"""Each part of the write protocol does something: without it, one of these fails (design.md 5)."""

from __future__ import annotations

import itertools
from functools import cache

import pytest

from . import matrix
from .matrix import Case, played
from .packages import PACKAGES
from .strikes import Boundary, How, Strike

EVERYTHING_THAT_WRITES = [(package, job) for package in PACKAGES for job in ("documents", "files", "payments")]
IMPATIENT = (10.0, 20.0, 60.0, 119.0, 150.0, 175.0, 179.0)
"""When somebody nudges, in seconds: always too early."""
AFTER_THE_LEASE = (151.0, 155.0, 170.0, 179.0)


@cache
def cases(package: str, job: str, how: How) -> list[Case]:
    return [case for case in matrix.cases(package, job) if case.prelude and case.prelude.how is how]


def first_writes(package: str, job: str) -> list[Boundary]:
    return [case.prelude.at for case in cases(package, job, How.UNSENT) if case.prelude]


@pytest.mark.parametrize(("package", "job"), EVERYTHING_THAT_WRITES)
class TestTheWait:
    """A write that was not seen may still arrive: absence counts after the function's time-out and the settle time."""

    def test_nothing_is_sent_again_however_often_somebody_looks(self, package: str, job: str) -> None:
        for write in first_writes(package, job):
            _, verdict = played(job, Strike(write, How.UNSENT), hurry=IMPATIENT, package=package)
            assert verdict.holds, (write, verdict.broken)

    def test_nor_when_its_sender_died(self, package: str, job: str) -> None:
        for write in first_writes(package, job):
            _, verdict = played(job, Strike(write, How.BEFORE), hurry=AFTER_THE_LEASE, package=package)
            assert verdict.holds, (write, verdict.broken)

    def test_a_sender_that_slept_through_the_look_of_another_is_waited_for(self, package: str, job: str) -> None:
        for write in first_writes(package, job):
            stage, verdict = played(job, Strike(write, How.STALLED), hurry=AFTER_THE_LEASE, package=package)
            assert stage.struck
            assert verdict.holds, (write, verdict.broken)


@pytest.mark.parametrize(("package", "job"), EVERYTHING_THAT_WRITES)
class TestTheAttempt:
    """Its number is the lock, whoever believes to have the lease."""

    def test_of_two_that_both_proved_absence_one_sends(self, package: str, job: str) -> None:
        for case in cases(package, job, How.UNSENT):
            again = [strike for strike in matrix.points(case) if strike.how is How.STALLED]
            again = [strike for strike in again if strike.at.name == "links.again"]
            met = 0
            for strike, seed in itertools.product(again, "abcd"):  # the sleeper wakes before, amid and after the other
                stage, verdict = played(job, case.prelude, strike, package=package, seed=seed)
                met += strike in stage.struck
                assert verdict.holds, (strike, verdict.broken)
            assert met

    def test_of_two_that_both_begin_one_sends(self, package: str, job: str) -> None:
        met = 0
        for strike in matrix.points(Case(package, job)):
            if strike.how is How.STALLED and strike.at.name == "links.plan":
                stage, verdict = played(job, strike, package=package)
                met += len(stage.struck)
                assert verdict.holds, (strike, verdict.broken)
        assert met


@pytest.mark.parametrize(("package", "job"), EVERYTHING_THAT_WRITES)
class TestTheIntent:
    """Stored before the call, so that a worker's death between the two leaves a trace."""

    @pytest.mark.parametrize("how", [How.AFTER, How.LOST])
    def test_what_was_done_without_an_answer_is_found(self, package: str, job: str, how: How) -> None:
        for write in first_writes(package, job):
            _, verdict = played(job, Strike(write, how), package=package)
            assert verdict.holds, (write, verdict.broken)


@pytest.mark.parametrize(("package", "job"), EVERYTHING_THAT_WRITES)
class TestTheLease:
    """Whoever lost it changes nothing of the job any more."""

    @pytest.mark.parametrize("name", ["jobs.save_cursor", "jobs.release"])
    def test_a_worker_that_slept_too_long_is_fenced_off(self, package: str, job: str, name: str) -> None:
        stage, verdict = played(job, Strike(Boundary(1, name, 1), How.STALLED), package=package)
        assert stage.struck
        assert verdict.holds, verdict.broken
