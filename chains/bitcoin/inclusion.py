"""That a transaction stands in a block: its bytes without the witness, and the hashes beside it up to the merkle root.

What this shows: the output was made, in a block whose header took its work. What it cannot show: that the output is
still unspent, for no Bitcoin header commits to the set of coins.

Two weaknesses of the tree are known. An odd row repeats its last hash, so that one transaction could be shown at two
places (CVE-2012-2459): a repeated hash is accepted on the right alone. And a transaction of 64 bytes looks like a pair
of hashes, by which a tree could be shown deeper or less deep than it is: a transaction of 64 bytes is refused, and the
coinbase of the block is shown too, whose place is known and whose depth is everybody's. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final, NamedTuple

from chains.bitcoin.block import Block, coinbase_says_height
from chains.bitcoin.encoding import encode_transaction
from chains.bitcoin.hashes import sha256d
from chains.bitcoin.networks import Network
from chains.bitcoin.transaction import Transaction, decode_transaction
from chains.errors import ProofFailed

HASH_BYTES: Final = 32
PAIR_BYTES: Final = 2 * HASH_BYTES
DEPTH_MAX: Final = 17
"""A block of 4,000,000 weight has room for fewer than 2**17 transactions of 60 bytes or more."""


class PlacedTransaction(NamedTuple):
    """A transaction and the way from it to its block's merkle root."""

    position: int
    """Its place in the block, from 0."""
    txid: bytes
    """32 bytes in the order of the wire."""
    raw: bytes
    """Its bytes without the witness, which is what its id is the hash of."""
    branch: bytes
    """The hashes beside it, 32 bytes each, from the leaves upwards."""


def base_bytes(transaction: Transaction) -> bytes:
    """The bytes of a transaction without its witness."""
    if not transaction.witnesses:
        return transaction.raw
    return encode_transaction(
        transaction.inputs,
        transaction.outputs,
        version=transaction.version,
        lock_time=transaction.lock_time,
    )


def place_transactions(block: Block, positions: Collection[int]) -> tuple[PlacedTransaction, ...]:
    """Some transactions of a checked block, and its coinbase, each with its branch, in the order of the block."""
    wanted = sorted({0, *positions})
    branches = _branches([transaction.txid for transaction in block.transactions], wanted)
    return tuple(
        PlacedTransaction(position, transaction.txid, base_bytes(transaction), branch)
        for position, branch in zip(wanted, branches, strict=True)
        for transaction in (block.transactions[position],)
    )


def _branches(ids: Sequence[bytes], positions: Sequence[int]) -> list[bytes]:
    branches: list[list[bytes]] = [[] for _ in positions]
    row, places = list(ids), list(positions)
    while len(row) > 1:
        if len(row) % 2:
            row.append(row[-1])
        for number, place in enumerate(places):
            branches[number].append(row[place ^ 1])
            places[number] = place >> 1
        row = [sha256d(row[at] + row[at + 1]) for at in range(0, len(row), 2)]
    return [b"".join(branch) for branch in branches]


def check_places(
    placed: Iterable[PlacedTransaction], merkle_root: bytes, network: Network, height: int
) -> dict[bytes, Transaction]:
    """The transactions of one block that are shown to stand in it, by id. `txid` is recomputed, not believed.

    Raises `MalformedAnswer` for bytes that are no transaction and `ProofFailed` for everything that is not shown: the
    coinbase missing, another depth than its, a wrong branch, another height.
    """
    found: dict[bytes, Transaction] = {}
    depths: set[int] = set()
    positions: set[int] = set()
    for each in placed:
        transaction = _stands(each, merkle_root)
        if transaction.is_coinbase != (each.position == 0):
            raise ProofFailed("a coinbase stands elsewhere than at place 0, or another transaction there")
        if each.position in positions or transaction.txid in found:
            raise ProofFailed("one transaction is shown twice")
        if each.position == 0 and not coinbase_says_height(transaction, network, height):
            raise ProofFailed(f"the coinbase does not say height {height}")
        positions.add(each.position)
        depths.add(len(each.branch))
        found[transaction.txid] = transaction
    if 0 not in positions:
        raise ProofFailed("the coinbase of the block is not shown")
    if len(depths) > 1:
        raise ProofFailed("a transaction is shown at another depth than the coinbase")
    return found


def _stands(placed: PlacedTransaction, merkle_root: bytes) -> Transaction:
    if len(placed.raw) == PAIR_BYTES:
        raise ProofFailed("a transaction of 64 bytes cannot be told from a pair of hashes")
    transaction = decode_transaction(placed.raw)
    if transaction.witnesses:
        raise ProofFailed("a transaction is shown with its witness, to which its id does not commit")
    depth, odd = divmod(len(placed.branch), HASH_BYTES)
    if odd or depth > DEPTH_MAX or not 0 <= placed.position < 1 << depth:
        raise ProofFailed("a branch does not fit the place of its transaction")
    node, place = sha256d(placed.raw), placed.position
    for at in range(0, len(placed.branch), HASH_BYTES):
        beside = placed.branch[at : at + HASH_BYTES]
        if place & 1 and beside == node:
            raise ProofFailed("a repeated hash is shown as a transaction of its own")
        node = sha256d(beside + node if place & 1 else node + beside)
        place >>= 1
    if node != merkle_root:
        raise ProofFailed("a branch does not lead to the block's merkle root")
    return transaction
