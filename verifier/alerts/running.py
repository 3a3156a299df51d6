"""Who sends: the watch as long as it runs, or a command once; always under one lease."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from threading import Event
from typing import TYPE_CHECKING, Final

import structlog

from verifier.acting import prepare, terminal_origin
from verifier.alerts.channel import NotSent
from verifier.alerts.delivering import deliverer
from verifier.alerts.sender import LEASE, Outcome, send_pending
from verifier.errors import ConfigError, LeaseHeld, LeaseLost, StoreBusy
from verifier.store import Store, open_store

if TYPE_CHECKING:
    from verifier.alert_settings import AlertSettings
    from verifier.config import Settings

Clock = Callable[[], datetime]
LOOK_SECONDS: Final = 1.0
"""How often the outbox is looked at while something else may write into it."""
HOUSE_SECONDS: Final = 60.0
"""How often the firm's status is looked at, and old alerts are dropped."""

log = structlog.get_logger(__name__)


def send_once(store: Store, settings: Settings, clock: Clock, actor: str) -> list[Outcome]:
    """One pass. Raises `LeaseHeld` while another process sends."""
    with store.leased(LEASE):
        note_status(store, settings, actor, clock())
        outcomes = send_pending(store, settings, deliverer(settings), clock, actor)
        store.forget_old_alerts(clock(), [each.name for each in settings.alerts])
        return outcomes


def send_test(store: Store, settings: Settings, channel: AlertSettings, clock: Clock, actor: str) -> str:
    """Send a test alert at once; the code of the failure, or empty."""
    from verifier.alerts.records import Alert, AlertEvent, Message, NewAlert, Severity

    now = clock()
    new = NewAlert(AlertEvent.TEST, Severity.INFORMATION, "this is a test: alerts arrive here")
    head = store.head()
    message_id = f"msg_test_{int(now.timestamp() * 1_000_000):x}"
    message = Message(message_id, channel.name, (Alert(0, head.sequence if head else 0, now, new),))
    code = ""
    try:
        deliverer(settings)(channel, message, now)
    except (NotSent, ConfigError) as error:
        code = error.code
        if isinstance(error, ConfigError):
            raise
    told: dict[str, object] = {"channel": channel.name, "message_id": message_id, "code": code}
    store.note_act("alert.tested", told, actor, now)
    return code


def note_status(store: Store, settings: Settings, actor: str, now: datetime) -> None:
    """Record that the firm's status is another one than when it was last looked at."""
    from verifier.overview import overview

    status = overview(store, settings, now).statuses[0].value
    before = (store.newest_act("status.changed") or {}).get("status", "")
    if status != before:
        store.note_act("status.changed", {"status": status, "before": before}, actor, now)


def run_sender(settings: Settings, stop: Event, *, clock: Clock, actor: str, opened: Callable[[Store], None]) -> None:
    """Send until told to stop; stand by while another process does."""
    store = open_store(settings.database.url.get_secret_value())
    try:
        prepare(store, settings, terminal_origin())
        opened(store)
        deliver, rounds = deliverer(settings), 0
        names = [each.name for each in settings.alerts]
        while not stop.is_set():
            try:
                with store.leased(LEASE):
                    while not stop.is_set():
                        if rounds % int(HOUSE_SECONDS / LOOK_SECONDS) == 0:
                            note_status(store, settings, actor, clock())
                            store.forget_old_alerts(clock(), names)
                        send_pending(store, settings, deliver, clock, actor)
                        rounds += 1
                        stop.wait(LOOK_SECONDS)
            except (LeaseHeld, LeaseLost, StoreBusy) as error:
                log.info("alerts are not sent here", code=error.code)
                stop.wait(2 * LOOK_SECONDS)
    finally:
        store.close()
