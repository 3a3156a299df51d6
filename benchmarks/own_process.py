"""One command in a process of its own, and what it took: `python -m benchmarks.own_process OUT COMMAND...`.

A process of its own stands between, because the kernel carries the largest size of whoever starts a program over to
the started one: begun by a benchmark that holds a made-up crowd, a small command would be charged with the crowd.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Taken:
    """What a finished process took, its own children not counted."""

    exit_code: int
    wall_seconds: float
    processor_seconds: float
    peak_rss_bytes: int
    """Largest resident size, as the kernel kept it."""


def run(command: Sequence[str], out: Path) -> Taken:
    """Run a command; its output goes to the file `out`, its errors beside it (`.err`)."""
    starter = [sys.executable, "-m", "benchmarks.own_process", str(out.resolve()), *command]
    done = subprocess.run(starter, cwd=ROOT, capture_output=True, text=True, check=True)
    return Taken(**json.loads(done.stdout))


def _measure(command: Sequence[str], out: str) -> Taken:
    began = time.perf_counter()
    with Path(out).open("wb") as output, Path(f"{out}.err").open("wb") as errors:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors)
        _, status, used = os.wait4(process.pid, 0)
    return Taken(
        exit_code=os.waitstatus_to_exitcode(status),
        wall_seconds=round(time.perf_counter() - began, 2),
        processor_seconds=round(used.ru_utime + used.ru_stime, 2),
        peak_rss_bytes=used.ru_maxrss * 1024,
    )


if __name__ == "__main__":
    print(json.dumps(asdict(_measure(sys.argv[2:], sys.argv[1]))))
