"""`python -m benchmarks NAME [--json]`: run one benchmark, or `all`."""

from __future__ import annotations

import argparse
import importlib
import logging
import sys

import structlog

from benchmarks.measure import ResultsDiffer

NAMES = (
    "bitcoin_addresses",
    "bitcoin_blocks",
    "bitcoin_follow",
    "bundle",
    "evm_balances",
    "evm_logs",
    "evm_proofs",
    "evm_receipts",
    "latency",
    "liabilities",
    "matching",
    "reconcile",
    "reserve",
    "sweep",
    "sweep_workers",
)


def main() -> int:
    """Run the named benchmark and print a line for each of its cases."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", choices=[*NAMES, "all"])
    parser.add_argument("--json", action="store_true", help="one JSON object per line")
    parser.add_argument("--quick", action="store_true", help="the smallest size only")
    arguments = parser.parse_args()
    quiet_log()
    for name in NAMES if arguments.name == "all" else (arguments.name,):
        module = importlib.import_module(f"benchmarks.{name}")
        try:
            for result in module.run(quick=arguments.quick):
                print(result.to_json() if arguments.json else result.to_text(), flush=True)
        except ResultsDiffer as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 1
    return 0


def quiet_log() -> None:
    """Warnings only, to standard error: unconfigured, the log goes to standard output, between the results."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )


if __name__ == "__main__":
    sys.exit(main())
