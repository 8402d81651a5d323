"""What the books settle where a pair may grow, and where a booking's name may come to mean another (rules.md 4, 22)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from boekbrug.domain.documents import DocumentKind
from boekbrug.domain.ledger import OpenItem, SettlementKind
from boekbrug.ports import WriteKind
from boekbrug.sync.write_once import FUNCTION_TIMEOUT
from tests.support.builders import ACCOUNT, ADMINISTRATION, eur
from tests.unit.sync.told import Scene, a_part

HALF_A_DAY = timedelta(hours=12)
LATER = FUNCTION_TIMEOUT + timedelta(minutes=2)


@pytest.fixture
def scene() -> Scene:
    return Scene()


# --- whose settlement it is -------------------------------------------------------------------------------------------


def test_a_part_that_describes_our_booking_is_registered(scene: Scene) -> None:
    booking = scene.booked()
    scene.tells(a_part(booking, says=replace(booking, reference="2026/DOC")))
    scene.imports()
    assert scene.till.amounts("doc") == ["121.00"]
    assert scene.told() == {}


@pytest.mark.parametrize("changes", [{"gross": eur("242.00")}, {"reference": "2026 / 99"}])
def test_a_part_of_another_booking_of_that_name_is_told_and_not_registered(scene: Scene, changes: dict) -> None:
    booking = scene.booked()
    scene.tells(a_part(booking, says=replace(booking, **changes)))
    scene.imports()
    assert scene.till.amounts("doc") == []
    assert scene.told()["payment:doc:pair-1"]["cause"] == "PaymentDiffers"
    scene.imports(manual=True)
    assert scene.till.amounts("doc") == []


def test_what_settles_another_booking_counts_for_nothing_beside_what_settles_ours(scene: Scene) -> None:
    booking = scene.booked()
    others = a_part(booking, "100.00", id="pair-0", says=replace(booking, gross=eur("242.00")))
    scene.tells(others, a_part(booking, "60.50", id="pair-1", says=booking))
    scene.imports()
    assert scene.till.amounts("doc") == ["60.50"]
    assert set(scene.told()) == {"payment:doc:pair-0"}


@pytest.mark.parametrize("paid_by_hand", [False, True])
def test_a_part_that_agrees_again_is_no_problem_any_more(scene: Scene, paid_by_hand: bool) -> None:
    booking = scene.booked()
    scene.tells(a_part(booking, says=replace(booking, gross=eur("242.00"))))
    scene.imports()
    if paid_by_hand:
        scene.till.register_payment("doc", eur("121.00"), scene.clock.now())
    scene.tells(a_part(booking, version=2, says=booking))
    scene.imports()
    assert scene.till.amounts("doc") == ["121.00"]
    assert scene.told() == {}


def test_a_part_that_did_not_fit_and_is_undone_is_no_problem_any_more(scene: Scene) -> None:
    booking = scene.booked()
    scene.tells(a_part(booking, says=replace(booking, gross=eur("242.00"))))
    scene.imports()
    scene.tells(a_part(booking, version=2, kind=SettlementKind.OPEN, says=booking))
    scene.imports()
    assert (scene.till.amounts("doc"), scene.told()) == ([], {})


def test_what_settled_a_booking_that_is_gone_leaves_the_line(scene: Scene) -> None:
    booking = scene.booked()
    scene.tells(a_part(booking))
    settlements = scene.settlements(ACCOUNT, ADMINISTRATION)
    settlements.remember([a_part(booking)])
    settlements.claim(booking.ref)
    scene.pairs.gone(scene.pairs.intent(WriteKind.BOOKING, "doc"))
    scene.imports()
    assert settlements.pending(10) == []
    assert scene.till.amounts("doc") == []


# --- a part that grows ------------------------------------------------------------------------------------------------


def test_what_a_part_grew_by_is_registered_once_each_time(scene: Scene) -> None:
    booking = scene.booked()
    for version, amount in enumerate(("50.00", "80.00", "80.00", "121.00"), start=1):
        scene.tells(a_part(booking, amount, version=version))
        scene.imports()
    assert scene.till.amounts("doc") == ["50.00", "30.00", "41.00"]
    assert len({payment.paid_at for payment in scene.till.payments("doc")}) == 3
    scene.imports(manual=True)
    assert scene.till.amounts("doc") == ["50.00", "30.00", "41.00"]
    assert scene.told() == {}


def test_a_part_that_grew_is_told_once_it_shrinks_or_is_undone(scene: Scene) -> None:
    booking = scene.booked()
    for version, amount in enumerate(("50.00", "80.00"), start=1):
        scene.tells(a_part(booking, amount, version=version))
        scene.imports()
    scene.tells(a_part(booking, "60.00", version=3))
    scene.imports()
    assert scene.told()["payment:doc:pair-1"] == {"cause": "MatchUndone", "amount": "20.00 EUR"}
    scene.tells(a_part(booking, "80.00", version=4))
    scene.imports()
    assert scene.told() == {}
    scene.tells(a_part(booking, "80.00", version=5, kind=SettlementKind.OPEN))
    scene.imports()
    assert scene.told()["payment:doc:pair-1"] == {"cause": "MatchUndone", "amount": "80.00 EUR"}
    assert scene.till.amounts("doc") == ["50.00", "30.00"]


def test_a_part_that_grew_is_not_registered_beyond_what_teamleader_asks(scene: Scene) -> None:
    booking = scene.booked()
    scene.tells(a_part(booking, "50.00"))
    scene.imports()
    scene.till.register_payment("doc", eur("60.00"), scene.clock.now())
    scene.tells(a_part(booking, "121.00", version=2))
    scene.imports()
    assert scene.till.amounts("doc") == ["50.00", "60.00", "11.00"]


def test_a_payment_a_person_took_back_is_not_registered_again_as_growth(scene: Scene) -> None:
    """Registered was less than the part, since a part was there by hand: the part itself did not grow."""
    booking = scene.booked()
    scene.till.register_payment("doc", eur("61.00"), scene.clock.now())
    scene.tells(a_part(booking, "121.00"))
    scene.imports()
    assert scene.till.amounts("doc") == ["61.00", "60.00"]
    scene.till.paid["doc"].pop(0)
    scene.imports(manual=True)
    assert scene.till.amounts("doc") == ["60.00"]


@pytest.mark.parametrize("says", [["lost"], ["gone"], ["gone", "lost"], ["gone", "gone"]])
def test_growth_whose_answer_was_lost_is_there_once(scene: Scene, says: list[str]) -> None:
    booking = scene.booked()
    scene.tells(a_part(booking, "50.00"))
    scene.imports()
    scene.till.says = list(says)
    scene.tells(a_part(booking, "80.00", version=2))
    for _ in range(8):
        scene.imports(LATER)
    assert scene.till.amounts("doc") == ["50.00", "30.00"]
    assert (scene.told(), scene.pairs.unsettled()) == ({}, [])


@pytest.mark.parametrize("says", ["lost", "gone"])
def test_what_grew_again_while_an_answer_was_missing_is_registered_in_whole(scene: Scene, says: str) -> None:
    booking = scene.booked()
    scene.tells(a_part(booking, "50.00"))
    scene.imports()
    scene.till.says = [says]
    scene.tells(a_part(booking, "80.00", version=2))
    scene.imports()
    scene.tells(a_part(booking, "121.00", version=3))
    for _ in range(8):
        scene.imports(LATER)
    assert scene.till.amounts("doc") == (["50.00", "30.00", "41.00"] if says == "lost" else ["50.00", "71.00"])
    assert (scene.told(), scene.pairs.unsettled()) == ({}, [])


@pytest.mark.parametrize("first", ["", "50.00"])
@pytest.mark.parametrize("says", ["lost", "gone"])
def test_what_was_undone_while_an_answer_was_missing_is_told_if_it_arrived(scene: Scene, says: str, first: str) -> None:
    booking = scene.booked()
    if first:
        scene.tells(a_part(booking, first))
        scene.imports()
    scene.till.says = [says]
    scene.tells(a_part(booking, "80.00", version=2))
    scene.imports()
    scene.tells(a_part(booking, "80.00", version=3, kind=SettlementKind.OPEN))
    for _ in range(8):
        scene.imports(LATER)
    assert scene.pairs.unsettled() == []
    assert ("payment:doc:pair-1" in scene.told()) == (says == "lost" or bool(first))
    scene.tells(a_part(booking, "80.00", version=4))
    for _ in range(8):
        scene.imports(LATER)
    assert sum(map(Decimal, scene.till.amounts("doc"))) == 80
    assert scene.told() == {}


# --- how far back -----------------------------------------------------------------------------------------------------


def test_settlements_are_read_from_the_oldest_start_and_anew_when_it_moves_earlier(scene: Scene) -> None:
    scene.connections.save(scene.connection(id="second", start=date(2025, 7, 1)))
    for start in (date(2025, 7, 1), date(2025, 9, 1), date(2025, 3, 1)):
        scene.connections.save(scene.connection(id="second", start=start))
        scene.tells()
        scene.imports()
    assert scene.books.starts == [date(2025, 7, 1), date(2025, 7, 1), date(2025, 3, 1)]
    assert scene.books.asked == {"settlements": 1, "settlements anew": 2, "open_items": 3}


# --- the check --------------------------------------------------------------------------------------------------------


def an_item(booking: object, open: str, **changes: object) -> OpenItem:
    booking = replace(booking, **changes)
    return OpenItem(booking.ref, eur(open), (booking.reference,), booking.gross)


def test_open_items_that_agree_are_asked_for_twice_a_day(scene: Scene) -> None:
    booking = scene.booked()
    note = scene.booked("note", "60.50", kind=DocumentKind.CREDIT_NOTE)
    scene.books.open = [an_item(booking, "71.00"), an_item(note, "60.50")]
    scene.tells(a_part(booking, "50.00"))
    for _ in range(2):
        scene.imports()
        scene.tells()
    assert scene.books.asked == {"settlements anew": 1, "settlements": 1, "open_items": 1}
    scene.imports(HALF_A_DAY)
    assert (scene.books.asked["open_items"], scene.books.asked["settlements anew"]) == (2, 1)
    assert scene.told() == {}


def test_a_difference_has_everything_read_anew_once_and_is_then_told_until_it_agrees(scene: Scene) -> None:
    booking = scene.booked()
    scene.books.open = [an_item(booking, "71.00")]
    scene.tells()
    scene.imports()
    assert scene.books.asked["settlements anew"] == 2  # the first look, and once more
    assert scene.told() == {}
    for _ in range(3):
        scene.tells()
        scene.imports(HALF_A_DAY)
    assert scene.books.asked["settlements anew"] == 2
    assert scene.told() == {"payment:doc:open": {"cause": "PaymentDiffers", "books": "71.00 EUR", "due": "121.00 EUR"}}
    scene.tells(a_part(booking, "50.00"))
    scene.imports(HALF_A_DAY)
    assert scene.told() == {}


def test_what_reading_anew_brings_is_registered_and_nothing_is_told(scene: Scene) -> None:
    booking = scene.booked()
    scene.tells()
    scene.imports()
    scene.books.open = [an_item(booking, "71.00")]
    scene.books.all_settlements = [a_part(booking, "50.00")]
    scene.tells()
    scene.imports(HALF_A_DAY)
    assert scene.till.amounts("doc") == ["50.00"]
    scene.tells()
    scene.imports(HALF_A_DAY)
    assert scene.told() == {}
    assert "read_anew" not in scene.kept_job().cursor


def test_rows_that_are_absent_anothers_or_of_another_booking_prove_nothing(scene: Scene) -> None:
    booking = scene.booked()
    foreign = replace(booking, ref="4.V1.1")
    scene.books.open = [an_item(foreign, "10.00"), an_item(booking, "10.00", gross=eur("242.00"))]
    for _ in range(3):
        scene.tells()
        scene.imports(HALF_A_DAY)
    assert (scene.told(), scene.books.asked["settlements anew"]) == ({}, 1)
    assert scene.till.amounts("doc") == []


def test_a_difference_told_of_ends_when_all_is_settled_and_not_just_by_absence(scene: Scene) -> None:
    booking = scene.booked()
    scene.books.open = [an_item(booking, "71.00")]
    for _ in range(2):
        scene.tells()
        scene.imports(HALF_A_DAY)
    assert list(scene.told()) == ["payment:doc:open"]
    scene.books.open = []
    scene.tells()
    scene.imports(HALF_A_DAY)
    assert list(scene.told()) == ["payment:doc:open"]
    scene.tells(a_part(booking, "121.00"))
    scene.imports(HALF_A_DAY)
    assert scene.told() == {}


def test_only_what_was_read_in_this_very_slice_is_compared(scene: Scene) -> None:
    """A look that the vendor spares us lags behind the open items."""
    booking = scene.booked()
    scene.tells()
    scene.imports()
    scene.books.open = [an_item(booking, "71.00")]
    scene.imports(HALF_A_DAY)
    assert scene.books.asked["open_items"] == 1
    scene.tells()
    scene.imports()
    assert (scene.books.asked["open_items"], scene.books.asked["settlements anew"]) == (2, 2)


def test_a_slice_that_ends_while_reading_anew_goes_on_reading(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    booking = scene.booked()
    scene.books.open = [an_item(booking, "71.00")]
    looks = iter([True, True, False])  # the first look's two pages, and one that is read anew
    monkeypatch.setattr("boekbrug.sync.import_payments.has_time", lambda house, deadline: next(looks, True))
    scene.tells()
    assert scene.imports().due_at == scene.clock.now()
    assert scene.books.asked["settlements anew"] == 2
    scene.books.open = None
    scene.imports()
    assert scene.books.asked == {"settlements anew": 2, "settlements": 1, "open_items": 1}


def test_a_part_registered_before_parts_could_grow_has_not_grown(scene: Scene) -> None:
    booking = scene.booked()
    scene.tells(a_part(booking, "50.00"))
    scene.imports()
    kept = scene.pairs.kept.intents[WriteKind.PAYMENT, "pair-1"]
    before = kept.payload.replace(',"part":{"amount":"50.00","currency":"EUR"}', "")
    assert before != kept.payload
    scene.pairs.kept.intents[WriteKind.PAYMENT, "pair-1"] = replace(kept, payload=before)
    scene.tells(a_part(booking, "80.00", version=2))
    scene.imports()
    assert scene.till.amounts("doc") == ["50.00"]
