"""Requests to the API that were answered, so that one that is sent twice does its work once. No record of anything."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlmodel import Field

from verifier.store.tables.base import StoredRow, column, rules
from verifier.store.types import UtcTime, Whole, Words


class ApiRequestRow(StoredRow, table=True):
    """One request under a key of whoever sent it, with its answer once there is one."""

    __tablename__ = "api_request"
    __table_args__ = rules(sa.Index(None, "started_at"))

    key_digest: str = Field(primary_key=True, sa_type=cast("Any", Words()))
    """SHA-256 over the person and the key they chose."""
    request_digest: str = column(Words())
    """SHA-256 over the path and what was asked."""
    started_at: datetime = column(UtcTime())
    status: int | None = column(Whole())
    """HTTP status of the answer; NULL while the work goes on."""
    body: str | None = column(Words())
    """The answer as it was sent."""
