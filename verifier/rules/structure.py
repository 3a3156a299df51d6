"""How wallets may be used: one client alone where the structure says so, and the firm's own coin only as a float.

These are judged on what the books say, so they hold even where every sum is right.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from chains.types import Asset, LocationId
from mapping.types import AccountClass, Structure, Wallet
from verifier.records import Finding, FindingKind
from verifier.rules.claims import Claim, Claims, Owners
from verifier.rules.holdings import MappedHolding
from verifier.rules.statements import figure
from verifier.rules.surroundings import Surroundings
from verifier.rules.wording import some_of


def structure_findings(holdings: Iterable[MappedHolding], claims: Claims, surroundings: Surroundings) -> list[Finding]:
    """Breaches of structure at every location of the plan, sorted by location.

    Two clients of a fully segregated wallet are a breach whichever assets they own there, so all holdings of a
    location must be given together.
    """
    at: dict[LocationId, list[tuple[MappedHolding, Claim]]] = defaultdict(list)
    shared = _not_one_clients(claims.owners)
    for holding in holdings if shared else ():
        claim = claims.get((holding.location_id, holding.asset.asset_id))
        if claim and holding.location_id in shared:
            at[holding.location_id].append((holding, claim))
    findings: list[Finding] = []
    for location, claimed in sorted(at.items()):
        segregated = any(
            wallet.structure is Structure.FULLY_SEGREGATED
            for holding, _ in claimed
            for wallet in _wallets(holding, surroundings)
        )
        if segregated:
            findings += _several_clients(location, claimed, surroundings)
        for holding, claim in claimed:
            findings += _firm_assets(location, holding.asset, claim, segregated, surroundings)
            findings += _float_limit(holding, claim, surroundings)
    return findings


def _not_one_clients(owners: Owners) -> set[LocationId]:
    """Locations where more than one client or the firm has something: at all others no structure can be breached."""
    found: set[LocationId] = set()
    client_of: dict[LocationId, str] = {}
    firms = AccountClass.PROPRIETARY
    for of_asset in owners.of.values():
        for location, holders in of_asset.items():
            for client_id, account_class, _, is_gas_float in holders:
                if is_gas_float or account_class is firms or client_of.setdefault(location, client_id) != client_id:
                    found.add(location)
    return found


def _several_clients(
    location: LocationId, claimed: Iterable[tuple[MappedHolding, Claim]], surroundings: Surroundings
) -> list[Finding]:
    clients: set[str] = set()
    for holding, claim in claimed:
        clients |= claim.owners(holding.asset)[0]
    if len(clients) < 2:
        return []
    named = some_of(sorted(clients))
    text = f"The wallet is fully segregated, but the books give it to {len(clients)} clients: {named}."
    return [surroundings.finding(FindingKind.STRUCTURE_BREACH, location, None, None, "clients", text)]


def _firm_assets(
    location: LocationId, asset: Asset, claim: Claim, segregated: bool, surroundings: Surroundings
) -> list[Finding]:
    """The firm's own assets beside clients': a breach in a segregated wallet, commingling in an omnibus one."""
    findings = []
    for firm_id in sorted(claim.owners(asset)[1]):
        base_units = sum(
            holder.base_units
            for holder in claim.holders
            if holder.client_id == firm_id
            and holder.account_class is AccountClass.PROPRIETARY
            and not holder.is_float_of(asset)
        )
        owned = f"{figure(base_units, asset)} of the firm's own ({firm_id})"
        if segregated:
            text = f"The wallet is fully segregated for one client, but the books also keep {owned} here."
            findings.append(
                surroundings.finding(FindingKind.STRUCTURE_BREACH, location, asset, base_units, f"firm:{firm_id}", text)
            )
        else:
            text = f"The books keep {owned} together with clients' assets; only a gas float may be here."
            findings.append(
                surroundings.finding(FindingKind.COMMINGLING, location, asset, base_units, f"firm:{firm_id}", text)
            )
    return findings


def _float_limit(holding: MappedHolding, claim: Claim, surroundings: Surroundings) -> list[Finding]:
    asset, recorded = holding.asset, claim.gas_float(holding.asset)
    limit = sum(wallet.gas_float_limit for wallet in _wallets(holding, surroundings))
    if recorded <= limit:
        return []
    text = f"The books keep a gas float of {figure(recorded, asset)} here, above the limit of {figure(limit, asset)}."
    return [
        surroundings.finding(
            FindingKind.STRUCTURE_BREACH, holding.location_id, asset, recorded - limit, "gas_float_limit", text
        )
    ]


def _wallets(holding: MappedHolding, surroundings: Surroundings) -> list[Wallet]:
    known = surroundings.wallets
    return [known[address] for address in dict.fromkeys(holding.addresses) if address in known]
