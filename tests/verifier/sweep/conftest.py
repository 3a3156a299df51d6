"""Desks before real chains."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from chains.devnet.bitcoin.node import RegtestNode
from chains.devnet.node import AnvilNode
from tests.verifier.sweep.bitcoin_world import BitcoinDesk, BitcoinWorld, Pool
from tests.verifier.sweep.desk import Desk
from tests.verifier.sweep.world import AnvilWorld
from verifier.store import Store


@pytest.fixture
def world(anvil: AnvilNode) -> AnvilWorld:
    """Tokens on the test's Anvil node."""
    return AnvilWorld(anvil)


NewDesk = Callable[[Store], Desk]


@pytest.fixture
def new_desk(world: AnvilWorld, tmp_path: Path) -> NewDesk:
    """Makes a desk on a store."""

    def make(store: Store) -> Desk:
        return Desk(
            store,
            world,
            tmp_path,
            genesis_hash=world.node.block_hash(0),
            urls=[world.node.url],
            token=world.usdx.address,
        )

    return make


@pytest.fixture
def desk(new_desk: NewDesk, sqlite_store: Store) -> Desk:
    """A desk on SQLite before a real Anvil chain."""
    return new_desk(sqlite_store)


@pytest.fixture
def bitcoin_pool(bitcoin_nodes: Callable[..., RegtestNode], sqlite_store: Store, tmp_path: Path) -> Pool:
    """A pool of Bitcoin wallets at a desk on SQLite before a regtest chain, a first sweep behind."""
    world = BitcoinWorld(bitcoin_nodes(history=0))
    return Pool.open(BitcoinDesk(sqlite_store, world, tmp_path, [world.node.url]), world)
