"""The scaling model: what it multiplies, what it marks, and that the document shows what it prints."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.scaling_model import (
    FIRMS,
    MEASURED,
    MEMORY_PER_PARTITION,
    Asked,
    Measured,
    answer,
    cost_per_month,
    markdown,
    rows,
)

ROOT = Path(__file__).resolve().parents[2]
ROUND = Measured("made up", 50_000, 200.0, 0.0001, 1_000.0, 300.0, 10**8, 2_000.0)


def test_it_multiplies() -> None:
    found = answer(Asked(wallets=100_000, assets=3, sweeps_per_day=24, ledger_entries=1_000_000), ROUND)
    assert (found.holdings, found.storage_bytes_per_day) == (300_000, 300_000 * 24 * 200)
    assert found.mapped_bytes == 100_000 * 1_000 + 1_000_000 * 300
    assert found.sweep_seconds == pytest.approx(30)
    assert found.balances_per_second == pytest.approx(300_000 * 24 / 86_400)
    assert found.requests_per_day == 24 * 60
    assert found.memory_bytes == 10**8 + 300_000 * 2_000
    assert (found.partitions, found.is_extrapolated) == (1, True)
    assert found.processor_hours_per_day == pytest.approx(0.2)
    stored = (found.mapped_bytes + 365 * found.storage_bytes_per_day) / 10**9
    assert cost_per_month(found, 2.0, 0.5) == pytest.approx(0.2 * 30 * 2 + stored * 0.5)


def test_partitions_come_from_memory_or_from_time_whichever_is_tighter() -> None:
    asked = Asked(wallets=10_000_000, assets=3, sweeps_per_day=1, ledger_entries=0)
    by_memory = answer(asked, ROUND, 10 * 10**9)
    assert by_memory.partitions == 7, "60 GB of holdings into what 0.1 GB leaves of 10"
    by_time = answer(replace(asked, sweeps_per_day=288), ROUND, 10**12)
    assert by_time.partitions == 10, "288 sweeps of 3,000 seconds"


def test_what_nobody_ran_is_marked() -> None:
    firms = [replace(FIRMS[0], wallets=wallets) for wallets in (50_000, 50_001)]
    assert [row[-1] for row in rows(firms, [ROUND], 10**12)] == ["", "extrapolated"]
    larger = replace(ROUND, wallets=50_001)
    assert [row[-1] for row in rows(firms, [larger, ROUND], 10**12)] == ["", "", "", "extrapolated"]
    assert max(firm.wallets for firm in FIRMS) == 50_000_000
    assert max(firm.ledger_entries for firm in FIRMS) == 100_000_000


def test_the_document_shows_what_the_model_prints() -> None:
    text = (ROOT / "docs" / "scaling.md").read_text(encoding="utf-8")
    assert markdown(rows(FIRMS, MEASURED, MEMORY_PER_PARTITION)) in text
    assert markdown(rows(FIRMS, [ROUND], MEMORY_PER_PARTITION)) not in text, "other figures would be noticed"


def test_the_measuring_measures(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.scaling_measure", "--wallets", "40"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert (found["database"], found["wallets"]) == ("sqlite", 40)
    assert found.pop("books_seconds") >= 0  # told in tenths
    assert all(value > 0 for name, value in found.items() if name not in ("database", "wallets"))
