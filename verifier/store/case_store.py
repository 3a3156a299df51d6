"""What people do with cases: every act is added, bound to what was seen, and nobody approves their own."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

import sqlalchemy as sa

from chains.types import AssetId, LocationId
from verifier.errors import CaseConflict, InputError
from verifier.records import CaseState
from verifier.rules.approval import Party, Standing, Verdict, Waiting, decide, require_unchanged, require_version
from verifier.rules.attachments import PER_CASE_MAX, Document, checked_document
from verifier.rules.second_approval import approvals_needed
from verifier.store.case_reading import (
    CASE,
    CONTENT,
    EVENT,
    content_of,
    covers_of,
    event_of,
    facts_of,
    load_cases,
    seen_of,
)
from verifier.store.case_seeing import add_event, tell_case
from verifier.store.engine import Database
from verifier.store.parties import party_of, party_who_acted
from verifier.store.records import (
    Case,
    CaseAct,
    CaseEvent,
    CaseStanding,
    RootCause,
)
from verifier.store.tables import AttachmentContentRow
from verifier.store.unit import Unit

_ALIVE = (CaseState.OPEN, CaseState.PROPOSED)
TEXT_MAX: Final = 4000


class CaseStore(Database):
    """The people's side of the store.

    Every act of a person takes `expected_version`: the `Case.version` it was made on, refused with `VersionConflict`
    when something happened since; None acts on whatever is there. An act that is the newest one already, by the same
    person in the same words, changes nothing: a request sent twice is no second act.
    """

    second_above: Mapping[str, str] = MappingProxyType({})
    """Above which quantity, by asset id or symbol, a resolution needs two approvals; see `verifier.acting`."""

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
            return _one(connection, case_id)

    def case_events(self, case_id: str) -> list[CaseEvent]:
        """Everything that happened to a case, oldest first."""
        with self.read() as connection:
            return _events(connection, case_id)

    def case_covers(self, case_id: str) -> list[tuple[LocationId, AssetId]]:
        """The holdings the case covered when it was last seen."""
        with self.read() as connection:
            return covers_of(connection, case_id)

    def case_standing(self, case_id: str) -> CaseStanding:
        """Everything about one case with the digests a decision is bound to. Raises `InputError`."""
        with self.read() as connection:
            return self._standing(connection, case_id)

    def attachment(self, sha256: str) -> tuple[str, bytes]:
        """Media type and bytes of an attached document. Raises `InputError` when there is none."""
        with self.read() as connection:
            return content_of(connection, sha256)

    def comment(
        self, case_id: str, text: str, actor: str, now: datetime, *, expected_version: int | None = None
    ) -> None:
        """Add a remark to a case that is not closed."""
        self._act(case_id, CaseAct.COMMENTED, text, actor, now, _ALIVE, expected_version)

    def explain(
        self, case_id: str, text: str, actor: str, now: datetime, *, expected_version: int | None = None
    ) -> None:
        """Say what a case is, and stand by it as its maker. It stays open until it is resolved by two people."""
        self._act(case_id, CaseAct.EXPLAINED, text, actor, now, _ALIVE, expected_version)

    def assign(
        self,
        case_id: str,
        assignee: str,
        text: str,
        actor: str,
        now: datetime,
        *,
        expected_version: int | None = None,
    ) -> None:
        """Name who is to work on a case; an empty assignee takes it from whoever was named."""
        detail = {"assignee": assignee.strip()}
        self._act(case_id, CaseAct.ASSIGNED, text, actor, now, _ALIVE, expected_version, detail)

    def name_cause(
        self,
        case_id: str,
        cause: RootCause,
        text: str,
        actor: str,
        now: datetime,
        *,
        expected_version: int | None = None,
    ) -> None:
        """Say why it did not fit: one of the known causes, and a text. The newest one stands."""
        detail = {"cause": cause.value}
        self._act(case_id, CaseAct.CAUSE_NAMED, text, actor, now, _ALIVE, expected_version, detail)

    def attach(
        self,
        case_id: str,
        name: str,
        content: bytes,
        text: str,
        actor: str,
        now: datetime,
        *,
        expected_version: int | None = None,
    ) -> Document:
        """Attach a document by its digest; its bytes are stored once. Raises `InputError` for what may not be."""
        document = checked_document(name, content)
        detail = {
            "sha256": document.sha256,
            "name": document.name,
            "media_type": document.media_type,
            "bytes": str(len(content)),
        }
        self._act(case_id, CaseAct.ATTACHED, text, actor, now, _ALIVE, expected_version, detail, document)
        return document

    def propose(
        self,
        case_id: str,
        text: str,
        actor: str,
        now: datetime,
        *,
        seen: str | None = None,
        expected_version: int | None = None,
    ) -> None:
        """Propose how an open case is resolved; the actor is its maker.

        `seen` is the `CaseStanding.seen_digest` that the maker looked at. The proposal is bound to the facts as they
        are: when they change, it is reopened or cannot be approved.
        """
        self._act(case_id, CaseAct.PROPOSED, text, actor, now, (CaseState.OPEN,), expected_version, seen=seen)

    def approve(
        self,
        case_id: str,
        text: str,
        actor: str,
        now: datetime,
        *,
        seen: str | None = None,
        expected_version: int | None = None,
    ) -> None:
        """Approve a proposed resolution: the case is closed, or waits for a second approval above the firm's amount.

        `seen` is the `CaseStanding.seen_digest` that the checker looked at. Raises `CaseConflict` when the actor is its
        maker or approved it before, `VersionConflict` when what was seen is not what stands, or the facts are not those
        that the maker proposed it on.
        """
        proposed = (CaseState.PROPOSED,)
        self._act(case_id, CaseAct.APPROVED, text, actor, now, proposed, expected_version, seen=seen)

    def send_back(
        self,
        case_id: str,
        text: str,
        actor: str,
        now: datetime,
        *,
        seen: str | None = None,
        expected_version: int | None = None,
    ) -> None:
        """Return a proposed case to its maker; it is open again."""
        proposed = (CaseState.PROPOSED,)
        self._act(case_id, CaseAct.RETURNED, text, actor, now, proposed, expected_version, seen=seen)

    def to_trade_breaks(
        self, overdue: Sequence[tuple[str, str, Mapping[str, str]]], actor: str, now: datetime
    ) -> list[str]:
        """Put cases that are past their clock into the trade-break queue, each once with text and context.

        Gives the ids of those that were not in it. Closed ones are left out.
        """
        moved = []
        with self.record("cases.escalated", actor, {"cases": sorted(each[0] for each in overdue)}, now) as unit:
            for case_id, text, context in overdue:
                found = _one(unit.connection, case_id)
                if found.state is CaseState.CLOSED or found.trade_break_at is not None:
                    continue
                key = _key(unit, case_id)
                add_event(unit, key, CaseAct.TRADE_BREAK, actor, text, detail=context)
                tell_case(unit, CaseAct.TRADE_BREAK, case_id, "", found.finding)
                moved.append(case_id)
        return moved

    def _standing(self, connection: sa.Connection, case_id: str) -> CaseStanding:
        case, covers = _one(connection, case_id), covers_of(connection, case_id)
        events = _events(connection, case_id)
        facts = facts_of(case, covers, events).digest
        finding = case.finding
        needed = approvals_needed(finding.asset, finding.base_units, self.second_above)
        return CaseStanding(case, tuple(covers), tuple(events), facts, seen_of(case, facts), needed)

    def _act(
        self,
        case_id: str,
        act: CaseAct,
        text: str,
        actor: str,
        now: datetime,
        allowed: Sequence[CaseState],
        expected_version: int | None = None,
        detail: Mapping[str, str] | None = None,
        document: Document | None = None,
        *,
        seen: str | None = None,
    ) -> None:
        if len(text) > TEXT_MAX:
            raise InputError(f"a text has at most {TEXT_MAX} characters")
        with self.record(f"case.{act}", actor, {"case_id": case_id}, now) as unit:
            stands = self._standing(unit.connection, case_id)
            if _is_repeated(stands, act, actor, text, detail or {}):
                return
            if stands.case.state not in allowed:
                raise CaseConflict(f"case {case_id} is {stands.case.state}")
            require_version(case_id, expected_version, stands.case.version)
            require_unchanged(case_id, seen, stands.seen_digest)
            key, party = _key(unit, case_id), party_of(unit.connection, actor)
            if document is not None:
                _store_document(unit, stands, document)
            proposal = None
            if act in (CaseAct.APPROVED, CaseAct.RETURNED):
                proposal = _newest_proposal(unit.connection, key)
                act = _decided(unit.connection, stands, proposal, act, party)
            is_bound = act in (CaseAct.PROPOSED, CaseAct.APPROVED, CaseAct.ENDORSED, CaseAct.RETURNED)
            add_event(
                unit, key, act, actor, text, proposal=proposal, person=party.person_id, detail=detail,
                digests=(stands.facts_digest, stands.seen_digest) if is_bound else None,
            )  # fmt: skip
            tell_case(unit, act, case_id, "", stands.case.finding)


def _decided(connection: sa.Connection, stands: CaseStanding, proposal: Any, act: CaseAct, checker: Party) -> CaseAct:
    """What becomes of the proposal that stands: approved, endorsed as the first of two, or returned."""
    if act is CaseAct.RETURNED:
        return act
    endorsed = sa.select(EVENT).where(EVENT.c.proposal_key == proposal.record_id, EVENT.c.act == CaseAct.ENDORSED)

    def acted(row: Any) -> Party:
        return party_who_acted(connection, row.actor, row.person_id or "")

    waiting = Waiting(
        stands.case.case_id,
        acted(proposal),
        proposal.facts_digest,
        tuple(acted(row) for row in connection.execute(endorsed).all()),
        stands.approvals_needed,
    )
    standing = decide(waiting, Verdict.APPROVE, checker, stands.facts_digest, conflict=CaseConflict)
    return CaseAct.APPROVED if standing is Standing.APPROVED else CaseAct.ENDORSED


def _is_repeated(stands: CaseStanding, act: CaseAct, actor: str, text: str, detail: Mapping[str, str]) -> bool:
    """Whether the newest thing that happened is this very act."""
    newest = stands.events[-1]
    same = {act, CaseAct.ENDORSED} if act is CaseAct.APPROVED else {act}
    return newest.act in same and (newest.actor, newest.text, newest.detail) == (actor, text, dict(detail))


def _store_document(unit: Unit, stands: CaseStanding, document: Document) -> None:
    if len(stands.case.attachments) >= PER_CASE_MAX:
        raise InputError(f"a case has at most {PER_CASE_MAX} attachments")
    if any(each.sha256 == document.sha256 for each in stands.case.attachments):
        raise InputError(f"{stands.case.case_id} has this very document already")
    known = sa.select(CONTENT.c.record_id).where(CONTENT.c.sha256 == document.sha256)
    if unit.connection.execute(known).first() is None:
        unit.add(
            AttachmentContentRow,
            sha256=document.sha256,
            byte_count=len(document.content),
            media_type=document.media_type,
            content=base64.b64encode(document.content).decode(),
        )


def _one(connection: sa.Connection, case_id: str) -> Case:
    found = load_cases(connection, CASE.c.case_id == case_id)
    if not found:
        raise InputError(f"there is no case {case_id}")
    return found[0]


def _events(connection: sa.Connection, case_id: str) -> list[CaseEvent]:
    query = (
        sa.select(EVENT, CASE.c.chain_id)
        .join_from(EVENT, CASE, EVENT.c.case_key == CASE.c.record_id)
        .where(CASE.c.case_id == case_id)
        .order_by(EVENT.c.record_id)
    )
    return [event_of(row) for row in connection.execute(query)]


def _key(unit: Unit, case_id: str) -> int:
    return int(unit.connection.execute(sa.select(CASE.c.record_id).where(CASE.c.case_id == case_id)).scalar_one())


def _newest_proposal(connection: sa.Connection, case_key: int) -> Any:
    query = sa.select(EVENT).where(EVENT.c.case_key == case_key, EVENT.c.act == CaseAct.PROPOSED)
    return connection.execute(query.order_by(EVENT.c.record_id.desc()).limit(1)).first()
