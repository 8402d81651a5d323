"""Stories: what people, vendors and clouds do to a company in a few days, all at once, in an order that a seed draws.

    story = told("exact", 7)
    story.broken

People act at any moment, also while workers are in the middle of their work. Vendors fail and workers die at boundaries
that the seed draws. In the end all faults are over, everybody looks again, and the laws must hold.
"""

from __future__ import annotations

from random import Random

from .story import Story
from .story_deeds import MEANWHILE, PAUSES, asks, deeds_of, runs_by_itself


def told(package: str, seed: int) -> Story:
    """The story of this seed, to its end."""
    chance = Random(f"story {seed}")
    with Story(package, str(seed)) as story:
        if chance.random() < 0.5:
            story.does(runs_by_itself, chance)
        for _ in range(chance.randint(2, 5)):
            _chapter(story, chance)
        story.ends()
    return story


def _chapter(story: Story, chance: Random) -> None:
    """Some deeds, at once or while the workers work; then time passes."""
    weights = deeds_of(story.package.name)
    deeds = tuple(weights), tuple(weights.values())
    story.stage.bad = chance.random() < 0.8
    for _ in range(chance.randint(2, 9)):
        deed = chance.choices(*deeds)[0]
        if chance.random() < 0.5:
            story.does(deed, chance)
        else:
            story.does_later(deed, chance, chance.choice(MEANWHILE))
    story.does(asks, chance)
    story.stage.goes_on()
    story.time_passes(chance.choice(PAUSES))
