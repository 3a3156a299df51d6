"""What looking into the transactions of one block shows that no event and no top-level value does.

Pure: the types that adapters answer with, and what several operators' answers come to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, cast

from chains.agreement import Witness, joined_node_ids, operator_count, tally
from chains.errors import InvalidValue
from chains.reader import ChainReader, Progress
from chains.types import Address, Asset, BlockRef, Transfer, TransferKind


@dataclass(frozen=True, slots=True)
class BalanceChange:
    """By how much one transaction changed the native balance of one address, whoever was on the other side."""

    tx_id: str
    address: Address
    base_units: int
    """Signed; never zero."""


@dataclass(frozen=True, slots=True)
class BlockTrace:
    """What one block's transactions did with the native coin, as far as it touches the addresses asked about."""

    block: BlockRef
    method: str
    """Which way of looking answered; empty when none did."""
    node_id: str
    transfers: tuple[Transfer, ...] = ()
    """Transfers of kind INTERNAL, in the order of the block, each with both sides."""
    changes: tuple[BalanceChange, ...] = ()
    """Where the method shows no transfers: the sum of each transaction for each address."""
    reason: str = ""
    """Why nothing was learnt: a stable code, then one sentence. Empty when something could be said."""

    def __post_init__(self) -> None:
        if bool(self.method) == bool(self.reason):
            raise InvalidValue("a block was traced by a method, or there is a reason why not")
        if not self.method and (self.transfers or self.changes):
            raise InvalidValue("a block that was not traced shows nothing")
        if any(each.kind is not TransferKind.INTERNAL or each.block != self.block for each in self.transfers):
            raise InvalidValue("a trace shows internal transfers of its own block")


class ChangeExplainer(Protocol):
    """What a reader may offer beside: looking into blocks for movements of the native coin that no event shows."""

    @property
    def traces_blocks(self) -> bool:
        """Whether it can be asked; a quorum can when one of its nodes can."""

    def trace_blocks(
        self,
        blocks: Sequence[BlockRef],
        watched: Iterable[Address],
        native: Asset,
        progress: Progress | None = None,
    ) -> list[BlockTrace]:
        """One answer for each block, in the same order; a block that could not be traced says why.

        Raises `NodeUnavailable` and `ChainMoved` only. `progress` counts blocks.
        """


def as_change_explainer(reader: ChainReader) -> ChangeExplainer | None:
    """The reader as one that looks into blocks; None when its adapter does not."""
    return cast("ChangeExplainer", reader) if getattr(reader, "traces_blocks", False) else None


def merge_traces(block: BlockRef, answers: Mapping[Witness, BlockTrace], quorum: int) -> BlockTrace:
    """What to make of several operators' traces of one block.

    Nodes that cannot trace do not count against those that can: what they saw alone is one node's word, and is named
    with that node. When two say different things and no quorum says one of them, nothing is learnt.
    """
    traced = {node: answer for node, answer in answers.items() if answer.method}
    shown = {node: answer for node, answer in traced.items() if not answer.changes}
    # Transfers tell more than sums; sums are compared with sums only.
    candidates = shown or traced
    if not candidates:
        reasons = dict.fromkeys(f"node {node.node_id}: {answer.reason}" for node, answer in answers.items())
        return BlockTrace(block, "", joined_node_ids(answers), reason=f"not-traced: {'; '.join(reasons)}")
    said = {node: (answer.transfers, answer.changes) for node, answer in candidates.items()}
    needed = min(quorum, operator_count(candidates))
    verdict = tally(said, needed)
    if not verdict.is_agreed or (verdict.is_disputed and needed < quorum):
        names = ", ".join(node.node_id for node in candidates)
        return BlockTrace(block, "", names, reason=f"traces-differ: the nodes {names} trace the block differently")
    first = candidates[verdict.supporters[0]]
    return replace(first, node_id=joined_node_ids(verdict.supporters))
