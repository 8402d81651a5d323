"""What the packaging tests share: the artefact, built for this machine, and an environment like Lambda's own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from infra import artefact, environment, template


@pytest.fixture(scope="session")
def built() -> Path:
    """The folder that every function is deployed as, for this machine."""
    return artefact.artefact(artefact.this_machine())


@pytest.fixture(scope="session")
def in_lambda(built: Path):
    """Run Python on the artefact with nothing else but what Lambda's runtime brings: `in_lambda(code) -> stdout`."""
    runtime = environment.tool("lambda")
    settings = dict.fromkeys(template.load()["Globals"]["Function"]["Environment"]["Variables"], "example")
    settings |= {name: "http://127.0.0.1:9/example" for name in settings if name.endswith("_URL")}

    def run(code: str) -> str:
        variables = {"PATH": os.defpath, "PYTHONPATH": str(built), "AWS_REGION": "eu-west-1",
                     "AWS_DEFAULT_REGION": "eu-west-1", "PYTHONDONTWRITEBYTECODE": "1", **settings}  # fmt: skip
        done = subprocess.run([runtime.python, "-c", code], capture_output=True, text=True, env=variables, cwd=built)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run
