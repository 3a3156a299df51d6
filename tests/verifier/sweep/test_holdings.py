"""What a sweep says of holdings: omnibus, segregated, pools; too little, too much, nobody's."""

from __future__ import annotations

import pytest

from tests.verifier.sweep.desk import Desk, kinds
from tests.verifier.sweep.world import OMNIBUS, AnvilWorld
from verifier.records import FindingKind, Status

pytestmark = pytest.mark.devnet

UNITS = 1_000_000


@pytest.mark.parametrize(
    ("on_chain", "status", "found"),
    [
        (700 * UNITS, Status.MATCHED, {}),
        (700 * UNITS - 1, Status.DIVERGED, {FindingKind.SHORTFALL: -1}),
        (700 * UNITS + 1, Status.DIVERGED, {FindingKind.EXCESS: 1}),
        (0, Status.DIVERGED, {FindingKind.SHORTFALL: -700 * UNITS}),
    ],
)
@pytest.mark.fault("B12", "D1", "D2")
def test_an_omnibus_wallet(
    desk: Desk, world: AnvilWorld, on_chain: int, status: Status, found: dict[FindingKind, int]
) -> None:
    world.mint(OMNIBUS, on_chain)
    desk.open_books(OMNIBUS)
    desk.allocate(OMNIBUS, C_1=500 * UNITS, C_2=200 * UNITS)
    outcome = desk.sweep()
    assert desk.result(outcome, OMNIBUS).status is status
    assert {seen.finding.kind: seen.finding.base_units for seen in outcome.cases} == found
    assert outcome.exit_code == (0 if not found else 1)
    assert set(kinds(outcome)) == set(found)
