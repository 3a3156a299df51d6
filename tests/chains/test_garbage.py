"""The collector is rarer only while it is wanted so, and always comes back."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from chains.garbage import NEW_CONTAINERS, rare_collections


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_rarer_inside_and_as_before_after_it() -> None:
    gc.set_threshold(701, 11, 12)
    with rare_collections():
        assert gc.get_threshold() == (NEW_CONTAINERS, 11, 12)
        with rare_collections():
            pass
        assert gc.get_threshold() == (NEW_CONTAINERS, 11, 12)
    assert gc.get_threshold() == (701, 11, 12)


def test_an_error_restores_it_too() -> None:
    before = gc.get_threshold()
    with pytest.raises(LookupError), rare_collections():
        raise LookupError
    assert gc.get_threshold() == before


def test_two_at_a_time_that_end_in_the_order_they_began() -> None:
    before = gc.get_threshold()
    first, second = rare_collections(), rare_collections()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert gc.get_threshold()[0] == NEW_CONTAINERS
    second.__exit__(None, None, None)
    assert gc.get_threshold() == before


@pytest.mark.parametrize("own", [0, 2 * NEW_CONTAINERS])
def test_a_program_with_a_rule_of_its_own_keeps_it(own: int) -> None:
    gc.set_threshold(own, 10, 10)
    with rare_collections():
        assert gc.get_threshold()[0] == own
    assert gc.get_threshold()[0] == own


def test_cycles_are_still_collected_inside() -> None:
    gc.collect()
    with rare_collections():
        found = gc.get_stats()[0]["collected"]
        for _ in range(NEW_CONTAINERS + 10):
            ring: list[object] = []
            ring.append(ring)
        assert gc.get_stats()[0]["collected"] > found
