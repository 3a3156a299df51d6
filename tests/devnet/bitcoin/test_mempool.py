"""Waiting transactions: what is refused and in which words, replacement by fee, blocks and lost blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from chains.bitcoin.networks import COIN
from chains.devnet.bitcoin.kernel_node import KernelNode
from chains.devnet.bitcoin.keys import Lock
from chains.devnet.bitcoin.mining import subsidy
from chains.devnet.bitcoin.node import RegtestNode
from chains.devnet.bitcoin.wallet import NotEnoughCoins, OwnCoin, Payment, TestWallet
from chains.devnet.bitcoin.wire import SEQUENCE_REPLACEABLE, Transaction, TxInput, TxOutput
from chains.errors import NodeRefused

SHOP = Lock.of("shop").address
OTHER = Lock.of("other").address


@pytest.fixture(scope="module")
def kernel() -> Iterator[KernelNode]:
    with KernelNode() as kernel:
        yield kernel


@pytest.fixture(scope="module")
def node(kernel: KernelNode) -> RegtestNode:
    kernel.node.mine_history(101, Lock.of("funds/0").address)
    return kernel.node


@pytest.fixture
def wallet(node: RegtestNode, request: pytest.FixtureRequest) -> TestWallet:
    """A wallet with three coins that only this test knows."""
    funds = TestWallet(node, "funds")
    funds.new_lock()
    wallet = TestWallet(node, request.node.name)
    funds.pay_many({wallet.new_address(): COIN // 2 for _ in range(3)})
    node.mine()
    assert len(wallet.coins()) == 3
    return wallet


def test_a_payment_waits_and_is_mined(node: RegtestNode, wallet: TestWallet) -> None:
    payment = wallet.pay(SHOP, 12_345)
    assert node.waiting() == [payment.txid]
    assert node.rpc("getmempoolentry", payment.txid)["fees"]["base"] * COIN == payment.fee
    before = node.balance(SHOP)
    (block_hash,) = node.mine()
    assert (node.waiting(), node.balance(SHOP)) == ([], before + 12_345)
    assert [tx.txid for tx in node.block(block_hash).transactions[1:]] == [payment.transaction.txid]
    coinbase = node.block(block_hash).transactions[0]
    assert coinbase.outputs[0].value == subsidy(node.height) + payment.fee


def test_change_batches_and_chosen_coins(node: RegtestNode, wallet: TestWallet) -> None:
    coins = wallet.coins()
    batch = wallet.pay_many({SHOP: 1_000, OTHER: 2_000}, coins=coins[:2], change_to=OTHER, fee=777)
    assert (batch.fee, batch.change_vout, len(batch.transaction.inputs)) == (777, 2, 2)
    assert batch.transaction.outputs[2].script == Lock.of("other").script
    assert [each.outpoint for each in batch.transaction.inputs] == [
        (bytes.fromhex(coin.txid)[::-1], coin.vout) for coin in coins[:2]
    ]
    assert wallet.coins() == [coins[2]]
    child = wallet.build({SHOP: 500}, coins=[coins[2]])
    exact = wallet.build({SHOP: coins[2].value - 300}, coins=[coins[2]], fee=300)
    assert (exact.change_vout, exact.fee, child.change_vout) == (None, 300, 1)
    with pytest.raises(NotEnoughCoins):
        wallet.build({SHOP: coins[2].value + 1})
    node.mine()


def test_replacement_by_a_higher_fee(node: RegtestNode, wallet: TestWallet) -> None:
    first = wallet.pay(SHOP, 50_000, fee=1_000)
    child = wallet.pay(OTHER, 10_000, coins=wallet_change(wallet, first), fee=1_000)
    assert wallet.replace(first, fee=1_000) == first  # the same transaction, made again
    with pytest.raises(NodeRefused, match="insufficient fee"):
        wallet.replace(first, fee=1_500)
    with pytest.raises(NodeRefused, match="insufficient fee"):
        wallet.replace(first, fee=2_005)  # pays for both, not for its own relay
    assert node.waiting() == [first.txid, child.txid]
    elsewhere = wallet.replace(first, fee=5_000, amounts={OTHER: 50_000})
    assert node.waiting() == [elsewhere.txid]
    node.mine()
    with pytest.raises(NodeRefused, match="missingorspent"):
        node.send(first.transaction)


def wallet_change(wallet: TestWallet, payment: Payment) -> list[OwnCoin]:
    return [coin for coin in wallet.coins(min_confirmations=0) if coin.txid == payment.txid]


REFUSED: dict[str, tuple[Callable[[Payment], Transaction], str, int]] = {
    "unknown coin": (
        lambda made: made.transaction.with_input(0, txid=b"\x55" * 32),
        "bad-txns-inputs-missingorspent",
        -25,
    ),
    "no fee": (lambda made: changed_value(made, made.fee), "min relay fee not met", -26),
    "more than it has": (lambda made: changed_value(made, made.fee + 1), "bad-txns-in-belowout", -26),
    "absurd fee": (lambda made: changed_value(made, -COIN // 4), "Fee exceeds maximum", -25),
    "below zero": (lambda made: changed_value(made, -2 * COIN), "bad-txns-vout-negative", -26),
    "more than there is": (lambda made: changed_value(made, 21_000_000 * COIN), "txouttotal-toolarge", -26),
    "bad signature": (lambda made: changed_value(made, -1), "script-verify-flag-failed", -26),
    "no witness": (lambda made: made.transaction.with_input(0, witness=()), "script-verify-flag-failed", -26),
    "coin twice": (
        lambda made: replace(made.transaction, inputs=made.transaction.inputs * 2),
        "bad-txns-inputs-duplicate",
        -26,
    ),
    "not yet": (lambda made: replace(made.transaction, lock_time=499_999_999), "non-final", -26),
    "no outputs": (lambda made: replace(made.transaction, outputs=()), "bad-txns-vout-empty", -26),
    "a coinbase": (
        lambda made: Transaction((TxInput(bytes(32), 0xFFFFFFFF),), made.transaction.outputs),
        "coinbase",
        -26,
    ),
}


def changed_value(made: Payment, more: int) -> Transaction:
    last = made.transaction.outputs[-1]
    return replace(made.transaction, outputs=(*made.transaction.outputs[:-1], TxOutput(last.value + more, last.script)))


@pytest.mark.parametrize("name", REFUSED)
def test_refused(node: RegtestNode, wallet: TestWallet, name: str) -> None:
    change, text, code = REFUSED[name]
    made = wallet.build({SHOP: 10_000})
    with pytest.raises(NodeRefused, match=text) as refused:
        node.send(change(made))
    assert refused.value.rpc_code == code
    assert node.waiting() == []
    assert node.send(made.transaction) == made.txid  # unchanged, it may wait
    assert node.send(made.transaction) == made.txid  # and be sent twice
    node.mine()
    with pytest.raises(NodeRefused, match="already in utxo set") as again:
        node.send(made.transaction)
    assert again.value.rpc_code == -27


def test_a_coinbase_matures(node: RegtestNode, request: pytest.FixtureRequest) -> None:
    miner = TestWallet(node, "a young miner")
    node.mine(to=miner.new_address())
    node.mine(98)
    assert (miner.coins(), miner.balance() > 0) == ([], True)
    found = node.rpc("scantxoutset", "start", [f"addr({Lock.of('a young miner/0').address})"])["unspents"][0]
    spending = Transaction(
        (TxInput(bytes.fromhex(found["txid"])[::-1], 0, SEQUENCE_REPLACEABLE),), (TxOutput(1_000, b"\x51"),)
    )
    with pytest.raises(NodeRefused, match="premature-spend-of-coinbase, tried to spend coinbase at depth 99"):
        node.send(spending)
    node.mine()
    assert miner.pay(SHOP, 1_000).txid in node.waiting()
    node.mine()


def test_transactions_of_lost_blocks_wait_again(node: RegtestNode, wallet: TestWallet) -> None:
    payment = wallet.pay(SHOP, 30_000)
    node.mine()
    child = wallet.pay(OTHER, 10_000, coins=wallet.coins()[:1])
    assert node.waiting() == [child.txid]
    node.reorg(1)
    assert node.waiting() == [payment.txid, child.txid]
    node.mine()
    assert node.waiting() == []


def test_a_double_spend_in_a_block_ends_the_waiting_one(node: RegtestNode, wallet: TestWallet) -> None:
    coins = wallet.coins()[:1]
    waits = wallet.pay(SHOP, 30_000, coins=coins)
    child = wallet.pay(OTHER, 5_000, coins=wallet_change(wallet, waits))
    rival = wallet.build({OTHER: 30_000}, coins=coins, fee=5_000)
    assert node.waiting() == [waits.txid, child.txid]
    node.mine(transactions=[rival.transaction])
    assert node.waiting() == []
    node.reorg(1, transactions=[waits.transaction])  # and the other way round in another branch
    assert node.waiting() == []
    with pytest.raises(NodeRefused, match="missingorspent"):
        node.send(rival.transaction)


def test_an_entry_counts_its_family(node: RegtestNode, wallet: TestWallet) -> None:
    parent = wallet.pay(SHOP, 30_000, fee=1_000)
    child = wallet.pay(OTHER, 5_000, coins=wallet_change(wallet, parent), fee=2_000)
    entries = node.rpc("getrawmempool", True)
    assert entries[parent.txid]["spentby"] == [child.txid]
    assert entries[child.txid]["depends"] == [parent.txid]
    assert (entries[parent.txid]["descendantcount"], entries[child.txid]["ancestorcount"]) == (2, 2)
    assert entries[child.txid]["fees"]["ancestor"] * COIN == 3_000
    assert entries[parent.txid] == node.rpc("getmempoolentry", parent.txid)
    with pytest.raises(NodeRefused, match="not in mempool"):
        node.rpc("getmempoolentry", "00" * 32)
    node.mine()
