"""Whose approvals were looked for in which blocks, and whom they name: where later sweeps ask.

Approval events are looked through once: a later sweep goes on from the highest scan whose block still stands, and what
was mapped later is looked for by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

import orjson
import sqlalchemy as sa

from chains.errors import InvalidValue
from chains.evm.encumbrance_types import ApprovalCoverage, Candidates, GrantKind, LateApprovals, PairKey
from chains.types import Address, AssetId, ChainId
from exports.canonical import canonical_json
from verifier.store.engine import Database
from verifier.store.records import SweepStart
from verifier.store.sweep_store import block_of, has_ended
from verifier.store.tables import ApprovalCandidateRow, ApprovalScanRow, InternedTextRow, table
from verifier.store.unit import Unit

SCAN, CANDIDATE, TEXT = table(ApprovalScanRow), table(ApprovalCandidateRow), table(InternedTextRow)

COVERAGES_MAX: Final = 8
"""How many scans are offered to go on from: the newest may have ended at a block that left the chain."""


class ApprovalStore(Database):
    """The side of the store that keeps where approvals were looked for."""

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
                watched_key=unit.text_key(_watched_text(coverage.wallets, coverage.assets, coverage.permit2)),
                odd=canonical_json(dict(coverage.odd_approvals)).decode(),
                late=_late_text(unit, coverage),
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
        """How far approvals of a chain were looked for: the newest state at each of the highest blocks, highest first.

        Whether the blocks still stand, a node says.
        """
        newest = sa.select(sa.func.max(SCAN.c.record_id)).where(SCAN.c.chain_id == chain_id).group_by(SCAN.c.block_hash)
        query = (
            sa.select(SCAN, TEXT.c.text)
            .join_from(SCAN, TEXT, SCAN.c.watched_key == TEXT.c.record_id)
            .where(SCAN.c.record_id.in_(newest))
            .order_by(SCAN.c.height.desc(), SCAN.c.record_id.desc())
            .limit(COVERAGES_MAX)
        )
        with self.read() as connection:
            candidates = _candidates(connection, chain_id)
            return [_coverage(connection, row, candidates) for row in connection.execute(query).all()]


def newest_scan(connection: sa.Connection, coverage: ApprovalCoverage) -> int:
    """The key of the row that a coverage was stored in. Raises `InvalidValue` when it was not."""
    query = (
        sa.select(sa.func.max(SCAN.c.record_id))
        .join_from(SCAN, TEXT, SCAN.c.watched_key == TEXT.c.record_id)
        .where(
            SCAN.c.chain_id == coverage.last.chain_id,
            SCAN.c.block_hash == coverage.last.block_hash,
            SCAN.c.first_height == coverage.first_height,
            TEXT.c.text == _watched_text(coverage.wallets, coverage.assets, coverage.permit2),
        )
    )
    if (key := connection.execute(query).scalar()) is None:
        raise InvalidValue("the approvals that a review rests on were not stored")
    return int(key)


def _watched_text(wallets: Iterable[Address], assets: Iterable[AssetId], permit2: Address) -> str:
    return canonical_json({"assets": sorted(assets), "permit2": permit2, "wallets": sorted(wallets)}).decode()


def _late_text(unit: Unit, coverage: ApprovalCoverage) -> str:
    """Each group as [key of whose approvals of which tokens, next block, last block]."""
    return canonical_json(
        [
            [
                unit.text_key(_watched_text(group.wallets, group.assets, coverage.permit2)),
                group.next_height,
                group.last_height,
            ]
            for group in coverage.late
        ]
    ).decode()


def _late(connection: sa.Connection, text: str) -> Iterator[LateApprovals]:
    for key, next_height, last_height in orjson.loads(text):
        watched = orjson.loads(connection.execute(sa.select(TEXT.c.text).where(TEXT.c.record_id == key)).scalar_one())
        yield LateApprovals(_wallets(watched), _assets(watched), next_height, last_height)


def _wallets(watched: Mapping[str, Any]) -> frozenset[Address]:
    return frozenset(Address(each) for each in watched["wallets"])


def _assets(watched: Mapping[str, Any]) -> frozenset[AssetId]:
    return frozenset(AssetId(each) for each in watched["assets"])


def _candidates(connection: sa.Connection, chain_id: ChainId) -> Candidates:
    """Every pair ever seen on the chain: a superset of where there is something does no harm."""
    query = sa.select(CANDIDATE).join_from(CANDIDATE, SCAN, CANDIDATE.c.scan_key == SCAN.c.record_id)
    pairs: dict[GrantKind, set[PairKey]] = {kind: set() for kind in GrantKind}
    for row in connection.execute(query.where(SCAN.c.chain_id == chain_id)):
        pairs[row.kind].add((Address(row.owner), AssetId(row.asset_id), Address(row.spender)))
    return Candidates(frozenset(pairs[GrantKind.ALLOWANCE]), frozenset(pairs[GrantKind.PERMIT2]))


def _coverage(connection: sa.Connection, row: Any, candidates: Candidates) -> ApprovalCoverage:
    watched = orjson.loads(row.text)
    return ApprovalCoverage(
        first_height=row.first_height,
        last=block_of(row),
        wallets=_wallets(watched),
        assets=_assets(watched),
        permit2=Address(watched["permit2"]),
        candidates=candidates,
        odd_approvals={AssetId(name): count for name, count in orjson.loads(row.odd).items()},
        late=tuple(_late(connection, row.late)),
    )


def scan_coverage(connection: sa.Connection, scan_key: int) -> ApprovalCoverage:
    """What one scan covered, without the pairs it saw."""
    query = sa.select(SCAN, TEXT.c.text).join_from(SCAN, TEXT, SCAN.c.watched_key == TEXT.c.record_id)
    row = connection.execute(query.where(SCAN.c.record_id == scan_key)).one()
    return _coverage(connection, row, Candidates())
