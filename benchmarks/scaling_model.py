"""How far each step of docs/scaling.md goes: storage, node load, time, memory, partitions, and cost.

`python -m benchmarks.scaling_model` prints the table of docs/scaling.md; the options change what it is asked for. It
multiplies measured figures (`Measured`, each with where it comes from) and knows nothing else. Whatever lies above
what was run on a database (`Measured.wallets`) is extrapolated along a straight line and marked so.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

SECONDS_PER_DAY: Final = 86_400
MEMORY_PER_PARTITION: Final = 16 * 10**9
"""Bytes of memory that the process which judges a sweep may take; a choice of the model, `--memory` changes it."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one run of `python -m benchmarks.scaling_measure` gave, per database."""

    name: str
    wallets: int
    """The largest firm that was run on it. Above it every figure is marked as extrapolated, as nobody ran it."""
    bytes_per_holding_and_sweep: float
    """Observation, reconciliation and their share of indexes and journal: `bytes_per_holding_and_sweep`."""
    seconds_per_holding: float
    """Processor time of plan, reading from memory, storing, reconciling, journal, by one process and without a node."""
    bytes_per_mapped_wallet: float
    """A wallet and one allocation to it: `bytes_per_allocation_and_wallet`."""
    bytes_per_ledger_entry: float
    process_bytes: float
    """Memory of the process before any wallet: where the line through the sizes begins."""
    process_bytes_per_holding: float
    """The slope of that line."""


MEASURED: Final = (
    Measured(
        name="SQLite",
        wallets=100_000,
        bytes_per_holding_and_sweep=190,
        seconds_per_holding=32e-6,
        bytes_per_mapped_wallet=891,
        bytes_per_ledger_entry=215,
        process_bytes=139e6,
        process_bytes_per_holding=3_820,
    ),
    Measured(
        name="PostgreSQL",
        wallets=20_000,
        bytes_per_holding_and_sweep=525,
        seconds_per_holding=22e-6,
        bytes_per_mapped_wallet=1_291,
        bytes_per_ledger_entry=366,
        process_bytes=139e6,
        process_bytes_per_holding=3_820,
    ),
)
"""Two processors (Intel Xeon), Python 3.11, SQLite with 50,000 and PostgreSQL 18 with 20,000 wallets of one token, all
of them matched, three sweeps of one process, other programs running beside. The memory is the line through 5,000 and
50,000 wallets on SQLite, the made-up chain included. On SQLite 100,000 wallets of three assets were run as a whole,
with a real node (`benchmarks.embedded`)."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A firm."""

    wallets: int
    assets: int
    sweeps_per_day: int
    ledger_entries: int
    holdings_per_request: int = 5_000
    """Balances in one request to a node: 30,000 came in 6 (docs in benchmarks/README.md, state override)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What that takes."""

    asked: Asked
    holdings: int
    storage_bytes_per_day: float
    mapped_bytes: float
    sweep_seconds: float
    """Of one process, without the node."""
    balances_per_second: float
    """Asked of the nodes, spread evenly over the day."""
    requests_per_day: float
    memory_bytes: float
    partitions: int
    """Databases, each with a part of the wallets, so that a sweep fits into memory and into its interval."""
    processor_hours_per_day: float
    is_extrapolated: bool
    """Whether it is larger than anything that was run on this database."""


def answer(asked: Asked, measured: Measured, memory_limit: float = MEMORY_PER_PARTITION) -> Answer:
    """Multiply. Nothing is rounded up but partitions."""
    holdings = asked.wallets * asked.assets
    seconds = holdings * measured.seconds_per_holding
    memory = measured.process_bytes + holdings * measured.process_bytes_per_holding
    room = memory_limit - measured.process_bytes
    by_memory = math.ceil(holdings * measured.process_bytes_per_holding / room)
    by_time = math.ceil(seconds * asked.sweeps_per_day / SECONDS_PER_DAY)
    return Answer(
        asked=asked,
        holdings=holdings,
        storage_bytes_per_day=holdings * asked.sweeps_per_day * measured.bytes_per_holding_and_sweep,
        mapped_bytes=asked.wallets * measured.bytes_per_mapped_wallet
        + asked.ledger_entries * measured.bytes_per_ledger_entry,
        sweep_seconds=seconds,
        balances_per_second=holdings * asked.sweeps_per_day / SECONDS_PER_DAY,
        requests_per_day=holdings * asked.sweeps_per_day / asked.holdings_per_request,
        memory_bytes=memory,
        partitions=max(1, by_memory, by_time),
        processor_hours_per_day=seconds * asked.sweeps_per_day / 3_600,
        is_extrapolated=asked.wallets > measured.wallets,
    )


def cost_per_month(found: Answer, processor_hour: float, gigabyte_month: float) -> float:
    """What a month costs by the reader's own prices, after one year of storage at the end of which it is paid for.

    The model has no prices of its own: they differ by more than anything measured here.
    """
    stored = (found.mapped_bytes + 365 * found.storage_bytes_per_day) / 10**9
    return found.processor_hours_per_day * 30 * processor_hour + stored * gigabyte_month


FIRMS: Final = (
    Asked(wallets=10_000, assets=3, sweeps_per_day=288, ledger_entries=100_000),
    Asked(wallets=100_000, assets=3, sweeps_per_day=24, ledger_entries=1_000_000),
    Asked(wallets=1_000_000, assets=3, sweeps_per_day=24, ledger_entries=10_000_000),
    Asked(wallets=10_000_000, assets=3, sweeps_per_day=4, ledger_entries=50_000_000),
    Asked(wallets=50_000_000, assets=3, sweeps_per_day=4, ledger_entries=100_000_000),
)
"""The rows of docs/scaling.md: from a small firm to the largest that is asked about."""

HEADER: Final = (
    "wallets", "sweeps a day", "database", "storage a day", "books", "balances a second", "requests a day",
    "a sweep, without nodes", "processor hours a day", "memory", "partitions", "",
)  # fmt: skip


def rows(firms: Sequence[Asked], databases: Sequence[Measured], memory_limit: float) -> list[list[str]]:
    """One row for each firm and database, ready to be shown."""
    shown = []
    for asked in firms:
        for measured in databases:
            found = answer(asked, measured, memory_limit)
            shown.append(
                [
                    f"{asked.wallets:,}",
                    f"{asked.sweeps_per_day:,}",
                    measured.name,
                    _bytes_text(found.storage_bytes_per_day),
                    _bytes_text(found.mapped_bytes),
                    f"{found.balances_per_second:,.0f}",
                    f"{found.requests_per_day:,.0f}",
                    _seconds_text(found.sweep_seconds),
                    f"{found.processor_hours_per_day:,.2f}",
                    _bytes_text(found.memory_bytes),
                    f"{found.partitions:,}",
                    "extrapolated" if found.is_extrapolated else "",
                ]
            )
    return shown


def markdown(table: Sequence[Sequence[str]]) -> str:
    """The table as it stands in docs/scaling.md."""
    lines = [HEADER, tuple("---" for _ in HEADER), *table]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _bytes_text(count: float) -> str:
    for unit, size in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6)):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count / 1_000:,.1f} kB"


def _seconds_text(seconds: float) -> str:
    if seconds >= 3_600:
        return f"{seconds / 3_600:,.1f} h"
    return f"{seconds / 60:,.1f} min" if seconds >= 60 else f"{seconds:,.1f} s"


def main() -> None:
    """Print the table, and the cost by the reader's own prices."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling_model", description=__doc__)
    parser.add_argument("--wallets", type=int, help="one firm of the reader's own instead of the table's")
    parser.add_argument("--assets", type=int, default=3)
    parser.add_argument("--sweeps-per-day", type=int, default=24)
    parser.add_argument("--ledger-entries", type=int, default=0)
    parser.add_argument("--memory", type=float, default=MEMORY_PER_PARTITION / 10**9, help="GB for one process")
    parser.add_argument("--processor-hour", type=float, help="price of one processor for one hour")
    parser.add_argument("--gigabyte-month", type=float, help="price of one GB stored for one month")
    given = parser.parse_args()
    own = Asked(given.wallets or 0, given.assets, given.sweeps_per_day, given.ledger_entries)
    firms = (own,) if given.wallets else FIRMS
    print(markdown(rows(firms, MEASURED, given.memory * 10**9)))
    if given.processor_hour is None or given.gigabyte_month is None:
        print("\nFor the cost of a month give --processor-hour and --gigabyte-month: prices are the reader's.")
        return
    print("\nCost of a month, with one year of sweeps stored:")
    for asked in firms:
        for measured in MEASURED:
            cost = cost_per_month(answer(asked, measured), given.processor_hour, given.gigabyte_month)
            print(f"  {asked.wallets:,} wallets on {measured.name}: {cost:,.0f}")


if __name__ == "__main__":
    main()
