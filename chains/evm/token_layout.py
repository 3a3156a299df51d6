"""Where a token keeps its balances: the reviewed rule by which a storage proof becomes a balance.

A rule holds for one code and no other. It names the code hash it was found for, and for a proxy the implementation and
its code hash too; all of them are proven in the same state as the balance. A token whose code is another now, or whose
`balanceOf` is no single word of storage, has no proven balance: that is said, with the reason, and nothing is guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from chains.errors import InvalidValue
from chains.evm.abi import address_word
from chains.evm.addresses import address_bytes, parse_address
from chains.evm.keccak import keccak256
from chains.evm.storage_slots import packed_field, solidity_mapping_slot, vyper_mapping_slot
from chains.types import Address, AssetId

_HASH = re.compile(r"0x[0-9a-f]{64}", re.ASCII)
_MINIMAL_PROXY: Final = (bytes.fromhex("363d3d373d3d3d363d73"), bytes.fromhex("5af43d82803e903d91602b57fd5bf3"))
"""The code of a minimal proxy (EIP-1167) before and after the address it forwards to."""


class SlotOrder(StrEnum):
    """How a holder's slot follows from the number of the mapping."""

    SOLIDITY = "solidity"
    """keccak256(holder || slot), each 32 bytes; also of Yul code that follows Solidity."""
    VYPER = "vyper"
    """keccak256(slot || holder), each 32 bytes."""
    SEEDED = "seeded"
    """keccak256(holder of 20 bytes || seed of 12 bytes), as Solady does; the mapping slot is the seed."""
    UNPROVABLE = "unprovable"
    """No one word of storage is the balance."""


@dataclass(frozen=True, slots=True)
class TokenLayout:
    """The rule of one token, or that there is none and why."""

    asset_id: AssetId
    order: SlotOrder
    mapping_slot: int
    """Number of the mapping of balances, or the seed; 0 when unprovable."""
    first_bit: int
    """Lowest bit of the balance within its word."""
    bits: int
    """Bits of the balance; 256 for the whole word."""
    code_hash: str
    """Of the token, `0x` and 64 digits; empty when unprovable."""
    implementation: Address | None = None
    """The code that a proxy runs; None for a token that is none."""
    implementation_slot: int | None = None
    """Where the proxy keeps that address; None for a minimal proxy, in whose code it stands."""
    implementation_code_hash: str = ""
    reason: str = ""
    """Why it cannot be proven; empty when it can."""

    def __post_init__(self) -> None:
        if (self.order is SlotOrder.UNPROVABLE) != bool(self.reason):
            raise InvalidValue("a layout has a reason exactly when it is unprovable")
        if "/erc20:" not in self.asset_id:
            raise InvalidValue("a layout is about an ERC-20 token")
        for contract in (self.token, self.implementation):
            if contract is not None:
                parse_address(contract)
        if self.order is SlotOrder.UNPROVABLE:
            given = (self.code_hash, self.implementation_code_hash, self.implementation, self.implementation_slot)
            if any(given) or (self.mapping_slot, self.first_bit, self.bits) != (0, 0, 256):
                raise InvalidValue("what is unprovable has no slot and no code hash")
            return
        if not _HASH.fullmatch(self.code_hash):
            raise InvalidValue("code_hash is 0x and 64 lower-case hex digits")
        if (self.implementation is not None) != bool(_HASH.fullmatch(self.implementation_code_hash)):
            raise InvalidValue("an implementation has a code hash, 0x and 64 lower-case hex digits; nothing else does")
        if self.implementation is None and (self.implementation_slot is not None or self.implementation_code_hash):
            raise InvalidValue("implementation_slot needs an implementation")
        slots_max = 1 << (96 if self.order is SlotOrder.SEEDED else 256)
        if not 0 <= self.mapping_slot < slots_max or not 0 <= (self.implementation_slot or 0) < 1 << 256:
            raise InvalidValue("a slot is 0 to 2**256 - 1, a seed 0 to 2**96 - 1")
        packed_field(0, self.first_bit, self.bits)

    @property
    def is_provable(self) -> bool:
        """Whether there is a rule."""
        return self.order is not SlotOrder.UNPROVABLE

    @property
    def token(self) -> Address:
        """The contract."""
        return Address(self.asset_id.rpartition(":")[2])

    def slot(self, holder: Address) -> int:
        """The storage slot that holds the balance of a holder."""
        if self.order is SlotOrder.SOLIDITY:
            return solidity_mapping_slot(self.mapping_slot, address_word(address_bytes(holder)))
        if self.order is SlotOrder.VYPER:
            return vyper_mapping_slot(self.mapping_slot, address_word(address_bytes(holder)))
        if self.order is SlotOrder.SEEDED:
            return int.from_bytes(keccak256(address_bytes(holder) + self.mapping_slot.to_bytes(12, "big")), "big")
        raise InvalidValue(f"{self.asset_id} has no provable layout: {self.reason}")

    def balance(self, stored: int) -> int:
        """The balance in base units in a stored word."""
        return packed_field(stored, self.first_bit, self.bits)


def minimal_proxy_code(implementation: Address) -> bytes:
    """The code of the minimal proxy (EIP-1167) that forwards everything to this address."""
    before, after = _MINIMAL_PROXY
    return before + address_bytes(implementation) + after


def minimal_proxy_target(code: bytes) -> bytes | None:
    """The 20 bytes of the address that a minimal proxy forwards to; None when the code is no minimal proxy."""
    before, after = _MINIMAL_PROXY
    is_one = len(code) == 45 and code.startswith(before) and code.endswith(after)
    return code[len(before) : len(before) + 20] if is_one else None
