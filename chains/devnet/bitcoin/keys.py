"""Keys and locks of test wallets: made from labels, so that everybody can make them again, and worth nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from typing import Any, Final

from chains.bitcoin.hashes import hash160, tagged_hash
from chains.bitcoin.networks import REGTEST
from chains.bitcoin.script import address_of_script, p2pkh_script, p2sh_script, witness_script
from chains.devnet.bitcoin.kernel_chain import Coin
from chains.devnet.bitcoin.signing import HashType, legacy_digest, segwit_digest, taproot_digest
from chains.devnet.bitcoin.wire import Transaction, with_length

CURVE_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_OP_CHECKMULTISIG: Final = 0xAE


class Kind(StrEnum):
    """How an address locks coins."""

    P2PKH = "p2pkh"
    P2SH_P2WPKH = "p2sh-p2wpkh"
    P2WPKH = "p2wpkh"
    P2TR = "p2tr"
    P2WSH_MULTISIG = "p2wsh-multisig"


@dataclass(frozen=True)
class TestKey:
    """A private key for tests."""

    __test__ = False  # not a test class, whatever pytest makes of its name

    secret: bytes

    @staticmethod
    def of(label: str) -> TestKey:
        """The key of a label; the same label gives the same key."""
        return TestKey(sha256(f"regtest key of {label}".encode()).digest())

    @cached_property
    def public(self) -> bytes:
        """The compressed public key, 33 bytes."""
        return bytes(_curve_key(self.secret).public_key.format(compressed=True))

    def sign(self, digest: bytes) -> bytes:
        """An ECDSA signature in DER, with a low S."""
        return bytes(_curve_key(self.secret).sign(digest, hasher=None))

    def tweaked(self, merkle_root: bytes = b"") -> TestKey:
        """The key that spends a taproot output by its key path (BIP-341), by default one without scripts."""
        number = int.from_bytes(self.secret, "big")
        if self.public[0] == 3:
            number = CURVE_ORDER - number
        tweak = int.from_bytes(tagged_hash("TapTweak", self.public[1:] + merkle_root), "big")
        return TestKey(((number + tweak) % CURVE_ORDER).to_bytes(32, "big"))

    def sign_schnorr(self, digest: bytes, auxiliary: bytes = bytes(32)) -> bytes:
        """A Schnorr signature (BIP-340); without fresh randomness, so that transactions can be made again."""
        return bytes(_curve_key(self.secret).sign_schnorr(digest, auxiliary))


@dataclass(frozen=True)
class Lock:
    """An address whose keys the test holds."""

    kind: Kind
    keys: tuple[TestKey, ...]
    required: int = 1
    """How many of the keys must sign; more than one only for multisig."""

    @staticmethod
    def of(label: str, kind: Kind = Kind.P2WPKH) -> Lock:
        """The lock of a label; multisig is 2 of 3."""
        if kind is Kind.P2WSH_MULTISIG:
            return Lock(kind, tuple(TestKey.of(f"{label} {place}") for place in range(3)), 2)
        return Lock(kind, (TestKey.of(label),))

    @cached_property
    def script(self) -> bytes:
        """The output script."""
        key = self.keys[0]
        if self.kind is Kind.P2PKH:
            return p2pkh_script(hash160(key.public))
        if self.kind is Kind.P2SH_P2WPKH:
            return p2sh_script(hash160(self.redeem_script))
        if self.kind is Kind.P2WPKH:
            return witness_script(0, hash160(key.public))
        if self.kind is Kind.P2TR:
            return witness_script(1, key.tweaked().public[1:])
        return witness_script(0, sha256(self.multisig_script).digest())

    @property
    def address(self) -> str:
        """The address on regtest."""
        return str(address_of_script(REGTEST, self.script))

    @property
    def redeem_script(self) -> bytes:
        """The witness program behind a script hash."""
        return witness_script(0, hash160(self.keys[0].public))

    @property
    def multisig_script(self) -> bytes:
        """The script behind a multisig address."""
        keys = b"".join(with_length(key.public) for key in self.keys)
        return bytes([0x50 + self.required]) + keys + bytes([0x50 + len(self.keys), _OP_CHECKMULTISIG])

    def signed(self, transaction: Transaction, index: int, coins: Sequence[Coin]) -> Transaction:
        """The transaction with this lock's input signed; `coins` are those of all inputs."""
        ending = bytes([HashType.ALL])
        value = coins[index].value
        key = self.keys[0]
        if self.kind is Kind.P2TR:
            digest = taproot_digest(transaction, index, coins, HashType.DEFAULT)
            return transaction.with_input(index, witness=(key.tweaked().sign_schnorr(digest),))
        if self.kind is Kind.P2PKH:
            signature = key.sign(legacy_digest(transaction, index, self.script, HashType.ALL)) + ending
            return transaction.with_input(index, script=with_length(signature) + with_length(key.public))
        if self.kind is Kind.P2WSH_MULTISIG:
            digest = segwit_digest(transaction, index, self.multisig_script, value, HashType.ALL)
            signatures = tuple(each.sign(digest) + ending for each in self.keys[: self.required])
            return transaction.with_input(index, witness=(b"", *signatures, self.multisig_script))
        digest = segwit_digest(transaction, index, p2pkh_script(hash160(key.public)), value, HashType.ALL)
        signed = transaction.with_input(index, witness=(key.sign(digest) + ending, key.public))
        if self.kind is Kind.P2SH_P2WPKH:
            return signed.with_input(index, script=with_length(self.redeem_script))
        return signed


def _curve_key(secret: bytes) -> Any:
    from coincurve import PrivateKey

    return PrivateKey(secret)
