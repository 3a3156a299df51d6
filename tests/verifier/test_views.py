"""What people read: the one signal, who owned what when, and what a case says."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.verifier.sweep.memory import MemoryDesk
from tests.verifier.sweep.world import address
from verifier.mapping_view import entry_history, mapping_periods, mapping_view, period_json
from verifier.records import FindingKind
from verifier.rules.status import FirmStatus
from verifier.store import Store

A, B, C, OUTSIDE = (address(number) for number in range(1, 5))


@pytest.fixture
def desk(sqlite_store: Store, tmp_path: Path) -> MemoryDesk:
    """A wallet of its own, and a pool of two."""
    desk = MemoryDesk(sqlite_store, tmp_path)
    desk.open_books(A, B, C)
    desk.take(pools=[{"address": wallet} for wallet in (B, C)])
    desk.chain.mint(A, desk.asset, 10)
    desk.chain.mint(B, desk.asset, 3)
    desk.chain.mint(C, desk.asset, 4)
    desk.allocate(A, C_1=10)
    desk.allocate("pool:P-1", C_1=2, C_2=5)
    return desk


def owned(desk: MemoryDesk, as_of: object, known_at: object, text: str = "") -> dict[tuple[str, str], int]:
    """Base units by client and location."""
    rows = mapping_view(desk.store, as_of, known_at, text)  # type: ignore[arg-type]
    return {(row.client_id, row.location_id.removeprefix(f"{desk.chain_id}:")): row.base_units for row in rows}


def test_who_owned_what_at_one_moment_as_known_at_another(desk: MemoryDesk) -> None:
    first = desk.now()
    desk.chain.mine(50)
    effective = desk.chain.head_time() - timedelta(minutes=5)
    desk.take(
        ledger_entries=[
            {
                "entry_id": "E-1",
                "client_id": "C-1",
                "location": desk.at(A),
                "quantity": desk.asset.format_quantity(-4),
                "effective_at": effective.isoformat(),
                "kind": "movement",
            }
        ]
    )
    later = desk.now()
    assert first < effective < later
    before = {("C-1", A): 10, ("C-1", "pool:P-1"): 2, ("C-2", "pool:P-1"): 5}
    after = before | {("C-1", A): 6}
    assert owned(desk, later, later) == after
    assert owned(desk, effective, later) == after, "it was written later and held earlier"
    assert owned(desk, effective, first) == before, "what was not written yet was not known"
    assert owned(desk, effective - timedelta(seconds=1), later) == before
    assert owned(desk, first - timedelta(days=9), later) == {}
    entries = entry_history(desk.store, later, later, "c-1")
    assert [row.entry.base_units for row in entries] == [10, 2, -4]
    assert entries[-1].recorded_at > entries[-1].entry.effective_at
    assert len(entry_history(desk.store, effective - timedelta(seconds=1), later, "C-1")) == 2
    assert len(entry_history(desk.store, later, first, "C-1")) == 2
    assert entry_history(desk.store, later, later, "C-9") == []


def test_a_pool_is_expanded_to_its_wallets_of_that_day(desk: MemoryDesk) -> None:
    moment = desk.now()
    rows = {row.location_id: row for row in mapping_view(desk.store, moment, moment, B)}
    assert set(rows) == {"pool:P-1"}, "found by a wallet of the pool"
    assert rows["pool:P-1"].wallets == tuple(sorted((desk.at(B), desk.at(C))))  # type: ignore[index]
    assert (rows["pool:P-1"].structure, rows["pool:P-1"].cells()[3]) == ("omnibus", "pool:P-1 (2 wallets)")  # type: ignore[index]
    alone = mapping_view(desk.store, moment, moment, A)
    assert [(row.wallets, row.since) for row in alone] == [((desk.at(A),), desk.chain.head_time())]


def test_the_signal_is_compliant_only_with_evidence(desk: MemoryDesk) -> None:
    never = desk.status()
    assert (never.statuses, never.exit_code) == ((FirmStatus.UNVERIFIED,), 2)
    assert "never swept" in never.reasons[0]
    assert desk.sweep().exit_code == 0
    clean = desk.status()
    assert (clean.statuses, clean.exit_code, clean.reasons) == ((FirmStatus.COMPLIANT,), 0, ())
    desk.clock_ahead = timedelta(hours=2)
    old = desk.status()
    assert (old.statuses, old.exit_code) == ((FirmStatus.UNVERIFIED,), 2)
    assert old.chains[0].stale


def test_the_signal_is_led_by_what_contradicts(desk: MemoryDesk) -> None:
    desk.chain.pay(A, OUTSIDE, desk.asset, 1)
    desk.node().balances = {(B, desk.asset.asset_id): None}
    assert desk.sweep().exit_code == 1
    view = desk.status()
    assert view.statuses == (FirmStatus.SEGREGATION_EXCEPTION, FirmStatus.UNVERIFIED)
    assert view.exit_code == 1
    assert "1 open: shortfall" in view.reasons
    assert desk.open_cases(FindingKind.UNAUTHORIZED_TRANSFER)
    assert view.to_dict()["open_cases"] == len(desk.open_cases())


def test_a_block_that_left_the_chain_counts_for_nothing(desk: MemoryDesk) -> None:
    desk.sweep()
    desk.chain.reorganise(3, [], [], [])
    desk.chain.mine(1)
    desk.node().balances = {}
    desk.sweep()
    view = desk.status()
    assert view.chains[0].summary is not None
    assert view.chains[0].summary.block == desk.chain.head
    assert view.exit_code == 1, "what the books claim is not there any more"


def test_a_chain_whose_own_coin_nobody_reads_is_unverified(desk: MemoryDesk) -> None:
    assert desk.sweep().exit_code == 0
    assert desk.status().exit_code == 0
    view = desk.status(f"{desk.chain_id}/slip44:9999")
    assert (view.statuses, view.exit_code) == ((FirmStatus.UNVERIFIED,), 2)
    assert any("own coin" in reason for reason in view.reasons)


def test_an_asset_of_undetermined_legal_class_is_never_compliant(desk: MemoryDesk) -> None:
    assert desk.sweep().exit_code == 0
    (known,) = desk.store.assets(desk.chain_id, desk.now())
    desk.take(
        assets=[
            {
                "asset_id": known.asset.asset_id,
                "symbol": known.asset.symbol,
                "decimals": str(known.asset.decimals),
                "legal_class": "undetermined",
                "legal_class_from": known.legal_class_from.isoformat(),
                "legal_class_reference": "MEMO-2",
            }
        ]
    )
    assert desk.sweep().exit_code == 0
    view = desk.status()
    assert (view.statuses, view.exit_code) == ((FirmStatus.UNVERIFIED,), 2)
    assert view.reasons == (f"the legal class of {known.asset.symbol} is undetermined",)


def test_the_mapping_is_dated_and_many_to_many(desk: MemoryDesk) -> None:
    """Two clients behind both wallets of the pool; a client who closed is there until then."""
    rows = mapping_periods(desk.store, desk.now(), B)
    assert {(row.client_id, row.address) for row in rows} == {("C-1", B), ("C-2", B)}
    assert all(row.to_time is None for row in rows)
    desk.chain.mine(10)
    desk.allocate("pool:P-1", C_1=0, C_2=7)
    closed = [row for row in mapping_periods(desk.store, desk.now(), B) if row.client_id == "C-1"]
    assert [row.to_time is not None for row in closed] == [True]
    assert period_json(closed[0])["to"] is not None
    assert mapping_periods(desk.store, desk.now(), "nobody-at-all") == []
