"""Reading raw blocks and their undo data, and holding a block against its own header.

`read_block` reads; `check_block` shows that the header commits to what was read: proof of work, merkle root (without
the doubled leaves of CVE-2012-2459), witness commitment (BIP-141), and the height in the coinbase (BIP-34). The work is
held against the other headers by `chains.bitcoin.proof_of_work`.

Undo data (`/rest/spenttxouts`) says which coins each input spent. No header commits to it: only the coins of our own
ledger are known without it. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from operator import add, eq
from struct import Struct, error
from typing import Final

from chains.bitcoin.hashes import sha256d
from chains.bitcoin.networks import Network
from chains.bitcoin.proof_of_work import check_proof_of_work
from chains.bitcoin.transaction import (
    BLOCK_BYTES_MAX,
    MONEY_MAX,
    Output,
    Transaction,
    id_text,
    read_size,
    read_transaction,
)
from chains.errors import MalformedAnswer, ProofFailed
from chains.types import BlockRef

HEADER_BYTES: Final = 80
NO_BLOCK: Final = bytes(32)
"""What the genesis block names as the block before it."""
COMMITMENT_PREFIX: Final = bytes.fromhex("6a24aa21a9ed")
"""How the output of a coinbase begins that commits to all witnesses."""

_COINBASE_SAYS_HEIGHT: Final = {"main": 227_931, "test": 21_111}
"""From which height on the coinbase says it (BIP-34); from the first block on the other networks."""

_HEADER: Final = Struct("<i32s32sIII")
_VALUE: Final = Struct("<Q")

Spent = Sequence[Sequence[Output]]
"""Per transaction of a block, the coin that each of its inputs spends; nothing for the coinbase."""


@dataclass(frozen=True, slots=True)
class Header:
    """The 80 bytes that proof of work is done on."""

    hash: bytes
    """32 bytes in the order of the wire."""
    version: int
    previous: bytes
    """Hash of the block before, in the order of the wire."""
    merkle_root: bytes
    time: int
    """Seconds since 1970, as the miner chose within limits."""
    bits: int
    """The target in compact form."""
    nonce: int

    @property
    def block_hash(self) -> str:
        """The hash as people write it."""
        return id_text(self.hash)

    def ref(self, network: Network, height: int) -> BlockRef:
        """The block as the rest of the system names it; the height is what the chain of headers says."""
        return BlockRef(
            chain_id=network.chain_id,
            height=height,
            block_hash=self.block_hash,
            parent_hash=id_text(self.previous),
            timestamp=datetime.fromtimestamp(self.time, UTC),
        )


@dataclass(frozen=True, slots=True)
class Block:
    """One block as it was read; nothing is checked against the header yet (`check_block`)."""

    header: Header
    transactions: list[Transaction]


def read_header(raw: bytes) -> Header:
    """Read one header of 80 bytes and hash it. Raises `MalformedAnswer`."""
    if len(raw) != HEADER_BYTES:
        raise MalformedAnswer(f"a block header has {HEADER_BYTES} bytes, not {len(raw)}")
    version, previous, merkle_root, time, bits, nonce = _HEADER.unpack(raw)
    return Header(sha256d(raw), version, previous, merkle_root, time, bits, nonce)


def read_block(raw: bytes) -> Block:
    """Read one block with nothing behind it. Raises `MalformedAnswer`."""
    if len(raw) > BLOCK_BYTES_MAX:
        raise MalformedAnswer("a block is longer than any block may be")
    header = read_header(raw[:HEADER_BYTES])
    try:
        count, at = read_size(raw, HEADER_BYTES)
    except IndexError:
        raise MalformedAnswer("a block ends behind its header") from None
    transactions: list[Transaction] = []
    for _ in range(count):
        transaction, at = read_transaction(raw, at)
        transactions.append(transaction)
    if at != len(raw):
        raise MalformedAnswer(f"{len(raw) - at} bytes follow the block")
    return Block(header, transactions)


def read_spent(raw: bytes) -> list[list[Output]]:
    """Read the undo data of a block as `/rest/spenttxouts` gives it. Raises `MalformedAnswer`."""
    try:
        return _read_spent(raw)
    except (IndexError, error):
        raise MalformedAnswer("undo data ends before it should") from None


def _read_spent(raw: bytes) -> list[list[Output]]:
    transactions, at = read_size(raw, 0)
    spent: list[list[Output]] = []
    for _ in range(transactions):
        coins: list[Output] = []
        count, at = read_size(raw, at)
        for _ in range(count):
            value = _VALUE.unpack_from(raw, at)[0]
            if value > MONEY_MAX:
                raise MalformedAnswer("a spent coin is worth more than all bitcoins there are")
            size, at = read_size(raw, at + 8)
            coins.append(Output(value, raw[at : at + size]))
            at += size
        spent.append(coins)
    if at != len(raw):
        raise MalformedAnswer(f"undo data is {abs(len(raw) - at)} bytes {'short' if at > len(raw) else 'too long'}")
    return spent


def check_block(block: Block, network: Network, height: int | None = None) -> None:
    """Hold a block against its own header; the height, where known, against its coinbase.

    Raises `ProofFailed` when the header does not commit to what was read, or when it carries no proof of work.
    """
    header, transactions = block.header, block.transactions
    check_proof_of_work(header.hash, header.bits, network)
    if not transactions or not transactions[0].is_coinbase:
        raise ProofFailed(f"block {header.block_hash} does not begin with a coinbase")
    if any(transaction.is_coinbase for transaction in transactions[1:]):
        raise ProofFailed(f"block {header.block_hash} has a second coinbase")
    root = merkle_root([transaction.txid for transaction in transactions])
    if root is None:
        raise ProofFailed(f"block {header.block_hash} has the same transactions twice in its tree")
    if root != header.merkle_root:
        raise ProofFailed(f"the transactions do not give the merkle root of block {header.block_hash}")
    _check_witnesses(block)
    if height is not None:
        _check_height(block, network, height)


def merkle_root(ids: Sequence[bytes]) -> bytes | None:
    """Root of Bitcoin's merkle tree; None when the list could have been made from a shorter one with the same root.

    An odd row repeats its last hash, so equal neighbours that are really there are refused (CVE-2012-2459).
    """
    row = list(ids)
    while len(row) > 1:
        if any(map(eq, row[0::2], row[1::2])):
            return None
        if len(row) % 2:
            row.append(row[-1])
        row = [sha256(sha256(pair).digest()).digest() for pair in map(add, row[0::2], row[1::2])]
    return row[0] if row else None


def _check_witnesses(block: Block) -> None:
    coinbase, others = block.transactions[0], block.transactions[1:]
    commitments = [
        script[6:38] for _, script in coinbase.outputs if script.startswith(COMMITMENT_PREFIX) and len(script) >= 38
    ]
    name = block.header.block_hash
    if not commitments:
        if any(transaction.witnesses for transaction in block.transactions):
            raise ProofFailed(f"block {name} has witnesses that it does not commit to")
        return
    if not any(transaction.witnesses for transaction in block.transactions):
        return  # a commitment of a block from before segregated witness may mean anything
    reserved = coinbase.witnesses[0] if coinbase.witnesses else []
    if len(reserved) != 1 or len(reserved[0]) != 32:
        raise ProofFailed(f"the coinbase of block {name} has not the one witness of 32 bytes it must have")
    root = merkle_root([bytes(32), *(transaction.wtxid for transaction in others)])
    if root is None or sha256d(root + reserved[0]) != commitments[-1]:
        raise ProofFailed(f"the witnesses do not give what block {name} commits to")


def _check_height(block: Block, network: Network, height: int) -> None:
    if not coinbase_says_height(block.transactions[0], network, height):
        raise ProofFailed(f"the coinbase of block {block.header.block_hash} does not say height {height}")


def coinbase_says_height(coinbase: Transaction, network: Network, height: int) -> bool:
    """Whether a coinbase begins with its block's height (BIP-34), or is from before coinbases had to."""
    if height < _COINBASE_SAYS_HEIGHT.get(network.name, 1):
        return True
    return coinbase.inputs[0].script_sig.startswith(script_number(height))


def script_number(number: int) -> bytes:
    """The push of a number that is not negative, as scripts write it: what a coinbase begins with (BIP-34)."""
    if number == 0:
        return b"\x00"
    if number <= 16:
        return bytes((0x50 + number,))
    body = number.to_bytes(number.bit_length() // 8 + 1, "little")  # one bit more: the sign
    return bytes((len(body),)) + body
