"""A chain in memory with several nodes, each of which a test can make lie, lag or fail on its own."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from datetime import datetime, timedelta

from chains.evm.addresses import checksum_address
from chains.quorum import QuorumReader, open_quorum
from chains.reader import ChainConfig, NodeConfig, Pin
from chains.types import Address, Finality, Holding
from tests.fakes.chain import FakeChain
from tests.fakes.reader import FakeNode, FakePlugin


def address(number: int) -> Address:
    """An address nobody has the key of."""
    return checksum_address(bytes.fromhex(f"c0ffee{number:034x}"))


ALICE, BOB, OUTSIDE = address(1), address(2), address(3)


class QuorumDesk:
    """One chain, its nodes `a`, `b`, `c`, … and the operators who run them."""

    def __init__(self, operators: Sequence[str] = ("A", "B", "C"), quorum: int = 2, finality: str = "latest") -> None:
        self.chain = FakeChain()
        self.native = self.chain.new_asset("slip44:60", 18)
        self.token = self.chain.new_asset(f"erc20:{address(9)}", 6)
        self.chain.mint(OUTSIDE, self.token, 1_000_000)
        self.names = [chr(ord("a") + number) for number in range(len(operators))]
        self.nodes = {name: FakeNode(self.chain) for name in self.names}
        self.config = ChainConfig(
            chain_id=self.chain.chain_id,
            name="in memory",
            genesis_hash=self.chain.blocks[0].ref.block_hash,
            nodes=tuple(
                NodeConfig(f"node-{name}", operator, name) for name, operator in zip(self.names, operators, strict=True)
            ),
            finality=Finality.parse(finality),
            native_asset=self.native,
            quorum=quorum,
        )

    def __getitem__(self, name: str) -> FakeNode:
        return self.nodes[name]

    def open(self) -> QuorumReader:
        """A reader through all the nodes."""
        return open_quorum(self.config, FakePlugin(self.nodes))

    def now(self) -> datetime:
        """Just after the newest block."""
        return self.chain.head_time() + timedelta(seconds=1)

    def pin(self, reader: QuorumReader, height: int | None = None) -> Pin:
        """Pin now."""
        return reader.pin(height=height, now=self.now())

    def fork(self, name: str) -> FakeChain:
        """Give a node a chain of its own, the same up to here."""
        own = copy.copy(self.chain)
        own.blocks = list(self.chain.blocks)
        own.forks += 1 + self.names.index(name)
        self.nodes[name].chain = own
        return own

    def lie(self, name: str, base_units: int | None, at: Address = ALICE) -> None:
        """Let a node say another token balance; None: let it fail on it."""
        self.nodes[name].balances[at, self.token.asset_id] = base_units

    def holding(self, at: Address = ALICE) -> Holding:
        """The token at an address."""
        return Holding(at, self.token)
