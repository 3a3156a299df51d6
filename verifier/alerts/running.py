"""Who sends: the watch as long as it runs, or a command once; always under one lease."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Final

import structlog

from chains.types import utc_text
from verifier.acting import prepare, terminal_origin
from verifier.alerts.channel import NotSent
from verifier.alerts.delivering import deliverer
from verifier.alerts.sender import LEASE, Outcome, send_pending
from verifier.errors import ConfigError, LeaseHeld, LeaseLost, StoreBusy, StoreError, StoreUnavailable
from verifier.store import Store, open_store

if TYPE_CHECKING:
    from verifier.config import Settings
    from verifier.settings.alerts import AlertSettings

Clock = Callable[[], datetime]
LOOK_SECONDS: Final = 1.0
"""How often the outbox is looked at while something else may write into it."""
HOUSE_SECONDS: Final = 60.0
"""How often the firm's status is looked at, and old alerts are dropped."""

HELD_LOOK_BACK: Final = timedelta(days=30)
TOLD_FILE: Final = "journal-broken-told"

log = structlog.get_logger(__name__)


def send_once(store: Store, settings: Settings, clock: Clock, actor: str) -> list[Outcome]:
    """One pass. Raises `LeaseHeld` while another process sends."""
    with store.leased(LEASE):
        note_state(store, settings, actor, clock())
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


def note_state(store: Store, settings: Settings, actor: str, now: datetime) -> None:
    """Record that the firm's status is another one than before, and that work stands because its process ended."""
    from verifier.overview import overview

    status = overview(store, settings, now).statuses[0].value
    before = (store.newest_act("status.changed") or {}).get("status", "")
    if status != before:
        store.note_act("status.changed", {"status": status, "before": before}, actor, now)
    names = {lease.name for lease, _, _ in store.leases()} - {LEASE}
    for name, (lease, is_held) in sorted(store.held_leases(names).items()):
        told: dict[str, object] = {"lease": name, "token": lease.token}
        if not is_held and told not in store.acts("lease.lost", now - HELD_LOOK_BACK):
            store.note_act("lease.lost", told, actor, now)


def _note_state_safely(store: Store, settings: Settings, actor: str, now: datetime) -> None:
    """A view that breaks must not keep alerts from being sent."""
    try:
        note_state(store, settings, actor, now)
    except (StoreError, LeaseHeld):
        raise
    except Exception as error:  # noqa: BLE001
        log.error("the firm's status could not be looked at", error=type(error).__name__)


def tell_broken_journal(settings: Settings, now: datetime) -> None:
    """Say on every channel that wants breaches that the journal is broken, past the outbox: nothing is written to such
    a database. A file beside the known head keeps a process that is started again and again from repeating it within
    the hour; failures are logged and no more."""
    from verifier.alerts.records import Alert, AlertEvent, Message, NewAlert, Severity
    from verifier.alerts.sender import wants

    new = NewAlert(
        AlertEvent.JOURNAL_BROKEN, Severity.BREACH, "the journal is broken: stop everything, keep the database"
    )
    alert = Alert(0, 0, now, new)
    channels = [each for each in settings.alerts if wants(each, alert)]
    head_file = settings.database.head_file
    mark = head_file.with_name(TOLD_FILE) if head_file is not None else None
    if not channels or (mark is not None and _is_recent(mark, now)):
        return
    deliver = deliverer(settings)
    for channel in channels:
        message_id = f"msg_journal_broken_{now:%Y%m%dT%H}"
        try:
            deliver(channel, Message(message_id, channel.name, (alert,)), now)
        except (NotSent, ConfigError) as error:
            log.error("a broken journal could not be told", channel=channel.name, code=error.code)
    if mark is not None:
        try:
            mark.write_text(utc_text(now), encoding="utf-8")
        except OSError as error:
            log.warning("not noted that the broken journal was told", why=error.strerror)


def _is_recent(mark: Path, now: datetime) -> bool:
    try:
        told_at = datetime.fromisoformat(mark.read_text(encoding="utf-8"))
        return timedelta(0) <= now - told_at < timedelta(hours=1)
    except (OSError, ValueError, TypeError):
        return False


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
                            _note_state_safely(store, settings, actor, clock())
                            store.forget_old_alerts(clock(), names)
                        send_pending(store, settings, deliver, clock, actor)
                        rounds += 1
                        stop.wait(LOOK_SECONDS)
            except (LeaseHeld, LeaseLost, StoreBusy, StoreUnavailable) as error:
                log.info("alerts are not sent here", code=error.code)
                stop.wait(2 * LOOK_SECONDS)
    finally:
        store.close()
