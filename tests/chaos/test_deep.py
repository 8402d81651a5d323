"""The whole matrix, in shards: `infra/test --deep --shard i/n`."""

from __future__ import annotations

import pytest

from .shards import run_shard, shard_of


@pytest.mark.deep
@pytest.mark.sharded
def test_wherever_and_whenever_a_worker_dies_the_laws_hold(request: pytest.FixtureRequest) -> None:
    results = run_shard(*shard_of(request.config.getoption("--shard") or "1/1"))
    assert not results.failed, "\n".join(results.failed[:20])
    assert (results.duplicates, results.lost) == (0, 0)
