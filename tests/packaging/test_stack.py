"""The template deployed into a local AWS that enforces its roles, and each built handler run as Lambda runs it."""

from __future__ import annotations

import io
import json
import os
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra import environment, template
from infra.local import processes, routes
from infra.local.stage import QUEUES, Stage, processed_template

pytestmark = pytest.mark.stack

FUNCTIONS = template.functions()
HANDLERS = {name: properties["Handler"] for name, properties in FUNCTIONS.items()}
EVENTS = Path(environment.ROOT / "infra" / "events")

RECORDS = {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"}
ALL_RECORDS = RECORDS | {"dynamodb:Query", "dynamodb:DeleteItem"}
TOKENS = {"kms:Encrypt", "kms:Decrypt"}
CREDENTIALS = {"secretsmanager:GetSecretValue"}
NUDGES = {f"sqs:SendMessage {queue}" for queue in QUEUES}


def _worker(name: str) -> set[str]:
    # Whoever reads the books again has the documents looked at that waited for them.
    others = {"sqs:SendMessage ExportDocuments"} if name == "ImportLedgerAccounts" else set()
    return ALL_RECORDS | TOKENS | CREDENTIALS | {f"sqs:SendMessage {name}", f"sqs:ReceiveMessage {name}"} | others


# What each function may do, of everything in `_attempts`; all else must be refused.
MAY = {
    "Connect": ALL_RECORDS | TOKENS | CREDENTIALS | NUDGES,
    "Console": ALL_RECORDS | NUDGES,
    "ReceiveWebhook": RECORDS | {"dynamodb:Query"} | CREDENTIALS | NUDGES,
    "PlanSync": RECORDS | {"dynamodb:Query due"} | NUDGES,
    **{name: _worker(name) for name in QUEUES},
}

# A function that tries what it is told to and says what came of it. Deployed with the role under test.
PROBE = """
import boto3
from botocore.exceptions import ClientError

def handler(event, context):
    answers = {}
    for label, service, operation, arguments in event["attempts"]:
        try:
            getattr(boto3.client(service), operation)(**arguments)
            answers[label] = "allowed"
        except ClientError as refused:
            code = refused.response["Error"]["Code"]
            answers[label] = "denied" if code.startswith("AccessDenied") else "allowed, then " + code
    return answers
"""


def _attempts(stage: Stage, name: str) -> list[tuple[str, str, str, dict]]:
    """(label, service, operation, arguments): each harmless when allowed, but those that nobody may do."""
    table, key = {"TableName": stage.table_name}, {"pk": {"S": f"PROBE#{name}"}, "sk": {"S": "-"}}
    token_key = {"KeyId": stage.resources["TokenKey"]}
    sealed = stage.client("kms").encrypt(**token_key, Plaintext=b"token")["CiphertextBlob"].decode("latin-1")
    stranger = next(other for other in FUNCTIONS if other != name)

    def by(attribute: str, **index: str) -> dict:
        return {**table, **index, "KeyConditionExpression": f"{attribute} = :value",
                "ExpressionAttributeValues": {":value": {"S": "PROBE"}}}  # fmt: skip

    return [
        ("dynamodb:GetItem", "dynamodb", "get_item", {**table, "Key": key}),
        ("dynamodb:PutItem", "dynamodb", "put_item", {**table, "Item": key}),
        ("dynamodb:UpdateItem", "dynamodb", "update_item", {**table, "Key": key}),
        ("dynamodb:DeleteItem", "dynamodb", "delete_item", {**table, "Key": key}),
        ("dynamodb:Query", "dynamodb", "query", by("pk")),
        ("dynamodb:Query due", "dynamodb", "query", by("due_shard", IndexName="due")),
        ("dynamodb:Scan", "dynamodb", "scan", table),
        ("dynamodb:DeleteTable", "dynamodb", "delete_table", table),
        ("kms:Encrypt", "kms", "encrypt", {**token_key, "Plaintext": "token"}),
        ("kms:Decrypt", "kms", "decrypt", {**token_key, "CiphertextBlob": sealed}),
        ("kms:ScheduleKeyDeletion", "kms", "schedule_key_deletion", token_key),
        ("secretsmanager:GetSecretValue", "secretsmanager", "get_secret_value",
         {"SecretId": stage.resources["AppCredentials"]}),
        ("secretsmanager:PutSecretValue", "secretsmanager", "put_secret_value",
         {"SecretId": stage.resources["AppCredentials"], "SecretString": "{}"}),
        # Its own log cannot be tried here: ministack checks the group without the ":*" that AWS gives its Arn.
        ("logs:CreateLogStream other", "logs", "create_log_stream",
         {"logGroupName": stage.resources[f"{stranger}Logs"], "logStreamName": "probe"}),
        *((f"sqs:SendMessage {queue}", "sqs", "send_message", {"QueueUrl": url, "MessageBody": "probe"})
          for queue, url in stage.queue_urls.items()),
        *((f"sqs:ReceiveMessage {queue}", "sqs", "receive_message", {"QueueUrl": url})
          for queue, url in stage.queue_urls.items()),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def probe_zip() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("probe.py", PROBE)
    return archive.getvalue()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_may_do_its_work_and_nothing_else(name, local_stage: Stage, probe_zip):
    lambdas = local_stage.client("lambda")
    role = local_stage.client("iam").get_role(RoleName=local_stage.resources[f"{name}Role"])["Role"]["Arn"]
    lambdas.create_function(
        FunctionName=f"probe-{name}", Role=role, Runtime=local_stage.target.runtime, Handler="probe.handler",
        Timeout=60, Code={"ZipFile": probe_zip},
    )  # fmt: skip
    attempts = _attempts(local_stage, name)
    answer = lambdas.invoke(FunctionName=f"probe-{name}", Payload=json.dumps({"attempts": attempts}).encode())
    answers = json.loads(answer["Payload"].read())
    assert "errorMessage" not in answers, answers
    assert {label for label, came in answers.items() if came != "denied"} == MAY[name]


def test_every_route_of_the_template_is_deployed_and_no_other(local_stage: Stage):
    api = local_stage.client("apigatewayv2")
    created = {item["RouteKey"] for item in api.get_routes(ApiId=local_stage.resources["Api"])["Items"]}
    processed = routes.routes_of(processed_template(local_stage.client("cloudformation")))
    written = {
        f"{event['Properties']['Method']} {event['Properties']['Path']}"
        for properties in FUNCTIONS.values()
        for event in properties.get("Events", {}).values()
        if event["Type"] == "HttpApi"
    }
    assert created == {route.key for route in processed} == written


def test_a_stage_leaves_no_unknown_address_open(local_stage: Stage):
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{local_stage.api_url}/no-such-page", timeout=30)
    assert refused.value.code == 404


@pytest.fixture(params=HANDLERS)
def emulated(request, local_stage: Stage, built: Path, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """One function under AWS's own runtime emulator: its logical id, and the URL to invoke it at."""
    if sys.platform != "linux":
        pytest.skip("AWS ships its runtime emulator for Linux only")
    sam, runtime = environment.tool("sam"), environment.tool("lambda")
    binary = f"aws-lambda-rie-{environment.this_architecture()}"
    rie = next(sam.folder.glob(f"lib/python3*/site-packages/samcli/local/rapid/{binary}"))
    deployed = local_stage.client("lambda").get_function_configuration(
        FunctionName=local_stage.function_names[request.param]
    )
    port, inner = processes.free_port(), processes.free_port()
    variables = {
        "PATH": os.defpath,
        "PYTHONPATH": str(built),
        "LAMBDA_TASK_ROOT": str(built),
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "000000000000",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_LAMBDA_FUNCTION_NAME": deployed["FunctionName"],
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(deployed["Timeout"]),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(deployed["MemorySize"]),
        **deployed["Environment"]["Variables"],
    }
    process = processes.start(
        [str(rie), "--log-level", "warn", "--runtime-interface-emulator-address", f"127.0.0.1:{port}",
         "--runtime-api-address", f"127.0.0.1:{inner}", str(runtime.python), "-m", "awslambdaric",
         HANDLERS[request.param]],
        tmp_path / "rie.log", variables, cwd=built,
    )  # fmt: skip
    yield request.param, f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
    processes.stop(process)


def test_a_built_handler_answers_its_event_as_lambda_would_run_it(emulated):
    name, url = emulated
    answer = _invoke(url, (EVENTS / f"{HANDLERS[name].split('.')[1]}.json").read_bytes())
    # The emulator gives errors as 200 too, with errorType in the answer.
    assert "errorType" not in (answer or {}), answer
    if name in QUEUES:
        assert answer == {"batchItemFailures": []}
    elif name != "PlanSync":
        assert 200 <= answer["statusCode"] < 500


def _invoke(url: str, event: bytes, patience_s: float = 20) -> dict | None:
    until = time.monotonic() + patience_s
    while True:
        try:
            with urllib.request.urlopen(urllib.request.Request(url, event), timeout=60) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as refused:
            pytest.fail(f"{refused.code}: {refused.read().decode()}")
        except OSError:  # not listening yet
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
