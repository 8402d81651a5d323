"""What the four workers share: a queue message is a nudge, one at a time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from boekbrug import wiring
from boekbrug.messages import RunJob
from boekbrug.sync.slices import Deed, Slice, run_job


def work(event: dict[str, Any], context: Any, deed: Deed, timeout: timedelta) -> dict[str, Any]:
    """Run one slice per message; a message whose job failed as a whole goes back to the queue.

    `timeout`: the function's, as the template gives it; the lease of the job is measured by it.
    """
    failed = []
    for record in event["Records"]:
        house = wiring.house()
        hard = house.real.now() + timedelta(milliseconds=context.get_remaining_time_in_millis())
        try:
            nudge = RunJob.model_validate_json(record["body"])
            done = run_job(house, nudge, deed, hard=hard, timeout=timeout)
        except Exception:
            wiring.logger().exception("job failed", extra={"message_id": record["messageId"]})
            failed.append({"itemIdentifier": record["messageId"]})
        else:
            _tell(nudge, done)
    return {"batchItemFailures": failed}


def _tell(nudge: RunJob, done: Slice | None) -> None:
    result = dict(done.result) if done else "not taken"
    wiring.logger().info(
        "slice",
        extra={"account": nudge.account, "administration": nudge.administration, "kind": nudge.kind, "result": result},
    )
