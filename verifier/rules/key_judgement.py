"""What one signature of an answer is found to be, and what every kind of chain can be asked about it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from chains.bitcoin.proof_types import ProvenCoin
from chains.errors import ReadError
from chains.types import BlockRef
from verifier.key_proof import GivenSignature, ProofOutcome


class ChainWitness(Protocol):
    """What the chain says at one pinned block; a `ReadError` stands for what it could not be asked."""

    @property
    def block(self) -> BlockRef:
        """The block at which it is asked."""

    @property
    def node_id(self) -> str:
        """Who is asked."""

    def has_block(self, height: int, block_hash: str) -> bool | ReadError:
        """Whether a block is canonical."""


@dataclass(frozen=True, slots=True)
class JudgedSignature:
    """A signature of an answer with its outcome."""

    given: GivenSignature
    outcome: ProofOutcome
    code: str
    """Stable name of the reason; empty when accepted."""
    reason: str
    """One sentence; empty when accepted."""
    account_kind: str
    """EVM: `key`, `contract` or `delegated` as read at `block`; empty when it was not read. Bitcoin: how the address
    locks coins, `p2wpkh` and so on; empty when nothing was asked."""
    block: BlockRef | None
    """Where the chain was asked; None when it was not asked."""
    node_id: str
    coins: tuple[ProvenCoin, ...] = ()
    """Bitcoin: coins that an accepted proof signs for."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a signature is not accepted."""

    code: str
    text: str


def accepted(
    given: GivenSignature, witness: ChainWitness, kind: str, coins: tuple[ProvenCoin, ...] = ()
) -> JudgedSignature:
    """A signature that shows control."""
    return JudgedSignature(given, ProofOutcome.ACCEPTED, "", "", kind, witness.block, witness.node_id, coins)


def refused(given: GivenSignature, why: Reason, witness: ChainWitness | None = None, kind: str = "") -> JudgedSignature:
    """One that shows nothing; without a witness the chain was not asked."""
    return _judged(given, ProofOutcome.REFUSED, why, witness, kind)


def unverified(given: GivenSignature, error: ReadError, witness: ChainWitness, kind: str = "") -> JudgedSignature:
    """One about which the chain could not be asked."""
    return _judged(given, ProofOutcome.UNVERIFIED, Reason(error.code, str(error)), witness, kind)


def _judged(
    given: GivenSignature, outcome: ProofOutcome, why: Reason, witness: ChainWitness | None, kind: str
) -> JudgedSignature:
    block, node_id = (witness.block, witness.node_id) if witness else (None, "")
    return JudgedSignature(given, outcome, why.code, why.text, kind, block, node_id)
