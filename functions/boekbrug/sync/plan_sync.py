"""The sweep: each minute, whatever is due is nudged. It also heals nudges and webhooks that were lost."""

from __future__ import annotations

from datetime import timedelta

from ..ports import House

LOOK_AGAIN = timedelta(minutes=2)
"""A nudged job that nobody took by then is nudged again."""


def plan_sync(house: House) -> int:
    """Nudge every job whose time has come; how many."""
    now = house.clock.now()
    nudged = 0
    for key in house.jobs.due(now):
        if house.jobs.nudged(key, before=now, look_again=now + LOOK_AGAIN, now=house.real.now()):
            house.nudges.send(key)
            nudged += 1
    return nudged
