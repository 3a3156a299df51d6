"""A message in each medium's own form. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from chains.types import utc_text
from verifier.alerts.records import Alert, Message, Severity

SHOWN_MAX: Final = 50
"""Alerts that one message spells out; the rest are counted."""
LINE_MAX: Final = 300
_MARK: Final = {Severity.BREACH: "BREACH", Severity.WARNING: "warning", Severity.INFORMATION: "information"}


def plain(text: str) -> str:
    """One line: control characters, line breaks and characters that turn the reading direction are gone; cut."""
    kept = "".join(each if each.isprintable() else " " for each in text)
    return kept if len(kept) <= LINE_MAX else f"{kept[: LINE_MAX - 1]}…"


def subject(message: Message, firm: str) -> str:
    """One line for the head of a mail or chat message."""
    first, more = message.alerts[0].new, len(message.alerts) - 1
    gravest = next((each.new for each in message.alerts if each.new.severity is message.severity), first)
    counted = f" and {more} more" if more else ""
    return plain(f"[{_MARK[message.severity]}] {firm}: {gravest.title}{counted}")


def link(alert: Alert, public_url: str) -> str:
    """The page about an alert; empty where no address of the pages is configured."""
    if not public_url:
        return ""
    return f"{public_url}/cases/{alert.new.case_id}" if alert.new.case_id else f"{public_url}/"


def lines(message: Message, public_url: str, *, details: bool) -> list[str]:
    """What happened, an alert a line, oldest first."""
    found: list[str] = []
    for alert in message.alerts[:SHOWN_MAX]:
        new = alert.new
        when = f"{alert.recorded_at:%Y-%m-%d %H:%M:%S} UTC"
        where = link(alert, public_url)
        text = f": {new.details}" if details and new.details else ""
        found.append(plain(f"{when} [{_MARK[new.severity]}] {new.title}{text}") + (f" {where}" if where else ""))
    if len(message.alerts) > SHOWN_MAX:
        found.append(f"and {len(message.alerts) - SHOWN_MAX} more: see `custody alerts list`")
    return found


def body_json(message: Message, firm: str, public_url: str, *, details: bool) -> bytes:
    """The body of a webhook, the same bytes for every try."""
    shown: Mapping[str, object] = {
        "type": "custody.alerts",
        "timestamp": utc_text(message.alerts[-1].recorded_at),
        "data": {
            "message_id": message.message_id,
            "firm": firm,
            "severity": message.severity.value,
            "alert_count": len(message.alerts),
            "alerts": [_alert_json(each, public_url, details) for each in message.alerts],
        },
    }
    return json.dumps(shown, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode("ascii")


def _alert_json(alert: Alert, public_url: str, details: bool) -> dict[str, object]:
    new = alert.new
    return {
        "position": alert.position,
        "journal_sequence": alert.sequence,
        "recorded_at": utc_text(alert.recorded_at),
        "event": new.event.value,
        "severity": new.severity.value,
        "title": plain(new.title),
        "case_id": new.case_id or None,
        "chain_id": new.chain_id or None,
        "url": link(alert, public_url) or None,
        **({"details": plain(new.details)} if details else {}),
    }
