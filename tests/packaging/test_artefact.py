"""What is deployed: complete, lean, quick to start, and the same twice."""

from __future__ import annotations

import hashlib
import importlib.util
import struct
import zipfile
from pathlib import Path

import pytest

from infra import artefact, environment, template

HANDLERS = {name: properties["Handler"] for name, properties in template.functions().items()}

# Each costs a cold start tens to hundreds of milliseconds and is needed by no handler to begin with.
NEVER_AT_START = {
    "aws_xray_sdk",  # what the Tracer of Powertools brings; X-Ray works without
    "aws_lambda_powertools.utilities.idempotency",
    "aws_lambda_powertools.utilities.parameters",
    "boekbrug.store.memory",
    # The registry imports the package of the link, when there is one.
    "boekbrug.vendors.exact",
    "boekbrug.vendors.memory",
    "boekbrug.vendors.octopus",
    "boekbrug.vendors.twinfield",
}
# These answer or sweep without asking any vendor anything.
ASKS_NO_VENDOR = {"ReceiveWebhook", "PlanSync"}


def test_the_template_has_handlers_to_check():
    assert len(HANDLERS) == 8


@pytest.mark.parametrize("name", HANDLERS)
def test_every_handler_of_the_template_is_there_and_can_be_called(name, in_lambda):
    module, function = HANDLERS[name].rsplit(".", 1)
    assert in_lambda(f"import {module}; print(callable({module}.{function}))") == "True\n"


@pytest.mark.parametrize("name", HANDLERS)
def test_a_handler_imports_no_more_than_it_needs(name, in_lambda):
    module = HANDLERS[name].rsplit(".", 1)[0]
    loaded = set(in_lambda(f"import sys, {module}; print(*sys.modules)").split())
    assert f"{module}" in loaded
    assert loaded & NEVER_AT_START == set()
    if name in ASKS_NO_VENDOR:
        assert "boekbrug.vendors.teamleader" not in loaded


def test_boto3_is_the_runtimes_and_no_test_tool_ships(built: Path):
    unwanted = {"boto3", "botocore", "s3transfer", "moto", "pytest", "hypothesis", "werkzeug", "fakes", "tests", "bin"}
    assert {entry.name for entry in built.iterdir()} & unwanted == set()


def test_every_module_has_bytecode_that_needs_no_look_at_its_source(built: Path):
    magic = importlib.util.MAGIC_NUMBER  # the artefact is for this Python
    sources = [
        file for package in ("boekbrug", "handlers", "httpx", "pydantic") for file in (built / package).rglob("*.py")
    ]
    assert sources
    for source in sources:
        compiled = source.parent / "__pycache__" / f"{source.stem}.{_cache_tag(artefact.this_machine())}.pyc"
        header = compiled.read_bytes()[:8]
        assert header[:4] == magic, source
        assert struct.unpack("<I", header[4:])[0] == 0b01, f"{source}: not unchecked-hash"


def test_the_artefact_for_aws_has_the_right_binaries_and_bytecode():
    """Lambda's default target, whatever machine this is: arm64 libraries, bytecode of Python 3.13."""
    target = artefact.Target()
    if environment.find_interpreter(target.minor) is None:
        pytest.skip(f"no Python {target.minor} on this machine to compile with")
    folder = artefact.artefact(target)
    libraries = [file.name for file in folder.rglob("*.so")]
    assert libraries
    assert all(f"cpython-{target.minor.replace('.', '')}-aarch64" in name for name in libraries)
    compiled = folder / "handlers" / "__pycache__" / f"__init__.{_cache_tag(target)}.pyc"
    assert struct.unpack("<H", compiled.read_bytes()[:2])[0] in range(3550, 3600)  # the magic numbers of 3.13
    assert b"/var/task/handlers/__init__.py" in compiled.read_bytes()


def test_the_artefact_is_the_same_to_the_byte_when_built_again(tmp_path: Path, monkeypatch):
    first = artefact.artefact(artefact.this_machine())
    monkeypatch.setattr(artefact, "CACHE", tmp_path)
    second = artefact.artefact(artefact.this_machine())
    assert second != first
    assert second.name == first.name
    assert _contents(second) == _contents(first)


def test_the_zip_stays_small(built: Path, tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "artefact.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in built.rglob("*"):
            archive.write(file, file.relative_to(built))
    assert (tmp_path / "artefact.zip").stat().st_size < 12_000_000


def _cache_tag(target: artefact.Target) -> str:
    return f"cpython-{target.minor.replace('.', '')}"


def _contents(folder: Path) -> dict[str, str]:
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
            for file in folder.rglob("*") if file.is_file()}  # fmt: skip
