"""The networks are those that Bitcoin Core's consensus library knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from chains.bitcoin.networks import NETWORKS, Network
from chains.devnet.bitcoin.wire import block_of

pbk = pytest.importorskip("pbk", reason="the consensus library (extra bitcoin) is not installed")
CHAIN_TYPES = {
    "main": pbk.ChainType.MAINNET,
    "test": pbk.ChainType.TESTNET,
    "testnet4": pbk.ChainType.TESTNET_4,
    "signet": pbk.ChainType.SIGNET,
    "regtest": pbk.ChainType.REGTEST,
}


def short_form(target: int) -> int:
    """A target as a header holds it: its length in bytes, and its first three bytes."""
    size = (target.bit_length() + 7) // 8
    mantissa = target >> (8 * (size - 3))
    return ((size + 1) << 24 | mantissa >> 8) if mantissa & 0x800000 else (size << 24 | mantissa)


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: str(network.name))
def test_genesis_and_least_work(network: Network, tmp_path: Path) -> None:
    manager = pbk.load_chainman(tmp_path, CHAIN_TYPES[network.name])
    first = manager.get_active_chain().block_tree_entries[0]
    genesis = block_of(bytes(manager.blocks[first]))
    assert (str(first.block_hash), genesis.hash_text) == (network.genesis_hash, network.genesis_hash)
    assert genesis.header.bits == short_form(network.pow_limit)  # a genesis block is as easy as the network allows


def test_every_network_is_compared() -> None:
    assert set(CHAIN_TYPES) == {network.name for network in NETWORKS}
