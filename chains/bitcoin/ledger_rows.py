"""The rows of the ledger's file: blocks, scripts in groups, events, and one transaction around each change.

What is asked and written, row by row; what it means is `chains.bitcoin.ledger_file`'s.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from typing import Final

from chains.bitcoin.block import Header
from chains.bitcoin.inclusion import PlacedTransaction
from chains.bitcoin.ledger import Credit
from chains.bitcoin.ledger_schema import EVENT_BITS, EVENTS_OF_BLOCK, open_file
from chains.bitcoin.ledger_views import EventKind
from chains.bitcoin.networks import Network
from chains.bitcoin.transaction import Output, id_bytes, id_text
from chains.errors import InvalidValue, ProofFailed, ReadError

_KEY: Final = Struct("<i28xI")
"""Of an outpoint: the beginning of its transaction id, and the number of the output."""

Event = tuple[int, int, int, int, int, bytes, int]
"""A row of the table `event` without its id: script, kind, delta, position, coin key, outpoint, coin height."""
Events = list[Event]


@dataclass(frozen=True, slots=True)
class KnownBlock:
    """A block of the ledger."""

    row: int
    hash: bytes
    height: int
    previous: bytes
    time: int
    bits: int
    is_active: bool
    """Whether it is on the chain that the ledger follows; else it was orphaned, and is kept."""
    matched: int
    """How many groups of scripts had joined when it was matched."""


class LedgerRows:
    """The open file, and the scripts that were read from it."""

    def __init__(self, path: Path | None, network: Network, node_id: str = "") -> None:
        self.connection = open_file(path, network, node_id)
        self._groups: dict[int | None, dict[bytes, int]] = {}
        self._data_version = -1

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One change of the file, all or nothing. Raises `ReadError` when the file cannot be used."""
        with usable():
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                self.forget_when_changed()
                yield
                self.connection.execute("COMMIT")
            except BaseException:
                self._groups.clear()
                if self.connection.in_transaction:  # a full disk ends it by itself
                    self.connection.execute("ROLLBACK")
                raise

    def forget_when_changed(self) -> None:
        """Read the scripts anew when another process changed the file."""
        (version,) = self.connection.execute("PRAGMA data_version").fetchone()
        if version != self._data_version:  # another process wrote: what is kept in memory may be outdated
            self._groups.clear()
            self._data_version = version

    def tip(self) -> KnownBlock | None:
        """The highest active block."""
        return self._one("active ORDER BY height DESC LIMIT 1")

    def active_at(self, height: int) -> KnownBlock | None:
        """The active block at a height."""
        return self._one("active AND height = ?", height)

    def known(self, block_hash: bytes) -> KnownBlock | None:
        """A block by its hash, orphaned or not."""
        return self._one("hash = ?", block_hash)

    def require(self, block_hash: bytes) -> KnownBlock:
        """A block by its hash; raise `InvalidValue` when the ledger does not hold it."""
        known = self.known(block_hash)
        if known is None:
            raise InvalidValue(f"the ledger does not hold block {id_text(block_hash)}")
        return known

    def require_active(self, block_hash: str) -> KnownBlock:
        """An active block; raise `InvalidValue` when the ledger does not hold it, or it was orphaned."""
        known = self.require(id_bytes(block_hash))
        if not known.is_active:
            raise InvalidValue(f"block {block_hash} is not on the chain that the ledger follows")
        return known

    def load_position(self, at_row: int | None, from_height: int) -> KnownBlock | None:
        """The last block of the active chain that a load has read."""
        at = self._one("id = ?", at_row) if at_row is not None else None
        while at is not None and not at.is_active:
            at = self.known(at.previous) if at.height > from_height else None
        return at

    def insert_block(self, header: Header, height: int) -> KnownBlock:
        """Add a block to the active chain."""
        self.connection.execute(
            "INSERT INTO block VALUES (NULL, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?)",
            (
                header.hash,
                height,
                header.previous,
                header.time,
                header.bits,
                self.joins(),
                header.version,
                header.merkle_root,
                header.nonce,
            ),
        )
        return self.require(header.hash)

    _COLUMNS: Final = "SELECT id, hash, height, previous, time, bits, active, matched FROM block WHERE "

    def _one(self, condition: str, *values: object) -> KnownBlock | None:
        row = self.connection.execute(self._COLUMNS + condition, values).fetchone()
        if row is None:
            return None
        number, block_hash, height, previous, time, bits, active, matched = row
        return KnownBlock(number, block_hash, height, previous, time, bits, bool(active), matched)

    def group(self, load_id: int | None) -> dict[bytes, int]:
        """The scripts of a load, or (None) those followed at the tip, with their rows."""
        if load_id not in self._groups:
            rows = self.connection.execute("SELECT script, id FROM script WHERE load_id IS ?", (load_id,))
            self._groups[load_id] = dict(rows)
        return self._groups[load_id]

    def merge_group(self, load_id: int) -> None:
        """The scripts of a load are followed from now on."""
        self.group(None).update(self._groups.pop(load_id, {}))

    def forget_groups(self) -> None:
        """Read the scripts anew when they are needed."""
        self._groups.clear()

    def unknown(self, scripts: Iterable[bytes]) -> list[bytes]:
        """Those of the scripts that are neither followed nor loaded, each once."""
        self.forget_when_changed()
        groups = [self.group(None)]
        groups += [self.group(row) for (row,) in self.connection.execute("SELECT id FROM load WHERE NOT done")]
        return [script for script in dict.fromkeys(scripts) if not any(script in group for group in groups)]

    def insert_scripts(
        self, scripts: list[bytes], from_height: int, joins_at: KnownBlock | None, load_at: KnownBlock | None = None
    ) -> None:
        """Add scripts that join at once, or come under a new load that begins at a height or behind a block."""
        (last,) = self.connection.execute("SELECT coalesce(max(id), 0) FROM script").fetchone()
        load_id: int | None = None
        joined: int | None = None
        if joins_at is not None:
            joined = self.next_join()
        else:
            at_row = load_at.row if load_at is not None else None
            self.connection.execute("INSERT INTO load VALUES (NULL, ?, ?, 0)", (from_height, at_row))
            (load_id,) = self.connection.execute("SELECT max(id) FROM load").fetchone()
        group = self.group(load_id)
        opened_at = load_at.row if load_at is not None else None
        rows = [
            (last + number, each, from_height, load_id, joined, opened_at) for number, each in enumerate(scripts, 1)
        ]
        self.connection.executemany("INSERT INTO script VALUES (?, ?, ?, ?, ?, ?)", rows)
        group.update((row[1], row[0]) for row in rows)

    def joins(self) -> int:
        """How many groups of scripts have joined those that are followed."""
        (count,) = self.connection.execute("SELECT value FROM meta WHERE name = 'joins'").fetchone()
        return int(count)

    def next_join(self) -> int:
        """Count one more group."""
        count = self.joins() + 1
        self.connection.execute("UPDATE meta SET value = ? WHERE name = 'joins'", (str(count),))
        return count

    def coins_before(
        self, at: KnownBlock, asked: set[bytes], scripts: dict[bytes, int]
    ) -> dict[bytes, tuple[Output, int]]:
        """Our unspent coins among those that a block names, before it, each with the height of its block."""
        keys = json.dumps(list({_coin_key(name) for name in asked}))
        coins: dict[bytes, tuple[Output, int]] = {}
        for name, delta, height, kind, script_id, script in self.connection.execute(
            """SELECT e.outpoint, e.delta, e.coin_height, e.kind, s.id, s.script
               FROM json_each(?) AS j JOIN event AS e ON e.coin_key = j.value JOIN block AS b ON b.id = e.block_id
               JOIN script AS s ON s.id = e.script_id WHERE b.active AND b.id <> ? AND b.height <= ?
               ORDER BY b.height, e.position, e.delta < 0, e.id""",
            (keys, at.row, at.height),
        ):
            if name not in asked or scripts.get(script) != script_id:
                continue
            if kind == EventKind.DEBIT or (kind == EventKind.OVERWRITTEN and coins[name][1] == height):
                del coins[name]
            elif kind != EventKind.OVERWRITTEN:
                coins[name] = (Output(delta, script), height)
        return coins

    def not_known(self, at: KnownBlock, events: Events, scripts: dict[bytes, int]) -> Events:
        """The events of a block that are not written down yet; those that are must be among them."""
        known: set[Event] = set(
            self.connection.execute(
                "SELECT script_id, kind, delta, position, coin_key, outpoint, coin_height"  # noqa: S608 - a constant
                f" FROM block AS b CROSS JOIN event ON {EVENTS_OF_BLOCK} WHERE b.id = ?",
                (at.row,),
            )
        )
        if not known:
            return events
        ours = set(scripts.values())
        openings = (EventKind.OPENING, EventKind.OPENING_COINBASE)
        if not {each for each in known if each[0] in ours and each[1] not in openings} <= set(events):
            raise ProofFailed(f"block {id_text(at.hash)} is told otherwise than before")
        return [event for event in events if event not in known]

    def insert_events(self, at: KnownBlock, events: Events) -> None:
        """Write down events of a block, behind those that it has."""
        (last,) = self.connection.execute(
            f"SELECT max(event.id) FROM block AS b CROSS JOIN event ON {EVENTS_OF_BLOCK} WHERE b.id = ?",  # noqa: S608
            (at.row,),
        ).fetchone()
        first = at.row << EVENT_BITS if last is None else last + 1
        if events and (first + len(events) - 1) >> EVENT_BITS != at.row:
            raise InvalidValue(f"block {id_text(at.hash)} has more events than a ledger can number")
        self.connection.executemany(
            "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [(number, *event) for number, event in enumerate(events, first)],
        )

    def insert_places(self, at: KnownBlock, places: Iterable[PlacedTransaction]) -> None:
        """Keep what shows that transactions stand in a block; what is there already is the same."""
        self.connection.executemany(
            "INSERT OR IGNORE INTO place VALUES (?, ?, ?, ?, ?)",
            [(at.row, each.position, each.txid, each.raw, each.branch) for each in places],
        )

    def change_balances(self, changes: Mapping[int, int]) -> None:
        """Change balances at the tip, per script, in satoshis; in the order of their rows, which is quicker."""
        self.connection.executemany(
            "INSERT INTO balance VALUES (?, ?) ON CONFLICT DO UPDATE SET base_units = base_units + excluded.base_units",
            sorted(changes.items()),
        )


@contextmanager
def usable() -> Iterator[None]:
    """Say what is wrong with the file as a failed read: nothing is known then, and the next sweep tries again."""
    try:
        yield
    except sqlite3.Error as error:
        locked = "locked" in str(error) or "busy" in str(error)
        why = (
            "is used by another process"
            if locked
            else f"cannot be used ({str(error)[:80]}); move it away if that stays"
        )
        raise ReadError(f"the ledger file {why}") from None


def event_row(script_row: int, kind: EventKind, delta: int, position: int, name: bytes, coin_height: int) -> Event:
    """The row of what a block does to one coin."""
    return script_row, int(kind), delta, position, _coin_key(name), name, coin_height


def credit_rows(credited: Sequence[Credit], scripts: Mapping[bytes, int], height: int) -> Events:
    """The rows of the coins that a block of this height makes."""
    plain, coinbase = int(EventKind.CREDIT), int(EventKind.COINBASE)
    keys = _KEY.iter_unpack(b"".join([credit[0] for credit in credited]))
    return [
        (scripts[script], coinbase if is_coinbase else plain, value, position, beginning << 32 | number, name, height)
        for (name, script, value, is_coinbase, position), (beginning, number) in zip(credited, keys, strict=True)
    ]


def spendings(connection: sqlite3.Connection, outpoints: Iterable[bytes]) -> dict[bytes, tuple[bytes, int]]:
    """Of coins that the active chain spent: the hash of the block that did, and the position of the transaction."""
    asked = set(outpoints)
    found = connection.execute(
        """SELECT e.outpoint, b.hash, e.position FROM event AS e JOIN block AS b ON b.id = e.block_id
           WHERE e.coin_key IN (SELECT value FROM json_each(?)) AND e.kind = ? AND b.active""",
        (json.dumps([_coin_key(name) for name in asked]), EventKind.DEBIT),
    )
    return {name: (block, position) for name, block, position in found if name in asked}


def _coin_key(name: bytes) -> int:
    beginning, number = _KEY.unpack(name)
    return int(beginning << 32 | number)
