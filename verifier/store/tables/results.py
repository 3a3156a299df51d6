"""What the comparison found, the cases people work on, and the bundles that were issued."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from chains.types import AnchorEvidence, StateEvidence
from verifier.records import FindingKind, MatchOutcome, Rail, Status
from verifier.store.records import CaseAct
from verifier.store.tables.base import DataRow, HotRow, column, finish, rules
from verifier.store.types import BaseUnits, EnumText, Flag, UtcTime, Whole, Words


class ReconciliationRow(HotRow, table=True):
    """Claimed against observed for one asset at one location in one sweep."""

    __tablename__ = "reconciliation"
    __table_args__ = rules(
        sa.UniqueConstraint("sweep_key", "rail", "location_key", "asset_key"),
        sa.CheckConstraint("(observed IS NULL) = (difference IS NULL)", name="difference_of_observed"),
    )

    sweep_key: int = column(Whole(), to="sweep.record_id")
    rail: Rail = column(EnumText(Rail))
    location_key: int = column(Whole(), to="interned_text.record_id")
    asset_key: int = column(Whole(), to="asset_value.record_id")
    status: Status = column(EnumText(Status))
    claimed: int = column(BaseUnits())
    gas_float_recorded: int = column(BaseUnits())
    gas_float_observed: int = column(BaseUnits())
    observed: int | None = column(BaseUnits())
    difference: int | None = column(BaseUnits())
    claimed_as_of: datetime | None = column(UtcTime())
    """NULL: the time of the sweep's block."""
    observed_as_of: datetime | None = column(UtcTime())
    """NULL: the time of the sweep's block."""
    state: StateEvidence = column(EnumText(StateEvidence))
    anchor: AnchorEvidence = column(EnumText(AnchorEvidence))
    reason: str | None = column(Words())


class StatementCheckRow(HotRow, table=True):
    """The custodian's own statement of a reconciled position, and how it compares."""

    __tablename__ = "statement_check"
    __table_args__ = rules(sa.UniqueConstraint("reconciliation_key"))

    reconciliation_key: int = column(Whole(), to="reconciliation.record_id")
    base_units: int = column(BaseUnits())
    as_of: datetime = column(UtcTime())
    stated_by: str = column(Words())
    statement_id: str = column(Words())
    status: Status = column(EnumText(Status))
    reason: str = column(Words())


class RollForwardRow(HotRow, table=True):
    """Opening plus received minus sent minus fees against closing, for one asset at one address."""

    __tablename__ = "roll_forward"
    __table_args__ = rules(sa.UniqueConstraint("sweep_key", "location_key", "asset_key"))

    sweep_key: int = column(Whole(), to="sweep.record_id")
    """The sweep whose block is the closing one."""
    location_key: int = column(Whole(), to="interned_text.record_id")
    asset_key: int = column(Whole(), to="asset_value.record_id")
    opening_sweep_key: int = column(Whole(), to="sweep.record_id")
    """The sweep whose block is the opening one."""
    opening: int = column(BaseUnits())
    received: int = column(BaseUnits())
    sent: int = column(BaseUnits())
    fees: int = column(BaseUnits())
    closing: int | None = column(BaseUnits())
    status: Status = column(EnumText(Status))
    reason: str = column(Words())


class TransferMatchRow(HotRow, table=True):
    """An outgoing transfer and the authorization it was matched to, or why it was not."""

    __tablename__ = "transfer_match"
    __table_args__ = rules(sa.UniqueConstraint("transfer_key"), sa.Index(None, "authorization_id"))

    transfer_key: int = column(Whole(), to="transfer.record_id")
    sweep_key: int = column(Whole(), to="sweep.record_id")
    outcome: MatchOutcome = column(EnumText(MatchOutcome))
    authorization_id: str = column(Words())
    commingling: bool = column(Flag())
    for_review: bool = column(Flag())
    reason: str = column(Words())


class ApprovalUseRow(HotRow, table=True):
    """What a transfer took from one of the authorizations it executes."""

    __tablename__ = "approval_use"
    __table_args__ = rules(sa.UniqueConstraint("match_key", "authorization_id"), sa.Index(None, "authorization_id"))

    match_key: int = column(Whole(), to="transfer_match.record_id")
    authorization_id: str = column(Words())
    base_units: int = column(BaseUnits())


class CaseRow(DataRow, table=True):
    """A discrepancy that somebody must explain. A finding seen again after its case was closed is a new occurrence."""

    __tablename__ = "custody_case"
    __table_args__ = rules(
        sa.UniqueConstraint("case_id"),
        sa.UniqueConstraint("finding_key", "occurrence"),
        sa.CheckConstraint("occurrence >= 1", name="occurrence_counts"),
    )

    case_id: str = column(Words())
    finding_key: str = column(Words())
    occurrence: int = column(Whole())
    kind: FindingKind = column(EnumText(FindingKind))
    rail: Rail = column(EnumText(Rail))
    location_id: str = column(Words())
    asset_key: int | None = column(Whole(), to="asset_value.record_id")
    subject: str = column(Words())
    chain_id: str = column(Words())
    """The chain whose sweep opened it; empty on other rails."""


class CaseEventRow(DataRow, table=True):
    """One thing that happened to a case. Nobody approves or returns their own proposal."""

    __tablename__ = "case_event"
    __table_args__ = rules(
        sa.Index(None, "case_key"),
        sa.UniqueConstraint("case_key", "act", "sweep_key"),
        sa.CheckConstraint(
            "act NOT IN ('approved', 'endorsed', 'returned') OR (maker IS NOT NULL AND proposal_key IS NOT NULL)",
            name="decision_names_proposal",
        ),
        sa.CheckConstraint("act NOT IN ('approved', 'endorsed') OR maker <> actor", name="maker_is_not_checker"),
        sa.CheckConstraint(
            "act NOT IN ('approved', 'endorsed') OR maker_person IS NULL OR person_id IS NULL "
            "OR maker_person <> person_id",
            name="maker_is_another_person",
        ),
        sa.CheckConstraint(
            "act NOT IN ('proposed', 'approved', 'endorsed') OR (facts_digest IS NOT NULL AND seen_digest IS NOT NULL)",
            name="decision_is_bound",
        ),
    )

    case_key: int = column(Whole(), to="custody_case.record_id")
    act: CaseAct = column(EnumText(CaseAct))
    actor: str = column(Words())
    sweep_key: int | None = column(Whole(), to="sweep.record_id")
    base_units: int | None = column(BaseUnits())
    text: str = column(Words())
    height: int | None = column(Whole())
    block_hash: str | None = column(Words())
    parent_hash: str | None = column(Words())
    block_time: datetime | None = column(UtcTime())
    tx_id: str = column(Words())
    provisional: bool = column(Flag())
    proposal_key: int | None = column(Whole(), to="case_event.record_id")
    maker: str | None = column(Words())
    maker_person: str | None = column(Words())
    """The account behind the maker; NULL for a name without one."""
    person_id: str | None = column(Words())
    """The account behind the actor; NULL for the machine and for a name without one."""
    facts_digest: str | None = column(Words())
    """Of a proposal and its decision: SHA-256 of what the resolution is about, the same in both."""
    seen_digest: str | None = column(Words())
    """Of a proposal and its decision: SHA-256 of everything that was before whoever acted."""
    detail: str | None = column(Words())
    """Canonical JSON: what the act says besides its text."""


class AttachmentContentRow(DataRow, table=True):
    """The bytes of a document, stored once under their SHA-256, whatever they are attached to."""

    __tablename__ = "attachment_content"
    __table_args__ = rules(
        sa.UniqueConstraint("sha256"), sa.CheckConstraint("byte_count > 0", name="content_is_not_empty")
    )

    sha256: str = column(Words())
    byte_count: int = column(Whole())
    media_type: str = column(Words())
    content: str = column(Words())
    """Base64."""


class CaseCoverRow(HotRow, table=True):
    """A holding that a case speaks of, when one case stands for many."""

    __tablename__ = "case_cover"
    __table_args__ = rules(sa.UniqueConstraint("event_key", "location_key", "asset_key"))

    event_key: int = column(Whole(), to="case_event.record_id")
    location_key: int = column(Whole(), to="interned_text.record_id")
    asset_key: int = column(Whole(), to="interned_text.record_id")


class BundleIssuedRow(DataRow, table=True):
    """A bundle that was written for an auditor, and the journal head it names."""

    __tablename__ = "bundle_issued"
    __table_args__ = rules(sa.UniqueConstraint("bundle_id"), sa.UniqueConstraint("sequence"))

    bundle_id: str = column(Words())
    sequence: int = column(Whole())
    digest: str = column(Words())
    """SHA-256 of the manifest that was signed."""
    as_of: datetime = column(UtcTime())
    path: str = column(Words())
    head_sequence: int = column(Whole())
    head_digest: str = column(Words())


class BundleBlockRow(DataRow, table=True):
    """The block of one chain that a bundle speaks of: when it leaves the chain, later bundles say so."""

    __tablename__ = "bundle_block"
    __table_args__ = rules(sa.UniqueConstraint("bundle_key", "chain_id"))

    bundle_key: int = column(Whole(), to="bundle_issued.record_id")
    chain_id: str = column(Words())
    height: int = column(Whole())
    block_hash: str = column(Words())


finish()
