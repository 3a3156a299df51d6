"""Proof of control: making challenges, reading answers, and what an answer is worth. Pure.

What is asked and signed is in `exports.key_challenge`, so that whoever holds a bundle can check it alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from chains.errors import InvalidValue
from chains.evm.signatures import SignatureScheme
from chains.types import Address, BlockRef
from exports.canonical import parse_by_hand
from exports.codec import Digest, Text, from_object, to_object
from exports.errors import BundleError
from exports.key_challenge import (
    CHALLENGE_FORMAT,
    DOMAIN_NAME,
    MEANING,
    PURPOSE,
    VERSION,
    KeyChallenge,
    addresses_digest,
    signed_digest,
    signing_text,
    typed_data,
)
from verifier.errors import InputError

__all__ = [
    "ANSWER_BYTES_MAX",
    "ANSWER_FORMAT",
    "CHALLENGE_FORMAT",
    "DOMAIN_NAME",
    "MEANING",
    "PURPOSE",
    "SIGNATURES_MAX",
    "VERSION",
    "GivenSignature",
    "KeyAnswer",
    "KeyChallenge",
    "ProofOutcome",
    "addresses_digest",
    "make_challenge",
    "parse_answer",
    "request_document",
    "signed_digest",
    "signing_text",
    "typed_data",
]

ANSWER_FORMAT: Final = "custody-verifier-key-answer"
SIGNATURES_MAX: Final = 20_000
"""Most signatures in one answer file."""
ANSWER_BYTES_MAX: Final = 64 * 1024 * 1024


class ProofOutcome(StrEnum):
    """What one signature of an answer is worth."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    """It does not show control, for a reason that will not change by asking again."""
    UNVERIFIED = "unverified"
    """The chain could not be asked; nothing is known, and the answer can be given again."""


@dataclass(frozen=True, slots=True)
class GivenSignature:
    """One line of an answer: who says to have signed, and by which scheme."""

    address: Address
    scheme: SignatureScheme
    signature: Annotated[str, Text(characters_max=40_000)]
    """Hex with `0x`; kept as it was given."""


@dataclass(frozen=True, slots=True)
class KeyAnswer:
    """An answer file: signatures to one challenge."""

    format: str
    version: int
    nonce: Digest
    challenge_sha256: Digest
    signatures: tuple[GivenSignature, ...]

    def __post_init__(self) -> None:
        if (self.format, self.version) != (ANSWER_FORMAT, VERSION):
            raise InvalidValue(f"not a {ANSWER_FORMAT} of version {VERSION}")
        if not self.signatures:
            raise InvalidValue("the answer holds no signature")
        if len(self.signatures) > SIGNATURES_MAX:
            raise InvalidValue(f"the answer holds more than {SIGNATURES_MAX} signatures; divide it")


def make_challenge(
    *,
    firm: str,
    asked_by: str,
    block: BlockRef,
    addresses: Sequence[Address],
    nonce: bytes,
    issued_at: datetime,
    expires_at: datetime,
) -> KeyChallenge:
    """A challenge to the addresses, at a pinned block. `nonce` is 32 bytes from a source nobody can guess.

    Raises `InvalidValue` or `BundleError` (a name with control characters or a URL).
    """
    if len(nonce) != 32:
        raise InvalidValue(f"a nonce has 32 bytes, not {len(nonce)}")
    challenge = KeyChallenge(
        format=CHALLENGE_FORMAT,
        version=VERSION,
        firm=firm,
        asked_by=asked_by,
        chain_id=block.chain_id,
        height=block.height,
        block_hash=block.block_hash,
        address_count=len(set(addresses)),
        addresses_sha256=addresses_digest(block.chain_id, addresses),
        nonce=nonce.hex(),
        issued_at=issued_at,
        expires_at=expires_at,
    )
    return KeyChallenge.from_bytes(challenge.to_bytes())  # what is asked can be read back, by the same rules


def request_document(challenge: KeyChallenge, addresses: Sequence[Address]) -> dict[str, object]:
    """What signers are given: the challenge, and for each address the words and the typed data to sign."""
    return {
        "challenge": to_object(challenge),
        "challenge_sha256": challenge.digest,
        "meaning": MEANING,
        "wallets": [
            {
                "address": address,
                SignatureScheme.EIP191.value: signing_text(challenge, address),
                SignatureScheme.EIP712.value: typed_data(challenge, address),
                SignatureScheme.EIP1271.value: "0x" + signed_digest(challenge, address, SignatureScheme.EIP1271).hex(),
            }
            for address in sorted(set(addresses))
        ],
    }


def parse_answer(data: bytes) -> KeyAnswer:
    """An answer file's bytes: JSON, laid out as people like, but strict. Raises `InputError`.

    An address without its checksum, an unknown scheme or field spoils the file: nothing of it is judged.
    """
    from chains.evm.addresses import parse_address

    try:
        answer = from_object(KeyAnswer, parse_by_hand(data))
        for number, given in enumerate(answer.signatures, 1):
            try:
                parse_address(given.address)
            except InvalidValue as error:
                raise InputError(f"signature {number}: {error}") from None
    except (ValueError, RecursionError, BundleError) as error:
        raise InputError(f"the answer cannot be read: {str(error)[:300]}") from None
    return answer
