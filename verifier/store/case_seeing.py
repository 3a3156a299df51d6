"""From sightings to cases: a finding opens one, however often it is seen; what is new is noted; nothing is changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from chains.types import AssetId, ChainId, LocationId
from exports.canonical import canonical_json
from verifier.alerts.telling import case_alert
from verifier.records import CaseState, Finding, FindingKind, Rail
from verifier.store.case_reading import CASE, covers_of, load_cases
from verifier.store.records import CaseAct, CaseSeen, Sighted
from verifier.store.tables import CaseCoverRow, CaseEventRow, CaseRow
from verifier.store.unit import Unit

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
    person: str = "",
    detail: Mapping[str, str] | None = None,
    digests: tuple[str, str] | None = None,
) -> int:
    """Add one event to a case; the finding's figures when the machine saw it. Returns the event's key.

    `digests` are those of the facts and of everything that was seen, for a proposal and its decision.
    """
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
        maker_person=proposal.person_id if proposal else None,
        person_id=person or None,
        facts_digest=digests[0] if digests else None,
        seen_digest=digests[1] if digests else None,
        detail=canonical_json(dict(detail)).decode() if detail else None,
    )


def tell_case(unit: Unit, act: CaseAct, case_id: str, chain_id: str, finding: Finding) -> None:
    """Let people know of a case's event, where they need to."""
    if (alert := case_alert(act.value, case_id, chain_id, finding)) is not None:
        unit.tell(alert)


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
            tell_case(unit, CaseAct.OPENED, case_id, chain_id, finding)
            seen.append(CaseSeen(case_id, finding, True))
            continue
        covered = covers_of(unit.connection, case.case_id)
        seen_at = case.finding.block
        is_gone = seen_at is not None and seen_at.block_hash in gone
        is_news = not case.is_seen or case.superseded or is_gone or _changed(case.finding, finding)
        if is_news or covered != list(sighting.covers):
            event = add_event(
                unit, keys[case.case_id], CaseAct.SEEN_AGAIN, actor, finding.text, sweep_key=sweep_key, finding=finding
            )
            _add_covers(unit, event, sighting.covers)
            news = not case.is_seen or _changed(case.finding, finding) or covered != list(sighting.covers)
            if case.state is CaseState.PROPOSED and news:
                text = "New data came after the resolution was proposed; it does not stand any more."
                add_event(unit, keys[case.case_id], CaseAct.REOPENED, actor, text, sweep_key=sweep_key)
                tell_case(unit, CaseAct.REOPENED, case.case_id, chain_id, finding)
            elif not case.is_seen:
                tell_case(unit, CaseAct.SEEN_AGAIN, case.case_id, chain_id, finding)
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
