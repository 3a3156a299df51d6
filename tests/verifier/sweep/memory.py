"""A desk before a chain in memory."""

from __future__ import annotations

from pathlib import Path

from chains.types import Asset
from tests.fakes.chain import FakeChain
from tests.fakes.reader import FakeNode, FakePlugin
from tests.verifier.sweep.desk import Desk
from tests.verifier.sweep.world import address
from verifier.store import Store

USDX_CONTRACT = address(900)


class MemoryDesk(Desk):
    """One firm, one token, a chain in memory, and nodes `node-1` to `node-N` of it, all honest at first."""

    def __init__(self, store: Store, folder: Path, *, nodes: int = 1, chain: FakeChain | None = None) -> None:
        self.chain = chain or FakeChain()
        self.nodes = {f"fake://node-{number}": FakeNode(self.chain) for number in range(1, nodes + 1)}
        self.asset: Asset = self.chain.new_asset(f"erc20:{USDX_CONTRACT}", 6)
        super().__init__(
            store,
            self.chain,
            folder,
            genesis_hash=self.chain.blocks[0].ref.block_hash,
            urls=self.nodes,
            token=USDX_CONTRACT,
            plugin=FakePlugin(self.nodes),
        )

    def node(self, number: int = 1) -> FakeNode:
        """One of the nodes, to spoil it."""
        return self.nodes[f"fake://node-{number}"]


def swept_desk(store: Store, folder: Path) -> MemoryDesk:
    """A firm whose one wallet is as the books say, after a sweep."""
    desk = MemoryDesk(store, folder)
    desk.history_from = 1
    desk.open_books(address(1))
    desk.chain.mint(address(1), desk.asset, 1_000)
    desk.allocate(address(1), C_1=1_000)
    assert desk.sweep().exit_code == 0
    return desk
