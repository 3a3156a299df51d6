"""Which of those who could move something the firm accepts: two people decided so, and it is within what they decided.

An accepted grant is no finding. It stays listed with what it exposes; above the amount, outside the time, or for
anybody else it is a finding again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from chains.evm.encumbrance_types import Grant
from chains.types import Address, Asset, AssetId, ChainId, utc_text
from mapping.accepted_control import AcceptedControl
from verifier.rules.statements import figure

About = tuple[ChainId, Address, str, AssetId | None, str]


@dataclass(frozen=True, slots=True)
class Acceptances:
    """The firm's decisions as known at one time, asked about one moment."""

    moment: datetime
    """The time of the block that is judged."""
    by_about: Mapping[About, tuple[AcceptedControl, ...]]

    @staticmethod
    def at(moment: datetime, decisions: Iterable[AcceptedControl]) -> Acceptances:
        """The newest version of each decision, ended ones too; those in force at the moment count."""
        found: dict[About, list[AcceptedControl]] = defaultdict(list)
        for decision in sorted(decisions, key=lambda each: each.acceptance_id):
            found[decision.about].append(decision)
        return Acceptances(moment, {about: tuple(several) for about, several in found.items()})

    def in_force(self) -> list[AcceptedControl]:
        """Every decision in force at the moment, by id."""
        every = (each for several in self.by_about.values() for each in several if each.holds_at(self.moment))
        return sorted(every, key=lambda each: each.acceptance_id)

    def of_grant(self, grant: Grant) -> AcceptedControl | None:
        """The decision that accepts a grant; None for one that is larger than decided, or could not be read."""
        if grant.base_units is None:
            return None
        for each in self._about_grant(grant):
            within = each.base_units_max is None or grant.base_units <= each.base_units_max
            if within and each.holds_at(self.moment):
                return each
        return None

    def of_taker(self, chain_id: ChainId, wallet: Address, kind: str, taker: str) -> AcceptedControl | None:
        """The decision that accepts somebody who may move everything in a wallet."""
        several = self.by_about.get((chain_id, wallet, kind, None, taker), ())
        return next((each for each in several if each.holds_at(self.moment)), None)

    def why_not(self, grant: Grant) -> str:
        """Why decisions about the very thing do not accept a grant, to go on in its text; empty when there is none."""
        reasons = [_beyond(each, grant.asset, self.moment) for each in self._about_grant(grant)]
        return f" ({'; '.join(reasons)})" if reasons else ""

    def _about_grant(self, grant: Grant) -> tuple[AcceptedControl, ...]:
        asset_id, chain_id = grant.asset.asset_id, grant.asset.chain_id
        if chain_id is None:
            return ()
        return self.by_about.get((chain_id, grant.owner, grant.kind.value, asset_id, grant.spender), ())


def _beyond(decision: AcceptedControl, asset: Asset, moment: datetime) -> str:
    name = decision.acceptance_id
    if moment > decision.valid_until:
        return f"{name} accepted it until {utc_text(decision.valid_until)}"
    if moment < decision.valid_from:
        return f"{name} accepts it from {utc_text(decision.valid_from)} on"
    return f"{name} accepts no more than {figure(decision.base_units_max or 0, asset)}"


NOTHING_ACCEPTED: Final = Acceptances(datetime.min.replace(tzinfo=UTC), {})
"""For whoever asks without the firm's books."""
