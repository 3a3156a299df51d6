"""Earlier bundles that a later reorganisation touched: named by every bundle after it. Pure functions.

A bundle speaks of one block of each chain. When that block leaves its chain, what the bundle says of the chain was
true of a branch that is gone; the bundle cannot be changed, so the next one names it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from chains.errors import InvalidValue
from chains.types import ChainId
from exports.codec import BlockHash, Digest, Identifier

if TYPE_CHECKING:
    from exports.contents import Contents


@dataclass(frozen=True, slots=True)
class SupersededBundleRecord:
    """An earlier bundle of the firm whose block of one chain is no longer canonical."""

    bundle_id: Identifier
    sequence: int
    digest: Digest
    """SHA-256 of its manifest bytes."""
    chain_id: ChainId
    height: int
    """Of the block that it was made at."""
    block_hash: BlockHash
    found_at: datetime
    """When the firm's records say that the block had left the chain."""

    def __post_init__(self) -> None:
        if self.sequence < 1:
            raise InvalidValue("a bundle sequence counts from 1")


def superseded_problems(contents: Contents, after: tuple[int, str] | None) -> Iterator[str]:
    """What contradicts in the earlier bundles that are named: with the manifest, the sweeps, or the reader's bundle."""
    manifest = contents.manifest
    known = {manifest.sequence - 1: manifest.previous_digest}
    if after is not None:
        known.setdefault(*after)
    identities: dict[int, tuple[str, str]] = {}
    places = set()
    used = {(sweep.chain_id, sweep.block_hash) for sweep in contents.sweeps}
    used |= {(transfer.chain_id, transfer.block_hash) for transfer in contents.transfers}
    for record in contents.superseded_bundles:
        where = f"superseded bundle {record.sequence} on {record.chain_id}"
        if record.sequence >= manifest.sequence:
            yield f"{where}: it is no earlier bundle"
        if record.digest != known.get(record.sequence, record.digest):
            yield f"{where}: it has another digest than the bundle of that number"
        if identities.setdefault(record.sequence, (record.bundle_id, record.digest)) != (
            record.bundle_id,
            record.digest,
        ):
            yield f"{where}: two bundles of one number"
        if (record.sequence, record.chain_id) in places:
            yield f"{where}: named twice"
        places.add((record.sequence, record.chain_id))
        if record.found_at > manifest.created_at:
            yield f"{where}: found after this bundle was made"
        if (record.chain_id, record.block_hash) in used:
            yield f"{where}: this bundle uses the block that is said to have left the chain"


def superseded_lines(records: Iterable[SupersededBundleRecord]) -> list[str]:
    """For people: which earlier bundles no longer hold, a line each."""
    return [
        f"Bundle {record.sequence} ({record.digest[:12]}…) is superseded on {record.chain_id}: its block "
        f"{record.height} {record.block_hash} left the chain."
        for record in sorted(records, key=lambda each: (each.sequence, each.chain_id))
    ]
