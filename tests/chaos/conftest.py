"""What the chaos tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .grounds import OnMoto


@pytest.fixture(scope="module")
def moto() -> Iterator[OnMoto]:
    """DynamoDB as moto plays it, away again before other tests begin theirs."""
    ground = OnMoto()
    yield ground
    ground.stop()
