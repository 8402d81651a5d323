"""Days in the life of a company, told by a seed (stories.py): whatever happens, the laws hold in the end."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache

import pytest

from infra.environment import ROOT

from .packages import PACKAGES
from .replay import of_story
from .shards import shard_of
from .stories import told
from .story_deeds import deeds_of
from .story_stage import EVENTS

ORDINARY = range(28)
MORE = 4 * len(ORDINARY)  # until what is rare has happened: any change of the code deals the stories anew
DEEP = range(1_000)


@dataclass(frozen=True)
class Ending:
    """What is left of a story."""

    broken: tuple[str, ...]
    happened: frozenset[str]
    log: str


@lru_cache(maxsize=256)
def ending(package: str, seed: int) -> Ending:
    story = told(package, seed)
    return Ending(tuple(story.broken), frozenset(+story.stage.happened), "\n".join(story.stage.log))


def failures(package: str, seeds: range) -> list[str]:
    """Each story that breaks a law, with the command that tells it again."""
    endings = ((seed, ending(package, seed).broken) for seed in seeds)
    return [f"{of_story(package, seed)}\n    {'; '.join(broken)[:500]}" for seed, broken in endings if broken]


@pytest.mark.parametrize("package", PACKAGES)
def test_whatever_happens_in_a_story_its_end_is_good(package: str) -> None:
    found = failures(package, ORDINARY)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_deed_and_every_event_took_effect_in_some_story(package: str) -> None:
    """Or a law that it could break was never tried."""
    missing = {*(deed.__name__ for deed in deeds_of(package)), *EVENTS}
    for seed in range(MORE):
        if not missing:
            return
        told_now = ending(package, seed)
        assert told_now.broken == (), of_story(package, seed)
        missing -= told_now.happened
    assert missing == set()


@pytest.mark.parametrize("package", PACKAGES)
def test_one_command_tells_the_same_story_again_to_the_byte(package: str) -> None:
    """In another process, with another hash seed."""
    command = of_story(package, 7).split()[1:]
    environment = {**os.environ, "PYTHONHASHSEED": "4711", "PYTHONPATH": f"{ROOT}:{ROOT / 'functions'}"}
    done = subprocess.run([sys.executable, *command[1:]], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    assert done.stdout == ending(package, 7).log + "\n"
    assert ending(package, 7).log != ending(package, 8).log


@pytest.mark.deep
@pytest.mark.sharded
@pytest.mark.parametrize("package", PACKAGES)
def test_a_thousand_stories_end_well(package: str, request: pytest.FixtureRequest) -> None:
    part, parts = shard_of(request.config.getoption("--shard") or "1/1")
    found = failures(package, DEEP[part - 1 :: parts])
    assert not found, "\n".join(found[:20])
