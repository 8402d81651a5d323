"""What Octopus answers to a write, and what that is taken for."""

from __future__ import annotations

import httpx
import pytest

from boekbrug.domain.ledger import Unknown

from .octopus_desk import NOTHING, Desk
from .test_octopus import a_draft

MAINTENANCE = httpx.Response(200, html="<h1>Onderhoud</h1>")


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.mark.parametrize(
    "page", [MAINTENANCE, httpx.Response(202), httpx.Response(204)], ids=lambda page: str(page.status_code)
)
def test_only_created_says_that_a_booking_stands(desk, page):
    """A proxy's page comes with 200, and nobody knows what lies behind it."""
    desk.books()
    desk.booked(page)
    assert isinstance(desk.book(), Unknown)


def test_a_page_says_nothing_about_a_relation(desk):
    desk.get("/relations", NOTHING)
    desk.put("/relations", MAINTENANCE)
    (outcome,) = desk.ledger.save_relations([a_draft()])
    assert isinstance(outcome, Unknown)
