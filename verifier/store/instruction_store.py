"""Deposit and withdrawal instructions for the reserve accounts: made by one person, decided by another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from mapping.reserve_types import BankMovement, MovementSide, ReserveClass, ReserveSweep
from verifier.errors import InputError, InstructionConflict
from verifier.rules.approval import Verdict, Waiting, decide
from verifier.store.codec import CODECS
from verifier.store.engine import Database
from verifier.store.mapping_store import newest_records
from verifier.store.parties import party_of
from verifier.store.records import InstructionAct
from verifier.store.tables import ReserveComputationRow, ReserveDecisionRow, ReserveInstructionRow, table
from verifier.store.unit import Unit

INSTRUCTION, DECISION = table(ReserveInstructionRow), table(ReserveDecisionRow)
COMPUTATION = table(ReserveComputationRow)


@dataclass(frozen=True, slots=True)
class ReliedOn:
    """The computation that a withdrawal relies on, 15c3-3(g), and what it would leave."""

    computation_id: str
    remaining: int
    """US cents that would count after it."""


@dataclass(frozen=True, slots=True)
class InstructionDecision:
    """Who decided an instruction, how, when and on what."""

    act: InstructionAct
    actor: str
    text: str
    recorded_at: datetime
    relied_on: ReliedOn | None
    """For an approved withdrawal: what was checked again at that moment."""


@dataclass(frozen=True, slots=True)
class StoredInstruction:
    """An instruction as recorded. `cents` are US cents of cash, more than zero."""

    instruction_id: str
    direction: MovementSide
    account_id: str
    purpose: ReserveClass
    cents: int
    maker: str
    text: str
    valid_until: date
    relied_on: ReliedOn | None
    recorded_at: datetime
    decision: InstructionDecision | None

    @property
    def is_approved(self) -> bool:
        """Whether another person approved it."""
        return self.decision is not None and self.decision.act is InstructionAct.APPROVED


class InstructionStore(Database):
    """The instructions' side of the store."""

    def reserve_instructions(self, known_at: datetime | None = None) -> list[StoredInstruction]:
        """Every instruction with its decision, in the order they were made, as known at a time."""
        made, decided = COMPUTATION.alias("made"), COMPUTATION.alias("decided")
        query = (
            sa.select(
                INSTRUCTION,
                made.c.computation_id.label("made_on"),
                DECISION.c.act,
                DECISION.c.actor.label("decided_by"),
                DECISION.c.text.label("decided_text"),
                DECISION.c.recorded_at.label("decided_at"),
                DECISION.c.remaining.label("decided_remaining"),
                decided.c.computation_id.label("decided_on"),
            )
            .join_from(INSTRUCTION, made, INSTRUCTION.c.computation_key == made.c.record_id, isouter=True)
            .join(DECISION, DECISION.c.instruction_key == INSTRUCTION.c.record_id, isouter=True)
            .join(decided, DECISION.c.computation_key == decided.c.record_id, isouter=True)
            .order_by(INSTRUCTION.c.record_id)
        )
        if known_at is not None:
            query = query.where(INSTRUCTION.c.recorded_at <= known_at)
        with self.read() as connection:
            return [_instruction(row, known_at) for row in connection.execute(query)]

    def bank_movements(self, known_at: datetime) -> list[BankMovement]:
        """The newest version of every entry of the banks' statements."""
        of = table(CODECS[BankMovement].row_class)
        with self.read() as connection:
            return newest_records(connection, BankMovement, of.c.recorded_at <= known_at)

    def reserve_sweeps(self, known_at: datetime) -> list[ReserveSweep]:
        """The newest version of every sweep of customers' credits."""
        of = table(CODECS[ReserveSweep].row_class)
        with self.read() as connection:
            return newest_records(connection, ReserveSweep, of.c.recorded_at <= known_at)

    def reserve_instruction(self, instruction_id: str) -> StoredInstruction:
        """One instruction. Raises `InputError` when there is none of this id."""
        for each in self.reserve_instructions():
            if each.instruction_id == instruction_id:
                return each
        raise InputError(f"there is no instruction {instruction_id}")

    def add_instruction(
        self,
        direction: MovementSide,
        account_id: str,
        purpose: ReserveClass,
        cents: int,
        valid_until: date,
        text: str,
        actor: str,
        now: datetime,
        check: Callable[[], ReliedOn | None],
    ) -> StoredInstruction:
        """Record an instruction; `check` is asked as the one writer, and raises when it may not be made."""
        payload = {"account_id": account_id, "cents": str(cents), "direction": direction.value}
        with self.record("reserve.instructed", actor, payload, now) as unit:
            relied_on = check()
            count = unit.connection.execute(sa.select(sa.func.count()).select_from(INSTRUCTION)).scalar_one()
            instruction_id = f"RI-{count + 1:06d}"
            unit.add(
                ReserveInstructionRow,
                instruction_id=instruction_id,
                direction=direction,
                account_id=account_id,
                purpose=purpose,
                cents=cents,
                actor=actor,
                text=text,
                valid_until=valid_until,
                **_relied_on(unit, relied_on),
            )
        return self.reserve_instruction(instruction_id)

    def decide_instruction(
        self,
        instruction_id: str,
        act: InstructionAct,
        text: str,
        actor: str,
        now: datetime,
        check: Callable[[StoredInstruction], ReliedOn | None],
    ) -> StoredInstruction:
        """Approve or refuse an instruction that waits; `check` is asked as the one writer, before an approval.

        Raises `InstructionConflict` when it was decided already or its maker would approve it, and what `check` raises.
        """
        with self.record(f"reserve.{act}", actor, {"instruction_id": instruction_id}, now) as unit:
            found = self.reserve_instruction(instruction_id)
            if found.decision is not None:
                raise InstructionConflict(f"{instruction_id} was {found.decision.act} by {found.decision.actor}")
            approves = act is InstructionAct.APPROVED
            maker, checker = (party_of(unit.connection, each) for each in (found.maker, actor))
            verdict = Verdict.APPROVE if approves else Verdict.RETURN
            decide(Waiting(instruction_id, maker, ""), verdict, checker, conflict=InstructionConflict)
            relied_on = check(found) if approves else None
            key = unit.connection.execute(
                sa.select(INSTRUCTION.c.record_id).where(INSTRUCTION.c.instruction_id == instruction_id)
            ).scalar_one()
            unit.add(
                ReserveDecisionRow,
                instruction_key=key,
                act=act,
                actor=actor,
                maker=found.maker,
                text=text,
                **_relied_on(unit, relied_on),
            )
        return self.reserve_instruction(instruction_id)


def _relied_on(unit: Unit, relied_on: ReliedOn | None) -> dict[str, int | None]:
    if relied_on is None:
        return {"computation_key": None, "remaining": None}
    query = sa.select(COMPUTATION.c.record_id).where(COMPUTATION.c.computation_id == relied_on.computation_id)
    return {"computation_key": unit.connection.execute(query).scalar_one(), "remaining": relied_on.remaining}


def _instruction(row: Any, known_at: datetime | None) -> StoredInstruction:
    decision = None
    if row.act is not None and (known_at is None or row.decided_at <= known_at):
        relied = ReliedOn(row.decided_on, row.decided_remaining) if row.decided_on is not None else None
        decision = InstructionDecision(row.act, row.decided_by, row.decided_text, row.decided_at, relied)
    return StoredInstruction(
        row.instruction_id,
        row.direction,
        row.account_id,
        row.purpose,
        row.cents,
        row.actor,
        row.text,
        row.valid_until,
        ReliedOn(row.made_on, row.remaining) if row.made_on is not None else None,
        row.recorded_at,
        decision,
    )
