"""Reconciliation of millions of positions in portions, from figures at hand to one outcome each.

Ours is what a sweep does with them: `claims_by_place` gathers the books owner by owner, `reconcile_all` compares each
claim with the balance. It goes through them in portions, as a firm does that is cut into partitions, so that memory
does not grow with their number. The peer is the same grouping and comparison in DuckDB; the floor adds the same figures
up in a dict. All three must name the same positions with the same differences. Judged by processor time.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import duckdb

from benchmarks.measure import Result, ResultsDiffer, forget_peak, peak_rss_bytes
from chains.garbage import rare_collections
from chains.types import (
    Address,
    Asset,
    AssetId,
    BalanceObservation,
    BlockRef,
    ChainId,
    Finality,
    Holding,
    ReadStatus,
    account_location,
)
from mapping.book import AllocationKey
from mapping.types import AccountClass
from verifier.records import Status
from verifier.rules.claims import claims_by_place
from verifier.rules.holdings import MappedHolding
from verifier.rules.reconcile import Moment, reconcile_all

UNIT: Final = "positions/s of CPU"
QUICK_SIZES: Final = (6_000,)
FULL_SIZES: Final = (1_000_000, 10_000_000)
PORTION: Final = 60_000
"""Positions held in memory at a time."""
WRONG_EVERY: Final = 1_000
"""One position in so many differs from the books, by -5 to 5 base units; some of those by none."""
PEER: Final = "DuckDB, the same grouping"
FLOOR: Final = "sums in a dict"

CHAIN: Final = ChainId("eip155:1")
ASSETS: Final = tuple(Asset(AssetId(f"{CHAIN}/erc20:0x{digit * 40}"), f"T{digit}", 6) for digit in "abc")
BLOCK: Final = BlockRef(CHAIN, 1_000, "0x" + "1" * 64, "0x" + "2" * 64, datetime(2026, 3, 2, 12, tzinfo=UTC))
MOMENT: Final = Moment("sweep", BLOCK, BLOCK.timestamp, BLOCK.timestamp, 0)


@dataclass(slots=True)
class Outcome:
    """What a side found, and what that took."""

    matched: int = 0
    diverged: dict[int, int] = field(default_factory=dict)
    """The difference of each position that differs, by its number."""
    cpu_seconds: float = 0.0

    @property
    def found(self) -> tuple[int, dict[int, int]]:
        """What must be equal."""
        return self.matched, self.diverged


def run(*, quick: bool = False) -> Iterator[Result]:
    """Each size. Raises `ResultsDiffer` when a side finds anything else than the others."""
    for size in QUICK_SIZES if quick else FULL_SIZES:
        yield measure(size)


def measure(size: int) -> Result:
    """All sides once: the figures are sums over portions, so that single disturbances weigh little."""
    forget_peak()
    ours, floor = Outcome(), Outcome()
    for first in range(0, size, PORTION):
        portion = Portion(first, min(first + PORTION, size))
        portion.reconcile(ours)
        portion.sum_up(floor)
    peak = peak_rss_bytes()
    peer = in_duckdb(size)
    for name, side in ((PEER, peer), (FLOOR, floor)):
        require_equal(ours, name, side)
    return Result(
        case=f"reconcile {size:,} positions of 2 owners each, {PORTION:,} at a time",
        value=size / ours.cpu_seconds,
        unit=UNIT,
        peer=PEER,
        peer_value=size / peer.cpu_seconds,
        floor=FLOOR,
        floor_value=size / floor.cpu_seconds,
        peak_rss_bytes=peak,
        notes={
            "found": {"matched": ours.matched, "diverged": len(ours.diverged)},
            "cpu_seconds": {name: round(side.cpu_seconds, 2) for name, side in _sides(ours, peer, floor)},
            "peak_mib": round(peak / 2**20),
        },
    )


def _sides(ours: Outcome, peer: Outcome, floor: Outcome) -> tuple[tuple[str, Outcome], ...]:
    return ("ours", ours), ("DuckDB", peer), ("dict", floor)


def require_equal(ours: Outcome, name: str, side: Outcome) -> None:
    """Raise `ResultsDiffer` unless both matched as many and name the same differences."""
    if side.found != ours.found:
        raise ResultsDiffer(
            f"{name}: {side.matched} matched and {len(side.diverged)} diverged, "
            f"ours {ours.matched} and {len(ours.diverged)}, or other differences"
        )


def owned(number: int) -> tuple[int, int]:
    """What the two owners of a position have in the books."""
    return number * 7_919 % 1_000_003, number * 104_729 % 999_983


def on_chain(number: int) -> int:
    """What is there."""
    wrong = number // WRONG_EVERY % 11 - 5 if number % WRONG_EVERY == 7 else 0
    return max(sum(owned(number)) + wrong, 0)


class Portion:
    """The inputs of some positions as a sweep has them in memory, three assets to a wallet."""

    def __init__(self, first: int, end: int) -> None:
        self.first = first
        self.plan: list[MappedHolding] = []
        self.observations: dict[tuple[Address, AssetId], BalanceObservation] = {}
        self.allocations: dict[AllocationKey, int] = {}
        finality = Finality.parse("finalized")
        for number in range(first, end):
            address, asset = Address(f"0x{number // len(ASSETS):040x}"), ASSETS[number % len(ASSETS)]
            place = account_location(CHAIN, address)
            self.plan.append(MappedHolding(place, asset, (address,), is_pool=False, all_closed=False))
            self.observations[address, asset.asset_id] = BalanceObservation(
                Holding(address, asset), BLOCK, finality, ReadStatus.OK, on_chain(number), "batch", "node"
            )
            for client, units in zip(("C-1", "C-2"), owned(number), strict=True):
                self.allocations[AllocationKey(client, AccountClass.CUSTOMER, place, asset.asset_id)] = units

    def reconcile(self, into: Outcome) -> None:
        """Ours."""
        began = time.process_time()
        with rare_collections():
            claims = claims_by_place(self.allocations, BLOCK.timestamp)
            results = reconcile_all(self.plan, self.observations, claims, (), MOMENT)
            counts, others = results.tally(), list(results.not_plain)
        into.cpu_seconds += time.process_time() - began
        into.matched += counts[Status.MATCHED]
        for index, result in others:
            if result.difference is None:
                raise ResultsDiffer(f"position {self.first + index} is unverified: {result.reason}")
            if result.status is not Status.MATCHED:
                into.diverged[self.first + index] = result.difference

    def sum_up(self, into: Outcome) -> None:
        """The floor: no owners, no records, no reasons."""
        began = time.process_time()
        sums: dict[tuple[str, str], int] = {}
        for key, units in self.allocations.items():
            place = (key.location_id, key.asset_id)
            sums[place] = sums.get(place, 0) + units
        differences = [
            (self.observations[each.addresses[0], each.asset.asset_id].base_units or 0)
            - sums.get((each.location_id, each.asset.asset_id), 0)
            for each in self.plan
        ]
        into.cpu_seconds += time.process_time() - began
        for number, difference in enumerate(differences, self.first):
            if difference:
                into.diverged[number] = difference
            else:
                into.matched += 1


def in_duckdb(size: int) -> Outcome:
    """The peer: the same figures in columns, grouped by place, held against the balances; making them is not timed."""
    outcome = Outcome()
    wrong = f"CASE WHEN i % {WRONG_EVERY} = 7 THEN i // {WRONG_EVERY} % 11 - 5 ELSE 0 END"
    first, second = "i * 7919 % 1000003", "i * 104729 % 999983"
    with duckdb.connect() as connection:
        connection.execute(
            f"CREATE TABLE observed AS SELECT i // 3 AS place, i % 3 AS asset, "
            f"greatest({first} + {second} + {wrong}, 0) AS units FROM range({size}) numbers(i)"
        )
        connection.execute(
            f"CREATE TABLE owned AS SELECT i // 3 AS place, i % 3 AS asset, {first} AS units FROM range({size}) "
            f"numbers(i) UNION ALL SELECT i // 3, i % 3, {second} FROM range({size}) numbers(i)"
        )
        began = time.process_time()
        connection.execute(
            "CREATE TABLE compared AS SELECT place, asset, observed.units - coalesce(claimed, 0) AS difference "
            "FROM observed LEFT JOIN (SELECT place, asset, sum(units) AS claimed FROM owned GROUP BY place, asset) "
            "USING (place, asset)"
        )
        outcome.cpu_seconds = time.process_time() - began
        counted = connection.execute("SELECT count(*) FROM compared WHERE difference = 0").fetchone()
        outcome.matched = counted[0] if counted else 0
        rows = connection.execute("SELECT place * 3 + asset, difference FROM compared WHERE difference <> 0").fetchall()
        outcome.diverged = {number: int(difference) for number, difference in rows}
    return outcome
