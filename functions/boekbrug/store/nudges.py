"""Waking workers through queues: a nudge is never the lock, so twice is harmless."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..domain.connections import JobKind
from ..ports import JobKey

LONGEST_S = 900
"""What SQS keeps a message back at most; what lasts longer waits in `due_at`."""


class SqsNudges:
    """One queue per kind of job. Messages are grouped by account: a busy tenant does not keep others waiting."""

    def __init__(self, client: Any, queue_urls: Mapping[JobKind, str]) -> None:
        self._client = client
        self._queue_urls = queue_urls

    def send(self, key: JobKey, delay_s: float = 0) -> None:
        self._client.send_message(
            QueueUrl=self._queue_urls[key.kind],
            MessageBody=key.nudge().model_dump_json(),
            MessageGroupId=key.account,
            DelaySeconds=min(max(math.ceil(delay_s), 0), LONGEST_S),
        )
