"""Narrowing remainders against simulated chains: every step is found where it was, and reads are few."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import accumulate, pairwise
from math import ceil, log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains.types import Transfer
from tests.verifier.rules.make import ETH, OUTSIDE, USDC, address, block, moved, observed, read
from verifier.rules.narrowing import ChangePoints, Flows, Narrowing, Step
from verifier.rules.rollforward import Key, RollForward, roll_forward_all

FIRST, LAST = 100, 164
RICH = 10**6
Steps = Mapping[int, int]
"""What changed at a balance without an event, by block."""


def key(number: int) -> Key:
    return address(number), ETH.asset_id


class Simulated:
    """Balances whose movements are told, and changes that are not."""

    def __init__(self, silent: Mapping[Key, Steps], told: Mapping[Key, Steps] | None = None) -> None:
        self.silent = silent
        self.told = told or {}
        self.reads: list[int] = []
        self.transfers = [self._transfer(k, h, v) for k, flows in self.told.items() for h, v in flows.items() if v]
        opened = observed(*(read(k[0], ETH, self.balance(k, FIRST), pin=block(FIRST)) for k in silent))
        closed = observed(*(read(k[0], ETH, self.balance(k, LAST), pin=block(LAST)) for k in silent))
        self.rolls = roll_forward_all(opened, closed, self.transfers, FIRST + 1)
        self.flows = Flows(self.transfers, silent)

    def _transfer(self, at: Key, height: int, change: int) -> Transfer:
        sender, receiver = (OUTSIDE, at[0]) if change > 0 else (at[0], OUTSIDE)
        tx = f"{at[0]}/{height}"
        return moved(abs(change), sender=sender, receiver=receiver, asset=ETH, height=height, tx=tx)

    def balance(self, at: Key, height: int) -> int:
        """What the chain shows at the end of a block."""
        changes = [*self.silent[at].items(), *self.told.get(at, {}).items()]
        return RICH + sum(change for when, change in changes if when <= height)

    def remainder(self, at: Key, height: int) -> int:
        """What events do not explain of it."""
        return sum(change for when, change in self.silent[at].items() if when <= height)

    def narrow(self, search: Narrowing, fails: Callable[[Key, int], bool] = lambda at, height: False) -> None:
        """Answer what the search asks until it asks no more."""
        while reads := search.next_reads(self.flows):
            for height, keys in reads.items():
                assert FIRST < height < LAST
                self.reads.append(height)
                answers = {k: "state-unavailable" if fails(k, height) else self.balance(k, height) for k in keys}
                search.learn(height, answers)

    def search(self, fails: Callable[[Key, int], bool] = lambda at, height: False) -> list[Step]:
        """The steps that halving finds."""
        search = Narrowing()
        for roll in self.rolls:
            if roll.remainder:
                search.add(roll)
        self.narrow(search, fails)
        return search.steps(self.flows, self.flows)

    def read_all(self, fails: Callable[[Key, int], bool] = lambda at, height: False) -> list[Step]:
        """The steps that reading every block finds."""
        search = Narrowing()
        points = ChangePoints(self.flows, search, self.rolls)
        for height in range(FIRST + 1, LAST):
            wanted = points.wanted(height)
            answers = {k: "pruned" if fails(k, height) else self.balance(k, height) for k in wanted}
            points.learn(height, answers)
        points.finish()
        return search.steps(self.flows, self.flows)


def true_steps(silent: Mapping[Key, Steps]) -> list[Step]:
    return [
        Step(at, height - 1, height, change, change)
        for at in sorted(silent)
        for height, change in sorted(silent[at].items())
        if change
    ]


changes = st.dictionaries(st.integers(FIRST + 1, LAST), st.integers(-1_000, 1_000), max_size=5)
rising = st.dictionaries(st.integers(FIRST + 1, LAST), st.integers(1, 1_000), max_size=6)
wallets = st.integers(1, 4).map(key)


@given(st.dictionaries(wallets, rising, min_size=1), st.dictionaries(wallets, changes))
def test_steps_of_one_sign_are_all_found_exactly(silent: dict[Key, Steps], told: dict[Key, Steps]) -> None:
    """No two of them cancel out, so halving misses none, whatever told movements lie around them."""
    assert Simulated(silent, told).search() == true_steps(silent)


@given(st.dictionaries(wallets, changes, min_size=1), st.dictionaries(wallets, changes))
def test_any_steps_are_found_by_reading_every_block(silent: dict[Key, Steps], told: dict[Key, Steps]) -> None:
    assert Simulated(silent, told).read_all() == true_steps(silent)


@given(st.dictionaries(wallets, changes, min_size=1), st.dictionaries(wallets, changes))
def test_halving_finds_true_steps_only_and_they_sum_to_the_remainder(
    silent: dict[Key, Steps], told: dict[Key, Steps]
) -> None:
    simulated = Simulated(silent, told)
    found = simulated.search()
    assert set(found) <= set(true_steps(silent))
    for roll in simulated.rolls:
        at = (roll.address, roll.asset.asset_id)
        assert sum(step.left_over for step in found if step.key == at) == (roll.remainder or 0)


@given(
    st.dictionaries(wallets, changes, min_size=1),
    st.sets(st.tuples(wallets, st.integers(FIRST, LAST))),
    st.booleans(),
)
def test_reads_that_fail_widen_the_bounds_and_nothing_else(
    silent: dict[Key, Steps], failing: set[tuple[Key, int]], every_block: bool
) -> None:
    simulated = Simulated(silent)
    fails: Callable[[Key, int], bool] = lambda at, height: (at, height) in failing  # noqa: E731
    found = simulated.read_all(fails) if every_block else simulated.search(fails)
    for step in found:
        rise = simulated.remainder(step.key, step.height) - simulated.remainder(step.key, step.after_height)
        assert step.found == step.left_over == rise != 0
        assert step.is_exact == (not step.note)
        if not step.is_exact:
            assert "not-narrowed" in step.note
            assert any((step.key, height) in failing for height in range(step.after_height + 1, step.height))
    for roll in simulated.rolls:
        own = [step for step in found if step.key == (roll.address, roll.asset.asset_id)]
        assert sum(step.left_over for step in own) == (roll.remainder or 0)
        assert all(a.height <= b.after_height for a, b in pairwise(own))


def test_all_wallets_with_one_cause_share_the_reads() -> None:
    simulated = Simulated({key(number): {131: 5} for number in range(1, 200)})
    assert simulated.search() == true_steps(simulated.silent)
    assert len(simulated.reads) <= ceil(log2(LAST - FIRST))


@pytest.mark.parametrize("every_block", [False, True])
def test_equal_and_opposite_changes_need_every_block(every_block: bool) -> None:
    simulated = Simulated({key(1): {110: 5, 120: -5}})
    found = simulated.read_all() if every_block else simulated.search()
    assert [(step.height, step.left_over) for step in found] == ([(110, 5), (120, -5)] if every_block else [])


def test_old_state_that_a_node_forgot_does_not_hide_what_is_newer() -> None:
    """Everything below block 150 is pruned: a step above it is found, one below is bounded by it."""
    simulated = Simulated({key(1): {160: 5}, key(2): {110: 7}})
    steps = {step.key: step for step in simulated.search(lambda at, height: height < 150)}
    assert steps[key(1)] == Step(key(1), 159, 160, 5, 5)
    old = steps[key(2)]
    assert (old.after_height, old.height) == (FIRST, 150)
    assert "state-unavailable" in old.note


def test_a_search_that_is_stopped_keeps_what_it_knows() -> None:
    simulated = Simulated({key(1): {110: 5}})
    search = Narrowing()
    search.add(simulated.rolls[0])
    (height,) = search.next_reads(simulated.flows)
    search.learn(height, {key(1): simulated.balance(key(1), height)})
    search.stop("node-unavailable: gone")
    search.stop("too-many-reads: later")
    assert search.next_reads(simulated.flows) == {}
    (step,) = search.steps(simulated.flows, simulated.flows)
    assert (step.after_height, step.height, step.note) == (FIRST, height, "node-unavailable: gone")


def test_transfers_found_later_take_their_part_off() -> None:
    """Three of five base units were internal; what is left stays a step of two."""
    simulated = Simulated({key(1): {110: 5}, key(2): {}})
    search = Narrowing()
    for roll in simulated.rolls:
        search.add(roll)
    simulated.narrow(search)
    internal = moved(3, sender=address(2), receiver=address(1), asset=ETH, height=110)
    now = Flows([internal], simulated.silent)
    assert list(search.next_reads(now)) == [132], "wallet 2 is short of them now: its balance shows nothing of it"
    steps = search.steps(simulated.flows, now)
    assert steps == [
        Step(key(1), 109, 110, 5, 2),
        Step(key(2), FIRST, LAST, 0, 3, note="not-narrowed: the blocks between were not read"),
    ]


def test_a_balance_that_was_not_read_is_not_narrowed() -> None:
    failed = RollForward(address(1), ETH, block(FIRST), block(LAST), 1, 0, 0, 0, None, "read-failed")
    with pytest.raises(ValueError, match="was not read"):
        Narrowing().add(failed)


@given(st.lists(st.tuples(st.integers(FIRST, LAST), st.integers(1, 5), st.booleans(), st.booleans())))
def test_flows_are_the_sums_of_the_transfers(parts: list[tuple[int, int, bool, bool]]) -> None:
    transfers = [
        moved(units, sender=OUTSIDE, receiver=address(1), asset=ETH if ours else USDC, height=height, tx=str(number))
        if comes
        else moved(units, sender=address(1), asset=ETH if ours else USDC, height=height, tx=str(number))
        for number, (height, units, comes, ours) in enumerate(parts)
    ]
    flows = Flows(transfers, [key(1)])
    signed = sorted((height, units if comes else -units) for height, units, comes, ours in parts if ours)
    for low in (FIRST - 1, FIRST + 5, LAST):
        for high in range(low, LAST + 1):
            expected = list(accumulate((units for height, units in signed if low < height <= high), initial=0))[-1]
            assert flows.between(key(1), low, high) == expected
    assert flows.between(key(2), FIRST, LAST) == 0
