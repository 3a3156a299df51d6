"""Who else could move what stands in the wallets, as sweeps were told; resumable like the balances.

Grants, control states and what tokens said are stored for every sweep, so that each sweep can be read alone; the facts
of an account, which hardly ever change, are interned. Approval events are looked through once: a later sweep goes on
from the newest scan whose block still stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
import sqlalchemy as sa

from chains.errors import InvalidValue
from chains.evm.encumbrance_types import (
    AccountRole,
    Answer,
    ApprovalCoverage,
    Candidates,
    ControlState,
    EncumbranceReading,
    Fact,
    Grant,
    GrantKind,
    PairKey,
    Restriction,
)
from chains.types import Address, Asset, AssetId, ChainId
from exports.canonical import canonical_json
from verifier.rules.control_changes import last_known
from verifier.store.engine import Database
from verifier.store.records import SweepStart
from verifier.store.sweep_store import SWEEP, block_of, earlier_sweeps_query, has_ended, start_of
from verifier.store.tables import (
    ApprovalCandidateRow,
    ApprovalScanRow,
    AssetValueRow,
    ControlStateRow,
    EncumbranceGrantRow,
    EncumbranceReviewRow,
    InternedTextRow,
    RestrictionRow,
    table,
)
from verifier.store.types import Canonical
from verifier.store.unit import Unit

SCAN, CANDIDATE = table(ApprovalScanRow), table(ApprovalCandidateRow)
REVIEW, GRANT = table(EncumbranceReviewRow), table(EncumbranceGrantRow)
CONTROL, RESTRICTION = table(ControlStateRow), table(RestrictionRow)
ASSET, TEXT = table(AssetValueRow), table(InternedTextRow)

COVERAGES_MAX: Final = 8
"""How many scans are offered to go on from: the newest may have ended at a block that left the chain."""


@dataclass(frozen=True, slots=True)
class SweepEncumbrances:
    """What one sweep was told."""

    reading: EncumbranceReading | None
    """None when nothing could be learnt. Candidates and answers that hold nobody are left out."""
    failure: str
    """Why not: a stable code, then one sentence; empty when it was."""
    compared: SweepStart | None
    """The earlier sweep to compare with."""
    controls_before: tuple[ControlState, ...]
    """What that sweep knew; with facts from before it where it could not read."""
    restrictions_asked: int


class EncumbranceStore(Database):
    """The side of the store that keeps who else could move what is there."""

    def add_approvals(
        self, start: SweepStart, coverage: ApprovalCoverage, node_id: str, actor: str, now: datetime
    ) -> None:
        """Record that approvals were looked for up to the coverage's last block, and whom they name."""
        last = coverage.last
        payload = {"sweep_id": start.sweep_id, "first_height": coverage.first_height, "last_height": last.height}
        with self.record("sweep.approvals", actor, payload, now) as unit:
            if has_ended(unit.connection, start):
                return
            key = unit.add(
                ApprovalScanRow,
                sweep_key=start.sweep_key,
                chain_id=start.chain_id,
                first_height=coverage.first_height,
                height=last.height,
                block_hash=last.block_hash,
                parent_hash=last.parent_hash,
                block_time=last.timestamp,
                node_id=node_id,
                watched_key=unit.text_key(_watched_text(coverage)),
                odd=canonical_json(dict(coverage.odd_approvals)).decode(),
            )
            known = _candidates(unit.connection, start.chain_id)
            new = [
                (key, kind.value, *pair)
                for kind, pairs, before in (
                    (GrantKind.ALLOWANCE, coverage.candidates.allowances, known.allowances),
                    (GrantKind.PERMIT2, coverage.candidates.permit2, known.permit2),
                )
                for pair in sorted(pairs - before)
            ]
            if new:
                unit.add_rows(ApprovalCandidateRow, new)

    def approval_coverages(self, chain_id: ChainId) -> list[ApprovalCoverage]:
        """How far approvals of a chain were looked for, newest first; whether the blocks still stand, a node says."""
        query = (
            sa.select(SCAN, TEXT.c.text)
            .join_from(SCAN, TEXT, SCAN.c.watched_key == TEXT.c.record_id)
            .where(SCAN.c.chain_id == chain_id)
            .order_by(SCAN.c.record_id.desc())
            .limit(COVERAGES_MAX)
        )
        with self.read() as connection:
            candidates = _candidates(connection, chain_id)
            return [_coverage(row, candidates) for row in connection.execute(query)]

    def add_encumbrances(self, start: SweepStart, reading: EncumbranceReading, actor: str, now: datetime) -> None:
        """Store everything a sweep was told at its block. A sweep that has it stays as it is.

        Raises `InvalidValue` when the reading's coverage was not added before.
        """
        with self.record("sweep.encumbrances", actor, {"sweep_id": start.sweep_id}, now) as unit:
            if _reviewed(unit.connection, start) or has_ended(unit.connection, start):
                return
            compared = _compared_sweep(unit.connection, start)
            before = _controls(unit.connection, compared, known=True) if compared is not None else []
            assets = unit.asset_keys({*reading.assets, *(grant.asset for grant in reading.grants)})
            unit.add(
                EncumbranceReviewRow,
                sweep_key=start.sweep_key,
                node_id=reading.node_id,
                failure="",
                scan_key=_newest_scan(unit.connection, reading.coverage),
                compared_sweep_key=compared,
                assets=canonical_json([assets[asset] for asset in reading.assets]).decode(),
                wallets_asked=len(reading.wallets),
                pairs_asked=reading.pairs_asked,
                restrictions_asked=len(reading.restrictions),
            )
            unit.add_rows(EncumbranceGrantRow, (_grant_row(start, grant, assets) for grant in reading.grants))
            unit.add_rows(ControlStateRow, _control_rows(unit, start, reading, before))
            unit.add_rows(RestrictionRow, _restriction_rows(start, reading, assets))

    def add_encumbrance_failure(self, start: SweepStart, node_id: str, reason: str, actor: str, now: datetime) -> None:
        """Record that a sweep could not learn who else could move what is there: that is not "nobody"."""
        with self.record("sweep.encumbrances", actor, {"sweep_id": start.sweep_id, "failure": reason}, now) as unit:
            if _reviewed(unit.connection, start) or has_ended(unit.connection, start):
                return
            unit.add(
                EncumbranceReviewRow,
                sweep_key=start.sweep_key,
                node_id=node_id,
                failure=reason,
                scan_key=None,
                compared_sweep_key=None,
                assets="[]",
                wallets_asked=0,
                pairs_asked=0,
                restrictions_asked=0,
            )

    def encumbrances(self, start: SweepStart) -> SweepEncumbrances | None:
        """What a sweep was told; None when it did not ask, or not yet."""
        with self.read() as connection:
            row = connection.execute(sa.select(REVIEW).where(REVIEW.c.sweep_key == start.sweep_key)).first()
            if row is None:
                return None
            if row.scan_key is None:
                return SweepEncumbrances(None, row.failure, None, (), 0)
            compared = None
            before: list[ControlState] = []
            if row.compared_sweep_key is not None:
                earlier = sa.select(SWEEP).where(SWEEP.c.record_id == row.compared_sweep_key)
                compared = start_of(connection.execute(earlier).one())
                before = _controls(connection, row.compared_sweep_key, known=True)
            reading = _reading(connection, start, row)
        return SweepEncumbrances(reading, "", compared, tuple(before), row.restrictions_asked)


def _reviewed(connection: sa.Connection, start: SweepStart) -> bool:
    found = sa.select(REVIEW.c.record_id).where(REVIEW.c.sweep_key == start.sweep_key)
    return connection.execute(found).first() is not None


def _compared_sweep(connection: sa.Connection, start: SweepStart) -> int | None:
    """The key of the completed sweep at the highest lower block that stands and has answers; the newest of those."""
    answered = sa.select(REVIEW.c.sweep_key).where(REVIEW.c.failure == "")
    query = earlier_sweeps_query(start).where(SWEEP.c.record_id.in_(answered))
    row = connection.execute(query.order_by(SWEEP.c.height.desc(), SWEEP.c.record_id.desc()).limit(1)).first()
    return None if row is None else int(row.record_id)


def _newest_scan(connection: sa.Connection, coverage: ApprovalCoverage) -> int:
    """The key of the row that a coverage was stored in. Raises `InvalidValue` when it was not."""
    query = (
        sa.select(sa.func.max(SCAN.c.record_id))
        .join_from(SCAN, TEXT, SCAN.c.watched_key == TEXT.c.record_id)
        .where(
            SCAN.c.chain_id == coverage.last.chain_id,
            SCAN.c.block_hash == coverage.last.block_hash,
            SCAN.c.first_height == coverage.first_height,
            TEXT.c.text == _watched_text(coverage),
        )
    )
    if (key := connection.execute(query).scalar()) is None:
        raise InvalidValue("the approvals that a review rests on were not stored")
    return int(key)


def _watched_text(coverage: ApprovalCoverage) -> str:
    watched = {"assets": sorted(coverage.assets), "permit2": coverage.permit2, "wallets": sorted(coverage.wallets)}
    return canonical_json(watched).decode()


def _candidates(connection: sa.Connection, chain_id: ChainId) -> Candidates:
    """Every pair ever seen on the chain: a superset of where there is something does no harm."""
    query = sa.select(CANDIDATE).join_from(CANDIDATE, SCAN, CANDIDATE.c.scan_key == SCAN.c.record_id)
    pairs: dict[GrantKind, set[PairKey]] = {kind: set() for kind in GrantKind}
    for row in connection.execute(query.where(SCAN.c.chain_id == chain_id)):
        pairs[row.kind].add((Address(row.owner), AssetId(row.asset_id), Address(row.spender)))
    return Candidates(frozenset(pairs[GrantKind.ALLOWANCE]), frozenset(pairs[GrantKind.PERMIT2]))


def _coverage(row: Any, candidates: Candidates) -> ApprovalCoverage:
    watched = orjson.loads(row.text)
    return ApprovalCoverage(
        first_height=row.first_height,
        last=block_of(row),
        wallets=frozenset(Address(each) for each in watched["wallets"]),
        assets=frozenset(AssetId(each) for each in watched["assets"]),
        permit2=Address(watched["permit2"]),
        candidates=candidates,
        odd_approvals={AssetId(name): count for name, count in orjson.loads(row.odd).items()},
    )


def _grant_row(start: SweepStart, grant: Grant, assets: Mapping[Asset, int]) -> tuple[Canonical, ...]:
    return (
        start.sweep_key,
        grant.kind.value,
        grant.owner,
        assets[grant.asset],
        grant.spender,
        None if grant.base_units is None else str(grant.base_units),
        grant.expires_at_seconds,
        grant.reason or None,
    )


def _control_rows(
    unit: Unit, start: SweepStart, reading: EncumbranceReading, before: list[ControlState]
) -> Iterator[tuple[Canonical, ...]]:
    earlier = {state.address: state for state in before}
    rows = [
        (state, last_known(earlier[state.address], state) if state.address in earlier else state)
        for state in reading.controls
    ]
    texts = unit.text_keys(_facts_text(state) for pair in rows for state in pair)
    for state, known in rows:
        yield (
            start.sweep_key,
            state.address,
            state.role.value,
            texts[_facts_text(state)],
            state.nonce,
            texts[_facts_text(known)],
            known.nonce,
        )


def _restriction_rows(
    start: SweepStart, reading: EncumbranceReading, assets: Mapping[Asset, int]
) -> Iterator[tuple[Canonical, ...]]:
    first = reading.wallets[0] if reading.wallets else None
    for each in reading.restrictions:
        says_something = each.answer in (Answer.RESTRICTED, Answer.UNREAD) or each.holder is None
        if says_something or (each.answer is Answer.NOT_OFFERED and each.holder == first):
            yield (start.sweep_key, assets[each.asset], each.question, each.holder, each.answer.value, each.reason)


def _facts_text(state: ControlState) -> str:
    facts = {fact.value: text for fact, text in state.facts.items()}
    unread = {fact.value: reason for fact, reason in state.unread.items()}
    return canonical_json({"facts": facts, "unread": unread}).decode()


def _controls(connection: sa.Connection, sweep_key: int, *, known: bool) -> list[ControlState]:
    text_key, nonce = (CONTROL.c.known_key, CONTROL.c.known_nonce) if known else (CONTROL.c.facts_key, CONTROL.c.nonce)
    query = (
        sa.select(CONTROL.c.address, CONTROL.c.role, TEXT.c.text, nonce.label("nonce"))
        .join_from(CONTROL, TEXT, text_key == TEXT.c.record_id)
        .where(CONTROL.c.sweep_key == sweep_key)
        .order_by(CONTROL.c.record_id)
    )
    states = []
    for row in connection.execute(query):
        said = orjson.loads(row.text)
        states.append(
            ControlState(
                Address(row.address),
                row.role,
                {Fact(name): text for name, text in said["facts"].items()},
                {Fact(name): reason for name, reason in said["unread"].items()},
                row.nonce,
            )
        )
    return states


def _reading(connection: sa.Connection, start: SweepStart, review: Any) -> EncumbranceReading:
    assets = {
        row.record_id: Asset(AssetId(row.asset_id), row.symbol, row.decimals)
        for row in connection.execute(sa.select(ASSET))
    }
    scan = connection.execute(
        sa.select(SCAN, TEXT.c.text)
        .join_from(SCAN, TEXT, SCAN.c.watched_key == TEXT.c.record_id)
        .where(SCAN.c.record_id == review.scan_key)
    ).one()
    grants = connection.execute(
        sa.select(GRANT).where(GRANT.c.sweep_key == start.sweep_key).order_by(GRANT.c.record_id)
    )
    said = connection.execute(
        sa.select(RESTRICTION).where(RESTRICTION.c.sweep_key == start.sweep_key).order_by(RESTRICTION.c.record_id)
    )
    controls = _controls(connection, start.sweep_key, known=False)
    return EncumbranceReading(
        block=start.block,
        finality=start.finality,
        node_id=review.node_id,
        wallets=tuple(state.address for state in controls if state.role is AccountRole.WALLET),
        assets=tuple(assets[key] for key in orjson.loads(review.assets)),
        coverage=_coverage(scan, Candidates()),
        grants=tuple(
            Grant(
                row.kind,
                Address(row.owner),
                assets[row.asset_key],
                Address(row.spender),
                row.base_units,
                row.expires_at_seconds,
                row.reason or "",
            )
            for row in grants
        ),
        pairs_asked=review.pairs_asked,
        controls=tuple(controls),
        restrictions=tuple(
            Restriction(
                assets[row.asset_key],
                row.question,
                None if row.holder is None else Address(row.holder),
                row.answer,
                row.reason,
            )
            for row in said
        ),
    )
