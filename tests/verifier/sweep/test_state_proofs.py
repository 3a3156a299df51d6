"""Sweeps that prove what they read: on a real node, and before nodes that lie about balances, proofs and headers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chains.devnet.lies import change_balance, change_result, fail, only
from chains.devnet.lying_proxy import LyingProxy
from chains.evm.storage_slots import vyper_mapping_slot
from chains.state_proofs import StateProofMode
from chains.types import AnchorEvidence, Asset, AssetId, BalanceObservation, ReadStatus, StateEvidence
from tests.verifier.sweep.conftest import NewDesk
from tests.verifier.sweep.desk import Desk, kinds
from tests.verifier.sweep.world import OMNIBUS, SECOND, AnvilWorld
from verifier.records import FindingKind
from verifier.store import Store
from verifier.sweep import SweepOutcome

pytestmark = pytest.mark.devnet

WEI = 5 * 10**17


@pytest.fixture
def desk(new_desk: NewDesk, sqlite_store: Store, world: AnvilWorld) -> Desk:
    """Two wallets, one of them with ether and a token; state proofs are asked for."""
    desk = new_desk(sqlite_store)
    world.give_native(OMNIBUS, WEI)
    world.mint(OMNIBUS, 1_000)
    world.mine()
    native = {"asset_id": desk.native.asset_id, "symbol": "ETH", "decimals": "18"}
    desk.open_books(OMNIBUS, SECOND, assets=({}, native))
    desk.allocate(OMNIBUS, C_1=1_000)
    desk.allocate(OMNIBUS, asset=desk.native, C_1=WEI)
    desk.config = replace(desk.config, state_proofs=StateProofMode.WHEN_OFFERED)
    return desk


def seen(desk: Desk, outcome: SweepOutcome) -> dict[tuple[str, str], BalanceObservation]:
    """What the sweep recorded, by address and symbol."""
    assert outcome.summary is not None, outcome.failure
    start = desk.store.sweep(outcome.summary.sweep_id)
    assert start is not None
    found = desk.store.observations(start)
    return {(each.holding.address, each.holding.asset.symbol): each for each in found}


def test_native_balances_are_proven(desk: Desk) -> None:
    outcome = desk.sweep()
    found = seen(desk, outcome)
    for address in (OMNIBUS, SECOND):
        assert found[address, "ETH"].state is StateEvidence.PROVEN
        assert found[address, "ETH"].anchor is AnchorEvidence.SINGLE
    assert outcome.exit_code == 0
