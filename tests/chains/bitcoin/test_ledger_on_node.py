"""Our ledger equals the node's own set of coins at every tip: real consensus, signed payments, real reorganisations.

The node's balances come from its `scantxoutset`, which knows nothing of our way of reading. Transfers must close every
address on top: what it had + received - sent - fees is what it has.
"""

from __future__ import annotations

import random
from collections import defaultdict

import pytest

from chains.bitcoin.block import Block, read_block, read_header, read_spent
from chains.bitcoin.ledger import match_block
from chains.bitcoin.ledger_file import LedgerFile
from chains.bitcoin.movements import movements
from chains.bitcoin.networks import REGTEST
from chains.bitcoin.script import script_of_address
from chains.bitcoin.transaction import Output
from chains.devnet.bitcoin.keys import Kind
from chains.devnet.bitcoin.node import RegtestNode
from chains.devnet.bitcoin.wallet import NotEnoughCoins, TestWallet
from chains.types import Address, Asset

COIN = Asset(REGTEST.asset_id, "BTC", 8)
ROUNDS = 5


def pair(node: RegtestNode, block_hash: str) -> tuple[Block, list[list[Output]]]:
    """A block and what it spends, as the adapter fetches them."""
    raw, spent = (node.rest(f"/rest/{kind}/{block_hash}.bin") for kind in ("block", "spenttxouts"))
    return read_block(raw), read_spent(spent)


def follow(ledger: LedgerFile, node: RegtestNode) -> list[tuple[Block, list[list[Output]]]]:
    """The walk: back to the fork, then up to the node's tip. Returns the blocks that are new."""
    missing = []
    block_hash = node.tip
    while not ledger.is_active(block_hash):
        missing.append(pair(node, block_hash))
        block_hash = missing[-1][0].header.previous[::-1].hex()
    ledger.rewind(block_hash)
    ledger.apply(reversed(missing))
    return missing[::-1]


def held(ledger: LedgerFile, scripts: list[bytes], block_hash: str) -> list[int]:
    """Each script's balance as of a block."""
    found = ledger.balances(scripts, block_hash)
    return [balance.base_units for script in scripts if (balance := found[script]) is not None]


@pytest.mark.fault("A31")
@pytest.mark.parametrize("seed", [1, 2])
def test_the_ledger_is_the_nodes_set_of_coins(
    bitcoin_regtest: RegtestNode, bitcoin_wallet: TestWallet, seed: int
) -> None:
    chance = random.Random(seed)
    node, wallet = bitcoin_regtest, bitcoin_wallet
    addresses = [wallet.new_address(kind) for kind in Kind]
    scripts = [script_of_address(REGTEST, address) for address in addresses]
    told: dict[str, list[int]] = {}
    with LedgerFile(None, REGTEST) as ledger:
        ledger.begin(read_header(node.rest(f"/rest/block/{node.block_hash(0)}.bin")[:80]), 0)
        ledger.add_scripts(scripts, 1)
        follow(ledger, node)
        for _ in range(ROUNDS):
            if chance.random() < 0.4:
                node.reorg(chance.randint(1, 3), to=chance.choice(addresses))
            for _ in range(chance.randint(1, 3)):
                amounts = {address: chance.randint(1_000, 50_000_000) for address in chance.sample(addresses, 2)}
                try:
                    wallet.pay_many(amounts, change_to=chance.choice([None, *addresses]))
                except NotEnoughCoins:
                    break
            node.mine(chance.randint(1, 2), to=chance.choice(addresses))
            require_closing(ledger, addresses, scripts, follow(ledger, node))
            told[node.tip] = held(ledger, scripts, node.tip)
            assert told[node.tip] == [node.balance(address) for address in addresses]
        for block_hash, balances in told.items():  # past tips, orphaned ones among them, read as they did then
            assert held(ledger, scripts, block_hash) == balances
    assert any(map(any, told.values()))


def require_closing(
    ledger: LedgerFile, addresses: list[str], scripts: list[bytes], blocks: list[tuple[Block, list[list[Output]]]]
) -> None:
    """Transfers of the new blocks lead from each address's balance before them to the one after."""
    sums: dict[Address | None, int] = defaultdict(int)
    for block, spent in blocks:
        known = ledger.block(block.header.block_hash)
        assert known is not None
        watched = frozenset(scripts)
        for transfer in movements(match_block(block, spent, watched), known, REGTEST, COIN, watched):
            sums[transfer.sender] -= transfer.base_units
            sums[transfer.receiver] += transfer.base_units
    before = held(ledger, scripts, blocks[0][0].header.previous[::-1].hex())
    after = held(ledger, scripts, blocks[-1][0].header.block_hash)
    assert [start + sums[Address(address)] for start, address in zip(before, addresses, strict=True)] == after


def test_a_ledger_that_missed_a_block_differs_from_the_node(
    bitcoin_regtest: RegtestNode, bitcoin_wallet: TestWallet
) -> None:
    """The twin: the comparison above can fail."""
    address = bitcoin_wallet.new_address()
    script = script_of_address(REGTEST, address)
    with LedgerFile(None, REGTEST) as ledger:
        ledger.begin(read_header(bitcoin_regtest.rest(f"/rest/block/{bitcoin_regtest.block_hash(0)}.bin")[:80]), 0)
        ledger.add_scripts([script], 1)
        follow(ledger, bitcoin_regtest)
        before = bitcoin_regtest.tip
        bitcoin_wallet.pay(address, 1_000_000)
        bitcoin_regtest.mine()
        assert held(ledger, [script], before) != [bitcoin_regtest.balance(address)]
        follow(ledger, bitcoin_regtest)
        assert held(ledger, [script], bitcoin_regtest.tip) == [bitcoin_regtest.balance(address)] == [1_000_000]
