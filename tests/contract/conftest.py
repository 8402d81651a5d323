"""A local AWS for tests marked `stack` that need a table and nothing deployed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.local_tables import LocalTables, local_tables


@pytest.fixture(scope="session")
def local() -> Iterator[LocalTables]:
    with local_tables() as tables:
        yield tables
