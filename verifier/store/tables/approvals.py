"""Changes of the mapping and of the policies that one person proposed, and what another decided."""

from __future__ import annotations

import sqlalchemy as sa

from verifier.store.records import ChangeKind, InstructionAct
from verifier.store.tables.base import DataRow, column, rules
from verifier.store.types import EnumText, Flag, Whole, Words


class ChangeProposalRow(DataRow, table=True):
    """A change that was proposed, or only noted where the firm asks for no approval of its kind."""

    __tablename__ = "change_proposal"
    __table_args__ = rules(sa.UniqueConstraint("proposal_id"), sa.Index(None, "kind"), sa.Index(None, "digest"))

    proposal_id: str = column(Words())
    kind: ChangeKind = column(EnumText(ChangeKind))
    digest: str = column(Words())
    """SHA-256 of `content`: what an approval is bound to."""
    content: str = column(Words())
    """Canonical JSON: the files by digest, the row, or the policies themselves."""
    text: str = column(Words())
    maker: str = column(Words())
    maker_person: str | None = column(Words())
    needs_approval: bool = column(Flag())


class ChangeDecisionRow(DataRow, table=True):
    """The decision on a proposed change, once. Nobody approves their own."""

    __tablename__ = "change_decision"
    __table_args__ = rules(
        sa.UniqueConstraint("proposal_key"),
        sa.CheckConstraint("act <> 'approved' OR maker <> actor", name="maker_is_not_checker"),
        sa.CheckConstraint(
            "act <> 'approved' OR maker_person IS NULL OR person_id IS NULL OR maker_person <> person_id",
            name="maker_is_another_person",
        ),
    )

    proposal_key: int = column(Whole(), to="change_proposal.record_id")
    act: InstructionAct = column(EnumText(InstructionAct))
    actor: str = column(Words())
    person_id: str | None = column(Words())
    maker: str = column(Words())
    maker_person: str | None = column(Words())
    digest: str = column(Words())
    """Of the content that was approved: the same as the proposal's."""
    text: str = column(Words())
