"""What a Bitcoin Core node answered, as values. No I/O."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ChainInfo:
    """What `getblockchaininfo` says."""

    chain: str
    """`main`, `test`, `testnet4`, `signet` or `regtest`."""
    height: int
    best_hash: str
    is_downloading: bool
    """Whether the node says that it is in its initial download, or that its tip is too old to be the newest."""
    prune_height: int | None
    """Lowest block the node still has; None when it keeps all."""


@dataclass(frozen=True, slots=True)
class ChainTip:
    """One end of a branch that the node knows."""

    height: int
    block_hash: str
    status: str
    """`active`, `valid-fork`, `valid-headers`, `headers-only` or `invalid`."""


@dataclass(frozen=True, slots=True)
class IndexState:
    """One of the node's optional indexes."""

    name: str
    is_synced: bool
    height: int


@dataclass(frozen=True, slots=True)
class Coin:
    """One unspent output."""

    tx_id: str
    output: int
    script: bytes
    value: int
    """Satoshis."""
    height: int
    is_coinbase: bool


@dataclass(frozen=True, slots=True)
class CoinScan:
    """The unspent outputs of some scripts in the set of one block."""

    block_hash: str
    height: int
    coins: tuple[Coin, ...]


@dataclass(frozen=True, slots=True)
class CoinSetDigest:
    """What commits to every unspent output after one block."""

    block_hash: str
    height: int
    muhash: str
    coins: int
    total: int
    """Satoshis of all of them together."""
