"""The commands people type: honest statuses, and shards that lose no test."""

from __future__ import annotations

import subprocess
import sys

import pytest

from infra.environment import ROOT


@pytest.mark.parametrize(
    ("words", "status"),
    [(["true"], 0), (["false"], 1), (["python", "-c", "raise SystemExit(7)"], 7), (["no-such-command"], 127), ([], 2)],
)
def test_infra_run_ends_as_its_command_does(words, status):
    assert subprocess.run([ROOT / "infra" / "run", *words], capture_output=True).returncode == status


def test_infra_run_finds_our_sources_from_any_folder(tmp_path):
    command = [ROOT / "infra" / "run", "python", "-c", "import boekbrug, fakes; print(boekbrug.__file__)"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.strip() == str(ROOT / "functions" / "boekbrug" / "__init__.py")


def test_the_shards_together_run_every_test_once():
    everything = _collected()
    parts = [_collected("--shard", f"{part}/3") for part in (1, 2, 3)]
    assert all(parts)
    assert sorted(test for part in parts for test in part) == sorted(everything)


@pytest.mark.parametrize("wrong", ["0/2", "3/2", "1", "a/b", "1/0"])
def test_a_shard_that_does_not_exist_is_refused(wrong):
    done = _pytest("--shard", wrong)
    assert done.returncode == 4
    assert "i/n" in done.stderr


def _collected(*options: str) -> list[str]:
    return [line for line in _pytest(*options).stdout.splitlines() if "::" in line]


def _pytest(*options: str) -> subprocess.CompletedProcess[str]:
    file = "tests/packaging/test_template.py"
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--collect-only", file, *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
