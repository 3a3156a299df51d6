"""Rolling every balance forward over the movements since it was last read: the store's facts put to the pure rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from chains.types import Transfer
from verifier.rules.by_asset import ByAsset, Observed
from verifier.rules.rollforward import RollForwards, roll_forward_all
from verifier.store import Store, SweepStart


@dataclass(frozen=True, slots=True)
class Rolled:
    """What a sweep read, the equation of every balance that an earlier one read too, and the movements in it."""

    observations: Observed
    """Everything the sweep read, addresses that only the custodian lists included."""
    rolls: RollForwards = field(default_factory=RollForwards)
    """Of mapped wallets."""
    transfers: Sequence[Transfer] = ()
    """All movements after the oldest opening, in the order of the chain."""


def roll_forward(store: Store, start: SweepStart, observations: Observed) -> Rolled:
    """Roll forward what the sweep read at mapped wallets."""
    mapped = observations
    if unmapped := {line.address for line in store.custodian_addresses(start.chain_id, start.known_at)}:
        unmapped -= store.closing_days(start.chain_id, start.known_at).keys()
        mapped = Observed([seen for seen in observations.in_order if seen.holding.address not in unmapped])
    openings = store.openings(start, mapped)
    read_again = [key for key in mapped.beyond(openings) if mapped[key].base_units is not None]
    if older := store.older_openings(start, read_again):
        openings = ByAsset.gathered({**openings, **older})
    if not openings:
        return Rolled(observations)
    heights = (min(map(attrgetter("block.height"), at.values())) for at in openings.of.values() if at)
    transfers = store.transfers(start.chain_id, first_height=min(heights) + 1, last_height=start.block.height)
    rolls = roll_forward_all(openings, mapped, transfers, store.covered_from(start.chain_id))
    return Rolled(observations, rolls, transfers)
