"""Following a chain: looks at new heads, sweeps of new final blocks, failures and silence, on a chain in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest

from chains.types import Finality
from tests.verifier.sweep.memory import MemoryDesk
from tests.verifier.sweep.world import FIRM, OMNIBUS, SECOND, STRANGER, THIRD
from verifier.config import WatchSettings
from verifier.errors import JournalBroken, StoreBusy, StoreError, StoreUnavailable
from verifier.head_look import HeadLook
from verifier.records import FindingKind
from verifier.store import Store
from verifier.sweep import ChainSweep, SweepOutcome
from verifier.watch import RETRY_SECONDS_MAX, ChainWatch, WatchEvent, poll_pause


class Watched:
    """A desk whose chain is watched, with a clock of its own for the pauses."""

    def __init__(self, desk: MemoryDesk, sweep_seconds_min: float = 0.0) -> None:
        self.desk, self.stop, self.bell = desk, Event(), Event()
        self.events: list[WatchEvent] = []
        self.seconds = 1_000.0
        latest = replace(desk.config, finality=Finality.parse("latest"))
        self.watch = ChainWatch(
            desk.store,
            desk.config,
            desk.plugin,
            desk.runner(),
            HeadLook(desk.store, latest, desk.plugin, desk.settings, history_from_height=None, clock=desk.now),
            WatchSettings(sweep_seconds_min=sweep_seconds_min),
            heartbeat_limit_seconds=7_200,
            clock=desk.now,
            stop=self.stop,
            bell=self.bell,
            emit=self.events.append,
            actor="watch",
            monotonic=lambda: self.seconds,
        )

    def turn(self, seconds: float = 1.0) -> list[str]:
        """Some seconds later, one round; the kinds of its events."""
        self.seconds += seconds
        before = len(self.events)
        self.watch.turn()
        return [event.kind for event in self.events[before:]]


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> MemoryDesk:
    """One wallet, final three blocks below the head; not swept yet."""
    folder = tmp_path / "imports"
    folder.mkdir()
    desk = MemoryDesk(store, folder, nodes=2)
    desk.use_finality("confirmed(4)")
    desk.chain.mint(OMNIBUS, desk.asset, 1_000)
    desk.open_books(OMNIBUS)
    desk.allocate(OMNIBUS, C_1=1_000)
    desk.chain.mine(3)
    return desk


def test_a_new_head_is_looked_at_and_swept_when_it_is_final(desk: MemoryDesk) -> None:
    watched = Watched(desk)
    assert watched.turn() == ["swept"], "there is nothing to look at before the first sweep"
    assert watched.turn() == [], "nothing is new"
    desk.chain.pay(OMNIBUS, STRANGER, desk.asset, 7)
    assert watched.turn() == ["provisional", "swept"]
    look, swept = watched.events[-2:]
    assert (look.exit_code, swept.exit_code) == (1, 0), "the theft is not final yet"
    assert look.block == desk.chain.head
    assert {seen.finding.kind for seen in look.cases} == {FindingKind.UNAUTHORIZED_TRANSFER, FindingKind.SHORTFALL}
    line = look.to_dict()
    assert (line["event"], line["height"]) == ("provisional", desk.chain.head.height)
    assert {case["provisional"] for case in line["cases"]} == {True}  # type: ignore[attr-defined]
    desk.chain.mine(3)
    assert watched.turn() == ["provisional", "swept"]
    assert watched.events[-1].exit_code == 1
    assert not any(seen.is_new for seen in watched.events[-1].cases), "confirmed by the same key"


def test_sweeps_keep_their_distance_and_looks_do_not(desk: MemoryDesk) -> None:
    watched = Watched(desk, sweep_seconds_min=60)
    assert watched.turn() == ["swept"]
    for _ in range(3):
        desk.chain.mine()
        assert watched.turn(10) == ["provisional"]
    assert watched.turn(31) == ["swept"], "the final block that waited, although no new head came"


def test_what_comes_into_the_books_is_swept_without_a_new_block(desk: MemoryDesk) -> None:
    watched = Watched(desk)
    assert watched.turn() == ["swept"]
    before = desk.store.standing_summary(desk.chain_id)
    desk.take(wallets=[{"address": THIRD}])
    assert watched.turn() == ["swept"]
    after = desk.store.standing_summary(desk.chain_id)
    assert before is not None
    assert after is not None
    assert (after.block, after.expected) == (before.block, before.expected + 1)
    assert watched.turn() == [], "it is known now"
    desk.take(clients=[{"client_id": "C-77", "name": "Client 77"}])
    assert watched.turn() == [], "no sweep looks at that"
    desk.take(wallets=[{"address": SECOND}])
    assert Watched(desk).turn() == ["provisional", "swept"], "by a process that has just begun too"
    assert watched.turn() == [], "which the other one sees"
    lower = before.block.height
    desk.chain.mine(3)
    assert watched.turn() == ["provisional", "swept"]
    desk.take(wallets=[{"address": FIRM}])
    desk.runner().run(at=lower)
    assert watched.turn() == ["swept"], "a sweep of a lower block is none of this one"


def test_a_node_that_is_behind_sweeps_no_news(desk: MemoryDesk) -> None:
    desk.use_finality("latest")
    watched = Watched(desk)
    watched.turn()
    desk.chain.mine(2)
    assert watched.turn() == ["swept"]
    desk.use_finality("confirmed(3)")  # what a node says that is two blocks behind
    behind = Watched(desk)
    desk.take(wallets=[{"address": THIRD}])
    assert behind.turn() == []
    assert watched.turn() == ["swept"], "one at the tip does"


def test_a_ledger_entry_is_swept_once_it_is_in_force(desk: MemoryDesk) -> None:
    watched = Watched(desk)
    watched.turn()
    desk.allocate(OMNIBUS, C_1=999)  # as of the head, which is not final yet
    assert watched.turn() == []
    desk.chain.mine(3)
    assert watched.turn() == ["provisional", "swept"]
    assert watched.events[-1].exit_code == 1, "the books claim one unit less"
    desk.use_finality("latest")
    watched = Watched(desk)
    assert watched.turn() == ["swept"]
    desk.allocate(OMNIBUS, C_1=1_000)
    assert watched.turn() == ["swept"]
    assert watched.events[-1].exit_code == 0
    assert watched.turn() == []


def test_a_chain_that_is_swept_at_its_head_needs_no_looks(desk: MemoryDesk) -> None:
    desk.use_finality("latest")
    watched = Watched(desk)
    watched.turn()
    desk.chain.mine()
    assert watched.turn() == ["swept"]


@pytest.mark.fault("A1")
def test_a_node_that_is_down_is_said_once_and_the_other_is_asked(desk: MemoryDesk) -> None:
    watched = Watched(desk, sweep_seconds_min=60)
    watched.turn()
    desk.node(1).is_down = True
    desk.chain.mine()
    assert watched.turn() == ["failed"]
    assert watched.events[-1].code == "node-unavailable"
    assert watched.turn() == ["provisional"]


def test_a_look_that_failed_leads_to_no_second_sweep_of_a_block(desk: MemoryDesk) -> None:
    watched = Watched(desk)
    watched.turn()
    desk.node(1).is_down = True
    assert watched.turn() == ["failed"], "the other node says that nothing newer is final"
    assert len(desk.store.summaries(desk.chain_id)) == 1
    desk.node(2).is_down = True
    watched.turn(), watched.turn()
    assert watched.events[-1].cases, "none answers, so a failed sweep is recorded"
    desk.node(1).is_down = desk.node(2).is_down = False
    desk.chain.mine()
    watched.turn(RETRY_SECONDS_MAX)
    assert len(desk.store.summaries(desk.chain_id)) == 2


def test_a_newer_final_block_is_swept_though_the_look_failed(desk: MemoryDesk) -> None:
    watched = Watched(desk)
    watched.turn()
    desk.node(1).is_down = True
    desk.chain.mine()
    assert watched.turn() == ["failed", "swept"]


def test_when_no_node_answers_a_failed_sweep_is_recorded_ever_more_rarely(desk: MemoryDesk) -> None:
    watched = Watched(desk, sweep_seconds_min=10)
    watched.turn()
    desk.node(1).is_down = desk.node(2).is_down = True
    tries = sum("failed" in watched.turn(5) and watched.events[-1].cases != () for _ in range(200))
    assert 5 <= tries <= 9, "1000 seconds: doubled pauses from twenty seconds on"
    assert len(desk.open_cases(FindingKind.UNVERIFIED)) == 1
    desk.node(2).is_down = False
    desk.chain.mine()
    assert "swept" in watched.turn(RETRY_SECONDS_MAX) + watched.turn(1)
    assert not any(case.is_seen for case in desk.open_cases())


@pytest.mark.fault("A35")
def test_silence_becomes_a_case_once(desk: MemoryDesk) -> None:
    watched = Watched(desk, sweep_seconds_min=10_000)
    watched.turn()
    desk.clock_ahead = timedelta(hours=1)
    assert "stale" not in watched.turn(20)
    desk.clock_ahead = timedelta(hours=3)
    assert "stale" in watched.turn(20)
    assert "stale" not in watched.turn(20), "said once"
    (case,) = desk.open_cases(FindingKind.STALE_OBSERVATION)
    assert watched.events[-1].exit_code == 2
    desk.clock_ahead = timedelta(seconds=1)
    desk.chain.mine(1_000)
    desk.sweep()
    watched.turn(20)
    assert not desk.store.case(case.case_id).is_seen


def test_an_unfinished_sweep_is_taken_up(desk: MemoryDesk) -> None:
    watched = Watched(desk)
    watched.turn()
    desk.chain.mine()
    reader = desk.plugin.open(desk.config, desk.config.nodes[0])
    desk.store.start_sweep(desk.chain_id, reader.pin(now=desk.now()), "node-1", 1, desk.now(), "x")
    assert "swept" in watched.turn()
    assert desk.store.unfinished_sweep(desk.chain_id) is None


def test_told_to_stop_it_ends_and_says_so(desk: MemoryDesk) -> None:
    watched = Watched(desk)
    watched.stop.set()
    watched.watch.run()
    assert [event.kind for event in watched.events] == ["stopped"]
    assert desk.store.latest_summary(desk.chain_id) is None


def test_once_is_one_round(desk: MemoryDesk) -> None:
    watched = Watched(desk)
    watched.watch.run(once=True)
    assert [event.kind for event in watched.events] == ["swept", "stopped"]


@pytest.mark.parametrize("error", [StoreBusy("held"), StoreUnavailable("away"), JournalBroken("changed")])
def test_a_database_that_is_held_or_away_is_waited_for_and_a_broken_one_is_not(
    desk: MemoryDesk, monkeypatch: pytest.MonkeyPatch, error: StoreError
) -> None:
    monkeypatch.setattr("verifier.watch.STORE_SECONDS", 0.0)
    watched, errors, real = Watched(desk), [error, error, error], ChainSweep.run

    def run(sweep: ChainSweep) -> SweepOutcome:
        if errors:
            raise errors.pop()
        watched.stop.set()
        return real(sweep)

    monkeypatch.setattr(ChainSweep, "run", run)
    watched.bell.set()
    if isinstance(error, StoreBusy | StoreUnavailable):
        watched.watch.run()
        assert [event.kind for event in watched.events] == ["failed", "swept", "stopped"], "said once, tried again"
        assert (watched.events[0].code, watched.events[0].exit_code) == (error.code, 2)
    else:
        with pytest.raises(JournalBroken):
            watched.watch.run()


@pytest.mark.parametrize(("idle", "expected"), [(0.0, 0.25), (2.0, 0.25), (12.0, 1.5), (600.0, 4.0)])
def test_the_pause_follows_the_chains_own_pace(idle: float, expected: float) -> None:
    assert poll_pause(idle, 0.25, 4.0) == expected
