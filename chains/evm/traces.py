"""Reading traces: which frames of a transaction moved the native coin, whatever tracer told them.

A frame moves its value when it is a CALL, a creation or a self-destruct, and neither it nor any frame around it
failed. DELEGATECALL and STATICCALL carry none, CALLCODE sends it to the sender itself. The outermost frame is the
transaction, whose value the scan of blocks knows already.

The index of a transfer is its place among those of its transaction, from 1 on: the same from every tracer and for
every set of watched addresses, and never that of the transaction's own value (0) or fee (-1).

Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from chains.block_trace import BalanceChange
from chains.errors import MalformedAnswer
from chains.evm.addresses import checksum_address
from chains.evm.quantity import data, hash32, quantity
from chains.types import Asset, BlockRef, Transfer, TransferKind

_MOVING_TYPES: Final = frozenset({"CALL", "CREATE", "CREATE2", "SELFDESTRUCT"})
_STILL_TYPES: Final = frozenset({"DELEGATECALL", "STATICCALL", "CALLCODE"})
_STILL_CALLS: Final = frozenset({"delegatecall", "staticcall", "callcode"})


@dataclass(frozen=True, slots=True)
class Moved:
    """The native coin moved by one frame."""

    sender: bytes
    receiver: bytes
    wei: int


@dataclass(frozen=True, slots=True)
class TracedTransaction:
    """What one transaction moved inside, in the order of execution."""

    tx_id: str
    moved: tuple[Moved, ...]


def internal_transfers(
    block: BlockRef, transactions: Sequence[TracedTransaction], watched: frozenset[bytes], native: Asset
) -> tuple[Transfer, ...]:
    """The internal transfers of a block that touch watched addresses, in the order of execution."""
    return tuple(
        Transfer(
            block=block,
            tx_id=transaction.tx_id,
            index=index,
            asset=native,
            sender=checksum_address(moved.sender),
            receiver=checksum_address(moved.receiver),
            base_units=moved.wei,
            kind=TransferKind.INTERNAL,
        )
        for transaction in transactions
        for index, moved in enumerate(transaction.moved, 1)
        if moved.sender in watched or moved.receiver in watched
    )


def decode_call_tracer(answer: object, tx_ids: Sequence[str]) -> list[TracedTransaction]:
    """The answer of `debug_traceBlockByHash` with `callTracer`, for a block with these transactions."""
    return [
        TracedTransaction(tx_id, tuple(_frames_moved(_object(result, "a call frame"))))
        for tx_id, result in _results_of(answer, tx_ids)
    ]


def decode_trace_block(answer: object, block: BlockRef, tx_ids: Sequence[str]) -> list[TracedTransaction]:
    """The answer of `trace_block`, every trace of which must name this very block and one of its transactions."""
    traces: dict[int, dict[tuple[int, ...], Mapping[str, object]]] = {place: {} for place in range(len(tx_ids))}
    for item in _list(answer, "the traces of a block"):
        trace = _object(item, "a trace")
        if hash32(trace.get("blockHash")) != block.block_hash:
            raise MalformedAnswer("a trace is of another block than was asked for")
        if trace.get("type") == "reward":
            continue  # no transaction: the scan of blocks reads what a fee recipient gets
        place, path = trace.get("transactionPosition"), trace.get("traceAddress")
        if type(place) is not int or not 0 <= place < len(tx_ids) or not _is_path(path):
            raise MalformedAnswer("a trace does not say which place of the block it has")
        if hash32(trace.get("transactionHash")) != tx_ids[place]:
            raise MalformedAnswer("a trace is of another transaction than stands at its place")
        traces[place][tuple(cast("list[int]", path))] = trace
    if missing := sum(() not in of_transaction for of_transaction in traces.values()):
        raise MalformedAnswer(f"{missing} transactions of the block have no trace")
    return [TracedTransaction(tx_id, tuple(_traces_moved(traces[place]))) for place, tx_id in enumerate(tx_ids)]


def decode_prestate_diff(answer: object, tx_ids: Sequence[str], watched: frozenset[bytes]) -> tuple[BalanceChange, ...]:
    """The answer of `debug_traceBlockByHash` with `prestateTracer` in `diffMode`: sums of the watched addresses.

    An account that is not shown before the transaction had nothing; one that is not shown after it has nothing left;
    one that is shown after it without a balance kept it.
    """
    found = []
    for tx_id, result in _results_of(answer, tx_ids):
        diff = _object(result, "a state diff")
        before, after = (_accounts(diff.get(side), watched) for side in ("pre", "post"))
        for address in sorted(before.keys() | after.keys()):
            had = before.get(address, {}).get("balance", "0x0")
            has = after[address].get("balance", had) if address in after else "0x0"
            if change := quantity(has) - quantity(had):
                found.append(BalanceChange(tx_id, checksum_address(address), change))
    return tuple(found)


def _frames_moved(root: Mapping[str, object]) -> Iterator[Moved]:
    """The values of all frames below the outermost one, in the order of execution; a deep trace is no recursion."""
    waiting = [] if root.get("error") else _inner(root)[::-1]
    while waiting:
        frame = _object(waiting.pop(), "a call frame")
        if frame.get("error"):
            continue  # what a failed frame and those within it moved was taken back
        kind = _word(frame.get("type"))
        if kind in _MOVING_TYPES:
            wei = quantity(frame.get("value")) if frame.get("value") is not None else 0
            if wei:
                yield Moved(data(frame.get("from"), length=20), data(frame.get("to"), length=20), wei)
        elif kind not in _STILL_TYPES:
            raise MalformedAnswer("a call frame is of an unknown type")
        waiting.extend(reversed(_inner(frame)))


def _traces_moved(traces: Mapping[tuple[int, ...], Mapping[str, object]]) -> Iterator[Moved]:
    """The values of all traces of a transaction below the outermost one, by path: that is the order of execution."""
    failed: set[tuple[int, ...]] = set()
    for path in sorted(traces):
        trace = traces[path]
        if trace.get("error") or path[:-1] in failed:
            failed.add(path)
        elif path and (moved := _action_moved(trace)):
            yield moved


def _action_moved(trace: Mapping[str, object]) -> Moved | None:
    """The value of one trace below the outermost one; None when it carries none."""
    kind, action = trace.get("type"), _object(trace.get("action"), "the action of a trace")
    if kind == "suicide":
        sender, receiver, value = action.get("address"), action.get("refundAddress"), action.get("balance")
    elif kind == "call":
        call = _word(action.get("callType"))
        if call in _STILL_CALLS:
            return None
        if call != "call":
            raise MalformedAnswer("a trace is of an unknown kind of call")
        sender, receiver, value = action.get("from"), action.get("to"), action.get("value")
    elif kind == "create":
        created = _object(trace.get("result"), "the result of a creation")
        sender, receiver, value = action.get("from"), created.get("address"), action.get("value")
    else:
        raise MalformedAnswer("a trace is of an unknown type")
    wei = quantity(value)
    return Moved(data(sender, length=20), data(receiver, length=20), wei) if wei else None


def _results_of(answer: object, tx_ids: Sequence[str]) -> Iterator[tuple[str, object]]:
    """The result for each transaction; all of them, each in its place, or nothing of it is used."""
    items = _list(answer, "the traces of a block")
    if len(items) != len(tx_ids):
        raise MalformedAnswer(f"{len(items)} transactions are traced of {len(tx_ids)} in the block")
    for tx_id, item in zip(tx_ids, items, strict=True):
        traced = _object(item, "the trace of a transaction")
        # Older nodes leave the hash out; then the order is all there is.
        if traced.get("txHash") is not None and hash32(traced["txHash"]) != tx_id:
            raise MalformedAnswer("a trace is of another transaction than stands at its place")
        if traced.get("error"):
            raise MalformedAnswer("the node could not trace a transaction of the block")
        yield tx_id, traced.get("result")


def _accounts(answer: object, watched: frozenset[bytes]) -> dict[bytes, Mapping[str, object]]:
    accounts = _object(answer, "a side of a state diff")
    raw = ((data(address, length=20), account) for address, account in accounts.items())
    return {address: _object(account, "an account") for address, account in raw if address in watched}


def _inner(frame: Mapping[str, object]) -> list[object]:
    return _list(frame.get("calls", []), "the calls of a frame")


def _is_path(path: object) -> bool:
    return isinstance(path, list) and all(type(step) is int and step >= 0 for step in path)


def _word(answer: object) -> str:
    """A name out of a list of names; empty for what is no text, and so in no list."""
    return answer if isinstance(answer, str) else ""


def _list(answer: object, name: str) -> list[object]:
    if not isinstance(answer, list):
        raise MalformedAnswer(f"{name} are not a list")
    return answer


def _object(answer: object, name: str) -> Mapping[str, object]:
    if not isinstance(answer, Mapping):
        raise MalformedAnswer(f"{name} is not a JSON object")
    return answer
