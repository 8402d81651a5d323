"""Runs one run of the matrix again and shows its event log.

infra/run python -m tests.chaos.replay --package exact --case documents --seed 1234
"""

from __future__ import annotations

import argparse
import sys

from . import matrix
from .grounds import MEMORY, MOTO, Ground
from .packages import PACKAGES


def command(case: matrix.Case, seed: int, ground: Ground = MEMORY) -> str:
    """What a failing run prints."""
    of = f"--package {case.package} --case {case.name} --seed {seed}"
    return f"infra/run python -m tests.chaos.replay {of}{' --moto' if ground is not MEMORY else ''}"


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--package", choices=sorted(PACKAGES), default="exact")
    options.add_argument("--case", required=True)
    options.add_argument("--seed", type=int, required=True)
    options.add_argument("--moto", action="store_true", help="on DynamoDB, as moto plays it")
    asked = options.parse_args()
    case = matrix.case_named(asked.package, asked.case)
    result = matrix.run(case, asked.seed, MOTO if asked.moto else MEMORY)
    print("\n".join(result.stage.log))
    for sentence in result.verdict.broken:
        print(f"broken: {sentence}")
    print(f"duplicates {result.verdict.duplicates} lost {result.verdict.lost}")
    return 0 if result.verdict.holds else 1


if __name__ == "__main__":
    sys.exit(main())
