"""Who else could move what stands in the wallets: what sweeps asked, and what they were told."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from chains.evm.encumbrance_types import AccountRole, Answer, GrantKind
from verifier.store.tables.base import HotRow, column, rules
from verifier.store.types import BaseUnits, EnumText, UtcTime, Whole, Words


class ApprovalScanRow(HotRow, table=True):
    """That approval events were looked through up to a block; the newest row of a chain says how far."""

    __tablename__ = "approval_scan"
    __table_args__ = rules(sa.Index(None, "chain_id"))

    sweep_key: int = column(Whole(), to="sweep.record_id")
    chain_id: str = column(Words())
    first_height: int = column(Whole())
    height: int = column(Whole())
    block_hash: str = column(Words())
    parent_hash: str = column(Words())
    block_time: datetime = column(UtcTime())
    node_id: str = column(Words())
    watched_key: int = column(Whole(), to="interned_text.record_id")
    """Whose approvals of which tokens, in canonical JSON."""
    odd: str = column(Words())
    """Canonical JSON: of each token, how many approval events of the whole range name no spender."""
    late: str = column(Words())
    """Canonical JSON: what is still to be looked through for whom was mapped later, [watched_key, next, last] each."""


class ApprovalCandidateRow(HotRow, table=True):
    """A pair of owner and spender seen in an approval event: where every later sweep of the chain asks."""

    __tablename__ = "approval_candidate"
    __table_args__ = rules(sa.UniqueConstraint("kind", "owner", "asset_id", "spender"))

    scan_key: int = column(Whole(), to="approval_scan.record_id")
    kind: GrantKind = column(EnumText(GrantKind))
    owner: str = column(Words())
    asset_id: str = column(Words())
    spender: str = column(Words())


class EncumbranceReviewRow(HotRow, table=True):
    """That a sweep asked who else could move what is there; its answers came in the same transaction."""

    __tablename__ = "encumbrance_review"
    __table_args__ = rules(
        sa.UniqueConstraint("sweep_key"),
        sa.CheckConstraint("(failure = '') = (scan_key IS NOT NULL)", name="answers_or_failure"),
    )

    sweep_key: int = column(Whole(), to="sweep.record_id")
    node_id: str = column(Words())
    failure: str = column(Words())
    """Why nothing could be learnt: a stable code, then one sentence; empty when it was."""
    scan_key: int | None = column(Whole(), to="approval_scan.record_id")
    compared_sweep_key: int | None = column(Whole(), to="sweep.record_id")
    """The earlier sweep whose review this one is compared with; NULL for the first."""
    controls_sweep_key: int | None = column(Whole(), to="sweep.record_id")
    """The sweep whose control states hold for this one too, apart from those that this one has itself; NULL where all
    are its own."""
    assets: str = column(Words())
    """Keys of the tokens asked for in `asset_value`, a JSON array."""
    wallets_asked: int = column(Whole())
    pairs_asked: int = column(Whole())
    restrictions_asked: int = column(Whole())


class EncumbranceGrantRow(HotRow, table=True):
    """What a spender may take at a sweep's block: not zero, or not known."""

    __tablename__ = "encumbrance_grant"
    __table_args__ = rules(
        sa.UniqueConstraint("sweep_key", "kind", "owner", "asset_key", "spender"),
        sa.CheckConstraint("(base_units IS NULL) = (reason IS NOT NULL)", name="amount_or_reason"),
    )

    sweep_key: int = column(Whole(), to="sweep.record_id")
    kind: GrantKind = column(EnumText(GrantKind))
    owner: str = column(Words())
    asset_key: int = column(Whole(), to="asset_value.record_id")
    spender: str = column(Words())
    base_units: int | None = column(BaseUnits())
    expires_at_seconds: int | None = column(Whole())
    reason: str | None = column(Words())


class ControlStateRow(HotRow, table=True):
    """Who controls an account at a sweep's block, where it is not as at the sweep that the review names.

    The facts repeat from account to account and are kept once.
    """

    __tablename__ = "control_state"
    __table_args__ = rules(sa.UniqueConstraint("sweep_key", "address"))

    sweep_key: int = column(Whole(), to="sweep.record_id")
    address: str = column(Words())
    role: AccountRole = column(EnumText(AccountRole))
    facts_key: int = column(Whole(), to="interned_text.record_id")
    nonce: int | None = column(Whole())
    known_key: int = column(Whole(), to="interned_text.record_id")
    """The same with what an earlier sweep knew where this one could not read: what the next one is compared with."""
    known_nonce: int | None = column(Whole())


class RestrictionRow(HotRow, table=True):
    """What a token said about itself or a holder: that it is stopped, that it cannot be asked, or no answer.

    That a holder is not stopped has no row; the review counts the questions.
    """

    __tablename__ = "restriction"
    __table_args__ = rules(sa.Index(None, "sweep_key"))

    sweep_key: int = column(Whole(), to="sweep.record_id")
    asset_key: int = column(Whole(), to="asset_value.record_id")
    question: str = column(Words())
    holder: str | None = column(Words())
    answer: Answer = column(EnumText(Answer))
    reason: str = column(Words())
