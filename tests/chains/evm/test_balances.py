"""Balances on a real Anvil: four strategies against each other and web3, odd tokens, chunks, falling back."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest
from web3 import Web3

from chains.devnet import lies
from chains.devnet.anvil import AnvilNode
from chains.devnet.deploy import MULTICALL3_ADDRESS, place
from chains.devnet.lying_proxy import LyingProxy
from chains.devnet.pytest_plugin import DeployContract, DeployErc20
from chains.errors import ChainMoved, InvalidValue, MalformedAnswer, StateUnavailable, UnsupportedByNode
from chains.evm import chain_plugin, scan_strategies
from chains.evm.addresses import checksum_address
from chains.evm.balances import rectangles
from chains.evm.probe import PROBED, Capabilities
from chains.evm.scanner import AccountKind
from chains.evm.strategies import STRATEGIES
from chains.reader import NodeConfig
from chains.types import (
    Address,
    AnchorEvidence,
    Asset,
    AssetId,
    BalanceObservation,
    Holding,
    ReadStatus,
    StateEvidence,
)
from tests.chains.evm.conftest import EvmChain

pytestmark = pytest.mark.devnet

ALL = tuple(STRATEGIES)
Lying = Callable[..., LyingProxy]


def somebody() -> Address:
    return checksum_address(secrets.token_bytes(20))


def amounts(observations: list[BalanceObservation]) -> list[int | None]:
    return [observation.base_units for observation in observations]


@pytest.mark.fault("A39")
def test_all_strategies_and_web3_agree(
    chain: EvmChain, anvil: AnvilNode, w3: Web3, deploy_erc20: DeployErc20, holders: list[Address]
) -> None:
    """Two tokens of one symbol are two assets: nothing but the contract's address names a token."""
    first, second = deploy_erc20("USDX", 6), deploy_erc20("USDX", 18)
    place(anvil, "Multicall3", MULTICALL3_ADDRESS)
    people = [*holders, *(somebody() for _ in range(20))]
    for number, holder in enumerate(people):
        first.transact("mint", holder, 10**6 + number)
    second.transact("mint", people[0], 2**256 - 1)
    assets = [chain.native, chain.token(first, 6), chain.token(second, 18)]
    holdings = [Holding(holder, asset) for holder in people for asset in assets]
    reader = chain.reader()
    pin = chain.pin(reader)
    height = pin.block.height
    contracts = [
        w3.eth.contract(address=w3.to_checksum_address(t.address), abi=t.contract.abi) for t in (first, second)
    ]
    truth: list[int | None] = []
    for holder in people:
        truth.append(w3.eth.get_balance(w3.to_checksum_address(holder), height))
        truth.extend(c.functions.balanceOf(holder).call(block_identifier=height) for c in contracts)
    anvil.mine(2)
    first.transact("mint", people[0], 5)  # after the pin: must not be seen
    for name in ALL:
        observations = chain.reader(strategy=name).read_balances(pin, holdings)
        assert amounts(observations) == truth, name
        assert {o.method for o in observations} == {name}
        assert [o.holding for o in observations] == holdings
        assert {(o.block, o.node_id, o.reason) for o in observations} == {(pin.block, "node-1", "")}
    assert reader.read_balances(pin, holdings)[0].method == "state-override"
    assert reader.capabilities is not None
    assert reader.capabilities.strategies == ALL


def test_an_observation_made_in_bulk_is_like_any_other(chain: EvmChain, holders: list[Address]) -> None:
    reader = chain.reader()
    made = reader.read_balances(chain.pin(reader), [Holding(holders[0], chain.native)])[0]
    written = BalanceObservation(**{field.name: getattr(made, field.name) for field in fields(BalanceObservation)})
    assert type(made) is BalanceObservation
    assert made == written
    assert hash(made) == hash(written)
    assert repr(made) == repr(written)
    with pytest.raises(AttributeError):
        made.base_units = 1  # type: ignore[misc]


ODD = {
    0: (7, ""),
    1: (None, "balance-reverted"),
    2: (None, "balance-reverted"),
    3: (None, "balance-malformed"),
    4: (None, "balance-malformed"),
    5: (None, "balance-malformed"),
    6: (None, "balance-reverted"),
    7: (2**256 - 1, ""),
    8: (None, "balance-malformed"),
}
"""What becomes of each mode of the contract OddBalance."""


@pytest.mark.fault("A37")
@pytest.mark.parametrize("strategy", ALL)
def test_odd_tokens_fail_alone(
    chain: EvmChain, anvil: AnvilNode, deploy_contract: DeployContract, holders: list[Address], strategy: str
) -> None:
    place(anvil, "Multicall3", MULTICALL3_ADDRESS)
    assets = [chain.token(deploy_contract("OddBalance", mode, 7)) for mode in ODD]
    holdings = [Holding(holder, asset) for holder in holders[:3] for asset in [*assets, chain.native]]
    reader = chain.reader(strategy=strategy)
    observations = reader.read_balances(chain.pin(reader), holdings)
    for holder in range(3):
        of_holder = observations[holder * 10 : holder * 10 + 10]
        for (amount, code), observation in zip(ODD.values(), of_holder, strict=False):
            assert observation.base_units == amount
            assert observation.reason.partition(":")[0] == code
        assert of_holder[9].base_units == anvil.balance(holders[holder])


@pytest.mark.fault("A40")
@pytest.mark.parametrize("strategy", ALL)
def test_a_token_without_code_is_never_zero(
    chain: EvmChain, anvil: AnvilNode, holders: list[Address], strategy: str
) -> None:
    place(anvil, "Multicall3", MULTICALL3_ADDRESS)
    nothing = Asset(AssetId(f"{chain.config.chain_id}/erc20:{somebody()}"), "GONE", 18)
    reader = chain.reader(strategy=strategy)
    observation = reader.read_balances(chain.pin(reader), [Holding(holders[0], nothing)])[0]
    assert observation.status is ReadStatus.FAILED
    assert observation.base_units is None
    assert observation.reason.startswith(("token-no-code", "balance-malformed"))


def test_account_kinds(chain: EvmChain, anvil: AnvilNode, deploy_erc20: DeployErc20, holders: list[Address]) -> None:
    token, delegated, near_miss, nobody = deploy_erc20(), somebody(), somebody(), somebody()
    anvil.set_code(delegated, "0xef0100" + token.address[2:].lower())
    anvil.set_code(near_miss, "0x" + "00" * 23)
    reader = chain.reader()
    people = [holders[0], Address(token.address), delegated, near_miss, nobody]
    reader.read_balances(chain.pin(reader), [Holding(each, chain.native) for each in people])
    assert [reader.account_kinds[each] for each in people] == [
        AccountKind.EOA,
        AccountKind.CONTRACT,
        AccountKind.DELEGATED,
        AccountKind.CONTRACT,
        AccountKind.NEVER_USED,
    ]


@pytest.mark.parametrize("strategy", ["state-override", "initcode", "batch"])
def test_any_number_of_holders(
    chain: EvmChain, deploy_erc20: DeployErc20, holders: list[Address], strategy: str
) -> None:
    """More than a chunk and more than the node's gas allows in one call; progress counts all of them."""
    token = deploy_erc20("T", 6, 1_000_000)
    people = [*(somebody() for _ in range(6_500)), holders[0]]
    holdings = [Holding(each, asset) for each in people for asset in (chain.native, chain.token(token))]
    reader = chain.reader(strategy=strategy)
    counted: list[int] = []
    observations = reader.read_balances(chain.pin(reader), holdings, counted.append)
    assert len(observations) == sum(counted) == 13_002
    assert len(counted) > 1
    assert observations[-1].base_units == 1_000_000
    assert {o.status for o in observations} == {ReadStatus.OK}
    assert sum(amount or 0 for amount in amounts(observations)[1:-2:2]) == 0


@pytest.mark.anvil(private=True, args=["--gas-limit", "3000000"])
def test_little_gas_ends_a_chunk_early_and_loses_nothing(
    chain: EvmChain, deploy_erc20: DeployErc20, holders: list[Address]
) -> None:
    token = deploy_erc20("T", 6, 55)
    people = [*(somebody() for _ in range(900)), holders[0]]
    holdings = [Holding(each, asset) for each in people for asset in (chain.native, chain.token(token))]
    reader = chain.reader(strategy="state-override")
    counted: list[int] = []
    observations = reader.read_balances(chain.pin(reader), holdings, counted.append)
    assert len(counted) > 2
    assert sum(counted) == len(observations) == 1_802
    assert observations[-1].base_units == 55
    assert {o.status for o in observations} == {ReadStatus.OK}


def test_a_token_that_burns_all_gas_starves_nobody(
    chain: EvmChain, deploy_erc20: DeployErc20, deploy_contract: DeployContract, holders: list[Address]
) -> None:
    burner, good = chain.token(deploy_contract("OddBalance", 6, 7)), chain.token(deploy_erc20("T", 6, 9))
    people = [*(somebody() for _ in range(150)), holders[0]]
    holdings = [Holding(each, asset) for each in people for asset in (burner, good)]
    reader = chain.reader(strategy="state-override")
    observations = reader.read_balances(chain.pin(reader), holdings)
    assert {o.status for o in observations[::2]} == {ReadStatus.FAILED}
    assert {o.status for o in observations[1::2]} == {ReadStatus.OK}
    assert observations[-1].base_units == 9


def test_more_tokens_than_a_program_takes(chain: EvmChain, deploy_erc20: DeployErc20, holders: list[Address]) -> None:
    token = chain.token(deploy_erc20("T", 6, 9))
    others = [Asset(AssetId(f"{chain.config.chain_id}/erc20:{somebody()}"), "N", 0) for _ in range(70)]
    reader = chain.reader()
    holdings = [Holding(holders[0], asset) for asset in [*others, token, chain.native]]
    observations = reader.read_balances(chain.pin(reader), holdings)
    assert {o.reason.partition(":")[0] for o in observations[:70]} == {"token-no-code"}
    assert observations[70].base_units == 9
    assert observations[71].base_units == chain.node.balance(holders[0])


def test_ragged_and_repeated_holdings_keep_their_places(
    chain: EvmChain, deploy_erc20: DeployErc20, holders: list[Address]
) -> None:
    first, second = deploy_erc20("A", 6), deploy_erc20("B", 6)
    for number, holder in enumerate(holders):
        first.transact("mint", holder, 100 + number)
        second.transact("mint", holder, 200 + number)
    a, b = chain.token(first), chain.token(second)
    holdings = [Holding(holders[3], b), Holding(holders[1], a), Holding(holders[3], b), Holding(holders[2], b)]
    holdings += [Holding(holders[1], b), Holding(holders[1], a), Holding(holders[3], a)]
    reader = chain.reader()
    assert amounts(reader.read_balances(chain.pin(reader), holdings)) == [203, 101, 203, 202, 201, 101, 103]
    assert reader.read_balances(chain.pin(reader), []) == []


def test_holders_of_the_same_assets_are_read_together(chain: EvmChain) -> None:
    token = Asset(AssetId(f"{chain.config.chain_id}/erc20:{somebody()}"), "N", 0)
    people = [somebody() for _ in range(30)]
    holdings = [Holding(each, asset) for each in people for asset in (token, chain.native)]
    (rectangle,) = rectangles(holdings)
    assert len(rectangle.addresses) == 30
    assert rectangle.native_places == range(1, 60, 2)
    pin = chain.pin(chain.reader())
    for name, count in (("state-override", 1), ("batch", 60)):
        strategy = STRATEGIES[name]
        assert strategy.holders_first(len(rectangle.tokens)) >= 30
        assert len(strategy.requests(rectangle.chunk(pin.block, 0, 30))) == count


def test_a_foreign_asset_is_refused(chain: EvmChain, holders: list[Address]) -> None:
    reader = chain.reader()
    pin = chain.pin(reader)
    for foreign in ("eip155:1/slip44:60", f"{chain.config.chain_id}/slip44:966"):
        with pytest.raises(InvalidValue):
            reader.read_balances(pin, [Holding(holders[0], Asset(AssetId(foreign), "X", 18))])


# What a node without some ability, or one that lies, leads to


def refuse_override(asked: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
    """A provider that does not let calls override state."""
    if asked != "eth_call" or len(params) < 3:
        return answer
    return {"jsonrpc": "2.0", "id": answer["id"], "error": {"code": -32602, "message": "too many arguments"}}


def refuse_creation(asked: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
    """A provider that does not call without receiver."""
    if asked != "eth_call" or "to" in params[0]:
        return answer
    return {"jsonrpc": "2.0", "id": answer["id"], "error": {"code": -32000, "message": "to is required"}}


@pytest.mark.fault("G15")
def test_each_missing_ability_leads_to_the_next_way(
    chain: EvmChain, anvil: AnvilNode, lying_node: Lying, holders: list[Address]
) -> None:
    anvil.mine()  # Anvil runs calls at its genesis block with another time than the block's
    holding = Holding(holders[0], chain.native)
    truth = anvil.balance(holders[0])
    told: tuple[Any, ...]
    for told, expected in (((refuse_override,), "initcode"), ((refuse_override, refuse_creation), "batch")):
        reader = chain.reader(lying_node(*told).url)
        observation = reader.read_balances(chain.pin(reader), [holding])[0]
        assert (observation.method, observation.base_units) == (expected, truth)
        assert reader.capabilities is not None
        assert "state-override" in reader.capabilities.missing
        assert Capabilities.from_words(reader.capabilities.to_words()) == reader.capabilities
    place(anvil, "Multicall3", MULTICALL3_ADDRESS)
    anvil.mine()
    reader = chain.reader(lying_node(refuse_override, refuse_creation).url)
    assert reader.read_balances(chain.pin(reader), [holding])[0].method == "multicall3"


@pytest.mark.fault("A26")
def test_without_state_proofs_a_balance_is_read_and_no_more(
    chain: EvmChain, anvil: AnvilNode, lying_node: Lying, holders: list[Address]
) -> None:
    def refuse_proofs(asked: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        if asked != "eth_getProof":
            return answer
        refusal = {"code": -32601, "message": "the method eth_getProof does not exist"}
        return {"jsonrpc": "2.0", "id": answer["id"], "error": refusal}

    reader = chain.reader(lying_node(refuse_proofs).url)
    assert reader.probe(chain.now())["get-proof"].startswith("no: ")
    (observation,) = reader.read_balances(chain.pin(reader), [Holding(holders[0], chain.native)])
    assert observation.base_units == anvil.balance(holders[0])
    assert (observation.state, observation.anchor) == (StateEvidence.READ, AnchorEvidence.SINGLE)


def test_an_ability_lost_after_the_probe_is_made_up_for(
    chain: EvmChain, lying_node: Lying, holders: list[Address]
) -> None:
    proxy = lying_node()
    reader = chain.reader(proxy.url)
    pin = chain.pin(reader)
    holdings = [Holding(holder, chain.native) for holder in holders]
    honest = reader.read_balances(pin, holdings)
    proxy.lies.append(refuse_override)
    later = reader.read_balances(pin, holdings)
    assert amounts(later) == amounts(honest)
    assert {o.method for o in later} == {"initcode"}


def test_what_a_probe_found_is_kept_in_words(chain: EvmChain, lying_node: Lying, holders: list[Address]) -> None:
    words = chain.reader().probe(chain.now())
    assert words["state-override"] == words["get-proof"] == "yes"
    assert words["multicall3"].startswith("no: ")
    assert words["client"].startswith("anvil/")
    proxy = lying_node()
    node = NodeConfig("node-1", "operator-1", proxy.url)
    requests = []
    for kept in (dict(words), {**words, "version": "2"}, {}, {"version": "1"}):
        reader = chain_plugin.open(chain.config, node, capabilities=kept)
        pin = chain.pin(reader)
        before = proxy.requests_received
        assert reader.read_balances(pin, [Holding(holders[0], chain.native)])[0].status is ReadStatus.OK
        requests.append(proxy.requests_received - before)
        reader.close()
    assert requests[0] == 2  # the balances, and the block once more
    assert min(requests[1:]) > 10  # kept in another form is as good as none


def test_every_capability_is_probed_and_named(chain: EvmChain) -> None:
    reader = chain.reader()
    reader.probe(chain.now())
    assert reader.capabilities is not None
    assert reader.capabilities.supported | set(reader.capabilities.missing) == set(PROBED)


@pytest.mark.fault("A9")
def test_a_value_the_node_refuses_fails_alone(chain: EvmChain, lying_node: Lying, holders: list[Address]) -> None:
    def busy(asked: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        if asked != "eth_getBalance" or params[0] != holders[1].lower():
            return answer
        return {"jsonrpc": "2.0", "id": answer["id"], "error": {"code": -32603, "message": "internal error"}}

    reader = chain.reader(lying_node(busy).url, strategy="batch")
    good, bad, also_good = reader.read_balances(
        chain.pin(reader), [Holding(holder, chain.native) for holder in holders[:3]]
    )
    assert good.base_units is not None
    assert also_good.base_units is not None
    assert bad.base_units is None
    assert bad.reason.startswith("node-refused: node node-1:")


@pytest.mark.fault("A25")
@pytest.mark.parametrize("message", ["missing trie node 0a1b (path 02)", "header not found", "state is pruned"])
def test_pruned_state_is_unavailable_and_not_zero(
    chain: EvmChain, lying_node: Lying, holders: list[Address], message: str
) -> None:
    proxy = lying_node()
    reader = chain.reader(proxy.url)
    pin = chain.pin(reader)
    holdings = [Holding(holders[0], chain.native)]
    assert reader.read_balances(pin, holdings)[0].status is ReadStatus.OK
    proxy.lies.append(lies.fail("eth_call", -32000, message))
    with pytest.raises(StateUnavailable) as caught:
        reader.read_balances(pin, holdings)
    assert "archive" in caught.value.advice


def test_a_node_that_ignores_the_block_hash_is_not_read_from(
    chain: EvmChain, lying_node: Lying, holders: list[Address]
) -> None:
    def any_block(asked: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "id": answer["id"], "result": "0x7"} if asked == "eth_getBalance" else answer

    reader = chain.reader(lying_node(any_block).url)
    with pytest.raises(UnsupportedByNode, match="by block hash"):
        reader.read_balances(chain.pin(reader), [Holding(holders[0], chain.native)])


@pytest.mark.parametrize("strategy", ["state-override", "initcode", "multicall3"])
@pytest.mark.parametrize("word", [0, 1, 2, 3])
def test_an_answer_from_another_block_is_refused(
    chain: EvmChain, anvil: AnvilNode, lying_node: Lying, holders: list[Address], strategy: str, word: int
) -> None:
    """Each of the four things the EVM says about where it ran is compared with the pin."""
    place(anvil, "Multicall3", MULTICALL3_ADDRESS)
    anvil.mine(2)
    # Where aggregate3 puts the word of its result number `word`: behind head, offsets and earlier results.
    start = 64 + 32 * (4 + 1) + 128 * word + 96 if strategy == "multicall3" else 32 * word

    def elsewhere(params: list[Any], result: str) -> str:
        place = 2 + 2 * (start + 31)
        return result[:place] + f"{int(result[place : place + 2], 16) ^ 1:02x}" + result[place + 2 :]

    proxy = lying_node()
    reader = chain.reader(proxy.url, strategy=strategy)
    pin = chain.pin(reader)
    holdings = [Holding(holders[0], chain.native)]
    assert reader.read_balances(pin, holdings)[0].status is ReadStatus.OK
    proxy.lies.append(lies.change_result("eth_call", elsewhere))
    with pytest.raises(MalformedAnswer, match="another block") as caught:
        reader.read_balances(pin, holdings)
    assert caught.value.node_id == "node-1"


def test_a_chunk_too_large_for_the_node_is_halved(
    chain: EvmChain, lying_node: Lying, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_long(asked: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        if asked != "eth_call" or len(params[0]["data"]) <= 2 + 40 * 30:
            return answer
        return {"jsonrpc": "2.0", "id": answer["id"], "error": {"code": -32000, "message": "out of gas"}}

    monkeypatch.setattr(scan_strategies.StateOverride, "holders_first", lambda self, tokens: 100)
    reader = chain.reader(lying_node(too_long).url, strategy="state-override")
    counted: list[int] = []
    observations = reader.read_balances(
        chain.pin(reader), [Holding(somebody(), chain.native) for _ in range(100)], counted.append
    )
    assert {o.status for o in observations} == {ReadStatus.OK}
    assert counted == [25, 25, 25, 25]


@pytest.mark.fault("A33")
@pytest.mark.anvil(private=True)
@pytest.mark.parametrize("strategy", ALL)
def test_a_vanished_pin_is_noticed(chain: EvmChain, anvil: AnvilNode, holders: list[Address], strategy: str) -> None:
    place(anvil, "Multicall3", MULTICALL3_ADDRESS)
    anvil.mine(5)
    reader = chain.reader(strategy=strategy)
    pin = chain.pin(reader)
    holdings = [Holding(holders[0], chain.native)]
    assert reader.read_balances(pin, holdings)[0].status is ReadStatus.OK
    anvil.reorg(2)
    with pytest.raises(ChainMoved):
        reader.read_balances(pin, holdings)
    again = chain.pin(reader)
    assert again.block.height == pin.block.height
    assert again.block.block_hash != pin.block.block_hash
    assert reader.read_balances(again, holdings)[0].status is ReadStatus.OK


@pytest.mark.fault("A33")
@pytest.mark.anvil(private=True)
def test_a_reorganisation_after_the_last_answer_is_noticed(
    chain: EvmChain, anvil: AnvilNode, lying_node: Lying, holders: list[Address]
) -> None:
    anvil.mine(5)
    reader = chain.reader(strategy="state-override")
    pin = chain.pin(reader)
    holdings = [Holding(holders[0], chain.native)]
    reader.read_balances(pin, holdings)
    with pytest.raises(ChainMoved, match="after reading"):
        reader.read_balances(pin, holdings, lambda count: anvil.reorg(2))
