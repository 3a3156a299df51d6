"""Sending what waits in the outbox: in order on each channel, at least once, with pauses that grow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import structlog

from verifier.alerts.channel import NotSent
from verifier.alerts.records import RANK, Alert, Message, Severity
from verifier.errors import ConfigError

if TYPE_CHECKING:
    from verifier.config import Settings
    from verifier.settings.alerts import AlertSettings
    from verifier.store import Store

LEASE: Final = "alerts"
"""The lease that senders hold: one sends, the others stand by."""
PAUSE: Final = timedelta(seconds=30)
PAUSE_MAX: Final = timedelta(hours=1)

log = structlog.get_logger(__name__)

Deliver = Callable[["AlertSettings", Message, datetime], None]
"""Sends one message once; raises `NotSent` or `ConfigError`."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one pass did on one channel."""

    channel: str
    sent: int = 0
    """Messages."""
    alerts: int = 0
    """Alerts in them."""
    failed: str = ""
    """Code of a try that failed."""
    gave_up: int = 0
    """Messages given up."""


def wants(settings: AlertSettings, alert: Alert) -> bool:
    """Whether a channel is told of an alert."""
    if settings.events:
        return alert.new.event in settings.events
    return RANK[alert.new.severity] >= RANK[settings.severity]


def is_quiet(hours: tuple[time, time] | None, zone: str, now: datetime) -> bool:
    """Whether a moment is in the quiet hours, which may pass midnight."""
    if hours is None:
        return False
    at, (begin, end) = now.astimezone(ZoneInfo(zone)).time(), hours
    return begin <= at < end if begin <= end else at >= begin or at < end


def pause_after(failures: int) -> timedelta:
    """How long to wait after so many failed tries, at least one: 30 seconds, doubled with each, an hour at most."""
    doublings = min(max(failures - 1, 0), 16)
    return min(PAUSE_MAX, PAUSE * (1 << doublings))


def send_pending(
    store: Store, settings: Settings, deliver: Deliver, clock: Callable[[], datetime], actor: str
) -> list[Outcome]:
    """One pass over all channels. The caller holds the lease."""
    return [_send_channel(store, settings, each, deliver, clock, actor) for each in settings.alerts]


def _send_channel(
    store: Store,
    settings: Settings,
    channel: AlertSettings,
    deliver: Deliver,
    clock: Callable[[], datetime],
    actor: str,
) -> Outcome:
    store.plan_alerts(channel.name, lambda alert: wants(channel, alert), clock())
    sent = alerts = gave_up = 0
    while True:
        now = clock()
        message = store.message_under_way(channel.name) or _formed(store, settings, channel, now)
        if message is None or (message.next_at is not None and message.next_at > now):
            return Outcome(channel.name, sent, alerts, "", gave_up)
        try:
            deliver(channel, message, now)
        except Exception as error:  # noqa: BLE001 - a channel that breaks must not stop the others; texts hold secrets
            code = error.code if isinstance(error, NotSent | ConfigError) else f"broken-{type(error).__name__}"
            log.warning("alert not sent", channel=channel.name, message_id=message.message_id, code=code)
            if message.attempts + 1 < channel.attempts_max:
                store.alerts_failed(message, code, clock() + pause_after(message.attempts + 1))
                return Outcome(channel.name, sent, alerts, code, gave_up)
            store.alerts_given_up(message, code, actor, clock())
            log.error("alert given up", channel=channel.name, message_id=message.message_id, code=code)
            return Outcome(channel.name, sent, alerts, code, gave_up + 1)
        store.alerts_sent(message, actor, clock())
        sent, alerts = sent + 1, alerts + len(message.alerts)


def _formed(store: Store, settings: Settings, channel: AlertSettings, now: datetime) -> Message | None:
    """The next message, unless it is too soon for one; quiet hours and pauses do not hold a breach back."""
    newest = store.newest_sent_at(channel.name)
    early = newest is not None and now < newest + timedelta(seconds=channel.every_seconds)
    quiet = is_quiet(channel.quiet_hours(), settings.reserve.bank_zone, now)

    def may_go(alert: Alert) -> bool:
        return alert.new.severity is Severity.BREACH or not quiet

    if early:
        return None
    return store.form_message(channel.name, may_go)
