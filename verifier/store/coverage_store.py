"""What of a chain was covered, by whom and how well, and what is read afterwards for wallets and assets known late."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from chains.errors import InvalidValue, ReadError
from chains.types import AssetId, BlockRef, ChainId, TransferScan
from verifier.records import CoveredBlocks, WeakerScan
from verifier.rules.coverage import Backfill
from verifier.store.records import SweepStart
from verifier.store.sweep_store import (
    BACKFILL,
    COVERED,
    LIVE,
    LOCATION,
    RUN,
    SWEEP,
    WEAKER,
    SweepStore,
    block_of,
    judged_covered_key,
    judged_run_key,
    live_transfers,
    transfer_row,
    uncovered_heights,
)
from verifier.store.tables import (
    AssetRow,
    BackfilledTransferRow,
    BackfillFailureRow,
    BackfillItemRow,
    BackfillRow,
    BackfillRunRow,
    BackfillUnparsedRow,
    TransferRow,
    table,
)

ITEM, FAILURE, ASSET = table(BackfillItemRow), table(BackfillFailureRow), table(AssetRow)


class CoverageStore(SweepStore):
    """The coverage side of the store."""

    def covered_runs(self, chain_id: ChainId) -> list[CoveredBlocks]:
        """The canonical covered blocks as runs that one node read in one mode, lowest first."""
        island = COVERED.c.height - sa.func.row_number().over(
            partition_by=[COVERED.c.node_id, COVERED.c.mode], order_by=COVERED.c.height
        )
        blocks = (
            sa.select(COVERED.c.height, COVERED.c.node_id, COVERED.c.mode, COVERED.c.block_time, island.label("island"))
            .where(COVERED.c.chain_id == chain_id, LIVE)
            .subquery()
        )
        query = (
            sa.select(
                sa.func.min(blocks.c.height),
                sa.func.max(blocks.c.height),
                sa.func.min(blocks.c.block_time),
                sa.func.max(blocks.c.block_time),
                blocks.c.node_id,
                blocks.c.mode,
            )
            .group_by(blocks.c.node_id, blocks.c.mode, blocks.c.island)
            .order_by(sa.func.min(blocks.c.height))
        )
        with self.read() as connection:
            return [
                CoveredBlocks(first, last, node_id, mode, began, ended)
                for first, last, began, ended, node_id, mode in connection.execute(query)
            ]

    def coverage_gaps(self, chain_id: ChainId) -> list[tuple[int, int]]:
        """(first, last) of blocks between the lowest and the highest covered one that no canonical row covers."""
        with self.read() as connection:
            heights = uncovered_heights(connection, chain_id)
        gaps: list[tuple[int, int]] = []
        for height in heights:
            if gaps and gaps[-1][1] == height - 1:
                gaps[-1] = (gaps[-1][0], height)
            else:
                gaps.append((height, height))
        return gaps

    def weaker_scans(self, chain_id: ChainId, *, unjudged_only: bool = False) -> list[WeakerScan]:
        """Canonical runs of blocks that were read in a weaker mode than was asked for, lowest first."""
        first, last = COVERED.alias("first_block"), COVERED.alias("last_block")
        query = (
            sa.select(first.c.height, last.c.height.label("last_height"), last.c.mode, WEAKER.c.reason)
            .join_from(WEAKER, first, WEAKER.c.first_covered_key == first.c.record_id)
            .join(last, WEAKER.c.last_covered_key == last.c.record_id)
            .join(COVERED, COVERED.c.record_id == WEAKER.c.last_covered_key)
            .where(last.c.chain_id == chain_id, LIVE)
        )
        of_backfills = (
            sa.select(first.c.height, last.c.height.label("last_height"), RUN.c.mode, RUN.c.mode_note)
            .join_from(RUN, first, RUN.c.first_covered_key == first.c.record_id)
            .join(last, RUN.c.last_covered_key == last.c.record_id)
            .join(COVERED, COVERED.c.record_id == RUN.c.last_covered_key)
            .where(last.c.chain_id == chain_id, LIVE, RUN.c.mode_note != "")
        )
        with self.read() as connection:
            if unjudged_only:
                query = query.where(WEAKER.c.last_covered_key > judged_covered_key(connection, chain_id))
                of_backfills = of_backfills.where(RUN.c.record_id > judged_run_key(connection, chain_id))
            rows = [*connection.execute(query), *connection.execute(of_backfills)]
        return sorted((WeakerScan(*row) for row in rows), key=lambda scan: scan.first_height)

    def covered_before(self, chain_id: ChainId, moments: Collection[datetime]) -> dict[datetime, int]:
        """For each moment the highest canonical block covered by a sweep whose book is older; absent when none is.

        A wallet or asset recorded at that moment was not watched in the blocks up to there.
        """
        found: dict[datetime, int] = {}
        with self.read() as connection:
            for moment in sorted(set(moments)):
                query = (
                    sa.select(sa.func.max(COVERED.c.height))
                    .join_from(COVERED, SWEEP, COVERED.c.sweep_key == SWEEP.c.record_id)
                    .where(COVERED.c.chain_id == chain_id, SWEEP.c.known_at < moment, LIVE)
                )
                height = connection.execute(query).scalar()
                if height is not None:
                    found[moment] = height
        return found

    def first_book_time(self, chain_id: ChainId) -> datetime | None:
        """As of when the book was known to the first sweep that covered blocks; None when none did."""
        query = (
            sa.select(SWEEP.c.known_at)
            .where(SWEEP.c.chain_id == chain_id, sa.exists().where(COVERED.c.sweep_key == SWEEP.c.record_id))
            .order_by(SWEEP.c.record_id)
            .limit(1)
        )
        with self.read() as connection:
            found: datetime | None = connection.execute(query).scalar()
            return found

    def assets_recorded(self, chain_id: ChainId, known_at: datetime) -> dict[AssetId, datetime]:
        """When each asset of a chain was first recorded."""
        query = (
            sa.select(ASSET.c.asset_id, sa.func.min(ASSET.c.recorded_at))
            .where(ASSET.c.asset_id.startswith(f"{chain_id}/", autoescape=True), ASSET.c.recorded_at <= known_at)
            .group_by(ASSET.c.asset_id)
        )
        with self.read() as connection:
            return {AssetId(asset_id): moment for asset_id, moment in connection.execute(query)}

    def covered_block(self, chain_id: ChainId, height: int) -> BlockRef | None:
        """The canonical covered block of a height; None when it is not covered."""
        query = sa.select(COVERED).where(COVERED.c.chain_id == chain_id, COVERED.c.height == height, LIVE)
        with self.read() as connection:
            row = connection.execute(query).first()
        return block_of(row) if row else None

    def first_covered_since(self, chain_id: ChainId, moment: datetime) -> int | None:
        """The lowest canonical covered block that is not older than the moment; None when all are."""
        query = sa.select(sa.func.min(COVERED.c.height)).where(
            COVERED.c.chain_id == chain_id, COVERED.c.block_time >= moment, LIVE
        )
        with self.read() as connection:
            found: int | None = connection.execute(query).scalar()
            return found

    def backfills(self, chain_id: ChainId) -> list[Backfill]:
        """Every backfill of a chain with how far it came, in the order they were planned.

        Runs over blocks that left the chain count for nothing.
        """
        with self.read() as connection:
            items: dict[int, set[str]] = defaultdict(set)
            of_chain = sa.select(BACKFILL.c.record_id).where(BACKFILL.c.chain_id == chain_id)
            query = (
                sa.select(ITEM.c.backfill_key, LOCATION.c.text)
                .join_from(ITEM, LOCATION, ITEM.c.item_key == LOCATION.c.record_id)
                .where(ITEM.c.backfill_key.in_(of_chain))
            )
            for key, text in connection.execute(query):
                items[key].add(text)
            runs = _runs(connection, of_chain)
            failures = {
                row.backfill_key: f"{row.code}: {row.reason}"
                for row in connection.execute(
                    sa.select(FAILURE).where(FAILURE.c.backfill_key.in_(of_chain)).order_by(FAILURE.c.record_id)
                )
            }
            of_chain_rows = sa.select(BACKFILL).where(BACKFILL.c.chain_id == chain_id).order_by(BACKFILL.c.record_id)
            rows = connection.execute(of_chain_rows).all()
        return [_backfill(row, items[row.record_id], runs[row.record_id], failures) for row in rows]

    def add_backfill(
        self,
        start: SweepStart,
        items: Collection[str],
        blocks: tuple[int, int],
        of_assets: bool,
        actor: str,
        now: datetime,
    ) -> int:
        """Record that the blocks (first, last) are to be read again for these wallets or assets; returns its key."""
        payload = {"chain_id": start.chain_id, "first_height": blocks[0], "last_height": blocks[1], "items": len(items)}
        with self.record("backfill.planned", actor, payload, now) as unit:
            key = unit.add(
                BackfillRow,
                sweep_key=start.sweep_key,
                chain_id=start.chain_id,
                of_assets=of_assets,
                first_height=blocks[0],
                last_height=blocks[1],
            )
            texts = unit.text_keys(sorted(items))
            unit.add_rows(BackfillItemRow, ((key, texts[item]) for item in sorted(items)))
        return key

    def add_backfill_run(
        self, start: SweepStart, backfill_key: int, scan: TransferScan, actor: str, now: datetime
    ) -> None:
        """Store what a run of a backfill showed; movements that are known already are not stored twice.

        Raises `InvalidValue` when a block of the scan is not the canonical covered one of its height, or when a
        movement that is known already is another one now.
        """
        first, last = scan.blocks[0].height, scan.blocks[-1].height
        payload = {"backfill_key": backfill_key, "first_height": first, "last_height": last}
        with self.record("backfill.blocks", actor, payload, now) as unit:
            heights = COVERED.c.height.between(first, last)
            covered = {
                row.block_hash: row.record_id
                for row in unit.connection.execute(
                    sa.select(COVERED.c.block_hash, COVERED.c.record_id).where(
                        COVERED.c.chain_id == start.chain_id, heights, LIVE
                    )
                )
            }
            if missing := [block for block in scan.blocks if block.block_hash not in covered]:
                raise InvalidValue(f"{missing[0]} is not the block that was covered at its height")
            last_key = covered[scan.blocks[-1].block_hash]
            stored = sa.select(RUN.c.record_id).where(
                RUN.c.backfill_key == backfill_key, RUN.c.last_covered_key == last_key
            )
            if unit.connection.execute(stored).first():
                return
            run_key = unit.add(
                BackfillRunRow,
                backfill_key=backfill_key,
                first_covered_key=covered[scan.blocks[0].block_hash],
                last_covered_key=last_key,
                node_id=scan.node_id,
                mode=scan.mode,
                mode_note=scan.mode_note,
            )
            known = {
                each.transfer_id: (key, each) for key, each in live_transfers(unit.connection, start.chain_id, heights)
            }
            distinct = {transfer.transfer_id: transfer for transfer in scan.transfers}
            for name, transfer in distinct.items():
                if name in known and known[name][1] != transfer:
                    raise InvalidValue(f"movement {name} was read differently before")
            assets = unit.asset_keys(transfer.asset for transfer in distinct.values())
            new = [transfer for name, transfer in distinct.items() if name not in known]
            first_key = unit.add_rows(TransferRow, (transfer_row(each, covered, assets) for each in new))
            keys = [known[name][0] for name in distinct if name in known]
            keys += range(first_key, first_key + len(new))
            unit.add_rows(BackfilledTransferRow, ((run_key, key) for key in keys))
            for asset_id, count in sorted(scan.unparsed.items()):
                unit.add(BackfillUnparsedRow, run_key=run_key, asset_id=asset_id, event_count=count)

    def add_backfill_failure(self, backfill_key: int, error: ReadError, actor: str, now: datetime) -> None:
        """Record why a backfill could not go on."""
        with self.record("backfill.failed", actor, {"backfill_key": backfill_key, "code": error.code}, now) as unit:
            unit.add(BackfillFailureRow, backfill_key=backfill_key, code=error.code, reason=str(error))

    def backfilled_since(self, chain_id: ChainId, sequence: int) -> int | None:
        """The lowest block that a backfill read again after a journal entry; None when none did."""
        query = (
            sa.select(sa.func.min(COVERED.c.height))
            .join_from(RUN, COVERED, RUN.c.first_covered_key == COVERED.c.record_id)
            .where(COVERED.c.chain_id == chain_id, RUN.c.journal_sequence > sequence)
        )
        with self.read() as connection:
            found: int | None = connection.execute(query).scalar()
            return found


def _runs(connection: sa.Connection, backfills: sa.Select[Any]) -> dict[int, list[tuple[int, int]]]:
    """(first, last) heights of the runs of each backfill whose last block is canonical."""
    first, last = COVERED.alias("first_block"), COVERED.alias("last_block")
    query = (
        sa.select(RUN.c.backfill_key, first.c.height, last.c.height)
        .join_from(RUN, first, RUN.c.first_covered_key == first.c.record_id)
        .join(last, RUN.c.last_covered_key == last.c.record_id)
        .join(COVERED, COVERED.c.record_id == RUN.c.last_covered_key)
        .where(RUN.c.backfill_key.in_(backfills), LIVE)
    )
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for key, low, high in connection.execute(query):
        found[key].append((low, high))
    return found


def _backfill(row: Any, items: Iterable[str], runs: Sequence[tuple[int, int]], failures: dict[int, str]) -> Backfill:
    height = row.first_height
    for first, last in sorted(runs):
        if first <= height <= last:
            height = last + 1
    failure = failures.get(row.record_id, "") if height <= row.last_height else ""
    return Backfill(row.record_id, frozenset(items), row.of_assets, row.first_height, row.last_height, height, failure)
