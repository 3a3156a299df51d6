"""Where remainders arose: what was searched, which blocks were traced, and the changes that were found."""

from __future__ import annotations

import sqlalchemy as sa

from verifier.rules.changes import SearchMode
from verifier.store.tables.base import DataRow, HotRow, column, rules
from verifier.store.types import BaseUnits, EnumText, Whole, Words


class ChangeSearchRow(DataRow, table=True):
    """That a sweep looked for changes that no event explains; all it found came in the same transaction."""

    __tablename__ = "change_search"
    __table_args__ = rules(sa.UniqueConstraint("sweep_key"))

    sweep_key: int = column(Whole(), to="sweep.record_id")
    mode: SearchMode = column(EnumText(SearchMode))
    first_height: int = column(Whole())
    last_height: int = column(Whole())
    blocks_read: int = column(Whole())
    node_id: str = column(Words())
    note: str = column(Words())
    """Why it is less than was asked for; empty when it is not."""


class TracedBlockRow(HotRow, table=True):
    """That a covered block was traced, by which way and node, or why it could not be."""

    __tablename__ = "traced_block"
    __table_args__ = rules(
        sa.UniqueConstraint("sweep_key", "covered_key"),
        sa.CheckConstraint("(method = '') = (note <> '')", name="method_or_note"),
    )

    sweep_key: int = column(Whole(), to="sweep.record_id")
    covered_key: int = column(Whole(), to="covered_block.record_id")
    method: str = column(Words())
    node_id: str = column(Words())
    transfer_count: int = column(Whole())
    """Internal transfers at watched addresses that it showed."""
    note: str = column(Words())


class ChangeStepRow(HotRow, table=True):
    """A change of one balance that no event explains, and what traces left of it."""

    __tablename__ = "change_step"
    __table_args__ = rules(
        sa.UniqueConstraint("sweep_key", "location_key", "asset_key", "height"),
        sa.CheckConstraint("after_height < height", name="after_before_height"),
    )

    sweep_key: int = column(Whole(), to="sweep.record_id")
    location_key: int = column(Whole(), to="interned_text.record_id")
    asset_key: int = column(Whole(), to="asset_value.record_id")
    after_height: int = column(Whole())
    height: int = column(Whole())
    found: int = column(BaseUnits())
    left_over: int = column(BaseUnits())
    tx_ids: str = column(Words())
    """Transactions that changed the balance, separated by blanks."""
    note: str = column(Words())
