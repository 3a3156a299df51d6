"""The EVM adapter's harness: an Anvil node of its own."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from chains.devnet.anvil import AnvilNode
from chains.devnet.deploy import deployed, send
from chains.evm import chain_plugin
from chains.evm.addresses import checksum_address
from chains.reader import ChainConfig, ChainPlugin, ChainReader, NodeConfig, ReadLimits
from chains.registry import open_reader
from chains.types import Address, AnchorEvidence, Asset, AssetId, ChainId, Finality


class EvmHarness:
    """`tests.conformance.harness.ReaderHarness` on Anvil."""

    supports_height_history = True
    node_id = "node-1"
    anchor = AnchorEvidence.SINGLE

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
        self._opened: list[ChainReader] = []
        self._config = ChainConfig(
            chain_id=chain_id,
            name="devnet",
            genesis_hash=node.block_hash(0),
            nodes=(),
            finality=Finality.parse("latest"),
            native_asset=self.native,
            limits=ReadLimits(attempts_max=1, retry_wait_seconds_max=0),
            history_mode=history_mode,
        )
        self._token.transact("mint", self._payer, 10**18)

    def reader(self, *, finality: Finality | None = None, wrong_genesis: bool = False) -> ChainReader:
        config = replace(self._config, finality=finality or self._config.finality)
        if wrong_genesis:
            config = replace(config, genesis_hash="0x" + "11" * 32)
        return self._open(config, self.node.url)

    def stopped_reader(self) -> ChainReader:
        return self._open(self._config, "http://127.0.0.1:1")

    def _open(self, config: ChainConfig, url: str) -> ChainReader:
        reader = open_reader(config, NodeConfig("node-1", "operator-1", url))
        self._opened.append(reader)
        return reader

    def close(self) -> None:
        for reader in self._opened:
            reader.close()

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
