"""The custodian's own list of addresses, compared both ways with the mapping; and what a chain says of its assets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from chains.types import Address, Asset, AssetId, account_location
from mapping.types import CustodianAddress
from verifier.records import Finding, FindingKind
from verifier.rules.surroundings import Surroundings


def inventory_findings(inventory: Iterable[CustodianAddress], surroundings: Surroundings) -> list[Finding]:
    """Addresses that only the custodian lists or only the mapping gives to it, sorted by address.

    Of each custodian its latest inventory of the chain counts; one that lists addresses on other chains only lists
    none on this. A custodian that gave no inventory at all is not compared: saying nothing is not saying that there
    is nothing. A closed wallet may be on either side.
    """
    latest: dict[str, dict[Address, CustodianAddress]] = {}
    as_of: dict[str, datetime] = {}
    for line in inventory:
        listed = latest.setdefault(line.custodian, {})
        if line.chain_id != surroundings.block.chain_id:
            continue
        known = as_of.get(line.custodian)
        if known is None or line.as_of > known:
            as_of[line.custodian] = line.as_of
            listed.clear()
        if line.as_of == as_of[line.custodian]:
            listed[line.address] = line

    findings = []
    for custodian, listed in sorted(latest.items()):
        for _, line in sorted(listed.items()):
            findings += _listed(custodian, line, surroundings)
        for address, wallet in sorted(surroundings.wallets.items()):
            if wallet.custodian == custodian and address not in listed and not surroundings.is_closed(address):
                text = f"The mapping gives this wallet to {custodian}, whose own inventory does not list it."
                findings.append(_unmapped(address, f"mapping_only:{custodian}", text, surroundings))
    return findings


def asset_findings(
    problems: Mapping[AssetId, str], assets: Mapping[AssetId, Asset], surroundings: Surroundings
) -> list[Finding]:
    """Assets that are not on chain what the reviewed table says: no code, other decimals."""
    return [
        surroundings.finding(
            FindingKind.ASSET_CHANGED,
            surroundings.chain_location,
            assets.get(asset_id),
            None,
            asset_id,
            f"{asset_id} is not what the asset table says: {problem}.",
        )
        for asset_id, problem in sorted(problems.items())
    ]


def unparsed_findings(
    unparsed: Mapping[str, int],
    assets: Mapping[AssetId, Asset],
    first_height: int,
    last_height: int,
    surroundings: Surroundings,
) -> list[Finding]:
    """Sources of movement that were seen and could not be read: what moved is not known.

    Of a token they are events of another shape than their standard's; of a native coin, rewards of mining and
    transactions of an unknown type.
    """
    return [
        surroundings.finding(
            FindingKind.UNPARSED_EVENTS,
            surroundings.chain_location,
            assets.get(AssetId(asset_id)),
            None,
            f"{asset_id}:{first_height}-{last_height}",
            _unparsed_text(count, asset_id, assets.get(AssetId(asset_id)))
            + f" in blocks {first_height} to {last_height} could not be read as transfers.",
        )
        for asset_id, count in sorted(unparsed.items())
        if count
    ]


def _unparsed_text(count: int, asset_id: str, asset: Asset | None) -> str:
    if asset is not None and asset.is_native:
        return f"{count} blocks mined for a reward or transactions of an unknown type, which move {asset_id},"
    return f"{count} events of {asset_id}"


def _listed(custodian: str, line: CustodianAddress, surroundings: Surroundings) -> list[Finding]:
    wallet = surroundings.wallets.get(line.address)
    if wallet is None:
        text = f"{custodian} lists this address for the firm, and the mapping does not know it."
    elif wallet.custodian != custodian:
        text = f"{custodian} lists this address for the firm; the mapping gives it to {wallet.custodian}."
    elif line.mpc_vault and wallet.mpc_vault and line.mpc_vault != wallet.mpc_vault:
        text = f"{custodian} lists this address in vault {line.mpc_vault}; the mapping says {wallet.mpc_vault}."
        place = account_location(surroundings.block.chain_id, line.address)
        kind, subject = FindingKind.CUSTODIAN_MISMATCH, f"vault:{custodian}"
        return [surroundings.finding(kind, place, None, None, subject, text)]
    else:
        return []
    return [_unmapped(line.address, f"inventory_only:{custodian}", text, surroundings)]


def _unmapped(address: Address, subject: str, text: str, surroundings: Surroundings) -> Finding:
    place = account_location(surroundings.block.chain_id, address)
    return surroundings.finding(FindingKind.UNMAPPED_ADDRESS, place, None, None, subject, text)
