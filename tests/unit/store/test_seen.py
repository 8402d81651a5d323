"""References people typed."""

from __future__ import annotations

from boekbrug.store.keys import Key
from boekbrug.store.seen import DynamoSeen, normal_reference
from boekbrug.store.table import Items
from tests.contract.store_contract import BOOKS, US, a_booking


def test_case_and_blanks_say_nothing() -> None:
    assert normal_reference(" INV 2026 / 9") == "inv2026/9" == normal_reference("inv\t2026/9")


def test_a_corrected_reference_leaves_no_ghost(items: Items) -> None:
    seen = DynamoSeen(items, US, BOOKS)
    seen.remember([a_booking("B1", "2026 / 9")])
    seen.remember([a_booking("B1", "2026 / 10")])
    kept = [item["sk"] for item in items.query(Key(f"{US}#{BOOKS}#SEEN", ""))]
    assert kept == ["BOOKING#B1", "REFERENCE#2026/10#B1"]
