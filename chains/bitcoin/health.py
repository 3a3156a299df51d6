"""Whether a node is on the configured network, and fit to be asked.

A node that still downloads has not seen the newest blocks. One that stands on a snapshot of the unspent outputs
(assumeutxo) answers for a history that nobody has checked yet. One that is pruned no longer has the blocks that a new
wallet's history needs. None of them is asked for a balance.
"""

from __future__ import annotations

from dataclasses import dataclass

from chains.bitcoin.answers import ChainInfo
from chains.bitcoin.block import Header, read_header
from chains.bitcoin.core import CoreNode
from chains.bitcoin.networks import Network
from chains.errors import MalformedAnswer, StaleHead, StateUnavailable, UnsupportedByNode, WrongChain

NOT_TOLD = "not-told"
"""What a node without the method is noted with; before version 26 there was nothing to tell."""


@dataclass(frozen=True, slots=True)
class NodeHealth:
    """What a node said of itself. That it is on the right network was checked."""

    info: ChainInfo
    version: str
    snapshot: str
    """`none` when the node checked all blocks itself, else `not-told`."""


def check_network(node: CoreNode, network: Network, genesis_hash: str) -> Header:
    """The first block's header, recomputed. Raises `WrongChain` unless network, chain name and genesis agree.

    `genesis_hash` as configured may be empty for a reader's own node: then the network's own counts.
    """
    if genesis_hash.removeprefix("0x") not in ("", network.genesis_hash):
        raise WrongChain(
            f"configured is genesis block {genesis_hash}; that of {network.name} is {network.genesis_hash}"
        )
    said = node.hash_at(0)
    if said != network.genesis_hash:
        raise WrongChain(f"the node's first block is {said}, that of {network.name} is {network.genesis_hash}")
    header = read_header(node.header(said))
    if header.block_hash != said:
        raise MalformedAnswer("the first block's header does not have its hash")
    return header


def check_health(node: CoreNode, network: Network) -> NodeHealth:
    """What the node says of itself. Raises `WrongChain`, `StaleHead` while it downloads, `StateUnavailable` on a
    snapshot that it has not checked."""
    info = node.chain_info()
    if info.chain != network.name:
        raise WrongChain(f"the node says that it is on {info.chain!r}, configured is {network.name}")
    if info.is_downloading:
        raise StaleHead(f"the node is in its initial download, at block {info.height}")
    try:
        is_validated, snapshot = node.is_validated(), "none"
    except UnsupportedByNode:
        is_validated, snapshot = True, NOT_TOLD
    if not is_validated:
        raise StateUnavailable("the node stands on a snapshot (assumeutxo) whose history it has not checked yet")
    return NodeHealth(info, node.version(), snapshot)


def require_unpruned(info: ChainInfo, first_height: int) -> None:
    """Raise `StateUnavailable` when blocks from a height on are needed and the node has dropped them."""
    if info.prune_height is not None and first_height < info.prune_height:
        raise StateUnavailable(
            f"blocks from {first_height} on are needed, and the node is pruned below {info.prune_height}"
        )
