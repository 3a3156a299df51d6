"""Beacon chain withdrawals (EIP-4895): coins that appear in an account without any transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from chains.errors import MalformedAnswer
from chains.evm.quantity import data, quantity
from chains.evm.rlp_encoding import encode_list, integer_bytes

WEI_PER_GWEI: Final = 10**9
NUMBER_MAX: Final = 2**53 - 1
"""Largest index and amount (in Gwei: nine million coins) that is believed; every reader of JSON keeps it exact."""


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """One withdrawal as the withdrawals root commits to it."""

    index: int
    """Counts over the whole chain."""
    validator_index: int
    receiver: bytes
    gwei: int

    @property
    def wei(self) -> int:
        """The amount in base units of the native coin."""
        return self.gwei * WEI_PER_GWEI

    def encode(self) -> bytes:
        """What the withdrawals trie holds."""
        return encode_list(
            (
                integer_bytes(self.index),
                integer_bytes(self.validator_index),
                self.receiver,
                integer_bytes(self.gwei),
            )
        )


def decode_withdrawals(answer: object) -> tuple[Withdrawal, ...]:
    """The withdrawals of a block object's `withdrawals`; none where the chain has none. Raises `MalformedAnswer`."""
    if answer is None:
        return ()
    if not isinstance(answer, list):
        raise MalformedAnswer("the withdrawals of a block are not a list")
    found = []
    for item in answer:
        if not isinstance(item, dict):
            raise MalformedAnswer("a withdrawal is not a JSON object")
        numbers = [quantity(item.get(name)) for name in ("index", "validatorIndex", "amount")]
        if max(numbers) > NUMBER_MAX:
            raise MalformedAnswer("a withdrawal has a number beyond any that a chain reaches")
        index, validator_index, gwei = numbers
        found.append(Withdrawal(index, validator_index, data(item.get("address"), length=20), gwei))
    return tuple(found)
