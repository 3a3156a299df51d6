"""Nodes as the witnesses of proofs of control, on every kind of chain: what one says of a block, what several say."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Generic, Protocol, TypeVar

from chains.agreement import Witness, joined_node_ids, operator_count, tally
from chains.errors import QuorumNotReached, ReadError, StaleHead
from chains.types import BlockRef

OneNode = TypeVar("OneNode")
Said = TypeVar("Said", bound=Hashable)


class KnowsBlocks(Protocol):
    """A reader, as far as it is asked for blocks by their height."""

    def block_at(self, height: int) -> BlockRef:
        """The node's block at a height."""


def has_block(reader: KnowsBlocks, newest: BlockRef, height: int, block_hash: str) -> bool | ReadError:
    """Whether a block is on the chain that the newest final block is the end of, as the node says."""
    if height > newest.height:
        return StaleHead(f"block {height} is above block {newest.height}, the newest that is final here")
    try:
        return reader.block_at(height).block_hash == block_hash
    except ReadError as error:
        return error


class WitnessQuorum(Generic[OneNode]):
    """Several operators' nodes as one witness."""

    def __init__(self, witnesses: Mapping[Witness, OneNode], quorum: int, block: BlockRef) -> None:
        self._witnesses = dict(witnesses)
        self._quorum = quorum
        self.block = block
        """The block that the quorum pinned: everything is asked at it, or up to it."""

    @property
    def node_id(self) -> str:
        """The names of the nodes asked, joined by `+`."""
        return joined_node_ids(self._witnesses)

    def agreed(self, said: Mapping[Witness, Said | ReadError], *, tells: bool = False) -> Said | ReadError:
        """What enough operators say of one question; else the first failure, or that they do not agree.

        `tells`: the answers are short, and those that differ are told.
        """
        given = {node: answer for node, answer in said.items() if not isinstance(answer, ReadError)}
        verdict = tally(given, self._quorum)
        if verdict.is_agreed and verdict.answer is not None:
            return verdict.answer
        failed = [answer for answer in said.values() if isinstance(answer, ReadError)]
        if not given and failed:
            return failed[0]
        text = f"{operator_count(given)} operators answered, and {self._quorum} must say the same"
        if tells:
            text += ": " + "; ".join(f"node {node.node_id} says {answer}" for node, answer in given.items())
        return QuorumNotReached(text, node_id=self.node_id)
