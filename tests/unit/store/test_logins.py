"""Tokens are sealed, for one account and login, and opened no more than needed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from boekbrug.store.keys import Table
from boekbrug.store.logins import DynamoLogins, Seal, TokensTooLarge
from boekbrug.store.table import Items, update
from tests.contract.store_contract import LOGIN, MINUTE, NOON, THEM, US, a_login
from tests.support.clients import Detour
from tests.support.tables import client


@pytest.fixture
def kms(dynamodb: Any) -> Detour:
    return Detour(client("kms"))


@pytest.fixture
def key_id(kms: Detour) -> str:
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.calls.clear()
    return key


def logins_of(items: Items, kms: Detour, key_id: str) -> DynamoLogins:
    return DynamoLogins(items, Seal(lambda: kms, key_id))


def test_no_token_stands_readable_in_the_table(items: Items, kms: Detour, key_id: str, dynamodb: Any) -> None:
    logins_of(items, kms, key_id).save_new(a_login(access="visible"))
    item = items.get(Table(US).login(LOGIN))
    assert b"visible" not in item["sealed"]
    assert "visible" not in repr({name: value for name, value in item.items() if name != "sealed"})


def test_sealed_tokens_open_only_for_their_account_and_login(items: Items, kms: Detour, key_id: str) -> None:
    logins_of(items, kms, key_id).save_new(a_login())
    logins_of(items, kms, key_id).save_new(a_login(THEM))
    stolen = items.get(Table(THEM).login(LOGIN))["sealed"]
    items.write(update(Table(US).login(LOGIN), "SET #sealed = :sealed", sealed=stolen))
    with pytest.raises(ClientError, match="InvalidCiphertext"):
        logins_of(items, kms, key_id).get(US, LOGIN)


def test_the_context_names_account_and_login(items: Items, kms: Detour, key_id: str) -> None:
    logins_of(items, kms, key_id).save_new(a_login())
    logins_of(items, kms, key_id).get(US, LOGIN)
    contexts = [arguments["EncryptionContext"] for _, arguments in kms.calls]
    assert kms.names() == ["encrypt", "decrypt"]
    assert contexts == [{"account": US, "login": LOGIN}] * 2


def test_tokens_are_opened_once_until_they_change(items: Items, kms: Detour, key_id: str) -> None:
    logins_of(items, kms, key_id).save_new(a_login())
    reader, writer = logins_of(items, kms, key_id), logins_of(items, kms, key_id)
    first = reader.get(US, LOGIN)
    kms.calls.clear()
    assert (reader.get(US, LOGIN), kms.calls) == (first, [])
    fresh = a_login(access="access-2").tokens
    writer.rotate(writer.lease(first, NOON + MINUTE, NOON), fresh)
    assert reader.get(US, LOGIN).tokens == fresh


def test_tokens_that_do_not_fit_are_refused_before_anything_is_kept(items: Items, kms: Detour, key_id: str) -> None:
    logins = logins_of(items, kms, key_id)
    kept = logins.save_new(a_login())
    with pytest.raises(TokensTooLarge, match="4096"):
        logins.save_new(a_login(access="x" * 4096))
    assert logins.get(US, LOGIN) == kept


def test_no_kms_client_is_made_where_nothing_is_opened(items: Items) -> None:
    def never() -> Any:
        raise AssertionError("nobody asked for tokens")

    logins = DynamoLogins(items, Seal(never, "key"))
    assert (logins.get(US, LOGIN), logins.of_account(US)) == (None, [])
    assert logins.save_new(replace(a_login(), tokens=None)).tokens is None
