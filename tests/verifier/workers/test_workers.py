"""Several worker processes on a real PostgreSQL before a real node: whatever dies, the same records in the end."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from typing import Any

import pytest

from tests.verifier.workers.conftest import SECONDS_MAX, Calm, NewSite, Site, finished, first_line, outcomes, wait_until
from tests.verifier.workers.gate import Gate
from verifier.process_identity import ProcessIdentity

pytestmark = [pytest.mark.postgres, pytest.mark.devnet]

ENDLESS = 3_600
"""Patience, in seconds, of a sweep that must leave all reading to the workers."""


def totals(answer: dict[str, Any]) -> dict[str, int]:
    """What a sweep came to."""
    return {key: answer[key] for key in ("exit_code", "expected", "matched", "diverged", "unverified", "cases_opened")}


def swept(sweep: subprocess.Popen[str]) -> dict[str, int]:
    """What a sweep of another process came to, when it has ended."""
    code, out, err = finished(sweep)
    assert out, err
    answer = json.loads(out)
    assert code == answer.get("exit_code"), answer
    return totals(answer)


def test_two_workers_share_a_sweep_and_end_with_the_records_of_one_process(new_site: NewSite, calm: Calm) -> None:
    site = new_site(patience_seconds=ENDLESS)
    assert site.firm("worker", "--prepare", "--json").json == {"queue": "made"}
    assert site.firm("worker", "--prepare", "--json").json == {"queue": "kept"}
    workers = [site.start("worker", "--json") for _ in range(2)]
    wait_until(lambda: site.workers_listening() == len(workers), "both listen")
    assert swept(site.start("sweep", "--json")) == totals(calm.answer.json)
    stored: list[int] = []
    for worker in workers:
        worker.send_signal(signal.SIGTERM)
        code, out, err = finished(worker)
        assert code == 0, err
        stored += [each["shard"] for each in outcomes(out) if each["outcome"] == "stored"]
    assert sorted(stored) == list(range(calm.shards)), "each shard was stored by exactly one of them"
    site.assert_same_as(calm)


def held_shards(site: Site) -> dict[int, int]:
    """Process number of each worker that holds a shard, with the shard's number."""
    found: dict[int, int] = {}
    for lease, _, _ in site.store.leases():
        process = ProcessIdentity.parse(lease.holder)
        if lease.name.startswith("shard:") and process is not None:
            found[process.process_id] = int(lease.name.rpartition(":")[2])
    return found


@pytest.mark.fault("C1")
def test_a_worker_killed_with_a_shard_in_flight_costs_nothing(new_site: NewSite, calm: Calm, gate: Gate) -> None:
    site = new_site(patience_seconds=ENDLESS)
    assert site.firm("worker", "--prepare").code == 0
    gate.close(after=8)  # it stores a shard or two first
    victim = site.start("worker", "--json", config=site.config_before(gate))
    sweep = site.start("sweep", "--json")
    assert gate.wait_for_somebody(SECONDS_MAX)
    shard = held_shards(site)[victim.pid]
    victim.kill()
    other = site.start("worker", "--json")
    assert swept(sweep) == totals(calm.answer.json)
    other.send_signal(signal.SIGTERM)
    before = {each["shard"] for each in outcomes(finished(victim)[1]) if each["outcome"] == "stored"}
    after = {each["shard"] for each in outcomes(finished(other)[1]) if each["outcome"] == "stored"}
    assert shard in after, "what was in flight was read by the other one"
    assert before | after == set(range(calm.shards))
    assert not before & after
    site.assert_same_as(calm)


@pytest.mark.fault("C6")
def test_a_worker_that_slept_through_its_lease_writes_nothing(new_site: NewSite, calm: Calm, gate: Gate) -> None:
    site = new_site(patience_seconds=ENDLESS, lease_seconds=2)
    assert site.firm("worker", "--prepare").code == 0
    gate.close()
    sleeper = site.start("worker", "--json", config=site.config_before(gate))
    sweep = site.start("sweep", "--json")
    assert gate.wait_for_somebody(SECONDS_MAX)
    shard = held_shards(site)[sleeper.pid]
    assert shard not in site.stored()
    site.put_to_sleep(sleeper)
    other = site.start("worker", "--json")
    wait_until(lambda: shard in site.stored(), "the other worker takes the shard over")
    gate.open()
    sleeper.send_signal(signal.SIGCONT)
    (told,) = outcomes(first_line(sleeper))  # before it is told to stop, which it would say instead
    assert (told["shard"], told["outcome"]) == (shard, "lost"), "its late write was refused"
    assert swept(sweep) == totals(calm.answer.json)
    for worker in (sleeper, other):
        worker.send_signal(signal.SIGTERM)
        finished(worker)
    site.assert_same_as(calm)


@pytest.mark.fault("C5", "C1")
def test_of_two_schedulers_one_sweeps_and_the_other_takes_over(new_site: NewSite, calm: Calm, gate: Gate) -> None:
    site = new_site(patience_seconds=ENDLESS)
    assert site.firm("worker", "--prepare").code == 0
    gate.close(after=8)
    worker = site.start("worker", "--json", config=site.config_before(gate))
    first = site.start("sweep", "--json")
    assert gate.wait_for_somebody(SECONDS_MAX)
    refused = site.firm("sweep", "--json")
    assert (refused.code, refused.error) == (2, "lease-held")
    first.kill()
    finished(first)
    second = site.start("sweep", "--json")
    gate.open()
    assert swept(second) == totals(calm.answer.json)
    worker.send_signal(signal.SIGTERM)
    stored = [each["shard"] for each in outcomes(finished(worker)[1]) if each["outcome"] == "stored"]
    assert sorted(stored) == list(range(calm.shards)), "what stood when the first one died was not read again"
    site.assert_same_as(calm)


@pytest.mark.fault("C18")
def test_a_worker_told_to_stop_in_a_shard_hands_it_on(new_site: NewSite, calm: Calm, gate: Gate) -> None:
    site = new_site(patience_seconds=ENDLESS)
    assert site.firm("worker", "--prepare").code == 0
    gate.close()
    told = site.start("worker", "--json", config=site.config_before(gate))
    sweep = site.start("sweep", "--json")
    assert gate.wait_for_somebody(SECONDS_MAX)
    shard = held_shards(site)[told.pid]
    began = time.monotonic()
    told.send_signal(signal.SIGTERM)
    code, out, err = finished(told)
    assert code == 0, err
    assert time.monotonic() - began < 60, "ten seconds, and room for a busy machine; the shard waits for minutes"
    assert outcomes(out)[0]["outcome"] == "stopped"
    assert held_shards(site) == {}, "nobody has to wait for its lease to run out"
    assert shard not in site.stored()
    other = site.start("worker", "--json")
    assert swept(sweep) == totals(calm.answer.json)
    other.send_signal(signal.SIGTERM)
    stored = [each["shard"] for each in outcomes(finished(other)[1]) if each["outcome"] == "stored"]
    assert sorted(stored) == list(range(calm.shards))
    site.assert_same_as(calm)


def test_what_no_worker_takes_the_sweep_reads_itself(new_site: NewSite, calm: Calm) -> None:
    site = new_site(patience_seconds=0)
    missing = site.firm("sweep", "--json")
    assert (missing.code, missing.error) == (2, "queue-missing")
    assert site.firm("worker", "--prepare").code == 0
    assert totals(site.firm("sweep", "--json").json) == totals(calm.answer.json)
    site.assert_same_as(calm)
    late = site.firm("worker", "--once", "--json")
    assert late.code == 0
    assert {each["outcome"] for each in outcomes(late.out)} == {"done_before"}, (
        "what waited in the queue means nothing now"
    )
    site.assert_same_as(calm)
