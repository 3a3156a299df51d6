"""Spelling of EVM addresses and asset ids: EIP-55 checksums, CAIP-19 ids. Strict, because a typo moves money."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from chains.errors import InvalidValue
from chains.evm.keccak import keccak256, keccak256_each
from chains.types import UINT256_MAX, Address, AssetId, ChainId, parse_asset_id

_HEX_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII)
_TOKEN_ID = re.compile(r"0|[1-9][0-9]{0,77}", re.ASCII)
_NATIVE = re.compile(r"slip44:(0|[1-9][0-9]{0,9})", re.ASCII)
_CAPITAL_BIT: Final = bytes(0x20 if character in b"89abcdef" else 0 for character in range(256))
"""For each hexadecimal digit of the hash: the bit that makes a letter a capital, where the digit is 8 or more."""
ZERO_ADDRESS = Address("0x" + "0" * 40)


class UncheckedSpelling(InvalidValue):
    """An address in one case only, which carries no checksum: a wrong digit in it cannot be noticed."""

    code = "unchecked-address"
    advice = "Give the address with its EIP-55 checksum, or set imports.accept_unchecksummed."

    def __init__(self, text: str, canonical: Address) -> None:
        super().__init__(f"{text!r} carries no checksum; with one it would be {canonical}")
        self.canonical = canonical
        """The spelling it would have, for callers that were told to accept it."""


@lru_cache(maxsize=16_384)
def checksum_address(raw: bytes) -> Address:
    """The EIP-55 spelling of a 20-byte address."""
    if len(raw) != 20:
        raise InvalidValue(f"an EVM address has 20 bytes, not {len(raw)}")
    digits = raw.hex().encode("ascii")
    return Address("0x" + _with_capitals(digits, keccak256(digits)[:20]))


def checksum_addresses(digits: Sequence[str]) -> list[Address]:
    """The EIP-55 spellings of addresses given as 40 hexadecimal digits each, of any case.

    Raises `InvalidValue` when any is something else. Quicker for many than one by one: a scan spells two each transfer.
    """
    joined = "".join(digits)
    try:
        raw = bytes.fromhex(joined)
    except ValueError:
        raw = b""
    if 2 * len(raw) != len(joined) or set(map(len, digits)) - {40}:  # fromhex skips blanks
        raise InvalidValue("an EVM address has 40 hexadecimal digits")
    text = raw.hex().encode("ascii")
    each = [text[place : place + 40] for place in range(0, len(text), 40)]
    spelt = _with_capitals(text, b"".join([whole[:20] for whole in keccak256_each(each)]))
    return [Address("0x" + spelt[place : place + 40]) for place in range(0, len(spelt), 40)]


def _with_capitals(digits: bytes, hashed: bytes) -> str:
    """Lower-case digits with the letters as capitals where the digit of the hash is 8 or more."""
    # All characters at once, as one number: letters have the bit 0x40, digits do not, and a letter without the
    # bit 0x20 is a capital.
    text, wanted = int.from_bytes(digits, "big"), hashed.hex().encode("ascii").translate(_CAPITAL_BIT)
    letters = text & int.from_bytes(b"\x40" * len(digits), "big")
    capitals = int.from_bytes(wanted, "big") & (letters >> 1)
    return (text - capitals).to_bytes(len(digits), "big").decode("ascii")


def address_bytes(address: Address) -> bytes:
    """The 20 bytes of an address that was parsed before."""
    return bytes.fromhex(address[2:])


def parse_address(text: str) -> Address:
    """Check an address strictly and return its EIP-55 spelling.

    Raises `UncheckedSpelling` when all letters have one case (it carries the canonical spelling), `InvalidValue`
    for everything else: another form, a wrong checksum, the zero address.
    """
    if not _HEX_ADDRESS.fullmatch(text):
        raise InvalidValue(f"{text[:60]!r} is not an EVM address: 0x and 40 hex digits")
    canonical = checksum_address(bytes.fromhex(text[2:]))
    if canonical == ZERO_ADDRESS:
        raise InvalidValue("the zero address belongs to nobody")
    if text != canonical:
        if text[2:] in (text[2:].lower(), text[2:].upper()):
            raise UncheckedSpelling(text, canonical)
        raise InvalidValue(f"{text!r} has a wrong EIP-55 checksum; a character may be mistyped")
    return canonical


def evm_chain_number(chain_id: ChainId) -> int:
    """The EIP-155 number of an `eip155` chain id; raises `InvalidValue` for others."""
    namespace, _, reference = chain_id.partition(":")
    if namespace != "eip155" or not re.fullmatch(r"[1-9][0-9]{0,31}", reference, re.ASCII):
        raise InvalidValue(f"{chain_id!r} is not an EVM chain id such as eip155:1")
    return int(reference)


def parse_evm_asset_id(text: str) -> AssetId:
    """Check a CAIP-19 id of an EVM asset: the native coin `eip155:N/slip44:60`, `eip155:N/erc20:0x…`, or one token
    of a collection, `eip155:N/erc721:0x…/ID` and `eip155:N/erc1155:0x…/ID`.

    The contract's address must carry its checksum, and an id is a plain decimal number. Raises `InvalidValue`.
    """
    asset_id = parse_asset_id(text)
    chain, _, part = asset_id.partition("/")
    evm_chain_number(ChainId(chain))
    if _NATIVE.fullmatch(part):
        return asset_id
    namespace, _, reference = part.partition(":")
    if namespace == "erc20":
        parse_address(reference)
    elif namespace in ("erc721", "erc1155"):
        contract, _, number = reference.partition("/")
        parse_address(contract)
        if not _TOKEN_ID.fullmatch(number) or int(number) > UINT256_MAX:
            raise InvalidValue(f"{text!r}: a collection is mapped token by token, with the id as in {namespace}:0x…/7")
    else:
        raise InvalidValue(f"{text!r}: only slip44 (the native coin), erc20, erc721 and erc1155 assets are read")
    return asset_id


class TokenStandard(StrEnum):
    """Which interface a contract speaks, by the namespace of its asset ids."""

    ERC20 = "erc20"
    ERC721 = "erc721"
    """Each token has one owner."""
    ERC1155 = "erc1155"
    """Each id has balances."""


_STANDARDS = frozenset(TokenStandard)


@dataclass(frozen=True, slots=True)
class Token:
    """A token as its contract knows it."""

    standard: TokenStandard
    contract: bytes
    number: int | None
    """The id within its collection; None for ERC-20."""


def token_of(asset_id: AssetId) -> Token | None:
    """The token of an asset; None for the native coin. The id was parsed before."""
    namespace, _, reference = asset_id.partition("/")[2].partition(":")
    if namespace not in _STANDARDS:
        return None
    contract, _, number = reference.partition("/")
    return Token(TokenStandard(namespace), bytes.fromhex(contract[2:]), int(number) if number else None)


def token_address(asset_id: AssetId) -> bytes | None:
    """The 20 bytes of an ERC-20 asset's contract; None for every other asset. The id was parsed before."""
    part = asset_id.partition("/")[2]
    return bytes.fromhex(part.removeprefix("erc20:0x")) if part.startswith("erc20:") else None
