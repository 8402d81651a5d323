"""Administrations have one name across the packages, and a vendor is imported only when asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from boekbrug.vendors import registry


@pytest.mark.parametrize(
    "parts", [("exact", "be", "3001234"), ("octopus", "-", "70001"), ("twinfield", "-", "NL.01.X")]
)
def test_a_name_comes_apart_as_it_was_put_together(parts):
    assert registry.split(registry.administration_id(*parts)) == parts


def test_what_is_no_name_is_refused():
    with pytest.raises(ValueError):
        registry.split("3001234")


@pytest.mark.parametrize("vendor", registry.VENDORS)
def test_every_vendor_has_a_door(vendor):
    door = registry.door_of(vendor)
    names = {"NOT_BEFORE_S", "NEEDS_SECRET", "hosts", "authorize_url", "exchange", "refresh", "user_of"}
    facts = {"REALMS", "ABILITIES", "KEEPS_FILES", "relation_ref"}
    names |= {"open_package", "open_ledger", *facts} if vendor in registry.PACKAGES else {"open_focus"}
    assert names <= set(vars(door))


def test_another_vendor_is_refused_by_name():
    with pytest.raises(ValueError, match="sage"):
        registry.door_of("sage")


def test_only_the_vendor_asked_for_is_imported():
    script = (
        "import sys; from boekbrug.vendors import registry; registry.door_of('exact'); print('\\n'.join(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=_path())
    loaded = done.stdout.split()
    assert "boekbrug.vendors.exact.door" in loaded
    assert not [name for name in loaded if name.startswith("boekbrug.vendors.teamleader")]


def _path() -> dict[str, str]:
    return {"PYTHONPATH": ":".join(path for path in sys.path if path)}
