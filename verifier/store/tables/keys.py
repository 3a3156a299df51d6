"""Proof of control: what was asked of the keys of wallets, and every signature that was given."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from chains.key_schemes import SignatureScheme
from verifier.key_proof import ProofOutcome
from verifier.store.tables.base import DataRow, column, rules
from verifier.store.types import EnumText, UtcTime, Whole, Words


class KeyChallengeRow(DataRow, table=True):
    """A challenge to the keys of some addresses; a nonce is used once."""

    __tablename__ = "key_challenge"
    __table_args__ = rules(sa.UniqueConstraint("nonce"), sa.Index(None, "chain_id"))

    chain_id: str = column(Words())
    nonce: str = column(Words())
    document: str = column(Words())
    """The challenge in canonical JSON, whose digest is signed."""
    addresses: str = column(Words())
    """The addresses asked, sorted, in canonical JSON."""


class KeyAnswerRow(DataRow, table=True):
    """One signature that was given to a challenge, and what it is worth. One address is accepted once."""

    __tablename__ = "key_answer"
    __table_args__ = rules(
        sa.Index(None, "challenge_key"),
        sa.Index(
            "uq_key_answer_accepted",
            "challenge_key",
            "address",
            unique=True,
            sqlite_where=sa.text("outcome = 'accepted'"),
            postgresql_where=sa.text("outcome = 'accepted'"),
        ),
        sa.CheckConstraint("(outcome = 'accepted') = (code = '')", name="accepted_or_code"),
        sa.CheckConstraint("outcome <> 'accepted' OR block_hash IS NOT NULL", name="accepted_at_block"),
    )

    challenge_key: int = column(Whole(), to="key_challenge.record_id")
    address: str = column(Words())
    scheme: SignatureScheme = column(EnumText(SignatureScheme))
    signature: str = column(Words())
    outcome: ProofOutcome = column(EnumText(ProofOutcome))
    code: str = column(Words())
    reason: str = column(Words())
    account_kind: str = column(Words())
    coins: str = column(Words())
    """The coins that an accepted proof signs for, in canonical JSON; an empty list where it signs for none."""
    node_id: str = column(Words())
    height: int | None = column(Whole())
    """The block at which the chain was asked; NULL when it was not asked."""
    block_hash: str | None = column(Words())
    parent_hash: str | None = column(Words())
    block_time: datetime | None = column(UtcTime())
