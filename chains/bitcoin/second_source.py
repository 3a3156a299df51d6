"""The same question asked another way: what our ledger says at a block against a node's own set of unspent outputs.

`scan`    `scantxoutset`, which answers for the node's tip and for no other block
`dump`    `dumptxoutset`, a file of the set after any block; only the node's machine has it
`digest`  the MuHash of the whole set after any block, of two nodes: equal digests are equal sets

What differs is a finding. Comparing nothing is an error. Pure: others ask, this compares.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from chains.bitcoin.answers import Coin, CoinScan, CoinSetDigest
from chains.bitcoin.ledger_views import Coin as LedgerCoin
from chains.bitcoin.transaction import id_text
from chains.errors import ChainMoved, InvalidValue
from chains.types import BlockRef

_Row = tuple[bytes, str, int, int, bool]
"""A coin as both sides have it: script, output, value, height, whether a coinbase made it."""


class SecondSource(StrEnum):
    """Where the second answer comes from."""

    SCAN = "scan"
    DUMP = "dump"
    DIGEST = "digest"


@dataclass(frozen=True, slots=True)
class Difference:
    """A script of which the two sources hold unlike coins; the sums may be equal all the same."""

    script: bytes
    ours: int
    """Satoshis in our ledger."""
    theirs: int
    """Satoshis in the other source."""
    only_ours: tuple[str, ...]
    """Outputs (`txid:number`) that the other source does not have, or has otherwise."""
    only_theirs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SecondOpinion:
    """What came of one comparison at one block."""

    source: SecondSource
    block: BlockRef
    scripts: int
    """Scripts compared; never 0."""
    coins: int
    """Coins compared, of both sides together where they are the same."""
    differences: tuple[Difference, ...]

    @property
    def agrees(self) -> bool:
        """Whether both sources hold the same coins."""
        return not self.differences


@dataclass(frozen=True, slots=True)
class DigestOpinion:
    """Which nodes have the same set of unspent outputs after a block."""

    block: BlockRef
    digests: Mapping[str, CoinSetDigest]
    """By node; at least two."""

    @property
    def agrees(self) -> bool:
        """Whether all nodes have the same set."""
        return len({(digest.muhash, digest.coins, digest.total) for digest in self.digests.values()}) == 1


def compare_scan(
    block: BlockRef, scripts: Iterable[bytes], ours: Iterable[LedgerCoin], scan: CoinScan
) -> SecondOpinion:
    """Hold our ledger at a block against a scan. Raises `ChainMoved` unless the scan is of that very block."""
    if scan.block_hash != block.block_hash:
        raise ChainMoved(f"the scan is of block {scan.height} ({scan.block_hash[:10]}…), not of {block}")
    return _compare(SecondSource.SCAN, block, scripts, ours, scan.coins)


def compare_dump(
    block: BlockRef, scripts: Iterable[bytes], ours: Iterable[LedgerCoin], base_hash: str, coins: Iterable[Coin]
) -> SecondOpinion:
    """Hold our ledger at a block against the coins of a dump. Raises `ChainMoved` unless it is of that very block."""
    if base_hash != block.block_hash:
        raise ChainMoved(f"the dump is of block {base_hash}, not of {block}")
    return _compare(SecondSource.DUMP, block, scripts, ours, coins)


def compare_digests(block: BlockRef, digests: Mapping[str, CoinSetDigest]) -> DigestOpinion:
    """Hold the digests of several nodes against each other. Raises `InvalidValue` for fewer than two."""
    if len(digests) < 2:
        raise InvalidValue(f"digests of at least two nodes are compared, not of {len(digests)}")
    for node_id, digest in digests.items():
        if digest.block_hash != block.block_hash:
            raise ChainMoved(f"the digest is of block {digest.height}, not of {block}", node_id=node_id)
    return DigestOpinion(block, dict(digests))


def _compare(
    source: SecondSource,
    block: BlockRef,
    scripts: Iterable[bytes],
    ours: Iterable[LedgerCoin],
    theirs: Iterable[Coin],
) -> SecondOpinion:
    asked = dict.fromkeys(scripts)
    if not asked:
        raise InvalidValue("there is no script to compare")
    left = {(coin.script, _name(coin.outpoint), coin.value, coin.height, coin.is_coinbase) for coin in ours}
    right = {(coin.script, f"{coin.tx_id}:{coin.output}", coin.value, coin.height, coin.is_coinbase) for coin in theirs}
    if not {row[0] for row in left | right} <= asked.keys():
        raise InvalidValue("a coin is of a script that was not asked for")
    unlike = {row[0] for row in left ^ right}
    sums = (_sums(left), _sums(right))
    only_ours, only_theirs = _names(left - right), _names(right - left)
    differences = [
        Difference(script, sums[0][script], sums[1][script], tuple(only_ours[script]), tuple(only_theirs[script]))
        for script in asked
        if script in unlike
    ]
    return SecondOpinion(source, block, len(asked), len(left | right), tuple(differences))


def _sums(rows: Iterable[_Row]) -> Counter[bytes]:
    """Satoshis by script."""
    found: Counter[bytes] = Counter()
    for script, _, value, _, _ in rows:
        found[script] += value
    return found


def _names(rows: Iterable[_Row]) -> defaultdict[bytes, list[str]]:
    """The outputs of each script, in order."""
    found: defaultdict[bytes, list[str]] = defaultdict(list)
    for script, name, *_ in sorted(rows):
        found[script].append(name)
    return found


def _name(outpoint: bytes) -> str:
    return f"{id_text(outpoint[:32])}:{int.from_bytes(outpoint[32:], 'little')}"
