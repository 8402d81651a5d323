"""The tools this project needs, brought by the project itself: a fresh clone needs Python 3.11+ and a package index.

Standard library only, since nothing is installed yet when it runs. Four kinds of environment, each from its own file of
hashed pins, because sam-cli and ministack each insist on a botocore of their own:

    .venv                    the project: tests, fakes, the demo; the best interpreter found
    .venv-3.11               the same on Python 3.11, the oldest we promise, when that is present too
    .cache/envs/sam          sam-cli and cfn-lint
    .cache/envs/ministack    the local AWS; it runs every function in its own interpreter
    .cache/envs/lambda       what Lambda's runtime has: awslambdaric and boto3; runs a built handler as Lambda does

An environment is made under a file lock and stamped with what it was made from, so that a second command waits for the
first and a third starts at once.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
REQUIREMENTS = ROOT / "infra" / "requirements"

OLDEST = "3.11"
# 3.13 is what the template deploys by default; 3.14 and later only when nothing we test against is there.
PREFERRED = ("3.13", "3.12", "3.11", "3.14")
# Commands of another environment than the project's.
SAM = ("sam", "cfn-lint")


class SetupFailed(Exception):
    """The machine lacks something; the message says what and where it was looked for."""


@dataclass(frozen=True)
class Interpreter:
    """A CPython on this machine."""

    minor: str  # "3.13"
    path: Path  # the real binary, never a shim


@dataclass(frozen=True)
class Environment:
    """A set of pinned packages in a folder of its own."""

    folder: Path
    interpreter: Interpreter

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def command(self, name: str) -> str:
        """The full path of a command this environment brings."""
        return str(self.folder / "bin" / name)


def this_architecture() -> str:
    """The architecture of this machine in Lambda's words."""
    return "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x86_64"


# --- interpreters -------------------------------------------------------------------------------------------------


def _candidates(minor: str) -> Iterator[Path]:
    """Where a Python of this minor version may be: PATH first, then pyenv's and uv's own folders."""
    for name in (f"python{minor}", "python3"):
        for folder in os.get_exec_path():
            yield Path(folder) / name
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    # Newest patch first; pyenv's shims answer only for the version that is switched on, its own folders always do.
    numbered = sorted(pyenv.glob(f"versions/{minor}.*"), key=lambda p: [int(n) for n in re.findall(r"\d+", p.name)])
    for folder in reversed(numbered):
        yield folder / "bin" / f"python{minor}"
    for folder in sorted(Path.home().glob(f".local/share/uv/python/cpython-{minor}.*"), reverse=True):
        yield folder / "bin" / f"python{minor}"


def _ask(path: Path) -> Interpreter | None:
    """What this binary really is, or None when it does not run (a pyenv shim of a version not switched on)."""
    question = (
        "import sys; print(sys.implementation.name, '%d.%d' % sys.version_info[:2],"
        " sys.executable, sys.prefix == sys.base_prefix)"
    )
    try:
        answer = subprocess.run([path, "-c", question], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    words = answer.stdout.split()
    if answer.returncode or len(words) != 4 or words[0] != "cpython" or words[3] != "True":
        return None
    return Interpreter(words[1], Path(words[2]))


def find_interpreter(minor: str) -> Interpreter | None:
    """The first Python of this minor version on the machine; environments do not count."""
    for path in _candidates(minor):
        if os.access(path, os.X_OK):
            found = _ask(path)
            if found and found.minor == minor:
                return found
    return None


def best_interpreter() -> Interpreter:
    """The Python we build for and test with on this machine."""
    for minor in PREFERRED:
        if found := find_interpreter(minor):
            return found
    raise SetupFailed("No CPython 3.11 or newer found: not on PATH, not under pyenv, not under uv.")


def _interpreter_with_pip() -> Interpreter:
    """Any Python that can fetch uv; Debian's own may come without pip."""
    for minor in PREFERRED:
        found = find_interpreter(minor)
        if found and not subprocess.run([found.path, "-m", "pip", "--version"], capture_output=True).returncode:
            return found
    raise SetupFailed("No Python with pip found to fetch uv with; on Debian: apt-get install python3-pip.")


# --- uv -----------------------------------------------------------------------------------------------------------


def uv() -> str:
    """The path of our own pinned uv; fetched with pip the first time."""
    pins = REQUIREMENTS / "uv.txt"
    folder = CACHE / "tools" / f"uv-{_digest([pins])[:12]}"
    binary = folder / "bin" / "uv"
    if not binary.exists():
        with lock("uv"):
            if not binary.exists():
                unfinished = folder.with_name(folder.name + ".part")
                shutil.rmtree(unfinished, ignore_errors=True)
                say("bringing uv")
                run([_interpreter_with_pip().path, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                     "--root-user-action", "ignore", "--no-deps",
                     "--require-hashes", "--only-binary", ":all:", "--target", unfinished, "-r", pins])  # fmt: skip
                unfinished.rename(folder)
    return str(binary)


# --- environments -------------------------------------------------------------------------------------------------


def project(minor: str | None = None) -> Environment:
    """The project's environment; with `minor`, the one for that Python version."""
    if minor is None:
        folder = ROOT / ".venv"
        return _environment(folder, REQUIREMENTS / "dev.txt", _kept(folder) or best_interpreter(), ours=True)
    found = find_interpreter(minor)
    if found is None:
        raise SetupFailed(f"No CPython {minor} found.")
    return _environment(ROOT / f".venv-{minor}", REQUIREMENTS / "dev.txt", found, ours=True)


def tool(name: str) -> Environment:
    """The environment of sam, ministack or lambda: made with the project's own interpreter."""
    folder = CACHE / "envs" / name
    return _environment(folder, REQUIREMENTS / f"{name}.txt", project().interpreter)


def _environment(folder: Path, pins: Path, interpreter: Interpreter, *, ours: bool = False) -> Environment:
    made = Environment(folder, interpreter)
    stamp_file = folder / "made-from"
    stamp = f"{interpreter.minor} {_digest([pins])} {ROOT if ours else ''}\n"
    if _stands(made, stamp_file, stamp):
        return made
    with lock(folder.name):
        if _stands(made, stamp_file, stamp):  # the command we waited for has made it
            return made
        say(f"setting up {folder.relative_to(ROOT)} (Python {interpreter.minor})")
        stamp_file.unlink(missing_ok=True)
        if _ask_version(made.python) != interpreter.minor:
            run([uv(), "venv", "--quiet", "--clear", "--no-project", "--python", interpreter.path, folder])
        run(
            [
                uv(),
                "pip",
                "sync",
                "--quiet",
                "--python",
                made.python,
                "--require-hashes",
                "--only-binary",
                ":all:",
                pins,
            ]
        )
        if ours:
            # A .pth file and not PYTHONPATH: sam and ministack are Python too and must not see our sources.
            site = next(folder.glob("lib/python3.*/site-packages"))
            (site / "boekbrug-sources.pth").write_text(f"{ROOT / 'functions'}\n{ROOT}\n")
        stamp_file.write_text(stamp)
    return made


def _kept(folder: Path) -> Interpreter | None:
    """The interpreter of an environment that stands; asked of its configuration, so that a start costs no search."""
    try:
        settings = dict(re.findall(r"^(\S+) = (.*)$", (folder / "pyvenv.cfg").read_text(), re.M))
    except OSError:
        return None
    version = re.match(r"3\.\d+", settings.get("version_info", ""))
    if not version or not (folder / "bin" / "python").exists():
        return None
    return Interpreter(version[0], Path(settings["home"]) / f"python{version[0]}")


def _stands(made: Environment, stamp_file: Path, stamp: str) -> bool:
    return made.python.exists() and stamp_file.exists() and stamp_file.read_text() == stamp


def _ask_version(python: Path) -> str | None:
    try:
        answer = subprocess.run(
            [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], capture_output=True, text=True
        )
    except OSError:
        return None
    return answer.stdout.strip() or None


# --- small things -------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def lock(name: str) -> Iterator[None]:
    """One command at a time does this in one clone; released when the process ends, however it ends."""
    folder = CACHE / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / name.lstrip(".")).open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def run(command: Sequence[str | Path], *, log: Path | None = None, **options: Any) -> None:
    """Run a command. What it says goes to stderr, or to `log`, of which a failure shows the end."""
    with log.open("a") if log else contextlib.nullcontext(sys.stderr) as words:
        done = subprocess.run([str(word) for word in command], stdout=words, stderr=words, **options)
    if done.returncode:
        if log:
            print("\n".join(log.read_text().splitlines()[-25:]), file=sys.stderr)
        raise SetupFailed(f"{Path(str(command[0])).name} ended with status {done.returncode}")


def say(sentence: str) -> None:
    """Progress goes to stderr: stdout belongs to the command."""
    print(f"boekbrug: {sentence}", file=sys.stderr, flush=True)


def _digest(files: Sequence[Path]) -> str:
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def enter(environment: Environment) -> dict[str, str]:
    """The variables of a process that runs in this environment."""
    variables = {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "PYTHONPATH")}
    variables["VIRTUAL_ENV"] = str(environment.folder)
    variables["PATH"] = os.pathsep.join([str(environment.folder / "bin"), os.environ.get("PATH", os.defpath)])
    return variables


def main(arguments: Sequence[str]) -> NoReturn:
    """Become `arguments`, in the environment that has that command."""
    if not arguments:
        print("usage: infra/run COMMAND [ARGUMENT…]", file=sys.stderr)
        sys.exit(2)
    try:
        environment = tool("sam") if arguments[0] in SAM else project()
    except SetupFailed as failed:
        say(str(failed))
        sys.exit(1)
    variables = enter(environment)
    command = shutil.which(arguments[0], path=variables["PATH"])
    if command is None:
        say(f"{arguments[0]}: no such command")
        sys.exit(127)
    sys.stdout.flush()
    os.execve(command, list(arguments), variables)


if __name__ == "__main__":
    main(sys.argv[1:])
