"""The benchmark of the bundle runs: what it makes verifies, and a side that finds something else is not measured."""

from __future__ import annotations

import sys

import pytest

from benchmarks import bundle
from benchmarks.__main__ import NAMES
from benchmarks.bundle_made import make_bundle
from benchmarks.measure import ResultsDiffer
from exports.selfcheck import refusals


def test_writing_and_verifying_are_measured_without_and_with_proofs() -> None:
    assert "bundle" in NAMES
    results = list(bundle.run(quick=True))
    assert [each.case.rpartition(": ")[2] for each in results] == ["written", "verified"] * 2
    for each in results:
        assert each.value > 0
    for verified in results[1::2]:
        assert verified.notes["targets"] == {"under 30 s": "met", "under 500 MB": "met"}
        assert 20e6 < verified.peak_rss_bytes < 200e6, "of the command alone, with its libraries"


@pytest.mark.parametrize("proven", [False, True])
def test_what_is_measured_is_a_bundle_without_a_contradiction(proven: bool) -> None:
    made = make_bundle(5, 12, proven=proven)
    assert refusals(made) == []
    assert (len(made.balances), len(made.allocations), bool(made.proof_nodes)) == (10, 24, proven)


def test_an_answer_that_is_not_the_right_one_stops_it() -> None:
    with pytest.raises(ResultsDiffer, match="exit code 3"):
        bundle.run_child(["-c", "import sys; sys.exit(3)"], {})
    with pytest.raises(ResultsDiffer):
        bundle.run_child(["-c", "print('{\"records\": 4}')"], {"records": 5})
    assert bundle.run_child(["-c", "print('{\"records\": 5}')"], {"records": 5}).peak_rss_bytes > 0


def test_the_peak_is_that_of_the_command_and_not_of_the_process_that_starts_it() -> None:
    kept = bytearray(300 * 10**6)
    assert bundle.run_child(["-c", "print('{}')"], {}).peak_rss_bytes < 100e6
    assert sys.getsizeof(kept) > 300e6
