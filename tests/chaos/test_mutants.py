"""The mutants fit the code they damage, and every one of them is noticed."""

from __future__ import annotations

import pytest

from .damage import Fate, check, run
from .mutants import MUTANTS

EXACTLY_ONCE = (
    "sync/write_once.py: the probe",
    "sync/write_once.py: the settle time",
    "sync/write_once.py: the intent record",
    "store/links.py: the attempt condition",
    "store/jobs.py: the lease's fencing",
)
"""What no booking happens twice without; these are taken away in every run of the tests."""


def test_every_mutant_changes_one_place_and_has_a_killer() -> None:
    check(MUTANTS)


def test_what_makes_a_booking_happen_once_is_missed_when_it_is_gone() -> None:
    verdicts = list(run([mutant for mutant in MUTANTS if mutant.name in EXACTLY_ONCE]))
    assert len(verdicts) == len(EXACTLY_ONCE)
    assert [verdict for verdict in verdicts if verdict.fate is not Fate.KILLED] == []


@pytest.mark.deep
def test_every_mutant_is_killed() -> None:
    assert [verdict for verdict in run(MUTANTS) if verdict.fate is not Fate.KILLED] == []
