"""Reading the past of a Bitcoin chain's wallets into the ledgers of its nodes, without the limits of a sweep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chains.errors import ReadError
from chains.reader import ChainConfig, NodeConfig, Progress
from chains.registry import plugin_for
from chains.types import Address, BlockRef, chain_namespace
from verifier.errors import InputError

LOAD_SECONDS_MAX = 30 * 24 * 3600.0
"""A load is stopped by a person, and goes on where it stopped; each call keeps its own deadline."""


@dataclass(frozen=True, slots=True)
class NodeLoad:
    """What became of the load through one node."""

    node: NodeConfig
    block: BlockRef | None
    """The block that its ledger reached; None when it failed."""
    blocks_read: int
    failure: str = ""
    """A stable code, then one sentence."""


def load_chain(
    config: ChainConfig,
    addresses: Sequence[Address],
    *,
    now: datetime,
    on_blocks: Callable[[str, int], Progress],
) -> list[NodeLoad]:
    """Bring the ledger of every node to the newest final block, for all addresses, one node after the other.

    `on_blocks` is told a node's name and how many blocks there are to read, and returns what to call with the number
    done. Raises `InputError` for another kind of chain, or where there is nothing to load or nowhere to keep it.
    """
    if chain_namespace(config.chain_id) != "bip122":
        raise InputError(f"{config.chain_id} is no Bitcoin chain: its balances are asked of a node, not loaded")
    if not addresses:
        raise InputError(f"no wallet is mapped on {config.chain_id}: there is nothing to load")
    if config.state_directory is None:
        raise InputError(f"{config.chain_id} has no state_directory: a load would be forgotten at once")
    unlimited = replace(config, limits=replace(config.limits, sweep_budget_seconds=LOAD_SECONDS_MAX))
    return [_load(unlimited, node, addresses, now, on_blocks) for node in config.nodes]


def _load(
    config: ChainConfig,
    node: NodeConfig,
    addresses: Sequence[Address],
    now: datetime,
    on_blocks: Callable[[str, int], Progress],
) -> NodeLoad:
    from chains.bitcoin.reader import BitcoinReader

    reader = plugin_for(config.chain_id).open(config, node)
    assert isinstance(reader, BitcoinReader), "the adapter of bip122 is the project's own"
    done = 0
    try:
        reader.identify()
        pin = reader.pin(now=now)
        show = on_blocks(node.node_id, reader.blocks_to_load(pin, addresses))

        def advance(blocks: int) -> None:
            nonlocal done
            done += blocks
            show(blocks)

        reader.load(pin, addresses, advance)
    except ReadError as error:
        return NodeLoad(node, None, done, f"{error.code}: {error}")
    finally:
        reader.close()
    return NodeLoad(node, pin.block, done)
