"""Bringing a ledger up to a block: the walk back to the fork, the blocks above it, the past of new scripts.

The truth is always the walk: whatever wakes it, it compares the blocks that the ledger follows with those of the node,
from the top down, leaves the ones that are gone, and reads the ones that are new. Heights never identify a block.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Final

from chains.bitcoin.block import Block, Header, Spent
from chains.bitcoin.block_source import BlockSource
from chains.bitcoin.core import CoreNode
from chains.bitcoin.header_chain import header_at, header_run
from chains.bitcoin.health import require_unpruned
from chains.bitcoin.ledger import BlockLook, CoinNotHeld
from chains.bitcoin.ledger_file import LedgerFile
from chains.bitcoin.ledger_views import Coin
from chains.bitcoin.networks import Network
from chains.bitcoin.transaction import id_text
from chains.errors import ChainMoved, InvalidValue, ProofFailed, ReadError, StaleHead, StateUnavailable
from chains.reader import Progress
from chains.types import BlockRef

if TYPE_CHECKING:
    from chains.bitcoin.block_workers import BlockWorkers

BLOCKS_PER_RUN: Final = 50
"""Blocks that are stored in one transaction: what a crash can cost."""
HEADERS_PER_STEP: Final = 2_000
BLOCKS_BELOW_COINS: Final = 12
"""A ledger that begins with coins begins so many blocks lower: a reorganisation leaves it a block to stand on."""
BLOCKS_FOR_WORKERS: Final = 100
"""Fewer are read sooner than processes are started."""
FIRST_STEP_BACK: Final = 16


class NotOnboarded(ReadError):
    """More past blocks have to be read than a sweep may read by itself."""

    code = "not-onboarded"
    advice = "Load the history of the new wallets with `custody chain load`, or raise catch_up_blocks_max."

    def __init__(self, blocks: int, limit: int, *, node_id: str = "") -> None:
        super().__init__(f"{blocks:,} past blocks have to be read first, {limit:,} are allowed", node_id=node_id)
        self.blocks = blocks
        self.limit = limit


class CoinsLost(StateUnavailable):
    """Scripts began with the coins of a block that is no longer on the chain."""

    code = "not-onboarded"
    advice = "Begin them again: `custody chain load CHAIN --coins scan`."

    def __init__(self, scripts: int | str, *, node_id: str = "") -> None:
        if isinstance(scripts, int):
            scripts = f"{scripts} wallets began with the coins of a block that a reorganisation removed. {self.advice}"
        super().__init__(scripts, node_id=node_id)


class Follower:
    """Keeps one ledger in step with one node."""

    def __init__(
        self,
        node: CoreNode,
        source: BlockSource,
        ledger: LedgerFile,
        network: Network,
        progress: Progress | None = None,
        workers: BlockWorkers | None = None,
    ) -> None:
        """`progress` is called with the number of blocks read, run by run; `workers` read long runs."""
        self._node = node
        self._source = source
        self._ledger = ledger
        self._network = network
        self._progress = progress
        self._workers = workers

    def follow(self, target: BlockRef, scripts: Sequence[bytes], from_height: int, blocks_max: int) -> None:
        """Bring the ledger to a block of the node's active chain, and the scripts into it from a height on.

        Raises `ChainMoved` when the block is not, or no longer, on the node's chain, `StateUnavailable` when it is
        below the ledger's first. When it takes more than `blocks_max` blocks to get there, nothing is read and
        `NotOnboarded` is raised; when only the past of new scripts is too long, that is left out and raised behind.
        Raises `CoinsLost` behind, too: the other scripts are followed.
        """
        first = max(from_height, 1)
        tip = self._ledger.tip or self._begin(target, first, blocks_max)
        if target.height - tip.height > blocks_max:
            raise NotOnboarded(target.height - tip.height, blocks_max)
        lowest = self._ledger.first_height
        if lowest is not None and target.height < lowest:
            raise StateUnavailable(f"the ledger begins at block {lowest}; block {target.height} is below it")
        new = self._begun_by_blocks(scripts)
        past = self._blocks_to_read(target, tip, new, first)
        if new and past <= blocks_max:
            self._ledger.add_scripts(new, first)
        self._walk(target)
        if past <= blocks_max:
            self._finish_loads()
        if not self._ledger.is_active(target.block_hash):
            raise ChainMoved(f"{target} is no longer on the node's chain")
        if new and past > blocks_max:
            raise NotOnboarded(past, blocks_max)
        # Only now: the walk may have left the block with whose coins they began.
        if lost := self._ledger.lost_openings(scripts):
            raise CoinsLost(len(lost))

    def open_with_coins(
        self, target: BlockRef, at: BlockRef, scripts: Sequence[bytes], coins: Sequence[Coin]
    ) -> tuple[int, int]:
        """Begin scripts with the coins that a set of coins has after a block, and follow to a block of the chain.

        Scripts that are followed already stay as they are, unless a coin of theirs turns out to be missing: those
        begin anew. An empty ledger begins below both blocks. Returns how many scripts began, and how many of
        them anew. Raises as `follow`, and `StateUnavailable` for a block below the ledger's first.
        """
        if self._ledger.tip is None:
            self._begin_at(_begin_height(target, at))
        lowest = self._ledger.first_height
        if lowest is not None and at.height < lowest:
            raise StateUnavailable(f"the ledger begins at block {lowest}; the coins are of block {at.height}, below it")
        by_script: dict[bytes, list[Coin]] = defaultdict(list)
        for coin in coins:
            by_script[coin.script].append(coin)
        anew = set(self._ledger.paid_below(coins))
        self._ledger.give_up(anew)
        begun: set[bytes] = set()
        while True:
            try:
                self._walk(at)
                begun |= self._open(at, scripts, by_script)
                if target.height > at.height:
                    self._walk(target)
                self._finish_loads()
            except CoinNotHeld as error:
                if error.script in begun or not self._ledger.give_up([error.script]):
                    raise
                anew.add(error.script)
                continue
            return len(begun), len(anew & begun)

    def blocks_with_coins(self, target: BlockRef, at: BlockRef) -> int:
        """How many blocks `open_with_coins` would read, when no script has to begin anew."""
        tip = self._ledger.tip
        height = _begin_height(target, at) if tip is None else tip.height
        return max(target.height, at.height, height) - min(height, at.height)

    def _open(self, at: BlockRef, scripts: Sequence[bytes], coins: Mapping[bytes, Sequence[Coin]]) -> set[bytes]:
        new = self._ledger.unknown_scripts(scripts)
        if not self._ledger.is_active(at.block_hash):
            raise ChainMoved(f"{at}, of which the coins are, is not on the node's chain")
        self._ledger.add_scripts_with_coins(
            new, (coin for script in new for coin in coins.get(script, ())), at.block_hash
        )
        return set(new)

    def _begin_at(self, height: int) -> None:
        header = header_at(self._node, self._network, height)
        try:
            self._ledger.begin(header, height)
        except InvalidValue:
            if self._ledger.tip is None:
                raise
            # Another process began it meanwhile; it is followed from where that is.

    def blocks_to_read(self, target: BlockRef, scripts: Sequence[bytes], from_height: int) -> int:
        """How many blocks `follow` would read without a limit; a block read for two groups of scripts counts twice."""
        first, tip = max(from_height, 1), self._ledger.tip
        if tip is None:
            return max(0, target.height - first + 1)
        return self._blocks_to_read(target, tip, self._begun_by_blocks(scripts), first)

    def _begun_by_blocks(self, scripts: Sequence[bytes]) -> list[bytes]:
        """New scripts whose past is read; what began with coins that a reorganisation took away begins with coins."""
        lost = self._ledger.lost_openings(scripts)
        return [script for script in self._ledger.unknown_scripts(scripts) if script not in lost]

    def _blocks_to_read(self, target: BlockRef, tip: BlockRef, new: Sequence[bytes], first: int) -> int:
        starts = [load.next_height for load in self._ledger.loads()]
        if new and first <= tip.height:
            starts.append(first)
        above = max(0, target.height - tip.height)
        return above + sum(max(tip.height, target.height) - start + 1 for start in starts)

    def _begin(self, target: BlockRef, first: int, blocks_max: int) -> BlockRef:
        """Begin the ledger below its first block to read, unless that is too far down."""
        if target.height - first + 1 > blocks_max:
            raise NotOnboarded(target.height - first + 1, blocks_max)
        require_unpruned(self._node.chain_info(), first)
        self._begin_at(first - 1)
        tip = self._ledger.tip
        assert tip is not None, "the ledger has begun"
        return tip

    def _walk(self, target: BlockRef) -> None:
        known = self._ledger.block(target.block_hash)
        if known is not None and known.height != target.height:
            raise ProofFailed(
                f"the node says that block {target.block_hash} is at height {target.height}; it is at {known.height}"
            )
        if self._ledger.is_active(target.block_hash):
            return
        if self._node.hash_at(target.height) != target.block_hash:
            raise ChainMoved(f"{target} is not on the node's chain")
        fork, tip = self._fork(target.height), self._ledger.tip
        assert tip is not None, "the ledger has begun"
        before = fork.block_hash
        for first in range(fork.height + 1, target.height + 1, HEADERS_PER_STEP):
            last = min(first + HEADERS_PER_STEP - 1, target.height)
            headers = header_run(self._node, self._network, first, last)
            # A long walk is not held in memory: what was applied when the branch changes is walked back next time.
            is_end_wrong = last == target.height and headers[-1].block_hash != target.block_hash
            if id_text(headers[0].previous) != before or is_end_wrong:
                raise ChainMoved("the node's branch changed while its headers were read")
            if first == fork.height + 1 and fork.height < tip.height:
                self._ledger.rewind(fork.block_hash)
            blocks = self._read(headers, first, None)
            while run := list(islice(blocks, BLOCKS_PER_RUN)):
                self._ledger.apply(run)
                self._tell(len(run))
            before = headers[-1].block_hash

    def _fork(self, height_max: int) -> BlockRef:
        """The highest block that both the ledger and the node have on their chains, not above a height."""
        tip, lowest = self._ledger.tip, self._ledger.first_height
        assert tip is not None, "the ledger has begun"
        assert lowest is not None, "the ledger has begun"
        height, step = min(tip.height, height_max), FIRST_STEP_BACK
        while height >= lowest:
            heights = range(height, max(height - step, lowest - 1), -1)
            try:
                hashes = self._node.hashes_at(heights)
            except StaleHead:
                raise ChainMoved("the node's chain became shorter while it was walked") from None
            for at, block_hash in zip(heights, hashes, strict=True):
                known = self._ledger.active_at(at)
                if known is not None and known.block_hash == block_hash:
                    return known
            height, step = height - step, step * 2
        raise ProofFailed(
            "the ledger shares no block with the node's chain; move the ledger file away if the node is the right one"
        )

    def _finish_loads(self) -> None:
        """Read the past of scripts that were added late, up to the ledger's tip."""
        for load in self._ledger.loads():
            tip = self._ledger.tip
            assert tip is not None, "the ledger has begun"
            require_unpruned(self._node.chain_info(), load.next_height)
            for first in range(load.next_height, tip.height + 1, HEADERS_PER_STEP):
                last = min(first + HEADERS_PER_STEP - 1, tip.height)
                headers = header_run(self._node, self._network, first, last)
                blocks = self._read(headers, first, load.load_id)
                while run := list(islice(blocks, BLOCKS_PER_RUN)):
                    self._ledger.apply_load(load.load_id, run)
                    self._tell(len(run))

    def _tell(self, blocks: int) -> None:
        if self._progress is not None:
            self._progress(blocks)

    def _read(
        self, headers: Sequence[Header], first_height: int, load_id: int | None
    ) -> Iterator[tuple[Block, Spent] | BlockLook]:
        """The blocks of a run of headers: by several processes when there are, and enough blocks to be worth them."""
        if self._workers is not None and len(headers) >= BLOCKS_FOR_WORKERS:
            return self._workers.looks(headers, first_height, self._ledger.watched(load_id))
        return (self._source.read(header) for header in headers)


def _begin_height(target: BlockRef, at: BlockRef) -> int:
    return max(0, min(target.height, at.height) - BLOCKS_BELOW_COINS)
