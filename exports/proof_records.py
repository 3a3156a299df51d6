"""The records of proofs: headers, trie nodes, the layouts of tokens, and what was left without a proof."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from chains.errors import InvalidValue
from chains.evm.token_layout import SlotOrder, TokenLayout
from chains.types import Address, AssetId, ChainId
from exports.codec import BaseUnits, BlockHash, Identifier, PlainText, Text
from exports.two_people import require_two_people

HexData = Annotated[str, Text(re.compile(r"0x(?:[0-9a-f]{2})+"), characters_max=8_000_000)]
"""Bytes, at least one, as `0x` and lower-case hex digits."""
OptionalCodeHash = Annotated[str, Text(re.compile(r"(0x[0-9a-f]{64})?"))]
"""keccak256 of a contract's code, or empty."""


@dataclass(frozen=True, slots=True)
class ProofHeaderRecord:
    """The header of a sweep's block, under which balances are proven."""

    chain_id: ChainId
    block_hash: BlockHash
    header: HexData
    """RLP; its keccak256 is the block hash."""

    @property
    def encoded(self) -> bytes:
        """The RLP."""
        return bytes.fromhex(self.header[2:])


@dataclass(frozen=True, slots=True)
class ProofNodeRecord:
    """One node of a state or storage trie; each distinct one stands once, for all proofs of all chains."""

    node: HexData
    """RLP; named by its keccak256."""

    @property
    def encoded(self) -> bytes:
        """The RLP."""
        return bytes.fromhex(self.node[2:])


@dataclass(frozen=True, slots=True)
class TokenLayoutRecord:
    """Where an ERC-20 token keeps its balances, for one code, or why it cannot be proven; reviewed by two people."""

    asset_id: AssetId
    order: SlotOrder
    mapping_slot: BaseUnits
    first_bit: int
    bits: int
    code_hash: OptionalCodeHash
    implementation: Address | None
    implementation_slot: BaseUnits | None
    implementation_code_hash: OptionalCodeHash
    reason: PlainText
    requested_by: PlainText
    approved_by: PlainText
    approved_at: datetime

    def __post_init__(self) -> None:
        self.layout()
        require_two_people(self.requested_by, self.approved_by)

    def layout(self) -> TokenLayout:
        """The rule. Raises `InvalidValue` when it is none."""
        return TokenLayout(
            self.asset_id,
            self.order,
            self.mapping_slot,
            self.first_bit,
            self.bits,
            self.code_hash,
            self.implementation,
            self.implementation_slot,
            self.implementation_code_hash,
            self.reason,
        )


@dataclass(frozen=True, slots=True)
class ProofGapRecord:
    """How many balances of an asset a sweep read and did not prove, for one reason."""

    sweep_id: Identifier
    asset_id: AssetId
    reason: PlainText
    holdings: int

    def __post_init__(self) -> None:
        if not self.holdings or not self.reason:
            raise InvalidValue("a gap is of one balance or more, and has a reason")


@dataclass(frozen=True, slots=True)
class TransactionProofRecord:
    """That a transaction stands in a block with its receipt; of transactions with an exception."""

    chain_id: ChainId
    block_hash: BlockHash
    tx_id: Identifier
    place: int
    """Its place in the block, from 0."""
    header: HexData
    """RLP; its keccak256 is the block hash."""
    transaction_nodes: tuple[HexData, ...]
    """The trie nodes from the header's transactions root to it, in order."""
    receipt_nodes: tuple[HexData, ...]
    """The trie nodes from the header's receipts root to its receipt, in order."""
