"""The follower's memory: what every block did to the watched scripts, so that any block's balances can be told.

One file per network and node. Each run of blocks is one transaction: a process that dies anywhere leaves the ledger at
the end of a run, and the next one goes on from there.

Scripts are watched from a height on, said when they are added. When that lies in blocks that were followed already, a
*load* reads those blocks again for the new scripts alone, while the others are followed; when it has caught up, its
scripts join the others. Until then they have no balance, which is not a balance of zero.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from struct import Struct
from typing import Final

from chains.bitcoin.block import NO_BLOCK, Block, Header, Spent, check_block
from chains.bitcoin.ledger import BlockEvents, match_block
from chains.bitcoin.ledger_schema import open_file
from chains.bitcoin.ledger_views import Balance, Coin, EventKind, Position, balances_at, coins_at, touched_heights
from chains.bitcoin.networks import Network
from chains.bitcoin.proof_of_work import PERIOD_BLOCKS, check_bits
from chains.bitcoin.transaction import Output, id_bytes, id_text, outpoint
from chains.errors import ChainMoved, InvalidValue, ProofFailed, ReadError
from chains.types import BlockRef

_KEY: Final = Struct("<i28xI")
"""Of an outpoint: the beginning of its transaction id, and the number of the output."""

_Event = tuple[int, int, int, int, int, int, bytes, int]
"""A row of the table `event` without its id: block, script, kind, delta, position, coin key, outpoint, coin height."""
_Events = list[_Event]


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


@dataclass(frozen=True, slots=True)
class Load:
    """Reading the past of scripts that were added late."""

    load_id: int
    next_height: int
    """The block to read next."""
    previous_hash: str | None
    """The block that comes before it; None when the load has not begun."""


class LedgerFile:
    """The ledger of watched scripts of one network, as one node tells it. Used by one thread at a time."""

    def __init__(self, path: Path | None, network: Network) -> None:
        """Open or make the file; in memory without a path. Raises `ChainConfigError`."""
        self.network = network
        self._connection = open_file(path, network)
        self._groups: dict[int | None, dict[bytes, int]] = {}
        self._data_version = -1

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> LedgerFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Blocks -----------------------------------------------------------------------------------------------------------

    def begin(self, header: Header, height: int) -> None:
        """Begin an empty ledger at a block that is trusted to be on the chain; what it did itself is not read.

        Raises `InvalidValue` when the ledger has begun, `ProofFailed` when it is not the network's genesis at height 0.
        """
        if (height == 0) != (header.previous == NO_BLOCK):
            raise ProofFailed(f"block {header.block_hash} is not at height {height}")
        if height == 0 and header.block_hash != self.network.genesis_hash:
            raise ProofFailed(f"block {header.block_hash} is not the genesis block of {self.network.name}")
        with self._transaction():
            if self._tip() is not None:
                raise InvalidValue("the ledger has begun already")
            self._insert_block(header, height)

    @property
    def tip(self) -> BlockRef | None:
        """The last block applied; None when the ledger has not begun."""
        known = self._tip()
        return self._ref(known) if known is not None else None

    @property
    def first_height(self) -> int | None:
        """Height of the lowest block of the active chain that the ledger holds."""
        found: int | None = self._connection.execute("SELECT min(height) FROM block WHERE active").fetchone()[0]
        return found

    def block(self, block_hash: str) -> BlockRef | None:
        """A block that the ledger holds, orphaned or not."""
        known = self._known(id_bytes(block_hash))
        return self._ref(known) if known is not None else None

    def is_active(self, block_hash: str) -> bool:
        """Whether a block is on the chain that the ledger follows."""
        known = self._known(id_bytes(block_hash))
        return known is not None and known.is_active

    def active_at(self, height: int) -> BlockRef | None:
        """The block of the active chain at a height; None where the ledger holds none."""
        known = self._active_at(height)
        return self._ref(known) if known is not None else None

    def apply(self, blocks: Iterable[tuple[Block, Spent]]) -> list[BlockEvents]:
        """Add blocks above the tip, all or none: one transaction. Returns what each did to the followed scripts.

        Every block is held against its header (`check_block`), must follow the one before, and its undo data must
        agree with the coins held here. Raises `ProofFailed` or `MalformedAnswer`.
        """
        results: list[BlockEvents] = []
        changes: defaultdict[int, int] = defaultdict(int)
        with self._transaction():
            tip = self._tip()
            if tip is None:
                raise InvalidValue("the ledger has not begun")
            scripts = self._group(None)
            for block, spent in blocks:
                tip = self._append(tip, block)
                matched, events = self._match(tip, block, spent, scripts)
                for event in events:
                    changes[event[1]] += event[3]
                results.append(matched)
            self._change_balances(changes)
        return results

    def rewind(self, block_hash: str) -> int:
        """Leave the blocks above an active one, which becomes the tip: they are orphaned and kept. Returns how many.

        Scripts that began with the coins of one of them are no longer watched.
        """
        with self._transaction():
            fork = self._require_active(block_hash)
            above = "SELECT id FROM block WHERE active AND height > ?"
            changes = dict(
                self._connection.execute(
                    "SELECT e.script_id, -sum(e.delta) FROM event AS e JOIN script AS s ON s.id = e.script_id"  # noqa: S608
                    f" WHERE e.block_id IN ({above}) AND s.load_id IS NULL GROUP BY e.script_id",
                    (fork.height,),
                )
            )
            self._change_balances(changes)
            self._forget_openings_above(fork.height)
            cursor = self._connection.execute("UPDATE block SET active = 0 WHERE active AND height > ?", (fork.height,))
            return cursor.rowcount

    # Scripts ----------------------------------------------------------------------------------------------------------

    def add_scripts(self, scripts: Iterable[bytes], from_height: int) -> int:
        """Watch scripts that nobody paid before a height; those known already keep theirs. Returns how many are new.

        When the height is not above the tip, they come under a load (`loads`). Raises `InvalidValue` when the ledger
        has not begun.
        """
        with self._transaction():
            tip = self._tip()
            if tip is None:
                raise InvalidValue("the ledger has not begun")
            new = self._unknown(scripts)
            if new:
                self._insert_scripts(new, from_height, None if from_height <= tip.height else tip)
        return len(new)

    def add_scripts_with_coins(self, scripts: Iterable[bytes], coins: Iterable[Coin], block_hash: str) -> int:
        """Watch scripts from a block of the active chain on, beginning with the coins that a set of coins has there.

        The coins are the word of who made the set; no header commits to them. Scripts known already are refused
        (`InvalidValue`), as they have coins. Returns how many scripts are new.
        """
        with self._transaction():
            at = self._require_active(block_hash)
            wanted = set(scripts)
            new = self._unknown(wanted)
            if len(new) != len(wanted):
                raise InvalidValue(f"{len(wanted) - len(new)} of the scripts are watched already")
            if not new:
                return 0
            self._insert_scripts(new, at.height, None, at)
            (load_id,) = self._connection.execute("SELECT max(id) FROM load").fetchone()
            ids = self._group(load_id)
            events: _Events = []
            for coin in coins:
                if coin.script not in ids or not 0 <= coin.height <= at.height:
                    raise InvalidValue("a coin is under another script, or younger than the block")
                kind = EventKind.OPENING_COINBASE if coin.is_coinbase else EventKind.OPENING
                events.append(_event(at, ids[coin.script], kind, coin.value, 0, coin.outpoint, coin.height))
            self._insert_events(events)
            self._join_when_done(load_id, at)
        return len(new)

    def unknown_scripts(self, scripts: Iterable[bytes]) -> list[bytes]:
        """Those of the scripts that are not watched, each once."""
        return self._unknown(scripts)

    def loads(self) -> list[Load]:
        """The loads that have not caught up with the tip."""
        rows = self._connection.execute(
            "SELECT id, from_height, at_block FROM load WHERE NOT done ORDER BY id"
        ).fetchall()
        found = []
        for load_id, from_height, at_row in rows:
            at = self._load_position(at_row, from_height)
            if at is None:
                found.append(Load(load_id, from_height, None))
            else:
                found.append(Load(load_id, at.height + 1, id_text(at.hash)))
        return found

    def apply_load(self, load_id: int, blocks: Iterable[tuple[Block, Spent]]) -> bool:
        """Read blocks again, in order, for the scripts of a load, all or none. Returns whether it is done.

        They must be blocks of the active chain where the ledger holds it (`ChainMoved` otherwise), and join it from
        below. Raises as `apply`.
        """
        with self._transaction():
            row = self._connection.execute(
                "SELECT from_height, at_block FROM load WHERE id = ? AND NOT done", (load_id,)
            ).fetchone()
            tip = self._tip()
            if row is None or tip is None:
                raise InvalidValue(f"there is no load {load_id} to go on with")
            from_height, at_row = row
            at = self._load_position(at_row, from_height)
            scripts = self._group(load_id)
            for block, spent in blocks:
                height = from_height if at is None else at.height + 1
                if height > tip.height:
                    raise InvalidValue("a load does not go beyond the tip")
                at = self._reread(at, block, height)
                self._match(at, block, spent, scripts)
            if at is not None:
                self._connection.execute("UPDATE load SET at_block = ? WHERE id = ?", (at.row, load_id))
                return self._join_when_done(load_id, at)
        return False

    # What it says -----------------------------------------------------------------------------------------------------

    def balances(self, scripts: Iterable[bytes], block_hash: str) -> dict[bytes, Balance | None]:
        """Balance of each script as of a block of the ledger, orphaned or not; None where it is not known.

        Not known: scripts that are not watched, those whose load is not done, blocks before the height from which a
        script is covered, and orphaned blocks that were matched before the script was added. Raises `InvalidValue`
        when the ledger does not hold the block.
        """
        with _usable():
            at, unknown = self._position(block_hash)
            ids = self._group(None)
            asked = {script: ids.get(script, -1) for script in scripts}
            known = [row for row in asked.values() if row >= 0 and row not in unknown]
            found = balances_at(self._connection, at, known)
        return {script: found.get(row) for script, row in asked.items()}

    def coins(self, scripts: Iterable[bytes], block_hash: str) -> list[Coin]:
        """The unspent coins of scripts as of a block. Raises `InvalidValue` where `balances` would give None."""
        with _usable():
            at, unknown = self._position(block_hash)
            ids = self._group(None)
            asked = {ids.get(script, -1): script for script in scripts}
            if -1 in asked or not unknown.isdisjoint(asked):
                raise InvalidValue("the coins of a script are not known at that block")
            return coins_at(self._connection, at, asked)

    def touched(self, scripts: Iterable[bytes], first_height: int, last_hash: str) -> set[int] | None:
        """Heights of the active blocks, from one to a last, that pay or spend any of the scripts.

        None where the ledger cannot tell: the last block is not active, a block below it was not read, or a script
        was not watched in all of them.
        """
        self._forget_when_changed()
        last, lowest = self._known(id_bytes(last_hash)), self.first_height
        ids = self._group(None)
        rows = [ids.get(script, -1) for script in scripts]
        if last is None or not last.is_active or lowest is None or first_height <= lowest or -1 in rows:
            return None
        return touched_heights(self._connection, rows, first_height, last.height)

    def _position(self, block_hash: str) -> tuple[Position, set[int]]:
        """Where a block is, and the scripts whose balance is not known there."""
        self._forget_when_changed()
        known = self._known(id_bytes(block_hash))
        if known is None:
            raise InvalidValue(f"the ledger does not hold block {block_hash}")
        branch = []
        fork: KnownBlock | None = known
        while fork is not None and not fork.is_active:
            branch.append(fork)
            fork = self._known(fork.previous)
        if fork is None:
            raise InvalidValue(f"block {block_hash} does not join the chain that the ledger follows")
        matched = min((each.matched for each in branch), default=-1)
        unknown = self._connection.execute(
            "SELECT id FROM script WHERE load_id IS NULL AND (covered_from > ? OR (? >= 0 AND joined > ?))",
            (known.height, matched, matched),
        )
        position = Position(known.height, fork.height, tuple(each.row for each in branch))
        return position, {row for (row,) in unknown}

    # Inside -----------------------------------------------------------------------------------------------------------

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with _usable():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._forget_when_changed()
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                self._groups.clear()
                if self._connection.in_transaction:  # a full disk ends it by itself
                    self._connection.execute("ROLLBACK")
                raise

    def _forget_when_changed(self) -> None:
        (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        if version != self._data_version:  # another process wrote: what is kept in memory may be outdated
            self._groups.clear()
            self._data_version = version

    def _group(self, load_id: int | None) -> dict[bytes, int]:
        """The scripts of a load, or (None) those followed at the tip, with their rows."""
        if load_id not in self._groups:
            rows = self._connection.execute("SELECT script, id FROM script WHERE load_id IS ?", (load_id,))
            self._groups[load_id] = dict(rows)
        return self._groups[load_id]

    def _unknown(self, scripts: Iterable[bytes]) -> list[bytes]:
        self._forget_when_changed()
        groups = [self._group(None)]
        groups += [self._group(row) for (row,) in self._connection.execute("SELECT id FROM load WHERE NOT done")]
        return [script for script in dict.fromkeys(scripts) if not any(script in group for group in groups)]

    def _insert_scripts(
        self, scripts: list[bytes], from_height: int, joins_at: KnownBlock | None, load_at: KnownBlock | None = None
    ) -> None:
        """Add scripts that join at once, or come under a new load that begins at a height or behind a block."""
        (last,) = self._connection.execute("SELECT coalesce(max(id), 0) FROM script").fetchone()
        load_id: int | None = None
        joined: int | None = None
        if joins_at is not None:
            joined = self._next_join()
        else:
            at_row = load_at.row if load_at is not None else None
            self._connection.execute("INSERT INTO load VALUES (NULL, ?, ?, 0)", (from_height, at_row))
            (load_id,) = self._connection.execute("SELECT max(id) FROM load").fetchone()
        group = self._group(load_id)
        opened_at = load_at.row if load_at is not None else None
        rows = [
            (last + number, each, from_height, load_id, joined, opened_at) for number, each in enumerate(scripts, 1)
        ]
        self._connection.executemany("INSERT INTO script VALUES (?, ?, ?, ?, ?, ?)", rows)
        group.update((row[1], row[0]) for row in rows)

    def _joins(self) -> int:
        """How many groups of scripts have joined those that are followed."""
        (count,) = self._connection.execute("SELECT value FROM meta WHERE name = 'joins'").fetchone()
        return int(count)

    def _next_join(self) -> int:
        count = self._joins() + 1
        self._connection.execute("UPDATE meta SET value = ? WHERE name = 'joins'", (str(count),))
        return count

    def _join_when_done(self, load_id: int, at: KnownBlock) -> bool:
        tip = self._tip()
        if tip is None or at.row != tip.row:
            return False
        self._connection.execute(
            """INSERT INTO balance SELECT e.script_id, sum(e.delta) FROM event AS e JOIN block AS b ON b.id = e.block_id
               WHERE b.active AND e.script_id IN (SELECT id FROM script WHERE load_id = ?) GROUP BY e.script_id""",
            (load_id,),
        )
        self._connection.execute(
            "UPDATE script SET load_id = NULL, joined = ? WHERE load_id = ?", (self._next_join(), load_id)
        )
        self._connection.execute("UPDATE load SET done = 1 WHERE id = ?", (load_id,))
        self._group(None).update(self._groups.pop(load_id, {}))
        return True

    def _forget_openings_above(self, height: int) -> None:
        """No longer watch what began with the coins of a block that is orphaned: it has to be added anew."""
        gone = self._connection.execute(
            """UPDATE script SET load_id = 0, joined = NULL
               WHERE opened_at IN (SELECT id FROM block WHERE active AND height > ?)""",
            (height,),
        )
        if gone.rowcount:
            self._connection.execute(
                "UPDATE load SET done = 1 WHERE id NOT IN (SELECT load_id FROM script WHERE load_id)"
            )
            self._groups.clear()

    def _append(self, tip: KnownBlock, block: Block) -> KnownBlock:
        header, height = block.header, tip.height + 1
        if header.previous != tip.hash:
            raise ProofFailed(f"block {header.block_hash} does not follow block {tip.height} of the ledger")
        check_block(block, self.network, height)
        self._check_bits(header, height, tip)
        known = self._known(header.hash)
        if known is None:
            return self._insert_block(header, height)
        # The chain came back to a block that had been orphaned.
        self._connection.execute("UPDATE block SET active = 1, matched = ? WHERE id = ?", (self._joins(), known.row))
        return self._require(header.hash)

    def _reread(self, at: KnownBlock | None, block: Block, height: int) -> KnownBlock:
        header = block.header
        if at is not None and header.previous != at.hash:
            raise ChainMoved(f"block {header.block_hash} does not follow block {at.height} of the load")
        check_block(block, self.network, height)
        known = self._active_at(height)
        if known is not None:
            if known.hash != header.hash:
                raise ChainMoved(f"block {header.block_hash} is not the ledger's block {height}")
            return known
        below, above = self._active_at(height - 1), self._active_at(height + 1)
        if (below is not None and header.previous != below.hash) or (
            above is not None and above.previous != header.hash
        ):
            raise ProofFailed(f"block {header.block_hash} does not join the ledger's chain at height {height}")
        if below is not None:
            self._check_bits(header, height, below)
        return self._insert_block(header, height)

    def _check_bits(self, header: Header, height: int, before: KnownBlock) -> None:
        start = self._active_at(height - PERIOD_BLOCKS) if height % PERIOD_BLOCKS == 0 else None
        check_bits(
            self.network,
            height,
            header.bits,
            previous_bits=before.bits,
            previous_time=before.time,
            period_start_time=start.time if start is not None else None,
        )

    def _match(
        self, at: KnownBlock, block: Block, spent: Spent, scripts: dict[bytes, int]
    ) -> tuple[BlockEvents, _Events]:
        """What a block does to a group of scripts, written down unless it is there already."""
        coins = self._coins_before(at, block, scripts)
        found = match_block(block, spent, scripts, {name: coin for name, (coin, _) in coins.items()}.get)
        events: _Events = []
        for name, script, value, is_coinbase, position in found.credits:
            kind = EventKind.COINBASE if is_coinbase else EventKind.CREDIT
            events.append(_event(at, scripts[script], kind, value, position, name, at.height))
            if is_coinbase and name in coins:
                lost, height = coins[name]
                events.append(_event(at, scripts[lost.script], EventKind.OVERWRITTEN, -lost.value, 0, name, height))
        for name, script, value, position in found.debits:
            height = coins[name][1] if name in coins else at.height
            events.append(_event(at, scripts[script], EventKind.DEBIT, -value, position, name, height))
        self._insert_events(self._not_known(at, events, scripts))
        return found, events

    def _not_known(self, at: KnownBlock, events: _Events, scripts: dict[bytes, int]) -> _Events:
        """The events of a block that are not written down yet; those that are must be among them."""
        known: set[_Event] = set(
            self._connection.execute(
                """SELECT block_id, script_id, kind, delta, position, coin_key, outpoint, coin_height FROM event
                   WHERE block_id = ?""",
                (at.row,),
            )
        )
        if not known:
            return events
        ours = set(scripts.values())
        openings = (EventKind.OPENING, EventKind.OPENING_COINBASE)
        if not {each for each in known if each[1] in ours and each[2] not in openings} <= set(events):
            raise ProofFailed(f"block {id_text(at.hash)} is told otherwise than before")
        return [event for event in events if event not in known]

    def _coins_before(self, at: KnownBlock, block: Block, scripts: dict[bytes, int]) -> dict[bytes, tuple[Output, int]]:
        """Our unspent coins among those that a block spends, before it, each with the height of its block."""
        asked = {each.outpoint for transaction in block.transactions[1:] for each in transaction.inputs}
        coinbase = block.transactions[0]
        asked.update(outpoint(coinbase.txid, number) for number in range(len(coinbase.outputs)))
        keys = json.dumps(list({_coin_key(name) for name in asked}))
        coins: dict[bytes, tuple[Output, int]] = {}
        for name, delta, height, kind, script_id, script in self._connection.execute(
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

    def _insert_events(self, events: _Events) -> None:
        self._connection.executemany("INSERT INTO event VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)", events)

    def _change_balances(self, changes: dict[int, int]) -> None:
        self._connection.executemany(
            "INSERT INTO balance VALUES (?, ?) ON CONFLICT DO UPDATE SET base_units = base_units + excluded.base_units",
            changes.items(),
        )

    def _insert_block(self, header: Header, height: int) -> KnownBlock:
        self._connection.execute(
            "INSERT INTO block VALUES (NULL, ?, ?, ?, ?, ?, 1, ?)",
            (header.hash, height, header.previous, header.time, header.bits, self._joins()),
        )
        return self._require(header.hash)

    _COLUMNS: Final = "SELECT id, hash, height, previous, time, bits, active, matched FROM block WHERE "

    def _one(self, condition: str, *values: object) -> KnownBlock | None:
        row = self._connection.execute(self._COLUMNS + condition, values).fetchone()
        if row is None:
            return None
        number, block_hash, height, previous, time, bits, active, matched = row
        return KnownBlock(number, block_hash, height, previous, time, bits, bool(active), matched)

    def _known(self, block_hash: bytes) -> KnownBlock | None:
        return self._one("hash = ?", block_hash)

    def _require(self, block_hash: bytes) -> KnownBlock:
        known = self._known(block_hash)
        if known is None:
            raise InvalidValue(f"the ledger does not hold block {id_text(block_hash)}")
        return known

    def _require_active(self, block_hash: str) -> KnownBlock:
        known = self._require(id_bytes(block_hash))
        if not known.is_active:
            raise InvalidValue(f"block {block_hash} is not on the chain that the ledger follows")
        return known

    def _active_at(self, height: int) -> KnownBlock | None:
        return self._one("active AND height = ?", height)

    def _tip(self) -> KnownBlock | None:
        return self._one("active ORDER BY height DESC LIMIT 1")

    def _load_position(self, at_row: int | None, from_height: int) -> KnownBlock | None:
        """The last block of the active chain that a load has read."""
        at = self._one("id = ?", at_row) if at_row is not None else None
        while at is not None and not at.is_active:
            at = self._known(at.previous) if at.height > from_height else None
        return at

    def _ref(self, known: KnownBlock) -> BlockRef:
        return BlockRef(
            chain_id=self.network.chain_id,
            height=known.height,
            block_hash=id_text(known.hash),
            parent_hash=id_text(known.previous),
            timestamp=datetime.fromtimestamp(known.time, UTC),
        )


@contextmanager
def _usable() -> Iterator[None]:
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


def _event(
    at: KnownBlock, script_row: int, kind: EventKind, delta: int, position: int, name: bytes, coin_height: int
) -> _Event:
    return at.row, script_row, kind, delta, position, _coin_key(name), name, coin_height


def _coin_key(name: bytes) -> int:
    beginning, number = _KEY.unpack(name)
    return int(beginning << 32 | number)
