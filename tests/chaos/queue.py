"""A standard queue of SQS in memory: at least once, with delays, visibility and redrive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from boekbrug.ports import JobKey

from .scheduler import Scheduler


@dataclass
class Message:
    id: str
    key: JobKey
    receives: int = 0


class Queue:
    """One queue, whose every message is handed to `deliver` until somebody deletes it."""

    def __init__(
        self,
        name: str,
        scheduler: Scheduler,
        deliver: Callable[[Message], None],
        *,
        visibility: timedelta,
        most_receives: int,
    ) -> None:
        self._name = name
        self._scheduler = scheduler
        self._deliver = deliver
        self._visibility = visibility
        self._most_receives = most_receives
        self._sent = 0
        self.kept: dict[str, Message] = {}
        self.dead_letters: list[Message] = []

    def send(self, key: JobKey, delay: timedelta = timedelta(0)) -> None:
        self._sent += 1
        message = Message(f"{self._name}-{self._sent}", key)
        self.kept[message.id] = message
        self._scheduler.after(delay, lambda: self._receive(message))

    def again(self, delay: timedelta) -> None:
        """Standard queues deliver a message more than once now and then."""
        if self.kept:
            message = next(iter(self.kept.values()))
            self._scheduler.after(delay, lambda: self._deliver(message))

    def delete(self, message: Message) -> None:
        self.kept.pop(message.id, None)

    def _receive(self, message: Message) -> None:
        if message.id not in self.kept:
            return
        if message.receives == self._most_receives:
            self.dead_letters.append(self.kept.pop(message.id))
            return
        message.receives += 1
        self._scheduler.after(self._visibility, lambda: self._receive(message))
        self._deliver(message)
