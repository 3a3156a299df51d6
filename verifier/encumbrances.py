"""One review of who else could move the wallets' assets on one EVM chain: read at one pin, judge, compare.

The balances that are exposed are read at the same pin, through the same node.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from chains.errors import NodeUnavailable, ReadError
from chains.evm.encumbrance import read_encumbrances
from chains.evm.encumbrance_types import ControlState, EncumbranceReading, EncumbranceSettings
from chains.reader import ChainConfig, NodeConfig, Progress
from chains.registry import plugin_for
from chains.types import (
    Address,
    Asset,
    AssetId,
    BalanceObservation,
    BlockRef,
    ChainId,
    Holding,
    chain_namespace,
)
from mapping.accepted_control import AcceptedControl
from mapping.types import Wallet
from verifier.errors import InputError
from verifier.records import Finding, FindingKind
from verifier.rules.acceptance import Acceptances
from verifier.rules.accepted_exposure import AcceptedExposure, accepted_exposures
from verifier.rules.control_changes import Balances, control_change_findings, mapping_findings, unsigned_departures
from verifier.rules.encumbrance import encumbrance_findings
from verifier.rules.exposure import Exposure
from verifier.rules.surroundings import Surroundings

CONTRADICTING = frozenset({FindingKind.ENCUMBRANCE, FindingKind.CONTROL_CHANGE})


@dataclass(frozen=True, slots=True)
class Earlier:
    """What an earlier review saw, to compare with."""

    chain_id: ChainId
    block: BlockRef
    controls: tuple[ControlState, ...]
    balances: Balances


@dataclass(frozen=True, slots=True)
class EncumbranceReview:
    """What one review saw and found."""

    reading: EncumbranceReading
    assets: Mapping[AssetId, Asset]
    observations: Mapping[tuple[Address, AssetId], BalanceObservation]
    findings: tuple[Finding, ...]
    compared_with: BlockRef | None
    accounts_compared: int
    """How many accounts the earlier review knew too; 0 without one."""
    accepted: tuple[AcceptedExposure, ...] = ()
    """Who could move something and is accepted by the firm: no findings."""

    @property
    def exit_code(self) -> int:
        """0 nobody but whom the firm accepts, 1 somebody could move or stopped something, 2 not known or not asked."""
        if any(finding.kind in CONTRADICTING for finding in self.findings):
            return 1
        return 2 if self.findings or not self.reading.wallets else 0


def review_chain(
    config: ChainConfig,
    wallets: Mapping[Address, Wallet],
    assets: Sequence[Asset],
    *,
    first_height: int,
    now: datetime,
    earlier: Earlier | None = None,
    settings: EncumbranceSettings | None = None,
    decisions: Sequence[AcceptedControl] = (),
    on_blocks: Callable[[int], Progress] = lambda count: lambda done: None,
) -> EncumbranceReview:
    """Review a chain through the first of its nodes that gives a usable answer.

    `wallets` are all that are mapped on the chain; those closed before the block's date are left out. `decisions` are
    all that the firm recorded about who else may move something. `on_blocks` is told how many blocks are looked
    through and returns what to call with the number done. Raises `ReadError` of the
    last node when none could be used, `InputError` for a chain that is not EVM or an earlier review that does not fit.
    """
    if chain_namespace(config.chain_id) != "eip155":
        raise InputError(f"{config.chain_id} is not an EVM chain: who else could move its assets is not read yet")
    if earlier is not None and earlier.chain_id != config.chain_id:
        raise InputError(f"the earlier review is of {earlier.chain_id}, this is {config.chain_id}")
    failure: ReadError = NodeUnavailable("no node is configured")
    for node in config.nodes:
        try:
            return _review(config, node, wallets, assets, first_height, now, earlier, settings, decisions, on_blocks)
        except ReadError as error:
            failure = error
    raise failure


def _review(
    config: ChainConfig,
    node: NodeConfig,
    wallets: Mapping[Address, Wallet],
    assets: Sequence[Asset],
    first_height: int,
    now: datetime,
    earlier: Earlier | None,
    settings: EncumbranceSettings | None,
    decisions: Sequence[AcceptedControl],
    on_blocks: Callable[[int], Progress],
) -> EncumbranceReview:
    from chains.transport import JsonRpcTransport

    reader = plugin_for(config.chain_id).open(config, node)
    transport = JsonRpcTransport(node, config.limits)
    transport.start_budget(config.limits.sweep_budget_seconds)
    try:
        reader.identify()
        pin = reader.pin(now=now)
        if earlier is not None:
            _require_before(earlier, pin.block)
        if first_height > pin.block.height:
            raise InputError(f"block {first_height} is above block {pin.block.height}, at which the chain is read")
        surroundings = Surroundings(pin.block, pin.block.timestamp.date(), wallets, {}, not pin.finality.is_final)
        watched = [address for address in sorted(wallets) if not surroundings.is_closed(address)]
        reading = read_encumbrances(
            transport,
            config,
            node.node_id,
            pin,
            watched,
            assets,
            first_height=first_height,
            settings=settings,
            progress=on_blocks(pin.block.height - first_height + 1),
        )
        holdings = [Holding(address, asset) for address in watched for asset in assets]
        observed = reader.read_balances(pin, holdings) if holdings else []
    finally:
        reader.close()
        transport.close()
    by_id = {asset.asset_id: asset for asset in assets}
    observations = {(seen.holding.address, seen.holding.asset.asset_id): seen for seen in observed}
    exposure = Exposure(reading, observations, by_id)
    accepted = Acceptances.at(pin.block.timestamp, decisions)
    findings = encumbrance_findings(reading, observations, by_id, surroundings, accepted)
    findings += mapping_findings(exposure, surroundings)
    known_before = {state.address for state in earlier.controls} if earlier is not None else set()
    compared = sum(state.address in known_before for state in reading.controls)
    if earlier is not None:
        if not compared:
            raise InputError("the earlier review shares no account with this one: nothing would be compared")
        findings += control_change_findings(earlier.controls, earlier.block, exposure, surroundings)
        findings += unsigned_departures(earlier.controls, earlier.block, earlier.balances, exposure, surroundings)
    return EncumbranceReview(
        reading,
        by_id,
        observations,
        tuple(findings),
        earlier.block if earlier is not None else None,
        compared,
        tuple(accepted_exposures(exposure, accepted)),
    )


def _require_before(earlier: Earlier, block: BlockRef) -> None:
    if earlier.block.height > block.height:
        raise InputError(f"the earlier review is of block {earlier.block.height}, later than block {block.height}")
