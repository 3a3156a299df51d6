"""The reader before a node that mines, pays and reorganises: at every tip its coins are the node's own."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chains.bitcoin import chain_plugin
from chains.devnet.bitcoin.keys import Kind
from chains.devnet.bitcoin.mining import COINBASE_MATURITY
from chains.devnet.bitcoin.node import RegtestNode
from chains.devnet.bitcoin.wallet import NotEnoughCoins, TestWallet
from chains.reader import NodeConfig
from chains.types import Address, Holding, Transfer
from tests.chains.bitcoin.test_reader import COIN, CONFIG

pytestmark = pytest.mark.devnet

ROUNDS = 12


def now_of(node: RegtestNode) -> datetime:
    return datetime.fromtimestamp(node.block(node.tip).header.time, UTC) + timedelta(seconds=1)


@pytest.mark.fault("A41")
@pytest.mark.parametrize("seed", [1, 2])
def test_at_every_tip_the_ledger_is_the_nodes_set(
    bitcoin_nodes: Callable[..., RegtestNode], tmp_path: Path, seed: int
) -> None:
    """Payments between watched and other addresses, coinbases, replacements and reorganisations, in any order."""
    chance = random.Random(seed)
    node = bitcoin_nodes(history=0)
    wallet, others = TestWallet(node, "watched"), TestWallet(node, "others")
    watched = [Address(wallet.new_address(kind)) for kind in (Kind.P2WPKH, Kind.P2TR, Kind.P2PKH, Kind.P2WSH_MULTISIG)]
    elsewhere = [others.new_address() for _ in range(3)]
    node.mine_history(COINBASE_MATURITY + 4, to=watched[0])
    config = replace(CONFIG, state_directory=tmp_path)
    opened = None
    compared = 0
    for _ in range(ROUNDS):
        what = chance.choice(["pay", "pay", "batch", "replace", "mine", "reorganise"])
        try:
            if what == "pay":
                wallet.pay(chance.choice([*watched, *elsewhere]), chance.randrange(1_000, 10**8), fee=500)
            elif what == "batch":
                wallet.pay_many({address: chance.randrange(1_000, 10**7) for address in (*elsewhere, watched[1])})
            elif what == "replace":
                wallet.replace(wallet.pay(elsewhere[0], 50_000, fee=300), fee=3_000)
        except NotEnoughCoins:
            continue
        if what == "reorganise":
            node.reorg(chance.randrange(1, 4), to=chance.choice([watched[2], elsewhere[1]]))
        else:
            node.mine(chance.randrange(1, 3), to=chance.choice([watched[3], elsewhere[2]]))
        reader = chain_plugin.open(config, NodeConfig("node-1", "operator-1", node.url))
        pin = reader.pin(now=now_of(node))
        opinion = reader.second_opinion(pin, watched)
        assert opinion.agrees, opinion.differences
        assert opinion.coins > 0
        balances = [observation.base_units for observation in reader.read_balances(pin, holdings(watched))]
        assert balances == [node.balance(address) for address in watched]
        if opened is not None and reader.is_canonical(opened[0].block):
            before, known = opened
            moved = reader.scan_transfers(before.block.height, pin.block, watched, [COIN]).transfers
            later = [transfer for transfer in moved if transfer.block.height > before.block.height]
            changes = [change(later, address) for address in watched]
            assert [sum(pair) for pair in zip(known, changes, strict=True)] == balances
        opened = (pin, [units or 0 for units in balances])
        reader.close()
        compared += 1
    assert compared > ROUNDS / 2
    assert len(wallet.sent) > 2


def holdings(addresses: list[Address]) -> list[Holding]:
    return [Holding(address, COIN) for address in addresses]


def change(transfers: list[Transfer], address: Address) -> int:
    """What movements and fees add up to at an address."""
    received = sum(transfer.base_units for transfer in transfers if transfer.receiver == address)
    return received - sum(transfer.base_units for transfer in transfers if transfer.sender == address)
