"""Rolling every balance forward over the movements since it was last read: the store's facts put to the pure rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chains.types import Transfer
from verifier.rules.reconcile import Observations
from verifier.rules.rollforward import RollForward, roll_forward_all
from verifier.store import Store, SweepStart


@dataclass(frozen=True, slots=True)
class Rolled:
    """The equation of every balance that an earlier sweep read too, and the movements it was made with."""

    rolls: Sequence[RollForward] = ()
    transfers: Sequence[Transfer] = ()
    """All movements after the oldest opening, in the order of the chain."""


def mapped_observations(store: Store, start: SweepStart) -> Observations:
    """What the sweep read at mapped wallets; addresses that only the custodian lists are nobody's to roll forward."""
    mapped = {wallet.address for wallet in store.wallets(start.chain_id, start.known_at)}
    return {
        (seen.holding.address, seen.holding.asset.asset_id): seen
        for seen in store.observations(start)
        if seen.holding.address in mapped
    }


def roll_forward(store: Store, start: SweepStart, observations: Observations) -> Rolled:
    """Roll forward what was observed; empty when nothing was read before."""
    openings = store.openings(start, observations)
    read_again = {key for key, seen in observations.items() if key not in openings and seen.base_units is not None}
    openings |= store.older_openings(start, read_again)
    if not openings:
        return Rolled()
    first = min(opening.block.height for opening in openings.values()) + 1
    transfers = store.transfers(start.chain_id, first_height=first, last_height=start.block.height)
    rolls = roll_forward_all(openings, observations, transfers, store.covered_from(start.chain_id))
    return Rolled(rolls, transfers)
