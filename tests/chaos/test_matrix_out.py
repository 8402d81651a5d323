"""Crash anywhere on the way to the books: a slice of the matrix (`infra/test --deep` runs all of it)."""

from __future__ import annotations

import pytest

from .grounds import OnMoto
from .packages import PACKAGES
from .slices import failures


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("job", ["documents", "files"])
def test_wherever_a_worker_dies_every_document_is_booked_once(package: str, job: str, moto: OnMoto) -> None:
    found = failures(package, job, moto)
    assert not found, "\n".join(found)
