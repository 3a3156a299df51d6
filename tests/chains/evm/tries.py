"""Tries and their proofs by the `trie` package, as geth would list them, for the tests of our own verifier."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import rlp
from eth_utils.crypto import keccak
from trie.hexary import HexaryTrie

Entries = Mapping[bytes, bytes]


def trie_of(entries: Entries) -> HexaryTrie:
    trie = HexaryTrie({})
    for key, value in entries.items():
        trie[key] = value
    return trie


def proof_of(trie: HexaryTrie, key: bytes) -> list[bytes]:
    """The nodes on the way; those that stand in their parent are not listed."""
    if trie.root_hash == keccak(b"\x80"):
        return []
    nodes = [rlp.encode(node) for node in trie.get_proof(key)]  # type: ignore[no-untyped-call]
    listed: list[bytes] = [node for place, node in enumerate(nodes) if place == 0 or len(node) >= 32]
    return listed


def nibble_path(nibbles: list[int], *, leaf: bool) -> bytes:
    """Hex-prefix encoding, by its definition."""
    flag = 2 * leaf + len(nibbles) % 2
    digits = [flag, *nibbles] if len(nibbles) % 2 else [flag, 0, *nibbles]
    return bytes(16 * high + low for high, low in zip(digits[::2], digits[1::2], strict=True))


def one_node(content: Any) -> tuple[bytes, bytes]:
    """The hash and RLP of a node made by hand."""
    encoded: bytes = rlp.encode(content)
    return keccak(encoded), encoded
