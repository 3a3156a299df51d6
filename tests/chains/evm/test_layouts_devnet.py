"""Layouts found on a real node, and balances proven by them there: every way in which tokens are known to keep them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from chains.devnet.lies import change_result, fail
from chains.devnet.lying_proxy import LyingProxy
from chains.devnet.pytest_plugin import DeployContract, DeployErc20
from chains.errors import NodeRefused, ProofFailed
from chains.evm.addresses import address_bytes, checksum_address
from chains.evm.control import proxy_slots
from chains.evm.encumbrance_types import Fact
from chains.evm.keccak import keccak256
from chains.evm.layout_discovery import FoundLayout, discover_layout
from chains.evm.storage_slots import namespace_slot
from chains.evm.token_layout import SlotOrder, TokenLayout, minimal_proxy_code
from chains.reader import NodeConfig
from chains.transport import JsonRpcTransport
from chains.types import Address, Asset, AssetId, Holding
from tests.chains.evm.conftest import LIMITS, EvmChain
from tests.chains.evm.token_codes import (
    asks_elsewhere,
    field,
    proxy,
    seeded_token,
    solidity_token,
    times_word,
    vyper_token,
)

pytestmark = pytest.mark.devnet

LIMITS_WITHOUT_TIME = replace(LIMITS, state_proof_seconds_max=0.0)

HOLDER, NOBODY = checksum_address(b"\x77" * 20), checksum_address(b"\x78" * 20)
TOKEN, CODE = checksum_address(b"\xa1" * 20), checksum_address(b"\xa2" * 20)
BALANCE = 123_456_789
IMPLEMENTATION, OLD_IMPLEMENTATION = proxy_slots()[Fact.IMPLEMENTATION]


@dataclass(frozen=True)
class Kept:
    """A way of keeping balances, and the layout that must be found."""

    code: bytes
    order: SlotOrder
    slot: int
    first_bit: int = 0
    bits: int = 256


KEPT = {
    "solidity": Kept(solidity_token(9), SlotOrder.SOLIDITY, 9),
    "solidity, late": Kept(solidity_token(307), SlotOrder.SOLIDITY, 307),
    "vyper": Kept(vyper_token(5), SlotOrder.VYPER, 5),
    "openzeppelin 5": Kept(
        solidity_token(namespace_slot("openzeppelin.storage.ERC20")),
        SlotOrder.SOLIDITY,
        namespace_slot("openzeppelin.storage.ERC20"),
    ),
    "solady": Kept(seeded_token(0x87A211A2), SlotOrder.SEEDED, 0x87A211A2),
    "a flag in bit 255": Kept(solidity_token(9, field(0, 255)), SlotOrder.SOLIDITY, 9, 0, 255),
    "the upper half": Kept(solidity_token(3, field(128, 128)), SlotOrder.SOLIDITY, 3, 128, 128),
    "96 bits in the middle": Kept(solidity_token(3, field(32, 96)), SlotOrder.SOLIDITY, 3, 32, 96),
}


class Bench:
    """A token with any code at a fixed address on the test's node."""

    def __init__(self, chain: EvmChain) -> None:
        self.chain = chain
        self.asset = Asset(AssetId(f"{chain.config.chain_id}/erc20:{TOKEN}"), "TKN", 18)
        self.reader = chain.reader()

    def place(self, code: bytes, at: Address = TOKEN) -> None:
        self.chain.node.set_code(at, f"0x{code.hex()}")

    def fill(self, layout: TokenLayout, units: int) -> None:
        """Give the holder a balance, and ones in all bits that are not the balance's."""
        mask = ((1 << layout.bits) - 1) << layout.first_bit
        stored = (units << layout.first_bit) | ((1 << 256) - 1) & ~mask
        self.chain.node.set_storage_at(TOKEN, layout.slot(HOLDER), stored)
        self.chain.node.mine()

    def discover(self, *holders: Address, url: str | None = None) -> FoundLayout:
        self.chain.node.mine()
        node = NodeConfig("node-1", "operator-1", url or self.chain.node.url)
        transport = JsonRpcTransport(node, LIMITS)
        try:
            return discover_layout(transport, self.chain.pin(self.reader).block, self.asset.asset_id, holders)
        finally:
            transport.close()

    def prove(self, layout: TokenLayout, url: str | None = None) -> tuple[int | None, str]:
        """What is proven of the holder's balance, or why nothing is; of who has none, zero."""
        reader = self.chain.reader(url)
        holdings = [Holding(holder, self.asset) for holder in (HOLDER, NOBODY)]
        proofs = reader.prove_balances(self.chain.pin(self.reader), holdings, {self.asset.asset_id: layout})
        reasons = {**proofs.failed, **proofs.missing, **proofs.unprovable}
        if holdings[0] in proofs.proven:
            assert proofs.proven[holdings[1]] == 0
            return proofs.proven[holdings[0]], ""
        return None, reasons[holdings[0]]


@pytest.fixture
def bench(chain: EvmChain) -> Bench:
    return Bench(chain)


@pytest.mark.parametrize("name", list(KEPT))
def test_each_way_of_keeping_balances_is_found_and_proven(name: str, bench: Bench) -> None:
    kept = KEPT[name]
    bench.place(kept.code)
    layout = bench.discover().layout
    assert (layout.order, layout.mapping_slot, layout.first_bit, layout.bits) == (
        kept.order, kept.slot, kept.first_bit, kept.bits,
    )  # fmt: skip
    bench.fill(layout, BALANCE)
    assert bench.discover(HOLDER, NOBODY).layout == layout
    assert bench.prove(layout) == (BALANCE, "")
    bench.place(kept.code + b"\x00")
    bench.chain.node.mine()
    assert bench.prove(layout)[1].startswith("layout-stale: the code of the token")


@pytest.mark.parametrize("slot", [IMPLEMENTATION, OLD_IMPLEMENTATION])
def test_a_proxy_is_proven_with_the_code_it_runs(slot: int, bench: Bench) -> None:
    bench.place(proxy(slot))
    bench.place(solidity_token(2), CODE)
    bench.chain.node.set_storage_at(TOKEN, slot, int(CODE, 16))
    layout = bench.discover().layout
    assert (layout.implementation, layout.implementation_slot) == (CODE, slot)
    bench.fill(layout, BALANCE)
    assert bench.prove(layout) == (BALANCE, "")

    bench.place(solidity_token(2) + b"\x00", CODE)
    bench.chain.node.mine()
    assert "the code of the implementation" in bench.prove(layout)[1]
    bench.chain.node.set_storage_at(TOKEN, slot, int(NOBODY, 16))
    bench.chain.node.mine()
    assert "runs another implementation" in bench.prove(layout)[1]


def test_a_minimal_proxy_is_proven_with_the_code_it_forwards_to(bench: Bench) -> None:
    bench.place(minimal_proxy_code(CODE))
    bench.place(vyper_token(1), CODE)
    layout = bench.discover().layout
    assert (layout.implementation, layout.implementation_slot) == (CODE, None)
    bench.fill(layout, BALANCE)
    assert bench.prove(layout) == (BALANCE, "")


@pytest.mark.parametrize(
    ("code", "words", "reason"),
    [
        (solidity_token(1, times_word(7)), {7: 10**18}, "follows another word"),
        (solidity_token(1, times_word(7)), {7: 1}, "follows another word"),
        (solidity_token(1, bytes.fromhex("600302")), {}, "it is computed"),
        (solidity_token(2_000), {}, "no mapping rule that is known"),
        (bytes.fromhex("60006000526020" + "6000f3"), {}, "in no storage that depends on the holder"),
        (asks_elsewhere(address_bytes(CODE)), {}, f"in the storage of {CODE}"),
        (b"", {}, "no code"),
        (solidity_token(1), {proxy_slots()[Fact.BEACON][0]: 1}, "a beacon"),
    ],
    ids=["an index", "an index of one", "computed", "far away", "nowhere", "elsewhere", "no code", "a beacon"],
)
def test_what_is_no_word_of_the_token_is_unprovable(
    code: bytes, words: dict[int, int], reason: str, bench: Bench
) -> None:
    bench.place(code)
    bench.place(solidity_token(0), CODE)
    for slot, stored in words.items():
        bench.chain.node.set_storage_at(TOKEN, slot, stored)
    found = bench.discover()
    assert not found.layout.is_provable
    assert reason in found.layout.reason
    assert bench.prove(found.layout) == (None, f"unprovable: {found.layout.reason}")


def test_a_rule_that_a_real_holder_contradicts_is_none(bench: Bench) -> None:
    """The token answers otherwise for one holder, whom the probes did not ask about."""
    special = b"\x73" + address_bytes(HOLDER) + bytes.fromhex("600435" + "14")
    answers_seven = bytes.fromhex("600760005260206000f3")
    code = special + bytes.fromhex("15602857") + answers_seven
    code = code.ljust(0x28, b"\x00") + b"\x5b" + solidity_token(1)
    bench.place(code)
    assert bench.discover(NOBODY).layout.is_provable
    assert "balanceOf" in bench.discover(HOLDER).layout.reason


def test_the_test_tokens_in_vyper_are_found(bench: Bench, deploy_contract: DeployContract) -> None:
    for name, arguments, provable in (
        ("Erc20", ("TKN test", "TKN", 18), True),
        ("Rebasing", (), False),
        ("Weth", (), True),
    ):
        token = deploy_contract(name, *arguments)
        bench.asset = Asset(AssetId(f"{bench.chain.config.chain_id}/erc20:{token.address}"), "TKN", 18)
        found = bench.discover()
        assert found.layout.is_provable is provable, found
        assert found.layout.order is (SlotOrder.VYPER if provable else SlotOrder.UNPROVABLE)


def test_a_node_without_access_lists_finds_nothing(bench: Bench, lying_node: Callable[..., LyingProxy]) -> None:
    bench.place(solidity_token(1))
    node = lying_node(fail("eth_createAccessList", -32601, "the method does not exist"))
    with pytest.raises(NodeRefused):
        bench.discover(url=node.url)


def test_a_lie_while_the_rule_is_looked_for_makes_a_rule_that_proves_nothing(
    bench: Bench, lying_node: Callable[..., LyingProxy]
) -> None:
    """Discovery may be lied to: the rule it gives fails against the proven code hash."""
    bench.place(solidity_token(1))
    other = "0x" + solidity_token(2).hex()
    node = lying_node(change_result("eth_getCode", lambda params, truth: other))
    layout = bench.discover(url=node.url).layout
    assert layout.code_hash == f"0x{keccak256(solidity_token(2)).hex()}"
    assert bench.prove(layout)[1].startswith("layout-stale")


def test_one_bad_slot_costs_the_others_no_proof(bench: Bench, lying_node: Callable[..., LyingProxy]) -> None:
    """A node that lies about one slot of many: that balance is not proven, every other one is."""
    bench.place(vyper_token(5))
    layout = bench.discover().layout
    holders = [checksum_address(bytes([1 + number]) * 20) for number in range(40)]
    for number, holder in enumerate(holders):
        bench.chain.node.set_storage_at(TOKEN, layout.slot(holder), number)
    bench.chain.node.mine()
    bad = layout.slot(holders[17])

    def change(params: list[Any], truth: Any) -> Any:
        entries = [
            {**entry, "value": "0x7"} if int(entry["key"], 16) == bad else entry for entry in truth["storageProof"]
        ]
        return {**truth, "storageProof": entries}

    reader = bench.chain.reader(lying_node(change_result("eth_getProof", change)).url)
    holdings = [Holding(holder, bench.asset) for holder in holders]
    proofs = reader.prove_balances(bench.chain.pin(bench.reader), holdings, {bench.asset.asset_id: layout})
    assert set(proofs.failed) == {holdings[17]}
    assert proofs.proven == {each: number for number, each in enumerate(holdings) if number != 17}


def test_a_balance_that_was_paid_away_is_proven_to_be_zero(
    bench: Bench, deploy_erc20: DeployErc20, accounts: list[str]
) -> None:
    """Anvil keeps a zero in the trie where other nodes remove the leaf."""
    token = deploy_erc20()
    token.transact("mint", accounts[1], 500)
    token.transact("transfer", accounts[2], 500, sender=accounts[1])
    bench.asset = bench.chain.token(token)
    layout = bench.discover().layout
    paid, received = (Holding(Address(each), bench.asset) for each in accounts[1:3])
    proofs = bench.reader.prove_balances(bench.chain.pin(bench.reader), [paid, received], {layout.asset_id: layout})
    assert proofs.proven == {paid: 0, received: 500}


def test_when_the_time_is_used_up_the_rest_has_no_proof(bench: Bench) -> None:
    chain = replace(bench.chain, config=replace(bench.chain.config, limits=LIMITS_WITHOUT_TIME))
    reader = chain.reader()
    holdings = [Holding(HOLDER, bench.chain.native)]
    proofs = reader.prove_balances(bench.chain.pin(bench.reader), holdings, {})
    assert proofs.missing[holdings[0]].startswith("proof-time: ")


@pytest.mark.fault("A30")
def test_a_header_altered_under_its_hash_proves_nothing(bench: Bench, lying_node: Callable[..., LyingProxy]) -> None:
    pin = bench.chain.pin(bench.reader)
    liar = lying_node(
        change_result("eth_getBlockByHash", lambda params, block: {**block, "stateRoot": "0x" + "12" * 32})
    )
    with pytest.raises(ProofFailed):
        bench.chain.reader(liar.url).prove_balances(pin, [Holding(HOLDER, bench.chain.native)], {})


def test_a_chain_whose_headers_cannot_be_recomputed_has_no_proofs(bench: Bench) -> None:
    reader = bench.chain.reader(header_format="unknown")
    holding = Holding(HOLDER, bench.chain.native)
    proofs = reader.prove_balances(bench.chain.pin(bench.reader), [holding], {})
    assert proofs.missing[holding].startswith("header-unchecked: ")
    assert (proofs.proven, proofs.nodes, proofs.header) == ({}, (), b"")
