"""Everything the rules say about one sweep: the facts are gathered from the store, the rules are pure.

Nothing is written here. The store writes the whole judgement in one transaction, with the sweep's end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from chains.types import Asset, AssetId, LocationId, account_location
from mapping.types import CustodianAddress, Position
from verifier.case_book import Sighting, group_findings
from verifier.looked import confirmed_looks
from verifier.planning import SweepPlan
from verifier.records import Finding, FindingKind, TransferMatch
from verifier.rolling import Rolled
from verifier.rules.changes import change_findings
from verifier.rules.claims import Claims
from verifier.rules.coverage import hole_findings, late_findings, weaker_findings
from verifier.rules.disagreement import disagreement_findings
from verifier.rules.findings import reconciliation_findings, unplaced_statement_findings
from verifier.rules.heartbeat import Heartbeat, heartbeat_findings
from verifier.rules.holdings import MappedHolding
from verifier.rules.inventory import asset_findings, inventory_findings, unparsed_findings
from verifier.rules.reconcile import Comparisons, Moment, Observations, reconcile_all
from verifier.rules.rollforward import RollForwards, gap_findings
from verifier.rules.siblings import DescriptorFacts, sibling_findings
from verifier.rules.statements import figure, unplaced_statements
from verifier.rules.structure import structure_findings
from verifier.rules.surroundings import MappedWallets, Surroundings, dust_limits
from verifier.store import Store, SweepStart
from verifier.sweep_encumbrances import sweep_findings
from verifier.transfer_judgement import judge_transfers


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a sweep found, ready to be stored."""

    reconciliations: Comparisons
    matches: Sequence[TransferMatch]
    roll_forwards: RollForwards
    sightings: Sequence[Sighting]
    transfers_scanned: int


def judge(
    store: Store,
    start: SweepStart,
    plan: SweepPlan,
    asset_problems: Mapping[AssetId, str],
    as_of_skew_seconds_max: int,
    rolled: Rolled,
    heartbeat: Heartbeat | None = None,
    descriptors: DescriptorFacts | None = None,
) -> Judgement:
    """Reconcile and match what this sweep read and rolled forward, and gather the findings by case."""
    chain_id, block, known_at = start.chain_id, start.block, start.known_at
    records = store.assets(chain_id, known_at)
    assets = {record.asset.asset_id: record.asset for record in records}
    inventory = store.custodian_addresses(chain_id, known_at)
    observations = rolled.observations
    transfers = store.unjudged_transfers(chain_id)
    surroundings = Surroundings(
        block=block,
        on=block.timestamp.date(),
        wallets=MappedWallets(plan.wallets, lambda: store.wallets(chain_id, known_at)),
        dust_limits=dust_limits(records),
        provisional=not start.finality.is_final,
    )

    moment = Moment(start.sweep_id, block, block.timestamp, known_at, as_of_skew_seconds_max)
    claims = Claims(plan.owners, block.timestamp)
    statements = store.positions(known_at, chain_id)
    reconciliations = reconcile_all(plan.holdings, observations, claims, statements, moment)

    moved = judge_transfers(store, transfers, claims, assets, known_at, surroundings)

    changes = store.found_changes(start)
    findings = [
        *structure_findings(plan.holdings, claims, surroundings),
        *_unplaced(statements, plan.holdings, assets, surroundings),
        *inventory_findings(inventory, surroundings),
        *_unmapped_balances(inventory, observations, assets, surroundings),
        *asset_findings(asset_problems, assets, surroundings),
        *moved.findings,
        *(sibling_findings(transfers, descriptors, surroundings) if descriptors else ()),
        *change_findings(rolled.rolls if changes else rolled.rolls.unsettled(), changes, surroundings),
        *gap_findings(rolled.rolls.unsettled(), surroundings),
        *disagreement_findings(store.disagreements(chain_id), surroundings),
        *(heartbeat_findings(heartbeat, provisional=surroundings.provisional) if heartbeat else ()),
        *hole_findings(store.coverage_gaps(chain_id), surroundings),
        *weaker_findings(store.weaker_scans(chain_id, unjudged_only=True), surroundings),
        *late_findings(store.backfills(chain_id), surroundings),
        *sweep_findings(store, start, observations, assets, surroundings),
    ]
    for first, last, asset_id, count in store.unparsed_events(chain_id):
        findings += unparsed_findings({asset_id: count}, assets, first, last, surroundings)
    sightings = [
        *group_findings((finding, ()) for finding in findings),
        *group_findings(
            _holding_findings(reconciliations, plan.holdings, claims, observations, surroundings, _open_dust(store))
        ),
    ]
    seen_keys = {each.finding.finding_key for each in sightings}
    sightings += confirmed_looks(store, start, assets, seen_keys)
    return Judgement(reconciliations, moved.matches, rolled.rolls, sightings, transfers_scanned=len(transfers))


def _open_dust(store: Store) -> dict[tuple[LocationId, AssetId], str]:
    """The holdings that an open dust case covers, and its subject: what it was opened for stays in it."""
    return {
        place: case.finding.subject
        for case in store.cases()
        if case.finding.subject.startswith("dust:")
        for place in store.case_covers(case.case_id)
    }


def _unplaced(
    statements: Sequence[Position],
    plan: Sequence[MappedHolding],
    assets: Mapping[AssetId, Asset],
    surroundings: Surroundings,
) -> list[Finding]:
    """What custodians state about places that nothing was compared at."""
    if not statements:
        return []
    chain_id = surroundings.block.chain_id
    compared = {
        (place, holding.asset.asset_id)
        for holding in plan
        for place in (holding.location_id, *(account_location(chain_id, address) for address in holding.addresses))
    }
    return unplaced_statement_findings(unplaced_statements(statements, compared, assets), assets, surroundings)


def _holding_findings(
    reconciliations: Comparisons,
    plan: Sequence[MappedHolding],
    claims: Claims,
    observations: Observations,
    surroundings: Surroundings,
    open_dust: Mapping[tuple[LocationId, AssetId], str],
) -> Iterable[tuple[Finding, tuple[tuple[LocationId, AssetId], ...]]]:
    """The findings of each comparison with the holding they cover; dust stays in the case it was first put in."""
    for index, reconciliation in reconciliations.not_plain:
        holding = plan[index]
        key = (holding.location_id, holding.asset.asset_id)
        for finding in reconciliation_findings(reconciliation, holding, claims.get(key), observations, surroundings):
            if finding.subject.startswith("dust:") and key in open_dust:
                yield replace(finding, subject=open_dust[key]), (key,)
            else:
                yield finding, (key,)


def _unmapped_balances(
    inventory: Iterable[CustodianAddress],
    observations: Observations,
    assets: Mapping[AssetId, Asset],
    surroundings: Surroundings,
) -> list[Finding]:
    """What addresses hold that only the custodian lists: nobody in the books owns it."""
    unmapped = sorted({line.address for line in inventory} - surroundings.wallets.keys())
    findings = []
    for address in unmapped:
        for asset_id, asset in sorted(assets.items()):
            seen = observations.get((address, asset_id))
            if seen is not None and seen.base_units:
                text = f"{figure(seen.base_units, asset)} is at an address that the mapping does not know."
                place = account_location(surroundings.block.chain_id, address)
                findings.append(
                    surroundings.finding(FindingKind.UNMAPPED_BALANCE, place, asset, seen.base_units, "", text)
                )
    return findings
