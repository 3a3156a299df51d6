"""The EVM adapter's harness: an Anvil node of its own."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from chains.devnet.anvil import AnvilNode
from chains.devnet.deploy import deployed, send
from chains.evm import chain_plugin
from chains.evm.addresses import checksum_address
from chains.reader import ChainConfig, ChainPlugin, ReadLimits
from chains.types import Address, Asset, AssetId, ChainId, Finality
from tests.conformance.opened import OpenedReaders


class EvmHarness(OpenedReaders):
    """`tests.conformance.harness.ReaderHarness` on Anvil."""

    def __init__(self, node: AnvilNode, *, history_mode: str = "logs") -> None:
        self.node = node
        self.plugin: ChainPlugin = chain_plugin
        chain_id = ChainId(f"eip155:{node.chain_id}")
        self._token = deployed(node, "Erc20", ["Token", "TKN", 6])
        self.native = Asset(AssetId(f"{chain_id}/slip44:60"), "ETH", 18)
        self.tokens: Sequence[Asset] = [Asset(AssetId(f"{chain_id}/erc20:{self._token.address}"), "TKN", 6)]
        self.unknown_asset: Asset | None = Asset(AssetId(f"{chain_id}/erc20:{self.new_address()}"), "NONE", 6)
        self.bad_addresses: Sequence[str] = ["", "0x", node.accounts()[0].lower(), node.accounts()[0][:-1]]
        self._payer = Address(node.accounts()[0])
        config = ChainConfig(
            chain_id=chain_id,
            name="devnet",
            genesis_hash=node.block_hash(0),
            nodes=(),
            finality=Finality.parse("latest"),
            native_asset=self.native,
            limits=ReadLimits(attempts_max=1, retry_wait_seconds_max=0),
            history_mode=history_mode,
        )
        self.prepare(config, self.node.url)
        self._token.transact("mint", self._payer, 10**18)

    def now(self) -> datetime:
        return datetime.fromtimestamp(int(self.node.block()["timestamp"], 16), UTC) + timedelta(seconds=1)

    def height(self) -> int:
        return self.node.block_number()

    def new_address(self) -> Address:
        return checksum_address(secrets.token_bytes(20))

    def pay(self, receiver: Address, asset: Asset, base_units: int) -> Address:
        if asset.is_native:
            send(self.node, self._payer, receiver, value_wei=base_units)
        else:
            self._token.transact("transfer", receiver, base_units)
        return self._payer

    def mine(self, blocks: int) -> None:
        self.node.mine(blocks)

    def reorganise(self, depth: int) -> None:
        self.node.reorg(depth)
