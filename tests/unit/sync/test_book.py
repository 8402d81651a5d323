"""Which booking in the books is a document's own (rules.md 1, 2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest

from boekbrug.domain.documents import DocumentKind
from boekbrug.domain.entries import plan_entry
from boekbrug.domain.ledger import Abilities, AdministrationId, Booking, BookingRef, Prepared
from boekbrug.domain.relations import RelationRef
from boekbrug.ports import Intent, Links, WriteKind, WriteState
from boekbrug.records import as_json, as_text
from boekbrug.store.memory import MemoryStore, MemoryTable
from boekbrug.sync.book import agrees, as_sent, booking_protocol
from tests.support.builders import (
    ACCOUNT,
    ADMINISTRATION,
    NOW,
    RATES,
    a_connection,
    a_document,
    eur,
    some_books,
)

ENTRY = plan_entry(a_document(), RelationRef("relation-1"), a_connection(), some_books(), RATES, None)
OURS = Booking(
    ref=BookingRef("B1"),
    administration=ADMINISTRATION,
    kind=ENTRY.kind,
    journal=ENTRY.journal,
    number="70001",
    reference=ENTRY.number,
    key=ENTRY.key,
    day=ENTRY.day,
    relation=ENTRY.relation,
    gross=ENTRY.gross,
    vat=ENTRY.vat,
)
TYPED = replace(OURS, ref=BookingRef("B2"), key="")
"""The same, as a person types it: without our key."""
ANOTHERS = {
    "kind": DocumentKind.CREDIT_NOTE,
    "journal": "V9",
    "reference": "2026 / 8",
    "key": "another's",
    "day": date(2026, 3, 3),
    "relation": RelationRef("relation-2"),
    "gross": eur("121.01"),
    "vat": eur("21.01"),
}


class Books:
    """Answers every question after a booking with these."""

    abilities = Abilities(batch=7, settle_s=90)

    def __init__(self, *found: Booking) -> None:
        self.found = found

    def find_bookings(self, prepared: Sequence[Prepared]) -> Sequence[Sequence[Booking]]:
        return [self.found for _ in prepared]


@pytest.fixture
def links() -> Links:
    return MemoryStore(MemoryTable()).links(ACCOUNT, ADMINISTRATION)


def probed(links: Links, *found: Booking) -> Booking | None:
    """What the look after a lost answer takes for ours among these."""
    sent = as_text(Prepared(ENTRY, "payload", "hash"))
    intent = Intent(WriteKind.BOOKING, ENTRY.document, WriteState.UNKNOWN, 1, NOW, sent, "hash")
    [answer] = booking_protocol(Books(*found), links).probe([intent])
    return answer


@pytest.mark.parametrize("booking", [OURS, TYPED, replace(OURS, vat=None), replace(TYPED, reference=" 2026/7")])
def test_a_booking_agrees_when_all_that_it_tells_does(booking: Booking) -> None:
    assert agrees(booking, ENTRY, Abilities())


@pytest.mark.parametrize("told", ANOTHERS)
def test_a_booking_that_tells_one_thing_otherwise_is_anothers(told: str) -> None:
    assert not agrees(replace(OURS, **{told: ANOTHERS[told]}), ENTRY, Abilities())


def test_a_number_counts_as_far_as_the_package_keeps_it() -> None:
    cut = replace(TYPED, reference=ENTRY.number[:5])
    assert agrees(cut, ENTRY, Abilities(reference_length=5))
    assert not agrees(cut, ENTRY, Abilities())


@pytest.mark.parametrize("told", sorted(ANOTHERS.keys() - {"key"}))
def test_a_lost_write_is_known_by_its_key_whatever_became_of_it(links: Links, told: str) -> None:
    """What differs from what was sent is judged afterwards, and told; it is not sent a second time."""
    differs = replace(OURS, **{told: ANOTHERS[told]})
    assert probed(links, TYPED, differs) == differs


@pytest.mark.parametrize("told", ANOTHERS)
def test_a_lost_write_without_a_key_is_ours_only_when_everything_agrees(links: Links, told: str) -> None:
    assert probed(links, TYPED) == TYPED
    assert probed(links, replace(TYPED, **{told: ANOTHERS[told]})) is None


def test_what_another_document_owns_is_not_our_lost_write(links: Links) -> None:
    links.adopt(WriteKind.BOOKING, "another", as_json(OURS), NOW)
    assert probed(links, OURS) is None
    assert probed(links, OURS, TYPED) == TYPED


def test_what_we_own_already_is_found_again(links: Links) -> None:
    links.adopt(WriteKind.BOOKING, ENTRY.document, as_json(OURS), NOW)
    assert probed(links, OURS) == OURS


def test_the_package_says_how_many_go_together_and_how_long_a_lost_one_may_take(links: Links) -> None:
    protocol = booking_protocol(Books(), links)
    assert (protocol.batch, protocol.settle) == (7, timedelta(seconds=90))


@pytest.mark.parametrize("told", ["journal", "reference", "key", "day", "relation"])
def test_an_answer_is_as_sent_when_place_kind_and_amounts_are(told: str) -> None:
    """rules.md 9; the rest is the package's to write as it likes."""
    assert as_sent(replace(OURS, **{told: ANOTHERS[told]}), ENTRY, ADMINISTRATION)


@pytest.mark.parametrize("told", ["kind", "gross", "vat"])
def test_an_answer_with_another_kind_or_amount_is_not_as_sent(told: str) -> None:
    assert not as_sent(replace(OURS, **{told: ANOTHERS[told]}), ENTRY, ADMINISTRATION)


def test_an_answer_from_another_administration_is_not_as_sent() -> None:
    assert not as_sent(OURS, ENTRY, AdministrationId("memory.be.2"))
