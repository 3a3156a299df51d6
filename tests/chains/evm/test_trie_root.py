"""Roots of ordered tries, against the `trie` package."""

from __future__ import annotations

import pytest
import rlp
from hypothesis import example, given, settings
from hypothesis import strategies as st
from trie.hexary import HexaryTrie

from chains.evm.trie_root import EMPTY_ROOT, ordered_root


def root_by_trie(values: list[bytes]) -> bytes:
    trie = HexaryTrie({})
    for index, value in enumerate(values):
        trie[rlp.encode(index)] = value
    root: bytes = trie.root_hash
    return root


# Short values stand inside their parents, long ones behind a hash; keys change shape at 1, 128 and 256.
VALUES = st.lists(st.binary(min_size=1, max_size=80), max_size=150)


@settings(max_examples=60)
@given(VALUES)
@example([b"\x00"])
@example([b"a"] * 17)
@example([b"a" * 40, b"b"])
def test_any_values_give_the_root_of_the_trie_package(values: list[bytes]) -> None:
    assert ordered_root(values) == root_by_trie(values)


SHAPES = [(1, 1), (1, 40), (2, 1), (15, 5), (16, 31), (17, 33), (127, 5), (128, 40), (129, 1), (130, 31), (255, 33)]
LARGE_SHAPES = [(256, 1), (257, 40), (272, 600), (1_025, 5)]


@pytest.mark.parametrize(("count", "length"), [*SHAPES, *LARGE_SHAPES])
def test_every_shape_of_key(count: int, length: int) -> None:
    values = [(index + 1).to_bytes(4, "big").rjust(length, b"\x01")[-length:] for index in range(count)]
    values = [value.strip(b"\0") or b"\1" for value in values]
    assert ordered_root(values) == root_by_trie(values)


def test_nothing_has_the_empty_root_and_an_empty_value_is_refused() -> None:
    assert ordered_root([]) == EMPTY_ROOT == root_by_trie([])
    with pytest.raises(ValueError, match="empty"):
        ordered_root([b"a", b""])


@given(VALUES.filter(bool), st.data())
def test_one_value_left_out_added_or_changed_changes_the_root(values: list[bytes], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(values) - 1))
    root = ordered_root(values)
    assert ordered_root(values[:place] + values[place + 1 :]) != root
    assert ordered_root([*values, values[place]]) != root
    assert ordered_root([*values[:place], values[place] + b"\x01", *values[place + 1 :]]) != root
