"""Runs one run of the matrix, or one story, again and shows its event log.

infra/run python -m tests.chaos.replay --package exact --case documents --seed 1234
infra/run python -m tests.chaos.replay --package exact --story --seed 12
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from . import matrix, stories
from .grounds import MEMORY, MOTO, Ground
from .packages import PACKAGES


def command(case: matrix.Case, seed: int, ground: Ground = MEMORY) -> str:
    """What a failing run prints."""
    of = f"--package {case.package} --case {case.name} --seed {seed}"
    return f"infra/run python -m tests.chaos.replay {of}{' --moto' if ground is not MEMORY else ''}"


def of_story(package: str, seed: int) -> str:
    """What a failing story prints."""
    return f"infra/run python -m tests.chaos.replay --package {package} --story --seed {seed}"


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--package", choices=sorted(PACKAGES), default="exact")
    what = options.add_mutually_exclusive_group(required=True)
    what.add_argument("--case", help="a case of the matrix")
    what.add_argument("--story", action="store_true", help="days in the life of a company, on records in memory")
    options.add_argument("--seed", type=int, required=True)
    options.add_argument("--moto", action="store_true", help="a case on DynamoDB, as moto plays it")
    asked = options.parse_args()
    if asked.story:
        if asked.moto:
            options.error("a story has its records in memory")
        return _story(asked.package, asked.seed)
    return _case(matrix.case_named(asked.package, asked.case), asked.seed, MOTO if asked.moto else MEMORY)


def _case(case: matrix.Case, seed: int, ground: Ground) -> int:
    result = matrix.run(case, seed, ground)
    _show(result.stage.log, result.verdict.broken)
    print(f"duplicates {result.verdict.duplicates} lost {result.verdict.lost}")
    return 0 if result.verdict.holds else 1


def _story(package: str, seed: int) -> int:
    story = stories.told(package, seed)
    _show(story.stage.log, story.broken)
    return 1 if story.broken else 0


def _show(log: Sequence[str], broken: Sequence[str]) -> None:
    print("\n".join([*log, *(f"broken: {sentence}" for sentence in broken)]))


if __name__ == "__main__":
    sys.exit(main())
