"""`python -m tests.simulation`: one seed again, or many of them in several processes."""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import structlog

from tests.postgres import PostgresServer, running_server
from tests.simulation.databases import Databases, PostgresDatabases, SqliteFiles
from tests.simulation.run import Failed, Told, tell


def quiet() -> None:
    """Nodes that fail are what the stories are about: nobody has to be warned."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


@contextmanager
def place_for(database: str) -> Iterator[str]:
    """Where the databases of a run lie: the path of a SQLite template, or the URL of a PostgreSQL server."""
    with tempfile.TemporaryDirectory(prefix="custody-simulation-") as name:
        if database == "sqlite":
            yield str(SqliteFiles.made_in(Path(name)).template)
            return
        with running_server(Path(name) / "postgres") as url:
            yield url


@cache
def databases_at(place: str) -> Databases:
    """Once for each process: on PostgreSQL each has a template of its own."""
    return PostgresDatabases(PostgresServer(place)) if place.startswith("postgresql") else SqliteFiles(Path(place))


def attempt(seed: int, place: str) -> Told | str:
    """What came of a seed: the story told, or why it failed."""
    try:
        return tell(seed, databases_at(place))
    except Failed as error:
        return str(error)


def main() -> int:
    """Exit code 0 when every seed held, 1 when one did not."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="tell this seed alone, with the whole traceback")
    parser.add_argument("--seeds", type=int, default=50, help="how many")
    parser.add_argument("--first", type=int, default=0, help="from which seed on")
    parser.add_argument("--processes", type=int, default=None, help="at once; one for each processor without it")
    parser.add_argument(
        "--database", choices=("sqlite", "postgresql"), default="sqlite", help="what records are kept in"
    )
    given = parser.parse_args()
    began = time.monotonic()
    quiet()
    with place_for(given.database) as place:
        if given.seed is not None:
            print(tell(given.seed, databases_at(place)))
            return 0
        seeds = range(given.first, given.first + given.seeds)
        failures = disturbances = sweeps = 0
        with ProcessPoolExecutor(given.processes, initializer=quiet) as pool:
            for done in as_completed([pool.submit(attempt, seed, place) for seed in seeds]):
                result = done.result()
                if isinstance(result, str):
                    failures += 1
                    print(f"FAILED {result}\n", flush=True)
                else:
                    disturbances += result.disturbances
                    sweeps += result.sweeps
    told = f"{given.seeds} seeds from {given.first}, {sweeps} sweeps, {disturbances} disturbances"
    print(f"{told}, {failures} failed, in {time.monotonic() - began:.0f} s")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
