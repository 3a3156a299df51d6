"""From the comparison with custodians' statements to findings; and the statement that is late."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from chains.types import Asset, AssetId, LocationId, utc_text
from exports.securities.comparison import BookName, PositionLine, SecuritiesComparison, Unplaced
from verifier.records import Finding, FindingKind, Rail
from verifier.rules.statements import figure
from verifier.rules.wording import some_of

UNPLACED_AT = LocationId("books:unplaced")
"""Stands for lines of the stock record that name no location."""

Covered = tuple[Finding, tuple[tuple[LocationId, AssetId], ...]]
"""A finding and the positions it speaks of."""


def comparison_findings(found: SecuritiesComparison, now: datetime, warn: timedelta) -> list[Covered]:
    """Everything a person has to look at; empty when every position matched and every statement is there."""
    covered = [each for line in found.lines for each in _of_line(line)]
    for missing in found.missing:
        which = f"The statement of {missing.custodian} of {found.as_of.isoformat()} for {missing.location_id}"
        due = utc_text(missing.due_at)
        text = f"{which} is not there; it is due at {due}."
        covered.append((_finding(FindingKind.UNVERIFIED, missing.location_id, None, None, "statement", text), ()))
        if now >= missing.due_at - warn:
            late = "was due" if now >= missing.due_at else "is due"
            text = f"{which} {late} at {due} and is not there. What is there now is not known."
            kind = FindingKind.STALE_OBSERVATION
            covered.append((_finding(kind, missing.location_id, None, None, "heartbeat", text), ()))
    return [*covered, *_unplaced(found.unplaced)]


def encumbered_findings(
    parts: Mapping[tuple[LocationId, AssetId], int],
    liens: Mapping[tuple[LocationId, AssetId], int],
    assets: Mapping[AssetId, Asset],
) -> list[Covered]:
    """What custodians call pledged, lent or held as collateral beyond what the books place there under a lien.

    `parts` are base units that statements say are not free, `liens` those of the stock record's lines at the location
    that are pledged or on deposit as margin. A statement that tells no parts apart says nothing of them.
    """
    covered: list[Covered] = []
    for (location, asset_id), units in sorted(parts.items()):
        known, asset = liens.get((location, asset_id), 0), assets[asset_id]
        if units > known:
            text = (
                f"The custodian's statement says that {figure(units, asset)} at {location} is pledged, lent or held as "
                f"collateral; the stock record knows of {figure(known, asset)} under a lien there."
            )
            found = _finding(FindingKind.ENCUMBRANCE, location, asset, units - known, "custodian", text)
            covered.append((found, ((location, asset_id),)))
    return covered


def _of_line(line: PositionLine) -> Iterator[Covered]:
    covers = ((line.location_id, line.asset.asset_id),)
    for book, stated, difference in line.differences():
        claimed = line.claimed[book]
        text = (
            f"{stated.stated_by} states {figure(stated.base_units, line.asset)} in statement {stated.statement_id} of "
            f"{utc_text(stated.as_of)}"
        )
        if book is BookName.STOCK_RECORD:
            text += f", the stock record places {figure(claimed, line.asset)} here."
            kind, subject = FindingKind.CUSTODIAN_MISMATCH, stated.stated_by
        else:
            kind = _ledger_kind(line, difference)
            subject = "" if len(line.stated) == 1 else stated.stated_by
            whose = f"clients {figure(line.clients or 0, line.asset)}, the firm {figure(line.firm or 0, line.asset)}"
            text += f", the sub-ledger claims {figure(claimed, line.asset)} ({whose})."
        yield _finding(kind, line.location_id, line.asset, difference, subject, text), covers
    if line.owners_below_zero:
        owners = "owner has" if line.owners_below_zero == 1 else "owners have"
        text = (
            f"By the sub-ledger {line.owners_below_zero} {owners} less than nothing of {line.asset.symbol} here; it is "
            "not set off against what others own."
        )
        yield _finding(FindingKind.NEGATIVE_ALLOCATION, line.location_id, line.asset, None, "", text), covers
    if line.gaps:
        text = f"{line.asset.symbol} here could not be compared: {'; '.join(line.gaps)}."
        yield _finding(FindingKind.UNVERIFIED, line.location_id, line.asset, None, "", text), covers


def _ledger_kind(line: PositionLine, difference: int) -> FindingKind:
    if difference < 0:
        return FindingKind.SHORTFALL
    return FindingKind.EXCESS if line.claimed[BookName.SUB_LEDGER] else FindingKind.UNALLOCATED_BALANCE


def _unplaced(lines: tuple[Unplaced, ...]) -> Iterator[Covered]:
    if not lines:
        return
    named = some_of([f"{each.asset_id} at {each.place}" for each in lines])
    text = f"Lines of the stock record at outside parties name no location, so nothing states them: {named}."
    yield _finding(FindingKind.UNVERIFIED, UNPLACED_AT, None, None, "unplaced", text), ()


def _finding(
    kind: FindingKind, place: LocationId, asset: Asset | None, base_units: int | None, subject: str, text: str
) -> Finding:
    return Finding(kind, Rail.SECURITIES, place, asset, base_units, subject, text)
