"""Crash anywhere on the way to the books: a slice of the matrix (`infra/test --deep` runs all of it)."""

from __future__ import annotations

import pytest

from .grounds import OnMoto
from .matrix import Case, run
from .packages import PACKAGES
from .slices import failures


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("job", ["documents", "files"])
def test_wherever_a_worker_dies_every_document_is_booked_once(package: str, job: str) -> None:
    found = failures(package, job)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("seed", [0, 200, 400])
def test_the_same_holds_on_dynamodb(seed: int, moto: OnMoto) -> None:
    verdict = run(Case("exact", "documents"), seed, moto).verdict
    assert verdict.holds, verdict.broken
