"""The mutants fit the code they damage, and every one of them is noticed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from .damage import Fate, Misfit, Mutant, check, run
from .mutants import MUTANTS

EXACTLY_ONCE = (
    "sync/write_once.py: the probe",
    "sync/write_once.py: the settle time",
    "sync/write_once.py: the intent record",
    "store/links.py: the attempt condition",
    "store/jobs.py: the lease's fencing",
)
"""Without these a booking can happen twice; they are taken away in every run of the tests."""

SHORTER = next(mutant for mutant in MUTANTS if mutant.why == "ten seconds of that life")
HARMLESS = replace(SHORTER, why="nothing", new="timedelta(seconds=121)")
NO_CODE = replace(SHORTER, why="a name that is none", new="no_such_name(seconds=120)")


@pytest.fixture(scope="module")
def fates() -> Mapping[str, Fate]:
    chosen = [mutant for mutant in MUTANTS if mutant.name in EXACTLY_ONCE]
    return {verdict.mutant.name: verdict.fate for verdict in run([*chosen, HARMLESS, NO_CODE])}


@pytest.mark.parametrize("name", EXACTLY_ONCE)
def test_what_makes_a_booking_happen_once_is_missed_when_it_is_gone(fates: Mapping[str, Fate], name: str) -> None:
    assert fates[name] is Fate.KILLED


def test_only_a_test_that_failed_has_noticed(fates: Mapping[str, Fate]) -> None:
    assert (fates[HARMLESS.name], fates[NO_CODE.name]) == (Fate.ALIVE, Fate.UNPROVED)


def test_every_mutant_changes_one_place_and_has_a_killer() -> None:
    check(MUTANTS)


@pytest.mark.parametrize(
    "misfit",
    [
        replace(SHORTER, old="timedelta(seconds=119)"),
        replace(SHORTER, old="timedelta"),
        replace(SHORTER, new=SHORTER.old),
        replace(SHORTER, killer=f"{SHORTER.killer}_for_ever"),
    ],
    ids=["a place that is gone", "many places", "no change", "no killer"],
)
def test_a_mutant_that_does_not_belong_to_the_code_is_an_error(misfit: Mutant) -> None:
    with pytest.raises(Misfit):
        check([misfit])


@pytest.mark.deep
def test_every_mutant_is_killed() -> None:
    assert [verdict for verdict in run(MUTANTS) if verdict.fate is not Fate.KILLED] == []
