"""Our ledger equals the set of unspent coins at every tip, over random blocks and reorganisations."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chains.bitcoin.block import read_header
from chains.bitcoin.ledger import match_block
from chains.bitcoin.ledger_file import LedgerFile
from chains.bitcoin.movements import movements
from chains.bitcoin.networks import REGTEST
from chains.bitcoin.script import address_of_script
from chains.types import Address, Asset, Transfer
from tests.chains.bitcoin.model import ModelBlock, genesis, random_block

WATCHED = [bytes.fromhex("0014") + bytes([number]) * 20 for number in range(1, 4)]
OTHERS = [bytes.fromhex("0014") + bytes([number]) * 20 for number in range(10, 13)] + [b"\x21" + b"\x02" * 33 + b"\xac"]
COIN = Asset(REGTEST.asset_id, "BTC", 8)


def begun(chain: Sequence[ModelBlock], scripts: Sequence[bytes] = tuple(WATCHED)) -> LedgerFile:
    """A ledger in memory that watches scripts from the first block of a chain on."""
    ledger = LedgerFile(None, REGTEST)
    ledger.begin(read_header(chain[0].raw[:80]), chain[0].height)
    ledger.add_scripts(scripts, chain[0].height + 1)
    return ledger


def matured() -> list[ModelBlock]:
    """A chain whose first coins can be spent."""
    chain = [genesis()]
    chance = random.Random(7)
    for _ in range(110):
        chain.append(random_block(chain[-1], WATCHED + OTHERS, chance))
    return chain


MATURED = matured()


def require_equal(ledger: LedgerFile, block: ModelBlock) -> None:
    """Every balance, its immature part and every coin are what the model has after the block."""
    found = ledger.balances(WATCHED, block.block_hash)
    for script in WATCHED:
        balance = found[script]
        assert balance is not None
        assert (balance.base_units, balance.immature) == (block.balance(script), block.immature(script))
    coins = ledger.coins(WATCHED, block.block_hash)
    assert {coin.outpoint: (coin.value, coin.script, coin.height, coin.is_coinbase) for coin in coins} == {
        name: (coin.output.value, coin.output.script, coin.height, coin.is_coinbase)
        for name, coin in block.coins.items()
        if coin.output.script in WATCHED
    }
    assert sum(coin.value for coin in coins if not coin.is_mature) == sum(map(block.immature, WATCHED))


@given(seed=st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
@pytest.mark.fault("A41")
def test_the_ledger_is_the_set_of_coins_at_every_tip_over_reorganisations(seed: int) -> None:
    chance = random.Random(seed)
    chain = list(MATURED)
    everything = list(chain)
    ledger = begun(chain)
    ledger.apply(block.pair for block in chain[1:])
    for _ in range(chance.randint(1, 6)):
        back = chance.randint(0, min(5, len(chain) - 100))
        if back:
            chain = chain[:-back]
            assert ledger.rewind(chain[-1].block_hash) == back
            require_equal(ledger, chain[-1])
        new = []
        for _ in range(chance.randint(1, 4)):
            new.append(random_block(chain[-1], WATCHED + OTHERS, chance))
            chain.append(new[-1])
        ledger.apply(block.pair for block in new)
        everything += new
        require_equal(ledger, chain[-1])
    for block in chance.sample(everything[1:], 12):  # past ones and orphaned ones too
        require_equal(ledger, block)
    assert str(ledger.tip) == str(chain[-1].pair[0].header.ref(REGTEST, chain[-1].height))
    ledger.close()


def require_closing(block: ModelBlock, before: ModelBlock, transfers: Sequence[Transfer]) -> None:
    """opening + received - sent - fees = closing for every watched address, to the satoshi."""
    sums: dict[Address | None, int] = defaultdict(int)
    for transfer in transfers:
        sums[transfer.sender] -= transfer.base_units
        sums[transfer.receiver] += transfer.base_units
    for script in WATCHED:
        address = address_of_script(REGTEST, script)
        assert before.balance(script) + sums[address] == block.balance(script)


@given(seed=st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_transfers_and_fees_close_every_address_exactly(seed: int) -> None:
    chance = random.Random(seed)
    before = MATURED[-1]
    for _ in range(3):
        block = random_block(before, WATCHED + OTHERS, chance)
        read, spent = block.pair
        ref = read.header.ref(REGTEST, block.height)
        found = movements(match_block(read, spent, frozenset(WATCHED)), ref, REGTEST, COIN, frozenset(WATCHED))
        require_closing(block, before, found)
        assert len({transfer.transfer_id for transfer in found}) == len(found)
        assert all(transfer.base_units > 0 for transfer in found)
        before = block


def test_a_lost_transfer_would_be_noticed() -> None:
    """The twin: without any one transfer of a block, some address does not close."""
    chance = random.Random(3)
    block = random_block(MATURED[-1], WATCHED, chance)
    read, spent = block.pair
    ref = read.header.ref(REGTEST, block.height)
    found = movements(match_block(read, spent, frozenset(WATCHED)), ref, REGTEST, COIN, frozenset(WATCHED))
    assert found
    for lost in range(len(found)):
        with pytest.raises(AssertionError):
            require_closing(block, MATURED[-1], found[:lost] + found[lost + 1 :])


def test_what_is_watched_does_not_change_the_index_of_a_transfer() -> None:
    chance = random.Random(5)
    block = random_block(MATURED[-1], WATCHED, chance)
    read, spent = block.pair
    ref = read.header.ref(REGTEST, block.height)

    def told(scripts: frozenset[bytes]) -> dict[str, int]:
        found = movements(match_block(read, spent, scripts), ref, REGTEST, COIN, scripts)
        return {transfer.transfer_id: transfer.base_units for transfer in found}

    everything = told(frozenset(WATCHED))
    for script in WATCHED:
        assert told(frozenset({script})).items() <= everything.items()
