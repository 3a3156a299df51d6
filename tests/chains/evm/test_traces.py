"""Traces on a real Anvil: every way that coins move inside a transaction, and every lie about it refused."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from chains.block_trace import BlockTrace
from chains.devnet import lies
from chains.devnet.anvil import AnvilNode
from chains.devnet.deploy import call_data
from chains.devnet.lying_proxy import LyingProxy
from chains.devnet.pytest_plugin import DeployContract
from chains.errors import InvalidValue, MalformedAnswer, NodeUnavailable
from chains.evm.addresses import checksum_address
from chains.evm.probe import CALL_TRACER, PRESTATE_TRACER, TRACE_BLOCK, Capabilities
from chains.evm.reader import EvmReader
from chains.evm.traces import decode_call_tracer, decode_prestate_diff, decode_trace_block
from chains.reader import NodeConfig
from chains.transport import JsonRpcTransport
from chains.types import Address, Asset, AssetId, BlockRef, ChainId, Transfer, TransferKind
from tests.chains.evm.conftest import LIMITS, EvmChain

Lying = Callable[..., LyingProxy]
Json = dict[str, Any]
OUTSIDE = checksum_address(bytes.fromhex(f"0475{7:036x}"))
BOTH_SIDES = (CALL_TRACER, TRACE_BLOCK)
GAS = hex(2_000_000)


def calling(receiver: str, wei: int, opcode: str = "f1") -> str:
    """EVM code that calls an address with a value, and goes on whatever comes of it."""
    value = f"61{wei:04x}" if opcode in {"f1", "f2"} else ""
    return f"6000600060006000{value}73{receiver[2:].lower()}5a{opcode}50"


def destroying(receiver: str) -> str:
    """EVM code that ends with a self-destruct."""
    return f"73{receiver[2:].lower()}ff"


REVERTING = "60006000fd"


def contract(node: AnvilNode, sender: str, runtime: str, wei: int = 0) -> Address:
    """Deploy exactly this code, with some coins."""
    length = len(runtime) // 2
    return Address(str(run(node, sender, f"60{length:02x}80600b6000396000f3{runtime}", wei)["contractAddress"]))


def run(node: AnvilNode, sender: str, init_code: str, wei: int = 0) -> Json:
    """Run code as the creation of a contract. Returns the receipt, whether or not it reverted."""
    tx = {"from": sender, "data": "0x" + init_code, "value": hex(wei), "gas": GAS}
    return mined(node, node.rpc("eth_sendTransaction", tx))


def mined(node: AnvilNode, tx_id: str) -> Json:
    """The receipt of a transaction, once there is one."""
    deadline = time.monotonic() + 120
    while not isinstance(receipt := node.rpc("eth_getTransactionReceipt", tx_id), dict):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return receipt


@dataclass
class Traced:
    """An Anvil chain whose blocks are traced in each way."""

    chain: EvmChain
    wallets: list[Address]

    def block(self, height: int) -> BlockRef:
        return self.chain.reader().block_at(height)

    def reader(self, method: str, url: str = "") -> EvmReader:
        """A reader that knows of one tracer alone."""
        words = {**self.chain.reader().probe(self.chain.now())}
        for name in {CALL_TRACER, TRACE_BLOCK, PRESTATE_TRACER} - {method}:
            words[name] = "no: it is not to be used here"
        node = NodeConfig("node-1", "operator-1", url or self.chain.node.url)
        transport = JsonRpcTransport(node, LIMITS)
        reader = EvmReader(self.chain.config, "node-1", transport, capabilities=Capabilities.from_words(words))
        self.chain.opened.append(reader)
        return reader

    def trace(self, block: BlockRef, method: str, url: str = "") -> BlockTrace:
        """What one way of tracing shows of a block."""
        (found,) = self.reader(method, url).trace_blocks([block], self.wallets, self.chain.native)
        return found

    def changes(self, block: BlockRef) -> dict[Address, int]:
        """By how much each wallet's balance changed in a block."""
        node = self.chain.node
        return {each: node.balance(each, block.height) - node.balance(each, block.height - 1) for each in self.wallets}

    def told(self, block: BlockRef) -> tuple[Transfer, ...]:
        """What the scan of blocks knows of it."""
        return self.chain.reader().scan_transfers(block.height, block, self.wallets, [self.chain.native]).transfers


@pytest.fixture
def traced(chain: EvmChain) -> Traced:
    """Three wallets that nobody has keys of; the third is never paid from outside."""
    return Traced(chain, [checksum_address(bytes.fromhex(f"ca11{number:036x}")) for number in (1, 2, 3)])


def net(transfers: tuple[Transfer, ...], wallet: Address) -> int:
    received = sum(t.base_units for t in transfers if t.receiver == wallet)
    return received - sum(t.base_units for t in transfers if t.sender == wallet)


def shape(trace: BlockTrace) -> list[tuple[int, int, str | None]]:
    """Index, amount and receiver of what a trace shows."""
    return [(each.index, each.base_units, each.receiver) for each in trace.transfers]


Story = Callable[[AnvilNode, str, list[Address], DeployContract], None]


def split(node: AnvilNode, rich: str, wallets: list[Address], deploy: DeployContract) -> None:
    """One payment to several, in one transaction."""
    deploy("Splitter").transact("split", [wallets[0], OUTSIDE, wallets[1]], value_wei=15)


def forwarded(node: AnvilNode, rich: str, wallets: list[Address], deploy: DeployContract) -> None:
    """A contract that lets everything go to somebody else."""
    splitter = deploy("Splitter", sender=rich)
    mined(node, node.rpc("eth_sendTransaction", {"from": rich, "to": splitter.address, "value": hex(9), "gas": GAS}))
    splitter.transact("sweep", wallets[0])


def destroyed(node: AnvilNode, rich: str, wallets: list[Address], deploy: DeployContract) -> None:
    """A self-destruct in a later transaction than its contract's creation."""
    deploy("SelfDestruct", value_wei=21).transact("destroy", wallets[0])


def destroyed_at_once(node: AnvilNode, rich: str, wallets: list[Address], deploy: DeployContract) -> None:
    """A self-destruct within the creation, after a call with a value."""
    run(node, rich, calling(wallets[1], 5) + destroying(wallets[0]), 100)


def destroyed_in_favour_of_itself(node: AnvilNode, rich: str, wallets: list[Address], deploy: DeployContract) -> None:
    """The coins of a contract that names itself are burnt; nobody else's balance changes."""
    run(node, rich, calling(wallets[1], 5) + "30ff", 100)


def taken_back(node: AnvilNode, rich: str, wallets: list[Address], deploy: DeployContract) -> None:
    """A called contract pays and then reverts: what it paid is taken back, and what it was given too."""
    failing = contract(node, rich, calling(wallets[0], 3) + REVERTING, 0)
    run(node, rich, calling(failing, 7) + calling(wallets[1], 5), 100)


def all_taken_back(node: AnvilNode, rich: str, wallets: list[Address], deploy: DeployContract) -> None:
    """The transaction as a whole reverts after a payment inside it."""
    run(node, rich, calling(wallets[0], 3) + REVERTING, 100)


def delegated(node: AnvilNode, rich: str, wallets: list[Address], deploy: DeployContract) -> None:
    """Code of another contract pays, twice, in the name of the one that called it; those calls themselves move none."""
    code = contract(node, rich, calling(wallets[0], 4))
    run(node, rich, calling(code, 0, "f4") + calling(code, 6, "f2") + calling(wallets[1], 0, "fa"), 100)


def created_inside(node: AnvilNode, rich: str, wallets: list[Address], deploy: DeployContract) -> None:
    """A contract makes another one with coins in it, which sends them on while it is made."""
    inner = destroying(wallets[0])
    length = len(inner) // 2
    # Put the inner code into memory, right-aligned in its word, and create from it with 8 wei.
    run(node, rich, f"{0x5F + length:02x}{inner}60005260{length:02x}60{32 - length:02x}6008f050", 100)


def out_of_a_wallet(node: AnvilNode, rich: str, wallets: list[Address], deploy: DeployContract) -> None:
    """A wallet that is a contract pays by itself: nothing but the trace says that it left."""
    node.rpc("anvil_setCode", wallets[2], "0x" + calling(OUTSIDE, 11) + calling(wallets[0], 2))
    node.set_balance(wallets[2], 1_000)
    node.mine()
    mined(node, node.rpc("eth_sendTransaction", {"from": rich, "to": wallets[2], "value": "0x0", "gas": GAS}))


def together(node: AnvilNode, rich: str, wallets: list[Address], deploy: DeployContract) -> None:
    """Several transactions in one block, with plain payments between them."""
    splitter = deploy("Splitter")
    data = call_data("split(address[])", [[wallets[0], wallets[1]]])
    node.set_automine(False)
    for tx in (
        {"to": wallets[0], "value": hex(3)},
        {"to": splitter.address, "value": hex(14), "data": data},
        {"to": wallets[0], "value": hex(4)},
        {"data": "0x" + calling(wallets[1], 5) + destroying(wallets[0]), "value": hex(100)},
    ):
        tx_id = node.rpc("eth_sendTransaction", {"from": rich, "gas": GAS, **tx})
    node.mine()
    mined(node, tx_id)
    node.set_automine(True)


STORIES: Mapping[str, tuple[Story, int]] = {
    story.__name__: (story, expected)
    for story, expected in (
        (split, 2),
        (forwarded, 1),
        (destroyed, 1),
        (destroyed_at_once, 2),
        (destroyed_in_favour_of_itself, 1),
        (taken_back, 1),
        (all_taken_back, 0),
        (delegated, 2),
        (created_inside, 1),
        (out_of_a_wallet, 2),
        (together, 4),
    )
}
"""Each with the number of internal transfers that touch the wallets."""


@pytest.mark.devnet
@pytest.mark.fault("A24")
@pytest.mark.parametrize("name", STORIES)
def test_traces_and_top_level_movements_are_all_that_happened(
    traced: Traced, anvil: AnvilNode, accounts: list[str], deploy_contract: DeployContract, name: str
) -> None:
    story, expected = STORIES[name]
    story(anvil, accounts[0], traced.wallets, deploy_contract)
    block = traced.block(anvil.block_number())
    changed, told = traced.changes(block), traced.told(block)
    shown = [traced.trace(block, method) for method in BOTH_SIDES]
    assert [trace.method for trace in shown] == list(BOTH_SIDES)
    assert shown[0].transfers == shown[1].transfers
    assert len(shown[0].transfers) == expected
    for transfer in shown[0].transfers:
        assert (transfer.kind, transfer.block, transfer.asset) == (TransferKind.INTERNAL, block, traced.chain.native)
        assert transfer.index >= 1
    for wallet in traced.wallets:
        assert net(told, wallet) + net(shown[0].transfers, wallet) == changed[wallet], wallet
    assert len({each.transfer_id for each in (*told, *shown[0].transfers)}) == len(told) + expected
    sums = traced.trace(block, PRESTATE_TRACER)
    assert sums.transfers == ()
    for wallet in traced.wallets:
        assert sum(each.base_units for each in sums.changes if each.address == wallet) == changed[wallet]
    if name == "all_taken_back":
        assert changed == dict.fromkeys(traced.wallets, 0)
    else:
        assert any(changed.values()), "the story moves something"


@pytest.mark.devnet
def test_an_index_does_not_depend_on_who_is_watched(
    traced: Traced, anvil: AnvilNode, deploy_contract: DeployContract
) -> None:
    deploy_contract("Splitter").transact("split", [OUTSIDE, *traced.wallets], value_wei=20)
    block = traced.block(anvil.block_number())
    assert shape(traced.trace(block, CALL_TRACER)) == [
        (2, 5, traced.wallets[0]),
        (3, 5, traced.wallets[1]),
        (4, 5, traced.wallets[2]),
    ]
    traced.wallets = traced.wallets[2:]
    assert shape(traced.trace(block, CALL_TRACER)) == [(4, 5, traced.wallets[0])]


@pytest.mark.devnet
def test_a_block_without_transactions_needs_no_tracer(traced: Traced, anvil: AnvilNode) -> None:
    anvil.mine()
    trace = traced.trace(traced.block(anvil.block_number()), TRACE_BLOCK)
    assert (trace.method, trace.transfers, trace.reason) == ("no-transactions", (), "")


@pytest.mark.devnet
def test_the_best_tracer_that_works_is_used(
    traced: Traced, anvil: AnvilNode, deploy_contract: DeployContract, lying_node: Lying
) -> None:
    deploy_contract("Splitter").transact("split", traced.wallets, value_wei=15)
    block = traced.block(anvil.block_number())
    broken = lies.change_result("debug_traceBlockByHash", lambda params, true: true[:-1])
    for lie, method in ((None, CALL_TRACER), (broken, TRACE_BLOCK)):
        reader = traced.chain.reader(lying_node(*([lie] if lie else [])).url)
        (trace,) = reader.trace_blocks([block], traced.wallets, traced.chain.native)
        assert (trace.method, len(trace.transfers)) == (method, 3)


def _other_block(params: list[Any], true: list[Json]) -> list[Json]:
    return [{**trace, "blockHash": "0x" + "ab" * 32} for trace in true]


def _other_transaction(params: list[Any], true: list[Json]) -> list[Json]:
    name = "txHash" if "txHash" in true[0] else "transactionHash"
    return [{**trace, name: "0x" + "ab" * 32} for trace in true]


@pytest.mark.devnet
@pytest.mark.parametrize(
    ("method", "rpc", "change"),
    [
        (CALL_TRACER, "debug_traceBlockByHash", lambda params, true: true[:-1]),
        (CALL_TRACER, "debug_traceBlockByHash", lambda params, true: [*true, *true]),
        (CALL_TRACER, "debug_traceBlockByHash", _other_transaction),
        (CALL_TRACER, "debug_traceBlockByHash", lambda params, true: [{**true[0], "result": None}]),
        (CALL_TRACER, "debug_traceBlockByHash", lambda params, true: {}),
        (PRESTATE_TRACER, "debug_traceBlockByHash", lambda params, true: []),
        (TRACE_BLOCK, "trace_block", lambda params, true: []),
        (TRACE_BLOCK, "trace_block", lambda params, true: true[1:]),
        (TRACE_BLOCK, "trace_block", _other_block),
        (TRACE_BLOCK, "trace_block", _other_transaction),
        (TRACE_BLOCK, "trace_block", lambda params, true: None),
    ],
)
def test_a_trace_that_does_not_fit_the_block_is_not_used(
    traced: Traced,
    anvil: AnvilNode,
    deploy_contract: DeployContract,
    lying_node: Lying,
    method: str,
    rpc: str,
    change: Callable[[list[Any], Any], Any],
) -> None:
    deploy_contract("Splitter").transact("split", traced.wallets, value_wei=15)
    block = traced.block(anvil.block_number())
    assert traced.trace(block, method).method == method, "the truth is accepted"
    trace = traced.trace(block, method, lying_node(lies.change_result(rpc, change)).url)
    assert (trace.method, trace.transfers, trace.changes) == ("", (), ())
    assert f"{method}: malformed-answer" in trace.reason


@pytest.mark.devnet
def test_a_node_without_tracers_and_one_that_is_gone(traced: Traced, anvil: AnvilNode, lying_node: Lying) -> None:
    anvil.mine()
    block = traced.block(anvil.block_number())
    assert traced.trace(block, "none of them").reason == "no-traces: the node offers no tracer"
    orphan = replace(block, block_hash="0x" + "ab" * 32)
    assert "chain-moved" in traced.trace(orphan, CALL_TRACER).reason
    with pytest.raises(NodeUnavailable):
        traced.trace(block, CALL_TRACER, "http://127.0.0.1:1")
    bitcoin = Asset(AssetId(f"{block.chain_id}/slip44:0"), "BTC", 8)
    with pytest.raises(InvalidValue):
        traced.chain.reader().trace_blocks([block], traced.wallets, bitcoin)


# What no node here says: answers of other clients, and broken ones


TX = "0x" + "11" * 32
A, B, C = ("0x" + letter * 40 for letter in "abc")


def frame(kind: str = "CALL", value: str | None = "0x5", *calls: Json, **more: object) -> Json:
    own = {"type": kind, "from": A, "to": B, **({"value": value} if value is not None else {}), **more}
    return {**own, "calls": list(calls)} if calls else own


def moved(*calls: Json, **root: object) -> list[int]:
    """The amounts that a transaction with these inner frames moved."""
    answer = [{"result": frame("CALL", "0x63", *calls, **root)}]
    (transaction,) = decode_call_tracer(answer, [TX])
    return [each.wei for each in transaction.moved]


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        ([], []),
        ([frame()], [5]),
        ([frame(value="0x0")], []),
        ([frame("STATICCALL", None)], []),
        ([frame("DELEGATECALL", "0x5")], []),
        ([frame("CALLCODE", "0x5")], []),
        ([frame("DELEGATECALL", "0x5", frame("CALL", "0x2"))], [2]),
        ([frame("CREATE"), frame("CREATE2", "0x6"), frame("SELFDESTRUCT", "0x7")], [5, 6, 7]),
        ([frame(error="out of gas")], []),
        ([frame("CALL", "0x5", frame("CALL", "0x2"), error="execution reverted"), frame(value="0x3")], [3]),
        ([frame("CALL", "0x1", frame("CALL", "0x2", frame("CALL", "0x3"))), frame(value="0x4")], [1, 2, 3, 4]),
    ],
)
def test_which_frames_move_coins(calls: list[Json], expected: list[int]) -> None:
    assert moved(*calls) == expected
    assert moved(*calls, error="execution reverted") == []


def test_a_thousand_frames_deep() -> None:
    deep = frame()
    for _ in range(1_024):
        deep = frame("CALL", "0x0", deep)
    assert moved(deep) == [5]


@pytest.mark.parametrize(
    "broken",
    [
        {"type": "TELEPORT"},
        {"type": None},
        {"value": "5"},
        {"value": 5},
        {"from": "0x12"},
        {"to": None},
        {"calls": {}},
        {"calls": [None]},
        {"type": ["CALL"]},
        {"type": {}},
    ],
)
def test_a_broken_frame_spoils_the_block(broken: Json) -> None:
    assert moved(frame()) == [5]
    with pytest.raises(MalformedAnswer):
        moved({**frame(), **broken})


HERE = "0x" + "22" * 32


def parity(path: list[int], kind: str = "call", **more: object) -> Json:
    action: Json = {
        "call": {"callType": "call", "from": A, "to": B, "value": "0x5"},
        "create": {"from": A, "value": "0x5"},
        "suicide": {"address": A, "refundAddress": B, "balance": "0x5"},
        "reward": {"author": A, "value": "0x5"},
    }[kind]
    own: Json = {"type": kind, "action": action, "traceAddress": path, "result": {"address": B}}
    place = {"blockHash": HERE, "transactionHash": TX, "transactionPosition": 0}
    return {**own, **place, **more}


def parity_moved(*traces: Json) -> list[int]:
    block = BlockRef(ChainId("eip155:1"), 7, HERE, "0x" + "00" * 32, datetime(2026, 3, 2, tzinfo=UTC))
    (transaction,) = decode_trace_block([parity([]), *traces], block, [TX])
    return [each.wei for each in transaction.moved]


@pytest.mark.parametrize(
    ("traces", "expected"),
    [
        ([], 0),
        ([parity([0])], 1),
        ([parity([0], "create")], 1),
        ([parity([0], "suicide", result=None)], 1),
        ([parity([0], "reward", transactionHash=None, transactionPosition=None)], 0),
        ([parity([0], action={"callType": "delegatecall", "from": A, "to": B, "value": "0x5"})], 0),
        ([parity([0], action={"callType": "callcode", "from": A, "to": B, "value": "0x5"})], 0),
        ([parity([0], action={"callType": "staticcall", "from": A, "to": B, "value": "0x0"})], 0),
        ([parity([0], error="Reverted", result=None), parity([0, 0]), parity([0, 0, 0]), parity([1])], 1),
        ([parity([0, 0]), parity([0], error="Reverted", result=None)], 0),
        ([parity([10]), parity([2]), parity([1])], 3),
    ],
)
def test_which_traces_move_coins(traces: list[Json], expected: int) -> None:
    assert parity_moved(*traces) == [5] * expected


@pytest.mark.parametrize(
    "broken",
    [
        {"type": "teleport"},
        {"blockHash": None},
        {"transactionPosition": 1},
        {"transactionPosition": True},
        {"transactionPosition": None},
        {"traceAddress": None},
        {"traceAddress": [-1]},
        {"action": None},
        {"action": {"callType": "call", "from": A, "to": B, "value": None}},
        {"action": {"callType": "beam", "from": A, "to": B, "value": "0x5"}},
        {"action": {"callType": ["call"], "from": A, "to": B, "value": "0x5"}},
        {"type": []},
    ],
)
def test_a_broken_trace_spoils_the_block(broken: Json) -> None:
    assert parity_moved(parity([0])) == [5]
    with pytest.raises(MalformedAnswer):
        parity_moved({**parity([0]), **broken})


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"balance": "0x5"}, {"balance": "0x7"}, [2]),
        ({"balance": "0x5"}, {"balance": "0x0"}, [-5]),
        ({"balance": "0x5"}, {"nonce": 2}, []),  # kept
        ({"balance": "0x5"}, None, [-5]),  # the account is gone
        (None, {"balance": "0x7"}, [7]),  # it is new
        (None, None, []),
    ],
)
def test_sums_from_a_state_diff(before: Json | None, after: Json | None, expected: list[int]) -> None:
    diff = {side: {A: what} if what is not None else {} for side, what in (("pre", before), ("post", after))}
    found = decode_prestate_diff([{"txHash": TX, "result": diff}], [TX], frozenset({bytes.fromhex("aa" * 20)}))
    assert [each.base_units for each in found] == expected
    assert decode_prestate_diff([{"txHash": TX, "result": diff}], [TX], frozenset()) == ()
    with pytest.raises(MalformedAnswer):
        decode_prestate_diff([{"txHash": TX, "result": {"pre": {}}}], [TX], frozenset())
