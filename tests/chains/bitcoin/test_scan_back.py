"""Balances of a past block from a node's own set of unspent outputs, against those of a ledger of all blocks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from chains.bitcoin import chain_plugin, scan_back
from chains.bitcoin.reader import BitcoinReader
from chains.devnet.bitcoin.front import SeenRequest
from chains.devnet.bitcoin.kernel_node import KernelNode
from chains.devnet.bitcoin.keys import Kind, Lock
from chains.devnet.bitcoin.mining import COINBASE_MATURITY
from chains.devnet.bitcoin.rest import HttpReply
from chains.devnet.bitcoin.wallet import TestWallet
from chains.errors import ChainMoved, ProofFailed
from chains.reader import NodeConfig, Pin
from chains.types import Address, BalanceObservation, Finality, Holding, ReadStatus
from tests.chains.bitcoin.test_reader import COIN, CONFIG

pytestmark = pytest.mark.devnet


class Scene:
    """An address that is paid, pays itself and others, and holds a coinbase, over the newest six blocks."""

    def __init__(self, kernel: KernelNode) -> None:
        self.kernel, self.node = kernel, kernel.node
        self.readers: list[BitcoinReader] = []
        rich, wallet = TestWallet(self.node, "rich"), TestWallet(self.node, "wallet")
        self.node.mine_history(COINBASE_MATURITY + 1, to=rich.new_address())
        self.addresses = [wallet.new_address(Kind.P2WPKH), wallet.new_address(Kind.P2TR), Lock.of("unused").address]
        rich.pay_many({self.addresses[0]: 70_000, self.addresses[1]: 5_000})
        self.node.mine()
        wallet.pay(Lock.of("shop").address, 10_000, change_to=self.addresses[1], fee=500)
        self.node.mine(1, to=self.addresses[0])
        made_and_spent = wallet.pay(self.addresses[1], 20_000, fee=500)
        wallet.pay(Lock.of("shop").address, 1_000, min_confirmations=0, fee=500)
        self.node.mine()
        assert made_and_spent.txid not in self.node.waiting()
        self.node.mine(2)

    def reader(self, **changes: object) -> BitcoinReader:
        """Opens a reader that keeps no ledger."""
        config = replace(CONFIG, **changes)  # type: ignore[arg-type]
        reader = chain_plugin.open(config, NodeConfig("node-1", "operator-1", self.node.url))
        assert isinstance(reader, BitcoinReader)
        self.readers.append(reader)
        return reader

    def balances(self, reader: BitcoinReader, height: int) -> list[BalanceObservation]:
        """What a reader says of the addresses as of a height."""
        pin = Pin(reader.block_at(height), Finality.parse("latest"), header_checked=True)
        return reader.read_balances(pin, [Holding(Address(address), COIN) for address in self.addresses])


@pytest.fixture
def scene(bitcoin_kernel: KernelNode) -> Iterator[Scene]:
    made = Scene(bitcoin_kernel)
    yield made
    for reader in made.readers:
        reader.close()


def figures(found: list[BalanceObservation]) -> list[int | None]:
    return [each.base_units for each in found]


def test_it_is_what_a_ledger_of_all_blocks_says_at_every_height(scene: Scene) -> None:
    with_ledger, without = scene.reader(), scene.reader(catch_up_blocks_max=3)
    seen = set()
    for height in range(scene.node.height - 6, scene.node.height + 1):
        expected, found = scene.balances(with_ledger, height), scene.balances(without, height)
        assert figures(found) == figures(expected)
        assert {each.method for each in found} == {"scantxoutset"}
        assert {each.method for each in expected} == {"ledger"}
        seen.add(tuple(figures(found)))
    assert len(seen) == 4, "before, and after each of the three blocks that moved something"


def test_what_lies_too_far_back_is_not_read(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan_back, "BLOCKS_BACK_MAX", 2)
    reader = scene.reader(catch_up_blocks_max=3)
    assert None not in figures(scene.balances(reader, scene.node.height - 2))
    found = scene.balances(reader, scene.node.height - 3)
    assert {each.status for each in found} == {ReadStatus.FAILED}
    assert "not-onboarded: block" in found[0].reason


def test_whoever_keeps_a_ledger_is_told_to_load_it(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> None:
    reader = scene.reader(catch_up_blocks_max=3, state_directory=tmp_path_factory.mktemp("ledgers"))
    found = scene.balances(reader, scene.node.height - 1)
    assert {each.status for each in found} == {ReadStatus.FAILED}
    assert "custody chain load" in found[0].reason


def test_a_set_that_contradicts_the_blocks_is_refused(scene: Scene) -> None:
    def nothing(request: SeenRequest, reply: HttpReply) -> HttpReply:
        if b'"scantxoutset"' not in request.body:
            return reply
        answer = json.loads(reply.body)
        answer["result"] |= {"unspents": [], "total_amount": 0}
        return replace(reply, body=json.dumps(answer).encode())

    scene.kernel.front.changes.append(nothing)
    with pytest.raises(ProofFailed, match="contradict"):
        scene.balances(scene.reader(catch_up_blocks_max=3), scene.node.height - 4)


def test_a_block_that_left_is_not_read_back_to(scene: Scene) -> None:
    reader = scene.reader(catch_up_blocks_max=3)
    pin = reader.pin(now=datetime.now(UTC))
    scene.node.reorg(1)
    with pytest.raises(ChainMoved):
        reader.read_balances(pin, [Holding(Address(scene.addresses[0]), COIN)])
