"""A story: a company, what people know of its documents, and a stage on which the bridge works for it.

with Story("exact", "7") as story:
    story.does(issues, chance)
    story.stage.goes_on()
    story.ends()
story.broken
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import cache
from random import Random
from types import SimpleNamespace
from unittest.mock import patch

import httpx

from boekbrug import wiring
from boekbrug.domain.documents import DocumentId, document_key
from boekbrug.ports import Links
from fakes.kit.faults import BadCommand
from infra.local.fake_control import FakeControl
from infra.local.person import Person, Refused
from tests.support import books
from tests.support.books import Booked
from tests.support.company import BOOKS, USER, Document
from tests.support.stage import BRIDGE, TEAMLEADER, Line, gateway
from tests.support.transports import fake_transport

from .grounds import MEMORY
from .packages import PACKAGES
from .stage import seeded
from .story_laws import StoryLaws
from .story_stage import StoryStage
from .worlds import World, built

KNOWN, *NEW = CUSTOMERS = ("Bakkerij Wolk BV", "Drukkerij Regen BV", "Fietsen Storm BV")
PEOPLE_CANNOT = (Refused, RuntimeError, BadCommand)
"""What people hear who want what cannot be: they shrug."""


@cache
def connected(package: str) -> World:
    """The company on the morning of a story."""
    return built(PACKAGES[package], MEMORY, lambda company: company, 0)


@dataclass
class Paper:
    """A document, and what people did with it."""

    document: Document
    day: str
    customer: str
    figures: list[tuple[Decimal, Decimal]]  # gross and VAT, as issued and after each edit
    gone: bool = False  # deleted in Teamleader
    by_hand: dict[str, datetime] = field(default_factory=dict)  # bookings that a person typed, and when
    removed: int = 0  # bookings of ours that a person deleted
    removed_early: int = 0  # likewise, before the bridge knew its answer: it may be booked again, once each
    money: Decimal = Decimal(0)  # that settles its booking now, write-offs too
    most_money: Decimal = Decimal(0)  # that ever came in, undone or not
    noted: Decimal = Decimal(0)  # settled with a credit note now
    credits: Paper | None = None  # the invoice of a credit note
    owed_again: bool = False  # a credit note of it was deleted in Teamleader

    def __str__(self) -> str:
        return f"{self.document.kind} {self.document.number} ({self.document.id[:8]})"

    @property
    def key(self) -> str:
        """What a booking of ours carries."""
        return document_key(DocumentId(self.document.id))

    @property
    def is_invoice(self) -> bool:
        return self.document.kind == "invoice"

    @property
    def reference(self) -> tuple[str, str]:
        """What the books know it by; a number may come free and be another's."""
        return self.document.kind, self.document.number

    @property
    def month(self) -> int:
        return int(self.day[5:7])

    @property
    def open(self) -> Decimal:
        return self.figures[0][0] - self.money - self.noted


class Story:
    """People act (story_deeds.py), the stage plays, and in the end the laws are asked (story_laws.py)."""

    def __init__(self, package: str, seed: str) -> None:
        self.package = PACKAGES[package]
        self.papers: list[Paper] = []
        self.closed: set[tuple[int, str]] = set()  # month and journal
        self.automatic = False
        self.broken: list[str] = []
        kept = connected(package)
        self._until_closed = ExitStack()
        self._until_closed.callback(wiring.use, None)
        self._until_closed.enter_context(seeded(f"story {seed}"))
        self._until_closed.enter_context(patch.object(books, "_numbers", itertools.count(12_000_000)))
        self.stage = kept.opened(seed, StoryStage)
        self.teamleader, self.books = self.stage.fakes.values()
        bridge = _Bridge(self.stage)
        vendors = {TEAMLEADER: fake_transport(self.teamleader), self.package.url: fake_transport(self.books)}
        self.line = Line({BRIDGE: bridge, **vendors})
        self.control = FakeControl(self.package.url, self.line)
        place = SimpleNamespace(
            teamleader=FakeControl(TEAMLEADER, self.line),
            person=lambda user: Person(BRIDGE, user, self.line),
            **{package: self.control},
        )
        with self.stage.by_people():
            own = {"stage": place, "books": BOOKS[package](self.control), "person": place.person(USER)}
            self.company = replace(kept.facts, **own, _customers={})
            self.company.relation(KNOWN, self.company.vat_number(self.company.customer(KNOWN)))
            for name in NEW:
                self.company.customer(name)

    def __enter__(self) -> Story:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Nothing of the story stays behind in this process."""
        self._until_closed.close()

    # --- its course ---

    def does(self, deed: Deed, chance: Random) -> None:
        """Somebody does this now, or hears that it cannot be done."""
        with self.stage.by_people():
            try:
                what = deed(self, chance)
            except PEOPLE_CANNOT as no:
                self.stage.say(f"--- {deed.__name__} cannot: {str(no)[:80]}")
                return
        self.stage.happened[deed.__name__] += bool(what)
        self.stage.say(f"--- {deed.__name__} {what or 'finds nothing'}")

    def does_later(self, deed: Deed, chance: Random, seconds: float) -> None:
        self.stage.later(seconds, lambda: self.does(deed, chance))

    def time_passes(self, seconds: float) -> None:
        self.stage.clock.set(advance_s=seconds)
        self.stage.goes_on()

    def ends(self) -> None:
        """The faults are over; everybody looks again, twice: the second time there is nothing to do."""
        self.stage.bad = False
        for fake in self.stage.fakes.values():
            fake.faults.clear()
        self.stage.say("--- all faults are over")
        self._every_limit_ends()
        with self.stage.by_people():  # tokens may have died with a worker
            self.company.signs_in_again()
            self.company.consents_again()
        for kinds in (("accounts", "relations"), ("documents",), ("payments",)):
            self.looks(*kinds)
        self._every_limit_ends()
        before = len(self.stage.sends)
        self.looks("documents", "payments")
        again = [f"{send.subject} was sent at the last look" for send in self.stage.sends[before:]]
        self.broken = list(dict.fromkeys([*self.stage.broken, *again, *StoryLaws(self).broken()]))

    def _every_limit_ends(self) -> None:
        now = self.stage.clock.now()
        self.time_passes(max(1_000.0, (self.package.limit_ends(now) - now).total_seconds()))

    def looks(self, *kinds: str, meanwhile: Callable[[], object] | None = None) -> None:
        """Somebody presses "sync now" and waits until everybody is done.

        `meanwhile`: what is done half a minute later, when a first sending may have failed and none has followed yet.
        """
        with self.stage.by_people():
            self.company.signs_in_again()
            for kind in kinds:
                self.company.asks_for(kind)
        if meanwhile:
            self.stage.later(30, meanwhile)
        self.stage.goes_on()

    # --- what there is to see ---

    @property
    def links(self) -> Links:
        """What the bridge remembers."""
        return self.stage.outside.links(self.company.account, self.company.administration)

    def bookings(self, paper: Paper) -> list[Booked]:
        """Those of its kind that carry its number."""
        return [one for one in self.package.bookings(self.books) if (one.kind, one.reference) == paper.reference]

    def ours(self, paper: Paper) -> list[Booked]:
        return [booking for booking in self.bookings(paper) if paper.key in booking.text]

    def stands_alone(self, paper: Paper) -> bool:
        """Whether its number is booked once, and for this very document."""
        found = self.bookings(paper)
        return len(found) == 1 and (found[0].id in paper.by_hand or found == self.ours(paper))

    def drawn(self, chance: Random, fits: Callable[[Paper], bool]) -> Paper | None:
        """One of the documents for which this holds."""
        fitting = [paper for paper in self.papers if fits(paper)]
        return chance.choice(fitting) if fitting else None


Deed = Callable[[Story, Random], str]
"""What somebody does: what came of it, or nothing where there was nothing to do it to."""


class _Bridge(httpx.BaseTransport):
    """What people's browsers and the vendors' webhooks reach."""

    def __init__(self, stage: StoryStage) -> None:
        self._stage = stage

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        wiring.use(self._stage.sandbox())
        return gateway(self._stage.deployed.routes, request)
