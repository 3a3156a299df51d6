"""When the answers of several operators to one question agree. No node is asked here.

Operators are counted, not nodes: two nodes of one operator are one witness, and an operator whose nodes contradict each
other is none. An answer is agreed when as many operators as the quorum asks for gave it, and no other answer reached
the quorum too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Generic, TypeVar

from chains.errors import InvalidValue
from chains.types import BlockRef, ChainId, Holding, Transfer

Answer = TypeVar("Answer", bound=Hashable)

NODE_SEPARATOR: Final = "+"
"""Stands between the names of several nodes that gave one answer; no configured name contains it."""


@dataclass(frozen=True, slots=True)
class Witness:
    """A node and who runs it."""

    node_id: str
    operator: str

    @property
    def operator_key(self) -> str:
        """The operator for counting: spelling and spaces around make nobody a second witness."""
        return self.operator.strip().casefold()


@dataclass(frozen=True, slots=True)
class Verdict(Generic[Answer]):
    """What came of a question that several nodes were asked."""

    answer: Answer | None
    """What was agreed on; None also when nothing was."""
    supporters: tuple[Witness, ...]
    """The nodes that gave the agreed answer; empty when nothing was agreed."""
    is_disputed: bool
    """Whether two nodes gave different answers, agreed or not."""

    @property
    def is_agreed(self) -> bool:
        """Whether enough operators gave one answer."""
        return bool(self.supporters)


def tally(answers: Mapping[Witness, Answer], quorum: int) -> Verdict[Answer]:
    """Count the operators behind each answer; `quorum` is how many of them make it agreed, at least 1."""
    if quorum < 1:
        raise InvalidValue(f"a quorum is at least 1, not {quorum}")
    given: defaultdict[str, set[Answer]] = defaultdict(set)
    for witness, answer in answers.items():
        given[witness.operator_key].add(answer)
    votes: defaultdict[Answer, int] = defaultdict(int)
    for said in given.values():
        if len(said) == 1:
            votes[next(iter(said))] += 1
    agreed = [answer for answer, operators in votes.items() if operators >= quorum]
    is_disputed = len(set(answers.values())) > 1
    if len(agreed) != 1:
        return Verdict(None, (), is_disputed)
    supporters = tuple(witness for witness, answer in answers.items() if answer == agreed[0])
    return Verdict(agreed[0], supporters, is_disputed)


def operator_count(witnesses: Iterable[Witness]) -> int:
    """How many different operators run these nodes."""
    return len({witness.operator_key for witness in witnesses})


def joined_node_ids(witnesses: Iterable[Witness]) -> str:
    """The names of several nodes as one, in the order given."""
    return NODE_SEPARATOR.join(witness.node_id for witness in witnesses)


def split_node_ids(node_id: str) -> tuple[str, ...]:
    """The names of the nodes behind an answer that several gave, or the one name."""
    return tuple(node_id.split(NODE_SEPARATOR))


class DisagreementSubject(StrEnum):
    """What nodes disagree about."""

    NETWORK = "network"
    """Which chain it is: its first block."""
    BLOCK = "block"
    """The block at a height."""
    CANONICAL = "canonical"
    """Whether a block is on the canonical chain."""
    BALANCE = "balance"
    TRANSFER = "transfer"
    """Whether a transfer happened, or what it moved."""
    UNPARSED_EVENTS = "unparsed_events"
    """How many events of an asset could not be read."""
    ASSET = "asset"
    """What a configured asset is on chain."""
    ENCUMBRANCE = "encumbrance"
    """Who else could move what is in a wallet: an approval, a grant, a fact about control, an issuer's answer."""


@dataclass(frozen=True, slots=True)
class NodeAnswer:
    """What one node said, in words: base units in digits, a block by its hash."""

    node_id: str
    operator: str
    said: str


@dataclass(frozen=True, slots=True)
class NodeDisagreement:
    """One question to which nodes gave different answers, with every answer."""

    subject: DisagreementSubject
    chain_id: ChainId
    height: int
    """Height of the block the question is about."""
    answers: tuple[NodeAnswer, ...]
    """Of every node that answered, in the order of the configuration."""
    agreed: str | None
    """What a quorum of operators said; None when there was none, and the matter is unverified."""
    block: BlockRef | None = None
    """The block the question was asked about, where that was a certain one."""
    holding: Holding | None = None
    """For balances: what was read."""
    transfer: Transfer | None = None
    """For transfers: one node's account of it."""
    name: str = ""
    """For assets and events the asset id, for encumbrances what was asked."""

    def __post_init__(self) -> None:
        if len({answer.said for answer in self.answers}) < 2:
            raise InvalidValue("a disagreement has two different answers")
        if (self.subject is DisagreementSubject.BALANCE) != (self.holding is not None):
            raise InvalidValue("a disagreement about a balance, and no other, names its holding")
        if (self.subject is DisagreementSubject.TRANSFER) != (self.transfer is not None):
            raise InvalidValue("a disagreement about a transfer, and no other, names it")

    @property
    def dissenters(self) -> tuple[NodeAnswer, ...]:
        """The answers that differ from the agreed one; all of them when nothing was agreed."""
        return tuple(answer for answer in self.answers if answer.said != self.agreed)

    def __str__(self) -> str:
        return "; ".join(f"node {answer.node_id} says {answer.said}" for answer in self.answers)


@dataclass(frozen=True, slots=True)
class NodeFailure:
    """A node that gave no usable answer while the quorum stood without it."""

    node_id: str
    operator: str
    reason: str
    """A stable code, then one sentence; of several holdings the first one's."""
    holdings: int = 0
    """How many balances it failed on; 0 when it failed as a whole and was asked nothing more."""
