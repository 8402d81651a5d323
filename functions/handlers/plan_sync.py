"""Each minute: nudges what is due."""

from __future__ import annotations

from typing import Any

from boekbrug import wiring
from boekbrug.sync.plan_sync import plan_sync


def handler(event: dict[str, Any], context: Any) -> None:
    nudged = plan_sync(wiring.house())
    wiring.logger().info("sweep", extra={"nudged": nudged})
