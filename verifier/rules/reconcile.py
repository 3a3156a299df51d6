"""The comparison of two statements about one position: what the books claim and what the chain showed.

One comparison for every planned holding, none skipped, none netted against another. A read that failed, a wallet
that is missing, or two statements that speak of different moments give `unverified`, never a figure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import overload

from chains.errors import InvalidValue
from chains.types import (
    Address,
    AssetId,
    BalanceObservation,
    BlockRef,
    ChainId,
    LocationId,
    account_location,
    utc_text,
)
from mapping.types import Position
from verifier.records import Rail, Reconciliation, StatementCheck, Status, worst
from verifier.rules.by_asset import Observed
from verifier.rules.claims import Claim, Claims, Holder, Place, plain_total
from verifier.rules.evidence import weakest_evidence
from verifier.rules.holdings import MappedHolding
from verifier.rules.statements import check_statements, seconds_apart

Observations = Mapping[tuple[Address, AssetId], BalanceObservation]
"""What the chain said, by address and asset, all at the sweep's one block; a sweep's own are `Observed`."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What every comparison of a sweep shares."""

    sweep_id: str
    block: BlockRef
    claimed_as_of: datetime
    """The moment for which the books were asked; it dates a claim of nothing."""
    known_at: datetime
    """The books as known at this time."""
    as_of_skew_seconds_max: int
    """Two statements further apart than this are not compared."""


def gas_float_observed(observed: int, claimed: int, recorded: int) -> int:
    """How much of a balance the recorded gas float explains.

    Fees may have used the float up, so it explains any surplus up to what is recorded; it never explains more,
    and it never fills a client's gap: with less on chain than clients own, it explains nothing.
    """
    return min(max(observed - claimed, 0), max(recorded, 0))


def reconcile(
    holding: MappedHolding,
    observations: Observations,
    claim: Claim | None,
    statements: Sequence[Position],
    moment: Moment,
) -> Reconciliation:
    """Compare one asset at one wallet or pool; `statements` are the custodian's about it or its wallets.

    A pool's observed figure is the sum over its wallets at the one block, and is missing when one of them is.
    The status is the worst of sub-ledger against chain and statement against chain. A client below zero is never
    matched, though the sum may be right: what one client lacks is not what another one has.
    """
    asset = holding.asset
    found = {address: observations.get((address, asset.asset_id)) for address in holding.addresses}
    balances, reason = _balances(found, moment.block)
    observed = sum(balances.values()) if not reason else None

    claimed = claim.claimed(asset) if claim else 0
    recorded = claim.gas_float(asset) if claim else 0
    claimed_as_of = claim.as_of if claim else moment.claimed_as_of
    used = gas_float_observed(observed, claimed, recorded) if observed is not None else 0
    difference = observed - claimed - used if observed is not None else None

    if not reason and (skew := seconds_apart(claimed_as_of, moment.block.timestamp)) > moment.as_of_skew_seconds_max:
        reason = (
            f"as-of-skew: the books speak of {utc_text(claimed_as_of)}, the block of "
            f"{utc_text(moment.block.timestamp)}: {skew} seconds apart, {moment.as_of_skew_seconds_max} allowed"
        )
    if reason:
        ledger = Status.UNVERIFIED
    elif difference != 0 or (claim is not None and claim.negative_holders()):
        ledger = Status.DIVERGED
    else:
        ledger = Status.MATCHED

    statement = _stated(holding, statements, balances, observed, moment) if statements else None
    state, anchor = weakest_evidence([observation for observation in found.values() if observation is not None])
    return Reconciliation(
        sweep_id=moment.sweep_id,
        rail=Rail.DIGITAL,
        location_id=holding.location_id,
        asset=asset,
        claimed=claimed,
        gas_float_recorded=recorded,
        gas_float_observed=used,
        observed=observed,
        difference=difference,
        status=worst([ledger, statement.status] if statement else [ledger]),
        claimed_as_of=claimed_as_of,
        known_at=moment.known_at,
        observed_as_of=moment.block.timestamp,
        block=moment.block,
        state=state,
        anchor=anchor,
        statement=statement,
        reason=reason,
    )


def _stated(
    holding: MappedHolding,
    statements: Sequence[Position],
    balances: Mapping[Address, int],
    observed: int | None,
    moment: Moment,
) -> StatementCheck | None:
    """What the custodian states, held against what was observed at the place and at each wallet behind it."""
    chain_id = moment.block.chain_id
    by_location = {account_location(chain_id, address): balances.get(address) for address in holding.addresses}
    by_location[holding.location_id] = observed
    return check_statements(
        statements,
        holding.location_id,
        holding.asset,
        by_location,
        moment.block.timestamp,
        moment.as_of_skew_seconds_max,
    )


class Comparisons(Sequence[Reconciliation]):
    """The comparisons of one sweep, one for each holding and in the same order.

    A holding at which the books claim exactly what one good read showed is kept as that read, and becomes a
    `Reconciliation` when it is asked for: most holdings agree, and nobody looks at them one by one.
    """

    def __init__(
        self,
        holdings: Sequence[MappedHolding | Reconciliation],
        results: Sequence[BalanceObservation | Reconciliation],
        moment: Moment | None,
    ) -> None:
        """`results` are the read of a holding that agrees, and the record of any other; see `of` for records alone."""
        self.holdings = holdings
        self.results = results
        self._moment = moment

    @classmethod
    def of(cls, records: Sequence[Reconciliation]) -> Comparisons:
        """Records that are made already."""
        return cls(records, records, None)

    def __len__(self) -> int:
        return len(self.results)

    @overload
    def __getitem__(self, index: int) -> Reconciliation: ...
    @overload
    def __getitem__(self, index: slice) -> Comparisons: ...
    def __getitem__(self, index: int | slice) -> Reconciliation | Comparisons:
        if isinstance(index, slice):
            return Comparisons(self.holdings[index], self.results[index], self._moment)
        holding, result = self.holdings[index], self.results[index]
        if isinstance(result, Reconciliation):
            return result
        assert self._moment is not None
        return _agreement(holding, result, self._moment)

    @cached_property
    def not_plain(self) -> Sequence[tuple[int, Reconciliation]]:
        """The records of the holdings that do not plainly agree, each with its place in the plan."""
        return [(index, result) for index, result in enumerate(self.results) if isinstance(result, Reconciliation)]

    def tally(self) -> dict[Status, int]:
        """How many matched, diverged and could not be verified; every status is present, zero included."""
        counts = tally(record for _, record in self.not_plain)
        counts[Status.MATCHED] += len(self.results) - len(self.not_plain)
        return counts


def reconcile_all(
    holdings: Sequence[MappedHolding],
    observations: Observations,
    claims: Claims,
    statements: Iterable[Position],
    moment: Moment,
) -> Comparisons:
    """One reconciliation for every holding, in the same order; `holdings` are sorted by location and asset.

    Where there is nothing to say but that the one read behind a holding shows exactly what the books claim, the
    comparison stays that read. Everything else is compared in full: pools, gas floats, claims below zero, statements,
    other moments, closed wallets that hold something. Raises `InvalidValue` for two holdings with one place and asset.
    """
    stated: dict[Place, list[Position]] = defaultdict(list)
    for position in statements:
        stated[position.location_id, position.asset_id].append(position)
    block, seen_of, owners_of = moment.block, Observed.of_all(observations).of, claims.owners.of
    unseen: Mapping[Address, BalanceObservation] = {}
    unowned: Mapping[LocationId, tuple[Holder, ...]] = {}
    is_of_block = claims.as_of == moment.claimed_as_of == block.timestamp
    before, asset_before = LocationId(""), AssetId("")
    results: list[BalanceObservation | Reconciliation] = []
    for holding in holdings:
        location_id, asset, addresses, _, all_closed = holding
        asset_id = asset.asset_id
        if location_id <= before and (location_id < before or asset_id <= asset_before):
            raise InvalidValue("the plan names one location and asset twice, or is not sorted")
        before, asset_before = location_id, asset_id
        own = _about(holding, stated, block.chain_id) if stated else ()
        if is_of_block and len(addresses) == 1 and not own:
            seen = seen_of.get(asset_id, unseen).get(addresses[0])
            if seen is not None and (seen.block is block or seen.block == block):
                claimed = plain_total(owners_of.get(asset_id, unowned).get(location_id, ()))
                if claimed is not None and seen.base_units == claimed and not (claimed and all_closed):
                    results.append(seen)
                    continue
        results.append(reconcile(holding, observations, claims.get((location_id, asset_id)), own, moment))
    return Comparisons(holdings, results, moment)


def _about(holding: MappedHolding, stated: Mapping[Place, Sequence[Position]], chain_id: ChainId) -> list[Position]:
    """What custodians state about a holding or one of its wallets."""
    behind = [holding.location_id, *(account_location(chain_id, address) for address in holding.addresses)]
    asset_id = holding.asset.asset_id
    return [position for each in dict.fromkeys(behind) for position in stated.get((each, asset_id), ())]


def _agreement(holding: MappedHolding | Reconciliation, seen: BalanceObservation, moment: Moment) -> Reconciliation:
    """What `reconcile` makes of a holding that agrees."""
    assert seen.base_units is not None
    return Reconciliation(
        sweep_id=moment.sweep_id,
        rail=Rail.DIGITAL,
        location_id=holding.location_id,
        asset=holding.asset,
        claimed=seen.base_units,
        gas_float_recorded=0,
        gas_float_observed=0,
        observed=seen.base_units,
        difference=0,
        status=Status.MATCHED,
        claimed_as_of=moment.block.timestamp,
        known_at=moment.known_at,
        observed_as_of=moment.block.timestamp,
        block=moment.block,
        state=seen.state,
        anchor=seen.anchor,
    )


def ledger_status(reconciliation: Reconciliation, claim: Claim | None) -> Status:
    """The outcome of sub-ledger against chain alone, without the custodian's statement."""
    if reconciliation.reason:
        return Status.UNVERIFIED
    if reconciliation.difference != 0 or (claim is not None and claim.negative_holders()):
        return Status.DIVERGED
    return Status.MATCHED


def why_unverified(reconciliation: Reconciliation) -> str:
    """The reasons of everything about it that could not be compared, for a person; empty when all was."""
    statement: StatementCheck | None = reconciliation.statement
    stated = statement.reason if statement is not None and statement.status is Status.UNVERIFIED else ""
    return "; ".join(reason for reason in (reconciliation.reason, stated) if reason)


def tally(reconciliations: Iterable[Reconciliation]) -> dict[Status, int]:
    """How many matched, diverged and could not be verified; every status is present, zero included."""
    counts = dict.fromkeys(Status, 0)
    for reconciliation in reconciliations:
        counts[reconciliation.status] += 1
    return counts


def _balances(found: Mapping[Address, BalanceObservation | None], block: BlockRef) -> tuple[dict[Address, int], str]:
    """The balances that were read, and why the holding as a whole has none, naming the first wallet that failed."""
    if not found:
        return {}, "no-wallet: the books claim something here, but no wallet is mapped to this place"
    balances: dict[Address, int] = {}
    failures: list[str] = []
    for address, observation in found.items():
        if observation is None:
            failures.append(f"not-read: wallet {address} was not read")
        elif observation.base_units is None:
            failures.append(f"read-failed: wallet {address}: {observation.reason}")
        elif observation.block != block:
            failures.append(f"other-block: wallet {address} was read at {observation.block}, not at the pinned block")
        else:
            balances[address] = observation.base_units
    if not failures:
        return balances, ""
    more = f" ({len(failures)} of {len(found)} wallets failed)" if len(found) > 1 else ""
    return balances, failures[0] + more
