"""Output descriptors (BIP-380 to BIP-383, BIP-385, BIP-386): one line that stands for the scripts of a whole wallet.

    pk  pkh  wpkh  sh  wsh  multi  sortedmulti  tr(key)  addr  raw

with fixed public keys or extended ones, key origins, paths and a last step `/*`. Refused with a reason: private keys,
hardened steps (they need one), `combo` (four scripts for one number), script trees in `tr`, several paths in one
descriptor (BIP-389: write one for each), and functions that are not listed, such as those of Miniscript. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from chains.bitcoin.bip32 import HARDENED, ExtendedKey, parse_extended_key
from chains.bitcoin.curve import point_at, point_of, taproot_output_key
from chains.bitcoin.hashes import hash160
from chains.bitcoin.networks import Network
from chains.bitcoin.private_keys import refuse_private_keys
from chains.bitcoin.script import address_of_script, p2pkh_script, p2sh_script, script_of_address, witness_script
from chains.errors import InvalidValue
from chains.types import Address

LENGTH_MAX: Final = 5_000
CHECKSUM_LENGTH: Final = 8
KEYS_MAX: Final = {"": 3, "sh": 15, "wsh": 20}
"""Most keys of a multisig script, by where it stands."""
REDEEM_SCRIPT_BYTES_MAX: Final = 520

_INPUT: Final = "0123456789()[],'/*abcdefgh@:$%{}IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~ijklmnopqrstuvwxyzABCDEFGH`#\"\\ "
_CHECKSUM: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATORS: Final = (0xF5DEE51989, 0xA9FDCA3312, 0x1BAB10E32D, 0x3706B1677A, 0x644D626FFD)

_FUNCTION: Final = re.compile(r"([a-z_]+)\((.*)\)", re.ASCII)
_ORIGIN: Final = re.compile(r"\[([0-9a-fA-F]{8})((?:/[0-9]{1,10}['h]?)*)\]", re.ASCII)
_STEP: Final = re.compile(r"(0|[1-9][0-9]{0,9})(['hH]?)", re.ASCII)
_HEX: Final = re.compile(r"(?:[0-9a-fA-F]{2})+", re.ASCII)
_OP_CHECKSIG: Final = b"\xac"
_OP_CHECKMULTISIG: Final = b"\xae"
_ELSEWHERE: Final = {
    "combo": "combo stands for four scripts at once; write a descriptor for each",
    "rawtr": "rawtr is not read; write tr with the internal key, or raw with the script",
    "musig": "musig is not read; write tr with the aggregate key",
}


@dataclass(frozen=True, slots=True)
class KeyExpression:
    """One key of a descriptor: a fixed one, or an extended one after its fixed steps."""

    fixed: bytes = b""
    """33 or 65 bytes, or 32 for an x-only key; empty for an extended key."""
    extended: ExtendedKey | None = None
    is_ranged: bool = False
    """Whether it ends with `/*`."""

    def at(self, number: int) -> bytes:
        """The public key for a number."""
        if self.extended is None:
            return self.fixed
        return (self.extended.child(number) if self.is_ranged else self.extended).public_key


@dataclass(frozen=True, slots=True)
class _Node:
    """One function of a descriptor."""

    function: str
    keys: tuple[KeyExpression, ...] = ()
    threshold: int = 0
    inner: _Node | None = None
    fixed: bytes = b""

    def script(self, number: int) -> bytes:
        """The script of a number."""
        if self.fixed:
            return self.fixed
        if self.inner is not None:
            below = self.inner.script(number)
            return p2sh_script(hash160(below)) if self.function == "sh" else witness_script(0, sha256(below).digest())
        keys = [key.at(number) for key in self.keys]
        if self.function in ("multi", "sortedmulti"):
            return _multisig(self.threshold, sorted(keys) if self.function == "sortedmulti" else keys)
        (key,) = keys
        if self.function == "pk":
            return _push(key) + _OP_CHECKSIG
        if self.function == "pkh":
            return p2pkh_script(hash160(key))
        if self.function == "wpkh":
            return witness_script(0, hash160(key))
        return witness_script(1, taproot_output_key(key[-32:]))

    def all_keys(self) -> tuple[KeyExpression, ...]:
        """The keys of the function and of those inside."""
        return self.keys + (self.inner.all_keys() if self.inner is not None else ())


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A descriptor that was read and makes sense."""

    network: Network
    text: str
    """In its one spelling: `h` for hardened steps of origins, with its checksum."""
    root: _Node

    @property
    def is_ranged(self) -> bool:
        """Whether it stands for a script for every number; otherwise for one script."""
        return any(key.is_ranged for key in self.root.all_keys())

    @property
    def multisig(self) -> tuple[int, int] | None:
        """How many signatures of how many keys its scripts want; None when they are no multisig."""
        node: _Node | None = self.root
        while node is not None:
            if node.threshold:
                return node.threshold, len(node.keys)
            node = node.inner
        return None

    def script(self, number: int) -> bytes:
        """The output script of a number below 2^31; the one script when it is not ranged."""
        if not 0 <= number < HARDENED:
            raise InvalidValue("the numbers of a descriptor's scripts are from 0 to 2^31 - 1")
        if number and not self.is_ranged:
            raise InvalidValue("the descriptor stands for one script only, number 0")
        return self.root.script(number)

    def address(self, number: int) -> Address:
        """The address of a number; `InvalidValue` where the script has none (pk, bare multisig)."""
        address = address_of_script(self.network, self.script(number))
        if address is None:
            raise InvalidValue("the scripts of this descriptor have no address")
        return address

    def addresses(self, first: int, count: int) -> Iterator[Address]:
        """The addresses of consecutive numbers."""
        return (self.address(number) for number in range(first, first + count))


def parse_descriptor(network: Network, text: str, *, checksum_required: bool = True) -> Descriptor:
    """Read a descriptor of a network. Raises `PrivateKeyGiven`, or `InvalidValue` with what is wrong."""
    refuse_private_keys(text)
    if len(text) > LENGTH_MAX:
        raise InvalidValue(f"a descriptor has at most {LENGTH_MAX} characters")
    if any(character not in _INPUT for character in text):
        raise InvalidValue("a descriptor has only the characters that BIP-380 lists")
    body, separator, checksum = text.rpartition("#") if "#" in text else (text, "", "")
    if separator or checksum_required:
        wanted = descriptor_checksum(body)
        if len(checksum) != CHECKSUM_LENGTH:
            raise InvalidValue("a descriptor ends with # and 8 characters of checksum")
        if checksum != wanted:
            raise InvalidValue("the descriptor's checksum is wrong; a character may be mistyped")
    root = _Parser(network).script(body, "")
    spelled = re.sub(r"(?<=[0-9])'(?=[/\]])", "h", body)
    return Descriptor(network, f"{spelled}#{descriptor_checksum(spelled)}", root)


def descriptor_checksum(body: str) -> str:
    """The 8 characters that BIP-380 adds to a descriptor; every character must be one it lists."""
    state = 1
    groups: list[int] = []

    def take(value: int) -> None:
        nonlocal state
        top = state >> 35
        state = (state & 0x7FFFFFFFF) << 5 ^ value
        for place, generator in enumerate(_GENERATORS):
            if top >> place & 1:
                state ^= generator

    for character in body:
        group, symbol = divmod(_INPUT.index(character), 32)
        take(symbol)
        groups.append(group)
        if len(groups) == 3:
            take(groups[0] * 9 + groups[1] * 3 + groups[2])
            groups.clear()
    if groups:
        take(groups[0] if len(groups) == 1 else groups[0] * 3 + groups[1])
    for _ in range(CHECKSUM_LENGTH):
        take(0)
    state ^= 1
    return "".join(_CHECKSUM[state >> 5 * (CHECKSUM_LENGTH - 1 - place) & 31] for place in range(CHECKSUM_LENGTH))


class _Parser:
    """Reads the functions of one descriptor; `context` is the function around: none, `sh` or `wsh`."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def script(self, text: str, context: str) -> _Node:
        matched = _FUNCTION.fullmatch(text)
        if matched is None:
            raise InvalidValue("a function such as wpkh(…) is wanted, not a key or another text")
        function, inside = matched.groups()
        if function in _ELSEWHERE:
            raise InvalidValue(_ELSEWHERE[function])
        if function in ("pk", "pkh"):
            return _Node(function, (self._key(inside, context),))
        if function in ("multi", "sortedmulti"):
            return self._multisig(function, inside, context)
        if function == "wpkh" and context != "wsh":
            return _Node(function, (self._key(inside, "wsh"),))
        if (function == "wsh" and context != "wsh") or (function == "sh" and not context):
            return _Node(function, inner=self.script(inside, function))
        if function in ("tr", "addr", "raw") and not context:
            return self._top(function, inside)
        known = ("wpkh", "sh", "wsh", "tr", "addr", "raw")
        if function in known:
            raise InvalidValue(f"{function} cannot stand inside of {context}")
        raise InvalidValue(f"the function {function[:20]} is not read here")

    def _top(self, function: str, inside: str) -> _Node:
        if function == "addr":
            return _Node(function, fixed=script_of_address(self._network, inside))
        if function == "raw":
            if not _HEX.fullmatch(inside):
                raise InvalidValue("raw holds a script in hex digits")
            return _Node(function, fixed=bytes.fromhex(inside))
        if "," in inside:
            raise InvalidValue("tr with scripts is not read here; give the output's address with addr")
        return _Node(function, (self._key(inside, "tr"),))

    def _multisig(self, function: str, inside: str, context: str) -> _Node:
        first, *rest = inside.split(",")
        if not re.fullmatch(r"[1-9][0-9]?", first, re.ASCII):
            raise InvalidValue(f"{function} begins with the number of signatures, from 1")
        threshold, keys = int(first), tuple(self._key(each, context) for each in rest)
        if threshold > len(keys):
            raise InvalidValue(f"{function} wants {threshold} signatures of {len(keys)} keys")
        if len(keys) > KEYS_MAX[context]:
            raise InvalidValue(f"{function} has at most {KEYS_MAX[context]} keys here")
        node = _Node(function, keys, threshold)
        if context == "sh" and sum(len(key.at(0)) + 1 for key in keys) + 3 > REDEEM_SCRIPT_BYTES_MAX:
            raise InvalidValue(f"the script inside of sh is longer than {REDEEM_SCRIPT_BYTES_MAX} bytes")
        return node

    def _key(self, text: str, context: str) -> KeyExpression:
        if text.startswith("["):
            matched = _ORIGIN.match(text)
            if matched is None:
                raise InvalidValue("the origin of a key is [8 hex digits/steps], with h or ' for hardened steps")
            for step in matched[2].split("/")[1:]:
                _step(step)
            text = text[matched.end() :]
        if "[" in text or "]" in text:
            raise InvalidValue("a key has one origin, written before it in brackets")
        if "<" in text:
            raise InvalidValue("several paths in one descriptor are not read: write one descriptor for each")
        if _HEX.fullmatch(text):
            return self._fixed(bytes.fromhex(text), context)
        name, *steps = text.split("/")
        extended = parse_extended_key(self._network, name)
        is_ranged = bool(steps) and steps[-1] == "*"
        if steps and steps[-1] in ("*h", "*'", "*H"):
            raise InvalidValue("hardened steps need the private key; give the xpub of the step below the last of them")
        for step in steps[:-1] if is_ranged else steps:
            extended = extended.child(_step(step))
        return KeyExpression(extended=extended, is_ranged=is_ranged)

    def _fixed(self, raw: bytes, context: str) -> KeyExpression:
        if context == "tr" and len(raw) == 32:
            point_at(raw)
            return KeyExpression(raw)
        point_of(raw)
        if len(raw) == 65 and context in ("wsh", "tr"):
            raise InvalidValue("a key here is compressed: 33 bytes, 02 or 03 first")
        return KeyExpression(raw)


def _step(text: str) -> int:
    """The number of one step of a path, 2^31 and more for a hardened one."""
    matched = _STEP.fullmatch(text)
    if matched is None or int(matched[1]) >= HARDENED:
        raise InvalidValue("a step of a path is a number below 2^31, with h or ' when it is hardened")
    return int(matched[1]) + (HARDENED if matched[2] else 0)


def _push(data: bytes) -> bytes:
    return bytes((len(data),)) + data


def _multisig(threshold: int, keys: Sequence[bytes]) -> bytes:
    return _small(threshold) + b"".join(map(_push, keys)) + _small(len(keys)) + _OP_CHECKMULTISIG


def _small(number: int) -> bytes:
    """The push of 1 to 20."""
    return bytes((0x50 + number,)) if number <= 16 else bytes((1, number))
