"""All movements of watched addresses in a run of blocks, read whole and held against their headers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from chains.bitcoin.block import check_block
from chains.bitcoin.block_source import BlockSource
from chains.bitcoin.core import CoreNode
from chains.bitcoin.header_chain import header_run
from chains.bitcoin.ledger import BlockEvents, match_block
from chains.bitcoin.ledger_file import LedgerFile
from chains.bitcoin.movements import movements
from chains.bitcoin.networks import Network
from chains.bitcoin.script import script_of_address
from chains.errors import ChainMoved, ProofFailed, StaleHead
from chains.reader import Progress
from chains.types import Address, Asset, BlockRef, Transfer, TransferScan


def scan_blocks(
    node: CoreNode,
    source: BlockSource,
    network: Network,
    asset: Asset | None,
    *,
    node_id: str,
    first_height: int,
    last: BlockRef,
    watched: Iterable[Address],
    ledger: LedgerFile | None = None,
    progress: Progress | None = None,
) -> TransferScan:
    """Every block from a height to `last` and what it moved; nothing is asked for without an asset.

    Blocks of which a ledger knows that they touch none of the addresses are not read again: it read each of them, and
    `last` commits to them all by its hash. What the others spend of the addresses must be what the ledger read, which
    was held against our own coins. Raises `ChainMoved` when `last` is not on the chain, `ProofFailed` when a block
    contradicts its header, or its undo data the ledger.
    """
    try:
        headers = header_run(node, network, first_height, last.height)
    except StaleHead:
        raise ChainMoved(f"the node's chain is shorter than {last}") from None
    if not headers or headers[-1].block_hash != last.block_hash:
        raise ChainMoved(f"{last} is not on the node's chain")
    blocks = tuple(header.ref(network, first_height + number) for number, header in enumerate(headers))
    scripts = (
        frozenset(script_of_address(network, address) for address in watched) if asset is not None else frozenset()
    )
    touched = ledger.touched(scripts, first_height, last.block_hash) if ledger is not None else None
    found: list[Transfer] = []
    for header, ref in zip(headers, blocks, strict=True):
        if asset is not None and scripts and (touched is None or ref.height in touched):
            block, spent = source.read(header)
            check_block(block, network, ref.height)
            events = match_block(block, spent, scripts)
            if ledger is not None:
                _require_debits(events, ledger.debits(scripts, ref.block_hash), ref)
            found += movements(events, ref, network, asset, scripts)
        if progress is not None:
            progress(1)
    return TransferScan(blocks, tuple(found), node_id=node_id, mode=source.mode, mode_note=source.mode_note)


def _require_debits(events: BlockEvents, debits: Mapping[bytes, set[tuple[bytes, int]]], block: BlockRef) -> None:
    """A header does not commit to undo data: told once, for the balances, it may not be told otherwise here."""
    told: dict[bytes, set[tuple[bytes, int]]] = {script: set() for script in debits}
    for debit in events.debits:
        if debit.script in told:
            told[debit.script].add((debit.outpoint, debit.value))
    if told != debits:
        raise ProofFailed(f"undo data of block {block.block_hash} is told otherwise than when the ledger read it")
