"""The part of the matrix that runs with every test: each boundary of each job, and some of everything else."""

from __future__ import annotations

from collections.abc import Iterator

from . import matrix
from .grounds import MEMORY, Ground
from .replay import command

EVERY_BOUNDARY = 3
"""Each boundary has at least so many ways to be struck, so every third point strikes each of them once."""
AFTER_A_FAULT = 20
"""Every so many points of the cases that strike a retry."""
LATER_ROUNDS = 40
"""Runs of a calm case with other orders, faults, nudges that come twice and second strikes."""


def failures(package: str, job: str, moto: Ground) -> list[str]:
    """What does not hold, each with the command that shows it."""
    found = []
    for number, (case, seed) in enumerate(_runs(package, job)):
        for ground in (MEMORY, moto) if number % matrix.ON_MOTO == 0 else (MEMORY,):
            verdict = matrix.run(case, seed, ground).verdict
            if not verdict.holds:
                found.append(f"{command(case, seed, ground)}\n    {'; '.join(verdict.broken)[:500]}")
    return found


def _runs(package: str, job: str) -> Iterator[tuple[matrix.Case, int]]:
    for case in matrix.cases(package, job):
        size = len(matrix.points(case))
        seeds = range(0, size, AFTER_A_FAULT if case.prelude else EVERY_BOUNDARY)
        later = () if case.prelude else range(size, size * 8, size * 7 // LATER_ROUNDS)
        yield from ((case, seed) for seed in (*seeds, *later))
