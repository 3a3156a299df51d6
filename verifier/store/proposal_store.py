"""Proposed changes of the mapping and the policies: made by one person, decided by another, applied as one act."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from exports.canonical import canonical_json
from verifier.errors import InputError, ProposalConflict
from verifier.rules.approval import Verdict, Waiting, decide, require_unchanged
from verifier.store.case_reading import CONTENT
from verifier.store.engine import Database
from verifier.store.parties import party_of, party_who_acted
from verifier.store.records import ChangeKind, InstructionAct
from verifier.store.tables import AttachmentContentRow, ChangeDecisionRow, ChangeProposalRow, table
from verifier.store.unit import Unit

PROPOSAL, DECISION = table(ChangeProposalRow), table(ChangeDecisionRow)


@dataclass(frozen=True, slots=True)
class ChangeDecision:
    """What became of a proposed change."""

    act: InstructionAct
    actor: str
    text: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class StoredChange:
    """A proposed change, or one that was noted and needs no approval."""

    proposal_id: str
    kind: ChangeKind
    digest: str
    content: dict[str, Any]
    text: str
    maker: str
    maker_person: str
    needs_approval: bool
    recorded_at: datetime
    decision: ChangeDecision | None

    @property
    def waits(self) -> bool:
        """Whether somebody has to decide."""
        return self.needs_approval and self.decision is None

    @property
    def in_force(self) -> bool:
        """Whether it counts: approved, or in need of no approval."""
        if not self.needs_approval:
            return True
        return self.decision is not None and self.decision.act is InstructionAct.APPROVED


class ProposalStore(Database):
    """The proposed changes' side of the store."""

    def changes(self, kind: ChangeKind | None = None) -> list[StoredChange]:
        """Every change with its decision, in the order they were proposed."""
        with self.read() as connection:
            return _changes(connection, *([PROPOSAL.c.kind == kind] if kind is not None else []))

    def change(self, proposal_id: str) -> StoredChange:
        """One change. Raises `InputError` when there is none of this id."""
        with self.read() as connection:
            return _one(connection, proposal_id)

    def add_change(
        self,
        kind: ChangeKind,
        content: Mapping[str, object],
        documents: Mapping[str, bytes],
        text: str,
        maker: str,
        now: datetime,
        *,
        needs_approval: bool,
    ) -> StoredChange:
        """Record a change as proposed; one that waits with the same content already is that one.

        So are the policies in force: of several processes that begin at once with the same ones, one notes them.
        `documents` are the bytes that the content names, by their SHA-256; each is stored once.
        """
        body = canonical_json(dict(content))
        digest = hashlib.sha256(body).hexdigest()
        with self.record(f"change.{kind.value}", maker, {"sha256": digest}, now) as unit:
            stood = _changes(unit.connection, PROPOSAL.c.kind == kind)
            if same := [each for each in stood if each.waits and each.digest == digest]:
                return same[-1]
            in_force = [each for each in stood if each.in_force]
            if kind is ChangeKind.POLICIES and in_force and in_force[-1].digest == digest:
                return in_force[-1]
            for sha256, given in documents.items():
                _keep(unit, sha256, given)
            count = unit.connection.execute(sa.select(sa.func.count()).select_from(PROPOSAL)).scalar_one()
            proposal_id = f"CP-{count + 1:06d}"
            unit.add(
                ChangeProposalRow,
                proposal_id=proposal_id,
                kind=kind,
                digest=digest,
                content=body.decode(),
                text=text,
                maker=maker,
                maker_person=party_of(unit.connection, maker).person_id or None,
                needs_approval=needs_approval,
            )
        return self.change(proposal_id)

    def decide_change(
        self,
        proposal_id: str,
        act: InstructionAct,
        text: str,
        actor: str,
        now: datetime,
        *,
        seen: str | None = None,
        apply: Callable[[Unit, StoredChange], None] | None = None,
    ) -> StoredChange:
        """Approve or refuse a change; `apply` does what an approval brings, in the same transaction.

        `seen` is the digest that the checker looked at. Raises `ProposalConflict` when it was decided or its maker
        would approve it, `VersionConflict` for another digest, and what `apply` raises: nothing is recorded then. The
        same decision by the same person again changes nothing.
        """
        with self.record(f"change.{act.value}", actor, {"proposal_id": proposal_id}, now) as unit:
            found = _one(unit.connection, proposal_id)
            if found.decision is not None:
                if (found.decision.act, found.decision.actor, found.decision.text) == (act, actor, text):
                    return found
                raise ProposalConflict(f"{proposal_id} was {found.decision.act} by {found.decision.actor}")
            if not found.needs_approval:
                raise ProposalConflict(f"{proposal_id} needs no approval")
            checker = party_of(unit.connection, actor)
            require_unchanged(proposal_id, seen, found.digest)
            maker = party_who_acted(unit.connection, found.maker, found.maker_person)
            waiting = Waiting(proposal_id, maker, found.digest)
            verdict = Verdict.APPROVE if act is InstructionAct.APPROVED else Verdict.RETURN
            content = hashlib.sha256(canonical_json(found.content)).hexdigest()
            decide(waiting, verdict, checker, content, conflict=ProposalConflict)
            key = unit.connection.execute(
                sa.select(PROPOSAL.c.record_id).where(PROPOSAL.c.proposal_id == proposal_id)
            ).scalar_one()
            unit.add(
                ChangeDecisionRow,
                proposal_key=key,
                act=act,
                actor=actor,
                person_id=checker.person_id or None,
                maker=found.maker,
                maker_person=found.maker_person or None,
                digest=content,
                text=text,
            )
            if act is InstructionAct.APPROVED and apply is not None:
                apply(unit, found)
        return self.change(proposal_id)


def _keep(unit: Unit, sha256: str, given: bytes) -> None:
    if hashlib.sha256(given).hexdigest() != sha256:
        raise InputError("a document has another digest than the change names")
    known = sa.select(CONTENT.c.record_id).where(CONTENT.c.sha256 == sha256)
    if unit.connection.execute(known).first() is None:
        content = base64.b64encode(given).decode()
        unit.add(AttachmentContentRow, sha256=sha256, byte_count=len(given), media_type="text/csv", content=content)


def _one(connection: sa.Connection, proposal_id: str) -> StoredChange:
    found = _changes(connection, PROPOSAL.c.proposal_id == proposal_id)
    if not found:
        raise InputError(f"there is no change {proposal_id}")
    return found[0]


def _changes(connection: sa.Connection, *conditions: sa.ColumnElement[bool]) -> list[StoredChange]:
    query = (
        sa.select(
            PROPOSAL,
            DECISION.c.act,
            DECISION.c.actor,
            DECISION.c.text.label("decided_text"),
            DECISION.c.recorded_at.label("decided_at"),
        )
        .join_from(PROPOSAL, DECISION, DECISION.c.proposal_key == PROPOSAL.c.record_id, isouter=True)
        .where(*conditions)
        .order_by(PROPOSAL.c.record_id)
    )
    return [
        StoredChange(
            row.proposal_id,
            row.kind,
            row.digest,
            orjson.loads(row.content),
            row.text,
            row.maker,
            row.maker_person or "",
            row.needs_approval,
            row.recorded_at,
            ChangeDecision(row.act, row.actor, row.decided_text, row.decided_at) if row.act is not None else None,
        )
        for row in connection.execute(query)
    ]
