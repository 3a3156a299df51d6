"""Excess margin securities, 15c3-3(a)(5): which units of an owner the firm must keep in possession or control.

Of the securities in an owner's margin accounts, what is worth more than 140 percent of all debit balances together is
excess margin. The firm chooses which securities these are; here the choice is a policy that gives the same answer for
the same books, and can be changed by recorded substitutions. Units are locked up until what is left free is worth at
most 140 percent: a part of a unit locks a whole one. Market values are compared as whole numbers, without rounding.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from chains.types import AssetId
from exports.possession.types import Holder, Issue, Move

FREE_PERCENT: Final = 140
"""Percent of the debits up to which margin securities may be used, (a)(5)."""

Locks = dict[AssetId, int]
"""Base units that are locked up as excess margin, by issue."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Exact market values as whole numbers: of one base unit of each issue, and of one cent, in one common unit."""

    unit_values: Mapping[AssetId, int]
    cent: int

    @staticmethod
    def of(issues: Iterable[Issue]) -> Scale:
        """The coarsest common unit in which every price of a base unit is whole."""
        parts: dict[AssetId, tuple[int, int]] = {}
        for each in issues:
            _, digits, exponent = each.price.as_tuple()
            assert isinstance(exponent, int)  # an issue's price is a finite number
            number = int("".join(map(str, digits))) * 10 ** max(0, exponent)
            parts[each.security_id] = (number, each.decimals + max(0, -exponent))
        finest = max((places for _, places in parts.values()), default=0)
        finest = max(finest, 2)
        values = {name: number * 10 ** (finest - places) for name, (number, places) in parts.items()}
        return Scale(values, 10 ** (finest - 2))

    def free_value(self, debit: int) -> int:
        """140 percent of a debit in cents, times 100."""
        return debit * self.cent * FREE_PERCENT


def excess_margin(holder: Holder, scale: Scale, selection: str) -> Locks:
    """The units of an owner that are excess margin under a selection policy; all of them without a debit.

    `by_security_id` locks whole issues up in the order of their ids until enough is locked; `proportional` the same
    part of each.
    """
    margin = {each.security_id: each.margin for each in holder.holdings if each.margin}
    if not holder.debit:
        return margin
    free = scale.free_value(holder.debit)
    values = scale.unit_values
    total = sum(units * values[name] for name, units in margin.items()) * 100
    if total <= free:
        return {}
    if selection == "proportional":
        return {name: -(-units * (total - free) // total) for name, units in margin.items() if values[name]}
    locks: Locks = {}
    for name in sorted(margin):
        above = total - free
        if above <= 0:
            break
        value = values[name] * 100
        if value:
            locks[name] = min(margin[name], -(-above // value))
            total -= locks[name] * value
    return locks


def all_locks(holders: Sequence[Holder], scale: Scale, selection: str, moves: Sequence[Move]) -> list[Locks]:
    """What is locked up of each owner, in the owners' order, after every accepted substitution in its order."""
    locks = [excess_margin(each, scale, selection) for each in holders]
    for move in moves:
        left = move.base_units
        for holder, locked in zip(holders, locks, strict=True):
            if not left:
                break
            if holder.debit and locked.get(move.from_id) and move.holder_id in ("", holder.holder_id):
                left -= _moved(holder, locked, move, left, scale)
    return locks


def _moved(holder: Holder, locked: Locks, move: Move, units_max: int, scale: Scale) -> int:
    """Release units of one issue and lock up as few of the other as keep what is free within 140 percent."""
    margin = {each.security_id: each.margin for each in holder.holdings}
    values = {name: value * 100 for name, value in scale.unit_values.items() if name in margin}
    unlocked = sum((units - locked.get(name, 0)) * values[name] for name, units in margin.items())
    slack = scale.free_value(holder.debit) - unlocked
    spare = margin.get(move.to_id, 0) - locked.get(move.to_id, 0)
    released, gained = values[move.from_id], values.get(move.to_id, 0)
    units = min(units_max, locked[move.from_id])
    if released:
        units = min(units, max(0, (slack + spare * gained) // released))
    needed = units * released - slack
    added = -(-needed // gained) if gained and needed > 0 else 0
    if units:
        locked[move.from_id] -= units
        if added:
            locked[move.to_id] = locked.get(move.to_id, 0) + added
    return units
