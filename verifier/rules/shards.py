"""A sweep cut into shards of wallets, so that several processes can read it and each part is stored once.

The cut is a record: it is made before anything is read, and names each shard by its first and last address and by a
digest of its holdings. Whoever reads a shard works the holdings out from the books as they were known to the sweep, and
reads nothing when they differ, because then one of the two processes works with other books or another program.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from chains.types import Address, Holding


@dataclass(frozen=True, slots=True)
class Shard:
    """Some consecutive wallets of one sweep, with everything that is read at them."""

    number: int
    """From 0."""
    first_address: Address
    last_address: Address
    """Both belong to it."""
    wallet_count: int
    holding_count: int
    holdings_digest: str
    """SHA-256 of its holdings in their order."""


def cut_into_shards(holdings: Sequence[Holding], wallets_per_shard: int) -> list[Shard]:
    """Every holding in exactly one shard; a wallet is never divided. `holdings` are sorted by address."""
    shards: list[Shard] = []
    begin = 0
    for end in _ends(holdings, wallets_per_shard):
        part = holdings[begin:end]
        shards.append(
            Shard(
                number=len(shards),
                first_address=part[0].address,
                last_address=part[-1].address,
                wallet_count=len({holding.address for holding in part}),
                holding_count=len(part),
                holdings_digest=holdings_digest(part),
            )
        )
        begin = end
    return shards


def _ends(holdings: Sequence[Holding], wallets_per_shard: int) -> Iterator[int]:
    """The index behind the last holding of each shard."""
    wallets = 0
    before = holdings[0].address if holdings else None
    for index, (address, _) in enumerate(holdings):
        if address != before:
            before = address
            wallets += 1
            if wallets == wallets_per_shard:
                wallets = 0
                yield index
    if holdings:
        yield len(holdings)


def holdings_of(shard: Shard, holdings: Sequence[Holding]) -> Sequence[Holding] | None:
    """The holdings of a planned shard out of all of its sweep; None when they are not those that were planned."""
    begin = bisect_left(holdings, shard.first_address, key=_address)
    end = bisect_right(holdings, shard.last_address, key=_address)
    part = holdings[begin:end]
    planned = len(part) == shard.holding_count and holdings_digest(part) == shard.holdings_digest
    return part if planned else None


def is_cut_of(shards: Sequence[Shard], holdings: Sequence[Holding]) -> bool:
    """Whether the shards are these holdings, all of them and each once."""
    parts = [holdings_of(shard, holdings) for shard in shards]
    return sum(len(part) for part in parts if part is not None) == len(holdings) and all(
        part is not None for part in parts
    )


def holdings_digest(holdings: Iterable[Holding]) -> str:
    """SHA-256 in 64 hex digits: one line for each holding, address and asset id."""
    text = "".join([f"{address} {asset.asset_id}\n" for address, asset in holdings])
    return hashlib.sha256(text.encode()).hexdigest()


def _address(holding: Holding) -> Address:
    return holding.address
