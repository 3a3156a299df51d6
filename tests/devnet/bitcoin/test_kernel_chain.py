"""The chain behind the test node: what the library accepts, branches, spent coins, and the set of coins."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chains.bitcoin.networks import COIN
from chains.devnet.bitcoin.kernel_chain import Coin, Entry, KernelChain, Outpoint, is_spendable
from chains.devnet.bitcoin.mining import build_block, mined, script_number, subsidy
from chains.devnet.bitcoin.wire import (
    Block,
    Reader,
    Transaction,
    TxInput,
    TxOutput,
    block_of,
    compact_size,
    display,
    merkle_root,
    transaction_of,
)
from tests.devnet.bitcoin import recorded

ANYONE = bytes.fromhex("0020") + bytes.fromhex("4ae81572f06e1b88fd5ced7a1a000945432e83e1551e6f721ee9c00b8cc33260")
"""Pays to the script OP_TRUE: anyone may spend it, with that script as witness."""
OP_TRUE = b"\x51"
START = 1_767_225_600


@pytest.fixture
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KernelChain]:
    chain = KernelChain(tmp_path_factory.mktemp("kernel"))
    yield chain
    chain.close()


def on(parent: Entry, transactions: tuple[Transaction, ...] = (), *, extra: bytes = b"", reward: int = 0) -> Block:
    height = parent.height + 1
    output = TxOutput(reward or subsidy(height), ANYONE)
    return build_block(parent.hash, height, START + 600 * height, [output], transactions, extra=extra)


def grow(chain: KernelChain, blocks: int) -> None:
    for _ in range(blocks):
        assert chain.submit(on(chain.tip).raw).verdict is None


def spend(*outpoints: Outpoint, value: int, outputs: int = 1) -> Transaction:
    inputs = tuple(TxInput(txid, vout, witness=(OP_TRUE,)) for txid, vout in outpoints)
    return Transaction(inputs, tuple(TxOutput(value // outputs, ANYONE) for _ in range(outputs)))


def coins_by_replay(chain: KernelChain) -> dict[Outpoint, Coin]:
    """The coins at the tip, counted from the genesis block on: an own, plainer way."""
    coins: dict[Outpoint, Coin] = {}
    for entry in chain.active[1:]:
        for transaction in entry.block.transactions:
            for each in transaction.inputs:
                if not transaction.is_coinbase:
                    del coins[each.outpoint]
            for vout, output in enumerate(transaction.outputs):
                if is_spendable(output.script):
                    coins[transaction.txid, vout] = Coin(
                        output.value, output.script, entry.height, transaction.is_coinbase
                    )
    return coins


def test_the_recorded_chain_is_read_and_written_without_a_difference(chain: KernelChain) -> None:
    raws = [raw for stage in recorded.STAGES for raw in recorded.blocks_of(stage)]
    assert len(raws) == 119
    for raw in raws:
        block = block_of(raw)
        assert block.raw == raw
        assert merkle_root([tx.txid for tx in block.transactions]) == block.header.merkle_root
        assert chain.submit(raw).verdict in (None, "inconclusive")
    assert chain.tip.height == 117
    assert chain.coins == coins_by_replay(chain)


def test_a_longer_branch_takes_over_and_the_older_one_keeps_its_spent_coins(chain: KernelChain) -> None:
    grow(chain, 101)
    first = (chain.active[1].block.transactions[0].txid, 0)
    fork = chain.tip
    spent = chain.submit(on(fork, (spend(first, value=50 * COIN - 1000),)).raw)
    assert (spent.verdict, len(spent.connected), first in chain.coins) == (None, 1, False)
    stale = chain.tip
    undo = chain.spent_raw(stale)
    assert undo == b"\x02\x00\x01" + struct.pack("<q", 50 * COIN) + compact_size(34) + ANYONE
    rival = on(fork, extra=b"rival")
    assert chain.submit(rival.raw).verdict == "inconclusive"
    side = chain.entry(rival.hash)
    assert side is not None
    assert (chain.spent_raw(side), chain.spent_coins(side), side.was_active) == (None, None, False)
    taken = chain.submit(on(side).raw)
    assert (taken.verdict, taken.disconnected, len(taken.connected)) == (None, (stale,), 2)
    assert first in chain.coins
    assert chain.coins == coins_by_replay(chain)
    assert (chain.confirmations(stale), chain.spent_raw(stale), chain.spent_raw(side)) == (-1, undo, b"\x01\x00")
    assert [entry.height for entry in chain.tips()] == [103, 102]
    assert chain.fork_height(stale) == 101


def test_what_the_library_refuses(chain: KernelChain) -> None:
    grow(chain, 101)
    tip = chain.tip
    outpoint = (chain.active[1].block.transactions[0].txid, 0)
    immature = (chain.active[5].block.transactions[0].txid, 0)
    good = spend(outpoint, value=49 * COIN)
    tampered = on(tip, (good,))
    without_work = tampered.header
    while int.from_bytes(without_work.hash, "little") <= without_work.target:
        without_work = replace(without_work, nonce=without_work.nonce + 1)
    refused = {
        "too much for the miner": on(tip, reward=subsidy(102) + 1),
        "more than it spends": on(tip, (spend(outpoint, value=51 * COIN),)),
        "immature": on(tip, (spend(immature, value=COIN),)),
        "no such coin": on(tip, (spend((b"\x77" * 32, 0), value=COIN),)),
        "twice": on(tip, (good, spend(outpoint, value=COIN))),
        "wrong witness": on(tip, (good.with_input(0, witness=(b"\x00",)),)),
        "other transactions than the root says": Block(tampered.header, (tampered.transactions[0],)),
        "no work": Block(without_work, tampered.transactions),
        "wrong height": build_block(tip.hash, 105, START + 600 * 105, [TxOutput(1, ANYONE)]),
        "before its parents": Block(mined(replace(on(tip).header, time=chain.tip.median_time)), on(tip).transactions),
    }
    for name, block in refused.items():
        assert chain.submit(block.raw).verdict == "rejected", name
        assert chain.tip is tip, name
    assert chain.coins == coins_by_replay(chain)
    orphan = build_block(b"\x11" * 32, 5, START, [TxOutput(1, ANYONE)])
    assert chain.submit(orphan.raw).verdict == "prev-blk-not-found"
    assert chain.submit(tampered.raw).verdict is None
    assert chain.submit(tampered.raw).verdict == "duplicate"
    for broken in (b"", tampered.raw[:-1], tampered.raw + b"\x00"):
        with pytest.raises(ValueError, match=r"block|ends"):
            chain.submit(broken)


def test_a_branch_with_a_bad_block_is_marked_and_not_taken(chain: KernelChain) -> None:
    grow(chain, 3)
    fork, tip = chain.active[2], chain.tip
    bad = on(fork, reward=subsidy(3) + 1)
    assert chain.submit(bad.raw).verdict == "inconclusive"  # nobody looks before the branch is the longest
    entry = chain.entry(bad.hash)
    assert entry is not None
    assert chain.submit(on(entry).raw).verdict == "rejected"
    assert chain.tip is tip
    assert entry.invalid
    assert chain.submit(bad.raw).verdict == "duplicate-invalid"


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_coins_and_undo_data_over_random_branches(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    """`_connect` holds every block's spent coins against the library's, so reaching the end compares them all."""
    choose = random.Random(seed)
    chain = KernelChain(tmp_path_factory.mktemp("kernel"))
    try:
        grow(chain, 101)
        reorganised = 0
        for step in range(25):
            depth = choose.choice((0, 0, 0, 1, 2, 4))
            parent = chain.active[max(chain.tip.height - depth, 100)]
            for _ in range(depth + 1):
                spendable = [
                    (outpoint, coin)
                    for outpoint, coin in sorted(chain.coins.items())
                    if coin.height <= parent.height and (not coin.coinbase or parent.height + 1 - coin.height >= 100)
                ]
                block = on(parent, extra=bytes([step]))
                if spendable and chain.is_active(parent) and parent is chain.tip:
                    outpoint, coin = choose.choice(spendable)
                    block = on(parent, (spend(outpoint, value=coin.value, outputs=2),), extra=bytes([step]))
                submitted = chain.submit(block.raw)
                reorganised += bool(submitted.disconnected)
                assert submitted.verdict in (None, "inconclusive")
                assert chain.coins == coins_by_replay(chain)
                found = chain.entry(block.hash)
                assert found is not None
                parent = found
        assert chain.tip.height > 101
        assert reorganised
    finally:
        chain.close()


@pytest.mark.parametrize(
    ("height", "script"),
    [
        (1, "51"),
        (16, "60"),
        (17, "0111"),
        (127, "017f"),
        (128, "028000"),
        (255, "02ff00"),
        (256, "020001"),
        (500000, "0320a107"),
    ],
)
def test_heights_in_coinbases(height: int, script: str) -> None:
    assert script_number(height).hex() == script


@pytest.mark.parametrize("raw", [b"", bytes(10), bytes.fromhex("0200000000010000")])
def test_what_is_no_transaction(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"ends too early|no inputs|more than one"):
        transaction_of(raw)


@pytest.mark.parametrize("number", [0, 0xFC, 0xFD, 0xFFFF, 0x10000, 0xFFFFFFFF, 0x100000000])
def test_counts_there_and_back(number: int) -> None:
    assert Reader(compact_size(number)).compact_size() == number


def test_subsidies_halve() -> None:
    assert [subsidy(height) for height in (1, 149, 150, 299, 300)] == [
        50 * COIN,
        50 * COIN,
        25 * COIN,
        25 * COIN,
        1250000000,
    ]
    assert subsidy(150 * 64) == 0
    assert display(b"\x01" + bytes(31)) == "00" * 31 + "01"
