"""Nodes that are down, behind, on another chain, or change in mid sweep; and clocks and books that move meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chains.devnet import lies
from chains.devnet.anvil import AnvilProcess
from chains.devnet.lagging import frozen_head, lagging
from chains.devnet.lying_proxy import LyingProxy
from chains.errors import InvalidValue
from chains.evm import chain_plugin
from chains.types import ReadStatus
from tests.verifier.sweep.desk import Desk, kinds
from tests.verifier.sweep.hooks import HookedPlugin, times
from tests.verifier.sweep.world import OMNIBUS, SECOND, STRANGER, THIRD, AnvilWorld
from verifier.config import SweepSettings
from verifier.records import FindingKind
from verifier.store import SweepStart
from verifier.sweep import SweepOutcome

pytestmark = pytest.mark.devnet

LyingNode = Callable[..., LyingProxy]
NOBODY = "http://127.0.0.1:9"
"""Where nothing listens."""


@pytest.fixture
def ready(desk: Desk, world: AnvilWorld) -> Desk:
    """Two wallets, all in order, not swept yet."""
    world.mint(OMNIBUS, 1_000)
    desk.open_books(OMNIBUS, SECOND)
    desk.allocate(OMNIBUS, C_1=1_000)
    return desk


def assert_nothing_counts(desk: Desk, outcome: SweepOutcome, code: str) -> None:
    """A sweep that failed: recorded, every holding unverified, a case for it, nothing that looks like a result."""
    assert (outcome.summary, outcome.failure_code, outcome.exit_code) == (None, code, 2)
    assert outcome.expected == 2
    answer = outcome.to_dict()
    assert (answer["unverified"], answer["matched"]) == (2, 0)
    assert kinds(outcome) == {FindingKind.UNVERIFIED: 1}
    assert desk.store.latest_summary(desk.chain_id) is None
    assert desk.only_case(FindingKind.UNVERIFIED).finding.subject == f"sweep-failed:{code}"
    assert desk.status().exit_code == 2


@pytest.mark.fault("A1")
def test_the_second_node_is_asked_when_the_first_is_down(ready: Desk, world: AnvilWorld) -> None:
    ready.use_nodes(NOBODY, world.node.url)
    outcome = ready.sweep()
    assert outcome.exit_code == 0
    assert outcome.summary is not None
    assert outcome.summary.node_id == "node-2"


@pytest.mark.fault("A1", "G13")
def test_all_nodes_down_is_recorded_and_heals(ready: Desk, world: AnvilWorld) -> None:
    ready.use_nodes(NOBODY, NOBODY)
    assert_nothing_counts(ready, ready.sweep(), "node-unavailable")
    again = ready.sweep()
    assert [seen.is_new for seen in again.cases] == [False], "one case, however often it fails"
    ready.use_nodes(world.node.url)
    outcome = ready.sweep()
    assert (outcome.exit_code, outcome.cases) == (0, ())
    assert not ready.only_case(FindingKind.UNVERIFIED).is_seen
    assert NOBODY not in again.failure, "no error shows a URL"


@pytest.mark.fault("A15")
def test_a_node_of_another_chain(ready: Desk, world: AnvilWorld, lying_node: LyingNode) -> None:
    other = lying_node(lies.other_chain_id(5)).url
    ready.use_nodes(other)
    assert_nothing_counts(ready, ready.sweep(), "wrong-chain")
    ready.use_nodes(other, world.node.url)
    assert ready.sweep().exit_code == 0


@pytest.mark.fault("A17")
def test_a_private_chain_that_claims_to_be_this_one(ready: Desk, anvil_binary: Path, world: AnvilWorld) -> None:
    begin = int(world.node.block(0)["timestamp"], 16) + 7
    with AnvilProcess(binary=anvil_binary, arguments=["--timestamp", str(begin)]) as other:
        assert other.node.chain_id == world.node.chain_id
        other.node.mine(world.node.block_number())
        ready.use_nodes(other.node.url)
        assert_nothing_counts(ready, ready.sweep(), "wrong-chain")
    ready.use_nodes(world.node.url)
    assert ready.sweep().exit_code == 0


@pytest.mark.parametrize("method", ["read_balances", "scan_transfers"])
@pytest.mark.fault("A16")
def test_the_chain_is_switched_in_mid_sweep(ready: Desk, world: AnvilWorld, method: str) -> None:
    truth = world.node.chain_id
    ready.plugin = HookedPlugin(chain_plugin, after={method: lambda: world.node.set_chain_id(5)})
    assert_nothing_counts(ready, ready.sweep(), "wrong-chain")
    world.node.set_chain_id(truth)
    ready.plugin = chain_plugin
    outcome = ready.sweep()
    assert outcome.exit_code == 0
    assert outcome.summary is not None
    assert outcome.summary.sweep_id.endswith("/2"), "what the switched node answered is not taken up again"


@pytest.mark.fault("A16")
def test_after_a_switch_the_next_node_reads_everything_anew(
    ready: Desk, world: AnvilWorld, lying_node: LyingNode
) -> None:
    ready.use_nodes(lying_node(lies.after(1, lies.other_chain_id(5))).url, world.node.url)
    outcome = ready.sweep()
    assert outcome.exit_code == 0
    assert outcome.summary is not None
    start = ready.store.sweep(outcome.summary.sweep_id)
    assert start is not None
    assert {seen.node_id for seen in ready.store.observations(start)} == {"node-2"}


@pytest.mark.fault("A1", "C1")
def test_a_node_that_stops_answering_in_mid_sweep_is_relieved(
    ready: Desk, world: AnvilWorld, lying_node: LyingNode
) -> None:
    node = lying_node()
    ready.use_nodes(node.url, world.node.url)

    def stop() -> None:
        node.reply_lies = [lies.http_status(503)]

    ready.plugin = HookedPlugin(chain_plugin, before={"scan_transfers": stop})
    outcome = ready.sweep()
    assert outcome.exit_code == 0
    assert outcome.summary is not None
    assert outcome.summary.sweep_id.endswith("/1"), "the same sweep, at the same block"
    start = ready.store.sweep(outcome.summary.sweep_id)
    assert start is not None
    assert {seen.node_id for seen in ready.store.observations(start)} == {"node-1"}, "read once, by the first"


@pytest.mark.fault("A25")
def test_a_sweep_whose_state_was_pruned_does_not_block_the_next_ones(
    ready: Desk, world: AnvilWorld, lying_node: LyingNode
) -> None:
    node = lying_node()
    ready.use_nodes(node.url)
    ready.plugin = HookedPlugin(chain_plugin, before={"scan_transfers": _die})
    with pytest.raises(Died):
        ready.sweep()
    ready.plugin = chain_plugin
    old = world.node.block_hash()
    world.mine()

    def pruned(asked: str, params: list[object], answer: dict[str, object]) -> dict[str, object]:
        gone = asked in ("eth_call", "eth_getCode") and isinstance(params[1], dict) and params[1]["blockHash"] == old
        error = {"code": -32000, "message": f"missing trie node {old[2:]} (path )"}
        return {"jsonrpc": "2.0", "id": answer["id"], "error": error} if gone else answer

    node.lies = [pruned]
    first = ready.sweep()
    assert (first.failure_code, first.exit_code) == ("state-unavailable", 2)
    second = ready.sweep()
    assert second.exit_code == 0
    assert second.summary is not None
    assert second.summary.block.block_hash != old


@pytest.mark.parametrize(("ahead", "code"), [(899, ""), (901, "stale-head")])
@pytest.mark.fault("A18")
def test_the_age_of_the_head(ready: Desk, ahead: int, code: str) -> None:
    ready.clock_ahead = timedelta(seconds=ahead)
    if code:
        assert_nothing_counts(ready, ready.sweep(), code)
    else:
        assert ready.sweep().exit_code == 0


@pytest.mark.parametrize(("ahead", "code"), [(-59, ""), (-61, "stale-head")])
@pytest.mark.fault("A45")
def test_a_head_in_the_future(ready: Desk, world: AnvilWorld, ahead: int, code: str) -> None:
    world.node.set_next_block_timestamp(int(world.head_time().timestamp()) + 3_600)
    world.mine()
    moment = world.head_time() + timedelta(seconds=ahead)
    outcome = ready.runner(clock=lambda: moment).run()
    assert outcome.failure_code == code
    if code:
        assert_nothing_counts(ready, outcome, code)
    else:
        assert outcome.exit_code == 0


@pytest.mark.fault("A19")
def test_a_node_that_falls_behind_what_was_covered(ready: Desk, world: AnvilWorld, lying_node: LyingNode) -> None:
    assert ready.sweep().exit_code == 0
    behind = lying_node(lagging(world.node.url, 2)).url
    ready.use_nodes(behind)
    outcome = ready.sweep()
    assert (outcome.failure_code, outcome.exit_code) == ("stale-head", 2)
    assert not ready.store.is_orphaned(ready.store.covered_tip(ready.chain_id)), "lagging is not reorganising"  # type: ignore[arg-type]
    ready.use_nodes(behind, world.node.url)
    assert ready.sweep().exit_code == 0
    world.mine(2)
    ready.use_nodes(behind)
    assert ready.sweep().exit_code == 0, "once it has the covered blocks, it may be asked"


@pytest.mark.fault("A20")
def test_a_node_that_falls_behind_in_mid_sweep_hides_no_event(
    ready: Desk, world: AnvilWorld, lying_node: LyingNode
) -> None:
    assert ready.sweep().exit_code == 0
    tip = ready.store.covered_tip(ready.chain_id)
    assert tip is not None
    theft = world.pay(OMNIBUS, STRANGER, 1)
    node = lying_node()
    ready.use_nodes(node.url)

    def fall_behind() -> None:
        node.lies = [frozen_head(world.node.url, tip.height)]

    ready.plugin = HookedPlugin(chain_plugin, before={"scan_transfers": fall_behind})
    assert ready.sweep().exit_code == 2
    assert ready.store.covered_tip(ready.chain_id) == tip, "no block counts as covered that the node did not have"
    node.lies = []
    ready.plugin = chain_plugin
    ready.sweep()
    assert theft in {case.finding.tx_id for case in ready.open_cases()}


def test_a_height_that_is_not_final_yet_is_refused(ready: Desk, world: AnvilWorld) -> None:
    ready.use_finality("confirmed(2)")
    with pytest.raises(InvalidValue):
        ready.sweep(at=world.node.block_number())
    world.mine()
    assert ready.sweep(at=world.node.block_number() - 1).exit_code == 0


def test_no_holding_to_compare_is_no_success(desk: Desk) -> None:
    outcome = desk.sweep()
    assert (outcome.expected, outcome.exit_code) == (0, 2)


@pytest.mark.fault("G2", "G8")
def test_the_exit_code_of_the_status_without_any_sweep(ready: Desk) -> None:
    assert ready.status().exit_code == 2
    ready.sweep()
    assert ready.status().exit_code == 0


class Died(Exception):
    """Stands for the end of the process; nothing catches it."""


def _die() -> None:
    raise Died


class TestTakenUpAgain:
    """What a dead process left is finished at its block and with its book."""

    def died_before(self, ready: Desk, method: str) -> None:
        """Let a sweep die at a call of the reader."""
        ready.plugin = HookedPlugin(chain_plugin, before={method: _die})
        with pytest.raises(Died):
            ready.sweep()
        ready.plugin = chain_plugin

    @pytest.mark.parametrize("method", ["asset_problems", "read_balances", "scan_transfers", "is_canonical"])
    @pytest.mark.fault("C1")
    def test_with_the_book_as_it_was_known(self, ready: Desk, world: AnvilWorld, method: str) -> None:
        self.died_before(ready, method)
        at = world.node.block_number()
        world.mint(OMNIBUS, 1)
        ready.take(wallets=[{"address": THIRD}])
        outcome = ready.sweep()
        assert outcome.summary is not None
        assert (outcome.summary.block.height, outcome.expected, outcome.exit_code) == (at, 2, 0)
        later = ready.sweep()
        assert (later.expected, kinds(later)) == (3, {FindingKind.EXCESS: 1})

    @pytest.mark.parametrize(("first", "then"), [(1, 2), (2, 1)])
    @pytest.mark.fault("C1")
    def test_with_shards_of_another_size(self, ready: Desk, first: int, then: int) -> None:
        ready.take(wallets=[{"address": THIRD}])
        ready.settings = SweepSettings(wallets_per_shard=first)
        calls = 0

        def die_at_the_second() -> None:
            nonlocal calls
            calls += 1
            if calls == 2:
                raise Died

        ready.plugin = HookedPlugin(chain_plugin, before={"read_balances": die_at_the_second})
        with pytest.raises(Died):
            ready.sweep()
        ready.plugin = chain_plugin
        ready.settings = SweepSettings(wallets_per_shard=then)
        outcome = ready.sweep()
        assert outcome.exit_code == 0
        assert outcome.summary is not None
        start = ready.store.sweep(outcome.summary.sweep_id)
        assert start is not None
        read = [(seen.holding.address, seen.status) for seen in ready.store.observations(start)]
        assert sorted(read) == sorted((wallet, ReadStatus.OK) for wallet in (OMNIBUS, SECOND, THIRD))

    def test_not_when_another_block_is_asked_for(self, ready: Desk, world: AnvilWorld) -> None:
        self.died_before(ready, "scan_transfers")
        old = world.node.block_number()
        world.mine(2)
        outcome = ready.sweep(at=old + 1)
        assert outcome.summary is not None
        assert outcome.summary.block.height == old + 1

    @pytest.mark.fault("A19")
    def test_not_by_a_node_that_does_not_have_its_block_yet(
        self, ready: Desk, world: AnvilWorld, lying_node: LyingNode
    ) -> None:
        self.died_before(ready, "scan_transfers")
        at = world.node.block_number()
        ready.use_nodes(lying_node(frozen_head(world.node.url, at - 1)).url)
        assert ready.sweep().failure_code == "stale-head"
        ready.use_nodes(world.node.url)
        outcome = ready.sweep()
        assert outcome.summary is not None
        assert outcome.summary.sweep_id.endswith(f"/{at}/1"), "a lagging node does not give a sweep up"


class TestBooksThatMoveMeanwhile:
    """An import while a sweep runs, and clocks that go back."""

    def test_a_wallet_mapped_between_pin_and_start(self, ready: Desk) -> None:
        import_one = times(1, lambda: ready.take(wallets=[{"address": THIRD}]))
        ready.plugin = HookedPlugin(chain_plugin, after={"pin": import_one})
        outcome = ready.sweep()
        assert (outcome.expected, outcome.exit_code) == (3, 0)

    def test_a_wallet_mapped_between_counting_and_start(self, ready: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        start, import_one = ready.store.start_sweep, times(1, lambda: ready.take(wallets=[{"address": THIRD}]))

        def start_late(*args: Any) -> SweepStart:
            import_one()
            return start(*args)

        monkeypatch.setattr(ready.store, "start_sweep", start_late)
        outcome = ready.sweep()
        assert (outcome.expected, outcome.exit_code) == (3, 0)

    def test_a_wallet_mapped_while_the_chain_is_read_waits_for_the_next_sweep(self, ready: Desk) -> None:
        import_one = times(1, lambda: ready.take(wallets=[{"address": THIRD}]))
        ready.plugin = HookedPlugin(chain_plugin, after={"read_balances": import_one})
        assert ready.sweep().expected == 2
        assert ready.sweep().expected == 3

    @pytest.mark.fault("C15")
    def test_a_clock_that_went_back_loses_nothing_of_the_book(self, ready: Desk, world: AnvilWorld) -> None:
        ready.clock_ahead = timedelta(minutes=14)
        ready.take(wallets=[{"address": THIRD}])
        moment = world.head_time() + timedelta(seconds=1)
        outcome = ready.runner(clock=lambda: moment).run()
        ready.assert_invariants(outcome)
        assert (outcome.expected, outcome.exit_code) == (3, 0)
