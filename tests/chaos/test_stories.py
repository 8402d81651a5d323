"""Days in the life of a company, told by a seed (stories.py): whatever happens, the laws hold in the end."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from functools import cache

import pytest

from infra.environment import ROOT

from .packages import PACKAGES
from .replay import of_story
from .shards import shard_of
from .stories import told
from .story_deeds import DEEDS
from .story_stage import EVENTS

ORDINARY = range(28)
DEEP = range(1_000)
SAME = [3, 7]
"""Seeds whose logs are compared."""


@cache
def ending(package: str, seed: int) -> tuple[list[str], dict[str, int], str]:
    """What a story broke, what happened in it, and a digest of its log."""
    story = told(package, seed)
    return story.broken, dict(story.stage.happened), hashlib.sha256("\n".join(story.stage.log).encode()).hexdigest()


def failures(package: str, seeds: range) -> list[str]:
    endings = ((seed, ending(package, seed)[0]) for seed in seeds)
    return [f"{of_story(package, seed)}\n    {'; '.join(broken)[:500]}" for seed, broken in endings if broken]


@pytest.mark.parametrize("package", PACKAGES)
def test_whatever_happens_in_a_story_its_end_is_good(package: str) -> None:
    found = failures(package, ORDINARY)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_deed_and_every_event_took_effect_in_some_story(package: str) -> None:
    """Or a law that it could break was never tried."""
    happened = {name for seed in ORDINARY for name, times in ending(package, seed)[1].items() if times}
    assert {*(deed.__name__ for deed in DEEDS), *EVENTS} <= happened


@pytest.mark.parametrize("package", PACKAGES)
def test_the_same_seed_tells_the_same_story_wherever_it_is_told(package: str) -> None:
    script = f"from tests.chaos.test_stories import SAME, ending; [print(ending({package!r}, s)[2]) for s in SAME]"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "4711", "PYTHONPATH": f"{ROOT}:{ROOT / 'functions'}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [ending(package, seed)[2] for seed in SAME]
    assert len(set(done.stdout.split())) == len(SAME)


@pytest.mark.deep
@pytest.mark.sharded
@pytest.mark.parametrize("package", PACKAGES)
def test_a_thousand_stories_end_well(package: str, request: pytest.FixtureRequest) -> None:
    part, parts = shard_of(request.config.getoption("--shard") or "1/1")
    found = failures(package, DEEP[part - 1 :: parts])
    assert not found, "\n".join(found[:20])
