"""`custody chain pending` before a regtest node: what waits, what was replaced, what was confirmed, what is gone."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chains.bitcoin import waiting
from chains.devnet.bitcoin.front import SeenRequest
from chains.devnet.bitcoin.kernel_node import KernelNode
from chains.devnet.bitcoin.keys import Lock
from chains.devnet.bitcoin.mining import COINBASE_MATURITY
from chains.devnet.bitcoin.rest import HttpReply
from chains.devnet.bitcoin.wallet import TestWallet
from tests.cli.command import Firm
from tests.cli.test_bitcoin import BITCOIN, CHAIN, configure, take_books

pytestmark = pytest.mark.devnet

SHOP, THIEF = Lock.of("shop").address, Lock.of("thief").address


class Scene:
    """A firm with one address that holds two coins of a bitcoin each."""

    def __init__(self, firm: Firm, kernel: KernelNode) -> None:
        self.firm, self.kernel, self.node = firm, kernel, kernel.node
        self.rich, self.cold = TestWallet(self.node, "rich"), TestWallet(self.node, "cold")
        self.node.mine_history(COINBASE_MATURITY + 2, to=self.rich.new_address())
        self.address = self.cold.new_address()
        self.rich.pay(self.address, BITCOIN)
        self.node.mine()
        self.rich.pay(self.address, BITCOIN)
        self.node.mine()
        configure(firm, self.node.url, more='finality = "latest"')
        take_books(firm, [self.address], 2 * BITCOIN, "2026-01-31T12:00:00Z")

    def pending(self) -> dict[str, Any]:
        """The transactions by id."""
        answer = self.firm("chain", "pending", CHAIN, "--json")
        assert answer.code == 0, answer
        self.answer: dict[str, Any] = answer.json
        return {each["tx_id"]: each for each in self.answer["transactions"]}

    def recorded(self) -> int:
        """Journal entries about what waits."""
        entries = self.firm("journal", "show", "--json").json["entries"]
        return sum(entry["kind"] == "waiting.seen" for entry in entries)


@pytest.fixture
def scene(firm: Firm, bitcoin_kernel: KernelNode) -> Scene:
    return Scene(firm, bitcoin_kernel)


@pytest.mark.fault("A41")
def test_a_payment_is_replaced_and_the_other_one_confirmed(scene: Scene) -> None:
    assert scene.pending() == {}
    assert "nothing that concerns the wallets waits" in scene.firm("chain", "pending", CHAIN).out
    first = scene.cold.pay(SHOP, 30_000_000, fee=500)
    waits = scene.pending()[first.txid]
    assert (waits["state"], waits["leaves"], waits["fee"]) == ("waiting", "30000500", "500")
    assert waits["pays"] == [{"address": SHOP, "base_units": "30000000"}]
    assert waits["seen_before"] is None
    assert scene.pending()[first.txid]["seen_before"] is not None
    assert scene.recorded() == 1, "the same one is recorded once"

    second = scene.cold.replace(first, fee=5_000, amounts={THIEF: 30_000_000})
    found = scene.pending()
    assert (found[second.txid]["state"], found[second.txid]["pays"][0]["address"]) == ("waiting", THIEF)
    lost = found[first.txid]
    assert (lost["state"], lost["replaced_by"], lost["height"]) == ("replaced", second.txid, None)

    scene.node.mine()
    found = scene.pending()
    height = scene.node.height
    assert (found[second.txid]["state"], found[second.txid]["height"]) == ("confirmed", height)
    lost = found[first.txid]
    assert (lost["state"], lost["replaced_by"], lost["height"]) == ("replaced", second.txid, height)
    shown = scene.firm("chain", "pending", CHAIN).out
    assert f"replaced {first.txid}" in shown
    assert f"confirmed {second.txid}" in shown
    assert scene.recorded() == 2

    scene.node.reorg(1, 2)  # it waits again
    found = scene.pending()
    assert (found[second.txid]["state"], found[first.txid]["state"]) == ("waiting", "replaced")


def test_what_spends_what_waits_and_what_arrives(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    parent = scene.cold.pay(SHOP, 30_000_000, coins=scene.cold.coins(), fee=500)
    child = scene.cold.pay(SHOP, 10_000_000, min_confirmations=0, fee=700)
    arrives = scene.rich.pay(scene.address, 5_000)
    strangers = scene.rich.pay(SHOP, 6_000, min_confirmations=0)
    found = scene.pending()
    assert set(found) == {parent.txid, child.txid, arrives.txid}
    assert strangers.txid not in found
    assert found[child.txid]["leaves"] == "10000700"
    assert (found[arrives.txid]["leaves"], found[arrives.txid]["fee"]) == ("-5000", None)
    assert scene.recorded() == 1
    assert "arrives" in scene.firm("chain", "pending", CHAIN).out

    monkeypatch.setattr(waiting, "POOL_READ_MAX", 3)
    found = scene.pending()
    assert not scene.answer["receipts_looked_for"]
    assert set(found) == {parent.txid, child.txid}, "spends are found in a pool of any size"
    assert "too large" in scene.firm("chain", "pending", CHAIN).out


def test_what_the_node_has_no_longer(scene: Scene) -> None:
    payment = scene.cold.pay(SHOP, 30_000_000, fee=500)
    assert scene.pending()[payment.txid]["state"] == "waiting"
    scene.kernel.state.mempool.waiting.clear()
    scene.kernel.state.mempool._spent_by.clear()
    gone = scene.pending()[payment.txid]
    assert (gone["state"], gone["replaced_by"], gone["height"]) == ("gone", "", None)


def change(method: bytes, make: Callable[[Any], Any]) -> Callable[[SeenRequest, HttpReply], HttpReply]:
    """Change the results of one method, batches too."""

    def lie(request: SeenRequest, reply: HttpReply) -> HttpReply:
        if method not in request.body:
            return reply
        answers = json.loads(reply.body)
        for answer in answers if isinstance(answers, list) else [answers]:
            answer["result"] = make(answer.get("result"))
        return replace(reply, body=json.dumps(answers).encode())

    return lie


@pytest.mark.parametrize(
    ("method", "make"),
    [
        (b'"getrawtransaction"', lambda raw: raw[:-2] + "01"),
        (b'"gettxspendingprevout"', lambda answers: answers[:-1]),
        (b'"gettxspendingprevout"', lambda answers: [{**each, "vout": 7} for each in answers]),
        (b'"getrawmempool"', lambda _: {}),
        (b'"getmempoolinfo"', lambda _: {"size": "1"}),
    ],
)
def test_a_node_that_lies_about_its_pool_is_refused(scene: Scene, method: bytes, make: Callable[[Any], Any]) -> None:
    scene.cold.pay(SHOP, 30_000_000, fee=500)
    scene.kernel.front.changes.append(change(method, make))
    refused = scene.firm("chain", "pending", CHAIN, "--json")
    assert (refused.code, refused.error) == (2, "malformed-answer")
    assert scene.recorded() == 0


def test_only_bitcoin_chains_with_wallets(firm: Firm, bitcoin_kernel: KernelNode) -> None:
    configure(firm, bitcoin_kernel.node.url)
    assert firm("chain", "pending", CHAIN, "--json").error == "bad-input"
    assert firm("chain", "pending", "eip155:1", "--json").code == 2
