"""Logins in memory, with the steps of a refresh in the order they were asked for."""

from __future__ import annotations

from boekbrug.ports import Login
from boekbrug.store.memory import logins
from boekbrug.store.memory.logins import KeptLogin
from boekbrug.store.memory.table import MemoryTable, Phase, Worker

REFRESHING = ("lease", "rotate", "lose", "give_back")


class MemoryLogins(logins.MemoryLogins):
    """A room of its own, with these logins in it as they are. `steps`: lease, rotate, lose, give_back."""

    def __init__(self, *saved: Login) -> None:
        super().__init__(Worker(MemoryTable(), self._note))
        self.kept |= {(login.account, login.id): KeptLogin(login) for login in saved}
        self.steps: list[str] = []

    def _note(self, name: str, phase: Phase) -> None:
        step = name.removeprefix("logins.")
        if phase == "before" and step in REFRESHING:
            self.steps.append(step)
