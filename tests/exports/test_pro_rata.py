"""Shortfalls shared in proportion: exact to the base unit, never more than is owned, whatever the order."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from chains.types import account_location
from exports.pro_rata import share, shared_shortfalls
from exports.records import AccountClass
from tests.exports.sample import CHAIN, ETH, OMNIBUS, allocation, sample_bundle

PLACE = account_location(CHAIN, OMNIBUS)
CUSTOMER, PAB = AccountClass.CUSTOMER, AccountClass.PAB

positions = st.dictionaries(
    st.tuples(st.text("abcdef", min_size=1, max_size=4), st.sampled_from([CUSTOMER, PAB])),
    st.integers(-5, 10**24),
    max_size=12,
)


@given(positions, st.integers(1, 10**25))
def test_shares_add_up_and_stay_within_one_unit_of_proportion(
    owned: dict[tuple[str, AccountClass], int], shortfall: int
) -> None:
    found = share(PLACE, ETH, shortfall, owned)
    assert sum(owner.share for owner in found.owners) + found.unshared == shortfall
    assert found.owned == sum(units for units in owned.values() if units > 0)
    for owner in found.owners:
        exact = Fraction(min(shortfall, found.owned) * owner.owned, found.owned)
        assert 0 <= owner.share <= owner.owned
        assert abs(owner.share - exact) < 1
    assert (found.unshared > 0) == (shortfall > found.owned)


@given(positions, st.integers(1, 10**25))
def test_the_order_of_the_books_does_not_matter(owned: dict[tuple[str, AccountClass], int], shortfall: int) -> None:
    reversed_order = dict(reversed(owned.items()))
    assert share(PLACE, ETH, shortfall, owned) == share(PLACE, ETH, shortfall, reversed_order)


def test_who_owns_more_never_bears_less() -> None:
    owned = {("a", CUSTOMER): 10, ("b", CUSTOMER): 10, ("c", CUSTOMER): 30, ("d", CUSTOMER): 31}
    for shortfall in range(1, 82):
        parts = [owner.share for owner in share(PLACE, ETH, shortfall, owned).owners]
        assert sorted(parts[1:]) == parts[1:]
        assert sum(parts) == shortfall


def bearer_of_one_unit(*clients: str) -> str:
    owned = {(client, CUSTOMER): 5 for client in clients}
    return next(owner.client_id for owner in share(PLACE, ETH, 1, owned).owners if owner.share)


def test_the_odd_unit_among_equals_falls_by_hash_and_not_by_name() -> None:
    assert {bearer_of_one_unit(f"a{n}", f"b{n}")[0] for n in range(20)} == {"a", "b"}
    assert bearer_of_one_unit("a", "b") == bearer_of_one_unit("b", "a")


def test_more_missing_than_owned_is_nobodys_share() -> None:
    found = share(PLACE, ETH, 12, {("a", CUSTOMER): 7})
    assert (found.owners[0].share, found.unshared) == (7, 5)
    nobody = share(PLACE, ETH, 12, {})
    assert (nobody.owners, nobody.unshared) == ((), 12)


def test_only_observed_shortfalls_of_the_bundle_are_shared_and_no_gas_float() -> None:
    bundle = sample_bundle()
    found = list(shared_shortfalls(bundle.reconciliations, bundle.allocations))
    short = [r for r in bundle.reconciliations if r.difference is not None and r.difference < 0]
    assert [(each.location, each.asset_id, each.shortfall) for each in found] == [
        (each.location, each.asset_id, -(each.difference or 0)) for each in short
    ]
    assert found
    claimed = {(r.location, r.asset_id): r.claimed for r in short}
    assert {(each.location, each.asset_id): each.owned for each in found} == claimed
    extra = (*bundle.allocations, allocation("client-x", short[0].location, short[0].asset_id, 1))
    assert list(shared_shortfalls(bundle.reconciliations, extra)) != found
