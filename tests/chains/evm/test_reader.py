"""Who a node is, which block is pinned, which assets are what the asset table says: on Anvil, with lies."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chains.devnet import lies
from chains.devnet.anvil import AnvilNode, AnvilProcess
from chains.devnet.lying_proxy import LyingProxy
from chains.devnet.pytest_plugin import DeployContract, DeployErc20
from chains.errors import (
    ChainConfigError,
    ChainMoved,
    InvalidValue,
    MalformedAnswer,
    NodeRefused,
    ProofFailed,
    StaleHead,
    WrongChain,
)
from chains.evm.reader import HeadMemory
from chains.types import Address, Asset, AssetId, Finality, Holding
from tests.chains.evm.conftest import EvmChain

pytestmark = pytest.mark.devnet
Lying = Callable[..., LyingProxy]
Json = dict[str, Any]


def test_a_node_proves_who_it_is(chain: EvmChain) -> None:
    identity = chain.reader().identify()
    assert identity.chain_id == chain.config.chain_id
    assert identity.genesis_hash == chain.config.genesis_hash
    assert identity.client_version.startswith("anvil/")
    bare = chain.reader(genesis_hash=chain.config.genesis_hash[2:])
    assert bare.identify() == identity


@pytest.mark.fault("A15")
@pytest.mark.anvil(private=True, args=["--chain-id", "5"])
def test_another_chain_id_is_refused(chain: EvmChain) -> None:
    assert chain.reader().identify().chain_id == "eip155:5"
    native = Asset(AssetId("eip155:1/slip44:60"), "ETH", 18)
    with pytest.raises(WrongChain, match="chain 5, configured is 1"):
        chain.reader(chain_id="eip155:1", native_asset=native).identify()


@pytest.mark.fault("A16")
@pytest.mark.anvil(private=True)
def test_a_chain_id_that_changes_in_mid_sweep_is_noticed(
    chain: EvmChain, anvil: AnvilNode, holders: list[Address]
) -> None:
    """By the identity at the end of the sweep, and by the chain id that the EVM itself says with every chunk."""
    anvil.mine()
    reader = chain.reader()
    reader.identify()
    pin = chain.pin(reader)
    holdings = [Holding(holders[0], chain.native)]
    assert reader.read_balances(pin, holdings)[0].base_units is not None
    anvil.set_chain_id(77)
    with pytest.raises(MalformedAnswer, match="chain_number 77"):
        reader.read_balances(pin, holdings)
    with pytest.raises(WrongChain):
        reader.identify()


@pytest.mark.fault("A17")
def test_another_first_block_is_refused(chain: EvmChain) -> None:
    with AnvilProcess(arguments=["--timestamp", "1600000000"]) as other:
        assert other.node.chain_id == chain.node.chain_id
        with pytest.raises(WrongChain, match="first block"):
            chain.reader(other.node.url).identify()


@pytest.mark.fault("A30")
def test_a_first_block_that_lies_about_itself_is_refused(chain: EvmChain, lying_node: Lying) -> None:
    lie = lies.change_block(lambda block: {**block, "stateRoot": "0x" + "11" * 32})
    with pytest.raises(ProofFailed):
        chain.reader(lying_node(lie).url).identify()


@pytest.mark.fault("A18")
def test_an_old_or_future_head_is_stale(chain: EvmChain, anvil: AnvilNode) -> None:
    anvil.mine()
    now = chain.now()
    for drift in (timedelta(0), timedelta(seconds=899), timedelta(seconds=-60)):
        assert chain.reader().pin(now=now + drift).block.height == anvil.block_number()
    with pytest.raises(StaleHead, match="seconds old"):
        chain.reader().pin(now=now + timedelta(seconds=901))


@pytest.mark.fault("A45")
def test_a_head_in_the_future_is_stale(chain: EvmChain, anvil: AnvilNode) -> None:
    anvil.mine()
    assert chain.reader().pin(now=chain.now() - timedelta(seconds=59)).block.height == anvil.block_number()
    with pytest.raises(StaleHead, match="in the future"):
        chain.reader().pin(now=chain.now() - timedelta(seconds=70))


@pytest.mark.fault("A45")
@pytest.mark.parametrize(("backwards", "stale"), [(30, False), (3_600, True)])
def test_a_block_older_than_its_parent(
    chain: EvmChain, anvil: AnvilNode, lying_node: Lying, backwards: int, stale: bool
) -> None:
    """Within the drift it is taken; the format is given as unknown so that the hash does not tell first."""
    anvil.mine(2)
    head = anvil.block_number()

    def older(block: Json) -> Json:
        return {**block, "timestamp": hex(int(anvil.block(head - 1)["timestamp"], 16) - backwards)}

    reader = chain.reader(lying_node(lies.change_block(older, height=head)).url, header_format="unknown")
    if stale:
        with pytest.raises(StaleHead):
            reader.pin(now=chain.now() - timedelta(seconds=backwards))
    else:
        assert reader.pin(now=chain.now()).block.height == head


@pytest.mark.fault("A19")
@pytest.mark.anvil(private=True)
def test_a_head_that_goes_back_is_stale(chain: EvmChain, anvil: AnvilNode, holders: list[Address]) -> None:
    memory = HeadMemory()
    anvil.mine(5)
    reader = chain.reader(head_memory=memory)
    pin = chain.pin(reader)
    assert chain.pin(reader) == pin
    anvil.rollback(2)
    with pytest.raises(StaleHead, match="went back from block 5 to 3"):
        chain.pin(reader)
    with pytest.raises(StaleHead):  # a later reader of the same node
        chain.pin(chain.reader(head_memory=memory))
    with pytest.raises(ChainMoved):  # and what was pinned protects what is read
        reader.read_balances(pin, [Holding(holders[0], chain.native)])
    anvil.mine(2)
    assert chain.pin(reader).block.height == 5


@pytest.mark.parametrize(
    ("finality", "height"), [("latest", 10), ("confirmed(1)", 10), ("confirmed(4)", 7), ("confirmed(11)", 0)]
)
@pytest.mark.anvil(private=True)
def test_finality_chooses_the_block(chain: EvmChain, anvil: AnvilNode, finality: str, height: int) -> None:
    anvil.mine(10)
    pin = chain.pin(chain.reader(finality=Finality.parse(finality)))
    assert pin.block.height == height
    assert pin.block.block_hash == anvil.block_hash(height)
    assert str(pin.finality) == finality
    assert pin.header_checked


@pytest.mark.anvil(private=True)
def test_too_few_blocks_for_the_finality(chain: EvmChain, anvil: AnvilNode) -> None:
    anvil.mine(10)
    with pytest.raises(StaleHead, match="only 11 blocks"):
        chain.pin(chain.reader(finality=Finality.parse("confirmed(12)")))


@pytest.mark.parametrize("tag", ["safe", "finalized"])
def test_the_tags_of_the_node(chain: EvmChain, anvil: AnvilNode, tag: str) -> None:
    anvil.mine(3)
    pin = chain.pin(chain.reader(finality=Finality.parse(tag)))
    assert pin.block.block_hash == anvil.block_hash(tag)


def no_tag(answer: Json) -> Callable[[str, list[Any], Json], Json]:
    def lie(asked: str, params: list[Any], truth: Json) -> Json:
        return {**answer, "jsonrpc": "2.0", "id": truth["id"]} if params[:1] == ["finalized"] else truth

    return lie


@pytest.mark.fault("A36")
@pytest.mark.parametrize(
    "answer",
    [
        {"result": None},
        {"error": {"code": -32602, "message": "invalid argument 0: unknown tag"}},
        {"error": {"code": -39001, "message": "Unknown block"}},
    ],
)
def test_a_tag_the_node_does_not_know_is_a_matter_of_configuration(
    chain: EvmChain, lying_node: Lying, answer: Json
) -> None:
    url = lying_node(no_tag(answer)).url
    with pytest.raises(ChainConfigError, match=r"confirmed\(k\)"):
        chain.pin(chain.reader(url, finality=Finality.parse("finalized")))
    assert chain.pin(chain.reader(url, finality=Finality.parse("confirmed(1)"))).finality.confirmations == 1


@pytest.mark.anvil(private=True)
def test_a_given_height(chain: EvmChain, anvil: AnvilNode) -> None:
    anvil.mine(10)
    reader = chain.reader(finality=Finality.parse("confirmed(4)"))
    assert reader.pin(height=7, now=chain.now()).block.height == 7
    assert reader.pin(height=2, now=chain.now()).block.block_hash == anvil.block_hash(2)
    with pytest.raises(InvalidValue, match="above block 7"):
        reader.pin(height=8, now=chain.now())


@pytest.mark.fault("A30")
def test_a_pinned_header_that_lies_is_refused(chain: EvmChain, anvil: AnvilNode, lying_node: Lying) -> None:
    anvil.mine(2)
    lie = lies.change_block(lambda block: {**block, "receiptsRoot": "0x" + "11" * 32})
    with pytest.raises(ProofFailed) as caught:
        chain.pin(chain.reader(lying_node(lie).url))
    assert caught.value.node_id == "node-1"


def test_an_unknown_header_format_is_said(chain: EvmChain) -> None:
    pin = chain.pin(chain.reader(header_format="unknown"))
    assert not pin.header_checked
    assert pin.header_note


def test_another_block_than_asked_for_is_refused(chain: EvmChain, anvil: AnvilNode, lying_node: Lying) -> None:
    anvil.mine(3)
    other = anvil.block(1)
    reader = chain.reader(lying_node(lies.change_block(lambda block: other, height=2)).url)
    assert reader.block_at(1).block_hash == other["hash"]
    with pytest.raises(MalformedAnswer, match="asked for block 2"):
        reader.block_at(2)


@pytest.mark.fault("A31")
@pytest.mark.anvil(private=True)
def test_a_reorganisation_is_seen_by_hash(chain: EvmChain, anvil: AnvilNode) -> None:
    anvil.mine(6)
    reader = chain.reader()
    kept, lost = reader.block_at(3), reader.block_at(5)
    assert reader.is_canonical(kept)
    assert reader.is_canonical(lost)
    anvil.reorg(3)
    assert reader.is_canonical(kept)
    assert not reader.is_canonical(lost)
    assert reader.block_at(5).block_hash != lost.block_hash
    anvil.rollback(3)
    assert not reader.is_canonical(lost)
    with pytest.raises(StaleHead):
        reader.block_at(5)


@pytest.mark.fault("A38", "A39", "A40")
def test_assets_are_compared_with_the_chain(
    chain: EvmChain,
    anvil: AnvilNode,
    deploy_erc20: DeployErc20,
    deploy_contract: DeployContract,
    holders: list[Address],
) -> None:
    good, same_symbol = deploy_erc20("USDX", 6), deploy_contract("UpgradableDecimals", 6)
    odd, burner = deploy_contract("OddBalance", 4, 7), deploy_contract("OddBalance", 6, 7)
    fit = [chain.native, chain.token(good, 6, "USDX"), chain.token(same_symbol, 6, "USDX")]
    reader = chain.reader()
    assert reader.asset_problems(chain.pin(reader), fit) == {}
    same_symbol.transact("set_decimals", 8)
    nobody = Asset(AssetId(f"{chain.config.chain_id}/erc20:{holders[3]}"), "USDX", 6)
    odd_ones = [chain.token(odd), chain.token(burner)]
    coarse = Asset(chain.native.asset_id, "ETH", 9)
    problems = reader.asset_problems(chain.pin(reader), [fit[1], fit[2], nobody, *odd_ones, coarse])
    assert problems == {
        fit[2].asset_id: "decimals are 8 on chain, 6 in the asset table",
        nobody.asset_id: "there is no contract at this address on this chain",
        odd_ones[0].asset_id: "its balanceOf does not answer with one number",
        odd_ones[1].asset_id: "its balanceOf does not answer with one number",
        coarse.asset_id: "the native coin has 18 decimals",
    }
    assert reader.asset_problems(chain.pin(reader), [fit[0], fit[1]]) == {}


def test_a_node_that_cannot_answer_is_no_problem_of_the_asset(
    chain: EvmChain, lying_node: Lying, deploy_erc20: DeployErc20
) -> None:
    token = chain.token(deploy_erc20("T", 6), 6)
    reader = chain.reader(lying_node(lies.fail("eth_call", -32603, "internal error")).url)
    with pytest.raises(NodeRefused):
        reader.asset_problems(chain.pin(reader), [token])


@pytest.mark.fault("A39")
def test_a_hostile_name_is_never_looked_at(
    chain: EvmChain, deploy_contract: DeployContract, holders: list[Address]
) -> None:
    evil = deploy_contract("EvilSymbol", b"\x1b[2J<script>" * 300, b"\xff\x00\r\n" * 1000, 18)
    evil.transact("mint", holders[0], 3)
    asset = chain.token(evil, 18, "named-by-the-firm")
    reader = chain.reader()
    pin = chain.pin(reader)
    assert reader.asset_problems(pin, [asset]) == {}
    assert str(reader.read_balances(pin, [Holding(holders[0], asset)])[0].holding.asset.symbol) == "named-by-the-firm"
