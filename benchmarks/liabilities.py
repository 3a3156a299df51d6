"""The liabilities tree of a million owners: built from positions, and one owner's statement made and verified.

Every side commits to the same amounts, and its sum must be theirs. The peer is what a plain library does: one leaf for
each owner, nodes as objects, all in memory, built by recursion; no splitting, no padding, no order by digest. The floor
is the hashing of our own tree alone: as many SHA-256 as it needs, over inputs of a node's length.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from benchmarks.measure import Result, Side, check_then_time
from chains.types import AssetId
from exports.inclusion import InclusionStatement, make_statements, verify_statement
from exports.liabilities import (
    LiabilityContext,
    Position,
    liability_records,
    open_tree,
    padding_key,
    summary,
)
from exports.liability_records import PARTS
from exports.merkle_sum import ENTRY_SIZE

UNIT: Final = "owners/s"
SIZES: Final = (100_000, 1_000_000)
QUICK_SIZES: Final = (2_000,)
ASSET: Final = AssetId("iso4217:USD")
CONTEXT: Final = LiabilityContext("Example Brokerage LLC", "bundle-000001", datetime(2026, 1, 31, tzinfo=UTC))
SECRET: Final = bytes(range(32))
OURS, PEER, FLOOR = "ours", "objects by recursion, one leaf each", "bare SHA-256 of our tree"
HASHES_PER_OWNER: Final = 4 * PARTS
"""Key and name of a position, three draws, four salts, four leaves, and about four nodes: counted, not exact."""


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the peer."""

    digest: bytes
    total: int
    left: Node | None = None
    right: Node | None = None


def run(*, quick: bool = False) -> Iterator[Result]:
    """Measure each size. Raises `ResultsDiffer` before anything is timed."""
    for size in QUICK_SIZES if quick else SIZES:
        yield _build(size)
        yield _inclusion(size)


def amount_of(number: int) -> int:
    """What an owner is owed; always the same."""
    return 10**6 + number * 7919 % 10**9


def positions(count: int) -> Iterator[Position]:
    """The owners, one after the other, none kept."""
    return (Position(f"client-{number:07}", "customer", ASSET, amount_of(number)) for number in range(count))


def ours(count: int) -> int:
    """Build the tree as an export does, owners streamed; its sum."""
    records = liability_records(positions(count), CONTEXT, SECRET)
    with closing(open_tree(records, padding_key(ASSET, CONTEXT, SECRET))) as tree:
        return tree.root.base_units


def peer(count: int) -> int:
    """A plain library's tree; its sum."""
    leaves = [
        Node(hashlib.sha256(b"\0" + f"client-{number:07}:{amount_of(number)}".encode()).digest(), amount_of(number))
        for number in range(count)
    ]
    return _peer_tree(leaves).total


def _peer_tree(nodes: Sequence[Node]) -> Node:
    if len(nodes) == 1:
        return nodes[0]
    middle = (len(nodes) + 1) // 2
    left, right = _peer_tree(nodes[:middle]), _peer_tree(nodes[middle:])
    text = b"\1" + left.digest + str(left.total).encode() + b":" + right.digest + str(right.total).encode()
    return Node(hashlib.sha256(text).digest(), left.total + right.total, left, right)


def floor(count: int) -> int:
    """As many hashes as our tree has, over inputs of a node's length; the sum of the amounts beside them."""
    sha256, block = hashlib.sha256, bytes(18 + 2 * ENTRY_SIZE)
    for _ in range(count * HASHES_PER_OWNER):
        sha256(block).digest()
    return sum(amount_of(number) for number in range(count))


def _build(count: int) -> Result:
    total = sum(amount_of(number) for number in range(count))
    sides = [
        Side(OURS, lambda: ours(count), count, _same, total),
        Side(PEER, lambda: peer(count), count, _same, total),
        Side(FLOOR, lambda: floor(count), count, _same, total),
    ]
    timings = check_then_time(sides, rounds=1)
    mine, other, bare = timings[OURS], timings[PEER], timings[FLOOR]
    return Result(
        case=f"{count:,} owners built",
        value=mine.per_second,
        unit=UNIT,
        peer=PEER,
        peer_value=other.per_second,
        floor=FLOOR,
        floor_value=bare.per_second,
        peak_rss_bytes=mine.peak_rss_bytes,
        notes={
            "seconds": round(mine.seconds, 2),
            "cpu_seconds": round(mine.client_cpu_seconds, 2),
            "leaves": PARTS * count,
            "peer_leaves": count,
            "peer_peak_rss_bytes": other.peak_rss_bytes,
        },
    )


def _inclusion(count: int) -> Result:
    """One owner's statement verified: by us, by a peer with one leaf, and the bare hashes of it."""
    client_id = f"client-{count // 2:07}"
    (own,) = liability_records([Position(client_id, "customer", ASSET, amount_of(count // 2))], CONTEXT, SECRET)
    records = liability_records(positions(count), CONTEXT, SECRET)
    with closing(open_tree(records, padding_key(ASSET, CONTEXT, SECRET))) as tree:
        kept = summary(ASSET, 2, tree)
        (statement,) = make_statements([own], [(kept, tree)], CONTEXT, [client_id])
    data, root, height = statement.to_bytes(), statement.root, kept.height
    siblings = [(bytes([level]) * 32, level) for level in range(max(count - 1, 1).bit_length())]

    def verified() -> int:
        return verify_statement(InclusionStatement.parse(data), root).exit_code

    def peer_path() -> int:
        digest, total = hashlib.sha256(b"\0client").digest(), 1
        for beside, amount in siblings:
            text = b"\1" + digest + str(total).encode() + b":" + beside + str(amount).encode()
            digest, total = hashlib.sha256(text).digest(), total + amount
        return 0 if total == 1 + sum(amount for _, amount in siblings) else 1

    def bare() -> int:
        block = bytes(18 + 2 * ENTRY_SIZE)
        for _ in range(PARTS * (height + 3) + 2):
            hashlib.sha256(block).digest()
        return 0

    names = (OURS, "one leaf's path, no parsing", "bare SHA-256 of the statement")
    sides = [
        Side(name, work, 1, _same, 0, runs_per_round=20)
        for name, work in zip(names, (verified, peer_path, bare), strict=True)
    ]
    timings = check_then_time(sides, rounds=3)
    mine = timings[OURS]
    return Result(
        case=f"one statement of {count:,} owners verified",
        value=mine.per_second,
        unit="statements/s",
        peer=names[1],
        peer_value=timings[names[1]].per_second,
        floor=names[2],
        floor_value=timings[names[2]].per_second,
        peak_rss_bytes=mine.peak_rss_bytes,
        notes={"microseconds": round(1e6 * mine.seconds), "statement_bytes": len(data), "steps": PARTS * height},
    )


def _same(found: object) -> object:
    return found
