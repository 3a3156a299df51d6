"""Tokens of collections (ERC-721, ERC-1155) on a real Anvil: who holds them, what moved them, what is not believed."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chains.devnet import lies
from chains.devnet.anvil import AnvilNode
from chains.devnet.deploy import MULTICALL3_ADDRESS, Deployed, place
from chains.devnet.lying_proxy import Lie, LyingProxy
from chains.devnet.pytest_plugin import DeployContract, DeployErc20
from chains.errors import InvalidValue, NodeUnavailable
from chains.evm.abi import TRANSFER_BATCH_TOPIC, TRANSFER_SINGLE_TOPIC, TRANSFER_TOPIC, word
from chains.evm.addresses import ZERO_ADDRESS, checksum_address
from chains.evm.strategies import STRATEGIES
from chains.evm.token_events import PART_STEP
from chains.types import Address, Asset, AssetId, BalanceObservation, Holding, TransferScan
from tests.chains.evm.conftest import EvmChain

pytestmark = pytest.mark.devnet
Lying = Callable[..., LyingProxy]
Json = dict[str, Any]
BIG = 2**256 - 1


def item(chain: EvmChain, deployed: Deployed | str, standard: str, number: int) -> Asset:
    """One token of a collection."""
    address = deployed if isinstance(deployed, str) else deployed.address
    return Asset(AssetId(f"{chain.config.chain_id}/{standard}:{address}/{number}"), "NFT", 0)


def held(observations: list[BalanceObservation]) -> list[int | None]:
    return [observation.base_units for observation in observations]


def codes(observations: list[BalanceObservation]) -> list[str]:
    return [observation.reason.partition(":")[0] for observation in observations]


def both_modes(chain: EvmChain, watched: list[Address], assets: list[Asset]) -> TransferScan:
    """What both ways of reading history find, which must be the same."""
    verified = replace(chain, config=replace(chain.config, history_mode="verified"))
    pin = chain.pin(chain.reader())
    logs = chain.reader().scan_transfers(0, pin.block, watched, assets)
    whole = verified.reader().scan_transfers(0, pin.block, watched, assets)
    assert (logs.mode, whole.mode) == ("logs", "verified")
    assert whole.transfers == logs.transfers
    assert whole.unparsed == logs.unparsed
    return logs


def told(scan: TransferScan) -> list[tuple[Address | None, Address | None, AssetId, int]]:
    return [(t.sender, t.receiver, t.asset.asset_id, t.base_units) for t in scan.transfers]


def of_owners(lie: Lie) -> Lie:
    """A lie that is told only where somebody asks for an owner."""

    def tell(method: str, params: list[Any], answer: Json) -> Json | list[Json]:
        is_question = method == "eth_call" and str(params[0].get("data", "")).startswith("0x6352211e")
        return lie(method, params, answer) if is_question else answer

    return tell


# Balances


def test_a_token_has_one_owner_or_none(
    chain: EvmChain, deploy_contract: DeployContract, holders: list[Address]
) -> None:
    collection = deploy_contract("Erc721")
    a, b = holders[1:3]
    collection.transact("mint", a, 7)
    collection.transact("mint", b, BIG)
    collection.transact("mint", a, 8)
    collection.transact("burn", 8, sender=a)
    assets = [item(chain, collection, "erc721", number) for number in (7, BIG, 8, 9)]
    holdings = [Holding(holder, asset) for holder in (a, b) for asset in [*assets, chain.native]]
    reader = chain.reader()
    pin = chain.pin(reader)
    collection.transact("transferFrom", a, b, 7, sender=a)  # after the pin: must not be seen
    observations = reader.read_balances(pin, holdings)
    assert held(observations[:4]) == [1, 0, 0, 0]
    assert held(observations[5:9]) == [0, 1, 0, 0]
    assert {observation.method for observation in observations[:4]} == {"owner-of"}
    assert (observations[4].method, observations[4].base_units) == (
        "state-override",
        chain.node.balance(a, pin.block.height),
    )
    assert held(reader.read_balances(chain.pin(reader), holdings[:1])) == [0]
    assert held(reader.read_balances(pin, [holdings[0], holdings[0]])) == [1, 1]


@pytest.mark.fault("A37")
@pytest.mark.fault("G12")
def test_an_owner_that_is_not_told_is_never_zero(
    chain: EvmChain, lying_node: Lying, deploy_contract: DeployContract, holders: list[Address]
) -> None:
    """Only a revert by a contract that is there means that nobody owns the token."""
    collection, nowhere = deploy_contract("Erc721"), checksum_address(secrets.token_bytes(20))
    collection.transact("mint", holders[1], 7)
    assets = [item(chain, collection, "erc721", number) for number in (7, 9)] + [item(chain, nowhere, "erc721", 7)]
    holdings = [Holding(holders[1], asset) for asset in [chain.native, *assets]]
    honest = chain.reader()
    pin = chain.pin(honest)
    observations = honest.read_balances(pin, holdings)
    assert held(observations)[1:] == [1, 0, None]
    assert codes(observations)[1:] == ["", "", "token-no-code"]
    for lie, code in (
        (lies.fail("eth_call", -32000, "something is wrong inside"), "node-refused"),
        (lies.fail("eth_call", -32003, "execution reverted: out of gas"), "balance-reverted"),
        (lies.set_result("eth_call", "0x" + "11" * 32), "balance-malformed"),
        (lies.set_result("eth_call", "0x" + "00" * 31), "balance-malformed"),
        (lies.set_result("eth_call", "0x"), "balance-malformed"),
        (lies.set_result("eth_call", None), "malformed-answer"),
    ):
        proxy = lying_node(of_owners(lie))
        lied = chain.reader(proxy.url).read_balances(pin, holdings)
        assert (held(lied)[1], codes(lied)[1]) == (None, code)
        assert held(lied)[0] == held(observations)[0]
    blind = lying_node(lies.fail("eth_getCode", -32000, "no"))
    assert held(chain.reader(blind.url).read_balances(pin, holdings))[1:] == [1, None, None]
    collection.transact("close", True)
    assert codes(honest.read_balances(chain.pin(honest), holdings[:2])) == ["", "balance-reverted"]


def test_nothing_read_is_an_error_of_the_node(
    chain: EvmChain, lying_node: Lying, deploy_contract: DeployContract, holders: list[Address]
) -> None:
    asset = item(chain, deploy_contract("Erc721"), "erc721", 7)
    reader = chain.reader()
    pin = chain.pin(reader)
    reader.read_balances(pin, [Holding(holders[1], asset)])
    proxy = lying_node()
    lied = chain.reader(proxy.url)
    lied.read_balances(pin, [Holding(holders[1], asset)])
    proxy.lies.append(lies.fail("eth_call", 429, "too many requests"))
    proxy.lies.append(lies.fail("eth_getCode", 429, "too many requests"))
    observations = lied.read_balances(pin, [Holding(holders[1], asset), Holding(holders[2], asset)])
    assert held(observations) == [None, None]
    assert set(codes(observations)) == {NodeUnavailable.code}


@pytest.mark.parametrize("strategy", list(STRATEGIES))
def test_balances_by_id_with_every_strategy(
    chain: EvmChain,
    anvil: AnvilNode,
    deploy_contract: DeployContract,
    deploy_erc20: DeployErc20,
    holders: list[Address],
    strategy: str,
) -> None:
    place(anvil, "Multicall3", MULTICALL3_ADDRESS)
    collection, other, coin = deploy_contract("Erc1155"), deploy_contract("Erc1155"), deploy_erc20("T", 6, 77)
    a, b = holders[1:3]
    collection.transact("mint", a, 7, 5)
    collection.transact("mint", b, BIG, BIG)
    other.transact("mint", a, 7, 3)
    coin.transact("transfer", b, 70)
    nowhere = checksum_address(secrets.token_bytes(20))
    assets = [
        item(chain, collection, "erc1155", 7),
        chain.token(coin, 6),
        item(chain, collection, "erc1155", BIG),
        item(chain, other, "erc1155", 7),
        item(chain, nowhere, "erc1155", 7),
        item(chain, coin, "erc1155", 7),
    ]
    reader = chain.reader(strategy=strategy)
    observations = reader.read_balances(
        chain.pin(reader), [Holding(holder, asset) for holder in (a, b) for asset in assets]
    )
    assert held(observations) == [5, 0, 0, 3, None, None, 0, 70, BIG, 0, None, None]
    assert {observation.method for observation in observations} == {strategy}


@pytest.mark.fault("A40")
@pytest.mark.fault("A39")
def test_a_collection_is_what_it_says_it_is(
    chain: EvmChain, deploy_contract: DeployContract, deploy_erc20: DeployErc20
) -> None:
    unique, counted, coin = deploy_contract("Erc721"), deploy_contract("Erc1155"), deploy_erc20()
    nowhere = checksum_address(secrets.token_bytes(20))
    good = [
        item(chain, unique, "erc721", 1),
        item(chain, unique, "erc721", 2),
        item(chain, counted, "erc1155", 1),
        chain.token(coin),
    ]
    bad = {
        item(chain, counted, "erc721", 1): "ERC-165",
        item(chain, unique, "erc1155", 1): "ERC-165",
        item(chain, coin, "erc721", 1): "ERC-165",
        item(chain, nowhere, "erc1155", 1): "no contract",
        chain.token(unique): "balanceOf|decimals",
    }
    reader = chain.reader()
    problems = reader.asset_problems(chain.pin(reader), [*good, *bad])
    assert problems.keys() == {asset.asset_id for asset in bad}
    for asset, words in bad.items():
        assert any(part in problems[asset.asset_id] for part in words.split("|")), problems[asset.asset_id]


# Movements


def test_movements_of_mapped_tokens_and_no_others(
    chain: EvmChain, deploy_contract: DeployContract, holders: list[Address]
) -> None:
    collection = deploy_contract("Erc721")
    a, b, outside = holders[1:4]
    for number in (7, 8, 9):
        collection.transact("mint", a, number)
    collection.transact("transferFrom", a, b, 7, sender=a)
    collection.transact("transferFrom", b, outside, 7, sender=b)
    collection.transact("transferFrom", a, outside, 9, sender=a)  # of an id that nobody mapped
    collection.transact("burn", 8, sender=a)
    seven, eight = (item(chain, collection, "erc721", number) for number in (7, 8))
    scan = both_modes(chain, [a, b], [seven, eight])
    assert told(scan) == [
        (ZERO_ADDRESS, a, seven.asset_id, 1),
        (ZERO_ADDRESS, a, eight.asset_id, 1),
        (a, b, seven.asset_id, 1),
        (b, outside, seven.asset_id, 1),
        (a, ZERO_ADDRESS, eight.asset_id, 1),
    ]
    assert scan.unparsed == {}


def test_single_and_batch_movements_by_id(
    chain: EvmChain, deploy_contract: DeployContract, holders: list[Address]
) -> None:
    """Opening + movements = closing for each id, one of which a batch names twice."""
    collection = deploy_contract("Erc1155")
    a, b = holders[1:3]
    for number in (1, 2, 3):
        collection.transact("mint", a, number, 100)
    collection.transact("safeTransferFrom", a, b, 1, 10, b"", sender=a)
    receipt = collection.transact("safeBatchTransferFrom", a, b, [2, 1, 3, 1], [20, 5, 30, 6], b"xyz", sender=a)
    collection.transact("safeBatchTransferFrom", a, b, [], [], b"", sender=a)
    collection.transact("burn", 2, 7, sender=b)
    one, two = (item(chain, collection, "erc1155", number) for number in (1, 2))
    scan = both_modes(chain, [a, b], [one, two])
    assert told(scan) == [
        (ZERO_ADDRESS, a, one.asset_id, 100),
        (ZERO_ADDRESS, a, two.asset_id, 100),
        (a, b, one.asset_id, 10),
        (a, b, two.asset_id, 20),
        (a, b, one.asset_id, 5),
        (a, b, one.asset_id, 6),
        (b, ZERO_ADDRESS, two.asset_id, 7),
    ]
    log_index = int(receipt["logs"][0]["logIndex"], 16)
    of_batch = [t.index for t in scan.transfers if t.tx_id == receipt["transactionHash"]]
    assert of_batch == [log_index, log_index + PART_STEP, log_index + 3 * PART_STEP]
    assert len({t.transfer_id for t in scan.transfers}) == len(scan.transfers)
    reader = chain.reader()
    holdings = [Holding(holder, asset) for holder in (a, b) for asset in (one, two)]
    for observation in reader.read_balances(chain.pin(reader), holdings):
        of_asset = [t for t in scan.transfers if t.asset == observation.holding.asset]
        moved = sum(t.base_units for t in of_asset if t.receiver == observation.holding.address)
        moved -= sum(t.base_units for t in of_asset if t.sender == observation.holding.address)
        assert observation.base_units == moved
    assert told(both_modes(chain, [b], [one]))[0] == (a, b, one.asset_id, 10)


BATCH = word(64) + word(128) + word(1) + word(7) + word(1) + word(5)
"""The data of a good batch: five of id 7."""
ODD: list[tuple[bytes, int, bytes, int]] = [
    # Event, topics, data, and how many movements it is good for; -1: it is counted.
    (TRANSFER_SINGLE_TOPIC, 4, word(7) + word(5), 1),
    (TRANSFER_SINGLE_TOPIC, 4, word(8) + word(5), 0),
    (TRANSFER_SINGLE_TOPIC, 4, word(7), -1),
    (TRANSFER_SINGLE_TOPIC, 4, word(7) + word(5) + b"\0", -1),
    (TRANSFER_BATCH_TOPIC, 4, BATCH, 1),
    (TRANSFER_BATCH_TOPIC, 4, word(64) + word(96) + word(0) + word(0), 0),
    (TRANSFER_BATCH_TOPIC, 4, BATCH[:-32], -1),
    (TRANSFER_BATCH_TOPIC, 4, BATCH + word(0), -1),
    (TRANSFER_BATCH_TOPIC, 4, word(64) + word(128) + word(1) + word(7) + word(2) + word(5), -1),
    (TRANSFER_BATCH_TOPIC, 4, word(BIG) + BATCH[32:], -1),
    (TRANSFER_BATCH_TOPIC, 4, word(64) + word(128) + word(BIG) + BATCH[96:], -1),
    (TRANSFER_BATCH_TOPIC, 4, b"", -1),
    (TRANSFER_TOPIC, 3, word(5), 0),
]


@pytest.mark.parametrize(("topic", "topics", "content", "good"), ODD)
def test_events_of_another_shape_are_counted(
    chain: EvmChain,
    deploy_contract: DeployContract,
    holders: list[Address],
    topic: bytes,
    topics: int,
    content: bytes,
    good: int,
) -> None:
    collection = deploy_contract("OddLogs")
    asset, holder = item(chain, collection, "erc1155", 7), holders[1]
    of_holder = bytes(12) + bytes.fromhex(holder[2:])
    collection.transact("emit", [topic, of_holder, of_holder, of_holder][:topics], content)
    scan = both_modes(chain, [holder], [asset])
    assert [t.base_units for t in scan.transfers] == [5] * max(0, good)
    assert scan.unparsed == ({asset.asset_id: 1} if good < 0 else {})


def test_a_collection_with_the_event_of_a_coin_is_counted_and_the_other_way_round(
    chain: EvmChain, deploy_contract: DeployContract, holders: list[Address]
) -> None:
    odd = deploy_contract("OddLogs")
    of_holder = bytes(12) + bytes.fromhex(holders[1][2:])
    odd.transact("emit", [TRANSFER_TOPIC, of_holder, of_holder], word(5))
    odd.transact("emit", [TRANSFER_TOPIC, of_holder, of_holder, word(7)], b"")
    unique, coin = item(chain, odd, "erc721", 7), chain.token(odd)
    assert both_modes(chain, holders[1:2], [unique]).unparsed == {unique.asset_id: 1}
    assert both_modes(chain, holders[1:2], [coin]).unparsed == {coin.asset_id: 1}
    # A contract that is both is read as both.
    assert sorted(t.base_units for t in both_modes(chain, holders[1:2], [unique, coin]).transfers) == [1, 5]


def test_a_token_of_a_collection_has_no_decimals(chain: EvmChain) -> None:
    address = checksum_address(secrets.token_bytes(20))
    good = AssetId(f"{chain.config.chain_id}/erc721:{address}/7")
    assert Asset(good, "NFT", 0).is_token_of_collection
    with pytest.raises(InvalidValue, match="must be 0"):
        Asset(good, "NFT", 1)
