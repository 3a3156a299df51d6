"""What the scaling model is fed with: sizes and times of sweeps of made-up wallets, measured on this machine.

`python -m benchmarks.scaling_measure --wallets 2000 [--url URL]` makes a firm with that many wallets and one token in
a database (SQLite in a folder of its own, or the empty PostgreSQL that the URL names), before a chain that answers at
once from memory, and prints one JSON object: bytes and processor time per holding without any node, and the memory of
the process. Processor time is that of this process, so that a busy machine changes it little; that of a PostgreSQL
server comes on top.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from chains.types import Address
from tests.fakes.chain import Payment
from tests.verifier.sweep.memory import MemoryDesk
from verifier.config import SweepSettings
from verifier.store import Store, open_store
from verifier.sweep_encumbrances import EncumbranceOptions

SWEEPS = 3
"""Sweeps after the first one, over which the growth is taken."""
WALLETS_PER_FILE = 10_000


def measure(url: str, folder: Path, wallets: int) -> dict[str, Any]:
    """Map wallets, allocate to each, sweep a few times; what that took."""
    store = open_store(url)
    store.migrate("benchmark", _begin())
    empty = _bytes(store, url)
    desk = MemoryDesk(store, folder)
    desk.settings = SweepSettings(wallets_per_shard=5_000)
    desk.encumbrances = EncumbranceOptions(is_asked=False)
    addresses = [Address(f"0x{number:040d}") for number in range(1, wallets + 1)]
    began = time.perf_counter()
    desk.open_books(addresses[0])
    for first in range(1, wallets, WALLETS_PER_FILE):
        part = addresses[first : first + WALLETS_PER_FILE]
        desk.take(wallets=[{"address": each, "mpc_vault": f"v-{each[-12:]}"} for each in part])
    desk.chain.add(*(Payment(None, address, desk.asset, 1_000) for address in addresses))
    desk.chain.mine(2)
    for first in range(0, wallets, WALLETS_PER_FILE):
        rows = [
            {"client_id": "C-1", "location": desk.at(each), "quantity": "0.001000"}
            for each in addresses[first : first + WALLETS_PER_FILE]
        ]
        desk.take(allocations=rows)
    books_seconds = time.perf_counter() - began
    books = _bytes(store, url)
    desk.runner().run()
    before, began = _bytes(store, url), time.process_time()
    for _ in range(SWEEPS):
        desk.chain.mine(1)
        outcome = desk.runner().run()
        if outcome.summary is None or outcome.summary.matched != outcome.expected or outcome.expected != wallets:
            raise SystemExit(f"the sweep does not hold: {outcome.to_dict()}")
    seconds = time.process_time() - began
    grown = _bytes(store, url) - before
    before = _bytes(store, url)
    for first in range(0, wallets, WALLETS_PER_FILE):
        entries = [
            {"entry_id": f"E-{each}", "location": desk.at(each), "quantity": "0.000001"}
            for each in addresses[first : first + WALLETS_PER_FILE]
        ]
        desk.take(ledger_entries=entries)
    entry_bytes = _bytes(store, url) - before
    store.close()
    return {
        "database": sa.make_url(url).get_backend_name(),
        "wallets": wallets,
        "bytes_per_allocation_and_wallet": round((books - empty) / wallets, 1),
        "bytes_per_ledger_entry": round(entry_bytes / wallets, 1),
        "bytes_per_holding_and_sweep": round(grown / SWEEPS / wallets, 1),
        "processor_microseconds_per_holding_and_sweep": round(seconds / SWEEPS / wallets * 1e6, 1),
        "books_seconds": round(books_seconds, 1),
        "process_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


def _begin() -> Any:
    from tests.postgres import MOMENT

    return MOMENT


def _bytes(store: Store, url: str) -> int:
    """What the database takes, its log folded in."""
    if store.dialect_name == "sqlite":
        with sa.create_engine(url).connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return Path(str(sa.make_url(url).database)).stat().st_size
    with store.read() as connection:
        return int(connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wallets", type=int, default=2_000)
    parser.add_argument("--url", default="")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(json.dumps(measure(arguments.url or f"sqlite:///{folder / 'custody.db'}", folder, arguments.wallets)))


if __name__ == "__main__":
    main()
