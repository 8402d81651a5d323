"""Grants of vendor users, in memory: leases and versions as the table keeps them, without the seal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ...domain.connections import LoginId
from ...domain.documents import AccountId
from ...domain.errors import LeaseLost
from ...ports import Login, Tokens
from .table import Worker


@dataclass(frozen=True, slots=True)
class KeptLogin:
    login: Login
    leased_until: datetime | None = None


class MemoryLogins:
    """Logins of every account: `version` fences the lease, `generation` the pair."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self.kept: dict[tuple[AccountId, LoginId], KeptLogin] = worker.table.part(dict, "logins")

    def get(self, account: AccountId, login: LoginId) -> Login | None:
        with self._worker.step("logins.get"):
            kept = self.kept.get((account, login))
            return kept.login if kept else None

    def of_account(self, account: AccountId) -> Sequence[Login]:
        """By id."""
        with self._worker.step("logins.of_account"):
            given = sorted(key for key in self.kept if key[0] == account and "/" not in key[1])
            return [self.kept[key].login for key in given]

    def save_new(self, login: Login) -> Login:
        """Also ends a refresh under way: its pair belongs to the old consent."""
        with self._worker.step("logins.save_new"):
            return self._save(login)

    def ensure(self, login: Login) -> Login:
        with self._worker.step("logins.ensure"):
            before = self.kept.get((login.account, login.id))
            return before.login if before and before.login.tokens else self._save(login)

    def _save(self, login: Login) -> Login:
        before = self.kept.get((login.account, login.id))
        version, generation = (before.login.version, before.login.generation) if before else (0, 0)
        return self._keep(replace(login, version=version + 1, generation=generation + 1))

    def lease(self, login: Login, until: datetime, now: datetime) -> Login | None:
        """The login may have newer tokens than the one passed in: look before refreshing."""
        with self._worker.step("logins.lease"):
            kept = self.kept.get((login.account, login.id))
            if kept is None or (kept.leased_until and kept.leased_until > now):
                return None
            return self._keep(replace(kept.login, version=kept.login.version + 1), until)

    def rotate(self, login: Login, tokens: Tokens) -> Login:
        with self._worker.step("logins.rotate"):
            kept = self.kept.get((login.account, login.id))
            if kept is None:
                raise LeaseLost
            stands = replace(kept.login, tokens=tokens, generation=kept.login.generation + 1)
            if kept.login.version == login.version:
                return self._keep(replace(stands, version=stands.version + 1))
            if kept.login.generation == login.generation:
                return self._keep(stands, kept.leased_until)
            raise LeaseLost

    def lose(self, login: Login) -> bool:
        with self._worker.step("logins.lose"):
            if not self._stands(login) or self.kept[login.account, login.id].login.generation != login.generation:
                return False
            self._keep(replace(login, tokens=None, version=login.version + 1))
            return True

    def give_back(self, login: Login) -> None:
        with self._worker.step("logins.give_back"):
            if self._stands(login):
                self._keep(self.kept[login.account, login.id].login)

    def _keep(self, login: Login, leased_until: datetime | None = None) -> Login:
        self.kept[login.account, login.id] = KeptLogin(login, leased_until)
        return login

    def _stands(self, login: Login) -> bool:
        kept = self.kept.get((login.account, login.id))
        return kept is not None and kept.login.version == login.version
