"""What every test run has: `--deep`, `--shard`, and the local stage."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from infra.local.stage import Stage

# A machine that is busy with something else is no finding.
settings.register_profile("boekbrug", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("boekbrug")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("boekbrug")
    group.addoption("--deep", action="store_true", help="run the long simulations too")
    group.addoption("--shard", metavar="i/n", help="run only the i-th of n parts of the tests")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("deep") and not config.getoption("--deep"):
            item.add_marker(pytest.mark.skip(reason="a long simulation: infra/test --deep"))
    if config.getoption("--shard"):
        part, parts = _shard(config.getoption("--shard"))
        # By name and not by position: a new test moves no other test to another part.
        ours = [
            item
            for item in items
            if item.get_closest_marker("sharded") or zlib.crc32(item.nodeid.encode()) % parts == part - 1
        ]
        config.hook.pytest_deselected(items=[item for item in items if item not in ours])
        items[:] = ours


@pytest.fixture(scope="session")
def local_stage() -> Iterator[Stage]:
    """The fakes and the deployed template, for tests marked `stack`; one per process, so keep accounts apart."""
    from infra.local import stage  # most runs need none

    with stage.up() as running:
        yield running


def _shard(text: str) -> tuple[int, int]:
    part, slash, parts = text.partition("/")
    if not (slash and part.isdecimal() and parts.isdecimal() and 1 <= int(part) <= int(parts)):
        raise pytest.UsageError(f"--shard wants i/n with 1 <= i <= n, not {text!r}")
    return int(part), int(parts)
