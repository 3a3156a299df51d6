"""Signers for the tests of proof of control: keys of their own, and a witness that says what it is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data

from chains.errors import ReadError
from chains.evm.accounts import ContractQuestion
from chains.evm.scanner import AccountKind
from chains.key_schemes import EVM_SCHEMES, SignatureScheme
from chains.types import Address, BlockRef, ChainId
from verifier.key_proof import (
    ANSWER_FORMAT,
    VERSION,
    GivenSignature,
    KeyAnswer,
    KeyChallenge,
    make_challenge,
    signing_text,
    typed_data,
)

CHAIN = ChainId("eip155:31337")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
BLOCK = BlockRef(CHAIN, 100, "0x" + "ab" * 32, "0x" + "cd" * 32, NOON)
LATER_BLOCK = BlockRef(CHAIN, 107, "0x" + "ef" * 32, "0x" + "01" * 32, NOON + timedelta(minutes=5))
KEYS = [bytes([number]) * 32 for number in range(1, 6)]
ADDRESSES = [Address(Account.from_key(key).address) for key in KEYS]
EIP191, EIP712, EIP1271 = EVM_SCHEMES


def challenge_to(addresses: Sequence[Address], *, nonce: int = 7, block: BlockRef = BLOCK) -> KeyChallenge:
    """A challenge made at noon, good for a day."""
    return make_challenge(
        firm="Example Securities",
        asked_by="Example Audit",
        block=block,
        addresses=addresses,
        nonce=bytes([nonce]) * 32,
        issued_at=NOON,
        expires_at=NOON + timedelta(days=1),
    )


def signed(
    challenge: KeyChallenge, key: bytes, scheme: SignatureScheme = EIP191, address: Address | None = None
) -> GivenSignature:
    """A signature of a key, for its own address unless another is named."""
    wallet = address or Address(Account.from_key(key).address)
    if scheme is EIP191:
        message = encode_defunct(text=signing_text(challenge, wallet))
    else:
        message = encode_typed_data(full_message=typed_data(challenge, wallet))
    return GivenSignature(wallet, scheme, "0x" + Account.sign_message(message, key).signature.hex())


def answer_to(challenge: KeyChallenge, *signatures: GivenSignature) -> KeyAnswer:
    """An answer file's content."""
    return KeyAnswer(ANSWER_FORMAT, VERSION, challenge.nonce, challenge.digest, signatures)


@dataclass
class FakeWitness:
    """A chain on which every account has a key, unless told otherwise."""

    block: BlockRef = LATER_BLOCK
    node_id: str = "node-a"
    canonical: bool | ReadError = True
    special: Mapping[Address, AccountKind | ReadError] = field(default_factory=dict)
    verdict: bool | ReadError = True
    asked: list[ContractQuestion] = field(default_factory=list)

    def has_block(self, height: int, block_hash: str) -> bool | ReadError:
        assert (height, block_hash) == (BLOCK.height, BLOCK.block_hash)
        return self.canonical

    def kinds(self, addresses: Sequence[Address]) -> list[AccountKind | ReadError]:
        return [self.special.get(address, AccountKind.EOA) for address in addresses]

    def accepts(self, questions: Sequence[ContractQuestion]) -> list[bool | ReadError]:
        self.asked.extend(questions)
        return [self.verdict for _ in questions]
