"""Finding where a token keeps its balances: by access list and state-override probes, on any node that offers them.

Nothing found here is evidence. It is a proposal that two people review and the mapping fixes; from then on a proof
stands on the proven code hashes, and on nothing a node said while the rule was looked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from chains.errors import MalformedAnswer, ReadError, UnsupportedByNode
from chains.evm.abi import BALANCE_OF, address_word, hex_text, word
from chains.evm.addresses import address_bytes, checksum_address
from chains.evm.balances import Transport
from chains.evm.control import proxy_slots
from chains.evm.encumbrance_types import Fact
from chains.evm.keccak import keccak256
from chains.evm.layout_fit import PROBES, find_rule, fit_field
from chains.evm.quantity import data
from chains.evm.strategy import is_contract_failure, pinned
from chains.evm.token_layout import SlotOrder, TokenLayout, minimal_proxy_target
from chains.types import Address, AssetId, BlockRef

_HOLDERS: Final = tuple(checksum_address(keccak256(name)[:20]) for name in (b"a holder", b"another holder"))
"""Addresses nobody has the key of: what only their own balance depends on is looked for."""
OTHER_SLOTS_MAX: Final = 16
"""Most other words of storage, read by balanceOf, that are changed to see whether the balance follows them."""


@dataclass(frozen=True, slots=True)
class FoundLayout:
    """A proposal for one token, and what a reviewer should know."""

    layout: TokenLayout
    notes: tuple[str, ...]
    """How it was found: sentences."""


def discover_layout(
    transport: Transport, block: BlockRef, asset_id: AssetId, holders: Sequence[Address] = ()
) -> FoundLayout:
    """The layout of a token at a block, or that it is unprovable and why.

    The rule is tried on these holders as well. Raises `ReadError` when the node does not offer what it takes.
    """
    return _Discovery(transport, block, asset_id).run(holders)


class _Discovery:
    def __init__(self, transport: Transport, block: BlockRef, asset_id: AssetId) -> None:
        self._transport = transport
        self._block = pinned(block)
        self._asset_id = asset_id
        self._token = Address(asset_id.rpartition(":")[2])
        self._notes: list[str] = []

    def run(self, holders: Sequence[Address]) -> FoundLayout:
        code = self._code(self._token)
        if not code:
            return self._unprovable("there is no code at the token's address")
        if self._word(self._token, proxy_slots()[Fact.BEACON][0]):
            return self._unprovable("a beacon names the code it runs, in the storage of another contract")
        implementation, implementation_slot = self._implementation(code)
        first, second = (self._slots_read(holder) for holder in _HOLDERS)
        own = first.get(self._token, frozenset()) - second.get(self._token, frozenset())
        if not own:
            elsewhere = sorted(contract for contract in first if first[contract] - second.get(contract, frozenset()))
            where = f"in the storage of {elsewhere[0]}" if elsewhere else "in no storage that depends on the holder"
            return self._unprovable(f"balances are kept {where}")
        rule = find_rule(self._asset_id, _HOLDERS[0], own)
        if rule is None:
            return self._unprovable("the holder's slot follows from no mapping rule that is known")
        order, mapping_slot, slot = rule
        others = first[self._token] - {slot, implementation_slot}
        reason = self._what_else_it_follows(slot, sorted(others))
        field = None if reason else fit_field({probe: self._with_word(slot, probe) for probe in PROBES})
        if reason or field is None:
            return self._unprovable(reason or "balanceOf is no field of the holder's one word: it is computed")
        layout = TokenLayout(
            asset_id=self._asset_id,
            order=order,
            mapping_slot=mapping_slot,
            first_bit=field[0],
            bits=field[1],
            code_hash=f"0x{keccak256(code).hex()}",
            implementation=implementation,
            implementation_slot=implementation_slot,
            implementation_code_hash=f"0x{keccak256(self._code(implementation)).hex()}" if implementation else "",
        )
        for holder in holders:
            stored, said = layout.balance(self._word(self._token, layout.slot(holder))), self._balance(holder)
            if stored != said:
                return self._unprovable(
                    f"balanceOf {holder} is {said}, by the rule that was found it would be {stored}"
                )
        self._notes.append(f"tried on {len(holders)} holders, whose balances it gave")
        return FoundLayout(layout, tuple(self._notes))

    def _unprovable(self, reason: str) -> FoundLayout:
        layout = TokenLayout(self._asset_id, SlotOrder.UNPROVABLE, 0, 0, 256, "", reason=reason)
        return FoundLayout(layout, tuple(self._notes))

    def _implementation(self, code: bytes) -> tuple[Address | None, int | None]:
        target = minimal_proxy_target(code)
        if target is not None:
            self._notes.append("a minimal proxy (EIP-1167)")
            return checksum_address(target), None
        for slot in proxy_slots()[Fact.IMPLEMENTATION]:
            if stored := self._word(self._token, slot):
                self._notes.append(f"a proxy that keeps its implementation at {hex(slot)}: it may be replaced")
                return checksum_address((stored & ((1 << 160) - 1)).to_bytes(20, "big")), slot
        return None, None

    def _slots_read(self, holder: Address) -> dict[Address, frozenset[int]]:
        """Which words of whose storage balanceOf reads for a holder."""
        call = {"to": self._token, "data": hex_text(BALANCE_OF + address_word(address_bytes(holder)))}
        answer = self._transport.call("eth_createAccessList", call, self._block)
        entries = answer.get("accessList") if isinstance(answer, Mapping) else None
        if not isinstance(entries, list):
            raise MalformedAnswer("eth_createAccessList gave no access list")
        if isinstance(answer, Mapping) and answer.get("error"):
            raise UnsupportedByNode("balanceOf failed while its access list was made")
        found: dict[Address, frozenset[int]] = {}
        for entry in entries:
            if not isinstance(entry, Mapping) or not isinstance(entry.get("storageKeys"), list):
                raise MalformedAnswer("an entry of the access list is not an address with storage keys")
            keys = frozenset(int.from_bytes(data(key, length=32), "big") for key in entry["storageKeys"])
            contract = checksum_address(data(entry.get("address"), length=20))
            found[contract] = found.get(contract, frozenset()) | keys
        return found

    def _what_else_it_follows(self, slot: int, others: Sequence[int]) -> str:
        """Why the balance is not the holder's word alone; empty when changing what else is read changes nothing."""
        if len(others) > OTHER_SLOTS_MAX:
            return f"balanceOf reads {len(others)} other words of storage"
        expected = self._with_word(slot, PROBES[2])
        for other in others:
            stored = self._word(self._token, other)
            for changed in (stored ^ 1, (stored * 2 + 2) & ((1 << 256) - 1)):
                answer = self._try({slot: PROBES[2], other: changed})
                if answer is not None and answer != expected:
                    return f"the balance follows another word of storage too, at {hex(other)}"
        if others:
            self._notes.append(f"balanceOf reads {len(others)} other words; changing them changed no balance")
        return ""

    def _with_word(self, slot: int, value: int) -> int:
        answer = self._try({slot: value})
        if answer is None:
            raise UnsupportedByNode("balanceOf failed with a changed word of storage")
        return answer

    def _try(self, words: Mapping[int, int]) -> int | None:
        """The probe holder's balance with these words in the token's storage; None when the contract fails."""
        override = {self._token: {"stateDiff": {hex_text(word(slot)): hex_text(word(v)) for slot, v in words.items()}}}
        return self._ask(_HOLDERS[0], override)

    def _balance(self, holder: Address) -> int:
        answer = self._ask(holder)
        if answer is None:
            raise UnsupportedByNode(f"balanceOf {holder} failed")
        return answer

    def _ask(self, holder: Address, *override: object) -> int | None:
        call = {"to": self._token, "data": hex_text(BALANCE_OF + address_word(address_bytes(holder)))}
        try:
            return int.from_bytes(
                data(self._transport.call("eth_call", call, self._block, *override), length=32), "big"
            )
        except MalformedAnswer:
            return None
        except ReadError as error:
            if is_contract_failure(error):
                return None
            raise

    def _code(self, address: Address) -> bytes:
        return data(self._transport.call("eth_getCode", address, self._block))

    def _word(self, address: Address, slot: int) -> int:
        answer = data(self._transport.call("eth_getStorageAt", address, hex_text(word(slot)), self._block), length=32)
        return int.from_bytes(answer, "big")
