"""The harness of a quorum: three readers of another harness's devnet, two of which must agree."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from chains.agreement import Witness
from chains.quorum import QuorumReader
from chains.reader import ChainReader
from chains.types import Address, AnchorEvidence, Asset, Finality
from tests.conformance.harness import ReaderHarness

WITNESSES = tuple(Witness(f"node-{number}", f"operator-{number}") for number in (1, 2, 3))


class QuorumHarness:
    """`tests.conformance.harness.ReaderHarness` of the same devnet, read by three operators at once."""

    node_id = "node-1+node-2+node-3"
    anchor = AnchorEvidence.AGREED

    def __init__(self, own: ReaderHarness) -> None:
        self._own = own
        self.plugin, self.native, self.tokens = own.plugin, own.native, own.tokens
        self.unknown_asset, self.bad_addresses = own.unknown_asset, own.bad_addresses
        self.supports_height_history = own.supports_height_history

    def reader(self, *, finality: Finality | None = None, wrong_genesis: bool = False) -> ChainReader:
        """Three of the other harness's readers as one."""
        return self._quorum(lambda: self._own.reader(finality=finality, wrong_genesis=wrong_genesis))

    def stopped_reader(self) -> ChainReader:
        """All three nodes are down."""
        return self._quorum(self._own.stopped_reader)

    def _quorum(self, one: Callable[[], ChainReader]) -> ChainReader:
        return QuorumReader({witness: one() for witness in WITNESSES}, quorum=2)

    def now(self) -> datetime:
        """The devnet's."""
        return self._own.now()

    def height(self) -> int:
        """The devnet's."""
        return self._own.height()

    def new_address(self) -> Address:
        """The devnet's."""
        return self._own.new_address()

    def pay(self, receiver: Address, asset: Asset, base_units: int) -> Address:
        """On the devnet."""
        return self._own.pay(receiver, asset, base_units)

    def mine(self, blocks: int) -> None:
        """On the devnet."""
        self._own.mine(blocks)

    def reorganise(self, depth: int) -> None:
        """On the devnet."""
        self._own.reorganise(depth)
