"""The benchmark of latency at its smallest size, on a real Anvil."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import latency
from benchmarks.latency import measure
from benchmarks.latency_firm import Firm, firm_before
from benchmarks.measure import ResultsDiffer
from chains.devnet.anvil import AnvilProcess
from verifier.watch import WatchEvent

pytestmark = pytest.mark.devnet


@pytest.fixture
def firm(anvil_binary: Path, tmp_path: Path) -> Iterator[Firm]:
    """Three wallets on a chain of their own."""
    with AnvilProcess(binary=anvil_binary) as process:
        yield firm_before(process.node, f"sqlite:///{tmp_path / 'custody.db'}", 3)


def test_every_payment_gets_its_case(firm: Firm) -> None:
    result = measure(firm, 2, subscribed=True)
    times = result.notes["milliseconds"]
    assert isinstance(times, dict)
    assert times["events"] == 2
    assert 0 < times["min"] <= times["median"] <= times["max"] < 10_000
    assert result.floor_value > result.value, "a look cannot be quicker than what it asks for"
    assert result.case.endswith("subscription")


def test_a_payment_without_a_case_is_no_measurement(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    def of_another(event: WatchEvent, tx_id: str) -> bool:
        return False

    monkeypatch.setattr(latency, "_names", of_another)
    monkeypatch.setattr(latency, "WAIT_SECONDS_MAX", 1.5)
    with pytest.raises(ResultsDiffer, match="no case in time"):
        measure(firm, 1, subscribed=False)
