"""`python -m tests.simulation`: one seed again, or many of them in several processes."""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import structlog

from tests.simulation.run import Failed, Told, new_template, tell


def quiet() -> None:
    """Nodes that fail are what the stories are about: nobody has to be warned."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def attempt(seed: int, template: Path) -> Told | str:
    """What came of a seed: the story told, or why it failed."""
    try:
        return tell(seed, template)
    except Failed as error:
        return str(error)


def main() -> int:
    """Exit code 0 when every seed held, 1 when one did not."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="tell this seed alone, with the whole traceback")
    parser.add_argument("--seeds", type=int, default=50, help="how many")
    parser.add_argument("--first", type=int, default=0, help="from which seed on")
    parser.add_argument("--processes", type=int, default=None, help="at once; one for each processor without it")
    given = parser.parse_args()
    began = time.monotonic()
    quiet()
    with tempfile.TemporaryDirectory(prefix="custody-simulation-") as folder:
        template = new_template(Path(folder))
        if given.seed is not None:
            print(tell(given.seed, template))
            return 0
        seeds = range(given.first, given.first + given.seeds)
        failures = disturbances = sweeps = 0
        with ProcessPoolExecutor(given.processes, initializer=quiet) as pool:
            for done in as_completed([pool.submit(attempt, seed, template) for seed in seeds]):
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
