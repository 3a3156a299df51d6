"""Completeness as an equation: opening + received - sent - fees = closing, per wallet and asset, to the base unit.

What is left over moved without an event anybody could read: a log that a node left out, an internal transfer, a
balance written directly. It is reported as it is and never plugged.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, overload

from chains.errors import InvalidValue
from chains.types import Address, Asset, AssetId, BalanceObservation, BlockRef, Transfer, TransferKind
from verifier.records import Finding, FindingKind, Status
from verifier.rules.by_asset import ByAsset, Observed
from verifier.rules.statements import figure
from verifier.rules.surroundings import Surroundings

Key = tuple[Address, AssetId]
"""One balance: an asset at an address."""

GAP = "coverage-gap"
"""Code of the reason that blocks between two reads were not covered."""


@dataclass(frozen=True, slots=True)
class RollForward:
    """The equation for one wallet and asset from one block to a later one, all in base units."""

    address: Address
    asset: Asset
    opening_block: BlockRef
    closing_block: BlockRef
    opening: int
    received: int
    sent: int
    """Everything that left, fees apart."""
    fees: int
    closing: int | None
    """None when the balance at the closing block could not be read."""
    reason: str = ""
    """Why it is unverified: a stable code, then one sentence."""

    @property
    def expected(self) -> int:
        """What the closing balance must be."""
        return self.opening + self.received - self.sent - self.fees

    @property
    def remainder(self) -> int | None:
        """closing - expected: the change that no event explains; None when nothing can be said."""
        return self.closing - self.expected if self.closing is not None and not self.reason else None

    @property
    def status(self) -> Status:
        """Matched when nothing is left over, diverged when something is, unverified when nothing can be said."""
        remainder = self.remainder
        if remainder is None:
            return Status.UNVERIFIED
        return Status.DIVERGED if remainder else Status.MATCHED


class Read(Protocol):
    """The last good read of a balance; a `BalanceObservation` is one, an `Opening` is all that is needed of it."""

    @property
    def block(self) -> BlockRef:
        """Where it was read."""

    @property
    def base_units(self) -> int | None:
        """What was there; None would be a failed read, which opens nothing."""


class Opening(NamedTuple):
    """A balance that was read before."""

    block: BlockRef
    base_units: int


class Still(NamedTuple):
    """A balance at which nothing moved, and that is what it was: most of them, in most sweeps."""

    opening: Read
    closing: BalanceObservation

    def roll_forward(self) -> RollForward:
        """The equation, with nothing between its ends."""
        opening, closing = self.opening, self.closing
        assert opening.base_units is not None
        units, holding = opening.base_units, closing.holding
        return RollForward(holding.address, holding.asset, opening.block, closing.block, units, 0, 0, 0, units)


class RollForwards(Sequence[RollForward]):
    """The equations of one sweep, sorted by address and asset.

    Balances that stood still are kept as their two reads, and become equations one by one as they are asked for.
    """

    def __init__(self, parts: Sequence[RollForward | Still] = ()) -> None:
        self.parts = parts

    def __len__(self) -> int:
        return len(self.parts)

    @overload
    def __getitem__(self, index: int) -> RollForward: ...
    @overload
    def __getitem__(self, index: slice) -> RollForwards: ...
    def __getitem__(self, index: int | slice) -> RollForward | RollForwards:
        if isinstance(index, slice):
            return RollForwards(self.parts[index])
        part = self.parts[index]
        return part.roll_forward() if isinstance(part, Still) else part

    def unsettled(self) -> Iterator[RollForward]:
        """Those that leave something over, or of which nothing can be said."""
        moved = (part for part in self.parts if not isinstance(part, Still))
        return (roll for roll in moved if roll.status is not Status.MATCHED)


class _Moved:
    """What moved at one wallet in one asset, summed."""

    __slots__ = ("fees", "received", "sent")

    def __init__(self) -> None:
        self.received = self.sent = self.fees = 0


def roll_forward_all(
    openings: Mapping[Key, Read],
    closings: Mapping[Key, BalanceObservation],
    transfers: Iterable[Transfer],
    covered_from_height: int | None,
) -> RollForwards:
    """The equation for every wallet and asset that was read before and is to be read now, sorted.

    `openings` are the last good reads before this sweep, each at its own block; a wallet without one has nothing
    to be held against yet. `transfers` are all movements in the blocks covered without a gap from
    `covered_from_height` (None: no block was covered) up to the closing block; each counts where it lies after the
    wallet's own opening. A wallet whose opening is older than what was covered is unverified.
    """
    opened_of, closed_in_order = ByAsset.gathered(openings).of, Observed.of_all(closings).in_order
    unopened: Mapping[Address, Read] = {}
    moved = _sum_movements(openings, closings, transfers)
    nothing, make = _Moved(), tuple.__new__  # a call of the class itself takes twice as long
    ends: tuple[BlockRef, BlockRef] | None = None  # of the balance before; nearly all were read at the same two blocks
    is_covered = False
    results: list[RollForward | Still] = []
    for closing in closed_in_order:
        address, asset = closing.holding
        opening = opened_of.get(asset.asset_id, unopened).get(address)
        if opening is None:
            continue
        units, opened, closed = opening.base_units, opening.block, closing.block
        if units is None:
            raise InvalidValue(f"the opening balance of {address} is a failed read")
        if units == closing.base_units and not (moved and (address, asset.asset_id) in moved):
            if ends is None or ends[0] is not opened or ends[1] is not closed:
                ends, is_covered = (opened, closed), not _why_unverified(opened, closing, covered_from_height)
            if is_covered:
                results.append(make(Still, (opening, closing)))
                continue
        sums = moved.get((address, asset.asset_id), nothing)
        results.append(
            RollForward(
                address=address,
                asset=asset,
                opening_block=opened,
                closing_block=closed,
                opening=units,
                received=sums.received,
                sent=sums.sent,
                fees=sums.fees,
                closing=closing.base_units,
                reason=_why_unverified(opened, closing, covered_from_height),
            )
        )
    return RollForwards(results)


def gap_findings(rolls: Iterable[RollForward], surroundings: Surroundings) -> list[Finding]:
    """One finding when blocks between an opening and what was covered were read by nobody, naming the widest gap."""
    gaps = [roll.opening_block.height for roll in rolls if roll.reason.startswith(GAP)]
    if not gaps:
        return []
    first, wallets = min(gaps) + 1, len(gaps)
    text = (
        f"Movements since block {first} are not covered without a gap up to block {surroundings.block.height}, so "
        f"{wallets} balances cannot be explained."
    )
    place = surroundings.chain_location
    return [surroundings.finding(FindingKind.COVERAGE_GAP, place, None, None, f"from:{first}", text)]


def _sum_movements(
    openings: Mapping[Key, Read],
    closings: Mapping[Key, BalanceObservation],
    transfers: Iterable[Transfer],
) -> dict[Key, _Moved]:
    moved: dict[Key, _Moved] = defaultdict(_Moved)

    def sums_of(address: Address | None, transfer: Transfer) -> _Moved | None:
        if address is None:
            return None
        key = (address, transfer.asset.asset_id)
        opening, closing = openings.get(key), closings.get(key)
        if opening is None or closing is None:
            return None
        return moved[key] if opening.block.height < transfer.block.height <= closing.block.height else None

    for transfer in transfers:
        # A transfer to oneself counts on both sides, and changes nothing.
        if sums := sums_of(transfer.sender, transfer):
            if transfer.kind is TransferKind.FEE:
                sums.fees += transfer.base_units
            else:
                sums.sent += transfer.base_units
        if sums := sums_of(transfer.receiver, transfer):
            sums.received += transfer.base_units
    return moved


def _why_unverified(opened: BlockRef, closing: BalanceObservation, covered_from_height: int | None) -> str:
    closed = closing.block
    if closing.base_units is None:
        return f"read-failed: {closing.reason}"
    if opened.height > closed.height:
        return f"opening-later: the opening is at block {opened.height}, after block {closed.height}"
    if opened.height == closed.height:
        return "" if opened == closed else f"other-block: the opening was read at another block {opened.height}"
    if covered_from_height is None or covered_from_height > opened.height + 1:
        return f"{GAP}: movements from block {opened.height + 1} on are not covered without a gap"
    return ""


def equation(roll: RollForward) -> str:
    """The equation with all its terms in words, and what is left over."""
    asset, remainder = roll.asset, roll.remainder or 0
    terms = (
        f"opening {figure(roll.opening, asset)} + received {figure(roll.received, asset)} - sent "
        f"{figure(roll.sent, asset)} - fees {figure(roll.fees, asset)} = {figure(roll.expected, asset)}"
    )
    rest = f"{figure(abs(remainder), asset)} {'more' if remainder > 0 else 'less'} than any event explains"
    if not remainder:
        rest = "so that nothing is left over at the ends of the interval"
    return (
        f"From block {roll.opening_block.height} to block {roll.closing_block.height}: {terms}; the chain shows "
        f"{figure(roll.closing or 0, asset)}, {rest}."
    )
