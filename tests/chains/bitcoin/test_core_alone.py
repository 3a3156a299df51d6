"""What Bitcoin Core alone answers, asked of a real one where there is one; elsewhere its recorded replies stand in.

`test_second_source.py` and `test_core.py` hold the same code against recorded replies. A run without a `bitcoind` says
at its end that 0 of these ran.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chains.bitcoin import chain_plugin
from chains.bitcoin.reader import BitcoinReader
from chains.devnet.bitcoin.node import RegtestNode
from chains.devnet.bitcoin.pytest_plugin import WALLET
from chains.devnet.bitcoin.wallet import TestWallet
from chains.errors import ChainMoved
from chains.reader import NodeConfig
from chains.types import Address
from tests.chains.bitcoin.test_reader import CONFIG

pytestmark = pytest.mark.devnet

INDEX_SECONDS = 30


@pytest.fixture
def paid(bitcoin_core: RegtestNode) -> tuple[RegtestNode, TestWallet, list[Address]]:
    """Two addresses that were paid in the newest block."""
    wallet = TestWallet(bitcoin_core, WALLET)
    wallet.new_lock()
    watched = TestWallet(bitcoin_core, "watched")
    addresses = [Address(watched.new_address()) for _ in range(2)]
    wallet.pay_many(dict.fromkeys(addresses, 10_000_000))
    bitcoin_core.mine()
    return bitcoin_core, watched, addresses


@pytest.fixture
def reader(bitcoin_core: RegtestNode) -> Iterator[BitcoinReader]:
    opened = chain_plugin.open(CONFIG, NodeConfig("node-1", "operator-1", bitcoin_core.url))
    assert isinstance(opened, BitcoinReader)
    yield opened
    opened.close()


def test_a_dump_of_an_earlier_block_agrees_with_the_ledger(
    paid: tuple[RegtestNode, TestWallet, list[Address]], reader: BitcoinReader, tmp_path: Path
) -> None:
    node, watched, addresses = paid
    pin = reader.pin(now=datetime.now(UTC))
    watched.pay(addresses[0], 1_000_000)
    node.mine(2)
    file = tmp_path / "coins.dat"
    node.rpc("dumptxoutset", str(file), "rollback", {"rollback": pin.block.block_hash})
    data = file.read_bytes()
    assert reader.pin_of_dump(data).block == pin.block
    opinion = reader.dump_opinion(pin, addresses, data)
    assert (opinion.agrees, opinion.coins) == (True, 2)
    with pytest.raises(ChainMoved):
        reader.dump_opinion(reader.pin(now=datetime.now(UTC)), addresses, data)


def test_digests_name_the_set_after_each_block(
    paid: tuple[RegtestNode, TestWallet, list[Address]], reader: BitcoinReader
) -> None:
    node, _, _ = paid
    until = time.monotonic() + INDEX_SECONDS
    while not node.rpc("getindexinfo", "coinstatsindex")["coinstatsindex"]["synced"]:
        assert time.monotonic() < until, "the index does not become ready"
        time.sleep(0.05)
    before = reader.coin_set_digest(reader.block_at(node.height - 1))
    after = reader.coin_set_digest(reader.block_at(node.height))
    assert before.muhash != after.muhash
    assert after == reader.coin_set_digest(reader.block_at(node.height))
    assert after.coins > before.coins


def test_a_real_node_is_found_fit(bitcoin_core: RegtestNode, reader: BitcoinReader) -> None:
    assert reader.identify().genesis_hash == bitcoin_core.block_hash(0)
    found = reader.probe(datetime.now(UTC))
    assert found["blocks-by"] in ("rest", "json-rpc")
    assert found["pruned-below"] == "no"
