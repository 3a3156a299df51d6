"""What several operators' traces of one block come to. No node is asked here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from chains.agreement import Witness
from chains.block_trace import BalanceChange, BlockTrace, merge_traces
from chains.errors import InvalidValue
from chains.types import Transfer, TransferKind
from tests.verifier.rules.make import ETH, A, block, moved

BLOCK = block(120)
ONE, TWO, THREE = Witness("n1", "A"), Witness("n2", "B"), Witness("n3", "C")
ALSO_ONE = Witness("n4", " a ")


def internal(base_units: int, *, height: int = 120, kind: TransferKind = TransferKind.INTERNAL) -> Transfer:
    return moved(base_units, asset=ETH, height=height, index=1, kind=kind)


def traced(*base_units: int, node: str = "n1") -> BlockTrace:
    return BlockTrace(BLOCK, "call-tracer", node, tuple(map(internal, base_units)))


def summed(base_units: int) -> BlockTrace:
    return BlockTrace(BLOCK, "prestate-tracer", "n1", changes=(BalanceChange("tx", A, base_units),))


UNTRACED = BlockTrace(BLOCK, "", "n1", reason="no-traces: the node offers no tracer")
FIVE, SIX = traced(5), traced(6)


@pytest.mark.fault("A27", "A28")
@pytest.mark.parametrize(
    ("answers", "shown", "node_id"),
    [
        ({ONE: FIVE, TWO: FIVE, THREE: FIVE}, FIVE, "n1+n2+n3"),
        ({ONE: FIVE, TWO: SIX, THREE: FIVE}, FIVE, "n1+n3"),
        ({ONE: SIX, TWO: FIVE, THREE: FIVE}, FIVE, "n2+n3"),
        ({ONE: FIVE, TWO: UNTRACED, THREE: UNTRACED}, FIVE, "n1"),
        ({ONE: UNTRACED, TWO: FIVE}, FIVE, "n2"),
        ({ONE: FIVE, ALSO_ONE: FIVE, TWO: UNTRACED}, FIVE, "n1+n4"),
        ({ONE: FIVE, TWO: SIX}, None, "n1, n2"),
        ({ONE: FIVE, TWO: SIX, THREE: traced(7)}, None, "n1, n2, n3"),
        ({ONE: FIVE, ALSO_ONE: SIX, TWO: UNTRACED}, None, "n1, n4"),
        ({ONE: traced(), TWO: FIVE}, None, "n1, n2"),
        ({ONE: UNTRACED, TWO: UNTRACED}, None, "n1+n2"),
        ({ONE: summed(5), TWO: summed(5)}, summed(5), "n1+n2"),
        ({ONE: summed(5), TWO: summed(6)}, None, "n1, n2"),
        ({ONE: summed(5), TWO: FIVE}, FIVE, "n2"),
    ],
)
def test_what_is_made_of_several_traces(
    answers: Mapping[Witness, BlockTrace], shown: BlockTrace | None, node_id: str
) -> None:
    """Two of the operators must agree; those that cannot trace are no dissent, and one alone stands under its name."""
    merged = merge_traces(BLOCK, answers, 2)
    assert merged.node_id == node_id
    assert (merged.transfers, merged.changes) == ((shown.transfers, shown.changes) if shown else ((), ()))
    assert bool(merged.reason) == (shown is None)
    assert merged.method == (shown.method if shown else "")


@pytest.mark.parametrize(
    "make",
    [
        lambda: BlockTrace(BLOCK, "", "n1"),
        lambda: BlockTrace(BLOCK, "call-tracer", "n1", reason="no-traces: none"),
        lambda: BlockTrace(BLOCK, "", "n1", (internal(5),), reason="no-traces: none"),
        lambda: BlockTrace(BLOCK, "call-tracer", "n1", (internal(5, height=121),)),
        lambda: BlockTrace(BLOCK, "call-tracer", "n1", (internal(5, kind=TransferKind.NATIVE),)),
    ],
)
def test_a_trace_that_contradicts_itself_is_refused(make: Callable[[], BlockTrace]) -> None:
    assert traced(5).transfers == (internal(5),)
    with pytest.raises(InvalidValue):
        make()
