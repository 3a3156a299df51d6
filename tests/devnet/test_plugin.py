"""The pytest plugin as another project meets it: found by itself, honest about a missing or wrong node."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chains.devnet.anvil import AnvilProcess

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "pytest-fixtures.md"
PYTHON = re.findall(r"^```python\n(.*?)^```", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
EXAMPLES = [example for example in PYTHON if "bitcoin" not in example]

ONE_TEST = """
def test_it(anvil):
    assert anvil.block_number() == 0
    print("node", anvil.url)
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project with one test, on a machine without Anvil and without settings of ours."""
    for name in ("CI", "ANVIL_BIN", "ANVIL_RPC_URL", "PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(pytester.path))
    monkeypatch.setenv("HOME", str(pytester.path))
    pytester.makepyfile(ONE_TEST)
    return pytester


def run(project: pytest.Pytester, *options: str) -> pytest.RunResult:
    """Run the project's tests; warnings are errors there too."""
    return project.runpytest_subprocess("-rs", "-W", "error", "-p", "no:cacheprovider", "--strict-markers", *options)


@pytest.mark.devnet
def test_every_example_of_the_documentation_runs(
    anvil_binary: Path, project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANVIL_BIN", str(anvil_binary))
    assert len(EXAMPLES) >= 8
    for number, example in enumerate(EXAMPLES):
        project.path.joinpath(f"test_example_{number}.py").write_text(example, encoding="utf-8")
    result = run(project, "--require-anvil")
    result.assert_outcomes(passed=1 + sum(example.count("def test_") for example in EXAMPLES))


def test_the_documentation_names_every_fixture_helper_contract_and_lie() -> None:
    from chains.devnet import contracts, lagging, lies, node, pytest_plugin

    text = DOCUMENT.read_text(encoding="utf-8")
    fixtures = [
        name
        for name, value in vars(pytest_plugin).items()
        if type(value).__name__ == "FixtureFunctionDefinition" and name != "anvil_process"
    ]
    public = [
        name
        for module in (lies, lagging)
        for name, value in vars(module).items()
        if callable(value) and getattr(value, "__module__", "") == module.__name__ and not name.startswith("_")
    ]
    methods = [name for name in vars(node.AnvilNode) if not name.startswith("_")]
    read_only = {"automine", "interval_mining"}
    assert len(fixtures) == 9
    names = {*fixtures, *contracts.names(), *public, *methods} - read_only
    assert [name for name in sorted(names) if not re.search(rf"`[^`\n]*\b{name}\b[^`\n]*`", text)] == []


@pytest.mark.devnet
def test_a_session_uses_one_node_and_puts_it_back(
    anvil_binary: Path, project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANVIL_BIN", str(anvil_binary))
    project.makepyfile(
        """
        import pytest

        urls = set()

        @pytest.mark.parametrize("turn", range(3))
        def test_clean(anvil, turn):
            urls.add(anvil.url)
            assert len(urls) == 1
            assert anvil.block_number() == 0
            anvil.mine(3)

        @pytest.mark.anvil(private=True, args=["--chain-id", "77"])
        def test_private(anvil, w3):
            assert anvil.url not in urls
            assert w3.eth.chain_id == 77

        def test_deep_reorg(anvil, anvil_session):
            anvil_session.mine(2)
            anvil.reorg(2)
            anvil.rpc("anvil_setBalance", "0x" + "11" * 20, "0x5")

        def test_reorg_below_the_snapshot(anvil_session, request):
            anvil_session.mine(3)
            node = request.getfixturevalue("anvil")
            node.reorg(2)

        def test_fresh_after_it(anvil, anvil_session):
            assert anvil.block_number() == 0
            assert anvil.balance("0x" + "11" * 20) == 0
            assert anvil.url == anvil_session.url
        """
    )
    run(project).assert_outcomes(passed=7)


@pytest.mark.devnet
def test_each_worker_has_its_own_node(
    anvil_binary: Path, project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANVIL_BIN", str(anvil_binary))
    project.makepyfile(
        """
        import os, pathlib, pytest

        @pytest.mark.parametrize("turn", range(6))
        def test_it(anvil_session, turn):
            worker = os.environ["PYTEST_XDIST_WORKER"]
            pathlib.Path(f"{worker}-{anvil_session.url.rpartition(':')[2]}").touch()
        """
    )
    run(project, "-n", "2").assert_outcomes(passed=6)
    seen = sorted(path.name.split("-") for path in project.path.glob("gw*-*"))
    assert [worker for worker, _ in seen] == ["gw0", "gw1"]
    assert len({port for _, port in seen}) == 2


def test_missing_anvil_is_skipped_with_the_reason(project: pytest.Pytester) -> None:
    result = run(project)
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*no Anvil binary in node_modules*npm ci*"])


@pytest.mark.parametrize("demand", ["--require-anvil", "CI=true", "CI=1", "marker"])
def test_missing_anvil_fails_where_it_is_required(
    demand: str, project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = [demand] if demand.startswith("--") else []
    if demand.startswith("CI="):
        monkeypatch.setenv("CI", demand.partition("=")[2])
    if demand == "marker":
        options = ["--require-anvil"]
        project.makepyfile("import pytest\n@pytest.mark.anvil(private=True)\ndef test_it(anvil): pass\n")
    result = run(project, *options)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*no Anvil binary*"])


@pytest.mark.parametrize("empty", ["", "0", "false"])
def test_a_ci_variable_that_says_no_is_no_ci(
    empty: str, project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", empty)
    run(project).assert_outcomes(skipped=1)


@pytest.mark.parametrize("way", ["option", "environment"])
def test_a_named_binary_that_is_missing_fails(
    way: str, project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    if way == "environment":
        monkeypatch.setenv("ANVIL_BIN", "no/such/anvil")
    result = run(project, *(["--anvil-bin", "no/such/anvil"] if way == "option" else []))
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*not an executable file: no/such/anvil*"])


@pytest.mark.devnet
@pytest.mark.parametrize("way", ["option", "environment"])
def test_a_running_anvil_is_used(
    anvil_binary: Path, way: str, project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    with AnvilProcess(binary=anvil_binary) as process:
        if way == "environment":
            monkeypatch.setenv("ANVIL_RPC_URL", process.node.url)
        result = run(project, "-s", *(["--anvil-rpc-url", process.node.url] if way == "option" else []))
        result.assert_outcomes(passed=1)
        result.stdout.fnmatch_lines([f"*node {process.node.url}*"])
        assert process.node.block_number() == 0


@pytest.mark.devnet
def test_a_running_anvil_that_cannot_be_put_back_is_an_error(anvil_binary: Path, project: pytest.Pytester) -> None:
    project.makepyfile("def test_it(anvil):\n    anvil.mine()\n    anvil.reorg(2)\n")
    with AnvilProcess(binary=anvil_binary) as process:
        process.node.mine(5)
        result = run(project, "--anvil-rpc-url", process.node.url)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*CannotRestore*"])


@pytest.mark.devnet
def test_a_node_that_is_not_anvil_is_refused(anvil_binary: Path, project: pytest.Pytester) -> None:
    from chains.devnet import lies
    from chains.devnet.lying_proxy import LyingProxy

    geth = lies.set_result("web3_clientVersion", "Geth/v1.15.0-stable/linux-amd64/go1.23")
    with AnvilProcess(binary=anvil_binary) as process, LyingProxy(process.node.url, [geth]) as proxy:
        result = run(project, "--anvil-rpc-url", proxy.url)
        assert [call.method for call in proxy.seen] == ["web3_clientVersion"]
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*does not say that it is Anvil*"])


def test_a_named_node_that_does_not_answer_fails(project: pytest.Pytester) -> None:
    result = run(project, "--anvil-rpc-url", "http://127.0.0.1:1")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*no answer to web3_clientVersion*"])


@pytest.mark.parametrize("arguments", ['"--block-time", "1"', "privat=True", 'args=["--accounts", "1"]'])
def test_a_marker_used_wrongly_fails_its_test(arguments: str, project: pytest.Pytester) -> None:
    project.makepyfile(f"import pytest\n@pytest.mark.anvil({arguments})\ndef test_it(anvil): pass\n")
    result = run(project)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*use the marker as @pytest.mark.anvil(private=False, args=())*"])


def test_a_run_that_uses_no_fixture_loads_nothing_heavy(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import sys

        def test_it():
            heavy = {"web3", "eth_abi", "httpx2", "sqlmodel", "chains.devnet.anvil", "chains.types"}
            assert "chains.devnet.pytest_plugin" in sys.modules
            assert heavy & set(sys.modules) == set()
        """
    )
    run(project).assert_outcomes(passed=1)


def test_the_plugin_is_an_entry_point() -> None:
    from importlib.metadata import entry_points

    (found,) = entry_points(group="pytest11", name="custody_anvil")
    assert found.value == "chains.devnet.pytest_plugin"
