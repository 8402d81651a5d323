"""DynamoDB, KMS and SQS in this process, and tables shaped as template.yaml says."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import boto3
from moto import mock_aws

from boekbrug.store.table import Items
from infra import template

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
    dynamodb.create_table(TableName=name, **_shape())
    return name


@cache
def _shape() -> dict[str, Any]:
    (table,) = template.resources("AWS::DynamoDB::Table").values()
    wanted = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
    return {name: table[name] for name in wanted}


def items_of(dynamodb: Any, name: str) -> Items:
    return Items(dynamodb, name, sleep=lambda seconds: None)
