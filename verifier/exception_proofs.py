"""Proofs that the transactions of exceptions stand in their blocks: what an unauthorized transfer rests on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

import structlog

from chains.errors import ReadError
from chains.evm.inclusion import TransactionProof
from chains.reader import ChainReader, as_transaction_prover
from chains.types import BlockRef
from verifier.records import IN_ORDER_OUTCOMES, TransferMatch
from verifier.store import Store, SweepStart

log = structlog.get_logger(__name__)

BLOCKS_MAX: Final = 200
"""Most blocks that one sweep asks for: each is read whole, with its receipts."""


def prove_exceptions(
    store: Store,
    reader: ChainReader,
    start: SweepStart,
    matches: Iterable[TransferMatch],
    actor: str,
    clock: Callable[[], datetime],
) -> None:
    """Ask for the proofs of transactions with a transfer that is no matched one, or is commingling, and keep them.

    A block that cannot be proven is left out, and told in the log: the exception stands without.
    """
    prover = as_transaction_prover(reader)
    if prover is None:
        return
    known = store.proven_transactions(start.chain_id)
    wanted: defaultdict[BlockRef, dict[str, None]] = defaultdict(dict)
    for match in matches:
        block, tx_id = match.transfer.block, match.transfer.tx_id
        is_exception = match.outcome not in IN_ORDER_OUTCOMES or match.commingling
        if is_exception and (block.block_hash, tx_id) not in known:
            wanted[block][tx_id] = None
    proofs: dict[BlockRef, list[TransactionProof]] = {}
    for block in sorted(wanted, key=lambda each: each.height)[:BLOCKS_MAX]:
        for tx_ids in ([*wanted[block]], *([tx_id] for tx_id in wanted[block])):
            # All of a block at once; where that fails one by one, for one of them may be what cannot be proven.
            try:
                proofs.setdefault(block, []).extend(prover.prove_transactions(block, tx_ids))
            except ReadError as error:
                log.warning("transactions not proven", chain=start.chain_id, block=block.height, code=error.code)
            else:
                if tx_ids == [*wanted[block]]:
                    break
    if any(proofs.values()):
        store.add_transaction_proofs(start, proofs, actor, clock())
