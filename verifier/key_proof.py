"""Proof of control: making challenges, reading answers, and what an answer is worth. Pure.

What is asked and signed is in `exports.key_challenge`, so that whoever holds a bundle can check it alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from chains.bitcoin.key_proofs import SCHEME_KINDS, script_kind
from chains.bitcoin.networks import NETWORKS, network_of
from chains.bitcoin.script import canonical_address
from chains.errors import InvalidValue
from chains.key_schemes import EVM_SCHEMES, SignatureScheme, schemes_of
from chains.types import Address, BlockRef, ChainId, chain_namespace
from exports.canonical import parse_by_hand
from exports.codec import Digest, Text, from_object, time_text, to_object
from exports.errors import BundleError
from exports.key_challenge import (
    CHALLENGE_FORMAT,
    DOMAIN_NAME,
    MEANING,
    PURPOSE,
    SIGNATURE_CHARACTERS_MAX,
    VERSION,
    KeyChallenge,
    addresses_digest,
    default_schemes,
    signed_digest,
    signing_text,
    transfer_amount,
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
    signature: Annotated[str, Text(characters_max=SIGNATURE_CHARACTERS_MAX)]
    """As its scheme writes it; kept as it was given."""


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
    accept: Sequence[SignatureScheme] = (),
    transfer_to: Address | None = None,
) -> KeyChallenge:
    """A challenge to the addresses, at a pinned block. `nonce` is 32 bytes from a source nobody can guess.

    `accept` are schemes beyond the usual ones of the chain; with `transfer_to` an agreed transfer may answer too.
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
        schemes=_schemes(block.chain_id, accept, transfer_to),
        transfer_to=transfer_to,
    )
    return KeyChallenge.from_bytes(challenge.to_bytes())  # what is asked can be read back, by the same rules


def _schemes(
    chain_id: ChainId, accept: Sequence[SignatureScheme], transfer_to: Address | None
) -> tuple[SignatureScheme, ...]:
    known = schemes_of(chain_id)
    if strange := [str(scheme) for scheme in accept if scheme not in known]:
        raise InvalidValue(f"{', '.join(strange)} is not known on {chain_id}")
    chosen = {*default_schemes(chain_id), *accept}
    if transfer_to is not None:
        if SignatureScheme.TRANSFER not in known:
            raise InvalidValue(f"agreed transfers are not read on {chain_id}")
        chosen.add(SignatureScheme.TRANSFER)
    return tuple(scheme for scheme in known if scheme in chosen)


def request_document(challenge: KeyChallenge, addresses: Sequence[Address]) -> dict[str, object]:
    """What signers are given: the challenge, and for each address what it can sign or do."""
    entry = _bitcoin_entry if chain_namespace(challenge.chain_id) == "bip122" else _evm_entry
    return {
        "challenge": to_object(challenge),
        "challenge_sha256": challenge.digest,
        "meaning": MEANING,
        "wallets": [{"address": address} | entry(challenge, address) for address in sorted(set(addresses))],
    }


def _evm_entry(challenge: KeyChallenge, address: Address) -> dict[str, object]:
    return {
        SignatureScheme.EIP191.value: signing_text(challenge, address),
        SignatureScheme.EIP712.value: typed_data(challenge, address),
        SignatureScheme.EIP1271.value: "0x" + signed_digest(challenge, address, SignatureScheme.EIP1271).hex(),
    }


def _bitcoin_entry(challenge: KeyChallenge, address: Address) -> dict[str, object]:
    kind = script_kind(network_of(challenge.chain_id), address)
    entry: dict[str, object] = {
        "kind": kind,
        "schemes": [scheme.value for scheme in challenge.schemes if kind in SCHEME_KINDS.get(scheme, (kind,))],
        "words": signing_text(challenge, address),
    }
    if challenge.transfer_to is not None:
        entry[SignatureScheme.TRANSFER.value] = {
            "to": challenge.transfer_to,
            "base_units": str(transfer_amount(challenge, address)),
            "asset_id": network_of(challenge.chain_id).asset_id,
            "above_height": challenge.height,
            "before": time_text(challenge.expires_at),
        }
    return entry


def parse_answer(data: bytes) -> KeyAnswer:
    """An answer file's bytes: JSON, laid out as people like, but strict. Raises `InputError`.

    An address without its checksum, an unknown scheme or field spoils the file: nothing of it is judged.
    """
    try:
        answer = from_object(KeyAnswer, parse_by_hand(data))
        for number, given in enumerate(answer.signatures, 1):
            try:
                _check_address(given)
            except InvalidValue as error:
                raise InputError(f"signature {number}: {error}") from None
    except (ValueError, RecursionError, BundleError) as error:
        raise InputError(f"the answer cannot be read: {str(error)[:300]}") from None
    return answer


def _check_address(given: GivenSignature) -> None:
    """The one spelling of an address, of the kind of chain that the scheme belongs to. Raises `InvalidValue`."""
    from chains.evm.addresses import parse_address

    if given.scheme in EVM_SCHEMES:
        parse_address(given.address)
        return
    for network in NETWORKS:
        with suppress(InvalidValue):
            if canonical_address(network, given.address) == given.address:
                return
    raise InvalidValue(f"{given.address!r} is no Bitcoin address in its one spelling")
