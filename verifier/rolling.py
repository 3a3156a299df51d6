"""Rolling every balance forward over the movements since it was last read: the store's facts put to the pure rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from chains.types import BalanceObservation, Transfer
from verifier.rules.reconcile import Observations
from verifier.rules.rollforward import RollForwards, roll_forward_all
from verifier.store import Store, SweepStart


@dataclass(frozen=True, slots=True)
class Rolled:
    """What a sweep read, the equation of every balance that an earlier one read too, and the movements in it."""

    observations: Observations
    """Everything the sweep read, addresses that only the custodian lists included."""
    rolls: RollForwards = field(default_factory=RollForwards)
    """Of mapped wallets."""
    transfers: Sequence[Transfer] = ()
    """All movements after the oldest opening, in the order of the chain."""


def by_balance(observations: Iterable[BalanceObservation]) -> Observations:
    """Observations by address and asset."""
    return {(each.holding.address, each.holding.asset.asset_id): each for each in observations}


def roll_forward(store: Store, start: SweepStart, observations: Observations) -> Rolled:
    """Roll forward what the sweep read at mapped wallets."""
    mapped = observations
    if unmapped := {line.address for line in store.custodian_addresses(start.chain_id, start.known_at)}:
        unmapped -= store.closing_days(start.chain_id, start.known_at).keys()
        mapped = {key: seen for key, seen in observations.items() if key[0] not in unmapped}
    openings = store.openings(start, mapped.keys())
    read_again = {key for key, seen in mapped.items() if key not in openings and seen.base_units is not None}
    if older := store.older_openings(start, read_again):
        openings = {**openings, **older}
    if not openings:
        return Rolled(observations)
    first = min(opening.block.height for opening in openings.values()) + 1
    transfers = store.transfers(start.chain_id, first_height=first, last_height=start.block.height)
    rolls = roll_forward_all(openings, mapped, transfers, store.covered_from(start.chain_id))
    return Rolled(observations, rolls, transfers)
