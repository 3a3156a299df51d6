"""From a remainder to the blocks in which it arose, and from those to the transfers inside their transactions.

After the balances and the movements of a sweep are stored, every balance that does not add up is searched, all of
them together (`verifier.rules.narrowing`). Blocks to which a change of the native coin was narrowed are traced, where
the node offers that; internal transfers found there are movements like all others, and the equation is made again
with them. What is left after that is reported with the blocks it lies in. Nothing is ever plugged: a trace counts for
what it shows, whether or not that is what was missing.

A read that fails leaves wider bounds. Only a chain that moved, or a node that is gone, ends the sweep.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from chains.block_trace import BlockTrace, as_change_explainer
from chains.errors import ChainMoved, NodeUnavailable, ReadError
from chains.reader import ChainReader, Pin
from chains.types import Address, Asset, BlockRef, Holding
from verifier.records import Status
from verifier.rolling import Rolled
from verifier.rules.changes import ChangeSearch, SearchMode
from verifier.rules.narrowing import ChangePoints, Flows, Narrowing, Step
from verifier.rules.rollforward import Key, RollForward
from verifier.store import Store, SweepStart

READS_MAX: Final = 1_024
"""Most blocks at which one sweep reads balances to narrow remainders."""
TRACES_MAX: Final = 256
"""Most blocks that one sweep traces."""


Advance = Callable[[int], None]
OnPhase = Callable[[str, int], Advance]
"""Called with the name and the number of items of a phase; returns what to call with the number done."""


def search_changes(
    store: Store,
    reader: ChainReader,
    start: SweepStart,
    rolled: Rolled,
    watched: Iterable[Address],
    native: Asset,
    *,
    mode: SearchMode,
    blocks_max: int,
    on_phase: OnPhase,
) -> ChangeSearch | None:
    """Look for every change that no event explains; None when all adds up and no more was asked for.

    `blocks_max` limits how many blocks EVERY_BLOCK reads; beyond it only remainders are narrowed, and the note says
    so. Raises `ChainMoved`, and `NodeUnavailable` when the node is gone; then nothing is to be stored.
    """
    rolls = rolled.rolls if mode is SearchMode.EVERY_BLOCK else rolled.rolls.unsettled()
    searched = [
        roll
        for roll in rolls
        if roll.status is not Status.UNVERIFIED and roll.opening_block.height < roll.closing_block.height
    ]
    if not searched:
        return None
    return _Search(store, reader, start, rolled, tuple(watched), native, on_phase).run(searched, mode, blocks_max)


class _Search:
    def __init__(
        self,
        store: Store,
        reader: ChainReader,
        start: SweepStart,
        rolled: Rolled,
        watched: Sequence[Address],
        native: Asset,
        on_phase: OnPhase,
    ) -> None:
        self._store = store
        self._reader = reader
        self._start = start
        self._watched = watched
        self._native = native
        self._on_phase = on_phase
        self._rolls: Mapping[Key, RollForward] = {(roll.address, roll.asset.asset_id): roll for roll in rolled.rolls}
        self._assets = {roll.asset.asset_id: roll.asset for roll in rolled.rolls}
        self._transfers = {transfer.transfer_id: transfer for transfer in rolled.transfers}
        self._before = self._now = Flows(rolled.transfers, self._rolls)
        self._narrowing = Narrowing()
        self._traces: dict[int, BlockTrace] = {}
        self._reads = 0
        self._narrowed = 0

    def run(self, searched: Sequence[RollForward], mode: SearchMode, blocks_max: int) -> ChangeSearch:
        first = min(roll.opening_block.height for roll in searched) + 1
        last, note = self._start.block.height, ""
        if mode is SearchMode.EVERY_BLOCK:
            blocks = last - first  # the last one is the closing block itself
            if blocks > blocks_max:
                note = (
                    f"too-many-blocks: {blocks} blocks lie between the reads, at most {blocks_max} are read one by one"
                )
            else:
                note = self._read_every_block(searched, first)
        for roll in searched:
            if roll.status is Status.DIVERGED:
                self._narrowing.add(roll)
        self._narrow()
        while new := self._trace():
            self._take(new)
            self._narrow()
        if self._narrowing.stopped:
            self._reader.identify()  # a node that is gone is another one's turn, and finds nothing stored
        steps = [self._explained(step) for step in self._narrowing.steps(self._before, self._now)]
        traces = [self._traces[height] for height in sorted(self._traces)]
        node_id = self._reader.node_id
        return ChangeSearch(mode, first, last, self._reads, node_id, traces, steps, note or self._narrowing.stopped)

    # Reading balances

    def _read_every_block(self, searched: Sequence[RollForward], first: int) -> str:
        """Read the blocks between in order; why not all of them could be, where that is so.

        Where a block gives nothing at all, ever more are passed over until one does: a node forgets whole stretches.
        """
        points = ChangePoints(self._now, self._narrowing, searched)
        last = self._start.block.height
        advance = self._on_phase("reading every block", last - first)
        blocks = self._store.covered_blocks(self._start.chain_id, first, last - 1)
        place, unread, why = 0, 0, ""
        stride = 1
        while place < len(blocks) and not self._narrowing.stopped:
            block = blocks[place]
            answers = self._read(block, points.wanted(block.height))
            points.learn(block.height, answers)
            failed = [said for said in answers.values() if isinstance(said, str)]
            stride = 2 * stride if failed and len(failed) == len(answers) else 1
            passed = min(stride, len(blocks) - place)
            if failed:
                unread += passed
                why = why or f"the first is block {block.height}: {failed[0]}"
            place += passed
            advance(passed)
        points.finish()
        if self._narrowing.stopped:
            return self._narrowing.stopped
        return f"not-read: balances could not be read at {unread} blocks, {why}" if unread else ""

    def _narrow(self) -> None:
        advance: Advance | None = None
        while reads := self._narrowing.next_reads(self._now):
            if advance is None:
                advance = self._on_phase("narrowing remainders", self._rounds())
            for height, keys in reads.items():
                if not keys or self._narrowing.stopped:
                    continue
                if self._narrowed >= READS_MAX:
                    self._narrowing.stop(f"too-many-reads: {READS_MAX} blocks were read to narrow changes, no more are")
                    break
                self._narrowed += 1
                covered = self._store.covered_blocks(self._start.chain_id, height, height)
                if not covered:
                    self._narrowing.learn(height, dict.fromkeys(keys, "not-covered: the block is not covered"))
                    continue
                self._narrowing.learn(height, self._read(covered[0], keys))
            advance(1)

    def _rounds(self) -> int:
        """About how often the widest interval is halved."""
        spans = [roll.closing_block.height - roll.opening_block.height for roll in self._rolls.values()]
        return max(spans, default=0).bit_length()

    def _read(self, block: BlockRef, keys: Sequence[Key]) -> dict[Key, int | str]:
        """The balances at the end of a block, or why each is not known."""
        holdings = [Holding(address, self._assets[asset_id]) for address, asset_id in keys]
        self._reads += 1
        try:
            seen = self._reader.read_balances(Pin(block, self._start.finality, header_checked=True), holdings)
        except NodeUnavailable as error:
            self._narrowing.stop(f"{error.code}: {error}")
            return {}
        except ReadError as error:  # a block that moved away took the sweep's own with it, which is checked at the end
            return dict.fromkeys(keys, f"{error.code}: {error}")
        return {
            key: each.reason if each.base_units is None else each.base_units
            for key, each in zip(keys, seen, strict=True)
        }

    # Tracing blocks

    def _trace(self) -> list[BlockTrace]:
        """Trace the blocks to which changes of the native coin were narrowed and that were not traced yet."""
        steps = self._narrowing.steps(self._before, self._now)
        heights = {step.height for step in steps if step.is_exact and step.left_over and self._is_native(step.key)}
        todo = sorted(heights - self._traces.keys())
        if not todo:
            return []
        blocks = [
            block for height in todo for block in self._store.covered_blocks(self._start.chain_id, height, height)
        ]
        room = max(0, TRACES_MAX - len(self._traces))
        traces = [self._untraced(block, f"too-many-traces: {TRACES_MAX} blocks were traced") for block in blocks[room:]]
        explainer = as_change_explainer(self._reader)
        if explainer is None:
            traces += [self._untraced(block, "no-traces: the chain's adapter reads none") for block in blocks[:room]]
        elif blocks[:room]:
            advance = self._on_phase("tracing blocks", len(blocks[:room]))
            try:
                traces += explainer.trace_blocks(blocks[:room], self._watched, self._native, advance)
            except ChainMoved:
                raise
            except ReadError as error:
                self._reader.identify()  # as above
                traces += [self._untraced(block, f"{error.code}: {error}") for block in blocks[:room]]
        self._traces |= {trace.block.height: trace for trace in traces}
        return traces

    def _take(self, traces: Iterable[BlockTrace]) -> None:
        """Count what traces showed; where that leaves another balance with a remainder, it is searched too."""
        found = [each for trace in traces for each in trace.transfers if each.transfer_id not in self._transfers]
        if not found:
            return
        self._transfers |= {transfer.transfer_id: transfer for transfer in found}
        self._now = Flows(self._transfers.values(), self._rolls)
        for transfer in found:
            for address in (transfer.sender, transfer.receiver):
                roll = None if address is None else self._rolls.get((address, self._native.asset_id))
                if roll is None or roll.status is Status.UNVERIFIED:
                    continue
                if roll.opening_block.height < transfer.block.height <= roll.closing_block.height:
                    self._narrowing.add(roll)

    def _explained(self, step: Step) -> Step:
        """The step with what is known of its cause beside the figures."""
        trace = self._traces.get(step.height) if step.is_exact and self._is_native(step.key) else None
        if not step.left_over or trace is None:
            return step
        return replace(step, tx_ids=self._transactions(step, trace), note=trace.reason or step.note)

    def _transactions(self, step: Step, trace: BlockTrace) -> tuple[str, ...]:
        """The transactions that changed the balance by something else than their events and values say."""
        address, asset_id = step.key
        told: dict[str, int] = defaultdict(int)
        for transfer in self._transfers.values():
            if transfer.block.height == step.height and transfer.asset.asset_id == asset_id:
                told[transfer.tx_id] += transfer.base_units * (
                    (transfer.receiver == address) - (transfer.sender == address)
                )
        changed = {each.tx_id: each.base_units for each in trace.changes if each.address == address}
        return tuple(tx_id for tx_id, base_units in changed.items() if base_units != told[tx_id])

    def _is_native(self, key: Key) -> bool:
        return key[1] == self._native.asset_id

    def _untraced(self, block: BlockRef, reason: str) -> BlockTrace:
        return BlockTrace(block, "", self._reader.node_id, reason=reason)
