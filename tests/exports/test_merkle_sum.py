"""The Merkle-sum tree: one root for one set of leaves and one sum, and no way to another."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exports.errors import LiabilityInvalid
from exports.merkle_sum import (
    AMOUNT_MAX,
    HEIGHT_MAX,
    NODE,
    Entry,
    MerkleSumTree,
    padding_leaf,
    parent,
    root_of_path,
)

KEY = b"p" * 32


def leaf(name: str, base_units: int) -> bytes:
    return Entry(hashlib.sha256(name.encode()).digest(), base_units).to_bytes()


def leaves(*amounts: int) -> list[bytes]:
    return [leaf(f"leaf {number}", amount) for number, amount in enumerate(amounts)]


def built(found: Sequence[bytes], key: bytes = KEY) -> tuple[Entry, int]:
    with MerkleSumTree(found, key) as tree:
        return tree.root, tree.height


def by_hand(found: Sequence[bytes]) -> Entry:
    """The same by recursion over entries: another way to the same root."""
    width = 1 << max(len(found) - 1, 0).bit_length()
    padded = sorted([*found, *(padding_leaf(KEY, number) for number in range(width - len(found)))])
    entries = [Entry.of_bytes(each) for each in padded]
    level = 0
    while len(entries) > 1:
        level += 1
        entries = [parent(entries[at], entries[at + 1], level) for at in range(0, len(entries), 2)]
    return entries[0]


@given(st.lists(st.integers(0, 10**30), max_size=40), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_the_root_is_that_of_the_plain_definition_in_any_order(amounts: list[int], order: object) -> None:
    found = leaves(*amounts)
    root, height = built(found)
    assert root == by_hand(found)
    assert root.base_units == sum(amounts)
    order.shuffle(found)  # type: ignore[attr-defined]
    assert built(found) == (root, height)


@given(st.lists(st.integers(0, 10**30), min_size=1, max_size=20))
@settings(max_examples=40, deadline=None)
def test_every_leaf_leads_to_the_root_and_to_no_other(amounts: list[int]) -> None:
    found = leaves(*amounts)
    with MerkleSumTree(found, KEY) as tree:
        for each in map(Entry.of_bytes, found):
            index = tree.index_of(each.digest)
            path = tree.path(index)
            assert root_of_path(each, index, path) == tree.root
            more = Entry(each.digest, each.base_units + 1)
            assert root_of_path(more, index, path) != tree.root
            for level, sibling in enumerate(path):
                richer = Entry(sibling.digest, sibling.base_units + 1)
                assert root_of_path(each, index, [*path[:level], richer, *path[level + 1 :]]) != tree.root
            if path:
                assert root_of_path(each, index ^ 1, path) != tree.root, "siblings swapped"


@pytest.mark.fault("G17")
def test_three_leaves_and_four_never_share_a_root() -> None:
    """Neither with the last one doubled nor with one that owns nothing; and padding is made from a key."""
    three = leaves(10, 20, 30)
    root = built(three)
    with pytest.raises(LiabilityInvalid, match="twice"):
        built([*three, three[2]])
    for fourth in (leaf("leaf 3", 30), leaf("leaf 3", 0)):
        assert built([*three, fourth]) != root
    assert built([*three, padding_leaf(KEY, 0)]) == root, "who has the key can name the padding: it owns nothing"
    assert built(three, b"q" * 32)[0].digest != root[0].digest, "padding is made from the key"


@pytest.mark.fault("G17")
def test_a_leaf_never_passes_as_a_node() -> None:
    """Second preimage: what a node hashes is no leaf, and a node is of one level only."""
    with MerkleSumTree(leaves(1, 2, 3, 4), KEY) as tree:
        upper = tree.path(0)[1:]
        inner = parent(tree.leaf(0), tree.leaf(1), 1)
        assert root_of_path(inner, 0, upper) != tree.root, "a node given as a leaf, with a path shorter by one"
        left, right = tree.path(1)[0], tree.path(0)[0]
        assert (left, right) == (tree.leaf(0), tree.leaf(1))
        assert root_of_path(inner, 0, upper).base_units == tree.root.base_units, "only the digest tells"
        assert parent(left, right, 2).digest != inner.digest
        bare = hashlib.sha256(left.to_bytes() + right.to_bytes()).digest()
        assert hashlib.sha256(NODE + bytes([1]) + left.to_bytes() + right.to_bytes()).digest() == inner.digest != bare


@pytest.mark.fault("G17")
def test_a_digest_is_whole_or_refused() -> None:
    entry = Entry(b"a" * 32, 1)
    for digest in (b"", b"a" * 16, b"a" * 31, b"a" * 33):
        with pytest.raises(LiabilityInvalid, match="32"):
            root_of_path(entry, 0, [Entry(digest, 1)])
        with pytest.raises(LiabilityInvalid, match="32"):
            root_of_path(Entry(digest, 1), 0, [entry])
    with pytest.raises(LiabilityInvalid, match="64"):
        built([b"a" * 63])


@pytest.mark.fault("G7")
@pytest.mark.parametrize("amount", [-1, AMOUNT_MAX + 1])
def test_no_amount_below_zero_or_beyond_256_bits_in_leaf_sibling_or_sum(amount: int) -> None:
    good, bad = Entry(b"a" * 32, 1), Entry(b"b" * 32, amount)
    for attempt in (
        bad.to_bytes,
        lambda: root_of_path(good, 0, [bad]),
        lambda: root_of_path(bad, 0, [good]),
        lambda: root_of_path(bad, 1, [good]),
    ):
        with pytest.raises(LiabilityInvalid, match="256 bits"):
            attempt()


@pytest.mark.fault("G7")
def test_a_sum_beyond_256_bits_is_refused_by_builder_and_verifier() -> None:
    with pytest.raises(LiabilityInvalid, match="256 bits"):
        built(leaves(AMOUNT_MAX, 1))
    assert built(leaves(AMOUNT_MAX, 0))[0].base_units == AMOUNT_MAX
    with pytest.raises(LiabilityInvalid, match="256 bits"):
        root_of_path(Entry(b"a" * 32, AMOUNT_MAX), 0, [Entry(b"b" * 32, 1)])


def test_paths_of_a_wrong_length_or_position_are_refused() -> None:
    with MerkleSumTree(leaves(*range(1, 9)), KEY) as tree:
        index = 5
        entry = tree.leaf(index)
        path = tree.path(index)
        assert root_of_path(entry, index, path) == tree.root
        assert root_of_path(entry, index, [*path, Entry(bytes(32), 0)]) != tree.root
        for short, at in ((path[:-1], index), (path, 8), (path, -1), ((), 1)):
            with pytest.raises(LiabilityInvalid, match="too short"):
                root_of_path(entry, at, short)
        with pytest.raises(LiabilityInvalid, match="too long"):
            root_of_path(entry, 0, [Entry(bytes(32), 0)] * (HEIGHT_MAX + 1))
        with pytest.raises(LiabilityInvalid, match="no such leaf"):
            tree.index_of(bytes(32))


def test_nobody_is_owed_nothing() -> None:
    root, height = built([])
    assert (root.base_units, height) == (0, 0)
    assert root.to_bytes() == padding_leaf(KEY, 0)


@pytest.mark.parametrize("count", [255, 256, 257, 700])
def test_a_tree_beyond_memory_is_the_same_tree(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The temporary files are used from the first byte on, with blocks of two leaves."""
    found = leaves(*range(count))
    root = built(found)
    assert root[0] == by_hand(found)
    monkeypatch.setattr("exports.merkle_sum._BUCKET_BYTES_IN_MEMORY", 1)
    monkeypatch.setattr("exports.merkle_sum._LEAF_BYTES_IN_MEMORY", 1)
    for block_level in (1, 4, 8):
        monkeypatch.setattr("exports.merkle_sum._BLOCK_LEVEL", block_level)
        assert built(found) == root
        with MerkleSumTree(found, KEY) as tree:
            for index in (0, 1, 254, count - 1):
                assert root_of_path(tree.leaf(index), index, tree.path(index)) == tree.root
