"""The whole system on this machine: the vendors' fakes, a local AWS, and the real template built and deployed into it.

    with stage.up() as running:
        running.client("sqs").send_message(QueueUrl=running.queue_urls["ExportDocuments"], …)

`python -m infra.local.stage --up` keeps one up to look at. Every stage has its own ports and its own folder under
.cache/stages; stopping it, or the end of the process however it comes, leaves nothing running.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import signal
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from infra import artefact, environment, template
from infra.environment import CACHE, ROOT, SetupFailed, say
from infra.local import aws, processes, routes
from infra.local.front_door import FrontDoor

STACK = "boekbrug"
BUCKET = "boekbrug-artefacts"
QUEUES = ("ImportLedgerAccounts", "ImportRelations", "ExportDocuments", "ImportPayments")


@dataclass(frozen=True)
class Stage:
    """A running system, as the template names it."""

    endpoint_url: str  # the local AWS
    api_url: str  # the HTTP API, http://127.0.0.1:<port>; also PUBLIC_URL
    fakes: Mapping[str, Mapping[str, str]]  # what `python -m fakes serve` printed; {} without fakes
    resources: Mapping[str, str]  # logical id in the template → physical id
    folder: Path  # logs: fakes.log, aws.log, sam.log
    target: artefact.Target  # what the functions were built for
    seconds: Mapping[str, float]  # how long each step took
    _aws: aws.LocalAws = field(repr=False)
    _closing: contextlib.ExitStack = field(repr=False)

    @property
    def table_name(self) -> str:
        return self.resources["Table"]

    @property
    def queue_urls(self) -> dict[str, str]:
        """The queue of each worker, by the function's logical id."""
        return {name: self.resources[f"{name}Queue"] for name in QUEUES}

    @property
    def dead_letter_urls(self) -> dict[str, str]:
        return {name: self.resources[f"{name}DeadLetters"] for name in QUEUES}

    @property
    def function_names(self) -> dict[str, str]:
        """The deployed name of each function, by its logical id."""
        return {name: self.resources[name] for name in (*QUEUES, "Connect", "Console", "ReceiveWebhook", "PlanSync")}

    def client(self, service: str, **credentials: Any) -> Any:
        """A boto3 client of the local AWS, as root unless credentials are given."""
        return self._aws.client(service, **credentials)

    def fake_url(self, vendor: str) -> str:
        """The root of a fake's port, where /_fake/ is."""
        return root_of(self.fakes[vendor])

    def logs(self, function: str) -> list[str]:
        """What a function has logged so far, oldest first."""
        client = self.client("logs")
        pages = client.get_paginator("filter_log_events").paginate(logGroupName=self.resources[f"{function}Logs"])
        return [event["message"].rstrip("\n") for page in pages for event in page["events"]]

    def stop(self) -> None:
        self._closing.close()

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def up(*, with_fakes: bool = True, functions: Path = artefact.FUNCTIONS) -> Stage:
    """Bring everything up; ready when this returns. Raises SetupFailed, having stopped what it started."""
    shelf = CACHE / "stages"
    shelf.mkdir(parents=True, exist_ok=True)
    _forget_old(shelf)
    folder = Path(tempfile.mkdtemp(prefix=time.strftime("%H%M%S-"), dir=shelf))
    seconds: dict[str, float] = {}
    with contextlib.ExitStack() as started:
        for data in ("aws", "build"):  # unpacked functions; the logs stay for a day
            started.callback(shutil.rmtree, folder / data, ignore_errors=True)
        with _timed("fakes", seconds):
            fakes = _start_fakes(folder, started) if with_fakes else {}
        with _timed("local AWS", seconds):
            local = aws.start(folder)
            started.callback(local.stop)
        door = FrontDoor()
        started.callback(door.close)
        target = artefact.this_machine()
        say(f"functions for {target.runtime}, {target.architecture}; the local AWS runs them in the same Python")
        with _timed("build", seconds):
            built = artefact.sam_build(target, folder / "build", functions=functions, log=folder / "sam.log")
        with _timed("deploy", seconds):
            _deploy(local, built, folder, _parameters(target, local, door, fakes))
        with _timed("routes and settings", seconds):
            resources = _resources(local)
            _create_routes(local, resources)
            door.open(f"{local.endpoint_url}/_aws/execute-api/{resources['Api']}/$default")
            if fakes:
                _put_app_credentials(local, resources, fakes)
                _register_redirects(door.url, fakes)
        # All went well: from here on what was started is the stage's to stop.
        return Stage(local.endpoint_url, door.url, fakes, resources, folder, target, seconds, local, started.pop_all())


def _start_fakes(folder: Path, started: contextlib.ExitStack) -> dict[str, dict[str, str]]:
    process = processes.start([sys.executable, "-m", "fakes", "serve"], folder / "fakes.log", cwd=ROOT, pipe=True)
    started.callback(processes.stop, process)
    assert process.stdout is not None
    line = process.stdout.readline()  # printed once all listen; empty when it died
    if not line:
        raise SetupFailed(f"The fakes did not start; see {folder / 'fakes.log'}")
    # Nobody reads further lines; a full pipe would stop the fakes.
    threading.Thread(target=process.stdout.read, name="fakes' stdout", daemon=True).start()
    return json.loads(line)


def _parameters(
    target: artefact.Target, local: aws.LocalAws, door: FrontDoor, fakes: Mapping[str, Mapping[str, str]]
) -> dict[str, str]:
    """The template's parameters, this machine's values."""
    parameters = {
        "Stage": "local",
        "PythonRuntime": target.runtime,
        "Architecture": target.architecture,
        "PublicUrl": door.url,
        "LocalEndpoint": local.endpoint_url,
        "LogRetentionDays": "1",
    }
    if fakes:
        parameters |= {
            "VendorHosts": ";".join(f"{vendor}={_hosts(given)}" for vendor, given in fakes.items()),
            "ClockUrl": f"{root_of(fakes['teamleader'])}/_fake/health",
        }
    return parameters


def _hosts(given: Mapping[str, str]) -> str:
    """Where a fake has people consent and where programs call it, with a comma when those are two hosts."""
    consent = origin(given.get("auth_url") or root_of(given))
    return consent if consent == root_of(given) else f"{consent},{root_of(given)}"


def _deploy(local: aws.LocalAws, built: Path, folder: Path, parameters: Mapping[str, str]) -> None:
    sam = environment.tool("sam")
    local.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": aws.REGION})
    variables = {
        **{name: value for name, value in environment.enter(sam).items() if not name.startswith("AWS_")},
        "AWS_ACCESS_KEY_ID": aws.ROOT_KEY["aws_access_key_id"],
        "AWS_SECRET_ACCESS_KEY": aws.ROOT_KEY["aws_secret_access_key"],
        "AWS_ENDPOINT_URL": local.endpoint_url,
        "SAM_CLI_TELEMETRY": "0",
        "SAM_CLI_POLL_DELAY": "1",  # seconds; this AWS is quick
        "COLUMNS": "160",  # of its tables in sam.log
    }
    environment.run(
        [sam.command("sam"), "deploy", "--template-file", built, "--stack-name", STACK, "--s3-bucket", BUCKET,
         "--region", aws.REGION, "--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND", "--no-confirm-changeset",
         "--no-progressbar", "--parameter-overrides", *(f"{name}={value}" for name, value in parameters.items())],
        log=folder / "sam.log", cwd=folder, env=variables,
    )  # fmt: skip


def _resources(local: aws.LocalAws) -> dict[str, str]:
    pages = local.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=STACK)
    rows = [row for page in pages for row in page["StackResourceSummaries"]]
    return {row["LogicalResourceId"]: row["PhysicalResourceId"] for row in rows}


def processed_template(client: Any) -> dict[str, Any]:
    """The template of the deployed stack after SAM's transform."""
    body = client.get_template(StackName=STACK, TemplateStage="Processed")["TemplateBody"]
    return body if isinstance(body, dict) else json.loads(body)


def _create_routes(local: aws.LocalAws, resources: Mapping[str, str]) -> None:
    wanted = routes.routes_of(processed_template(local.client("cloudformation")))
    routes.create(local.client("apigatewayv2"), local.client("lambda"), resources["Api"], wanted, dict(resources))


def _put_app_credentials(
    local: aws.LocalAws, resources: Mapping[str, str], fakes: Mapping[str, Mapping[str, str]]
) -> None:
    """What an operator puts in the secret by hand, with the clients that the fakes know."""
    words = {
        "client_id": "client_id",
        "software_house_uuid": "client_id",  # Octopus' name for it
        "client_secret": "client_secret",
        "webhook_secret": "webhook_secret",
    }
    ours = {vendor: {words[word]: given[word] for word in words if word in given} for vendor, given in fakes.items()}
    placeholder = template.resources("AWS::SecretsManager::Secret")["AppCredentials"]["SecretString"]
    secret = {name: ours[name.split(".")[0]] for name in json.loads(placeholder) if name.split(".")[0] in ours}
    local.client("secretsmanager").put_secret_value(
        SecretId=resources["AppCredentials"], SecretString=json.dumps(secret)
    )


def _register_redirects(api_url: str, fakes: Mapping[str, Mapping[str, str]]) -> None:
    """What an operator enters in a vendor's app centre by hand."""
    for vendor, given in fakes.items():
        body = json.dumps({"redirect_uris": [f"{api_url}/callback/{vendor}"]}).encode()
        request = urllib.request.Request(
            f"{root_of(given)}/_fake/seed", body, {"Content-Type": "application/json"}, method="POST"
        )
        urllib.request.urlopen(request, timeout=10).close()


def root_of(given: Mapping[str, str]) -> str:
    """The root of a fake's port, where /_fake/ is, of what it said of itself."""
    return origin(given.get("api_url") or given["base_url"])


def origin(url: str) -> str:
    """Scheme, host and port of a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


@contextlib.contextmanager
def _timed(step: str, seconds: dict[str, float]) -> Iterator[None]:
    say(f"{step} …")
    begun = time.monotonic()
    yield
    seconds[step] = round(time.monotonic() - begun, 1)


def _forget_old(shelf: Path) -> None:
    for folder in shelf.iterdir():
        if time.time() - folder.stat().st_mtime > 24 * 3600:
            shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    words = argparse.ArgumentParser(prog="python -m infra.local.stage", description=__doc__.split("\n", 1)[0])
    words.add_argument("--up", action="store_true", required=True, help="bring a stage up and keep it until Ctrl-C")
    words.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that a plain kill cleans up too
    try:
        with up() as stage:
            shown = {
                "endpoint_url": stage.endpoint_url,
                "api_url": stage.api_url,
                "fakes": stage.fakes,
                "resources": stage.resources,
                "folder": str(stage.folder),
                "seconds": stage.seconds,
            }
            print(json.dumps(shown, indent=2), flush=True)
            signal.pause()
    except KeyboardInterrupt:
        return 130
    except SetupFailed as failed:
        say(str(failed))
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
