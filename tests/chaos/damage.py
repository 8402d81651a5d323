"""Damages a copy of the project in one place and tells whether the test that should notice does.

Nothing is ever changed in the project itself: the copy lies in a temporary folder and goes with it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from time import perf_counter
from xml.etree import ElementTree

from infra.environment import ROOT

PACKAGE = Path("functions", "boekbrug")
COPIED = ("functions", "tests", "fakes", "infra", "pyproject.toml", "template.yaml")
AT_ONCE = 2
PATIENCE = 120
"""Seconds for one killer. What never ends has proved nothing."""
REPORT = "report.xml"
NO_CODE = re.compile(r"functions/.*: (SyntaxError|ImportError|NameError|UnboundLocalError|AttributeError|TypeError)$")
"""The last line of a failure that met a change which makes no sense, and not the loss of what it takes away."""


@dataclass(frozen=True, slots=True)
class Mutant:
    file: str
    """Under functions/boekbrug."""
    why: str
    """What the change takes away."""
    old: str
    """Occurs once in the file."""
    new: str
    killer: str
    """The pytest id of the test that notices; of a test with parameters, one case is enough."""

    @property
    def name(self) -> str:
        return f"{self.file}: {self.why}"

    def fits(self, root: Path) -> bool:
        return self.new != self.old and (root / PACKAGE / self.file).read_text().count(self.old) == 1


class Fate(StrEnum):
    KILLED = "killed"  # its killer failed
    ALIVE = "ALIVE"  # its killer passed
    UNPROVED = "UNPROVED"  # its killer came to no verdict


@dataclass(frozen=True, slots=True)
class Verdict:
    mutant: Mutant
    fate: Fate
    said: str
    """Of the killed: how its test failed. Of the others: what happened instead."""
    seconds: float


class Misfit(Exception):
    """The list does not belong to this code: nothing was damaged."""


def check(mutants: Sequence[Mutant]) -> None:
    """Every mutant still changes one place of the code, and its killer exists. Raises Misfit."""
    _check_places(mutants)
    found = _pytest(ROOT, ["--collect-only", "-p", "no:cacheprovider", *_killers(mutants)])
    if found.returncode != 0:
        raise Misfit(f"some killers are not there:\n{_end_of(found)}")


def run(mutants: Sequence[Mutant]) -> Iterator[Verdict]:
    """The fate of each, in order, as soon as it is known. Raises Misfit, also when a killer fails on sound code."""
    _check_places(mutants)
    with TemporaryDirectory() as folder, ThreadPoolExecutor(AT_ONCE) as pool:
        copies: SimpleQueue[Path] = SimpleQueue()
        for copy in _sound_copies(Path(folder), mutants):
            copies.put(copy)

        def judged(mutant: Mutant) -> Verdict:
            copy = copies.get()
            try:
                return _judge(mutant, copy)
            finally:
                copies.put(copy)

        yield from pool.map(judged, mutants)


def _check_places(mutants: Sequence[Mutant]) -> None:
    misfits = [mutant.name for mutant in mutants if not mutant.fits(ROOT)]
    if misfits:
        raise Misfit(f"these mutants no longer fit: {'; '.join(misfits)}")


def _sound_copies(folder: Path, mutants: Sequence[Mutant]) -> list[Path]:
    """One copy for each mutant of a time, after every killer passed in the first."""
    first, *others = [folder / f"copy-{n}" for n in range(AT_ONCE)]
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, first / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(ROOT / name, first / name)
    passed = _pytest(first, ["-p", "no:cacheprovider", f"--junitxml={REPORT}", *_killers(mutants)])
    if passed.returncode != 0 or _reported(first, "skipped") is not None:
        raise Misfit(f"not every killer passes on sound code:\n{_end_of(passed)}")
    for copy in others:
        shutil.copytree(first, copy)
    return [first, *others]


def _judge(mutant: Mutant, copy: Path) -> Verdict:
    begun = perf_counter()
    file = copy / PACKAGE / mutant.file
    sound = file.read_text()
    file.write_text(sound.replace(mutant.old, mutant.new))
    (copy / REPORT).unlink()
    try:
        fate, said = _fate(copy, mutant.killer)
    finally:
        file.write_text(sound)
    return Verdict(mutant, fate, said, perf_counter() - begun)


def _fate(copy: Path, killer: str) -> tuple[Fate, str]:
    try:
        done = _pytest(copy, ["-x", "-p", "no:cacheprovider", f"--junitxml={REPORT}", killer], timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return Fate.UNPROVED, f"no end after {PATIENCE} s"
    if done.returncode == 0:
        return Fate.ALIVE, "its killer passed"
    failure = _reported(copy, "failure") if done.returncode == 1 else None
    if failure is None:  # an error before the test began, or nothing to run
        return Fate.UNPROVED, f"pytest ended with {done.returncode}: {_end_of(done)}"
    last_line = (failure.text or "").strip().splitlines()[-1:]
    if NO_CODE.match("".join(last_line)):
        return Fate.UNPROVED, last_line[0]
    return Fate.KILLED, failure.get("message", "").strip().partition("\n")[0]


def _pytest(root: Path, arguments: Sequence[str], timeout: float | None = None) -> subprocess.CompletedProcess[str]:
    """Pytest on what lies under `root`, and no trace in it of the pytest that asks."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PYTHON"))}
    command = [sys.executable, "-m", "pytest", *arguments]
    return subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, timeout=timeout, check=False
    )


def _reported(copy: Path, what: str) -> ElementTree.Element | None:
    """The first `failure` or `skipped` of the last run."""
    return next(ElementTree.parse(copy / REPORT).iter(what), None)


def _killers(mutants: Sequence[Mutant]) -> list[str]:
    return sorted({mutant.killer for mutant in mutants})


def _end_of(done: subprocess.CompletedProcess[str]) -> str:
    return "\n".join((done.stdout + done.stderr).strip().splitlines()[-8:])
