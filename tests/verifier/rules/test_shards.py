"""Cutting a sweep into shards: everything once, no wallet divided, and nothing else is read under a shard's number."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from chains.types import Address, Asset, AssetId, Holding
from verifier.rules.shards import cut_into_shards, holdings_of, is_cut_of

ASSETS = [Asset(AssetId(f"eip155:1/erc20:0x{number:040d}"), f"T{number}", 6) for number in range(3)]


def sorted_holdings(pairs: set[tuple[int, int]]) -> list[Holding]:
    """Holdings in the order in which a sweep reads them."""
    return [Holding(Address(f"0x{wallet:040d}"), ASSETS[asset]) for wallet, asset in sorted(pairs)]


HOLDINGS = st.sets(st.tuples(st.integers(0, 30), st.integers(0, 2))).map(sorted_holdings)


@given(HOLDINGS, st.integers(1, 12))
def test_every_holding_is_in_exactly_one_shard(holdings: list[Holding], size: int) -> None:
    shards = cut_into_shards(holdings, size)
    assert [shard.number for shard in shards] == list(range(len(shards)))
    parts = [holdings_of(shard, holdings) for shard in shards]
    assert [holding for part in parts for holding in part or ()] == holdings
    wallets = [{holding.address for holding in part or ()} for part in parts]
    assert [shard.wallet_count for shard in shards] == [len(part) for part in wallets]
    assert all(len(part) == size for part in wallets[:-1]), "only the last one may be smaller"
    assert sum(map(len, wallets)) == len({holding.address for holding in holdings}), "no wallet is divided"
    assert is_cut_of(shards, holdings)


@given(HOLDINGS.filter(bool), st.integers(1, 12), st.data())
def test_a_shard_with_other_holdings_is_refused(holdings: list[Holding], size: int, data: st.DataObject) -> None:
    shards = cut_into_shards(holdings, size)
    gone = data.draw(st.sampled_from(holdings))
    fewer = [holding for holding in holdings if holding is not gone]
    assert not is_cut_of(shards, fewer)
    assert sum(holdings_of(shard, fewer) is None for shard in shards) == 1, "the other shards are as planned"
    more = [*holdings, Holding(Address(f"0x{99:040d}"), ASSETS[0])]
    assert all(holdings_of(shard, more) is not None for shard in shards)
    assert not is_cut_of(shards, more), "what is in no shard would never be read"
    assert not is_cut_of([*shards, replace(shards[-1], number=len(shards))], holdings), "nor is one read twice"


def test_nothing_to_read_is_no_shard() -> None:
    assert cut_into_shards([], 10) == []
    assert is_cut_of([], [])
