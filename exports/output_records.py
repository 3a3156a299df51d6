"""Records of Bitcoin outputs: that each was made, in a block with its work. That it is unspent is nowhere proven."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Final

from chains.errors import InvalidValue
from chains.types import Address, ChainId
from exports.codec import BaseUnits, Digest, PlainText, Text

MEANING: Final = (
    "The outputs listed were made by transactions in blocks, and the headers from there to the pinned block carry "
    "their work. That they are unspent is what the sum of all blocks read says; no Bitcoin header commits to it, and "
    "nothing here proves it."
)
"""Stands in every `BitcoinInclusionRecord`, word for word."""
PlainHex = Annotated[str, Text(re.compile(r"(?:[0-9a-f]{2})+"), characters_max=8_000_000)]
"""Bytes, at least one, as lower-case hex digits."""


@dataclass(frozen=True, slots=True)
class BitcoinHeadersRecord:
    """Headers that follow each other; each stands once for all outputs."""

    chain_id: ChainId
    first_height: int
    previous_hash: Digest
    """Hash of the block before the first, as people write it."""
    headers: PlainHex
    """48 bytes each: a header without the hash of the one before, which follows."""


@dataclass(frozen=True, slots=True)
class BitcoinTransactionRecord:
    """A transaction and its way to its block's merkle root; of every block also the coinbase, at place 0."""

    chain_id: ChainId
    height: int
    place: int
    transaction: PlainHex
    """Its bytes without the witness; twice SHA-256 is its id."""
    branch: tuple[Digest, ...]
    """The hashes beside it from the leaves upwards, in the order of the wire."""


@dataclass(frozen=True, slots=True)
class BitcoinOutputRecord:
    """One output that a balance counts, and that is shown to have been made."""

    chain_id: ChainId
    address: Address
    tx_id: Digest
    """As people write it."""
    output: int
    base_units: BaseUnits
    height: int
    """Of the block that made it."""


@dataclass(frozen=True, slots=True)
class BitcoinInclusionRecord:
    """How much of one address's balance lies in outputs that are shown to have been made."""

    chain_id: ChainId
    address: Address
    shown: BaseUnits
    """The sum of its `BitcoinOutputRecord`s."""
    not_shown: BaseUnits
    """The rest of the balance."""
    reason: PlainText
    """Why the rest is not shown; empty when there is none."""
    meaning: PlainText
    """`MEANING`."""

    def __post_init__(self) -> None:
        if self.shown < 0 or self.not_shown < 0 or not self.shown + self.not_shown:
            raise InvalidValue("what is shown and not shown of a balance is never negative, and not both nothing")
        if bool(self.not_shown) != bool(self.reason):
            raise InvalidValue("what is not shown, and nothing else, has a reason")
        if self.meaning != MEANING:
            raise InvalidValue("the words that say what an inclusion does not show are changed")
