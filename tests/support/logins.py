"""`Logins` in memory: every step under one lock, leases and versions as the store keeps them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from boekbrug.domain.connections import LoginId
from boekbrug.domain.documents import AccountId
from boekbrug.domain.errors import LeaseLost
from boekbrug.ports import Login, Tokens


class MemoryLogins:
    """`steps` tells what was asked of it, in order: `lease`, `rotate`, `lose`, `give_back`."""

    def __init__(self, *logins: Login) -> None:
        self._lock = threading.RLock()
        self._logins = {(login.account, login.id): login for login in logins}
        self._leased: dict[tuple[AccountId, LoginId], datetime] = {}
        self.steps: list[str] = []

    def get(self, account: AccountId, login: LoginId) -> Login | None:
        with self._lock:
            return self._logins.get((account, login))

    def of_account(self, account: AccountId) -> Sequence[Login]:
        with self._lock:
            return [login for (its, _), login in self._logins.items() if its == account]

    def save_new(self, login: Login) -> Login:
        with self._lock:
            before = self._logins.get((login.account, login.id))
            self._leased.pop((login.account, login.id), None)
            return self._put(replace(login, version=before.version + 1 if before else 1))

    def lease(self, login: Login, until: datetime, now: datetime) -> Login | None:
        with self._lock:
            key = (login.account, login.id)
            stands = self._logins.get(key)
            if stands is None or self._leased.get(key, now) > now:
                return None
            self.steps.append("lease")
            self._leased[key] = until
            return self._put(replace(stands, version=stands.version + 1))

    def rotate(self, login: Login, tokens: Tokens) -> Login:
        with self._lock:
            self._check(login)
            self.steps.append("rotate")
            self._leased.pop((login.account, login.id), None)
            return self._put(replace(login, tokens=tokens, version=login.version + 1))

    def lose(self, login: Login) -> None:
        with self._lock:
            self.steps.append("lose")
            if self._stands(login):
                self._leased.pop((login.account, login.id), None)
                self._put(replace(login, tokens=None, version=login.version + 1))

    def give_back(self, login: Login) -> None:
        with self._lock:
            self.steps.append("give_back")
            if self._stands(login):
                self._leased.pop((login.account, login.id), None)

    def _put(self, login: Login) -> Login:
        self._logins[(login.account, login.id)] = login
        return login

    def _stands(self, login: Login) -> bool:
        return self._logins[(login.account, login.id)].version == login.version

    def _check(self, login: Login) -> None:
        if not self._stands(login):
            raise LeaseLost()
