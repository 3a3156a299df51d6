"""The part of a sweep that asks who else could move what stands in the wallets, and what the rules say to it.

It comes after the balances, at the same pin. Approval events are looked through in runs that are stored one by one; a
later sweep goes on from there. What is mapped later is looked for by itself, in the blocks that were looked through
without it. One sweep looks through a bounded number of blocks, so that a long history cannot use up the time of the
balances; what is not looked through yet is said. A read that fails is kept and becomes an unverified
finding: it never counts as "nobody", and it does not spoil the rest of the sweep.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import structlog

from chains.errors import ChainMoved, FinalityReversed, ReadError, WrongChain
from chains.evm.addresses import token_of
from chains.evm.approval_coverage import caught_up, extended, widened
from chains.evm.encumbrance_types import ApprovalCoverage, EncumbranceSettings
from chains.reader import ChainReader, EncumbranceReader, Pin, as_encumbrance_reader
from chains.types import Address, Asset, AssetId
from verifier.records import Finding, FindingKind
from verifier.rules.acceptance import Acceptances
from verifier.rules.control_changes import control_change_findings, mapping_findings, unsigned_departures
from verifier.rules.encumbrance import encumbrance_findings
from verifier.rules.exposure import Exposure
from verifier.rules.reconcile import Observations
from verifier.rules.surroundings import Surroundings
from verifier.store import Store, SweepStart

log = structlog.get_logger(__name__)

BLOCKS_PER_RUN: Final = 50_000
"""Blocks whose approvals are looked for and stored together."""
SUBJECT: Final = "encumbrances"
"""Of the finding that nothing could be learnt."""


@dataclass(frozen=True, slots=True)
class EncumbranceOptions:
    """What the configuration says."""

    is_asked: bool = True
    approvals_from_height: int = 0
    """First block whose approvals are looked for; from 1 on, what was approved before is a stated gap."""
    approval_blocks_per_sweep_max: int = 1_000_000
    settings: EncumbranceSettings = field(default_factory=EncumbranceSettings)


@dataclass(frozen=True, slots=True)
class EncumbranceQuestion:
    """What one sweep asks, and where it keeps the answers."""

    store: Store
    start: SweepStart
    pin: Pin
    assets: Sequence[Asset]
    """Every asset of the chain that is what the asset table says."""
    watched_assets: Sequence[Asset]
    """Every asset of the chain: approvals are looked for also while a token is not what the table says."""
    options: EncumbranceOptions
    actor: str
    clock: Callable[[], datetime]
    on_phase: Callable[[str, int], Callable[[int], None]]
    """Called with a name and the number of blocks; returns what to call with the number of further ones done."""

    def ask(self, reader: ChainReader) -> str:
        """Ask and store what was not stored yet. Returns why nothing could be learnt; empty when it was, or not asked.

        Raises `ReadError` only for what ends the sweep as well: another chain, or a pin that is gone.
        """
        asked = as_encumbrance_reader(reader)
        if asked is None or not self.options.is_asked or self.store.encumbrances(self.start) is not None:
            return ""
        wallets = self.wallets()
        if not wallets:
            return ""
        try:
            coverage = self._look_for_approvals(reader, asked, wallets)
            reading = asked.read_encumbrances(self.pin, wallets, self.assets, coverage, self.options.settings)
        except (ChainMoved, FinalityReversed, WrongChain):
            raise
        except ReadError as error:
            log.warning("encumbrances not read", chain=self.start.chain_id, node=reader.node_id, code=error.code)
            return f"{error.code}: {error}"
        self.store.add_encumbrances(self.start, reading, self.actor, self.clock())
        return ""

    def ask_instead(self, reader: ChainReader) -> str:
        """Ask another node of the chain, which must be on it and have the pin; whatever it fails at is the answer."""
        try:
            reader.identify()
            if not reader.is_canonical(self.pin.block):
                height = self.pin.block.height
                return f"{ChainMoved.code}: node {reader.node_id}: does not have block {height} of this sweep"
            return self.ask(reader)
        except ReadError as error:
            return f"{error.code}: {error}"

    def wallets(self) -> list[Address]:
        """Every mapped wallet that was not closed before the block's date."""
        on = self.start.block.timestamp.date()
        mapped = self.store.wallets(self.start.chain_id, self.start.known_at)
        return sorted(wallet.address for wallet in mapped if wallet.closed_on is None or wallet.closed_on >= on)

    def _look_for_approvals(
        self, reader: ChainReader, asked: EncumbranceReader, wallets: Sequence[Address]
    ) -> ApprovalCoverage:
        """Go on from the highest earlier coverage that stands, then catch up for what joined after it began."""
        block = self.start.block
        first = min(self.options.approvals_from_height, block.height)
        earlier = self._earlier(reader)
        tokens = {asset.asset_id: asset for asset in self.watched_assets if token_of(asset.asset_id) is not None}
        coverage = widened(earlier, first, wallets, tokens) if earlier is not None else None
        reached = coverage.last.height if coverage is not None else first - 1
        end = min(block.height, reached + self.options.approval_blocks_per_sweep_max)
        left = self.options.approval_blocks_per_sweep_max - (end - reached)
        waiting = coverage.late_blocks if coverage is not None else 0
        advance = self.on_phase("looking for approvals", end - reached + min(left, waiting))
        look = _Look(self, reader, asked, tokens, advance)
        while coverage is None or reached < end:
            height = min(reached + BLOCKS_PER_RUN, end)
            owners = coverage.wallets if coverage is not None else wallets
            part = look.through(reached + 1, height, owners, coverage.assets if coverage is not None else tokens)
            coverage = extended(coverage, part) if coverage is not None else part
            look.keep(coverage)
            reached = height
        while coverage.late and left > 0:
            group = coverage.late[0]
            height = min(group.next_height + min(BLOCKS_PER_RUN, left) - 1, group.last_height)
            part = look.through(group.next_height, height, group.wallets, group.assets)
            coverage = caught_up(coverage, part)
            look.keep(coverage)
            left -= height - group.next_height + 1
        if look.kept is None and coverage != earlier:
            look.keep(coverage)
        return coverage

    def _earlier(self, reader: ChainReader) -> ApprovalCoverage | None:
        for known in self.store.approval_coverages(self.start.chain_id):
            if (
                known.last.height <= self.start.block.height
                and known.permit2 == self.options.settings.permit2
                and reader.is_canonical(known.last)
            ):
                return known
        return None


@dataclass(slots=True)
class _Look:
    """One sweep's looking through blocks for approvals, stored run by run."""

    question: EncumbranceQuestion
    reader: ChainReader
    asked: EncumbranceReader
    tokens: Mapping[AssetId, Asset]
    advance: Callable[[int], None]
    kept: ApprovalCoverage | None = None

    def through(
        self, first_height: int, last_height: int, wallets: Iterable[Address], asset_ids: Iterable[AssetId]
    ) -> ApprovalCoverage:
        """What the blocks say of these wallets and tokens."""
        block, settings = self.question.start.block, self.question.options.settings
        last = block if last_height == block.height else self.reader.block_at(last_height)
        assets = [self.tokens[asset_id] for asset_id in sorted(asset_ids)]
        return self.asked.look_for_approvals(
            last, sorted(wallets), assets, settings, first_height=first_height, progress=self.advance
        )

    def keep(self, coverage: ApprovalCoverage) -> None:
        """Store how far it is now; a later sweep, or this one taken up again, goes on from here."""
        question = self.question
        question.store.add_approvals(question.start, coverage, self.reader.node_id, question.actor, question.clock())
        self.kept = coverage


def accepted_at(store: Store, start: SweepStart) -> Acceptances:
    """What the firm accepts at a sweep's block, as its books were known then."""
    return Acceptances.at(start.block.timestamp, store.accepted_control(start.chain_id, start.known_at))


def sweep_findings(
    store: Store,
    start: SweepStart,
    observations: Observations,
    assets: Mapping[AssetId, Asset],
    surroundings: Surroundings,
) -> list[Finding]:
    """What the rules say to the answers of one sweep, compared with the sweep before; nothing when it did not ask."""
    seen = store.encumbrances(start)
    if seen is None:
        return []
    if seen.reading is None:
        text = f"Who else could move what is in the wallets could not be read: {seen.failure}."
        place = surroundings.chain_location
        return [surroundings.finding(FindingKind.UNVERIFIED, place, None, None, SUBJECT, text)]
    exposure = Exposure(seen.reading, observations, assets)
    accepted = accepted_at(store, start)
    findings = encumbrance_findings(seen.reading, observations, assets, surroundings, accepted)
    findings += mapping_findings(exposure, surroundings)
    if (compared := seen.compared) is not None:
        balances = {
            (each.holding.address, each.holding.asset.asset_id): each.base_units
            for each in store.observations(compared)
            if each.base_units is not None
        }
        findings += control_change_findings(seen.controls_before, compared.block, exposure, surroundings)
        findings += unsigned_departures(seen.controls_before, compared.block, balances, exposure, surroundings)
    return findings
