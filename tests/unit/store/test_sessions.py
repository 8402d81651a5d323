"""A copy of the table opens no door."""

from __future__ import annotations

import json
from typing import Any

from boekbrug.ports import OAuthState, Session
from boekbrug.store.sessions import DynamoOAuthStates, DynamoSessions, DynamoWebhookTokens
from boekbrug.store.table import Items
from tests.contract.store_contract import MINUTE, NOON, US
from tests.support.clients import Detour
from tests.support.tables import items_of


def test_only_hashes_are_kept_and_doors_that_close_are_swept(items: Items, dynamodb: Any, table_name: str) -> None:
    tokens = [
        DynamoSessions(items).open(Session(US, "user", "An", "nl", "csrf", NOON + MINUTE)),
        DynamoOAuthStates(items).open(OAuthState("exact", "be", "browser", None, NOON + MINUTE)),
        DynamoWebhookTokens(items).rotate(US, "teamleader"),
    ]
    kept = dynamodb.scan(TableName=table_name)["Items"]
    assert not [token for token in tokens if token in json.dumps(kept)]
    swept = {item["sk"]["S"] for item in kept if int(item.get("expires_at", {"N": 0})["N"]) > NOON.timestamp()}
    assert swept == {"SESSION", "STATE"}


def test_of_two_rotations_at_once_the_last_token_works(items: Items, dynamodb: Any, table_name: str) -> None:
    detour = Detour(dynamodb)
    rotated_first: list[str] = []
    detour.on("transact_write_items", lambda: rotated_first.append(DynamoWebhookTokens(items).rotate(US, "exact")))
    tokens = DynamoWebhookTokens(items_of(detour, table_name))
    last = tokens.rotate(US, "exact")
    assert [tokens.account_of("exact", token) for token in (*rotated_first, last)] == [None, US]
