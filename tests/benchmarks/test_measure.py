"""Measuring itself: nothing is timed before every side was found right, and the best run counts."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable

import pytest

from benchmarks.measure import Result, ResultsDiffer, Side, check_then_time, peak_rss_bytes, process_cpu_clock


def counted(name: str, outcome: object, runs: list[str], expected: object = (1, 2, 3)) -> Side:
    def run() -> object:
        runs.append(name)
        return outcome

    return Side(name, run, work=3, values=lambda found: found, expected=expected)


def test_sides_run_in_turn_after_all_were_checked() -> None:
    runs: list[str] = []
    timings = check_then_time([counted("a", (1, 2, 3), runs), counted("b", (1, 2, 3), runs)], rounds=2)
    assert runs == ["a", "b", "a", "b", "a", "b"]
    assert {name: timing.work for name, timing in timings.items()} == {"a": 3, "b": 3}
    assert all(timing.per_second > 0 and timing.peak_rss_bytes > 1_000_000 for timing in timings.values())


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ((1, 2, 4), "1 of 3 results differ, the first at place 2"),
        ((1, 2), "2 results instead of 3"),
        ((1, 2, None), "1 of 3 results differ, the first at place 2"),
        (None, "the results differ"),
    ],
)
def test_a_side_with_wrong_results_stops_before_timing(wrong: object, text: str) -> None:
    runs: list[str] = []
    sides = [counted("right", (1, 2, 3), runs), counted("wrong", wrong, runs)]
    with pytest.raises(ResultsDiffer, match=f"wrong: {text}; nothing was timed"):
        check_then_time(sides, rounds=3)
    assert runs == ["right", "wrong"], "each ran once, to be checked"


def test_the_best_round_counts() -> None:
    waits = iter([0.0, 0.03, 0.001, 0.03])
    side = Side("slow at times", lambda: time.sleep(next(waits)), work=1, values=lambda _: True, expected=True)
    assert 0.001 <= check_then_time([side], rounds=3)["slow at times"].seconds < 0.03


def test_short_runs_may_be_repeated_more_often() -> None:
    runs: list[str] = []
    side = Side("short", lambda: runs.append("short"), 1, values=lambda _: True, expected=True, runs_per_round=3)
    check_then_time([side], rounds=2)
    assert len(runs) == 1 + 6


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell")
def test_the_cpu_time_of_a_process_is_seen() -> None:
    clock = process_cpu_clock(os.getpid())
    assert clock is not None
    before = clock()
    _use_cpu(0.02)
    assert 0.02 <= clock() - before < 5


def test_cpu_time_of_both_ends_is_kept_per_unit() -> None:
    ticks = iter(range(100))
    side = Side("busy", lambda: _use_cpu(0.01), work=10, values=lambda _: True, expected=True)
    timing = check_then_time([side], rounds=1, node_cpu=lambda: float(next(ticks)))["busy"]
    assert timing.node_cpu_seconds == 1.0
    assert timing.client_cpu_seconds >= 0.01
    assert timing.where_time_goes["node_cpu_us"] == 100_000.0


def test_peak_is_of_the_run_that_was_checked() -> None:
    before = peak_rss_bytes()

    def large() -> int:
        return len(bytearray(b"x") * 150_000_000)

    side = Side("large", large, 1, values=lambda found: found, expected=150_000_000)
    assert check_then_time([side], rounds=1)["large"].peak_rss_bytes > before + 50_000_000


def test_a_line_for_programs_and_one_for_people() -> None:
    result = Result("c", 300.0, "x/s", "peer", 100.0, "floor", 400.0, 7, {"where": {"wall_us": 1.5}, "n": 2})
    line = json.loads(result.to_json())
    assert line["ratio_to_peer"] == 3.0
    assert line["ratio_to_floor"] == 0.75
    assert line["notes"] == {"where": {"wall_us": 1.5}, "n": 2}
    text = result.to_text()
    assert "300 x/s  = 3.0 x peer (100)  = 75% of floor (400)" in text
    assert "where: wall_us 1.5" in text


def _use_cpu(seconds: float) -> None:
    spend: Callable[[], float] = time.process_time
    end = spend() + seconds
    while spend() < end:
        pass
