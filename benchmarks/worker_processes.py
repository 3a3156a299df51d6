"""Real `custody worker` processes on a firm of the benchmark, and the processor time of a PostgreSQL server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from benchmarks.measure import CpuClock, ResultsDiffer, process_cpu_clock
from benchmarks.postgres_rows import connected
from verifier.store.work_queue import SCHEMA

ROOT: Final = Path(__file__).resolve().parents[1]
CUSTODY: Final = (sys.executable, "-c", "import sys; from verifier.cli import main; sys.argv[0] = 'custody'; main()")
BEGIN_SECONDS_MAX: Final = 300.0
END_SECONDS_MAX: Final = 60.0
POLL_SECONDS: Final = 0.1
PARENT: Final = 1
OWN: Final = slice(11, 13)
OWN_AND_ENDED_CHILDREN: Final = slice(11, 15)
"""Places of proc_pid_stat(5), counted behind the name: the parent; user and system time; those of ended children."""


class Workers:
    """Processes that read shards; they listen when this is made by `running_workers`."""

    def __init__(self, processes: list[subprocess.Popen[bytes]], outputs: list[Path]) -> None:
        self._processes = processes
        self._outputs = outputs
        self._clocks = [process_cpu_clock(process.pid) for process in processes]

    def require_alive(self) -> None:
        """Raise `ResultsDiffer` as soon as one has ended: nobody waits for it then."""
        for number, process in enumerate(self._processes, 1):
            if process.poll() is not None:
                raise ResultsDiffer(f"worker {number} ended with {process.returncode}: {self._last_words(number)}")

    def cpu_seconds(self) -> float | None:
        """Processor time of all of them so far; None where the system does not tell."""
        known = [clock() for clock in self._clocks if clock is not None]
        return sum(known) if len(known) == len(self._clocks) else None

    def peaks(self) -> list[int]:
        """Largest resident size of each so far, in bytes; nothing where the system does not tell."""
        statuses = [Path(f"/proc/{process.pid}/status") for process in self._processes]
        return [
            int(line.split()[1]) * 1024
            for status in statuses
            if status.exists()
            for line in status.read_text(encoding="ascii", errors="replace").splitlines()
            if line.startswith("VmHWM:")
        ]

    def stored(self, sweep_id: str) -> list[list[int]]:
        """For each worker, which must have ended, the shards of this sweep that it stored."""
        said = [[json.loads(line) for line in output.read_text("utf-8").splitlines()] for output in self._outputs]
        wanted = {"sweep_id": sweep_id, "outcome": "stored"}
        return [[each["shard"] for each in lines if each.items() >= wanted.items()] for lines in said]

    def end(self) -> None:
        """End them as an operator does. Raises `ResultsDiffer` when one does not end well."""
        for process in self._processes:
            process.send_signal(signal.SIGTERM)
        for number, process in enumerate(self._processes, 1):
            if code := process.wait(END_SECONDS_MAX):
                raise ResultsDiffer(f"worker {number} ended with {code}: {self._last_words(number)}")

    def _last_words(self, number: int) -> str:
        errors = self._outputs[number - 1].with_suffix(".err").read_text(encoding="utf-8", errors="replace")
        return errors.strip()[-500:]


@contextmanager
def running_workers(config: Path, database_url: str, count: int, name: str) -> Iterator[Workers]:
    """So many workers with this configuration, which listen; what is left of them at the end is killed.

    What they say goes into files beside the configuration. Raises `ResultsDiffer` when one ends before it listens.
    """
    with ExitStack() as stack:
        outputs = [config.parent / f"{name}-{number}.out" for number in range(1, count + 1)]
        workers = Workers([stack.enter_context(_process(config, output)) for output in outputs], outputs)
        until = time.monotonic() + BEGIN_SECONDS_MAX
        while _listening(database_url) < count:
            workers.require_alive()
            if time.monotonic() > until:
                raise ResultsDiffer(f"{count} workers did not listen within {BEGIN_SECONDS_MAX:.0f} seconds")
            time.sleep(POLL_SECONDS)
        yield workers


@contextmanager
def _process(config: Path, output: Path) -> Iterator[subprocess.Popen[bytes]]:
    with output.open("wb") as out, output.with_suffix(".err").open("wb") as errors:
        process = subprocess.Popen(
            [*CUSTODY, "--config", str(config), "worker", "--json"],
            cwd=config.parent,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=errors,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def _listening(database_url: str) -> int:
    """How many workers the queue knows; one that ended as it should is forgotten by it."""
    with connected(database_url) as connection:
        row = connection.execute(f"SELECT count(*) FROM {SCHEMA}.procrastinate_workers").fetchone()
    return int(row[0]) if row else 0


def server_cpu_clock(database_url: str) -> CpuClock | None:
    """Processor time of all processes of a PostgreSQL server, also of those that ended; None where it runs elsewhere.

    The kernel counts it in hundredths of a second.
    """
    with connected(database_url) as connection:
        backend = connection.info.backend_pid
        title = Path(f"/proc/{backend}/cmdline")
        if not title.exists() or connection.info.dbname.encode() not in title.read_bytes():
            return None
        parent = int(_stat(Path(f"/proc/{backend}/stat"))[PARENT])
    return _family_clock(parent)


def _family_clock(parent: int) -> CpuClock:
    ticks = os.sysconf("SC_CLK_TCK")

    def clock() -> float:
        used = sum(map(int, _stat(Path(f"/proc/{parent}/stat"))[OWN_AND_ENDED_CHILDREN]))
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = _stat(path)
            except OSError:  # it ended meanwhile
                continue
            if int(fields[PARENT]) == parent:
                used += sum(map(int, fields[OWN]))
        return used / ticks

    return clock


def _stat(path: Path) -> list[str]:
    """The fields behind the name, which may hold anything."""
    return path.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()


def watchful_sleep(workers: Workers) -> Callable[[float], None]:
    """Sleeps, and looks whether the workers still run."""

    def sleep(seconds: float) -> None:
        workers.require_alive()
        time.sleep(seconds)

    return sleep
