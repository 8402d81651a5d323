"""The whole matrix in shards: what was run is kept, so that an interrupted shard goes on where it was.

infra/run python -m tests.chaos.shards --shard 1/4     the line of one shard
infra/run python -m tests.chaos.shards --sum           the line of all shards

Results belong to the sources they were made with: another version of the code begins anew.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter

from infra.environment import CACHE, ROOT

from . import matrix
from .cases import JOBS
from .grounds import MEMORY, MOTO
from .packages import PACKAGES
from .replay import command

RUNS = 68_000
"""Runs of all shards together and at least. A few strikes of later rounds miss: what they were meant for was not
reached, so there are more than the 60,000 that must hit."""
BLOCK = 100
"""Runs that are started and remembered together."""


@dataclass(frozen=True)
class Block:
    """Some runs of one case."""

    package: str
    case: str
    first: int
    step: int

    @property
    def key(self) -> str:
        return f"{self.package} {self.case} {self.first} {self.step}"


@dataclass
class Results:
    """What blocks of runs came to. `runs`: those that were struck."""

    runs: int = 0
    duplicates: int = 0
    lost: int = 0
    seconds: float = 0.0
    failed: list[str] = field(default_factory=list)  # how to run them again, and what they broke

    def add(self, other: Results) -> None:
        self.runs += other.runs
        self.duplicates += other.duplicates
        self.lost += other.lost
        self.seconds += other.seconds
        self.failed += other.failed

    @property
    def line(self) -> str:
        return f"runs {self.runs} duplicates {self.duplicates} lost {self.lost}"


def work(block: Block, until: int) -> Results:
    """Run a block; called in a process of its own."""
    done = Results()
    begun = perf_counter()
    case = matrix.case_named(block.package, block.case)
    for seed in range(block.first, until, block.step):
        for ground in (MEMORY, MOTO) if seed % matrix.ON_MOTO == 0 else (MEMORY,):
            result = matrix.run(case, seed, ground)
            done.runs += result.struck
            done.duplicates += result.verdict.duplicates
            done.lost += result.verdict.lost
            if not result.verdict.holds:
                done.failed.append(f"{command(case, seed, ground)}\n    {'; '.join(result.verdict.broken)[:500]}")
    done.seconds = perf_counter() - begun
    return done


def blocks(part: int, parts: int) -> Iterator[tuple[Block, int]]:
    """The blocks of a shard, and the seed each ends before. Every case is run the same number of rounds."""
    all_cases = [case for package in PACKAGES for job in JOBS for case in matrix.cases(package, job)]
    sizes = [len(matrix.points(case)) for case in all_cases]
    rounds = -(-RUNS // sum(sizes))
    for case, size in zip(all_cases, sizes, strict=True):
        for first in range(part - 1, rounds * size, parts * BLOCK):
            until = min(first + parts * BLOCK, rounds * size)
            yield Block(case.package, case.name, first, parts), until


def run_shard(part: int, parts: int) -> Results:
    """Every run of this shard that was not run before; the results of all of them."""
    file = _file(part, parts)
    file.parent.mkdir(parents=True, exist_ok=True)
    known = _read(file)
    left = [(block, until) for block, until in blocks(part, parts) if block.key not in known]
    _end_line(file)
    with (
        file.open("a") as results,
        ProcessPoolExecutor(max_workers=os.cpu_count(), mp_context=get_context("forkserver")) as pool,
    ):
        waiting = {pool.submit(work, block, until): block for block, until in left}
        for future in as_completed(waiting):
            done = future.result()
            known[waiting[future].key] = done
            results.write(json.dumps({"block": waiting[future].key, **asdict(done)}) + "\n")
            results.flush()
        results.write(json.dumps({"complete": True}) + "\n")
    return _sum(known.values())


def _file(part: int, parts: int) -> Path:
    return CACHE / "chaos" / _sources() / f"shard-{part}-of-{parts}.jsonl"


@cache
def _sources() -> str:
    """What the results depend on, in few letters."""
    digest = hashlib.sha256()
    for folder in ("functions", "fakes", "tests/chaos", "tests/support"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _read(file: Path) -> dict[str, Results]:
    """What is known by block; a line that an interruption cut short does not count."""
    known: dict[str, Results] = {}
    for row in _rows(file):
        if "block" in row:
            block = row.pop("block")
            known[block] = Results(**row)
    return known


def _rows(file: Path) -> Iterator[dict]:
    for line in file.read_text().splitlines() if file.exists() else ():
        try:
            yield json.loads(line)
        except ValueError:
            continue


def _end_line(file: Path) -> None:
    if file.exists() and not file.read_text().endswith("\n"):
        with file.open("a") as results:
            results.write("\n")


def _sum(results: Sequence[Results] | object) -> Results:
    total = Results()
    for one in results:  # type: ignore[attr-defined]
        total.add(one)
    return total


def _is_complete(file: Path) -> bool:
    return any(row.get("complete") for row in _rows(file))


def shard_of(text: str) -> tuple[int, int]:
    """`2/4` is the second of four. Raises ValueError."""
    part, slash, parts = text.partition("/")
    if not (slash and part.isdecimal() and parts.isdecimal() and 1 <= int(part) <= int(parts)):
        raise ValueError(f"i/n with 1 <= i <= n is wanted, not {text!r}")
    return int(part), int(parts)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--shard", default="1/1", type=shard_of)
    options.add_argument("--sum", action="store_true", help="of all shards that were run")
    asked = options.parse_args()
    files = [_file(*asked.shard)]
    if asked.sum:
        files = sorted(files[0].parent.glob("shard-*-of-*.jsonl"))
        counts = {int(file.stem.rpartition("-")[2]) for file in files}
        if len(counts) > 1:
            print(f"boekbrug: shards of {sorted(counts)} parts lie in {files[0].parent}", file=sys.stderr)
        files = [_file(part, max(counts)) for part in range(1, max(counts) + 1)] if counts else files
    unfinished = [file.name for file in files if not _is_complete(file)]
    total = _sum(result for file in files for result in _read(file).values())
    for sentence in total.failed:
        print(sentence, file=sys.stderr)
    if unfinished or not files:
        print(f"boekbrug: not run to its end: {', '.join(unfinished) or 'any shard'}", file=sys.stderr)
    print(total.line)
    return 1 if total.failed or total.duplicates or total.lost or unfinished or not files else 0


if __name__ == "__main__":
    sys.exit(main())
