"""Who may import whom: the rooms of the house and the doors between them."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from infra.environment import ROOT

FUNCTIONS = ROOT / "functions"

# A room, and the rooms it may import from besides itself. "*": all of ours.
DOORS: dict[str, set[str]] = {
    "domain": set(),
    "texts": {"domain"},
    "messages": {"domain"},
    "ports": {"domain", "messages"},
    "sync": {"records", "domain", "messages", "ports"},
    "vendors.http": {"domain", "ports"},
    "vendors.oauth": {"domain", "ports", "vendors.http"},
    "vendors.registry": {"domain", "ports", "vendors.*"},
    "vendors.teamleader": {"domain", "ports", "vendors.http", "vendors.oauth"},
    "vendors.exact": {"domain", "ports", "vendors.http", "vendors.oauth"},
    "vendors.octopus": {"domain", "ports", "vendors.http", "vendors.oauth"},
    "vendors.twinfield": {"domain", "ports", "vendors.http", "vendors.oauth"},
    "vendors.memory": {"domain", "ports"},
    "store": {"records", "domain", "ports"},
    "store.memory": {"records", "domain", "ports"},  # not the store's: a double that shared its rules would prove less
    "web": {"domain", "messages", "ports", "sync", "texts"},
    "settings": {"domain"},
    "clocks": set(),
    "records": set(),
    "wiring": {"*"},
    "handlers": {"wiring", "sync", "messages", "web"},
}


def room_of(module: str) -> str:
    """boekbrug.vendors.exact.mapping → vendors.exact; boekbrug.store.links → store; handlers.connect → handlers."""
    parts = module.split(".")
    if parts[0] == "handlers":
        return "handlers"
    if parts[1:3] == ["store", "memory"]:
        return "store.memory"
    return ".".join(parts[1:3]) if parts[1:2] == ["vendors"] else ".".join(parts[1:2])


def imported(source: str, module: str, is_package: bool) -> set[str]:
    """The modules that a source imports, wherever in the file; relative ones spelled out."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = module.split(".") if is_package else module.split(".")[:-1]
                base = ".".join([*package[: len(package) - node.level + 1], *([node.module] if node.module else [])])
            # `from boekbrug.vendors import http` names a module, `from boekbrug.ports import Ledger` a thing in one.
            found |= {f"{base}.{alias.name}" for alias in node.names}
    return found


def wrong_doors(source: str, module: str, is_package: bool = False) -> list[str]:
    room = room_of(module)
    allowed = DOORS.get(room, set())
    wrong = []
    for name in sorted(imported(source, module, is_package)):
        top = name.split(".")[0]
        if top in ("fakes", "tests", "infra"):
            wrong.append(f"{module} imports {name}")
        elif top in ("boekbrug", "handlers"):
            other = room_of(name)
            if other in ("", room) or "*" in allowed or other in allowed:
                continue
            if "vendors.*" in allowed and other.startswith("vendors"):
                continue
            wrong.append(f"{module} ({room}) imports {name} ({other})")
    return wrong


def _sources(folder: Path, root: Path) -> dict[str, Path]:
    named = {}
    for file in sorted(folder.rglob("*.py")):
        parts = list(file.relative_to(root).with_suffix("").parts)
        named[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return named


OURS = {**_sources(FUNCTIONS / "boekbrug", FUNCTIONS), **_sources(FUNCTIONS / "handlers", FUNCTIONS)}
FAKES = _sources(ROOT / "fakes", ROOT)


def test_every_room_is_on_the_list():
    rooms = {room_of(module) for module in OURS if module != "boekbrug"} - {"vendors"}
    assert rooms - set(DOORS) == set()


@pytest.mark.parametrize("module", OURS)
def test_a_module_imports_only_through_the_doors_of_its_room(module):
    file = OURS[module]
    assert wrong_doors(file.read_text(), module, file.name == "__init__.py") == []


@pytest.mark.parametrize("module", FAKES)
def test_the_fakes_import_nothing_of_ours_and_little_else(module):
    file = FAKES[module]
    allowed = {*sys.stdlib_module_names, "werkzeug", "defusedxml", "fakes"}
    names = imported(file.read_text(), module, file.name == "__init__.py")
    assert {name for name in names if name.split(".")[0] not in allowed} == set()


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("boekbrug.domain.money", "from boekbrug.store import links"),
        ("boekbrug.domain.money", "from ..store.links import Links"),
        ("boekbrug.vendors.exact.ledger", "from ..octopus import mapping"),
        ("boekbrug.vendors.exact.ledger", "def f():\n    from boekbrug.vendors.twinfield.client import Client"),
        ("boekbrug.sync.export_documents", "import boekbrug.vendors.registry"),
        ("boekbrug.sync.export_documents", "from boekbrug import wiring"),
        ("handlers.connect", "from boekbrug.store.links import Links"),
        ("boekbrug.store.memory.links", "from ..links import DynamoLinks"),
        ("boekbrug.store.links", "from .memory import MemoryStore"),
        ("boekbrug.wiring", "from fakes.kit import clock"),
    ],
)
def test_a_wrong_door_is_seen(module, source):
    assert wrong_doors(source, module)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("boekbrug.vendors.exact.ledger", "from ..http import Http\nfrom . import mapping\nfrom .wire import Account"),
        ("boekbrug.sync.export_documents", "from boekbrug.domain.money import Money\nimport json"),
        ("boekbrug.vendors.registry", "def f():\n    from .exact.ledger import ExactLedger"),
        ("handlers.connect", "from boekbrug.wiring import wire\nfrom boekbrug import wiring"),
    ],
)
def test_a_right_door_is_open(module, source):
    assert wrong_doors(source, module) == []
