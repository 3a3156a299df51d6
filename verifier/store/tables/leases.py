"""Who works on what right now. The one table whose rows change: it is no record, and no evidence rests on it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from sqlmodel import Field

from verifier.store.tables.base import StoredRow, column, rules
from verifier.store.types import UtcTime, Whole, Words


class WorkLeaseRow(StoredRow, table=True):
    """The newest lease on one piece of work."""

    __tablename__ = "work_lease"
    __table_args__ = rules()

    name: str = Field(primary_key=True, sa_type=cast("Any", Words()))
    """What is worked on, such as `chain:eip155:1`."""
    token: int = column(Whole())
    """The fencing number: one more with each taking; who writes under an older one is refused."""
    holder: str = column(Words())
    """Process that took it, see `verifier.process_identity`; empty after it was given back."""
    taken_at: datetime = column(UtcTime())
    expires_at: datetime = column(UtcTime())
    """From then on anybody may take it."""
