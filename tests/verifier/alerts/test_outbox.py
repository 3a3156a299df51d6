"""From a case's event to the receiver: in one transaction, in order, at least once, under one id."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.verifier.alerts.receiver import Receiver, receiver
from tests.verifier.store.story import CHAIN, finding, sighting
from verifier.alerts.delivering import deliverer
from verifier.alerts.records import AlertEvent, DeliveryState, Message, Severity
from verifier.alerts.sender import Outcome, is_quiet, pause_after, send_pending
from verifier.config import DatabaseSettings, FirmSettings, Settings
from verifier.journal import verify_journal
from verifier.records import FindingKind
from verifier.settings.alerts import AlertSettings
from verifier.settings.web import WebSettings
from verifier.store import Store
from verifier.store.case_seeing import see_cases

KEY = base64.b64encode(bytes(range(32))).decode()
T0 = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)
"""Noon in New York."""


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as kept:
        yield kept


def hook(there: Receiver, tmp_path: Path, **more: object) -> AlertSettings:
    secret = tmp_path / "secret"
    secret.write_text(f"whsec_{KEY}\n")
    given = {"name": "ops", "kind": "webhook", "hosts": ["127.0.0.1"], "inside": True, "every_seconds": 0}
    return AlertSettings(**{**given, "url": SecretStr(f"{there.url}/in"), "secret_file": secret, **more})  # type: ignore[arg-type]


def firm(*channels: AlertSettings) -> Settings:
    return Settings(
        firm=FirmSettings(name="Example LLC"),
        database=DatabaseSettings(),
        web=WebSettings(public_url="https://custody.example"),
        alerts=list(channels),
    )


def see(store: Store, at: datetime, *kinds: FindingKind) -> None:
    with store.record("test.sweep", "scheduler", {"at": at.isoformat()}, at) as unit:
        see_cases(unit, CHAIN, None, [sighting(finding(kind)) for kind in kinds], "scheduler", all_seen=False)


def send(store: Store, settings: Settings, at: datetime) -> list[Outcome]:
    return send_pending(store, settings, deliverer(settings), lambda: at, "alerts")


def test_a_case_arrives_signed(store: Store, there: Receiver, tmp_path: Path) -> None:
    settings = firm(hook(there, tmp_path))
    see(store, T0, FindingKind.SHORTFALL)
    assert send(store, settings, T0 + timedelta(seconds=3)) == [Outcome("ops", 1, 1)]
    [(headers, body)] = there.posts
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = hmac.new(base64.b64decode(KEY), signed, hashlib.sha256).digest()
    assert headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()
    assert headers["webhook-timestamp"] == str(int(T0.timestamp()) + 3)
    said = json.loads(body)["data"]
    [alert] = said["alerts"]
    assert (said["message_id"], alert["event"], alert["severity"]) == (headers["webhook-id"], "case_opened", "breach")
    assert alert["url"] == "https://custody.example/cases/CASE-000001"
    assert "details" not in alert
    assert send(store, settings, T0 + timedelta(hours=1)) == [Outcome("ops")]
    assert len(there.posts) == 1
    assert verify_journal(store).entries >= 3


@pytest.mark.fault("C2")
def test_an_act_that_is_rolled_back_tells_nobody(store: Store, there: Receiver, tmp_path: Path) -> None:
    def break_off() -> None:
        with store.record("test.sweep", "scheduler", {}, T0) as unit:
            see_cases(unit, CHAIN, None, [sighting(finding(FindingKind.SHORTFALL))], "scheduler", all_seen=False)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    assert send(store, firm(hook(there, tmp_path)), T0) == [Outcome("ops")]
    assert not there.posts


@pytest.mark.fault("C2")
def test_a_message_cut_off_after_sending_is_sent_again_under_its_id(
    store: Store, there: Receiver, tmp_path: Path
) -> None:
    settings = firm(hook(there, tmp_path))
    see(store, T0, FindingKind.SHORTFALL)

    def cut_off(channel: AlertSettings, message: Message, now: datetime) -> None:
        deliverer(settings)(channel, message, now)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        send_pending(store, settings, cut_off, lambda: T0, "alerts")
    see(store, T0 + timedelta(seconds=1), FindingKind.EXCESS)
    assert send(store, settings, T0 + timedelta(minutes=1)) == [Outcome("ops", 2, 2)]
    first, again, second = there.ids
    assert first == again != second
    assert there.posts[0][1] == there.posts[1][1]


def test_a_failed_message_waits_longer_each_time_and_is_given_up(store: Store, there: Receiver, tmp_path: Path) -> None:
    settings = firm(hook(there, tmp_path, attempts_max=2))
    see(store, T0, FindingKind.SHORTFALL)
    there.answers = [500, 500]
    assert send(store, settings, T0) == [Outcome("ops", failed="status")]
    see(store, T0 + timedelta(seconds=1), FindingKind.EXCESS)
    assert send(store, settings, T0 + timedelta(seconds=29)) == [Outcome("ops")]
    assert len(there.posts) == 1, "a later message does not overtake"
    assert send(store, settings, T0 + timedelta(seconds=30)) == [Outcome("ops", failed="status", gave_up=1)]
    [counts] = store.alert_counts(["ops"])
    assert (counts.pending, counts.given_up, counts.sent) == (1, 1, 0)
    assert send(store, settings, T0 + timedelta(seconds=31)) == [Outcome("ops", 1, 1)]
    assert store.try_alerts_again("ops") == 1
    assert send(store, settings, T0 + timedelta(seconds=32)) == [Outcome("ops", 1, 1)]
    assert {each.state for each in store.deliveries()} == {DeliveryState.SENT}


def test_pauses_double_up_to_an_hour() -> None:
    assert [pause_after(tries).total_seconds() for tries in (1, 2, 3, 8, 90)] == [30, 60, 120, 3600, 3600]


def test_quiet_hours_hold_back_what_is_no_breach(store: Store, there: Receiver, tmp_path: Path) -> None:
    settings = firm(hook(there, tmp_path, quiet_from="11:00", quiet_to="13:00"))
    see(store, T0, FindingKind.COVERAGE_GAP, FindingKind.SHORTFALL)
    assert send(store, settings, T0) == [Outcome("ops", 1, 1)]
    assert json.loads(there.posts[0][1])["data"]["alerts"][0]["severity"] == Severity.BREACH
    assert send(store, settings, T0 + timedelta(minutes=59)) == [Outcome("ops")]
    assert send(store, settings, T0 + timedelta(hours=1)) == [Outcome("ops", 1, 1)]


def test_quiet_hours_may_pass_midnight() -> None:
    hours = (time(22), time(6))
    at = [datetime(2026, 3, 2, hour, tzinfo=UTC) for hour in (21, 22, 23, 5, 6)]
    assert [is_quiet(hours, "UTC", each) for each in at] == [False, True, True, True, False]
    assert not is_quiet(None, "UTC", at[1])


def test_a_flood_is_one_message(store: Store, there: Receiver, tmp_path: Path) -> None:
    settings = firm(hook(there, tmp_path, every_seconds=60))
    see(store, T0, FindingKind.SHORTFALL)
    send(store, settings, T0)
    for second, kind in enumerate((FindingKind.EXCESS, FindingKind.UNMAPPED_BALANCE, FindingKind.COMMINGLING), 1):
        see(store, T0 + timedelta(seconds=second), kind)
        assert send(store, settings, T0 + timedelta(seconds=second)) == [Outcome("ops")]
    assert send(store, settings, T0 + timedelta(seconds=60)) == [Outcome("ops", 1, 3)]
    positions = [each["position"] for each in json.loads(there.posts[1][1])["data"]["alerts"]]
    assert positions == [2, 3, 4]


def test_a_channel_is_told_what_it_asked_for(store: Store, there: Receiver, tmp_path: Path) -> None:
    settings = firm(hook(there, tmp_path, events=[AlertEvent.STALE], details=True))
    see(store, T0, FindingKind.SHORTFALL, FindingKind.STALE_OBSERVATION)
    assert send(store, settings, T0) == [Outcome("ops", 1, 1)]
    [alert] = json.loads(there.posts[0][1])["data"]["alerts"]
    assert alert["event"] == "stale"
    assert alert["details"]
