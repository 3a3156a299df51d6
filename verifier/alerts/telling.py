"""Which acts are told to people, and in which words. Pure: from the act's kind and payload, or a case's event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from verifier.alerts.records import AlertEvent, NewAlert, Severity
from verifier.records import Finding, FindingKind
from verifier.rules.status import FirmStatus, firm_status

_CREDENTIALS: Final = {
    "password.changed": "a password was changed",
    "recovery.renewed": "recovery codes were renewed",
    "credential.added": "a credential was added",
    "credential.ended": "a credential was ended",
    "person.changed": "an account was changed",
}
_BAD_RUNS: Final = frozenset({"failed", "skipped", "missed"})


def severity_of(kind: FindingKind) -> Severity:
    """A breach, unless the finding only says that something is not known."""
    statuses = firm_status([kind], 0, 1, stale=False)
    return Severity.WARNING if statuses == (FirmStatus.UNVERIFIED,) else Severity.BREACH


def case_alert(act: str, case_id: str, chain_id: str, finding: Finding) -> NewAlert | None:
    """What a case's event says to people; None for what only those who work on it need to know."""
    severity, provisional = severity_of(finding.kind), " (provisional)" if finding.provisional else ""
    what = finding.kind.value.replace("_", " ")
    match act:
        case "opened":
            event, said = AlertEvent.CASE_OPENED, f"{what}{provisional}"
            if finding.kind is FindingKind.MISSED_RESERVE_DEPOSIT:
                event = AlertEvent.MISSED_DEPOSIT
            elif finding.kind is FindingKind.STALE_OBSERVATION:
                event = AlertEvent.STALE
        case "seen_again":
            event, said = AlertEvent.CASE_OPENED, f"{what}{provisional}: seen again after it was gone"
        case "reopened":
            event, said = AlertEvent.CASE_REOPENED, f"{what}: new data came after a resolution was proposed"
        case "escalated" | "trade_break":
            event, said = AlertEvent.CASE_ESCALATED, f"{what}: unresolved in time"
        case "proposed":
            event, said = AlertEvent.CASE_PROPOSED, f"{what}: a resolution waits for another person"
            severity = Severity.INFORMATION
        case _:
            return None
    return NewAlert(event, severity, f"{case_id} {said}", finding.text, case_id, chain_id)


def entry_alert(kind: str, payload: Mapping[str, object]) -> NewAlert | None:
    """What a journal entry says to people by its kind alone; None for most."""
    match kind:
        case "sweep.failed":
            chain_id, code = str(payload["chain_id"]), payload["code"]
            title = f"a sweep of {chain_id} failed: {code}"
            return NewAlert(AlertEvent.SWEEP_FAILED, Severity.WARNING, title, chain_id=chain_id)
        case "chain.halted":
            chain_id = str(payload["chain_id"])
            title = f"sweeping of {chain_id} is halted: final blocks were reversed"
            return NewAlert(AlertEvent.CHAIN_HALTED, Severity.WARNING, title, chain_id=chain_id)
        case "schedule.ended" | "schedule.not_begun" if payload["outcome"] in _BAD_RUNS:
            title = f"the run {payload['job']} of {payload['slot']} was {payload['outcome']}"
            if payload["outcome"] == "failed":
                title = f"the run {payload['job']} of {payload['slot']} failed"
            return NewAlert(AlertEvent.JOB_FAILED, Severity.WARNING, title)
        case "status.changed":
            now, before = str(payload["status"]), str(payload["before"] or "unknown")
            severity = {"compliant": Severity.INFORMATION, "unverified": Severity.WARNING}.get(now, Severity.BREACH)
            title = f"the firm's status is {now.replace('_', ' ')}; it was {before.replace('_', ' ')}"
            return NewAlert(AlertEvent.STATUS_CHANGED, severity, title)
        case "lease.lost":
            title = f"nobody does the work {payload['lease']} any more: its process ended without giving it back"
            return NewAlert(AlertEvent.LEASE_LOST, Severity.WARNING, title)
        case _ if kind in _CREDENTIALS:
            details = ", ".join(f"{name} {payload[name]}" for name in ("person", "login", "kind") if payload.get(name))
            return NewAlert(AlertEvent.CREDENTIALS_CHANGED, Severity.INFORMATION, _CREDENTIALS[kind], details)
    return None
