"""The file in which the ledger of watched scripts is kept: its tables, and opening it safely.

A cache, not a system of record: everything in it can be read again from a node. So an unreadable file, or one of
another network or format, is refused with the advice to move it away, and never repaired.

`event` is only ever added to. A reorganisation changes which blocks are `active` and nothing else; what a block did
stays with the block, so that a balance at an orphaned block can still be told.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from chains.bitcoin.networks import Network
from chains.errors import ChainConfigError

FORMAT: Final = 4
"""Version of the tables below. There is no migration: another version is loaded anew."""
EVENT_BITS: Final = 26
"""How many bits of an event's row number count the events of its block; the block's own row number is above them."""
EVENTS_OF_BLOCK: Final = f"event.id BETWEEN b.id << {EVENT_BITS} AND (b.id << {EVENT_BITS} | {(1 << EVENT_BITS) - 1})"
"""Condition for the events of a block `b`, which lie in one run of rows: `b CROSS JOIN event ON ...`."""
CACHE_KIBIBYTES: Final = 64 * 1024
CHECKPOINT_PAGES: Final = 8192
"""A historic load touches the same pages again and again; they are copied into the file this often only."""
BUSY_WAIT_SECONDS: Final = 30.0

_TABLES: Final = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
    # `matched` is how many groups of scripts had joined when the block was matched (see `script.joined`).
    """CREATE TABLE block (id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, height INTEGER NOT NULL,
       previous BLOB NOT NULL, time INTEGER NOT NULL, bits INTEGER NOT NULL, active INTEGER NOT NULL,
       matched INTEGER NOT NULL, version INTEGER NOT NULL, merkle_root BLOB NOT NULL, nonce INTEGER NOT NULL) STRICT""",
    "CREATE UNIQUE INDEX block_active ON block (height) WHERE active",
    # A script is followed from `covered_from` on. While `load_id` is set its past is still being read; then it
    # joins those that are followed at the tip, and `joined` counts in which turn. `opened_at` is the block whose coins
    # it began with, where it did; once that block is orphaned, the script is given up (`load_id` 0).
    """CREATE TABLE script (id INTEGER PRIMARY KEY, script BLOB NOT NULL, covered_from INTEGER NOT NULL,
       load_id INTEGER, joined INTEGER, opened_at INTEGER) STRICT""",
    "CREATE INDEX script_load ON script (load_id) WHERE load_id IS NOT NULL",
    "CREATE INDEX script_opened ON script (opened_at) WHERE opened_at IS NOT NULL",
    # `at_block` is the last block that was read for the load; none before the first.
    """CREATE TABLE load (id INTEGER PRIMARY KEY, from_height INTEGER NOT NULL, at_block INTEGER,
       done INTEGER NOT NULL) STRICT""",
    # `delta` in satoshis. The row number tells the block, which saves an index. `coin_key` is a short form of
    # `outpoint`, which two may share: an index of whole numbers is small and fast. There is none of scripts: it would
    # cost every block much, for a question that is seldom asked.
    f"""CREATE TABLE event (id INTEGER PRIMARY KEY, script_id INTEGER NOT NULL, kind INTEGER NOT NULL,
       delta INTEGER NOT NULL, position INTEGER NOT NULL, coin_key INTEGER NOT NULL, outpoint BLOB NOT NULL,
       coin_height INTEGER NOT NULL, block_id INTEGER AS (id >> {EVENT_BITS})) STRICT""",
    "CREATE INDEX event_coin ON event (coin_key)",
    # Transactions that paid a watched script, and the coinbases of their blocks: what shows, without any node, that the
    # block has them. `raw` is without the witness, `branch` the hashes up to the merkle root.
    """CREATE TABLE place (block_id INTEGER NOT NULL, position INTEGER NOT NULL, txid BLOB NOT NULL, raw BLOB NOT NULL,
       branch BLOB NOT NULL, PRIMARY KEY (block_id, position)) STRICT, WITHOUT ROWID""",
    # At the tip, of scripts that joined; what follows from the events, kept so that it need not be summed.
    "CREATE TABLE balance (script_id INTEGER PRIMARY KEY, base_units INTEGER NOT NULL) STRICT",
    "CREATE TRIGGER event_stays BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'events are never changed'); END",
    "CREATE TRIGGER event_kept BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'events are never removed'); END",
)


def open_file(path: Path | None, network: Network, node_id: str = "") -> sqlite3.Connection:
    """Open the ledger of a network as one node tells it, made new where there is none; in memory without a path.

    Raises `ChainConfigError` when the file is of something else, or cannot be used.
    """
    name = path.name if path is not None else "in memory"
    try:
        connection = sqlite3.connect(
            path if path is not None else ":memory:",
            timeout=BUSY_WAIT_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
    except sqlite3.Error:
        raise ChainConfigError(f"the ledger file {name} cannot be opened") from None
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIBIBYTES}")
        _make_or_check(connection, network, node_id, name)
    except sqlite3.Error as error:
        connection.close()
        why = "is used by another process" if "locked" in str(error) else "is damaged, or no ledger; move it away"
        raise ChainConfigError(f"the ledger file {name} {why}") from None
    except ChainConfigError:
        connection.close()
        raise
    return connection


def _make_or_check(connection: sqlite3.Connection, network: Network, node_id: str, name: str) -> None:
    # A copy of another node's ledger would make one witness two.
    expected = {"format": str(FORMAT), "network": network.name, "genesis": network.genesis_hash, "node": node_id}
    connection.execute("BEGIN IMMEDIATE")
    try:
        if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
            for statement in _TABLES:
                connection.execute(statement)
            connection.executemany("INSERT INTO meta VALUES (?, ?)", {**expected, "joins": "0"}.items())
        found = dict(connection.execute("SELECT name, value FROM meta"))
        if not node_id:  # who looks at a file without a node reads whosever it is
            del expected["node"]
        connection.execute("COMMIT")
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    for key, value in expected.items():
        if found.get(key) != value:
            raise ChainConfigError(
                f"the ledger file {name} has {key} {str(found.get(key))[:80]!r}, not {value!r}; move it away"
            )
