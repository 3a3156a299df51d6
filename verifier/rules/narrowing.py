"""Where a remainder arose: which blocks to read a balance at next, and the steps that the answers show.

What a balance should be at the end of any block between two reads follows from the opening and the movements up to
that block. So the remainder, what the chain shows less what it should be, is a step function over the blocks: it
changes exactly in the blocks in which something moved that no event shows. Wherever it differs at two blocks, the
middle is read, until every change lies between two neighbouring blocks.

Two changes that cancel out between two blocks with equal remainders leave no trace in those, and are not found by
halving: for them every block is read, in order (`verifier.changes`, change points).

Pure: it says what to read, and is told what was read.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate, pairwise

from chains.errors import InvalidValue
from chains.types import Transfer
from verifier.rules.rollforward import Key, RollForward


@dataclass(frozen=True, slots=True)
class Step:
    """A change of one balance that no event explains, between the ends of two blocks."""

    key: Key
    after_height: int
    """The change came after this block."""
    height: int
    """And at the latest in this one: exactly in it where it follows the other."""
    found: int
    """Signed base units that neither events nor top-level values explain."""
    left_over: int
    """What is left when internal transfers that traces showed are taken off; zero when they explain it all."""
    tx_ids: tuple[str, ...] = ()
    """Transactions that are known to have to do with it, where only sums of them are known."""
    note: str = ""
    """What stood in the way of narrowing or explaining it: a stable code, then one sentence. Empty when nothing did."""

    @property
    def is_exact(self) -> bool:
        """Whether it is known in which block it happened."""
        return self.height == self.after_height + 1


class Flows:
    """What moved at each balance, by block, summed up so that any interval is looked up at once."""

    def __init__(self, transfers: Iterable[Transfer], keys: Iterable[Key]) -> None:
        wanted = set(keys)
        by_height: dict[Key, dict[int, int]] = defaultdict(lambda: defaultdict(int))
        for transfer in transfers:
            for address, sign in ((transfer.sender, -1), (transfer.receiver, 1)):
                if address is not None and (key := (address, transfer.asset.asset_id)) in wanted:
                    by_height[key][transfer.block.height] += sign * transfer.base_units
        self._heights = {key: sorted(flows) for key, flows in by_height.items()}
        self._sums = {
            key: list(accumulate(by_height[key][height] for height in heights))
            for key, heights in self._heights.items()
        }

    def between(self, key: Key, after_height: int, height: int) -> int:
        """The net base units that moved in the blocks after the one up to and including the other."""
        return self._up_to(key, height) - self._up_to(key, after_height)

    def _up_to(self, key: Key, height: int) -> int:
        place = bisect_right(self._heights.get(key, ()), height)
        return self._sums[key][place - 1] if place else 0


class Narrowing:
    """The search for the steps of many balances at once."""

    def __init__(self) -> None:
        self._read: dict[Key, dict[int, int]] = {}
        self._failed: dict[Key, dict[int, str]] = {}
        self._stopped = ""

    def add(self, roll: RollForward) -> None:
        """Search the interval of one roll-forward; again when it is known already."""
        if roll.closing is None:
            raise InvalidValue("a balance that was not read cannot be narrowed")
        ends = {roll.opening_block.height: roll.opening, roll.closing_block.height: roll.closing}
        self._read.setdefault((roll.address, roll.asset.asset_id), {}).update(ends)

    @property
    def keys(self) -> list[Key]:
        """The balances searched, sorted."""
        return sorted(self._read)

    def next_reads(self, flows: Flows) -> dict[int, list[Key]]:
        """The blocks to read next, lowest first, and which balances at each; empty when the search is over.

        Every balance whose search passes over such a block is read there too: it costs little, and narrows it.
        """
        if self._stopped:
            return {}
        open_spans = {key: spans for key in self.keys if (spans := list(self._open_spans(key, flows)))}
        heights = sorted({middle for spans in open_spans.values() for _, _, middle in spans})
        reads: dict[int, list[Key]] = {height: [] for height in heights}
        for key, spans in open_spans.items():
            failed = self._failed.get(key, ())
            for low, high, _ in spans:
                for height in heights[bisect_right(heights, low) : bisect_left(heights, high)]:
                    if height not in failed:
                        reads[height].append(key)
        return reads

    def learn(self, height: int, balances: Mapping[Key, int | str]) -> None:
        """Take what was read at the end of a block: base units, or why a balance could not be read."""
        for key, said in balances.items():
            if isinstance(said, int):
                self._read[key][height] = said
            else:
                self._failed.setdefault(key, {})[height] = said

    def stop(self, reason: str) -> None:
        """Read no more: what is not narrowed by now keeps its wider bounds, for this reason."""
        self._stopped = self._stopped or reason

    @property
    def stopped(self) -> str:
        """Why the search ended early; empty when it did not."""
        return self._stopped

    def steps(self, before: Flows, now: Flows) -> list[Step]:
        """Every step that is known, sorted: with the movements known `before` traces, and what `now` is left of it."""
        return [
            Step(key, low, high, found, left, note=self._why_wide(key, low, high) if left and high > low + 1 else "")
            for key in self.keys
            for low, high in pairwise(sorted(self._read[key]))
            for found, left in [(self._rise(key, low, high, before), self._rise(key, low, high, now))]
            if found or left
        ]

    def _rise(self, key: Key, low: int, high: int, flows: Flows) -> int:
        """By how much the remainder is another at the higher block."""
        read = self._read[key]
        return read[high] - read[low] - flows.between(key, low, high)

    def _open_spans(self, key: Key, flows: Flows) -> Iterator[tuple[int, int, int]]:
        """The intervals of a balance that can be narrowed further, each with the block to read between."""
        for low, high in pairwise(sorted(self._read[key])):
            middle = self._middle(key, low, high)
            if middle is not None and self._rise(key, low, high, flows):
                yield low, high, middle

    def _middle(self, key: Key, low: int, high: int) -> int | None:
        """The block to read between two; above those that could not be read, because nodes forget the oldest first."""
        failed = [height for height in self._failed.get(key, ()) if low < height < high]
        floor = max(failed, default=low)
        return (floor + high) // 2 if high - floor > 1 else None

    def _why_wide(self, key: Key, low: int, high: int) -> str:
        failed = self._failed.get(key, {})
        between = [height for height in sorted(failed) if low < height < high]
        if between:
            return f"not-narrowed: block {between[-1]} could not be read ({failed[between[-1]]})"
        return self._stopped or "not-narrowed: the blocks between were not read"


class ChangePoints:
    """Every block of the interval read in order: the remainder after each is compared with the one before.

    Nothing is kept but the newest good read of each balance and the reads around each change, so that many blocks
    cost no memory.
    """

    def __init__(self, flows: Flows, narrowing: Narrowing, rolls: Iterable[RollForward]) -> None:
        self._flows = flows
        self._narrowing = narrowing
        self._rolls = {(roll.address, roll.asset.asset_id): roll for roll in rolls}
        self._newest = {key: (roll.opening_block.height, roll.opening) for key, roll in self._rolls.items()}

    def wanted(self, height: int) -> list[Key]:
        """The balances to read at a block: those whose interval has it strictly inside."""
        return [
            key for key, roll in self._rolls.items() if roll.opening_block.height < height < roll.closing_block.height
        ]

    def learn(self, height: int, balances: Mapping[Key, int | str]) -> None:
        """Take the reads at the next block; blocks come in ascending order."""
        for key, said in balances.items():
            if isinstance(said, int):
                self._compare(key, height, said)
            else:
                self._narrowing.learn(height, {key: said})

    def finish(self) -> None:
        """Compare the last reads with the closing balances."""
        for key, roll in self._rolls.items():
            assert roll.closing is not None
            self._compare(key, roll.closing_block.height, roll.closing)

    def _compare(self, key: Key, height: int, base_units: int) -> None:
        low, before = self._newest[key]
        self._newest[key] = (height, base_units)
        if base_units - before != self._flows.between(key, low, height):
            self._narrowing.add(self._rolls[key])
            self._narrowing.learn(low, {key: before})
            self._narrowing.learn(height, {key: base_units})
