"""Challenges to the keys of wallets: what is asked, and what each of them signs. Pure.

A challenge is fresh (its nonce is random), bound to a block that nobody could know before, to one list of addresses,
and to the time until which it may be answered. Every wallet signs words of its own, with its address in them, so
that one signature never stands for two wallets. What a signature shows and what it does not: `MEANING`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

from chains.bitcoin.networks import network_of
from chains.bitcoin.script import canonical_address
from chains.errors import InvalidValue
from chains.evm.addresses import evm_chain_number
from chains.evm.signatures import text_digest, typed_data_digest
from chains.key_schemes import ON_REQUEST, SignatureScheme, schemes_of
from chains.types import Address, ChainId, account_location, chain_namespace, require_utc
from exports.canonical import canonical_json, parse_canonical_object
from exports.codec import BlockHash, Digest, Text, from_object, time_text, to_object

CHALLENGE_FORMAT: Final = "custody-verifier-key-challenge"
VERSION: Final = 1

DOMAIN_NAME: Final = "custody-verifier key proof"
"""Name of the EIP-712 domain. It has no verifyingContract, so no contract's own domain can equal it."""
PURPOSE: Final = "Shows that this key could sign now. Moves nothing and approves nothing."

MEANING: Final = (
    "A signature shows that somebody could sign for the address between the challenge and the answer. It does not "
    "show who owns what is there, that nobody else can sign too (other holders of the key, of enough key shares, "
    "owners and modules of a contract wallet), how an MPC key is governed, or that the key can still sign today. "
    "Coins that a proof names were unspent at the challenge's block and need not be all; an agreed transfer shows "
    "that somebody could send; a legacy message is the weakest of these."
)

TRANSFER_MIN: Final = 10_000
"""Least amount of an agreed transfer in base units: above what nodes take for dust."""
TRANSFER_SPAN: Final = 10_000
SIGNATURE_CHARACTERS_MAX: Final = 400_000
"""Longest signature: a proof of funds with some thousand coins."""

ShortText = Annotated[str, Text(characters_max=200, url_allowed=False)]


@dataclass(frozen=True, slots=True)
class KeyChallenge:
    """What is asked: that the keys of these addresses sign, by this time."""

    format: str
    version: int
    firm: ShortText
    """Whose assets the wallets hold."""
    asked_by: ShortText
    """The person or party that asks."""
    chain_id: ChainId
    height: int
    """Of the block pinned when the challenge was made."""
    block_hash: BlockHash
    address_count: int
    addresses_sha256: Digest
    """See `addresses_digest`."""
    nonce: Digest
    """32 random bytes in hex. It names the challenge."""
    issued_at: datetime
    expires_at: datetime
    """An answer at or after this time is refused."""
    schemes: tuple[SignatureScheme, ...]
    """By which it may be answered; in the order of `chains.key_schemes`, each once."""
    transfer_to: Address | None
    """Where an agreed small transfer would go; null when none may answer. See `transfer_amount`."""

    def __post_init__(self) -> None:
        if (self.format, self.version) != (CHALLENGE_FORMAT, VERSION):
            raise InvalidValue(f"not a {CHALLENGE_FORMAT} of version {VERSION}")
        if require_utc(self.expires_at, "expires_at") <= require_utc(self.issued_at, "issued_at"):
            raise InvalidValue("a challenge expires after it is issued")
        if self.address_count < 1:
            raise InvalidValue("a challenge asks at least one address")
        known = schemes_of(self.chain_id)
        if not self.schemes or list(self.schemes) != [scheme for scheme in known if scheme in self.schemes]:
            raise InvalidValue(
                f"a challenge on {self.chain_id} is answered by some of {', '.join(known)}, in this order"
            )
        if (SignatureScheme.TRANSFER in self.schemes) != (self.transfer_to is not None):
            raise InvalidValue("a challenge that a transfer may answer, and no other, says where to")
        if chain_namespace(self.chain_id) == "bip122":
            require_addresses(self.chain_id, [] if self.transfer_to is None else [self.transfer_to])
        else:
            evm_chain_number(self.chain_id)

    def to_bytes(self) -> bytes:
        """The canonical JSON that is stored and whose digest is signed."""
        return canonical_json(to_object(self))

    @staticmethod
    def from_bytes(data: bytes) -> KeyChallenge:
        """A challenge from its canonical JSON. Raises `BundleError` for anything else."""
        return from_object(KeyChallenge, parse_canonical_object(data))

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON, in hex."""
        return hashlib.sha256(self.to_bytes()).hexdigest()


def default_schemes(chain_id: ChainId) -> tuple[SignatureScheme, ...]:
    """What a challenge accepts unless it says otherwise. Raises `InvalidValue` for chains without proofs."""
    found = tuple(scheme for scheme in schemes_of(chain_id) if scheme not in ON_REQUEST)
    if not found:
        raise InvalidValue(f"proofs of control are made on EVM and Bitcoin chains, not on {chain_id}")
    return found


def require_addresses(chain_id: ChainId, addresses: Sequence[Address]) -> None:
    """Raise `InvalidValue` unless these are addresses of a Bitcoin network in their one spelling."""
    network = network_of(chain_id)
    for address in addresses:
        if canonical_address(network, address) != address:
            raise InvalidValue(f"{address!r} is not written in its one spelling")


def transfer_amount(challenge: KeyChallenge, address: Address) -> int:
    """What a wallet would send as an agreed transfer, in base units of the chain's coin.

    It follows from the whole challenge and the wallet: nobody knew it before, and nobody chose it.
    """
    words = f"{challenge.digest} {account_location(challenge.chain_id, address)}"
    return TRANSFER_MIN + int.from_bytes(hashlib.sha256(words.encode()).digest(), "big") % TRANSFER_SPAN


def addresses_digest(chain_id: ChainId, addresses: Sequence[Address]) -> str:
    """SHA-256 (hex) of the canonical JSON array of the addresses' CAIP-10 ids, sorted; each counts once."""
    accounts = sorted({str(account_location(chain_id, address)) for address in addresses})
    return hashlib.sha256(canonical_json(accounts)).hexdigest()


def signing_text(challenge: KeyChallenge, address: Address) -> str:
    """What an address signs under scheme `eip191`, line by line, without a line break at the end."""
    return "\n".join(
        [
            DOMAIN_NAME,
            PURPOSE,
            "",
            f"Firm: {challenge.firm}",
            f"Asked by: {challenge.asked_by}",
            f"Wallet: {account_location(challenge.chain_id, address)}",
            f"Block: {challenge.height} {challenge.block_hash}",
            f"Addresses: {challenge.address_count}, SHA-256 {challenge.addresses_sha256}",
            f"Issued: {time_text(challenge.issued_at)}",
            f"Answer before: {time_text(challenge.expires_at)}",
            f"Nonce: {challenge.nonce}",
            f"Challenge SHA-256: {challenge.digest}",
        ]
    )


def typed_data(challenge: KeyChallenge, address: Address) -> dict[str, Any]:
    """What an address signs under `eip712`, and what a contract wallet is asked about under `eip1271`."""
    return {
        "types": {
            "EIP712Domain": [
                {"name": "name", "type": "string"},
                {"name": "version", "type": "string"},
                {"name": "chainId", "type": "uint256"},
            ],
            "KeyProof": [
                {"name": "purpose", "type": "string"},
                {"name": "firm", "type": "string"},
                {"name": "askedBy", "type": "string"},
                {"name": "wallet", "type": "address"},
                {"name": "blockHeight", "type": "uint256"},
                {"name": "blockHash", "type": "bytes32"},
                {"name": "addressesSha256", "type": "bytes32"},
                {"name": "issuedAt", "type": "string"},
                {"name": "answerBefore", "type": "string"},
                {"name": "nonce", "type": "bytes32"},
                {"name": "challengeSha256", "type": "bytes32"},
            ],
        },
        "primaryType": "KeyProof",
        "domain": {"name": DOMAIN_NAME, "version": str(VERSION), "chainId": evm_chain_number(challenge.chain_id)},
        "message": {
            "purpose": PURPOSE,
            "firm": challenge.firm,
            "askedBy": challenge.asked_by,
            "wallet": address,
            "blockHeight": challenge.height,
            "blockHash": challenge.block_hash,
            "addressesSha256": "0x" + challenge.addresses_sha256,
            "issuedAt": time_text(challenge.issued_at),
            "answerBefore": time_text(challenge.expires_at),
            "nonce": "0x" + challenge.nonce,
            "challengeSha256": "0x" + challenge.digest,
        },
    }


def signed_digest(challenge: KeyChallenge, address: Address, scheme: SignatureScheme) -> bytes:
    """The 32 bytes that are signed for an address under a scheme."""
    if scheme is SignatureScheme.EIP191:
        return text_digest(signing_text(challenge, address))
    return typed_data_digest(typed_data(challenge, address))
