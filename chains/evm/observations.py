"""Making balance observations of what was read, very many at once.

A frozen dataclass sets each of its fields through `object.__setattr__`, which for a sweep of 50,000 wallets costs more
than asking the node and decoding its answer together. Here the instances are filled as ordinary objects of the same
layout and only then become what they are: the same type, equal to and as frozen as any other. What
`BalanceObservation` checks of each is checked here of all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

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
    holdings: Sequence[Holding],
    values: Sequence[Value | None],
    methods: Sequence[str],
    *,
    pin: Pin,
    node_id: str,
) -> list[BalanceObservation]:
    """One observation for each holding from its value or failure, evidenced by one node's answer at the pin.

    Raises AssertionError when a holding has neither: that would be a mistake of this package, and no answer.
    """
    block, finality = pin.block, pin.finality
    good, read, single = ReadStatus.OK, StateEvidence.READ, AnchorEvidence.SINGLE
    observations: list[BalanceObservation] = []
    for holding, value, method in zip(holdings, values, methods, strict=True):
        if type(value) is int and 0 <= value <= UINT256_MAX:
            filled = _Layout(holding, block, finality, good, value, method, node_id, read, single, "")
            filled.__class__ = BalanceObservation  # type: ignore[assignment]
            observations.append(filled)  # type: ignore[arg-type]
        else:
            assert value is not None, f"{holding.address} was neither read nor failed"
            observations.append(
                BalanceObservation(
                    holding, block, finality, ReadStatus.FAILED, None, method, node_id, reason=str(value)
                )
            )
    return observations
