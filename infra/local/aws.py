"""The local AWS: ministack, reached only through its endpoint, so that something else can take its place.

It runs with AUTH=true: the roles of the template decide what a function may do, as in AWS.
"""

from __future__ import annotations

import os
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen
from typing import Any

import boto3

from infra import environment
from infra.environment import SetupFailed
from infra.local import processes

REGION = "eu-west-1"
ACCOUNT = "000000000000"


@dataclass(frozen=True)
class LocalAws:
    """A running ministack."""

    endpoint_url: str
    process: Popen[str] = field(repr=False)

    def client(self, service: str, **credentials: Any) -> Any:
        """A boto3 client; as the account's root unless told who."""
        return boto3.client(service, endpoint_url=self.endpoint_url, region_name=REGION, **(credentials or ROOT_KEY))

    def stop(self) -> None:
        processes.stop(self.process)


# ministack takes a key that is an account number for that account's root.
ROOT_KEY = {"aws_access_key_id": ACCOUNT, "aws_secret_access_key": "local"}


def start(folder: Path) -> LocalAws:
    """Start ministack on a free port of loopback; what it keeps goes to `folder` and dies with it."""
    ministack = environment.tool("ministack")
    data = folder / "aws"
    data.mkdir(parents=True, exist_ok=True)
    for _ in range(3):  # a free port may be taken between asking and listening
        port = processes.free_port()
        # Functions inherit what ministack has: so nothing of this shell but the bare minimum.
        variables = {
            "PATH": f"{ministack.folder / 'bin'}:{os.defpath}",
            "HOME": str(data),
            "TMPDIR": str(data),
            "LANG": "C.UTF-8",
            "GATEWAY_PORT": str(port),
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "127.0.0.1",
            "S3_DATA_DIR": str(data / "s3"),
            "MINISTACK_REGION": REGION,
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "AUTH": "true",
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "LOG_LEVEL": "WARNING",
        }
        process = processes.start([ministack.command("ministack")], folder / "aws.log", variables, cwd=data)
        if _answers(process, f"http://127.0.0.1:{port}/health"):
            return LocalAws(f"http://127.0.0.1:{port}", process)
        processes.stop(process)
    raise SetupFailed(f"The local AWS did not start; see {folder / 'aws.log'}")


def _answers(process: Popen[str], url: str, patience_s: float = 30) -> bool:
    until = time.monotonic() + patience_s
    while process.poll() is None and time.monotonic() < until:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return process.poll() is None
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    return False
