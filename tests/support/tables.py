"""DynamoDB, KMS and SQS in this process, and tables shaped like template.yaml's."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from moto import mock_aws

from boekbrug.store.table import Items

REGION = "eu-west-1"
_numbers = itertools.count(1)


@contextmanager
def local_aws(monkeypatch: Any) -> Iterator[None]:
    """Nothing leaves the process while this lasts."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield


def client(service: str) -> Any:
    return boto3.client(service, region_name=REGION)


def create_table(dynamodb: Any) -> str:
    """An empty table of its own; its name."""
    name = f"boekbrug-{next(_numbers)}"
    attributes = ("pk", "sk", "due_shard", "due_at")
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in attributes],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "due",
                "KeySchema": [
                    {"AttributeName": "due_shard", "KeyType": "HASH"},
                    {"AttributeName": "due_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
    )
    return name


def items_of(dynamodb: Any, name: str) -> Items:
    return Items(dynamodb, name, sleep=lambda seconds: None)
