"""What the pages and the planner read back is what the refresh wrote, to the last decimal."""

from __future__ import annotations

from boekbrug.store.memory import MemoryStore, MemoryTable
from boekbrug.sync.snapshots import load_books, load_focus, save_books, save_focus
from tests.support.builders import ENTITY, RATES, some_books

from .scene import CATEGORIES, DIVISION, ENTITIES, MORNING, US


def test_books_come_back_as_they_were():
    snapshots = MemoryStore(MemoryTable()).snapshots(US)
    assert load_books(snapshots, DIVISION) is None
    save_books(snapshots, DIVISION, some_books(), MORNING)
    assert load_books(snapshots, DIVISION) == (some_books(), MORNING)


def test_the_lists_of_teamleader_come_back_as_they_were():
    snapshots = MemoryStore(MemoryTable()).snapshots(US)
    assert load_focus(snapshots) is None
    save_focus(snapshots, list(RATES.values()), CATEGORIES, ENTITIES, MORNING)
    lists = load_focus(snapshots)
    assert (lists.categories, lists.entities, lists.read_at) == (CATEGORIES, ENTITIES, MORNING)
    assert lists.rates_of(ENTITY) == tuple(RATES.values())
    assert lists.rates_of("entity-twin") == ()
