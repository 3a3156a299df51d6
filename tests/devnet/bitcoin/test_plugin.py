"""The pytest plugin as another project meets it: found by itself, honest about a missing node and what did not run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chains.devnet.bitcoin.keys import Kind
from tests.devnet.bitcoin.standin import write_standin

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "pytest-fixtures.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")
EXAMPLES = [
    example for example in re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL) if "bitcoin" in example
]
ONE_TEST = """
def test_it(bitcoin_regtest):
    assert bitcoin_regtest.height == 101
"""
WITHOUT_LIBRARY = """
import sys
sys.modules["pbk"] = None
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project with one test, on a machine without bitcoind and without settings of ours."""
    for name in ("CI", "BITCOIND", "PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(pytester.path))
    pytester.makepyfile(ONE_TEST)
    return pytester


def run(project: pytest.Pytester, *options: str) -> pytest.RunResult:
    """Run the project's tests; warnings are errors there too."""
    return project.runpytest_subprocess("-rs", "-W", "error", "-p", "no:cacheprovider", "--strict-markers", *options)


def test_every_example_of_the_documentation_runs(project: pytest.Pytester) -> None:
    assert len(EXAMPLES) >= 3
    for number, example in enumerate(EXAMPLES):
        project.path.joinpath(f"test_example_{number}.py").write_text(example, encoding="utf-8")
    run(project).assert_outcomes(passed=1 + sum(example.count("def test_") for example in EXAMPLES))


def test_the_documentation_names_every_fixture_method_and_fault() -> None:
    from chains.devnet.bitcoin import node, pytest_plugin, state, wallet

    fixtures = [
        name for name, value in vars(pytest_plugin).items() if type(value).__name__ == "FixtureFunctionDefinition"
    ]
    methods = [name for name in vars(node.RegtestNode) if not name.startswith("_")]
    payments = ["pay", "pay_many", "build", "replace", "new_address", "new_lock"]
    faults = ["queue_full", "warming_up", "scanning", "pruned_height", "headers_ahead"]
    assert len(fixtures) == 6
    assert all(hasattr(wallet.TestWallet, name) for name in payments)
    assert all(f"self.{name}" in Path(state.__file__).read_text(encoding="utf-8") for name in faults)
    names = {*fixtures, *methods, *payments, *faults}
    assert [name for name in sorted(names) if not re.search(rf"`[^`\n]*\b{name}\b[^`\n]*`", TEXT)] == []
    assert len(Kind) == 5


def test_the_count_of_what_ran_live(project: pytest.Pytester) -> None:
    result = run(project)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["bitcoin: 0 of 1 run on a real bitcoind; not run live: set BITCOIND*"])


@pytest.mark.parametrize("is_there", [False, True])
def test_what_bitcoin_core_alone_answers_is_counted_and_never_passes_without_it(
    project: pytest.Pytester, is_there: bool
) -> None:
    project.makepyfile("def test_it(bitcoin_core):\n    assert bitcoin_core.height == 101\n")
    options = ["--bitcoind", str(write_standin(project.path))] if is_there else []
    result = run(project, *options)
    result.assert_outcomes(passed=int(is_there), skipped=int(not is_there))
    said = "1 of 1 run" if is_there else "0 of 1 run; not run live: set BITCOIND*"
    result.stdout.fnmatch_lines([f"bitcoin, what Bitcoin Core alone answers: {said}"])


@pytest.mark.parametrize("way", ["option", "environment", "path"])
def test_a_bitcoind_is_found_and_every_test_runs_on_it_too(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    path = write_standin(project.path)
    if way == "environment":
        monkeypatch.setenv("BITCOIND", str(path))
    if way != "path":
        monkeypatch.setenv("PATH", str(project.path / "elsewhere"))
    result = run(project, "-v", *(["--bitcoind", str(path)] if way == "option" else []))
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        ["*test_it?kernel?*PASSED*", "*test_it?bitcoind?*PASSED*", "bitcoin: 1 of 1 run on a real bitcoind"]
    )


def test_a_bitcoind_that_was_named_and_is_not_there_is_no_pass(project: pytest.Pytester) -> None:
    result = run(project, "--bitcoind", str(project.path / "nowhere"))
    assert result.ret != 0
    assert result.parseoutcomes().get("passed", 0) == 0
    result.stdout.fnmatch_lines(["*the named bitcoind is not an executable file*"])


def test_without_the_library_tests_are_skipped_and_say_so(project: pytest.Pytester) -> None:
    project.makeconftest(WITHOUT_LIBRARY)
    result = run(project)
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*py-bitcoinkernel) is not installed. Install custody-verifier?bitcoin?*"])


@pytest.mark.parametrize("way", ["option", "CI"])
def test_where_the_library_is_required_its_absence_fails(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    project.makeconftest(WITHOUT_LIBRARY)
    if way == "CI":
        monkeypatch.setenv("CI", "true")
    result = run(project, *(["--require-bitcoin"] if way == "option" else []))
    result.assert_outcomes(errors=1)


def test_a_run_that_uses_no_fixture_loads_nothing_heavy_and_counts_nothing(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import sys

        def test_it():
            heavy = {"pbk", "coincurve", "http.server", "chains.devnet.bitcoin.node", "chains.types"}
            assert "chains.devnet.bitcoin.pytest_plugin" in sys.modules
            assert heavy & set(sys.modules) == set()
        """
    )
    result = run(project)
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("bitcoin:*")


def test_the_plugin_is_an_entry_point() -> None:
    from importlib.metadata import entry_points

    (found,) = entry_points(group="pytest11", name="custody_bitcoin")
    assert found.value == "chains.devnet.bitcoin.pytest_plugin"
