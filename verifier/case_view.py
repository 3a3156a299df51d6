"""How a case is shown: to programs as JSON, to people as the cells of a table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chains.types import AssetId, LocationId, utc_text
from verifier.records import CaseState, Finding, TransferMatch
from verifier.rules.case_clocks import CaseClock
from verifier.rules.case_requirements import expected_source, requirements_of
from verifier.rules.statements import figure
from verifier.store import Case, CaseEvent
from verifier.store.records import CaseAttachment, CaseStanding


def case_json(case_id: str, finding: Finding) -> dict[str, object]:
    """What a finding says, under the id of its case. Amounts are strings of base units, signed."""
    asset, block = finding.asset, finding.block
    return {
        "case_id": case_id,
        "kind": finding.kind.value,
        "rail": finding.rail.value,
        "location": finding.location_id,
        "asset_id": asset.asset_id if asset is not None else None,
        "symbol": asset.symbol if asset is not None else None,
        "base_units": str(finding.base_units) if finding.base_units is not None else None,
        "quantity": (
            asset.format_quantity(finding.base_units) if asset is not None and finding.base_units is not None else None
        ),
        "text": finding.text,
        "height": block.height if block is not None else None,
        "block_hash": block.block_hash if block is not None else None,
        "tx_id": finding.tx_id,
        "provisional": finding.provisional,
    }


def review_json(match: TransferMatch) -> dict[str, object]:
    """An approved transfer that somebody should look at."""
    transfer = match.transfer
    return {
        "tx_id": transfer.tx_id,
        "height": transfer.block.height,
        "asset_id": transfer.asset.asset_id,
        "base_units": str(transfer.base_units),
        "sender": transfer.sender,
        "receiver": transfer.receiver,
        "authorization_id": match.authorization_id,
        "reason": match.reason,
    }


def stored_case_json(
    case: Case, covers: Sequence[tuple[LocationId, AssetId]] | None = None, clock: CaseClock | None = None
) -> dict[str, object]:
    """A stored case with its state, times and clock; the clock is null where none was computed."""
    touched = requirements_of(case.finding.kind, case.finding.rail)
    shown = case_json(case.case_id, case.finding) | {
        "state": case.state.value,
        "occurrence": case.occurrence,
        "opened_at": utc_text(case.opened_at),
        "last_at": utc_text(case.last_at),
        "seen_by_last_sweep": case.is_seen,
        "superseded": case.superseded,
        "maker": case.maker or None,
        "explanation": {
            "text": case.explanation.text,
            "maker": case.explanation.maker,
            "at": utc_text(case.explanation.recorded_at),
        }
        if case.explanation is not None
        else None,
        "version": case.version,
        "assignee": case.assignee or None,
        "root_cause": {"cause": case.root_cause.cause.value, "text": case.root_cause.text, "by": case.root_cause.actor}
        if case.root_cause is not None
        else None,
        "attachments": [attachment_json(each) for each in case.attachments],
        "approved_by": list(case.checkers),
        "trade_break_at": utc_text(case.trade_break_at) if case.trade_break_at is not None else None,
        "requirements": [{"code": each.code, "text": each.text} for each in touched],
        "expected_source": expected_source(case.finding.kind),
        "clock": clock_json(clock) if clock is not None else None,
    }
    if covers is not None:
        shown["covers"] = [{"location": location, "asset_id": asset_id} for location, asset_id in covers]
    return shown


def standing_json(stands: CaseStanding, clock: CaseClock | None = None) -> dict[str, object]:
    """A case with everything that happened to it and the digests that a decision is bound to.

    Give `seen_digest` back with the decision: it is refused when the case is not as it was shown.
    """
    return stored_case_json(stands.case, stands.covers, clock) | {
        "facts_digest": stands.facts_digest,
        "seen_digest": stands.seen_digest,
        "approvals_needed": stands.approvals_needed,
        "events": [event_json(each) for each in stands.events],
    }


def attachment_json(attachment: CaseAttachment) -> dict[str, object]:
    """A document that belongs to a case, without its bytes."""
    return {
        "sha256": attachment.sha256,
        "name": attachment.name,
        "media_type": attachment.media_type,
        "bytes": attachment.byte_count,
        "by": attachment.actor,
        "at": utc_text(attachment.attached_at),
    }


def clock_json(clock: CaseClock) -> dict[str, object]:
    """The moments of a case, in UTC, and what sets the last of them."""
    return {
        "look_by": utc_text(clock.look_by),
        "session_ends": utc_text(clock.session_ends),
        "cure_by": utc_text(clock.cure_by),
        "citation": clock.citation,
    }


def event_json(event: CaseEvent) -> dict[str, object]:
    """One thing that happened to a case."""
    return {
        "act": event.act.value,
        "actor": event.actor,
        "at": utc_text(event.recorded_at),
        "text": event.text,
        "base_units": str(event.base_units) if event.base_units is not None else None,
        "height": event.block.height if event.block is not None else None,
        "tx_id": event.tx_id,
        "provisional": event.provisional,
        "person_id": event.person_id or None,
        "detail": event.detail,
        "facts_digest": event.facts_digest or None,
        "seen_digest": event.seen_digest or None,
    }


def amount_text(finding: Finding) -> str:
    """The signed quantity with its symbol; empty for findings without an amount."""
    if finding.base_units is None or finding.asset is None:
        return ""
    return figure(finding.base_units, finding.asset)


def block_text(finding: Finding) -> str:
    """The block, and the transaction where there is one."""
    if finding.block is None:
        return ""
    return f"block {finding.block.height:,}" + (f", transaction {finding.tx_id}" if finding.tx_id else "")


def age_text(case: Case, now: datetime) -> str:
    """How long the case has been there, in the largest whole unit."""
    seconds = max(0, int((now - case.opened_at).total_seconds()))
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def state_text(case: Case) -> str:
    """The state in words, with what a reader must know beside it."""
    if case.state is CaseState.CLOSED:
        return "closed"
    remarks = [
        remark
        for remark, holds in (
            ("no longer seen", not case.is_seen),
            ("superseded", case.superseded),
            ("provisional", case.finding.provisional),
            ("trade break", case.trade_break_at is not None),
        )
        if holds
    ]
    return case.state.value + (f" ({', '.join(remarks)})" if remarks else "")


def case_details(case: Case, clock: CaseClock | None = None) -> list[tuple[str, str]]:
    """Name and value of everything about a case, for its own page."""
    touched = requirements_of(case.finding.kind, case.finding.rail)
    cause = case.root_cause
    finding = case.finding
    block = f"{finding.block.height} {finding.block.block_hash}" if finding.block is not None else ""
    details = [
        ("kind", finding.kind.value.replace("_", " ")),
        ("rail", finding.rail.value),
        ("location", finding.location_id),
        ("asset", finding.asset.asset_id if finding.asset is not None else ""),
        ("amount", amount_text(finding)),
        ("block", block),
        ("transaction", finding.tx_id),
        ("opened", utc_text(case.opened_at)),
        ("maker", case.maker),
        ("found", finding.text),
        ("touches", "; ".join(f"{each.code}: {each.text}" for each in touched)),
        ("expected", expected_source(finding.kind)),
        ("look by", utc_text(clock.look_by) if clock is not None else ""),
        ("cure by", f"{utc_text(clock.cure_by)} ({clock.citation})" if clock is not None else ""),
        ("session ends", utc_text(clock.session_ends) if clock is not None else ""),
        ("trade break", f"since {utc_text(case.trade_break_at)}" if case.trade_break_at is not None else ""),
        ("assigned to", case.assignee),
        ("root cause", f"{cause.cause.value.replace('_', ' ')}: {cause.text} ({cause.actor})" if cause else ""),
        *(("attached", f"{each.name}  {each.byte_count:,} bytes  {each.sha256}") for each in case.attachments),
        ("approved by", ", ".join(case.checkers)),
        ("explained", f"{case.explanation.text} ({case.explanation.maker})" if case.explanation is not None else ""),
    ]
    return [(name, value) for name, value in details if value]
