"""What waits for a block: transactions in a node's pool that spend watched coins or pay watched scripts.

It is one node's word, binds nobody and is never counted: a transaction may be replaced, or never be confirmed. Of
each, the bytes are read and its id is recomputed; which of our coins it spends is asked of the node by coin, so that a
pool of any size can be asked. Who pays *us* can only be found by reading the whole pool, and is looked for in a small
one only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from chains.bitcoin.core import CoreNode
from chains.bitcoin.ledger_views import Coin
from chains.bitcoin.transaction import Output, Transaction, decode_transaction, id_text, outpoint
from chains.errors import MalformedAnswer

POOL_READ_MAX: Final = 2_000
"""Transactions in the pool up to which all of it is read for payments to us."""
SEQUENCE_FINAL: Final = 0xFFFFFFFE
"""Inputs below this say that the transaction may be replaced (BIP-125); since Core 28 every one may be."""


@dataclass(frozen=True, slots=True)
class WaitingTransaction:
    """One transaction that waits, as far as it concerns watched scripts."""

    tx_id: str
    spends: tuple[tuple[bytes, Output], ...]
    """The watched coins that it spends: outpoint, and value and script."""
    outputs: tuple[Output, ...]
    fee: int | None
    """Satoshis; None where it also spends coins that are not watched, whose values are not known."""
    signals_replacement: bool


@dataclass(frozen=True, slots=True)
class WaitingPool:
    """What a node's pool holds for watched scripts."""

    size: int
    """All transactions in it."""
    receipts_looked_for: bool
    """Whether the whole pool was read, so that payments to us are in it."""
    transactions: tuple[WaitingTransaction, ...]


def read_pool(node: CoreNode, coins: Iterable[Coin], scripts: frozenset[bytes]) -> WaitingPool:
    """Find what waits: spends of these unspent coins, of what those make for us, and in a small pool all else."""
    size = node.pool_size()
    ours: dict[bytes, Output] = {coin.outpoint: Output(coin.value, coin.script) for coin in coins}
    found: dict[str, Transaction] = {}
    asked: set[bytes] = set()
    whole = size <= POOL_READ_MAX
    fresh = _read(node, node.pool_ids()) if whole else []
    while True:
        for transaction in fresh:
            found[id_text(transaction.txid)] = transaction
            ours.update(_made_for(transaction, scripts))
        unasked = [name for name in ours if name not in asked]
        if not unasked:
            break
        asked.update(unasked)
        spenders = {tx_id for tx_id in node.spenders(unasked) if tx_id is not None}
        fresh = _read(node, sorted(spenders - found.keys()))
    told = [_told(transaction, ours) for transaction in found.values()]
    concerned = [each for each in told if each.spends or any(output.script in scripts for output in each.outputs)]
    return WaitingPool(size, whole, tuple(sorted(concerned, key=lambda each: each.tx_id)))


def _read(node: CoreNode, tx_ids: Sequence[str]) -> list[Transaction]:
    """The transactions that still wait; one that left the pool meanwhile is left out."""
    found = []
    for tx_id, raw in zip(tx_ids, node.waiting_transactions(tx_ids), strict=True):
        if raw is None:
            continue
        transaction = decode_transaction(raw)
        if id_text(transaction.txid) != tx_id:
            raise MalformedAnswer("asked for a transaction by id, the node gave another")
        found.append(transaction)
    return found


def _made_for(transaction: Transaction, scripts: frozenset[bytes]) -> dict[bytes, Output]:
    return {
        outpoint(transaction.txid, number): output
        for number, output in enumerate(transaction.outputs)
        if output.script in scripts
    }


def _told(transaction: Transaction, ours: dict[bytes, Output]) -> WaitingTransaction:
    spends = tuple((each.outpoint, ours[each.outpoint]) for each in transaction.inputs if each.outpoint in ours)
    known = len(spends) == len(transaction.inputs)
    paid = sum(output.value for output in transaction.outputs)
    return WaitingTransaction(
        id_text(transaction.txid),
        spends,
        tuple(transaction.outputs),
        sum(output.value for _, output in spends) - paid if known else None,
        any(each.sequence < SEQUENCE_FINAL for each in transaction.inputs),
    )
