"""Sweeps through several operators at once: what they agree on is judged, what they do not is a finding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from chains.devnet.lies import drop_logs
from chains.devnet.lying_proxy import LyingProxy
from chains.errors import ChainConfigError
from chains.types import AnchorEvidence
from tests.fakes.chain import FakeChain
from tests.verifier.issuer import Issuer, refused
from tests.verifier.sweep.conftest import NewDesk
from tests.verifier.sweep.desk import kinds
from tests.verifier.sweep.memory import MemoryDesk
from tests.verifier.sweep.world import OMNIBUS, PAYEE, SECOND, STRANGER, AnvilWorld, address
from verifier.config import ChainSettings
from verifier.journal import verify_journal
from verifier.records import FindingKind, Status
from verifier.rules.statements import figure
from verifier.store import Store
from verifier.store.journal_view import newest_entries
from verifier.sweep import SweepOutcome

DISAGREEMENT, UNVERIFIED = FindingKind.NODE_DISAGREEMENT, FindingKind.UNVERIFIED
NewQuorum = Callable[..., MemoryDesk]


@pytest.fixture
def new_quorum(sqlite_store: Store, tmp_path: Path) -> NewQuorum:
    """Makes a desk whose nodes must agree: two wallets, all in order, swept once."""

    def make(nodes: int = 3, quorum: int = 2, operators: str = "ABCDE") -> MemoryDesk:
        desk = MemoryDesk(sqlite_store, tmp_path, nodes=nodes)
        named = [replace(node, operator=operators[n]) for n, node in enumerate(desk.config.nodes)]
        desk.config = replace(desk.config, quorum=quorum, nodes=tuple(named))
        desk.history_from = 0
        desk.chain.mint(OMNIBUS, desk.asset, 1_000)
        desk.open_books(OMNIBUS, SECOND)
        desk.allocate(OMNIBUS, C_1=1_000)
        assert desk.sweep().exit_code == 0
        return desk

    return make


@pytest.fixture
def desk(new_quorum: NewQuorum) -> MemoryDesk:
    """Three operators, of whom two must agree."""
    return new_quorum()


def lie(desk: MemoryDesk, number: int, base_units: int | None) -> None:
    desk.node(number).balances[OMNIBUS, desk.asset.asset_id] = base_units


def next_block(desk: MemoryDesk) -> SweepOutcome:
    desk.chain.mine()
    return desk.sweep()


def test_what_operators_agree_on_is_graded_agreed(desk: MemoryDesk) -> None:
    outcome = next_block(desk)
    assert (outcome.exit_code, outcome.cases, outcome.left_out) == (0, (), ())
    assert outcome.summary is not None
    assert outcome.summary.node_id == "node-1+node-2+node-3"
    assert desk.result(outcome, OMNIBUS).anchor is AnchorEvidence.AGREED


@pytest.mark.fault("A27")
@pytest.mark.parametrize("liar", [1, 2, 3])
def test_one_of_three_lies_about_a_balance(desk: MemoryDesk, liar: int) -> None:
    lie(desk, liar, 900)
    outcome = next_block(desk)
    result = desk.result(outcome, OMNIBUS)
    assert (result.status, result.observed, result.anchor) == (Status.MATCHED, 1_000, AnchorEvidence.AGREED)
    assert (kinds(outcome), outcome.exit_code) == ({DISAGREEMENT: 1}, 1)
    finding = desk.only_case(DISAGREEMENT).finding
    assert (finding.location_id, finding.asset) == (desk.at(OMNIBUS), desk.usdx)
    for number in (1, 2, 3):
        said = figure(900 if number == liar else 1_000, desk.usdx)
        assert f"node-{number} of {'ABC'[number - 1]} says {said}" in finding.text
    assert finding.text.endswith(f"A quorum of operators agrees against node-{liar}.")

    again = next_block(desk)
    assert [seen.is_new for seen in again.cases] == [False], "a node that goes on lying stays in its case"
    lie(desk, liar, 1_000)
    assert next_block(desk).cases == ()
    assert not desk.only_case(DISAGREEMENT).is_seen, "it stays open until two people close it"


@pytest.mark.fault("A27", "A28")
@pytest.mark.parametrize(
    ("nodes", "quorum", "operators", "liars"),
    [(2, 2, "AB", (2,)), (3, 3, "ABC", (2,)), (3, 2, "ABB", (2, 3))],
)
def test_without_a_quorum_the_balance_is_unverified(
    new_quorum: NewQuorum, nodes: int, quorum: int, operators: str, liars: tuple[int, ...]
) -> None:
    desk = new_quorum(nodes, quorum, operators)
    for liar in liars:
        lie(desk, liar, 900)
    outcome = next_block(desk)
    result = desk.result(outcome, OMNIBUS)
    assert (result.status, result.observed) == (Status.UNVERIFIED, None)
    assert "node-disagreement: node node-1 says 1000; node node-2 says 900" in result.reason
    assert desk.result(outcome, SECOND).status is Status.MATCHED
    assert kinds(outcome) == {UNVERIFIED: 1, DISAGREEMENT: 1}
    (finding,) = (case.finding for case in desk.open_cases(DISAGREEMENT))
    assert finding.text.endswith("No quorum of operators agrees, so that it is not verified.")


@pytest.mark.fault("A27")
def test_a_lie_of_one_node_is_no_shortfall_and_of_a_quorum_it_is(desk: MemoryDesk) -> None:
    """What a quorum cannot do: notice that it lies itself."""
    lie(desk, 1, 900)
    assert FindingKind.SHORTFALL not in kinds(next_block(desk))
    lie(desk, 2, 900)
    assert kinds(next_block(desk))[FindingKind.SHORTFALL] == 1


@pytest.mark.fault("A1")
def test_a_node_that_is_down_is_named_and_two_are_too_many(desk: MemoryDesk) -> None:
    desk.node(2).is_down = True
    outcome = next_block(desk)
    assert (outcome.exit_code, outcome.cases) == (0, ())
    (left_out,) = outcome.left_out
    assert (left_out.node_id, left_out.operator) == ("node-2", "B")
    told = outcome.to_dict()["nodes_left_out"]
    assert isinstance(told, list)
    assert told[0]["reason"].startswith("node-unavailable: ")
    assert outcome.summary is not None
    assert outcome.summary.node_id == "node-1+node-3"

    desk.node(3).is_down = True
    failed = next_block(desk)
    assert (failed.summary, failed.failure_code, failed.exit_code) == (None, "node-unavailable", 2)
    assert kinds(failed) == {UNVERIFIED: 1}
    desk.node(3).is_down = False
    assert next_block(desk).exit_code == 0


def test_a_node_that_lags_is_left_out(desk: MemoryDesk) -> None:
    desk.chain.mine(2)
    desk.node(1).lag = 1
    outcome = desk.sweep()
    assert outcome.exit_code == 0
    assert outcome.summary is not None
    assert outcome.summary.block == desk.chain.head
    assert [node.node_id for node in outcome.left_out] == ["node-1"]


def test_dissent_about_the_pinned_block(desk: MemoryDesk) -> None:
    own = FakeChain(blocks=list(desk.chain.blocks), assets=desk.chain.assets, forks=7)
    own.mine()
    desk.node(3).chain = own
    outcome = next_block(desk)
    assert outcome.summary is not None
    assert (outcome.summary.block, outcome.summary.node_id) == (desk.chain.head, "node-1+node-2")
    assert kinds(outcome) == {DISAGREEMENT: 1}
    finding = desk.only_case(DISAGREEMENT).finding
    assert str(finding.location_id) == desk.chain_id
    assert own.head.block_hash in finding.text
    own.mine()
    again = next_block(desk)
    assert [seen.is_new for seen in again.cases] == [False], "the node's other branch is one matter"


def test_a_movement_that_one_node_hides_is_found_all_the_same(desk: MemoryDesk) -> None:
    desk.node(2).hides = lambda transfer: transfer.receiver == STRANGER
    desk.chain.pay(OMNIBUS, STRANGER, desk.asset, 7)
    outcome = desk.sweep()
    assert kinds(outcome) == {
        FindingKind.SHORTFALL: 1,
        FindingKind.UNAUTHORIZED_TRANSFER: 1,
        DISAGREEMENT: 1,
    }
    (finding,) = (case.finding for case in desk.open_cases(DISAGREEMENT))
    assert finding.location_id == desk.at(OMNIBUS)
    assert finding.tx_id
    assert "node-2 of B says there is no such transfer" in finding.text


def test_when_operators_show_different_movements_no_block_is_covered(new_quorum: NewQuorum) -> None:
    desk = new_quorum(2)
    covered = desk.store.covered_tip(desk.chain_id)
    desk.node(2).hides = lambda transfer: transfer.receiver == PAYEE
    desk.approve("A-1", OMNIBUS, PAYEE, 7)
    desk.chain.pay(OMNIBUS, PAYEE, desk.asset, 7)
    failed = desk.sweep()
    assert (failed.summary, failed.failure_code) == (None, "no-quorum")
    assert "there is no such transfer" in failed.failure
    assert desk.store.covered_tip(desk.chain_id) == covered
    desk.node(2).hides = lambda transfer: False
    after = desk.sweep()
    assert kinds(after)[DISAGREEMENT] == 1, "what was seen in the sweep that failed is not forgotten"
    assert desk.store.covered_tip(desk.chain_id) == desk.chain.head


def test_what_nodes_disagreed_about_outlives_a_crash(desk: MemoryDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The balances are stored when the process dies, and are not read again: the dissent must be stored with them."""
    lie(desk, 3, 900)
    desk.chain.mine()

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(desk.store, "end_sweep", die)
        with pytest.raises(KeyboardInterrupt):
            desk.runner().run()
    written = [entry.kind for entry in newest_entries(desk.store, 10)]
    assert written.index("nodes.disagreed") + 1 == max(n for n, kind in enumerate(written) if kind == "sweep.shard")
    lie(desk, 3, 1_000)
    outcome = desk.sweep()
    assert kinds(outcome) == {DISAGREEMENT: 1}
    assert desk.result(outcome, OMNIBUS).anchor is AnchorEvidence.AGREED
    assert verify_journal(desk.store).ok


def test_a_node_that_lies_about_everything_does_not_flood_the_queue(new_quorum: NewQuorum) -> None:
    desk = new_quorum()
    wallets = [address(5_000 + number) for number in range(25)]
    desk.take(wallets=[{"address": wallet} for wallet in wallets])
    for wallet in wallets:
        desk.node(3).balances[wallet, desk.asset.asset_id] = 5
    outcome = next_block(desk)
    assert kinds(outcome) == {DISAGREEMENT: 1}
    finding = desk.only_case(DISAGREEMENT).finding
    assert (str(finding.location_id), finding.asset) == (desk.chain_id, desk.usdx)
    assert finding.text.startswith("Nodes disagree about 25 balances of the asset.")


def test_the_bundle_names_every_witness(desk: MemoryDesk, tmp_path: Path) -> None:
    desk.node(2).is_down = True
    lie(desk, 3, 900)  # with one node down, the two others are no quorum about this one
    assert next_block(desk).exit_code == 1
    lie(desk, 3, 1_000)
    assert desk.result(next_block(desk), OMNIBUS).status is Status.MATCHED
    issuer = Issuer.of(tmp_path, desk)
    written = issuer.issue()
    assert refused(issuer.verify(written.path, nodes=True)) == {}


def test_the_bundle_of_a_sweep_that_a_second_node_finished(
    sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a quorum too: the node that pinned the block is not always the one that read the balances."""
    desk = MemoryDesk(sqlite_store, tmp_path, nodes=2)
    desk.open_books(OMNIBUS)
    desk.chain.mint(OMNIBUS, desk.asset, 5)
    desk.allocate(OMNIBUS, C_1=5)
    started = desk.store.start_sweep

    def start_and_lose_the_node(*args: object) -> object:
        desk.node(1).is_down = True
        return started(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(desk.store, "start_sweep", start_and_lose_the_node)
    outcome = desk.sweep()
    assert outcome.exit_code == 0
    assert outcome.summary is not None
    assert outcome.summary.node_id == "node-1"
    desk.node(1).is_down = False
    issuer = Issuer.of(tmp_path, desk)
    assert refused(issuer.verify(issuer.issue().path, nodes=True)) == {}


@pytest.mark.devnet
@pytest.mark.fault("A27")
def test_one_of_three_real_nodes_leaves_a_transfer_out(
    new_desk: NewDesk, sqlite_store: Store, world: AnvilWorld, lying_node: Callable[..., LyingProxy]
) -> None:
    """On Anvil, from the importer to the case: what one provider hides is found by the others."""
    desk = new_desk(sqlite_store)
    world.mint(OMNIBUS, 1_000)
    world.mine()  # the first sweep covers its own block
    desk.open_books(OMNIBUS)
    desk.allocate(OMNIBUS, C_1=1_000)
    liar = lying_node(drop_logs())
    desk.use_nodes(world.node.url, liar.url, world.node.url)
    desk.config = replace(desk.config, quorum=2)
    assert desk.sweep().exit_code == 0
    world.pay(OMNIBUS, STRANGER, 7)
    outcome = desk.sweep()
    assert kinds(outcome) == {FindingKind.SHORTFALL: 1, FindingKind.UNAUTHORIZED_TRANSFER: 1, DISAGREEMENT: 1}
    (finding,) = (case.finding for case in desk.open_cases(DISAGREEMENT))
    assert "node-2 of operator-2 says there is no such transfer" in finding.text
    assert desk.result(outcome, OMNIBUS).anchor is AnchorEvidence.AGREED


def test_probes_are_kept_by_node(desk: MemoryDesk) -> None:
    for node in desk.config.nodes:
        assert desk.store.node_capabilities(desk.chain_id, node.node_id)["client"] == "fake/1"


@pytest.mark.fault("A28")
@pytest.mark.parametrize(("operators", "is_possible"), [(["A", "B", "C"], True), (["A", "a "], False)])
def test_the_configuration_counts_operators(operators: list[str], is_possible: bool, desk: MemoryDesk) -> None:
    section: dict[str, object] = {
        "chain_id": desk.chain_id,
        "name": "test chain",
        "genesis_hash": desk.config.genesis_hash,
        "quorum": 2,
        "native_asset": {"asset_id": desk.native.asset_id, "symbol": "ETH"},
        "nodes": [
            {"node_id": f"n{n}", "operator": operator, "url": f"http://127.0.0.1:{n}"}
            for n, operator in enumerate(operators, 1)
        ],
    }
    if is_possible:
        assert ChainSettings.model_validate(section).resolve().quorum == 2
    else:
        with pytest.raises(ValidationError, match="quorum is 2 operators, but the nodes are run by 1"):
            ChainSettings.model_validate(section)
        desk.config = replace(desk.config, nodes=tuple(replace(node, operator="A") for node in desk.config.nodes))
        with pytest.raises(ChainConfigError):
            desk.runner().run()
