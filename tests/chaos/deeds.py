"""Every call the adapters make: each port method once, against the demo companies of the fakes.

A vendor joins by a line in `VENDORS`: its fake, and a function that names what is asked of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httpx

from boekbrug.vendors.oauth import App, Room
from boekbrug.vendors.registry import door_of
from fakes.exact import ExactFake
from fakes.kit.clock import FakeClock
from fakes.octopus import OctopusFake
from fakes.teamleader import TeamleaderFake
from infra.local.fake_control import FakeControl
from tests.support.transports import fake_transport

from .deed_room import NOW, BoughtOnce, KnownToken, Run, room_of
from .deeds_exact import exact_deeds
from .deeds_octopus import as_it_may_also_go, octopus_deeds
from .deeds_teamleader import teamleader_deeds
from .grants import BACK, URL, app_of
from .strange import Recorder, Told


@dataclass(frozen=True)
class Deed:
    """One thing asked of a vendor. `told`: how it went when all was well; `later`: what else it would have heard."""

    vendor: str
    name: str
    run: Run
    told: tuple[Told, ...]
    app: App = field(repr=False)
    later: tuple[Told, ...] = ()

    def __str__(self) -> str:
        return f"{self.vendor}-{self.name}"

    def room(self, line: httpx.BaseTransport) -> Room:
        return room_of(self.app, line, "known", lambda scope, buy: KnownToken("known"))


@dataclass(frozen=True)
class Vendor:
    fake: Callable[..., Any]
    deeds: Callable[[Room, FakeControl], dict[str, Run]]
    also: Callable[[Sequence[Deed]], Iterable[Deed]] = lambda recorded: recorded


VENDORS = {
    "exact": Vendor(ExactFake, exact_deeds),
    "octopus": Vendor(OctopusFake, octopus_deeds, as_it_may_also_go),
    "teamleader": Vendor(TeamleaderFake, teamleader_deeds),
}


@cache
def deeds() -> tuple[Deed, ...]:
    """All of them, each recorded once."""
    return tuple(deed for name, vendor in VENDORS.items() for deed in vendor.also(list(_recorded(name, vendor))))


def _recorded(name: str, vendor: Vendor) -> Iterator[Deed]:
    fake = vendor.fake(FakeClock(NOW, rate=0), seed="demo")
    line = fake_transport(fake)
    control = FakeControl(URL, line)
    control.post("seed", redirect_uris=[BACK])
    app, door, bought = app_of(name, fake, URL), door_of(name), BoughtOnce()

    def room(line: httpx.BaseTransport, access: str) -> Room:
        return room_of(app, line, access, bought)

    def code() -> str:
        answer = httpx.Client(transport=line).get(door.authorize_url(app, "state") + "&auto=1")
        return httpx.URL(answer.headers["location"]).params["code"]

    tokens = door.exchange(app, room(line, "").http, code(), NOW)
    of_door = {
        "exchange": (lambda room, code=code(): door.exchange(room.app, room.http, code, NOW)),
        "user_of": lambda room: door.user_of(room.app, room.http, room.tokens.access()),
    }
    for what, run in {**vendor.deeds(room(line, tokens.access), control), **of_door}.items():
        recorder = Recorder(line)
        run(room(recorder, tokens.access))
        if what == "exchange":  # the demo has one user, whose new consent ends the old tokens
            tokens = door.exchange(app, room(line, "").http, code(), NOW)
        yield Deed(name, what, run, tuple(recorder.told), app)
    fake.clock.set(advance_s=600)
    recorder = Recorder(line)

    def refresh(room: Room) -> Any:
        return door.refresh(room.app, room.http, tokens.refresh, NOW)

    refresh(room(recorder, ""))
    yield Deed(name, "refresh", refresh, tuple(recorder.told), app)
