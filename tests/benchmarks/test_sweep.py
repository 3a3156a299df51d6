"""The benchmark of a whole sweep at its smallest size, on a real Anvil; and its peer on a database of its own."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.evm_holders import empty_crowd
from benchmarks.measure import ResultsDiffer
from benchmarks.sweep import measure
from benchmarks.sweep_peer import copied, insert_the_same, rows_of
from chains.devnet.anvil import AnvilProcess
from tests.postgres import MOMENT
from verifier.store import open_store


@pytest.mark.devnet
def test_each_sweep_matches_everything_and_the_peer_writes_its_rows(anvil_binary: Path, tmp_path: Path) -> None:
    with AnvilProcess(binary=anvil_binary) as process:
        crowd = empty_crowd(process.node)
        crowd.grow(5)
        first, following, watched = measure(crowd, tmp_path)
    for result in (first, following, watched):
        rows = result.notes["rows"]
        assert isinstance(rows, dict)
        assert (rows["balance_observation"], rows["reconciliation"]) == (15, 15)
        assert result.ratio_to_peer > 0
        assert result.ratio_to_floor > 0
    for later in (following, watched):
        assert isinstance(later.notes["rows"], dict)
        assert later.notes["rows"]["roll_forward"] == 15, "it rolls forward what the one before it read"


@pytest.mark.devnet
def test_a_sweep_that_does_not_match_is_no_measurement(anvil_binary: Path, tmp_path: Path) -> None:
    with AnvilProcess(binary=anvil_binary) as process:
        crowd = empty_crowd(process.node)
        crowd.grow(2)
        crowd.balances[0] = tuple(units + 1 for units in crowd.balances[0])  # the books claim more than there is
        with pytest.raises(ResultsDiffer, match="of 6 holdings matched"):
            next(measure(crowd, tmp_path))


def test_a_row_that_differs_ends_the_bare_insert(tmp_path: Path) -> None:
    database, before = tmp_path / "custody.db", tmp_path / "before.db"
    with closing(open_store(f"sqlite:///{database}")) as store:
        store.migrate("benchmark", MOMENT)
        copied(database, before)
        first_after = rows_of(before)
        with store.record("node.probed", "benchmark", {}, MOMENT) as unit:
            unit.text_keys(["one", "two"])
    other = copied(before, tmp_path / "other.db")
    assert insert_the_same(database, before, first_after).rows["interned_text"] == 2
    with closing(sqlite3.connect(other)) as connection, connection:
        connection.execute("INSERT INTO interned_text (record_id, journal_sequence, text) VALUES (99, 1, 'three')")
    with pytest.raises(ResultsDiffer, match="1 rows of interned_text differ"):
        insert_the_same(database, other, first_after)
