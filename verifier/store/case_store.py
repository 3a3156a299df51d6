"""Cases: a finding opens one, however often it is seen; people work on it; nothing of it is ever changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from chains.types import Asset, AssetId, BlockRef, ChainId, LocationId
from verifier.errors import CaseConflict, InputError
from verifier.persons import same_person
from verifier.records import CaseState, Finding, FindingKind, Rail
from verifier.store.engine import Database
from verifier.store.records import Case, CaseAct, CaseEvent, CaseSeen, Explanation, Sighted
from verifier.store.sweep_store import ORPHANED_HASHES
from verifier.store.tables import (
    AssetValueRow,
    CaseCoverRow,
    CaseEventRow,
    CaseRow,
    InternedTextRow,
    table,
)
from verifier.store.unit import Unit

CASE, EVENT, COVER = table(CaseRow), table(CaseEventRow), table(CaseCoverRow)
ASSET, TEXT = table(AssetValueRow), table(InternedTextRow)

NEVER_GONE: Final = frozenset(
    {
        FindingKind.UNAUTHORIZED_TRANSFER,
        FindingKind.UNEXPLAINED_CHANGE,
        FindingKind.UNPARSED_EVENTS,
        FindingKind.FINALITY_REVERSED,
        FindingKind.APPROVED_NOT_EXECUTED,
        FindingKind.MISSED_RESERVE_DEPOSIT,
    }
)
"""Kinds about an event in the past: not being seen again does not mean that it healed, and seeing it again after its
case was closed is no new event. Commingling is one when it names a transaction (`_is_past_event`): a transfer to the
firm happened once, but the firm's own assets beside clients' in the books last until they are gone."""

STANDING_CONTROL: Final = "mapping:"
"""Begins the subject of a change of control that lasts: a wallet's rule is not what the mapping says. All others
happened between two sweeps, once."""

RECLASSIFIED: Final = "reclassified:"
"""Begins the subject of what is unverified because one person moved accounts from one class to another, once."""

_STATE_AFTER = {
    CaseAct.OPENED: CaseState.OPEN,
    CaseAct.PROPOSED: CaseState.PROPOSED,
    CaseAct.APPROVED: CaseState.CLOSED,
    CaseAct.RETURNED: CaseState.OPEN,
    CaseAct.WITHDRAWN: CaseState.CLOSED,
}
_SIGHTS = (CaseAct.OPENED, CaseAct.SEEN_AGAIN, CaseAct.NO_LONGER_SEEN)


class CaseStore(Database):
    """The people's side of the store."""

    def cases(self, *, include_closed: bool = False, known_at: datetime | None = None) -> list[Case]:
        """Every case that is not closed, in the order they were opened; closed ones too when asked for.

        With `known_at`, as they stood at that time.
        """
        with self.read() as connection:
            found = load_cases(connection, known_at=known_at)
        return [case for case in found if include_closed or case.state is not CaseState.CLOSED]

    def case(self, case_id: str) -> Case:
        """One case. Raises `InputError` when there is none of this id."""
        with self.read() as connection:
            found = load_cases(connection, CASE.c.case_id == case_id)
        if not found:
            raise InputError(f"there is no case {case_id}")
        return found[0]

    def case_events(self, case_id: str) -> list[CaseEvent]:
        """Everything that happened to a case, oldest first."""
        query = (
            sa.select(EVENT)
            .join_from(EVENT, CASE, EVENT.c.case_key == CASE.c.record_id)
            .where(CASE.c.case_id == case_id)
            .order_by(EVENT.c.record_id)
        )
        with self.read() as connection:
            return [
                CaseEvent(
                    row.act,
                    row.actor,
                    row.recorded_at,
                    row.text,
                    row.base_units,
                    _block(row, row.text),
                    row.tx_id,
                    row.provisional,
                )
                for row in connection.execute(query)
            ]

    def case_covers(self, case_id: str) -> list[tuple[LocationId, AssetId]]:
        """The holdings the case covered when it was last seen."""
        with self.read() as connection:
            return _covers(connection, case_id)

    def comment(self, case_id: str, text: str, actor: str, now: datetime) -> None:
        """Add a remark to a case that is not closed."""
        self._act(case_id, CaseAct.COMMENTED, text, actor, now, (CaseState.OPEN, CaseState.PROPOSED))

    def explain(self, case_id: str, text: str, actor: str, now: datetime) -> None:
        """Say what a case is, and stand by it as its maker. It stays open until it is resolved by two people."""
        self._act(case_id, CaseAct.EXPLAINED, text, actor, now, (CaseState.OPEN, CaseState.PROPOSED))

    def propose(self, case_id: str, text: str, actor: str, now: datetime) -> None:
        """Propose how an open case is resolved; the actor is its maker."""
        self._act(case_id, CaseAct.PROPOSED, text, actor, now, (CaseState.OPEN,))

    def approve(self, case_id: str, text: str, actor: str, now: datetime) -> None:
        """Close a proposed case. Raises `CaseConflict` when the actor is its maker."""
        self._act(case_id, CaseAct.APPROVED, text, actor, now, (CaseState.PROPOSED,))

    def send_back(self, case_id: str, text: str, actor: str, now: datetime) -> None:
        """Return a proposed case to its maker; it is open again."""
        self._act(case_id, CaseAct.RETURNED, text, actor, now, (CaseState.PROPOSED,))

    def _act(
        self, case_id: str, act: CaseAct, text: str, actor: str, now: datetime, allowed: Sequence[CaseState]
    ) -> None:
        with self.record(f"case.{act}", actor, {"case_id": case_id}, now) as unit:
            found = load_cases(unit.connection, CASE.c.case_id == case_id)
            if not found:
                raise InputError(f"there is no case {case_id}")
            if found[0].state not in allowed:
                raise CaseConflict(f"case {case_id} is {found[0].state}")
            key = unit.connection.execute(sa.select(CASE.c.record_id).where(CASE.c.case_id == case_id)).scalar_one()
            decides = act in (CaseAct.APPROVED, CaseAct.RETURNED)
            proposal = _newest_proposal(unit.connection, key) if decides else None
            if act is CaseAct.APPROVED and proposal is not None and same_person(proposal.actor, actor):
                raise CaseConflict(f"{actor} proposed the resolution of {case_id} and cannot approve it")
            add_event(unit, key, act, actor, text, proposal=proposal)


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


def _covers(connection: sa.Connection, case_id: str) -> list[tuple[LocationId, AssetId]]:
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
    decisive = [event for event in events if event.act in _STATE_AFTER][-1]
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
        state=_STATE_AFTER[decisive.act],
        opened_at=row.recorded_at,
        seen_at=shown.recorded_at,
        last_act=events[-1].act,
        last_at=events[-1].recorded_at,
        is_seen=sights[-1].act is not CaseAct.NO_LONGER_SEEN,
        maker=decisive.actor if decisive.act is CaseAct.PROPOSED else "",
        superseded=shown.block_hash in orphaned,
        explanation=_explanation(events),
        only_looked=all(event.provisional and event.sweep_key is None for event in sights),
    )


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


def _newest_proposal(connection: sa.Connection, case_key: int) -> Any:
    query = sa.select(EVENT).where(EVENT.c.case_key == case_key, EVENT.c.act == CaseAct.PROPOSED)
    return connection.execute(query.order_by(EVENT.c.record_id.desc()).limit(1)).first()


def add_event(
    unit: Unit,
    case_key: int,
    act: CaseAct,
    actor: str,
    text: str,
    *,
    sweep_key: int | None = None,
    finding: Finding | None = None,
    proposal: Any = None,
) -> int:
    """Add one event to a case; the finding's figures when the machine saw it. Returns the event's key."""
    block = finding.block if finding else None
    return unit.add(
        CaseEventRow,
        case_key=case_key,
        act=act,
        actor=actor,
        sweep_key=sweep_key,
        base_units=finding.base_units if finding else None,
        text=text,
        height=block.height if block else None,
        block_hash=block.block_hash if block else None,
        parent_hash=block.parent_hash if block else None,
        block_time=block.timestamp if block else None,
        tx_id=finding.tx_id if finding else "",
        provisional=finding.provisional if finding else False,
        proposal_key=proposal.record_id if proposal else None,
        maker=proposal.actor if proposal else None,
    )


def see_cases(
    unit: Unit,
    chain_id: ChainId,
    sweep_key: int | None,
    sightings: Iterable[Sighted],
    actor: str,
    *,
    all_seen: bool,
    looks_back: bool = False,
    is_look: bool = False,
    gone: Collection[str] = (),
    height: int | None = None,
    rail: Rail | None = None,
) -> list[CaseSeen]:
    """Open a case for each new finding and note what changed of known ones; one result for each sighting.

    With `all_seen` the sightings are everything there is to see on the chain, and of the `rail` where one is given:
    open cases among them no more are noted as no longer seen. They stay open until a second person closes them. A
    sweep that `looks_back` opens cases for what nobody knew, and says nothing new of what has a case: newer figures
    were seen already. One that `is_look` saw blocks that are not final: it says nothing new of what a sweep has seen.
    What was seen at a block whose hash is among `gone` is noted again at the block where it is seen now. What only
    looks saw up to the `height` that a sweep judged is withdrawn when the sweep does not confirm it, unless the
    balance could not be read. A past event that people dealt with while it was provisional stays closed, and is
    confirmed in its case.
    """
    sightings = list(sightings)
    unread = {place for each in sightings if each.finding.kind is FindingKind.UNVERIFIED for place in each.covers}
    stood = {row.case_id: row for row in load_cases(unit.connection)}
    keys = dict(unit.connection.execute(sa.select(CASE.c.case_id, CASE.c.record_id)).all())
    newest = {known.finding.finding_key: known for known in stood.values()}
    seen: list[CaseSeen] = []
    seen_keys: set[str] = set()
    for sighting in sightings:
        finding = sighting.finding
        if finding.finding_key in seen_keys:
            continue
        seen_keys.add(finding.finding_key)
        case = newest.get(finding.finding_key)
        withdrawn = case is not None and case.last_act is CaseAct.WITHDRAWN
        if case is not None and case.state is CaseState.CLOSED and _is_past_event(finding) and not withdrawn:
            if case.only_looked and sweep_key is not None:
                key, act = keys[case.case_id], CaseAct.SEEN_AGAIN
                add_event(unit, key, act, actor, finding.text, sweep_key=sweep_key, finding=finding)
                seen.append(CaseSeen(case.case_id, finding, False))
            continue
        known_better = is_look and case is not None and case.is_seen and not case.finding.provisional
        if case is not None and (looks_back or (known_better and case.state is not CaseState.CLOSED)):
            seen.append(CaseSeen(case.case_id, finding, False))
            continue
        if case is None or case.state is CaseState.CLOSED:
            occurrence = case.occurrence + 1 if case else 1
            case_id = f"CASE-{len(keys) + 1:06d}"
            keys[case_id] = case_key = _add_case(unit, case_id, occurrence, finding, chain_id)
            event = add_event(unit, case_key, CaseAct.OPENED, actor, finding.text, sweep_key=sweep_key, finding=finding)
            _add_covers(unit, event, sighting.covers)
            seen.append(CaseSeen(case_id, finding, True))
            continue
        covered = _covers(unit.connection, case.case_id)
        seen_at = case.finding.block
        is_gone = seen_at is not None and seen_at.block_hash in gone
        is_news = not case.is_seen or case.superseded or is_gone or _changed(case.finding, finding)
        if is_news or covered != list(sighting.covers):
            event = add_event(
                unit, keys[case.case_id], CaseAct.SEEN_AGAIN, actor, finding.text, sweep_key=sweep_key, finding=finding
            )
            _add_covers(unit, event, sighting.covers)
        seen.append(CaseSeen(case.case_id, finding, False))
    if all_seen:
        chains = dict(unit.connection.execute(sa.select(CASE.c.case_id, CASE.c.chain_id)).all())
        for known in stood.values():
            at = known.finding.block
            if known.only_looked and known.state is not CaseState.CLOSED and chains[known.case_id] == chain_id:
                is_judged = at is not None and height is not None and at.height <= height
                asset = known.finding.asset
                is_unread = asset is not None and (known.finding.location_id, asset.asset_id) in unread
                if is_judged and not is_unread and known.finding.finding_key not in seen_keys:
                    text = (
                        "Only a look at blocks that were not final showed this; the sweep of the final ones does not."
                    )
                    add_event(unit, keys[known.case_id], CaseAct.WITHDRAWN, actor, text, sweep_key=sweep_key)
                continue
            ceased = (
                known.state is not CaseState.CLOSED
                and known.is_seen
                and known.finding.finding_key not in seen_keys
                and not _is_past_event(known.finding)
                and chains[known.case_id] == chain_id
                and rail in (None, known.finding.rail)
            )
            if ceased:
                text = "The sweep did not see this any more."
                add_event(unit, keys[known.case_id], CaseAct.NO_LONGER_SEEN, actor, text, sweep_key=sweep_key)
    return seen


def _is_past_event(finding: Finding) -> bool:
    """Whether it speaks of what happened once, and not of how things are."""
    if finding.kind is FindingKind.CONTROL_CHANGE:
        return not finding.subject.startswith(STANDING_CONTROL)
    if finding.kind is FindingKind.UNVERIFIED and finding.subject.startswith(RECLASSIFIED):
        return True
    return finding.kind in NEVER_GONE or (finding.kind is FindingKind.COMMINGLING and bool(finding.tx_id))


def _changed(before: Finding, now: Finding) -> bool:
    """Whether a person would want to know: the amount, or whether it is provisional. A new block alone is not news."""
    return (before.base_units, before.provisional) != (now.base_units, now.provisional)


def _add_case(unit: Unit, case_id: str, occurrence: int, finding: Finding, chain_id: ChainId) -> int:
    return unit.add(
        CaseRow,
        case_id=case_id,
        finding_key=finding.finding_key,
        occurrence=occurrence,
        kind=finding.kind,
        rail=finding.rail,
        location_id=finding.location_id,
        asset_key=unit.asset_keys([finding.asset])[finding.asset] if finding.asset else None,
        subject=finding.subject,
        chain_id=chain_id,
    )


def _add_covers(unit: Unit, event_key: int, covers: Sequence[tuple[LocationId, AssetId]]) -> None:
    if not covers:
        return
    texts = unit.text_keys(text for cover in covers for text in cover)
    unit.add_rows(CaseCoverRow, ((event_key, texts[place], texts[asset_id]) for place, asset_id in covers))
