"""Budgets in memory, in a room of their own."""

from __future__ import annotations

from boekbrug.store.memory import budgets
from boekbrug.store.memory.table import MemoryTable, Worker


class MemoryBudgets(budgets.MemoryBudgets):
    """Vendor limits as everybody in one test sees them."""

    def __init__(self) -> None:
        super().__init__(Worker(MemoryTable()))
