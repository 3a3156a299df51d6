"""Which rows of docs/faults.md are covered by tests that ran and passed: `python -m tests.faults [--json]`.

Runs the tests marked `fault` and prints `{"covered": n, "total": m, "missing": [...]}` with `--json`, a table for
people otherwise. A row counts when at least one test that names it passed and none failed; skipped tests count for
nothing. `--record PATH` reads the record of an earlier run (`pytest --faults-report PATH`) instead of running.

Exit codes: 0 the tests passed (rows may still be missing); 1 a marked test failed; 2 nothing ran or no record.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fault_catalogue import FaultRow, load_catalogue
from tests.fault_report import RECORD_VERSION

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a run says about the catalogue."""

    catalogue: dict[str, FaultRow]
    covered: tuple[str, ...]
    missing: tuple[str, ...]
    """Rows without a passing test, and rows that a failing test names."""
    failing: tuple[str, ...]
    tests_passed: int
    tests_skipped: int
    exit_status: int
    """What pytest ended with."""

    @property
    def exit_code(self) -> int:
        """0 passed, 1 a marked test failed, 2 nothing was tried."""
        if self.failing or self.exit_status == 1:
            return 1
        return 2 if self.exit_status != 0 or self.tests_passed == 0 else 0

    def to_json(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        return {
            "covered": len(self.covered),
            "total": len(self.catalogue),
            "missing": list(self.missing),
            "failing": list(self.failing),
            "tests_passed": self.tests_passed,
            "tests_skipped": self.tests_skipped,
        }


def coverage(record: dict[str, Any], catalogue: dict[str, FaultRow]) -> Coverage:
    """Judge the record of a run; raise ValueError when it is of another version or names an unknown row."""
    if record.get("version") != RECORD_VERSION:
        raise ValueError(f"the record has version {record.get('version')!r}, not {RECORD_VERSION}")
    passed: set[str] = set()
    failing: set[str] = set()
    counts = {"passed": 0, "failed": 0, "skipped": 0, "not run": 0}
    for test in record["tests"]:
        if unknown := set(test["rows"]) - set(catalogue):
            raise ValueError(f"{test['test']} names {', '.join(sorted(unknown))}, which docs/faults.md does not have")
        counts[test["outcome"]] += 1
        if test["outcome"] == "passed":
            passed.update(test["rows"])
        elif test["outcome"] == "failed":
            failing.update(test["rows"])
    covered = passed - failing
    return Coverage(
        catalogue=catalogue,
        covered=tuple(row for row in catalogue if row in covered),
        missing=tuple(row for row in catalogue if row not in covered),
        failing=tuple(row for row in catalogue if row in failing),
        tests_passed=counts["passed"],
        tests_skipped=counts["skipped"] + counts["not run"],
        exit_status=record["exit_status"],
    )


def run_marked_tests(workers: str) -> dict[str, Any]:
    """Run the tests marked `fault`, their output on stderr, and return the record of the run."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "faults.json"
        command = [sys.executable, "-m", "pytest", "-m", "fault", "-q", "-n", workers, f"--faults-report={path}"]
        subprocess.run(command, cwd=ROOT, stdout=sys.stderr, check=False)
        return read_record(path)


def read_record(path: Path) -> dict[str, Any]:
    """The record of a run; raise OSError or ValueError when there is none."""
    record = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(record, dict):
        raise ValueError("the record is not an object")
    return record


def table(result: Coverage) -> str:
    """The report for people: rows per section, then what is missing."""
    lines = ["section  covered  of"]
    for section in sorted({row[0] for row in result.catalogue}):
        rows = [row for row in result.catalogue if row[0] == section]
        lines.append(f"{section:<7}  {sum(row in result.covered for row in rows):>7}  {len(rows):>2}")
    lines.append(f"{'all':<7}  {len(result.covered):>7}  {len(result.catalogue):>2}")
    lines.append(f"{result.tests_passed} tests passed, {result.tests_skipped} were skipped")
    lines.extend(f"FAILING {row:<4} {result.catalogue[row].fault}" for row in result.failing)
    untried = [row for row in result.missing if row not in result.failing]
    lines.extend(f"missing {row:<4} {result.catalogue[row].fault}" for row in untried)
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Run or read, print, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description="Coverage of the fault catalogue.")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--record", type=Path, metavar="PATH", help="read an earlier run's record instead of running")
    parser.add_argument("--workers", default="auto", metavar="N", help="parallel test processes (default: auto)")
    options = parser.parse_args(arguments)
    try:
        record = read_record(options.record) if options.record else run_marked_tests(options.workers)
        result = coverage(record, load_catalogue())
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"no usable record of a test run: {error}", file=sys.stderr)
        return 2
    print(json.dumps(result.to_json()) if options.json else table(result))
    return result.exit_code


if __name__ == "__main__":
    sys.exit(main())
