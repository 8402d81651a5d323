"""Books kept in memory: the double of a package, held to the same contract as the real ones."""

from .administration import MemoryAdministration
from .ledger import MemoryLedger, MemoryPackage
from .numbered import NumberedAdministration, NumberedLedger

__all__ = ["MemoryAdministration", "MemoryLedger", "MemoryPackage", "NumberedAdministration", "NumberedLedger"]
