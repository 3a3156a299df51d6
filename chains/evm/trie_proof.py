"""Merkle-Patricia proofs: what a trie with a known root holds under a key, or that it holds nothing.

A proof is the nodes on the way from the root towards the key. Proofs of one block share their upper nodes, so a
`NodePool` keeps each distinct node once, by its hash, and hashes and reads it once.

All keys of a trie must have one length, as those of state and storage have. Presence can be proven in the tries of a
block's transactions and receipts as well, absence cannot: a leaf with a longer key may stand in the way there, and is
refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from re import Match
from typing import Final

from chains.errors import MalformedAnswer, ProofFailed
from chains.evm.keccak import keccak256
from chains.evm.trie_nodes import (
    CHILD_STEP,
    FIRST_CHILD,
    HASH_BYTES,
    FullBranch,
    Leaf,
    MixedBranch,
    Node,
    Reference,
    decode_node,
    nibbles_of,
)
from chains.evm.trie_root import EMPTY_ROOT

EMPTY_NODE: Final = b"\x80"
"""What some nodes give as the only node of an empty trie; its hash is `EMPTY_ROOT`."""

_Held = dict[bytes, tuple[bytes, Node | None]]
"""Encoded nodes by hash, with what they were read as by a look-up that succeeded."""
_NOT_HELD: Final = (None, None)


class NodePool:
    """Distinct trie nodes by hash: those it was made with, and those that whole proofs led through."""

    def __init__(self, nodes: Iterable[bytes] = ()) -> None:
        """Take these nodes, each hashed once. Raises `MalformedAnswer` when one is there twice."""
        self._held: _Held = {}
        for place, encoded in enumerate(nodes, 1):
            digest = keccak256(encoded)
            if digest in self._held:
                raise MalformedAnswer(f"node {place} of the pool is there twice")
            self._held[digest] = encoded, None

    def __len__(self) -> int:
        return len(self._held)

    def __iter__(self) -> Iterator[bytes]:
        """The encoded nodes in the order of their hashes, so that equal pools are written alike."""
        return (self._held[digest][0] for digest in sorted(self._held))

    def used(self) -> list[bytes]:
        """The encoded nodes that a successful look-up needed, in the order of their hashes."""
        return [encoded for _, (encoded, node) in sorted(self._held.items()) if node is not None]

    def require_all_used(self) -> None:
        """Raise `ProofFailed` when there are nodes that no successful look-up needed."""
        unused = [digest for digest, (_, node) in self._held.items() if node is None]
        if unused:
            example = min(unused).hex()
            raise ProofFailed(f"{len(unused)} of {len(self)} trie nodes belong to no proof, one is 0x{example}")

    def forget_after(self, size: int) -> None:
        """Drop the nodes that came after the pool had this size: those of an answer that failed as a whole."""
        while len(self._held) > size:
            self._held.popitem()  # the newest

    def find(self, root: bytes, key: bytes, what: str) -> bytes | None:
        """What the trie holds under the key, by the nodes of this pool; None when it holds nothing.

        `what` names the proof in errors. Raises `ProofFailed` when a node is missing, `MalformedAnswer` when one breaks
        the rules of tries.
        """
        if root == EMPTY_ROOT:
            return None
        trail = _Trail(self._held, None, what)
        value = trail.follow(root, nibbles_of(key))
        self._held.update(trail.new)
        return value

    def prove(self, root: bytes, key: bytes, proof: Sequence[bytes], what: str) -> bytes | None:
        """What the trie holds under the key, by this proof, whose nodes are kept; None when it holds nothing.

        The proof must be exactly the nodes on the way, in order. A node that stands in its parent is not listed; an
        empty trie has no nodes, or the empty one. Raises `ProofFailed` when a node is missing, superfluous or not the
        one that is committed to, `MalformedAnswer` when one breaks the rules of tries. Of a failed proof nothing is
        kept.
        """
        if root == EMPTY_ROOT:
            if proof and (len(proof) > 1 or proof[0] != EMPTY_NODE):
                raise ProofFailed(f"{what}: an empty trie has no nodes, {len(proof)} were given")
            return None
        trail = _Trail(self._held, proof, what)
        value = trail.follow(root, nibbles_of(key))
        if trail.steps != len(proof):
            raise ProofFailed(f"{what}: the proof ends at node {trail.steps}, {len(proof)} were given")
        self._held.update(trail.new)
        return value


class _Trail:
    """One way through a trie; changes no pool."""

    __slots__ = ("_held", "_proof", "_what", "new", "steps")

    def __init__(self, held: _Held, proof: Sequence[bytes] | None, what: str) -> None:
        self._held = held
        self._proof = proof
        self._what = what
        self.steps = 0
        """Nodes reached by their hash so far."""
        self.new: _Held = {}
        """Nodes that the pool does not have or has not read yet."""

    def follow(self, root: bytes, path: bytes) -> bytes | None:
        """The value at the end of the path, or None when the trie leads elsewhere or ends before."""
        if len(root) != HASH_BYTES:
            raise MalformedAnswer(f"{self._what}: a root has {HASH_BYTES} bytes, not {len(root)}")
        reference: Reference | None = root
        depth, length = 0, len(path)
        below_extension = False
        while reference is not None:
            node = self._fetch(reference) if type(reference) is bytes else reference
            if isinstance(node, (FullBranch, Match, MixedBranch)):
                if depth == length:
                    raise self._malformed("a branch stands where the key has ended")
                if isinstance(node, FullBranch):
                    place = FIRST_CHILD + CHILD_STEP * path[depth]
                    reference = node[place : place + HASH_BYTES]
                else:
                    reference = node[path[depth] + 1]
                depth += 1
                below_extension = False
                continue
            if below_extension:
                raise self._malformed("the extension above leads to a node that is no branch")
            end = depth + len(node.path)
            if isinstance(node, Leaf):
                if end != len(path):
                    raise self._malformed(f"the leaf ends a key of {end} nibbles, not of {len(path)}")
                return node.value if path.endswith(node.path) else None
            if end >= len(path):
                raise self._malformed("the extension is longer than what is left of the key")
            if not path.startswith(node.path, depth):
                return None
            reference, depth, below_extension = node.child, end, True
        return None

    def _fetch(self, digest: bytes) -> Node:
        """The node with this hash: the next one of the proof, or from the pool."""
        self.steps = steps = self.steps + 1
        encoded, node = self._held.get(digest, _NOT_HELD)
        proof = self._proof
        if proof is None:
            if encoded is None:
                raise ProofFailed(f"{self._place()} is missing, its hash is 0x{digest.hex()}")
        else:
            if steps > len(proof):
                raise ProofFailed(f"{self._what}: the proof stops after {len(proof)} nodes, short of its end")
            given = proof[steps - 1]
            # Bytes equal to a node that was hashed before need no hash of their own, nor to be read again.
            if given == encoded:
                if node is not None and len(encoded) >= HASH_BYTES:
                    return node
            else:
                if encoded is not None or keccak256(given) != digest:
                    raise ProofFailed(f"{self._place()} is not the one with the hash 0x{digest.hex()}")
                encoded = given
        if steps > 1 and len(encoded) < HASH_BYTES:
            raise self._malformed("a node shorter than a hash does not stand in its parent")
        if node is None:
            try:
                node = decode_node(encoded)
            except MalformedAnswer as error:
                raise self._malformed(str(error)) from None
            self.new[digest] = encoded, node
        return node

    def _malformed(self, reason: str) -> MalformedAnswer:
        return MalformedAnswer(f"{self._place()}: {reason}")

    def _place(self) -> str:
        return f"{self._what}, node {self.steps}"
