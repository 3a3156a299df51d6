"""Pytest fixtures for a local Anvil chain; installed with the package as the plugin `custody_anvil`.

Loads nothing but pytest until a fixture is used, because pytest imports this in every run of every project that
has the package. Documented in docs/pytest-fixtures.md.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from web3 import AsyncWeb3, Web3

    from chains.devnet.anvil import AnvilNode, AnvilProcess
    from chains.devnet.deploy import Deployed
    from chains.devnet.lying_proxy import LyingProxy

MARKER = (
    "anvil(private=False, args=()): private=True gives the test a fresh Anvil node of its own, "
    "started with these further command line arguments"
)


class DeployContract(Protocol):
    """What the fixture `deploy_contract` is."""

    def __call__(self, name: str, *args: object, sender: str | None = None, value_wei: int = 0) -> Deployed: ...


class DeployErc20(Protocol):
    """What the fixture `deploy_erc20` is."""

    def __call__(self, symbol: str = "TEST", decimals: int = 18, supply: int = 0) -> Deployed: ...


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("anvil", "local Ethereum node (custody-verifier)")
    group.addoption(
        "--anvil-rpc-url", metavar="URL", help="use this running Anvil node (default: ANVIL_RPC_URL, else start one)"
    )
    group.addoption("--anvil-bin", metavar="PATH", help="the Anvil binary to start (default: ANVIL_BIN, else search)")
    group.addoption(
        "--require-anvil", action="store_true", help="fail and do not skip where Anvil is missing; implied by CI"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", MARKER)


@pytest.fixture(scope="session")
def anvil_binary(request: pytest.FixtureRequest) -> Path:
    """The Anvil binary. Without one the test is skipped, or fails where Anvil is required or was named."""
    from chains.devnet.anvil import AnvilNotFound, find_anvil

    named = request.config.getoption("--anvil-bin") or os.environ.get("ANVIL_BIN")
    try:
        return find_anvil(named)
    except AnvilNotFound as error:
        text = f"{error}. {error.advice}"
        if named or request.config.getoption("--require-anvil") or _is_ci():
            pytest.fail(text, pytrace=False)
        pytest.skip(text)


@pytest.fixture(scope="session")
def anvil_process(request: pytest.FixtureRequest) -> Iterator[AnvilProcess | None]:
    """The process behind `anvil_session`; None where a running node was named."""
    if _rpc_url(request.config):
        yield None
        return
    from chains.devnet.anvil import AnvilProcess

    with AnvilProcess(binary=request.getfixturevalue("anvil_binary")) as process:
        yield process


@pytest.fixture(scope="session")
def anvil_session(request: pytest.FixtureRequest, anvil_process: AnvilProcess | None) -> AnvilNode:
    """One Anvil node for the session, each xdist worker its own. What a test does to it stays."""
    if anvil_process is not None:
        return anvil_process.node
    from chains.devnet.anvil import AnvilNode
    from chains.errors import ChainError

    try:
        return AnvilNode(_rpc_url(request.config))
    except ChainError as error:
        pytest.fail(f"the node of --anvil-rpc-url or ANVIL_RPC_URL: {error} ({error.advice})", pytrace=False)


@pytest.fixture
def anvil(request: pytest.FixtureRequest) -> Iterator[AnvilNode]:
    """An Anvil node whose chain is put back after the test, or with `@pytest.mark.anvil(private=True)` its own."""
    from chains.devnet.anvil import AnvilProcess
    from chains.devnet.isolation import isolated

    private, arguments = _marked(request)
    with ExitStack() as stack:
        if private:
            binary: Path = request.getfixturevalue("anvil_binary")
            yield stack.enter_context(AnvilProcess(binary=binary, arguments=arguments)).node
            return
        node: AnvilNode = request.getfixturevalue("anvil_session")
        process: AnvilProcess | None = request.getfixturevalue("anvil_process")
        yield stack.enter_context(isolated(node, process.restart if process else None))


@pytest.fixture
def w3(anvil: AnvilNode) -> Web3:
    """web3.py on the test's node."""
    from web3 import HTTPProvider, Web3

    return Web3(HTTPProvider(anvil.url))


@pytest.fixture
def async_w3(anvil: AnvilNode) -> AsyncWeb3[Any]:
    """web3.py's asynchronous face on the test's node; its sessions belong to the event loop that uses it."""
    from web3 import AsyncHTTPProvider, AsyncWeb3

    return AsyncWeb3(AsyncHTTPProvider(anvil.url))


@pytest.fixture
def accounts(anvil: AnvilNode) -> list[str]:
    """Checksummed addresses that hold ether and that the node signs for."""
    return anvil.accounts()


@pytest.fixture
def deploy_contract(anvil: AnvilNode) -> DeployContract:
    """Deploys a test contract by name (`chains.devnet.contracts.names()`)."""
    from chains.devnet.deploy import deployed

    def deploy(name: str, *args: object, sender: str | None = None, value_wei: int = 0) -> Deployed:
        return deployed(anvil, name, args, sender=sender, value_wei=value_wei)

    return deploy


@pytest.fixture
def deploy_erc20(deploy_contract: DeployContract) -> DeployErc20:
    """Deploys a plain ERC-20 token; the first account gets the supply, in base units."""

    def deploy(symbol: str = "TEST", decimals: int = 18, supply: int = 0) -> Deployed:
        token = deploy_contract("Erc20", f"{symbol} test token", symbol, decimals)
        if supply:
            token.transact("mint", token.deployer, supply)
        return token

    return deploy


@pytest.fixture
def lying_node(anvil: AnvilNode) -> Iterator[Callable[..., LyingProxy]]:
    """Puts a proxy in front of the test's node: `lying_node(*lies, reply_lies=[...])`; its `url` lies as told."""
    from chains.devnet.lying_proxy import LyingProxy

    with ExitStack() as stack:

        def start(*lies: Any, reply_lies: Any = ()) -> LyingProxy:
            return stack.enter_context(LyingProxy(anvil.url, lies=lies, reply_lies=reply_lies))

        yield start


def _rpc_url(config: pytest.Config) -> str:
    return str(config.getoption("--anvil-rpc-url") or os.environ.get("ANVIL_RPC_URL", ""))


def _is_ci() -> bool:
    return os.environ.get("CI", "").lower() not in ("", "0", "false", "no")


def _marked(request: pytest.FixtureRequest) -> tuple[bool, list[str]]:
    """What the marker `anvil` says; wrong use fails the test rather than giving it another node than it wants."""
    marker = request.node.get_closest_marker("anvil")
    if marker is None:
        return False, []
    private, arguments = marker.kwargs.get("private", False), list(marker.kwargs.get("args", ()))
    if marker.args or not set(marker.kwargs) <= {"private", "args"} or (arguments and not private):
        pytest.fail(f"use the marker as @pytest.mark.{MARKER.partition(':')[0]}; args need private=True", pytrace=False)
    return bool(private), [str(argument) for argument in arguments]
