"""How much of what stands in the wallets others could move: what they may take, and no more than what is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from chains.evm.encumbrance_types import EncumbranceReading, Grant, GrantKind, PairKey
from chains.types import Address, Asset, AssetId
from verifier.rules.reconcile import Observations
from verifier.rules.statements import figure


@dataclass(frozen=True, slots=True)
class Exposure:
    """How much of what stands in the wallets a grant or a control exposes."""

    reading: EncumbranceReading
    observations: Observations
    assets: Mapping[AssetId, Asset]
    _to_permit2: dict[PairKey, int | None] = field(init=False, repr=False)
    """The allowances to Permit2 itself that are not zero."""

    def __post_init__(self) -> None:
        found = {
            grant.key: grant.base_units
            for grant in self.reading.grants
            if grant.kind is GrantKind.ALLOWANCE and grant.spender == self.reading.coverage.permit2
        }
        object.__setattr__(self, "_to_permit2", found)

    def balance(self, address: Address, asset_id: AssetId) -> int | None:
        """The observed balance in base units; None when it was not read at the reading's block."""
        observation = self.observations.get((address, asset_id))
        if observation is None or observation.block.block_hash != self.reading.block.block_hash:
            return None
        return observation.base_units

    def of_grant(self, grant: Grant) -> int | None:
        """What the spender could take now: no more than the grant, the balance, and for Permit2 its own allowance."""
        limits = [grant.base_units, self.balance(grant.owner, grant.asset.asset_id)]
        if grant.kind is GrantKind.PERMIT2:
            # It is asked for of every wallet and token; a reading keeps what is not zero or was not read.
            limits.append(self._to_permit2.get((grant.owner, grant.asset.asset_id, self.reading.coverage.permit2), 0))
        known = [limit for limit in limits if limit is not None]
        if 0 in known:
            return 0
        return min(known) if len(known) == len(limits) else None

    def of_all(self, address: Address) -> list[tuple[Asset, int | None]]:
        """Every asset that stands at an address, and those whose balance is not known."""
        held = [(asset, self.balance(address, asset_id)) for asset_id, asset in sorted(self.assets.items())]
        return [(asset, amount) for asset, amount in held if amount != 0]

    def total(self, asset: Asset) -> int | None:
        """What all wallets hold of an asset together; None when one balance is not known."""
        amounts = [self.balance(address, asset.asset_id) for address in self.reading.wallets]
        known = [amount for amount in amounts if amount is not None]
        return sum(known) if len(known) == len(amounts) else None


def exposed_text(exposed: int | None, asset: Asset) -> str:
    """How much is exposed, for a person."""
    return f"{figure(exposed, asset)} is exposed" if exposed is not None else "how much is exposed is not known"
