"""Child processes that never outlive the command that started them."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

PR_SET_PDEATHSIG = 1  # Linux, prctl(2): the kernel signals the child when its parent dies, even by SIGKILL


def start(
    command: Sequence[str],
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    *,
    pipe: bool = False,
) -> subprocess.Popen[str]:
    """Start `command` in a process group of its own; with `pipe` its stdout is ours to read, all else goes to `log`.

    Call it from the main thread: Linux takes the end of the starting thread for the parent's death.
    """
    with log.open("a") as words:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if pipe else words,
            stderr=words,
            env=env,
            cwd=cwd,
            text=True,
            start_new_session=True,  # Ctrl-C reaches us alone; we then stop the whole group
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        )


def stop(process: subprocess.Popen[str], patience_s: float = 5) -> None:
    """End the process and whatever it started."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        # Also when the process itself is gone: its children are in the group still.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience_s)


def free_port() -> int:
    """A port on loopback that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
