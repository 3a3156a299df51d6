"""Coverage by value and age: what counts, what does not, and what is not known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains.types import (
    Address,
    Asset,
    AssetId,
    BalanceObservation,
    BlockRef,
    ChainId,
    Finality,
    Holding,
    ReadStatus,
)
from verifier.rules.key_coverage import AGE_DAYS, coverage

CHAIN = ChainId("eip155:31337")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ETH = Asset(AssetId(f"{CHAIN}/slip44:60"), "ETH", 18)
USDX = Asset(AssetId(f"{CHAIN}/erc20:0x{'c' * 40}"), "USDX", 6)
A, B, C = (Address(f"0x{digit * 40}") for digit in "abc")


def seen(address: Address, asset: Asset, units: int | None) -> BalanceObservation:
    block = BlockRef(CHAIN, 1, "0x" + "1" * 64, "0x" + "0" * 64, NOON)
    status = ReadStatus.OK if units is not None else ReadStatus.FAILED
    return BalanceObservation(
        Holding(address, asset),
        block,
        Finality.parse("latest"),
        status,
        units,
        "batch",
        "node-a",
        reason="" if units is not None else "node-unavailable: no answer",
    )


def days_ago(days: int) -> datetime:
    return NOON - timedelta(days=days)


def test_value_and_age_per_asset() -> None:
    observations = [seen(A, ETH, 70), seen(B, ETH, 20), seen(C, ETH, 10), seen(A, USDX, 5), seen(B, USDX, 0)]
    usdx, eth = coverage(observations, {A: days_ago(40), B: days_ago(2)}, NOON)
    assert (eth.asset, usdx.asset) == (ETH, USDX)
    assert (eth.total, eth.proven, eth.share_basis_points) == (100, 90, 9000)
    assert (eth.holders, eth.holders_proven, eth.oldest_days) == (3, 2, 40)
    assert dict(zip(AGE_DAYS, eth.proven_within_days, strict=True)) == {30: 20, 90: 90, 365: 90}
    assert (usdx.total, usdx.proven, usdx.holders, usdx.holders_proven, usdx.oldest_days) == (5, 5, 1, 1, 40)
    assert (usdx.unread, usdx.share_basis_points) == (0, 10_000), "a balance of zero was read"


def test_without_proofs_nothing_is_covered() -> None:
    (eth,) = coverage([seen(A, ETH, 70)], {B: NOON}, NOON)
    assert (eth.proven, eth.share_basis_points, eth.oldest_days) == (0, 0, None)
    assert coverage([], {A: NOON}, NOON) == []


@pytest.mark.fault("G12")
def test_with_an_unread_balance_the_share_is_not_known() -> None:
    (eth,) = coverage([seen(A, ETH, 70), seen(B, ETH, None)], {A: NOON}, NOON)
    assert (eth.total, eth.proven, eth.unread, eth.share_basis_points) == (70, 70, 1, None)


def test_of_nothing_there_is_no_share() -> None:
    (eth,) = coverage([seen(A, ETH, 0)], {A: NOON}, NOON)
    assert (eth.total, eth.share_basis_points, eth.holders) == (0, None, 0)


@pytest.mark.fault("G9")
@pytest.mark.fault("G4")
def test_an_address_counts_once_for_an_asset() -> None:
    (eth,) = coverage([seen(A, ETH, 70), seen(A, ETH, 70), seen(B, ETH, 30)], {A: NOON}, NOON)
    assert (eth.total, eth.proven, eth.holders) == (100, 70, 2)


@pytest.mark.parametrize(
    ("age", "counted"),
    [
        (timedelta(days=30), (1, 1, 1)),
        (timedelta(days=31), (0, 1, 1)),
        (timedelta(days=366), (0, 0, 0)),
        (timedelta(seconds=-5), (1, 1, 1)),
    ],
)
def test_ages_count_in_whole_days(age: timedelta, counted: tuple[int, ...]) -> None:
    (eth,) = coverage([seen(A, ETH, 1)], {A: NOON - age}, NOON)
    assert eth.proven_within_days == counted
    assert eth.proven == 1, "an old proof still counts, and its age is shown"


@given(st.dictionaries(st.sampled_from([A, B, C]), st.integers(0, 2**256 - 1), min_size=1), st.data())
def test_the_parts_never_exceed_the_whole(balances: dict[Address, int], data: st.DataObject) -> None:
    proofs = {each: days_ago(data.draw(st.integers(0, 500))) for each in data.draw(st.sets(st.sampled_from([A, B, C])))}
    (eth,) = coverage([seen(address, ETH, units) for address, units in balances.items()], proofs, NOON)
    assert eth.total == sum(balances.values())
    assert 0 <= eth.proven_within_days[0] <= eth.proven_within_days[1] <= eth.proven_within_days[2] <= eth.proven
    assert eth.proven == sum(units for address, units in balances.items() if address in proofs) <= eth.total
