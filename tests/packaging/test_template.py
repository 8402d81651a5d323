"""The template: clean by two linters, and every function watched, queued and roled as the design says."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from infra import environment, template
from infra.environment import ROOT

FUNCTIONS = template.functions()
WORKERS = sorted(
    name
    for name, properties in FUNCTIONS.items()
    if any(event["Type"] == "SQS" for event in properties.get("Events", {}).values())
)
LOCK = 30  # seconds by which a job's lease outlives its function


def _lint(*command: str) -> subprocess.CompletedProcess[str]:
    sam = environment.tool("sam")
    variables = {**environment.enter(sam), "AWS_DEFAULT_REGION": "eu-west-1", "SAM_CLI_TELEMETRY": "0"}
    return subprocess.run(
        [sam.command(command[0]), *command[1:]], cwd=ROOT, env=variables, capture_output=True, text=True
    )


def test_sam_finds_nothing_to_say():
    done = _lint("sam", "validate", "--lint")
    assert done.returncode == 0, done.stdout + done.stderr


def test_cfn_lint_finds_nothing_to_say_with_its_serverless_rules():
    done = _lint("cfn-lint", "-a", "cfn_lint_serverless.rules", "-c", "I", "--", "template.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_there_are_four_workers():
    assert WORKERS == ["ExportDocuments", "ImportLedgerAccounts", "ImportPayments", "ImportRelations"]


@pytest.mark.parametrize("name", WORKERS)
def test_a_worker_takes_one_nudge_at_a_time_and_its_queue_waits_longer_than_it_works(name):
    events = [event["Properties"] for event in FUNCTIONS[name]["Events"].values()]
    assert [event["BatchSize"] for event in events] == [1]
    assert events[0]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    queue = template.resources("AWS::SQS::Queue")[f"{name}Queue"]
    # A message that comes back while the lease stands would be dropped work.
    assert queue["VisibilityTimeout"] >= FUNCTIONS[name]["Timeout"] + 60 > FUNCTIONS[name]["Timeout"] + LOCK
    assert "FifoQueue" not in queue  # FIFO takes no delay per message
    assert queue["RedrivePolicy"] == {
        "deadLetterTargetArn": {"Fn::GetAtt": [f"{name}DeadLetters", "Arn"]},
        "maxReceiveCount": 5,
    }


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_has_a_role_a_log_and_an_alarm_of_its_own(name):
    assert FUNCTIONS[name]["Role"] == {"Fn::GetAtt": [f"{name}Role", "Arn"]}
    log = FUNCTIONS[name]["LoggingConfig"]["LogGroup"]["Ref"]
    assert "RetentionInDays" in template.resources("AWS::Logs::LogGroup")[log]
    assert _watched("Errors", {"Ref": name})


@pytest.mark.parametrize("name", WORKERS)
def test_a_failed_nudge_and_a_waiting_one_raise_an_alarm(name):
    assert _watched("ApproximateNumberOfMessagesVisible", {"Fn::GetAtt": [f"{name}DeadLetters", "QueueName"]})
    assert _watched("ApproximateAgeOfOldestMessage", {"Fn::GetAtt": [f"{name}Queue", "QueueName"]})


def test_a_silent_planner_raises_an_alarm():
    alarms = _watched("Invocations", {"Ref": "PlanSync"})
    assert [alarm["TreatMissingData"] for alarm in alarms] == ["breaching"]


def test_every_alarm_goes_to_the_topic():
    for alarm in template.resources("AWS::CloudWatch::Alarm").values():
        assert alarm["AlarmActions"]["Fn::If"][:2] == ["HasAlarmTopic", [{"Ref": "AlarmTopicArn"}]]


def test_no_policy_allows_a_wildcard_but_traces():
    kinds = ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy")
    documents = {
        name: json.dumps([properties.get("Policies"), properties.get("PolicyDocument")])
        for kind in kinds
        for name, properties in template.resources(kind).items()
    }
    assert [name for name, text in documents.items() if '"Resource": "*"' in text] == ["WriteTraces"]
    assert [name for name, text in documents.items() if ':*"' in text] == []  # such as dynamodb:*


def test_what_must_outlive_the_stack_does():
    stateful = ("AWS::DynamoDB::Table", "AWS::KMS::Key", "AWS::SecretsManager::Secret")
    kept = [resource for resource in template.load()["Resources"].values() if resource["Type"] in stateful]
    assert len(kept) == 3
    for resource in kept:
        assert resource["DeletionPolicy"] == "RetainExceptOnCreate"
        assert resource["UpdateReplacePolicy"] == "Retain"


def test_every_function_has_an_event_to_try_it_with():
    wanted = {properties["Handler"].split(".")[1] for properties in FUNCTIONS.values()}
    assert {file.removesuffix(".json") for file in os.listdir(ROOT / "infra" / "events")} == wanted


def _watched(metric: str, what: dict) -> list[dict]:
    return [
        alarm
        for alarm in template.resources("AWS::CloudWatch::Alarm").values()
        if alarm["MetricName"] == metric and what in [dimension["Value"] for dimension in alarm["Dimensions"]]
    ]
