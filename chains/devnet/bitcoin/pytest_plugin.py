"""Pytest fixtures for a local Bitcoin chain; installed with the package as the plugin `custody_bitcoin`.

Loads nothing but pytest until a fixture is used, because pytest imports this in every run of every project that
has the package. Documented in docs/pytest-fixtures.md.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from chains.devnet.bitcoin.kernel_node import KernelNode
    from chains.devnet.bitcoin.node import RegtestNode
    from chains.devnet.bitcoin.wallet import TestWallet

KERNEL: Final = "kernel"
BITCOIND: Final = "bitcoind"
PROPERTY: Final = "bitcoin_regtest"
"""Name of the property of a test's report that says which node it ran on."""
CORE_PROPERTY: Final = "bitcoin_core"
"""Name of the property of a test that only a real node can run."""
LIVE: Final = "live"
NOT_RUN: Final = "not run"
WALLET: Final = "pytest"
FIRST_LOCK: Final = f"{WALLET}/0"
"""Label of the wallet's first address, which the first block pays."""
HISTORY_BLOCKS: Final = 101
"""Blocks that a node of the fixtures begins with: one more than a coinbase needs to mature."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("bitcoin", "local Bitcoin node (custody-verifier)")
    group.addoption(
        "--bitcoind", metavar="PATH", help="run the tests on this bitcoind too (default: BITCOIND, else PATH)"
    )
    group.addoption(
        "--require-bitcoin",
        action="store_true",
        help="fail and do not skip where the library is missing; implied by CI",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test of a Bitcoin node on the library, and on a real `bitcoind` where there is one."""
    if "bitcoin_kind" in metafunc.fixturenames:
        kinds = [KERNEL, BITCOIND] if bitcoind_path(metafunc.config) else [KERNEL]
        metafunc.parametrize("bitcoin_kind", kinds, indirect=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests of a Bitcoin node ran on a real one: a number is no pass where it is 0."""
    ran = [
        value
        for outcome in ("passed", "failed", "error")
        for report in terminalreporter.stats.get(outcome, [])
        if getattr(report, "when", "") == "call"
        for name, value in report.user_properties
        if name == PROPERTY
    ]
    if ran:
        live = sum(kind == BITCOIND for kind in ran)
        on_library = len(ran) - live
        advice = "" if live else "; not run live: set BITCOIND to a Bitcoin Core binary"
        terminalreporter.write_line(f"bitcoin: {live} of {on_library} run on a real bitcoind{advice}")
    alone = {
        report.nodeid: value
        for outcome in ("passed", "failed", "error", "skipped")
        for report in terminalreporter.stats.get(outcome, [])
        for name, value in getattr(report, "user_properties", ())
        if name == CORE_PROPERTY
    }
    if alone:
        live = sum(value == LIVE for value in alone.values())
        advice = "" if live else "; not run live: set BITCOIND to a Bitcoin Core binary"
        terminalreporter.write_line(f"bitcoin, what Bitcoin Core alone answers: {live} of {len(alone)} run{advice}")


@pytest.fixture
def bitcoin_kind(request: pytest.FixtureRequest) -> str:
    """Which node this test runs on: `kernel` or `bitcoind`."""
    return str(request.param)


@pytest.fixture
def bitcoin_nodes(
    request: pytest.FixtureRequest, bitcoin_kind: str, record_property: Callable[[str, object], None]
) -> Iterator[Callable[..., RegtestNode]]:
    """Starts further nodes of the test's own, each with its own chain: `bitcoin_nodes(history=101)`."""
    record_property(PROPERTY, bitcoin_kind)
    with ExitStack() as stack:

        def start(history: int = HISTORY_BLOCKS) -> RegtestNode:
            if bitcoin_kind == BITCOIND:
                from chains.devnet.bitcoin.bitcoind import BitcoindProcess

                path = bitcoind_path(request.config)
                assert path is not None, "the kind is only asked for where there is one"
                node = stack.enter_context(BitcoindProcess(path)).node
            else:
                node = stack.enter_context(_kernel_node(request.config)).node
            if history:
                from chains.devnet.bitcoin.keys import Lock

                node.mine_history(history, Lock.of(FIRST_LOCK).address)
            return node

        yield start


@pytest.fixture
def bitcoin_regtest(bitcoin_nodes: Callable[..., RegtestNode]) -> RegtestNode:
    """A regtest node of the test's own, with 101 blocks; the first one's coins belong to `bitcoin_wallet`."""
    return bitcoin_nodes()


@pytest.fixture
def bitcoin_wallet(bitcoin_regtest: RegtestNode) -> TestWallet:
    """A wallet on `bitcoin_regtest` with 50 bitcoins that can be spent."""
    from chains.devnet.bitcoin.wallet import TestWallet

    wallet = TestWallet(bitcoin_regtest, WALLET)
    wallet.new_lock()
    return wallet


@pytest.fixture
def bitcoin_core(
    request: pytest.FixtureRequest, record_property: Callable[[str, object], None]
) -> Iterator[RegtestNode]:
    """A real `bitcoind` with 101 blocks, for what nothing else answers; without one, skipped and counted as not run."""
    path = bitcoind_path(request.config)
    record_property(CORE_PROPERTY, NOT_RUN if path is None else LIVE)
    if path is None:
        pytest.skip("not run live: it takes Bitcoin Core itself; set BITCOIND to its binary")
    from chains.devnet.bitcoin.bitcoind import BitcoindProcess
    from chains.devnet.bitcoin.keys import Lock

    with BitcoindProcess(path) as process:
        process.node.mine_history(HISTORY_BLOCKS, Lock.of(FIRST_LOCK).address)
        yield process.node


@pytest.fixture
def bitcoin_kernel(request: pytest.FixtureRequest) -> Iterator[KernelNode]:
    """A node on the library alone, at the genesis block, whose answers a test may change (`front.changes`, `state`)."""
    with _kernel_node(request.config) as kernel:
        yield kernel


def bitcoind_path(config: pytest.Config) -> Path | None:
    """The real node to run on: the option, `BITCOIND`, or `bitcoind` on PATH; one that was named must be there."""
    named = config.getoption("--bitcoind") or os.environ.get("BITCOIND", "")
    if named and not os.access(named, os.X_OK):
        raise pytest.UsageError(f"the named bitcoind is not an executable file: {named}")
    found = named or shutil.which("bitcoind")
    return Path(found).resolve() if found else None


def _kernel_node(config: pytest.Config) -> KernelNode:
    from chains.devnet.bitcoin.kernel_chain import KernelMissing, kernel
    from chains.devnet.bitcoin.kernel_node import KernelNode

    try:
        kernel()
    except KernelMissing as error:
        text = f"{error}. {error.advice}"
        if config.getoption("--require-bitcoin") or os.environ.get("CI", "").lower() not in ("", "0", "false", "no"):
            pytest.fail(text, pytrace=False)
        pytest.skip(text)
    return KernelNode()
