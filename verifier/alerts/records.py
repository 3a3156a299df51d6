"""What is told to people: the event of one journal entry, and the message that carries one or several."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final


class AlertEvent(StrEnum):
    """What an alert is about."""

    CASE_OPENED = "case_opened"
    CASE_REOPENED = "case_reopened"
    CASE_PROPOSED = "case_proposed"
    """A resolution waits for another person."""
    CASE_ESCALATED = "case_escalated"
    MISSED_DEPOSIT = "missed_deposit"
    STALE = "stale"
    """Nothing new was seen of a chain for too long."""
    SWEEP_FAILED = "sweep_failed"
    CHAIN_HALTED = "chain_halted"
    JOB_FAILED = "job_failed"
    """A run by the clock failed, was skipped or missed."""
    STATUS_CHANGED = "status_changed"
    LEASE_LOST = "lease_lost"
    """A process ended without giving its work back, and nobody took it up."""
    JOURNAL_BROKEN = "journal_broken"
    """Sent past the outbox: nothing is written to a database whose journal is broken."""
    CREDENTIALS_CHANGED = "credentials_changed"
    """Of an account: a password, a second factor, a token, a role."""
    TEST = "test"


class Severity(StrEnum):
    """How much it matters."""

    INFORMATION = "information"
    WARNING = "warning"
    BREACH = "breach"
    """The books are contradicted, or client assets are short: told at any hour."""


RANK: Final = {Severity.INFORMATION: 0, Severity.WARNING: 1, Severity.BREACH: 2}


class DeliveryState(StrEnum):
    """What became of an alert on one channel."""

    PENDING = "pending"
    SENT = "sent"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True)
class NewAlert:
    """An alert as the act makes it that it speaks of."""

    event: AlertEvent
    severity: Severity
    title: str
    """One line without names of clients, addresses or amounts: it may leave the house."""
    details: str = ""
    """What may name clients: sent only where a channel asks for it."""
    case_id: str = ""
    chain_id: str = ""


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert on record."""

    position: int
    """Order in which alerts were recorded, from 1."""
    sequence: int
    """The journal entry it speaks of."""
    recorded_at: datetime
    new: NewAlert


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent at once to one channel, oldest alert first. A try that is repeated has the same id."""

    message_id: str
    channel: str
    alerts: tuple[Alert, ...]
    attempts: int = 0
    """Tries that failed."""
    next_at: datetime | None = None
    """When it may be tried again."""

    @property
    def severity(self) -> Severity:
        """The gravest of its alerts."""
        return max((each.new.severity for each in self.alerts), key=RANK.__getitem__)


@dataclass(frozen=True, slots=True)
class ChannelCounts:
    """How one channel stands."""

    channel: str
    pending: int
    given_up: int
    sent: int
    failing: int
    """Failed tries of the message that is to be sent next."""
    oldest_at: datetime | None
    """When the oldest pending alert was recorded."""
    code: str = ""
    """Why the newest try failed; empty when nothing is pending or nothing failed."""


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """One alert on one channel, for people."""

    alert: Alert
    channel: str
    state: DeliveryState
    message_id: str
    attempts: int
    code: str
    sent_at: datetime | None
