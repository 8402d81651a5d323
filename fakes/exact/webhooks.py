"""Webhooks: an empty test call after subscribing, then one signed message per change.

Source: reference, section 5.17. Deliveries happen on a thread of their own, so that a receiver may call back.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import queue
import threading
import urllib.request
from collections.abc import Callable
from contextlib import suppress

PATHS = {
    "Accounts": "crm/Accounts",
    "BankAccounts": "crm/BankAccounts",
    "Contacts": "crm/Contacts",
    "GLAccounts": "financial/GLAccounts",
    "Documents": "documents/Documents",
    "DocumentAttachments": "documents/DocumentAttachments",
    "SalesEntries": "salesentry/SalesEntries",
    "BankEntries": "financialtransaction/BankEntries",
}

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # receivers are on this machine


def message(secret: str, base_url: str, topic: str, action: str, division: int, key: str, at: str) -> bytes:
    """The signed body of one delivery: the hash covers the bytes of `Content` as they are sent."""
    content = json.dumps(
        {
            "Topic": topic,
            "Action": action,
            "Division": division,
            "Key": key,
            "ExactOnlineEndpoint": f"{base_url}/api/v1/{division}/{PATHS[topic]}(guid'{key}')",
            "EventCreatedOn": at,
        },
        separators=(",", ":"),
    )
    digest = hmac.new(secret.encode(), content.encode(), hashlib.sha256).hexdigest().upper()
    return f'{{"Content":{content},"HashCode":"{digest}"}}'.encode()


def post(url: str, body: bytes) -> int:
    """Send one delivery; gives the status."""
    request = urllib.request.Request(url, data=body, method="POST", headers={"Content-Type": "application/json"})
    with _OPENER.open(request, timeout=10) as answer:
        return answer.status


class Outbox:
    """Deliveries waiting for their turn. `send` may be replaced: (url, body) -> status."""

    def __init__(self) -> None:
        self.send: Callable[[str, bytes], int] = post
        self._waiting: queue.SimpleQueue[tuple[str, bytes, Callable[[], None] | None]] = queue.SimpleQueue()
        self._left = 0
        self._idle = threading.Condition()
        self._worker: threading.Thread | None = None

    def put(self, url: str, body: bytes, refused: Callable[[], None] | None = None) -> None:
        """Deliver soon; `refused` is called when the receiver does not answer 2xx."""
        with self._idle:
            self._left += 1
            if self._worker is None:
                self._worker = threading.Thread(target=self._work, name="exact-webhooks", daemon=True)
                self._worker.start()
        self._waiting.put((url, body, refused))

    def wait(self, seconds: float = 5) -> None:
        """Until every delivery was tried."""
        with self._idle:
            self._idle.wait_for(lambda: self._left == 0, timeout=seconds)

    def _work(self) -> None:
        while True:
            url, body, refused = self._waiting.get()
            status = 0
            with suppress(OSError, ValueError):
                status = self.send(url, body)
            if refused and not 200 <= status < 300:
                refused()
            with self._idle:
                self._left -= 1
                self._idle.notify_all()
