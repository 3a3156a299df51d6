"""The follower's memory: what every block did to the watched scripts, so that any block's balances can be told.

One file per network and node. Each run of blocks is one transaction: a process that dies anywhere leaves the ledger at
the end of a run, and the next one goes on from there.

Scripts are watched from a height on, said when they are added. When that lies in blocks that were followed already, a
*load* reads those blocks again for the new scripts alone, while the others are followed; when it has caught up, its
scripts join the others. Until then they have no balance, which is not a balance of zero.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from chains.bitcoin.block import NO_BLOCK, Block, Header, Spent
from chains.bitcoin.ledger import BlockEvents, BlockLook, examine, require_coins
from chains.bitcoin.ledger_proofs import OutputProofs, output_proofs
from chains.bitcoin.ledger_rows import Events, KnownBlock, LedgerRows, credit_rows, event_row, spendings, usable
from chains.bitcoin.ledger_schema import EVENTS_OF_BLOCK
from chains.bitcoin.ledger_views import (
    Balance,
    Coin,
    EventKind,
    Position,
    balances_at,
    coins_at,
    debits_in,
    touched_heights,
)
from chains.bitcoin.networks import Network
from chains.bitcoin.proof_of_work import PERIOD_BLOCKS, check_bits
from chains.bitcoin.transaction import id_bytes, id_text
from chains.errors import ChainMoved, InvalidValue, ProofFailed, ReadError
from chains.garbage import rare_collections
from chains.types import BlockRef


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

    def __init__(self, path: Path | None, network: Network, node_id: str = "") -> None:
        """Open or make the file; in memory without a path. Raises `ChainConfigError`, also for another node's file."""
        self.network = network
        self._rows = LedgerRows(path, network, node_id)

    def close(self) -> None:
        """Close the file."""
        self._rows.connection.close()

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
        with self._rows.transaction():
            if self._rows.tip() is not None:
                raise InvalidValue("the ledger has begun already")
            self._rows.insert_block(header, height)

    @property
    def tip(self) -> BlockRef | None:
        """The last block applied; None when the ledger has not begun."""
        known = self._rows.tip()
        return self._ref(known) if known is not None else None

    @property
    def first_height(self) -> int | None:
        """Height of the lowest block of the active chain that the ledger holds."""
        found: int | None = self._rows.connection.execute("SELECT min(height) FROM block WHERE active").fetchone()[0]
        return found

    def block(self, block_hash: str) -> BlockRef | None:
        """A block that the ledger holds, orphaned or not."""
        known = self._rows.known(id_bytes(block_hash))
        return self._ref(known) if known is not None else None

    def is_active(self, block_hash: str) -> bool:
        """Whether a block is on the chain that the ledger follows."""
        known = self._rows.known(id_bytes(block_hash))
        return known is not None and known.is_active

    def active_at(self, height: int) -> BlockRef | None:
        """The block of the active chain at a height; None where the ledger holds none."""
        known = self._rows.active_at(height)
        return self._ref(known) if known is not None else None

    def apply(self, blocks: Iterable[tuple[Block, Spent] | BlockLook]) -> list[BlockEvents]:
        """Add blocks above the tip, all or none: one transaction. Returns what each did to the followed scripts.

        A block may come examined already for the scripts of `watched(None)`. Blocks that are followed already, because
        another process was sooner, are left out.

        Every block is held against its header (`check_block`), must follow the one before, and its undo data must
        agree with the coins held here. Raises `ProofFailed` or `MalformedAnswer`, and `ChainMoved` when another process
        went on along another branch.
        """
        results: list[BlockEvents] = []
        changes: defaultdict[int, int] = defaultdict(int)
        with rare_collections(), self._rows.transaction():
            tip = self._rows.tip()
            if tip is None:
                raise InvalidValue("the ledger has not begun")
            scripts = self._rows.group(None)
            for block in blocks:
                known = self._rows.known(_header(block).hash)
                if known is not None and known.is_active:
                    continue
                tip, look = self._append(tip, block, scripts)
                events = self._match(tip, look, scripts)
                for event in events:
                    changes[event[0]] += event[2]
                results.append(look.events)
            self._rows.change_balances(changes)
        return results

    def rewind(self, block_hash: str) -> int:
        """Leave the blocks above an active one, which becomes the tip: they are orphaned and kept. Returns how many.

        Scripts that began with the coins of one of them are no longer watched.
        """
        with self._rows.transaction():
            fork = self._rows.require_active(block_hash)
            changes = dict(
                self._rows.connection.execute(
                    f"SELECT script_id, -sum(delta) FROM block AS b CROSS JOIN event ON {EVENTS_OF_BLOCK}"  # noqa: S608
                    " JOIN script AS s ON s.id = script_id"
                    " WHERE b.active AND b.height > ? AND s.load_id IS NULL GROUP BY script_id",
                    (fork.height,),
                )
            )
            self._rows.change_balances(changes)
            self._forget_openings_above(fork.height)
            cursor = self._rows.connection.execute(
                "UPDATE block SET active = 0 WHERE active AND height > ?", (fork.height,)
            )
            return cursor.rowcount

    # Scripts ----------------------------------------------------------------------------------------------------------

    def add_scripts(self, scripts: Iterable[bytes], from_height: int) -> int:
        """Watch scripts that nobody paid before a height; those known already keep theirs. Returns how many are new.

        When the height is not above the tip, they come under a load (`loads`). Raises `InvalidValue` when the ledger
        has not begun.
        """
        with self._rows.transaction():
            tip = self._rows.tip()
            if tip is None:
                raise InvalidValue("the ledger has not begun")
            new = self._rows.unknown(scripts)
            if new:
                self._rows.insert_scripts(new, from_height, None if from_height <= tip.height else tip)
        return len(new)

    def add_scripts_with_coins(self, scripts: Iterable[bytes], coins: Iterable[Coin], block_hash: str) -> int:
        """Watch scripts from a block of the active chain on, beginning with the coins that a set of coins has there.

        The coins are the word of who made the set; no header commits to them. Scripts known already are refused
        (`InvalidValue`), as they have coins. Returns how many scripts are new.
        """
        with self._rows.transaction():
            at = self._rows.require_active(block_hash)
            wanted = set(scripts)
            new = self._rows.unknown(wanted)
            if len(new) != len(wanted):
                raise InvalidValue(f"{len(wanted) - len(new)} of the scripts are watched already")
            if not new:
                return 0
            self._rows.insert_scripts(new, at.height, None, at)
            (load_id,) = self._rows.connection.execute("SELECT max(id) FROM load").fetchone()
            ids = self._rows.group(load_id)
            events: Events = []
            for coin in coins:
                if coin.script not in ids or not 0 <= coin.height <= at.height:
                    raise InvalidValue("a coin is under another script, or younger than the block")
                kind = EventKind.OPENING_COINBASE if coin.is_coinbase else EventKind.OPENING
                events.append(event_row(ids[coin.script], kind, coin.value, 0, coin.outpoint, coin.height))
            self._rows.insert_events(at, events)
            self._join_when_done(load_id, at)
        return len(new)

    def give_up(self, scripts: Iterable[bytes]) -> int:
        """No longer watch scripts, so that they can be begun anew; what is known of them stays in the file.

        Returns how many were watched.
        """
        count = 0
        with self._rows.transaction():
            for script in dict.fromkeys(scripts):
                gone = self._rows.connection.execute(
                    "UPDATE script SET load_id = 0, joined = NULL WHERE script = ? AND load_id IS NOT 0", (script,)
                )
                count += gone.rowcount > 0
            self._rows.forget_groups()
        return count

    def paid_below(self, coins: Iterable[Coin]) -> set[bytes]:
        """Scripts with a coin older than the blocks from which on they are followed: the ledger misses it."""
        self._rows.forget_when_changed()
        followed = self._rows.group(None)
        oldest: dict[int, int] = {}
        names: dict[int, bytes] = {}
        for coin in coins:
            row = followed.get(coin.script)
            if row is not None:
                oldest[row] = min(coin.height, oldest.get(row, coin.height))
                names[row] = coin.script
        begun = {
            row: (covered_from, opened_at)
            for row, covered_from, opened_at in self._rows.connection.execute(
                "SELECT id, covered_from, opened_at FROM script WHERE load_id IS NULL"
            )
            if row in oldest
        }
        return {names[row] for row, (first, opened_at) in begun.items() if opened_at is None and oldest[row] < first}

    def began_with_coins(self, scripts: Iterable[bytes]) -> set[bytes]:
        """Those of the followed scripts whose first coins are the word of a set of coins, not the sum of blocks."""
        asked = set(scripts)
        self._rows.forget_when_changed()
        rows = self._rows.connection.execute(
            "SELECT script FROM script WHERE opened_at IS NOT NULL AND load_id IS NULL"
        )
        return {script for (script,) in rows if script in asked}

    def unknown_scripts(self, scripts: Iterable[bytes]) -> list[bytes]:
        """Those of the scripts that are not watched, each once."""
        return self._rows.unknown(scripts)

    def lost_openings(self, scripts: Iterable[bytes]) -> set[bytes]:
        """Those that are no longer watched because the block with whose coins they began was orphaned.

        Their past was never read, so that blocks alone do not tell what they hold.
        """
        gone = {
            script
            for (script,) in self._rows.connection.execute(
                "SELECT script FROM script WHERE opened_at IS NOT NULL AND load_id = 0"
            )
        }
        return gone.intersection(self._rows.unknown(scripts))

    def loads(self) -> list[Load]:
        """The loads that have not caught up with the tip."""
        rows = self._rows.connection.execute(
            "SELECT id, from_height, at_block FROM load WHERE NOT done ORDER BY id"
        ).fetchall()
        found = []
        for load_id, from_height, at_row in rows:
            at = self._rows.load_position(at_row, from_height)
            if at is None:
                found.append(Load(load_id, from_height, None))
            else:
                found.append(Load(load_id, at.height + 1, id_text(at.hash)))
        return found

    def watched(self, load_id: int | None) -> frozenset[bytes]:
        """The scripts of a load, or (None) those that are followed at the tip."""
        return frozenset(self._rows.group(load_id))

    def apply_load(self, load_id: int, blocks: Iterable[tuple[Block, Spent] | BlockLook]) -> bool:
        """Read blocks again, in order, for the scripts of a load, all or none. Returns whether it is done.

        They must be blocks of the active chain where the ledger holds it (`ChainMoved` otherwise), and join it from
        below. Raises as `apply`.
        """
        with rare_collections(), self._rows.transaction():
            row = self._rows.connection.execute(
                "SELECT from_height, at_block FROM load WHERE id = ? AND NOT done", (load_id,)
            ).fetchone()
            tip = self._rows.tip()
            if row is None or tip is None:
                raise ChainMoved(f"there is no load {load_id} to go on with; another process may have ended it")
            from_height, at_row = row
            at = self._rows.load_position(at_row, from_height)
            scripts = self._rows.group(load_id)
            for block in blocks:
                known = self._rows.known(_header(block).hash)
                if at is not None and known is not None and known.is_active and known.height <= at.height:
                    continue  # another process was sooner
                height = from_height if at is None else at.height + 1
                if height > tip.height:
                    raise InvalidValue("a load does not go beyond the tip")
                at, look = self._reread(at, block, height, scripts)
                self._match(at, look, scripts)
            if at is not None:
                self._rows.connection.execute("UPDATE load SET at_block = ? WHERE id = ?", (at.row, load_id))
                return self._join_when_done(load_id, at)
        return False

    # What it says -----------------------------------------------------------------------------------------------------

    def balances(self, scripts: Iterable[bytes], block_hash: str) -> dict[bytes, Balance | None]:
        """Balance of each script as of a block of the ledger, orphaned or not; None where it is not known.

        Not known: scripts that are not watched, those whose load is not done, blocks before the height from which a
        script is covered, and orphaned blocks that were matched before the script was added. Raises `InvalidValue`
        when the ledger does not hold the block.
        """
        with usable():
            at, unknown = self._position(block_hash)
            ids = self._rows.group(None)
            asked = {script: ids.get(script, -1) for script in scripts}
            known = [row for row in asked.values() if row >= 0 and row not in unknown]
            found = balances_at(self._rows.connection, at, known)
        return {script: found.get(row) for script, row in asked.items()}

    def coins(self, scripts: Iterable[bytes], block_hash: str) -> list[Coin]:
        """The unspent coins of scripts as of a block, which are together the balances that `balances` gives.

        Raises `InvalidValue` where `balances` would give None, `ReadError` when the file contradicts itself.
        """
        with usable():
            at, unknown = self._position(block_hash)
            ids = self._rows.group(None)
            asked = {ids.get(script, -1): script for script in scripts}
            if -1 in asked or not unknown.isdisjoint(asked):
                raise InvalidValue("the coins of a script are not known at that block")
            found = coins_at(self._rows.connection, at, asked)
            held = balances_at(self._rows.connection, at, list(asked))
        sums = dict.fromkeys(asked.values(), 0)
        for coin in found:
            sums[coin.script] += coin.value
        if any(held[row].base_units != sums[script] for row, script in asked.items()):
            raise ReadError("the ledger file's balances are not the sums of its coins; move it away and load it anew")
        return found

    def output_proofs(self, scripts: Iterable[bytes], block_hash: str) -> OutputProofs:
        """What shows that the unspent outputs of scripts were made, as of an active block; no node is asked.

        Raises `InvalidValue` where `balances` would give None, or when the block is not active.
        """
        with usable():
            pin = self._rows.require_active(block_hash)
            coins = self.coins(scripts, block_hash)
            return output_proofs(self._rows.connection, coins, pin.height)

    def spendings(self, outpoints: Iterable[bytes]) -> dict[bytes, tuple[str, int]]:
        """Of coins that the active chain spent: the hash of the block that did, and the transaction's position."""
        with usable():
            found = spendings(self._rows.connection, outpoints)
        return {name: (id_text(block), position) for name, (block, position) in found.items()}

    def used(self) -> set[bytes]:
        """The followed scripts that any block paid, those of orphaned blocks included."""
        with usable():
            rows = self._rows.connection.execute(
                "SELECT script FROM script WHERE load_id IS NULL AND id IN (SELECT script_id FROM event)"
            )
            return {script for (script,) in rows}

    def debits(self, scripts: Iterable[bytes], block_hash: str) -> dict[bytes, set[tuple[bytes, int]]]:
        """Per script the coins that an active block took from it, outpoint and satoshis, as the ledger has read it.

        Scripts of which the ledger has not read the block are left out.
        """
        with usable():
            self._rows.forget_when_changed()
            known, lowest = self._rows.known(id_bytes(block_hash)), self.first_height
            if known is None or not known.is_active or lowest is None or known.height <= lowest:
                return {}
            ids = self._rows.group(None)
            return debits_in(
                self._rows.connection, known.row, known.height, {ids[each]: each for each in scripts if each in ids}
            )

    def touched(self, scripts: Iterable[bytes], first_height: int, last_hash: str) -> set[int] | None:
        """Heights of the active blocks, from one to a last, that pay or spend any of the scripts.

        None where the ledger cannot tell: the last block is not active, a block below it was not read, or a script
        was not watched in all of them.
        """
        self._rows.forget_when_changed()
        last, lowest = self._rows.known(id_bytes(last_hash)), self.first_height
        ids = self._rows.group(None)
        rows = [ids.get(script, -1) for script in scripts]
        if last is None or not last.is_active or lowest is None or first_height <= lowest or -1 in rows:
            return None
        return touched_heights(self._rows.connection, rows, first_height, last.height)

    def _position(self, block_hash: str) -> tuple[Position, set[int]]:
        """Where a block is, and the scripts whose balance is not known there."""
        self._rows.forget_when_changed()
        known = self._rows.known(id_bytes(block_hash))
        if known is None:
            raise InvalidValue(f"the ledger does not hold block {block_hash}")
        branch = []
        fork: KnownBlock | None = known
        while fork is not None and not fork.is_active:
            branch.append(fork)
            fork = self._rows.known(fork.previous)
        if fork is None:
            raise InvalidValue(f"block {block_hash} does not join the chain that the ledger follows")
        matched = min((each.matched for each in branch), default=-1)
        unknown = self._rows.connection.execute(
            "SELECT id FROM script WHERE load_id IS NULL AND (covered_from > ? OR (? >= 0 AND joined > ?))",
            (known.height, matched, matched),
        )
        position = Position(known.height, fork.height, tuple(each.row for each in branch))
        return position, {row for (row,) in unknown}

    # Inside -----------------------------------------------------------------------------------------------------------

    def _join_when_done(self, load_id: int, at: KnownBlock) -> bool:
        tip = self._rows.tip()
        if tip is None or at.row != tip.row:
            return False
        self._rows.connection.execute(
            """INSERT INTO balance SELECT e.script_id, sum(e.delta) FROM event AS e JOIN block AS b ON b.id = e.block_id
               WHERE b.active AND e.script_id IN (SELECT id FROM script WHERE load_id = ?) GROUP BY e.script_id""",
            (load_id,),
        )
        self._rows.connection.execute(
            "UPDATE script SET load_id = NULL, joined = ? WHERE load_id = ?", (self._rows.next_join(), load_id)
        )
        self._rows.connection.execute("UPDATE load SET done = 1 WHERE id = ?", (load_id,))
        self._rows.merge_group(load_id)
        return True

    def _forget_openings_above(self, height: int) -> None:
        """No longer watch what began with the coins of a block that is orphaned: it has to be added anew."""
        gone = self._rows.connection.execute(
            """UPDATE script SET load_id = 0, joined = NULL
               WHERE opened_at IN (SELECT id FROM block WHERE active AND height > ?)""",
            (height,),
        )
        if gone.rowcount:
            self._rows.connection.execute(
                "UPDATE load SET done = 1 WHERE id NOT IN (SELECT load_id FROM script WHERE load_id)"
            )
            self._rows.forget_groups()

    def _append(
        self, tip: KnownBlock, block: tuple[Block, Spent] | BlockLook, scripts: dict[bytes, int]
    ) -> tuple[KnownBlock, BlockLook]:
        header, height = _header(block), tip.height + 1
        if header.previous != tip.hash:
            if self._rows.known(header.previous) is not None:
                raise ChainMoved("another process moved the ledger meanwhile; run it again")
            raise ProofFailed(f"block {header.block_hash} does not follow block {tip.height} of the ledger")
        look = self._examined(block, height, scripts)
        self._check_bits(header, height, tip)
        known = self._rows.known(header.hash)
        if known is None:
            return self._rows.insert_block(header, height), look
        # The chain came back to a block that had been orphaned.
        self._rows.connection.execute(
            "UPDATE block SET active = 1, matched = ? WHERE id = ?", (self._rows.joins(), known.row)
        )
        return self._rows.require(header.hash), look

    def _reread(
        self,
        at: KnownBlock | None,
        block: tuple[Block, Spent] | BlockLook,
        height: int,
        scripts: dict[bytes, int],
    ) -> tuple[KnownBlock, BlockLook]:
        header = _header(block)
        if at is not None and header.previous != at.hash:
            raise ChainMoved(f"block {header.block_hash} does not follow block {at.height} of the load")
        look = self._examined(block, height, scripts)
        known = self._rows.active_at(height)
        if known is not None:
            if known.hash != header.hash:
                raise ChainMoved(f"block {header.block_hash} is not the ledger's block {height}")
            return known, look
        below, above = self._rows.active_at(height - 1), self._rows.active_at(height + 1)
        if (below is not None and header.previous != below.hash) or (
            above is not None and above.previous != header.hash
        ):
            raise ProofFailed(f"block {header.block_hash} does not join the ledger's chain at height {height}")
        if below is not None:
            self._check_bits(header, height, below)
        return self._rows.insert_block(header, height), look

    def _examined(self, block: tuple[Block, Spent] | BlockLook, height: int, scripts: dict[bytes, int]) -> BlockLook:
        """A block held against its header and looked into, unless that was done elsewhere for the same scripts."""
        if not isinstance(block, BlockLook):
            return examine(*block, self.network, height, scripts)
        if (block.height, block.watched) != (height, len(scripts)):
            raise ChainMoved("other scripts are watched by now than when the blocks were looked into; begin again")
        return block

    def _check_bits(self, header: Header, height: int, before: KnownBlock) -> None:
        start = self._rows.active_at(height - PERIOD_BLOCKS) if height % PERIOD_BLOCKS == 0 else None
        check_bits(
            self.network,
            height,
            header.bits,
            previous_bits=before.bits,
            previous_time=before.time,
            period_start_time=start.time if start is not None else None,
        )

    def _match(self, at: KnownBlock, look: BlockLook, scripts: dict[bytes, int]) -> Events:
        """What a block does to a group of scripts, held against our coins and written down unless it is already."""
        coins = self._rows.coins_before(at, look.names(), scripts)
        require_coins(look, {name: coin for name, (coin, _) in coins.items()})
        found = look.events
        events = credit_rows(found.credits, scripts, at.height)
        for name, _, _, is_coinbase, _ in found.credits if coins else ():
            if is_coinbase and name in coins:
                lost, height = coins[name]
                events.append(event_row(scripts[lost.script], EventKind.OVERWRITTEN, -lost.value, 0, name, height))
        for name, script, value, position in found.debits:
            height = coins[name][1] if name in coins else at.height
            events.append(event_row(scripts[script], EventKind.DEBIT, -value, position, name, height))
        self._rows.insert_events(at, self._rows.not_known(at, events, scripts))
        self._rows.insert_places(at, look.places)
        return events

    def _ref(self, known: KnownBlock) -> BlockRef:
        return BlockRef(
            chain_id=self.network.chain_id,
            height=known.height,
            block_hash=id_text(known.hash),
            parent_hash=id_text(known.previous),
            timestamp=datetime.fromtimestamp(known.time, UTC),
        )


def _header(block: tuple[Block, Spent] | BlockLook) -> Header:
    return block.header if isinstance(block, BlockLook) else block[0].header
