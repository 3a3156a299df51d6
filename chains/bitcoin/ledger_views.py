"""What the ledger says as of one block: balances and coins, on the chain it follows or on an orphaned branch.

The balance at the tip is kept; another block's is that, less what the blocks above it did, and on a branch plus what
its own blocks did. So near the tip it costs what those few blocks hold, and far below it no more than all events.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from chains.bitcoin.ledger import COINBASE_MATURITY
from chains.bitcoin.ledger_schema import EVENTS_OF_BLOCK


class EventKind(IntEnum):
    """What an event of the ledger is."""

    CREDIT = 1
    COINBASE = 2
    """A credit that can be spent only after 100 blocks."""
    DEBIT = 3
    OVERWRITTEN = 4
    """A coin lost to a later coinbase with the same id, as happened twice in 2010 (BIP-30)."""
    OPENING = 5
    """A coin that was there when the script was first watched, as a set of coins said."""
    OPENING_COINBASE = 6


COINBASES = (EventKind.COINBASE, EventKind.OPENING_COINBASE)


@dataclass(frozen=True, slots=True)
class Balance:
    """What a script held as of one block, in satoshis."""

    base_units: int
    """All its unspent coins, immature ones included."""
    immature: int
    """The part that a coinbase made less than 100 blocks ago: it cannot be spent in the next block."""
    received_later: int
    """What the active chain's blocks after the block (after its fork, for an orphaned one) credit: not yet counted."""
    spent_later: int
    """What those blocks debit: still counted."""


@dataclass(frozen=True, slots=True)
class Coin:
    """One unspent coin as of a block."""

    outpoint: bytes
    script: bytes
    value: int
    """Satoshis."""
    height: int
    """Of the block that made it."""
    is_coinbase: bool
    confirmations: int
    """As of the block asked for: 1 when that block made it."""

    @property
    def is_mature(self) -> bool:
        """Whether it can be spent in the block that follows."""
        return not self.is_coinbase or self.confirmations >= COINBASE_MATURITY


@dataclass(frozen=True, slots=True)
class Position:
    """A block as the ledger's chains see it: where its chain leaves the active one, and what lies above that."""

    height: int
    fork_height: int
    """Height of its last block or ancestor on the active chain; its own when it is active."""
    branch: tuple[int, ...]
    """Rows of the orphaned blocks from there to it."""


def balances_at(connection: sqlite3.Connection, at: Position, script_ids: Sequence[int]) -> dict[int, Balance]:
    """The balance of each of the scripts, all of which are followed at the tip."""
    asked = json.dumps(script_ids)
    tip = dict(
        connection.execute(
            "SELECT b.script_id, b.base_units FROM json_each(?) AS j JOIN balance AS b ON b.script_id = j.value",
            (asked,),
        )
    )
    above = _moved(connection, "SELECT id FROM block WHERE active AND height > ?", (at.fork_height,))
    branch = _moved(connection, "SELECT value AS id FROM json_each(?)", (json.dumps(at.branch),)) if at.branch else {}
    immature = _immature(connection, at)
    nothing = (0, 0)
    found = {}
    for script_id in script_ids:
        received, spent = above.get(script_id, nothing)
        base_units = tip.get(script_id, 0) - received + spent
        if branch:
            received_there, spent_there = branch.get(script_id, nothing)
            base_units += received_there - spent_there
        found[script_id] = Balance(base_units, immature.get(script_id, 0), received, spent)
    return found


def coins_at(connection: sqlite3.Connection, at: Position, scripts: Mapping[int, bytes]) -> list[Coin]:
    """The unspent coins of the scripts, in the order in which they were made."""
    made: dict[bytes, Coin] = {}
    for script_id, kind, delta, name, height in connection.execute(
        """SELECT e.script_id, e.kind, e.delta, e.outpoint, e.coin_height
           FROM event AS e JOIN block AS b ON b.id = e.block_id
           WHERE e.script_id IN (SELECT value FROM json_each(?))
             AND ((b.active AND b.height <= ?) OR b.id IN (SELECT value FROM json_each(?)))
           ORDER BY b.height, e.position, e.delta < 0, e.id""",
        (json.dumps(list(scripts)), at.fork_height, json.dumps(at.branch)),
    ):
        if kind in (EventKind.DEBIT, EventKind.OVERWRITTEN):
            # What is overwritten is the older coin; the coinbase that did it stands before it in the same block.
            if kind == EventKind.DEBIT or made[name].height == height:
                del made[name]
        else:
            made[name] = Coin(name, scripts[script_id], delta, height, kind in COINBASES, at.height - height + 1)
    return sorted(made.values(), key=lambda coin: (coin.height, coin.outpoint))


def debits_in(
    connection: sqlite3.Connection, block_row: int, height: int, scripts: Mapping[int, bytes]
) -> dict[bytes, set[tuple[bytes, int]]]:
    """The coins that a block took from each of the scripts that were watched when it was read."""
    watched = connection.execute(
        """SELECT s.id FROM json_each(?) AS j JOIN script AS s ON s.id = j.value
           WHERE s.covered_from < ? OR (s.covered_from = ? AND s.opened_at IS NULL)""",
        (json.dumps(list(scripts)), height, height),
    )
    found: dict[bytes, set[tuple[bytes, int]]] = {scripts[script_id]: set() for (script_id,) in watched}
    for script_id, name, delta in connection.execute(
        f"SELECT script_id, outpoint, delta FROM block AS b CROSS JOIN event ON {EVENTS_OF_BLOCK}"  # noqa: S608
        " WHERE b.id = ? AND kind = ?",
        (block_row, EventKind.DEBIT),
    ):
        if script_id in scripts and scripts[script_id] in found:
            found[scripts[script_id]].add((name, -delta))
    return found


def touched_heights(
    connection: sqlite3.Connection, script_ids: Sequence[int], first: int, last: int
) -> set[int] | None:
    """Heights of active blocks with events of the scripts; None when one of them was watched from later on only."""
    asked = json.dumps(script_ids)
    late = connection.execute(
        """SELECT 1 FROM json_each(?) AS j JOIN script AS s ON s.id = j.value
           WHERE s.covered_from > ? OR (s.opened_at IS NOT NULL AND s.covered_from = ?) LIMIT 1""",
        (asked, first, first),
    ).fetchone()
    if late is not None:
        return None
    rows = connection.execute(
        f"SELECT DISTINCT b.height FROM block AS b CROSS JOIN event ON {EVENTS_OF_BLOCK}"  # noqa: S608 - a constant
        " WHERE b.active AND b.height BETWEEN ? AND ? AND script_id IN (SELECT value FROM json_each(?))",
        (first, last, asked),
    )
    return {height for (height,) in rows}


def _moved(connection: sqlite3.Connection, blocks: str, values: Iterable[object]) -> dict[int, tuple[int, int]]:
    """Per script what the blocks that a query names credit and debit."""
    rows = connection.execute(
        "SELECT script_id, sum(max(delta, 0)), -sum(min(delta, 0))"  # noqa: S608 - two fixed queries
        f" FROM ({blocks}) AS b CROSS JOIN event ON {EVENTS_OF_BLOCK} GROUP BY script_id",
        tuple(values),
    )
    return {script_id: (received, spent) for script_id, received, spent in rows}


def _immature(connection: sqlite3.Connection, at: Position) -> dict[int, int]:
    youngest_mature = at.height - COINBASE_MATURITY + 1
    return dict(
        connection.execute(
            "SELECT script_id, sum(delta) FROM (SELECT id FROM block WHERE active AND height > ? AND height <= ?"  # noqa: S608
            f" UNION ALL SELECT value FROM json_each(?)) AS b CROSS JOIN event ON {EVENTS_OF_BLOCK}"
            " WHERE kind IN (?, ?) AND coin_height > ? GROUP BY script_id",
            (youngest_mature, at.fork_height, json.dumps(at.branch), *COINBASES, youngest_mature),
        )
    )
