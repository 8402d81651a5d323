"""The packages a demo can show: for each, how its fake is filled, paid in and read.

A package joins with a module of its own here and a line in `SIDES`.
"""

from __future__ import annotations

from boekbrug.vendors import registry

from .exact import ExactSide
from .octopus import OctopusSide
from .side import Booked, Side

ALL: dict[str, type[Side]] = {"exact": ExactSide, "octopus": OctopusSide}
SIDES = {name: side for name, side in ALL.items() if name in registry.PACKAGES}

__all__ = ["SIDES", "Booked", "Side"]
