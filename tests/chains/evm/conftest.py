"""A configured EVM chain on the test's Anvil node, for the tests of the reader."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from chains.devnet.anvil import AnvilNode
from chains.devnet.deploy import Deployed, send
from chains.evm.reader import EvmReader, HeadMemory
from chains.reader import ChainConfig, NodeConfig, Pin, ReadLimits
from chains.transport import JsonRpcTransport
from chains.types import Address, Asset, AssetId, ChainId, Finality

LIMITS = ReadLimits(attempts_max=1, retry_wait_seconds_max=0)


@dataclass
class EvmChain:
    """One Anvil chain as the firm would configure it."""

    node: AnvilNode
    config: ChainConfig
    opened: list[EvmReader] = field(default_factory=list)

    @property
    def native(self) -> Asset:
        return self.config.native_asset

    def token(self, deployed: Deployed, decimals: int = 18, symbol: str = "TKN") -> Asset:
        return Asset(AssetId(f"{self.config.chain_id}/erc20:{deployed.address}"), symbol, decimals)

    def reader(
        self,
        url: str | None = None,
        *,
        strategy: str | None = None,
        limits: ReadLimits = LIMITS,
        head_memory: HeadMemory | None = None,
        **changes: object,
    ) -> EvmReader:
        config = replace(self.config, **changes)  # type: ignore[arg-type]
        node = NodeConfig("node-1", "operator-1", url or self.node.url)
        transport = JsonRpcTransport(node, limits)
        reader = EvmReader(config, "node-1", transport, strategy=strategy, head_memory=head_memory)
        self.opened.append(reader)
        return reader

    def now(self) -> datetime:
        """A moment just after the newest block: Anvil's clock may run ahead of ours."""
        return datetime.fromtimestamp(int(self.node.block()["timestamp"], 16), UTC) + timedelta(seconds=1)

    def pin(self, reader: EvmReader) -> Pin:
        return reader.pin(now=self.now())

    def pay(self, sender: str, to: str | None, value: int = 0, data: str = "0x") -> dict[str, object]:
        return send(self.node, sender, to, value_wei=value, data=data)


@pytest.fixture
def chain(anvil: AnvilNode) -> Iterator[EvmChain]:
    chain_id = ChainId(f"eip155:{anvil.chain_id}")
    config = ChainConfig(
        chain_id=chain_id,
        name="devnet",
        genesis_hash=anvil.block_hash(0),
        nodes=(NodeConfig("node-1", "operator-1", anvil.url),),
        finality=Finality.parse("latest"),
        native_asset=Asset(AssetId(f"{chain_id}/slip44:60"), "ETH", 18),
    )
    chain = EvmChain(anvil, config)
    yield chain
    for reader in chain.opened:
        reader.close()


@pytest.fixture
def holders(accounts: list[str]) -> list[Address]:
    return [Address(account) for account in accounts]
