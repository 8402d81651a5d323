"""The crash matrix: every boundary of every job × every way to be struck there × seeds.

Boundaries are found by running the job and noting where it meets the world. A *case* is a job, calm or after a first
fault (its first write of a kind did not arrive, or its answer was lost): then what is struck is the retry.
Runs of a case are numbered: the first round strikes every boundary in every way, with nothing else; each later round
does so again in another order of the documents, with faults of the vendors, nudges that come twice and second strikes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from random import Random

from .cases import JOBS, VARIANTS, Facts, world
from .grounds import MEMORY, Ground
from .laws import Verdict, is_done, is_early, judged, outcome
from .packages import PACKAGES, Package
from .stage import Stage, is_about_tokens
from .strikes import Boundary, How, Strike, Trouble, ways

FAULTS: tuple[object, ...] = (
    *("rate_limit", "stale_read", "half_body", "html_page", "commit_then_drop", "drop_before"),
    *({"status": 503}, {"status": 500}),
)
HURRIES: tuple[tuple[float, ...], ...] = ((), (), (), (10, 20), (1, 60, 119), (152, 160), (151, 175, 179))
"""Nudges while a lost answer cannot be known yet: at once where the worker lived, after its lease where it died."""
WITHIN_REQUESTS = 40
"""Troubles meet one of a run's first requests."""
ON_MOTO = 100
"""Every so many runs the one in turn is also run on DynamoDB, as moto plays it."""


@dataclass(frozen=True)
class Case:
    package: str
    job: str
    prelude: Strike | None = None

    @property
    def name(self) -> str:
        if self.prelude is None:
            return self.job
        return f"{self.job}.{self.prelude.how}.{self.prelude.at.name.rpartition('/')[2]}"


@dataclass(frozen=True)
class Plan:
    """What happens in one run."""

    variant: int
    strikes: tuple[Strike, ...]
    troubles: tuple[Trouble, ...] = ()
    again_after: float | None = None
    hurry: tuple[float, ...] = ()


@dataclass(frozen=True)
class Result:
    seed: int
    struck: bool
    verdict: Verdict
    stage: Stage


def cases(package: str, job: str) -> list[Case]:
    """The job calm, and after each fault of its first write of each kind."""
    calm = Case(package, job)
    writes = dict.fromkeys(at for at, _ in _calm(package, job, MEMORY)[1] if at.nth == 1)
    preludes = [Strike(at, how) for at in writes for how in (How.UNSENT, How.LOST)]
    return [calm, *(Case(package, job, prelude) for prelude in preludes)]


def case_named(package: str, name: str) -> Case:
    job = name.partition(".")[0]
    return next(case for case in cases(package, job) if case.name == name)


@cache
def _calm(package: str, job: str, ground: Ground) -> tuple[list[Boundary], list[tuple[Boundary, str]], str]:
    """A run without a fault: its boundaries, those that write, and what it leaves behind."""
    stage, facts = _run(PACKAGES[package], job, Plan(0, ()), "calm", ground)
    verdict = judged(stage, PACKAGES[package], facts)
    assert verdict.holds, "\n".join([*verdict.broken, *stage.log])
    return stage.boundaries, stage.writes, outcome(stage, facts)


@cache
def points(case: Case, ground: Ground = MEMORY) -> list[Strike]:
    """Where and how this case is struck; after a prelude, in the attempts that follow it."""
    boundaries, _, _ = _calm(case.package, case.job, ground)
    if case.prelude is not None:
        stage, _ = _run(PACKAGES[case.package], case.job, Plan(0, (case.prelude,)), "prelude", ground)
        boundaries = [at for at in stage.boundaries if at.attempt > case.prelude.at.attempt]
    return [Strike(at, how) for at in boundaries if not _is_about_tokens(at) for how in ways(at)]


def _is_about_tokens(at: Boundary) -> bool:
    """A pair of tokens can be lost with the worker that got it: refreshes have a proof of their own."""
    return is_about_tokens(at.name) or at.name in ("logins.lease", "logins.rotate", "logins.give_back", "logins.lose")


def plan(case: Case, seed: int, ground: Ground = MEMORY) -> Plan:
    where = points(case, ground)
    strike = where[seed % len(where)]
    first = (case.prelude,) if case.prelude else ()
    if seed < len(where):
        return Plan(0, (*first, strike))
    chance = Random(f"{case.package} {case.name} {seed}")
    strikes = [*first, strike]
    if chance.random() < 0.3:
        later = chance.choice(where)
        at = Boundary(strike.at.attempt + chance.choice((1, 1, 2)), later.at.name, 1)
        strikes.append(Strike(at, later.how))
    troubles = tuple(
        Trouble(chance.randint(1, WITHIN_REQUESTS), chance.choice(FAULTS))
        for _ in range(chance.choice((0, 0, 0, 1, 1, 2)))
    )
    again_after = chance.choice((None, None, 0.0, 0.05, 0.3, 100.0, 160.0, 185.0))
    return Plan(chance.randrange(VARIANTS), tuple(strikes), troubles, again_after, chance.choice(HURRIES))


def run(case: Case, seed: int, ground: Ground = MEMORY) -> Result:
    planned = plan(case, seed, ground)
    if ground is not MEMORY:  # a world takes its time to build there: one does
        planned = replace(planned, variant=0)
    stage, facts = _run(PACKAGES[case.package], case.job, planned, f"{case.name} {seed}", ground)
    _, _, calm = _calm(case.package, case.job, ground)
    verdict = judged(stage, PACKAGES[case.package], facts, calm if planned.variant == 0 else "")
    drawn = planned.strikes[1 if case.prelude else 0]
    return Result(seed, drawn in stage.struck, verdict, stage)


def played(
    job: str,
    *strikes: Strike,
    troubles: tuple[Trouble, ...] = (),
    hurry: tuple[float, ...] = (),
    package: str = "exact",
    seed: str = "by hand",
) -> tuple[Stage, Verdict]:
    """A run made by hand: the job, struck just so."""
    stage, facts = _run(PACKAGES[package], job, Plan(0, strikes, troubles, hurry=hurry), seed, MEMORY)
    return stage, judged(stage, PACKAGES[package], facts, _calm(package, job, MEMORY)[2])


def _run(package: Package, job: str, planned: Plan, seed: str, ground: Ground) -> tuple[Stage, Facts]:
    kept = world(package, ground, job, planned.variant)
    stage, facts = kept.opened(seed), kept.facts
    stage.is_done = lambda: is_done(stage, facts)
    stage.is_early = lambda: is_early(stage, facts)
    stage.run(JOBS[job].kind, planned.strikes, planned.troubles, planned.again_after, planned.hurry)
    return stage, facts
