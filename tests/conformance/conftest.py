"""The chains that the conformance suite runs against."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.harness import ReaderHarness

HARNESSES = ("evm", "fake")


@pytest.fixture(params=HARNESSES)
def harness(request: pytest.FixtureRequest) -> Iterator[ReaderHarness]:
    """A local network of each chain in turn."""
    if request.param == "fake":
        from tests.conformance.fake import FakeHarness

        yield FakeHarness()
        return
    assert request.param == "evm"
    from tests.conformance.evm import EvmHarness

    harness = EvmHarness(request.getfixturevalue("anvil"))
    yield harness
    harness.close()
