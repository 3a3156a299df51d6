"""What the conformance suite needs of a chain: a local network on which value can be moved and blocks replaced.

A new chain adapter implements `ReaderHarness` on its own devnet and is added to the fixture `harness` in conftest.py.
Every test of the suite then runs against it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from chains.reader import ChainPlugin, ChainReader
from chains.types import Address, AnchorEvidence, Asset, Finality


class ReaderHarness(Protocol):
    """A devnet of one chain, and readers of it."""

    plugin: ChainPlugin
    native: Asset
    tokens: Sequence[Asset]
    """Further assets of the chain that `pay` can move; empty where the chain has none."""
    unknown_asset: Asset | None
    """A well-formed asset id that names nothing on this chain; None where that cannot be."""
    bad_addresses: Sequence[str]
    """Texts that are no address of this chain."""
    supports_height_history: bool
    """Whether balances of older blocks can be read."""
    node_id: str
    """How the readers name the node or nodes they ask."""
    anchor: AnchorEvidence
    """How strongly a balance's block is evidenced by what the readers ask."""

    def reader(self, *, finality: Finality | None = None, wrong_genesis: bool = False) -> ChainReader:
        """A reader of the devnet; with `wrong_genesis` configured for another network."""

    def stopped_reader(self) -> ChainReader:
        """A reader whose node does not answer."""

    def now(self) -> datetime:
        """A moment just after the newest block."""

    def height(self) -> int:
        """Height of the newest block."""

    def new_address(self) -> Address:
        """An address that was never used."""

    def pay(self, receiver: Address, asset: Asset, base_units: int) -> Address:
        """Move value to an address in a block of its own, and return the address that paid."""

    def mine(self, blocks: int) -> None:
        """Add empty blocks."""

    def reorganise(self, depth: int) -> None:
        """Replace the newest blocks by as many others that hold none of their transactions."""
