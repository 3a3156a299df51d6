"""Balances of a Bitcoin chain asked a second way, and what that contradicts.

The first way is the sum of all blocks. The second is a node's own set of unspent outputs: scanned at its tip, or dumped
to a file at any block. Beside them, the digest of the whole set is compared between nodes. A contradiction is kept
as a disagreement: the next sweep makes a finding of it, and opens a case.
"""

from __future__ import annotations

import mmap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from chains.agreement import DisagreementSubject, NodeAnswer, NodeDisagreement
from chains.errors import ChainMoved, ReadError
from chains.reader import ChainConfig, NodeConfig
from chains.registry import plugin_for
from chains.types import Address, BlockRef, Finality, FinalityKind, Holding, chain_namespace
from verifier.errors import InputError

if TYPE_CHECKING:
    from chains.bitcoin.answers import CoinSetDigest
    from chains.bitcoin.reader import BitcoinReader
    from chains.bitcoin.second_source import SecondOpinion

TRIES = 3
"""A scan is of the tip; when a block comes while it runs, it is asked for again."""


@dataclass(frozen=True, slots=True)
class NodeOpinion:
    """What one node's own set of unspent outputs said, or why it did not."""

    node: NodeConfig
    opinion: SecondOpinion | None
    failure: str = ""
    """A stable code, then one sentence; empty when there is an opinion."""


@dataclass(frozen=True, slots=True)
class SecondSourceReview:
    """The second answers of all nodes of a chain."""

    config: ChainConfig
    addresses: Mapping[bytes, Address]
    """How each script compared is spelled."""
    opinions: tuple[NodeOpinion, ...]
    digest_block: BlockRef | None = None
    digests: Mapping[str, CoinSetDigest] = field(default_factory=dict)
    """Of the nodes that gave one at that block."""
    digest_failures: Mapping[str, str] = field(default_factory=dict)

    @property
    def compared(self) -> int:
        """Nodes whose set was compared with the sum of their blocks."""
        return sum(each.opinion is not None for each in self.opinions)

    @property
    def digests_agree(self) -> bool | None:
        """Whether all digests are one; None when fewer than two were given, which compares nothing."""
        from chains.bitcoin.second_source import compare_digests

        if self.digest_block is None or len(self.digests) < 2:
            return None
        return compare_digests(self.digest_block, self.digests).agrees

    @property
    def exit_code(self) -> int:
        """0 every node's set agrees, 1 something contradicts, 2 a node's set was not compared."""
        if self.digests_agree is False or any(each.opinion and not each.opinion.agrees for each in self.opinions):
            return 1
        return 2 if self.compared < len(self.opinions) or not self.opinions else 0

    def disagreements(self) -> list[NodeDisagreement]:
        """What contradicts, in the form in which sweeps take it up."""
        found = [
            disagreement
            for each in self.opinions
            if each.opinion is not None
            for disagreement in _of_node(self.config, each.node, each.opinion, self.addresses)
        ]
        if self.digests_agree is False and self.digest_block is not None:
            operators = {node.node_id: node.operator for node in self.config.nodes}
            answers = tuple(NodeAnswer(name, operators[name], found.muhash) for name, found in self.digests.items())
            found.append(
                NodeDisagreement(
                    DisagreementSubject.ASSET,
                    self.config.chain_id,
                    self.digest_block.height,
                    answers,
                    None,
                    block=self.digest_block,
                    name="the set of all unspent outputs",
                )
            )
        return found


def review_second_source(
    config: ChainConfig, addresses: Sequence[Address], *, now: datetime, dump: Path | None = None
) -> SecondSourceReview:
    """Ask every node of a Bitcoin chain for its own set of unspent outputs and compare.

    With `dump`, the file that `dumptxoutset` wrote is compared instead of a scan. Raises `InputError` for another
    kind of chain, without an address, or for a file that cannot be read.
    """
    from chains.bitcoin.networks import network_of
    from chains.bitcoin.script import script_of_address

    if chain_namespace(config.chain_id) != "bip122":
        raise InputError(f"{config.chain_id} is no Bitcoin chain: there is no second source for it yet")
    if not addresses:
        raise InputError(f"no wallet is mapped on {config.chain_id}: there is nothing to compare")
    network = network_of(config.chain_id)
    spelled = {script_of_address(network, address): address for address in addresses}
    at_tip = replace(config, finality=Finality(FinalityKind.LATEST))
    opinions = tuple(_ask_node(at_tip, node, addresses, now, dump) for node in config.nodes)
    block, digests, failures = _digests(config, now)
    return SecondSourceReview(config, spelled, opinions, block, digests, failures)


def _ask_node(
    config: ChainConfig, node: NodeConfig, addresses: Sequence[Address], now: datetime, dump: Path | None
) -> NodeOpinion:
    reader = _open(config, node)
    try:
        reader.identify()
        opinion = _from_dump(reader, addresses, dump) if dump is not None else _from_scan(reader, addresses, now)
    except ReadError as error:
        return NodeOpinion(node, None, f"{error.code}: {error}")
    finally:
        reader.close()
    return NodeOpinion(node, opinion)


def _from_scan(reader: BitcoinReader, addresses: Sequence[Address], now: datetime) -> SecondOpinion:
    for tries_left in reversed(range(TRIES)):
        try:
            return reader.second_opinion(reader.pin(now=now), addresses)
        except ChainMoved:
            if not tries_left:
                raise
    raise AssertionError("a scan is tried at least once")


def _from_dump(reader: BitcoinReader, addresses: Sequence[Address], dump: Path) -> SecondOpinion:
    try:
        with dump.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return reader.dump_opinion(reader.pin_of_dump(data), addresses, data)
    except (OSError, ValueError) as error:
        raise InputError(f"{dump.name} cannot be read ({type(error).__name__})") from None


def _digests(config: ChainConfig, now: datetime) -> tuple[BlockRef | None, dict[str, CoinSetDigest], dict[str, str]]:
    """The digest of every node at the block that the first of them that answers pins."""
    block: BlockRef | None = None
    found: dict[str, CoinSetDigest] = {}
    failures: dict[str, str] = {}
    for node in config.nodes:
        reader = _open(config, node)
        try:
            reader.identify()
            if block is None:
                block = reader.pin(now=now).block
            found[node.node_id] = reader.coin_set_digest(block)
        except ReadError as error:
            failures[node.node_id] = f"{error.code}: {error}"
        finally:
            reader.close()
    return block, found, failures


def _open(config: ChainConfig, node: NodeConfig) -> BitcoinReader:
    from chains.bitcoin.reader import BitcoinReader

    reader = plugin_for(config.chain_id).open(config, node)
    assert isinstance(reader, BitcoinReader), "the adapter of bip122 is the project's own"
    return reader


def _of_node(
    config: ChainConfig, node: NodeConfig, opinion: SecondOpinion, addresses: Mapping[bytes, Address]
) -> list[NodeDisagreement]:
    second = f"{node.node_id}.{opinion.source}"
    found = []
    for difference in opinion.differences:
        address = addresses[difference.script]
        is_sum = difference.ours != difference.theirs
        ours = str(difference.ours) if is_sum else ", ".join(difference.only_ours) or "no further coin"
        theirs = str(difference.theirs) if is_sum else ", ".join(difference.only_theirs) or "no further coin"
        found.append(
            NodeDisagreement(
                DisagreementSubject.BALANCE if is_sum else DisagreementSubject.ASSET,
                config.chain_id,
                opinion.block.height,
                (NodeAnswer(node.node_id, node.operator, ours), NodeAnswer(second, node.operator, theirs)),
                None,
                block=opinion.block,
                holding=Holding(address, config.native_asset) if is_sum else None,
                name="" if is_sum else f"each coin of {address}",
            )
        )
    return found
