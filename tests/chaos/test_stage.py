"""The deterministic stage keeps its promise: the same seed writes the same log, wherever and whenever it runs."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import pytest

from infra.environment import ROOT

from . import matrix
from .grounds import MEMORY, Ground, OnMoto

RUNS = [("documents", 3), ("documents", 1_234), ("payments", 2_345), ("files", 1_717), ("relations", 300)]


def log_of(job: str, seed: int, ground: Ground = MEMORY) -> str:
    return "\n".join(matrix.run(matrix.Case("exact", job), seed, ground).stage.log)


@pytest.mark.parametrize(("job", "seed"), RUNS)
def test_the_same_seed_writes_the_same_log(job: str, seed: int) -> None:
    assert log_of(job, seed) == log_of(job, seed)


def test_and_so_it_does_on_dynamodb(moto: OnMoto) -> None:
    assert log_of("documents", 100, moto) == log_of("documents", 100, moto)


def test_another_process_with_another_hash_seed_writes_the_same_logs() -> None:
    ours = [hashlib.sha256(log_of(job, seed).encode()).hexdigest() for job, seed in RUNS]
    script = "import hashlib; from tests.chaos.test_stage import RUNS, log_of; "
    script += "[print(hashlib.sha256(log_of(*run).encode()).hexdigest()) for run in RUNS]"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "4711", "PYTHONPATH": f"{ROOT}:{ROOT / 'functions'}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ours


def test_another_seed_goes_another_way() -> None:
    """Or the test above proves nothing."""
    assert log_of("documents", 1_234) != log_of("documents", 1_235)


def test_one_command_replays_a_run() -> None:
    command = [sys.executable, "-m", "tests.chaos.replay", "--package", "exact", "--case", "payments", "--seed", "9"]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'functions'}"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(log_of("payments", 9) + "\n")


def test_a_dead_worker_can_use_no_port() -> None:
    """Not even to tidy up: after its death its name is in the log once, to say so."""
    case = matrix.Case("exact", "documents")
    where = next(
        at for at, strike in enumerate(matrix.points(case)) if "SalesEntries" in str(strike) and strike.how == "after"
    )
    log = matrix.run(case, where).stage.log
    died = next(number for number, line in enumerate(log) if "***" in line)
    assert [line.split()[1:] for line in log[died + 1 :] if "documents-1 " in line] == [["documents-1", "is", "dead"]]
