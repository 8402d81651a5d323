"""Crash anywhere on the way back, and while reading: a slice of the matrix (`infra/test --deep` runs all of it)."""

from __future__ import annotations

import pytest

from .grounds import OnMoto
from .packages import PACKAGES
from .slices import failures


@pytest.mark.parametrize("package", PACKAGES)
def test_wherever_a_worker_dies_every_payment_is_registered_once(package: str, moto: OnMoto) -> None:
    found = failures(package, "payments", moto)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("job", ["accounts", "relations"])
def test_wherever_a_worker_dies_what_it_read_is_whole(package: str, job: str, moto: OnMoto) -> None:
    found = failures(package, job, moto)
    assert not found, "\n".join(found)
