"""Grants of vendor users: tokens sealed with our key, refreshed by one worker at a time (design.md 4, 6)."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from ..domain.connections import LoginId
from ..domain.documents import AccountId
from ..domain.errors import LeaseLost
from ..ports import Login, Tokens
from ..records import as_json, from_json
from .keys import Key, Table
from .table import ConditionFailed, Item, Items, Write, update
from .times import stamp

SEALED_AT_MOST = 4096
"""Bytes that KMS encrypts in one call."""


class TokensTooLarge(ValueError):
    """These tokens do not fit in one KMS call: the vendor changed what a token is, and so must we."""


class Seal:
    """Tokens as a sealed blob, readable only for the account and login they belong to.

    `open_kms` gives the KMS client; it is asked for at the first use, so that functions without the right to decrypt
    never make one. What was opened stays in memory until its login has newer tokens.
    """

    def __init__(self, open_kms: Callable[[], Any], key_id: str) -> None:
        self._open_kms = open_kms
        self._key_id = key_id
        self._kms: Any = None
        self._opened: dict[tuple[AccountId, LoginId], tuple[bytes, Tokens]] = {}

    def close(self, account: AccountId, login: LoginId, tokens: Tokens) -> bytes:
        plain = json.dumps(as_json(tokens), separators=(",", ":")).encode()
        if len(plain) > SEALED_AT_MOST:
            raise TokensTooLarge(f"tokens of {login} take {len(plain)} bytes, {SEALED_AT_MOST} fit")
        context = _context(account, login)
        sealed = self._client().encrypt(KeyId=self._key_id, Plaintext=plain, EncryptionContext=context)
        blob = sealed["CiphertextBlob"]
        self._opened[account, login] = (blob, tokens)
        return blob

    def open(self, account: AccountId, login: LoginId, blob: bytes) -> Tokens:
        known, tokens = self._opened.get((account, login), (None, None))
        if known != blob:
            context = _context(account, login)
            answer = self._client().decrypt(KeyId=self._key_id, CiphertextBlob=blob, EncryptionContext=context)
            tokens = from_json(Tokens, json.loads(answer["Plaintext"]))
            self._opened[account, login] = (blob, tokens)
        return tokens

    def _client(self) -> Any:
        if self._kms is None:
            self._kms = self._open_kms()
        return self._kms


class DynamoLogins:
    """Logins of every account: `version` fences the lease, `generation` the pair.

    Reading a login opens its tokens, so it takes the right to decrypt.
    """

    def __init__(self, items: Items, seal: Seal) -> None:
        self._items = items
        self._seal = seal

    def get(self, account: AccountId, login: LoginId) -> Login | None:
        item = self._items.get(Table(account).login(login))
        return self._login(account, item) if item else None

    def of_account(self, account: AccountId) -> Sequence[Login]:
        return [self._login(account, item) for item in self._items.query(Table(account).logins())]

    def save_new(self, login: Login) -> Login:
        """Also ends a refresh under way: its pair belongs to the old consent."""
        return self._save(login)

    def ensure(self, login: Login) -> Login:
        known = self.get(login.account, login.id)
        if known is not None and known.tokens is not None:
            return known
        try:
            same = "attribute_not_exists(pk) OR #version = :known"
            return self._save(login, when=same, known=known.version if known else 0)
        except ConditionFailed:
            return self.get(login.account, login.id)

    def _save(self, login: Login, when: str = "", **values: Any) -> Login:
        change = "SET #id = :id, #vendor = :vendor, #realm = :realm, #user = :user, #sealed = :sealed, "
        change += "#version = if_not_exists(#version, :zero) + :one, "
        change += "#generation = if_not_exists(#generation, :zero) + :one REMOVE #leased_until"
        values |= {name: getattr(login, name) for name in ("id", "vendor", "realm", "user")}
        values |= {"sealed": self._sealed(login, login.tokens), "zero": 0, "one": 1}
        item = self._items.write(update(_at(login), change, when=when, **values), returns="ALL_NEW")
        return self._login(login.account, item)

    def lease(self, login: Login, until: datetime, now: datetime) -> Login | None:
        """The login may have newer tokens than the one passed in: look before refreshing."""
        free = "attribute_exists(pk) AND (attribute_not_exists(#leased_until) OR #leased_until <= :now)"
        take = "SET #leased_until = :until, #version = #version + :one"
        take = update(_at(login), take, when=free, until=stamp(until), now=stamp(now), one=1)
        try:
            return self._login(login.account, self._items.write(take, returns="ALL_NEW"))
        except ConditionFailed:
            return None

    def rotate(self, login: Login, tokens: Tokens) -> Login:
        sealed = self._sealed(login, tokens)
        change = "SET #sealed = :sealed, #generation = #generation + :one"
        ended = f"{change}, #version = #version + :one REMOVE #leased_until"
        under_lease = update(_at(login), ended, when="#version = :was", sealed=sealed, one=1, was=login.version)
        overslept = update(
            _at(login), change, when="#generation = :known", sealed=sealed, one=1, known=login.generation
        )
        item = self._written(under_lease) or self._written(overslept)
        if not item:
            raise LeaseLost
        return self._login(login.account, item)

    def lose(self, login: Login) -> bool:
        change = "SET #sealed = :none, #version = #version + :one REMOVE #leased_until"
        ours = "#version = :was AND #generation = :known"
        known = {"was": login.version, "known": login.generation}
        return bool(self._written(update(_at(login), change, when=ours, none=None, one=1, **known)))

    def give_back(self, login: Login) -> None:
        self._written(update(_at(login), "REMOVE #leased_until", when="#version = :was", was=login.version))

    def _written(self, write: Write) -> Item:
        """The item as it is now; {} when the condition does not hold."""
        try:
            return self._items.write(write, returns="ALL_NEW")
        except ConditionFailed:
            return {}

    def _sealed(self, login: Login, tokens: Tokens | None) -> bytes | None:
        return None if tokens is None else self._seal.close(login.account, login.id, tokens)

    def _login(self, account: AccountId, item: Item) -> Login:
        tokens = item["sealed"] and self._seal.open(account, item["id"], item["sealed"])
        names = {name: item[name] for name in ("id", "vendor", "realm", "user", "version", "generation")}
        return Login(account=account, tokens=tokens, **names)


def _at(login: Login) -> Key:
    return Table(login.account).login(login.id)


def _context(account: AccountId, login: LoginId) -> dict[str, str]:
    return {"account": account, "login": login}
