"""The harness of the chain in memory: what stands in for a chain in other tests keeps the same promises."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from chains.evm.addresses import checksum_address
from chains.reader import ChainConfig, ChainPlugin, ChainReader, NodeConfig
from chains.types import Address, AnchorEvidence, Asset, AssetId, Finality
from tests.fakes.chain import FakeChain
from tests.fakes.reader import FakeNode, FakePlugin


class FakeHarness:
    """`tests.conformance.harness.ReaderHarness` on a chain in memory."""

    supports_height_history = True
    node_id = "node-1"
    anchor = AnchorEvidence.SINGLE

    def __init__(self) -> None:
        self._chain = FakeChain()
        self._nodes = {"up": FakeNode(self._chain), "down": FakeNode(self._chain, is_down=True)}
        self.plugin: ChainPlugin = FakePlugin(self._nodes)
        self.native = self._chain.new_asset("slip44:60", 18)
        self.tokens: Sequence[Asset] = [self._chain.new_asset(f"erc20:{self.new_address()}", 6)]
        self.unknown_asset: Asset | None = Asset(
            AssetId(f"{self._chain.chain_id}/erc20:{self.new_address()}"), "NONE", 6
        )
        self.bad_addresses: Sequence[str] = ["", "0x", self.new_address()[:-1]]
        self._payer = self.new_address()
        for asset in (self.native, *self.tokens):
            self._chain.mint(self._payer, asset, 10**18)
        self._config = ChainConfig(
            chain_id=self._chain.chain_id,
            name="in memory",
            genesis_hash=self._chain.blocks[0].ref.block_hash,
            nodes=(),
            finality=Finality.parse("latest"),
            native_asset=self.native,
        )

    def reader(self, *, finality: Finality | None = None, wrong_genesis: bool = False) -> ChainReader:
        """A reader of the node that is up."""
        config = replace(self._config, finality=finality or self._config.finality)
        if wrong_genesis:
            config = replace(config, genesis_hash="0x" + "11" * 32)
        return self.plugin.open(config, NodeConfig("node-1", "operator-1", "up"))

    def stopped_reader(self) -> ChainReader:
        """A reader of the node that is down."""
        return self.plugin.open(self._config, NodeConfig("node-1", "operator-1", "down"))

    def now(self) -> datetime:
        """Just after the newest block."""
        return self._chain.head_time() + timedelta(seconds=1)

    def height(self) -> int:
        """Height of the newest block."""
        return self._chain.head.height

    def new_address(self) -> Address:
        """An address that was never used."""
        return checksum_address(secrets.token_bytes(20))

    def pay(self, receiver: Address, asset: Asset, base_units: int) -> Address:
        """Pay from the one rich address."""
        self._chain.pay(self._payer, receiver, asset, base_units)
        return self._payer

    def mine(self, blocks: int) -> None:
        """Add empty blocks."""
        self._chain.mine(blocks)

    def reorganise(self, depth: int) -> None:
        """Replace the newest blocks by empty ones."""
        self._chain.reorganise(depth)

    def close(self) -> None:
        """Nothing is held open."""
