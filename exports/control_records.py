"""Records of a bundle about control: who else could move what is in the wallets, and whose keys were proven."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from chains.errors import InvalidValue
from chains.evm.encumbrance_types import AccountRole, Answer, GrantKind
from chains.key_schemes import SignatureScheme
from chains.types import Address, AssetId, BlockRef, ChainId
from exports.codec import BaseUnits, BlockHash, Code, Digest, Identifier, PlainText, Text
from exports.key_challenge import SIGNATURE_CHARACTERS_MAX, KeyChallenge

_SCRIPT: Final = re.compile(r"(?:[0-9a-f]{2}){1,10000}")
LongText = Annotated[str, Text(characters_max=200_000, url_allowed=False)]


class ReviewStatus(StrEnum):
    """Whether a sweep asked who else could move what is there."""

    ANSWERED = "answered"
    FAILED = "failed"
    NOT_ASKED = "not_asked"
    """Switched off, or of a chain whose adapter does not read it. It says nothing about anybody."""


@dataclass(frozen=True, slots=True)
class ControlReviewRecord:
    """What one sweep asked about who else could move what is in the wallets, and how much it was told."""

    sweep_id: Identifier
    chain_id: ChainId
    status: ReviewStatus
    reason: PlainText
    """Why it failed or was not asked; empty when it was answered."""
    node_id: PlainText
    """Every node that answered, joined by `+`; empty when none was asked."""
    permit2: Address | None
    """The contract whose own allowances limit what its grants can take."""
    approvals_first: int | None
    """First and last block whose approval events were looked through."""
    approvals_last: int | None
    approvals_late: int
    """How many of these are still to be looked through for wallets and tokens that were mapped later."""
    wallets_asked: int
    pairs_asked: int
    restrictions_asked: int
    """How many questions to tokens; those that say that a holder is not stopped have no record of their own."""
    grants: int
    controls: int
    restrictions: int
    """How many records there are of each kind."""
    accepted: int
    """How many of those who could move something the firm accepts: grants, modules, delegates, admins and beacons."""

    def __post_init__(self) -> None:
        answered = self.status is ReviewStatus.ANSWERED
        if answered == bool(self.reason):
            raise InvalidValue("a review was answered, or has the reason why it was not")
        known = (self.permit2 is not None, self.approvals_first is not None, self.approvals_last is not None)
        if known != (answered, answered, answered):
            raise InvalidValue("an answered review, and no other, says where approvals were looked for")
        if not answered and any(
            (self.wallets_asked, self.grants, self.controls, self.restrictions, self.accepted, self.approvals_late)
        ):
            raise InvalidValue("a review without answers has no records")


@dataclass(frozen=True, slots=True)
class GrantRecord:
    """What a spender may take of one token from one wallet at the sweep's block."""

    sweep_id: Identifier
    chain_id: ChainId
    kind: GrantKind
    owner: Address
    asset_id: AssetId
    spender: Address
    base_units: BaseUnits | None
    """The whole grant, also above any balance; null when it could not be read."""
    expires_at_seconds: int | None
    """The last Unix second at which it holds; null for an allowance, which does not expire."""
    exposed: BaseUnits | None
    """What could be taken at the block: the smallest of grant, balance, and for Permit2 its own allowance."""
    reason: PlainText

    def __post_init__(self) -> None:
        if (self.base_units is None) != bool(self.reason):
            raise InvalidValue("a grant has an amount, or the reason why it has none")
        if self.base_units is not None and self.base_units <= 0:
            raise InvalidValue("a grant of nothing is no record")
        if (self.expires_at_seconds is not None) and self.kind is not GrantKind.PERMIT2:
            raise InvalidValue(f"a grant of the kind {self.kind} does not expire")


@dataclass(frozen=True, slots=True)
class FactRecord:
    """One thing that decides who controls an account."""

    name: Code
    text: LongText
    """The fact, or why it could not be read."""


@dataclass(frozen=True, slots=True)
class ControlStateRecord:
    """Who controls one wallet or token contract at the sweep's block."""

    sweep_id: Identifier
    chain_id: ChainId
    address: Address
    role: AccountRole
    facts: tuple[FactRecord, ...]
    """By name, ascending: `account_kind` is `key`, `delegated`, `safe` or `contract`."""
    unread: tuple[FactRecord, ...]
    nonce: int | None

    def __post_init__(self) -> None:
        for listed in (self.facts, self.unread):
            if [fact.name for fact in listed] != sorted({fact.name for fact in listed}):
                raise InvalidValue("facts stand once each, ascending by name")
        if {fact.name for fact in self.facts} & {fact.name for fact in self.unread}:
            raise InvalidValue("a fact was read or not, never both")

    def fact(self, name: str) -> str:
        """A fact's text; empty when it does not apply or was not read."""
        return next((fact.text for fact in self.facts if fact.name == name), "")

    def items(self, name: str) -> tuple[str, ...]:
        """The addresses of a fact that lists some."""
        text = self.fact(name)
        return () if text in ("", "none") else tuple(text.split(","))


@dataclass(frozen=True, slots=True)
class RestrictionRecord:
    """What a token said of itself or of a holder: stopped, not to be asked, or no answer."""

    sweep_id: Identifier
    asset_id: AssetId
    question: PlainText
    holder: Address | None
    """null for the token as a whole."""
    answer: Answer
    reason: PlainText

    def __post_init__(self) -> None:
        if (self.answer is Answer.UNREAD) != bool(self.reason):
            raise InvalidValue("an unread restriction has a reason, an answered one has none")


@dataclass(frozen=True, slots=True)
class KeyChallengeRecord:
    """A challenge to the keys of wallets, exactly as it was signed, and whom it asks."""

    challenge: KeyChallenge
    addresses: tuple[Address, ...]
    """Ascending, each once; `addresses_sha256` of the challenge is over them."""

    def __post_init__(self) -> None:
        if list(self.addresses) != sorted(set(self.addresses)):
            raise InvalidValue("the addresses of a challenge are ascending, each once")


@dataclass(frozen=True, slots=True)
class ProvenCoinRecord:
    """A coin for which a proof of funds or reserves carries a signature."""

    tx_id: Digest
    """Of the transaction that made it, as people write it."""
    output: int
    base_units: BaseUnits
    script: Annotated[str, Text(_SCRIPT)]
    """Its output script in hex."""


@dataclass(frozen=True, slots=True)
class KeyProofRecord:
    """The newest signature of one wallet that was accepted."""

    nonce: Identifier
    """Of the challenge."""
    chain_id: ChainId
    address: Address
    scheme: SignatureScheme
    """Named by the signer; no other is tried."""
    signature: Annotated[str, Text(characters_max=SIGNATURE_CHARACTERS_MAX)]
    answered_at: datetime
    account_kind: Code
    """`key`, `delegated` or `contract`, as read at the block; on Bitcoin how the address locks coins: `p2wpkh`…"""
    node_id: PlainText
    height: int
    block_hash: BlockHash
    parent_hash: BlockHash
    block_time: datetime
    """The block at which the chain was asked what stands at the address, and whether a contract accepts."""
    coins: tuple[ProvenCoinRecord, ...]
    """Bitcoin: the coins that the proof signs for, unspent at the challenge's block as the firm's ledger says."""

    @property
    def block(self) -> BlockRef:
        """The block at which the chain was asked."""
        return BlockRef(self.chain_id, self.height, self.block_hash, self.parent_hash, self.block_time)
