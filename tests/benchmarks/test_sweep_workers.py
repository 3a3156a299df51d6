"""Sweeps with real workers on a real PostgreSQL, at the smallest size; and what ends the measuring."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

import pytest

from benchmarks.evm_holders import Crowd, empty_crowd
from benchmarks.measure import ResultsDiffer
from benchmarks.postgres_rows import connected, copy_the_same, newest_entry
from benchmarks.sweep_workers import measure
from benchmarks.sweep_workers_firm import make_case
from benchmarks.sweep_workers_once import shared
from benchmarks.worker_processes import running_workers, server_cpu_clock
from chains.devnet.anvil import AnvilProcess
from tests.postgres import MOMENT, PostgresServer
from verifier.store import open_store
from verifier.store.work_queue import prepare_queue

WALLETS = 8


@pytest.fixture(scope="module")
def crowd(anvil_binary: Path) -> Iterator[Crowd]:
    """A few holders."""
    with AnvilProcess(binary=anvil_binary) as process:
        found = empty_crowd(process.node)
        found.grow(WALLETS)
        yield found


@pytest.mark.devnet
@pytest.mark.postgres
def test_a_worker_reads_every_shard_and_the_peer_writes_the_same_rows(
    crowd: Crowd, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    with closing(measure(crowd, tmp_path, postgres_server, workers=(0, 1))) as measuring:
        results = list(islice(measuring, 3))
    assert [result.case.rpartition("PostgreSQL, ")[2] for result in results] == [
        "first sweep, no worker",
        "first sweep, 1 worker",
        "next sweep, no worker",
    ]
    assert [result.notes["shards"] for result in results] == [{"sweep": 4}, {"worker 1": 4}, {"sweep": 4}]
    for result in results:
        rows, floor = result.notes["rows"], result.notes["node_floor"]
        assert isinstance(rows, dict)
        assert isinstance(floor, dict)
        assert (rows["balance_observation"], rows["reconciliation"], rows["sweep_shard"]) == (24, 24, 4)
        assert ("roll_forward" in rows) == ("next sweep" in result.case)
        assert floor["requests"] > 4, "of the sweep without workers, also where workers read"
        assert result.ratio_to_peer > 0
        assert result.ratio_to_floor > 0
        assert json.loads(result.to_json())["notes"] == result.notes


@pytest.mark.devnet
@pytest.mark.postgres
def test_a_sweep_that_does_not_match_is_no_measurement(
    crowd: Crowd, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    true = crowd.balances[0]
    crowd.balances[0] = tuple(units + 1 for units in true)  # the books claim more than there is
    try:
        with pytest.raises(ResultsDiffer, match="of 24 holdings matched"):
            list(measure(crowd, tmp_path, postgres_server, workers=(0,)))
    finally:
        crowd.balances[0] = true


@pytest.mark.devnet
@pytest.mark.postgres
def test_a_worker_that_cannot_begin_is_not_waited_for(
    crowd: Crowd, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    url = postgres_server.empty_database()
    try:
        prepare_queue(url)  # but the database has no schema of the firm
        case = make_case(crowd, tmp_path, url, 1)
        words = re.compile("worker 1 ended with 2: .*schema", re.DOTALL)
        with pytest.raises(ResultsDiffer, match=words), running_workers(case.config, url, 1, "first"):
            pass
    finally:
        postgres_server.drop(url)


def test_a_shard_that_no_worker_stored_is_no_measurement() -> None:
    assert shared({0, 1, 2}, []) == {"sweep": 3}
    assert shared({0, 1, 2}, [[2, 0], [1]]) == {"worker 1": 2, "worker 2": 1}
    assert shared({0, 1, 2}, [[2, 0, 1], []]) == {"worker 1": 3, "worker 2": 0}
    with pytest.raises(ResultsDiffer, match="workers stored 2 shards, 3 were planned"):
        shared({0, 1, 2}, [[0], [2]])
    with pytest.raises(ResultsDiffer, match="workers stored 4 shards, 3 were planned"):
        shared({0, 1, 2}, [[0, 1, 2], [1]])


@pytest.mark.postgres
def test_rows_that_differ_end_the_bare_insert(postgres_server: PostgresServer) -> None:
    swept = postgres_server.database()
    before = postgres_server.copy_of(swept)
    other = postgres_server.copy_of(swept)
    try:
        entry = newest_entry(swept)
        with pytest.raises(ResultsDiffer, match=f"nothing was written after journal entry {entry}"):
            copy_the_same(swept, before, entry)
        with closing(open_store(swept)) as store, store.record("node.probed", "benchmark", {}, MOMENT) as unit:
            unit.text_keys(["one", "two"])
        copied = copy_the_same(swept, before, entry, server_cpu_clock(swept))
        assert copied.rows == {"journal_entry": 1, "interned_text": 2, "journal_seal": 1}
        assert newest_entry(before) == newest_entry(swept) == entry + 1
        with connected(other) as connection:
            connection.execute("INSERT INTO interned_text (record_id, journal_sequence, text) VALUES (99, 1, 'three')")
        with pytest.raises(ResultsDiffer, match="interned_text has 3 rows, the sweep left 2"):
            copy_the_same(swept, other, entry)
    finally:
        for url in (swept, before, other):
            postgres_server.drop(url)


@pytest.mark.postgres
def test_the_servers_time_counts_processes_that_ended(postgres_server: PostgresServer) -> None:
    url = postgres_server.empty_database()
    try:
        clock = server_cpu_clock(url)
        if clock is None:
            pytest.skip("the server's processes cannot be seen from here")
        before = clock()
        for _ in range(2):
            with connected(url) as connection:
                connection.execute("SELECT sum(sqrt(each)) FROM generate_series(1, 500000) AS each")
        assert clock() > before
    finally:
        postgres_server.drop(url)
