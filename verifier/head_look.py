"""A look at the head of a chain between sweeps: what is read there is provisional, and quick.

A look reads the balances at the newest block, pinned by its hash, and the movements since the last covered block. It
stores nothing but the cases of what it finds: thefts and shortfalls, marked as provisional. Everything is judged again
by the sweep that finds those blocks final: it confirms a case, which has the same key, or withdraws it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from chains.errors import ChainMoved
from chains.reader import ChainReader
from chains.types import Address, Asset, AssetId, BlockRef, Holding, LocationId, Transfer
from verifier.case_book import group_findings
from verifier.records import Finding, FindingKind
from verifier.rules.by_asset import Observed
from verifier.rules.claims import Claims
from verifier.rules.findings import reconciliation_findings
from verifier.rules.reconcile import Moment, reconcile_all
from verifier.rules.surroundings import MappedWallets, Surroundings, dust_limits
from verifier.store import CaseSeen
from verifier.sweep import ChainSweep
from verifier.transfer_judgement import judge_transfers

PROVISIONAL_KINDS: Final = frozenset(
    {FindingKind.UNAUTHORIZED_TRANSFER, FindingKind.COMMINGLING, FindingKind.SHORTFALL}
)
"""What cannot wait for finality, and what the final sweep finds under the same key. Surpluses are not among them:
deposits are on the chain before they are in the books, and nearly all of them would be withdrawn again."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look saw."""

    block: BlockRef
    holdings: int
    """Balances that were read."""
    failed: int
    """Balances that could not be read: they are not known, and the sweep will say so if it lasts."""
    transfers: int
    """Movements since the last covered block."""
    cases: tuple[CaseSeen, ...]


_Watch = tuple[tuple[Address, ...], tuple[Asset, ...]]
_ReadBlock = tuple[BlockRef, tuple[Transfer, ...]]


class HeadLook(ChainSweep):
    """Looks at the head of one chain. Its configuration asks for the finality `latest`; one thread uses it."""

    _remembered: tuple[_Watch, list[_ReadBlock]] | None = None
    """What was read above the covered blocks by the look before, and for whom."""

    def look(self, reader: ChainReader) -> Looked | None:
        """Look once; None when there is nothing above the covered blocks, or nothing was covered yet.

        Raises `ReadError` as a sweep does: `ChainMoved` also when the head does not stand on the covered blocks.
        """
        reader.identify()
        pin = reader.pin(now=self._clock())
        tip = self._store.covered_tip(self._chain.chain_id)
        if tip is None or pin.block.height <= tip.height:
            return None
        known_at = self._store.book_time(self._clock())
        plan = self._plan(pin.block.timestamp, known_at)
        assets = plan.assets
        problems = reader.asset_problems(pin, list(assets.values()))
        pairs = sorted({(address, each.asset.asset_id) for each in plan.holdings for address in each.addresses})
        holdings = [Holding(address, assets[asset_id]) for address, asset_id in pairs if asset_id not in problems]
        observations = reader.read_balances(pin, holdings)
        addresses = sorted({address for address, _ in pairs})
        transfers = self._movements(reader, tip, pin.block, addresses, list(assets.values()))
        if not reader.is_canonical(pin.block):
            raise ChainMoved(f"block {pin.block.height} is no longer canonical", node_id=reader.node_id)

        chain_id = self._chain.chain_id
        records = self._store.assets(chain_id, known_at)
        surroundings = Surroundings(
            block=pin.block,
            on=pin.block.timestamp.date(),
            wallets=MappedWallets(plan.wallets, lambda: self._store.wallets(chain_id, known_at)),
            dust_limits=dust_limits(records),
            provisional=True,
        )
        claims = Claims(plan.owners, pin.block.timestamp)
        seen = Observed(observations)
        moment = Moment(
            f"{chain_id}/head", pin.block, pin.block.timestamp, known_at, self._settings.as_of_skew_seconds_max
        )
        compared = reconcile_all(plan.holdings, seen, claims, [], moment)
        moved = judge_transfers(self._store, transfers, claims, assets, known_at, surroundings)
        found: list[tuple[Finding, tuple[tuple[LocationId, AssetId], ...]]]
        found = [(finding, ()) for finding in moved.findings]
        for index, result in compared.not_plain:
            holding = plan.holdings[index]
            place = (holding.location_id, holding.asset.asset_id)
            for finding in reconciliation_findings(result, holding, claims.get(place), seen, surroundings):
                found.append((finding, (place,)))
        wanted = [(finding, covers) for finding, covers in found if finding.kind in PROVISIONAL_KINDS]
        sightings = group_findings(wanted)
        gone = self._gone(reader, tip, pin.block, {each.finding.finding_key for each in sightings})
        cases = self._store.see_at_head(pin.block, sightings, self._actor, self._clock(), gone)
        failed = sum(each.base_units is None for each in observations)
        return Looked(pin.block, len(observations), failed, len(transfers), tuple(cases))

    def _gone(self, reader: ChainReader, tip: BlockRef, head: BlockRef, seen_keys: Collection[str]) -> set[str]:
        """The hashes of blocks where an earlier look saw what this one sees again, and that left the chain since."""
        if not seen_keys:
            return set()
        blocks = {
            case.finding.block
            for case in self._store.cases()
            if case.only_looked and case.finding.finding_key in seen_keys and case.finding.block is not None
        }
        return {block.block_hash for block in blocks if not self._stands(reader, tip, head, block)}

    def _stands(self, reader: ChainReader, tip: BlockRef, head: BlockRef, block: BlockRef) -> bool:
        if block.height <= tip.height:
            return self._store.covered_block(block.chain_id, block.height) == block
        return block.height <= head.height and reader.is_canonical(block)

    def _movements(
        self, reader: ChainReader, tip: BlockRef, head: BlockRef, addresses: list[Address], assets: list[Asset]
    ) -> list[Transfer]:
        """The movements above the covered tip up to the head; blocks that were read before and stand are not again."""
        watch = (tuple(addresses), tuple(assets))
        kept = [each for each in self._remembered[1] if each[0].height > tip.height] if self._remembered else []
        if self._remembered is None or self._remembered[0] != watch or (kept and not _follows(kept[0][0], tip)):
            kept = []
        self._remembered = None  # until this look is whole
        while kept and (kept[-1][0].height > head.height or not reader.is_canonical(kept[-1][0])):
            kept.pop()
        below = kept[-1][0] if kept else tip
        if below.height < head.height:
            scan = reader.scan_transfers(below.height + 1, head, addresses, assets)
            if not _follows(scan.blocks[0], below):
                raise ChainMoved(
                    f"block {scan.blocks[0].height} does not follow the one before", node_id=reader.node_id
                )
            moved: dict[str, list[Transfer]] = {}
            for transfer in scan.transfers:
                moved.setdefault(transfer.block.block_hash, []).append(transfer)
            kept += [(block, tuple(moved.get(block.block_hash, ()))) for block in scan.blocks]
        self._remembered = (watch, kept)
        return [transfer for _, transfers in kept for transfer in transfers]


def _follows(block: BlockRef, before: BlockRef) -> bool:
    return block.height == before.height + 1 and block.parent_hash == before.block_hash
