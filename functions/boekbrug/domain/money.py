"""Amounts of money that refuse to be wrong quietly."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in one currency, to the cent.

    Units: the currency's main unit, two places. A third decimal is an error until `Money.rounded` is asked for;
    amounts of different currencies refuse to add or compare.
    """

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        if not isinstance(self.amount, Decimal):
            raise TypeError(f"an amount is a Decimal, not {type(self.amount).__name__}")
        if not self.amount.is_finite():
            raise ValueError(f"{self.amount} is no amount")
        exact = self.amount.quantize(CENT)
        if exact != self.amount:
            raise ValueError(f"{self.amount} {self.currency} has more than two decimals; round it knowingly")
        # DynamoDB trims 1.10 to 1.1 and vendors print 9075: restore the places.
        object.__setattr__(self, "amount", exact + 0)

    @classmethod
    def of(cls, amount: str | int, currency: str) -> Money:
        return cls(Decimal(amount), currency)

    @classmethod
    def zero(cls, currency: str) -> Money:
        return cls(Decimal(0), currency)

    @classmethod
    def rounded(cls, amount: Decimal, currency: str) -> Money:
        """The amount to the cent, halves away from zero (as Teamleader prints them)."""
        return cls(amount.quantize(CENT, ROUND_HALF_UP), currency)

    @classmethod
    def total(cls, amounts: Iterable[Money], currency: str) -> Money:
        """The sum; zero in `currency` of nothing."""
        result = cls.zero(currency)
        for amount in amounts:
            result += amount
        return result

    @property
    def cents(self) -> int:
        return int(self.amount * 100)

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not mix")

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount + other.amount, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount - other.amount, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __abs__(self) -> Money:
        return Money(abs(self.amount), self.currency)

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.amount < other.amount

    def __le__(self, other: Money) -> bool:
        self._same(other)
        return self.amount <= other.amount

    def __bool__(self) -> bool:
        return self.amount != 0

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"
