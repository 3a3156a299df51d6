"""Making balance observations of what was read, very many at once.

A frozen dataclass sets each of its fields through `object.__setattr__`, which for a sweep of 50,000 wallets costs more
than asking the node and decoding its answer together. Here the instances are filled as ordinary objects of the same
layout and only then become what they are: the same type, equal to and as frozen as any other. What
`BalanceObservation` checks of each is checked here of all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import repeat
from typing import Any

from chains.evm.strategy import Value
from chains.reader import Pin
from chains.types import (
    UINT256_MAX,
    AnchorEvidence,
    BalanceObservation,
    BlockRef,
    Finality,
    Holding,
    ReadStatus,
    StateEvidence,
)


@dataclass(slots=True)
class _Layout:
    """The fields of `BalanceObservation` in its order: classes with the same slots can be exchanged."""

    holding: Holding
    block: BlockRef
    finality: Finality
    status: ReadStatus
    base_units: int | None
    method: str
    node_id: str
    state: StateEvidence
    anchor: AnchorEvidence
    reason: str


assert [field.name for field in fields(_Layout)] == [field.name for field in fields(BalanceObservation)]


def observe(
    holdings: Sequence[Holding], values: Sequence[Value], method: str, *, pin: Pin, node_id: str
) -> list[BalanceObservation]:
    """One observation for each holding from its value or failure, evidenced by one node's answer at the pin."""
    if set(map(type, values)) == {int} and min(values) >= 0 and max(values) <= UINT256_MAX:  # type: ignore[type-var,operator]
        return _good(holdings, values, method, pin, node_id)
    return [
        _good([holding], [value], method, pin, node_id)[0]
        if type(value) is int and 0 <= value <= UINT256_MAX
        else BalanceObservation(
            holding, pin.block, pin.finality, ReadStatus.FAILED, None, method, node_id, reason=str(value)
        )
        for holding, value in zip(holdings, values, strict=True)
    ]


def _good(
    holdings: Sequence[Holding], values: Sequence[Value], method: str, pin: Pin, node_id: str
) -> list[BalanceObservation]:
    """Observations of values that are all balances."""
    assert len(holdings) == len(values)
    # `map` calls the class without the interpreter's loop; the constants are spread by `repeat`.
    filled: list[Any] = list(
        map(
            _Layout,
            holdings,
            repeat(pin.block),
            repeat(pin.finality),
            repeat(ReadStatus.OK),
            values,
            repeat(method),
            repeat(node_id),
            repeat(StateEvidence.READ),
            repeat(AnchorEvidence.SINGLE),
            repeat(""),
        )
    )
    for observation in filled:
        observation.__class__ = BalanceObservation
    return filled
