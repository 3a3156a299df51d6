"""The mapping itself: which client's assets were behind which address, and from when to when. Pure.

The relation of client, asset, chain and address is many to many. It is not kept as a table of its own but read from
the book, so that it cannot say anything else than the book does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from chains.types import Address, AssetId, ChainId, LocationId, account_location
from mapping.book import AllocationKey, Book
from mapping.types import AccountClass, PoolMember, Structure, Wallet


@dataclass(frozen=True, slots=True)
class MappingRow:
    """That a client owned some of an asset behind an address for a time."""

    client_id: str
    account_class: AccountClass
    is_gas_float: bool
    asset_id: AssetId
    location_id: LocationId
    """Where the book has it: the wallet itself, its pool, or a place outside any chain."""
    chain_id: ChainId | None
    """None outside any chain, and for a pool without wallets at that time."""
    address: Address | None
    structure: Structure | None
    from_time: datetime
    """First moment it holds."""
    to_time: datetime | None
    """First moment it no longer holds; None while it does."""

    def holds_at(self, moment: datetime) -> bool:
        """Whether it holds at a moment."""
        return self.from_time <= moment and (self.to_time is None or moment < self.to_time)

    def mentions(self, text: str) -> bool:
        """Whether a text occurs in one of its ids or its address, upper and lower case alike."""
        wanted = text.casefold()
        ids = (self.client_id, self.asset_id, self.location_id, self.address or "")
        return any(wanted in one.casefold() for one in ids)


Interval = tuple[datetime, datetime | None]
"""From a moment, which counts, to a moment, which does not; None is without end."""


def mapping_rows(
    book: Book, wallets: Iterable[Wallet], members: Iterable[PoolMember], known_at: datetime
) -> Iterator[MappingRow]:
    """Every row of the mapping over all time, as known at a time, sorted by client, asset, location, begin.

    An allocation to a pool is behind every wallet that was in the pool meanwhile; while there was none it stays
    in the mapping without an address.
    """
    by_location = {wallet.location_id: wallet for wallet in wallets}
    by_pool: dict[LocationId, list[PoolMember]] = defaultdict(list)
    for member in members:
        by_pool[member.location_id].append(member)
    steps = dict(book.timeline(known_at))
    for key in sorted(steps, key=lambda key: (key.client_id, key.asset_id, key.location_id, key)):
        for interval in _held(steps[key]):
            if key.location_id.startswith("pool:"):
                yield from _behind_pool(key, interval, by_pool.get(key.location_id, ()), by_location)
            else:
                yield _row(key, interval, by_location.get(key.location_id))


def _held(steps: Iterable[tuple[datetime, int]]) -> Iterator[Interval]:
    """The times during which a figure was not zero."""
    begin: datetime | None = None
    for moment, units in steps:
        if units and begin is None:
            begin = moment
        elif not units and begin is not None:
            yield begin, moment
            begin = None
    if begin is not None:
        yield begin, None


def _behind_pool(
    key: AllocationKey,
    interval: Interval,
    members: Iterable[PoolMember],
    by_location: Mapping[LocationId, Wallet],
) -> Iterator[MappingRow]:
    found = [(common, member) for member in members if (common := _common(interval, _membership(member)))]
    for common, member in sorted(found, key=lambda pair: (pair[0][0], pair[1].chain_id, pair[1].address)):
        wallet = by_location.get(account_location(member.chain_id, member.address))
        structure = wallet.structure if wallet else None
        yield _make(key, common, member.chain_id, member.address, structure)
    for gap in _uncovered(interval, [common for common, _ in found]):
        yield _make(key, gap, None, None, None)


def _membership(member: PoolMember) -> Interval:
    """A membership as moments: days begin at midnight UTC, and the last day counts whole."""
    end = None if member.to_date is None or member.to_date == date.max else member.to_date + timedelta(days=1)
    return _midnight(member.from_date), None if end is None else _midnight(end)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def _common(one: Interval, other: Interval) -> Interval | None:
    """The time two intervals share, None when there is none."""
    begin = max(one[0], other[0])
    ends = [end for end in (one[1], other[1]) if end is not None]
    end = min(ends) if ends else None
    return (begin, end) if end is None or begin < end else None


def _uncovered(whole: Interval, parts: Iterable[Interval]) -> Iterator[Interval]:
    """What is left of an interval without its parts."""
    begin = whole[0]
    for part in sorted(parts, key=lambda part: part[0]):
        if part[0] > begin:
            yield begin, part[0]
        if part[1] is None:
            return
        begin = max(begin, part[1])
    if whole[1] is None or begin < whole[1]:
        yield begin, whole[1]


def _row(key: AllocationKey, interval: Interval, wallet: Wallet | None) -> MappingRow:
    if wallet is None:
        return _make(key, interval, None, None, None)
    return _make(key, interval, wallet.chain_id, wallet.address, wallet.structure)


def _make(
    key: AllocationKey,
    interval: Interval,
    chain_id: ChainId | None,
    address: Address | None,
    structure: Structure | None,
) -> MappingRow:
    return MappingRow(
        client_id=key.client_id,
        account_class=key.account_class,
        is_gas_float=key.is_gas_float,
        asset_id=key.asset_id,
        location_id=key.location_id,
        chain_id=chain_id,
        address=address,
        structure=structure,
        from_time=interval[0],
        to_time=interval[1],
    )
