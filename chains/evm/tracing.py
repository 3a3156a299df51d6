"""Looking into blocks with whatever tracer the node was probed to have, each answer bound to the block by its hash.

`callTracer` and `trace_block` show who moved what to whom. `prestateTracer` shows only what each transaction changed
in sum: that names transactions, and no counterparty is made up from it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from chains.block_trace import BlockTrace
from chains.errors import ChainMoved, MalformedAnswer, NodeUnavailable, ReadError
from chains.evm.balances import Transport
from chains.evm.blocks import BlockSource
from chains.evm.probe import CALL_TRACER, PRESTATE_TRACER, TRACE_BLOCK, Capabilities
from chains.evm.quantity import encode_quantity, hash32
from chains.evm.traces import decode_call_tracer, decode_prestate_diff, decode_trace_block, internal_transfers
from chains.types import Asset, BlockRef

NO_TRANSACTIONS: Final = "no-transactions"
"""The method of a block in which there is nothing to trace."""
TRACERS: Final = (CALL_TRACER, TRACE_BLOCK, PRESTATE_TRACER)
"""In the order in which they are tried: those that show both sides of a movement first."""


class BlockTracer:
    """Traces blocks of one chain through one node."""

    def __init__(
        self, transport: Transport, source: BlockSource, node_id: str, capabilities: Capabilities, native: Asset
    ) -> None:
        self._transport = transport
        self._source = source
        self._node_id = node_id
        self._native = native
        self._methods: Final = [name for name in TRACERS if capabilities.has(name)]

    def trace(self, block: BlockRef, watched: frozenset[bytes]) -> BlockTrace:
        """What moved inside the block's transactions at the watched addresses, or why that is not known.

        Raises `NodeUnavailable`; any other failure is the block's own.
        """
        if not self._methods:
            return self._failed(block, "no-traces: the node offers no tracer")
        reasons: list[str] = []
        try:
            tx_ids = self._transactions(block)
        except NodeUnavailable:
            raise
        except ReadError as error:
            return self._failed(block, f"{error.code}: {error}")
        if not tx_ids:
            return BlockTrace(block, NO_TRANSACTIONS, self._node_id)
        for method in self._methods:
            try:
                return _TRACED[method](self, block, tx_ids, watched)
            except NodeUnavailable:
                raise
            except ReadError as error:
                reasons.append(f"{method}: {error.code}: {error}")
        return self._failed(block, f"not-traced: {'; '.join(reasons)}")

    def _failed(self, block: BlockRef, reason: str) -> BlockTrace:
        return BlockTrace(block, "", self._node_id, reason=reason)

    def _transactions(self, block: BlockRef) -> list[str]:
        """The ids of the block's transactions, in their order."""
        found = self._source.decode(self._transport.call("eth_getBlockByHash", block.block_hash, False))
        if found is None or found[0].block != block:
            raise ChainMoved(f"the node does not have {block}")
        transactions = found[1].get("transactions")
        if not isinstance(transactions, list):
            raise MalformedAnswer("a block has no list of transactions")
        return [hash32(tx_id) for tx_id in transactions]

    def _by_call_tracer(self, block: BlockRef, tx_ids: Sequence[str], watched: frozenset[bytes]) -> BlockTrace:
        answer = self._transport.call("debug_traceBlockByHash", block.block_hash, {"tracer": "callTracer"})
        moved = decode_call_tracer(answer, tx_ids)
        return BlockTrace(block, CALL_TRACER, self._node_id, internal_transfers(block, moved, watched, self._native))

    def _by_trace_block(self, block: BlockRef, tx_ids: Sequence[str], watched: frozenset[bytes]) -> BlockTrace:
        answer = self._transport.call("trace_block", encode_quantity(block.height))
        moved = decode_trace_block(answer, block, tx_ids)
        return BlockTrace(block, TRACE_BLOCK, self._node_id, internal_transfers(block, moved, watched, self._native))

    def _by_prestate_tracer(self, block: BlockRef, tx_ids: Sequence[str], watched: frozenset[bytes]) -> BlockTrace:
        options = {"tracer": "prestateTracer", "tracerConfig": {"diffMode": True}}
        answer = self._transport.call("debug_traceBlockByHash", block.block_hash, options)
        changes = decode_prestate_diff(answer, tx_ids, watched)
        return BlockTrace(block, PRESTATE_TRACER, self._node_id, changes=changes)


_Way = Callable[[BlockTracer, BlockRef, Sequence[str], frozenset[bytes]], BlockTrace]

_TRACED: Final[dict[str, _Way]] = {
    CALL_TRACER: BlockTracer._by_call_tracer,
    TRACE_BLOCK: BlockTracer._by_trace_block,
    PRESTATE_TRACER: BlockTracer._by_prestate_tracer,
}
