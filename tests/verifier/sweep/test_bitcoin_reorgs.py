"""Bitcoin blocks that leave the chain, in real sweeps: not final yet, in mid sweep, and final; and their bundles."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest

from chains.bitcoin import chain_plugin
from tests.verifier.issuer import Issuer, refused
from tests.verifier.sweep.bitcoin_world import POOL, Pool, assert_in_order
from tests.verifier.sweep.desk import kinds
from tests.verifier.sweep.hooks import HookedPlugin, times
from verifier.records import CaseState, FindingKind, MatchOutcome, Status

pytestmark = pytest.mark.devnet

STOLEN, FEE = 50_000_000, 500
F = FindingKind


@pytest.fixture
def robbed(bitcoin_pool: Pool) -> Callable[[int, str], str]:
    """Lets a theft happen so many blocks deep (1: in the head), sweeps at a finality, and returns the transaction."""

    def make(depth: int, finality: str) -> str:
        pool = bitcoin_pool
        for _ in range(6):
            pool.world.mine()
        pool.desk.use_finality(finality)
        assert_in_order(pool.desk.sweep())
        theft = pool.world.custody.pay(pool.world.stranger(), STOLEN, fee=FEE)
        for _ in range(depth):
            pool.world.mine()
        pool.desk.sweep()
        return theft.txid

    return make


@pytest.mark.parametrize("depth", [1, 2, 5])
@pytest.mark.fault("A31")
def test_what_was_not_final_is_superseded_and_read_again(
    bitcoin_pool: Pool, robbed: Callable[[int, str], str], depth: int
) -> None:
    theft = robbed(depth, "latest")
    pool, desk, node = bitcoin_pool, bitcoin_pool.desk, bitcoin_pool.world.node
    old = desk.store.latest_summary(desk.chain_id)
    assert old is not None
    before = {case.finding.kind: case for case in desk.open_cases()}
    assert set(before) == {F.SHORTFALL, F.UNAUTHORIZED_TRANSFER}
    assert all(case.finding.provisional and not case.superseded for case in before.values())

    node.reorg(depth, depth + 1)
    swept = desk.sweep()

    assert_in_order(swept)
    assert swept.summary is not None
    assert swept.summary.block.height == old.block.height + 1
    assert swept.summary.block.block_hash == node.tip
    after = {case.finding.kind: case for case in desk.open_cases()}
    assert after[F.UNAUTHORIZED_TRANSFER].superseded
    assert after[F.UNAUTHORIZED_TRANSFER].finding.tx_id == theft
    # The orphaned block and what was read there stay, and count for nothing.
    assert desk.store.is_orphaned(old.block)
    assert desk.store.reconciliations(old.sweep_id)[0].status is Status.DIVERGED
    assert desk.store.transfers(desk.chain_id, first_height=old.block.height - depth + 1) == []

    pool.world.mine()  # the theft waited again, and is in the new branch now
    assert kinds(desk.sweep()) == {F.SHORTFALL: 1, F.UNAUTHORIZED_TRANSFER: 1}
    assert len(desk.open_cases(F.UNAUTHORIZED_TRANSFER)) == 2, "another block, another finding"


@pytest.mark.fault("A31")
def test_final_observations_stand_when_newer_blocks_leave(
    bitcoin_pool: Pool, robbed: Callable[[int, str], str]
) -> None:
    """The theft is two blocks deep, three are wanted: it was never counted, and nothing is superseded."""
    robbed(2, "confirmed(3)")
    desk, node = bitcoin_pool.desk, bitcoin_pool.world.node
    old = desk.store.latest_summary(desk.chain_id)
    assert old is not None
    assert desk.open_cases() == []
    node.reorg(2)
    assert_in_order(desk.sweep())
    assert not desk.store.is_orphaned(old.block)
    assert desk.store.matches(desk.chain_id) == []


@pytest.mark.fault("A31")
def test_an_approval_that_an_orphaned_block_used_can_be_used_again(bitcoin_pool: Pool) -> None:
    pool, desk, world = bitcoin_pool, bitcoin_pool.desk, bitcoin_pool.world
    to = world.stranger()
    desk.approve("A-1", pool.addresses[0], to, STOLEN)
    world.custody.pay(to, STOLEN, fee=FEE)
    world.mine()
    pool.book(STOLEN + FEE)
    assert_in_order(desk.sweep())
    world.node.reorg(1, 2)
    desk.sweep()
    assert desk.store.authorizations_used(desk.chain_id) == {}
    world.mine()
    assert_in_order(desk.sweep())
    assert pool.outcomes() == [(MatchOutcome.MATCHED, "A-1", STOLEN)]


def reorganise(pool: Pool) -> None:
    """The head is replaced by two other blocks."""
    pool.world.node.reorg(1)


@pytest.mark.parametrize("method", ["read_balances", "scan_transfers", "is_canonical"])
@pytest.mark.fault("A33")
def test_the_pinned_block_leaves_before_it_is_read(bitcoin_pool: Pool, method: str) -> None:
    desk, world = bitcoin_pool.desk, bitcoin_pool.world
    world.mine()
    world.mine()
    desk.plugin = HookedPlugin(chain_plugin, before={method: times(1, lambda: reorganise(bitcoin_pool))})
    outcome = desk.sweep()
    assert_in_order(outcome)
    assert outcome.summary is not None
    assert outcome.summary.block.block_hash == world.node.tip


@pytest.mark.fault("A33")
def test_it_gives_up_after_three_pins(bitcoin_pool: Pool) -> None:
    desk, world = bitcoin_pool.desk, bitcoin_pool.world
    world.mine()
    world.mine()
    pins = []
    desk.plugin = HookedPlugin(
        chain_plugin, before={"pin": lambda: pins.append(1), "read_balances": lambda: reorganise(bitcoin_pool)}
    )
    outcome = desk.sweep()
    assert (outcome.failure_code, outcome.exit_code, len(pins)) == ("chain-moved", 2, 3)
    desk.plugin = chain_plugin
    assert_in_order(desk.sweep())


@pytest.mark.fault("A32", "A34")
def test_a_final_block_that_leaves_halts_the_chain_and_the_bundle_stays(
    bitcoin_pool: Pool, robbed: Callable[[int, str], str], tmp_path: Path
) -> None:
    robbed(4, "confirmed(2)")
    desk, world = bitcoin_pool.desk, bitcoin_pool.world
    old = desk.store.latest_summary(desk.chain_id)
    assert old is not None
    issuer = Issuer.of(tmp_path, desk)
    issued = issuer.issue()
    assert issuer.verify(issued.path, nodes=True).exit_code == 0

    world.node.reorg(4)
    outcome = desk.sweep()

    assert (outcome.failure_code, outcome.exit_code) == ("finality-reversed", 2)
    (case,) = desk.open_cases(F.FINALITY_REVERSED)
    assert issued.manifest.bundle_id in case.finding.text
    assert f"blocks {old.block.height - 2} to {old.block.height} " in case.finding.text
    assert issuer.verify(issued.path).exit_code == 0
    report = issuer.verify(issued.path, nodes=True)
    assert report.exit_code == 1
    assert "no longer canonical" in refused(report)[16][0]

    world.mine()
    assert desk.sweep().failure_code == "finality-reversed", "halted means halted"
    desk.store.resume_chain(desk.chain_id, "a regtest chain reorganised", "ops.checker", desk.now())
    swept = desk.sweep()
    assert desk.store.is_orphaned(old.block)
    assert desk.store.case(case.case_id).state is CaseState.OPEN, "people close it"
    assert swept.summary is not None
    assert swept.summary.block.block_hash != old.block.block_hash
    later = issuer.issue("later.zip")
    assert later.manifest.sequence == issued.manifest.sequence + 1
    assert issuer.verify(later.path, nodes=True).exit_code == 0


@pytest.mark.fault("A31", "A41")
def test_nothing_below_the_confirmations_is_exported_unmarked(
    bitcoin_pool: Pool, robbed: Callable[[int, str], str], tmp_path: Path
) -> None:
    """With three wanted, a payment two deep is in no bundle; where the head is read, every balance says so."""
    theft = robbed(2, "confirmed(3)")
    desk = bitcoin_pool.desk
    issuer = Issuer.of(tmp_path, desk)
    deep = issuer.issue()
    assert theft not in members(deep.path)
    assert '"finality":"confirmed(3)"' in members(deep.path)
    desk.use_finality("latest")
    desk.sweep()
    shallow = issuer.issue("shallow.zip")
    assert theft in members(shallow.path)
    assert '"finality":"latest"' in members(shallow.path)
    assert '"finality":"confirmed' not in members(shallow.path)
    assert desk.result(desk.sweep(), POOL).difference == -STOLEN - FEE


def members(path: Path) -> str:
    """All records of a bundle, as text."""
    with ZipFile(path) as file:
        return "".join(file.read(name).decode() for name in file.namelist() if name.startswith("records/"))
