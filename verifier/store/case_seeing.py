"""From sightings to cases: a finding opens one, however often it is seen; what is new is noted; nothing is changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from chains.types import AssetId, ChainId, LocationId
from exports.canonical import canonical_json
from verifier.alerts.telling import case_alert
from verifier.records import CaseState, Finding, FindingKind, Rail
from verifier.store.case_reading import CASE, covers_of, load_cases
from verifier.store.records import Case, CaseAct, CaseSeen, Sighted
from verifier.store.tables import CaseCoverRow, CaseEventRow, CaseRow, JournalEntryRow, table
from verifier.store.unit import Unit

ENTRY: Final = table(JournalEntryRow)

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


def acted_since(unit: Unit, known_at: datetime, kinds: Collection[str]) -> bool:
    """Whether an act of one of these kinds was recorded after a time.

    Asked as the one writer before the cases of a slow judgement are seen: what is older must not undo what a newer
    one saw.
    """
    since = sa.select(ENTRY.c.sequence).where(ENTRY.c.recorded_at > known_at, ENTRY.c.kind.in_(kinds))
    return unit.connection.execute(since.limit(1)).first() is not None


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
    seeing = _Seeing(unit, chain_id, sweep_key, actor, looks_back=looks_back, is_look=is_look, gone=gone)
    seen = [found for sighting in sightings if (found := seeing.see(sighting)) is not None]
    if all_seen:
        unread = {place for each in sightings if each.finding.kind is FindingKind.UNVERIFIED for place in each.covers}
        seeing.note_what_ceased(unread, height, rail)
    return seen


class _Seeing:
    """One sweep's or look's sightings, put one by one to the cases that stood before it."""

    def __init__(
        self,
        unit: Unit,
        chain_id: ChainId,
        sweep_key: int | None,
        actor: str,
        *,
        looks_back: bool,
        is_look: bool,
        gone: Collection[str],
    ) -> None:
        self._unit, self._chain_id, self._sweep_key, self._actor = unit, chain_id, sweep_key, actor
        self._looks_back, self._is_look, self._gone = looks_back, is_look, gone
        self._stood = load_cases(unit.connection)
        self._newest = {known.finding.finding_key: known for known in self._stood}
        self._keys = dict(unit.connection.execute(sa.select(CASE.c.case_id, CASE.c.record_id)).all())
        self._seen_keys: set[str] = set()

    def see(self, sighting: Sighted) -> CaseSeen | None:
        """The case of a finding; None for one that was seen already, in this look or as a past event dealt with."""
        finding = sighting.finding
        if finding.finding_key in self._seen_keys:
            return None
        self._seen_keys.add(finding.finding_key)
        case = self._newest.get(finding.finding_key)
        if case is None:
            return self._open(sighting, 1)
        is_closed = case.state is CaseState.CLOSED
        if is_closed and _is_past_event(finding) and case.last_act is not CaseAct.WITHDRAWN:
            return self._confirm(case, finding)
        known_better = self._is_look and case.is_seen and not case.finding.provisional
        if not self._looks_back and not (known_better and not is_closed):
            if is_closed:
                return self._open(sighting, case.occurrence + 1)
            self._note_news(case, sighting)
        return CaseSeen(case.case_id, finding, False)

    def _open(self, sighting: Sighted, occurrence: int) -> CaseSeen:
        finding = sighting.finding
        case_id = f"CASE-{len(self._keys) + 1:06d}"
        self._keys[case_id] = _add_case(self._unit, case_id, occurrence, finding, self._chain_id)
        event = self._add(case_id, CaseAct.OPENED, finding.text, finding)
        _add_covers(self._unit, event, sighting.covers)
        tell_case(self._unit, CaseAct.OPENED, case_id, self._chain_id, finding)
        return CaseSeen(case_id, finding, True)

    def _confirm(self, case: Case, finding: Finding) -> CaseSeen | None:
        """A past event stays closed; a sweep that sees what only looks had seen says so once."""
        if not case.only_looked or self._sweep_key is None:
            return None
        self._add(case.case_id, CaseAct.SEEN_AGAIN, finding.text, finding)
        return CaseSeen(case.case_id, finding, False)

    def _note_news(self, case: Case, sighting: Sighted) -> None:
        finding, covers = sighting.finding, list(sighting.covers)
        covers_others = covers_of(self._unit.connection, case.case_id) != covers
        news = not case.is_seen or _changed(case.finding, finding) or covers_others
        seen_at = case.finding.block
        is_gone = seen_at is not None and seen_at.block_hash in self._gone
        if not (news or case.superseded or is_gone):
            return
        event = self._add(case.case_id, CaseAct.SEEN_AGAIN, finding.text, finding)
        _add_covers(self._unit, event, sighting.covers)
        if case.state is CaseState.PROPOSED and news:
            text = "New data came after the resolution was proposed; it does not stand any more."
            self._add(case.case_id, CaseAct.REOPENED, text)
            tell_case(self._unit, CaseAct.REOPENED, case.case_id, self._chain_id, finding)
        elif not case.is_seen:
            tell_case(self._unit, CaseAct.SEEN_AGAIN, case.case_id, self._chain_id, finding)

    def note_what_ceased(
        self, unread: Collection[tuple[LocationId, AssetId]], height: int | None, rail: Rail | None
    ) -> None:
        """Note which open cases of the chain and rail were not among the sightings, which are all there are."""
        chains = dict(self._unit.connection.execute(sa.select(CASE.c.case_id, CASE.c.chain_id)).all())
        for case in self._stood:
            is_open_here = case.state is not CaseState.CLOSED and chains[case.case_id] == self._chain_id
            if not is_open_here or case.finding.finding_key in self._seen_keys:
                continue
            if case.only_looked:
                if _was_judged(case.finding, unread, height):
                    text = (
                        "Only a look at blocks that were not final showed this; the sweep of the final ones does not."
                    )
                    self._add(case.case_id, CaseAct.WITHDRAWN, text)
            elif case.is_seen and not _is_past_event(case.finding) and rail in (None, case.finding.rail):
                self._add(case.case_id, CaseAct.NO_LONGER_SEEN, "The sweep did not see this any more.")

    def _add(self, case_id: str, act: CaseAct, text: str, finding: Finding | None = None) -> int:
        key = self._keys[case_id]
        return add_event(self._unit, key, act, self._actor, text, sweep_key=self._sweep_key, finding=finding)


def _was_judged(finding: Finding, unread: Collection[tuple[LocationId, AssetId]], height: int | None) -> bool:
    """Whether a sweep up to that height would have seen what a look saw: its block is below, and it could be read."""
    if finding.block is None or height is None or finding.block.height > height:
        return False
    return finding.asset is None or (finding.location_id, finding.asset.asset_id) not in unread


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
