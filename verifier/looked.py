"""What looks at the head showed and a sweep of the final blocks does not: withdrawn, unless the block stands.

A look is provisional because its block may leave the chain. When the very block that showed something is final, by
its hash, then what it showed is true, whether or not it lasted: assets that were missing there and came back without
an event, or a transfer that the node of the sweep leaves out. Such a finding is confirmed and not withdrawn.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from chains.types import Asset, AssetId
from verifier.case_book import Sighting
from verifier.records import CaseState, FindingKind
from verifier.rules.claims import claims_by_place
from verifier.rules.payments import pays_in_pieces
from verifier.rules.statements import figure
from verifier.store import Case, Store, SweepStart


def confirmed_looks(
    store: Store, start: SweepStart, assets: Mapping[AssetId, Asset], seen_keys: Collection[str]
) -> list[Sighting]:
    """The open cases that only looks saw, at blocks that are final now and stand, and that the sweep does not see.

    `seen_keys` are the finding keys that the sweep sees itself. A shortfall that entries recorded since explain (the
    books were late), and a transfer that was judged to be in order, are left out: those are withdrawn.
    """
    found = []
    for case in store.cases():
        finding, block = case.finding, case.finding.block
        if not case.only_looked or case.state is CaseState.CLOSED or finding.finding_key in seen_keys:
            continue
        if block is None or block.chain_id != start.chain_id or block.height > start.block.height:
            continue
        if store.covered_block(block.chain_id, block.height) != block:
            continue
        if text := _why_it_stands(store, start, case, assets):
            final = replace(finding, provisional=not start.finality.is_final, text=text)
            asset_id = finding.asset.asset_id if finding.asset is not None else None
            covers = () if finding.tx_id or asset_id is None else ((finding.location_id, asset_id),)
            found.append(Sighting(final, covers))
    return found


def _why_it_stands(store: Store, start: SweepStart, case: Case, assets: Mapping[AssetId, Asset]) -> str:
    """One text for a person; empty when what is known since takes it back."""
    finding, block = case.finding, case.finding.block
    assert block is not None
    if finding.kind is FindingKind.SHORTFALL:
        short = _still_short(store, start, case, assets)
        return (
            f"{finding.text} Block {block.height} is final and showed it; by the books as they are known now it was "
            f"{short} short. Block {start.block.height} does not show it."
            if short
            else ""
        )
    if pays_in_pieces(block.chain_id):
        return ""  # a payment is put together of pieces anew by every look
    at_height = store.transfers(block.chain_id, first_height=block.height, last_height=block.height)
    if any(transfer.transfer_id == finding.subject for transfer in at_height):
        return ""
    return (
        f"{finding.text} Block {block.height} is final, and the node that the sweep asked does not show this movement "
        f"in it: one of the two answers is wrong."
    )


def _still_short(store: Store, start: SweepStart, case: Case, assets: Mapping[AssetId, Asset]) -> str:
    """By how much the books claimed more than was there, with every entry for that block known by now."""
    finding, block = case.finding, case.finding.block
    asset = assets.get(finding.asset.asset_id) if finding.asset is not None else None
    if asset is None or block is None or finding.base_units is None:
        return ""
    claimed = []
    for known_at in (case.seen_at, start.known_at):
        allocations = store.allocations(start.chain_id, block.timestamp, known_at)
        claim = claims_by_place(allocations, block.timestamp).get((finding.location_id, asset.asset_id))
        claimed.append(claim.claimed(asset) if claim is not None else 0)
    then, now = claimed
    short = now - then - finding.base_units
    return figure(short, asset) if short > 0 else ""
