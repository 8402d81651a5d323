"""Exact Online, as strict as its documents and its users' reports say. COVERAGE.md lists what is faked."""

from fakes.exact.seed import demo_seed
from fakes.exact.server import ExactFake

__all__ = ["ExactFake", "demo_seed"]
