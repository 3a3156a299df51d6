"""The sweep's side of workers, with workers that do what a test says: nothing goes missing quietly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chains.errors import NodeUnavailable
from chains.reader import Pin
from chains.types import BalanceObservation, Holding
from tests.verifier.sweep.hooks import HookedPlugin
from tests.verifier.sweep.memory import MemoryDesk
from tests.verifier.sweep.world import OMNIBUS, SECOND, THIRD
from verifier.config import SweepSettings
from verifier.errors import PlanDiffers
from verifier.planning import holdings_to_read, plan_of
from verifier.records import Status
from verifier.rules.shards import Shard, cut_into_shards
from verifier.shard_reading import ShardReading
from verifier.store import Store, SweepStart
from verifier.store.digest import state_digest
from verifier.store.records import ShardFailure
from verifier.sweep import Phase
from verifier.workers.crew import WaitingCrew, shard_lease

React = Callable[[str, int], None]


@dataclass
class Team:
    """Workers in the test's own hands: `react` is called for each shard that is handed out."""

    desk: MemoryDesk
    react: React = lambda sweep_id, number: None
    handed: list[tuple[int, ...]] = field(default_factory=list)
    seconds: float = 0.0
    on_sleep: Callable[[], None] = lambda: None

    def hand_out(self, sweep_id: str, numbers: Sequence[int]) -> None:
        """Take shards from the sweep."""
        self.handed.append(tuple(numbers))
        for number in numbers:
            self.react(sweep_id, number)

    def crew(self, *, patience: float = 60.0) -> WaitingCrew:
        """What the sweep waits with; its clock is the team's."""

        def sleep(seconds: float) -> None:
            self.seconds += seconds
            assert self.seconds < 1_000, "it would wait forever"
            self.on_sleep()

        return WaitingCrew(
            self.desk.store,
            self,
            lease_seconds=60,
            attempts_max=3,
            patience_seconds=patience,
            sleep=sleep,
            monotonic=lambda: self.seconds,
        )

    def start(self) -> SweepStart:
        """The sweep that waits."""
        found = self.desk.store.unfinished_sweep(self.desk.chain_id)
        assert found is not None
        return found

    def shards(self) -> dict[int, Shard]:
        """How it is cut."""
        return {shard.number: shard for shard in self.desk.store.shard_plan(self.start())}

    def reading(self, holdings: Sequence[Holding] | None = None) -> ShardReading:
        """What a worker reads with."""
        store, start, config = self.desk.store, self.start(), self.desk.config
        found = holdings_to_read(store, start, plan_of(store, start)) if holdings is None else holdings
        reader = self.desk.plugin.open(config, config.nodes[0])
        return ShardReading(store, reader, config, start, found, {}, "worker", self.desk.now)

    def read(self, sweep_id: str, number: int) -> None:
        """What a good worker does."""
        self.reading().read(self.shards()[number])

    def fail(self, number: int, code: str = "node-unavailable") -> None:
        """What a worker without a node does."""
        failure = ShardFailure("node-1", code, "said a test")
        self.desk.store.add_shard_failure(self.start(), number, failure, "worker", self.desk.now())


def desk_of(store: Store, folder: Path) -> MemoryDesk:
    """Three wallets, each a shard of its own; all in order."""
    folder.mkdir()
    desk = MemoryDesk(store, folder)
    desk.settings = SweepSettings(wallets_per_shard=1)
    desk.chain.mint(OMNIBUS, desk.asset, 1_000)
    desk.chain.mine(80)
    desk.open_books(OMNIBUS, SECOND, THIRD)
    desk.allocate(OMNIBUS, C_1=600, C_2=400)
    return desk


@pytest.fixture
def team(store: Store, tmp_path: Path) -> Team:
    """A team before a desk."""
    return Team(desk_of(store, tmp_path / "desk"))


def test_what_workers_read_makes_the_records_of_one_process(team: Team, new_store: Store, tmp_path: Path) -> None:
    alone = desk_of(new_store, tmp_path / "alone")
    assert alone.sweep().exit_code == 0
    team.react = team.read
    team.desk.crew = team.crew()
    assert team.desk.sweep().exit_code == 0
    assert team.handed == [(0, 1, 2)]
    assert state_digest(team.desk.store) == state_digest(alone.store)


@pytest.mark.fault("C1")
def test_a_shard_whose_reader_died_is_handed_out_again(team: Team) -> None:
    lease = shard_lease(team.desk.chain_id, 1)

    def react(sweep_id: str, number: int) -> None:
        if number == 1 and len(team.handed) == 1:
            team.desk.store.take_lease(lease, datetime(2020, 1, 1, tzinfo=UTC), holder="elsewhere/1@1")
        else:
            team.read(sweep_id, number)

    team.react = react
    team.desk.crew = team.crew()
    assert team.desk.sweep().exit_code == 0
    assert team.handed == [(0, 1, 2), (1,)]


def test_while_somebody_reads_a_shard_the_sweep_waits_and_then_reads_it_itself(team: Team) -> None:
    store, name = team.desk.store, shard_lease(team.desk.chain_id, 2)

    def react(sweep_id: str, number: int) -> None:
        if number == 2:
            store.take_lease(name, datetime.now(UTC), seconds=3_600, holder="elsewhere/1@1")
        else:
            team.read(sweep_id, number)

    def gives_up() -> None:
        if team.seconds > 100:
            for lease, _, _ in store.leases():
                if lease.name == name:
                    store.give_lease_back(lease, datetime.now(UTC))

    team.react, team.on_sleep = react, gives_up
    team.desk.crew = team.crew(patience=20)
    assert team.desk.sweep().exit_code == 0
    assert 120 <= team.seconds < 130, "it waited as long as the lease was held, and its patience after that"
    assert team.handed == [(0, 1, 2)]


def test_what_workers_cannot_read_is_tried_here(team: Team) -> None:
    team.react = lambda sweep_id, number: team.fail(number) if number == 1 else team.read(sweep_id, number)
    team.desk.crew = team.crew()
    outcome = team.desk.sweep()
    assert outcome.exit_code == 0
    assert team.handed == [(0, 1, 2), (1,), (1,)]
    assert outcome.summary is not None
    start = team.desk.store.sweep(outcome.summary.sweep_id)
    assert start is not None
    assert [len(each) for each in team.desk.store.shard_failures(start).values()] == [3]


@pytest.mark.fault("A9")
def test_a_shard_that_nobody_can_read_is_unverified_and_the_others_are_not(team: Team) -> None:
    def unreachable() -> None:
        raise NodeUnavailable("no answer", node_id="node-1")

    honest = team.desk.plugin
    team.react = lambda sweep_id, number: team.fail(number) if number == 1 else team.read(sweep_id, number)
    team.desk.crew = team.crew()
    runner = team.desk.runner(plugin=HookedPlugin(honest, before={"read_balances": unreachable}))
    outcome = runner.run()
    team.desk.assert_invariants(outcome)
    summary = outcome.summary
    assert summary is not None
    assert (outcome.exit_code, summary.expected, summary.matched, summary.unverified) == (2, 3, 2, 1)
    start = team.desk.store.sweep(summary.sweep_id)
    assert start is not None
    assert set(team.desk.store.stored_shards(start)) == {0, 1, 2}, "every shard is accounted for"
    lost = [seen for seen in team.desk.store.observations(start) if seen.base_units is None]
    assert [seen.reason for seen in lost] == ["shard-not-read: node-unavailable"]
    unread = {each.status for each in team.desk.results(outcome).values()}
    assert unread == {Status.MATCHED, Status.UNVERIFIED}


@pytest.mark.fault("B1")
def test_a_block_that_leaves_the_chain_ends_the_waiting(team: Team) -> None:
    blocks = set()

    def react(sweep_id: str, number: int) -> None:
        blocks.add(team.start().block.block_hash)
        if len(blocks) == 1:
            if number == 0:
                team.desk.chain.reorganise(2, [])
            team.fail(number, "chain-moved")
        else:
            team.read(sweep_id, number)

    team.react = react
    team.desk.crew = team.crew()
    outcome = team.desk.sweep()
    assert outcome.exit_code == 0
    assert outcome.summary is not None
    assert outcome.summary.block.block_hash in blocks
    assert len(blocks) == 2


def test_a_worker_with_other_books_writes_nothing(team: Team) -> None:
    def react(sweep_id: str, number: int) -> None:
        holdings = holdings_to_read(team.desk.store, team.start(), plan_of(team.desk.store, team.start()))
        with pytest.raises(PlanDiffers, match=f"shard {number} of sweep"):
            team.reading(holdings[:number] + holdings[number + 1 :]).read(team.shards()[number])
        assert number not in team.desk.store.stored_shards(team.start())
        team.read(sweep_id, number)

    team.react = react
    team.desk.crew = team.crew()
    assert team.desk.sweep().exit_code == 0


@pytest.mark.parametrize("spoil", ["fewer", "none"])
def test_a_sweep_begun_with_another_cut_is_taken_up_only_where_it_reads_the_same(team: Team, spoil: str) -> None:
    desk, store = team.desk, team.desk.store
    reader = desk.plugin.open(desk.config, desk.config.nodes[0])
    pin: Pin = reader.pin(now=desk.now())
    start = store.start_sweep(desk.chain_id, pin, "node-1", 3, desk.now(), "tests")
    holdings = holdings_to_read(store, start, plan_of(store, start))
    cut = cut_into_shards(holdings[:-1] if spoil == "fewer" else holdings, 2)
    assert store.plan_shards(start, cut, "tests", desk.now()) == cut
    assert store.plan_shards(start, cut_into_shards(holdings, 1), "tests", desk.now()) == cut, "the first one stands"
    outcome = desk.sweep()
    assert outcome.exit_code == 0
    assert outcome.summary is not None
    assert (outcome.summary.sweep_id == start.sweep_id) is (spoil == "none")
    assert store.has_ended(start)


def test_a_failure_that_comes_too_late_is_not_recorded(team: Team) -> None:
    def react(sweep_id: str, number: int) -> None:
        team.read(sweep_id, number)
        before = team.desk.store.head()
        team.fail(number)
        assert team.desk.store.head() == before
        team.read(sweep_id, number)
        assert team.desk.store.head() == before, "nor is a shard stored twice"

    team.react = react
    team.desk.crew = team.crew()
    assert team.desk.sweep().exit_code == 0


@pytest.mark.fault("C19")
def test_many_wallets_are_read_in_shards_with_progress(store: Store, tmp_path: Path) -> None:
    desk = desk_of(store, tmp_path / "desk")
    more = [f"0x{number:040d}" for number in range(1_000, 3_000)]
    desk.take(wallets=[{"address": each, "mpc_vault": f"v-{each[-4:]}"} for each in more])
    desk.settings = SweepSettings(wallets_per_shard=100)
    asked: list[int] = []
    read = ShardReading.read

    def counted(self: ShardReading, shard: Shard, advance: Callable[[int], None]) -> Sequence[BalanceObservation]:
        seen = read(self, shard, advance)
        asked.append(len(seen))
        return seen

    told: list[int] = []
    totals: dict[str, int] = {}

    def on_phase(phase: Phase) -> Callable[[int], None]:
        totals[phase.name] = phase.total
        return told.append if phase.name == "reading balances" else lambda count: None

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ShardReading, "read", counted)
        runner = desk.runner()
        runner._on_phase = on_phase
        outcome = runner.run()
    assert outcome.summary is not None
    assert outcome.expected == 2_003
    assert (len(asked), max(asked), sum(asked)) == (21, 100, 2_003), "never more than a shard is in hand"
    assert (sum(told), totals["reading balances"]) == (2_003, 2_003)
    start = store.sweep(outcome.summary.sweep_id)
    assert start is not None
    assert sum(store.stored_shards(start).values()) == 2_003, "and how far it came is recorded"
