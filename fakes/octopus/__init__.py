"""Octopus, as strict as its documents and its users' recordings say. COVERAGE.md lists what is faked."""

from fakes.octopus.seed import demo_seed
from fakes.octopus.server import OctopusFake

__all__ = ["OctopusFake", "demo_seed"]
