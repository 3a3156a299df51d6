"""How far approvals were looked for: nothing is left out, nothing is looked through twice, whatever joins when."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains.errors import InvalidValue
from chains.evm.approval_coverage import caught_up, extended, widened
from chains.evm.encumbrance_types import PERMIT2_ADDRESS, ApprovalCoverage, Candidates, LateApprovals
from chains.types import Address, AssetId, BlockRef, ChainId

WALLETS: Final = tuple(Address("0x" + digit * 40) for digit in "1234")
TOKENS: Final = tuple(AssetId(f"eip155:1/erc20:0x{digit * 40}") for digit in "abc")
A, B = WALLETS[:2]
X, Y = TOKENS[:2]


def block(height: int) -> BlockRef:
    number = f"0x{height:064x}"
    return BlockRef(ChainId("eip155:1"), height, number, number, datetime(2026, 1, 1, tzinfo=UTC))


def part(
    first: int, last: int, wallets: frozenset[Address] | set[Address], assets: frozenset[AssetId] | set[AssetId]
) -> ApprovalCoverage:
    """What looking through some blocks gives: one pair, and one odd event of each token."""
    pairs = frozenset((wallet, asset, A) for wallet in wallets for asset in assets)
    odd = dict.fromkeys(assets, 1)
    return ApprovalCoverage(
        first, block(last), frozenset(wallets), frozenset(assets), PERMIT2_ADDRESS, Candidates(pairs), odd
    )


BEGUN: Final = part(0, 99, {A}, {X})


def test_the_same_again_has_nothing_late() -> None:
    assert widened(BEGUN, 0, [A], [X]) == BEGUN
    assert widened(BEGUN, 50, [A], [X]) == BEGUN, "what was looked through is not forgotten"


def test_what_joins_is_late_in_the_blocks_before_and_alone() -> None:
    with_wallet = widened(BEGUN, 0, [A, B], [X])
    assert with_wallet.late == (LateApprovals(frozenset({B}), frozenset({X}), 0, 99),)
    with_token = widened(with_wallet, 0, [A, B], [X, Y])
    assert with_token.late[1:] == (LateApprovals(frozenset({A, B}), frozenset({Y}), 0, 99),)
    assert with_token.late_blocks == 200
    both = widened(BEGUN, 0, [A, B], [X, Y]).late
    assert [(sorted(each.wallets), sorted(each.assets)) for each in both] == [([B], [X, Y]), ([A], [Y])]


def test_earlier_blocks_are_late_for_everybody() -> None:
    later = replace(BEGUN, first_height=40)
    assert widened(later, 10, [A], [X]).late == (LateApprovals(frozenset({A}), frozenset({X}), 10, 39),)
    assert widened(later, 10, [A], [X]).first_height == 10


def test_a_wallet_that_left_stays_and_a_token_that_left_does_not() -> None:
    coverage = widened(BEGUN, 0, [B], [X, Y])
    assert coverage.wallets == {A, B}
    without = widened(coverage, 0, [A, B], [X])
    assert without.assets == frozenset({X})
    assert without.late == (LateApprovals(frozenset({B}), frozenset({X}), 0, 99),)


def test_blocks_are_added_where_the_coverage_ends() -> None:
    longer = extended(BEGUN, part(100, 149, {A}, {X}))
    assert (longer.first_height, longer.last.height, longer.odd_approvals) == (0, 149, {X: 2})
    late = widened(longer, 0, [A, B], [X])
    half = caught_up(late, part(0, 49, {B}, {X}))
    assert [each.next_height for each in half.late] == [50]
    done = caught_up(half, part(50, 149, {B}, {X}))
    assert (done.late, done.last, done.odd_approvals) == ((), longer.last, {X: 4})
    assert done.candidates.allowances == {(A, X, A), (B, X, A)}


@pytest.mark.parametrize(
    "wrong",
    [part(101, 149, {A}, {X}), part(99, 149, {A}, {X}), part(100, 149, {B}, {X}), part(100, 149, {A}, {X, Y}),
     replace(part(100, 149, {A}, {X}), permit2=A)],
)  # fmt: skip
def test_blocks_that_leave_a_hole_are_refused(wrong: ApprovalCoverage) -> None:
    with pytest.raises(InvalidValue):
        extended(BEGUN, wrong)


@pytest.mark.parametrize(
    "wrong",
    [part(1, 49, {B}, {X}), part(0, 100, {B}, {X}), part(0, 49, {A}, {X}), part(0, 49, {B}, {Y}),
     replace(part(0, 49, {B}, {X}), permit2=A)],
)  # fmt: skip
def test_other_blocks_than_the_next_late_ones_are_refused(wrong: ApprovalCoverage) -> None:
    with pytest.raises(InvalidValue):
        caught_up(widened(BEGUN, 0, [A, B], [X]), wrong)
    with pytest.raises(InvalidValue):
        caught_up(BEGUN, part(0, 49, {B}, {X}))


steps = st.lists(
    st.tuples(
        st.sets(st.sampled_from(WALLETS), min_size=1),
        st.sets(st.sampled_from(TOKENS), min_size=1),
        st.integers(0, 8),  # first block wanted
        st.integers(1, 6),  # new blocks
        st.integers(0, 30),  # blocks that the sweep may look through of what is late
    ),
    min_size=1,
    max_size=6,
)


@given(steps)
def test_every_pair_is_looked_for_in_every_block_exactly_once(
    sweeps: list[tuple[set[Address], set[AssetId], int, int, int]],
) -> None:
    """A chain of single blocks; wallets and tokens only join. Whatever is neither late nor seen would be a hole."""
    seen: Counter[tuple[Address, AssetId, int]] = Counter()
    coverage: ApprovalCoverage | None = None
    wallets: set[Address] = set()
    assets: set[AssetId] = set()
    head = 9

    def look(first: int, last: int, owners: frozenset[Address], tokens: frozenset[AssetId]) -> ApprovalCoverage:
        seen.update((w, t, height) for w in owners for t in tokens for height in range(first, last + 1))
        return part(first, last, owners, tokens)

    for more_wallets, more_assets, first, blocks, late_blocks in sweeps:
        wallets, assets, head = wallets | more_wallets, assets | more_assets, head + blocks
        if coverage is None:
            coverage = look(first, head, frozenset(wallets), frozenset(assets))
        else:
            coverage = widened(coverage, first, wallets, assets)
            coverage = extended(coverage, look(coverage.last.height + 1, head, coverage.wallets, coverage.assets))
        left = late_blocks
        while coverage.late and left:
            group = coverage.late[0]
            last = min(group.last_height, group.next_height + left - 1)
            left -= last - group.next_height + 1
            coverage = caught_up(coverage, look(group.next_height, last, group.wallets, group.assets))
        waiting = Counter(
            (w, t, height)
            for group in coverage.late
            for w in group.wallets
            for t in group.assets
            for height in range(group.next_height, group.last_height + 1)
        )
        wanted = Counter(
            (w, t, height) for w in wallets for t in assets for height in range(coverage.first_height, head + 1)
        )
        assert seen + waiting == wanted
