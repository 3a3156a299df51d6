"""Several worker processes on a real PostgreSQL before a real node: whatever dies, the same records in the end."""

from __future__ import annotations

import json
import signal
import time

import pytest

from tests.verifier.workers.conftest import Calm, NewSite, finished, outcomes

pytestmark = [pytest.mark.postgres, pytest.mark.devnet]

ENDLESS = 3_600
"""Patience, in seconds, of a sweep that must leave all reading to the workers."""


def test_two_workers_share_a_sweep_and_end_with_the_records_of_one_process(new_site: NewSite, calm: Calm) -> None:
    site = new_site(patience_seconds=ENDLESS)
    assert site.firm("worker", "--prepare", "--json").json == {"queue": "made"}
    assert site.firm("worker", "--prepare", "--json").json == {"queue": "kept"}
    workers = [site.start("worker", "--json") for _ in range(2)]
    code, out, err = finished(site.start("sweep", "--json"))
    assert code == 0, err
    answer, wanted = json.loads(out), calm.answer.json
    assert {key: answer[key] for key in ("expected", "matched", "diverged", "unverified")} == {
        key: wanted[key] for key in ("expected", "matched", "diverged", "unverified")
    }
    stored: list[int] = []
    for worker in workers:
        began = time.monotonic()
        worker.send_signal(signal.SIGTERM)
        code, out, err = finished(worker)
        assert code == 0, err
        assert time.monotonic() - began < 10
        stored += [each["shard"] for each in outcomes(out) if each["outcome"] == "stored"]
    assert sorted(stored) == list(range(calm.shards)), "each shard was stored by exactly one of them"
    site.assert_same_as(calm)
