"""Compiles pyproject.toml, the one source of dependencies, to files of hashed pins.

Raw `uv pip compile`, and no lock file that records where things were downloaded from: the pins hold anywhere.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

from infra import environment
from infra.environment import ROOT

SHIPPED = Path("functions/requirements.txt")


def files() -> dict[Path, list[str]]:
    """Each file of pins, relative to the project, and what uv compiles it from; in the order to compile them in."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    return {
        SHIPPED: ["pyproject.toml"],
        # The tests run what ships: same versions.
        Path("infra/requirements/dev.txt"): ["pyproject.toml", "--extra", "test", "--constraint", str(SHIPPED)],
        **{Path(f"infra/requirements/{name}.txt"): ["--group", name] for name in groups},
    }


def compile_pins(file: Path, sources: Sequence[str], into: Path, *options: str) -> None:
    """Write the pins of `file` to `into`; pins already standing there are kept while they satisfy."""
    environment.run(
        [environment.uv(), "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes",
         "--no-emit-index-url", "--no-emit-find-links", "--custom-compile-command", "infra/lock", *options,
         "--output-file", into, *sources],
        cwd=ROOT,
    )  # fmt: skip


if __name__ == "__main__":
    for file, sources in files().items():
        (ROOT / file).parent.mkdir(parents=True, exist_ok=True)
        compile_pins(file, sources, file, *sys.argv[1:])
        print(file)
