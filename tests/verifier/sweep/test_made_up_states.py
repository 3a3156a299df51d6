"""A node that makes up a block, its state and proofs that fit: never proven overall, and found out by other nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chains.devnet.anvil import AnvilProcess
from chains.devnet.node import AnvilNode
from chains.errors import ProofFailed
from chains.evm.header import decode_header
from chains.evm.state_proof import check_answer, checked_state_root
from chains.evm.trie_proof import NodePool
from chains.state_proofs import StateProofMode
from chains.types import AnchorEvidence, BalanceObservation, ChainId, ReadStatus, StateEvidence, overall_grade
from exports.report import report_text
from exports.verdict import CheckStatus
from tests.verifier.issuer import Issuer, refused
from tests.verifier.sweep.desk import Desk
from tests.verifier.sweep.test_state_proofs import seen
from tests.verifier.sweep.world import OMNIBUS
from verifier.records import FindingKind
from verifier.store import Store
from verifier.sweep import SweepOutcome

pytestmark = pytest.mark.devnet

GENESIS_TIME, BLOCK_TIME = 1_790_000_000, 1_790_000_012
TRUE_WEI, MADE_UP_WEI = 10**18, 900 * 10**18


@dataclass(frozen=True)
class TwoWorlds:
    """One chain as an honest node has it, and as a node has it that made up its last block."""

    honest: AnvilNode
    liar: AnvilNode


@pytest.fixture(scope="module")
def worlds(anvil_binary: Path) -> Iterator[TwoWorlds]:
    """The same first blocks on two real nodes; then one of them writes a balance into its state, and goes on."""
    with ExitStack() as stack:
        arguments = ["--timestamp", str(GENESIS_TIME)]
        nodes = [stack.enter_context(AnvilProcess(binary=anvil_binary, arguments=arguments)).node for _ in range(2)]
        for node, wei in zip(nodes, (TRUE_WEI, MADE_UP_WEI), strict=True):
            node.set_balance(OMNIBUS, wei)
            node.set_next_block_timestamp(BLOCK_TIME)
            node.mine()
        honest, liar = nodes
        assert honest.block_hash(0) == liar.block_hash(0)
        assert honest.block_hash(1) != liar.block_hash(1), "the made-up state has a root, and so a hash, of its own"
        yield TwoWorlds(honest, liar)


@dataclass(frozen=True)
class World:
    """What a desk must know of a chain, by one of its nodes."""

    node: AnvilNode

    @property
    def chain_id(self) -> str:
        return f"eip155:{self.node.chain_id}"

    def head_time(self) -> datetime:
        return datetime.fromtimestamp(int(self.node.block()["timestamp"], 16), UTC)


@pytest.fixture
def new_desk_before(worlds: TwoWorlds, sqlite_store: Store, tmp_path: Path) -> Callable[..., Desk]:
    """Makes a desk with one wallet before nodes, whose books say what the made-up state says."""

    def make(*nodes: AnvilNode, quorum: int = 1) -> Desk:
        desk = Desk(
            sqlite_store,
            World(worlds.honest),
            tmp_path,
            genesis_hash=worlds.honest.block_hash(0),
            urls=[node.url for node in nodes],
            token=OMNIBUS,
        )
        desk.config = replace(desk.config, quorum=quorum, state_proofs=StateProofMode.REQUIRED)
        native = {"asset_id": desk.native.asset_id, "symbol": "ETH", "decimals": "18"}
        desk.open_books(OMNIBUS, assets=[native])
        desk.allocate(OMNIBUS, asset=desk.native, C_1=MADE_UP_WEI)
        return desk

    return make


def only(desk: Desk, outcome: SweepOutcome) -> BalanceObservation:
    (observation,) = seen(desk, outcome).values()
    return observation


def test_one_node_with_a_made_up_state_is_never_proven_overall(
    new_desk_before: Callable[..., Desk], worlds: TwoWorlds, tmp_path: Path
) -> None:
    """Header, state root and proofs fit together, so the state is proven; that the block is the chain's is not."""
    desk = new_desk_before(worlds.liar)
    found = only(desk, desk.sweep())
    assert (found.base_units, found.state, found.anchor) == (MADE_UP_WEI, StateEvidence.PROVEN, AnchorEvidence.SINGLE)
    assert overall_grade(found.state, found.anchor) is StateEvidence.READ

    issuer = Issuer.of(tmp_path, desk)
    written = issuer.issue()
    offline = issuer.verify(written.path)
    assert offline.exit_code == 0, refused(offline)
    assert "1 of 1 balances have a state proof; the block is one operator's word until check 16 passes." in (
        report_text(offline)
    )
    desk.use_nodes(worlds.honest.url)  # the auditor's own
    against = issuer.verify(written.path, nodes=True)
    assert [check.number for check in against.checks if check.status is CheckStatus.FAILED] == [16]
    desk.use_nodes(worlds.liar.url)
    assert issuer.verify(written.path, nodes=True).exit_code == 0, "nor is it refused by who asks the liar again"


def test_a_made_up_state_finds_no_quorum(new_desk_before: Callable[..., Desk], worlds: TwoWorlds) -> None:
    desk = new_desk_before(worlds.honest, worlds.liar, quorum=2)
    outcome = desk.sweep()
    assert outcome.summary is None
    assert outcome.failure_code == "no-quorum"
    assert {case.finding.kind for case in desk.open_cases()} >= {FindingKind.UNVERIFIED}


@pytest.mark.fault("A27")
@pytest.mark.parametrize("liar_first", [True, False])
def test_among_three_the_state_of_the_two_is_proven(
    new_desk_before: Callable[..., Desk], worlds: TwoWorlds, *, liar_first: bool
) -> None:
    """The two that agree on the block are asked for proofs under it; what the third proves is of no block here."""
    nodes = (worlds.liar, worlds.honest, worlds.honest) if liar_first else (worlds.honest, worlds.honest, worlds.liar)
    desk = new_desk_before(*nodes, quorum=2)
    outcome = desk.sweep()
    found = only(desk, outcome)
    assert (found.base_units, found.status) == (TRUE_WEI, ReadStatus.OK)
    assert overall_grade(found.state, found.anchor) is StateEvidence.PROVEN
    assert desk.open_cases(FindingKind.SHORTFALL), "the books believed the liar"
    assert desk.open_cases(FindingKind.NODE_DISAGREEMENT)


@pytest.mark.fault("A29")
def test_proofs_of_a_made_up_state_do_not_fit_the_true_header(worlds: TwoWorlds) -> None:
    """A true block cannot be given the liar's proof: it leads to another root."""
    chain_id = ChainId(f"eip155:{worlds.honest.chain_id}")
    roots = {
        node: checked_state_root(decode_header(node.block(1), chain_id, "ethereum"))
        for node in (worlds.honest, worlds.liar)
    }
    proof = worlds.liar.rpc("eth_getProof", OMNIBUS, [], "0x1")
    account, _ = check_answer(proof, roots[worlds.liar], OMNIBUS, (), NodePool())
    assert account.balance == MADE_UP_WEI
    with pytest.raises(ProofFailed):
        check_answer(proof, roots[worlds.honest], OMNIBUS, (), NodePool())
