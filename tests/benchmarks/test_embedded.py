"""The embedded default at a small size: the real command on a real Anvil; and that wrong answers end the measuring."""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from benchmarks.embedded import measure
from benchmarks.embedded_books import split, write_books
from benchmarks.evm_holders import Crowd, empty_crowd
from benchmarks.measure import ResultsDiffer
from benchmarks.own_process import Taken, run
from chains.devnet.anvil import AnvilProcess
from tests.cli.command import custody

MEGABYTE = 10**6
STEPS = [
    "init", "import", "first sweep", "next sweep", "sweep after a loss", "status", "export", "verify",
    "journal verify",
]  # fmt: skip


@pytest.fixture(scope="module")
def crowd(anvil_binary: Path) -> Iterator[Crowd]:
    """Two hundred holders."""
    with AnvilProcess(binary=anvil_binary) as process:
        found = empty_crowd(process.node)
        found.grow(200)
        yield found


def in_this_process(arguments: Sequence[str], out: Path) -> Taken:
    """The command, its libraries loaded once for all steps."""
    answer = custody(*arguments)
    out.write_text(answer.out, encoding="utf-8")
    return Taken(answer.code, 1.0, 1.0, MEGABYTE)


@pytest.mark.devnet
def test_a_firm_goes_from_its_files_to_a_verified_bundle(crowd: Crowd, tmp_path: Path) -> None:
    before = crowd.node.snapshot()
    found = measure(crowd, tmp_path, 10, in_this_process)
    assert crowd.node.revert(before)
    assert list(found["steps"]) == STEPS
    assert [step["exit_code"] for step in found["steps"].values()] == [0, 0, 0, 0, 1, 1, 0, 0, 0]
    assert (found["wallets"], found["holdings"], found["allocations"]) == (200, 600, 2_000)
    sizes = [step["database_bytes"] for step in found["steps"].values()]
    assert sizes == sorted(sizes), "nothing is ever taken out of the database"
    assert 0 < found["database_bytes_per_sweep"] < sizes[-1]
    assert found["bundle_bytes"] > 100_000


@pytest.mark.devnet
def test_books_that_are_not_the_chains_are_no_measurement(crowd: Crowd, tmp_path: Path) -> None:
    true = crowd.balances[0]
    crowd.balances[0] = tuple(units + 1 for units in true)  # the books claim more than there is
    try:
        with pytest.raises(ResultsDiffer, match="first sweep ended with 1 instead of 0"):
            measure(crowd, tmp_path, 10, in_this_process)
    finally:
        crowd.balances[0] = true


@pytest.mark.devnet
def test_allocations_are_as_many_as_asked_for_and_sum_to_the_chain(crowd: Crowd, tmp_path: Path) -> None:
    assert write_books(crowd, tmp_path / "books", 10) == 2_000
    with (tmp_path / "books" / "allocations.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({(row["client_id"], row["location"], row["asset_id"]) for row in rows}) == len(rows) == 2_000
    sums: Counter[tuple[str, str]] = Counter()
    for row in rows:
        (asset,) = [each for each in crowd.assets if each.asset_id == row["asset_id"]]
        sums[row["location"].rpartition(":")[2], row["asset_id"]] += asset.parse_quantity(row["quantity"])
    held = {
        (holding.address, holding.asset.asset_id): units
        for holding, units in zip(crowd.holdings, crowd.expected, strict=True)
        if units
    }
    assert sums == held
    assert min(Decimal(row["quantity"]) for row in rows) > 0


@pytest.mark.parametrize(
    ("units", "shares", "parts"),
    [(10, 4, [1, 2, 3, 4]), (4, 4, [1, 1, 1, 1]), (100, 1, [100]), (101, 3, [16, 33, 52])],
)
def test_a_balance_is_split_without_a_rest(units: int, shares: int, parts: list[int]) -> None:
    assert split(units, shares) == parts


def test_a_process_is_charged_with_its_own_memory_and_time(tmp_path: Path) -> None:
    ballast = b"x" * 200 * MEGABYTE
    small = run([sys.executable, "-S", "-c", "print('done')"], tmp_path / "small")
    large = run([sys.executable, "-S", "-c", "b'x' * 10**8; raise SystemExit(3)"], tmp_path / "large")
    assert (tmp_path / "small").read_text(encoding="utf-8") == "done\n"
    assert (small.exit_code, large.exit_code) == (0, 3)
    assert small.peak_rss_bytes < 100 * MEGABYTE < large.peak_rss_bytes, "not with what who starts it holds"
    assert len(ballast) == 200 * MEGABYTE
    assert small.processor_seconds <= small.wall_seconds * 2
