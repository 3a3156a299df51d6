"""Nodes of a chain in memory, and readers that ask them: they may be down, behind, on another chain, or lie."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from chains.block_trace import BalanceChange, BlockTrace
from chains.errors import ChainMoved, InvalidValue, NodeUnavailable, StaleHead, StateUnavailable, WrongChain
from chains.evm import chain_plugin
from chains.reader import ChainConfig, ChainReader, NodeConfig, NodeIdentity, Pin, Progress
from chains.types import (
    Address,
    Asset,
    AssetId,
    BalanceObservation,
    BlockRef,
    ChainId,
    FinalityKind,
    Holding,
    ReadStatus,
    Transfer,
    TransferScan,
)
from tests.fakes.chain import FakeBlock, FakeChain

FINALIZED_BELOW_HEAD = 64


@dataclass
class FakeNode:
    """One node and what is wrong with it. Everything may be changed at any time."""

    chain: FakeChain
    is_down: bool = False
    chain_id: ChainId | None = None
    """What it says its chain is, when that is not the truth."""
    lag: int = 0
    """Blocks it is behind."""
    hides: Callable[[Transfer], bool] = lambda transfer: False
    """Movements it leaves out of its answers."""
    tracer: str = ""
    """How it traces blocks: not at all, both sides of each movement (`call-tracer`), or sums (`prestate-tracer`)."""
    pruned_below: int = 0
    """The lowest block whose balances it still knows."""
    balances: dict[tuple[Address, AssetId], int | None] = field(default_factory=dict)
    """Balances it lies about; None: it does not answer for this one."""

    @property
    def height(self) -> int:
        """Its head."""
        return max(0, self.chain.head.height - self.lag)

    def at(self, height: int) -> FakeBlock | None:
        """The block it knows at a height."""
        return self.chain.at(height) if height <= self.height else None


class FakePlugin:
    """A `chains.reader.ChainPlugin` over nodes by URL; addresses are spelt as on EVM chains."""

    namespace = "eip155"

    def __init__(self, nodes: Mapping[str, FakeNode]) -> None:
        self.nodes = nodes

    def parse_address(self, chain_id: ChainId, text: str) -> Address:
        """As the EVM adapter does."""
        return chain_plugin.parse_address(chain_id, text)

    def parse_asset_id(self, text: str) -> AssetId:
        """As the EVM adapter does."""
        return chain_plugin.parse_asset_id(text)

    def open(
        self, config: ChainConfig, node: NodeConfig, *, capabilities: Mapping[str, str] | None = None
    ) -> ChainReader:
        """A reader of the node of this URL."""
        return FakeReader(config, node.node_id, self.nodes[node.url])


class FakeReader:
    """A `chains.reader.ChainReader` of a node in memory."""

    def __init__(self, config: ChainConfig, node_id: str, node: FakeNode) -> None:
        self._config, self._node_id, self._node = config, node_id, node

    @property
    def chain_id(self) -> ChainId:
        """The chain it reads."""
        return self._config.chain_id

    @property
    def node_id(self) -> str:
        """The name of its node."""
        return self._node_id

    def identify(self) -> NodeIdentity:
        """Chain id and first block against the configuration."""
        self._ask()
        genesis = self._node.chain.blocks[0].ref
        said = self._node.chain_id or self._node.chain.chain_id
        if said != self._config.chain_id or genesis.block_hash != self._config.genesis_hash:
            raise WrongChain(f"the node is on {said}", node_id=self.node_id)
        return NodeIdentity(self.chain_id, genesis.block_hash, "fake/1")

    def pin(self, *, height: int | None = None, now: datetime) -> Pin:
        """The block the finality asks for, or the given one when it is not above that."""
        self._ask()
        head = self.block_at(self._node.height)
        age = now - head.timestamp
        if age > timedelta(seconds=self._config.head_age_seconds_max):
            raise StaleHead(f"the head is {age} old", node_id=self.node_id)
        if -age > timedelta(seconds=self._config.head_future_seconds_max):
            raise StaleHead(f"the head is {-age} in the future", node_id=self.node_id)
        final = head.height - self._depth()
        if final < 0:
            raise StaleHead("the chain has too few blocks", node_id=self.node_id)
        if height is not None and height > final:
            raise InvalidValue(f"block {height} is above block {final}")
        return Pin(self.block_at(final if height is None else height), self._config.finality, header_checked=True)

    def read_balances(
        self, pin: Pin, holdings: Sequence[Holding], progress: Progress | None = None
    ) -> list[BalanceObservation]:
        """What the node says at the pin."""
        block = self._known(pin.block)
        if pin.block.height < self._node.pruned_below:
            raise StateUnavailable(f"the state of block {pin.block.height} is gone", node_id=self.node_id)
        observations = [self._observe(pin, block, holding) for holding in holdings]
        if progress is not None:
            progress(len(observations))
        return observations

    def block_at(self, height: int) -> BlockRef:
        """The node's block at a height."""
        self._ask()
        block = self._node.at(height)
        if block is None:
            raise StaleHead(f"the node has no block {height}", node_id=self.node_id)
        return block.ref

    def is_canonical(self, block: BlockRef) -> bool:
        """Whether the node has this very block."""
        self._ask()
        found = self._node.at(block.height)
        return found is not None and found.ref.block_hash == block.block_hash

    def scan_transfers(
        self,
        first_height: int,
        last: BlockRef,
        watched: Iterable[Address],
        assets: Sequence[Asset],
        progress: Progress | None = None,
    ) -> TransferScan:
        """What moved, as far as the node does not hide it."""
        self._known(last)
        blocks = [block for height in range(first_height, last.height + 1) if (block := self._node.at(height))]
        wanted, addresses = {asset.asset_id: asset for asset in assets}, set(watched)
        moved = [
            transfer
            for block in blocks
            for transfer in block.transfers
            if transfer.asset.asset_id in wanted
            and addresses & {transfer.sender, transfer.receiver}
            and not self._node.hides(transfer)
        ]
        if progress is not None:
            progress(len(blocks))
        return TransferScan(tuple(block.ref for block in blocks), tuple(moved), node_id=self.node_id)

    @property
    def traces_blocks(self) -> bool:
        """It can be asked to look into blocks."""
        return True

    def trace_blocks(
        self,
        blocks: Sequence[BlockRef],
        watched: Iterable[Address],
        native: Asset,
        progress: Progress | None = None,
    ) -> list[BlockTrace]:
        """What moved inside transactions, as far as the node traces them and does not hide it."""
        addresses = set(watched)
        if progress is not None:
            progress(len(blocks))
        return [self._trace(self._known(block), addresses) for block in blocks]

    def _trace(self, block: FakeBlock, watched: set[Address]) -> BlockTrace:
        method = self._node.tracer
        if not method:
            return BlockTrace(block.ref, "", self.node_id, reason="no-traces: the node offers no tracer")
        seen = [each for each in block.inside if watched & {each.sender, each.receiver} and not self._node.hides(each)]
        if method == "call-tracer":
            return BlockTrace(block.ref, method, self.node_id, tuple(seen))
        changes = tuple(
            BalanceChange(each.tx_id, address, each.base_units * sign)
            for each in (*block.transfers, *block.inside)
            for address, sign in ((each.sender, -1), (each.receiver, 1))
            if address is not None and address in watched and each.asset.is_native
        )
        return BlockTrace(block.ref, method, self.node_id, changes=changes)

    def asset_problems(self, pin: Pin, assets: Sequence[Asset]) -> dict[AssetId, str]:
        """Assets that are not on the chain, or have other decimals there."""
        self._known(pin.block)
        decimals = self._node.chain.assets
        problems = {}
        for asset in assets:
            if asset.asset_id not in decimals:
                problems[asset.asset_id] = "there is no contract at this address on this chain"
            elif decimals[asset.asset_id] != asset.decimals:
                problems[asset.asset_id] = f"decimals are {decimals[asset.asset_id]} on chain"
        return problems

    def probe(self, now: datetime) -> Mapping[str, str]:
        """It offers everything."""
        self._ask()
        return {"client": "fake/1"}

    def close(self) -> None:
        """Nothing is held open."""

    def _ask(self) -> None:
        if self._node.is_down:
            raise NodeUnavailable("it does not answer", node_id=self.node_id)

    def _depth(self) -> int:
        finality = self._config.finality
        if finality.kind is FinalityKind.CONFIRMED:
            return finality.confirmations - 1
        return 0 if finality.kind is FinalityKind.LATEST else FINALIZED_BELOW_HEAD

    def _known(self, block: BlockRef) -> FakeBlock:
        self._ask()
        found = self._node.at(block.height)
        if found is None or found.ref.block_hash != block.block_hash:
            raise ChainMoved(f"{block} is not canonical", node_id=self.node_id)
        return found

    def _observe(self, pin: Pin, block: FakeBlock, holding: Holding) -> BalanceObservation:
        key = (holding.address, holding.asset.asset_id)
        base_units = self._node.balances.get(key, block.balances.get(key, 0))
        reason = "" if base_units is not None else "node-refused: the node does not say"
        if holding.asset.asset_id not in self._node.chain.assets:
            base_units, reason = None, "malformed-answer: there is no contract"
        return BalanceObservation(
            holding=holding,
            block=pin.block,
            finality=pin.finality,
            status=ReadStatus.FAILED if base_units is None else ReadStatus.OK,
            base_units=base_units,
            method="fake",
            node_id=self.node_id,
            reason=reason,
        )
