"""Holdings drawn for testing: which balances an auditor asks their own node for, or traces to other evidence.

The draw follows from the bundle's digest and a seed that the auditor picks after the bundle was signed. So the firm
cannot have chosen what is drawn, and anybody who has both draws the same holdings.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from chains.errors import InvalidValue
from chains.types import Address, AssetId, ChainId, ReadStatus
from exports.merkle_sum import text_bytes
from exports.records import BalanceRecord

DRAW: Final = b"custody-holding-sample-1"
"""The first bytes of what ranks a holding."""

HoldingKey = tuple[ChainId, Address, AssetId]


@dataclass(frozen=True, slots=True)
class SampleRequest:
    """How many holdings to draw, and by which seed."""

    count: int
    seed: str

    def __post_init__(self) -> None:
        if self.count < 1:
            raise InvalidValue("a sample has one holding or more")
        if not self.seed:
            raise InvalidValue("a sample needs a seed of the auditor's own")


@dataclass(frozen=True, slots=True)
class HoldingSample:
    """What was drawn, in the order drawn, and of how many."""

    request: SampleRequest
    drawn: tuple[BalanceRecord, ...]
    population: int
    """Balances that could be drawn: those that were read. A failed read states nothing that could be tested."""

    def to_dict(self) -> dict[str, object]:
        """For `--json`: amounts are strings of base units."""
        return {
            "seed": self.request.seed,
            "asked": self.request.count,
            "population": self.population,
            "holdings": [
                {
                    "chain_id": each.chain_id,
                    "address": each.address,
                    "asset_id": each.asset_id,
                    "base_units": str(each.base_units),
                    "height": each.height,
                    "block_hash": each.block_hash,
                    "grade": str(each.grade),
                }
                for each in self.drawn
            ],
        }


def holding_sample(balances: Iterable[BalanceRecord], bundle_digest: str, request: SampleRequest) -> HoldingSample:
    """The balances with the smallest ranks; a larger count extends the same draw.

    The rank is SHA-256 of `custody-holding-sample-1`, and of the digest, the seed, and the holding's chain, address and
    asset, each after its length.
    """
    begin = DRAW + text_bytes(bundle_digest) + text_bytes(request.seed)

    def rank(balance: BalanceRecord) -> bytes:
        return hashlib.sha256(begin + b"".join(map(text_bytes, _key(balance)))).digest()

    stated = [each for each in balances if each.status is ReadStatus.OK]
    return HoldingSample(request, tuple(sorted(stated, key=rank)[: request.count]), len(stated))


def _key(balance: BalanceRecord) -> HoldingKey:
    return balance.chain_id, balance.address, balance.asset_id
