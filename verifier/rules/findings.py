"""From comparisons to findings: what a person has to look at, with both figures and the place.

A finding names its discrepancy the same way in every sweep (`subject`), so that it stays one case while it lasts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from chains.types import Asset, AssetId, account_location
from mapping.types import Position
from verifier.records import Finding, FindingKind, Reconciliation, Status
from verifier.rules.claims import Claim
from verifier.rules.holdings import MappedHolding
from verifier.rules.reconcile import Observations, ledger_status, why_unverified
from verifier.rules.statements import figure
from verifier.rules.surroundings import Surroundings


def reconciliation_findings(
    reconciliation: Reconciliation,
    holding: MappedHolding,
    claim: Claim | None,
    observations: Observations,
    surroundings: Surroundings,
) -> list[Finding]:
    """Everything one comparison has to say. Empty exactly when it matched and no closed wallet holds anything."""
    return [
        *_difference(reconciliation, holding, claim, surroundings),
        *_closed_wallets(reconciliation, holding, observations, surroundings),
        *_negative_allocations(reconciliation, claim, surroundings),
        *_statement(reconciliation, surroundings),
    ]


def unplaced_statement_findings(
    positions: Iterable[Position], assets: Mapping[AssetId, Asset], surroundings: Surroundings
) -> list[Finding]:
    """A custodian's balance at a place the firm does not know (see `unplaced_statements`) is a mismatch too."""
    return [
        surroundings.finding(
            FindingKind.CUSTODIAN_MISMATCH,
            position.location_id,
            assets[position.asset_id],
            -position.base_units,
            position.stated_by,
            f"{position.stated_by} states {figure(position.base_units, assets[position.asset_id])} here, but no "
            f"mapped wallet or pool is at this place.",
        )
        for position in positions
    ]


def _difference(
    reconciliation: Reconciliation, holding: MappedHolding, claim: Claim | None, surroundings: Surroundings
) -> list[Finding]:
    status = ledger_status(reconciliation, claim)
    asset, place = reconciliation.asset, reconciliation.location_id
    if status is Status.UNVERIFIED:
        text = f"{asset.symbol} here could not be compared: {why_unverified(reconciliation)}."
        return [surroundings.finding(FindingKind.UNVERIFIED, place, asset, None, "", text)]
    difference, observed = reconciliation.difference, reconciliation.observed
    if not difference or observed is None:
        return []
    figures = f"the chain shows {figure(observed, asset)}, the books claim {figure(reconciliation.claimed, asset)}"
    if reconciliation.gas_float_recorded:
        used, recorded = reconciliation.gas_float_observed, reconciliation.gas_float_recorded
        figures += f", and {figure(used, asset)} is the firm's gas float of {figure(recorded, asset)}"
    if difference < 0:
        text = f"Short by {figure(-difference, asset)}: {figures}."
        return [surroundings.finding(FindingKind.SHORTFALL, place, asset, difference, "", text)]
    if _is_dust(reconciliation, surroundings):
        return [_dust(difference, reconciliation, surroundings)]
    if holding.addresses and all(surroundings.is_closed(address) for address in holding.addresses) and _nothing(claim):
        return []  # the closed wallets' own finding says it
    if _nothing(claim):
        text = f"{figure(observed, asset)} is here and allocated to nobody."
        return [surroundings.finding(FindingKind.UNALLOCATED_BALANCE, place, asset, difference, "", text)]
    text = f"Too much by {figure(difference, asset)}: {figures}."
    return [surroundings.finding(FindingKind.EXCESS, place, asset, difference, "", text)]


def _is_dust(reconciliation: Reconciliation, surroundings: Surroundings) -> bool:
    """Whether all that is wrong with the sum is a surplus below the asset's dust limit."""
    limit = surroundings.dust_limits.get(reconciliation.asset.asset_id, 0)
    return not reconciliation.reason and reconciliation.difference is not None and 0 < reconciliation.difference < limit


def _dust(difference: int, reconciliation: Reconciliation, surroundings: Surroundings) -> Finding:
    """One small unsolicited deposit. All of an asset and day share one key, so that they cannot flood the queue."""
    asset, day = reconciliation.asset, surroundings.block.timestamp.date().isoformat()
    text = (
        f"An unsolicited {figure(difference, asset)}, below the asset's dust limit of "
        f"{figure(surroundings.dust_limits[asset.asset_id], asset)}, is at {reconciliation.location_id}."
    )
    return surroundings.finding(
        FindingKind.UNALLOCATED_BALANCE,
        surroundings.chain_location,
        asset,
        difference,
        f"dust:{asset.asset_id}:{day}",
        text,
    )


def _closed_wallets(
    reconciliation: Reconciliation, holding: MappedHolding, observations: Observations, surroundings: Surroundings
) -> list[Finding]:
    """A closed wallet that still holds something, whether or not the sum it belongs to is right."""
    asset = reconciliation.asset
    if _is_dust(reconciliation, surroundings):
        return []
    findings = []
    for address in dict.fromkeys(holding.addresses):
        observation = observations.get((address, asset.asset_id))
        balance = observation.base_units if observation is not None else None
        if not balance or not surroundings.is_closed(address):
            continue
        closed_on = surroundings.wallets[address].closed_on
        text = f"The wallet was closed on {closed_on} and still holds {figure(balance, asset)}."
        place = account_location(surroundings.block.chain_id, address)
        findings.append(surroundings.finding(FindingKind.UNMAPPED_BALANCE, place, asset, balance, "", text))
    return findings


def _negative_allocations(
    reconciliation: Reconciliation, claim: Claim | None, surroundings: Surroundings
) -> list[Finding]:
    asset = reconciliation.asset
    return [
        surroundings.finding(
            FindingKind.NEGATIVE_ALLOCATION,
            reconciliation.location_id,
            asset,
            holder.base_units,
            f"{holder.client_id}:{holder.account_class}" + (":gas_float" if holder.is_gas_float else ""),
            f"The books say that {holder.client_id} ({holder.account_class}) owns {figure(holder.base_units, asset)} "
            f"here. Nobody owns less than nothing; it is not netted against what others own.",
        )
        for holder in (claim.negative_holders() if claim else ())
    ]


def _statement(reconciliation: Reconciliation, surroundings: Surroundings) -> list[Finding]:
    check, asset, place = reconciliation.statement, reconciliation.asset, reconciliation.location_id
    if check is None or check.status is Status.MATCHED:
        return []
    if check.status is Status.UNVERIFIED:
        if reconciliation.observed is None:
            return []  # the holding's own finding says why
        text = f"The statement {check.statement_id} of {check.stated_by} could not be compared: {check.reason}."
        subject = f"statement:{check.stated_by}"
        return [surroundings.finding(FindingKind.UNVERIFIED, place, asset, None, subject, text)]
    observed = reconciliation.observed
    gap = observed - check.base_units if observed is not None else None
    total = f"the chain shows {figure(observed, asset)}" if observed is not None else "the whole could not be read"
    text = f"{check.stated_by} states {figure(check.base_units, asset)} in statement {check.statement_id}, {total}"
    if not check.reason.startswith(f"statement-differs: at {place} ") or "; " in check.reason:
        text += f": {check.reason}"  # more than the two figures again
    return [surroundings.finding(FindingKind.CUSTODIAN_MISMATCH, place, asset, gap, check.stated_by, f"{text}.")]


def _nothing(claim: Claim | None) -> bool:
    return claim is None or all(holder.base_units == 0 for holder in claim.holders)
