"""The chains that the conformance suite runs against."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.evm import EvmHarness
from tests.conformance.fake import FakeHarness
from tests.conformance.harness import ReaderHarness
from tests.conformance.quorum import QuorumHarness

HARNESSES = ("evm", "fake", "evm-quorum", "fake-quorum")


@pytest.fixture(params=HARNESSES)
def harness(request: pytest.FixtureRequest) -> Iterator[ReaderHarness]:
    """A local network of each chain in turn, read through one node and through three."""
    chain, _, quorum = request.param.partition("-")
    own = _own_harness(chain, request)
    yield QuorumHarness(own) if quorum else own
    own.close()


def _own_harness(chain: str, request: pytest.FixtureRequest) -> EvmHarness | FakeHarness:
    if chain == "fake":
        return FakeHarness()
    return EvmHarness(request.getfixturevalue("anvil"))
