"""Blocks that were covered earlier and are no longer canonical: superseded below finality, an incident above it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from chains.errors import FinalityReversed
from chains.reader import ChainConfig, ChainReader
from chains.types import BlockRef
from verifier.store import Store


def check_history(
    store: Store, reader: ChainReader, chain: ChainConfig, actor: str, clock: Callable[[], datetime]
) -> bool:
    """Compare the covered blocks with the node's, newest first, down to the last common one; whether any left.

    Blocks that left the chain are marked orphaned and kept; observations, transfers and cases that rest on them
    are superseded by that mark, and the next scan reads the new branch. When one of them was read as final, whatever
    the configuration says today, sweeping is halted for a person instead and `FinalityReversed` raised. A node that
    does not have the height yet raises its own error: a lagging node is not a reorganisation.
    """
    removed: list[BlockRef] = []
    for block in store.covered_blocks_from_tip(chain.chain_id):
        if reader.block_at(block.height).block_hash == block.block_hash:
            break
        removed.append(block)
    if not removed:
        return False
    lowest, final = removed[-1].height, store.final_height(chain.chain_id)
    if final is not None and final >= lowest:
        bundles = _bundles_resting_on(store, chain, lowest)
        reason = (
            f"blocks {lowest} to {min(final, removed[0].height)} were read as final "
            f"and node {reader.node_id} now has others"
            + (f"; they are the ground of {', '.join(bundles)}, issued before" if bundles else "")
        )
        store.halt_chain(chain.chain_id, removed, reason, actor, clock())
        raise FinalityReversed(reason, node_id=reader.node_id)
    store.orphan_blocks(chain.chain_id, removed, actor, clock())
    return True


def _bundles_resting_on(store: Store, chain: ChainConfig, lowest_height: int) -> list[str]:
    """The ids of issued bundles whose sweep of this chain read at the height or above; such a bundle stays as it is."""
    sweeps = store.summaries(chain.chain_id)
    found = []
    for bundle in store.bundles():
        before = [sweep for sweep in sweeps if sweep.finished_at <= bundle.head.recorded_at]
        if before and before[-1].block.height >= lowest_height and not store.is_orphaned(before[-1].block):
            found.append(bundle.bundle_id)
    return found
