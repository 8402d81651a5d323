"""How long a first load takes, said beforehand."""

from __future__ import annotations

from datetime import date

import pytest

from boekbrug.domain.readiness import Load, Weight, findings
from boekbrug.texts import finding
from tests.support.builders import a_connection, some_books


def takes_days(waiting: int, limit: int = 400) -> list[tuple[str, str]]:
    load = Load("octopus", waiting, limit)
    found = findings(a_connection(), some_books(), [], [], date(2026, 3, 31), load=load)
    assert all(one.weight is Weight.ADVICE for one in found if one.code == "takes_days")
    return [(one.facts["waiting"], one.facts["days"]) for one in found if one.code == "takes_days"]


@pytest.mark.parametrize(("waiting", "days"), [(321, 2), (640, 2), (641, 3), (2000, 7)])
def test_what_exceeds_four_fifths_of_a_day_takes_days(waiting: int, days: int) -> None:
    assert takes_days(waiting) == [(str(waiting), str(days))]


@pytest.mark.parametrize("waiting", [0, 1, 320])
def test_what_a_day_takes_is_not_worth_a_word(waiting: int) -> None:
    assert takes_days(waiting) == []


def test_a_package_without_a_limit_takes_as_long_as_it_takes() -> None:
    found = findings(a_connection(), some_books(), [], [], date(2026, 3, 31))
    assert [one.code for one in found if one.code == "takes_days"] == []


def test_people_read_how_many_and_how_long() -> None:
    found = findings(a_connection(), some_books(), [], [], date(2026, 3, 31), load=Load("octopus", 2000, 400))
    (facts,) = (one.facts for one in found if one.code == "takes_days")
    assert finding("takes_days", facts, "en").startswith("2000 documents wait. Octopus takes 400 bookings a day")
    assert "about 7 days" in finding("takes_days", facts, "en")
