"""What every function is deployed as: our code, its dependencies for the target, and their bytecode, in one folder.

One folder for all functions, filled once; `sam build` only copies it (infra/package/Makefile). boto3 is the runtime's.
Bytecode doubles the speed of a cold start, and `sam build` by itself ships none. It is of the unchecked-hash kind, so
that it needs no timestamps and two builds are the same to the byte.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from infra import environment
from infra.environment import CACHE, ROOT, say

FUNCTIONS = ROOT / "functions"
REQUIREMENTS = FUNCTIONS / "requirements.txt"
OURS = ("boekbrug", "handlers")

# Amazon Linux 2023 has glibc 2.34; wheels for an older one run on it too.
PLATFORM = {"arm64": "aarch64-manylinux_2_28", "x86_64": "x86_64-manylinux_2_28"}


@dataclass(frozen=True)
class Target:
    """What the artefact must run on."""

    runtime: str = "python3.13"  # Lambda's name for it
    architecture: str = "arm64"  # or x86_64

    @property
    def minor(self) -> str:
        return self.runtime.removeprefix("python")

    def __str__(self) -> str:
        return f"{self.runtime}-{self.architecture}"


def this_machine() -> Target:
    """The target that runs here: the project's Python on this processor."""
    return Target(f"python{environment.project().interpreter.minor}", environment.this_architecture())


def artefact(target: Target, functions: Path = FUNCTIONS) -> Path:
    """The folder to deploy for `target`; made when the sources or the pins have changed since.

    Shape: .cache/build/<runtime>-<architecture>/<digest of what it was made from>; a finished folder never changes.
    """
    compiler = environment.find_interpreter(target.minor)
    if compiler is None:
        say(f"no Python {target.minor} here: the artefact gets no bytecode, its cold starts will be slower")
    shelf = CACHE / "build" / str(target)
    folder = shelf / _digest(functions, with_bytecode=compiler is not None)
    with environment.lock(f"build-{target}"):
        if not folder.exists():
            say(f"building the artefact for {target}")
            unfinished = shelf / "unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            _copy_linked(_dependencies(target, compiler), unfinished)
            for package in OURS:
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(functions / package, unfinished / package, ignore=ignored)
            if compiler:
                _compile(compiler, unfinished, OURS)
            unfinished.rename(folder)
            _tidy(shelf, keep=folder)
        os.utime(folder)  # says that it is in use
    return folder


def _dependencies(target: Target, compiler: environment.Interpreter | None) -> Path:
    """The dependencies alone; they change far less often than our own code."""
    pins = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]
    folder = CACHE / "build" / "dependencies" / f"{target}-{pins}{'' if compiler else '-source'}"
    if not folder.exists():
        unfinished = folder.with_name(folder.name + ".part")
        shutil.rmtree(unfinished, ignore_errors=True)
        environment.run(
            [environment.uv(), "pip", "install", "--quiet", "--target", unfinished, "--no-compile",
             "--link-mode", "copy", "--require-hashes", "--only-binary", ":all:", "--python-version", target.minor,
             "--python-platform", PLATFORM[target.architecture], "-r", REQUIREMENTS],
        )  # fmt: skip
        shutil.rmtree(unfinished / "bin", ignore_errors=True)  # commands; nobody types in a function
        (unfinished / ".lock").unlink(missing_ok=True)
        if compiler:
            _compile(compiler, unfinished, [""])
        unfinished.rename(folder)
    return folder


def _compile(compiler: environment.Interpreter, folder: Path, parts: Sequence[str]) -> None:
    """Bytecode by the target's own minor version; tracebacks will name /var/task, where Lambda puts the files."""
    subprocess.run(
        [compiler.path, "-m", "compileall", "-q", "-f", "--invalidation-mode", "unchecked-hash",
         "-s", folder, "-p", "/var/task", *(folder / part for part in parts)],
        check=True, stdout=sys.stderr, env={**os.environ, "PYTHONHASHSEED": "0"},
    )  # fmt: skip


def _copy_linked(source: Path, target: Path) -> None:
    shutil.copytree(source, target, copy_function=os.link)


def _digest(functions: Path, *, with_bytecode: bool) -> str:
    """Changes when anything in the artefact would."""
    digest = hashlib.sha256(f"bytecode={with_bytecode}".encode())
    sources = [file for package in OURS for file in (functions / package).rglob("*") if file.is_file()]
    for file in sorted([REQUIREMENTS, Path(__file__), *sources]):
        if file.parent.name != "__pycache__":
            digest.update(f"\0{os.path.relpath(file, functions)}\0".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def _tidy(shelf: Path, *, keep: Path) -> None:
    """Old artefacts go once no command can be copying from them any more."""
    for folder in shelf.iterdir():
        if folder != keep and time.time() - folder.stat().st_mtime > 3600:
            shutil.rmtree(folder, ignore_errors=True)


def sam_build(target: Target, build_folder: Path, template: Path = ROOT / "template.yaml",
              functions: Path = FUNCTIONS, log: Path | None = None) -> Path:  # fmt: skip
    """Run the real `sam build`, its words to `log` or stderr; returns the built template, ready for `sam deploy`."""
    made = artefact(target, functions)
    sam = environment.tool("sam")
    # In sam's own environment: its PATH and no PYTHONPATH of ours.
    variables = {**environment.enter(sam), "ARTEFACT": str(made), "SAM_CLI_TELEMETRY": "0",
                 "AWS_DEFAULT_REGION": os.environ.get("AWS_DEFAULT_REGION", "eu-west-1")}  # fmt: skip
    environment.run(
        [sam.command("sam"), "build", "--template-file", template, "--build-dir", build_folder, "--no-cached",
         "--parameter-overrides", f"PythonRuntime={target.runtime}", f"Architecture={target.architecture}"],
        log=log, cwd=ROOT, env=variables,
    )  # fmt: skip
    return build_folder / "template.yaml"


def main(arguments: Sequence[str]) -> int:
    words = argparse.ArgumentParser(prog="infra/build", description="Builds every function, ready for `sam deploy`.")
    words.add_argument(
        "--runtime", default=Target.runtime, help="as the parameter PythonRuntime (default: %(default)s)"
    )
    words.add_argument("--architecture", default=Target.architecture, choices=sorted(PLATFORM))
    words.add_argument("--here", action="store_true", help="for this machine instead")
    asked = words.parse_args(arguments)
    target = this_machine() if asked.here else Target(asked.runtime, asked.architecture)
    try:
        with environment.lock("sam-build"):
            print(sam_build(target, ROOT / ".aws-sam" / "build"))
    except environment.SetupFailed as failed:
        say(str(failed))
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
