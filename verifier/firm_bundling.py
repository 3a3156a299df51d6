"""What a bundle says of the firm as a whole: reserve, possession or control, securities, others' evidence, cases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chains.types import AssetId, ChainId, LocationId
from exports import records
from exports.outside_kinds import EvidenceKind
from exports.outside_records import ImportedEvidenceRecord
from exports.possession_records import PossessionReviewRecord
from exports.reserve_records import ReserveComputationRecord, ReservePositionRecord
from exports.securities_records import SecuritiesRunRecord
from exports.superseded import SupersededBundleRecord
from verifier.config import Settings
from verifier.records import CaseState, Rail
from verifier.reserve_rail import in_use, position_at
from verifier.store import Case, Store

OFF_CHAIN = frozenset({Rail.CASH, Rail.CONTROL, Rail.SECURITIES})
"""Rails whose cases are in every bundle, whatever its chains."""


def superseded_bundles(store: Store) -> list[SupersededBundleRecord]:
    """Every bundle issued before of which a block has left its chain since."""
    return [
        SupersededBundleRecord(
            bundle_id=each.bundle.bundle_id,
            sequence=each.bundle.sequence,
            digest=each.bundle.digest,
            chain_id=each.chain_id,
            height=each.height,
            block_hash=each.block_hash,
            found_at=each.found_at,
        )
        for each in store.superseded_bundles()
    ]


def reserve_computations(store: Store) -> list[ReserveComputationRecord]:
    """Every reserve computation on record: what was corrected stays visible."""
    return [
        ReserveComputationRecord(
            computation_id=each.computation_id,
            as_of=each.as_of,
            scope=each.scope,
            occasion=each.occasion,
            document=each.document.decode(),
            digest=each.digest,
            known_at=each.known_at,
            recorded_at=each.recorded_at,
            compute_on=each.times.compute_on,
            deposit_on=each.times.deposit_on,
            deposit_by=each.times.deposit_by,
            replaces=each.replaces,
            reason=each.reason,
        )
        for each in store.reserve_computations()
    ]


def securities_runs(store: Store) -> list[SecuritiesRunRecord]:
    """The newest comparison with custodians' statements; nothing for a firm that made none."""
    run = store.newest_securities_run()
    if run is None:
        return []
    return [
        SecuritiesRunRecord(
            run_id=run.run_id,
            as_of=run.as_of,
            document=run.document.decode(),
            digest=run.digest,
            known_at=run.known_at,
            recorded_at=run.recorded_at,
        )
    ]


def imported_evidence(store: Store) -> list[ImportedEvidenceRecord]:
    """Everything of others that was taken; it counts in no balance."""
    return [
        ImportedEvidenceRecord(each.evidence_id, EvidenceKind(each.kind), each.document, each.digest, each.recorded_at)
        for each in store.imported_evidence()
    ]


def possession_reviews(store: Store) -> list[PossessionReviewRecord]:
    """Every review of possession or control on record: what was corrected stays visible."""
    return [
        PossessionReviewRecord(
            review_id=each.review_id,
            as_of=each.as_of,
            document=each.document.decode(),
            digest=each.digest,
            known_at=each.known_at,
            recorded_at=each.recorded_at,
            determined_on=each.determined_on,
            act_by=each.act_by,
            replaces=each.replaces,
            reason=each.reason,
        )
        for each in store.possession_reviews()
    ]


def reserve_positions(store: Store, settings: Settings, moment: datetime) -> list[ReservePositionRecord]:
    """What lies in the reserve accounts at the bundle's moment; nothing for a firm that states nothing of them."""
    if not in_use(store, moment):
        return []
    position = position_at(store, settings, moment)
    return [ReservePositionRecord(position.on, position.canonical().decode(), position.digest)]


def bundled_cases(store: Store, chain_ids: set[ChainId]) -> list[records.CaseRecord]:
    """Every case of the bundle's chains and of the reserve, closed ones too; none that only looks at the head saw."""
    return [
        _case(case, store.case_covers(case.case_id))
        for case in store.cases(include_closed=True)
        if not case.only_looked and (case.finding.rail in OFF_CHAIN or _chain_of(case) in chain_ids)
    ]


def _chain_of(case: Case) -> ChainId | None:
    finding = case.finding
    if finding.block is not None:
        return finding.block.chain_id
    if finding.asset is not None:
        return finding.asset.chain_id
    return ChainId(finding.location_id)  # nothing of a chain could be read: the chain itself is the place


def _case(case: Case, covers: Sequence[tuple[LocationId, AssetId]]) -> records.CaseRecord:
    finding = case.finding
    stands = case.proposal if case.checkers or case.state is CaseState.PROPOSED else None
    in_chain = finding.rail not in OFF_CHAIN  # what is on no chain is no asset of a bundle; the text says the amounts
    return records.CaseRecord(
        case_id=case.case_id,
        kind=finding.kind.value,
        status=records.CaseStatus(case.state.value),
        rail=records.Rail(finding.rail.value),
        location=finding.location_id,
        asset_id=finding.asset.asset_id if in_chain and finding.asset is not None else None,
        base_units=finding.base_units if in_chain else None,
        opened_at=case.opened_at,
        text=finding.text,
        tx_ids=(finding.tx_id,) if finding.tx_id else (),
        height=finding.block.height if finding.block is not None else None,
        block_hash=finding.block.block_hash if finding.block is not None else None,
        covers=tuple(records.CoverRecord(location, asset_id) for location, asset_id in covers),
        maker=stands.maker if stands is not None else "",
        proposed_at=stands.made_at if stands is not None else None,
        checkers=case.checkers,
        decided_at=case.decided_at if case.checkers else None,
    )
