"""Who is at the door: browsers signed in, OAuth trips under way, webhooks that may knock.

All three hand out 256 random bits and keep only their hash, so that a copy of the table opens nothing.
"""

from __future__ import annotations

import secrets
from datetime import datetime

from ..domain.documents import AccountId
from ..domain.errors import VendorDown
from ..ports import OAuthState, Session
from ..records import as_json, from_json
from . import keys
from .keys import Table, hashed
from .table import ATTEMPTS, ConditionFailed, Items, delete, put
from .times import swept_after


def _new_token() -> str:
    return secrets.token_urlsafe(32)


class DynamoSessions:
    def __init__(self, items: Items) -> None:
        self._items = items

    def open(self, session: Session) -> str:
        token = _new_token()
        item = {"record": as_json(session), "expires_at": swept_after(session.expires_at)}
        self._items.write(put(keys.session(token), item))
        return token

    def get(self, token: str, now: datetime) -> Session | None:
        item = self._items.get(keys.session(token))
        session = from_json(Session, item["record"]) if item else None
        return session if session and now < session.expires_at else None

    def close(self, token: str) -> None:
        self._items.write(delete(keys.session(token)))


class DynamoOAuthStates:
    def __init__(self, items: Items) -> None:
        self._items = items

    def open(self, state: OAuthState) -> str:
        token = _new_token()
        item = {"record": as_json(state), "expires_at": swept_after(state.expires_at)}
        self._items.write(put(keys.oauth_state(token), item))
        return token

    def take(self, state: str, now: datetime) -> OAuthState | None:
        gone = delete(keys.oauth_state(state), when="attribute_exists(pk)")
        try:
            taken = from_json(OAuthState, self._items.write(gone, returns="ALL_OLD")["record"])
        except ConditionFailed:
            return None
        return taken if now < taken.expires_at else None


class DynamoWebhookTokens:
    """The account remembers which hash is its own; the hash tells whose it is. Both change in one transaction."""

    def __init__(self, items: Items) -> None:
        self._items = items

    def rotate(self, account: AccountId, vendor: str) -> str:
        own = Table(account).webhook(vendor)
        token = _new_token()
        fresh = put(keys.webhook_token(hashed(token)), {"account": account, "vendor": vendor})
        for attempt in range(ATTEMPTS):
            before = self._items.get(own)
            if before:
                current = put(own, {"hash": hashed(token)}, when="#hash = :before", before=before["hash"])
                writes = [current, fresh, delete(keys.webhook_token(before["hash"]))]
            else:
                writes = [put(own, {"hash": hashed(token)}, when="attribute_not_exists(pk)"), fresh]
            try:
                self._items.write_all(writes)
            except ConditionFailed:
                self._items.pause(attempt)
            else:
                return token
        raise VendorDown(vendor="store")

    def account_of(self, vendor: str, token: str) -> AccountId | None:
        item = self._items.get(keys.webhook_token(hashed(token)))
        return AccountId(item["account"]) if item and item["vendor"] == vendor else None
