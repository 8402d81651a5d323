"""The store kept in memory: the double of every room, held to the same contract as DynamoDB."""

from .store import MemoryStore
from .table import MemoryTable

__all__ = ["MemoryStore", "MemoryTable"]
