"""The stage and the company every flow test begins with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.company import Company, a_connected_company
from tests.support.stage import Stage, standing


@pytest.fixture
def stage() -> Iterator[Stage]:
    with standing() as running:
        yield running


@pytest.fixture
def package() -> str:
    """What the company keeps its books in. A test of all packages says so: `@every_package`."""
    return "exact"


@pytest.fixture
def company(stage: Stage, package: str) -> Company:
    """Signed in and connected, its mappings accepted; nothing exported yet."""
    return a_connected_company(stage, package)
