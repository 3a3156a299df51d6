"""Which layout rule explains what a token answered when words were put into its storage. Pure, asks nobody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from chains.errors import InvalidValue
from chains.evm.storage_slots import namespace_slot, packed_field
from chains.evm.token_layout import SlotOrder, TokenLayout
from chains.types import Address, AssetId

MAPPINGS_MAX: Final = 1_024
"""Mappings are numbered in the order of declaration: real tokens stay far below this."""
NAMESPACES: Final = ("openzeppelin.storage.ERC20",)
"""ERC-7201 namespaces whose first slot is a mapping of balances."""
SEEDS: Final = (0x87A211A2,)
"""Of Solady's ERC20."""
PROBES: Final = (
    0,
    1,
    10**6,
    2**128 - 1,
    2**255 + 5,
    2**256 - 1,
    0x5A17_C0DE_0BAD_CAFE_1357_9BDF_2468_ACE0_F00D_FACE_8BAD_F00D_DEAD_BEEF_1234_5671,
)
"""Words put into a slot: the ends of usual fields, and one whose every field differs from every other."""


def mapping_rules() -> list[tuple[SlotOrder, int]]:
    """Every order and mapping slot that is tried, the usual ones first."""
    spaces = [namespace_slot(name) for name in NAMESPACES]
    return [
        *((SlotOrder.SOLIDITY, slot) for slot in (*range(MAPPINGS_MAX), *spaces)),
        *((SlotOrder.VYPER, slot) for slot in range(MAPPINGS_MAX)),
        *((SlotOrder.SEEDED, seed) for seed in SEEDS),
    ]


def find_rule(asset_id: AssetId, holder: Address, slots: Iterable[int]) -> tuple[SlotOrder, int, int] | None:
    """The order, the mapping slot and the holder's slot, of the first rule that gives one of these slots."""
    wanted = frozenset(slots)
    for order, mapping_slot in mapping_rules():
        layout = TokenLayout(asset_id, order, mapping_slot, 0, 256, "0x" + "0" * 64)
        if (slot := layout.slot(holder)) in wanted:
            return order, mapping_slot, slot
    return None


def fit_field(answers: Mapping[int, int]) -> tuple[int, int] | None:
    """The first bit and the number of bits by which every answer follows from the word that was put in; else None.

    Of several fields that fit, which the probes leave no room for, there is none.
    """
    fitting = [
        (first_bit, bits)
        for first_bit in range(256)
        for bits in range(1, 257 - first_bit)
        if all(packed_field(word, first_bit, bits) == answer for word, answer in answers.items())
    ]
    if len(fitting) > 1:
        raise InvalidValue("the probes do not tell fields apart")
    return fitting[0] if fitting else None
