"""The record of kept answers: which balances of the bundle which answers of a node decide."""

from __future__ import annotations

from dataclasses import dataclass

from chains.errors import InvalidValue
from chains.types import Address, AssetId, ChainId
from exports.codec import Code, Digest, Identifier, PlainText


@dataclass(frozen=True, slots=True)
class NodeAnswerRecord:
    """Balances that a node was asked for together, and the answers that they were decoded from."""

    sweep_id: Identifier
    chain_id: ChainId
    node_id: Identifier
    method: Code
    """How they were asked for: the `method` of the balances."""
    addresses: tuple[Address, ...]
    """In the order in which they were asked for."""
    asset_ids: tuple[AssetId, ...]
    """In the order in which they were asked for; the native coin first."""
    decided: int
    """How many of the addresses, from the first, the answers are about; all that follow were asked for again."""
    answers: tuple[Digest, ...]
    """SHA-256 of each member in `answers/`, in the order in which they came."""
    reason: PlainText
    """Why there are none; empty when there are."""

    def __post_init__(self) -> None:
        if not self.addresses or not self.asset_ids:
            raise InvalidValue("kept answers are about no balance")
        if len(set(self.addresses)) != len(self.addresses) or len(set(self.asset_ids)) != len(self.asset_ids):
            raise InvalidValue("an address or asset is asked for twice")
        if not 0 < self.decided <= len(self.addresses):
            raise InvalidValue("answers decide at least one address, and none that was not asked for")
        if bool(self.answers) == bool(self.reason):
            raise InvalidValue("there are answers, or a reason why not")
