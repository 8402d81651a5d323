"""Telling integrations that something changed: thin, unsigned, unreliable, as the vendor does it (section 3)."""

from __future__ import annotations

import queue
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from fakes.kit import plain_json
from fakes.teamleader.switches import Switches

_PEPPOL = "peppolSubmissionFailed peppolSubmissionSucceeded"
_PURCHASE = "added approved refused updated deleted bookkeepingSubmissionFailed bookkeepingSubmissionSucceeded"
TYPES = frozenset(
    f"{subject}.{event}"
    for subject, events in {
        "account": "deactivated deleted",
        "company": "added updated deleted",
        "contact": "added updated deleted linkedToCompany unlinkedFromCompany updatedLinkToCompany",
        "invoice": f"drafted booked updated deleted sent paymentRegistered paymentRemoved {_PEPPOL}",
        "creditNote": f"booked updated deleted sent {_PEPPOL}",
        "product": "added updated deleted",
        "subscription": "added updated deactivated deleted",
        "user": "deactivated",
        "incomingInvoice": _PURCHASE,
        "incomingCreditNote": _PURCHASE,
        "receipt": _PURCHASE,
        "deal": "created deleted lost moved updated won",
        "ticketMessage": "added",
    }.items()
    for event in events.split()
)
TIMEOUT_S = 10
RETRIES = 3


@dataclass(frozen=True)
class Delivery:
    url: str
    body: dict[str, Any]


def post(url: str, body: bytes) -> int:
    """Send one webhook; the status of the answer, 0 when there was none in time."""
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"}, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


class Dispatcher:
    """Delivers in the background, one after the other; one attempt and three retries each.

    `send` can be replaced where the receiver has no socket; `counts` are for `/_fake/state`.
    """

    def __init__(self, switches: Callable[[], Switches]) -> None:
        self.send: Callable[[str, bytes], int] = post
        self.counts = {"delivered": 0, "failed": 0, "dropped": 0}
        self._switches = switches
        self._queue: queue.Queue[Delivery] = queue.Queue()
        self._thread: threading.Thread | None = None

    def put(self, delivery: Delivery) -> None:
        switches = self._switches()
        if switches.webhooks_drop:
            self.counts["dropped"] += 1
            return
        for _ in range(2 if switches.webhooks_duplicate else 1):
            self._queue.put(delivery)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="fake-teamleader-webhooks", daemon=True)
            self._thread.start()

    @property
    def pending(self) -> int:
        return self._queue.unfinished_tasks

    def _run(self) -> None:
        while True:
            batch = [self._queue.get()]
            switches = self._switches()
            if switches.webhooks_delay_s:
                time.sleep(float(switches.webhooks_delay_s))
            if switches.webhooks_reorder:
                with suppress(queue.Empty):  # nothing came to overtake it
                    batch.insert(0, self._queue.get(timeout=float(switches.webhooks_backoff_s)))
            for delivery in batch:
                self._deliver(delivery)
                self._queue.task_done()

    def _deliver(self, delivery: Delivery) -> None:
        body = plain_json.dumps(delivery.body).encode()
        for attempt in range(1 + RETRIES):
            if attempt:
                time.sleep(float(self._switches().webhooks_backoff_s) * 2 ** (attempt - 1))
            if 200 <= self.send(delivery.url, body) < 300:
                self.counts["delivered"] += 1
                return
        self.counts["failed"] += 1
