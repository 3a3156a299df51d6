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
) -> None:
    """Compare the covered blocks with the node's, newest first, down to the last common one.

    Blocks that left the chain are marked orphaned and kept; observations, transfers and cases that rest on them
    are superseded by that mark, and the next scan reads the new branch. When the blocks were final by the chain's
    own configuration, sweeping is halted for a person instead and `FinalityReversed` raised. A node that does not
    have the height yet raises its own error: a lagging node is not a reorganisation.
    """
    removed: list[BlockRef] = []
    for block in store.covered_blocks_from_tip(chain.chain_id):
        if reader.block_at(block.height).block_hash == block.block_hash:
            break
        removed.append(block)
    if not removed:
        return
    if chain.finality.is_final:
        lowest = removed[-1].height
        reason = (
            f"blocks {lowest} to {removed[0].height} were final by {chain.finality} "
            f"and node {reader.node_id} now has others"
        )
        store.halt_chain(chain.chain_id, removed, reason, actor, clock())
        raise FinalityReversed(reason, node_id=reader.node_id)
    store.orphan_blocks(chain.chain_id, removed, actor, clock())
