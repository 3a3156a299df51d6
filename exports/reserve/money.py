"""Cents, percentages of them and market values, with one rounding rule: a part of a cent goes against the firm.

The rule states no rounding. Line 16 says "not less than 105 percent", so there a part of a cent is a whole one; the
policy `rounding` extends that to every figure: what raises the requirement is rounded up (credits, reductions of
debits), what lowers it down (debits, deposits). Percentages are integer arithmetic; a price is an exact Decimal in a
context that traps any inexact result.
"""

from __future__ import annotations

from enum import StrEnum
from fractions import Fraction
from typing import Final

from chains.errors import InvalidValue
from chains.types import Asset, AssetId

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


def dollars(cents: int) -> str:
    """Plain text for people and records: `-1234.05`."""
    return DOLLAR.format_quantity(cents)


def dollars_grouped(cents: int) -> str:
    """Text for people alone, in groups of three: `-1,234.05`."""
    whole, _, rest = dollars(abs(cents)).partition(".")
    return f"{'-' if cents < 0 else ''}{int(whole):,}.{rest}"
