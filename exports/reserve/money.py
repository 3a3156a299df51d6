"""Cents, percentages of them and market values, with one rounding rule: a part of a cent goes against the firm.

The rule states no rounding. Line 16 says "not less than 105 percent", so there a part of a cent is a whole one; the
policy `rounding` extends that to every figure: what raises the requirement is rounded up (credits, reductions of
debits), what lowers it down (debits, deposits). Percentages are integer arithmetic; a price is an exact Decimal in a
context that traps any inexact result.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Final

from chains.errors import InvalidValue
from chains.types import EXACT, Asset, AssetId

DOLLAR: Final = Asset(AssetId("iso4217:USD"), "USD", 2)
"""The unit of every amount in this package: 100 cents."""


class Rounding(StrEnum):
    """Which way a part of a cent goes."""

    UP = "up"
    """For what raises the requirement: credits, reductions of debits, the 105 percent."""
    DOWN = "down"
    """For what lowers it: debits, deposits."""


def require_cents(cents: int, name: str) -> int:
    """The same cents; raise `InvalidValue` unless they are a whole number, zero or more."""
    if type(cents) is not int:  # a bool is an int too, and no amount
        raise InvalidValue(f"{name} must be whole cents, not {type(cents).__name__}")
    if cents < 0:
        raise InvalidValue(f"{name} is negative; the side of a line is fixed, so its amount is zero or more")
    return cents


def percent(cents: int, rate: int, rounding: Rounding) -> int:
    """`rate` percent of an amount in cents, a part of a cent rounded as told."""
    return share(cents, Fraction(rate, 100), rounding)


def share(cents: int, part: Fraction, rounding: Rounding) -> int:
    """An exact fraction of an amount in cents, a part of a cent rounded as told."""
    scaled = cents * part.numerator
    if rounding is Rounding.UP:
        return -(-scaled // part.denominator)
    return scaled // part.denominator


@dataclass(frozen=True, slots=True)
class QuotedPrice:
    """The market price of one whole unit in US dollars, and the day it is of."""

    dollars: Decimal
    priced_on: date
    source: str

    def __post_init__(self) -> None:
        if not self.dollars.is_finite() or self.dollars < 0:
            raise InvalidValue("a price is a finite number, zero or more")

    def usable(self, as_of: date, age_days_max: int) -> bool:
        """Whether the price is of the as-of date or at most so many calendar days older; never of a later day."""
        return 0 <= (as_of - self.priced_on).days <= age_days_max


def market_value(quantity: Decimal, price: QuotedPrice, rounding: Rounding) -> int:
    """Market value in cents; raises `decimal.Inexact` rather than lose a digit before the one rounding.

    A missing price has no value at all: callers stay unverified, and never pass a zero in its place.
    """
    if not quantity.is_finite() or quantity < 0:
        raise InvalidValue("a quantity is a finite number, zero or more")
    exact = EXACT.scaleb(EXACT.multiply(quantity, price.dollars), DOLLAR.decimals)
    return int(exact.to_integral_value(rounding=ROUND_CEILING if rounding is Rounding.UP else ROUND_FLOOR))


def dollars(cents: int) -> str:
    """Plain text for people and records: `-1234.05`."""
    return DOLLAR.format_quantity(cents)


def dollars_grouped(cents: int) -> str:
    """Text for people alone, in groups of three: `-1,234.05`."""
    whole, _, rest = dollars(abs(cents)).partition(".")
    return f"{'-' if cents < 0 else ''}{int(whole):,}.{rest}"
