"""Reading the past of a Bitcoin chain's wallets into the ledgers of its nodes, without the limits of a sweep."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from chains.errors import ReadError
from chains.reader import ChainConfig, NodeConfig, Progress
from chains.registry import plugin_for
from chains.types import Address, BlockRef, chain_namespace
from verifier.errors import InputError

if TYPE_CHECKING:
    from chains.bitcoin.answers import CoinScan
    from chains.bitcoin.reader import BitcoinReader

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
    coins_at: BlockRef | None = None
    """The block whose coins the addresses began with, where they did."""
    begun: int = 0
    """Addresses that began with those coins."""
    begun_anew: int = 0
    """Those of them that were followed before and missed a coin."""
    not_covered: int = 0
    """Addresses without a balance at the block: they began with the coins of a later one."""


def load_chain(
    config: ChainConfig,
    addresses: Sequence[Address],
    *,
    now: datetime,
    on_blocks: Callable[[str, int], Progress],
    workers: int = 1,
    from_coins: bool = False,
    dump: Path | None = None,
) -> list[NodeLoad]:
    """Bring the ledger of every node to the newest final block, for all addresses, one node after the other.

    `on_blocks` is told a node's name and how many blocks there are to read, and returns what to call with the number
    done. With more than one of `workers`, so many processes read blocks. With `from_coins`, addresses that are not
    followed yet begin with the coins that the node has for them at its tip (`scantxoutset`), or that a `dump` of any
    block has, instead of with their past. Raises `InputError` for another kind of chain, or where there is nothing to
    load or nowhere to keep it.
    """
    if chain_namespace(config.chain_id) != "bip122":
        raise InputError(f"{config.chain_id} is no Bitcoin chain: its balances are asked of a node, not loaded")
    if not addresses:
        raise InputError(f"no wallet is mapped on {config.chain_id}: there is nothing to load")
    if config.state_directory is None:
        raise InputError(f"{config.chain_id} has no state_directory: a load would be forgotten at once")
    unlimited = replace(config, limits=replace(config.limits, sweep_budget_seconds=LOAD_SECONDS_MAX))
    plan = _Plan(addresses, now, on_blocks, workers, from_coins or dump is not None, dump)
    return [_load(unlimited, node, plan) for node in config.nodes]


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is wanted of every node."""

    addresses: Sequence[Address]
    now: datetime
    on_blocks: Callable[[str, int], Progress]
    workers: int
    from_coins: bool
    dump: Path | None


def _load(config: ChainConfig, node: NodeConfig, plan: _Plan) -> NodeLoad:
    from chains.bitcoin.block_workers import BlockWorkers
    from chains.bitcoin.reader import BitcoinReader

    reader = plugin_for(config.chain_id).open(config, node)
    assert isinstance(reader, BitcoinReader), "the adapter of bip122 is the project's own"
    workers = BlockWorkers(config, node, plan.workers) if plan.workers > 1 else None
    done = 0

    def counted(total: int) -> Progress:
        show = plan.on_blocks(node.node_id, total)

        def advance(blocks: int) -> None:
            nonlocal done
            done += blocks
            show(blocks)

        return advance

    try:
        reader.identify()
        pin = reader.pin(now=plan.now)
        if not plan.from_coins:
            reader.load(pin, plan.addresses, counted(reader.blocks_to_load(pin, plan.addresses)), workers)
            return NodeLoad(node, pin.block, done, not_covered=len(reader.not_covered(pin, plan.addresses)))
        coins = _coin_set(reader, plan)
        at, begun, anew = reader.load_with_coins(pin, plan.addresses, coins, counted, workers)
        reached = max(pin.block, at, key=lambda block: block.height)
        return NodeLoad(node, reached, done, coins_at=at, begun=begun, begun_anew=anew)
    except ReadError as error:
        return NodeLoad(node, None, done, f"{error.code}: {error}")
    finally:
        reader.close()


def _coin_set(reader: BitcoinReader, plan: _Plan) -> CoinScan:
    if plan.dump is None:
        return reader.coin_set(plan.addresses)
    try:
        with plan.dump.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return reader.coin_set(plan.addresses, data)
    except (OSError, ValueError) as error:
        raise InputError(f"{plan.dump.name} cannot be read ({type(error).__name__})") from None
