"""Sweeps as they go: started, fed shard by shard and block run by block run, and what they leave for later ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from chains.errors import InvalidValue
from chains.reader import Pin
from chains.types import (
    Asset,
    AssetId,
    BlockRef,
    ChainId,
    Finality,
    Transfer,
    TransferScan,
    utc_text,
)
from verifier.store.engine import Database
from verifier.store.records import SweepStart
from verifier.store.tables import (
    ApprovalUseRow,
    AssetValueRow,
    BackfilledTransferRow,
    BackfillRow,
    BackfillRunRow,
    BackfillUnparsedRow,
    ChainHaltRow,
    CoveredBlockRow,
    InternedTextRow,
    NodeCapabilityRow,
    OrphanedBlockRow,
    SweepEndRow,
    SweepRow,
    TransferMatchRow,
    TransferRow,
    UnparsedEventsRow,
    WeakerScanRow,
    table,
)
from verifier.store.types import Canonical
from verifier.store.unit import Unit

SWEEP, END = table(SweepRow), table(SweepEndRow)
COVERED, ORPHANED = table(CoveredBlockRow), table(OrphanedBlockRow)
TRANSFER, MATCH, USE = table(TransferRow), table(TransferMatchRow), table(ApprovalUseRow)
UNPARSED = table(UnparsedEventsRow)
WEAKER = table(WeakerScanRow)
BACKFILL, RUN = table(BackfillRow), table(BackfillRunRow)
BACKFILLED, RUN_UNPARSED = table(BackfilledTransferRow), table(BackfillUnparsedRow)
HALT, CAPABILITY = table(ChainHaltRow), table(NodeCapabilityRow)
ASSET, LOCATION = table(AssetValueRow), table(InternedTextRow)

BLOCKS_PER_QUERY = 500

LIVE = COVERED.c.record_id.not_in(sa.select(ORPHANED.c.covered_key))
"""A covered block that has not left the canonical chain."""

_BACK = COVERED.alias("back")
ORPHANED_HASHES = (
    sa.select(COVERED.c.block_hash)
    .join_from(ORPHANED, COVERED, ORPHANED.c.covered_key == COVERED.c.record_id)
    .where(
        ~sa.exists().where(
            _BACK.c.chain_id == COVERED.c.chain_id,
            _BACK.c.height == COVERED.c.height,
            _BACK.c.block_hash == COVERED.c.block_hash,
            _BACK.c.record_id.not_in(sa.select(ORPHANED.c.covered_key)),
        )
    )
)
"""Hashes of covered blocks that left the canonical chain and did not come back."""


class SweepStore(Database):
    """The chain's side of the store."""

    def start_sweep(
        self, chain_id: ChainId, pin: Pin, node_id: str, expected: int, now: datetime, actor: str
    ) -> SweepStart:
        """Record a sweep with the block it reads at and the number of holdings it must account for.

        `now` is the time as of which the book is known; when the clock went back, that of the newest entry.
        """
        block = pin.block
        payload = {"chain_id": chain_id, "height": block.height, "block_hash": block.block_hash, "expected": expected}
        with self.record("sweep.started", actor, payload, now) as unit:
            at_block = sa.select(sa.func.count()).select_from(SWEEP)
            earlier = unit.connection.execute(
                at_block.where(SWEEP.c.chain_id == chain_id, SWEEP.c.height == block.height)
            ).scalar_one()
            sweep_id = f"{chain_id}/{block.height}/{earlier + 1}"
            key = unit.add(
                SweepRow,
                sweep_id=sweep_id,
                chain_id=chain_id,
                height=block.height,
                block_hash=block.block_hash,
                parent_hash=block.parent_hash,
                block_time=block.timestamp,
                finality=str(pin.finality),
                node_id=node_id,
                header_checked=pin.header_checked,
                known_at=unit.recorded_at,
                expected=expected,
            )
            known_at = unit.recorded_at
        return SweepStart(
            key, sweep_id, chain_id, block, pin.finality, node_id, pin.header_checked, known_at, known_at, expected
        )

    def abandon_sweep(self, start: SweepStart, reason: str, actor: str, now: datetime) -> None:
        """Record that a sweep was given up: what it read stays and counts for nothing. Twice is once."""
        with self.record("sweep.abandoned", actor, {"sweep_id": start.sweep_id, "reason": reason}, now) as unit:
            if has_ended(unit.connection, start):
                return
            unit.add(
                SweepEndRow,
                sweep_key=start.sweep_key,
                abandoned=reason,
                expected=start.expected,
                matched=0,
                diverged=0,
                unverified=0,
                transfers_scanned=0,
                transfers_outgoing=0,
                transfers_not_matched=0,
                transfers_change=0,
                first_height=None,
                last_height=None,
                judged_covered_key=None,
                judged_transfer_key=None,
                judged_run_key=None,
            )

    def unfinished_sweep(self, chain_id: ChainId) -> SweepStart | None:
        """The newest sweep of a chain that was neither completed nor abandoned."""
        query = (
            sa.select(SWEEP)
            .where(SWEEP.c.chain_id == chain_id, SWEEP.c.record_id.not_in(sa.select(END.c.sweep_key)))
            .order_by(SWEEP.c.record_id.desc())
            .limit(1)
        )
        with self.read() as connection:
            row = connection.execute(query).first()
        return start_of(row) if row else None

    def sweep(self, sweep_id: str) -> SweepStart | None:
        """A sweep by its id, however it ended."""
        with self.read() as connection:
            row = connection.execute(sa.select(SWEEP).where(SWEEP.c.sweep_id == sweep_id)).first()
        return start_of(row) if row else None

    def add_scan(self, start: SweepStart, scan: TransferScan, actor: str, now: datetime) -> None:
        """Store the movements of a run of blocks; a run that is covered already stays as it is.

        Raises `InvalidValue` when the run does not follow the last covered block of the chain.
        """
        if not scan.blocks:
            return
        first, last = scan.blocks[0], scan.blocks[-1]
        payload = {"sweep_id": start.sweep_id, "first_height": first.height, "last_height": last.height}
        with self.record("sweep.blocks", actor, payload, now) as unit:
            tip = covered_tip(unit.connection, start.chain_id)
            if tip is not None and tip.height >= last.height:
                return
            if tip is not None and (first.height != tip.height + 1 or first.parent_hash != tip.block_hash):
                raise InvalidValue(f"block {first.height} does not follow covered block {tip.height}")
            rows = (_covered_row(start, block, scan) for block in scan.blocks)
            key = unit.add_rows(CoveredBlockRow, rows)
            keys = {block.block_hash: key + offset for offset, block in enumerate(scan.blocks)}
            assets = unit.asset_keys(transfer.asset for transfer in scan.transfers)
            distinct = {transfer.transfer_id: transfer for transfer in scan.transfers}
            unit.add_rows(TransferRow, (transfer_row(each, keys, assets) for each in distinct.values()))
            if scan.mode_note:
                last_key = keys[last.block_hash]
                unit.add(WeakerScanRow, first_covered_key=key, last_covered_key=last_key, reason=scan.mode_note)
            for asset_id, count in sorted(scan.unparsed.items()):
                unit.add(
                    UnparsedEventsRow,
                    first_covered_key=key,
                    last_covered_key=keys[last.block_hash],
                    asset_id=asset_id,
                    event_count=count,
                )

    def covered_tip(self, chain_id: ChainId) -> BlockRef | None:
        """The highest covered block of a chain that is still canonical as far as is known."""
        with self.read() as connection:
            return covered_tip(connection, chain_id)

    def covered_from(self, chain_id: ChainId) -> int | None:
        """The lowest height from which every block up to the tip is covered; None when none is."""
        with self.read() as connection:
            if holes := uncovered_heights(connection, chain_id):
                return holes[-1] + 1
            lowest = sa.select(sa.func.min(COVERED.c.height)).where(COVERED.c.chain_id == chain_id, LIVE)
            found: int | None = connection.execute(lowest).scalar()
            return found

    def covered_blocks_from_tip(self, chain_id: ChainId) -> Iterator[BlockRef]:
        """The covered blocks of a chain, highest first; those known to be orphaned are left out."""
        below: int | None = None
        while True:
            query = sa.select(COVERED).where(COVERED.c.chain_id == chain_id, LIVE)
            if below is not None:
                query = query.where(COVERED.c.height < below)
            with self.read() as connection:
                rows = connection.execute(query.order_by(COVERED.c.height.desc()).limit(BLOCKS_PER_QUERY)).all()
            if not rows:
                return
            yield from (block_of(row) for row in rows)
            below = rows[-1].height

    def final_height(self, chain_id: ChainId) -> int | None:
        """The highest block that a sweep pinned as final and that is not known to be orphaned; None when there is none.

        What the configuration says today does not count: a block was read as final, or it was not.
        """
        query = sa.select(SWEEP.c.finality, sa.func.max(SWEEP.c.height).label("height"))
        query = query.where(SWEEP.c.chain_id == chain_id, SWEEP.c.block_hash.not_in(ORPHANED_HASHES))
        with self.read() as connection:
            rows = connection.execute(query.group_by(SWEEP.c.finality)).all()
        return max((row.height for row in rows if Finality.parse(row.finality).is_final), default=None)

    def orphan_blocks(self, chain_id: ChainId, removed: Sequence[BlockRef], actor: str, now: datetime) -> None:
        """Mark covered blocks as no longer canonical. What rests on them is superseded and kept."""
        payload = {"chain_id": chain_id, "blocks": [[block.height, block.block_hash] for block in removed]}
        with self.record("chain.reorganised", actor, payload, now) as unit:
            _orphan(unit, chain_id, COVERED.c.block_hash.in_([block.block_hash for block in removed]), "reorganised")

    def is_orphaned(self, block: BlockRef) -> bool:
        """Whether a block is known to have left the canonical chain: what rests on it is superseded."""
        query = ORPHANED_HASHES.where(COVERED.c.chain_id == block.chain_id, COVERED.c.block_hash == block.block_hash)
        with self.read() as connection:
            return connection.execute(query).first() is not None

    def halt(self, chain_id: ChainId) -> str:
        """Why sweeping the chain waits for a person; empty when it does not."""
        with self.read() as connection:
            row = newest_halt(connection, chain_id)
        return str(row.reason) if row is not None and row.halted else ""

    def resume_chain(self, chain_id: ChainId, reason: str, actor: str, now: datetime) -> None:
        """A person decided: the reversed blocks are superseded and sweeping goes on. Nothing when it is not halted."""
        with self.record("chain.resumed", actor, {"chain_id": chain_id, "reason": reason}, now) as unit:
            row = newest_halt(unit.connection, chain_id)
            if row is None or not row.halted:
                return
            unit.add(ChainHaltRow, chain_id=chain_id, halted=False, actor=actor, from_height=None, reason=reason)
            if row.from_height is not None:
                _orphan(unit, chain_id, COVERED.c.height >= row.from_height, "finality reversed")

    def node_capabilities(self, chain_id: ChainId, node_id: str) -> dict[str, str]:
        """What probes found a node able to do: the newest value of each capability."""
        with self.read() as connection:
            return _capabilities(connection, chain_id, node_id)

    def add_node_capabilities(
        self, chain_id: ChainId, node_id: str, found: Mapping[str, str], actor: str, now: datetime
    ) -> None:
        """Record what a probe found; values that stand already are not written again."""
        with self.record("node.probed", actor, {"chain_id": chain_id, "node_id": node_id}, now) as unit:
            known = _capabilities(unit.connection, chain_id, node_id)
            for capability, value in sorted(found.items()):
                if known.get(capability) != value:
                    unit.add(NodeCapabilityRow, chain_id=chain_id, node_id=node_id, capability=capability, value=value)

    def transfers(
        self, chain_id: ChainId, *, first_height: int | None = None, last_height: int | None = None
    ) -> list[Transfer]:
        """The movements in covered blocks that are still canonical, in the order of the chain."""
        conditions = []
        if first_height is not None:
            conditions.append(COVERED.c.height >= first_height)
        if last_height is not None:
            conditions.append(COVERED.c.height <= last_height)
        with self.read() as connection:
            return [transfer for _, transfer in live_transfers(connection, chain_id, *conditions)]

    def unjudged_transfers(self, chain_id: ChainId) -> list[Transfer]:
        """The canonical movements that no completed sweep has judged yet, in the order of the chain."""
        with self.read() as connection:
            return [transfer for _, transfer in live_transfers(connection, chain_id, unjudged(connection, chain_id))]

    def unparsed_events(self, chain_id: ChainId) -> list[tuple[int, int, str, int]]:
        """(first height, last height, asset id, events) of canonical runs with events that could not be read."""
        first, last = COVERED.alias("first_block"), COVERED.alias("last_block")
        query = (
            sa.select(first.c.height, last.c.height, UNPARSED.c.asset_id, UNPARSED.c.event_count)
            .join_from(UNPARSED, first, UNPARSED.c.first_covered_key == first.c.record_id)
            .join(last, UNPARSED.c.last_covered_key == last.c.record_id)
            .where(last.c.chain_id == chain_id, last.c.record_id.not_in(sa.select(ORPHANED.c.covered_key)))
            .order_by(UNPARSED.c.record_id)
        )
        of_backfills = (
            sa.select(first.c.height, last.c.height, RUN_UNPARSED.c.asset_id, RUN_UNPARSED.c.event_count)
            .join_from(RUN_UNPARSED, RUN, RUN_UNPARSED.c.run_key == RUN.c.record_id)
            .join(first, RUN.c.first_covered_key == first.c.record_id)
            .join(last, RUN.c.last_covered_key == last.c.record_id)
            .where(last.c.chain_id == chain_id, last.c.record_id.not_in(sa.select(ORPHANED.c.covered_key)))
            .order_by(RUN_UNPARSED.c.record_id)
        )
        with self.read() as connection:
            rows = [*connection.execute(query), *connection.execute(of_backfills)]
        return [(a, b, asset_id, count) for a, b, asset_id, count in rows]

    def authorizations_used(self, chain_id: ChainId) -> dict[str, int]:
        """Base units of each approval that canonical transfers used, by authorization_id."""
        query = (
            sa.select(USE.c.authorization_id, USE.c.base_units)
            .join_from(USE, MATCH, USE.c.match_key == MATCH.c.record_id)
            .join(TRANSFER, MATCH.c.transfer_key == TRANSFER.c.record_id)
            .join(COVERED, TRANSFER.c.covered_key == COVERED.c.record_id)
            .where(COVERED.c.chain_id == chain_id, LIVE)
        )
        used: dict[str, int] = {}
        with self.read() as connection:
            for authorization_id, base_units in connection.execute(query):
                used[authorization_id] = used.get(authorization_id, 0) + base_units
        return used


def _capabilities(connection: sa.Connection, chain_id: ChainId, node_id: str) -> dict[str, str]:
    query = (
        sa.select(CAPABILITY.c.capability, CAPABILITY.c.value)
        .where(CAPABILITY.c.chain_id == chain_id, CAPABILITY.c.node_id == node_id)
        .order_by(CAPABILITY.c.record_id)
    )
    return {capability: value for capability, value in connection.execute(query)}  # noqa: C416 - rows are no pairs to mypy


def has_ended(connection: sa.Connection, start: SweepStart) -> bool:
    """Whether the sweep was completed or abandoned."""
    return connection.execute(sa.select(END.c.record_id).where(END.c.sweep_key == start.sweep_key)).first() is not None


def newest_halt(connection: sa.Connection, chain_id: ChainId) -> sa.Row[Any] | None:
    """The newest halt or resumption of a chain."""
    query = sa.select(HALT).where(HALT.c.chain_id == chain_id).order_by(HALT.c.record_id.desc()).limit(1)
    return connection.execute(query).first()


def covered_tip(connection: sa.Connection, chain_id: ChainId) -> BlockRef | None:
    """The highest covered block that is still canonical."""
    query = sa.select(COVERED).where(COVERED.c.chain_id == chain_id, LIVE).order_by(COVERED.c.height.desc()).limit(1)
    row = connection.execute(query).first()
    return block_of(row) if row else None


def uncovered_heights(connection: sa.Connection, chain_id: ChainId) -> list[int]:
    """Heights between the lowest and the highest canonical covered block that none covers, ascending.

    Blocks are covered on top of one another and never removed, so such a height is one whose block left the chain.
    """
    live, gone = COVERED.alias("live"), COVERED.alias("gone")
    is_live = (live.c.chain_id == chain_id, live.c.record_id.not_in(sa.select(ORPHANED.c.covered_key)))
    query = (
        sa.select(gone.c.height)
        .distinct()
        .join_from(ORPHANED, gone, ORPHANED.c.covered_key == gone.c.record_id)
        .where(
            gone.c.chain_id == chain_id,
            ~sa.exists().where(*is_live, live.c.height == gone.c.height),
            sa.exists().where(*is_live, live.c.height < gone.c.height),
            sa.exists().where(*is_live, live.c.height > gone.c.height),
        )
        .order_by(gone.c.height)
    )
    return list(connection.execute(query).scalars())


def block_of(row: Any) -> BlockRef:
    """The block of a row that holds one."""
    return BlockRef(row.chain_id, row.height, row.block_hash, row.parent_hash, row.block_time)


def live_transfers(
    connection: sa.Connection, chain_id: ChainId, *conditions: sa.ColumnElement[bool]
) -> Iterator[tuple[int, Transfer]]:
    """Canonical movements with their keys, in the order of the chain."""
    query = (
        sa.select(
            TRANSFER, COVERED, ASSET.c.asset_id, ASSET.c.symbol, ASSET.c.decimals, TRANSFER.c.record_id.label("key")
        )
        .join_from(TRANSFER, COVERED, TRANSFER.c.covered_key == COVERED.c.record_id)
        .join(ASSET, TRANSFER.c.asset_key == ASSET.c.record_id)
        .where(COVERED.c.chain_id == chain_id, LIVE, *conditions)
        .order_by(COVERED.c.height, TRANSFER.c.record_id)
    )
    for row in connection.execute(query):
        yield (
            row.key,
            Transfer(
                block=block_of(row),
                tx_id=row.tx_id,
                index=row.log_index,
                asset=Asset(AssetId(row.asset_id), row.symbol, row.decimals),
                sender=row.sender,
                receiver=row.receiver,
                base_units=row.base_units,
                kind=row.kind,
            ),
        )


def judged_covered_key(connection: sa.Connection, chain_id: ChainId) -> int:
    """Key of the newest covered block that a completed sweep has judged; 0 when none was."""
    return _newest_judged(connection, chain_id, END.c.judged_covered_key)


def judged_transfer_key(connection: sa.Connection, chain_id: ChainId) -> int:
    """Key of the newest movement that a completed sweep has judged; 0 when none was."""
    return _newest_judged(connection, chain_id, END.c.judged_transfer_key)


def judged_run_key(connection: sa.Connection, chain_id: ChainId) -> int:
    """Key of the newest run of a backfill that a completed sweep has judged; 0 when none was."""
    return _newest_judged(connection, chain_id, END.c.judged_run_key)


def _newest_judged(connection: sa.Connection, chain_id: ChainId, key: sa.ColumnElement[int | None]) -> int:
    query = sa.select(sa.func.max(key)).join_from(END, SWEEP, END.c.sweep_key == SWEEP.c.record_id)
    return connection.execute(query.where(SWEEP.c.chain_id == chain_id)).scalar() or 0


def unjudged(connection: sa.Connection, chain_id: ChainId) -> sa.ColumnElement[bool]:
    """A movement that no completed sweep has judged: one stored since, or one shown by a backfill since.

    A backfill may show a movement that is known from the other side and was judged from there; that is not done again.
    """
    shown = (
        sa.select(BACKFILLED.c.transfer_key)
        .join_from(BACKFILLED, RUN, BACKFILLED.c.run_key == RUN.c.record_id)
        .join(BACKFILL, RUN.c.backfill_key == BACKFILL.c.record_id)
        .where(BACKFILL.c.chain_id == chain_id, RUN.c.record_id > judged_run_key(connection, chain_id))
        .where(BACKFILLED.c.transfer_key.not_in(sa.select(MATCH.c.transfer_key)))
    )
    newer = TRANSFER.c.record_id > judged_transfer_key(connection, chain_id)
    return sa.or_(newer, TRANSFER.c.record_id.in_(shown))


def start_of(row: Any) -> SweepStart:
    return SweepStart(
        row.record_id,
        row.sweep_id,
        row.chain_id,
        block_of(row),
        Finality.parse(row.finality),
        row.node_id,
        row.header_checked,
        row.known_at,
        row.recorded_at,
        row.expected,
    )


def earlier_sweeps_query(start: SweepStart) -> sa.Select[Any]:
    """Completed sweeps of the chain at lower blocks whose block is not known to be orphaned.

    Left out are sweeps that looked back, at a block below what was covered by then: a wallet that was mapped after
    those blocks were covered was not watched in them.
    """
    covered_before = sa.exists().where(
        COVERED.c.chain_id == SWEEP.c.chain_id,
        COVERED.c.height > SWEEP.c.height,
        COVERED.c.sweep_key < SWEEP.c.record_id,
        LIVE,
    )
    completed = sa.select(END.c.sweep_key).where(END.c.abandoned == "")
    return (
        sa.select(SWEEP)
        .where(SWEEP.c.chain_id == start.chain_id, SWEEP.c.height < start.block.height)
        .where(SWEEP.c.record_id.in_(completed), SWEEP.c.block_hash.not_in(ORPHANED_HASHES), ~covered_before)
    )


def _covered_row(start: SweepStart, block: BlockRef, scan: TransferScan) -> tuple[Canonical, ...]:
    return (
        start.sweep_key,
        block.chain_id,
        block.height,
        block.block_hash,
        block.parent_hash,
        utc_text(block.timestamp),
        scan.node_id,
        scan.mode,
    )


def transfer_row(transfer: Transfer, covered: Mapping[str, int], assets: Mapping[Asset, int]) -> tuple[Canonical, ...]:
    """The row of a movement; `covered` are the keys of covered blocks by hash."""
    return (
        covered[transfer.block.block_hash],
        transfer.tx_id,
        transfer.index,
        transfer.kind.value,
        assets[transfer.asset],
        transfer.sender,
        transfer.receiver,
        str(transfer.base_units),
    )


def _orphan(unit: Unit, chain_id: ChainId, which: sa.ColumnElement[bool], reason: str) -> None:
    query = sa.select(COVERED.c.record_id).where(COVERED.c.chain_id == chain_id, LIVE, which)
    for key in unit.connection.execute(query.order_by(COVERED.c.record_id)).scalars().all():
        unit.add(OrphanedBlockRow, covered_key=key, reason=reason)
