"""Nudges as they travel."""

from __future__ import annotations

from typing import Any

import pytest

from boekbrug.domain.connections import JobKind
from boekbrug.messages import RunJob
from boekbrug.store.nudges import SqsNudges
from tests.contract.store_contract import KEY, US
from tests.support.clients import Detour
from tests.support.tables import client


@pytest.fixture
def sqs(dynamodb: Any) -> Any:
    return client("sqs")


def test_a_nudge_arrives_in_the_queue_of_its_kind(sqs: Any) -> None:
    urls = {kind: sqs.create_queue(QueueName=f"nudges-{kind}")["QueueUrl"] for kind in JobKind}
    SqsNudges(sqs, urls).send(KEY)
    (message,) = sqs.receive_message(QueueUrl=urls[JobKind.DOCUMENTS])["Messages"]
    assert RunJob.model_validate_json(message["Body"]) == KEY.nudge()
    assert "Messages" not in sqs.receive_message(QueueUrl=urls[JobKind.PAYMENTS])


@pytest.mark.parametrize(("asked", "sent"), [(0, 0), (0.2, 1), (-5, 0), (90, 90), (86_400, 900)])
def test_a_delay_is_whole_seconds_and_never_early_nor_over_the_longest(sqs: Any, asked: float, sent: int) -> None:
    detour = Detour(sqs)
    detour.on("send_message", {})
    SqsNudges(detour, {JobKind.DOCUMENTS: "url"}).send(KEY, asked)
    ((_, message),) = detour.calls
    assert (message["DelaySeconds"], message["MessageGroupId"]) == (sent, US)
