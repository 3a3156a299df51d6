"""Snapshots, movements, corrections, gas float, segregation, pools: what the book may be told."""

from __future__ import annotations

import pytest

from chains.types import LocationId
from mapping.types import Allocation, LedgerEntry
from tests.mapping.desk import AAPL, ETH, OMNIBUS, POOLED, SEGREGATED, USDC, Desk, at, only

EARLIER = "2026-01-31T00:00:00Z"
FIRST = "2026-02-01T00:00:00Z"
BETWEEN = "2026-02-01T12:00:00Z"
LATER = "2026-02-02T00:00:00Z"
LAST = "2026-02-03T00:00:00Z"

ONE = {"quantity": "10"}
TWO = {"client_id": "C-2", "quantity": "5"}


@pytest.mark.fault("B13")
def test_snapshots_go_forward_only(desk: Desk) -> None:
    desk.take(allocations=(ONE, TWO))
    older = only(desk.refused(allocations=({**ONE, "as_of": EARLIER}, {**TWO, "as_of": EARLIER})))
    assert (older.column, "this one is older" in older.reason) == ("as_of", True)
    assert desk.give(allocations=({**ONE, "as_of": LATER}, {**TWO, "as_of": LATER})).ok


@pytest.mark.fault("B13")
def test_another_snapshot_of_the_same_moment_is_refused(desk: Desk) -> None:
    desk.take(allocations=(ONE, TWO))
    third: dict[str, str] = {**TWO, "account_class": "pab"}
    for rows in ((ONE, {**TWO, "quantity": "5.1"}), (ONE,), (ONE, TWO, third)):
        problem = only(desk.refused(allocations=rows))
        assert "another snapshot of the same moment" in problem.reason


@pytest.mark.fault("B13")
def test_the_same_snapshot_in_another_file_says_nothing_new(desk: Desk) -> None:
    desk.take(allocations=(ONE, TWO))
    result = desk.give(allocations=(TWO, ONE))
    assert (result.is_noop, result.unchanged) == (True, 2)
    more = desk.give(allocations=(TWO, ONE, {"asset_id": USDC, "quantity": "1"}))
    assert [type(row.record) for row in more.records] == [Allocation]


def test_each_asset_and_location_has_its_own_moment_and_only_one(desk: Desk) -> None:
    torn = only(desk.refused(allocations=(ONE, {**TWO, "as_of": LATER})))
    assert (torn.line, torn.column) == (3, "as_of")
    assert "line 2" in torn.reason
    assert desk.give(allocations=(ONE, {**TWO, "as_of": LATER, "asset_id": USDC})).ok
    assert desk.give(allocations=(ONE, {**TWO, "as_of": LATER, "location": "pool:P-1"})).ok


@pytest.mark.fault("B6")
def test_a_client_is_closed_by_an_explicit_zero_and_never_by_silence(desk: Desk) -> None:
    desk.take(allocations=(ONE, TWO))
    silent = only(desk.refused(allocations=({**ONE, "as_of": LATER},)))
    assert (silent.line, silent.column, silent.value) == (2, "client_id", "C-2")
    assert "0 to close" in silent.reason
    desk.take(allocations=({**ONE, "as_of": LATER}, {**TWO, "quantity": "0", "as_of": LATER}))
    assert desk.give(allocations=({**ONE, "as_of": LAST},)).ok


def test_silence_about_another_class_or_a_gas_float_is_noticed_too(desk: Desk) -> None:
    float_row = {"client_id": "FIRM", "account_class": "proprietary", "quantity": "0.1", "kind": "gas_float"}
    desk.take(allocations=(ONE, {**ONE, "account_class": "pab"}, float_row))
    problems = desk.refused(allocations=({**ONE, "as_of": LATER},))
    assert [problem.value for problem in problems] == ["C-1", "FIRM"]
    assert "(pab)" in problems[0].reason
    assert "(gas float)" in problems[1].reason


def test_movements_count_when_a_snapshot_is_checked_for_silence(desk: Desk) -> None:
    desk.take(allocations=(ONE,))
    gain = {"entry_id": "E-5", "client_id": "C-2", "quantity": "1", "effective_at": BETWEEN}
    snapshot = ({**ONE, "as_of": LATER},)
    assert only(desk.refused(allocations=snapshot, ledger_entries=(gain,))).value == "C-2"
    assert desk.give(allocations=snapshot, ledger_entries=({**gain, "effective_at": LAST},)).ok
    desk.take(ledger_entries=(gain,))
    assert only(desk.refused(allocations=snapshot)).value == "C-2"


@pytest.mark.fault("B13")
def test_a_back_dated_movement_is_accepted_and_noted(desk: Desk) -> None:
    desk.take(allocations=(ONE,))
    result = desk.give(ledger_entries=({"effective_at": EARLIER},))
    assert result.ok
    assert ["takes effect before the newest snapshot" in notice.text for notice in result.notices] == [True]
    assert not desk.give(ledger_entries=({"effective_at": LATER},)).notices


@pytest.mark.fault("D3")
def test_a_movement_below_zero_is_accepted_and_a_negative_snapshot_is_not(desk: Desk) -> None:
    desk.take(allocations=({**ONE, "quantity": "1"}, TWO))
    assert desk.give(ledger_entries=({"quantity": "-3"},)).ok
    assert "negative" in only(desk.refused(allocations=({**ONE, "quantity": "-2", "as_of": LATER},))).reason


def test_a_correction_names_an_entry_that_exists(desk: Desk) -> None:
    correction = {"entry_id": "E-2", "kind": "correction", "corrects": "E-1", "quantity": "0.5"}
    problem = only(desk.refused(ledger_entries=(correction,)))
    assert (problem.column, problem.value) == ("corrects", "E-1")
    assert desk.give(ledger_entries=(correction, {})).ok
    desk.take(ledger_entries=({},))
    assert desk.give(ledger_entries=(correction,)).ok


def test_the_entry_a_snapshot_made_can_be_corrected(desk: Desk) -> None:
    result = desk.give(allocations=(ONE,))
    made = desk.book.apply(result.records, [result.files[0].digest])
    correction = {"entry_id": "E-2", "kind": "correction", "quantity": "0.5"}
    assert desk.give(ledger_entries=({**correction, "corrects": made[0].record.entry_id},)).ok
    other = f"snapshot:{'0' * 64}:2"
    assert "no ledger entry" in only(desk.refused(ledger_entries=({**correction, "corrects": other},))).reason


def test_a_gas_float_is_corrected_as_one(desk: Desk) -> None:
    gas = {"client_id": "FIRM", "account_class": "proprietary", "kind": "gas_float", "quantity": "0.2"}
    desk.take(ledger_entries=({**gas, "entry_id": "G-1"}, {}))
    wrong = {**gas, "entry_id": "G-2", "corrects": "G-1", "kind": "correction"}
    assert "of kind gas_float" in only(desk.refused(ledger_entries=(wrong,))).reason
    assert desk.give(ledger_entries=({**wrong, "kind": "gas_float"},)).ok
    assert (
        "of kind correction"
        in only(desk.refused(ledger_entries=({**gas, "entry_id": "G-3", "corrects": "E-1"},))).reason
    )


@pytest.mark.fault("B11")
def test_a_segregated_wallet_has_one_client(desk: Desk) -> None:
    here = {"location": at(SEGREGATED)}
    problem = only(desk.refused(allocations=({**ONE, **here}, {**TWO, **here})))
    assert problem.column == "client_id"
    assert "C-1 and C-2" in problem.reason
    assert desk.give(allocations=({**ONE, **here}, {**TWO, **here, "quantity": "0"})).ok
    assert desk.give(allocations=(ONE, TWO)).ok


@pytest.mark.fault("B11")
@pytest.mark.parametrize("asset_id", [ETH, USDC])
def test_a_second_client_is_refused_against_the_book_whatever_the_asset(desk: Desk, asset_id: str) -> None:
    here = {"location": at(SEGREGATED)}
    desk.take(allocations=({**ONE, **here},))
    move = {**here, "client_id": "C-2", "asset_id": asset_id, "quantity": "1"}
    problem = only(desk.refused(ledger_entries=(move,)))
    assert (problem.file, problem.value) == ("ledger_entries.csv", "C-2")
    assert desk.give(ledger_entries=({**move, "client_id": "C-1"},)).ok


@pytest.mark.fault("B11")
def test_a_segregated_wallet_passes_from_one_client_to_the_next(desk: Desk) -> None:
    here = {"location": at(SEGREGATED)}
    desk.take(allocations=({**ONE, **here},))
    leave = {**here, "entry_id": "E-1", "quantity": "-10", "effective_at": LATER}
    come = {**here, "entry_id": "E-2", "client_id": "C-2", "quantity": "10"}
    assert desk.give(ledger_entries=(leave, {**come, "effective_at": LATER})).ok
    assert desk.give(ledger_entries=(leave, {**come, "effective_at": LAST})).ok
    overlap = only(desk.refused(ledger_entries=(leave, {**come, "effective_at": BETWEEN})))
    assert "2026-02-01T12:00:00" in overlap.reason


@pytest.mark.fault("B11")
def test_the_firm_is_another_client_but_its_gas_float_is_not(desk: Desk) -> None:
    here = {"location": at(SEGREGATED)}
    firm = {**here, "client_id": "FIRM", "account_class": "proprietary", "quantity": "0.1"}
    assert "C-1 and FIRM" in only(desk.refused(allocations=({**ONE, **here}, firm))).reason
    assert desk.give(allocations=({**ONE, **here}, {**firm, "kind": "gas_float"})).ok


@pytest.mark.fault("B11")
def test_a_wallet_of_two_clients_does_not_become_segregated(desk: Desk) -> None:
    desk.take(allocations=(ONE, TWO))
    change = {"structure": "fully_segregated", "gas_float_limit": "0.5"}
    assert only(desk.refused(wallets=(change,))).column == "structure"
    desk.take(allocations=({**ONE, "as_of": LATER}, {**TWO, "quantity": "0", "as_of": LATER}))
    # Two clients were here while the wallet was omnibus; what counts is that there is one now, and from now on.
    desk.take(wallets=(change,))
    come = {"client_id": "C-2", "quantity": "1", "effective_at": LAST}
    assert "C-1 and C-2" in only(desk.refused(ledger_entries=(come,))).reason
    assert desk.give(ledger_entries=({**come, "client_id": "C-1"},)).ok


def test_an_asset_is_in_a_pool_or_in_its_wallets(desk: Desk) -> None:
    pool, wallet = {"location": "pool:P-1"}, {"location": at(POOLED)}
    problem = only(desk.refused(allocations=({**ONE, **pool}, {**TWO, **wallet})))
    assert (problem.column, "pool:P-1" in problem.reason) == ("location", True)
    assert desk.give(allocations=({**ONE, **pool}, {**TWO, **wallet, "asset_id": USDC})).ok
    assert desk.give(allocations=({**ONE, **pool}, TWO)).ok
    desk.take(allocations=({**ONE, **pool},))
    move = {**wallet, "entry_id": "E-3", "quantity": "1"}
    assert "pool:P-1" in only(desk.refused(ledger_entries=(move,))).reason
    leave = {**pool, "entry_id": "E-2", "quantity": "-10", "effective_at": LATER}
    assert desk.give(ledger_entries=(leave, {**move, "effective_at": LAST})).ok
    assert not desk.give(ledger_entries=(leave, {**move, "effective_at": BETWEEN})).ok


def test_a_wallet_with_an_allocation_joins_no_pool_of_the_same_asset(desk: Desk) -> None:
    desk.take(allocations=({**ONE, "location": "pool:P-1"}, TWO))
    join = {"address": OMNIBUS, "from_date": "2026-02-15"}
    problem = only(desk.refused(pools=(join,)))
    assert (problem.file, problem.column) == ("pools.csv", "pool_id")
    out = {"entry_id": "E-7", "client_id": "C-2", "quantity": "-5", "effective_at": LAST}
    assert desk.give(pools=(join,), ledger_entries=(out,)).ok
    assert desk.give(pools=({**join, "pool_id": "P-2"},)).ok


def test_a_wallet_that_left_the_pool_has_its_own_allocations(desk: Desk) -> None:
    desk.take(allocations=({**ONE, "location": "pool:P-1"},))
    move = {"location": at(POOLED), "quantity": "1", "effective_at": LAST}
    assert not desk.give(ledger_entries=(move,)).ok
    desk.take(pools=({"to_date": "2026-02-02"},))
    assert desk.give(ledger_entries=(move,)).ok
    assert not desk.give(ledger_entries=({**move, "effective_at": LATER},)).ok


@pytest.mark.fault("B13")
def test_posted_allocations_state_one_client_each(desk: Desk) -> None:
    for changes in (ONE, TWO):
        result = desk.post("allocations", **changes)
        desk.keep(result)
        assert len(result.records) == 1
    again = desk.post("allocations", **TWO)
    assert (again.is_noop, again.files[0].already_imported) == (True, True)
    other = only(desk.post("allocations", **{**TWO, "quantity": "6"}).problems)
    assert "another snapshot of the same moment" in other.reason
    assert "this one is older" in only(desk.post("allocations", **{**TWO, "as_of": EARLIER}).problems).reason
    desk.keep(desk.post("allocations", **{**TWO, "quantity": "6", "as_of": LATER}))
    entries = [entry.base_units for entry in desk.book.entries_at([LocationId(at(OMNIBUS))])]
    assert entries == [10 * 10**18, 5 * 10**18, 10**18]


def test_securities_have_snapshots_and_movements_too(desk: Desk) -> None:
    place = {"location": "dtc:0123", "asset_id": AAPL}
    desk.take(allocations=({**ONE, **place},))
    assert "decimals" in only(desk.refused(ledger_entries=({**place, "quantity": "0.5"},))).reason
    result = desk.give(ledger_entries=({**place, "quantity": "-5"},))
    entry = result.records[0].record
    assert isinstance(entry, LedgerEntry)
    assert entry.base_units == -5
