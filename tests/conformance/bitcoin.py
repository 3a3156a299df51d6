"""The Bitcoin adapter's harness: a regtest node on the consensus library, with a wallet that pays."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from chains.bitcoin import chain_plugin
from chains.bitcoin.networks import DECIMALS, REGTEST
from chains.bitcoin.script import address_of_script, witness_script
from chains.devnet.bitcoin.kernel_node import KernelNode
from chains.devnet.bitcoin.mining import COINBASE_MATURITY
from chains.devnet.bitcoin.wallet import TestWallet
from chains.reader import ChainConfig, ChainPlugin, ReadLimits
from chains.types import Address, Asset, Finality
from tests.conformance.opened import OpenedReaders


class BitcoinHarness(OpenedReaders):
    """`tests.conformance.harness.ReaderHarness` on regtest."""

    def __init__(self, kernel: KernelNode) -> None:
        self.node = kernel.node
        self.plugin: ChainPlugin = chain_plugin
        self.native = Asset(REGTEST.asset_id, "BTC", DECIMALS)
        self.tokens: Sequence[Asset] = []
        self.unknown_asset: Asset | None = None
        good = self.new_address()
        self.bad_addresses: Sequence[str] = [
            *("", "0x", good[:-1], good[:-1] + ("q" if good[-1] != "q" else "p"), good[:4].upper() + good[4:]),
            *("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
        ]
        self.wallet = TestWallet(self.node, "conformance")
        self.node.mine_history(2, to=self.wallet.new_address())
        self.node.mine(COINBASE_MATURITY)
        config = ChainConfig(
            chain_id=REGTEST.chain_id,
            name="regtest",
            genesis_hash=REGTEST.genesis_hash,
            nodes=(),
            finality=Finality.parse("latest"),
            native_asset=self.native,
            header_format="bitcoin",
            limits=ReadLimits(attempts_max=1, retry_wait_seconds_max=0),
        )
        self.prepare(config, self.node.url)

    def now(self) -> datetime:
        """Just after the newest block."""
        return datetime.fromtimestamp(self.node.block(self.node.tip).header.time, UTC) + timedelta(seconds=1)

    def height(self) -> int:
        """Height of the newest block."""
        return self.node.height

    def new_address(self) -> Address:
        """An address that was never used."""
        address = address_of_script(REGTEST, witness_script(0, secrets.token_bytes(20)))
        assert address is not None
        return address

    def pay(self, receiver: Address, asset: Asset, base_units: int) -> Address:
        """Pay from the wallet, in a block of its own."""
        payment = self.wallet.pay(receiver, base_units)
        self.node.mine()
        return Address(payment.coins[0].lock.address)

    def mine(self, blocks: int) -> None:
        """Add empty blocks."""
        self.node.mine(blocks)

    def reorganise(self, depth: int) -> None:
        """Replace the newest blocks by empty ones, and one more: only more work replaces anything."""
        self.node.reorg(depth)
