"""The whole bridge in this process: the template's resources on moto, the fakes, the real handlers, one clock.

    stage.person(user).sync(connection, "documents")
    stage.settle()

Nothing sleeps and nothing runs beside the test: time moves when a test, a queue or a waiting worker moves it. A fault
of the vendors is armed at their fakes; a fault of ours (a killed worker, a second worker in the middle of a call) is
put on the line with `on_the_line`.
"""

from __future__ import annotations

import functools
import importlib
import json
import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qsl

import boto3
import httpx
from moto import mock_aws

from boekbrug import wiring
from boekbrug.domain.connections import JobKind
from boekbrug.domain.documents import AccountId
from boekbrug.settings import read_settings
from fakes.exact import ExactFake
from fakes.kit.clock import FakeClock
from fakes.kit.server import Fake
from fakes.octopus import OctopusFake
from fakes.teamleader import TeamleaderFake
from infra import template
from infra.local.fake_control import FakeControl
from infra.local.person import Person

from .tables import REGION
from .transports import fake_transport

TODAY = datetime(2026, 3, 31, 9, tzinfo=UTC)
BRIDGE = "https://bridge.example"
TEAMLEADER = "https://teamleader.example"
EXACT = "https://exact.example"
OCTOPUS = "https://octopus.example"
MINUTE = timedelta(minutes=1)


class Killed(BaseException):
    """A sandbox dies: no `except Exception` and no answer, as when Lambda takes it away."""


class StageTime:
    """The fakes' clock as both of the bridge's clocks; waiting moves it."""

    def __init__(self, fakes: FakeClock) -> None:
        self._fakes = fakes

    def now(self) -> datetime:
        return self._fakes.now()

    def real_seconds(self, seconds: float) -> float:
        return seconds

    def advance(self, seconds: float) -> None:
        self._fakes.set(advance_s=seconds)


class Cloud:
    """Clients for moto. They are kept for all tests: making one costs more than a test."""

    @staticmethod
    @functools.cache
    def client(service: str) -> Any:
        return boto3.client(service, region_name=REGION, aws_access_key_id="testing", aws_secret_access_key="testing")


class Template:
    """template.yaml with its values filled in: what is created here is what is deployed."""

    def __init__(self, parameters: Mapping[str, str]) -> None:
        self._body = template.load()
        defaults = {name: row.get("Default", "") for name, row in self._body["Parameters"].items()}
        self._refs: dict[str, Any] = {**defaults, **parameters, "AWS::NoValue": None, "AWS::Region": REGION}
        self._attributes: dict[tuple[str, str], str] = {}

    def properties(self, kind: str) -> dict[str, Any]:
        rows = {name: row for name, row in self._body["Resources"].items() if row["Type"] == kind}
        return {name: row.get("Properties", {}) for name, row in rows.items()}

    def made(self, name: str, ref: str, **attributes: str) -> None:
        """A resource exists now: what !Ref and !GetAtt give for it."""
        self._refs[name] = ref
        self._attributes |= {(name, attribute): value for attribute, value in attributes.items()}

    def ref(self, name: str) -> str:
        return self._refs[name]

    def value(self, given: Any) -> Any:
        """`given` with !Ref, !GetAtt and !If filled in; what has no value is left out."""
        match given:
            case {"Ref": name}:
                return self._refs[name]
            case {"Fn::GetAtt": [name, attribute]}:
                return self._attributes[name, attribute]
            case {"Fn::If": [condition, yes, no]}:
                return self.value(yes if self._holds({"Condition": condition}) else no)
            case dict():
                filled = {name: self.value(inner) for name, inner in given.items()}
                return {name: inner for name, inner in filled.items() if inner is not None}
            case list():
                return [self.value(inner) for inner in given]
        return given

    def environment(self) -> dict[str, str]:
        return self.value(self._body["Globals"]["Function"]["Environment"]["Variables"])

    def _holds(self, condition: Any) -> bool:
        match condition:
            case {"Condition": name}:
                return self._holds(self._body["Conditions"][name])
            case {"Fn::Not": [inner]}:
                return not self._holds(inner)
            case {"Fn::Equals": [one, other]}:
                return self.value(one) == self.value(other)
        raise ValueError(f"a condition this stage does not know: {condition}")


@dataclass
class Worker:
    """A function that lives from a queue."""

    name: str
    handler: str
    timeout: timedelta
    queue_url: str
    dead_letters_url: str


@dataclass
class Hook:
    """Something that happens once, when a request of the bridge passes on the line."""

    path: str  # a regular expression found in method and path: "POST /api/v1/.*SalesEntries"
    deed: Callable[[], None]
    arrived: bool  # after the vendor has done its work, before the answer
    skip: int = 0  # so many matching requests pass before it


class Line(httpx.BaseTransport):
    """Every request of the bridge and of people, by host: to a fake, or to the bridge's own API."""

    def __init__(self, hosts: Mapping[str, httpx.BaseTransport]) -> None:
        self._hosts = {httpx.URL(url).host: transport for url, transport in hosts.items()}
        self.hooks: list[Hook] = []
        self.twists: list[tuple[str, Callable[[Any], None]]] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._pass(request, arrived=False)
        answer = self._hosts[request.url.host].handle_request(request)
        self._pass(request, arrived=True)
        for path, change in self.twists:
            if re.search(path, f"{request.method} {request.url.path}"):
                body = json.loads(answer.read())
                change(body)
                answer = httpx.Response(answer.status_code, json=body, request=request)
        return answer

    def _pass(self, request: httpx.Request, *, arrived: bool) -> None:
        for hook in list(self.hooks):
            if hook.arrived is arrived and re.search(hook.path, f"{request.method} {request.url.path}"):
                if hook.skip:
                    hook.skip -= 1
                    continue
                self.hooks.remove(hook)
                hook.deed()


@dataclass
class Stage:
    """A running bridge. `time` is everybody's clock."""

    time: StageTime
    line: Line
    teamleader: FakeControl
    exact: FakeControl
    octopus: FakeControl
    resources: Template
    workers: list[Worker]
    routes: list[tuple[str, str, str]]  # method, path, handler
    focus: TeamleaderFake  # itself, for what its control API does not show
    dead_sandboxes: int = 0

    # --- people ---

    def person(self, focus_user: str) -> Person:
        return Person(BRIDGE, focus_user, self.line)

    def browser(self) -> httpx.Client:
        """Whoever asks the API something by hand; no cookies but those a test gives."""
        return httpx.Client(transport=self.line, base_url=BRIDGE)

    def house(self) -> wiring.DeployedHouse:
        return self.sandbox().house(BRIDGE)

    # --- sandboxes and functions ---

    def sandbox(self) -> wiring.Sandbox:
        made = wiring.Sandbox(read_settings(self.resources.environment()), Cloud, self.line, self.time.advance)
        made.real = made.clock = self.time
        return made

    @contextmanager
    def another_sandbox(self) -> Iterator[None]:
        """Work beside the worker that is busy, as a second instance of the function does."""
        before = wiring._sandbox
        wiring.use(self.sandbox())
        try:
            yield
        finally:
            wiring.use(before)

    def invoke(self, worker: Worker, message: Mapping[str, Any]) -> bool:
        """Give one message to a function; whether it may be deleted."""
        record = {"messageId": message["MessageId"], "receiptHandle": message["ReceiptHandle"], "body": message["Body"]}
        try:
            answer = handler_of(worker.handler)({"Records": [record]}, self._context(worker.timeout))
        except Killed:
            self.dead_sandboxes += 1
            wiring.use(self.sandbox())
            return False
        return {"itemIdentifier": record["messageId"]} not in answer["batchItemFailures"]

    def run(self, kind: JobKind, account: str, administration: str) -> bool:
        """A worker is called for this job now, whatever is in the queues: a nudge delivered once more."""
        worker = self.worker(kind)
        body = json.dumps({"account": account, "administration": administration, "kind": kind})
        return self.invoke(worker, {"MessageId": str(uuid.uuid4()), "ReceiptHandle": "-", "Body": body})

    def worker(self, kind: JobKind) -> Worker:
        url = read_settings(self.resources.environment()).queues()[kind]
        return next(worker for worker in self.workers if worker.queue_url == url)

    def _context(self, timeout: timedelta) -> Any:
        killed_at = self.time.now() + timeout
        return SimpleNamespace(
            get_remaining_time_in_millis=lambda: int((killed_at - self.time.now()).total_seconds() * 1000)
        )

    # --- what passes on the line ---

    def on_the_line(self, path: str, deed: Callable[[], None], *, arrived: bool = False, skip: int = 0) -> None:
        """Do something once when such a request leaves the bridge (or, `arrived`, when its work is done)."""
        self.line.hooks.append(Hook(path, deed, arrived, skip))

    # --- queues and the schedule ---

    def pump(self) -> int:
        """The event source: receive, call, delete what did not fail; how many messages there were."""
        sqs, handled = Cloud.client("sqs"), 0
        for worker in self.workers:
            while found := sqs.receive_message(QueueUrl=worker.queue_url, MaxNumberOfMessages=1).get("Messages"):
                handled += 1
                if self.invoke(worker, found[0]):
                    sqs.delete_message(QueueUrl=worker.queue_url, ReceiptHandle=found[0]["ReceiptHandle"])
        return handled

    def sweep(self) -> None:
        """The schedule fires."""
        handler_of("handlers.plan_sync.handler")({}, None)

    def lose_nudges(self) -> None:
        for worker in self.workers:
            Cloud.client("sqs").purge_queue(QueueUrl=worker.queue_url)

    def dead_letters(self) -> list[dict[str, Any]]:
        """What the queues gave up on."""
        sqs, found = Cloud.client("sqs"), []
        for worker in self.workers:
            answer = sqs.receive_message(QueueUrl=worker.dead_letters_url, MaxNumberOfMessages=10, VisibilityTimeout=0)
            found += [json.loads(message["Body"]) for message in answer.get("Messages", ())]
        return found

    def settle(self, within: timedelta = timedelta(minutes=30)) -> None:
        """Let time pass, minute by minute with its sweep, until nothing is queued, due or unknown."""
        end = self.time.now() + within
        self.pump()
        while not self.idle():
            if self.time.now() > end:
                raise AssertionError(f"after {within} there is still work")
            self.time.advance(MINUTE.total_seconds())
            self.sweep()
            self.pump()

    def pass_time(self, much: timedelta) -> None:
        """Minutes in which the schedule fires and the workers do what there is."""
        end = self.time.now() + much
        while self.time.now() < end:
            self.time.advance(MINUTE.total_seconds())
            self.sweep()
            self.pump()

    def idle(self) -> bool:
        return not (self._queued() or self._due())

    def _queued(self) -> bool:
        sqs = Cloud.client("sqs")
        states = ("Messages", "MessagesNotVisible", "MessagesDelayed")
        names = [f"ApproximateNumberOf{state}" for state in states]
        for worker in self.workers:
            found = sqs.get_queue_attributes(QueueUrl=worker.queue_url, AttributeNames=names)["Attributes"]
            if any(int(found[name]) for name in names):
                return True
        return False

    def _due(self) -> bool:
        """A job whose time has come, or a write whose outcome nobody knows yet."""
        house, now = self.house(), self.time.now()
        if any(True for _ in house.jobs.due(now)):
            return True
        keys = [
            job.key
            for account in self.focus.state.records["accounts"]
            for job in house.jobs.of_account(AccountId(account))
        ]
        places = {(key.account, key.administration) for key in keys}
        return any(house.links(account, administration).unsettled() for account, administration in places)

    # --- the API ---

    def answer(self, request: httpx.Request) -> httpx.Response:
        return gateway(self.routes, request)


class _Api(httpx.BaseTransport):
    stage: Stage

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self.stage.answer(request)


def gateway(routes: Sequence[tuple[str, str, str]], request: httpx.Request) -> httpx.Response:
    """The API Gateway: find the route, call its function, give back what it says."""
    method, path = request.method, request.url.path
    for of_route, pattern, handler in routes:
        found = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern), path)
        if of_route == method and found:
            event = _http_event(request, f"{of_route} {pattern}", found.groupdict())
            said = handler_of(handler)(event, None)
            cookies = [("set-cookie", cookie) for cookie in said.get("cookies", ())]
            headers = [*said["headers"].items(), *cookies]
            return httpx.Response(said["statusCode"], headers=headers, text=said["body"], request=request)
    return httpx.Response(404, json={"message": "Not Found"}, request=request)


def _http_event(request: httpx.Request, route: str, params: Mapping[str, str]) -> dict[str, Any]:
    """Payload 2.0, as the gateway sends it."""
    headers = dict(request.headers)
    cookies = [part.strip() for part in headers.pop("cookie", "").split(";") if part.strip()]
    query = request.url.query.decode()
    return {
        "version": "2.0",
        "routeKey": route,
        "rawPath": request.url.path,
        "rawQueryString": query,
        "headers": headers,
        **({"cookies": cookies} if cookies else {}),
        **({"queryStringParameters": dict(parse_qsl(query))} if query else {}),
        **({"pathParameters": dict(params)} if params else {}),
        "requestContext": {
            "domainName": httpx.URL(BRIDGE).host,
            "http": {"method": request.method, "path": request.url.path},
        },
        "body": request.read().decode("utf-8", "surrogateescape"),
        "isBase64Encoded": False,
    }


@functools.cache
def handler_of(name: str) -> Callable[[Any, Any], Any]:
    module, _, function = name.rpartition(".")
    return getattr(importlib.import_module(module), function)


@contextmanager
def standing(now: datetime = TODAY) -> Iterator[Stage]:
    """A fresh bridge, with empty fakes and empty tables."""
    clock = FakeClock(now, rate=0)
    time = StageTime(clock)
    with (
        mock_aws(),
        patch("moto.sqs.models.unix_time", lambda *_: time.now().timestamp()),
        patch("moto.sqs.models.unix_time_millis", lambda *_: time.now().timestamp() * 1000),
    ):
        fakes = {TEAMLEADER: TeamleaderFake(clock), EXACT: ExactFake(clock), OCTOPUS: OctopusFake(clock)}
        api = _Api()
        line = Line({BRIDGE: api, **{url: fake_transport(fake) for url, fake in fakes.items()}})
        hosts = vendor_hosts({fake.vendor: url for url, fake in fakes.items()})
        resources = _create({"PublicUrl": BRIDGE, "LocalEndpoint": BRIDGE, "VendorHosts": hosts})
        secret, apps = resources.ref("AppCredentials"), app_credentials(fakes.values())
        Cloud.client("secretsmanager").put_secret_value(SecretId=secret, SecretString=apps)
        workers, routes = _functions(resources)
        controls = [FakeControl(url, line) for url in fakes]
        for fake, control in zip(fakes.values(), controls, strict=True):
            control.post("seed", redirect_uris=[f"{BRIDGE}/callback/{fake.vendor}"])
        controls[0].post("switches", webhooks_drop=True)  # hints are given by hand here
        api.stage = stage = Stage(time, line, *controls, resources, workers, routes, fakes[TEAMLEADER])
        wiring.use(stage.sandbox())
        try:
            yield stage
        finally:
            wiring.use(None)


def vendor_hosts(urls: Mapping[str, str]) -> str:
    """Where the vendors are, as the template's parameter says it."""
    return ";".join(f"{vendor}={url}" for vendor, url in urls.items())


def _create(parameters: Mapping[str, str]) -> Template:
    """The table, queues, key and secret of template.yaml."""
    resources = Template(parameters)
    for name, properties in resources.properties("AWS::DynamoDB::Table").items():
        known = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
        Cloud.client("dynamodb").create_table(TableName=name, **{key: properties[key] for key in known})
        resources.made(name, name)
    queues = resources.properties("AWS::SQS::Queue")
    for name in sorted(queues, key=lambda name: "RedrivePolicy" in queues[name]):  # dead letters first
        attributes = {
            key: json.dumps(value) if isinstance(value, dict) else str(value)
            for key, value in resources.value(queues[name]).items()
        }
        url = Cloud.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        resources.made(name, url, Arn=f"arn:aws:sqs:{REGION}:123456789012:{name}", QueueName=name)
    for name in resources.properties("AWS::KMS::Key"):
        key = Cloud.client("kms").create_key()["KeyMetadata"]
        resources.made(name, key["KeyId"], Arn=key["Arn"])
    for name, properties in resources.properties("AWS::SecretsManager::Secret").items():
        arn = Cloud.client("secretsmanager").create_secret(Name=name, SecretString=properties["SecretString"])["ARN"]
        resources.made(name, arn, Id=arn)
    return resources


def app_credentials(fakes: Iterable[Fake]) -> str:
    """What these vendors know our apps by, as the template's secret keeps it."""
    apps: dict[str, Any] = {}
    for fake in fakes:
        match fake:
            case OctopusFake():
                apps["octopus"] = {"client_id": fake.software_house_uuid, "client_secret": ""}
            case ExactFake():
                app = _app(fake) | {"webhook_secret": fake.webhook_secret}
                apps |= {"exact.be": app, "exact.nl": app}
            case _:
                apps[fake.vendor] = _app(fake)
    return json.dumps(apps)


def _app(fake: Fake) -> dict[str, str]:
    return {"client_id": fake.client_id, "client_secret": fake.client_secret}


def _functions(resources: Template) -> tuple[list[Worker], list[tuple[str, str, str]]]:
    """Who lives from which queue, and which function answers which route."""
    workers, routes = [], []
    queues = resources.properties("AWS::SQS::Queue")
    for name, function in resources.properties("AWS::Serverless::Function").items():
        for event in function.get("Events", {}).values():
            if event["Type"] == "HttpApi":
                routes.append((event["Properties"]["Method"], event["Properties"]["Path"], function["Handler"]))
            elif event["Type"] == "SQS":
                queue = event["Properties"]["Queue"]["Fn::GetAtt"][0]
                dead_letters = queues[queue]["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
                timeout = timedelta(seconds=function["Timeout"])
                urls = resources.ref(queue), resources.ref(dead_letters)
                workers.append(Worker(name, function["Handler"], timeout, *urls))
    return workers, routes
