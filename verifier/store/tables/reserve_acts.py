"""What people do about the reserve: instructions to its banks with maker and checker."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from mapping.reserve_types import MovementSide, ReserveClass
from verifier.store.records import InstructionAct
from verifier.store.tables.base import DataRow, column, rules
from verifier.store.types import BaseUnits, CivilDate, EnumText, Whole, Words


class ReserveInstructionRow(DataRow, table=True):
    """An instruction that one person made: cash into a reserve account, or out of it."""

    __tablename__ = "reserve_instruction"
    __table_args__ = rules(
        sa.UniqueConstraint("instruction_id"),
        sa.Index(None, "account_id"),
        sa.CheckConstraint(
            "direction <> 'withdrawal' OR (computation_key IS NOT NULL AND remaining IS NOT NULL)",
            name="withdrawal_relies_on_computation",
        ),
    )

    instruction_id: str = column(Words())
    direction: MovementSide = column(EnumText(MovementSide))
    account_id: str = column(Words())
    purpose: ReserveClass = column(EnumText(ReserveClass))
    cents: int = column(BaseUnits())
    actor: str = column(Words())
    """The maker."""
    text: str = column(Words())
    valid_until: date = column(CivilDate())
    """Last banking day on which it may be approved and executed."""
    computation_key: int | None = column(Whole(), to="reserve_computation.record_id")
    """The computation relied on, 15c3-3(g)."""
    remaining: int | None = column(BaseUnits())
    """What would count after the withdrawal, in cents, when it was made."""


class ReserveDecisionRow(DataRow, table=True):
    """What became of an instruction: one decision, and nobody approves their own."""

    __tablename__ = "reserve_decision"
    __table_args__ = rules(
        sa.UniqueConstraint("instruction_key"),
        sa.CheckConstraint("act <> 'approved' OR maker <> actor", name="maker_is_not_checker"),
    )

    instruction_key: int = column(Whole(), to="reserve_instruction.record_id")
    act: InstructionAct = column(EnumText(InstructionAct))
    actor: str = column(Words())
    maker: str = column(Words())
    text: str = column(Words())
    computation_key: int | None = column(Whole(), to="reserve_computation.record_id")
    """The computation relied on when it was approved: checked again at that moment."""
    remaining: int | None = column(BaseUnits())
