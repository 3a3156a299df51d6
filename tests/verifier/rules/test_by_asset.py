"""Values by place and asset are the mapping they say they are, and what was observed is in order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chains.types import Address, AssetId, BalanceObservation
from tests.verifier.rules.make import DAI, ETH, USDC, A, B, observed, read
from verifier.rules.by_asset import ByAsset, Observed

KEYS = st.tuples(st.sampled_from([A, B]), st.sampled_from([each.asset_id for each in (DAI, ETH, USDC)]))


@given(st.dictionaries(KEYS, st.integers()), KEYS)
def test_it_is_the_mapping_it_was_gathered_from(values: dict[tuple[Address, AssetId], int], key: object) -> None:
    gathered = ByAsset.gathered(values)
    assert dict(gathered) == values
    assert (len(gathered), bool(gathered)) == (len(values), bool(values))
    assert (key in gathered) == (key in values)
    assert ByAsset.gathered(gathered) is gathered


@given(st.dictionaries(KEYS, st.none()), st.dictionaries(KEYS, st.none()))
def test_what_lies_beyond_another(
    one: dict[tuple[Address, AssetId], None], two: dict[tuple[Address, AssetId], None]
) -> None:
    beyond = list(ByAsset.gathered(one).beyond(ByAsset.gathered(two)))
    assert len(beyond) == len(set(beyond))
    assert set(beyond) == one.keys() - two.keys()


@given(st.lists(st.builds(read, st.sampled_from([A, B]), st.sampled_from([DAI, ETH, USDC]), st.integers(0, 2))))
def test_observations_are_in_order_and_each_balance_is_there_once(reads: list[BalanceObservation]) -> None:
    found = Observed(reads)
    assert dict(found) == observed(*reads)
    keys = [(each.holding.address, each.holding.asset.asset_id) for each in found.in_order]
    assert keys == sorted(set(keys))
    assert found.in_order == [found[key] for key in keys]
    assert Observed.of_all(found) is found
    assert Observed.of_all(observed(*reads)).in_order == found.in_order
