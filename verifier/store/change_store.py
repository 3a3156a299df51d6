"""Changes that no event explains: what a sweep found of them is stored before it is judged, all in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import sqlalchemy as sa

from chains.errors import InvalidValue
from chains.types import Address, AssetId, BlockRef, ChainId, Transfer, TransferKind, account_location
from verifier.rules.changes import ChangeSearch, FoundChanges
from verifier.rules.narrowing import Step
from verifier.rules.rollforward import RollForward
from verifier.store.engine import Database
from verifier.store.records import SweepStart
from verifier.store.sweep_store import COVERED, LIVE, TRANSFER, block_of, has_ended, live_transfers, transfer_row
from verifier.store.tables import (
    AssetValueRow,
    ChangeSearchRow,
    ChangeStepRow,
    InternedTextRow,
    TracedBlockRow,
    TransferRow,
    table,
)
from verifier.store.types import Canonical
from verifier.store.unit import Unit

_VERIFIED = "verified"
"""The mode of a scan that held every block against its header (docs/history.md)."""

SEARCH, TRACED, STEP = table(ChangeSearchRow), table(TracedBlockRow), table(ChangeStepRow)
ASSET, TEXT = table(AssetValueRow), table(InternedTextRow)


class ChangeStore(Database):
    """The side of the store that keeps where remainders arose."""

    def covered_blocks(self, chain_id: ChainId, first_height: int, last_height: int) -> list[BlockRef]:
        """The covered blocks of these heights that are still canonical, ascending; both ends included."""
        query = sa.select(COVERED).where(
            COVERED.c.chain_id == chain_id, COVERED.c.height.between(first_height, last_height), LIVE
        )
        with self.read() as connection:
            return [block_of(row) for row in connection.execute(query.order_by(COVERED.c.height))]

    def traces(self, chain_id: ChainId, *, first_height: int, last_height: int) -> dict[str, tuple[str, str]]:
        """Way of tracing and node (several joined by `+`) of each internal transfer of these blocks, by transfer id."""
        query = (
            sa.select(TRANSFER.c.record_id, TRACED.c.method, TRACED.c.node_id)
            .join_from(TRANSFER, TRACED, TRANSFER.c.covered_key == TRACED.c.covered_key)
            # One search stores a block's transfers and who traced them in one entry; a later one may trace it again.
            .where(TRANSFER.c.journal_sequence == TRACED.c.journal_sequence, TRANSFER.c.kind == TransferKind.INTERNAL)
        )
        between = COVERED.c.height.between(first_height, last_height)
        with self.read() as connection:
            found = {key: (method, node_id) for key, method, node_id in connection.execute(query)}
            internal = live_transfers(connection, chain_id, between, TRANSFER.c.kind == TransferKind.INTERNAL)
            return {transfer.transfer_id: found[key] for key, transfer in internal}

    def traced_since(self, chain_id: ChainId, sequence: int) -> int | None:
        """The lowest block in which a trace showed a transfer after a journal entry; None when none did."""
        newer = (TRANSFER.c.kind == TransferKind.INTERNAL, TRANSFER.c.journal_sequence > sequence)
        with self.read() as connection:
            found = live_transfers(connection, chain_id, *newer)
            return min((transfer.block.height for _, transfer in found), default=None)

    def add_changes(
        self, start: SweepStart, search: ChangeSearch, rolls: Sequence[RollForward], actor: str, now: datetime
    ) -> None:
        """Store what a search found, internal transfers included; a search that is stored already stays as it is.

        Raises `InvalidValue` when a block was traced that is not covered.
        """
        with self.record("sweep.changes", actor, {"sweep_id": start.sweep_id}, now) as unit:
            stored = sa.select(SEARCH.c.record_id).where(SEARCH.c.sweep_key == start.sweep_key)
            if unit.connection.execute(stored).first() or has_ended(unit.connection, start):
                return
            unit.add(
                ChangeSearchRow,
                sweep_key=start.sweep_key,
                mode=search.mode,
                first_height=search.first_height,
                last_height=search.last_height,
                blocks_read=search.blocks_read,
                node_id=search.node_id,
                note=search.note,
            )
            covered = _covered_keys(unit, start.chain_id, [trace.block for trace in search.traces])
            _add_transfers(unit, search.transfers, covered)
            unit.add_rows(
                TracedBlockRow,
                (
                    (
                        start.sweep_key,
                        covered[trace.block.block_hash],
                        trace.method,
                        trace.node_id,
                        len(trace.transfers),
                        trace.reason,
                    )
                    for trace in search.traces
                ),
            )
            unit.add_rows(ChangeStepRow, _step_rows(unit, start, search.steps, rolls))

    def found_changes(self, start: SweepStart) -> FoundChanges | None:
        """What the sweep's search came to; None when nothing was searched, or not yet."""
        with self.read() as connection:
            row = connection.execute(sa.select(SEARCH).where(SEARCH.c.sweep_key == start.sweep_key)).first()
            if row is None:
                return None
            steps = list(_steps(connection, start))
            of_sweep = sa.select(TRACED).where(TRACED.c.sweep_key == start.sweep_key)
            traced = connection.execute(of_sweep.order_by(TRACED.c.record_id)).all()
            heights = sorted({height for step in steps for height in (step.after_height, step.height)})
            in_blocks = sa.select(COVERED).where(COVERED.c.chain_id == start.chain_id, LIVE)
            named = [
                found
                for first in range(0, len(heights), 500)
                for found in connection.execute(in_blocks.where(COVERED.c.height.in_(heights[first : first + 500])))
            ]
        return FoundChanges(
            mode=row.mode,
            first_height=row.first_height,
            last_height=row.last_height,
            blocks_read=row.blocks_read,
            traced=[(each.method, each.node_id) for each in traced],
            transfers_found=sum(each.transfer_count for each in traced),
            steps=steps,
            blocks={found.height: block_of(found) for found in named},
            verified=frozenset(found.height for found in named if found.mode == _VERIFIED),
            note=row.note,
        )


def _covered_keys(unit: Unit, chain_id: ChainId, blocks: Sequence[BlockRef]) -> dict[str, int]:
    found: dict[str, int] = {}
    for block in blocks:
        query = sa.select(COVERED.c.record_id).where(
            COVERED.c.chain_id == chain_id,
            COVERED.c.height == block.height,
            COVERED.c.block_hash == block.block_hash,
            LIVE,
        )
        key = unit.connection.execute(query).scalar()
        if key is None:
            raise InvalidValue(f"{block} was traced and is not covered")
        found[block.block_hash] = key
    return found


def _add_transfers(unit: Unit, transfers: Sequence[Transfer], covered: dict[str, int]) -> None:
    """Add internal transfers that are not stored yet."""
    query = sa.select(TRANSFER.c.covered_key, TRANSFER.c.tx_id, TRANSFER.c.kind, TRANSFER.c.log_index)
    known = {
        (key, tx_id, kind, index)
        for covered_key in set(covered.values())
        for key, tx_id, kind, index in unit.connection.execute(query.where(TRANSFER.c.covered_key == covered_key))
    }
    new = [
        each for each in transfers if (covered[each.block.block_hash], each.tx_id, each.kind, each.index) not in known
    ]
    assets = unit.asset_keys(transfer.asset for transfer in new)
    unit.add_rows(TransferRow, (transfer_row(transfer, covered, assets) for transfer in new))


def _step_rows(
    unit: Unit, start: SweepStart, steps: Sequence[Step], rolls: Sequence[RollForward]
) -> Iterator[tuple[Canonical, ...]]:
    of_rolls = {roll.asset.asset_id: roll.asset for roll in rolls}
    places = unit.text_keys(account_location(start.chain_id, step.key[0]) for step in steps)
    assets = unit.asset_keys(of_rolls[step.key[1]] for step in steps)
    for step in steps:
        address, asset_id = step.key
        yield (
            start.sweep_key,
            places[account_location(start.chain_id, address)],
            assets[of_rolls[asset_id]],
            step.after_height,
            step.height,
            str(step.found),
            str(step.left_over),
            " ".join(step.tx_ids),
            step.note,
        )


def _steps(connection: sa.Connection, start: SweepStart) -> Iterator[Step]:
    query = (
        sa.select(STEP, TEXT.c.text, ASSET.c.asset_id)
        .join_from(STEP, TEXT, STEP.c.location_key == TEXT.c.record_id)
        .join(ASSET, STEP.c.asset_key == ASSET.c.record_id)
        .where(STEP.c.sweep_key == start.sweep_key)
        .order_by(STEP.c.record_id)
    )
    prefix = len(account_location(start.chain_id, Address("")))
    for row in connection.execute(query):
        yield Step(
            key=(Address(row.text[prefix:]), AssetId(row.asset_id)),
            after_height=row.after_height,
            height=row.height,
            found=row.found,
            left_over=row.left_over,
            tx_ids=tuple(row.tx_ids.split()),
            note=row.note,
        )
