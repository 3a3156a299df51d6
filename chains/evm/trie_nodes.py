"""The nodes of Merkle-Patricia tries (Yellow Paper, appendix D), read strictly: only what a writer of tries would make.

Refused beside wrong RLP: a path in another than its shortest hex-prefix form (appendix C), an extension without a path
or to something that is no branch, a leaf without a value or with a node in its place, a branch with fewer than two
children or with a value (keys of one length never end in a branch), a node that stands in its parent although it is as
long as a hash.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from chains.errors import MalformedAnswer
from chains.evm.rlp_decoding import split_list, string_of
from chains.evm.rlp_encoding import wrap_list

HASH_BYTES: Final = 32
_NIBBLE_OF_DIGIT: Final = bytes(int(chr(code), 16) if chr(code) in "0123456789abcdef" else 0 for code in range(256))
"""The value of each hexadecimal digit, for `bytes.translate`."""
_EMPTY: Final = b"\x80"
_PLAIN_CHILDREN: Final = re.compile(rb"(?:\x80|\xa0(.{32}))" * 16 + rb"\x80", re.DOTALL)
"""The body of a branch whose children are hashes or nothing, as nearly all are; it has no value."""
_PLAIN_BRANCH_PREFIXES: Final = {
    len(encoded): encoded[: len(encoded) - 17 - 32 * hashes]
    for hashes in range(2, 17)
    for encoded in [wrap_list(bytes(17 + 32 * hashes))]
}
"""How such a branch begins, by its length, which says how many hashes it has."""
_HASH_PREFIX: Final = 0xA0
FULL_BRANCH_BYTES: Final = 3 + 16 * (1 + HASH_BYTES) + 1
_FULL_BRANCH_PREFIX: Final = b"\xf9" + (FULL_BRANCH_BYTES - 3).to_bytes(2, "big")
_FULL_BRANCH_MARKS: Final = bytes([_HASH_PREFIX] * 16) + _EMPTY
"""What stands at every 33rd byte of a branch with sixteen hashes, from the first item on; it says all of its form."""
FIRST_CHILD: Final = 4
"""Where the first hash stands in a branch of sixteen hashes."""
CHILD_STEP: Final = 1 + HASH_BYTES
"""From each hash there to the next."""


class MixedBranch(tuple["Reference | None", ...]):
    """A branch with other nodes in it: places 1 to 16 are its children or None, as in a plain branch."""

    __slots__ = ()


class Extension(NamedTuple):
    """Leads on for all keys that go on with its path."""

    path: bytes
    """Nibbles, at least one."""
    child: Reference
    """The hash of a branch or the branch itself."""


class Leaf(NamedTuple):
    """Ends one key."""

    path: bytes
    """The rest of the key in nibbles; empty right below a branch on the last nibble."""
    value: bytes
    """Never empty."""


PlainBranch = re.Match[bytes]
"""A branch of hashes, as nearly all are: groups 1 to 16 are its children or None, cut out only when looked at."""
FullBranch = bytes
"""A branch of sixteen hashes, as those near the root of a large trie are, is its own encoding."""
Node = FullBranch | PlainBranch | MixedBranch | Extension | Leaf
Reference = bytes | Node
"""The 32-byte hash of a node, or the node itself where it is shorter than a hash."""


def nibbles_of(key: bytes) -> bytes:
    """A key as one nibble a byte."""
    return key.hex().encode().translate(_NIBBLE_OF_DIGIT)


def decode_node(encoded: bytes) -> Node:
    """Read one node. Raises `MalformedAnswer` for anything but the one form that such a node has."""
    if (
        len(encoded) == FULL_BRANCH_BYTES
        and encoded[FIRST_CHILD - 1 :: CHILD_STEP] == _FULL_BRANCH_MARKS
        and encoded.startswith(_FULL_BRANCH_PREFIX)
    ):
        return encoded
    prefix = _PLAIN_BRANCH_PREFIXES.get(len(encoded))
    if prefix is not None and encoded.startswith(prefix):
        plain = _PLAIN_CHILDREN.fullmatch(encoded, len(prefix))
        if plain is not None:
            return plain
    items = split_list(encoded)
    if len(items) == 17:
        return _branch(items)
    if len(items) != 2:
        raise MalformedAnswer(f"a trie node has 17 or 2 items, not {len(items)}")
    return _leaf_or_extension(*items)


def _branch(items: list[bytes]) -> MixedBranch:
    if items.pop() != _EMPTY:
        raise MalformedAnswer("the branch has a value, which no key of a fixed length can have there")
    if items.count(_EMPTY) > 14:
        raise MalformedAnswer("the branch has fewer than two children")
    return MixedBranch((None, *map(_child, items)))


def _child(item: bytes) -> Reference | None:
    if len(item) == 33 and item[0] == _HASH_PREFIX:
        return item[1:]
    return None if item == _EMPTY else _embedded(item)


def _leaf_or_extension(encoded_path: bytes, target: bytes) -> Node:
    nibbles = nibbles_of(string_of(encoded_path))
    if not nibbles or nibbles[0] > 3:
        raise MalformedAnswer("the path has no hex-prefix flag of 0 to 3")
    flag = nibbles[0]
    if flag & 1:
        path = nibbles[1:]
    elif nibbles[1]:
        raise MalformedAnswer("the padding of an even path is not zero")
    else:
        path = nibbles[2:]
    if flag < 2:
        if not path:
            raise MalformedAnswer("the extension has no path")
        child = target[1:] if len(target) == 33 and target[0] == _HASH_PREFIX else _embedded(target)
        if isinstance(child, Extension | Leaf):
            raise MalformedAnswer("the extension leads to a node that is no branch")
        return Extension(path, child)
    if target[0] >= 0xC0:
        raise MalformedAnswer("a node stands where the leaf's value is due")
    value = string_of(target)
    if not value:
        raise MalformedAnswer("the leaf has an empty value")
    return Leaf(path, value)


def _embedded(item: bytes) -> Node:
    """A child that stands in its parent; it is shorter than a hash, so its own children are few levels."""
    if item[0] < 0xC0:
        raise MalformedAnswer("a child is neither empty, a hash nor a node")
    if len(item) >= HASH_BYTES:
        raise MalformedAnswer("a node as long as a hash stands in its parent")
    return decode_node(item)
