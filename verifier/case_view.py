"""How a case is shown: to programs as JSON, to people as the cells of a table."""

from __future__ import annotations

from datetime import datetime

from chains.types import AssetId, LocationId, utc_text
from verifier.records import CaseState, Finding, TransferMatch
from verifier.rules.statements import figure
from verifier.store import Case, CaseEvent


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


def stored_case_json(case: Case, covers: list[tuple[LocationId, AssetId]] | None = None) -> dict[str, object]:
    """A stored case with its state and times."""
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
    }
    if covers is not None:
        shown["covers"] = [{"location": location, "asset_id": asset_id} for location, asset_id in covers]
    return shown


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
        )
        if holds
    ]
    return case.state.value + (f" ({', '.join(remarks)})" if remarks else "")


def case_details(case: Case) -> list[tuple[str, str]]:
    """Name and value of everything about a case, for its own page."""
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
        ("explained", f"{case.explanation.text} ({case.explanation.maker})" if case.explanation is not None else ""),
    ]
    return [(name, value) for name, value in details if value]
