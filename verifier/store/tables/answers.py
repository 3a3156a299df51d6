"""Answers of nodes as they came: each once by its digest, and which balances of which sweep it decided."""

from __future__ import annotations

import sqlalchemy as sa

from verifier.store.tables.base import HotRow, column, rules
from verifier.store.types import Whole, Words


class NodeAnswerRow(HotRow, table=True):
    """What a node was asked and what it answered, kept once."""

    __tablename__ = "node_answer"
    __table_args__ = rules(sa.UniqueConstraint("digest"))

    digest: str = column(Words())
    """SHA-256 of the exchange (`chains.kept_answers`), in hexadecimal digits."""
    content: str = column(Words())
    """The exchange, compressed with zlib, in base64."""


class SweepAnswerRow(HotRow, table=True):
    """Balances that a sweep asked for together, and the answers that decided them."""

    __tablename__ = "sweep_answer"
    __table_args__ = rules(sa.Index("ix_sweep_answer_sweep_key", "sweep_key"))

    sweep_key: int = column(Whole(), to="sweep.record_id")
    node_id: str = column(Words())
    method: str = column(Words())
    """The way of reading."""
    addresses: str = column(Words())
    """In the order in which they were asked for, separated by blanks, compressed with zlib, in base64."""
    asset_ids: str = column(Words())
    """In the order in which they were asked for, separated by blanks."""
    decided: int = column(Whole())
    """How many of the addresses, from the first, the answers decide."""
    digests: str = column(Words())
    """Of the answers, separated by blanks, in the order in which they came; empty when they were not kept."""
    reason: str = column(Words())
    """Why they were not kept; empty when they were."""
