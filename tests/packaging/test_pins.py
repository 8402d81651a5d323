"""The pins are what pyproject.toml compiles to, hashed, and name no place they were downloaded from."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from infra import environment, lock
from infra.environment import ROOT


@pytest.mark.parametrize("file", lock.files(), ids=str)
def test_the_pins_are_what_pyproject_compiles_to(file: Path, tmp_path: Path):
    fresh = tmp_path / file.name
    shutil.copy(ROOT / file, fresh)
    try:
        lock.compile_pins(file, lock.files()[file], fresh)
    except environment.SetupFailed as failed:
        pytest.skip(f"the package index is out of reach, or says no: {failed}")
    assert fresh.read_text() == (ROOT / file).read_text(), "run infra/lock"


@pytest.mark.parametrize("file", lock.files(), ids=str)
def test_every_pin_is_hashed_and_names_no_index(file: Path):
    text = (ROOT / file).read_text()
    assert "://" not in text
    assert "--index-url" not in text
    pins = re.findall(r"^[a-z0-9].*?(?=^[a-z0-9]|\Z)", text, re.M | re.S)
    assert pins
    assert [pin.splitlines()[0] for pin in pins if "--hash=sha256:" not in pin] == []
