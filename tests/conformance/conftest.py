"""The chains that the conformance suite runs against."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.bitcoin import BitcoinHarness
from tests.conformance.evm import EvmHarness
from tests.conformance.fake import FakeHarness
from tests.conformance.harness import ReaderHarness
from tests.conformance.quorum import QuorumHarness

HARNESSES = ("evm", "bitcoin", "fake", "evm-quorum", "bitcoin-quorum", "fake-quorum", "evm-verified")


@pytest.fixture(params=HARNESSES)
def harness(request: pytest.FixtureRequest) -> Iterator[ReaderHarness]:
    """A local network of each chain in turn: read through one node, through three, and with verified history."""
    chain, _, how = request.param.partition("-")
    own = _own_harness(chain, how, request)
    yield QuorumHarness(own) if how == "quorum" else own
    own.close()


def _own_harness(chain: str, how: str, request: pytest.FixtureRequest) -> BitcoinHarness | EvmHarness | FakeHarness:
    if chain == "fake":
        return FakeHarness()
    if chain == "bitcoin":
        return BitcoinHarness(request.getfixturevalue("bitcoin_kernel"))
    history_mode = "verified" if how == "verified" else "logs"
    return EvmHarness(request.getfixturevalue("anvil"), history_mode=history_mode)
