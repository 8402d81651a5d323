"""The packages a demo can show: for each, how its fake is filled, paid in and read.

A package joins with a module of its own here and a line in `SIDES`.
"""

from __future__ import annotations

from .exact import ExactSide
from .side import Booked, Side

SIDES: dict[str, type[Side]] = {"exact": ExactSide}

__all__ = ["SIDES", "Booked", "Side"]
