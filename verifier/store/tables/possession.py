"""Reviews of possession or control, and what people did about deficits: acts, substitutions, decisions, receipts."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa

from verifier.possession.cures import CureKind, ProofKind
from verifier.store.records import InstructionAct
from verifier.store.tables.base import DataRow, column, rules
from verifier.store.types import BaseUnits, CivilDate, EnumText, UtcTime, Whole, Words


class PossessionReviewRow(DataRow, table=True):
    """One review with everything it follows from. Another of the same day names what it replaces."""

    __tablename__ = "possession_review"
    __table_args__ = rules(
        sa.UniqueConstraint("review_id"),
        sa.UniqueConstraint("replaces"),
        sa.Index(None, "as_of"),
        sa.CheckConstraint("replaces IS NULL OR reason <> ''", name="replacement_has_reason"),
    )

    review_id: str = column(Words())
    as_of: date = column(CivilDate())
    rule_set: str = column(Words())
    known_at: datetime = column(UtcTime())
    """The books as known at this time were used."""
    document: str = column(Words())
    """The review's canonical text, its inputs in it."""
    digest: str = column(Words())
    """SHA-256 of the document."""
    inputs_digest: str = column(Words())
    determined_on: date = column(CivilDate())
    """The civil date on which it was made."""
    act_by: date = column(CivilDate())
    """The business day after the determination."""
    replaces: int | None = column(Whole(), to="possession_review.record_id")
    reason: str = column(Words())


class CureActRow(DataRow, table=True):
    """An act on the deficit of one issue, as its maker recorded it."""

    __tablename__ = "cure_act"
    __table_args__ = rules(sa.UniqueConstraint("act_id"))

    act_id: str = column(Words())
    review_key: int = column(Whole(), to="possession_review.record_id")
    security_id: str = column(Words())
    kind: CureKind = column(EnumText(CureKind))
    base_units: int = column(BaseUnits())
    line_id: str = column(Words())
    instructed_at: datetime = column(UtcTime())
    text: str = column(Words())
    maker: str = column(Words())


class SubstitutionRow(DataRow, table=True):
    """A proposed substitution of excess margin securities, with what it was judged on."""

    __tablename__ = "substitution"
    __table_args__ = rules(sa.UniqueConstraint("substitution_id"))

    substitution_id: str = column(Words())
    review_key: int = column(Whole(), to="possession_review.record_id")
    holder_id: str = column(Words())
    from_id: str = column(Words())
    to_id: str = column(Words())
    base_units: int = column(BaseUnits())
    before_digest: str = column(Words())
    after_digest: str = column(Words())
    """SHA-256 of the reviews without and with it when it was proposed."""
    text: str = column(Words())
    maker: str = column(Words())


class ControlDecisionRow(DataRow, table=True):
    """The decision on an act or a substitution, once. Nobody approves their own."""

    __tablename__ = "control_decision"
    __table_args__ = rules(
        sa.UniqueConstraint("act_key"),
        sa.UniqueConstraint("substitution_key"),
        sa.CheckConstraint("(act_key IS NULL) <> (substitution_key IS NULL)", name="decides_one_thing"),
        sa.CheckConstraint("act <> 'approved' OR maker <> checker", name="maker_is_not_checker"),
    )

    act_key: int | None = column(Whole(), to="cure_act.record_id")
    substitution_key: int | None = column(Whole(), to="substitution.record_id")
    act: InstructionAct = column(EnumText(InstructionAct))
    maker: str = column(Words())
    checker: str = column(Words())
    before_digest: str = column(Words())
    after_digest: str = column(Words())
    """Of a substitution, SHA-256 of the reviews without and with it when it was decided; empty for an act."""
    text: str = column(Words())


class CureReceiptRow(DataRow, table=True):
    """A proof that securities of an act were received."""

    __tablename__ = "cure_receipt"
    __table_args__ = rules(sa.Index(None, "act_key"))

    act_key: int = column(Whole(), to="cure_act.record_id")
    kind: ProofKind = column(EnumText(ProofKind))
    reference: str = column(Words())
    digest: str = column(Words())
    received_on: date = column(CivilDate())
    actor: str = column(Words())
