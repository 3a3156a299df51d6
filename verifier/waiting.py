"""What waits for a block on a Bitcoin chain, and what became of what was seen waiting before. None of it is counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from chains.reader import ChainConfig
from chains.registry import plugin_for
from chains.types import Address, BlockRef, Finality, FinalityKind, chain_namespace
from verifier.errors import InputError
from verifier.store import Store
from verifier.store.waiting_store import SeenWaiting

if TYPE_CHECKING:
    from chains.bitcoin.networks import Network
    from chains.bitcoin.reader import BitcoinReader
    from chains.bitcoin.waiting import WaitingTransaction

REMEMBERED: Final = timedelta(days=14)
"""What was seen longer ago is left out: nodes drop what waited for two weeks (Bitcoin Core's -mempoolexpiry)."""


class WaitingState(StrEnum):
    """What became of a transaction that was in no block when it was seen."""

    WAITING = "waiting"
    CONFIRMED = "confirmed"
    REPLACED = "replaced"
    """Another transaction spent one of its coins: it cannot be confirmed any more unless that one leaves again."""
    GONE = "gone"
    """The node has it no longer, and its coins are unspent: it may come again."""


@dataclass(frozen=True, slots=True)
class PendingTransaction:
    """One transaction and its state."""

    tx_id: str
    state: WaitingState
    leaves: int
    """Base units that go elsewhere than to mapped wallets, the fee included; below zero where more arrives."""
    pays: tuple[tuple[Address, int], ...] = ()
    """Receivers that are not mapped; only of those that wait."""
    fee: int | None = None
    """Known where all coins spent are the mapped wallets'; only of those that wait."""
    by: str = ""
    """The transaction that replaced it."""
    height: int | None = None
    """Of the block that confirmed it, or what replaced it."""
    seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """What waits, as one node's pool has it at its head."""

    config: ChainConfig
    height: int
    pool_size: int
    receipts_looked_for: bool
    transactions: tuple[PendingTransaction, ...]


def review_pending(
    store: Store, config: ChainConfig, addresses: Sequence[Address], actor: str, known_at: datetime, now: datetime
) -> Pending:
    """Ask the first node, and record the spends that were not seen before. Raises `ReadError`, `InputError`."""
    from chains.bitcoin.networks import network_of
    from chains.bitcoin.reader import BitcoinReader
    from chains.bitcoin.script import script_of_address

    if chain_namespace(config.chain_id) != "bip122":
        raise InputError(f"{config.chain_id} is no Bitcoin chain: what waits there is not looked at")
    if not addresses:
        raise InputError(f"no wallet is mapped on {config.chain_id}: there is nothing to look for")
    network = network_of(config.chain_id)
    scripts = {script_of_address(network, address) for address in addresses}
    node = config.nodes[0]
    reader = plugin_for(config.chain_id).open(replace(config, finality=Finality(FinalityKind.LATEST)), node)
    assert isinstance(reader, BitcoinReader), "the adapter of bip122 is the project's own"
    try:
        reader.identify()
        pin = reader.pin(now=now)
        pool = reader.waiting(pin, addresses)
        before = store.seen_waiting(config.chain_id, known_at - REMEMBERED)
        waiting = [_waiting(each, network, scripts) for each in pool.transactions]
        became = _became(reader, before, pool.transactions)
    finally:
        reader.close()
    known = {each.tx_id for each in before}
    new = [
        SeenWaiting(each.tx_id, node.node_id, tuple(map(_outpoint_text, _names(each))), told.leaves, known_at)
        for each, told in zip(pool.transactions, waiting, strict=True)
        if each.spends and each.tx_id not in known
    ]
    store.add_waiting(config.chain_id, new, actor, known_at)
    first_seen = {each.tx_id: each.seen_at for each in before}
    shown = (*(replace(each, seen_at=first_seen.get(each.tx_id)) for each in waiting), *became)
    return Pending(config, pin.block.height, pool.size, pool.receipts_looked_for, shown)


def _waiting(found: WaitingTransaction, network: Network, scripts: set[bytes]) -> PendingTransaction:
    from chains.bitcoin.movements import spelled

    spent = sum(output.value for _, output in found.spends)
    back = sum(output.value for output in found.outputs if output.script in scripts)
    # Who else pays beside us is not known, nor then how much of an output is ours.
    pays = tuple(
        (spelled(network, output.script), output.value)
        for output in found.outputs
        if found.spends and output.value and output.script not in scripts
    )
    return PendingTransaction(found.tx_id, WaitingState.WAITING, spent - back, pays, found.fee)


def _became(
    reader: BitcoinReader, before: Iterable[SeenWaiting], waiting: Iterable[WaitingTransaction]
) -> list[PendingTransaction]:
    """The state of what was seen earlier and waits no longer."""
    spenders = {name: each.tx_id for each in waiting for name in _names(each)}
    still = set(spenders.values())
    left = [each for each in before if each.tx_id not in still]
    confirmed = reader.spent_by({_outpoint(text) for each in left for text in each.spends})
    return [_told(each, confirmed, spenders) for each in left]


def _told(
    seen: SeenWaiting, spent_by: Mapping[bytes, tuple[str, BlockRef]], spenders: Mapping[bytes, str]
) -> PendingTransaction:
    names = [_outpoint(text) for text in seen.spends]
    gone = PendingTransaction(seen.tx_id, WaitingState.GONE, seen.leaves, seen_at=seen.seen_at)
    spent = [spent_by[name] for name in names if name in spent_by]
    for tx_id, block in spent:
        if tx_id == seen.tx_id:
            return replace(gone, state=WaitingState.CONFIRMED, height=block.height)
    for tx_id, block in spent:
        return replace(gone, state=WaitingState.REPLACED, by=tx_id, height=block.height)
    others = [spenders[name] for name in names if name in spenders]
    return replace(gone, state=WaitingState.REPLACED, by=others[0]) if others else gone


def _names(found: WaitingTransaction) -> list[bytes]:
    return [name for name, _ in found.spends]


def _outpoint_text(name: bytes) -> str:
    from chains.bitcoin.transaction import id_text, outpoint_parts

    txid, number = outpoint_parts(name)
    return f"{id_text(txid)}:{number}"


def _outpoint(text: str) -> bytes:
    from chains.bitcoin.transaction import id_bytes, outpoint

    txid, _, number = text.partition(":")
    return outpoint(id_bytes(txid), int(number))
