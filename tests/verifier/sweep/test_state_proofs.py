"""Sweeps that prove what they read: on a real node, and before nodes that lie about balances, proofs and headers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from chains.devnet.lies import change_balance, change_result, fail
from chains.devnet.lying_proxy import LyingProxy
from chains.evm.balance_proof import TokenState, native_balance
from chains.evm.layout_discovery import discover_layout
from chains.evm.state_proof import state_root
from chains.evm.token_layout import TokenLayout
from chains.evm.trie_proof import NodePool
from chains.state_proofs import StateProofMode
from chains.transport import JsonRpcTransport
from chains.types import AnchorEvidence, BalanceObservation, ReadStatus, StateEvidence, overall_grade
from tests.verifier.sweep.conftest import NewDesk
from tests.verifier.sweep.desk import LIMITS, Desk, kinds
from tests.verifier.sweep.world import OMNIBUS, SECOND, AnvilWorld
from verifier.config import SweepSettings
from verifier.records import FindingKind
from verifier.store import Store
from verifier.sweep import SweepOutcome

pytestmark = pytest.mark.devnet

WEI = 5 * 10**17


@pytest.fixture
def desk(new_desk: NewDesk, sqlite_store: Store, world: AnvilWorld) -> Desk:
    """Two wallets, one of them with ether and a token; state proofs are asked for."""
    desk = new_desk(sqlite_store)
    world.give_native(OMNIBUS, WEI)
    world.mint(OMNIBUS, 1_000)
    world.mine()
    native = {"asset_id": desk.native.asset_id, "symbol": "ETH", "decimals": "18"}
    desk.open_books(OMNIBUS, SECOND, assets=({}, native))
    desk.allocate(OMNIBUS, C_1=1_000)
    desk.allocate(OMNIBUS, asset=desk.native, C_1=WEI)
    desk.config = replace(desk.config, state_proofs=StateProofMode.WHEN_OFFERED)
    return desk


def seen(desk: Desk, outcome: SweepOutcome) -> dict[tuple[str, str], BalanceObservation]:
    """What the sweep recorded, by address and symbol."""
    assert outcome.summary is not None, outcome.failure
    start = desk.store.sweep(outcome.summary.sweep_id)
    assert start is not None
    found = desk.store.observations(start)
    return {(each.holding.address, each.holding.asset.symbol): each for each in found}


def test_native_balances_are_proven(desk: Desk) -> None:
    outcome = desk.sweep()
    found = seen(desk, outcome)
    for address in (OMNIBUS, SECOND):
        assert found[address, "ETH"].state is StateEvidence.PROVEN
        assert found[address, "ETH"].anchor is AnchorEvidence.SINGLE
    assert outcome.exit_code == 0


def lays_out(desk: Desk, **changes: str) -> None:
    """Two people reviewed the layout of the token, as `custody chain layout` finds it."""
    transport = JsonRpcTransport(desk.config.nodes[0], LIMITS)
    reader = desk.plugin.open(desk.config, desk.config.nodes[0])
    try:
        block = reader.pin(now=desk.now()).block
        layout = discover_layout(transport, block, desk.usdx.asset_id, [OMNIBUS, SECOND]).layout
    finally:
        reader.close()
        transport.close()
    desk.take(token_layouts=[{**layout_row(layout), **changes}])


def test_balances_of_coin_and_token_are_proven_and_kept(desk: Desk, world: AnvilWorld) -> None:
    lays_out(desk)
    outcome = desk.sweep()
    assert outcome.exit_code == 0
    assert all(each.state is StateEvidence.PROVEN for each in seen(desk, outcome).values())
    assert len(seen(desk, outcome)) == 4
    start = desk.store.sweep(outcome.summary.sweep_id if outcome.summary else "")
    assert start is not None
    kept = desk.store.state_proofs(start)
    pool = NodePool(kept.nodes)
    root = state_root(kept.header, start.block)
    layout = desk.store.token_layouts(desk.chain_id, start.known_at)[desk.usdx.asset_id]
    assert native_balance(root, OMNIBUS, pool) == WEI
    assert TokenState(root, layout, pool).balance(OMNIBUS) == 1_000
    assert TokenState(root, layout, pool).balance(SECOND) == native_balance(root, SECOND, pool) == 0
    pool.require_all_used()
    assert desk.store.proof_gaps(start) == []

    world.mine()
    again = desk.sweep()
    later = desk.store.sweep(again.summary.sweep_id if again.summary else "")
    assert later is not None
    shared = set(desk.store.state_proofs(later).nodes) & set(kept.nodes)
    with desk.store.read() as connection:
        rows = connection.execute(sa.text("SELECT count(*), count(DISTINCT digest) FROM proof_node")).one()
    assert shared, "the second block's state has nodes of the first one's"
    assert rows == (len(set(kept.nodes) | set(desk.store.state_proofs(later).nodes)),) * 2


def test_proofs_by_shards_add_up_to_those_of_one(desk: Desk) -> None:
    lays_out(desk)
    desk.settings = SweepSettings(wallets_per_shard=1)
    outcome = desk.sweep()
    assert {each.state for each in seen(desk, outcome).values()} == {StateEvidence.PROVEN}
    start = desk.store.sweep(outcome.summary.sweep_id if outcome.summary else "")
    assert start is not None
    NodePool(desk.store.state_proofs(start).nodes)  # refuses a node that is there twice


@pytest.mark.fault("A26")
@pytest.mark.parametrize("mode", [StateProofMode.WHEN_OFFERED, StateProofMode.REQUIRED])
def test_a_node_without_state_proofs(desk: Desk, mode: StateProofMode, lying_node: Callable[..., LyingProxy]) -> None:
    """What is not proven is said to be read; where proofs are required it is unverified. Never proven."""
    node = lying_node(fail("eth_getProof", -32601, "the method does not exist"))
    desk.use_nodes(node.url)
    desk.config = replace(desk.config, state_proofs=mode)
    outcome = desk.sweep()
    found = seen(desk, outcome).values()
    assert {each.state for each in found} == {StateEvidence.READ}
    if mode is StateProofMode.WHEN_OFFERED:
        assert outcome.exit_code == 0
        start = desk.store.sweep(outcome.summary.sweep_id if outcome.summary else "")
        assert start is not None
        gaps = desk.store.proof_gaps(start)
        assert {(gap.asset_id, gap.holdings) for gap in gaps} == {(desk.usdx.asset_id, 2), (desk.native.asset_id, 2)}
        assert all("no state proofs" in gap.reason for gap in gaps)
    else:
        assert {each.status for each in found} == {ReadStatus.FAILED}
        assert all(each.reason.startswith("proof-missing: unsupported-by-node") for each in found)
        assert outcome.exit_code == 2


@pytest.mark.parametrize("mode", [StateProofMode.WHEN_OFFERED, StateProofMode.REQUIRED])
def test_what_was_reviewed_as_unprovable_stays_read(desk: Desk, mode: StateProofMode) -> None:
    lays_out(
        desk, order="unprovable", mapping_slot="", bits="", first_bit="", code_hash="", reason="It follows an index."
    )
    desk.config = replace(desk.config, state_proofs=mode)
    outcome = desk.sweep()
    found = seen(desk, outcome)
    assert (found[OMNIBUS, "USDX"].state, found[OMNIBUS, "USDX"].base_units) == (StateEvidence.READ, 1_000)
    assert found[OMNIBUS, "ETH"].state is StateEvidence.PROVEN
    assert outcome.exit_code == 0


def test_a_token_without_a_layout_is_read_and_where_proofs_are_required_unverified(desk: Desk) -> None:
    found = seen(desk, desk.sweep())
    assert found[OMNIBUS, "USDX"].state is StateEvidence.READ
    desk.world.mine()  # type: ignore[attr-defined]
    desk.config = replace(desk.config, state_proofs=StateProofMode.REQUIRED)
    found = seen(desk, desk.sweep())
    assert found[OMNIBUS, "USDX"].reason.startswith("proof-missing: no-layout")
    assert found[OMNIBUS, "ETH"].state is StateEvidence.PROVEN


@pytest.mark.fault("A29")
def test_every_node_lies_about_a_balance_under_a_true_header(desk: Desk, lying_node: Callable[..., LyingProxy]) -> None:
    """Two of two operators agree on a lie; the state of the block they agree on says otherwise."""
    liars = [lying_node(plain_calls_only, change_balance(OMNIBUS, WEI + 7)) for _ in range(2)]
    desk.use_nodes(*(liar.url for liar in liars))
    desk.config = replace(desk.config, quorum=2)
    outcome = desk.sweep()
    found = seen(desk, outcome)[OMNIBUS, "ETH"]
    assert found.status is ReadStatus.FAILED
    assert found.reason == f"proof-contradicts: node-1+node-2 said {WEI + 7}, the block's state proves {WEI}"
    assert FindingKind.NODE_DISAGREEMENT in kinds(outcome)
    (case,) = desk.open_cases(FindingKind.NODE_DISAGREEMENT)
    assert "state-proof of the block itself says" in case.finding.text
    assert outcome.exit_code == 1

    desk.config = replace(desk.config, state_proofs=StateProofMode.OFF)
    desk.world.mine()  # type: ignore[attr-defined]
    unproven = seen(desk, desk.sweep())[OMNIBUS, "ETH"]
    assert (unproven.base_units, unproven.state) == (WEI + 7, StateEvidence.READ), "without proofs the lie would stand"


@pytest.mark.fault("A29")
@pytest.mark.parametrize(
    "spoil",
    [
        lambda proof: {**proof, "balance": hex(WEI + 7)},
        lambda proof: {**proof, "accountProof": proof["accountProof"][:-1]},
        lambda proof: {**proof, "accountProof": [*proof["accountProof"][:-1], spoilt(proof["accountProof"][-1])]},
        lambda proof: {**proof, "accountProof": []},
        lambda proof: [],
    ],
    ids=["says another balance", "a node left out", "a node altered", "no nodes", "no proof"],
)
def test_a_proof_that_does_not_check_is_no_proof(
    desk: Desk, spoil: Callable[[dict[str, Any]], Any], lying_node: Callable[..., LyingProxy]
) -> None:
    """Of one wallet: its balance is unverified, and that of the others proven."""

    def change(params: list[Any], truth: Any) -> Any:
        return spoil(truth) if str(params[0]).lower() == OMNIBUS.lower() else truth

    desk.use_nodes(lying_node(change_result("eth_getProof", change)).url)
    outcome = desk.sweep()
    found = seen(desk, outcome)
    assert found[OMNIBUS, "ETH"].status is ReadStatus.FAILED
    assert found[OMNIBUS, "ETH"].reason.startswith("proof-failed: ")
    assert found[SECOND, "ETH"].state is StateEvidence.PROVEN
    assert outcome.exit_code == 2


def test_in_a_quorum_one_proof_that_checks_is_enough(desk: Desk, lying_node: Callable[..., LyingProxy]) -> None:
    """One node gives proofs that do not check, one gives none, one gives good ones: proven, under an agreed block."""
    lays_out(desk)
    broken = lying_node(change_result("eth_getProof", lambda params, truth: {**truth, "accountProof": []}))
    without = lying_node(fail("eth_getProof", -32601, "the method does not exist"))
    desk.use_nodes(broken.url, without.url, desk.config.nodes[0].url)
    desk.config = replace(desk.config, quorum=2)
    outcome = desk.sweep()
    found = seen(desk, outcome).values()
    assert {(each.state, each.anchor) for each in found} == {(StateEvidence.PROVEN, AnchorEvidence.AGREED)}
    assert {overall_grade(each.state, each.anchor) for each in found} == {StateEvidence.PROVEN}
    assert outcome.exit_code == 0


def plain_calls_only(asked: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
    """A node that runs no program for balances, so that each is asked for by name, which a proxy can lie about."""
    if asked != "eth_call" or (len(params) < 3 and "to" in params[0]):
        return answer
    return {"jsonrpc": "2.0", "id": answer.get("id"), "error": {"code": -32601, "message": "not offered"}}


def layout_row(layout: TokenLayout) -> dict[str, str]:
    """A row of token_layouts.csv."""
    return {
        "asset_id": layout.asset_id,
        "order": layout.order.value,
        "mapping_slot": str(layout.mapping_slot),
        "first_bit": str(layout.first_bit),
        "bits": str(layout.bits),
        "code_hash": layout.code_hash,
    }


def spoilt(node: str) -> str:
    """A node with its last digit changed."""
    return node[:-1] + ("0" if node[-1] != "0" else "1")
