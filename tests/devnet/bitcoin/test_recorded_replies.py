"""The front answers what a real Bitcoin Core was recorded to answer, byte for byte, on the same chain."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from http.client import HTTPConnection
from typing import Any

import pytest

from chains.devnet.bitcoin.front import User
from chains.devnet.bitcoin.kernel_node import KernelNode
from chains.devnet.bitcoin.rpc_calls import answer
from chains.devnet.bitcoin.rpc_methods import methods_of
from chains.devnet.bitcoin.wire import block_of, display
from tests.devnet.bitcoin import recorded
from tests.devnet.bitcoin.recorded import Row

USERS = {
    "verifier": User("regtest-only"),
    "limited": User("regtest-only-2", frozenset({"getbestblockhash", "getblockhash", "getblockheader"})),
}
NOT_SERVED = {
    "dumptxoutset",
    "getblockfilter",
    "getdeploymentinfo",
    "getdescriptoractivity",
    "gettxoutproof",
    "gettxoutsetinfo",
    "scanblocks",
    "validateaddress",
    "verifytxoutproof",
}
"""What only a real Bitcoin Core can answer: the front knows no such method, and says so as Bitcoin Core does."""
NOT_SERVED_PATHS = ("/rest/getutxos", "/rest/blockfilter", "/rest/deploymentinfo", "/rest/blockpart")
NODE_ITSELF = ("version", "subversion", "warnings")
"""Members that say which software it is; the front must not pass for Bitcoin Core."""
OWN_STORAGE = ("size_on_disk", "usage")
"""Members that count how the node keeps its data."""
INDEXES = ("coinstatsindex", "basic block filter index")
HELP_TEXTS = {"forms/too-few-params", "forms/too-many-params"}
"""Bitcoin Core answers a wrong number of parameters with the method's manual page."""

NOW = 1767300000
"""The recording's clock, shortly after its last block."""


class Replay:
    """The front, brought from stage to stage, and what was compared there."""

    def __init__(self, kernel: KernelNode, connection: HTTPConnection) -> None:
        self.kernel = kernel
        self.connection = connection
        self.outcomes: Counter[str] = Counter()
        self.differing: list[str] = []

    def reach(self, stage: str) -> None:
        for raw in recorded.blocks_of(stage):
            assert self.kernel.state.submit(raw) in (None, "inconclusive")
        if stage == "spends_in_mempool":
            spends = block_of(next(recorded.blocks_of("before_reorg"))).transactions[1:]
            for transaction in sorted(spends, key=lambda each: display(each.txid)):
                self.kernel.node.send(transaction)
        self.kernel.state.mock_time = NOW

    def compare(self, row: Row) -> None:
        self.connection.request(row.method, row.path, row.request or None, row.headers)
        with self.connection.getresponse() as response:
            body, headers = response.read(), response.headers
            status, reason = response.status, response.reason
        if row.rpc_method in NOT_SERVED:
            assert b'"code":-32601,"message":"Method not found"' in body, row.name
            self.outcomes["not served"] += 1
        elif row.path.startswith(NOT_SERVED_PATHS):
            assert (status, body) == (404, b""), row.name
            self.outcomes["not served"] += 1
        elif body == row.reply:
            shown = {name: headers.get(name) for name in row.reply_headers}
            assert (status, reason, shown) == (row.status, row.reason, row.reply_headers), row.name
            self.outcomes["equal"] += 1
        elif status == row.status and alike(row, json.loads(body, parse_float=Decimal)):
            self.outcomes["alike"] += 1
        else:
            self.differing.append(row.name)


def alike(row: Row, said: Any) -> bool:
    """Whether an answer differs from the recorded one in nothing but what it says of the node itself."""
    wanted = json.loads(row.reply, parse_float=Decimal)
    if row.name.removesuffix("+v2") in HELP_TEXTS:
        name = json.loads(row.request)["method"]
        assert said["error"]["message"].startswith(name), row.name
        assert wanted["error"]["message"].startswith(name), row.name
        return bool(without(said, ("message",)) == without(wanted, ("message",)))
    left_out = (*NODE_ITSELF, *OWN_STORAGE, *INDEXES)
    return list(flat(without(said, left_out))) == list(flat(without(wanted, left_out)))


def without(value: Any, names: tuple[str, ...]) -> Any:
    if isinstance(value, dict):
        return {name: without(member, names) for name, member in value.items() if name not in names}
    return [without(element, names) for element in value] if isinstance(value, list) else value


def flat(value: Any, path: str = "") -> Iterator[tuple[str, str, str]]:
    """Every leaf with its place, its type and its text, in the order of the members."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from flat(member, f"{path}.{name}")
    elif isinstance(value, list):
        for place, element in enumerate(value):
            yield from flat(element, f"{path}[{place}]")
    else:
        yield path, type(value).__name__, str(value)


@pytest.fixture
def kernel() -> Iterator[KernelNode]:
    with KernelNode(users=USERS) as kernel:
        yield kernel


@pytest.fixture
def replay(kernel: KernelNode) -> Iterator[Replay]:
    connection = HTTPConnection("127.0.0.1", kernel.front.port, timeout=30)
    yield Replay(kernel, connection)
    connection.close()


def test_every_recorded_reply_that_the_front_can_give(kernel: KernelNode, replay: Replay) -> None:
    rows = recorded.load("main/rpc.jsonl") + recorded.load("main/rest.jsonl")
    for stage in recorded.STAGES:
        replay.reach(stage)
        for row in rows:
            if row.stage == stage:
                replay.compare(row)
    assert replay.differing == []
    assert kernel.front.errors == []
    assert replay.outcomes.total() == sum(row.stage != "rewound" for row in rows)
    assert replay.outcomes["equal"] > 490
    assert replay.outcomes["alike"] < 50


def test_a_wrong_answer_would_be_noticed(kernel: KernelNode, replay: Replay) -> None:
    """The twin of the test above: one satoshi, one confirmation, one status, one header."""
    rows = {row.name: row for row in recorded.load("main/rpc.jsonl") + recorded.load("main/rest.jsonl")}
    replay.reach("before_spends")
    coins = kernel.state.chain.coins
    first = next(outpoint for outpoint, coin in coins.items() if coin.value == 500000001)
    coins[first] = type(coins[first])(500000000, coins[first].script, coins[first].height, coinbase=False)
    replay.compare(rows["before_spends/scantxoutset-all"])
    replay.compare(rows["before_reorg/getblockheader-stale1"])
    replay.compare(rows["before_reorg/getblockchaininfo"])
    assert replay.differing == [
        "before_spends/scantxoutset-all",
        "before_reorg/getblockheader-stale1",
        "before_reorg/getblockchaininfo",
    ]
    assert not alike(rows["genesis/getnetworkinfo"], {"result": {}, "error": None, "id": "getnetworkinfo"})


def test_balances_are_those_that_the_real_node_counted(kernel: KernelNode) -> None:
    expected = recorded.expected()
    addresses = json.loads((recorded.FOLDER / "main" / "scripts.json").read_text(encoding="utf-8"))["watched"]
    compared = 0
    for state in expected["states"]:
        for raw in recorded.blocks_of(state["stage"]):
            kernel.state.submit(raw)
        assert kernel.node.tip == state["block_hash"]
        for label, holding in state["scripts"].items():
            assert kernel.node.balance(addresses[label]["address"]) == holding["balance_sat"], (state["stage"], label)
            compared += 1
        coins = kernel.state.chain.coins.values()
        whole = {"txouts": len(coins), "total_sat": sum(coin.value for coin in coins)}
        assert whole == {name: state["utxo_set"][name] for name in whole}
    assert compared == 3 * len(addresses)


FAULTS: dict[str, Callable[[Row], bool]] = {
    "queue_full": lambda row: row.stage == "queue_full",
    "warming_up": lambda row: row.stage == "warmup-rest" and b"RPC server started" not in row.reply,
    "no REST": lambda row: row.name.startswith("no_index_no_rest/rest-off"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_recorded_faults(kernel: KernelNode, replay: Replay, fault: str) -> None:
    rows = [row for row in recorded.load("edge/all.jsonl") if FAULTS[fault](row)]
    assert len(rows) >= 2
    kernel.front.rest = fault != "no REST"
    kernel.state.queue_full = fault == "queue_full"
    for row in rows:
        if fault == "warming_up":
            kernel.state.warming_up = next(
                text for text in ("Loading banlist…", "Loading block index…") if text.encode() in row.reply
            )
        replay.compare(row)
    assert replay.differing == []
    assert replay.outcomes["equal"] == len(rows)


def test_an_old_tip_means_that_the_node_still_downloads(kernel: KernelNode) -> None:
    rows = {row.name: row for row in recorded.load("edge/all.jsonl")}
    for stage in ("before_spends", "before_reorg", "after_reorg", "side_block"):
        for raw in recorded.blocks_of(stage):
            kernel.state.submit(raw)
    kernel.state.mock_time = kernel.state.chain.tip.block.header.time + 30 * 24 * 3600
    wanted = json.loads(rows["tip_30_days_old/getblockchaininfo"].reply)["result"]
    said = kernel.node.rpc("getblockchaininfo")
    assert (said["initialblockdownload"], wanted["initialblockdownload"]) == (True, True)
    assert list(said) == list(wanted)
    kernel.state.mock_time = kernel.state.chain.tip.block.header.time + 60
    assert kernel.node.rpc("getblockchaininfo")["initialblockdownload"] is False
    kernel.state.mock_time += 30 * 24 * 3600  # once over, it stays over
    assert kernel.node.rpc("getblockchaininfo")["initialblockdownload"] is False


def test_every_method_that_is_served_was_recorded_or_is_named_here(kernel: KernelNode) -> None:
    """Methods of the front for which no reply of a real node was recorded are few, and known."""
    seen = {row.rpc_method for row in recorded.load("main/rpc.jsonl")}
    served = set(methods_of(kernel.state))
    assert served - seen == {"getmempoolentry", "sendrawtransaction", "setmocktime"}
    assert served & NOT_SERVED == set()
    reply = answer(b'{"jsonrpc":"2.0","id":1,"method":"stop"}', methods_of(kernel.state), None, None)
    assert (reply.status, "Method not found" in str(reply.body)) == (200, True)
