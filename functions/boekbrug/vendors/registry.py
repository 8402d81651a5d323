"""Which packages there are, and how an administration is named across them."""

from __future__ import annotations

import importlib
from types import ModuleType

from ..domain.connections import LoginId
from ..domain.ledger import AdministrationId

PACKAGES = ("exact", "octopus")
"""The bookkeeping packages a connection can choose from."""
VENDORS = ("teamleader", *PACKAGES)


def door_of(vendor: str) -> ModuleType:
    """The vendor's `door` module. Only that vendor is imported: a cold start pays for what it uses."""
    if vendor not in VENDORS:
        raise ValueError(f"no vendor {vendor!r}; there are {VENDORS}")
    return importlib.import_module(f".{vendor}.door", __package__)


def administration_id(package: str, realm: str, code: str) -> AdministrationId:
    """`exact`, `be`, `3001234` make "exact.be.3001234"."""
    return AdministrationId(f"{package}.{realm}.{code}")


def login_id(vendor: str, realm: str, user: str) -> LoginId:
    """`exact`, `be` and a user make "exact.be.<user>"; what a slash parts off is a scope of the login."""
    return LoginId(f"{vendor}.{realm}.{user.replace('%', '%25').replace('/', '%2F')}")


def split(administration: AdministrationId) -> tuple[str, str, str]:
    """(package, realm, code) of an administration; the code may hold dots, the others do not.

    Raises ValueError for a name that is none.
    """
    package, realm, code = administration.split(".", 2)
    return package, realm, code
