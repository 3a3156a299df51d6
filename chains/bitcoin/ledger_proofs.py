"""What the ledger kept of unspent outputs: the transactions that made them, their branches, and the headers above them.

Nothing is asked of a node: the ledger kept it when it read the blocks. Coins that came from a set of coins, and those
of blocks that the ledger did not keep, have no proof, and say why.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from chains.bitcoin.encoding import encode_header
from chains.bitcoin.inclusion import PlacedTransaction
from chains.bitcoin.ledger_views import Coin

FROM_A_SET: Final = "the wallet began with the coins of a node's own set, so the block that made it was not read"
NO_HEADERS: Final = "the ledger did not keep all headers from its block to the pinned one"


@dataclass(frozen=True, slots=True)
class OutputProofs:
    """The unspent outputs of some scripts as of one block, with what shows that they were made."""

    shown: tuple[Coin, ...]
    """Outputs whose transaction is in `places`, under `headers`."""
    not_shown: Mapping[str, tuple[Coin, ...]]
    """The others, by the reason."""
    places: Mapping[int, tuple[PlacedTransaction, ...]]
    """Per height the transactions that made the outputs, and the coinbase, in the order of the block."""
    first_height: int
    """Of `headers`."""
    headers: tuple[bytes, ...]
    """Of 80 bytes each, from the lowest block of `places` to the block asked for; empty when nothing is shown."""


def output_proofs(connection: sqlite3.Connection, coins: Sequence[Coin], pin_height: int) -> OutputProofs:
    """The proofs of coins of the active chain, as of one of its blocks."""
    by_height: dict[int, set[bytes]] = {}
    for coin in coins:
        by_height.setdefault(coin.height, set()).add(coin.outpoint[:32])
    first, headers = _headers_to(connection, min(by_height, default=pin_height), pin_height)
    places = {
        height: kept for height, kept in sorted(_places(connection, by_height).items()) if height >= first and kept
    }
    shown: list[Coin] = []
    not_shown: dict[str, list[Coin]] = {}
    made = {(height, each.txid) for height, kept in places.items() for each in kept}
    for coin in coins:
        if (coin.height, coin.outpoint[:32]) in made:
            shown.append(coin)
        else:
            not_shown.setdefault(NO_HEADERS if coin.height < first else FROM_A_SET, []).append(coin)
    lowest = min(places, default=pin_height + 1)
    return OutputProofs(
        shown=tuple(shown),
        not_shown={reason: tuple(found) for reason, found in not_shown.items()},
        places=places,
        first_height=lowest,
        headers=tuple(headers[lowest - first :]),
    )


def _headers_to(connection: sqlite3.Connection, first: int, last: int) -> tuple[int, list[bytes]]:
    """The headers down from `last`, at most to `first`, without a gap; and the height that they begin at."""
    headers: list[bytes] = []
    expected = last
    for height, version, previous, merkle_root, time, bits, nonce in connection.execute(
        """SELECT height, version, previous, merkle_root, time, bits, nonce FROM block
           WHERE active AND height BETWEEN ? AND ? ORDER BY height DESC""",
        (first, last),
    ):
        if height != expected:
            break
        headers.append(encode_header(version, previous, merkle_root, time, bits, nonce))
        expected -= 1
    headers.reverse()
    return expected + 1, headers


def _places(
    connection: sqlite3.Connection, wanted: Mapping[int, set[bytes]]
) -> dict[int, tuple[PlacedTransaction, ...]]:
    """Per height the wanted transactions and the coinbase, where the ledger kept one of the wanted."""
    found: dict[int, list[PlacedTransaction]] = {}
    for height, position, txid, raw, branch in connection.execute(
        """SELECT b.height, p.position, p.txid, p.raw, p.branch FROM json_each(?) AS j
           JOIN block AS b ON b.height = j.value AND b.active JOIN place AS p ON p.block_id = b.id
           ORDER BY b.height, p.position""",
        (json.dumps(sorted(wanted)),),
    ):
        if position == 0 or txid in wanted[height]:
            found.setdefault(height, []).append(PlacedTransaction(position, txid, raw, branch))
    return {height: tuple(kept) for height, kept in found.items() if any(each.txid in wanted[height] for each in kept)}
