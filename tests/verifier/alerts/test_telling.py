"""Which journal entries are told, and how grave each kind of finding is."""

from __future__ import annotations

import pytest

from verifier.alerts.records import AlertEvent, Severity
from verifier.alerts.telling import entry_alert, severity_of
from verifier.records import FindingKind


@pytest.mark.parametrize(
    ("kind", "payload", "event", "severity"),
    [
        ("sweep.failed", {"chain_id": "eip155:1", "code": "node"}, "sweep_failed", "warning"),
        ("chain.halted", {"chain_id": "eip155:1"}, "chain_halted", "warning"),
        ("schedule.ended", {"job": "reconcile", "slot": "2026-03-02", "outcome": "failed"}, "job_failed", "warning"),
        ("schedule.not_begun", {"job": "report", "slot": "2026-03-02", "outcome": "missed"}, "job_failed", "warning"),
        ("status.changed", {"status": "under_funded", "before": "compliant"}, "status_changed", "breach"),
        ("status.changed", {"status": "compliant", "before": "unverified"}, "status_changed", "information"),
        ("lease.lost", {"lease": "watch:clock", "token": 3}, "lease_lost", "warning"),
        ("password.changed", {"login": "one"}, "credentials_changed", "information"),
        ("credential.ended", {"person": "p.one", "kind": "totp"}, "credentials_changed", "information"),
    ],
)
def test_acts_that_are_told(kind: str, payload: dict[str, object], event: str, severity: str) -> None:
    alert = entry_alert(kind, payload)
    assert alert is not None
    assert (alert.event, alert.severity) == (AlertEvent(event), Severity(severity))


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("schedule.ended", {"job": "reconcile", "slot": "2026-03-02", "outcome": "done"}),
        ("schedule.began", {"job": "reconcile", "slot": "2026-03-02"}),
        ("session.began", {"login": "one"}),
        ("alert.sent", {"channel": "ops"}),
    ],
)
def test_acts_that_are_not(kind: str, payload: dict[str, object]) -> None:
    assert entry_alert(kind, payload) is None


def test_only_what_is_not_known_is_less_than_a_breach() -> None:
    warnings = {kind for kind in FindingKind if severity_of(kind) is Severity.WARNING}
    assert {FindingKind.UNVERIFIED, FindingKind.STALE_OBSERVATION, FindingKind.COVERAGE_GAP} <= warnings
    breaches = {FindingKind.SHORTFALL, FindingKind.MISSED_RESERVE_DEPOSIT, FindingKind.CONTROL_DEFICIT}
    assert not breaches & warnings
