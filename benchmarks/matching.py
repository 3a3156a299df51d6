"""Transfers held against approvals: 100,000 of each, from transfers as read to one outcome for each.

Every transfer has one approval of exactly its amount, valid at its time, so all sides must name the same one. The
peer is a straightforward program on SQLite in memory: tables, an index over place and what is left, a query and an
update for each transfer in the order of time. The floor sorts the same transfers and looks each up in a dict.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from benchmarks.measure import Result, Side, check_then_time
from chains.types import Address, Asset, AssetId, BlockRef, ChainId, Transfer, TransferKind
from mapping.types import Purpose, TransferAuthorization
from verifier.rules.authorize import match_transfers

UNIT: Final = "transfers/s"
SIZES: Final = (10_000, 100_000)
QUICK_SIZES: Final = (500,)
TRANSFERS_PER_BLOCK: Final = 100
SECONDS_MAX: Final = 10.0
"""Target for 100,000 transfers against 100,000 approvals."""

CHAIN: Final = ChainId("eip155:1")
TOKEN: Final = Asset(AssetId(f"{CHAIN}/erc20:0x{'c' * 40}"), "USDX", 6)
BEGIN: Final = datetime(2026, 3, 2, 12, tzinfo=UTC)
OURS, PEER, FLOOR = "ours", "SQLite, a query and an update each", "sort and dict look-up"


@dataclass(frozen=True, slots=True)
class Desk:
    """What is matched, and which approval each transfer executes, in the order of the chain."""

    transfers: Sequence[Transfer]
    authorizations: Sequence[TransferAuthorization]
    custody: frozenset[Address]
    expected: Sequence[str]


def run(*, quick: bool = False) -> Iterator[Result]:
    """Measure each size spread over many places and all at one. Raises `ResultsDiffer` before anything is timed."""
    for size in QUICK_SIZES if quick else SIZES:
        for name, places in (("each to a place of its own", size), ("100 to a place", size // 100), ("one place", 1)):
            yield _measure(f"{size:,} transfers, {size:,} approvals, {name}", make_desk(size, places))


def make_desk(count: int, places: int) -> Desk:
    """Approvals of distinct amounts at each place and transfers that execute them, both shuffled; always the same."""
    chance = random.Random(20_260_302)
    wallets = [_address(1 + number) for number in range(max(1, places // 10))]
    destinations = [_address(1_000_000 + number) for number in range(places)]
    amounts = chance.sample(range(1, 100 * count), count)
    authorizations = [
        TransferAuthorization(
            authorization_id=f"A-{number:06}",
            chain_id=CHAIN,
            wallet=wallets[number % places % len(wallets)],
            asset_id=TOKEN.asset_id,
            base_units_max=amount,
            destination=destinations[number % places],
            fee_max=None,
            valid_from=BEGIN - timedelta(hours=1),
            valid_until=BEGIN + timedelta(days=30, seconds=number),
            purpose=Purpose.CLIENT_WITHDRAWAL,
            requested_by="ops.maker",
            approved_by="ops.checker",
            approved_at=BEGIN - timedelta(hours=2),
            reference="order",
            client_id="C-1",
        )
        for number, amount in enumerate(amounts)
    ]
    order = chance.sample(authorizations, count)
    blocks = [_block(height) for height in range(1 + count // TRANSFERS_PER_BLOCK)]
    transfers = [
        Transfer(
            block=blocks[number // TRANSFERS_PER_BLOCK],
            tx_id=f"0x{number:064x}",
            index=0,
            asset=TOKEN,
            sender=each.wallet,
            receiver=each.destination,
            base_units=each.base_units_max,
            kind=TransferKind.TOKEN,
        )
        for number, each in enumerate(order)
    ]
    expected = [each.authorization_id for each in order]
    return Desk(chance.sample(transfers, count), authorizations, frozenset(wallets), expected)


def ours(desk: Desk) -> list[str]:
    """The approval of each transfer as a sweep finds it."""
    return [
        match.uses[0].authorization_id
        for match in match_transfers(desk.transfers, desk.authorizations, desk.custody, (), {})
    ]


def peer(desk: Desk) -> list[str]:
    """The same on SQLite: of those that fit, the one with the least left, then the first to end, then by id."""
    with sqlite3.connect(":memory:") as database:
        database.execute(
            "CREATE TABLE approval (id TEXT PRIMARY KEY, wallet TEXT, asset TEXT, destination TEXT, left INTEGER,"
            " valid_from TEXT, valid_until TEXT)"
        )
        database.execute("CREATE INDEX place ON approval (wallet, asset, destination, left)")
        database.executemany(
            "INSERT INTO approval VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    each.authorization_id,
                    each.wallet,
                    each.asset_id,
                    each.destination,
                    each.base_units_max,
                    each.valid_from.isoformat(),
                    each.valid_until.isoformat(),
                )
                for each in desk.authorizations
            ),
        )
        found = []
        for transfer in sorted(desk.transfers, key=_moment):
            time = transfer.block.timestamp.isoformat()
            place = (transfer.sender, transfer.asset.asset_id, transfer.receiver)
            ((name,),) = database.execute(
                "SELECT id FROM approval WHERE wallet = ? AND asset = ? AND destination = ? AND left >= ?"
                " AND valid_from <= ? AND valid_until >= ? ORDER BY left, valid_until, id LIMIT 1",
                (*place, transfer.base_units, time, time),
            ).fetchall()
            database.execute("UPDATE approval SET left = left - ? WHERE id = ?", (transfer.base_units, name))
            found.append(name)
    database.close()
    return found


def floor(desk: Desk) -> list[str]:
    """What no program can do without: put the transfers in order and look at each once."""
    approvals = {
        (each.wallet, each.asset_id, each.destination, each.base_units_max): each.authorization_id
        for each in desk.authorizations
    }
    return [
        approvals.pop((each.sender, each.asset.asset_id, each.receiver, each.base_units))  # type: ignore[arg-type]
        for each in sorted(desk.transfers, key=_moment)
    ]


def _measure(case: str, desk: Desk) -> Result:
    count = len(desk.transfers)
    sides = [
        Side(OURS, lambda: ours(desk), count, _same, desk.expected),
        Side(PEER, lambda: peer(desk), count, _same, desk.expected),
        Side(FLOOR, lambda: floor(desk), count, _same, desk.expected),
    ]
    timings = check_then_time(sides, rounds=2)
    mine = timings[OURS]
    return Result(
        case=case,
        value=mine.per_second,
        unit=UNIT,
        peer=PEER,
        peer_value=timings[PEER].per_second,
        floor=FLOOR,
        floor_value=timings[FLOOR].per_second,
        peak_rss_bytes=mine.peak_rss_bytes,
        notes={
            "seconds": round(mine.seconds, 3),
            "under_10_seconds": mine.seconds < SECONDS_MAX,
            "peer_seconds": round(timings[PEER].seconds, 3),
        },
    )


def _moment(transfer: Transfer) -> tuple[datetime, str]:
    return transfer.block.timestamp, transfer.tx_id


def _same(found: object) -> object:
    return found


def _address(number: int) -> Address:
    return Address(f"0x{number:040x}")


def _block(height: int) -> BlockRef:
    return BlockRef(CHAIN, height, f"0x{height + 1:064x}", f"0x{height:064x}", BEGIN + timedelta(seconds=12 * height))
