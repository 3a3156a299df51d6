"""The catalogue is whole, and a row counts only for a test that really ran and passed."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.fault_catalogue import ROW_COUNTS, load_catalogue, parse_catalogue
from tests.faults import coverage, main, table

TESTS = """
import pytest

@pytest.mark.fault("A1")
def test_passes(): pass

@pytest.mark.fault("A2", "A3")
def test_names_two_rows(): pass

@pytest.mark.fault("A4")
def test_fails(): assert False

@pytest.mark.fault("A5")
@pytest.mark.skip(reason="no node")
def test_is_skipped(): pass

@pytest.mark.fault("A6")
@pytest.mark.xfail(reason="known")
def test_is_known_to_fail(): assert False

@pytest.fixture
def broken(): raise RuntimeError("setup")

@pytest.mark.fault("A7")
def test_breaks_in_setup(broken): pass

@pytest.fixture
def breaks_after():
    yield
    raise RuntimeError("teardown")

@pytest.mark.fault("A8")
def test_breaks_in_teardown(breaks_after): pass

@pytest.mark.fault("A9")
@pytest.mark.parametrize("good", [True, False])
def test_half_good(good): assert good

@pytest.mark.fault("A10")
def test_deselected(): pass

def test_unmarked(): pass
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A small project that uses the plugin."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parent.parent))
    monkeypatch.setenv("PYTEST_ADDOPTS", "")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # only what is under test, and xdist where named
    pytester.makeconftest("pytest_plugins = ['tests.fault_report']")
    return pytester


def recorded(project: pytest.Pytester, *options: str) -> dict[str, Any]:
    """Run the small project's tests and return the record."""
    project.runpytest_subprocess("--faults-report", "out/faults.json", "-p", "no:cacheprovider", *options)
    record: dict[str, Any] = json.loads((project.path / "out" / "faults.json").read_text(encoding="utf-8"))
    return record


def test_the_catalogue_is_whole() -> None:
    catalogue = load_catalogue()
    assert Counter(row[0] for row in catalogue) == ROW_COUNTS
    assert len(catalogue) == 166
    assert all(row.fault.endswith(".") and row.expected.endswith(".") for row in catalogue.values())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("| A1 | one. | two. |\n| A3 | one. | two. |", "A2|A3"),
        ("| A1 | one. | two. |\n| A1 | one. | two. |", "row A1 where A2"),
        ("| A1 | one. |", "three cells"),
        ("| A1 | one. | two. | three. |", "three cells"),
    ],
)
def test_a_torn_catalogue_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_catalogue(text)


@pytest.mark.parametrize("workers", [[], ["-p", "xdist.plugin", "-n", "2"]], ids=["alone", "xdist"])
def test_only_tests_that_ran_and_passed_count(project: pytest.Pytester, workers: list[str]) -> None:
    project.makepyfile(TESTS)
    record = recorded(project, "--deselect", "test_only_tests_that_ran_and_passed_count.py::test_deselected", *workers)
    result = coverage(record, load_catalogue())
    assert result.covered == ("A1", "A2", "A3")
    assert set(result.failing) == {"A4", "A7", "A8", "A9"}
    assert {"A5", "A6", "A10"} <= set(result.missing)
    assert len(result.covered) + len(result.missing) == 166
    assert result.exit_code == 1


@pytest.mark.parametrize("marker", ['"A99"', '"Z1"', '"a1"', "", "7", 'row="A1"'])
def test_a_marker_that_names_no_row_fails_its_test(project: pytest.Pytester, marker: str) -> None:
    project.makepyfile(f"import pytest\n\n@pytest.mark.fault({marker})\ndef test_x(): pass\n")
    outcome = project.runpytest_subprocess("-p", "no:cacheprovider")
    outcome.assert_outcomes(errors=1)
    outcome.stdout.re_match_lines([".*(docs/faults.md has no row|a fault marker names its rows)"])


def test_a_marker_that_names_a_row_passes(project: pytest.Pytester) -> None:
    project.makepyfile('import pytest\n\n@pytest.mark.fault("A45", "G19")\ndef test_x(): pass\n')
    project.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)


def record_of(outcome: str, exit_status: int, rows: list[str] | None = None) -> dict[str, Any]:
    """The record of a run of one test."""
    return {
        "version": 1,
        "exit_status": exit_status,
        "tests": [{"test": "t.py::t", "rows": rows or ["D1"], "outcome": outcome}],
    }


@pytest.mark.parametrize(
    ("record", "exit_code", "covered"),
    [
        (record_of("passed", 0), 0, 1),
        (record_of("failed", 1), 1, 0),
        (record_of("passed", 1), 1, 1),
        (record_of("skipped", 0), 2, 0),
        (record_of("passed", 2), 2, 1),
        ({"version": 1, "exit_status": 5, "tests": []}, 2, 0),
    ],
)
def test_the_command_says_what_it_saw(
    record: dict[str, Any], exit_code: int, covered: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "faults.json"
    path.write_text(json.dumps(record), encoding="utf-8")
    assert main(["--json", "--record", str(path)]) == exit_code
    printed = json.loads(capsys.readouterr().out)
    assert (printed["covered"], printed["total"], len(printed["missing"])) == (covered, 166, 166 - covered)
    assert main(["--record", str(path)]) == exit_code
    shown = capsys.readouterr().out
    assert ("missing D1 " in shown or "FAILING D1 " in shown) == (covered == 0)
    assert ("FAILING D1 " in shown) == (record["tests"] != [] and record["tests"][0]["outcome"] == "failed")


@pytest.mark.parametrize(
    "text",
    [None, "", "[]", "{}", json.dumps(record_of("passed", 0, ["A99"])), json.dumps(record_of("great", 0))],
)
def test_an_unusable_record_is_not_a_success(
    text: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "faults.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    assert main(["--json", "--record", str(path)]) == 2
    assert capsys.readouterr().out == ""


def test_the_table_adds_up() -> None:
    shown = table(coverage(record_of("passed", 0, ["A1", "B2"]), load_catalogue()))
    assert "A              1  50" in shown
    assert "all            2  166" in shown
