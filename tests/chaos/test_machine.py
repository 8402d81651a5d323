"""The same deeds and laws as in the stories, drawn by Hypothesis, which shrinks a failing story to its core."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from .packages import PACKAGES
from .story import Deed, Story
from .story_deeds import MEANWHILE, PAUSES, WEIGHTS, asks

CHANCES = st.integers(0, 1_000)
"""Seeds of what a deed draws for itself."""


class Bridge(RuleBasedStateMachine):
    """People act at once or while workers work; then everybody works, in good weather or in bad."""

    story: Story | None = None

    @initialize(package=st.sampled_from(sorted(PACKAGES)), seed=CHANCES)
    def begins(self, package: str, seed: int) -> None:
        self.story = Story(package, f"machine {seed}")

    @rule(deed=st.sampled_from(tuple(WEIGHTS)), chance=CHANCES)
    def somebody_acts(self, deed: Deed, chance: int) -> None:
        self.story.does(deed, Random(chance))

    @rule(deed=st.sampled_from(tuple(WEIGHTS)), chance=CHANCES, seconds=st.sampled_from(MEANWHILE))
    def somebody_acts_meanwhile(self, deed: Deed, chance: int, seconds: float) -> None:
        self.story.does_later(deed, Random(chance), seconds)

    @rule(bad=st.booleans(), chance=CHANCES)
    def everybody_works(self, bad: bool, chance: int) -> None:
        self.story.stage.bad = bad
        self.story.does(asks, Random(chance))
        self.story.stage.goes_on()

    @rule(seconds=st.sampled_from(PAUSES))
    def time_passes(self, seconds: int) -> None:
        self.story.time_passes(seconds)

    def teardown(self) -> None:
        if self.story is None:
            return
        with self.story as story:
            story.ends()
            assert not story.broken, "\n".join(story.broken)


def run(examples: int, steps: int) -> None:
    """Hypothesis draws the same examples each time, so that a failure is there again when the test is."""
    bounds = settings(
        max_examples=examples,
        stateful_step_count=steps,
        derandomize=True,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Bridge, settings=bounds)


def test_no_order_of_deeds_breaks_a_law() -> None:
    run(examples=10, steps=15)


@pytest.mark.deep
def test_nor_does_any_of_many_longer_ones() -> None:
    run(examples=400, steps=40)
