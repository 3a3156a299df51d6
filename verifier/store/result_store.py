"""The end of a sweep: what the rules made of it, its cases, and its counts, all in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import repeat
from operator import attrgetter
from typing import Any

import sqlalchemy as sa

from chains.errors import FinalityReversed, InvalidValue, ReadError
from chains.types import (
    Address,
    AnchorEvidence,
    Asset,
    AssetId,
    BalanceObservation,
    BlockRef,
    ChainId,
    LocationId,
    StateEvidence,
    account_location,
    utc_text,
)
from verifier.records import (
    IN_ORDER_OUTCOMES,
    ApprovalUse,
    CaseState,
    Finding,
    FindingKind,
    MatchOutcome,
    Rail,
    Reconciliation,
    StatementCheck,
    Status,
    SweepSummary,
    TransferMatch,
)
from verifier.rules.reconcile import Comparisons
from verifier.rules.rollforward import RollForward, RollForwards, Still
from verifier.store.case_reading import load_cases
from verifier.store.case_seeing import see_cases
from verifier.store.case_store import CaseStore
from verifier.store.records import CaseSeen, Judged, SweepStart
from verifier.store.sweep_store import (
    BACKFILL,
    COVERED,
    END,
    LIVE,
    MATCH,
    ORPHANED_HASHES,
    RUN,
    SWEEP,
    TRANSFER,
    SweepStore,
    block_of,
    covered_tip,
    has_ended,
    judged_covered_key,
    judged_transfer_key,
    live_transfers,
    newest_halt,
    start_of,
    unjudged,
)
from verifier.store.tables import (
    ApprovalUseRow,
    AssetValueRow,
    ChainHaltRow,
    InternedTextRow,
    ReconciliationRow,
    RollForwardRow,
    StatementCheckRow,
    SweepEndRow,
    SweepFailureRow,
    TransferMatchRow,
    table,
)
from verifier.store.types import Canonical
from verifier.store.unit import Unit

RECONCILIATION, STATEMENT = table(ReconciliationRow), table(StatementCheckRow)
ROLL = table(RollForwardRow)
USE = table(ApprovalUseRow)
ASSET, TEXT = table(AssetValueRow), table(InternedTextRow)


@dataclass(frozen=True, slots=True)
class _OneSighting:
    finding: Finding
    covers: tuple[tuple[LocationId, AssetId], ...] = ()


class ResultStore(SweepStore, CaseStore):
    """What the comparison found."""

    def end_sweep(
        self, start: SweepStart, judged: Judged, actor: str, now: datetime
    ) -> tuple[SweepSummary, list[CaseSeen]]:
        """Store reconciliations, matches, roll-forwards and cases, and complete the sweep.

        Raises `InvalidValue` when not every expected holding is accounted for, or the sweep has ended already.
        """
        if len(judged.reconciliations) != start.expected:
            raise InvalidValue(f"{len(judged.reconciliations)} reconciliations for {start.expected} expected holdings")
        payload = {"sweep_id": start.sweep_id, "expected": start.expected}
        with self.record("sweep.completed", actor, payload, now) as unit:
            if has_ended(unit.connection, start):
                raise InvalidValue(f"sweep {start.sweep_id} has ended already")
            first_key = _add_reconciliations(unit, start, judged.reconciliations)
            _add_statements(unit, first_key, judged.reconciliations)
            _add_matches(unit, start, judged.matches)
            _add_roll_forwards(unit, start, judged.roll_forwards)
            tip = covered_tip(unit.connection, start.chain_id)
            looks_back = tip is not None and start.block.height < tip.height
            cases = see_cases(
                unit,
                start.chain_id,
                start.sweep_key,
                judged.sightings,
                actor,
                all_seen=not looks_back,
                looks_back=looks_back,
                height=start.block.height,
            )
            _add_end(unit, start, judged)
        summary = self.sweep_summary(start.sweep_id)
        assert summary is not None
        return summary, cases

    def sweep_summary(self, sweep_id: str) -> SweepSummary | None:
        """The summary of a completed sweep; None when there is none, or it did not complete."""
        found = self._summaries(SWEEP.c.sweep_id == sweep_id)
        return found[0] if found else None

    def latest_summary(self, chain_id: ChainId) -> SweepSummary | None:
        """The newest completed sweep of a chain."""
        found = self._summaries(SWEEP.c.chain_id == chain_id)
        return found[-1] if found else None

    def standing_summary(self, chain_id: ChainId) -> SweepSummary | None:
        """The completed sweep at the highest block that is not known to be orphaned; the newest of those."""
        found = self._summaries(SWEEP.c.chain_id == chain_id, SWEEP.c.block_hash.not_in(ORPHANED_HASHES))
        return max(reversed(found), key=lambda summary: summary.block.height, default=None)

    def summaries(self, chain_id: ChainId) -> list[SweepSummary]:
        """Every completed sweep of a chain, oldest first."""
        return self._summaries(SWEEP.c.chain_id == chain_id)

    def _summaries(self, *conditions: sa.ColumnElement[bool]) -> list[SweepSummary]:
        ended = END.alias("ended")
        query = (
            sa.select(SWEEP, ended, ended.c.recorded_at.label("finished_at"))
            .join_from(SWEEP, ended, ended.c.sweep_key == SWEEP.c.record_id)
            .where(ended.c.abandoned == "", *conditions)
            .order_by(ended.c.record_id)
        )
        with self.read() as connection:
            return [_summary(row) for row in connection.execute(query)]

    def reconciliations(self, sweep_id: str) -> list[Reconciliation]:
        """What a sweep compared, in the order it was stored."""
        start = self.sweep(sweep_id)
        if start is None:
            return []
        with self.read() as connection:
            return list(_reconciliations(connection, start))

    def roll_forwards(self, sweep_id: str) -> list[RollForward]:
        """The roll-forwards a sweep kept, in the order they were stored."""
        start = self.sweep(sweep_id)
        if start is None:
            return []
        with self.read() as connection:
            return list(_roll_forwards(connection, start))

    def matches(
        self, chain_id: ChainId, *, first_height: int | None = None, last_height: int | None = None
    ) -> list[TransferMatch]:
        """How the canonical outgoing transfers were judged, in the order of the chain."""
        conditions = []
        if first_height is not None:
            conditions.append(COVERED.c.height >= first_height)
        if last_height is not None:
            conditions.append(COVERED.c.height <= last_height)
        with self.read() as connection:
            transfers = dict(live_transfers(connection, chain_id, *conditions))
            rows = {
                row.transfer_key: row for row in connection.execute(sa.select(MATCH)) if row.transfer_key in transfers
            }
            uses: dict[int, list[ApprovalUse]] = {}
            for row in connection.execute(sa.select(USE).order_by(USE.c.record_id)):
                uses.setdefault(row.match_key, []).append(ApprovalUse(row.authorization_id, row.base_units))
        return [
            TransferMatch(
                transfer,
                rows[key].outcome,
                rows[key].authorization_id,
                rows[key].commingling,
                rows[key].for_review,
                rows[key].reason,
                tuple(uses.get(rows[key].record_id, ())),
            )
            for key, transfer in transfers.items()
            if key in rows
        ]

    def record_failed_sweep(
        self,
        chain_id: ChainId,
        error: ReadError,
        expected: int,
        actor: str,
        now: datetime,
        also: Sequence[Finding] = (),
    ) -> list[CaseSeen]:
        """Record that nothing could be read of a chain, with a case per kind of failure, and what else follows."""
        payload = {"chain_id": chain_id, "code": error.code, "expected": expected}
        with self.record("sweep.failed", actor, payload, now) as unit:
            unit.add(SweepFailureRow, chain_id=chain_id, code=error.code, reason=str(error), expected=expected)
            more = [_OneSighting(each) for each in also]
            if isinstance(error, FinalityReversed):
                seen = see_cases(unit, chain_id, None, more, actor, all_seen=False)
                return seen + [
                    CaseSeen(case.case_id, case.finding, False)
                    for case in load_cases(unit.connection)
                    if case.finding.kind is FindingKind.FINALITY_REVERSED
                    and case.state is not CaseState.CLOSED
                    and case.finding.location_id == LocationId(chain_id)
                ]
            finding = Finding(
                kind=FindingKind.UNVERIFIED,
                rail=Rail.DIGITAL,
                location_id=LocationId(chain_id),
                asset=None,
                base_units=None,
                subject=f"sweep-failed:{error.code}",
                text=f"Nothing of {chain_id} could be read, {expected} holdings are unverified: {error}.",
            )
            return see_cases(unit, chain_id, None, [_OneSighting(finding), *more], actor, all_seen=False)

    def halt_chain(
        self, chain_id: ChainId, removed: Sequence[BlockRef], reason: str, actor: str, now: datetime
    ) -> None:
        """Stop sweeping a chain until a person resumes it, with a case. A chain that is halted stays as it is."""
        lowest = min(removed, key=lambda block: block.height)
        payload = {"chain_id": chain_id, "blocks": [[block.height, block.block_hash] for block in removed]}
        with self.record("chain.halted", actor, payload, now) as unit:
            halted = newest_halt(unit.connection, chain_id)
            if halted is not None and halted.halted:
                return
            unit.add(
                ChainHaltRow, chain_id=chain_id, halted=True, actor=actor, from_height=lowest.height, reason=reason
            )
            finding = Finding(
                kind=FindingKind.FINALITY_REVERSED,
                rail=Rail.DIGITAL,
                location_id=LocationId(chain_id),
                asset=None,
                base_units=None,
                subject=lowest.block_hash,
                text=f"Final blocks were reversed: {reason}.",
                block=lowest,
            )
            see_cases(unit, chain_id, None, [_OneSighting(finding)], actor, all_seen=False)


def _add_reconciliations(unit: Unit, start: SweepStart, comparisons: Comparisons) -> int:
    """Add one row for each comparison; returns the key of the first."""
    return unit.add_columns(
        ReconciliationRow,
        len(comparisons),
        repeat(start.sweep_key),
        repeat(Rail.DIGITAL.value),
        unit.text_column(map(attrgetter("location_id"), comparisons.holdings)),
        unit.asset_column(map(attrgetter("asset"), comparisons.holdings)),
        tails=_compared(start, comparisons),
    )


def _compared(start: SweepStart, comparisons: Comparisons) -> Iterator[tuple[Canonical, ...]]:
    """The columns of a comparison from its status on."""
    block, matched, nothing = start.block, Status.MATCHED.value, "0"
    words = {member: member.value for grade in (StateEvidence, AnchorEvidence) for member in grade}
    for result in comparisons.results:
        if isinstance(result, BalanceObservation):
            units = str(result.base_units)
            state, anchor = words[result.state], words[result.anchor]
            yield matched, units, nothing, nothing, units, nothing, None, None, state, anchor, None
            continue
        if result.sweep_id != start.sweep_id or result.block.block_hash != block.block_hash:
            raise InvalidValue(f"a reconciliation of another sweep or block than {start.sweep_id}")
        if result.known_at != start.known_at or result.rail is not Rail.DIGITAL:
            raise InvalidValue("a reconciliation of another rail, or with the book as known at another time")
        yield (
            result.status.value,
            str(result.claimed),
            str(result.gas_float_recorded),
            str(result.gas_float_observed),
            None if result.observed is None else str(result.observed),
            None if result.difference is None else str(result.difference),
            None if result.claimed_as_of == block.timestamp else utc_text(result.claimed_as_of),
            None if result.observed_as_of == block.timestamp else utc_text(result.observed_as_of),
            result.state.value,
            result.anchor.value,
            result.reason or None,
        )


def _add_statements(unit: Unit, first_key: int, comparisons: Comparisons) -> None:
    """What custodians state; `first_key` is of the first comparison, and the others follow."""
    for index, result in comparisons.not_plain:
        if (said := result.statement) is not None:
            unit.add(
                StatementCheckRow,
                reconciliation_key=first_key + index,
                base_units=said.base_units,
                as_of=said.as_of,
                stated_by=said.stated_by,
                statement_id=said.statement_id,
                status=said.status,
                reason=said.reason,
            )


def _add_matches(unit: Unit, start: SweepStart, matches: Sequence[TransferMatch]) -> None:
    if not matches:
        return
    waiting = unjudged(unit.connection, start.chain_id)
    keys = {each.transfer_id: key for key, each in live_transfers(unit.connection, start.chain_id, waiting)}
    for match in matches:
        key = keys.get(match.transfer.transfer_id)
        if key is None:
            raise InvalidValue(f"transfer {match.transfer.transfer_id} is not stored, or was judged before")
        match_key = unit.add(
            TransferMatchRow,
            transfer_key=key,
            sweep_key=start.sweep_key,
            outcome=match.outcome,
            authorization_id=match.authorization_id,
            commingling=match.commingling,
            for_review=match.for_review,
            reason=match.reason,
        )
        for use in match.uses:
            unit.add(
                ApprovalUseRow, match_key=match_key, authorization_id=use.authorization_id, base_units=use.base_units
            )


def _add_roll_forwards(unit: Unit, start: SweepStart, rolls: RollForwards) -> None:
    if not rolls:
        return
    query = sa.select(SWEEP.c.block_hash, SWEEP.c.record_id).where(SWEEP.c.chain_id == start.chain_id)
    sweeps = {row.block_hash: row.record_id for row in unit.connection.execute(query.order_by(SWEEP.c.record_id))}
    holdings = [part.closing.holding if isinstance(part, Still) else part for part in rolls.parts]
    unit.add_columns(
        RollForwardRow,
        len(rolls),
        repeat(start.sweep_key),
        unit.account_column(start.chain_id, list(map(attrgetter("address"), holdings))),
        unit.asset_column(map(attrgetter("asset"), holdings)),
        tails=_rolled(rolls, sweeps),
    )


def _rolled(rolls: RollForwards, sweeps: Mapping[str, int]) -> Iterator[tuple[Canonical, ...]]:
    """The columns of a roll-forward from its opening sweep on; `sweeps` are the keys of sweeps by their block."""
    matched, nothing = Status.MATCHED.value, "0"
    for part in rolls.parts:
        if isinstance(part, Still):
            units = str(part.opening.base_units)
            yield sweeps[part.opening.block.block_hash], units, nothing, nothing, nothing, units, matched, ""
            continue
        yield (
            sweeps[part.opening_block.block_hash],
            str(part.opening),
            str(part.received),
            str(part.sent),
            str(part.fees),
            None if part.closing is None else str(part.closing),
            part.status.value,
            part.reason,
        )


def _add_end(unit: Unit, start: SweepStart, judged: Judged) -> None:
    statuses = judged.reconciliations.tally()
    first, last, newest = unit.connection.execute(
        sa.select(sa.func.min(COVERED.c.height), sa.func.max(COVERED.c.height), sa.func.max(COVERED.c.record_id)).where(
            COVERED.c.chain_id == start.chain_id,
            COVERED.c.record_id > judged_covered_key(unit.connection, start.chain_id),
            LIVE,
        )
    ).one()
    transfers_judged = judged_transfer_key(unit.connection, start.chain_id)
    newest_transfer = unit.connection.execute(
        sa.select(sa.func.max(TRANSFER.c.record_id))
        .join_from(TRANSFER, COVERED, TRANSFER.c.covered_key == COVERED.c.record_id)
        .where(TRANSFER.c.record_id > transfers_judged, COVERED.c.chain_id == start.chain_id)
    ).scalar()
    newest_run = unit.connection.execute(
        sa.select(sa.func.max(RUN.c.record_id))
        .join_from(RUN, BACKFILL, RUN.c.backfill_key == BACKFILL.c.record_id)
        .where(BACKFILL.c.chain_id == start.chain_id)
    ).scalar()
    change = sum(match.outcome is MatchOutcome.CHANGE for match in judged.matches)
    unit.add(
        SweepEndRow,
        sweep_key=start.sweep_key,
        abandoned="",
        expected=start.expected,
        matched=statuses[Status.MATCHED],
        diverged=statuses[Status.DIVERGED],
        unverified=statuses[Status.UNVERIFIED],
        transfers_scanned=judged.transfers_scanned,
        transfers_outgoing=len(judged.matches) - change,
        transfers_not_matched=sum(match.outcome not in IN_ORDER_OUTCOMES for match in judged.matches),
        transfers_change=change,
        first_height=first,
        last_height=last,
        judged_covered_key=newest,
        judged_transfer_key=newest_transfer or transfers_judged or None,
        judged_run_key=newest_run,
    )


def _summary(row: Any) -> SweepSummary:
    start = start_of(row)
    return SweepSummary(
        sweep_id=start.sweep_id,
        chain_id=start.chain_id,
        block=start.block,
        finality=start.finality,
        node_id=start.node_id,
        header_checked=start.header_checked,
        known_at=start.known_at,
        started_at=start.started_at,
        finished_at=row.finished_at,
        expected=start.expected,
        matched=row.matched,
        diverged=row.diverged,
        unverified=row.unverified,
        transfers_scanned=row.transfers_scanned,
        transfers_outgoing=row.transfers_outgoing,
        transfers_not_matched=row.transfers_not_matched,
        transfers_change=row.transfers_change,
    )


def _roll_forwards(connection: sa.Connection, start: SweepStart) -> Iterator[RollForward]:
    query = (
        sa.select(ROLL, SWEEP, TEXT.c.text, ASSET.c.asset_id, ASSET.c.symbol, ASSET.c.decimals)
        .join_from(ROLL, SWEEP, ROLL.c.opening_sweep_key == SWEEP.c.record_id)
        .join(TEXT, ROLL.c.location_key == TEXT.c.record_id)
        .join(ASSET, ROLL.c.asset_key == ASSET.c.record_id)
        .where(ROLL.c.sweep_key == start.sweep_key)
        .order_by(ROLL.c.record_id)
    )
    prefix = len(account_location(start.chain_id, Address("")))
    for row in connection.execute(query):
        yield RollForward(
            address=Address(row.text[prefix:]),
            asset=Asset(AssetId(row.asset_id), row.symbol, row.decimals),
            opening_block=block_of(row),
            closing_block=start.block,
            opening=row.opening,
            received=row.received,
            sent=row.sent,
            fees=row.fees,
            closing=row.closing,
            reason=row.reason,
        )


def _reconciliations(connection: sa.Connection, start: SweepStart) -> Iterator[Reconciliation]:
    said = {
        row.reconciliation_key: StatementCheck(
            row.base_units, row.as_of, row.stated_by, row.statement_id, row.status, row.reason
        )
        for row in connection.execute(
            sa.select(STATEMENT)
            .join_from(STATEMENT, RECONCILIATION, STATEMENT.c.reconciliation_key == RECONCILIATION.c.record_id)
            .where(RECONCILIATION.c.sweep_key == start.sweep_key)
        )
    }
    query = (
        sa.select(RECONCILIATION, TEXT.c.text, ASSET.c.asset_id, ASSET.c.symbol, ASSET.c.decimals)
        .join_from(RECONCILIATION, TEXT, RECONCILIATION.c.location_key == TEXT.c.record_id)
        .join(ASSET, RECONCILIATION.c.asset_key == ASSET.c.record_id)
        .where(RECONCILIATION.c.sweep_key == start.sweep_key)
        .order_by(RECONCILIATION.c.record_id)
    )
    for row in connection.execute(query):
        yield Reconciliation(
            sweep_id=start.sweep_id,
            rail=row.rail,
            location_id=LocationId(row.text),
            asset=Asset(AssetId(row.asset_id), row.symbol, row.decimals),
            claimed=row.claimed,
            gas_float_recorded=row.gas_float_recorded,
            gas_float_observed=row.gas_float_observed,
            observed=row.observed,
            difference=row.difference,
            status=row.status,
            claimed_as_of=row.claimed_as_of or start.block.timestamp,
            known_at=start.known_at,
            observed_as_of=row.observed_as_of or start.block.timestamp,
            block=start.block,
            state=row.state,
            anchor=row.anchor,
            statement=said.get(row.record_id),
            reason=row.reason or "",
        )
