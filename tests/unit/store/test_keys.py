"""Keys keep tenants apart, whatever their ids are made of."""

from __future__ import annotations

import pytest

from boekbrug.domain.connections import JobKind
from boekbrug.store import keys
from boekbrug.store.keys import GLOBAL, SHARDS, Key, Table


@pytest.mark.parametrize("account", ["", GLOBAL])
def test_nobody_is_no_account(account: str) -> None:
    with pytest.raises(ValueError, match="no account"):
        Table(account)


def test_no_id_reaches_into_anothers_keys() -> None:
    assert Table("a#b").documents("c") != Table("a").documents("b#c")
    assert Table(f"{GLOBAL}#SESSION").account().pk != Key(f"{GLOBAL}#SESSION", "").pk
    assert Table("a").intent("b", "booking", "c#d") != Table("a").intent("b", "booking#c", "d")
    assert Table("a%23b").account() != Table("a#b").account()


def test_every_key_of_an_account_starts_with_it() -> None:
    table = Table("tenant")
    made = [
        table.account(),
        table.connection("c"),
        table.login("l"),
        table.webhook("v"),
        table.job("adm", JobKind.DOCUMENTS),
        table.intent("adm", "booking", "s"),
        table.ref("adm", "booking", "r"),
        table.unsettled("adm", "booking", "s"),
        table.document("adm", "d"),
        table.waiting("adm", "o"),
        table.held("adm", "Cause", "d"),
        table.seen_booking("adm", "r"),
        table.seen_reference("adm", "2026", "r"),
        table.settlement("adm", "b", "s"),
        table.settlement_in_line("adm", "b", "s"),
        table.problem("adm", "s"),
        table.entry("chain", 1),
        table.snapshot("n"),
        table.row("n", "k"),
    ]
    assert {key.pk.split("#")[0] for key in made} == {"tenant"}
    assert len(set(made)) == len(made)


def test_a_cause_is_not_found_under_a_longer_one() -> None:
    held = Table("a").held("adm", "PeriodClosedAgain", "d")
    assert not held.sk.startswith(Table("a").held_by("adm", "PeriodClosed").sk)


def test_what_a_booking_asks_for_stands_apart() -> None:
    """However many bookings there are, a partition holds what settled one, or who carries one reference."""
    table = Table("a")
    assert table.settlement("adm", "B1", "s").pk == table.settlements_of("adm", "B1").pk
    assert len({table.settlements_of("adm", booking).pk for booking in ("B1", "B2")}) == 2
    assert table.seen_reference("adm", "9", "B1").pk == table.seen_references("adm", "9").pk
    assert len({table.seen_references("adm", reference).pk for reference in ("9", "10")}) == 2


def test_a_job_is_known_by_its_key() -> None:
    key = Table("ten#ant%").job("exact.be.1#2", JobKind.PAYMENTS)
    assert keys.job_of(key) == ("ten#ant%", "exact.be.1#2", JobKind.PAYMENTS)


def test_jobs_spread_over_all_shards() -> None:
    shards = {keys.due_shard_of(Table(f"t{n}").job("adm", JobKind.DOCUMENTS)) for n in range(300)}
    assert shards == {keys.due_shard(number) for number in range(SHARDS)}
    assert keys.due_shard(15) == "GLOBAL#DUE#15"
