"""Who is at the door, in memory: browsers signed in, OAuth trips under way, webhooks that may knock.

Tokens are kept as they are and can be foretold: this house is open.
"""

from __future__ import annotations

from datetime import datetime

from ...domain.documents import AccountId
from ...ports import OAuthState, Session
from .table import Worker


class MemorySessions:
    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self.kept: dict[str, Session] = worker.table.part(dict, "sessions")

    def open(self, session: Session) -> str:
        with self._worker.step("sessions.open"):
            token = self._worker.table.new_token()
            self.kept[token] = session
            return token

    def get(self, token: str, now: datetime) -> Session | None:
        with self._worker.step("sessions.get"):
            session = self.kept.get(token)
            return session if session and now < session.expires_at else None

    def close(self, token: str) -> None:
        with self._worker.step("sessions.close"):
            self.kept.pop(token, None)


class MemoryOAuthStates:
    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self.kept: dict[str, OAuthState] = worker.table.part(dict, "states")

    def open(self, state: OAuthState) -> str:
        with self._worker.step("states.open"):
            token = self._worker.table.new_token()
            self.kept[token] = state
            return token

    def take(self, state: str, now: datetime) -> OAuthState | None:
        with self._worker.step("states.take"):
            taken = self.kept.pop(state, None)
            return taken if taken and now < taken.expires_at else None


class MemoryWebhookTokens:
    """`kept`: the token of each account and vendor."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self.kept: dict[tuple[AccountId, str], str] = worker.table.part(dict, "webhook_tokens")

    def rotate(self, account: AccountId, vendor: str) -> str:
        with self._worker.step("webhook_tokens.rotate"):
            token = self._worker.table.new_token()
            self.kept[account, vendor] = token
            return token

    def account_of(self, vendor: str, token: str) -> AccountId | None:
        with self._worker.step("webhook_tokens.account_of"):
            for (account, its), known in self.kept.items():
                if (its, known) == (vendor, token):
                    return account
            return None
