"""Reading again, for wallets and assets that became known late, the blocks that were covered without them.

A wallet is watched in the blocks that a sweep covered whose book knew it. What earlier sweeps covered is read again
for exactly these wallets (or assets), in runs, each stored in one transaction, from the wallet's opening on; the
contiguous coverage of the chain stays as it is. What the runs show is judged by the sweep that read it. A run that
fails is recorded and tried again by the next sweep: until then it is a gap, and never "nothing moved".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, time, timedelta

import structlog

from chains.errors import ChainMoved, MalformedAnswer, ReadError
from chains.reader import ChainReader
from chains.types import Address, Asset, ChainId, account_location
from verifier.rules.coverage import Backfill
from verifier.store import Store, SweepStart

log = structlog.get_logger(__name__)

OPENING_SLACK = timedelta(days=1)
"""A wallet's opening day may have begun in another time zone than UTC."""

_Range = tuple[int, int]


def plan_backfills(store: Store, start: SweepStart, actor: str, clock: Callable[[], datetime]) -> None:
    """Record which covered blocks must be read again for wallets and assets that this sweep's book knows.

    What is planned already, or was read again before, is not planned twice.
    """
    chain_id = start.chain_id
    first_book, covered_from = store.first_book_time(chain_id), store.covered_from(chain_id)
    if first_book is None or covered_from is None:
        return
    planned = store.backfills(chain_id)
    wallet_times = {
        account_location(chain_id, address): moment
        for address, moment in store.wallets_recorded_after(chain_id, first_book, start.known_at).items()
    }
    asset_times = {
        asset_id: moment
        for asset_id, moment in store.assets_recorded(chain_id, start.known_at).items()
        if moment > first_book
    }
    covered = store.covered_before(chain_id, {*wallet_times.values(), *asset_times.values()})
    opened = _opening_heights(store, start, wallet_times)
    for of_assets, times in ((False, wallet_times), (True, asset_times)):
        groups: dict[int, dict[str, int]] = defaultdict(dict)
        for item, moment in times.items():
            last = covered.get(moment)
            first = covered_from if of_assets else opened[item]
            if (
                last is not None
                and first is not None
                and first <= last
                and not _is_planned(item, (first, last), planned)
            ):
                groups[last][item] = first
        for last, firsts in sorted(groups.items()):
            blocks = (min(firsts.values()), last)
            store.add_backfill(start, firsts.keys(), blocks, of_assets, actor, clock())


def read_backfills(
    store: Store,
    reader: ChainReader,
    start: SweepStart,
    watched: Sequence[Address],
    assets: Sequence[Asset],
    *,
    blocks_per_run: int,
    blocks_max: int,
    advance: Callable[[int], None],
    actor: str,
    clock: Callable[[], datetime],
) -> None:
    """Read what is planned and not read yet, at most `blocks_max` blocks; the next sweep goes on from there.

    `watched` and `assets` are everything this sweep reads. Raises `ChainMoved` when a covered block is not canonical.
    """
    left = blocks_max
    for backfill in store.backfills(start.chain_id):
        if backfill.is_complete:  # most are, of years of wallets mapped one by one
            continue
        addresses, wanted = _of(backfill, start.chain_id, watched, assets)
        height = backfill.next_height
        if not addresses or not wanted:
            continue
        while height <= backfill.last_height and left > 0:
            last_height = min(height + min(blocks_per_run, left) - 1, backfill.last_height)
            try:
                _read_run(store, reader, start, backfill, (height, last_height), addresses, wanted, actor, clock)
            except ChainMoved:
                raise
            except ReadError as error:
                log.warning("backfill failed", chain=start.chain_id, block=height, code=error.code)
                store.add_backfill_failure(backfill.backfill_key, error, actor, clock())
                break
            advance(last_height - height + 1)
            left -= last_height - height + 1
            height = last_height + 1


def _read_run(
    store: Store,
    reader: ChainReader,
    start: SweepStart,
    backfill: Backfill,
    blocks: _Range,
    addresses: Sequence[Address],
    assets: Sequence[Asset],
    actor: str,
    clock: Callable[[], datetime],
) -> None:
    first, last_height = blocks
    last = store.covered_block(start.chain_id, last_height)
    if last is None:
        raise MalformedAnswer(f"block {last_height} is not covered", node_id=reader.node_id)
    scan = reader.scan_transfers(first, last, addresses, assets)
    known = {
        each.transfer_id: each for each in store.transfers(start.chain_id, first_height=first, last_height=last_height)
    }
    for transfer in scan.transfers:
        if known.get(transfer.transfer_id, transfer) != transfer:
            raise MalformedAnswer(
                f"movement {transfer.transfer_id} was read differently before", node_id=reader.node_id
            )
    store.add_backfill_run(start, backfill.backfill_key, scan, actor, clock())


def _of(
    backfill: Backfill, chain_id: ChainId, watched: Sequence[Address], assets: Sequence[Asset]
) -> tuple[Sequence[Address], Sequence[Asset]]:
    """What to watch in a backfill: its wallets and every asset, or every address and its assets."""
    if backfill.of_assets:
        return watched, [asset for asset in assets if asset.asset_id in backfill.items]
    return [each for each in watched if account_location(chain_id, each) in backfill.items], assets


def _is_planned(item: str, blocks: _Range, planned: Sequence[Backfill]) -> bool:
    return any(
        item in each.items and each.first_height <= blocks[0] and each.last_height >= blocks[1] for each in planned
    )


def _opening_heights(store: Store, start: SweepStart, wanted: Collection[str]) -> dict[str, int | None]:
    """The first covered block since each wallet was opened; None when it was opened after all of them."""
    by_day: dict[object, int | None] = {}
    heights: dict[str, int | None] = {}
    for wallet in store.wallets(start.chain_id, start.known_at) if wanted else ():
        location = wallet.location_id
        if location not in wanted:
            continue
        day = wallet.opened_on
        if day not in by_day:
            midnight = datetime.combine(day, time(), UTC)
            by_day[day] = store.first_covered_since(start.chain_id, midnight - OPENING_SLACK)
        heights[location] = by_day[day]
    return heights
