"""References people typed."""

from __future__ import annotations

from boekbrug.store.keys import Table
from boekbrug.store.seen import DynamoSeen, normal_reference
from boekbrug.store.table import Items
from tests.contract.store_contract import BOOKS, US, a_booking


def test_case_and_blanks_say_nothing() -> None:
    assert normal_reference(" INV 2026 / 9") == "inv2026/9" == normal_reference("inv\t2026/9")


def test_a_corrected_reference_leaves_no_ghost(items: Items) -> None:
    seen = DynamoSeen(items, US, BOOKS)
    seen.remember([a_booking("B1", "2026 / 9")])
    seen.remember([a_booking("B1", "2026 / 10")])
    assert [item["sk"] for item in items.query(Table(US).seen_booking(BOOKS, "B1"))] == ["B1"]
    assert list(seen.by_reference(["2026/9", "2026/10"])) == ["2026/10"]
