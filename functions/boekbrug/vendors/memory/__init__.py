"""Books kept in memory: the double of a package, held to the same contract as the real ones."""

from .administration import MemoryAdministration
from .ledger import MemoryLedger, MemoryPackage

__all__ = ["MemoryAdministration", "MemoryLedger", "MemoryPackage"]
