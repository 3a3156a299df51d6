"""Alerts and what became of them on each channel. No evidence: what they speak of is in the journal, and so is that
they were sent. They go when they are old."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlmodel import Field

from verifier.alerts.records import AlertEvent, DeliveryState, Severity
from verifier.store.tables.base import StoredRow, column, rules
from verifier.store.types import EnumText, UtcTime, Whole, Words


class AlertRow(StoredRow, table=True):
    """One alert, written in the transaction of the act it speaks of."""

    __tablename__ = "alert"
    __table_args__ = rules(sa.Index(None, "recorded_at"))

    position: int = Field(
        primary_key=True, sa_type=cast("Any", Whole()), sa_column_kwargs={"autoincrement": False}, description="Order."
    )
    sequence: int = column(Whole())
    """The journal entry it speaks of."""
    recorded_at: datetime = column(UtcTime())
    event: AlertEvent = column(EnumText(AlertEvent))
    severity: Severity = column(EnumText(Severity))
    title: str = column(Words())
    details: str = column(Words())
    case_id: str = column(Words())
    chain_id: str = column(Words())


class AlertChannelRow(StoredRow, table=True):
    """A channel of the configuration that was seen by a sender."""

    __tablename__ = "alert_channel"
    __table_args__ = rules()

    name: str = Field(primary_key=True, sa_type=cast("Any", Words()))
    planned_to: int = column(Whole())
    """Position of the newest alert that was looked at for this channel."""


class AlertDeliveryRow(StoredRow, table=True):
    """One alert that a channel wants."""

    __tablename__ = "alert_delivery"
    __table_args__ = rules(sa.Index(None, "channel", "state"))

    channel: str = Field(primary_key=True, sa_type=cast("Any", Words()))
    position: int = Field(
        primary_key=True,
        foreign_key="alert.position",
        sa_type=cast("Any", Whole()),
        sa_column_kwargs={"autoincrement": False},
    )
    state: DeliveryState = column(EnumText(DeliveryState))
    message_id: str = column(Words())
    """The message it goes with; empty until it is in one."""
    attempts: int = column(Whole())
    next_at: datetime | None = column(UtcTime())
    """When a failed message may be tried again."""
    ended_at: datetime | None = column(UtcTime())
    """When it was sent, or given up."""
    code: str = column(Words())
    """Why the newest try failed."""
