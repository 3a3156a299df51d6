"""A pytest plugin that records which fault rows were covered by tests that really ran and passed.

A test names the rows it covers: `@pytest.mark.fault("A7", "A8")`. With `--faults-report PATH` the record of the
run is written there as JSON when the session ends. It works under pytest-xdist, because the rows travel with each
test's report. A marker that names no row, or a row that the catalogue does not have, fails its test.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.fault_catalogue import FaultRow, load_catalogue

PROPERTY: Final = "fault_rows"
RECORD_VERSION: Final = 1


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--faults-report PATH`."""
    parser.addoption("--faults-report", metavar="PATH", help="write which fault rows passing tests covered, as JSON")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and the recorder where reports arrive: everywhere but in xdist's workers."""
    config.addinivalue_line("markers", "fault(row): the row of docs/faults.md this test covers")
    config.pluginmanager.register(FaultMarkers(load_catalogue()), "fault-markers")
    path = config.getoption("faults_report")
    if path and not hasattr(config, "workerinput"):
        config.pluginmanager.register(FaultRecorder(Path(path)), "fault-recorder")


def marked_rows(item: pytest.Item) -> Iterator[str]:
    """The rows named by all fault markers of a test; raise ValueError for a marker of another form."""
    for marker in item.iter_markers("fault"):
        if not marker.args or marker.kwargs or not all(isinstance(row, str) for row in marker.args):
            raise ValueError('a fault marker names its rows: @pytest.mark.fault("A7")')
        yield from marker.args


class FaultMarkers:
    """Checks the markers of each test and sends the rows along with its report."""

    def __init__(self, catalogue: dict[str, FaultRow]) -> None:
        self.catalogue = catalogue

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Fail a test whose marker is wrong, before it can be counted."""
        try:
            rows = sorted(set(marked_rows(item)))
        except ValueError as error:
            pytest.fail(str(error), pytrace=False)
        if unknown := [row for row in rows if row not in self.catalogue]:
            pytest.fail(f"docs/faults.md has no row {', '.join(unknown)}", pytrace=False)
        if rows:
            item.user_properties.append((PROPERTY, rows))


class FaultRecorder:
    """Gathers the outcome of every marked test and writes the record."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: dict[str, list[str]] = {}
        self.outcomes: dict[str, str] = {}
        """Per test, the worst of its phases: failed, then skipped, then passed."""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note one phase of one test."""
        for name, value in report.user_properties:
            if name == PROPERTY and isinstance(value, list):
                self.rows[report.nodeid] = value
        outcome = "skipped" if hasattr(report, "wasxfail") else report.outcome
        if report.when != "call" and outcome == "passed":
            return
        if outcome == "failed" or self.outcomes.get(report.nodeid) != "failed":
            self.outcomes[report.nodeid] = outcome

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Write the record; a run that is cut short leaves one that says so by its exit status."""
        record: dict[str, Any] = {
            "version": RECORD_VERSION,
            "exit_status": int(exitstatus),
            "tests": [
                {"test": test, "rows": self.rows[test], "outcome": self.outcomes.get(test, "not run")}
                for test in sorted(self.rows)
            ],
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
