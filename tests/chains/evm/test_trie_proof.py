"""Trie proofs against the `trie` package on random tries, and every form that no trie has."""

from __future__ import annotations

import random
from re import Match
from typing import Any

import pytest
import rlp
from eth_utils.crypto import keccak
from hypothesis import find, given, settings
from hypothesis import strategies as st

from chains.errors import MalformedAnswer, ProofFailed
from chains.evm.rlp_encoding import encode_bytes, integer_bytes
from chains.evm.trie_nodes import Extension, Leaf, MixedBranch, decode_node
from chains.evm.trie_proof import EMPTY_NODE, NodePool
from chains.evm.trie_root import EMPTY_ROOT, ordered_root
from tests.chains.evm.tries import Entries, nibble_path, one_node, proof_of, trie_of

REFUSED = (ProofFailed, MalformedAnswer)
# Keys that share much make extensions and short leaves, which stand in their parents; hashed ones make large branches.
CLOSE_KEYS = st.builds(
    lambda shared, end: b"\x11" * shared + end.ljust(32 - shared, b"\x22")[: 32 - shared],
    st.integers(28, 31),
    st.binary(min_size=1, max_size=4),
)
KEYS = st.one_of(CLOSE_KEYS, st.integers(0, 999).map(lambda number: keccak(number.to_bytes(4, "big"))))
TRIES = st.dictionaries(KEYS, st.binary(min_size=1, max_size=70), max_size=60)


@settings(max_examples=150, deadline=None)
@given(TRIES, KEYS)
def test_presence_and_absence_are_those_of_the_trie_package(entries: Entries, other: bytes) -> None:
    trie = trie_of(entries)
    pool = NodePool()
    for key in [*entries, other]:
        proof = proof_of(trie, key)
        assert pool.prove(trie.root_hash, key, proof, "p") == entries.get(key)
        assert NodePool().prove(trie.root_hash, key, proof, "p") == entries.get(key)
    again = NodePool(pool)
    for key in [*entries, other]:
        assert again.find(trie.root_hash, key, "p") == entries.get(key)
    again.require_all_used()
    assert list(again) == list(pool)


@settings(max_examples=60, deadline=None)
@given(TRIES.filter(bool), st.data())
def test_no_part_of_a_proof_may_change(entries: Entries, data: st.DataObject) -> None:
    trie = trie_of(entries)
    key = data.draw(st.sampled_from(sorted(entries)))
    proof = proof_of(trie, key)
    pool = NodePool()
    assert pool.prove(trie.root_hash, key, proof, "p") == entries[key]
    place = data.draw(st.integers(0, len(proof) - 1))
    node = proof[place]
    bit = data.draw(st.integers(0, 8 * len(node) - 1))
    flipped = bytearray(node)
    flipped[bit // 8] ^= 1 << bit % 8
    for changed in (
        [*proof[:place], bytes(flipped), *proof[place + 1 :]],
        [*proof[:place], node[: bit // 8], *proof[place + 1 :]],
        [*proof[:place], node + b"\0", *proof[place + 1 :]],
        [*proof[:place], *proof[place + 1 :]],
        [*proof[:place], node, *proof[place:]],
        [*proof, EMPTY_NODE],
    ):
        for fresh in (NodePool(), pool):
            size = len(fresh)
            with pytest.raises(ProofFailed, match="q"):
                fresh.prove(trie.root_hash, key, changed, "q")
            assert len(fresh) == size
    with pytest.raises(ProofFailed):
        NodePool().prove(keccak(b"another root"), key, proof, "p")


def test_swapped_nodes_and_the_proof_of_another_key_are_refused() -> None:
    entries = {keccak(bytes([number])): b"value %d" % number * 9 for number in range(200)}
    trie = trie_of(entries)
    first, second = min(entries), max(entries)
    proof = proof_of(trie, first)
    assert len(proof) >= 3
    assert NodePool().prove(trie.root_hash, first, proof, "p") == entries[first]
    for wrong in (
        [proof[1], proof[0], *proof[2:]],
        [proof[0], proof[2], proof[1], *proof[3:]],
        proof_of(trie, second),
        proof[:-1],
        proof[1:],
        [],
    ):
        with pytest.raises(ProofFailed):
            NodePool().prove(trie.root_hash, first, wrong, "p")


def test_a_pool_keeps_each_node_once_and_tells_what_is_missing_or_too_much() -> None:
    entries = {keccak(bytes([number])): b"value %d" % number * 9 for number in range(200)}
    trie = trie_of(entries)
    proofs = {key: proof_of(trie, key) for key in entries}
    pool = NodePool()
    for key, proof in proofs.items():
        pool.prove(trie.root_hash, key, proof, "p")
    distinct = {node for proof in proofs.values() for node in proof}
    assert set(pool) == distinct
    assert len(pool) == len(distinct) < sum(map(len, proofs.values()))

    key = min(entries)
    lacking = NodePool(distinct - {proofs[key][-1]})
    with pytest.raises(ProofFailed, match=rf"p, node {len(proofs[key])} is missing"):
        lacking.find(trie.root_hash, key, "p")
    other = max(entries)
    assert lacking.find(trie.root_hash, other, "p") == entries[other]
    with pytest.raises(ProofFailed, match=f"^{len(lacking) - len(proofs[other])} of {len(lacking)} trie nodes"):
        lacking.require_all_used()
    with pytest.raises(MalformedAnswer, match="twice"):
        NodePool([*distinct, proofs[key][0]])


@pytest.mark.parametrize("proof", [[], [EMPTY_NODE]])
def test_an_empty_trie_holds_nothing(proof: list[bytes]) -> None:
    assert NodePool().prove(EMPTY_ROOT, bytes(32), proof, "p") is None
    assert NodePool().find(EMPTY_ROOT, bytes(32), "p") is None


def test_nothing_else_passes_for_the_proof_of_an_empty_trie() -> None:
    root, node = one_node([nibble_path([0] * 64, leaf=True), b"v"])
    for proof in ([node], [EMPTY_NODE, EMPTY_NODE], [b""]):
        with pytest.raises(ProofFailed):
            NodePool().prove(EMPTY_ROOT, bytes(32), proof, "p")
    with pytest.raises(ProofFailed):
        NodePool().prove(root, bytes(32), [], "p")
    for short in (b"", root[:31]):
        with pytest.raises(MalformedAnswer, match="root"):
            NodePool().prove(short, bytes(32), [node], "p")


# Nodes by hand, each under its own hash: the hash is right, the form is not -------------------------------------------

HASH = keccak(b"some node")
LEAF_PATH = nibble_path([0] * 64, leaf=True)
SMALL_LEAF = [nibble_path([1], leaf=True), b"v"]
SMALL_BRANCH = [[nibble_path([], leaf=True), b"a"], [nibble_path([], leaf=True), b"b"], *[b""] * 15]


def branch(*children: Any, value: bytes = b"") -> list[Any]:
    return [*children, *[b""] * (16 - len(children)), value]


BAD_FORMS: dict[str, tuple[Any, str]] = {
    "one item": ([LEAF_PATH], "17 or 2"),
    "three items": ([LEAF_PATH, b"v", b"w"], "17 or 2"),
    "sixteen items": ([HASH] * 16, "17 or 2"),
    "no items": ([], "17 or 2"),
    "flag 4": ([b"\x40" + bytes(32), b"v"], "flag"),
    "no flag": ([b"", b"v"], "flag"),
    "padding": ([b"\x21" + bytes(32), b"v"], "padding"),
    "a list as path": ([[b"\x20"], b"v"], "not a byte string"),
    "an empty value": ([LEAF_PATH, b""], "empty value"),
    "a node as value": ([LEAF_PATH, [b"a", b"b"]], "where the leaf's value"),
    "an extension without a path": ([b"\x00", HASH], "no path"),
    "an extension to nothing": ([b"\x11", b""], "neither"),
    "an extension with a value": ([b"\x11", b"value"], "neither"),
    "an extension to an embedded leaf": ([b"\x11", SMALL_LEAF], "no branch"),
    "an extension to an embedded extension": ([b"\x11", [b"\x11", SMALL_BRANCH]], "no branch"),
    "a value in a branch": (branch(HASH, HASH, value=b"v"), "has a value"),
    "a value in a full branch": (branch(*[HASH] * 16, value=b"v"), "has a value"),
    "a branch with one child": (branch(HASH), "fewer than two"),
    "a branch without children": (branch(), "fewer than two"),
    "a short hash": (branch(HASH, HASH[1:]), "neither"),
    "a long hash": (branch(HASH, HASH + b"\x01"), "neither"),
    "an embedded node of 32 bytes": (branch(HASH, [nibble_path([1], leaf=True), b"v" * 29]), "as long as a hash"),
    "an embedded node of one item": (branch(HASH, [b"v"]), "17 or 2"),
}


@pytest.mark.parametrize("name", BAD_FORMS)
def test_a_form_that_no_trie_has_is_refused_under_its_right_hash(name: str) -> None:
    content, reason = BAD_FORMS[name]
    root, node = one_node(content)
    with pytest.raises(MalformedAnswer, match=f"^p, node 1: .*{reason}"):
        NodePool().prove(root, bytes(32), [node], "p")
    with pytest.raises(MalformedAnswer, match=f"^p, node 1: .*{reason}"):
        NodePool([node]).find(root, bytes(32), "p")


def test_the_forms_beside_them_are_read() -> None:
    for content in (
        [LEAF_PATH, b"v"], [b"\x11", HASH], [b"\x11", SMALL_BRANCH], branch(HASH, HASH), branch(*[HASH] * 16),
        branch(HASH, [nibble_path([1], leaf=True), b"v" * 27]),
    ):  # fmt: skip
        decode_node(one_node(content)[1])


WRONG_RLP = {
    "a string": b"\x83abc",
    "nothing": b"",
    "bytes after the list": rlp.encode([LEAF_PATH, b"v"]) + b"\0",
    "a list that is cut": rlp.encode([LEAF_PATH, b"v"])[:-1],
    "an item beyond the list": b"\xc2\x20\x85",
    "a prefixed single byte": b"\xc3\x20\x81\x01",
    "a long length for a short list": b"\xf8\x02\x20\x01",
    "a long length for a short string": b"\xc4\x20\xb8\x01v",
    "a length with a leading zero": b"\xf9\x00\x40" + rlp.encode(b"\x20" + b"a" * 29) + rlp.encode(b"b" * 32),
    "a length that is cut": b"\xf9\x02",
}


@pytest.mark.parametrize("name", WRONG_RLP)
def test_rlp_in_another_than_its_one_form_is_refused(name: str) -> None:
    node = WRONG_RLP[name]
    with pytest.raises(MalformedAnswer, match=r"^p, node 1: "):
        NodePool().prove(keccak(node), bytes(32), [node], "p")


def test_nodes_must_fit_the_length_of_the_key() -> None:
    for nibbles in (63, 65, 1):
        root, node = one_node([nibble_path([0] * nibbles, leaf=True), b"value"])
        with pytest.raises(MalformedAnswer, match="leaf ends a key"):
            NodePool().prove(root, bytes(32), [node], "p")
    root, node = one_node([nibble_path([0] * 64, leaf=False), HASH])
    with pytest.raises(MalformedAnswer, match="extension is longer"):
        NodePool().prove(root, bytes(32), [node], "p")
    below_hash, below = one_node(branch(HASH, HASH))
    last_hash, last = one_node(branch(below_hash, HASH))
    root, node = one_node([nibble_path([0] * 63, leaf=False), last_hash])
    with pytest.raises(MalformedAnswer, match="node 3: a branch stands where the key has ended"):
        NodePool().prove(root, bytes(32), [node, last, below], "p")


def test_an_extension_leads_to_a_branch_only() -> None:
    leaf_hash, leaf = one_node([nibble_path([0] * 62, leaf=True), b"v" * 40])
    further_hash, further = one_node([nibble_path([0], leaf=False), leaf_hash])
    for child_hash, child in ((leaf_hash, leaf), (further_hash, further)):
        root, node = one_node([nibble_path([0] * 2, leaf=False), child_hash])
        with pytest.raises(MalformedAnswer, match=r"node 2: .*no branch"):
            NodePool().prove(root, bytes(32), [node, child], "p")
    branch_hash, branch_node = one_node(branch(leaf_hash, HASH))
    root, node = one_node([nibble_path([0], leaf=False), branch_hash])
    assert NodePool().prove(root, bytes(32), [node, branch_node, leaf], "p") == b"v" * 40


def test_a_short_node_behind_a_hash_is_refused_also_when_it_was_read_as_a_root() -> None:
    """A leaf shorter than a hash belongs into its parent; as a root it may be so short (here of keys of one byte)."""
    short_hash, short = one_node([nibble_path([0, 0], leaf=True), b"v"])
    parent_hash, parent = one_node(branch(short_hash, HASH))
    root, top = one_node([nibble_path([0] * 61, leaf=False), parent_hash])
    pool = NodePool()
    assert pool.prove(short_hash, bytes(1), [short], "p") == b"v"
    for fresh in (pool, NodePool()):
        with pytest.raises(MalformedAnswer, match="node 3: a node shorter than a hash"):
            fresh.prove(root, bytes(32), [top, parent, short], "p")


def test_embedded_nodes_are_followed_and_not_listed() -> None:
    keys = [bytes(31) + bytes([end]) for end in (0x00, 0x01, 0x10)]
    entries = {key: bytes([place + 1]) for place, key in enumerate(keys)}
    trie = trie_of(entries)
    proof = proof_of(trie, keys[0])
    assert len(proof) == 2
    assert any(isinstance(child, list) for child in rlp.decode(proof[-1]))
    for key in keys:
        assert NodePool().prove(trie.root_hash, key, proof, "p") == entries[key]
    assert NodePool().prove(trie.root_hash, bytes(31) + b"\x02", proof, "p") is None
    embedded = rlp.encode([nibble_path([], leaf=True), b"\x01"])
    with pytest.raises(ProofFailed):
        NodePool().prove(trie.root_hash, keys[0], [*proof, embedded], "p")


@settings(max_examples=40, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=300), st.data())
def test_a_value_in_an_ordered_trie_is_proven(values: list[bytes], data: st.DataObject) -> None:
    """Transactions and receipts: keys of several lengths, of which none begins another."""
    index = data.draw(st.integers(0, len(values) - 1))
    key = encode_bytes(integer_bytes(index))
    trie = trie_of({rlp.encode(place): value for place, value in enumerate(values)})
    assert trie.root_hash == ordered_root(values)
    proof = proof_of(trie, key)
    assert NodePool().prove(ordered_root(values), key, proof, "p") == values[index]
    other = [*values[:index], values[index] + b"\x01", *values[index + 1 :]]
    with pytest.raises(ProofFailed):
        NodePool().prove(ordered_root(other), key, proof, "p")


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=80))
def test_any_bytes_are_a_node_in_its_one_form_or_refused(raw: bytes) -> None:
    try:
        decode_node(raw)
    except MalformedAnswer:
        return
    assert rlp.encode(rlp.decode(raw)) == raw


def content_of(encoded: bytes) -> object:
    """What is read of a node, in a form that can be compared."""
    node = decode_node(encoded)
    return node.groups() if isinstance(node, Match) else node


def test_what_is_read_of_a_changed_node_differs_or_is_refused() -> None:
    """No two encodings are read alike: each of the bits of a node means something."""
    chance = random.Random(1)
    nodes = [
        one_node(content)[1]
        for content in ([LEAF_PATH, b"v" * 70], [b"\x11", SMALL_BRANCH], branch(*[HASH] * 16), branch(HASH, SMALL_LEAF))
    ]
    for node in nodes:
        original = content_of(node)
        for _ in range(300):
            bit = chance.randrange(8 * len(node))
            changed = bytearray(node)
            changed[bit // 8] ^= 1 << bit % 8
            try:
                assert content_of(bytes(changed)) != original
            except MalformedAnswer:
                continue


def test_assumptions_of_the_strategies_hold() -> None:
    """The random tries do have embedded nodes and extensions, else they would test less than they say."""
    entries = find(TRIES, _has_embedded_node_and_extension, settings=settings(max_examples=2000, deadline=None))
    assert len(entries) >= 2


def _has_embedded_node_and_extension(entries: Entries) -> bool:
    trie = trie_of(entries)
    nodes = [decode_node(node) for key in entries for node in proof_of(trie, key)]
    children = [child for node in nodes if isinstance(node, MixedBranch) for child in node]
    return any(isinstance(node, Extension) for node in nodes) and any(isinstance(child, Leaf) for child in children)


def test_a_branch_of_sixteen_hashes_is_read_by_its_form_alone() -> None:
    """Any other byte at a place that says the form is another node, or none."""
    children = [bytes([number]) * 32 for number in range(1, 17)]
    full: bytes = rlp.encode([*children, b""])
    assert decode_node(full) == full
    for nibble, child in enumerate(children):
        with pytest.raises(ProofFailed, match=f"node 2 is missing, its hash is 0x{child.hex()}"):
            NodePool([full]).find(keccak(full), bytes([nibble << 4]) + bytes(31), "it")
    for place in (0, 1, 2, *range(3, len(full), 33)):
        for wrong in {0x00, 0x80, 0xA0, 0xC0, full[place] ^ 1} - {full[place]}:
            with pytest.raises(MalformedAnswer):
                decode_node(full[:place] + bytes([wrong]) + full[place + 1 :])
    for cut in (full[:-1], full + b"\x80"):
        with pytest.raises(MalformedAnswer):
            decode_node(cut)
