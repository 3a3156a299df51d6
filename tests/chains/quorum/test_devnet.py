"""A quorum over real nodes: three Anvils with one genesis, and proxies that lie."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

import pytest

from chains.agreement import DisagreementSubject
from chains.devnet.anvil import AnvilNode, AnvilProcess
from chains.devnet.deploy import Deployed, deployed
from chains.devnet.lagging import lagging
from chains.devnet.lies import change_balance, change_last_scanned, drop_logs, fail
from chains.devnet.lying_proxy import LyingProxy
from chains.errors import NodeUnavailable, QuorumNotReached
from chains.evm import chain_plugin
from chains.quorum import QuorumReader, open_quorum
from chains.reader import ChainConfig, NodeConfig, Pin, ReadLimits
from chains.types import Address, AnchorEvidence, Asset, AssetId, ChainId, Finality, Holding, ReadStatus
from tests.chains.quorum.desk import ALICE, BOB

pytestmark = pytest.mark.devnet

NOWHERE = "http://127.0.0.1:1"
ETHER = 10**18
OpenQuorum = Callable[..., QuorumReader]
PLAIN_ONLY = fail("eth_call", -32601, "no such method")
"""Without calls the reader asks for each native balance by name, which a proxy can lie about."""


class Devnet:
    """One Anvil node with a token; readers ask it, or what stands before it, as if by several operators."""

    def __init__(self, node: AnvilNode) -> None:
        self.node = node
        chain_id = ChainId(f"eip155:{node.chain_id}")
        self.native = Asset(AssetId(f"{chain_id}/slip44:60"), "ETH", 18)
        self.config = ChainConfig(
            chain_id=chain_id,
            name="devnet",
            genesis_hash=node.block_hash(0),
            nodes=(),
            finality=Finality.parse("latest"),
            native_asset=self.native,
            limits=ReadLimits(
                attempts_max=1, retry_wait_seconds_max=0, connect_timeout_seconds=60, read_timeout_seconds=120
            ),
            quorum=2,
        )
        self.opened: list[QuorumReader] = []

    @cached_property
    def token_contract(self) -> Deployed:
        """The token's contract, deployed when it is first asked for."""
        return deployed(self.node, "Erc20", ["Token", "TKN", 6])

    @property
    def token(self) -> Asset:
        """The token."""
        return Asset(AssetId(f"{self.config.chain_id}/erc20:{self.token_contract.address}"), "TKN", 6)

    def open(self, *urls: str, operators: str = "ABCDE") -> QuorumReader:
        """A reader through these nodes, each run by an operator of its own unless told otherwise."""
        nodes = tuple(NodeConfig(f"node-{n}", operators[n - 1], url) for n, url in enumerate(urls, 1))
        reader = open_quorum(replace(self.config, nodes=nodes), chain_plugin)
        self.opened.append(reader)
        return reader

    def pin(self, reader: QuorumReader) -> Pin:
        """Pin just after the newest block."""
        head = datetime.fromtimestamp(int(self.node.block()["timestamp"], 16), UTC)
        return reader.pin(now=head + timedelta(seconds=1))

    def pay(self, receiver: Address, base_units: int) -> None:
        """Let token units come into being."""
        self.token_contract.transact("mint", receiver, base_units)


@pytest.fixture
def devnet(anvil: AnvilNode) -> Iterator[Devnet]:
    """The test's Anvil node."""
    devnet = Devnet(anvil)
    yield devnet
    for reader in devnet.opened:
        reader.close()


LyingNode = Callable[..., LyingProxy]


@pytest.mark.fault("A27")
def test_one_of_three_nodes_lies_about_a_balance(devnet: Devnet, lying_node: LyingNode) -> None:
    devnet.node.set_balance(ALICE, 5 * ETHER)
    devnet.node.mine()
    liar = lying_node(PLAIN_ONLY, change_balance(ALICE, 9 * ETHER))
    reader = devnet.open(devnet.node.url, devnet.node.url, liar.url)
    reader.identify()
    pin = devnet.pin(reader)
    seen, other = reader.read_balances(pin, [Holding(ALICE, devnet.native), Holding(BOB, devnet.native)])
    assert (seen.base_units, seen.anchor, seen.node_id) == (5 * ETHER, AnchorEvidence.AGREED, "node-1+node-2")
    assert (other.base_units, other.anchor) == (0, AnchorEvidence.AGREED)
    (dispute,) = reader.take_disagreements()
    assert [(each.node_id, each.said) for each in dispute.answers] == [
        ("node-1", str(5 * ETHER)),
        ("node-2", str(5 * ETHER)),
        ("node-3", str(9 * ETHER)),
    ]


def test_one_of_three_nodes_lies_where_a_program_reads_many(devnet: Devnet, lying_node: LyingNode) -> None:
    devnet.node.set_balance(ALICE, 5 * ETHER)
    devnet.node.mine()
    liar = lying_node()
    reader = devnet.open(devnet.node.url, devnet.node.url, liar.url)
    reader.identify()
    pin = devnet.pin(reader)
    holdings = [Holding(ALICE, devnet.native), Holding(BOB, devnet.native)]
    reader.read_balances(pin, holdings)
    assert not reader.take_disagreements()
    liar.lies = [change_last_scanned(9 * ETHER)]  # a node that lies from the first on is found to have no programs
    seen, other = reader.read_balances(pin, holdings)
    assert (seen.base_units, seen.anchor) == (5 * ETHER, AnchorEvidence.AGREED)
    assert (other.base_units, other.anchor) == (0, AnchorEvidence.AGREED)
    (dispute,) = reader.take_disagreements()
    assert [each.said for each in dispute.answers] == ["0", "0", str(9 * ETHER)]


@pytest.mark.fault("A28")
@pytest.mark.parametrize(("operators", "status"), [("ABB", ReadStatus.FAILED), ("ABC", ReadStatus.OK)])
def test_two_urls_of_one_operator_agree_on_a_lie(
    devnet: Devnet, lying_node: LyingNode, operators: str, status: ReadStatus
) -> None:
    """As two operators they would have been believed, which is what a quorum can and cannot do."""
    devnet.node.mine()
    liars = [lying_node(PLAIN_ONLY, change_balance(ALICE, 9 * ETHER)) for _ in range(2)]
    reader = devnet.open(devnet.node.url, *(liar.url for liar in liars), operators=operators)
    (seen,) = reader.read_balances(devnet.pin(reader), [Holding(ALICE, devnet.native)])
    assert seen.status is status
    assert seen.base_units == (None if status is ReadStatus.FAILED else 9 * ETHER)
    (dispute,) = reader.take_disagreements()
    assert dispute.subject is DisagreementSubject.BALANCE


def test_one_node_leaves_a_log_out(devnet: Devnet, lying_node: LyingNode) -> None:
    start = devnet.node.block_number() + 1
    devnet.pay(ALICE, 5)
    devnet.pay(ALICE, 7)
    height = devnet.node.block_number()
    liar = lying_node(drop_logs(lambda log: int(log["blockNumber"], 16) == height))
    reader = devnet.open(devnet.node.url, devnet.node.url, liar.url)
    scan = reader.scan_transfers(start, devnet.pin(reader).block, [ALICE], [devnet.token])
    assert [transfer.base_units for transfer in scan.transfers] == [5, 7]
    assert scan.node_id == "node-1+node-2"
    (dispute,) = reader.take_disagreements()
    assert dispute.transfer == scan.transfers[1]
    assert [each.node_id for each in dispute.dissenters] == ["node-3"]
    two = devnet.open(devnet.node.url, liar.url)
    with pytest.raises(QuorumNotReached, match="there is no such transfer"):
        two.scan_transfers(start, devnet.pin(two).block, [ALICE], [devnet.token])


@pytest.mark.fault("A20")
def test_one_node_lags_and_its_empty_log_is_not_believed(devnet: Devnet, lying_node: LyingNode) -> None:
    start = devnet.node.block_number() + 1
    devnet.pay(ALICE, 5)
    slow = lying_node(lagging(devnet.node.url, 1))
    reader = devnet.open(slow.url, devnet.node.url, devnet.node.url)
    pin = devnet.pin(reader)
    assert pin.block.height == devnet.node.block_number()
    assert [each.node_id for each in reader.left_out] == ["node-1"]
    (seen,) = reader.read_balances(pin, [Holding(ALICE, devnet.token)])
    assert (seen.base_units, seen.anchor, seen.node_id) == (5, AnchorEvidence.AGREED, "node-2+node-3")
    scan = reader.scan_transfers(start, pin.block, [ALICE], [devnet.token])
    assert [transfer.base_units for transfer in scan.transfers] == [5]
    assert reader.take_disagreements() == ()


@pytest.mark.fault("A1")
def test_one_down_is_left_out_and_two_down_are_too_many(devnet: Devnet) -> None:
    devnet.node.mine()
    reader = devnet.open(devnet.node.url, NOWHERE, devnet.node.url)
    reader.identify()
    pin = devnet.pin(reader)
    (seen,) = reader.read_balances(pin, [Holding(ALICE, devnet.native)])
    assert (seen.base_units, seen.anchor) == (0, AnchorEvidence.AGREED)
    assert [each.node_id for each in reader.left_out] == ["node-2"]
    assert NOWHERE.rpartition("/")[2] not in reader.left_out[0].reason
    alone = devnet.open(devnet.node.url, NOWHERE, NOWHERE)
    with pytest.raises(NodeUnavailable, match=r"1 of the 2 operators needed answered: node node-2.*node node-3"):
        alone.identify()


def test_nodes_on_two_branches_do_not_agree_on_the_pin(anvil_binary: Path) -> None:
    """Three real nodes with one genesis: two of one branch make the quorum, and three branches make none."""
    genesis_time = 1_800_000_000
    arguments = ["--timestamp", str(genesis_time)]
    with ExitStack() as stack:
        nodes = [stack.enter_context(AnvilProcess(binary=anvil_binary, arguments=arguments)).node for _ in range(3)]
        first, second, third = nodes

        def mine(seconds: int) -> None:
            for node in nodes:
                node.set_next_block_timestamp(genesis_time + seconds)
                node.mine()

        mine(100)
        assert len({node.block_hash(0) for node in nodes}) == len({node.block_hash(1) for node in nodes}) == 1
        third.set_balance(ALICE, ETHER)
        mine(200)
        devnet = Devnet(first)
        reader = stack.enter_context(closing(devnet.open(*(node.url for node in nodes))))
        pin = devnet.pin(reader)
        assert pin.block.block_hash == first.block_hash() == second.block_hash() != third.block_hash()
        assert [each.node_id for each in reader.left_out] == ["node-3"]
        (dispute,) = reader.take_disagreements()
        assert (dispute.agreed, dispute.answers[2].said) == (pin.block.block_hash, third.block_hash())
        (seen,) = reader.read_balances(pin, [Holding(ALICE, devnet.native)])
        assert (seen.base_units, seen.anchor) == (0, AnchorEvidence.AGREED)

        second.set_balance(BOB, ETHER)
        mine(300)
        other = stack.enter_context(closing(devnet.open(*(node.url for node in nodes))))
        with pytest.raises(QuorumNotReached) as caught:
            devnet.pin(other)
        assert all(node.block_hash() in str(caught.value) for node in nodes)
        assert other.block_at(1).block_hash == first.block_hash(1)
