"""Cases read back out of their events: what stands is the sum of everything that happened."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from chains.types import Asset, AssetId, BlockRef, ChainId, LocationId
from verifier.errors import InputError, JournalBroken
from verifier.records import CaseState, Finding
from verifier.rules.case_facts import Facts, seen_digest
from verifier.store.records import (
    Case,
    CaseAct,
    CaseAttachment,
    CaseEvent,
    Explanation,
    NamedCause,
    Proposal,
    RootCause,
)
from verifier.store.sweep_store import ORPHANED_HASHES
from verifier.store.tables import (
    AssetValueRow,
    AttachmentContentRow,
    CaseCoverRow,
    CaseEventRow,
    CaseRow,
    InternedTextRow,
    table,
)

CASE, EVENT, COVER = table(CaseRow), table(CaseEventRow), table(CaseCoverRow)
ASSET, TEXT, CONTENT = table(AssetValueRow), table(InternedTextRow), table(AttachmentContentRow)

STATE_AFTER: Final = {
    CaseAct.OPENED: CaseState.OPEN,
    CaseAct.PROPOSED: CaseState.PROPOSED,
    CaseAct.APPROVED: CaseState.CLOSED,
    CaseAct.RETURNED: CaseState.OPEN,
    CaseAct.REOPENED: CaseState.OPEN,
    CaseAct.WITHDRAWN: CaseState.CLOSED,
}
_SIGHTS = (CaseAct.OPENED, CaseAct.SEEN_AGAIN, CaseAct.NO_LONGER_SEEN)
_ENDS = (CaseAct.APPROVED, CaseAct.RETURNED, CaseAct.REOPENED)


def load_cases(
    connection: sa.Connection, *conditions: sa.ColumnElement[bool], known_at: datetime | None = None
) -> list[Case]:
    """Cases as they stand now, or stood at a time, in the order they were opened."""
    then = sa.true() if known_at is None else CASE.c.recorded_at <= known_at
    query = (
        sa.select(CASE, ASSET.c.asset_id, ASSET.c.symbol, ASSET.c.decimals)
        .join_from(CASE, ASSET, CASE.c.asset_key == ASSET.c.record_id, isouter=True)
        .where(then, *conditions)
        .order_by(CASE.c.record_id)
    )
    cases = connection.execute(query).all()
    if not cases:
        return []
    wanted: sa.ColumnElement[bool] = EVENT.c.case_key.in_([row.record_id for row in cases]) if conditions else sa.true()
    events: dict[int, list[Any]] = {}
    if known_at is not None:
        wanted = sa.and_(wanted, EVENT.c.recorded_at <= known_at)
    for event in connection.execute(sa.select(EVENT).where(wanted).order_by(EVENT.c.record_id)):
        events.setdefault(event.case_key, []).append(event)
    orphaned = set(connection.execute(ORPHANED_HASHES).scalars())
    return [_case(row, events[row.record_id], orphaned) for row in cases]


def covers_of(connection: sa.Connection, case_id: str) -> list[tuple[LocationId, AssetId]]:
    """The holdings a case covered when it was last seen."""
    newest = (
        sa.select(sa.func.max(COVER.c.event_key))
        .join_from(COVER, EVENT, COVER.c.event_key == EVENT.c.record_id)
        .join(CASE, EVENT.c.case_key == CASE.c.record_id)
        .where(CASE.c.case_id == case_id)
    ).scalar_subquery()
    location, asset = TEXT.alias("location_text"), TEXT.alias("asset_text")
    query = (
        sa.select(location.c.text, asset.c.text)
        .join_from(COVER, location, COVER.c.location_key == location.c.record_id)
        .join(asset, COVER.c.asset_key == asset.c.record_id)
        .where(COVER.c.event_key == newest)
        .order_by(COVER.c.record_id)
    )
    return [(LocationId(place), AssetId(asset_id)) for place, asset_id in connection.execute(query)]


def _case(row: Any, events: Sequence[Any], orphaned: set[str]) -> Case:
    sights = [event for event in events if event.act in _SIGHTS]
    shown = [event for event in sights if event.act is not CaseAct.NO_LONGER_SEEN][-1]
    decisive = [event for event in events if event.act in STATE_AFTER][-1]
    proposal = _proposal(events)
    finding = Finding(
        kind=row.kind,
        rail=row.rail,
        location_id=LocationId(row.location_id),
        asset=Asset(AssetId(row.asset_id), row.symbol, row.decimals) if row.asset_id else None,
        base_units=shown.base_units,
        subject=row.subject,
        text=shown.text,
        block=_block(shown, row.chain_id),
        tx_id=shown.tx_id,
        provisional=shown.provisional,
    )
    return Case(
        case_id=row.case_id,
        finding=finding,
        occurrence=row.occurrence,
        state=STATE_AFTER[decisive.act],
        opened_at=row.recorded_at,
        seen_at=shown.recorded_at,
        last_act=events[-1].act,
        last_at=events[-1].recorded_at,
        is_seen=sights[-1].act is not CaseAct.NO_LONGER_SEEN,
        maker=decisive.actor if decisive.act is CaseAct.PROPOSED else "",
        superseded=shown.block_hash in orphaned,
        explanation=_explanation(events),
        only_looked=all(event.provisional and event.sweep_key is None for event in sights),
        version=len(events),
        assignee=_newest_detail(events, CaseAct.ASSIGNED).get("assignee", ""),
        root_cause=_cause(events),
        attachments=tuple(attachment_of(event) for event in events if event.act is CaseAct.ATTACHED),
        proposal=proposal,
        trade_break_at=next((each.recorded_at for each in events if each.act is CaseAct.TRADE_BREAK), None),
        decided_at=next((each.recorded_at for each in reversed(events) if each.act in _ENDS), None),
        checkers=(*proposal.approved_by, decisive.actor)
        if proposal is not None and decisive.act is CaseAct.APPROVED
        else (),
    )


def event_of(row: Any) -> CaseEvent:
    """One thing that happened, as stored."""
    return CaseEvent(
        row.act,
        row.actor,
        row.recorded_at,
        row.text,
        row.base_units,
        _block(row, row.text),
        row.tx_id,
        row.provisional,
        row.person_id or "",
        detail_of(row),
        row.facts_digest or "",
        row.seen_digest or "",
    )


def detail_of(row: Any) -> dict[str, str]:
    """What an act says besides its text."""
    return json.loads(row.detail) if row.detail is not None else {}


def attachment_of(row: Any) -> CaseAttachment:
    """The document that an act attached."""
    said = detail_of(row)
    return CaseAttachment(
        said["sha256"], said["name"], said["media_type"], int(said["bytes"]), row.actor, row.recorded_at
    )


def facts_of(case: Case, covers: Sequence[tuple[LocationId, AssetId]], events: Sequence[CaseEvent]) -> Facts:
    """What a resolution of a case is about."""
    explained = [each for each in events if each.act in (CaseAct.EXPLAINED, CaseAct.RETURNED)]
    stands = explained[-1].text if explained and explained[-1].act is CaseAct.EXPLAINED else ""
    cause = case.root_cause
    return Facts(
        case.case_id,
        case.finding,
        covers,
        stands,
        (cause.cause.value, cause.text) if cause is not None else ("", ""),
        [(each.name, each.sha256) for each in case.attachments],
    )


def seen_of(case: Case, facts_digest: str) -> str:
    """SHA-256 of everything that a checker of a case has before them."""
    waits = case.proposal if case.state is CaseState.PROPOSED else None
    return seen_digest(
        facts_digest,
        case.state,
        is_seen=case.is_seen,
        superseded=case.superseded,
        block_hash=case.finding.block.block_hash if case.finding.block is not None else "",
        proposal=(waits.text, waits.maker) if waits is not None else ("", ""),
        approved_by=waits.approved_by if waits is not None else (),
    )


def content_of(connection: sa.Connection, sha256: str) -> tuple[str, bytes]:
    """Media type and bytes of an attached document, held against their digest. Raises `InputError`, `JournalBroken`."""
    row = connection.execute(sa.select(CONTENT).where(CONTENT.c.sha256 == sha256)).first()
    if row is None:
        raise InputError(f"there is no attachment {sha256[:64]}")
    content = base64.b64decode(row.content)
    if hashlib.sha256(content).hexdigest() != row.sha256:
        raise JournalBroken(f"the attachment {row.sha256} has other bytes than its digest says")
    return row.media_type, content


def _newest_detail(events: Sequence[Any], act: CaseAct) -> dict[str, str]:
    return next((detail_of(each) for each in reversed(events) if each.act is act), {})


def _cause(events: Sequence[Any]) -> NamedCause | None:
    named = next((each for each in reversed(events) if each.act is CaseAct.CAUSE_NAMED), None)
    return NamedCause(RootCause(detail_of(named)["cause"]), named.text, named.actor) if named is not None else None


def _proposal(events: Sequence[Any]) -> Proposal | None:
    row = next((each for each in reversed(events) if each.act is CaseAct.PROPOSED), None)
    if row is None:
        return None
    endorsed = [each.actor for each in events if each.act is CaseAct.ENDORSED and each.proposal_key == row.record_id]
    return Proposal(row.text, row.actor, row.person_id or "", row.recorded_at, row.facts_digest or "", tuple(endorsed))


def _explanation(events: Sequence[Any]) -> Explanation | None:
    """The newest explanation or proposal; one that was returned to its maker explains nothing any more."""
    for event in reversed(events):
        if event.act is CaseAct.RETURNED:
            return None
        if event.act in (CaseAct.EXPLAINED, CaseAct.PROPOSED):
            return Explanation(event.text, event.actor, event.recorded_at)
    return None


def _block(event: Any, chain_id: str) -> BlockRef | None:
    if event.block_hash is None:
        return None
    return BlockRef(ChainId(chain_id), event.height, event.block_hash, event.parent_hash, event.block_time)
