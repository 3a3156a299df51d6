"""Extended public keys (BIP-32): a public key from which more of them follow, without any secret. Pure."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

from chains.bitcoin import base58
from chains.bitcoin.curve import add_multiple, point_of
from chains.bitcoin.hashes import hash160
from chains.bitcoin.networks import Network
from chains.bitcoin.private_keys import PrivateKeyGiven, refuse_private_keys
from chains.errors import InvalidValue

HARDENED: Final = 1 << 31
"""Children from this number on follow from the private key only."""
DEPTH_MAX: Final = 255

_PUBLIC: Final = {"0488b21e": "main", "043587cf": "test"}
_PRIVATE: Final = frozenset({"0488ade4", "04358394"})
# SLIP-132: the same keys under other letters, which say what scripts they are for; a descriptor says that itself.
_OTHER_LETTERS: Final = frozenset(
    {"049d7cb2", "04b24746", "0295b43f", "02aa7ed3", "044a5262", "045f1cf6", "024289ef", "02575483"}
)


@dataclass(frozen=True, slots=True)
class ExtendedKey:
    """A public key with its chain code."""

    public_key: bytes
    """33 bytes."""
    chain_code: bytes
    depth: int = 0
    parent_fingerprint: bytes = bytes(4)
    number: int = 0
    """Which child of its parent it is; from 2^31 on a hardened one."""

    @property
    def fingerprint(self) -> bytes:
        """The 4 bytes by which its children name it."""
        return hash160(self.public_key)[:4]

    def child(self, number: int) -> ExtendedKey:
        """The child of a number below 2^31. Raises `InvalidValue` where there is none."""
        if not 0 <= number < HARDENED:
            raise InvalidValue("a hardened child follows from the private key only; give the xpub of the step below it")
        if self.depth >= DEPTH_MAX:
            raise InvalidValue(f"an extended key is at most {DEPTH_MAX} steps deep")
        digest = hmac.digest(self.chain_code, self.public_key + number.to_bytes(4, "big"), hashlib.sha512)
        public_key = add_multiple(self.public_key, int.from_bytes(digest[:32], "big"))
        return ExtendedKey(public_key, digest[32:], self.depth + 1, self.fingerprint, number)

    def spelled(self, network: Network) -> str:
        """The key as people write it on a network: `xpub…` on main, `tpub…` on every other."""
        kind = "main" if network.name == "main" else "test"
        version = next(version for version, name in _PUBLIC.items() if name == kind)
        return base58.encode(
            bytes.fromhex(version)
            + bytes((self.depth,))
            + self.parent_fingerprint
            + self.number.to_bytes(4, "big")
            + self.chain_code
            + self.public_key
        )


def parse_extended_key(network: Network, text: str) -> ExtendedKey:
    """Read `xpub…` (main) or `tpub…` (all other networks).

    Raises `PrivateKeyGiven` for a private key and `InvalidValue` for what is no extended public key of the network.
    """
    refuse_private_keys(text)
    try:
        raw = base58.decode(text)
    except InvalidValue:  # its text repeats what may be nearly a private key
        raise InvalidValue("an extended key is mistyped: its checksum is wrong or a character is foreign") from None
    version, rest = raw[:4].hex(), raw[4:]
    if version in _PRIVATE:
        raise PrivateKeyGiven("this is an extended private key; only public keys are taken")
    if version in _OTHER_LETTERS:
        raise InvalidValue("write the key as xpub or tpub: which scripts it is for, the descriptor says")
    if version not in _PUBLIC or len(rest) != 74:
        raise InvalidValue("this is no extended public key (xpub or tpub)")
    if _PUBLIC[version] != ("main" if network.name == "main" else "test"):
        raise InvalidValue(f"this extended key is of another network than {network.name}")
    depth, parent, number = rest[0], rest[1:5], int.from_bytes(rest[5:9], "big")
    if depth == 0 and (number or any(parent)):
        raise InvalidValue("an extended key of depth 0 has no parent and no number")
    public_key = rest[41:]
    point_of(public_key)
    return ExtendedKey(public_key, rest[9:41], depth, parent, number)
