"""The lie of a node that is behind: a replica that has not caught up, or whose head stands still.

It knows no later block by height, tag or hash, and cuts log ranges off at its head without an error, as real
nodes do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chains.devnet.lying_proxy import Answer, Lie, ask

_BLOCK_PARAMETER = {
    "eth_getBlockByNumber": 0,
    "eth_getBalance": 1,
    "eth_getCode": 1,
    "eth_getTransactionCount": 1,
    "eth_call": 1,
    "eth_getStorageAt": 2,
    "eth_getProof": 2,
    "eth_getBlockReceipts": 0,
}
"""Position of the block parameter."""

_TAGS = ("latest", "pending", "safe", "finalized")


def lagging(url: str, blocks: int) -> Lie:
    """Be so many blocks behind the node at `url`, as a replica of it would be."""
    return _behind(url, lambda: max(0, _height(url) - blocks))


def frozen_head(url: str, height: int) -> Lie:
    """Know no block of the node at `url` above a height."""
    return _behind(url, lambda: height)


def _height(url: str) -> int:
    return int(ask(url, "eth_blockNumber", [])["result"], 16)


def _behind(url: str, head: Callable[[], int]) -> Lie:
    def is_unknown(block_hash: str, limit: int) -> bool:
        block = ask(url, "eth_getBlockByHash", [block_hash, False]).get("result")
        return block is None or int(block["number"], 16) > limit

    def again(answer: Answer, method: str, params: list[Any]) -> Answer:
        told = {**ask(url, method, params), "id": answer.get("id")}
        return answer if told == answer else told

    def lie(asked: str, params: list[Any], answer: Answer) -> Answer:
        limit = head()
        if asked == "eth_blockNumber":
            return {**answer, "result": hex(limit)}
        if asked in ("eth_getBlockByHash", "eth_getTransactionReceipt"):
            return _without_later_block(answer, limit)
        if asked == "eth_getLogs" and params:
            return _logs_until(answer, params[0], limit, is_unknown)
        position = _BLOCK_PARAMETER.get(asked)
        if position is None:
            return answer
        block = params[position] if position < len(params) else "latest"
        if isinstance(block, dict) or (isinstance(block, str) and len(block) == 66):
            block_hash = block.get("blockHash", "") if isinstance(block, dict) else block
            return _error(answer, -32001, "header not found") if is_unknown(block_hash, limit) else answer
        if block in _TAGS:
            if (height := _tag_height(url, block)) <= limit:
                return answer
            changed = [*params[:position], hex(min(height, limit)), *params[position + 1 :]]
            return again(answer, asked, changed)
        if block != "earliest" and int(block, 16) > limit:
            no_block = {**answer, "result": None}
            return no_block if asked.startswith("eth_getBlock") else _error(answer, -32001, "header not found")
        return answer

    return lie


def _tag_height(url: str, tag: str) -> int:
    block = ask(url, "eth_getBlockByNumber", ["latest" if tag == "pending" else tag, False])["result"]
    return int(block["number"], 16)


def _without_later_block(answer: Answer, limit: int) -> Answer:
    result = answer.get("result")
    if not isinstance(result, dict):
        return answer
    height = result.get("number") or result.get("blockNumber")
    return {**answer, "result": None} if height and int(height, 16) > limit else answer


def _logs_until(answer: Answer, query: Any, limit: int, is_unknown: Callable[[str, int], bool]) -> Answer:
    """A range beyond the head gives what is known of it and no error, which is what real nodes do."""
    if "blockHash" in query:
        return _error(answer, -32000, "unknown block") if is_unknown(query["blockHash"], limit) else answer
    logs = answer.get("result")
    if not isinstance(logs, list):
        return answer
    known = [log for log in logs if int(log["blockNumber"], 16) <= limit]
    return answer if known == logs else {**answer, "result": known}


def _error(answer: Answer, code: int, message: str) -> Answer:
    return {"jsonrpc": "2.0", "id": answer.get("id"), "error": {"code": code, "message": message}}
