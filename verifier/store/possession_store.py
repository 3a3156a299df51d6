"""Reviews of possession or control, and the acts, substitutions, decisions and receipts that belong to them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa

from chains.types import AssetId, ChainId
from exports.possession.document import inputs_digest, read_review
from exports.possession.review import Review
from exports.possession.types import Move
from verifier.errors import InputError, InstructionConflict
from verifier.possession.cures import CureAct, CureKind, ProofKind, Receipt
from verifier.records import Rail
from verifier.rules.approval import Verdict, Waiting, decide
from verifier.store.case_seeing import acted_since, see_cases
from verifier.store.case_store import CaseStore
from verifier.store.parties import party_of
from verifier.store.records import CaseSeen, InstructionAct, Sighted
from verifier.store.tables import (
    ControlDecisionRow,
    CureActRow,
    CureReceiptRow,
    PossessionReviewRow,
    SubstitutionRow,
    table,
)
from verifier.store.unit import Unit

REVIEW, ACT, SUBSTITUTION = table(PossessionReviewRow), table(CureActRow), table(SubstitutionRow)
DECISION, RECEIPT = table(ControlDecisionRow), table(CureReceiptRow)
ACTS: Final = (
    "import",
    "possession.acted",
    "possession.approved",
    "possession.received",
    "possession.refused",
    "possession.reviewed",
    "possession.substitution_proposed",
    "trades.settled",
)
"""Kinds of journal entries that can change how possession or control stands."""
NOT_REPLACED = REVIEW.c.record_id.not_in(sa.select(REVIEW.c.replaces).where(REVIEW.c.replaces.is_not(None)))


@dataclass(frozen=True, slots=True)
class StoredReview:
    """A review as it was recorded."""

    review_id: str
    as_of: date
    rule_set: str
    known_at: datetime
    """The books as known at this time were used."""
    document: bytes
    """Canonical text of the review with its inputs."""
    digest: str
    inputs_digest: str
    determined_on: date
    act_by: date
    """Last day for instructions or steps on its deficits."""
    replaces: str
    """Id of the review it corrects; empty when it corrects none."""
    reason: str
    recorded_at: datetime

    def review(self) -> Review:
        """The review itself, computed again; raises `ReserveError` when it does not come out the same."""
        return read_review(self.document)


@dataclass(frozen=True, slots=True)
class ReviewHeader:
    """A review without its text."""

    review_id: str
    as_of: date
    act_by: date
    recorded_at: datetime
    replaced: bool
    """Whether a later review of the same day stands in its place."""


@dataclass(frozen=True, slots=True)
class StoredSubstitution:
    """A substitution as it was proposed, and its decision."""

    substitution_id: str
    review_id: str
    move: Move
    before_digest: str
    after_digest: str
    """Of the reviews without and with it: when it was decided, else when it was proposed."""
    text: str
    maker: str
    recorded_at: datetime
    checker: str
    """Who decided; empty while nobody did."""
    approved: bool

    @property
    def state(self) -> str:
        """For people: `proposed`, `in force` or `refused`."""
        return ("in force" if self.approved else "refused") if self.checker else "proposed"


class PossessionStore(CaseStore):
    """Possession or control's side of the store."""

    def possession_reviews(self, known_at: datetime | None = None, *, since: date | None = None) -> list[StoredReview]:
        """Every review, those that were replaced too, in the order they were made; those of a day and later."""
        conditions = [] if known_at is None else [REVIEW.c.recorded_at <= known_at]
        if since is not None:
            conditions.append(REVIEW.c.as_of >= since)
        return self._reviews(*conditions)

    def review_headers(self) -> list[ReviewHeader]:
        """Every review without its text, by the day it is of and then as they were made."""
        query = sa.select(
            REVIEW.c.record_id,
            REVIEW.c.review_id,
            REVIEW.c.as_of,
            REVIEW.c.act_by,
            REVIEW.c.recorded_at,
            REVIEW.c.replaces,
        ).order_by(REVIEW.c.as_of, REVIEW.c.record_id)
        with self.read() as connection:
            rows = connection.execute(query).all()
        replaced = {row.replaces for row in rows}
        return [
            ReviewHeader(row.review_id, row.as_of, row.act_by, row.recorded_at, row.record_id in replaced)
            for row in rows
        ]

    def has_reviews(self) -> bool:
        """Whether possession or control was ever reviewed."""
        with self.read() as connection:
            return connection.execute(sa.select(REVIEW.c.record_id).limit(1)).first() is not None

    def possession_review(self, review_id: str) -> StoredReview:
        """One review. Raises `InputError` when there is none of this id."""
        for each in self._reviews(REVIEW.c.review_id == review_id):
            return each
        raise InputError(f"there is no review {review_id}")

    def last_review(self) -> StoredReview | None:
        """The review that stands of the newest day; None when there is none."""
        newest = sa.select(sa.func.max(REVIEW.c.as_of)).scalar_subquery()
        found = self._reviews(REVIEW.c.as_of == newest, NOT_REPLACED)
        return found[-1] if found else None

    def standing_review(self, as_of: date) -> StoredReview | None:
        """The review of a day that no later one replaced; None when there is none."""
        found = self._reviews(REVIEW.c.as_of == as_of, NOT_REPLACED)
        return found[-1] if found else None

    def standing_reviews(self) -> list[StoredReview]:
        """The reviews that no later one replaced, by the day they are of."""
        return sorted(self._reviews(NOT_REPLACED), key=lambda each: each.as_of)

    def _reviews(self, *conditions: sa.ColumnElement[bool]) -> list[StoredReview]:
        with self.read() as connection:
            ids = dict(connection.execute(sa.select(REVIEW.c.record_id, REVIEW.c.review_id)).all())
            rows = connection.execute(sa.select(REVIEW).where(*conditions).order_by(REVIEW.c.record_id)).all()
        return [_review(row, ids) for row in rows]

    def add_possession_review(
        self,
        review: Review,
        document: bytes,
        determined_on: date,
        act_by: date,
        known_at: datetime,
        actor: str,
        now: datetime,
        reason: str = "",
    ) -> StoredReview:
        """Record a review; the same one again is the one that stands.

        Raises `InputError` for another one of the same day without a reason: it replaces the one that stands.
        """
        as_of, digest = review.inputs.as_of, hashlib.sha256(document).hexdigest()
        with self.record("possession.reviewed", actor, {"as_of": as_of.isoformat(), "sha256": digest}, now) as unit:
            standing = self.standing_review(as_of)
            if standing is not None and standing.document == document:
                return standing
            if standing is not None and not reason.strip():
                raise InputError(
                    f"{standing.review_id} stands for {as_of.isoformat()} with other inputs",
                    advice="Say why it is reviewed again: --reason TEXT. The earlier review stays on record.",
                )
            keys = _keys(unit, REVIEW, "review_id")
            review_id = f"PR-{len(keys) + 1:06d}"
            unit.add(
                PossessionReviewRow,
                review_id=review_id,
                as_of=as_of,
                rule_set=review.rule_set_id,
                known_at=known_at,
                document=document.decode(),
                digest=digest,
                inputs_digest=inputs_digest(document),
                determined_on=determined_on,
                act_by=act_by,
                replaces=keys[standing.review_id] if standing is not None else None,
                reason=reason.strip() if standing is not None else "",
            )
        return self.possession_review(review_id)

    def cure_acts(self) -> list[CureAct]:
        """Every act with its decision and receipts, in the order they were recorded."""
        query = (
            sa.select(ACT, REVIEW.c.review_id, DECISION.c.checker, DECISION.c.act)
            .join_from(ACT, REVIEW, ACT.c.review_key == REVIEW.c.record_id)
            .join(DECISION, DECISION.c.act_key == ACT.c.record_id, isouter=True)
            .order_by(ACT.c.record_id)
        )
        receipts: dict[int, list[Receipt]] = {}
        with self.read() as connection:
            for row in connection.execute(sa.select(RECEIPT).order_by(RECEIPT.c.record_id)):
                found = Receipt(row.kind, row.reference, row.digest, row.received_on, row.actor, row.recorded_at)
                receipts.setdefault(row.act_key, []).append(found)
            return [_act(row, receipts.get(row.record_id, [])) for row in connection.execute(query)]

    def cure_act(self, act_id: str) -> CureAct:
        """One act. Raises `InputError` when there is none of this id."""
        for each in self.cure_acts():
            if each.act_id == act_id:
                return each
        raise InputError(f"there is no act {act_id}")

    def add_cure_act(
        self,
        review_id: str,
        security_id: AssetId,
        kind: CureKind,
        base_units: int,
        line_id: str,
        instructed_at: datetime,
        text: str,
        maker: str,
        now: datetime,
    ) -> CureAct:
        """Record an act on the deficit that a review determined; it counts when a second person approved it."""
        payload = {"review": review_id, "security": security_id, "kind": kind.value, "base_units": str(base_units)}
        with self.record("possession.acted", maker, payload, now) as unit:
            act_id = f"CA-{len(_keys(unit, ACT, 'act_id')) + 1:06d}"
            unit.add(
                CureActRow,
                act_id=act_id,
                review_key=_keys(unit, REVIEW, "review_id")[review_id],
                security_id=security_id,
                kind=kind,
                base_units=base_units,
                line_id=line_id,
                instructed_at=instructed_at,
                text=text,
                maker=maker,
            )
        return self.cure_act(act_id)

    def substitutions(self) -> list[StoredSubstitution]:
        """Every substitution with its decision, in the order they were proposed."""
        query = (
            sa.select(
                SUBSTITUTION,
                REVIEW.c.review_id,
                DECISION.c.checker,
                DECISION.c.act,
                DECISION.c.before_digest.label("decided_before"),
                DECISION.c.after_digest.label("decided_after"),
            )
            .join_from(SUBSTITUTION, REVIEW, SUBSTITUTION.c.review_key == REVIEW.c.record_id)
            .join(DECISION, DECISION.c.substitution_key == SUBSTITUTION.c.record_id, isouter=True)
            .order_by(SUBSTITUTION.c.record_id)
        )
        with self.read() as connection:
            return [_substitution(row) for row in connection.execute(query)]

    def moves_in_force(self, known_at: datetime) -> tuple[Move, ...]:
        """The accepted substitutions as known at a time, in the order they were accepted."""
        query = (
            sa.select(SUBSTITUTION)
            .join_from(SUBSTITUTION, DECISION, DECISION.c.substitution_key == SUBSTITUTION.c.record_id)
            .where(DECISION.c.act == InstructionAct.APPROVED, DECISION.c.recorded_at <= known_at)
            .order_by(DECISION.c.record_id)
        )
        with self.read() as connection:
            return tuple(_move(row) for row in connection.execute(query))

    def add_substitution(
        self, review_id: str, move: Move, digests: tuple[str, str], text: str, maker: str, now: datetime
    ) -> StoredSubstitution:
        """Record a proposed substitution; its id is given here, whatever the move is called."""
        payload = {"review": review_id, "from": move.from_id, "to": move.to_id, "base_units": str(move.base_units)}
        with self.record("possession.substitution_proposed", maker, payload, now) as unit:
            substitution_id = f"CS-{len(_keys(unit, SUBSTITUTION, 'substitution_id')) + 1:06d}"
            unit.add(
                SubstitutionRow,
                substitution_id=substitution_id,
                review_key=_keys(unit, REVIEW, "review_id")[review_id],
                holder_id=move.holder_id,
                from_id=move.from_id,
                to_id=move.to_id,
                base_units=move.base_units,
                before_digest=digests[0],
                after_digest=digests[1],
                text=text,
                maker=maker,
            )
        return self.substitution(substitution_id)

    def substitution(self, substitution_id: str) -> StoredSubstitution:
        """One substitution. Raises `InputError` when there is none of this id."""
        for each in self.substitutions():
            if each.substitution_id == substitution_id:
                return each
        raise InputError(f"there is no substitution {substitution_id}")

    def decide_control(
        self,
        decided_id: str,
        act: InstructionAct,
        text: str,
        checker: str,
        now: datetime,
        check: Callable[[], tuple[str, str]],
    ) -> None:
        """Approve or refuse an act or a substitution, once.

        `check` is asked as the one writer before an approval, raises when it may not be made, and gives the digests
        it was judged on. Raises `InstructionConflict` when it was decided, or its maker would approve it.
        """
        with self.record(f"possession.{act.value}", checker, {"id": decided_id}, now) as unit:
            decided = self.substitution(decided_id) if decided_id.startswith("CS-") else self.cure_act(decided_id)
            if decided.checker:
                raise InstructionConflict(f"{decided_id} was decided by {decided.checker}")
            approves = act is InstructionAct.APPROVED
            maker, party = (party_of(unit.connection, each) for each in (decided.maker, checker))
            verdict = Verdict.APPROVE if approves else Verdict.RETURN
            decide(Waiting(decided_id, maker, ""), verdict, party, conflict=InstructionConflict)
            before, after = check() if approves else ("", "")
            is_act = isinstance(decided, CureAct)
            unit.add(
                ControlDecisionRow,
                act_key=_keys(unit, ACT, "act_id")[decided_id] if is_act else None,
                substitution_key=None if is_act else _keys(unit, SUBSTITUTION, "substitution_id")[decided_id],
                act=act,
                maker=decided.maker,
                checker=checker,
                before_digest=before,
                after_digest=after,
                text=text,
            )

    def add_receipt(
        self, act_id: str, kind: ProofKind, reference: str, digest: str, received_on: date, actor: str, now: datetime
    ) -> CureAct:
        """Record a proof that securities of an approved act were received. Raises `InstructionConflict` for others."""
        with self.record("possession.received", actor, {"act": act_id, "reference": reference}, now) as unit:
            act = self.cure_act(act_id)
            if not act.approved:
                raise InstructionConflict(f"{act_id} was not approved: nothing was instructed that could be received")
            unit.add(
                CureReceiptRow,
                act_key=_keys(unit, ACT, "act_id")[act_id],
                kind=kind,
                reference=reference,
                digest=digest,
                received_on=received_on,
                actor=actor,
            )
        return self.cure_act(act_id)

    def see_possession(
        self, sightings: Iterable[Sighted], actor: str, now: datetime, known_at: datetime | None = None
    ) -> list[CaseSeen] | None:
        """Open or see again the cases of possession or control; those that are not among the sightings are gone.

        The sightings must be everything there is to see on this rail. They were judged as known at `known_at`; None,
        and nothing is written, when somebody acted on it since then.
        """
        with self.record("possession.looked", actor, {}, now) as unit:
            if known_at is not None and acted_since(unit, known_at, ACTS):
                return None
            return see_cases(unit, ChainId(""), None, sightings, actor, all_seen=True, rail=Rail.CONTROL)


def _keys(unit: Unit, of: sa.Table, name: str) -> dict[str, int]:
    return dict(unit.connection.execute(sa.select(of.c[name], of.c.record_id)).all())


def _review(row: Any, ids: dict[int, str]) -> StoredReview:
    return StoredReview(
        row.review_id,
        row.as_of,
        row.rule_set,
        row.known_at,
        row.document.encode(),
        row.digest,
        row.inputs_digest,
        row.determined_on,
        row.act_by,
        ids.get(row.replaces, ""),
        row.reason,
        row.recorded_at,
    )


def _act(row: Any, receipts: list[Receipt]) -> CureAct:
    return CureAct(
        row.act_id,
        row.review_id,
        AssetId(row.security_id),
        row.kind,
        row.base_units,
        row.line_id,
        row.instructed_at,
        row.text,
        row.maker,
        row.recorded_at,
        row.checker or "",
        row.act is InstructionAct.APPROVED,
        tuple(receipts),
    )


def _move(row: Any) -> Move:
    return Move(row.substitution_id, row.holder_id, AssetId(row.from_id), AssetId(row.to_id), row.base_units)


def _substitution(row: Any) -> StoredSubstitution:
    return StoredSubstitution(
        row.substitution_id,
        row.review_id,
        _move(row),
        row.decided_before or row.before_digest,
        row.decided_after or row.after_digest,
        row.text,
        row.maker,
        row.recorded_at,
        row.checker or "",
        row.act is InstructionAct.APPROVED,
    )
