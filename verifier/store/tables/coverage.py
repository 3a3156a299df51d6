"""What of the chain was read how well, and the movements that were read only after their blocks had been covered."""

from __future__ import annotations

import sqlalchemy as sa

from verifier.store.tables.base import DataRow, HotRow, column, rules
from verifier.store.types import Flag, Whole, Words


class WeakerScanRow(HotRow, table=True):
    """That a run of covered blocks was read in a weaker mode than the configuration asked for, and why."""

    __tablename__ = "weaker_scan"
    __table_args__ = rules(sa.UniqueConstraint("last_covered_key"))

    first_covered_key: int = column(Whole(), to="covered_block.record_id")
    last_covered_key: int = column(Whole(), to="covered_block.record_id")
    reason: str = column(Words())


class BackfillRow(DataRow, table=True):
    """Blocks that were covered before some wallets or assets were known, and are to be read again for these."""

    __tablename__ = "backfill"
    __table_args__ = rules(sa.Index(None, "chain_id"))

    sweep_key: int = column(Whole(), to="sweep.record_id")
    """The sweep that found it out."""
    chain_id: str = column(Words())
    of_assets: bool = column(Flag())
    """Whether its items are assets, else wallets."""
    first_height: int = column(Whole())
    last_height: int = column(Whole())


class BackfillItemRow(HotRow, table=True):
    """A wallet (its CAIP-10 id) or an asset (its CAIP-19 id) whose movements are read afterwards."""

    __tablename__ = "backfill_item"
    __table_args__ = rules(sa.UniqueConstraint("backfill_key", "item_key"))

    backfill_key: int = column(Whole(), to="backfill.record_id")
    item_key: int = column(Whole(), to="interned_text.record_id")


class BackfillRunRow(HotRow, table=True):
    """A run of covered blocks that was read again for a backfill, and how."""

    __tablename__ = "backfill_run"
    __table_args__ = rules(sa.UniqueConstraint("backfill_key", "last_covered_key"))

    backfill_key: int = column(Whole(), to="backfill.record_id")
    first_covered_key: int = column(Whole(), to="covered_block.record_id")
    last_covered_key: int = column(Whole(), to="covered_block.record_id")
    node_id: str = column(Words())
    mode: str = column(Words())
    mode_note: str = column(Words())
    """Why the mode is weaker than the one asked for; empty when it is not."""


class BackfilledTransferRow(HotRow, table=True):
    """A movement that a run of a backfill showed: added by it, or known already from another wallet's side."""

    __tablename__ = "backfilled_transfer"
    __table_args__ = rules(sa.UniqueConstraint("run_key", "transfer_key"))

    run_key: int = column(Whole(), to="backfill_run.record_id")
    transfer_key: int = column(Whole(), to="transfer.record_id")


class BackfillUnparsedRow(HotRow, table=True):
    """That a run of a backfill held events of an asset that could not be read as transfers."""

    __tablename__ = "backfill_unparsed"
    __table_args__ = rules(sa.UniqueConstraint("run_key", "asset_id"))

    run_key: int = column(Whole(), to="backfill_run.record_id")
    asset_id: str = column(Words())
    event_count: int = column(Whole())


class BackfillFailureRow(DataRow, table=True):
    """Why a run of a backfill could not be read. What it covers stays a gap until a later sweep reads it."""

    __tablename__ = "backfill_failure"
    __table_args__ = rules(sa.Index(None, "backfill_key"))

    backfill_key: int = column(Whole(), to="backfill.record_id")
    code: str = column(Words())
    reason: str = column(Words())
