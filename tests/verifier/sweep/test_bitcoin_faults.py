"""What a Bitcoin node or a file gets wrong, in whole sweeps: nothing is counted in part, and nothing becomes zero."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from chains.bitcoin.networks import MAIN
from chains.bitcoin.script import address_of_script, script_of_address
from chains.devnet.bitcoin.front import SeenRequest
from chains.devnet.bitcoin.kernel_node import KernelNode
from chains.devnet.bitcoin.keys import Kind, Lock
from chains.devnet.bitcoin.rest import HttpReply
from tests.verifier.sweep.bitcoin_world import BITCOIN, POOL, BitcoinDesk, BitcoinWorld, Pool, assert_in_order
from tests.verifier.sweep.desk import kinds
from verifier.records import FindingKind, Status
from verifier.store import Store

pytestmark = pytest.mark.devnet

NewPool = Callable[[KernelNode], Pool]


@pytest.fixture
def new_pool(sqlite_store: Store, tmp_path: Path) -> NewPool:
    def make(kernel: KernelNode) -> Pool:
        world = BitcoinWorld(kernel.node)
        return Pool.open(BitcoinDesk(sqlite_store, world, tmp_path, [world.node.url]), world)

    return make


def downloading(request: SeenRequest, reply: HttpReply) -> HttpReply:
    """The node says that it is in its initial download."""
    return replace(reply, body=reply.body.replace(b'"initialblockdownload":false', b'"initialblockdownload":true'))


def without_rest(request: SeenRequest, reply: HttpReply) -> HttpReply:
    """The node has REST off."""
    return replace(reply, status=404, body=b"") if request.target.startswith("/rest/") else reply


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"pruned_height": 104}, "state-unavailable"),
        ({"warming_up": "Loading block index"}, "node-unavailable"),
        ({"queue_full": True}, "node-unavailable"),
        ({}, "stale-head"),
    ],
)
@pytest.mark.fault("A42")
def test_a_node_that_is_not_fit_gives_no_part_of_a_balance(
    new_pool: NewPool, bitcoin_kernel: KernelNode, monkeypatch: pytest.MonkeyPatch, fault: dict[str, object], code: str
) -> None:
    pool = new_pool(bitcoin_kernel)
    shutil.rmtree(pool.desk.folder / "ledgers")  # all of the past has to be read again
    pool.world.mine()
    head_time = pool.world.head_time()
    with monkeypatch.context() as during:
        during.setattr(pool.world, "head_time", lambda: head_time)  # the desk's clock asks the node otherwise
        for name, value in fault.items():
            during.setattr(bitcoin_kernel.state, name, value)
        during.setattr(bitcoin_kernel.front, "changes", [] if fault else [downloading])
        outcome = pool.desk.sweep()
    assert (outcome.failure_code, outcome.exit_code, outcome.expected) == (code, 2, 1)
    assert outcome.to_dict()["unverified"] == 1
    assert_in_order(pool.desk.sweep())


@pytest.mark.fault("A42")
def test_a_scan_that_runs_stops_no_sweep(new_pool: NewPool, bitcoin_kernel: KernelNode) -> None:
    """Sweeps ask for blocks, never for the set of coins."""
    pool = new_pool(bitcoin_kernel)
    pool.world.mine()
    bitcoin_kernel.state.scanning = True
    assert_in_order(pool.desk.sweep())


@pytest.mark.fault("A43")
def test_one_script_in_two_spellings_is_one_holding(new_pool: NewPool, bitcoin_kernel: KernelNode) -> None:
    pool = new_pool(bitcoin_kernel)
    desk, world = pool.desk, pool.world
    for number, kind in enumerate((Kind.P2WPKH, Kind.P2TR)):
        address = Lock.of(f"spelled/{number}", kind).address
        world.fund(address, BITCOIN)
        desk.take(wallets=[{"address": address.upper(), "structure": "fully_segregated"}])
        desk.allocate(address, C_2=BITCOIN)
        outcome = desk.sweep()
        assert_in_order(outcome)
        assert desk.result(outcome, address).observed == BITCOIN
        again = desk.give(wallets=[{"address": address, "structure": "fully_segregated"}])
        assert (again.ok, len(again.records)) == (True, 0), "the same wallet, known already"
    on_main = address_of_script(MAIN, script_of_address(world.network, pool.addresses[0]))
    assert on_main is not None
    assert not desk.give(wallets=[{"address": on_main}]).ok


def prevouts(value: float) -> Callable[[SeenRequest, HttpReply], HttpReply]:
    """Change the value of the coins that inputs spend, in the answers to `getblock` with verbosity 3."""

    def lie(request: SeenRequest, reply: HttpReply) -> HttpReply:
        if b'"getblock"' not in request.body:
            return reply
        answer = json.loads(reply.body)
        if not isinstance(answer, dict) or not isinstance(answer.get("result"), dict):
            return reply
        for transaction in answer["result"]["tx"]:
            for each in transaction["vin"]:
                if "prevout" in each:
                    each["prevout"]["value"] = value
        return replace(reply, body=json.dumps(answer).encode())

    return lie


@pytest.mark.fault("A44")
def test_amounts_that_come_as_decimals_are_exact_or_refused(new_pool: NewPool, bitcoin_kernel: KernelNode) -> None:
    """Without REST, what a block spends comes as JSON."""
    pool, changes = new_pool(bitcoin_kernel), bitcoin_kernel.front.changes
    fee, spent = 28_999, pool.coins_of(pool.addresses[1])
    pool.world.custody.pay(pool.addresses[2], 2 * BITCOIN - fee, fee=fee, coins=spent)
    pool.world.mine()
    pool.book(fee)
    changes.append(without_rest)
    for value, code in ((1.999999995, "malformed-answer"), (-2, "malformed-answer"), (1.99999999, "proof-failed")):
        changes.append(prevouts(value))
        outcome = pool.desk.sweep()
        assert (outcome.failure_code, outcome.exit_code) == (code, 2)
        changes.pop()
    outcome = pool.desk.sweep()
    assert kinds(outcome) == {FindingKind.COVERAGE_GAP: 1}, "the weaker way of reading is told"
    result = pool.desk.result(outcome, POOL)
    assert (result.observed, result.status) == (3 * BITCOIN - fee, Status.MATCHED)
